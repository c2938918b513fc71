//! The loss of a network on its examples, as a function of θ like any other.

use std::sync::Arc;

use nalgebra::DMatrix;

use super::lanes::{Each, LaneNetwork, Same};
use super::units;
use crate::instructions::vectorized;
use crate::loss::finite_sum::FiniteSum;
use crate::loss::scratch::with_scratch;
use crate::loss::symmetry::Symmetry;
use crate::loss::{LANES, Loss};
use crate::network::{Batch, Examples, MismatchError, Network, Workspace};

/// Examples that the Hessian takes at once.
const PIECE: usize = 256;

/// L(θ) = (1/N) Σᵢ ℓ(z(xᵢ; θ), yᵢ) + (λ/2)|θ|² of a network and the examples that it is trained on.
///
/// ```
/// use std::sync::Arc;
/// use sgd_sde::loss::{Loss, network::NetworkLoss};
/// use sgd_sde::network::{Activation, Architecture, Examples, Network, Objective, Targets};
///
/// let architecture = Architecture { widths: vec![1, 2, 1], activation: Activation::Tanh, bias: false };
/// let network = Network { architecture, objective: Objective::SquaredError, weight_decay: 0.1 };
/// let examples = Examples::new(vec![-1.0, 1.0], 1, Targets::Values(vec![0.5, -0.5], 1))?;
/// let loss = NetworkLoss::new(network, Arc::new(examples))?;
/// // Without weights the output is 0, and ½·0.5² is left.
/// assert_eq!(loss.value(&[0.0; 4]), 0.125);
/// // Two units that change places, and the signs of each: 2!·2² images of the same function.
/// assert_eq!(loss.symmetry().expect("units are alike").images(&[0.1, 0.2, 0.3, 0.4]).len(), 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct NetworkLoss {
    lanes: LaneNetwork,
    examples: Arc<Examples<f64>>,
    symmetry: Option<Symmetry>,
}

impl NetworkLoss {
    /// The loss of a network on these examples.
    ///
    /// # Errors
    /// If the network does not take them.
    pub fn new(network: Network, examples: Arc<Examples<f64>>) -> Result<Self, MismatchError> {
        network.accepts(&examples)?;
        let symmetry = units::symmetry(&network.architecture);
        Ok(Self { lanes: LaneNetwork::new(network, &examples), examples, symmetry })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.lanes.network
    }

    /// All examples, each with the same weight.
    #[inline(always)]
    fn all<const N: usize>(&self, theta: &[[f64; N]], gradient: &mut [[f64; N]], rows: &mut [[f64; N]]) {
        let weight = [1.0 / self.lanes.examples() as f64; N];
        self.lanes.gradient_of(
            theta,
            self.lanes.examples(),
            #[inline(always)]
            |place| (Same(place), weight),
            gradient,
            rows,
        );
    }

    /// Some examples of one point: the k-th has an index and a weight.
    fn at_point(&self, theta: &[f64], count: usize, pick: impl Fn(usize) -> (usize, f64), gradient: &mut [f64]) {
        with_scratch(self.lanes.rows(), |rows| {
            vectorized(
                #[inline(always)]
                || {
                    self.lanes.gradient_of::<1, _>(
                        theta.as_chunks().0,
                        count,
                        #[inline(always)]
                        |place| {
                            let (example, weight) = pick(place);
                            (Same(example), [weight])
                        },
                        gradient.as_chunks_mut().0,
                        rows.as_chunks_mut().0,
                    );
                },
            );
        });
    }
}

impl Loss for NetworkLoss {
    fn dimension(&self) -> usize {
        self.network().parameters()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let mut value = [f64::NAN];
        with_scratch(self.lanes.rows(), |rows| {
            vectorized(
                #[inline(always)]
                || self.lanes.value_of::<1>(theta.as_chunks().0, &mut value, rows.as_chunks_mut().0),
            );
        });
        value[0]
    }

    fn gradient(&self, theta: &[f64], gradient: &mut [f64]) {
        with_scratch(self.lanes.rows(), |rows| {
            vectorized(
                #[inline(always)]
                || self.all::<1>(theta.as_chunks().0, gradient.as_chunks_mut().0, rows.as_chunks_mut().0),
            );
        });
    }

    fn hessian(&self, theta: &[f64]) -> DMatrix<f64> {
        let mut workspace = Workspace::new(self.network(), PIECE.min(self.examples.count()));
        self.network().hessian(theta, Batch::all(&self.examples), &mut workspace)
    }

    fn finite_sum(self: Arc<Self>) -> Option<Arc<dyn FiniteSum>> {
        Some(self)
    }

    fn symmetry(&self) -> Option<&Symmetry> {
        self.symmetry.as_ref()
    }

    /// Its Hessian, a product for every parameter and without lanes, takes as long as the slopes of a block for hundreds of steps.
    fn explicit_steps(&self) -> u32 {
        2048
    }

    fn block_scratch(&self) -> usize {
        self.lanes.rows() * LANES
    }

    fn gradient_block(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        vectorized(
            #[inline(always)]
            || self.all::<LANES>(theta.as_chunks().0, gradient.as_chunks_mut().0, scratch.as_chunks_mut().0),
        );
    }

    fn value_block(&self, theta: &[f64], value: &mut [f64], scratch: &mut [f64]) {
        let Some(value) = value.first_chunk_mut::<LANES>() else { return };
        vectorized(
            #[inline(always)]
            || self.lanes.value_of(theta.as_chunks().0, value, scratch.as_chunks_mut().0),
        );
    }
}

impl FiniteSum for NetworkLoss {
    fn examples(&self) -> usize {
        self.lanes.examples()
    }

    fn batch_gradient(&self, theta: &[f64], batch: &[u32], gradient: &mut [f64]) {
        let weight = 1.0 / batch.len() as f64;
        self.at_point(theta, batch.len(), |place| (batch[place] as usize, weight), gradient);
    }

    fn example_gradients(&self, theta: &[f64], batch: &[u32], rows: &mut [f64]) {
        for (&example, row) in batch.iter().zip(rows.chunks_exact_mut(theta.len())) {
            self.at_point(theta, 1, |_| (example as usize, 1.0), row);
        }
    }

    fn weighted_gradient(&self, theta: &[f64], weights: &[f64], gradient: &mut [f64]) {
        self.at_point(theta, weights.len(), |place| (place, weights[place]), gradient);
    }

    fn sum_scratch(&self, _examples: usize) -> usize {
        self.block_scratch()
    }

    fn batch_gradient_block(&self, theta: &[f64], batches: &[u32], gradient: &mut [f64], scratch: &mut [f64]) {
        let size = batches.len() / LANES;
        let weight = [1.0 / size as f64; LANES];
        vectorized(
            #[inline(always)]
            || {
                self.lanes.gradient_of::<LANES, _>(
                    theta.as_chunks().0,
                    size,
                    #[inline(always)]
                    |place| (Each(std::array::from_fn(|lane| batches[lane * size + place] as usize)), weight),
                    gradient.as_chunks_mut().0,
                    scratch.as_chunks_mut().0,
                );
            },
        );
    }

    fn weighted_gradient_block(&self, theta: &[f64], weights: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        let weights = weights.as_chunks::<LANES>().0;
        vectorized(
            #[inline(always)]
            || {
                self.lanes.gradient_of::<LANES, _>(
                    theta.as_chunks().0,
                    weights.len(),
                    #[inline(always)]
                    |place| (Same(place), weights[place]),
                    gradient.as_chunks_mut().0,
                    scratch.as_chunks_mut().0,
                );
            },
        );
    }
}
