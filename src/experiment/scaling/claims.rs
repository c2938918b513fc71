//! One claim per β: the chain's own law there, and the slide's "unchanged". In a bowl also the β of divergence.

use super::case::Case;
use super::divergence;
use super::{Run, is_beyond};
use crate::experiment::points;
use crate::experiment::reason::finite_step;
use crate::experiment::records::Claim;
use crate::experiment::setting::Setting;
use crate::findings::ClaimRecord;
use crate::scenario::{Loaded, Rung};
use crate::statistics::{Contrast, Estimate, Evidence, Judgement, Verdict, judge, scenario_verdict};

/// What a claim says of one β.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    /// The chain's own law.
    Discrete(usize),
    /// The slide: as at the first β.
    Unchanged(usize),
    /// Where it diverges.
    Divergence,
}

/// All claims, judged if there is a run, and the verdict of the scenario.
pub(super) fn all(
    case: &Case,
    loaded: &Loaded,
    setting: &Setting,
    run: Option<&Run>,
) -> (Vec<ClaimRecord>, Option<Verdict>) {
    let points = 0..case.beta.len();
    let mut says: Vec<Says> = points.clone().filter(|&point| case.chain[point].is_some()).map(Says::Discrete).collect();
    says.extend(points.skip(1).filter(|&point| !is_beyond(case, case.beta[point])).map(Says::Unchanged));
    says.extend(case.is_bowl().then_some(Says::Divergence));
    let Some(run) = run else {
        let claims =
            says.into_iter().filter_map(|says| says.claim(case, loaded).predicted(&says.contrasts(case, None)));
        return (claims.collect(), None);
    };
    let mut judged: Vec<(Says, Judgement, Option<[f64; 2]>)> =
        says.into_iter().map(|says| says.judged(case, loaded, run)).collect();
    let mut primary: Vec<&mut Judgement> =
        judged.iter_mut().filter(|(says, ..)| says.is_primary(loaded)).map(|(_, judgement, _)| judgement).collect();
    let verdict = scenario_verdict(&mut primary);
    let claims = judged.iter().filter_map(|(says, judgement, bracket)| {
        let reason = says.reason(case, setting, judgement);
        let mut record = says.claim(case, loaded).judged(judgement, reason)?;
        if let Some(bracket) = bracket.filter(|ends| ends.iter().all(|end| end.is_finite())) {
            record.interval = Some(bracket);
            record.contrasts[0].interval = Some(bracket);
        }
        Some(record)
    });
    (claims.collect(), Some(verdict))
}

/// The last β at which the slide's claim HOLDS before the first at which it is REJECTED, and that one. The first β of the
/// list holds by definition.
pub(super) fn break_in_list(case: &Case, claims: &[ClaimRecord]) -> [Option<f64>; 2] {
    let verdict = |point: usize| {
        let id = Says::Unchanged(point).id(case);
        claims.iter().find(|claim| claim.id == id).and_then(|claim| claim.verdict)
    };
    let points = 1..case.beta.len();
    if points.clone().all(|point| verdict(point).is_none()) {
        return [None, None];
    }
    let broken = points.clone().find(|&point| verdict(point) == Some(Verdict::Rejected));
    let before = points.take_while(|&point| Some(point) != broken);
    let holds = before.filter(|&point| verdict(point) == Some(Verdict::Holds)).last().unwrap_or(0);
    [Some(case.beta[holds]), broken.map(|point| case.beta[point])]
}

impl Says {
    fn id(self, case: &Case) -> String {
        match self {
            Says::Discrete(point) => format!("scaling-discrete-beta-{}", case.beta[point]),
            Says::Unchanged(point) => format!("scaling-unchanged-beta-{}", case.beta[point]),
            Says::Divergence => "scaling-divergence".into(),
        }
    }

    /// `laplace` and `gibbs` know no δ: they stand for the slide's claim.
    fn is_primary(self, loaded: &Loaded) -> bool {
        let discrete = loaded.scenario.test.against == Rung::Discrete;
        discrete != matches!(self, Says::Unchanged(_))
    }

    fn claim(self, case: &Case, loaded: &Loaded) -> Claim {
        let (what, is_that) = match case.is_bowl() {
            true => ("stationary covariance", "is that"),
            false => ("occupancies", "are those"),
        };
        let first = case.beta[0];
        let (statement, source) = match self {
            Says::Discrete(point) if case.is_bowl() => (
                format!("At β = {} the {what} of SGD solves HΣ + ΣH − βηHΣH = nC", case.beta[point]),
                "fixed point of Σ ← (I − βηH)Σ(I − βηH) + nβηC: from the first β it changes by (1 − ηh/2)/(1 − βηh/2) along \
                 each axis",
            ),
            Says::Discrete(point) => (
                format!("At β = {} the {what} are those of the chain's own law at the step βη", case.beta[point]),
                "stationary law of the transfer operator N(θ′; θ − βη∇L, 2Tβη), or its first order in βη",
            ),
            Says::Unchanged(point) => (
                format!(
                    "With η → {0}η and S → {0}S the {what} {is_that} at β = {first}: only η/S matters",
                    case.beta[point]
                ),
                "Jastrzębski et al. 2017, arXiv:1711.04623; the talk's slide “Equilibrium”: the SDE depends on η/S alone",
            ),
            Says::Divergence => (
                "SGD in a bowl diverges from β = 2/(ηh) on, whatever the batch size".into(),
                "θ ← (1 − βηh)θ + noise grows where |1 − βηh| > 1",
            ),
        };
        Claim {
            id: self.id(case),
            primary: self.is_primary(loaded),
            statement,
            source: source.into(),
            tolerance: loaded.scenario.test.tolerance,
        }
    }

    /// Predictions and measurements.
    fn contrasts(self, case: &Case, run: Option<&Run>) -> Vec<Contrast> {
        let value = |point: usize, index: usize| run.and_then(|run| run.points[point].estimates[index].clone());
        let change = |point: usize, index: usize| Some(value(point, index)?.minus(&value(0, index)?));
        let contrast = |label: String, predicted: f64, measured: Option<Estimate>| Contrast {
            label,
            predicted,
            predicted_standard_error: 0.0,
            predicted_bound: 0.0,
            measured,
        };
        let at = |index: usize, point: usize| format!("{} at β = {}", case.label(index), case.beta[point]);
        let since =
            |index: usize, point: usize| format!("{}, β = {} → {}", case.label(index), case.beta[0], case.beta[point]);
        let quantities = 0..case.quantities.len();
        match self {
            Says::Discrete(point) => {
                let Some(law) = &case.chain[point] else { return Vec::new() };
                let own = |i: usize| Contrast {
                    predicted_standard_error: case.law_error(point, i),
                    predicted_bound: case.law_bound(point, i),
                    ..contrast(at(i, point), law[i], value(point, i))
                };
                let mut contrasts: Vec<Contrast> = quantities.clone().map(own).collect();
                if let (Some(first), true, true) = (&case.chain[0], point > 0, case.is_bowl()) {
                    contrasts
                        .extend(quantities.map(|i| contrast(since(i, point), law[i] - first[i], change(point, i))));
                }
                contrasts
            }
            Says::Unchanged(point) => quantities.map(|i| contrast(since(i, point), 0.0, change(point, i))).collect(),
            Says::Divergence => {
                let predicted = case.divergence().map_or(f64::NAN, crate::math::ln);
                vec![contrast("ln β at which SGD diverges".into(), predicted, None)]
            }
        }
    }

    fn evidence(self, case: &Case, run: &Run) -> Evidence {
        let points = match self {
            Says::Discrete(0) | Says::Divergence => vec![0],
            // In a bowl the change since the first β is compared as well.
            Says::Discrete(point) if !case.is_bowl() => vec![point],
            Says::Discrete(point) | Says::Unchanged(point) => vec![0, point],
        };
        points::evidence(points.into_iter().map(|i| (run.points[i].name.as_str(), &run.points[i].diagnostics)))
    }

    fn judged(self, case: &Case, loaded: &Loaded, run: &Run) -> (Self, Judgement, Option<[f64; 2]>) {
        let tolerance = loaded.scenario.test.tolerance;
        if self != Says::Divergence {
            return (self, judge(&self.contrasts(case, Some(run)), tolerance, &self.evidence(case, run)), None);
        }
        let bracket = run.diverges.unwrap_or([None, None]);
        let (mut judgement, ends) = divergence::judge(bracket, case.divergence().unwrap_or(f64::NAN), tolerance);
        let replicas = loaded.scenario.ensemble.replicas;
        for (point, beta) in run.points.iter().zip(&case.beta) {
            let diverged = point.diagnostics.diverged;
            if is_beyond(case, *beta) && diverged < replicas {
                judgement.bar_holding(&format!("at β = {beta} only {diverged} of {replicas} replicas diverged"));
            }
        }
        (self, judgement, Some(ends))
    }

    fn reason(self, case: &Case, setting: &Setting, judgement: &Judgement) -> String {
        let why = match (judgement.verdict, self) {
            (Verdict::Rejected, Says::Unchanged(point)) => {
                let predicted = case.chain[point].as_ref().zip(case.chain[0].as_ref()).map(|(law, first)| {
                    let changes = law.iter().zip(first).map(|(a, b)| a - b);
                    changes.fold(0.0, |most: f64, change| if change.abs() > most.abs() { change } else { most })
                });
                let predicted = predicted.map_or(String::new(), |p| format!("the chain's own law changes by {p:.3}. "));
                let batches = if setting.is_of_minibatches() {
                    " Nor is the noise of small batches Gaussian: its skewness falls as S^(−½), its excess kurtosis as 1/S."
                } else {
                    ""
                };
                format!("; {predicted}{}{batches}", finite_step(&case.settings[point]))
            }
            (Verdict::Rejected, Says::Discrete(_)) if case.is_bowl() => {
                "; the bowl is not quadratic as far out as the cloud reaches, or the noise is not additive".into()
            }
            (Verdict::Rejected, Says::Divergence) => format!(
                "; h = {:.4} is the curvature at the minimum: farther out, where diverging trajectories go, it must differ",
                setting.sharpest()
            ),
            _ => String::new(),
        };
        format!("{}{why}", judgement.reason)
    }
}
