//! A network as a scenario describes it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::NetworkLoss;
use crate::data::{Data, Dataset, Targets};
use crate::input::{Integer, Number, Table};
use crate::loss::Loss;
use crate::loss::spec::{Described, LossError};
use crate::network::{Activation, Architecture, Examples, Network, Objective};

/// Layers, what the output is compared by, and the data that fix the first and the last width.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// Numbers that go in: those of an example.
    pub inputs: u64,
    /// Widths of the hidden layers.
    pub hidden: Vec<u64>,
    /// Numbers that come out: classes, or targets of an example.
    pub outputs: u64,
    /// φ, behind every layer but the last.
    pub activation: Activation,
    /// Whether the layers have biases.
    pub bias: bool,
    /// ℓ.
    pub objective: Objective,
    /// λ of (λ/2)|θ|².
    pub weight_decay: f64,
    /// What is learned from; absent in a description that was read back from a result.
    #[serde(skip)]
    pub data: Option<Arc<Data>>,
}

/// Two descriptions are of the same network if they are of the same data, as far as those are there.
impl PartialEq for NetworkSpec {
    fn eq(&self, other: &Self) -> bool {
        let data = match (&self.data, &other.data) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one == other,
            _ => true,
        };
        data && self.inputs == other.inputs && self.network() == other.network()
    }
}

/// What a scenario says of data.
#[derive(Clone, Debug)]
pub enum Given {
    /// Nothing.
    Absent,
    /// Something wrong, which has been told.
    Broken,
    /// These.
    Loaded(Arc<Data>),
}

/// The largest width of a layer.
const WIDEST: f64 = 10_000.0;
/// The largest network whose minima are looked for.
pub const MOST_SEARCHED: usize = 100;
/// Minima are looked for among parameters of at most this size, if the scenario does not say.
const REACH: f64 = 5.0;

const ACTIVATIONS: [(&str, Activation); 4] = [
    ("tanh", Activation::Tanh),
    ("relu", Activation::Relu),
    ("gelu", Activation::Gelu),
    ("identity", Activation::Identity),
];
const OBJECTIVES: [(&str, Objective); 2] =
    [("cross-entropy", Objective::CrossEntropy), ("squared-error", Objective::SquaredError)];

impl NetworkSpec {
    /// Reads the keys of a network for these data.
    pub(crate) fn read(table: &Table<'_>, given: &Given) -> Option<Self> {
        let hidden = read_hidden(table);
        let activation = table.optional_choice("activation", "the activation of hidden units", &ACTIVATIONS, &[]);
        let bias = table.boolean_or("bias", "whether layers have biases", true);
        let decay = Number { what: "λ, the weight decay,", example: "0.01", low: 0.0, high: 1e6 };
        let weight_decay = table.number_or("weight_decay", &decay, 0.0);
        let objective = table.optional_choice("objective", "what the output is compared by", &OBJECTIVES, &[]);
        let (inputs, outputs) = (read_width(table, "inputs"), read_width(table, "outputs"));
        let data = match given {
            Given::Loaded(data) => data,
            Given::Broken => return None,
            Given::Absent => {
                let message = "the table [data] is missing, and a network needs examples; add [data] with, for example, kind = \"teacher-student\" \
                               or kind = \"digits\"";
                table.problem_here(message);
                return None;
            }
        };
        let training = &data.training;
        if let Some([one]) = training.class_names() {
            let message = format!(
                "all {} examples of [data] have the label \"{one}\"; with one class there is nothing to learn; give labels of two classes and \
                 more",
                training.len()
            );
            table.problem_here(message);
            return None;
        }
        let objective = objective_for(table, objective?, training)?;
        let inputs = same_width(table, "inputs", inputs?, training.features(), "features")?;
        let outputs = same_width(table, "outputs", outputs?, training.outputs(), "outputs")?;
        Some(Self {
            inputs,
            hidden: hidden?,
            outputs,
            activation: activation?.unwrap_or(Activation::Tanh),
            bias: bias?,
            objective,
            weight_decay: weight_decay?,
            data: Some(data.clone()),
        })
    }

    /// The network.
    pub fn network(&self) -> Network {
        let widths = std::iter::once(&self.inputs).chain(&self.hidden).chain([&self.outputs]);
        let widths = widths.map(|&width| width as usize).collect();
        let architecture = Architecture { widths, activation: self.activation, bias: self.bias };
        Network { architecture, objective: self.objective, weight_decay: self.weight_decay }
    }
}

/// The widths of the hidden layers, at least one.
fn read_hidden(table: &Table<'_>) -> Option<Vec<u64>> {
    let width = Number {
        what: "the widths of the hidden layers, one number for each,",
        example: "[3]",
        low: 1.0,
        high: WIDEST,
    };
    let widths = table.numbers("hidden", &width)?;
    let broken = widths.iter().position(|width| width.fract() != 0.0);
    if let Some(index) = broken {
        let message =
            format!("found {}; a layer has a whole number of units, such as {}", widths[index], widths[index].ceil());
        table.problem(&format!("hidden[{index}]"), message);
        return None;
    }
    Some(widths.into_iter().map(|width| width as u64).collect())
}

fn read_width(table: &Table<'_>, key: &str) -> Option<Option<u64>> {
    let what = "a width that the data fix";
    table.optional_integer(key, &Integer { what, example: "2", range: 1..=1 << 32, reason: "" })
}

/// A width that the data fix: theirs, and that of the scenario must be the same.
fn same_width(table: &Table<'_>, key: &str, given: Option<u64>, found: usize, what: &str) -> Option<u64> {
    let found = found as u64;
    if given.is_some_and(|given| given != found) {
        let given = given.unwrap_or_default();
        table.problem(
            key,
            format!("found {given}; the examples of [data] have {found} {what}; remove the key, or write {found}"),
        );
        return None;
    }
    Some(found)
}

/// The objective, by default that of the targets.
fn objective_for(table: &Table<'_>, given: Option<Objective>, data: &Dataset) -> Option<Objective> {
    match (given, data.targets()) {
        (Some(Objective::CrossEntropy), Targets::Values { .. }) => {
            let message = "found \"cross-entropy\" with data whose targets are real numbers; it compares with classes; write \"squared-error\", or \
                           give data with labels";
            table.problem("objective", message);
            None
        }
        (Some(objective), _) => Some(objective),
        (None, Targets::Labels { .. }) => Some(Objective::CrossEntropy),
        (None, Targets::Values { .. }) => Some(Objective::SquaredError),
    }
}

/// The training part of the data as networks take it.
fn examples(data: &Dataset) -> Result<Examples<f64>, LossError> {
    let targets = match data.targets() {
        Targets::Labels { labels, .. } => crate::network::Targets::Labels(labels.clone()),
        Targets::Values { values, outputs } => crate::network::Targets::Values(values.clone(), *outputs),
    };
    Ok(Examples::new(data.inputs().to_vec(), data.features(), targets)?)
}

impl Described for NetworkSpec {
    fn dimension(&self) -> usize {
        self.network().parameters()
    }

    /// w¹₂₁ goes from input 1 to unit 2 of the first layer, b¹₂ is that unit's bias.
    fn names(&self) -> Vec<String> {
        let widest = self.network().architecture.widths.iter().copied().max().unwrap_or(0);
        let comma = if widest > 9 { "," } else { "" };
        let mut names = Vec::new();
        for (index, layer) in self.network().architecture.layers().enumerate() {
            let layer_name = digits(index + 1, "⁰¹²³⁴⁵⁶⁷⁸⁹");
            let unit = |unit: usize| digits(unit + 1, "₀₁₂₃₄₅₆₇₈₉");
            for output in 0..layer.outputs {
                names.extend(
                    (0..layer.inputs).map(|input| format!("w{layer_name}{}{comma}{}", unit(output), unit(input))),
                );
            }
            if self.bias {
                names.extend((0..layer.outputs).map(|output| format!("b{layer_name}{}", unit(output))));
            }
        }
        names
    }

    /// None at all where the network is too large for minima to be looked for.
    fn default_domain(&self) -> Option<Vec<[f64; 2]>> {
        let d = self.dimension();
        Some(vec![[-REACH, REACH]; if d <= MOST_SEARCHED { d } else { 0 }])
    }

    fn build(&self) -> Result<Arc<dyn Loss>, LossError> {
        let data = self.data.as_ref().ok_or(LossError::NoData)?;
        Ok(Arc::new(NetworkLoss::new(self.network(), Arc::new(examples(&data.training)?))?))
    }
}

/// A number in other digits.
fn digits(number: usize, digits: &str) -> String {
    number.to_string().bytes().filter_map(|digit| digits.chars().nth(usize::from(digit - b'0'))).collect()
}
