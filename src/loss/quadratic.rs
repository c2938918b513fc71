//! The bowl L(θ) = ½ θᵀHθ: the case in which every formula of the theory is exact.

use nalgebra::DMatrix;

use super::{LANES, Loss};

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
        Ok(Self { hessian })
    }

    /// A bowl along the coordinate axes with the given curvatures.
    pub fn from_eigenvalues(eigenvalues: &[f64]) -> Self {
        Self { hessian: DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(eigenvalues)) }
    }

    #[inline(always)]
    fn gradient_of<const N: usize>(&self, theta: &[f64], gradient: &mut [f64]) {
        let d = self.hessian.nrows();
        gradient[..d * N].fill(0.0);
        for j in 0..d {
            let x = &theta[j * N..][..N];
            for i in 0..d {
                let h = self.hessian[(i, j)];
                // Diagonal bowls are common; a zero skipped here is the same for every lane.
                if h == 0.0 {
                    continue;
                }
                let row = &mut gradient[i * N..][..N];
                for l in 0..N {
                    row[l] += h * x[l];
                }
            }
        }
    }
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2"))]
fn gradient_lanes(bowl: &Quadratic, theta: &[f64], gradient: &mut [f64]) {
    bowl.gradient_of::<LANES>(theta, gradient);
}

impl Loss for Quadratic {
    fn dimension(&self) -> usize {
        self.hessian.nrows()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let mut slope = vec![0.0; theta.len()];
        self.gradient_of::<1>(theta, &mut slope);
        0.5 * slope.iter().zip(theta).map(|(g, x)| g * x).sum::<f64>()
    }

    fn gradient(&self, theta: &[f64], gradient: &mut [f64]) {
        self.gradient_of::<1>(theta, gradient);
    }

    fn hessian(&self, _theta: &[f64]) -> DMatrix<f64> {
        self.hessian.clone()
    }

    fn gradient_block(&self, theta: &[f64], gradient: &mut [f64], _scratch: &mut [f64]) {
        gradient_lanes(self, theta, gradient);
    }
}
