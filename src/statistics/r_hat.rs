//! R̂: do chains agree with one another, and do groups of chains that started apart agree?

use super::series::{folded, is_constant, mean, rank_normalised, split_chains, variance};

/// Rank-normalised split R̂ of chains × draws, as in posterior and ArviZ (`rhat(method="rank")`).
///
/// The larger of R̂(z(x)) and R̂(z(|x − median|)), with R̂ = √((B/W + N − 1)/N), B = N·var(chain means),
/// W = mean chain variance, over the halves of the chains of N draws each. Chains that are constant but differ give ∞.
///
/// `None` for fewer than 2 chains or 4 draws, chains of unequal length, values that are not finite, and for one constant
/// value throughout, about which R̂ says nothing. A constant *folded* series (a half/half indicator) is left out alone.
///
/// Source: Vehtari et al., Bayesian Analysis 16 (2021), eqs. (1)–(4), (14).
pub fn rank_normalised_split_r_hat<C: AsRef<[f64]>>(chains: &[C]) -> Option<f64> {
    if chains.len() < 2 {
        return None;
    }
    let split = split_chains(chains)?;
    let of_ranks = |chains: &[Vec<f64>]| basic_r_hat(&rank_normalised(chains));
    // Two sorts of all draws: side by side, where there are threads for it.
    match rayon::join(|| of_ranks(&split), || of_ranks(&folded(&split))) {
        (Some(bulk), Some(tail)) => Some(bulk.max(tail)),
        (one, other) => one.or(other),
    }
}

/// √((B/W + N − 1)/N); `None` if all values are equal, where it would be 0/0.
fn basic_r_hat(chains: &[Vec<f64>]) -> Option<f64> {
    if is_constant(chains) {
        return None;
    }
    let draws = chains.first()?.len() as f64;
    let means: Vec<f64> = chains.iter().map(|chain| mean(chain)).collect();
    let variances: Vec<f64> = chains.iter().map(|chain| variance(chain)).collect();
    let within = mean(&variances);
    if within == 0.0 {
        return Some(f64::INFINITY);
    }
    Some(((draws * variance(&means) / within + draws - 1.0) / draws).sqrt())
}

/// Nested R̂ = √(1 + B/W) over superchains: groups of chains that share their start.
///
/// B is the variance of the superchain means; W the mean over superchains of (variance of the chain means within +
/// mean variance within a chain), all with divisor n − 1 (a superchain of one chain has no variance of means). It goes to
/// 1 when every superchain forgets its start, even if single chains are far too short for ordinary R̂.
///
/// `group[c]` numbers the superchain of chain c. ∞ if nothing varies within the superchains but they differ.
/// `None` for fewer than 2 superchains, unequal lengths, fewer than 2 draws, values that are not finite, or one constant
/// value throughout.
///
/// Source: Margossian, Hoffman, Sountsov, Riou-Durand, Vehtari, Gelman, "Nested R̂: assessing the convergence of Markov
/// chain Monte Carlo when running many short chains", Bayesian Analysis (2024).
pub fn nested_r_hat<C: AsRef<[f64]>>(chains: &[C], group: &[usize]) -> Option<f64> {
    let draws = chains.first()?.as_ref().len();
    let valid = |chain: &C| chain.as_ref().len() == draws && chain.as_ref().iter().all(|value| value.is_finite());
    if group.len() != chains.len() || draws < 2 || !chains.iter().all(valid) || is_constant(chains) {
        return None;
    }
    let mut labels = group.to_vec();
    labels.sort_unstable();
    labels.dedup();
    if labels.len() < 2 {
        return None;
    }
    let mut superchain_means = Vec::with_capacity(labels.len());
    let mut superchain_variances = Vec::with_capacity(labels.len());
    for label in labels {
        let members = || chains.iter().zip(group).filter(|(_, g)| **g == label).map(|(chain, _)| chain.as_ref());
        let means: Vec<f64> = members().map(mean).collect();
        let within: Vec<f64> = members().map(variance).collect();
        superchain_means.push(mean(&means));
        superchain_variances.push(variance(&means) + mean(&within));
    }
    let within = mean(&superchain_variances);
    if within == 0.0 {
        return Some(f64::INFINITY);
    }
    Some((1.0 + variance(&superchain_means) / within).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_r_hat_by_hand() {
        // Superchain 0: chains (0, 2), (2, 4): means 1, 3, variances 2, 2: mean 2, W = 2 + 2 = 4.
        // Superchain 1: chains (5, 5), (7, 9): means 5, 8, variances 0, 2: mean 6.5, W = 4.5 + 1 = 5.5.
        // B = (6.5 − 2)²/2 = 10.125, W = 4.75.
        let chains = [vec![0.0, 2.0], vec![5.0, 5.0], vec![2.0, 4.0], vec![7.0, 9.0]];
        let value = nested_r_hat(&chains, &[0, 1, 0, 1]).unwrap();
        assert!((value - (1.0_f64 + 10.125 / 4.75).sqrt()).abs() < 1e-14);
    }

    #[test]
    fn degenerate_cases_are_explicit() {
        let frozen = [vec![1.0; 8], vec![1.0; 8], vec![0.0; 8], vec![0.0; 8]];
        assert_eq!(nested_r_hat(&frozen, &[0, 0, 1, 1]), Some(f64::INFINITY));
        assert_eq!(rank_normalised_split_r_hat(&frozen), Some(f64::INFINITY));
        let constant = [vec![1.0; 8], vec![1.0; 8]];
        assert_eq!(nested_r_hat(&constant, &[0, 1]), None);
        assert_eq!(rank_normalised_split_r_hat(&constant), None);
        assert_eq!(nested_r_hat(&frozen, &[0, 0, 0, 0]), None);
        assert_eq!(nested_r_hat(&frozen, &[0, 1]), None);
        assert_eq!(rank_normalised_split_r_hat(&[vec![0.0, 1.0, 2.0, 3.0]]), None);
        assert_eq!(rank_normalised_split_r_hat(&[vec![0.0, 1.0, 2.0], vec![0.0, 1.0, 3.0]]), None);
        assert_eq!(rank_normalised_split_r_hat(&[vec![0.0, 1.0, 2.0, f64::NAN], vec![0.0, 1.0, 3.0, 1.0]]), None);
    }

    #[test]
    fn a_half_and_half_indicator_has_a_bulk_r_hat() {
        let chains = [vec![0.0, 1.0, 0.0, 1.0], vec![1.0, 0.0, 1.0, 0.0]];
        let value = rank_normalised_split_r_hat(&chains).unwrap();
        // B = 0, N = 2: √(1/2).
        assert!((value - 0.5_f64.sqrt()).abs() < 1e-15);
    }
}
