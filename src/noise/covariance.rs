//! A constant covariance matrix C: anisotropic noise, with which the slide's formula must fail.

use std::sync::Arc;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::GradientNoise;
use crate::input::Table;
use crate::instructions::vectorized;
use crate::loss::finite_sum::{FiniteSum, example_covariance};
use crate::loss::{LANES, MatrixSpec};

/// The covariance is not a positive semi-definite matrix.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("a covariance must be square, symmetric and positive definite")]
pub struct CovarianceError;

/// Noise of constant covariance C = BBᵀ, B its Cholesky factor.
#[derive(Clone, Debug)]
pub struct ConstantCovariance {
    covariance: DMatrix<f64>,
    factor: DMatrix<f64>,
}

impl ConstantCovariance {
    /// Noise of covariance C, d × d, symmetric and positive definite.
    ///
    /// # Errors
    /// When C is not such a matrix.
    pub fn new(covariance: DMatrix<f64>) -> Result<Self, CovarianceError> {
        if !covariance.is_square() || covariance != covariance.transpose() {
            return Err(CovarianceError);
        }
        let factor = covariance.clone().cholesky().ok_or(CovarianceError)?.l();
        Ok(Self { covariance, factor })
    }

    /// Noise of covariance C, d × d, symmetric and positive semi-definite: of no strength along its null directions, as where outputs of a
    /// network can be shifted together.
    ///
    /// # Errors
    /// When C is not such a matrix.
    pub fn semidefinite(covariance: DMatrix<f64>) -> Result<Self, CovarianceError> {
        let factor = semidefinite_factor(&covariance).ok_or(CovarianceError)?;
        Ok(Self { covariance, factor })
    }

    /// Noise of the covariance that per-example gradients have at one place, kept everywhere: N gradients are taken, d² numbers stored.
    ///
    /// # Errors
    /// When that covariance has no full rank, as with fewer examples than parameters.
    pub fn measured(sum: &dyn FiniteSum, theta: &[f64]) -> Result<Self, CovarianceError> {
        Self::new(example_covariance(sum, theta))
    }
}

/// What is left of a diagonal element beside this fraction of the largest one is rounding.
const NOTHING: f64 = 1e-12;

/// The Cholesky factor of a semi-definite matrix: a direction in which nothing is left gets a column of zeros. `None` for a matrix that is
/// not semi-definite.
fn semidefinite_factor(covariance: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let d = covariance.nrows();
    let largest = (0..d).map(|i| covariance[(i, i)]).fold(0.0, f64::max);
    let nothing = NOTHING * largest;
    let mut factor = DMatrix::zeros(d, d);
    for j in 0..d {
        let left = |i: usize, factor: &DMatrix<f64>| {
            covariance[(i, j)] - (0..j).map(|k| factor[(i, k)] * factor[(j, k)]).sum::<f64>()
        };
        let pivot = left(j, &factor);
        for i in j..d {
            let rest = left(i, &factor);
            if pivot > nothing {
                factor[(i, j)] = rest / pivot.sqrt();
            } else if rest.is_nan() || rest.abs() > nothing.sqrt() * largest.sqrt() {
                // |C_ij|² ≤ C_ii·C_jj where a matrix is semi-definite, and no C_jj is negative.
                return None;
            }
        }
    }
    Some(factor)
}

impl GradientNoise for ConstantCovariance {
    fn dimension(&self) -> usize {
        self.covariance.nrows()
    }

    fn covariance(&self, _theta: &[f64]) -> DMatrix<f64> {
        self.covariance.clone()
    }

    fn isotropic_variance(&self) -> Option<f64> {
        let variance = self.covariance[(0, 0)];
        let isotropic = DMatrix::identity(self.dimension(), self.dimension()) * variance;
        (self.covariance == isotropic).then_some(variance)
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn apply_block(&self, _theta: &[f64], normals: &mut [f64], _scratch: &mut [f64]) {
        vectorized(
            #[inline(always)]
            || multiply_lower(&self.factor, normals),
        );
    }
}

/// A lower triangular matrix times the points of a block: rows are replaced from the last upwards, so no copy is needed.
#[inline(always)]
fn multiply_lower(factor: &DMatrix<f64>, rows: &mut [f64]) {
    let rows = rows.as_chunks_mut::<LANES>().0;
    for i in (0..rows.len()).rev() {
        let (above, row) = rows.split_at_mut(i);
        let row = &mut row[0];
        let diagonal = factor[(i, i)];
        for l in 0..LANES {
            row[l] *= diagonal;
        }
        for (j, source) in above.iter().enumerate() {
            let factor = factor[(i, j)];
            if factor != 0.0 {
                for l in 0..LANES {
                    row[l] += factor * source[l];
                }
            }
        }
    }
}

/// `noise.kind = "covariance"`, by `matrix` or by `diagonal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CovarianceSpec {
    /// C: a number times the identity, a diagonal or a matrix.
    pub matrix: MatrixSpec,
}

impl CovarianceSpec {
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        const WHAT: &str = "C, the covariance of the per-example gradient,";
        let matrix = match (table.has("matrix"), table.has("diagonal")) {
            (true, true) => {
                table.problem("diagonal", "found both matrix and diagonal; give one of them and remove the other");
                return None;
            }
            (true, false) => MatrixSpec::read(table, "matrix", WHAT, "[[2.0, 0.5], [0.5, 1.0]]")?,
            (false, true) => MatrixSpec::read_diagonal(table, "diagonal", WHAT, "[1.5, 0.5]")?,
            (false, false) => {
                let advice = "add, for example, diagonal = [1.5, 0.5]";
                table.problem_here(format!("the covariance is missing; give either matrix or diagonal; {advice}"));
                return None;
            }
        };
        Some(Self { matrix })
    }

    pub(crate) fn build(&self, dimension: usize) -> Result<Arc<dyn GradientNoise>, CovarianceError> {
        let covariance = self.matrix.to_matrix(dimension);
        if covariance.nrows() != dimension {
            return Err(CovarianceError);
        }
        Ok(Arc::new(ConstantCovariance::new(covariance)?))
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;

    use super::*;

    #[test]
    fn a_semidefinite_matrix_is_its_factor_squared() {
        let root = dmatrix![1.0, 0.5; -2.0, 0.25; 0.0, 3.0; 1.0, 0.5];
        let of_rank_two = &root * root.transpose();
        for covariance in [of_rank_two.clone(), dmatrix![0.0, 0.0; 0.0, 2.0], dmatrix![2.0, 0.5; 0.5, 1.0]] {
            let noise = ConstantCovariance::semidefinite(covariance.clone()).unwrap();
            let product = &noise.factor * noise.factor.transpose();
            assert!((product - &covariance).amax() < 1e-12, "{covariance}");
            assert!(noise.factor.upper_triangle().lower_triangle() == DMatrix::from_diagonal(&noise.factor.diagonal()));
        }
        assert!(ConstantCovariance::new(of_rank_two).is_err());
        let definite = dmatrix![2.0, 0.5; 0.5, 1.0];
        let [one, other] =
            [ConstantCovariance::new, ConstantCovariance::semidefinite].map(|make| make(definite.clone()).unwrap());
        assert!((one.factor - other.factor).amax() < 1e-15);
    }

    #[test]
    fn what_is_not_semidefinite_is_refused() {
        for covariance in [dmatrix![1.0, 2.0; 2.0, 1.0], dmatrix![0.0, 1.0; 1.0, 1.0], dmatrix![1.0, 0.0; 0.0, -1.0]] {
            assert!(ConstantCovariance::semidefinite(covariance.clone()).is_err(), "{covariance}");
        }
    }
}
