//! The formula against real minibatches, and between them one claim for every assumption that is dropped.

use super::form::Kind;
use super::{Case, Run};
use crate::experiment::points;
use crate::experiment::reason::{finite_step, state_dependence, unequal_directions};
use crate::experiment::records::Claim;
use crate::findings::ClaimRecord;
use crate::scenario::{Loaded, Rung};
use crate::statistics::{Contrast, Estimate, Evidence, Judgement, Verdict, judge, scenario_verdict};

/// What a claim says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Real minibatches have the occupancies of a rung.
    Law(Rung),
    /// The form that assumes what the formula does has those of the Gibbs rung, or of the lowest there is.
    Assumed(Rung),
    /// The form with this index has those of the one before.
    Unchanged(usize),
}

/// All claims, judged if there is a run, and the verdict of the scenario.
pub(super) fn all(case: &Case, loaded: &Loaded, run: Option<&Run>) -> (Vec<ClaimRecord>, Option<Verdict>) {
    let rungs = [Rung::Laplace, Rung::Gibbs].into_iter().filter(|&rung| case.ladder.rung(rung).is_some());
    let mut says: Vec<Says> = rungs.clone().map(Says::Law).collect();
    says.extend(rungs.clone().next_back().map(Says::Assumed));
    says.extend((1..case.forms.len()).map(Says::Unchanged));
    let Some(run) = run else {
        let claims =
            says.into_iter().filter_map(|says| says.claim(case, loaded).predicted(&says.contrasts(case, None)));
        return (claims.collect(), None);
    };
    let tolerance = loaded.scenario.test.tolerance;
    let judged = |says: Says| (says, judge(&says.contrasts(case, Some(run)), tolerance, &says.evidence(case, run)));
    let mut judged: Vec<(Says, Judgement)> = says.into_iter().map(judged).collect();
    let mut primary: Vec<&mut Judgement> =
        judged.iter_mut().filter(|(says, _)| says.is_primary(loaded)).map(|(_, judgement)| judgement).collect();
    let verdict = scenario_verdict(&mut primary);
    let claims = judged.iter().filter_map(|(says, judgement)| {
        let reason = match (judgement.verdict, says) {
            (Verdict::Rejected, Says::Law(_)) => format!("{}; {}", judgement.reason, broken(case, &judged)),
            (Verdict::Holds, Says::Law(rung)) => {
                let apart = parabola(case, *rung, tolerance).into_iter().chain(shown(case.dropped(), &judged));
                [judgement.reason.clone()].into_iter().chain(cancelling(apart.collect())).collect::<Vec<_>>().join("; ")
            }
            (Verdict::Rejected, Says::Unchanged(form)) => {
                format!("{}; {}", judgement.reason, case.forms[*form].kind.why(case))
            }
            _ => judgement.reason.clone(),
        };
        says.claim(case, loaded).judged(judgement, reason)
    });
    (claims.collect(), Some(verdict))
}

/// By how much an assumption's loss changes the occupancies, at the most.
struct Change {
    form: usize,
    label: String,
    value: f64,
    error: f64,
}

impl Change {
    fn of(says: &Says, judgement: &Judgement) -> Option<Self> {
        let Says::Unchanged(form) = *says else { return None };
        let changes = judgement.contrasts.iter().filter_map(|contrast| {
            let difference = contrast.difference.as_ref()?;
            let label = contrast.contrast.label.clone();
            Some(Self { form, label, value: difference.value, error: difference.standard_error })
        });
        changes.max_by(|a, b| a.value.abs().total_cmp(&b.value.abs()))
    }

    fn told(&self, dropped: &dyn Fn(usize) -> &'static str) -> String {
        let Self { form, label, value, error } = self;
        format!("{} ({label}: {value:+.3} ± {error:.3})", dropped(*form))
    }
}

/// The assumptions whose loss was shown to change the occupancies by more than ε, in the order in which they are dropped.
fn shown(dropped: impl Fn(usize) -> &'static str, judged: &[(Says, Judgement)]) -> Vec<String> {
    let rejected = judged.iter().filter(|(_, judgement)| judgement.verdict == Verdict::Rejected);
    rejected.filter_map(|(says, judgement)| Change::of(says, judgement)).map(|change| change.told(&dropped)).collect()
}

/// Which assumptions broke: those whose loss changes the occupancies by more than ε, or the one that changes them most.
fn broken(case: &Case, judged: &[(Says, Judgement)]) -> String {
    let shown = shown(case.dropped(), judged);
    if !shown.is_empty() {
        return format!("what broke, in the order in which assumptions are dropped: {}", shown.join("; "));
    }
    let changes = judged.iter().filter_map(|(says, judgement)| Change::of(says, judgement));
    let largest = changes.max_by(|a, b| a.value.abs().total_cmp(&b.value.abs()));
    largest.map_or(String::new(), |change| {
        format!(
            "no single assumption was shown to change it by more than ε; the largest change came with {}",
            change.told(&case.dropped())
        )
    })
}

/// Between the slide's formula and the law of the first form there is one more assumption: told where it changes a number by more than ε.
fn parabola(case: &Case, rung: Rung, tolerance: f64) -> Option<String> {
    let (formula, law) =
        case.log_odds(Rung::Laplace).filter(|_| rung == Rung::Laplace).zip(case.log_odds(Rung::Gibbs))?;
    let changes = law.iter().zip(&formula).map(|(law, formula)| law - formula).enumerate();
    let (pair, change) = changes.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    let told = || format!("basins that are no parabolas (change of {}: {change:+.3})", case.quantities[pair]);
    (change.abs() > tolerance).then(told)
}

/// That a law agrees with real minibatches by accident, if by themselves these assumptions do not hold.
fn cancelling(apart: Vec<String>) -> Option<String> {
    (!apart.is_empty()).then(|| {
        format!(
            "it holds although single assumptions do not, each of which changes it by more than ε: {}. Their effects cancel here, and need not \
             elsewhere",
            apart.join("; ")
        )
    })
}

impl Case<'_> {
    /// What each form no longer assumes.
    fn dropped(&self) -> impl Fn(usize) -> &'static str {
        |form| self.forms[form].kind.dropped()
    }
}

impl Says {
    /// The claim about `test.against` decides.
    fn is_primary(self, loaded: &Loaded) -> bool {
        self == Says::Law(loaded.scenario.test.against)
    }

    fn claim(self, case: &Case, loaded: &Loaded) -> Claim {
        let source = |rung: Rung| match rung {
            Rung::Laplace => {
                "Jastrzębski et al. 2017, arXiv:1711.04623; the talk's slide “Implications of the Theory”; σ² = tr C/d averaged over the minima"
            }
            _ => "exp(−2L/(nσ²)) integrated over every basin; σ² = tr C/d averaged over the minima",
        };
        let law = |rung: Rung| match rung {
            Rung::Laplace => "the slide's formula",
            _ => "the Gibbs law",
        };
        let (id, statement, source) = match self {
            Says::Law(rung) => (
                format!("occupancy-{}", rung.name()),
                format!("SGD on real minibatches has the occupancies of {}", law(rung)),
                source(rung),
            ),
            Says::Assumed(rung) => (
                "noise-isotropic".to_owned(),
                format!("Where the noise is what the formula assumes, the occupancies are those of {}", law(rung)),
                source(rung),
            ),
            Says::Unchanged(form) => {
                let kind = case.forms[form].kind;
                (
                    format!("noise-{}", kind.id()),
                    format!("No occupancy changes through {}", kind.dropped()),
                    "the same loss, η, S and SDE time, simulated with and without that assumption",
                )
            }
        };
        let tolerance = loaded.scenario.test.tolerance;
        Claim { id, primary: self.is_primary(loaded), statement, source: source.into(), tolerance }
    }

    fn contrasts(self, case: &Case, run: Option<&Run>) -> Vec<Contrast> {
        let value = |form: usize, pair: usize| run.and_then(|run| run.points[form].estimates[pair].clone());
        let name = |pair: usize| case.quantities[pair].clone();
        let law = |rung: Rung, form: usize| -> Vec<Contrast> {
            let Some(predicted) = case.log_odds(rung) else { return Vec::new() };
            let contrast = |(pair, predicted): (usize, f64)| Contrast {
                label: name(pair),
                predicted,
                predicted_standard_error: case.ladder.log_odds_error(rung, case.pairs[pair], case.setting),
                predicted_bound: case.ladder.log_odds_bound(rung, case.pairs[pair]),
                measured: value(form, pair),
            };
            predicted.into_iter().enumerate().map(contrast).collect()
        };
        match self {
            Says::Law(rung) => law(rung, case.forms.len() - 1),
            Says::Assumed(rung) => law(rung, 0),
            Says::Unchanged(form) => {
                let change =
                    |pair: usize| -> Option<Estimate> { Some(value(form, pair)?.minus(&value(form - 1, pair)?)) };
                let contrast = |pair: usize| Contrast {
                    label: format!("change of {}", name(pair)),
                    predicted: 0.0,
                    predicted_standard_error: 0.0,
                    predicted_bound: 0.0,
                    measured: change(pair),
                };
                (0..case.pairs.len()).map(contrast).collect()
            }
        }
    }

    fn evidence(self, case: &Case, run: &Run) -> Evidence {
        let forms = match self {
            Says::Law(_) => vec![case.forms.len() - 1],
            Says::Assumed(_) => vec![0],
            Says::Unchanged(form) => vec![form - 1, form],
        };
        points::evidence(forms.into_iter().map(|form| (case.forms[form].name.as_str(), &run.points[form].diagnostics)))
    }
}

impl Kind {
    fn id(self) -> &'static str {
        match self {
            Kind::Isotropic => "isotropic",
            Kind::Constant => "unequal-directions",
            Kind::Dependent => "state-dependence",
            Kind::FiniteStep => "finite-step",
            Kind::Minibatches => "minibatches",
        }
    }

    /// What is no longer assumed.
    fn dropped(self) -> &'static str {
        match self {
            Kind::Isotropic => "nothing",
            Kind::Constant => "noise that is stronger in some directions",
            Kind::Dependent => "noise that depends on θ",
            Kind::FiniteStep => "the finite step δ = η",
            Kind::Minibatches => "batches whose noise is not Gaussian",
        }
    }

    /// The numbers of this case behind it.
    fn why(self, case: &Case) -> String {
        match self {
            Kind::Isotropic => String::new(),
            Kind::Constant => unequal_directions(case.setting).unwrap_or_default(),
            Kind::Dependent => state_dependence(case.setting),
            Kind::FiniteStep => finite_step(case.setting),
            Kind::Minibatches => {
                "both have the same C(θ) and the same step. The noise of a batch of S has a skewness that falls as S^(−½) and an excess \
                 kurtosis that falls as 1/S; escapes are made by rare noise, which the first two moments do not tell"
                    .into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Evidence;

    fn changed(form: usize, value: f64) -> (Says, Judgement) {
        let contrast = Contrast {
            label: "change of ln(p_A/p_B)".into(),
            predicted: 0.0,
            predicted_standard_error: 0.0,
            predicted_bound: 0.0,
            measured: Some(Estimate { value, standard_error: 0.02, degrees_of_freedom: 100.0 }),
        };
        (Says::Unchanged(form), judge(&[contrast], 0.1, &Evidence::default()))
    }

    /// Two assumptions that fail in opposite directions are both told beside a formula that holds; without any there is nothing to tell.
    #[test]
    fn effects_that_cancel_are_told() {
        let dropped = |form: usize| ["", "directions", "the place", "the step"][form];
        let told = |judged: &[(Says, Judgement)]| cancelling(shown(dropped, judged));
        let opposite = told(&[changed(1, 0.469), changed(2, 0.01), changed(3, -0.462)]).unwrap();
        assert!(opposite.contains("holds although"), "{opposite}");
        assert!(opposite.contains("directions (change of ln(p_A/p_B): +0.469 ± 0.020)"), "{opposite}");
        assert!(opposite.contains("the step (change of ln(p_A/p_B): -0.462 ± 0.020)"), "{opposite}");
        assert!(!opposite.contains("the place") && opposite.contains("cancel"), "{opposite}");
        // One that is beyond ε alone: what offsets it need not be beyond by itself.
        assert!(told(&[changed(1, 0.2), changed(2, -0.09), changed(3, -0.09)]).is_some());
        assert_eq!(told(&[changed(1, 0.01), changed(2, -0.02), changed(3, 0.0)]), None);
        // Not shown is not told: the error is too large.
        assert_eq!(told(&[changed(1, 0.13), changed(3, -0.13)]), None);
    }
}
