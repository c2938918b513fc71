//! The law of standardised projections along one direction: its moments, and its distance from the normal law.

use crate::statistics::distance::{Metric, Noise, mean_law};
use crate::statistics::special::normal_quantile;
use crate::statistics::{Estimate, Occupancies};
use crate::theory::batch_mean::Shape;

/// Cells of equal normal probability: between two edges the distance can be larger by [`UNRESOLVED`].
const CELLS: usize = 500;
/// The probability of a cell.
pub(super) const UNRESOLVED: f64 = 1.0 / CELLS as f64;

/// The values between the cells.
pub(super) fn edges() -> Vec<f64> {
    (1..CELLS).map(|k| normal_quantile(k as f64 / CELLS as f64)).collect()
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

/// The law along one direction, from all groups.
pub(super) struct Law {
    /// Exactly, of the batch mean.
    pub predicted: Shape,
    /// E z³, z by the predicted mean and variance, which are tested by themselves: an estimate without bias.
    pub skewness: Option<Estimate>,
    /// E z⁴ − 3.
    pub excess: Option<Estimate>,
    /// The measured distance from the normal law.
    pub distance: f64,
    /// The predicted one: by Edgeworth's expansion, at S = 1 by the examples themselves.
    pub predicted_distance: f64,
    /// The measured distance from the law that is predicted in this way.
    pub off_prediction: f64,
    /// The error of the measured law.
    pub noise: Option<Noise>,
}

impl Law {
    /// From the groups; `alone` are the standardised projections of the examples where S = 1. `seed` is that of the bootstrap.
    pub(super) fn of<'a>(
        predicted: Shape,
        alone: Option<Vec<f64>>,
        groups: impl Iterator<Item = &'a Along>,
        seed: u64,
    ) -> Self {
        let [mut third, mut fourth, mut shares] = [Vec::new(), Vec::new(), Vec::new()];
        for along in groups {
            let count = along.cells.iter().map(|&count| f64::from(count)).sum::<f64>();
            third.push(along.third / count);
            fourth.push(along.fourth / count - 3.0);
            shares.extend(along.cells.iter().map(|&cell| f64::from(cell) / count));
        }
        let laws = Occupancies::new(CELLS, shares).ok();
        let measured = laws.as_ref().map(mean_law).unwrap_or_default();
        let expected = expected_cells(&predicted, alone);
        let from = |other: &dyn Fn(usize) -> f64| {
            Metric::Kolmogorov.deviation(measured.iter().enumerate().map(|(k, share)| share - other(k))).distance
        };
        let normal = expected.iter().map(|share| share - UNRESOLVED);
        Self {
            predicted,
            skewness: Estimate::from_replicas(&third),
            excess: Estimate::from_replicas(&fourth),
            distance: from(&|_| UNRESOLVED),
            predicted_distance: Metric::Kolmogorov.deviation(normal).distance,
            off_prediction: from(&|k| expected[k]),
            noise: laws.and_then(|laws| Noise::of(&laws, Metric::Kolmogorov, seed)),
        }
    }
}

/// What the cells are predicted to hold.
fn expected_cells(shape: &Shape, alone: Option<Vec<f64>>) -> Vec<f64> {
    let edges = edges();
    if let Some(examples) = alone {
        let mut cells = vec![0.0; CELLS];
        for z in &examples {
            cells[edges.partition_point(|edge| edge < z)] += 1.0 / examples.len() as f64;
        }
        return cells;
    }
    let mut below = 0.0;
    let up_to = edges.iter().map(|&z| shape.edgeworth(z).clamp(0.0, 1.0)).chain([1.0]);
    up_to
        .map(|next| {
            let cell = next - below;
            below = next;
            cell
        })
        .collect()
}
