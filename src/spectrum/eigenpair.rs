//! Eigenvalues with their vectors, and how far off they can be.

use nalgebra::DMatrix;

use super::lanczos::Which;
use super::operator::Measured;
use super::tridiagonal::symmetric_eigen;
use super::vector::{add_scaled, divide, dot, norm};
use super::{SpectrumError, SymmetricOperator};

/// An approximate eigenvalue λ̂ with a unit vector v̂.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigenpair {
    /// λ̂ = v̂ᵀAv̂.
    pub value: f64,
    /// v̂ ∈ ℝᵈ, ‖v̂‖ = 1; the first of its largest coordinates is positive.
    pub vector: Vec<f64>,
    /// ‖Av̂ − λ̂v̂‖ by a product made for it. Some eigenvalue λ of A obeys |λ − λ̂| ≤ residual, whatever else is true of A, but for the
    /// rounding of the product itself (some √d·ε·‖A‖).
    ///
    /// Source: Parlett, *The Symmetric Eigenvalue Problem* (1998), theorem 4.5.1.
    pub residual: f64,
    /// The distance from λ̂ to the rest of the spectrum as far as it was found (to the next eigenvalue looked at, minus its residual),
    /// where that is known and positive.
    pub gap: Option<f64>,
}

impl Eigenpair {
    /// A bound of |λ − λ̂| that is usually far smaller: min(residual, residual²/gap).
    ///
    /// It presumes that no eigenvalue between this one and the next was overlooked. Source: Kato 1949 and Temple 1933, in Parlett,
    /// theorem 11.7.1.
    pub fn gap_bound(&self) -> f64 {
        let quadratic = self.gap.map_or(f64::INFINITY, |gap| self.residual * (self.residual / gap));
        quadratic.min(self.residual)
    }

    /// A bound of sin ∠(v, v̂) to the eigenvector: residual/gap, at most 1, under the premise of [`Eigenpair::gap_bound`].
    ///
    /// Source: Davis & Kahan, SIAM J. Numer. Anal. 7 (1970), 1–46.
    pub fn angle_bound(&self) -> f64 {
        self.gap.map_or(1.0, |gap| (self.residual / gap).min(1.0))
    }
}

/// Eigenpairs at an end of the spectrum.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigenpairs {
    /// The best first: largest, smallest, or largest in magnitude, as asked for. min(count, d) of them; vectors are orthonormal.
    pub pairs: Vec<Eigenpair>,
    /// Whether every pair is within the tolerance and a fresh start beside them, from a random vector, ended with nothing better: by
    /// converging, or because a better eigenvector would have been overlooked with a probability (over seeds) below 1e−8. If not, residuals
    /// say how good each pair is, and others may be missing.
    pub converged: bool,
    /// Products of the matrix that it took.
    pub products: usize,
}

impl Eigenpairs {
    /// λ̂₁, λ̂₂, … in the order of the pairs.
    pub fn values(&self) -> Vec<f64> {
        self.pairs.iter().map(|pair| pair.value).collect()
    }
}

/// The best pairs in the span of orthonormal vectors (Rayleigh–Ritz), with residuals by products made for them.
///
/// `runner_up` is the rank ([`Which::rank`]) of the best eigenvalue that is not among them, where it is known; −∞ if there is none.
pub(super) fn rayleigh_ritz(
    operator: &mut Measured,
    vectors: &[Vec<f64>],
    which: Which,
    runner_up: Option<f64>,
) -> Result<Vec<Eigenpair>, SpectrumError> {
    let images = vectors.iter().map(|v| operator.apply_to_unit(v)).collect::<Result<Vec<_>, _>>()?;
    let count = vectors.len();
    let projected =
        DMatrix::from_fn(count, count, |i, j| 0.5 * dot(&vectors[i], &images[j]) + 0.5 * dot(&vectors[j], &images[i]));
    let (values, rotation) = if count == 0 { (Vec::new(), projected) } else { symmetric_eigen(projected)? };
    let mut pairs: Vec<Eigenpair> =
        (0..count).map(|j| pair_of(&combination(vectors, &rotation, j), &combination(&images, &rotation, j))).collect();
    debug_assert_eq!(values.len(), pairs.len());
    pairs.sort_by(|a, b| which.rank(b.value).total_cmp(&which.rank(a.value)));
    let gaps: Vec<Option<f64>> = (0..count).map(|i| gap(&pairs, i, which, runner_up)).collect();
    for (pair, gap) in pairs.iter_mut().zip(gaps) {
        pair.gap = gap;
    }
    Ok(pairs)
}

/// Column j of `vectors`·`rotation`.
fn combination(vectors: &[Vec<f64>], rotation: &DMatrix<f64>, j: usize) -> Vec<f64> {
    let mut sum = vec![0.0; vectors[0].len()];
    for (i, v) in vectors.iter().enumerate() {
        add_scaled(&mut sum, rotation[(i, j)], v);
    }
    sum
}

/// The pair of a vector of length about 1 and its image.
fn pair_of(vector: &[f64], image: &[f64]) -> Eigenpair {
    let (mut vector, mut image) = (vector.to_vec(), image.to_vec());
    let largest = vector.iter().fold(0.0f64, |largest, &x| if x.abs() > largest.abs() { x } else { largest });
    let length = norm(&vector).copysign(largest);
    divide(&mut vector, length);
    divide(&mut image, length);
    let value = dot(&vector, &image);
    add_scaled(&mut image, -value, &vector);
    Eigenpair { value, residual: norm(&image), vector, gap: None }
}

/// How far the rest of the spectrum is from pair i.
fn gap(pairs: &[Eigenpair], i: usize, which: Which, runner_up: Option<f64>) -> Option<f64> {
    let to_others = pairs
        .iter()
        .enumerate()
        .filter(|&(j, _)| j != i)
        .map(|(_, other)| (other.value - pairs[i].value).abs() - other.residual)
        .fold(f64::INFINITY, f64::min);
    // |λ − λ̂| ≥ rank(λ̂) − rank(λ) for each of the ranks.
    let gap = to_others.min(which.rank(pairs[i].value) - runner_up?);
    (gap > 0.0).then_some(gap)
}

/// The Rayleigh–Ritz pairs of an operator in the span of orthonormal vectors that are known to hold its best eigenvectors.
pub(super) fn pairs_in_span(
    operator: &mut dyn SymmetricOperator,
    vectors: &[Vec<f64>],
    runner_up: f64,
) -> Result<Eigenpairs, SpectrumError> {
    let mut operator = Measured::new(operator)?;
    let pairs = rayleigh_ritz(&mut operator, vectors, Which::Largest, Some(runner_up))?;
    Ok(Eigenpairs { pairs, converged: true, products: operator.products })
}
