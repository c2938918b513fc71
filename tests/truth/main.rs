//! The library against a table of exact laws, and its labels against those of another integrator.
//!
//! `reference.json` and `labels.json` are made by the Python scripts beside them, which share nothing with the library; README.md says
//! what is in them. A value is right to the digits that it states. What is allowed beyond them is what the library says of its own accuracy,
//! by kind of quantity; no case has a tolerance of its own.
#![allow(missing_docs)]

mod answers;
mod bowls;
mod labels;
mod table;
