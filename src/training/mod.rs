//! Training of networks: R independent replicas of one network, as fast as the machine allows, with a choice of noise.
//!
//! A [`Recipe`] says how a step is taken, an [`Ensemble`] takes it for all replicas and [`Look`]s at them, [`weights`] keeps them in
//! files. Every replica has its own weights, its own start and its own random streams, each a pure function of (seed, replica); threads
//! are shared out over replicas, so results are the same to the byte for any number of threads.
//!
//! # A step
//!
//! v ← μv + g, θ ← θ − ηv (heavy ball as PyTorch's `SGD` without dampening, v = 0 before the first step), with g by [`Noise`]:
//!
//! | noise | g | mean | covariance | costs, in example gradients |
//! |---|---|---|---|---|
//! | minibatch | (1/S) Σ ∇ℓᵢ over a batch | ∇L | see [`crate::random::batches`] | S |
//! | example Gaussian | ∇L + B(θ)ξ/√S | ∇L | C(θ)/S | N, and N normals |
//! | frozen Gaussian | ∇L + B(θ*)ξ/√S | ∇L | C(θ*)/S | 2N, and N normals |
//! | isotropic | ∇L + σξ/√S | ∇L | σ²I/S | N, and d normals |
//! | none | ∇L | ∇L | 0 | N |
//! | SVAG(l) | (1 + √(2l−1))/2 · g₁ + (1 − √(2l−1))/2 · g₂, at η/l | ∇L | l·C/S | 2S |
//!
//! B = (∇ℓ₁ − ∇L | … | ∇ℓ_N − ∇L)/√N, so BBᵀ = C with divisor N. B is never formed: ∇L + Bξ/√S = Σ wᵢ∇ℓᵢ with
//! wᵢ = 1/N + (ξᵢ − ξ̄)/√(NS), which is one pass back with a weight per example.
//!
//! # Epochs
//!
//! An epoch is a measure of time: N examples. A step counts as S of them whatever its noise and however batches are drawn, so an epoch is N/S
//! steps of each kind; training to an epoch ends with the first step that ends at or after it, and a schedule changes η or S at the first step
//! that begins at or after its epoch. Constant η and S with η/S = n come to the SDE time t = Σ η_k = nN an epoch. SVAG(l) takes N/S steps of η/l
//! an epoch: l of its epochs stand for one of SGD.
//!
//! Shuffled batches are those of one order of all examples after another ([`crate::random::batches`]), each of ⌊N/S⌋ batches. Where S divides N
//! an order lasts an epoch, else a little less: the N mod S examples that come last in it are passed over, and the next order begins.
//!
//! ```
//! use std::sync::{Arc, atomic::AtomicBool};
//! use sgd_sde::data::{DataKind, DataSpec, Standardize};
//! use sgd_sde::network::{Activation, Architecture, Initialization, Network, Objective};
//! use sgd_sde::random::batches::Sampling;
//! use sgd_sde::training::{Control, Ensemble, Noise, Recipe, Schedule, Starts, TrainingData};
//!
//! let mut digits = DataSpec::new(DataKind::Digits);
//! digits.test_fraction = Some(0.2);
//! digits.standardize = Standardize::Global;
//! let digits = digits.load(1, std::path::Path::new("."))?;
//!
//! let architecture = Architecture { widths: vec![64, 16, 10], activation: Activation::Tanh, bias: true };
//! let network = Network { architecture, objective: Objective::CrossEntropy, weight_decay: 0.0 };
//! let data = Arc::new(TrainingData::<f32>::new(&network, &digits.training, digits.test.as_ref())?);
//! let recipe = Recipe {
//!     learning_rate: Schedule::constant(0.1),
//!     batch_size: Schedule::constant(16),
//!     momentum: 0.0,
//!     noise: Noise::Minibatch(Sampling::WithReplacement),
//! };
//! let starts = Starts::Drawn { law: Initialization::Glorot, replicas: 2 };
//! let mut ensemble = Ensemble::begin(&network, data, &recipe, 1, starts, 0)?;
//! let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
//! ensemble.advance(3.0, control)?;
//! for replica in ensemble.look(false).replicas.iter().flatten() {
//!     assert!(replica.test.unwrap().accuracy.unwrap() > 0.85);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arrival;
mod clock;
mod data;
mod ensemble;
mod metrics;
mod recipe;
mod replica;
mod schedule;
mod step;
pub mod weights;

pub use arrival::Arrival;
pub use data::{DataMismatch, TrainingData, examples};
pub use ensemble::{BeginError, Control, Ensemble, Interrupted, Starts, Status};
pub use metrics::{Look, Measured, Score};
pub use recipe::{Noise, Recipe, RecipeError};
pub use replica::Fate;
pub use schedule::{Schedule, ScheduleError};
