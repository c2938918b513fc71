//! Room for the passes through a network, allocated once.

use super::{Network, Real};

/// Room for batches of up to a given size; larger ones are worked through in pieces. What it holds between calls means nothing.
#[derive(Clone, Debug)]
pub struct Workspace<T> {
    /// Most examples at once.
    pub(super) capacity: usize,
    /// Inputs of the batch, `[S][p]`.
    pub(super) inputs: Vec<T>,
    /// Targets, `[output][S]`, and one of them.
    pub(super) targets: Vec<T>,
    pub(super) target: Vec<T>,
    /// Per layer.
    pub(super) layers: Vec<LayerRoom<T>>,
    /// Rows for sums over the outputs.
    pub(super) room: Vec<T>,
}

/// What a pass leaves in one layer, everything `[width][S]`.
#[derive(Clone, Debug)]
pub(super) struct LayerRoom<T> {
    /// z, then a = φ(z); of the last layer the output.
    pub a: Vec<T>,
    /// φ′(z).
    pub slope: Vec<T>,
    /// ∂L/∂z.
    pub delta: Vec<T>,
    /// For Hessian products; empty until the first of them.
    pub second: SecondRoom<T>,
}

/// Derivatives along a direction v in θ.
#[derive(Clone, Debug, Default)]
pub(super) struct SecondRoom<T> {
    /// φ″(z).
    pub bend: Vec<T>,
    /// ∂z/∂v and ∂a/∂v.
    pub z: Vec<T>,
    pub a: Vec<T>,
    /// ∂²L/∂z∂v.
    pub delta: Vec<T>,
}

impl<T: Real> Workspace<T> {
    /// Room for batches of up to `capacity` examples, at least one.
    pub fn new(network: &Network, capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let rows = |count: usize| vec![T::ZERO; count * capacity];
        let layer = |width: &usize| LayerRoom {
            a: rows(*width),
            slope: rows(*width),
            delta: rows(*width),
            second: SecondRoom::default(),
        };
        let architecture = &network.architecture;
        Self {
            capacity,
            inputs: rows(architecture.inputs()),
            targets: rows(architecture.outputs()),
            target: vec![T::ZERO; architecture.outputs()],
            layers: architecture.widths[1..].iter().map(layer).collect(),
            room: rows(2),
        }
    }

    /// Makes sure of the room for Hessian products.
    pub(super) fn for_second_order(&mut self) {
        for LayerRoom { a, second, .. } in &mut self.layers {
            if second.bend.is_empty() {
                let rows = vec![T::ZERO; a.len()];
                *second = SecondRoom { bend: rows.clone(), z: rows.clone(), a: rows.clone(), delta: rows };
            }
        }
    }
}
