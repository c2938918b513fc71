//! A loss from a user's own functions.

use nalgebra::DMatrix;

use super::Loss;

/// A loss made of two closures: its value and its gradient.
///
/// The Hessian, which only the landscape needs (never the simulation), is taken by central differences of the
/// gradient, with a relative error of about 1e−10, unless [`Closure::with_hessian`] gives an exact one.
///
/// ```
/// use sgd_sde::loss::{Loss, closure::Closure};
/// let loss = Closure::new(1, |x| x[0].powi(4) / 4.0, |x, gradient| gradient[0] = x[0].powi(3));
/// assert!((loss.hessian(&[2.0])[(0, 0)] - 12.0).abs() < 1e-7);
/// ```
pub struct Closure<V, G> {
    dimension: usize,
    value: V,
    gradient: G,
    hessian: Option<HessianFunction>,
}

type HessianFunction = Box<dyn Fn(&[f64]) -> DMatrix<f64> + Send + Sync>;

impl<V, G> Closure<V, G>
where
    V: Fn(&[f64]) -> f64 + Send + Sync,
    G: Fn(&[f64], &mut [f64]) + Send + Sync,
{
    /// A loss on ℝᵈ: `value` returns L(θ), `gradient` writes ∇L(θ) into its second argument.
    pub fn new(dimension: usize, value: V, gradient: G) -> Self {
        Self { dimension, value, gradient, hessian: None }
    }

    /// Gives the exact Hessian.
    #[must_use]
    pub fn with_hessian(mut self, hessian: impl Fn(&[f64]) -> DMatrix<f64> + Send + Sync + 'static) -> Self {
        self.hessian = Some(Box::new(hessian));
        self
    }
}

impl<V, G> Loss for Closure<V, G>
where
    V: Fn(&[f64]) -> f64 + Send + Sync,
    G: Fn(&[f64], &mut [f64]) + Send + Sync,
{
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn value(&self, theta: &[f64]) -> f64 {
        (self.value)(theta)
    }

    fn gradient(&self, theta: &[f64], gradient: &mut [f64]) {
        (self.gradient)(theta, gradient);
    }

    fn hessian(&self, theta: &[f64]) -> DMatrix<f64> {
        if let Some(hessian) = &self.hessian {
            return hessian(theta);
        }
        let d = self.dimension;
        let (mut above, mut below) = (vec![0.0; d], vec![0.0; d]);
        let mut point = theta.to_vec();
        let mut hessian = DMatrix::zeros(d, d);
        for j in 0..d {
            // ε^(1/3): balances truncation against cancellation in a central difference.
            let step = 6e-6 * theta[j].abs().max(1.0);
            point[j] = theta[j] + step;
            self.gradient(&point, &mut above);
            point[j] = theta[j] - step;
            self.gradient(&point, &mut below);
            point[j] = theta[j];
            for i in 0..d {
                hessian[(i, j)] = (above[i] - below[i]) / (2.0 * step);
            }
        }
        (&hessian + hessian.transpose()) * 0.5
    }
}
