//! The Gibbs rung in every dimension, against computations that share nothing with it.
#![allow(missing_docs)]

mod cubature;
mod ladder;
mod sampler;
mod support;
