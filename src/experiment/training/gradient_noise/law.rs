//! The law of standardised projections along one direction, predicted and measured: its moments, and its distance from the normal law.

use super::measure::shown_values;
use super::point::{Point, predicted};
use crate::random::batches::Sampling;
use crate::statistics::distance::{Metric, Noise, mean_law};
use crate::statistics::special::normal_quantile;
use crate::statistics::{Estimate, Occupancies};
use crate::theory::batch_law::{BatchLaw, Drawing, Route};
use crate::theory::batch_mean::Shape;

/// Cells of equal normal probability: between two edges the distance can be larger by [`UNRESOLVED`].
const CELLS: usize = 500;
/// The probability of a cell.
pub(super) const UNRESOLVED: f64 = 1.0 / CELLS as f64;

/// Edges lie so far above the quantiles that rounding does not share out between two cells what is at a quantile: the mean of two opposite numbers
/// is 0, up to rounding, and so is the median of the normal law.
const BESIDE: f64 = 1e-7;

/// The values between the cells.
pub(super) fn edges() -> Vec<f64> {
    (1..CELLS).map(|k| normal_quantile(k as f64 / CELLS as f64) + BESIDE).collect()
}

/// What is predicted of the law along one direction, for one S.
pub(super) struct Expected {
    /// Exact moments.
    pub shape: Shape,
    /// How the law was computed.
    pub route: Route,
    /// Bounds of the Kolmogorov distance from the normal law.
    pub distance: [f64; 2],
    /// Bounds of F at the edges of the cells.
    at_edges: Vec<[f64; 2]>,
    /// Bounds of F at the values of the figure.
    pub shown: Vec<[f64; 2]>,
}

impl Expected {
    /// Of the direction with this index; `None` where nothing is left to chance. One batch of an epoch, by itself, is a random subset.
    pub(super) fn of(point: &Point, direction: usize, sampling: Sampling, size: u64) -> Option<Self> {
        let (shape, _) = predicted(&point.directions[direction].shape, sampling, point.examples(), size)?;
        let drawing = match sampling {
            Sampling::WithReplacement => Drawing::Independent,
            Sampling::WithoutReplacement | Sampling::Epochs => Drawing::Subset,
        };
        let law = BatchLaw::of(&point.column(direction), size, drawing)?;
        Some(Self {
            shape,
            route: law.route(),
            distance: law.distance(),
            at_edges: edges().into_iter().map(|edge| law.bounds(edge)).collect(),
            shown: shown_values().map(|value| law.bounds(value)).collect(),
        })
    }

    /// The largest width of the bounds of F.
    pub(super) fn width(&self) -> f64 {
        self.at_edges.iter().map(|[low, high]| high - low).fold(0.0, f64::max)
    }

    /// Between which two numbers the largest difference of a law in cells from the predicted one lies, at the edges of the cells.
    fn off(&self, cells: &[f64]) -> [f64; 2] {
        let (mut below, mut least, mut most) = (0.0, 0.0f64, 0.0f64);
        for (cell, [low, high]) in cells.iter().zip(&self.at_edges) {
            below += cell;
            least = least.max(low - below).max(below - high);
            most = most.max(below - low).max(high - below);
        }
        [least, most]
    }
}

/// What one group of batches has along a direction.
pub(super) struct Along {
    third: f64,
    fourth: f64,
    cells: Vec<u32>,
}

impl Along {
    pub(super) fn new() -> Self {
        Self { third: 0.0, fourth: 0.0, cells: vec![0; CELLS] }
    }

    /// One batch, whose projection is z of its predicted standard deviations.
    pub(super) fn add(&mut self, z: f64, edges: &[f64]) {
        self.third += z * z * z;
        self.fourth += z * z * z * z;
        self.cells[edges.partition_point(|edge| *edge < z)] += 1;
    }
}

/// The measured law along one direction, from all groups.
pub(super) struct Law {
    /// E z³, z by the predicted mean and variance, which are tested by themselves: an estimate without bias.
    pub skewness: Option<Estimate>,
    /// E z⁴ − 3.
    pub excess: Option<Estimate>,
    /// The measured distance from the normal law.
    pub distance: f64,
    /// Bounds of the measured distance from the predicted law, whose own error makes them two.
    pub off_prediction: [f64; 2],
    /// The error of the measured law.
    pub noise: Option<Noise>,
}

impl Law {
    /// From the groups. `seed` is that of the bootstrap.
    pub(super) fn of<'a>(expected: &Expected, groups: impl Iterator<Item = &'a Along>, seed: u64) -> Self {
        let [mut third, mut fourth, mut shares] = [Vec::new(), Vec::new(), Vec::new()];
        for along in groups {
            let count = along.cells.iter().map(|&count| f64::from(count)).sum::<f64>();
            third.push(along.third / count);
            fourth.push(along.fourth / count - 3.0);
            shares.extend(along.cells.iter().map(|&cell| f64::from(cell) / count));
        }
        let laws = Occupancies::new(CELLS, shares).ok();
        let measured = laws.as_ref().map(mean_law).unwrap_or_default();
        let from_normal = measured.iter().map(|share| share - UNRESOLVED);
        Self {
            skewness: Estimate::from_replicas(&third),
            excess: Estimate::from_replicas(&fourth),
            distance: Metric::Kolmogorov.deviation(from_normal).distance,
            off_prediction: expected.off(&measured),
            noise: laws.and_then(|laws| Noise::of(&laws, Metric::Kolmogorov, seed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of the batches below the one edge: beside a prediction that contains it, below one, and above one.
    #[test]
    fn how_far_a_law_is_off_lies_between_bounds() {
        let off = |at_edge: [f64; 2]| {
            let shape = Shape { variance: 1.0, skewness: 0.0, excess: 0.0 };
            let (route, at_edges) = (Route::Sampled, vec![at_edge]);
            Expected { shape, route, distance: [0.0; 2], at_edges, shown: Vec::new() }.off(&[0.5, 0.5])
        };
        for (at_edge, expected) in
            [([0.375, 0.75], [0.0, 0.25]), ([0.625, 0.75], [0.125, 0.25]), ([0.0, 0.25], [0.25, 0.5])]
        {
            assert_eq!(off(at_edge), expected, "{at_edge:?}");
        }
    }

    /// The mean of two opposite numbers is 0 up to rounding: both sides of it are in one cell.
    #[test]
    fn rounding_does_not_share_out_a_median() {
        let (edges, mut along) = (edges(), Along::new());
        for z in [-1e-12, 0.0, 1e-12] {
            along.add(z, &edges);
        }
        assert!(along.cells.contains(&3));
    }
}
