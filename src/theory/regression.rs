//! The stationary covariance of linear regression under minibatch SGD, whose noise depends on θ and is still known exactly.
//!
//! # The covariance of the gradient
//!
//! ℓ(θ) = ½(x·θ − y)², y = x·θ* + ε, E ε = 0, Var ε = s², ε independent of x, E xxᵀ = H. With u = θ − θ* the gradient of an example is
//! g = xxᵀu − εx, its mean Hu, and its covariance
//!
//! C(u) = ⟨xxᵀuuᵀxxᵀ⟩ − HuuᵀH + s²H.
//!
//! For x ~ N(0, H) the fourth moment is (Isserlis) ⟨x_a x_b x_c x_d⟩ = H_ab H_cd + H_ac H_bd + H_ad H_bc, so that
//! ⟨xxᵀuuᵀxxᵀ⟩ = H·uᵀHu + 2HuuᵀH, and with E u = 0, E uuᵀ = Σ
//!
//! **E C = H tr(HΣ) + HΣH + s²H.**
//!
//! # Stationarity
//!
//! A step is u ← (I − ηH)u − η·noise, Cov(noise) = C(u)/S given u. Taking the second moment of both sides,
//!
//! HΣ + ΣH − ηHΣH = (η/S)·E C.
//!
//! With E C = s²H, the noise of the labels alone, it is the equation of additive noise. It falls short of the whole one by terms of relative order
//! ηh/S and η tr H/(2S), and so fails for small batches at learning rates of order one.
//!
//! The whole equation is solved in the eigenbasis of H, where Σ = diag(σᵢ), τ = tr(HΣ) = Σ hᵢσᵢ:
//!
//! 2hᵢσᵢ − ηhᵢ²σᵢ = (η/S)(hᵢτ + hᵢ²σᵢ + s²hᵢ), thus **σᵢ = (η/S)(τ + s²)/(2 − ηhᵢ(1 + 1/S)),  τ = s²κ/(1 − κ)**,
//! κ = (η/S) Σ hᵢ/(2 − ηhᵢ(1 + 1/S)).
//!
//! A stationary covariance exists iff every ηhᵢ(1 + 1/S) < 2 and κ < 1. Source: Ziyin, Liu, Mori & Ueda 2022, arXiv:2102.05375, whose
//! C = (1/S)(AΣA + tr(AΣ)A + σ²A) is the covariance of the batch gradient, A standing for H and σ for s.
//!
//! For a given set of N examples the same holds with its own moments, uₖ counted from its least-squares solution: see [`of_examples`].

use nalgebra::{Cholesky, DMatrix, DVector, SymmetricEigen};

use super::ornstein_uhlenbeck::stationary_covariance;

/// η and S.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batches {
    /// η.
    pub learning_rate: f64,
    /// S.
    pub size: f64,
    /// 1 with replacement or for fresh examples, (N−S)/(N−1) for fresh subsets ([`super::minibatch::finite_population`]).
    pub factor: f64,
}

impl Batches {
    /// Batches of S with learning rate η, drawn with replacement or each of new examples.
    pub fn independent(learning_rate: f64, size: usize) -> Self {
        Self { learning_rate, size: size as f64, factor: 1.0 }
    }

    /// Of the covariance of an example's gradient what a batch has.
    fn share(&self) -> f64 {
        self.factor / self.size
    }
}

/// The equation of additive noise: HΣ + ΣH − ηHΣH = (η/S)s²H. `None` unless 0 < ηh < 2 for every curvature.
pub fn of_label_noise(hessian: &DMatrix<f64>, variance: f64, batches: &Batches) -> Option<DMatrix<f64>> {
    let rate = batches.learning_rate;
    stationary_covariance(hessian, &(hessian * variance), rate * batches.share(), rate)
}

/// The whole equation for x ~ N(0, H) and label noise of variance s²; `None` where no stationary covariance exists.
pub fn of_normal_features(hessian: &DMatrix<f64>, variance: f64, batches: &Batches) -> Option<DMatrix<f64>> {
    let eigen = SymmetricEigen::new(hessian.clone());
    let (rate, share) = (batches.learning_rate, batches.share());
    let left = eigen.eigenvalues.map(|h| 2.0 - rate * h * (1.0 + share));
    let kappa: f64 = eigen.eigenvalues.iter().zip(&left).map(|(h, left)| rate * share * h / left).sum();
    if left.iter().zip(&eigen.eigenvalues).any(|(&left, &h)| !(left > 0.0 && h > 0.0)) || !(kappa < 1.0) {
        return None;
    }
    let level = variance / (1.0 - kappa);
    let solved = DMatrix::from_diagonal(&left.map(|left| rate * share * level / left));
    Some(&eigen.eigenvectors * solved * eigen.eigenvectors.transpose())
}

/// The covariance for a given set of examples with features xᵢ and residuals eᵢ = yᵢ − xᵢ·θ̂ at the least-squares solution θ̂, about which it is
/// taken; fresh batches of any size, exact. `None` where no stationary covariance exists.
///
/// With H = mean of xxᵀ and means over the examples, E C = ⟨xxᵀΣxxᵀ⟩ − HΣH + ⟨e²xxᵀ⟩: the mixed term −⟨e xxᵀu xᵀ⟩ and its transpose are
/// linear in u, whose mean is 0, since the mean of a step is (I − ηH)u. The equation is linear in the d² entries of Σ and solved as it
/// stands; Σ is positive definite iff the second moments converge (the map is positive, and its inhomogeneous part is of full rank).
pub fn of_examples<'e>(
    examples: impl Iterator<Item = (&'e [f64], f64)> + Clone,
    batches: &Batches,
) -> Option<DMatrix<f64>> {
    let d = examples.clone().next()?.0.len();
    let (rate, share) = (batches.learning_rate, batches.share());
    let mut count = 0.0;
    let (mut hessian, mut residual) = (DMatrix::<f64>::zeros(d, d), DMatrix::<f64>::zeros(d, d));
    let mut fourth = DMatrix::<f64>::zeros(d * d, d * d);
    for (x, e) in examples {
        count += 1.0;
        let square = DMatrix::from_fn(d, d, |i, j| x[i] * x[j]);
        for (row, left) in square.iter().enumerate() {
            for (column, right) in square.iter().enumerate() {
                fourth[(row, column)] += left * right;
            }
        }
        residual += &square * (e * e);
        hessian += square;
    }
    hessian /= count;
    residual /= count;
    fourth /= count;
    let contraction = DMatrix::identity(d, d) - &hessian * rate;
    // Entry (i, j) of MΣM, as a linear function of entry (k, l) of Σ, is M_ik M_jl.
    let twice = |matrix: &DMatrix<f64>| {
        DMatrix::from_fn(d * d, d * d, |row, column| matrix[(row % d, column % d)] * matrix[(row / d, column / d)])
    };
    let noise = (fourth - twice(&hessian)) * (rate * rate * share);
    let equation = DMatrix::identity(d * d, d * d) - twice(&contraction) - noise;
    let source = DVector::from_iterator(d * d, residual.iter().map(|entry| rate * rate * share * entry));
    let solved = equation.lu().solve(&source)?;
    let covariance = DMatrix::from_fn(d, d, |i, j| 0.5 * (solved[i + j * d] + solved[j + i * d]));
    Cholesky::new(covariance.clone()).is_some().then_some(covariance)
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;

    use super::*;

    /// The closed form solves the equation it comes from, and that of labels alone is its limit for small η/S.
    #[test]
    fn the_closed_form_solves_its_equation() {
        let h = dmatrix![1.0, 0.3; 0.3, 0.5];
        for (rate, size) in [(0.5, 1), (0.8, 3), (0.01, 1), (0.3, 64)] {
            let batches = Batches::independent(rate, size);
            let sigma = of_normal_features(&h, 0.25, &batches).unwrap();
            let noise = &h * ((&h * &sigma).trace() + 0.25) + &h * &sigma * &h;
            let miss = &h * &sigma + &sigma * &h - &h * &sigma * &h * rate - noise * (rate / size as f64);
            assert!(miss.abs().max() < 1e-14, "{miss}");
            let plain = of_label_noise(&h, 0.25, &batches).unwrap();
            let gap = (&sigma - &plain).norm() / plain.norm();
            assert!(gap > 0.3 * rate / size as f64, "{gap}");
            assert!(rate / size as f64 > 0.02 || gap < 2.0 * rate / size as f64, "{gap}");
        }
        // κ ≥ 1: the second moment grows without end although ηh < 2.
        assert_eq!(of_normal_features(&dmatrix![1.0], 1.0, &Batches::independent(0.7, 1)), None);
        assert!(of_normal_features(&dmatrix![1.0], 1.0, &Batches::independent(0.66, 1)).is_some());
        assert!(of_label_noise(&dmatrix![1.0], 1.0, &Batches::independent(1.9, 1)).is_some());
    }

    /// Features whose fourth moments are those of two independent normals (three-point Gauss–Hermite) and labels of two signs: then the equation of
    /// examples is that of normal features.
    #[test]
    fn examples_with_normal_moments_have_the_normal_solution() {
        // Nodes 0, ±√3 with weights 4/6, 1/6, 1/6 have the moments of a normal up to the fifth: six equally likely places.
        let root = 3.0f64.sqrt();
        let places = [0.0, 0.0, 0.0, 0.0, root, -root];
        let mut examples = Vec::new();
        for a in places {
            for b in places {
                for e in [0.5, -0.5] {
                    examples.push(([a + 0.3 * b, 0.8 * b], e));
                }
            }
        }
        let h = dmatrix![1.09, 0.24; 0.24, 0.64];
        for batches in [Batches::independent(0.3, 1), Batches { learning_rate: 0.4, size: 3.0, factor: 0.8 }] {
            let pairs = examples.iter().map(|(x, e)| (x.as_slice(), *e));
            let found = of_examples(pairs, &batches).unwrap();
            let expected = of_normal_features(&h, 0.25, &batches).unwrap();
            assert!((found - expected).abs().max() < 1e-13);
        }
        let pairs = examples.iter().map(|(x, e)| (x.as_slice(), *e));
        assert_eq!(of_examples(pairs, &Batches::independent(0.9, 1)), None);
    }
}
