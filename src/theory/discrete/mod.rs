//! The law of the chain at its finite step δ: what SGD itself does, beyond its SDE.
//!
//! Euler–Maruyama (and SGD with Gaussian noise, δ = η) is a Markov chain with the transfer operator
//! K(θ′|θ) = N(θ′; θ − δ∇L(θ), 2Tδ). In one dimension it is solved for its stationary law ([`mod@line`]), in the plane too
//! where that is worth its time ([`plane`]), and in any dimension where the loss is a sum of functions of different
//! coordinates, each of which moves by itself ([`product`]). Elsewhere there is the first order in δ, with a bound of what it leaves out
//! ([`first_order`]), which grows with the barriers on the ways between the minima ([`ways`]). Of Leimkuhler–Matthews, whose law is that of
//! the SDE to second order, there is the bias from it ([`scheme_bias`]).

pub mod bounds;
pub mod finite_step;
pub mod first_order;
mod jumps;

pub mod leimkuhler_matthews;
pub mod line;
mod nodes;
pub mod plane;
pub mod product;
pub mod scheme_bias;
pub mod ways;

#[cfg(test)]
mod kinked_tests;

pub use finite_step::{Care, Case, FiniteStep, Method, NoFiniteStep};
pub use line::{Chain, DiscreteLaw};
pub use scheme_bias::{BiasMethod, NoSchemeBias, SchemeBias};

/// Why the chain's law is not given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoDiscreteLaw {
    /// exp(−L/T) has no finite integral, or L does not rise enough.
    #[error("the loss does not rise enough around the domain, or is not defined there, for a stationary law")]
    NotConfined,
    /// The chain runs away.
    #[error(
        "the chain leaves the range of the loss with probability {0:.1e} a step: at this step it has no stationary law"
    )]
    Escapes(f64),
    /// The grid that the step asks for is too large.
    #[error("the transfer operator needs more than {0} points at this step and temperature")]
    TooFine(usize),
    /// The operator has a law, but not for a question that asks many times.
    #[error("the transfer operator takes too long to be asked many times")]
    TooSlow,
    /// The occupancies still moved when a further refinement would have cost too much.
    #[error(
        "the transfer operator did not settle as its grid was refined: the loss has kinks or jumps, is very stiff, or the step is very small"
    )]
    Unsettled,
    /// The mean step jumps where the chain passes, and neither a grid nor an expansion holds across that.
    #[error(
        "the slope of the loss jumps, as at θ = {0}, and so does the mean step: no grid resolves that, and no expansion in δ holds"
    )]
    Jumps(String),
    /// A step of Leimkuhler–Matthews maps two places to one where the chain passes.
    #[error("the step folds the line where the chain passes: δL″ > 2 there")]
    Folds,
    /// The wells exchange no mass within the reach of the numbers.
    #[error("the wells exchange too little mass for double precision at this temperature")]
    Disconnected,
}
