//! At which β does SGD in a bowl diverge? Found by the fate of short ensembles, without a look at the prediction.

use super::case::Case;
use crate::ensemble::{self, Fate, Interrupted, Observer, Plan, View};
use crate::experiment::Control;
use crate::math;
use crate::random::derived_seed;
use crate::scenario::Loaded;
use crate::statistics::{Contrast, Estimate, JudgedContrast, Judgement, Look, Verdict};

/// Replicas of a short ensemble. In a quadratic bowl they share one fate: growth does not depend on the noise.
const REPLICAS: u64 = 64;
/// Relative width of the bracket.
const RESOLUTION: f64 = 0.01;
/// A trajectory counts as diverged beyond 10¹⁵ (see [`Fate`]).
const LN_FAR: f64 = 34.538_776_394_910_684;
/// Doublings of β before a bowl counts as one that never diverges.
const DOUBLINGS: u32 = 40;
/// Seeds of the short ensembles, far from those of the points.
const SEEDS: u64 = 1 << 40;

/// The largest β at which a short ensemble stayed and the smallest at which one diverged.
pub(super) type Bracket = [Option<f64>; 2];

/// Doubles β from one that is known to stay until a short ensemble diverges, then halves the bracket down to 1 %.
pub(super) fn search(case: &Case, loaded: &Loaded, stays: f64, control: &Control) -> Result<Bracket, Interrupted> {
    bracket(stays, |probe, beta| diverges(case, loaded, beta, probe, control))
}

/// The search itself, for any fate.
fn bracket<E>(stays: f64, mut diverges: impl FnMut(u64, f64) -> Result<bool, E>) -> Result<Bracket, E> {
    let mut probe = 0;
    let mut ask = |beta: f64| {
        probe += 1;
        diverges(probe, beta)
    };
    if ask(stays)? {
        return Ok([None, Some(stays)]);
    }
    let (mut low, mut high) = (stays, None);
    for _ in 0..DOUBLINGS {
        let beta = 2.0 * low;
        if ask(beta)? {
            high = Some(beta);
            break;
        }
        low = beta;
    }
    let Some(mut high) = high else { return Ok([Some(low), None]) };
    while high > low * (1.0 + RESOLUTION) {
        let middle = (low * high).sqrt();
        if ask(middle)? { high = middle } else { low = middle }
    }
    Ok([Some(low), Some(high)])
}

/// Whether more than half of a short ensemble diverges. A quarter of the resolution beyond 2/(ηh) a step grows by half the
/// resolution, 1 + 2 · RESOLUTION/4: from a kick of the noise to 10¹⁵ in as many steps as are taken here, twice over.
fn diverges(case: &Case, loaded: &Loaded, beta: f64, probe: u64, control: &Control) -> Result<bool, Interrupted> {
    let setting = case.at(beta);
    let minimum = &setting.landscape.minima[0].theta;
    let covariance = setting.noise.covariance(minimum);
    let kick = (setting.noise_scale * setting.step() * covariance.trace() / covariance.nrows() as f64).sqrt();
    let growth = (LN_FAR - math::ln(kick)).max(1.0);
    let steps = (2.0 * growth / (0.5 * RESOLUTION)).ceil() as u64;
    let seed = derived_seed(loaded.scenario.seed, SEEDS + probe);
    let plan = Plan { replicas: REPLICAS, burn_in: 0, steps, observe_every: 16, seed };
    let place = |_: u64, point: &mut [f64]| point.copy_from_slice(minimum);
    let outcome = ensemble::run(setting.dynamics.as_ref(), &plan, &place, &|_, _| Nobody, &mut |_| (), control.stop)?;
    let diverged = outcome.fates.iter().filter(|fate| **fate != Fate::Finished).count();
    Ok(2 * diverged > outcome.fates.len())
}

/// Only fates are looked at.
struct Nobody;

impl Observer for Nobody {
    fn observe(&mut self, _view: &mut View) {}

    fn end_stretch(&mut self, _looks: u64) {}
}

/// A bracket against the prediction: HOLDS where it lies wholly inside ±ε of ln β_c, REJECTED where wholly outside. It is no
/// estimate with an error, so the claim has an interval and no standard error.
pub(super) fn judge(bracket: Bracket, predicted: f64, tolerance: f64) -> (Judgement, [f64; 2]) {
    let log = |end: Option<f64>, otherwise: f64| end.map_or(otherwise, math::ln);
    let ends = [log(bracket[0], f64::NEG_INFINITY), log(bracket[1], f64::INFINITY)];
    let center = math::ln(predicted);
    let [low, high] = ends.map(|end| end - center);
    let (verdict, relation) = if low > -tolerance && high < tolerance {
        (Verdict::Holds, "wholly inside")
    } else if low > tolerance || high < -tolerance {
        (Verdict::Rejected, "wholly outside")
    } else {
        (Verdict::Undetermined, "across an edge of")
    };
    let shown = |end: Option<f64>, none: &str| end.map_or(none.to_owned(), |beta| format!("{beta:.4}"));
    let middle = bracket[0].zip(bracket[1]).map(|(low, high)| Estimate::exact(0.5 * (math::ln(low) + math::ln(high))));
    let contrast = Contrast {
        label: "ln β at which SGD diverges".into(),
        predicted: center,
        predicted_standard_error: 0.0,
        predicted_bound: 0.0,
        measured: middle,
    };
    let judgement = Judgement {
        verdict,
        reason: format!(
            "short ensembles of {REPLICAS} replicas stay at β = {} and diverge at β = {}; predicted is {predicted:.4}; the bracket \
             lies {relation} ±{tolerance} in ln β",
            shown(bracket[0], "nothing smaller"),
            shown(bracket[1], "nothing that was tried")
        ),
        tolerance,
        contrasts: vec![JudgedContrast { contrast, difference: None, holds_interval: None, rejected_interval: None }],
        rejection_p_value: Some(if verdict == Verdict::Rejected { 0.0 } else { 1.0 }),
        effort: None,
        look: Look::FIRST,
    };
    (judgement, ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(threshold: f64, stays: f64) -> Bracket {
        bracket(stays, |_, beta| Ok::<_, ()>(beta > threshold)).unwrap()
    }

    #[test]
    fn the_bracket_closes_around_the_threshold() {
        for threshold in [1.000_1, 1.7, 20.0, 12_345.6] {
            let [Some(low), Some(high)] = found(threshold, 1.0) else { panic!("{threshold}") };
            assert!(low <= threshold && threshold < high && high <= low * (1.0 + RESOLUTION), "{low} {high}");
        }
        assert_eq!(found(0.5, 1.0), [None, Some(1.0)]);
        assert_eq!(found(f64::INFINITY, 1.0)[1], None);
    }

    #[test]
    fn a_bracket_is_judged_by_both_its_ends() {
        for (bracket, verdict) in [
            ([Some(19.9), Some(20.1)], Verdict::Holds),
            ([Some(18.0), Some(20.1)], Verdict::Undetermined),
            ([Some(19.9), Some(22.0)], Verdict::Undetermined),
            ([Some(19.9), None], Verdict::Undetermined),
            ([Some(22.0), Some(22.1)], Verdict::Rejected),
            ([Some(22.0), None], Verdict::Rejected),
            ([None, Some(18.0)], Verdict::Rejected),
        ] {
            assert_eq!(judge(bracket, 20.0, 0.05).0.verdict, verdict, "{bracket:?}");
        }
    }
}
