//! What R̂ and ESS share: splitting chains, average ranks, rank normalisation.

use super::estimate::mean_and_variance;
use super::special::normal_quantile;

/// The least number of draws per chain that can be split into halves with a variance each (as ArviZ).
pub(super) const FEWEST_DRAWS: usize = 4;

/// ArviZ's threshold below which the range of a series counts as constant: NumPy's `finfo(float).resolution`.
const RESOLUTION: f64 = 1e-15;

/// The first and the last half of each chain as chains of their own (an odd draw in the middle is left out).
///
/// `None` for no chains, chains of unequal length, fewer than 4 draws, or a value that is not finite.
pub(super) fn split_chains<C: AsRef<[f64]>>(chains: &[C]) -> Option<Vec<Vec<f64>>> {
    let draws = chains.first()?.as_ref().len();
    let valid = |chain: &C| chain.as_ref().len() == draws && chain.as_ref().iter().all(|value| value.is_finite());
    if draws < FEWEST_DRAWS || !chains.iter().all(valid) {
        return None;
    }
    let half = draws / 2;
    // All first halves, then all last halves: the order in which ArviZ stacks them.
    let first = chains.iter().map(|chain| chain.as_ref()[..half].to_vec());
    let last = chains.iter().map(|chain| chain.as_ref()[draws - half..].to_vec());
    Some(first.chain(last).collect())
}

/// True if all values of all chains agree to within 1e−15.
pub(super) fn is_constant<C: AsRef<[f64]>>(chains: &[C]) -> bool {
    let values = || chains.iter().flat_map(|chain| chain.as_ref().iter().copied());
    let highest = values().fold(f64::NEG_INFINITY, f64::max);
    let lowest = values().fold(f64::INFINITY, f64::min);
    highest - lowest < RESOLUTION || highest < lowest
}

/// Each value replaced by z = Φ⁻¹((r − 3/8)/(S + 1/4)), with r its average rank among all S values (ties share).
///
/// Source: Vehtari, Gelman, Simpson, Carpenter, Bürkner, "Rank-normalization, folding, and localization: an improved R̂",
/// Bayesian Analysis 16 (2021), eq. (14).
pub(super) fn rank_normalised(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let draws = chains.first().map_or(0, Vec::len);
    let mut order: Vec<(f64, usize)> =
        chains.iter().flatten().copied().enumerate().map(|(place, value)| (value, place)).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total = order.len();
    let mut normalised = vec![0.0; total];
    let mut start = 0;
    while start < total {
        let mut end = start + 1;
        // == and not total_cmp: −0 and +0 are a tie.
        while end < total && order[end].0 == order[start].0 {
            end += 1;
        }
        let average_rank = 0.5 * (start + 1 + end) as f64;
        let z = normal_quantile((average_rank - 0.375) / (total as f64 + 0.25));
        for &(_, place) in &order[start..end] {
            normalised[place] = z;
        }
        start = end;
    }
    normalised.chunks(draws.max(1)).map(<[f64]>::to_vec).collect()
}

/// |x − median of all values|, chain by chain.
pub(super) fn folded(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut values: Vec<f64> = chains.iter().flatten().copied().collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let median = if values.is_empty() {
        0.0
    } else if values.len().is_multiple_of(2) {
        0.5 * (values[middle - 1] + values[middle])
    } else {
        values[middle]
    };
    chains.iter().map(|chain| chain.iter().map(|value| (value - median).abs()).collect()).collect()
}

/// The mean of a series; 0 for an empty one.
pub(super) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The unbiased variance of a series (divisor n − 1); 0 for fewer than two values.
pub(super) fn variance(values: &[f64]) -> f64 {
    mean_and_variance(values).map_or(0.0, |(_, variance)| variance)
}
