//! SGD as a stochastic differential equation, put to the test.
#![warn(missing_docs)]

pub mod loss;
pub mod math;
pub mod statistics;
