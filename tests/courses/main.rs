//! Experiments that train networks, from a scenario to its verdict.

mod curves;
mod refusals;
mod starts;
mod support;
mod svag;
mod width;
