//! Data sets: what is in them, what is refused and how, and that no bytes make a reader panic.
//!
//! Statistical tests have fixed seeds that were never tuned and allow six standard errors or more; together they fail a correct
//! program less than once in 10⁶ seeds.

mod bytes;
mod csv;
mod digits;
mod files;
mod generators;
mod idx;
mod npy;
mod preparing;
mod reading;
mod support;
