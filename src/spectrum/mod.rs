//! The spectrum of a symmetric matrix that is known by its products alone: the curvature H of a loss, the covariance C of its noise.
//!
//! Nothing here knows a network. A [`SymmetricOperator`] multiplies a vector by the matrix A ∈ ℝᵈˣᵈ; from some hundred products
//! follow the ends of the spectrum, its trace and its density, for d up to 10⁵ and beyond.
//!
//! | question | answer | error |
//! |---|---|---|
//! | largest, smallest eigenvalues and their vectors | [`eigenpairs()`]: Lanczos with restarts | residual of each pair |
//! | tr A, ‖A‖²_F | [`moments()`]: Hutchinson, Hutch++; exact in d products | standard error between probes |
//! | density of eigenvalues | [`spectral_measure()`]: stochastic Lanczos quadrature | standard error between probes |
//! | all eigenvalues, d ≤ 2,000 | [`full_spectrum()`] | rounding |
//! | C = (1/N) Σ (gᵢ − ḡ)(gᵢ − ḡ)ᵀ from gradients, tr(HC), alignment, effective rank | [`GradientCovariance`] | exact or sampled |
//!
//! Whatever is estimated is an [`Estimate`](crate::statistics::Estimate) with its standard error. All sums have a fixed order and
//! run on one thread: the same seed gives the same bytes, for any number of threads and on every machine, if the operator's products do.
//!
//! ```
//! use sgd_sde::spectrum::{LanczosPlan, MomentPlan, Products, eigenpairs, moments};
//!
//! // H = diag(1, 2, …, 4999, 20000), known by its products.
//! let dimension = 5_000;
//! let curvature = |j: usize| if j + 1 == dimension { 20_000.0 } else { (j + 1) as f64 };
//! let mut hessian = Products::new(dimension, |v: &[f64], out: &mut [f64]| {
//!     for (j, (out, v)) in out.iter_mut().zip(v).enumerate() {
//!         *out = curvature(j) * v;
//!     }
//! });
//!
//! let top = eigenpairs(&mut hessian, &LanczosPlan::largest(1))?;
//! let sharpest = &top.pairs[0];
//! assert!(top.converged && (sharpest.value - 20_000.0).abs() <= sharpest.residual + 1e-9);
//!
//! let trace = moments(&mut hessian, &MomentPlan::default())?.trace;
//! let exact = 4_999.0 * 5_000.0 / 2.0 + 20_000.0;
//! assert!((trace.value - exact).abs() <= 4.0 * trace.standard_error + 1e-6 * exact);
//! # Ok::<(), sgd_sde::spectrum::SpectrumError>(())
//! ```

mod alignment;
mod covariance;
mod dense;
mod density;
mod eigenpair;
mod error;
mod krylov;
mod lanczos;
mod moments;
mod operator;
mod tridiagonal;
mod vector;

pub use alignment::alignment;
pub use covariance::{CovarianceProducts, GRAM_UP_TO, GradientCovariance, GradientsOf};
pub use dense::{DENSE_UP_TO, FullSpectrum, dense_matrix, full_decomposition, full_spectrum};
pub use density::{QuadraturePlan, SpectralMeasure, WeightedNodes, probe_vector, spectral_measure};
pub use eigenpair::{Eigenpair, Eigenpairs};
pub use error::SpectrumError;
pub use lanczos::{LanczosPlan, Which, eigenpairs};
pub use moments::{MomentPlan, Moments, moments};
pub use operator::{Products, SymmetricOperator};
