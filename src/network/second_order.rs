//! Hessian products, exact: the derivative along v of the pass forward and back (B. Pearlmutter, "Fast exact multiplication by the
//! Hessian", Neural Computation 6, 1994). With R = ∂/∂v and v = (V, c) laid out as θ = (W, b):
//!
//! - forward: R zˡ = W R aˡ⁻¹ + V aˡ⁻¹ + c, R aˡ = φ′(zˡ) ∘ R zˡ;
//! - at the output: R δ = ∇²ℓ · R z;
//! - back, with u = Wᵀδ and R u = Wᵀ R δ + Vᵀδ: δˡ⁻¹ = u ∘ φ′, R δˡ⁻¹ = R u ∘ φ′ + u ∘ φ″ ∘ R zˡ⁻¹;
//! - the product: R δ aᵀ + δ (R a)ᵀ for weights, Σ R δ for biases.
//!
//! Where φ has no second derivative (ReLU at 0) it is taken as 0, as automatic differentiation does.

use nalgebra::DMatrix;

use super::first_order::{incoming, linear, outer};
use super::product::{Matrix, multiply};
use super::workspace::LayerRoom;
use super::{Batch, Network, Real, Workspace};

impl Network {
    /// Writes H(θ)·v over a batch into `product`, length d, weight decay included.
    pub fn hessian_product<T: Real>(
        &self,
        theta: &[T],
        batch: Batch<T>,
        v: &[T],
        product: &mut [T],
        workspace: &mut Workspace<T>,
    ) {
        workspace.for_second_order();
        let share = T::from_f64(1.0 / batch.len() as f64);
        for (index, piece) in batch.pieces(workspace.capacity).enumerate() {
            let size = piece.len();
            self.gather(piece, workspace);
            self.forward_along(theta, v, size, workspace);
            self.compare(size, workspace);
            self.scale_delta(size, share, workspace);
            self.curvature_of_output(size, share, workspace);
            self.backward_along(theta, v, size, product, index > 0, workspace);
        }
        self.add_decay(v, product);
    }

    /// H(θ) over a batch, d × d: d products in double precision, so d² numbers and d passes.
    pub fn hessian(&self, theta: &[f64], batch: Batch<f64>, workspace: &mut Workspace<f64>) -> DMatrix<f64> {
        let d = self.parameters();
        let mut hessian = DMatrix::zeros(d, d);
        let mut direction = vec![0.0; d];
        for (index, column) in hessian.as_mut_slice().chunks_exact_mut(d).enumerate() {
            direction[index] = 1.0;
            self.hessian_product(theta, batch, &direction, column, workspace);
            direction[index] = 0.0;
        }
        // Symmetric but for rounding.
        let transposed = hessian.transpose();
        (hessian + transposed) * 0.5
    }

    /// a, φ′, φ″ and the derivatives of z and a along v.
    fn forward_along<T: Real>(&self, theta: &[T], v: &[T], size: usize, workspace: &mut Workspace<T>) {
        let last = self.architecture.depth() - 1;
        for (index, layer) in self.architecture.layers().enumerate() {
            let (before, here) = workspace.layers.split_at_mut(index);
            let LayerRoom { a, slope, second, .. } = &mut here[0];
            let length = layer.outputs * size;
            let (a, slope) = (&mut a[..length], &mut slope[..length]);
            linear(&layer, theta, incoming(&layer, before, &workspace.inputs, size), a, size, false);
            let z_along = &mut second.z[..length];
            linear(&layer, v, incoming(&layer, before, &workspace.inputs, size), z_along, size, false);
            if let Some(before) = before.last() {
                let weights = Matrix::new(&theta[layer.weights.clone()], layer.outputs, layer.inputs);
                multiply(z_along, weights, Matrix::new(&before.second.a, layer.inputs, size), true);
            }
            if index < last {
                self.architecture.activation.bend(a, &mut second.bend[..length]);
                self.architecture.activation.apply(a, slope);
                for ((along, z), slope) in second.a.iter_mut().zip(&*z_along).zip(&*slope) {
                    *along = *z * *slope;
                }
            }
        }
    }

    /// R δ of the last layer.
    fn curvature_of_output<T: Real>(&self, size: usize, share: T, workspace: &mut Workspace<T>) {
        let length = self.architecture.outputs() * size;
        let LayerRoom { a, second, .. } = &mut workspace.layers[self.architecture.depth() - 1];
        let delta = &mut second.delta[..length];
        self.objective.curvature_product(&a[..length], &second.z[..length], delta, size);
        delta.iter_mut().for_each(|delta| *delta *= share);
    }

    fn backward_along<T: Real>(
        &self,
        theta: &[T],
        v: &[T],
        size: usize,
        product: &mut [T],
        add: bool,
        workspace: &mut Workspace<T>,
    ) {
        for (index, layer) in self.architecture.layers().enumerate().rev() {
            let (before, here) = workspace.layers.split_at_mut(index);
            let LayerRoom { delta, second, .. } = &here[0];
            let (delta, along) = (&delta[..layer.outputs * size], &second.delta[..layer.outputs * size]);
            outer(&layer, product, along, incoming(&layer, before, &workspace.inputs, size), size, add);
            let Some(LayerRoom { delta: below, slope, second, .. }) = before.last_mut() else { return };
            let a_along = Matrix::new(&second.a, layer.inputs, size);
            let upper = Matrix::new(delta, layer.outputs, size);
            multiply(&mut product[layer.weights.clone()], upper, a_along.transposed(), true);
            // u and R u take the places of the deltas below, then become them.
            let length = layer.inputs * size;
            let (below, below_along) = (&mut below[..length], &mut second.delta[..length]);
            let weights = Matrix::new(&theta[layer.weights.clone()], layer.outputs, layer.inputs).transposed();
            let directions = Matrix::new(&v[layer.weights], layer.outputs, layer.inputs).transposed();
            multiply(below, weights, upper, false);
            multiply(below_along, weights, Matrix::new(along, layer.outputs, size), false);
            multiply(below_along, directions, upper, true);
            for l in 0..length {
                below_along[l] = below_along[l] * slope[l] + below[l] * second.bend[l] * second.z[l];
                below[l] *= slope[l];
            }
        }
    }
}
