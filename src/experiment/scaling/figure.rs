//! What the figure of proportional scaling is drawn from: changes since the first β.

use super::Run;
use super::case::Case;
use crate::findings::ScalingFigure;
use crate::statistics::Estimate;

pub(super) fn data(case: &Case, run: &Run) -> ScalingFigure {
    let change = |index: usize, point: usize| -> Option<Estimate> {
        let value = |point: usize| run.points[point].estimates[index].as_ref();
        // Against itself there is nothing to measure.
        (point > 0).then(|| Some(value(point)?.minus(value(0)?))).flatten()
    };
    let per_point = |read: &dyn Fn(&Estimate) -> f64| -> Vec<Vec<f64>> {
        let row = |index: usize| {
            (0..case.beta.len()).map(|point| change(index, point).map_or(f64::NAN, |change| read(&change))).collect()
        };
        (0..case.quantities.len()).map(row).collect()
    };
    let end = |estimate: &Estimate, index: usize| estimate.interval(0.95).map_or(f64::NAN, |ends| ends[index]);
    let first = case.chain[0].as_ref();
    let curve = |index: usize| -> Vec<f64> {
        let heights = case.curve.iter().map(|(_, law)| Some(law.as_ref()?[index] - first?[index]));
        heights.map(|height| height.unwrap_or(f64::NAN)).collect()
    };
    ScalingFigure {
        quantities: case.quantities.clone(),
        beta: case.beta.clone(),
        measured: per_point(&|change| change.value),
        low: per_point(&|change| end(change, 0)),
        high: per_point(&|change| end(change, 1)),
        at: case.curve.iter().map(|(beta, _)| *beta).collect(),
        predicted: (0..case.quantities.len()).map(curve).collect(),
    }
}
