//! The program's own statistics, put to the test: against published values, against ArviZ, and on Markov chains whose law is
//! known.
//!
//! Tests by simulation repeat an experiment 2,000 times with fixed seeds that were never tuned. Their bounds are the
//! 0.1 % (one-sided: 99.9 %) points of the binomial law, so each states its false-failure rate; there are 17 such
//! bounds, of about 1e−3 each or less, so the whole suite fails by chance in at most about 1.2 % of the choices of seeds, and
//! never on an unchanged program.

mod arviz;
mod coverage;
mod equilibration;
mod judging;
mod markov;
mod special;
mod verdicts;
