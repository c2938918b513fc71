//! A loss from a user's own functions of a fixed number of coordinates: as fast as a loss can be.

use nalgebra::DMatrix;

use super::kernel::{self, Descent, LaneGradient};
use super::{LANES, Loss};

/// A loss on ℝᴰ made of functions: its value, its gradient and its Hessian.
///
/// D is known to the compiler, so the functions are inlined into the kernel and run on as many trajectories at once as a
/// register holds. For that they should be free of branches and of calls that do not vectorise: `x*x*x` and not `x.powi(3)`.
///
/// ```
/// use sgd_sde::loss::{Loss, function::Function};
/// let loss = Function::new(
///     |[x]: [f64; 1]| 0.25 * x * x * x * x - 0.5 * x * x + 0.1 * x,
///     |[x]| [x * x * x - x + 0.1],
///     |[x]| [[3.0 * x * x - 1.0]],
/// );
/// assert_eq!(loss.hessian(&[2.0])[(0, 0)], 11.0);
/// ```
#[derive(Clone, Debug)]
pub struct Function<const D: usize, V, G, H> {
    value: V,
    gradient: G,
    hessian: H,
}

impl<const D: usize, V, G, H> Function<D, V, G, H>
where
    V: Fn([f64; D]) -> f64 + Send + Sync,
    G: Fn([f64; D]) -> [f64; D] + Send + Sync,
    H: Fn([f64; D]) -> [[f64; D]; D] + Send + Sync,
{
    /// A loss of L(θ), ∇L(θ) and the rows of ∇²L(θ).
    pub fn new(value: V, gradient: G, hessian: H) -> Self {
        Self { value, gradient, hessian }
    }
}

fn point<const D: usize>(theta: &[f64]) -> [f64; D] {
    std::array::from_fn(|i| theta[i])
}

impl<const D: usize, V, G, H> LaneGradient for Function<D, V, G, H>
where
    G: Fn([f64; D]) -> [f64; D],
{
    #[inline(always)]
    fn gradient_of<const N: usize>(&self, theta: &[[f64; N]], gradient: &mut [[f64; N]], _scratch: &mut [[f64; N]]) {
        // The trait's contract; told to the compiler once, and not in every lane.
        let (Some(theta), Some(gradient)) = (theta.first_chunk::<D>(), gradient.first_chunk_mut::<D>()) else { return };
        for l in 0..N {
            let slope = (self.gradient)(std::array::from_fn(|i| theta[i][l]));
            for i in 0..D {
                gradient[i][l] = slope[i];
            }
        }
    }
}

impl<const D: usize, V, G, H> Loss for Function<D, V, G, H>
where
    V: Fn([f64; D]) -> f64 + Send + Sync,
    G: Fn([f64; D]) -> [f64; D] + Send + Sync,
    H: Fn([f64; D]) -> [[f64; D]; D] + Send + Sync,
{
    fn dimension(&self) -> usize {
        D
    }

    fn value(&self, theta: &[f64]) -> f64 {
        (self.value)(point(theta))
    }

    fn gradient(&self, theta: &[f64], gradient: &mut [f64]) {
        gradient[..D].copy_from_slice(&(self.gradient)(point(theta)));
    }

    fn hessian(&self, theta: &[f64]) -> DMatrix<f64> {
        let rows = (self.hessian)(point(theta));
        DMatrix::from_fn(D, D, |i, j| rows[i][j])
    }

    fn value_block(&self, theta: &[f64], value: &mut [f64], _scratch: &mut [f64]) {
        for (lane, value) in value[..LANES].iter_mut().enumerate() {
            *value = (self.value)(std::array::from_fn(|i| theta[i * LANES + lane]));
        }
    }

    fn gradient_block(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        kernel::gradient_block(self, theta, gradient, scratch);
    }

    fn descend_block(&self, descent: Descent<'_>) {
        kernel::descend_block(self, descent);
    }
}
