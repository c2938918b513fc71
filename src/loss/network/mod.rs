//! `loss.kind = "network"`: a multilayer perceptron on the data of `[data]`, small enough for its minima to be found and for thousands of
//! copies to wander between them.
//!
//! The passes for large networks are in [`crate::network`]; [`NetworkLoss`] has its own, in which the lanes of a block hold
//! different θ (`lanes.rs`). Units that can change places make every minimum one of many images (`units.rs`).

mod lanes;
mod loss;
mod spec;
mod units;

pub use loss::NetworkLoss;
pub use spec::{Given, MOST_SEARCHED, NetworkSpec};
pub use units::{MOST_IMAGES, images};
