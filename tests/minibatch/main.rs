//! Real minibatches put to the test: their draws, the covariance of their gradients, and what moves by them, against exact laws.
//!
//! Seeds are fixed and were never tuned. Each statistical test states its false-failure rate; their sum is below 0.25 %, most of
//! it the 0.17 % of the one in which every entry has to be within 4 standard errors.

#![allow(clippy::print_stdout, reason = "the numbers behind a verdict, for `--nocapture`")]

mod bits;
mod bowl;
mod draws;
mod gradients;
mod noise_ladder;
mod regression;
mod scenarios;
mod support;
