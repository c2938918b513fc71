//! The density of eigenvalues by stochastic Lanczos quadrature.

use nalgebra::DMatrix;

use super::SpectrumError;
use super::krylov::Krylov;
use super::operator::{Measured, SymmetricOperator};
use super::tridiagonal::tridiagonal_eigen;
use super::vector::{divide, signs};
use crate::math::{exp, powi};
use crate::random::{Purpose, stream::Stream};
use crate::statistics::Estimate;

/// How many products a spectral density may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuadraturePlan {
    /// Probe vectors, at least 2.
    pub probes: usize,
    /// Products per probe: nodes of its quadrature, and vectors of length d in memory. At least 1.
    pub steps: usize,
    /// Seed of the probe vectors.
    pub seed: u64,
}

impl Default for QuadraturePlan {
    /// 10 probes of 80 steps, seed 0.
    fn default() -> Self {
        Self { probes: 10, steps: 80, seed: 0 }
    }
}

/// A measure of finitely many points.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedNodes {
    /// Where, ascending.
    pub nodes: Vec<f64>,
    /// How much, ≥ 0; they sum to 1.
    pub weights: Vec<f64>,
}

impl WeightedNodes {
    /// Σ wⱼ f(λⱼ).
    pub fn integral(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.nodes.iter().zip(&self.weights).map(|(&node, weight)| weight * f(node)).sum()
    }
}

/// The spectral measure μ = (1/d) Σ δ(λ − λᵢ) of a matrix, exact or from probes.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectralMeasure {
    /// The dimension d.
    pub dimension: usize,
    /// One quadrature per probe vector; a single one if the measure is exact.
    pub probes: Vec<WeightedNodes>,
    /// Products of the matrix that it took.
    pub products: usize,
}

/// Probe vector number `index` of a seed: d signs ±1. [`spectral_measure`] divides it by √d.
pub fn probe_vector(seed: u64, index: u64, dimension: usize) -> Vec<f64> {
    signs(&mut Stream::new(seed, index, Purpose::Probe), dimension)
}

/// Stochastic Lanczos quadrature: for each probe v (signs over √d) the Gauss quadrature with `plan.steps` = m nodes of its
/// spectral measure Σ (uᵢᵀv)² δ(λ − λᵢ), by m Lanczos steps with full reorthogonalisation.
///
/// Each has the exact moments vᵀAᵖv for p ≤ 2m − 1; over probes its mean is μ. With an invariant subspace it is exact, with fewer nodes.
/// Sources: Golub & Welsch, Math. Comp. 23 (1969), 221–230; Ubaru, Chen & Saad, SIAM J. Matrix Anal. Appl. 38 (2017), 1075–1099; Ghorbani,
/// Krishnan & Xiao, ICML 2019. Errors: [`SpectrumError::Plan`], [`SpectrumError::Empty`], [`SpectrumError::NotFinite`].
pub fn spectral_measure(
    operator: &mut dyn SymmetricOperator,
    plan: &QuadraturePlan,
) -> Result<SpectralMeasure, SpectrumError> {
    if plan.probes < 2 {
        return Err(SpectrumError::plan("probes", plan.probes, "at least 2: one alone has no standard error"));
    }
    if plan.steps == 0 {
        return Err(SpectrumError::plan("steps", plan.steps, "at least 1"));
    }
    let mut operator = Measured::new(operator)?;
    let dimension = operator.dimension();
    let probes = (0..plan.probes as u64)
        .map(|index| {
            let mut start = probe_vector(plan.seed, index, dimension);
            divide(&mut start, (dimension as f64).sqrt());
            // The stream is asked only for what follows an invariant subspace, which is not used.
            let space = Krylov::from_vector(start, Stream::new(plan.seed, index, Purpose::Lanczos));
            quadrature(space, &mut operator, plan.steps)
        })
        .collect::<Result<_, _>>()?;
    Ok(SpectralMeasure { dimension, probes, products: operator.products })
}

/// The Gauss quadrature of a Krylov space that begins with one vector.
fn quadrature(mut space: Krylov, operator: &mut Measured, steps: usize) -> Result<WeightedNodes, SpectrumError> {
    while space.dimension() < steps {
        space.extend(operator)?;
        if space.is_invariant() {
            break;
        }
    }
    let (diagonal, off_diagonal) = space.tridiagonal();
    let first = DMatrix::from_fn(1, diagonal.len(), |_, j| if j == 0 { 1.0 } else { 0.0 });
    let (nodes, components) = tridiagonal_eigen(diagonal, off_diagonal, first)?;
    Ok(WeightedNodes { nodes, weights: components.iter().map(|component| component * component).collect() })
}

impl SpectralMeasure {
    /// The measure of a spectrum of which all eigenvalues are known, at least one; without error.
    pub fn exact(eigenvalues: &[f64]) -> Self {
        let mut nodes = eigenvalues.to_vec();
        nodes.sort_by(f64::total_cmp);
        let weights = vec![1.0 / nodes.len() as f64; nodes.len()];
        Self { dimension: nodes.len(), probes: vec![WeightedNodes { nodes, weights }], products: 0 }
    }

    /// Whether the measure is exact.
    pub fn is_exact(&self) -> bool {
        self.probes.len() == 1
    }

    /// ∫ f dμ = (1/d) Σ f(λᵢ): the mean over probes, with the standard error between them. It does not count the error of each
    /// quadrature, which is 0 for polynomials of degree below 2·steps.
    ///
    /// f must be finite at every node.
    pub fn integral(&self, f: impl Fn(f64) -> f64) -> Estimate {
        let values: Vec<f64> = self.probes.iter().map(|probe| probe.integral(&f)).collect();
        // A mean of several that is not finite has no error either.
        Estimate::from_replicas(&values).unwrap_or_else(|| Estimate::exact(values.iter().sum()))
    }

    /// (1/d) tr Aᵖ.
    pub fn moment(&self, power: i32) -> Estimate {
        self.integral(|eigenvalue| powi(eigenvalue, power))
    }

    /// The smallest and the largest node: within the spectrum, and close to its ends after some ten steps.
    pub fn range(&self) -> [f64; 2] {
        self.probes
            .iter()
            .flat_map(|probe| &probe.nodes)
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &x| [low.min(x), high.max(x)])
    }

    /// `points` ≥ 2 places at equal distances that reach 4·`width` beyond the nodes.
    pub fn grid(&self, points: usize, width: f64) -> Vec<f64> {
        let [low, high] = self.range();
        let (low, high) = (low - 4.0 * width, high + 4.0 * width);
        let last = (points.max(2) - 1) as f64;
        (0..points.max(2)).map(|i| low + (high - low) * (i as f64 / last)).collect()
    }

    /// The density of eigenvalues broadened by a Gaussian of standard deviation `width` > 0, at each place of a grid:
    /// ∫ exp(−(x − λ)²/(2w²))/(w√(2π)) dμ(λ), which integrates to 1.
    ///
    /// A quadrature of m nodes tells nothing of what is narrower than about the range over m: a smaller width shows the nodes themselves.
    pub fn density(&self, grid: &[f64], width: f64) -> Vec<Estimate> {
        let height = 1.0 / (width * (2.0 * std::f64::consts::PI).sqrt());
        let kernel = |distance: f64| height * exp(-0.5 * (distance / width) * (distance / width));
        grid.iter().map(|&place| self.integral(|node| kernel(place - node))).collect()
    }
}
