//! Loss, gradient and per-example gradients: one pass forward, one back.

use super::objective::Comparison;
use super::product::{Matrix, multiply};
use super::small_loss::LossSum;
use super::workspace::LayerRoom;
use super::{Batch, Examples, Layer, Network, Real, Targets, Workspace};
use crate::instructions::vectorized;
use crate::math;

/// What a network does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MismatchError {
    /// Inputs of another width.
    #[error("found inputs of {found} numbers for a network that takes {expected}; change the first width or the data")]
    Inputs {
        /// Of the examples.
        found: usize,
        /// Of the network.
        expected: usize,
    },
    /// A label beyond the outputs.
    #[error(
        "found label {label} at example {example} for a network with {outputs} outputs; labels count from 0, so the last \
         width must be at least {}",
        label + 1
    )]
    Label {
        /// Index of the example.
        example: usize,
        /// Its label.
        label: u32,
        /// Outputs of the network.
        outputs: usize,
    },
    /// Targets of another width.
    #[error(
        "found targets of {found} numbers for a network with {expected} outputs; change the last width or the data"
    )]
    Targets {
        /// Of the examples.
        found: usize,
        /// Of the network.
        expected: usize,
    },
}

/// How well a network does on a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean of ℓ, without weight decay, in double precision from the outputs on: 0 only below the smallest double.
    pub objective: f64,
    /// Its logarithm, which goes on where the mean itself is 0; −∞ only where every ℓ is.
    pub log_objective: f64,
    /// Examples whose largest output is at their label (or at the largest of their target values).
    pub correct: usize,
}

impl Network {
    /// Whether the network can be trained on these examples.
    ///
    /// # Errors
    /// If their inputs, labels or targets are not of its widths.
    pub fn accepts<T: Real>(&self, examples: &Examples<T>) -> Result<(), MismatchError> {
        let (inputs, outputs) = (self.architecture.inputs(), self.architecture.outputs());
        if examples.width() != inputs {
            return Err(MismatchError::Inputs { found: examples.width(), expected: inputs });
        }
        match examples.targets() {
            Targets::Labels(labels) => match labels.iter().position(|&label| label as usize >= outputs) {
                Some(example) => Err(MismatchError::Label { example, label: labels[example], outputs }),
                None => Ok(()),
            },
            Targets::Values(_, width) if *width != outputs => {
                Err(MismatchError::Targets { found: *width, expected: outputs })
            }
            Targets::Values(..) => Ok(()),
        }
    }

    /// The mean loss over a batch, weight decay included. In sums over examples it is double precision whatever T is.
    pub fn loss<T: Real>(&self, theta: &[T], batch: Batch<T>, workspace: &mut Workspace<T>) -> f64 {
        let mut sum = 0.0;
        for piece in batch.pieces(workspace.capacity) {
            self.gather(piece, workspace);
            self.forward(theta, piece.len(), workspace);
            sum += self.compare(piece.len(), workspace);
        }
        sum / batch.len() as f64 + self.decay_of(theta)
    }

    /// How many examples of a batch have their largest output at their label (or at the largest of their target values).
    pub fn correct<T: Real>(&self, theta: &[T], batch: Batch<T>, workspace: &mut Workspace<T>) -> usize {
        self.evaluate(theta, batch, workspace).correct
    }

    /// What a pass forward tells of a batch.
    pub fn evaluate<T: Real>(&self, theta: &[T], batch: Batch<T>, workspace: &mut Workspace<T>) -> Evaluation {
        let (mut sum, mut correct) = (LossSum::new(), 0);
        for piece in batch.pieces(workspace.capacity) {
            self.gather(piece, workspace);
            self.forward(theta, piece.len(), workspace);
            correct += self.count_correct(piece.len(), workspace);
            let length = self.architecture.outputs() * piece.len();
            let outputs = &workspace.layers[self.architecture.depth() - 1].a[..length];
            sum.add(self.objective, outputs, &workspace.targets[..length], piece.len());
        }
        let count = batch.len() as f64;
        Evaluation { objective: sum.value() / count, log_objective: sum.logarithm() - math::ln(count), correct }
    }

    /// Of the gathered batch.
    fn count_correct<T: Real>(&self, size: usize, workspace: &Workspace<T>) -> usize {
        let outputs = &workspace.layers[self.architecture.depth() - 1].a;
        let largest = |rows: &[T], s: usize| {
            let mut best = 0;
            for row in 1..self.architecture.outputs() {
                best = if rows[row * size + s] > rows[best * size + s] { row } else { best };
            }
            best
        };
        (0..size).filter(|&s| largest(outputs, s) == largest(&workspace.targets, s)).count()
    }

    /// Writes ∇L over a batch into `gradient`, length d, weight decay included; returns the loss.
    pub fn gradient<T: Real>(
        &self,
        theta: &[T],
        batch: Batch<T>,
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> f64 {
        let share = T::from_f64(1.0 / batch.len() as f64);
        let mut sum = 0.0;
        for (index, piece) in batch.pieces(workspace.capacity).enumerate() {
            self.gather(piece, workspace);
            self.forward(theta, piece.len(), workspace);
            sum += self.compare(piece.len(), workspace);
            self.scale_delta(piece.len(), share, workspace);
            self.backward(theta, piece.len(), gradient, index > 0, workspace);
        }
        self.add_decay(theta, gradient);
        sum / batch.len() as f64 + self.decay_of(theta)
    }

    /// Writes ∇ℓᵢ of every example of a batch, `[S][d]`, each with the weight decay: their mean is ∇L.
    pub fn example_gradients<T: Real>(
        &self,
        theta: &[T],
        batch: Batch<T>,
        rows: &mut [T],
        workspace: &mut Workspace<T>,
    ) {
        let d = self.parameters();
        let mut rows = rows.chunks_exact_mut(d);
        for piece in batch.pieces(workspace.capacity) {
            let size = piece.len();
            self.gather(piece, workspace);
            self.forward(theta, size, workspace);
            self.compare(size, workspace);
            // The sums over the batch that come along are not needed, its deltas are.
            self.deltas(theta, size, workspace);
            for (s, row) in (0..size).zip(rows.by_ref()) {
                self.example_gradient(s, size, row, workspace);
                self.add_decay(theta, row);
            }
        }
    }

    /// Of one example: the outer product of its delta and what came into the layer.
    fn example_gradient<T: Real>(&self, s: usize, size: usize, row: &mut [T], workspace: &Workspace<T>) {
        for (index, layer) in self.architecture.layers().enumerate() {
            let delta = &workspace.layers[index].delta;
            for (output, weights) in row[layer.weights.clone()].chunks_exact_mut(layer.inputs).enumerate() {
                let delta = delta[output * size + s];
                if index == 0 {
                    let input = &workspace.inputs[s * layer.inputs..(s + 1) * layer.inputs];
                    weights.iter_mut().zip(input).for_each(|(weight, x)| *weight = delta * *x);
                } else {
                    let a = workspace.layers[index - 1].a[s..].iter().step_by(size);
                    weights.iter_mut().zip(a).for_each(|(weight, a)| *weight = delta * *a);
                }
            }
            for (output, bias) in row[layer.biases].iter_mut().enumerate() {
                *bias = delta[output * size + s];
            }
        }
    }

    /// Copies inputs and targets of a batch to where products find them.
    pub(super) fn gather<T: Real>(&self, batch: Batch<T>, workspace: &mut Workspace<T>) {
        let (width, size) = (self.architecture.inputs(), batch.len());
        for place in 0..size {
            let example = batch.index(place);
            workspace.inputs[place * width..(place + 1) * width].copy_from_slice(batch.examples.input(example));
            batch.examples.target(example, &mut workspace.target);
            for (row, y) in workspace.targets.chunks_exact_mut(size).zip(&workspace.target) {
                row[place] = *y;
            }
        }
    }

    /// a and φ′ of every layer, for the gathered batch of `size` examples.
    pub(super) fn forward<T: Real>(&self, theta: &[T], size: usize, workspace: &mut Workspace<T>) {
        let last = self.architecture.depth() - 1;
        for (index, layer) in self.architecture.layers().enumerate() {
            let (before, here) = workspace.layers.split_at_mut(index);
            let LayerRoom { a, slope, .. } = &mut here[0];
            let a = &mut a[..layer.outputs * size];
            let came_in = incoming(&layer, before, &workspace.inputs, size);
            linear(&layer, theta, came_in, a, size, false);
            if index < last {
                self.architecture.activation.apply(a, &mut slope[..layer.outputs * size]);
            }
        }
    }

    /// Σ ℓ over the gathered batch; the deltas of the last layer are then those of the sum.
    pub(super) fn compare<T: Real>(&self, size: usize, workspace: &mut Workspace<T>) -> f64 {
        let length = self.architecture.outputs() * size;
        let LayerRoom { a, delta, .. } = &mut workspace.layers[self.architecture.depth() - 1];
        self.objective.compare(Comparison {
            output: &mut a[..length],
            target: &workspace.targets[..length],
            delta: &mut delta[..length],
            room: &mut workspace.room,
            size,
        })
    }

    /// Makes the deltas of the last layer those of a mean.
    pub(super) fn scale_delta<T: Real>(&self, size: usize, share: T, workspace: &mut Workspace<T>) {
        let delta = &mut workspace.layers[self.architecture.depth() - 1].delta;
        delta[..self.architecture.outputs() * size].iter_mut().for_each(|delta| *delta *= share);
    }

    /// From the deltas of the last layer to all deltas and the gradient, which is added to if `add`.
    pub(super) fn backward<T: Real>(
        &self,
        theta: &[T],
        size: usize,
        gradient: &mut [T],
        add: bool,
        workspace: &mut Workspace<T>,
    ) {
        self.deltas(theta, size, workspace);
        for (index, layer) in self.architecture.layers().enumerate() {
            let delta = &workspace.layers[index].delta[..layer.outputs * size];
            let came_in = incoming(&layer, &workspace.layers[..index], &workspace.inputs, size);
            outer(&layer, gradient, delta, came_in, size, add);
        }
    }

    /// ∂L/∂z of every layer from that of the last: W ᵀδ ∘ φ′.
    fn deltas<T: Real>(&self, theta: &[T], size: usize, workspace: &mut Workspace<T>) {
        for (index, layer) in self.architecture.layers().enumerate().skip(1).rev() {
            let (before, here) = workspace.layers.split_at_mut(index);
            let LayerRoom { delta: below, slope, .. } = &mut before[index - 1];
            let below = &mut below[..layer.inputs * size];
            let weights = Matrix::new(&theta[layer.weights], layer.outputs, layer.inputs);
            multiply(below, weights.transposed(), Matrix::new(&here[0].delta, layer.outputs, size), false);
            vectorized(
                #[inline(always)]
                || {
                    below.iter_mut().zip(slope.iter()).for_each(
                        #[inline(always)]
                        |(delta, slope)| *delta *= *slope,
                    )
                },
            );
        }
    }

    /// (λ/2)|θ|², the weight decay's part of the loss.
    pub fn decay_of<T: Real>(&self, theta: &[T]) -> f64 {
        if self.weight_decay == 0.0 {
            return 0.0;
        }
        0.5 * self.weight_decay * theta.iter().map(|theta| theta.to_f64() * theta.to_f64()).sum::<f64>()
    }

    /// Adds λv, the weight decay's part in a gradient at v or in a Hessian product with v.
    pub(super) fn add_decay<T: Real>(&self, v: &[T], result: &mut [T]) {
        if self.weight_decay > 0.0 {
            let decay = T::from_f64(self.weight_decay);
            result.iter_mut().zip(v).for_each(|(result, v)| *result += decay * *v);
        }
    }
}

/// What comes into a layer, as a matrix `[inputs][S]`: the batch, or what the layer before put out.
pub(super) fn incoming<'a, T: Real>(
    layer: &Layer,
    before: &'a [LayerRoom<T>],
    inputs: &'a [T],
    size: usize,
) -> Matrix<'a, T> {
    match before.last() {
        None => Matrix::new(inputs, size, layer.inputs).transposed(),
        Some(before) => Matrix::new(&before.a, layer.inputs, size),
    }
}

/// Writes Wx + b, `[outputs][S]`, W and b being a layer's parameters in `theta`, or adds it.
pub(super) fn linear<T: Real>(
    layer: &Layer,
    theta: &[T],
    came_in: Matrix<T>,
    result: &mut [T],
    size: usize,
    add: bool,
) {
    let weights = Matrix::new(&theta[layer.weights.clone()], layer.outputs, layer.inputs);
    let biases = &theta[layer.biases.clone()];
    for (row, bias) in result.chunks_exact_mut(size).zip(biases) {
        if add {
            row.iter_mut().for_each(|z| *z += *bias);
        } else {
            row.fill(*bias);
        }
    }
    multiply(result, weights, came_in, add || !biases.is_empty());
}

/// Writes Σ_s δ_s x_sᵀ and Σ_s δ_s to where a layer's weights and biases lie in `result`, or adds them.
pub(super) fn outer<T: Real>(layer: &Layer, result: &mut [T], delta: &[T], came_in: Matrix<T>, size: usize, add: bool) {
    let weights = &mut result[layer.weights.clone()];
    multiply(weights, Matrix::new(delta, layer.outputs, size), came_in.transposed(), add);
    for (bias, row) in result[layer.biases.clone()].iter_mut().zip(delta.chunks_exact(size)) {
        let sum = sum(row);
        *bias = if add { *bias + sum } else { sum };
    }
}

/// The sum of a row, 16 parts side by side: one order of summation for every instruction set.
fn sum<T: Real>(row: &[T]) -> T {
    const PARTS: usize = 16;
    vectorized(
        #[inline(always)]
        || {
            let (whole, rest) = row.as_chunks::<PARTS>();
            let mut parts = [T::ZERO; PARTS];
            for chunk in whole {
                for p in 0..PARTS {
                    parts[p] += chunk[p];
                }
            }
            parts.iter_mut().zip(rest).for_each(|(part, x)| *part += *x);
            parts.iter().copied().sum()
        },
    )
}
