//! The loss along the straight line between two end points, θ(a) = (1 − a)θ₁ + aθ₂, and how wide their valleys are along it.

use rayon::prelude::*;

use super::super::course::Course;
use super::{Case, PIECE};
use crate::math;
use crate::network::{Batch, Examples, Workspace};
use crate::statistics::{Estimate, Sample};
use crate::training::examples;

/// From a = −0.5 to 1.5.
const POINTS: usize = 41;
/// How far beyond an end the edge of its valley is looked for, in lengths of the chord.
const FARTHEST: f64 = 4.0;
/// Steps of the search for an edge, in lengths of the chord, before the place is narrowed down.
const STRIDE: f64 = 0.02;

/// The line between the end points of one replica under the smallest and the largest noise, which started from the same weights.
pub(super) struct Chord {
    pub(super) replica: usize,
    /// |θ₂ − θ₁|.
    length: f64,
    /// a, L on the training examples, and on the test examples (NaN without any).
    pub(super) points: Vec<[f64; 3]>,
    /// Of the first end and the second: the distance, away from the other end, at which the training loss has risen by the amount; NaN
    /// where it does not within [`FARTHEST`] lengths.
    pub(super) outward: [f64; 2],
    /// The same towards the other end; NaN where it does not before that is reached.
    inward: [f64; 2],
}

/// The losses along one line.
struct Along<'a> {
    course: &'a Course,
    training: &'a Examples<f64>,
    ends: [&'a [f64]; 2],
    workspace: Workspace<f64>,
    theta: Vec<f64>,
}

impl Along<'_> {
    fn training(&mut self, a: f64) -> f64 {
        self.place(a);
        self.loss(self.training) + self.course.network.decay_of(&self.theta)
    }

    fn place(&mut self, a: f64) {
        for (theta, (one, other)) in self.theta.iter_mut().zip(self.ends[0].iter().zip(self.ends[1])) {
            *theta = (1.0 - a) * one + a * other;
        }
    }

    fn loss(&mut self, examples: &Examples<f64>) -> f64 {
        self.course.network.evaluate(&self.theta, Batch::all(examples), &mut self.workspace).objective
    }

    /// The first distance from a = `from`, in lengths of the chord, at which the loss has risen by `rise`; NaN where it does not within
    /// `farthest`.
    fn edge(&mut self, from: f64, direction: f64, farthest: f64, rise: f64) -> f64 {
        let level = self.training(from) + rise;
        let strides = (farthest / STRIDE).round() as usize;
        let Some(beyond) = (1..=strides).find(|&k| self.training(from + direction * k as f64 * STRIDE) >= level) else {
            return f64::NAN;
        };
        let (mut low, mut high) = ((beyond - 1) as f64 * STRIDE, beyond as f64 * STRIDE);
        for _ in 0..20 {
            let middle = 0.5 * (low + high);
            if self.training(from + direction * middle) >= level { high = middle } else { low = middle }
        }
        0.5 * (low + high)
    }
}

/// The chords of all replicas that arrived in both groups.
pub(super) fn between(course: &Course, training: &Examples<f64>, cases: [&Case; 2], rise: f64) -> Vec<Chord> {
    let test = course.data.test.as_ref().and_then(|test| examples::<f64>(&course.network, test).ok());
    let chord = |replica: usize| {
        let [one, other] = cases.map(|case| case.ends[replica].as_ref().map(|end| end.theta.as_slice()));
        let ends = [one?, other?];
        let length = ends[0].iter().zip(ends[1]).map(|(one, other)| (one - other) * (one - other)).sum::<f64>().sqrt();
        let workspace = Workspace::new(&course.network, PIECE);
        let mut along = Along { course, training, ends, workspace, theta: vec![0.0; ends[0].len()] };
        let point = |index: usize| {
            let a = -0.5 + 2.0 * index as f64 / (POINTS - 1) as f64;
            let of_training = along.training(a);
            [a, of_training, test.as_ref().map_or(f64::NAN, |test| along.loss(test))]
        };
        let points = (0..POINTS).map(point).collect();
        let outward = [along.edge(0.0, -1.0, FARTHEST, rise), along.edge(1.0, 1.0, FARTHEST, rise)];
        let inward = [along.edge(0.0, 1.0, 1.0, rise), along.edge(1.0, -1.0, 1.0, rise)];
        let lengths = |part: f64| part * length;
        Some(Chord { replica, length, points, outward: outward.map(lengths), inward: inward.map(lengths) })
    };
    (0..course.replicas).into_par_iter().filter_map(chord).collect()
}

/// How wide the valleys are, in words.
pub(super) fn notes(chords: &[Chord], rise: f64) -> Vec<String> {
    if chords.is_empty() {
        return vec![
            "no replica arrived under the smallest and the largest noise: there is no line between end points".into(),
        ];
    }
    let mean = |of: &dyn Fn(&Chord) -> f64| {
        let values: Vec<f64> = chords.iter().map(of).filter(|value| value.is_finite()).collect();
        let count = values.len();
        let told = Estimate::from_replicas(&values)
            .map_or("none".to_owned(), |mean| format!("{:.2} ± {:.2}", mean.value, mean.standard_error));
        if count < chords.len() { format!("{told} ({count} of {} replicas)", chords.len()) } else { told }
    };
    let mut notes = vec![format!(
        "along the line between the end points of the smallest (1) and the largest (2) η/S, {} apart, the training loss has risen by {rise} at \
         the distance {} from 1 and {} from 2, away from the other end, and at {} and {} towards it (none: it rises by less all the way); means over \
         {} replicas",
        mean(&|chord| chord.length),
        mean(&|chord| chord.outward[0]),
        mean(&|chord| chord.outward[1]),
        mean(&|chord| chord.inward[0]),
        mean(&|chord| chord.inward[1]),
        chords.len()
    )];
    let ratios = |of: &dyn Fn(&Chord) -> [f64; 2]| {
        let logarithm = |chord: &Chord| of(chord).map(math::ln);
        let sample: Sample = chords.iter().map(logarithm).map(|[one, other]| Some(other - one)).collect();
        let left_out = sample.left_out().told("replicas", "", "whose valley has no edge there");
        sample.mean().and_then(|mean| Some((mean.value, mean.interval(0.95)?, left_out)))
    };
    let directions =
        [("away from the other end", ratios(&|chord| chord.outward)), ("towards it", ratios(&|chord| chord.inward))];
    for (name, ratio) in directions {
        if let Some((value, [low, high], left_out)) = ratio {
            let left_out =
                left_out.map_or(String::new(), |told| format!("; {told} are left out, so that this is of a selection"));
            notes.push(format!(
                "{name} the valley of the largest η/S is {:.3} times as wide as that of the smallest, 95 % interval {:.3} to {:.3}{left_out}",
                math::exp(value),
                math::exp(low),
                math::exp(high)
            ));
        }
    }
    notes
}
