//! How far is a measured law from a predicted one? A bound of the distance, not a test of "no difference".
//!
//! Independent groups of replicas give laws p_1 … p_G over the same cells, with mean p̄, at the distance d̂ = ‖p̄ − p‖ from
//! the predicted p. The measured law has an error of its own, ‖p̄ − p_true‖, which lies below q with a probability that
//! a multiplier bootstrap over the groups gives ([`Noise`]). By the triangle inequality the true distance
//! ‖p_true − p‖ then lies in [d̂ − q, d̂ + q]. That noise alone makes d̂ positive does no harm: the bound stays valid, it
//! only asks for enough data.
//!
//! Sources: van der Vaart & Wellner, Weak Convergence and Empirical Processes (1996), §2.9 (multiplier bootstrap).

use rayon::prelude::*;

use super::claim::{
    Contrast, EffortToSettle, Evidence, JudgedContrast, Judgement, LARGEST_EFFORT_FACTOR, Verdict, bars_to_any_verdict,
};
use super::estimate::Estimate;
use super::occupancy::Occupancies;
use super::special::{normal_quantile, student_t_quantile, student_t_survival};
use crate::math;
use crate::random::{Purpose, stream::Stream};

/// A bound of the distance that is passed by chance this often decides HOLDS: one side, 5 %.
const HOLDS_CONFIDENCE: f64 = 0.95;
/// The same for REJECTED: one side of 95 %.
const REJECTED_CONFIDENCE: f64 = 0.975;
/// The power at which the effort that would settle a claim is computed.
const POWER: f64 = 0.90;
/// Draws of the bootstrap: the level of a 95 % quantile is then good to half a per cent.
const DRAWS: u64 = 2_000;

/// A distance between laws over cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// max over the edges between neighbouring cells of |F − G|, F and G the sums over the cells below: cells are in
    /// order, as on a line.
    Kolmogorov,
    /// ½ Σ |pₖ − qₖ|: the largest difference in the probability of any set of cells.
    TotalVariation,
}

/// Where and how far two laws differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviation {
    /// The distance.
    pub distance: f64,
    /// Where they differ most: the last cell below the edge (Kolmogorov), or the cell (total variation).
    pub place: usize,
}

impl Metric {
    /// The distance of two laws whose difference, cell by cell, is given; 0 at place 0 without cells.
    pub fn deviation(self, difference: impl IntoIterator<Item = f64>) -> Deviation {
        let (mut place, mut largest, mut sum) = (0, 0.0, 0.0);
        for (cell, part) in difference.into_iter().enumerate() {
            let here = match self {
                Metric::Kolmogorov => {
                    sum += part;
                    f64::abs(sum)
                }
                Metric::TotalVariation => {
                    sum += f64::abs(part);
                    f64::abs(part)
                }
            };
            if here > largest {
                (place, largest) = (cell, here);
            }
        }
        match self {
            Metric::Kolmogorov => Deviation { distance: largest, place },
            Metric::TotalVariation => Deviation { distance: 0.5 * sum, place },
        }
    }
}

/// The distribution of ‖p̄ − p_true‖: how far the measured law may be from the true one by chance.
///
/// Each draw is ‖Σ_g ξ_g (p_g − p̄)‖/√(G(G − 1)) with independent standard normals ξ_g: a Gaussian with the covariance
/// that the groups show. That this covariance is itself estimated is paid for by the factor t_{G−1}(0.9875)/z(0.9875): in one direction
/// it makes the 97.5 % quantile Student's, in many directions it is a little on the safe side.
#[derive(Clone, Debug)]
pub struct Noise {
    /// In ascending order, the factor included.
    draws: Vec<f64>,
    groups: usize,
}

impl Noise {
    /// From the laws of independent groups (a row of `laws` each). `seed` addresses the stream of the multipliers: the same
    /// input gives the same bits on any number of threads. `None` for fewer than two groups.
    pub fn of(laws: &Occupancies, metric: Metric, seed: u64) -> Option<Self> {
        let (groups, cells) = (laws.replicas(), laws.states());
        if groups < 2 {
            return None;
        }
        let mean = mean_law(laws);
        let deviations: Vec<Vec<f64>> =
            (0..groups).map(|group| laws.replica(group).iter().zip(&mean).map(|(p, m)| p - m).collect()).collect();
        let degrees_of_freedom = (groups - 1) as f64;
        let tail = 0.5 * (1.0 + REJECTED_CONFIDENCE);
        let estimated = student_t_quantile(tail, degrees_of_freedom) / normal_quantile(tail);
        let scale = estimated / (groups as f64 * degrees_of_freedom).sqrt();
        let draw = |sum: &mut Vec<f64>, index: u64| {
            let mut stream = Stream::new(seed, index, Purpose::Bootstrap);
            sum.fill(0.0);
            for deviation in &deviations {
                let multiplier = scale * normal(&mut stream);
                for (sum, part) in sum.iter_mut().zip(deviation) {
                    *sum += multiplier * part;
                }
            }
            metric.deviation(sum.iter().copied()).distance
        };
        let mut draws: Vec<f64> = (0..DRAWS).into_par_iter().map_init(|| vec![0.0; cells], draw).collect();
        draws.sort_by(f64::total_cmp);
        Some(Self { draws, groups })
    }

    /// The error that is exceeded with probability 1 − `level`.
    pub fn quantile(&self, level: f64) -> f64 {
        let rank = (level * (self.draws.len() + 1) as f64).ceil() as usize;
        self.draws[rank.clamp(1, self.draws.len()) - 1]
    }

    /// P(error ≥ `excess`). Beyond all draws it is that of Student's law with the same 99 % quantile, whose tail is the heavier one: one
    /// in the number of draws would be too much for many distances that are judged together.
    pub fn probability_beyond(&self, excess: f64) -> f64 {
        const LEVEL: f64 = 0.99;
        let beyond = self.draws.len() - self.draws.partition_point(|&draw| draw < excess);
        let drawn = (beyond + 1) as f64 / (self.draws.len() + 1) as f64;
        let degrees_of_freedom = (self.groups - 1) as f64;
        let scale = self.quantile(LEVEL) / student_t_quantile(LEVEL, degrees_of_freedom);
        if beyond > 0 || !(scale > 0.0) {
            return drawn;
        }
        student_t_survival(excess / scale, degrees_of_freedom).min(drawn)
    }
}

/// p̄: the mean over the groups, cell by cell.
pub fn mean_law(laws: &Occupancies) -> Vec<f64> {
    let mut mean = vec![0.0; laws.states()];
    for group in 0..laws.replicas() {
        for (sum, p) in mean.iter_mut().zip(laws.replica(group)) {
            *sum += p;
        }
    }
    mean.iter().map(|sum| sum / laws.replicas() as f64).collect()
}

/// A standard normal by Box and Muller's method.
fn normal(stream: &mut Stream) -> f64 {
    let radius = (-2.0 * math::ln(1.0 - stream.uniform())).sqrt();
    radius * math::cos(2.0 * std::f64::consts::PI * stream.uniform())
}

/// Judges "the true distance is at most ε" from the measured distance and the measured law's own error.
///
/// `unresolved` is what the distance may be larger than its value over the cells (for Kolmogorov's the largest predicted
/// probability between two edges); it counts against HOLDS. HOLDS if d̂ + q₉₅ + unresolved < ε, REJECTED if d̂ − q₉₇.₅ > ε,
/// else UNDETERMINED with the effort that would settle it (q falls as 1/√effort). Barred as in [`super::judge`].
///
/// The judgement's one contrast is the distance against 0. Its estimate has the standard error q₉₅/t₀.₉₅, so that its 90 % interval
/// is d̂ ± q₉₅.
pub fn judge_distance(
    label: &str,
    distance: f64,
    unresolved: f64,
    noise: Option<&Noise>,
    tolerance: f64,
    evidence: &Evidence,
) -> Judgement {
    let measured = noise.map(|noise| {
        let degrees_of_freedom = (noise.groups - 1) as f64;
        let standard_error =
            noise.quantile(HOLDS_CONFIDENCE) / student_t_quantile(HOLDS_CONFIDENCE, degrees_of_freedom);
        Estimate { value: distance, standard_error, degrees_of_freedom }
    });
    let interval = |level: f64| {
        let radius = noise?.quantile(level);
        Some([(distance - radius).max(0.0), distance + radius + unresolved])
    };
    let judged = JudgedContrast {
        contrast: Contrast {
            label: label.into(),
            predicted: 0.0,
            predicted_standard_error: 0.0,
            predicted_bound: 0.0,
            measured: measured.clone(),
        },
        difference: measured,
        holds_interval: interval(HOLDS_CONFIDENCE),
        rejected_interval: interval(REJECTED_CONFIDENCE),
    };
    let mut judgement = Judgement {
        verdict: Verdict::Undetermined,
        reason: String::new(),
        tolerance,
        contrasts: vec![judged],
        rejection_p_value: None,
        effort: None,
        look: evidence.look,
    };
    let bars = bars_to_any_verdict(&judgement, evidence);
    match noise {
        Some(noise) if bars.is_empty() => decide(&mut judgement, distance, unresolved, noise, evidence.diverged),
        _ => judgement.reason = bars.join("; "),
    }
    judgement.finish(evidence);
    judgement
}

fn decide(judgement: &mut Judgement, distance: f64, unresolved: f64, noise: &Noise, diverged: usize) {
    let tolerance = judgement.tolerance;
    let label = judgement.contrasts[0].contrast.label.clone();
    let (hold, reject) = (noise.quantile(HOLDS_CONFIDENCE), noise.quantile(REJECTED_CONFIDENCE));
    let upper = distance + hold + unresolved;
    let measured = format!("{label}: measured {distance:.4}, by chance at most {hold:.4} off");
    judgement.rejection_p_value = Some(noise.probability_beyond(distance - tolerance));
    (judgement.verdict, judgement.reason) = if distance - reject > tolerance {
        let lower = distance - reject;
        (
            Verdict::Rejected,
            format!(
                "{label}: measured {distance:.4}; the true distance is at least {lower:.4} (confidence 97.5 %), more than ε = {tolerance}"
            ),
        )
    } else if upper < tolerance && diverged == 0 {
        (
            Verdict::Holds,
            format!("{measured}; the true distance is at most {upper:.4} (confidence 95 %), less than ε = {tolerance}"),
        )
    } else if upper < tolerance {
        (
            Verdict::Undetermined,
            format!(
                "{measured}: the bound {upper:.4} is less than ε = {tolerance}, but averages over survivors are biased"
            ),
        )
    } else {
        judgement.effort = Some(effort_to_settle(distance, unresolved, noise, tolerance));
        let lower = (distance - reject).max(0.0);
        let effort = judgement.effort_sentence();
        (
            Verdict::Undetermined,
            format!(
                "{measured}; the true distance may be anything from {lower:.4} to {upper:.4}, which leaves ε = {tolerance} undecided; {effort}"
            ),
        )
    };
}

/// q falls as 1/√effort; the measured distance comes out above the true one by less than its own q₉₀ with 90 % probability.
fn effort_to_settle(distance: f64, unresolved: f64, noise: &Noise, tolerance: f64) -> EffortToSettle {
    let factor = |error: f64, margin: f64| {
        let factor = (error / margin) * (error / margin);
        (margin > 0.0 && factor <= LARGEST_EFFORT_FACTOR).then_some(factor.max(1.0))
    };
    let to_hold = noise.quantile(HOLDS_CONFIDENCE) + noise.quantile(POWER);
    let to_reject = noise.quantile(REJECTED_CONFIDENCE) + noise.quantile(POWER);
    EffortToSettle {
        if_as_measured: factor(to_reject, distance - tolerance)
            .or_else(|| factor(to_hold, tolerance - unresolved - distance)),
        if_exactly_true: factor(to_hold, tolerance - unresolved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_by_hand() {
        // p = .2, .5, .3 against q = .4, .1, .5: sums of differences −.2, .2, 0; half of .2 + .4 + .2.
        let difference = [0.2 - 0.4, 0.5 - 0.1, 0.3 - 0.5];
        let kolmogorov = Metric::Kolmogorov.deviation(difference);
        assert!((kolmogorov.distance - 0.2).abs() < 1e-15 && kolmogorov.place <= 1);
        let variation = Metric::TotalVariation.deviation(difference);
        assert!((variation.distance - 0.4).abs() < 1e-15);
        assert_eq!(variation.place, 1);
    }

    /// Two cells: both distances are |p̄ − p|, and its error is |Student's t| times the standard error of a mean, up to what
    /// 2,000 draws leave (2 %, one standard error). With six groups Student's quantile is 1.4 times the normal one.
    #[test]
    fn with_two_cells_the_error_is_that_of_a_mean() {
        let shares: Vec<f64> = (0..6).map(|i| 0.5 + 0.01 * f64::from((i * 5) % 6)).collect();
        let rows = shares.iter().flat_map(|p| [*p, 1.0 - p]).collect();
        let laws = Occupancies::new(2, rows).unwrap();
        let error = Estimate::from_replicas(&shares).unwrap().standard_error;
        for metric in [Metric::Kolmogorov, Metric::TotalVariation] {
            let noise = Noise::of(&laws, metric, 1).unwrap();
            let expected = student_t_quantile(0.9875, 5.0) * error;
            let found = noise.quantile(0.975);
            assert!((found / expected - 1.0).abs() < 0.06, "{metric:?}: {found} against {expected}");
            assert!((noise.probability_beyond(found) - 0.025).abs() < 1e-3);
            // Four times the 99 % quantile is 13.5 of Student with five degrees of freedom: 2e-5.
            let far = noise.probability_beyond(4.0 * noise.quantile(0.99));
            assert!(far < 1e-4 && far > 1e-6, "{metric:?}: {far}");
            assert!(noise.probability_beyond(8.0 * noise.quantile(0.99)) < far);
        }
        assert!(Noise::of(&Occupancies::new(2, vec![0.5, 0.5]).unwrap(), Metric::Kolmogorov, 1).is_none());
    }

    /// Groups that differ by nothing have an unknown error, and no verdict.
    #[test]
    fn groups_without_spread_are_no_evidence() {
        let laws = Occupancies::new(2, [0.5, 0.5].repeat(10)).unwrap();
        let noise = Noise::of(&laws, Metric::TotalVariation, 1);
        let judged = judge_distance("D", 0.0, 0.0, noise.as_ref(), 0.1, &Evidence::default());
        assert_eq!(judged.verdict, Verdict::Undetermined);
        assert!(judged.reason.contains("same in all replicas"), "{}", judged.reason);
        let judged = judge_distance("D", 0.0, 0.0, None, 0.1, &Evidence::default());
        assert!(judged.reason.contains("no estimate"), "{}", judged.reason);
    }

    /// 16 groups with an error of about 0.012: what decides, and what bars.
    #[test]
    fn the_bound_decides() {
        let rows: Vec<f64> = (0..16).flat_map(|i| if i % 2 == 0 { [0.45, 0.55] } else { [0.55, 0.45] }).collect();
        let laws = Occupancies::new(2, rows).unwrap();
        let noise = Noise::of(&laws, Metric::TotalVariation, 1).unwrap();
        let (q, r) = (noise.quantile(0.95), noise.quantile(0.975));
        assert!((0.02..0.04).contains(&q) && q < r);
        let judged = |distance: f64, unresolved: f64, tolerance: f64, evidence: &Evidence| {
            judge_distance("D", distance, unresolved, Some(&noise), tolerance, evidence)
        };
        let clear = Evidence::default();
        assert_eq!(judged(0.01, 0.0, 0.011 + q, &clear).verdict, Verdict::Holds);
        assert_eq!(judged(0.01, 0.002, 0.011 + q, &clear).verdict, Verdict::Undetermined);
        assert_eq!(judged(0.01, 0.0, 0.009 + q, &clear).verdict, Verdict::Undetermined);
        let rejected = judged(0.1, 0.0, 0.099 - r, &clear);
        assert_eq!(rejected.verdict, Verdict::Rejected);
        assert!(rejected.rejection_p_value.unwrap() <= 0.025, "{:?}", rejected.rejection_p_value);
        assert_eq!(judged(0.1, 0.0, 0.101 - r, &clear).verdict, Verdict::Undetermined);
        let effort = judged(0.01, 0.0, 0.02, &clear).effort.unwrap();
        let half = (q + noise.quantile(0.9)) / 0.02;
        assert!((effort.if_exactly_true.unwrap() - half * half).abs() < 1e-12);
        assert!((effort.if_as_measured.unwrap() - 4.0 * half * half).abs() < 1e-10);
        // A diverged replica bars HOLDS alone; without equilibrium there is no verdict at all.
        assert_eq!(judged(0.0, 0.0, 0.5, &Evidence::without_equilibrium(1)).verdict, Verdict::Undetermined);
        assert_eq!(judged(0.4, 0.0, 0.1, &Evidence::without_equilibrium(1)).verdict, Verdict::Rejected);
        let cold = Evidence { not_equilibrated: vec!["cold".into()], ..Evidence::default() };
        assert_eq!(judged(0.0, 0.0, 0.5, &cold).verdict, Verdict::Undetermined);
        assert_eq!(judged(0.4, 0.0, 0.1, &cold).verdict, Verdict::Undetermined);
    }
}
