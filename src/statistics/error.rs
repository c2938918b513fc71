//! What can be wrong with the input of a statistic.

use thiserror::Error;

/// Why a statistic could not be computed. Each message says what was found and what is needed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum StatisticsError {
    /// Arrays that must agree in length do not.
    #[error("{what}: found {found}, expected {expected}")]
    Shape {
        /// Which array.
        what: String,
        /// Its length.
        found: usize,
        /// The length it must have.
        expected: usize,
    },
    /// A value that is not allowed: not finite, negative, or a row of fractions that does not sum to 1.
    #[error("{what} is {value}, {allowed}")]
    Value {
        /// Which value.
        what: String,
        /// What was found.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The statistic does not exist for these data; the text says why.
    #[error("{0}")]
    Undefined(String),
}
