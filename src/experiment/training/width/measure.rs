//! How sharp is the training loss at an end point?

use super::super::course::Course;
use super::PIECE;
use crate::math;
use crate::network::{Batch, Examples, Workspace};
use crate::spectrum::{LanczosPlan, MomentPlan, Products, eigenpairs, moments};

/// Measures of curvature, each with its own error.
pub(super) const MEASURES: [Measure; 3] = [Measure::Sharpest, Measure::Trace, Measure::Frobenius];

/// Below this many parameters trace and norm are computed exactly: about what the probes would cost.
const EXACT_UP_TO: usize = 64;
/// Probes and sketch of the trace: its error is then some per cent, well below the spread between seeds.
const PROBES: usize = 32;
const SKETCH: usize = 12;

/// One number of H.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// λ₁.
    Sharpest,
    /// tr H.
    Trace,
    /// ‖H‖_F.
    Frobenius,
}

impl Measure {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sharpest => "λ₁",
            Self::Trace => "tr H",
            Self::Frobenius => "‖H‖_F",
        }
    }

    /// For ids of claims.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Sharpest => "sharpest",
            Self::Trace => "trace",
            Self::Frobenius => "frobenius",
        }
    }
}

/// The measures at one place.
#[derive(Clone, Debug)]
pub(super) struct Curvature {
    /// ln of each, in the order of [`MEASURES`].
    logarithms: [f64; 3],
    /// Relative errors of their estimation: of λ₁ the residual over it, which bounds the error; of the others a standard error between
    /// probes.
    errors: [f64; 3],
}

impl Curvature {
    /// By exact Hessian products over all training examples. `None` where one is not a positive number that is known to a fifth of itself.
    pub(super) fn of(course: &Course, examples: &Examples<f64>, theta: &[f64], seed: u64) -> Option<Self> {
        let mut workspace = Workspace::new(&course.network, PIECE);
        let product = |v: &[f64], out: &mut [f64]| {
            course.network.hessian_product(theta, Batch::all(examples), v, out, &mut workspace);
        };
        let mut hessian = Products::new(theta.len(), product);
        let plan = LanczosPlan { tolerance: 1e-3, maximum_products: 2_000, seed, ..LanczosPlan::largest(1) };
        let found = eigenpairs(&mut hessian, &plan).ok()?;
        let top = found.pairs.first()?;
        let plan = MomentPlan { probes: PROBES, sketch: SKETCH, exact_up_to: EXACT_UP_TO, seed };
        let moments = moments(&mut hessian, &plan).ok()?;
        let (trace, frobenius) = (moments.trace.logarithm()?, moments.frobenius()?.logarithm()?);
        let curvature = Self {
            logarithms: [math::ln(top.value), trace.value, frobenius.value],
            errors: [top.residual / top.value, trace.standard_error, frobenius.standard_error],
        };
        (top.value > 0.0 && curvature.logarithms.iter().all(|value| value.is_finite())).then_some(curvature)
    }

    pub(super) fn logarithm(&self, measure: Measure) -> f64 {
        self.logarithms[measure as usize]
    }

    /// The relative error of the estimation.
    pub(super) fn error(&self, measure: Measure) -> f64 {
        self.errors[measure as usize]
    }
}
