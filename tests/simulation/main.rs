//! The simulation put to the test: against exact laws, against itself on other threads, and against naive recounts.
//!
//! Seeds are fixed and were never tuned. Each statistical test states its false-failure rate: the probability, over
//! seeds, that a correct program fails it. Their sum is below 0.2 %, most of it the
//! 1e-3 of a run that must hold beside one that diverges; on an unchanged program they never fail.

mod binomials;
mod bowl;
mod crossover;
mod deterministic;
mod divergence;
mod invariant_law;
mod ladder;
mod laws;
mod memory;
mod missed;
mod normals;
mod observers;
mod orders;
mod reproducibility;
mod resuming;
mod scalar;
mod scaling;
mod stationarity;
mod streams;
mod support;
mod varying_noise;
mod weak_orders;
