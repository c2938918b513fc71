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
            (Verdict::Rejected, Says::Unchanged(form)) => {
                format!("{}; {}", judgement.reason, case.forms[*form].kind.why(case))
            }
            _ => judgement.reason.clone(),
        };
        says.claim(case, loaded).judged(judgement, reason)
    });
    (claims.collect(), Some(verdict))
}

/// Which assumptions broke: those whose loss changes the occupancies by more than ε, or the one that changes them most.
fn broken(case: &Case, judged: &[(Says, Judgement)]) -> String {
    let changes = |says: &Says, judgement: &Judgement| -> Option<(usize, String, f64)> {
        let Says::Unchanged(form) = says else { return None };
        let differences = judgement.contrasts.iter().filter_map(|contrast| {
            let difference = contrast.difference.as_ref()?;
            Some((contrast.contrast.label.clone(), difference.value, difference.standard_error))
        });
        let (label, value, error) = differences.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
        Some((*form, format!("{label}: {value:+.3} ± {error:.3}"), value.abs()))
    };
    let told = |form: usize, change: &str| format!("{} ({change})", case.forms[form].kind.dropped());
    let rejected: Vec<String> = judged
        .iter()
        .filter(|(_, judgement)| judgement.verdict == Verdict::Rejected)
        .filter_map(|(says, judgement)| changes(says, judgement))
        .map(|(form, change, _)| told(form, &change))
        .collect();
    if !rejected.is_empty() {
        return format!("what broke, in the order in which assumptions are dropped: {}", rejected.join("; "));
    }
    let largest =
        judged.iter().filter_map(|(says, judgement)| changes(says, judgement)).max_by(|a, b| a.2.total_cmp(&b.2));
    largest.map_or(String::new(), |(form, change, _)| {
        format!(
            "no single assumption was shown to change it by more than ε; the largest change came with {}",
            told(form, &change)
        )
    })
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
