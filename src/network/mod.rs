//! Multilayer perceptrons: the loss of a network on examples, its gradients and its curvature, in single or double precision.
//!
//! a⁰ = x, zˡ = Wˡaˡ⁻¹ + bˡ, aˡ = φ(zˡ), and the last z is the output; the loss is
//!
//! L(θ) = (1/N) Σᵢ ℓ(z(xᵢ; θ), yᵢ) + (λ/2)|θ|²
//!
//! with softmax cross-entropy or half the squared error for ℓ ([`Objective`]) and the weight decay λ on all parameters, biases
//! included: without it cross-entropy has no minimum and exp(−L/T) no integral.
//!
//! # Layout
//!
//! θ is flat, in the order in which PyTorch lists the parameters of `Sequential(Linear, φ, Linear, …)`: of every layer the weights
//! `[output][input]`, then the biases. A batch of S examples holds its inputs row by row, `[S][inputs]`, since that is how they are
//! gathered; everything behind the first layer lies feature by feature, `[width][S]`. So matrix products run over examples, their
//! longest side, and activations, softmax and sums over classes over whole vector registers.
//!
//! ```text
//!   inputs [S][p]      z¹ → a¹ [h][S]        z² [q][S]
//!   x₁ ▭▭▭▭▭▭▭         ▭▭▭▭▭▭▭▭▭ unit 1      ▭▭▭▭▭▭▭▭▭ class 1
//!   x₂ ▭▭▭▭▭▭▭   W¹    ▭▭▭▭▭▭▭▭▭ unit 2  W²  ▭▭▭▭▭▭▭▭▭ class 2
//!   x₃ ▭▭▭▭▭▭▭   ──▶   ▭▭▭▭▭▭▭▭▭ unit 3  ──▶
//!                      example 1 … S
//! ```
//!
//! Products are those of the crate `gemm`, of one fixed shape per batch, so results do not depend on the number of threads; they are
//! promised per machine, since another one sums in another order.
//!
//! ```
//! use sgd_sde::network::{Activation, Architecture, Batch, Examples, Network, Objective, Targets, Workspace};
//!
//! // Two inputs, three hidden units, one output: half the squared distance to the exclusive or.
//! let architecture = Architecture { widths: vec![2, 3, 1], activation: Activation::Tanh, bias: true };
//! let network = Network { architecture, objective: Objective::SquaredError, weight_decay: 1e-3 };
//! let inputs = vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
//! let examples = Examples::new(inputs, 2, Targets::Values(vec![0.0, 1.0, 1.0, 0.0], 1))?;
//! let mut workspace = Workspace::new(&network, 4);
//! let mut theta = vec![0.1; network.parameters()];
//! let mut gradient = vec![0.0; network.parameters()];
//! let mut before = f64::INFINITY;
//! for _ in 0..20 {
//!     let loss = network.gradient(&theta, Batch::all(&examples), &mut gradient, &mut workspace);
//!     theta.iter_mut().zip(&gradient).for_each(|(theta, g)| *theta -= 0.1 * g);
//!     assert!(loss < before);
//!     before = loss;
//! }
//! # Ok::<(), sgd_sde::network::ExamplesError>(())
//! ```

mod activation;
mod architecture;
mod examples;
mod first_order;
mod initialization;
mod objective;
mod product;
mod real;
mod second_order;
mod small_loss;
mod weighted;
mod workspace;

pub use activation::Activation;
pub use architecture::{Architecture, Layer};
pub use examples::{Batch, Examples, ExamplesError, Targets};
pub use first_order::{Evaluation, MismatchError};
pub use initialization::Initialization;
pub use objective::Objective;
pub use real::Real;
pub use workspace::Workspace;

/// A multilayer perceptron with what it is trained for.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Layers and activation.
    pub architecture: Architecture,
    /// What the output is compared by.
    pub objective: Objective,
    /// λ of (λ/2)|θ|², on all parameters.
    pub weight_decay: f64,
}

impl Network {
    /// Number of parameters d.
    pub fn parameters(&self) -> usize {
        self.architecture.parameters()
    }
}
