//! A small network at many points θ at once: the pass forward and back of [`crate::network`], with a trajectory in every lane.
//!
//! There the examples of a batch lie side by side, since one θ serves them all; here θ differs from lane to lane, so the examples
//! come one after another and every number of the pass is a row of N, as in [`crate::loss`]. A lane may have an example of its own.

use crate::math;
use crate::network::{Activation, Examples, Layer, Network, Objective, Targets};

/// A network, its examples, and what a pass needs to know of both.
#[derive(Clone, Debug)]
pub(super) struct LaneNetwork {
    pub network: Network,
    /// Its layers, so that a pass need not count where their parameters begin.
    layers: Vec<Layer>,
    /// xᵢ, one after another.
    inputs: Vec<f64>,
    /// yᵢ, one after another: values, or 1 for the class among zeros.
    targets: Vec<f64>,
    examples: usize,
}

/// The rows of one pass.
struct Pass<'a, const N: usize> {
    input: &'a mut [[f64; N]],
    target: &'a mut [[f64; N]],
    /// aˡ, then φ′, of all layers but the inputs, one layer after another.
    a: &'a mut [[f64; N]],
    slope: &'a mut [[f64; N]],
    /// ∂ℓ/∂z of two layers, the upper one and the one below.
    delta: &'a mut [[f64; N]],
    below: &'a mut [[f64; N]],
}

/// Which examples stand in the lanes of a pass.
pub(super) trait Chosen<const N: usize> {
    /// Writes the numbers of each lane's example, one row for each; `all` holds those of all examples, one after another.
    fn load(&self, all: &[f64], rows: &mut [[f64; N]]);
}

/// The same one in all lanes: its numbers are spread without being looked up lane by lane, which would take as long as the pass.
pub(super) struct Same(pub usize);

/// Every lane has its own.
pub(super) struct Each<const N: usize>(pub [usize; N]);

impl<const N: usize> Chosen<N> for Same {
    #[inline(always)]
    fn load(&self, all: &[f64], rows: &mut [[f64; N]]) {
        let numbers = &all[self.0 * rows.len()..];
        for (row, &number) in rows.iter_mut().zip(numbers) {
            *row = [number; N];
        }
    }
}

impl<const N: usize> Chosen<N> for Each<N> {
    #[inline(always)]
    fn load(&self, all: &[f64], rows: &mut [[f64; N]]) {
        for lane in 0..N {
            let numbers = &all[self.0[lane] * rows.len()..];
            for (row, &number) in rows.iter_mut().zip(numbers) {
                row[lane] = number;
            }
        }
    }
}

impl LaneNetwork {
    pub fn new(network: Network, examples: &Examples<f64>) -> Self {
        let count = examples.count();
        let targets = match examples.targets() {
            Targets::Values(values, _) => values.clone(),
            Targets::Labels(labels) => {
                let outputs = network.architecture.outputs();
                let mut targets = vec![0.0; count * outputs];
                for (row, &label) in targets.chunks_exact_mut(outputs).zip(labels) {
                    row[label as usize] = 1.0;
                }
                targets
            }
        };
        let inputs = (0..count).flat_map(|example| examples.input(example)).copied().collect();
        let layers = network.architecture.layers().collect();
        Self { network, layers, inputs, targets, examples: count }
    }

    pub fn examples(&self) -> usize {
        self.examples
    }

    /// How many rows a pass needs.
    pub fn rows(&self) -> usize {
        let widths = &self.network.architecture.widths;
        let outputs = self.network.architecture.outputs();
        let behind: usize = widths[1..].iter().sum();
        widths[0] + outputs + 2 * behind + 2 * self.widest()
    }

    fn widest(&self) -> usize {
        self.network.architecture.widths.iter().copied().max().unwrap_or(0)
    }

    #[inline(always)]
    fn pass<'a, const N: usize>(&self, rows: &'a mut [[f64; N]]) -> Pass<'a, N> {
        let widths = &self.network.architecture.widths;
        let behind: usize = widths[1..].iter().sum();
        let (input, rows) = rows.split_at_mut(widths[0]);
        let (target, rows) = rows.split_at_mut(self.network.architecture.outputs());
        let (a, rows) = rows.split_at_mut(behind);
        let (slope, rows) = rows.split_at_mut(behind);
        let (delta, rows) = rows.split_at_mut(self.widest());
        Pass { input, target, a, slope, delta, below: &mut rows[..self.widest()] }
    }

    /// L with every example counting 1/N_examples, at N points; `rows` is room for a pass.
    #[inline(always)]
    pub fn value_of<const N: usize>(&self, theta: &[[f64; N]], value: &mut [f64; N], rows: &mut [[f64; N]]) {
        let mut pass = self.pass(rows);
        let mut total = [0.0; N];
        for example in 0..self.examples {
            self.load(&mut pass, &Same(example));
            self.forward(theta, &mut pass);
            self.compare(&mut pass, Some(&mut total));
        }
        let (count, decay) = (self.examples as f64, 0.5 * self.network.weight_decay);
        let mut square = [0.0; N];
        for row in theta {
            for l in 0..N {
                square[l] += row[l] * row[l];
            }
        }
        for l in 0..N {
            value[l] = total[l] / count + decay * square[l];
        }
    }

    /// Σ wₖ∇ℓ of `count` examples at N points: of the k-th there is which it is and a weight in every lane.
    #[inline(always)]
    pub fn gradient_of<const N: usize, C: Chosen<N>>(
        &self,
        theta: &[[f64; N]],
        count: usize,
        pick: impl Fn(usize) -> (C, [f64; N]),
        gradient: &mut [[f64; N]],
        rows: &mut [[f64; N]],
    ) {
        let mut pass = self.pass(rows);
        let mut weights = [0.0; N];
        gradient.fill([0.0; N]);
        for place in 0..count {
            let (chosen, weight) = pick(place);
            self.load(&mut pass, &chosen);
            self.forward(theta, &mut pass);
            self.compare(&mut pass, None);
            for delta in &mut pass.delta[..self.network.architecture.outputs()] {
                for l in 0..N {
                    delta[l] *= weight[l];
                }
            }
            self.backward(theta, &mut pass, gradient);
            for l in 0..N {
                weights[l] += weight[l];
            }
        }
        let decay = self.network.weight_decay;
        for (slope, theta) in gradient.iter_mut().zip(theta) {
            for l in 0..N {
                slope[l] += decay * weights[l] * theta[l];
            }
        }
    }

    /// An example into every lane.
    #[inline(always)]
    fn load<const N: usize>(&self, pass: &mut Pass<'_, N>, chosen: &impl Chosen<N>) {
        chosen.load(&self.inputs, pass.input);
        chosen.load(&self.targets, pass.target);
    }

    #[inline(always)]
    fn forward<const N: usize>(&self, theta: &[[f64; N]], pass: &mut Pass<'_, N>) {
        let architecture = &self.network.architecture;
        let mut begin = 0;
        for (index, layer) in self.layers.iter().enumerate() {
            let (before, here) = pass.a.split_at_mut(begin);
            let came_in = if index == 0 { &*pass.input } else { &before[begin - layer.inputs..] };
            let here = &mut here[..layer.outputs];
            for (i, (z, weights)) in
                here.iter_mut().zip(theta[layer.weights.clone()].chunks_exact(layer.inputs)).enumerate()
            {
                let mut sum = if architecture.bias { theta[layer.biases.start + i] } else { [0.0; N] };
                for (weight, a) in weights.iter().zip(came_in) {
                    for l in 0..N {
                        sum[l] += weight[l] * a[l];
                    }
                }
                *z = sum;
            }
            if index + 1 < architecture.depth() {
                for (z, slope) in here.iter_mut().zip(&mut pass.slope[begin..]) {
                    activate(architecture.activation, z, slope);
                }
            }
            begin += layer.outputs;
        }
    }

    /// Leaves ∂ℓ/∂z of the last layer in `delta`, and adds ℓ of every lane to `total`, if that is wanted: a gradient does without, and
    /// without the logarithm.
    #[inline(always)]
    fn compare<const N: usize>(&self, pass: &mut Pass<'_, N>, total: Option<&mut [f64; N]>) {
        let outputs = pass.target.len();
        let begin = pass.a.len() - outputs;
        let (output, delta) = (&mut pass.a[begin..], &mut pass.delta[..outputs]);
        match self.network.objective {
            Objective::SquaredError => squared_error(output, pass.target, delta, total),
            Objective::CrossEntropy => cross_entropy(output, pass.target, delta, total),
        }
    }

    /// From ∂ℓ/∂z of the last layer to the gradient, which is added to.
    #[inline(always)]
    fn backward<const N: usize>(&self, theta: &[[f64; N]], pass: &mut Pass<'_, N>, gradient: &mut [[f64; N]]) {
        let mut begin = pass.a.len();
        for (index, layer) in self.layers.iter().enumerate().rev() {
            begin -= layer.outputs;
            let came_in = if index == 0 { &*pass.input } else { &pass.a[begin - layer.inputs..begin] };
            let slopes = gradient[layer.weights.clone()].chunks_exact_mut(layer.inputs);
            for (slopes, delta) in slopes.zip(&*pass.delta) {
                for (slope, a) in slopes.iter_mut().zip(came_in) {
                    for l in 0..N {
                        slope[l] += delta[l] * a[l];
                    }
                }
            }
            for (slope, delta) in gradient[layer.biases.clone()].iter_mut().zip(&*pass.delta) {
                for l in 0..N {
                    slope[l] += delta[l];
                }
            }
            // Nothing is asked of the inputs.
            if index > 0 {
                let below = &mut pass.below[..layer.inputs];
                below.fill([0.0; N]);
                let weights = theta[layer.weights.clone()].chunks_exact(layer.inputs);
                for (weights, delta) in weights.zip(&*pass.delta) {
                    for (weight, below) in weights.iter().zip(&mut *below) {
                        for l in 0..N {
                            below[l] += weight[l] * delta[l];
                        }
                    }
                }
                for (below, slope) in below.iter_mut().zip(&pass.slope[begin - layer.inputs..]) {
                    for l in 0..N {
                        below[l] *= slope[l];
                    }
                }
                std::mem::swap(&mut pass.delta, &mut pass.below);
            }
        }
    }
}

/// ½Σ(z − y)².
#[inline(always)]
fn squared_error<const N: usize>(
    output: &[[f64; N]],
    target: &[[f64; N]],
    delta: &mut [[f64; N]],
    total: Option<&mut [f64; N]>,
) {
    for ((delta, z), y) in delta.iter_mut().zip(output).zip(target) {
        for l in 0..N {
            delta[l] = z[l] - y[l];
        }
    }
    if let Some(total) = total {
        for delta in delta {
            for l in 0..N {
                total[l] += 0.5 * delta[l] * delta[l];
            }
        }
    }
}

/// −Σ y ln softmax(z) = ln Σ eᶻ − Σ y z, with the largest z taken off first.
#[inline(always)]
fn cross_entropy<const N: usize>(
    output: &[[f64; N]],
    target: &[[f64; N]],
    delta: &mut [[f64; N]],
    total: Option<&mut [f64; N]>,
) {
    let (mut highest, mut sum) = (output[0], [0.0; N]);
    for z in output {
        for l in 0..N {
            highest[l] = if z[l] > highest[l] { z[l] } else { highest[l] };
        }
    }
    for (delta, z) in delta.iter_mut().zip(output) {
        for l in 0..N {
            delta[l] = math::exp(z[l] - highest[l]);
            sum[l] += delta[l];
        }
    }
    if let Some(total) = total {
        for (z, y) in output.iter().zip(target) {
            for l in 0..N {
                total[l] -= y[l] * (z[l] - highest[l]);
            }
        }
        for l in 0..N {
            total[l] += math::ln(sum[l]);
        }
    }
    for l in 0..N {
        sum[l] = 1.0 / sum[l];
    }
    for (delta, y) in delta.iter_mut().zip(target) {
        for l in 0..N {
            delta[l] = delta[l] * sum[l] - y[l];
        }
    }
}

/// Replaces z by φ(z) and writes φ′(z).
#[inline(always)]
fn activate<const N: usize>(activation: Activation, z: &mut [f64; N], slope: &mut [f64; N]) {
    match activation {
        Activation::Tanh => {
            for l in 0..N {
                z[l] = math::tanh(z[l]);
                slope[l] = 1.0 - z[l] * z[l];
            }
        }
        Activation::Relu => {
            for l in 0..N {
                // A NaN stays one.
                let off = z[l] <= 0.0;
                slope[l] = if off { 0.0 } else { 1.0 };
                z[l] = if off { 0.0 } else { z[l] };
            }
        }
        Activation::Identity => *slope = [1.0; N],
        Activation::Gelu => activation.apply(z, slope),
    }
}
