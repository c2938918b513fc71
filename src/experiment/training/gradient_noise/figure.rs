//! Rows of the result, and what figures are drawn from.

use super::law::Law;
use super::measure::Measured;
use super::point::Point;
use super::{Found, OfSize};
use crate::findings::{
    BatchNoiseRecord, EigenvaluesFigure, FigureData, GradientNoiseRecord, PredictedMeasureRecord, QuantilePanel,
    QuantilePoint, QuantilesFigure,
};
use crate::statistics::Estimate;

/// Bounds that are closer together than this are one number.
const EXACT: f64 = 1e-6;

/// One place with all of its sizes.
pub(super) fn record(found: &Found) -> GradientNoiseRecord {
    let point = &found.point;
    GradientNoiseRecord {
        place: point.place.name(),
        epoch: point.place.epoch,
        replica: point.place.replica,
        spectra: point.measures.clone(),
        batches: (0..found.expected.len()).map(|index| batches(found, index)).collect(),
    }
}

/// One size; before a measurement, what is predicted.
fn batches(found: &Found, index: usize) -> BatchNoiseRecord {
    let (sized, of_size) = (found.sizes.get(index), &found.expected[index]);
    let expected = of_size.laws.first();
    let measure = |quantity: &str, predicted: Option<f64>, estimate: Option<&Estimate>| PredictedMeasureRecord {
        quantity: quantity.to_owned(),
        predicted: predicted.filter(|value| value.is_finite()),
        predicted_bounds: None,
        measured: estimate.map(|estimate| estimate.value),
        standard_error: estimate.map(|estimate| estimate.standard_error),
    };
    let law = sized.and_then(|sized| sized.laws.first());
    let moment = |of: fn(&Law) -> &Option<Estimate>| law.and_then(|law| of(law).as_ref());
    let mut measures = vec![
        measure("trace", Some(1.0), sized.and_then(|sized| sized.trace.as_ref())),
        measure("along v₁", Some(1.0), sized.and_then(|sized| sized.top.as_ref())),
        measure("skewness", expected.map(|law| law.shape.skewness), moment(|law| &law.skewness)),
        measure("kurtosis", expected.map(|law| law.shape.excess), moment(|law| &law.excess)),
    ];
    measures.extend(expected.map(|expected| {
        let [low, high] = expected.distance;
        PredictedMeasureRecord {
            quantity: "distance".into(),
            predicted: Some(0.5 * (low + high)),
            predicted_bounds: (high - low > EXACT).then_some([low, high]),
            measured: law.map(|law| law.distance).filter(|value| value.is_finite()),
            standard_error: None,
        }
    }));
    let gradients = sized.map_or(0, |sized| sized.draw.batches);
    BatchNoiseRecord { size: of_size.size, gradients, draws: gradients * crate::scenario::DRAWS_PER_BATCH, measures }
}

/// Quantiles at every place and size, and the spectra.
pub(super) fn figures(found: &[Found]) -> FigureData {
    let panels = found.iter().flat_map(|found| {
        found.sizes.iter().zip(&found.expected).map(move |(sized, expected)| panel(&found.point, sized, expected))
    });
    let spectra = found.iter().map(|found| found.point.eigenvalues.clone());
    FigureData {
        quantiles: Some(QuantilesFigure { panels: panels.collect() }),
        eigenvalues: Some(EigenvaluesFigure { panels: spectra.collect() }),
        ..FigureData::default()
    }
}

fn panel(point: &Point, sized: &Measured, expected: &OfSize) -> QuantilePanel {
    let shown = expected.laws.first().map(|law| law.shown.as_slice()).unwrap_or_default();
    let bounds = shown.iter().copied().chain(std::iter::repeat([0.0, 1.0]));
    let points = sized.distribution.iter().zip(bounds).map(|((value, share), bounds)| QuantilePoint {
        value: *value,
        probability: share.value,
        standard_error: share.standard_error,
        predicted: known(bounds),
    });
    QuantilePanel { place: point.place.name(), size: sized.draw.size, points: points.collect() }
}

/// The middle of two bounds of a probability, if it is known to within a fifth of itself and of what it lacks of 1.
fn known([low, high]: [f64; 2]) -> Option<f64> {
    let middle = 0.5 * (low + high);
    (high - low <= 0.4 * middle.min(1.0 - middle)).then_some(middle)
}
