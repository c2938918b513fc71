//! Experiments that train networks, from a scenario to its verdict.

mod curves;
mod missing;
mod refusals;
mod starts;
mod stationary_loss;
mod support;
mod svag;
mod times;
mod width;
