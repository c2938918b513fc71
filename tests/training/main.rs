//! The training of networks: steps against their formulas, noise against the covariance of example gradients, fates, threads and files.
//!
//! Statistical tests are in `noises`; their false-failure rate is stated there, and is below 10⁻³ for all of them together.

mod arrival;
mod data;
mod fates;
mod files;
mod looks;
mod noises;
mod schedules;
mod steps;
mod support;
mod threads;
