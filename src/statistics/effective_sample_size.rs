//! Effective sample size: how many independent draws a set of correlated chains is worth.

use super::series::{is_constant, mean, rank_normalised, split_chains, variance};

/// ESS for the mean, of chains × draws, from the split chains (ArviZ `ess(method="mean")`).
///
/// τ = −1 + 2Σρ̂_t + the last even term, with ρ̂_t = 1 − (W − mean autocov_t)/var⁺ over Geyer's initial positive, monotone
/// sequence of pairs; ESS = S/τ for S draws in all, τ at least 1/log₁₀S. As ArviZ, a constant series counts as S draws.
///
/// `None` for no chains, fewer than 4 draws, unequal lengths or values that are not finite.
///
/// Source: Vehtari et al., Bayesian Analysis 16 (2021), eqs. (10)–(13); Geyer, Statistical Science 7 (1992).
pub fn mean_effective_sample_size<C: AsRef<[f64]>>(chains: &[C]) -> Option<f64> {
    effective_sample_size(&split_chains(chains)?)
}

/// ESS of the bulk: of the rank-normalised split chains (ArviZ `ess(method="bulk")`). `None` as for the mean.
pub fn bulk_effective_sample_size<C: AsRef<[f64]>>(chains: &[C]) -> Option<f64> {
    effective_sample_size(&rank_normalised(&split_chains(chains)?))
}

/// ESS of chains that are split (and normalised) already.
fn effective_sample_size(chains: &[Vec<f64>]) -> Option<f64> {
    let draws = chains.first()?.len();
    let total = (chains.len() * draws) as f64;
    if is_constant(chains) {
        return Some(total);
    }
    let count = draws as f64;
    let means: Vec<f64> = chains.iter().map(|chain| mean(chain)).collect();
    let centred: Vec<Vec<f64>> =
        chains.iter().zip(&means).map(|(chain, m)| chain.iter().map(|value| value - m).collect()).collect();
    // A few lags at a time and only as far as the sum goes, which is a small multiple of the correlation time.
    let mut known: Vec<f64> = Vec::new();
    let mut autocovariance = |lag: usize| -> f64 {
        while known.len() <= lag {
            let mut sums = [0.0; LAGS];
            for chain in &centred {
                let products = products_at_lags(chain, known.len());
                sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product / count);
            }
            known.extend(sums.map(|sum| sum / centred.len() as f64));
        }
        known[lag]
    };
    let within = autocovariance(0) * count / (count - 1.0);
    let pooled = within * (count - 1.0) / count + variance(&means);
    let mut correlation = |lag: usize| 1.0 - (within - autocovariance(lag)) / pooled;

    // Geyer's initial positive sequence: pairs (even, odd) while their sum is positive.
    let mut correlations = vec![0.0; draws];
    let (mut even, mut odd) = (1.0, correlation(1));
    correlations[0] = even;
    correlations[1] = odd;
    let mut lag = 1;
    while lag + 3 < draws && even + odd > 0.0 {
        even = correlation(lag + 1);
        odd = correlation(lag + 2);
        if even + odd >= 0.0 {
            correlations[lag + 1] = even;
            correlations[lag + 2] = odd;
        }
        lag += 2;
    }
    // The number of terms in full pairs; the even term that follows them counts once if it is positive.
    let terms = lag - 1;
    if even > 0.0 {
        correlations[terms] = even;
    }
    // Geyer's initial monotone sequence: no pair may exceed the one before it.
    let mut t = 1;
    while t + 3 <= terms {
        let before = correlations[t - 1] + correlations[t];
        if correlations[t + 1] + correlations[t + 2] > before {
            correlations[t + 1] = 0.5 * before;
            correlations[t + 2] = correlations[t + 1];
        }
        t += 2;
    }
    let time = -1.0 + 2.0 * correlations[..terms].iter().sum::<f64>() + correlations[terms];
    Some(total / time.max(1.0 / libm::log10(total)))
}

/// So many lags are summed side by side: one sum alone waits for its own additions.
const LAGS: usize = 8;

/// Σ_t x_t x_{t+lag} for `LAGS` lags from `first` on; 0 for those beyond the end. Each is summed in the order of t.
fn products_at_lags(chain: &[f64], first: usize) -> [f64; LAGS] {
    let mut sums = [0.0; LAGS];
    let later = chain.get(first..).unwrap_or_default();
    let windows = later.windows(LAGS);
    let whole = windows.len();
    for (value, window) in chain.iter().zip(windows) {
        for (sum, other) in sums.iter_mut().zip(window) {
            *sum += value * other;
        }
    }
    for (t, value) in chain.iter().enumerate().take(later.len()).skip(whole) {
        for (sum, other) in sums.iter_mut().zip(&later[t..]) {
            *sum += value * other;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_one_lag_at_a_time() {
        let chain: Vec<f64> = (0..21).map(|t| f64::from(t * t % 13) - 5.7).collect();
        for first in [0, 3, 8, 14, 16, 20, 24] {
            for (place, sum) in products_at_lags(&chain, first).into_iter().enumerate() {
                let later = chain.get(first + place..).unwrap_or_default();
                assert_eq!(sum, chain.iter().zip(later).map(|(a, b)| a * b).sum::<f64>(), "{first} + {place}");
            }
        }
    }

    #[test]
    fn degenerate_series() {
        assert_eq!(mean_effective_sample_size(&[vec![2.0; 10], vec![2.0; 10]]), Some(20.0));
        assert_eq!(mean_effective_sample_size::<Vec<f64>>(&[]), None);
        assert_eq!(mean_effective_sample_size(&[vec![1.0, 2.0, 3.0]]), None);
        assert_eq!(bulk_effective_sample_size(&[vec![1.0, 2.0, 3.0, f64::INFINITY]]), None);
        assert_eq!(bulk_effective_sample_size(&[vec![1.0, 2.0, 3.0, 4.0], vec![1.0; 5]]), None);
        // Frozen chains that disagree: every split chain is one draw's worth at most.
        let frozen = [vec![1.0; 100], vec![0.0; 100]];
        assert!(mean_effective_sample_size(&frozen).unwrap() < 6.0);
    }

    #[test]
    fn an_alternating_chain_is_capped() {
        let chain: Vec<f64> = (0..100).map(|t| f64::from(t % 2)).collect();
        let value = mean_effective_sample_size(&[chain]).unwrap();
        assert!((value - 100.0 * 2.0).abs() < 1e-9, "S log10 S, {value}");
    }
}
