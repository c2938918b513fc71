//! Trace and Frobenius norm from products with random vectors.

use super::SpectrumError;
use super::dense::{DENSE_UP_TO, for_each_column};
use super::operator::{Measured, SymmetricOperator};
use super::vector::{add_scaled, divide, dot, norm, orthogonalise, signs};
use crate::random::{Purpose, stream::Stream};
use crate::statistics::Estimate;

/// What is left of a column of the sketch beside this fraction of it is rounding.
const DEPENDENT: f64 = 1e-12;

/// How many products trace and Frobenius norm may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MomentPlan {
    /// Probe vectors, at least 2: one product each.
    pub probes: usize,
    /// Vectors of the sketch (Hutch++), two products each and each held in memory twice; 0 for plain Hutchinson. It takes what the largest
    /// eigenvalues contribute out of the probes' noise, and pays where few eigenvalues are much larger than the others.
    pub sketch: usize,
    /// Up to this dimension, at most [`DENSE_UP_TO`], both are computed exactly by d products; so they are where the sketch alone would take
    /// as many.
    pub exact_up_to: usize,
    /// Seed of the random vectors.
    pub seed: u64,
}

impl Default for MomentPlan {
    /// 100 probes, a sketch of 20, exact up to [`DENSE_UP_TO`], seed 0.
    fn default() -> Self {
        Self { probes: 100, sketch: 20, exact_up_to: DENSE_UP_TO, seed: 0 }
    }
}

/// The first two moments of a spectrum.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// The dimension d.
    pub dimension: usize,
    /// tr A = Σ λᵢ.
    pub trace: Estimate,
    /// ‖A‖²_F = Σ λᵢ².
    pub squared_frobenius: Estimate,
    /// Products of the matrix that it took.
    pub products: usize,
}

impl Moments {
    /// ‖A‖_F by the delta method: SE(√x̂) = SE/(2√x̂). `None` if ‖A‖²_F is not known to better than
    /// [`crate::statistics::estimate::LARGEST_RELATIVE_ERROR`].
    pub fn frobenius(&self) -> Option<Estimate> {
        let square = &self.squared_frobenius;
        if square.value == 0.0 && square.standard_error == 0.0 {
            return Some(square.clone());
        }
        square.logarithm()?;
        let value = square.value.sqrt();
        Some(Estimate { value, standard_error: square.standard_error / (2.0 * value), ..*square })
    }
}

/// tr A and ‖A‖²_F: exact for d ≤ `plan.exact_up_to` or 2·`plan.sketch`, else from probe vectors, with standard errors between these.
///
/// With a sketch Q (orthonormal columns of A times random signs), P = I − QQᵀ and random signs z
///
/// tr A = tr(QᵀAQ) + E zᵀPAPz,  ‖A‖²_F = 2‖AQ‖²_F − ‖QᵀAQ‖²_F + E‖PAPz‖².
///
/// The variance of zᵀBz is 2 Σ_{i≠j} b²ᵢⱼ: the relative error of the trace of a definite matrix is below √(2/(probes·r)),
/// r = (tr A)²/‖A‖²_F. Where few eigenvalues rule, the values of probes are skewed, and intervals from few of them cover less than they say.
///
/// Sources: Hutchinson, Commun. Stat. Simul. 19 (1990), 433–450; Meyer, Musco, Musco & Woodruff, SOSA 2021, 142–155 (Hutch++). Errors:
/// [`SpectrumError::Plan`], [`SpectrumError::Empty`], [`SpectrumError::NotFinite`].
pub fn moments(operator: &mut dyn SymmetricOperator, plan: &MomentPlan) -> Result<Moments, SpectrumError> {
    if plan.exact_up_to > DENSE_UP_TO {
        return Err(SpectrumError::plan("exact_up_to", plan.exact_up_to, format!("at most {DENSE_UP_TO}")));
    }
    if plan.probes < 2 {
        return Err(SpectrumError::plan("probes", plan.probes, "at least 2: one alone has no standard error"));
    }
    let mut operator = Measured::new(operator)?;
    let dimension = operator.dimension();
    let [trace, squared_frobenius] = if dimension <= plan.exact_up_to.max(plan.sketch.saturating_mul(2)) {
        exact(&mut operator)?
    } else {
        estimated(&mut operator, plan)?
    };
    if !(trace.is_finite() && squared_frobenius.is_finite()) {
        return Err(SpectrumError::NotFinite { what: "the trace or the Frobenius norm".into() });
    }
    Ok(Moments { dimension, trace, squared_frobenius, products: operator.products })
}

fn exact(operator: &mut Measured) -> Result<[Estimate; 2], SpectrumError> {
    let (mut trace, mut squares) = (0.0, 0.0);
    for_each_column(operator, |j, column| {
        trace += column[j];
        squares += dot(column, column);
    })?;
    Ok([trace, squares].map(Estimate::exact))
}

fn estimated(operator: &mut Measured, plan: &MomentPlan) -> Result<[Estimate; 2], SpectrumError> {
    let sketch = Sketch::new(operator, plan)?;
    let (mut traces, mut squares) = (Vec::with_capacity(plan.probes), Vec::with_capacity(plan.probes));
    for probe in 0..plan.probes as u64 {
        let mut z = signs(&mut Stream::new(plan.seed, probe, Purpose::Probe), operator.dimension());
        sketch.project_out(&mut z);
        let mut image = operator.apply(&z)?;
        // z lies in the complement already: zᵀPAPz needs no second projection.
        traces.push(dot(&z, &image));
        sketch.project_out(&mut image);
        squares.push(dot(&image, &image));
    }
    let with_sketch = |exact: f64, values: &[f64]| {
        let rest = Estimate::from_replicas(values)
            .ok_or_else(|| SpectrumError::NotFinite { what: "what a probe says of the trace".into() })?;
        Ok(Estimate { value: exact + rest.value, ..rest })
    };
    Ok([with_sketch(sketch.trace, &traces)?, with_sketch(sketch.squares, &squares)?])
}

/// A subspace on which the matrix is known exactly.
struct Sketch {
    /// The orthonormal columns of Q.
    basis: Vec<Vec<f64>>,
    /// tr(QᵀAQ).
    trace: f64,
    /// 2‖AQ‖²_F − ‖QᵀAQ‖²_F.
    squares: f64,
}

impl Sketch {
    fn new(operator: &mut Measured, plan: &MomentPlan) -> Result<Self, SpectrumError> {
        let dimension = operator.dimension();
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for index in 0..plan.sketch.min(dimension) as u64 {
            let mut column = operator.apply(&signs(&mut Stream::new(plan.seed, index, Purpose::Sketch), dimension))?;
            let length = norm(&column);
            let left = orthogonalise(&mut column, &basis, &[], &mut []);
            if left > DEPENDENT * length {
                divide(&mut column, left);
                basis.push(column);
            }
        }
        let (mut trace, mut squares) = (0.0, 0.0);
        for (j, q) in basis.iter().enumerate() {
            let image = operator.apply(q)?;
            trace += dot(q, &image);
            squares += 2.0 * dot(&image, &image);
            for (i, other) in basis.iter().enumerate().take(j + 1) {
                let entry = dot(other, &image);
                squares -= if i == j { entry * entry } else { 2.0 * entry * entry };
            }
        }
        Ok(Self { basis, trace, squares })
    }

    /// Pv.
    fn project_out(&self, v: &mut [f64]) {
        for q in &self.basis {
            add_scaled(v, -dot(q, v), q);
        }
    }
}
