//! SGD as a stochastic differential equation, put to the test.

pub mod dynamics;
pub mod ensemble;
pub mod experiment;
pub mod findings;
pub mod input;
pub mod landscape;
pub mod loss;
pub mod math;
pub mod noise;
pub mod random;
pub mod report;
pub mod scenario;
pub mod statistics;
pub mod theory;
