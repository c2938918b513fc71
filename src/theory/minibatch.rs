//! What minibatches add to the theory of additive noise: the covariance of a batch of different examples, and the bowl under shuffled epochs
//! and under momentum. All exact where the examples differ by tilts, ∇ℓᵢ = ∇L + ξᵢ, and the bowl is quadratic.
//!
//! With C the covariance of ξ (divisor N), the mean m of a random subset of S has E mmᵀ = C/S · (N−S)/(N−1), since Σξᵢ = 0 makes
//! E ξᵢξⱼᵀ = −C/(N−1) for any two different examples. With replacement it is C/S.

use nalgebra::{DMatrix, SymmetricEigen};

/// (N−S)/(N−1): by what C/S is multiplied where a batch holds different examples. 1 for S = 1, 0 for S = N.
pub fn finite_population(examples: usize, batch: usize) -> f64 {
    if examples <= 1 { 0.0 } else { (examples - batch) as f64 / (examples - 1) as f64 }
}

/// The covariance of θ in a bowl under SGD with shuffled epochs, averaged over the steps of an epoch; `None` unless 0 < ηh < 2 for every
/// curvature h.
///
/// An epoch is K = ⌊N/S⌋ steps θ ← Rθ − ηmₖ, R = I − ηH, whose batch means are those of a random order of the examples:
///
/// E mₖmₖᵀ = aC, a = (N−S)/(S(N−1)),  E mⱼmₖᵀ = −C/(N−1) for j ≠ k.
///
/// θ at the start of an epoch knows nothing of its order. So, in the eigenbasis of H with rᵢ = 1 − ηhᵢ, after j steps
///
/// Vⱼ = (rᵢrⱼ)ʲV₀ + η²Cᵢⱼ((a + 1/(N−1)) Σₖ(rᵢrⱼ)ᵏ − (Σₖrᵢᵏ)(Σₖrⱼᵏ)/(N−1)), sums over k = 0 … j−1,
///
/// with V₀ = V_K. Where S divides N and K steps relax the bowl by little (Kηh ≪ 1) the order cancels the noise of an epoch against itself,
/// since its batch means add up to 0. Batches drawn afresh have aC alone.
pub fn epoch_covariance(
    hessian: &DMatrix<f64>,
    covariance: &DMatrix<f64>,
    learning_rate: f64,
    examples: usize,
    batch: usize,
) -> Option<DMatrix<f64>> {
    let eigen = SymmetricEigen::new(hessian.clone());
    let h = &eigen.eigenvalues;
    if h.iter().any(|&h| !(h > 0.0 && learning_rate * h < 2.0)) || !(1..=examples).contains(&batch) {
        return None;
    }
    let rotated = eigen.eigenvectors.transpose() * covariance * &eigen.eigenvectors;
    let gain = |i: usize, j: usize| {
        epoch_gain([1.0 - learning_rate * h[i], 1.0 - learning_rate * h[j]], learning_rate, examples, batch)
    };
    let solved = DMatrix::from_fn(h.len(), h.len(), |i, j| rotated[(i, j)] * gain(i, j));
    Some(&eigen.eigenvectors * solved * eigen.eigenvectors.transpose())
}

/// The mean of Vⱼ/C over an epoch, for the two contractions of a pair of axes.
fn epoch_gain([r, s]: [f64; 2], learning_rate: f64, examples: usize, batch: usize) -> f64 {
    let others = if examples > 1 { 1.0 / (examples - 1) as f64 } else { 0.0 };
    let own = finite_population(examples, batch) / batch as f64;
    let steps = examples / batch;
    // Of the noise since the epoch began, and of what was there then.
    let (mut noise, mut kept) = (0.0, 1.0);
    let (mut squares, mut first, mut second) = (0.0, 0.0, 0.0);
    let (mut noise_in_all, mut kept_in_all) = (0.0, 0.0);
    for _ in 0..steps {
        (squares, first, second) = (1.0 + r * s * squares, 1.0 + r * first, 1.0 + s * second);
        noise = (own + others) * squares - others * first * second;
        kept *= r * s;
        noise_in_all += noise;
        kept_in_all += kept;
    }
    let at_the_start = noise / (1.0 - kept);
    learning_rate * learning_rate * (noise_in_all + kept_in_all * at_the_start) / steps as f64
}

/// The variance of θ in a bowl of curvature h under heavy-ball momentum with independent noise of variance c/S a step; `None` unless it is
/// stable, 0 < ηh < 2(1 + μ).
///
/// θₖ₊₁ = (1 + μ − ηh)θₖ − μθₖ₋₁ − ηmₖ is autoregressive of second order, whose variance (Box & Jenkins 1970, §3.2.4) is
///
/// η²(c/S)(1 + μ) / ((1 − μ)·ηh·(2(1 + μ) − ηh)).
///
/// For η → 0 it is nc/(2h) with n = η/((1 − μ)S).
pub fn momentum_variance(curvature: f64, variance: f64, learning_rate: f64, momentum: f64, batch: f64) -> Option<f64> {
    let (z, m) = (learning_rate * curvature, momentum);
    if !(z > 0.0 && z < 2.0 * (1.0 + m) && (0.0..1.0).contains(&m)) {
        return None;
    }
    Some(learning_rate * learning_rate * variance / batch * (1.0 + m) / ((1.0 - m) * z * (2.0 * (1.0 + m) - z)))
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;

    use super::*;
    use crate::theory::ornstein_uhlenbeck::stationary_covariance;

    /// One step an epoch is a batch of S > N/2 drawn afresh.
    #[test]
    fn an_epoch_of_one_step_is_a_fresh_subset() {
        let (hessian, covariance) = (dmatrix![2.0, 0.5; 0.5, 1.0], dmatrix![1.0, -0.2; -0.2, 0.7]);
        let fresh = stationary_covariance(&hessian, &(&covariance * finite_population(10, 6)), 0.1 / 6.0, 0.1).unwrap();
        let epochs = epoch_covariance(&hessian, &covariance, 0.1, 10, 6).unwrap();
        assert!((fresh - epochs).abs().max() < 1e-15);
    }

    /// All orders of four examples, one at a time: the recursion followed over its 24 epochs by brute force.
    #[test]
    fn an_epoch_of_four_steps_by_all_its_orders() {
        let xi = [1.0, 2.0, -4.0, 1.0];
        let c: f64 = xi.iter().map(|x| x * x).sum::<f64>() / 4.0;
        let (rate, h) = (0.3, 1.7);
        let r = 1.0 - rate * h;
        let mut orders = Vec::new();
        for code in 0..256usize {
            let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
            if (0..4).all(|example| order.contains(&example)) {
                orders.push(order);
            }
        }
        assert_eq!(orders.len(), 24);
        // E (−η Σ rᵏm)² after j steps, over all orders.
        let noise: Vec<f64> = (1..=4)
            .map(|steps| {
                let square = |order: &[usize; 4]| {
                    let end = order[..steps].iter().fold(0.0, |theta, &example| r * theta - rate * xi[example]);
                    end * end
                };
                orders.iter().map(square).sum::<f64>() / 24.0
            })
            .collect();
        let start = noise[3] / (1.0 - r.powi(8));
        let mean = (0..4).map(|j| r.powi(2 * (j as i32 + 1)) * start + noise[j]).sum::<f64>() / 4.0;
        let found = epoch_covariance(&dmatrix![h], &dmatrix![c], rate, 4, 1).unwrap()[(0, 0)];
        assert!((found / mean - 1.0).abs() < 1e-13, "{found} {mean}");
    }

    #[test]
    fn without_momentum_it_is_the_bowl_of_sgd() {
        let plain = 0.1 * 3.0 / 4.0 / (2.0 * 2.0 * (1.0 - 0.1 * 2.0 / 2.0));
        assert!((momentum_variance(2.0, 3.0, 0.1, 0.0, 4.0).unwrap() / plain - 1.0).abs() < 1e-14);
        assert_eq!(momentum_variance(2.0, 3.0, 2.0, 0.9, 4.0), None);
    }
}
