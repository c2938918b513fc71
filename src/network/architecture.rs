//! Which layers a network has, and where their parameters lie in θ.

use std::ops::Range;

use super::Activation;

/// A multilayer perceptron: fully connected layers with the same activation behind all but the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// Inputs, hidden widths, outputs: at least two numbers, none of them 0.
    pub widths: Vec<usize>,
    /// φ, behind every layer but the last.
    pub activation: Activation,
    /// Whether the layers have biases.
    pub bias: bool,
}

/// One fully connected layer, and where its parameters lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Numbers that come in.
    pub inputs: usize,
    /// Numbers that go out.
    pub outputs: usize,
    /// Of the weights in θ, `[output][input]`.
    pub weights: Range<usize>,
    /// Of the biases in θ; empty if there are none.
    pub biases: Range<usize>,
}

impl Architecture {
    /// The layers in order.
    pub fn layers(&self) -> impl DoubleEndedIterator<Item = Layer> + ExactSizeIterator + '_ {
        (0..self.widths.len() - 1).map(|index| self.layer(index))
    }

    /// Number of layers, which is that of weight matrices.
    pub fn depth(&self) -> usize {
        self.widths.len() - 1
    }

    /// One layer, counted from 0.
    pub fn layer(&self, index: usize) -> Layer {
        let begin = self.widths.windows(2).take(index).map(|pair| self.parameters_of(pair[0], pair[1])).sum();
        let (inputs, outputs) = (self.widths[index], self.widths[index + 1]);
        let weights = begin..begin + inputs * outputs;
        let biases = weights.end..begin + self.parameters_of(inputs, outputs);
        Layer { inputs, outputs, weights, biases }
    }

    fn parameters_of(&self, inputs: usize, outputs: usize) -> usize {
        inputs * outputs + if self.bias { outputs } else { 0 }
    }

    /// Number of parameters d.
    pub fn parameters(&self) -> usize {
        self.widths.windows(2).map(|pair| self.parameters_of(pair[0], pair[1])).sum()
    }

    /// Numbers that go in.
    pub fn inputs(&self) -> usize {
        self.widths[0]
    }

    /// Numbers that come out.
    pub fn outputs(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }
}
