//! Does one thing fall as another rises? Spearman's rank correlation of medians over replicas, with an interval, judged against a threshold.
//!
//! The places x₁ … x_G are chosen, not drawn, and at each of them the same R replicas are measured. What would be another in a repetition
//! is the replicas; so the interval is a bootstrap over these, whole replicas at a time (replica r stands at all places at once: what its
//! values have in common stays in them). R − 1 of R replicas are drawn, which makes the variance of a mean that of divisor R − 1.
//!
//! Noise brings ranks into disorder, and so moves the measured ρ̂ away from ρ of the true medians, to either side: where medians follow the
//! trend but lie close, towards 0; where they lie in clusters and run against the trend inside these, away from it, since noise then hides what
//! runs against it. A bootstrap of ρ* has the noise twice and shows neither. So both ends of the interval come from the medians, not from ρ*:
//!
//! * The *upper* end is what ρ is at most, given those pairs of places of which the second has the smaller median beyond doubt, by bounds that hold
//!   for all pairs at once (the largest standardised deviation of the bootstrap); every other pair is granted the order against the claim.
//! * The *lower* end is what ρ is at least, given those pairs of which the second has the larger median beyond doubt; every other pair is
//!   granted the order of the claim.
//!
//! Where all medians may be equal nothing is ever shown; where they are far apart both ends narrow to ρ̂.
//!
//! For pairs (g, j) of places x_g < x_j, Σ xR = Σ x + Σ_pairs x_g + Σ (x_j − x_g), the last over those pairs of which j has the larger median,
//! R the ranks of the medians: a pair in doubt counts for something between 0 and all of it, also where the two medians are equal. So do pairs at
//! equal x, whose medians, were they equal, would make the spread of R smaller, and a ρ below 0 lower.
//!
//! Not all that is granted can be had together: of two pairs (i, j), (j, k) whose ends are surely in the other order, x_i < x_j < x_k, at most one
//! can have the order that is granted. Setting off the smaller of what the two count against part of the larger, triple by triple, bounds the sum
//! (it is a solution of the dual of the linear program for the largest sum: any is a bound, and this one is near the best).
//!
//! Sources: Spearman, Am. J. Psychol. 15 (1904), 72–101; Rao & Wu, JASA 83 (1988), 231–241 (n − 1 of n); Davison & Hinkley, Bootstrap Methods
//! and their Application (1997), §5.2–5.3; Romano & Wolf, Econometrica 73 (2005), 1237–1282 (all pairs at once).

use rayon::prelude::*;

use super::claim::{Contrast, Evidence, JudgedContrast, Judgement, Verdict, bars_to_any_verdict};
use super::estimate::Estimate;
use super::special::{normal_quantile, student_t_quantile};
use crate::random::{Purpose, stream::Stream};

/// An end of the interval that is passed by chance this often decides HOLDS: one side, 5 %.
const HOLDS_CONFIDENCE: f64 = 0.95;
/// The same for REJECTED: one side of 95 %.
const REJECTED_CONFIDENCE: f64 = 0.975;
/// Draws of the bootstrap: the level of a 95 % quantile is then good to half a per cent.
const DRAWS: u64 = 2_000;
/// With fewer replicas at a place their median has no spread to go by.
const FEWEST_REPLICAS: usize = 5;

/// Spearman's ρ: the correlation of the ranks, of which equal values share the mean. `None` for fewer than two pairs, unequal lengths, a
/// value that is no number, or values that are all the same.
///
/// ```
/// # use sgd_sde::statistics::spearman;
/// assert_eq!(spearman(&[1.0, 2.0, 3.0, 4.0], &[10.0, 8.0, 9.0, 1.0]), Some(-0.8));
/// ```
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || x.len() < 2 || x.iter().chain(y).any(|value| value.is_nan()) {
        return None;
    }
    let centre = (x.len() + 1) as f64 / 2.0;
    let centred = |values: &[f64]| ranks(values).into_iter().map(|rank| rank - centre).collect::<Vec<f64>>();
    let (a, b) = (centred(x), centred(y));
    // Multiples of a quarter: all sums are exact.
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let scale = product(&a, &a) * product(&b, &b);
    (scale > 0.0).then(|| product(&a, &b) / scale.sqrt())
}

/// The rank of each value, from 1; equal values have the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for run in order.chunk_by(|&a, &b| values[a] == values[b]) {
        run.iter().for_each(|&index| ranks[index] = before as f64 + (run.len() + 1) as f64 / 2.0);
        before += run.len();
    }
    ranks
}

/// The median, of an even number the mean of the two in the middle; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length.is_multiple_of(2) => Some(0.5 * (sorted[middle - 1] + sorted[middle])),
        _ => Some(sorted[middle]),
    }
}

/// Medians over replicas at several places, with what a bootstrap says of them.
#[derive(Clone, Debug)]
pub struct RankTrend {
    /// ρ̂, of the medians with the places.
    pub correlation: f64,
    /// At each place.
    pub medians: Vec<f64>,
    /// 95 % interval of each median, by percentiles of the bootstrap.
    pub median_intervals: Vec<[f64; 2]>,
    pairs: Pairs,
}

/// How sure the order of the medians is, pair by pair. Places are in ascending order of x here.
#[derive(Clone, Debug)]
struct Pairs {
    /// Ranks of x.
    rank: Vec<f64>,
    /// At (i, j), i < j: how many standard errors the median at j lies above that at i.
    rise: Vec<Vec<f64>>,
    /// By how many standard errors some median difference comes out above the true one, at the most of all pairs, draw by draw in ascending order.
    above: Vec<f64>,
    /// The same below.
    below: Vec<f64>,
}

/// Which of two orders a pair of medians has.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Rising,
    Falling,
}

impl RankTrend {
    /// Of `values[g][r]`, replica r at place g; `None` for a value that is missing. `seed` addresses the draws: the same input gives the same
    /// bits on any number of threads.
    ///
    /// # Errors
    /// In words, why there is no correlation with an interval.
    pub fn of(places: &[f64], values: &[Vec<Option<f64>>], seed: u64) -> Result<Self, String> {
        let replicas = values.first().map_or(0, Vec::len);
        if values.len() != places.len() || values.iter().any(|of_place| of_place.len() != replicas) {
            return Err("each place needs the values of all replicas".into());
        }
        let known: Vec<Vec<f64>> = values.iter().map(|of_place| of_place.iter().flatten().copied().collect()).collect();
        for (place, known) in places.iter().zip(&known) {
            if known.len() < FEWEST_REPLICAS || known.iter().any(|value| !value.is_finite()) {
                let found = known.len();
                return Err(format!(
                    "at {place} only {found} replicas have a value; at least {FEWEST_REPLICAS} are needed"
                ));
            }
            if known.iter().all(|value| *value == known[0]) {
                return Err(format!("at {place} the value is the same in all replicas, so its error is unknown"));
            }
        }
        let medians: Vec<f64> = known.iter().filter_map(|known| median(known)).collect();
        let correlation = spearman(places, &medians).ok_or("the places, or the medians, are all the same")?;
        let drawn: Vec<Vec<f64>> =
            (0..DRAWS).into_par_iter().map(|draw| drawn_medians(values, &medians, seed, draw)).collect();
        let interval = |place: usize| {
            let mut of_place: Vec<f64> = drawn.iter().map(|medians| medians[place]).collect();
            of_place.sort_by(f64::total_cmp);
            [quantile(&of_place, 0.025), quantile(&of_place, 0.975)]
        };
        let median_intervals = (0..places.len()).map(interval).collect();
        let pairs = Pairs::of(places, &medians, &drawn, known.iter().map(Vec::len).min().unwrap_or(replicas));
        Ok(Self { correlation, medians, median_intervals, pairs })
    }

    /// What the true ρ exceeds with at most probability 1 − `level`.
    pub fn upper(&self, level: f64) -> f64 {
        self.pairs.at_most(quantile(&self.pairs.below, level)).max(self.correlation)
    }

    /// What the true ρ is below with at most probability 1 − `level`.
    pub fn lower(&self, level: f64) -> f64 {
        self.pairs.at_least(quantile(&self.pairs.above, level)).min(self.correlation)
    }

    /// p-value against "the true ρ is below `threshold`", at least one in the number of draws.
    fn probability_below(&self, threshold: f64) -> f64 {
        let deviations = &self.pairs.above;
        let beyond = deviations.iter().filter(|deviation| self.pairs.at_least(**deviation) <= threshold).count();
        (beyond + 1) as f64 / (deviations.len() + 1) as f64
    }
}

impl Pairs {
    /// As the errors are themselves estimated, from `replicas`, deviations grow by Student's quantile over the normal one.
    fn of(places: &[f64], medians: &[f64], drawn: &[Vec<f64>], replicas: usize) -> Self {
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by(|&a, &b| places[a].total_cmp(&places[b]));
        let ranks = ranks(places);
        let tail = 0.5 * (1.0 + REJECTED_CONFIDENCE);
        let estimated = student_t_quantile(tail, (replicas - 1) as f64) / normal_quantile(tail);
        let mut rise = vec![vec![0.0; order.len()]; order.len()];
        let (mut above, mut below) = (vec![0.0f64; drawn.len()], vec![0.0f64; drawn.len()]);
        for (i, &low) in order.iter().enumerate() {
            for (j, &high) in order.iter().enumerate().skip(i + 1) {
                let measured = medians[high] - medians[low];
                let differences: Vec<f64> = drawn.iter().map(|medians| medians[high] - medians[low]).collect();
                let error = Estimate::from_replicas(&differences).map_or(0.0, |mean| mean.standard_error)
                    * (drawn.len() as f64).sqrt();
                rise[i][j] = match (measured == 0.0, error > 0.0) {
                    (true, _) => 0.0,
                    (_, true) => measured / error,
                    // An order that no draw changes by anything is sure.
                    _ => measured * f64::INFINITY,
                };
                if error > 0.0 {
                    for (draw, difference) in differences.iter().enumerate() {
                        let deviation = estimated * (difference - measured) / error;
                        above[draw] = above[draw].max(deviation);
                        below[draw] = below[draw].max(-deviation);
                    }
                }
            }
        }
        above.sort_by(f64::total_cmp);
        below.sort_by(f64::total_cmp);
        Self { rank: order.iter().map(|&place| ranks[place]).collect(), rise, above, below }
    }

    /// ρ at least, if no difference of medians comes out more than `most` standard errors above the true one.
    fn at_least(&self, most: f64) -> f64 {
        let all = self.count(|i, j| self.weight(i, j));
        let product = self.lowest() + all - self.granted(Order::Falling, most);
        // Below 0 the least spread of R gives the least ρ, above 0 the largest does.
        self.correlation(product, if product < 0.0 { most } else { 0.0 }).max(-1.0)
    }

    /// ρ at most, if no difference of medians comes out more than `most` standard errors below the true one.
    fn at_most(&self, most: f64) -> f64 {
        let product = self.lowest() + self.granted(Order::Rising, most);
        self.correlation(product, if product > 0.0 { most } else { 0.0 }).min(1.0)
    }

    /// By how much Σ xR is larger if the median at j is the larger one.
    fn weight(&self, i: usize, j: usize) -> f64 {
        self.rank[j] - self.rank[i]
    }

    fn count(&self, of: impl Fn(usize, usize) -> f64) -> f64 {
        (0..self.rank.len()).flat_map(|j| (0..j).map(move |i| (i, j))).map(|(i, j)| of(i, j)).sum()
    }

    /// Σ (x − x̄)(R − R̄) if all medians fall with x. Pairs of equal x count x, whatever their order.
    fn lowest(&self) -> f64 {
        let count = self.rank.len() as f64;
        let centre = 0.5 * (count + 1.0);
        self.rank.iter().sum::<f64>() + self.count(|i, _| self.rank[i]) - count * centre * centre
    }

    /// At most the weight of the pairs that have this order, if all do that are not surely in the other one, by `most` standard errors.
    fn granted(&self, order: Order, most: f64) -> f64 {
        let is_possible = |i: usize, j: usize| match order {
            Order::Rising => self.rise[i][j] >= -most,
            Order::Falling => self.rise[i][j] <= most,
        };
        let places = self.rank.len();
        // What a pair counts for that is not yet set off; nothing at equal x.
        let mut left = vec![vec![0.0; places]; places];
        for j in 0..places {
            for i in (0..j).filter(|&i| is_possible(i, j)) {
                left[i][j] = self.weight(i, j);
            }
        }
        let mut one_of_two = 0.0;
        for i in 0..places {
            for j in i + 1..places {
                for k in (j + 1..places).filter(|&k| !is_possible(i, k)) {
                    let either = left[i][j].min(left[j][k]);
                    left[i][j] -= either;
                    left[j][k] -= either;
                    one_of_two += either;
                }
            }
        }
        one_of_two + left.iter().flatten().sum::<f64>()
    }

    /// ρ from Σ (x − x̄)(R − R̄), where medians at equal x that lie within `equal` standard errors count as equal.
    fn correlation(&self, product: f64, equal: f64) -> f64 {
        let count = self.rank.len() as f64;
        let centre = 0.5 * (count + 1.0);
        let of_places: f64 = self.rank.iter().map(|rank| (rank - centre) * (rank - centre)).sum();
        // t equal ranks take (t³ − t)/12 off, a pair of them (t + 1)/6.
        let less = |i: usize, j: usize| {
            let is_tied = self.rank[i] == self.rank[j] && self.rise[i][j].abs() < equal;
            let alike = || self.rank.iter().filter(|rank| **rank == self.rank[i]).count();
            if is_tied { (alike() + 1) as f64 / 6.0 } else { 0.0 }
        };
        let of_medians = (count * count * count - count) / 12.0 - self.count(less);
        product / (of_places * of_medians).sqrt()
    }
}

/// The medians of R − 1 replicas drawn anew. Where none of those drawn has a value, the median stays.
fn drawn_medians(values: &[Vec<Option<f64>>], medians: &[f64], seed: u64, draw: u64) -> Vec<f64> {
    let replicas = values.first().map_or(0, Vec::len);
    let mut stream = Stream::new(seed, draw, Purpose::Bootstrap);
    let chosen: Vec<usize> = (1..replicas).map(|_| stream.below(replicas as u32) as usize).collect();
    let of_place = |(values, fallback): (&Vec<Option<f64>>, &f64)| {
        let drawn: Vec<f64> = chosen.iter().filter_map(|&replica| values[replica]).collect();
        median(&drawn).unwrap_or(*fallback)
    };
    values.iter().zip(medians).map(of_place).collect()
}

/// Of values in ascending order.
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let rank = (level * (sorted.len() + 1) as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// Judges "ρ of the true medians is below `threshold`", a number between −1 and 0.
///
/// HOLDS if the upper 95 % bound lies below the threshold, REJECTED if the lower 97.5 % bound lies above it, else UNDETERMINED: more replicas
/// narrow the interval, unless the medians are alike. A value that is missing, of `missing` replicas, bars either, for what is left is a selection.
///
/// The judgement's one contrast is ρ against −1, whose tolerance is threshold + 1. Its estimate has the standard error with which the 90 %
/// interval is as wide as that of the bootstrap; the interval itself need not be symmetric and stands in `holds_interval`.
pub fn judge_rank_trend(label: &str, trend: Result<&RankTrend, &str>, threshold: f64, missing: usize) -> Judgement {
    let contrast = |measured| Contrast {
        label: label.into(),
        predicted: -1.0,
        predicted_standard_error: 0.0,
        predicted_bound: 0.0,
        measured,
    };
    let of = |trend: &RankTrend, level: f64| [trend.lower(level), trend.upper(level)];
    let measured = trend.ok().map(|trend| {
        let [low, high] = of(trend, HOLDS_CONFIDENCE);
        Estimate::with_known_error(trend.correlation, 0.5 * (high - low) / normal_quantile(HOLDS_CONFIDENCE))
    });
    let from_minus_one = |[low, high]: [f64; 2]| [low + 1.0, high + 1.0];
    let judged = JudgedContrast {
        difference: measured.as_ref().map(|measured| measured.minus(&Estimate::exact(-1.0))),
        holds_interval: trend.ok().map(|trend| from_minus_one(of(trend, HOLDS_CONFIDENCE))),
        rejected_interval: trend.ok().map(|trend| from_minus_one(of(trend, REJECTED_CONFIDENCE))),
        contrast: contrast(measured),
    };
    let evidence = Evidence::without_equilibrium(0);
    let mut judgement = Judgement {
        verdict: Verdict::Undetermined,
        reason: String::new(),
        tolerance: threshold + 1.0,
        look: evidence.look,
        contrasts: vec![judged],
        rejection_p_value: None,
        effort: None,
    };
    match trend {
        Err(why) => judgement.reason = format!("{label} has no estimate: {why}"),
        Ok(trend) => {
            let bars = bars_to_any_verdict(&judgement, &evidence);
            if bars.is_empty() {
                decide(&mut judgement, label, trend, threshold);
            } else {
                judgement.reason = bars.join("; ");
            }
        }
    }
    if missing > 0 {
        judgement.bar_any_verdict(&format!("{missing} replica(s) have no value, and those left are a selection"));
    }
    judgement
}

fn decide(judgement: &mut Judgement, label: &str, trend: &RankTrend, threshold: f64) {
    let (lower, upper) = (trend.lower(REJECTED_CONFIDENCE), trend.upper(HOLDS_CONFIDENCE));
    let measured = format!("{label}: measured {:.4}", trend.correlation);
    judgement.rejection_p_value = Some(trend.probability_below(threshold));
    (judgement.verdict, judgement.reason) = if lower > threshold {
        (
            Verdict::Rejected,
            format!("{measured}; the true one is at least {lower:.4} (confidence 97.5 %), above {threshold}"),
        )
    } else if upper < threshold {
        (Verdict::Holds, format!("{measured}; the true one is at most {upper:.4} (confidence 95 %), below {threshold}"))
    } else {
        (
            Verdict::Undetermined,
            format!(
                "{measured}; the true one may be anything from {lower:.4} to {upper:.4}, which leaves {threshold} undecided; more replicas \
                 would narrow that"
            ),
        )
    };
}
