//! Stand-in until the branch `expression` is merged: the signature, without the formula.

mod spec;

use nalgebra::DMatrix;

pub use spec::ExpressionSpec;

use super::Loss;

/// A loss typed as a formula.
pub struct Expression(usize);

/// What is wrong with a formula.
#[derive(Clone, Debug, PartialEq)]
pub struct FormulaError {
    /// First byte of the formula concerned.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub suggestion: Option<String>,
}

impl std::fmt::Display for FormulaError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.message)
    }
}

impl Expression {
    /// A loss in these variables.
    ///
    /// # Errors
    /// None yet.
    pub fn new(variables: &[String], _parameters: &[(String, f64)], _formula: &str) -> Result<Self, FormulaError> {
        Ok(Self(variables.len()))
    }
}

impl Loss for Expression {
    fn dimension(&self) -> usize {
        self.0
    }

    fn value(&self, _theta: &[f64]) -> f64 {
        0.0
    }

    fn gradient(&self, _theta: &[f64], gradient: &mut [f64]) {
        gradient.fill(0.0);
    }

    fn hessian(&self, _theta: &[f64]) -> DMatrix<f64> {
        DMatrix::zeros(self.0, self.0)
    }
}
