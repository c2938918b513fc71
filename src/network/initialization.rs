//! Where training begins: weights drawn at random, biases 0.

use serde::{Deserialize, Serialize};

use super::{Architecture, Real};
use crate::lanes::LANES;
use crate::random::Purpose;
use crate::random::increments::IncrementBlock;

/// The law of the first weights; a layer takes `inputs` numbers and gives `outputs`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialization {
    /// N(0, 2/inputs) (He, Zhang, Ren, Sun 2015), for ReLU.
    He,
    /// N(0, 2/(inputs + outputs)) (Glorot, Bengio 2010), for tanh.
    Glorot,
    /// N(0, s²/inputs), with s given.
    Normal(f64),
}

impl Initialization {
    fn deviation(self, inputs: usize, outputs: usize) -> f64 {
        match self {
            Self::He => (2.0 / inputs as f64).sqrt(),
            Self::Glorot => (2.0 / (inputs + outputs) as f64).sqrt(),
            Self::Normal(scale) => scale / (inputs as f64).sqrt(),
        }
    }

    /// The first weights of a replica, a pure function of seed and replica; biases are 0.
    pub fn draw<T: Real>(self, architecture: &Architecture, seed: u64, replica: u64) -> Vec<T> {
        let mut theta = vec![T::ZERO; architecture.parameters()];
        // Of a block of trajectories the first is drawn, a few rows at a time.
        let mut normals = IncrementBlock::for_purpose(seed, replica, Purpose::Initialization);
        let mut rows = vec![0.0; 32 * LANES];
        for layer in architecture.layers() {
            let deviation = self.deviation(layer.inputs, layer.outputs);
            for weights in theta[layer.weights].chunks_mut(32) {
                let rows = &mut rows[..weights.len() * LANES];
                normals.fill(rows);
                for (weight, row) in weights.iter_mut().zip(rows.chunks_exact(LANES)) {
                    *weight = T::from_f64(deviation * row[0]);
                }
            }
        }
        theta
    }
}
