//! `data.kind = "teacher-student"`: normal inputs, and what a random network says of them.
//!
//! The teacher has one hidden layer without biases, f(x) = A tanh(Wx): W is h × p with variance 1/p, A has variance 1/h. So every
//! hidden unit sees an input of variance 1, f is odd, and its variance does not depend on h. A student of the same kind
//! with at least h hidden units can reach loss 0 where there is no noise.

use serde::{Deserialize, Serialize};

use super::dataset::Targets;
use super::draws::{Draws, Use};
use super::keys::{CLASSES, DIMENSION, Task, task};
use super::limits::numbered;
use super::raw::{Raw, Values};
use crate::input::{Integer, Number, Table};
use crate::math;

/// A random teacher, and what its students see of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeacherStudentSpec {
    /// p, the number of inputs.
    pub dimension: u64,
    /// h, the number of hidden units of the teacher.
    pub width: u64,
    /// Whether the students learn the class of the largest output instead of the output.
    pub task: Task,
    /// K, the number of classes; absent in regression, where there is one output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<u64>,
    /// The standard deviation of what is added to each output, before the largest is looked for.
    pub noise: f64,
    /// ν, if that noise has Student's law with so many degrees of freedom, whose moments from the ν-th on are infinite; absent: a normal one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_tail: Option<f64>,
}

impl TeacherStudentSpec {
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let dimension = table.integer_or("dimension", &DIMENSION, 10);
        let width = Integer {
            what: "h, the number of hidden units of the teacher,",
            example: "4",
            range: 1..=10_000,
            reason: "more would only take time",
        };
        let width = table.integer_or("width", &width, 4);
        let task = task(table);
        let classes = if task == Some(Task::Regression) {
            table.refuse("classes", "found `classes` beside task = \"regression\", which has none; remove it");
            Some(None)
        } else {
            table.integer_or("classes", &CLASSES, 2).map(Some)
        };
        let noise = Number {
            what: "the standard deviation of the noise of the teacher's outputs",
            example: "0.1",
            low: 0.0,
            high: 1e6,
        };
        let noise = table.number_or("noise", &noise, 0.0);
        let tail = Number {
            what: "ν, the degrees of freedom of Student's law of the noise,",
            example: "1.5",
            low: 0.5,
            high: 1e6,
        };
        let noise_tail = table.optional_number("noise_tail", &tail);
        Some(Self {
            dimension: dimension?,
            width: width?,
            task: task?,
            classes: classes?,
            noise: noise?,
            noise_tail: noise_tail?,
        })
    }

    /// The teacher of a seed.
    pub fn teacher(&self, seed: u64) -> Teacher {
        let (p, h, outputs) = (self.dimension as usize, self.width as usize, self.outputs());
        let mut draws = Draws::new(seed, Use::Generator);
        let mut normals = |count: usize, variance: f64| (0..count).map(|_| variance.sqrt() * draws.normal()).collect();
        let hidden = normals(h * p, 1.0 / p as f64);
        let output = normals(outputs * h, 1.0 / h as f64);
        Teacher { dimension: p, hidden, output }
    }

    /// K, or 1 in regression.
    fn outputs(&self) -> usize {
        match self.task {
            Task::Classification => self.classes.map_or(2, |classes| classes as usize),
            Task::Regression => 1,
        }
    }

    /// A number of the law of the noise, of standard deviation 1 if that is normal.
    fn unit_noise(&self, draws: &mut Draws) -> f64 {
        let Some(freedom) = self.noise_tail else { return draws.normal() };
        // Bailey, Math. Comp. 62 (1994), 779–781: Box and Muller's method with another radius.
        let radius = (freedom * (math::pow(1.0 - draws.uniform(), -2.0 / freedom) - 1.0)).sqrt();
        radius * math::cos(2.0 * std::f64::consts::PI * draws.uniform())
    }

    pub(super) fn generate(&self, examples: usize, seed: u64) -> Raw {
        let (p, outputs) = (self.dimension as usize, self.outputs());
        let teacher = self.teacher(seed);
        let mut draws = Draws::new(seed, Use::Examples);
        let mut inputs: Vec<f64> = Vec::with_capacity(examples * p);
        let mut answers = Vec::with_capacity(examples * outputs);
        for example in 0..examples {
            inputs.extend((0..p).map(|_| draws.normal()));
            let outputs = teacher.outputs(&inputs[example * p..]);
            answers.extend(outputs.iter().map(|output| output + self.noise * self.unit_noise(&mut draws)));
        }
        let targets = match self.task {
            Task::Regression => Targets::Values { values: answers, outputs },
            Task::Classification => {
                let labels = answers.chunks(outputs).map(|answer| largest(answer) as u32).collect();
                Targets::Labels { labels, class_names: numbered(outputs) }
            }
        };
        Raw { values: Values::Numbers(inputs), shape: vec![p], targets, feature_names: Vec::new() }
    }
}

/// The place of the largest number, the first of several.
fn largest(numbers: &[f64]) -> usize {
    (1..numbers.len()).fold(0, |best, index| if numbers[index] > numbers[best] { index } else { best })
}

/// A network of one hidden layer, f(x) = A tanh(Wx).
#[derive(Clone, Debug, PartialEq)]
pub struct Teacher {
    dimension: usize,
    hidden: Vec<f64>,
    output: Vec<f64>,
}

impl Teacher {
    /// W, h × p row by row.
    pub fn hidden_weights(&self) -> &[f64] {
        &self.hidden
    }

    /// A, outputs × h row by row.
    pub fn output_weights(&self) -> &[f64] {
        &self.output
    }

    /// f(x), of p inputs.
    pub fn outputs(&self, input: &[f64]) -> Vec<f64> {
        let dot = |weights: &[f64], values: &[f64]| weights.iter().zip(values).map(|(w, x)| w * x).sum::<f64>();
        let hidden: Vec<f64> =
            self.hidden.chunks(self.dimension).map(|weights| math::tanh(dot(weights, input))).collect();
        self.output.chunks(hidden.len()).map(|weights| dot(weights, &hidden)).collect()
    }
}
