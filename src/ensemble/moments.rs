//! First and second moments of θ, one set per replica.

use serde::{Deserialize, Serialize};
use serde_big_array::BigArray;

use super::{Observer, View, merge_means};
use crate::lanes::LANES;

/// Sums of θᵢ and of θᵢθⱼ (i ≤ j) for every lane of a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    dimension: usize,
    #[serde(with = "BigArray")]
    looks: [u64; LANES],
    /// `[i][lane]`.
    first: Vec<f64>,
    /// `[pair][lane]`, pairs (0,0), (0,1), …, (0,d−1), (1,1), ….
    second: Vec<f64>,
    /// Of the followed lanes: Σ|θ|² at the end of the last stretch, and the mean of |θ|² in every stretch,
    /// `[stretch][lane]`.
    before: Vec<f64>,
    course: Vec<f64>,
}

impl Moments {
    /// Of trajectories in ℝᵈ.
    pub fn new(dimension: usize) -> Self {
        let pairs = dimension * (dimension + 1) / 2;
        Self {
            dimension,
            looks: [0; LANES],
            first: vec![0.0; dimension * LANES],
            second: vec![0.0; pairs * LANES],
            before: Vec::new(),
            course: Vec::new(),
        }
    }

    /// Keeps the mean of |θ|² in every stretch for the first `lanes` lanes, for the diagnostics of mixing.
    #[must_use]
    pub fn following(mut self, lanes: usize) -> Self {
        self.before = vec![0.0; lanes.min(LANES)];
        self
    }

    /// The mean of |θ|² in every stretch, for a followed lane.
    pub fn course(&self, lane: usize) -> Vec<f64> {
        self.course.chunks_exact(self.before.len().max(1)).map(|row| row[lane]).collect()
    }

    /// Whether another follows as many lanes in as many dimensions.
    pub(super) fn has_shape_of(&self, other: &Self) -> bool {
        let shape =
            |moments: &Self| (moments.dimension, moments.first.len(), moments.second.len(), moments.before.len());
        shape(self) == shape(other)
    }

    /// The time mean of |θ|² of one lane; `None` if it was never looked at alive.
    pub fn mean_square(&self, lane: usize) -> Option<f64> {
        (self.looks[lane] > 0).then(|| self.sum_of_squares(lane) / self.looks[lane] as f64)
    }

    fn sum_of_squares(&self, lane: usize) -> f64 {
        // Pair (i, i) stands after the pairs of the rows before it: i·d − i(i − 1)/2.
        let pair = |i: usize| i * self.dimension - (i * i - i) / 2;
        (0..self.dimension).map(|i| self.second[pair(i) * LANES + lane]).sum()
    }

    /// Time means of θᵢ and of θᵢθⱼ (i ≤ j) of one lane; `None` if it was never looked at alive.
    pub fn means(&self, lane: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let looks = self.looks[lane] as f64;
        let mean = |sums: &[f64]| sums.chunks_exact(LANES).map(|row| row[lane] / looks).collect();
        (looks > 0.0).then(|| (mean(&self.first), mean(&self.second)))
    }
}

impl Observer for Moments {
    fn observe(&mut self, view: &mut View) {
        for lane in 0..LANES {
            self.looks[lane] += u64::from(view.live[lane]);
        }
        let mut pairs = self.second.chunks_exact_mut(LANES);
        for i in 0..self.dimension {
            let x = &view.theta[i * LANES..][..LANES];
            let sums = &mut self.first[i * LANES..][..LANES];
            for lane in 0..LANES {
                sums[lane] += if view.live[lane] { x[lane] } else { 0.0 };
            }
            for j in i..self.dimension {
                let y = &view.theta[j * LANES..][..LANES];
                if let Some(sums) = pairs.next() {
                    for lane in 0..LANES {
                        sums[lane] += if view.live[lane] { x[lane] * y[lane] } else { 0.0 };
                    }
                }
            }
        }
    }

    fn end_stretch(&mut self, looks: u64) {
        for lane in 0..self.before.len() {
            let sum = self.sum_of_squares(lane);
            self.course.push((sum - self.before[lane]) / looks as f64);
            self.before[lane] = sum;
        }
    }

    fn merge_stretches(&mut self, looks: &[u64]) {
        merge_means(&mut self.course, self.before.len(), looks, |mean| mean);
    }
}
