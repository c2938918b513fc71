//! A symmetric matrix known by its products.

use nalgebra::DMatrix;

use super::SpectrumError;
use super::vector::{dot, norm};

/// A symmetric matrix A ∈ ℝᵈˣᵈ known by its products.
///
/// Nothing checks that it is symmetric: where it is not, results are those of no matrix.
pub trait SymmetricOperator {
    /// The number d of rows and of columns.
    fn dimension(&self) -> usize;

    /// Writes Av to `out`; both slices have length d. What `out` holds before does not matter.
    fn apply(&mut self, v: &[f64], out: &mut [f64]);
}

/// The matrix must be square. Only its columns are read, row j of a symmetric matrix being its column j.
impl SymmetricOperator for DMatrix<f64> {
    fn dimension(&self) -> usize {
        self.nrows()
    }

    fn apply(&mut self, v: &[f64], out: &mut [f64]) {
        // Not by nalgebra's product, which fuses products and sums where the processor can.
        for (out, column) in out.iter_mut().zip(self.as_slice().chunks_exact(v.len())) {
            *out = dot(column, v);
        }
    }
}

/// A closure `(v, out)` that writes Av to `out`, as an operator.
pub struct Products<F> {
    dimension: usize,
    product: F,
}

impl<F: FnMut(&[f64], &mut [f64])> Products<F> {
    /// The operator of dimension d whose products the closure makes.
    pub fn new(dimension: usize, product: F) -> Self {
        Self { dimension, product }
    }
}

impl<F: FnMut(&[f64], &mut [f64])> SymmetricOperator for Products<F> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn apply(&mut self, v: &[f64], out: &mut [f64]) {
        (self.product)(v, out);
    }
}

/// An operator whose products are counted and looked at.
pub(super) struct Measured<'a> {
    operator: &'a mut dyn SymmetricOperator,
    /// How many products were made.
    pub(super) products: usize,
    /// The largest ‖Av‖ of a unit vector v so far, a lower bound of ‖A‖₂.
    pub(super) norm: f64,
}

impl<'a> Measured<'a> {
    /// [`SpectrumError::Empty`] for d = 0.
    pub(super) fn new(operator: &'a mut dyn SymmetricOperator) -> Result<Self, SpectrumError> {
        if operator.dimension() == 0 {
            return Err(SpectrumError::Empty);
        }
        Ok(Self { operator, products: 0, norm: 0.0 })
    }

    pub(super) fn dimension(&self) -> usize {
        self.operator.dimension()
    }

    /// Av of a vector of any length; [`SpectrumError::NotFinite`] if one of its numbers is not finite.
    pub(super) fn apply(&mut self, v: &[f64]) -> Result<Vec<f64>, SpectrumError> {
        let mut out = vec![0.0; v.len()];
        self.operator.apply(v, &mut out);
        self.products += 1;
        if out.iter().all(|x| x.is_finite()) {
            return Ok(out);
        }
        Err(SpectrumError::NotFinite { what: format!("a coordinate of product {} of the matrix", self.products) })
    }

    /// Av of a unit vector, whose length tells of ‖A‖₂.
    pub(super) fn apply_to_unit(&mut self, v: &[f64]) -> Result<Vec<f64>, SpectrumError> {
        let out = self.apply(v)?;
        let length = norm(&out);
        if !length.is_finite() {
            return Err(SpectrumError::NotFinite {
                what: format!("the length of product {} of the matrix", self.products),
            });
        }
        self.norm = self.norm.max(length);
        Ok(out)
    }
}
