//! A Krylov space: an orthonormal basis, and the matrix projected on it.

use nalgebra::DMatrix;

use super::SpectrumError;
use super::operator::Measured;
use super::tridiagonal::symmetric_eigen;
use super::vector::{add_scaled, divide, orthogonalise, random_orthogonal};
use crate::math::ln;
use crate::random::stream::Stream;

/// What is left of a product beside this fraction of ‖A‖ is its rounding: the space is invariant.
const BREAKDOWN: f64 = 1e-14;

/// Rows that are rotated at once, which fit into the fastest cache together with the sums.
const ROWS: usize = 256;

/// A space with AV = VT + β v⁺ eᵐᵀ, orthogonal to locked vectors.
pub(super) struct Krylov<'a> {
    /// Orthonormal vectors that V is kept orthogonal to.
    locked: &'a [Vec<f64>],
    /// The columns of V.
    basis: Vec<Vec<f64>>,
    /// The upper triangle of T = VᵀAV, column by column: column j has j + 1 numbers.
    projected: Vec<Vec<f64>>,
    /// v⁺, a unit vector; `None` if V and the locked vectors span the space.
    next: Option<Vec<f64>>,
    /// β; 0 if the space is invariant, and v⁺ is random then.
    coupling: f64,
    /// The product of the β of all steps as its logarithm, while the space is that of one start vector: Π βⱼ.
    log_couplings: Option<f64>,
    stream: Stream,
}

/// A pair of the projected matrix.
pub(super) struct RitzValue {
    /// The value.
    pub(super) value: f64,
    /// Its rank, by which pairs are sorted.
    pub(super) rank: f64,
    /// ‖Av − λv‖ by the relation of the space: β times the last coordinate.
    pub(super) residual: f64,
    /// Its vector in coordinates of the basis.
    coordinates: Vec<f64>,
}

impl<'a> Krylov<'a> {
    /// The empty space, with a start vector that is the given unit one.
    pub(super) fn from_vector(start: Vec<f64>, stream: Stream) -> Self {
        Self {
            locked: &[],
            basis: Vec::new(),
            projected: Vec::new(),
            next: Some(start),
            coupling: 0.0,
            log_couplings: Some(0.0),
            stream,
        }
    }

    /// The empty space, with a random start vector beside the locked ones; `None` if these span ℝᵈ.
    pub(super) fn beside(locked: &'a [Vec<f64>], dimension: usize, mut stream: Stream) -> Option<Self> {
        let start = random_orthogonal(&mut stream, dimension, locked, &[])?;
        Some(Self { locked, ..Self::from_vector(start, stream) })
    }

    pub(super) fn dimension(&self) -> usize {
        self.basis.len()
    }

    /// Whether V and the locked vectors span ℝᵈ.
    pub(super) fn is_exhausted(&self) -> bool {
        self.next.is_none()
    }

    /// Whether A maps the space into itself.
    pub(super) fn is_invariant(&self) -> bool {
        self.coupling == 0.0
    }

    /// The diagonal and the off-diagonal of T, if the space began with one vector and never was restarted.
    pub(super) fn tridiagonal(&self) -> (Vec<f64>, Vec<f64>) {
        let diagonal = self.projected.iter().enumerate().map(|(j, column)| column[j]).collect();
        let off_diagonal = self.projected.iter().enumerate().skip(1).map(|(j, column)| column[j - 1]).collect();
        (diagonal, off_diagonal)
    }

    /// One more vector, by one product. Nothing happens to an exhausted space.
    pub(super) fn extend(&mut self, operator: &mut Measured) -> Result<(), SpectrumError> {
        let Some(vector) = self.next.take() else { return Ok(()) };
        let mut image = operator.apply_to_unit(&vector)?;
        self.basis.push(vector);
        let mut column = vec![0.0; self.basis.len()];
        // All of the basis and not the last two: rounding would let converged vectors in again.
        let left = orthogonalise(&mut image, self.locked, &self.basis, &mut column);
        self.projected.push(column);
        if left > BREAKDOWN * operator.norm && self.locked.len() + self.basis.len() < image.len() {
            divide(&mut image, left);
            self.coupling = left;
            self.log_couplings = self.log_couplings.map(|sum| sum + ln(left));
            self.next = Some(image);
        } else {
            self.coupling = 0.0;
            self.log_couplings = None;
            self.next = random_orthogonal(&mut self.stream, image.len(), self.locked, &self.basis);
        }
        Ok(())
    }

    /// Eigenpairs of T, by falling rank.
    pub(super) fn ritz(&self, rank: impl Fn(f64) -> f64) -> Result<Vec<RitzValue>, SpectrumError> {
        let size = self.basis.len();
        let matrix = DMatrix::from_fn(size, size, |i, j| self.projected[i.max(j)][i.min(j)]);
        let (values, vectors) = symmetric_eigen(matrix)?;
        let mut ritz: Vec<RitzValue> = values
            .into_iter()
            .enumerate()
            .map(|(j, value)| RitzValue {
                value,
                rank: rank(value),
                residual: self.coupling * vectors[(size - 1, j)].abs(),
                coordinates: vectors.column(j).iter().copied().collect(),
            })
            .collect();
        ritz.sort_by(|a, b| b.rank.total_cmp(&a.rank));
        Ok(ritz)
    }

    /// A bound of ln |uᵀv₁| for the start vector v₁ and an eigenvector u (orthogonal to the locked vectors) of any eigenvalue ≥ `limit`,
    /// or ≤ −`limit` if `mirrored`; `None` where there is no bound.
    ///
    /// From uᵀ(AV − VT) = β (uᵀv⁺) eᵐᵀ follows uᵀv₁ = (uᵀv⁺) Πβⱼ/Π(λ − θᵢ), whose size falls as λ leaves the Ritz values. A vector that the
    /// space has not seen after many steps was hardly in its start.
    pub(super) fn log_component(&self, ritz: &[RitzValue], limit: f64, mirrored: bool) -> Option<f64> {
        ritz.iter().try_fold(self.log_couplings?, |sum, ritz| {
            let distance = if mirrored { limit + ritz.value } else { limit - ritz.value };
            (distance > 0.0).then(|| sum - ln(distance))
        })
    }

    /// Ranks and vectors in ℝᵈ of Ritz pairs.
    pub(super) fn leading(&self, pairs: &[RitzValue]) -> Vec<(f64, Vec<f64>)> {
        let vector = |ritz: &RitzValue| {
            let mut sum = vec![0.0; self.basis[0].len()];
            for (v, &coordinate) in self.basis.iter().zip(&ritz.coordinates) {
                add_scaled(&mut sum, coordinate, v);
            }
            sum
        };
        pairs.iter().map(|ritz| (ritz.rank, vector(ritz))).collect()
    }

    /// The space of the given Ritz vectors, at most as many as the basis has, which is continued with the same v⁺.
    ///
    /// Source: Wu & Simon, SIAM J. Matrix Anal. Appl. 22 (2000), 602–616 (thick restart).
    pub(super) fn restart(&mut self, kept: &[RitzValue]) {
        let dimension = self.basis[0].len();
        let mut sums = vec![[0.0; ROWS]; kept.len()];
        for first in (0..dimension).step_by(ROWS) {
            let rows = first..(first + ROWS).min(dimension);
            for (sum, ritz) in sums.iter_mut().zip(kept) {
                *sum = [0.0; ROWS];
                for (v, &coordinate) in self.basis.iter().zip(&ritz.coordinates) {
                    add_scaled(&mut sum[..rows.len()], coordinate, &v[rows.clone()]);
                }
            }
            for (v, sum) in self.basis.iter_mut().zip(&sums) {
                v[rows.clone()].copy_from_slice(&sum[..rows.len()]);
            }
        }
        self.log_couplings = None;
        self.basis.truncate(kept.len());
        self.projected = kept
            .iter()
            .enumerate()
            .map(|(j, ritz)| {
                let mut column = vec![0.0; j + 1];
                column[j] = ritz.value;
                column
            })
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;
    use crate::spectrum::Products;
    use crate::spectrum::vector::dot;

    /// The space of some steps on diag(0, 1, …, 39)/39 and a number of one's own, which is first.
    fn space_of(outlier: f64, steps: usize) -> (Krylov<'static>, Vec<f64>) {
        let mut operator = Products::new(41, move |v: &[f64], out: &mut [f64]| {
            for (j, (out, v)) in out.iter_mut().zip(v).enumerate() {
                *out = v * if j == 0 { outlier } else { (j - 1) as f64 / 39.0 };
            }
        });
        let mut operator = Measured::new(&mut operator).unwrap();
        let mut space = Krylov::beside(&[], 41, Stream::new(1, 0, Purpose::Lanczos)).unwrap();
        let start = space.next.clone().unwrap();
        for _ in 0..steps {
            space.extend(&mut operator).unwrap();
        }
        (space, start)
    }

    #[test]
    fn the_relation_of_lanczos_holds_before_and_after_a_restart() {
        let (mut space, _) = space_of(2.0, 12);
        let ritz = space.ritz(|value| value).unwrap();
        assert!(ritz.windows(2).all(|pair| pair[0].value >= pair[1].value));
        space.restart(&ritz[..5]);
        assert_eq!((space.dimension(), space.log_couplings), (5, None));
        for (i, v) in space.basis.iter().enumerate() {
            // Av − θv = β y v⁺.
            let next = space.next.as_ref().unwrap();
            let along: f64 =
                (1..41).map(|j| (j - 1) as f64 / 39.0 * v[j] * next[j]).sum::<f64>() + 2.0 * v[0] * next[0];
            assert!((along.abs() - ritz[i].residual).abs() < 1e-13);
            assert!((dot(v, v) - 1.0).abs() < 1e-13 && dot(v, next).abs() < 1e-13);
        }
    }

    #[test]
    fn components_beyond_the_ritz_values_are_what_the_formula_says() {
        for outlier in [1.2, 3.0, -1.5] {
            let (space, start) = space_of(outlier, 6);
            let ritz = space.ritz(|value| value).unwrap();
            if ritz.iter().any(|ritz| ritz.value.abs() >= outlier.abs()) {
                continue;
            }
            let bound = space.log_component(&ritz, outlier.abs(), outlier < 0.0).unwrap();
            // The bound leaves out |uᵀv⁺| ≤ 1; with it the formula is an identity.
            let of_next = space.next.as_ref().unwrap()[0].abs();
            let difference = bound + ln(of_next) - ln(start[0].abs());
            // Digits are lost in the distance to the Ritz value that is close to the outlier.
            assert!(difference.abs() < 1e-6, "{outlier}: {difference:e}");
        }
        let (space, _) = space_of(1.2, 6);
        let ritz = space.ritz(|value| value).unwrap();
        assert_eq!(space.log_component(&ritz, 0.5, false), None);
    }
}
