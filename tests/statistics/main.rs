//! The program's own statistics, put to the test: against published values, against ArviZ, and on Markov chains whose law is
//! known.
//!
//! Tests by simulation repeat an experiment 2,000 times with fixed seeds that were never tuned. Each states its
//! false-failure rate: the probability, over seeds, that a correct program fails it. Their sum is below 0.9 %
//! (coverage 5e-3, judging 3e-3, few transitions 1e-3, the gate below 1e-4); on an unchanged program they never fail.

mod arviz;
mod coverage;
mod distance;
mod equilibration;
mod few_transitions;
mod judging;
mod laws;
mod lines;
mod logistic;
mod looks;
mod margins;
mod markov;
mod memory;
mod rank_correlation;
mod special;
mod verdicts;
