//! The bowl L(θ) = ½ θᵀHθ: the case in which every formula of the theory is exact.

use std::sync::Arc;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::curvature::Curvature;
use super::kernel::{self, Descent, LaneGradient};
use super::matrix::MatrixSpec;
use super::scratch::with_scratch;
use super::spec::{Described, LossError};
use super::{LANES, Loss};
use crate::input::Table;
use crate::instructions::vectorized;

/// The matrix of a quadratic loss is not symmetric, or not square.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the matrix of a quadratic loss must be square, symmetric and finite")]
pub struct QuadraticError;

/// L(θ) = ½ θᵀHθ.
///
/// ```
/// use sgd_sde::loss::{Loss, quadratic::Quadratic};
/// let bowl = Quadratic::from_eigenvalues(&[1.0, 4.0]);
/// assert_eq!(bowl.value(&[1.0, 1.0]), 2.5);
/// ```
#[derive(Clone, Debug)]
pub struct Quadratic {
    hessian: DMatrix<f64>,
    curvature: Curvature,
}

impl Quadratic {
    /// A bowl with Hessian H, d × d and symmetric. It need not be positive definite here.
    ///
    /// # Errors
    /// When the matrix is empty, not square, not symmetric or not finite.
    pub fn new(hessian: DMatrix<f64>) -> Result<Self, QuadraticError> {
        let sound = hessian.is_square() && !hessian.is_empty() && hessian.iter().all(|h| h.is_finite());
        if !sound || hessian != hessian.transpose() {
            return Err(QuadraticError);
        }
        Ok(Self::of(hessian))
    }

    /// A bowl along the coordinate axes with the given curvatures.
    pub fn from_eigenvalues(eigenvalues: &[f64]) -> Self {
        Self::of(DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(eigenvalues)))
    }

    fn of(hessian: DMatrix<f64>) -> Self {
        let curvature = Curvature::new(&hessian);
        Self { hessian, curvature }
    }
}

impl Quadratic {
    #[inline(always)]
    fn value_of<const N: usize>(&self, theta: &[f64], value: &mut [f64], scratch: &mut [f64]) {
        let (theta, slopes) = (theta.as_chunks::<N>().0, scratch.as_chunks_mut::<N>().0);
        self.curvature.multiply(theta, slopes);
        let mut sum = [0.0; N];
        for (slope, x) in slopes.iter().zip(theta) {
            for l in 0..N {
                sum[l] += slope[l] * x[l];
            }
        }
        for l in 0..N {
            value[l] = 0.5 * sum[l];
        }
    }
}

impl LaneGradient for Quadratic {
    #[inline(always)]
    fn gradient_of<const N: usize>(&self, theta: &[[f64; N]], gradient: &mut [[f64; N]], _scratch: &mut [[f64; N]]) {
        self.curvature.multiply(theta, gradient);
    }
}

impl Loss for Quadratic {
    fn dimension(&self) -> usize {
        self.hessian.nrows()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let mut value = [0.0];
        with_scratch(theta.len(), |scratch| self.value_of::<1>(theta, &mut value, scratch));
        value[0]
    }

    fn gradient(&self, theta: &[f64], gradient: &mut [f64]) {
        self.gradient_of::<1>(theta.as_chunks().0, gradient.as_chunks_mut().0, &mut []);
    }

    fn hessian(&self, _theta: &[f64]) -> DMatrix<f64> {
        self.hessian.clone()
    }

    fn center(&self) -> Option<Vec<f64>> {
        Some(vec![0.0; self.dimension()])
    }

    fn block_scratch(&self) -> usize {
        self.dimension() * LANES
    }

    fn value_block(&self, theta: &[f64], value: &mut [f64], scratch: &mut [f64]) {
        vectorized(
            #[inline(always)]
            || self.value_of::<LANES>(theta, value, scratch),
        );
    }

    fn gradient_block(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        kernel::gradient_block(self, theta, gradient, scratch);
    }

    fn hessian_product_scratch(&self) -> usize {
        0
    }

    /// H is the same everywhere.
    fn hessian_product_block(&self, _theta: &[f64], direction: &[f64], product: &mut [f64], scratch: &mut [f64]) {
        kernel::gradient_block(self, direction, product, scratch);
    }

    fn descend_block(&self, descent: Descent<'_>) {
        kernel::descend_block(self, descent);
    }
}

/// ½θᵀHθ, by `matrix` or by `eigenvalues`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuadraticSpec {
    /// H; eigenvalues are a diagonal.
    pub matrix: MatrixSpec,
}

impl QuadraticSpec {
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        const EXAMPLE: &str = "[[2.0, 0.5], [0.5, 1.0]]";
        let eigenvalues = || {
            let what = "the eigenvalues of the Hessian, a positive number per coordinate,";
            MatrixSpec::read_diagonal(table, "eigenvalues", what, "[1.0, 4.0]")
        };
        let matrix = match (table.has("matrix"), table.has("eigenvalues")) {
            (true, true) => {
                table
                    .problem("eigenvalues", "found both matrix and eigenvalues; give one of them and remove the other");
                return None;
            }
            (true, false) => MatrixSpec::read(table, "matrix", "the Hessian of the bowl", EXAMPLE)?,
            (false, true) => eigenvalues()?,
            (false, false) => {
                let advice = "add, for example, eigenvalues = [1.0, 4.0]";
                table.problem_here(format!("the Hessian is missing; give either matrix or eigenvalues; {advice}"));
                return None;
            }
        };
        Some(Self { matrix })
    }
}

impl Described for QuadraticSpec {
    /// A number alone is a 1 × 1 matrix.
    fn dimension(&self) -> usize {
        self.matrix.dimension().unwrap_or(1)
    }

    /// To where the loss along an axis has risen by 4.5.
    fn default_domain(&self) -> Option<Vec<[f64; 2]>> {
        let reach = |i| 3.0 / self.matrix.diagonal(i).sqrt();
        Some((0..self.dimension()).map(|i| [-reach(i), reach(i)]).collect())
    }

    fn build(&self) -> Result<Arc<dyn Loss>, LossError> {
        Ok(Arc::new(Quadratic::new(self.matrix.to_matrix(self.dimension()))?))
    }
}
