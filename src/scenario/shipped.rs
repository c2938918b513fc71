//! The scenarios that come with the program, embedded so that `sgd-sde run NAME` works anywhere.

use super::load::{Loaded, parse};
use crate::input::Problems;

/// A scenario that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// What `sgd-sde run` calls it.
    pub name: &'static str,
    /// Its file.
    pub text: &'static str,
}

impl Shipped {
    /// Reads it, with overrides as typed after `--set` and a seed as typed after `--seed`.
    ///
    /// # Errors
    /// When an override is wrong.
    pub fn load(&self, overrides: &[String], seed: Option<u64>) -> Result<Loaded, Problems> {
        parse(self.text, &self.file(), overrides, seed)
    }

    /// How messages call its file.
    pub fn file(&self) -> String {
        format!("scenarios/{}.toml", self.name)
    }
}

/// Embeds files of the folder `scenarios` by name: to add one, add its name to the list below.
macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(Shipped { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) }),*]
    };
}

const SHIPPED: &[Shipped] = embed![
    "double-well",
    "width-against-depth",
    "finite-learning-rate",
    "quartic-cold",
    "too-large-step",
    "frozen",
    "anisotropic-noise",
    "curvature-noise",
    "three-wells-2d",
    "ten-dimensional-wells",
    "tiny-network",
    "tiny-network-minibatches",
    "bowl",
    "sde-order",
    "sde-order-bowl",
    "crossover",
    "svag",
    "same-dynamics",
    "width-and-noise",
    "proportional-scaling-bowl",
    "proportional-scaling-wells",
    "proportional-scaling-tiny-network",
    "proportional-scaling-digits",
    "gibbs-density-1d",
    "gibbs-density-2d",
    "temperature-pair",
    "minibatch-noise",
    "minibatch-noise-first-weights",
    "heavy-tailed-noise",
];

/// All scenarios that come with the program, in the order of the talk.
pub fn shipped() -> &'static [Shipped] {
    SHIPPED
}

/// The scenarios that a name stands for: the one of that name, or all of the family `NAME-…`; none if unknown.
pub fn resolve(name: &str) -> Vec<Shipped> {
    if let Some(one) = SHIPPED.iter().find(|shipped| shipped.name == name) {
        return vec![*one];
    }
    let is_member = |shipped: &&Shipped| {
        // A family has several members: one word of a single name is no name.
        shipped.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-') && !rest[1..].contains('-'))
    };
    let family: Vec<Shipped> = SHIPPED.iter().filter(is_member).copied().collect();
    if family.len() > 1 { family } else { Vec::new() }
}
