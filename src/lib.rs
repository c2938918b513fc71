//! SGD as a stochastic differential equation, put to the test.

pub mod dynamics;
pub mod findings;
pub mod loss;
pub mod math;
pub mod noise;
pub mod report;
pub mod scenario;
pub mod statistics;
