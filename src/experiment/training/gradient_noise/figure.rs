//! Rows of the result, and what figures are drawn from.

use super::super::course::Course;
use super::Found;
use super::measure::Measured;
use super::point::{Point, predicted};
use crate::findings::{
    BatchNoiseRecord, EigenvaluesFigure, FigureData, GradientNoiseRecord, PredictedMeasureRecord, QuantilePanel,
    QuantilePoint, QuantilesFigure,
};
use crate::statistics::Estimate;

/// One place with all of its sizes.
pub(super) fn record(found: &Found, course: &Course) -> GradientNoiseRecord {
    let point = &found.point;
    GradientNoiseRecord {
        place: point.place.name(),
        epoch: point.place.epoch,
        replica: point.place.replica,
        spectra: point.measures.clone(),
        batches: found.sizes.iter().map(|sized| batches(point, sized, course)).collect(),
    }
}

fn batches(point: &Point, sized: &Measured, course: &Course) -> BatchNoiseRecord {
    let measure = |quantity: &str, predicted: Option<f64>, estimate: Option<&Estimate>| PredictedMeasureRecord {
        quantity: quantity.to_owned(),
        predicted: predicted.filter(|value| value.is_finite()),
        measured: estimate.map(|estimate| estimate.value),
        standard_error: estimate.map(|estimate| estimate.standard_error),
    };
    let shape = predicted(&point.directions[0].shape, course.sampling, point.examples(), sized.draw.size);
    let law = sized.laws.first();
    let mut measures = vec![
        measure("trace", Some(1.0), sized.trace.as_ref()),
        measure("along v₁", Some(1.0), sized.top.as_ref()),
        measure("skewness", shape.map(|(s, _)| s.skewness), law.and_then(|law| law.skewness.as_ref())),
        measure("kurtosis", shape.map(|(s, _)| s.excess), law.and_then(|law| law.excess.as_ref())),
    ];
    measures.extend(law.map(|law| PredictedMeasureRecord {
        quantity: "distance".into(),
        predicted: Some(law.predicted_distance).filter(|value| value.is_finite()),
        measured: Some(law.distance).filter(|value| value.is_finite()),
        standard_error: None,
    }));
    BatchNoiseRecord {
        size: sized.draw.size,
        gradients: sized.draw.batches,
        draws: sized.draw.batches * crate::scenario::DRAWS_PER_BATCH,
        measures,
    }
}

/// Quantiles at every place and size, and the spectra.
pub(super) fn figures(found: &[Found]) -> FigureData {
    let panels = found.iter().flat_map(|found| found.sizes.iter().map(move |sized| panel(&found.point, sized)));
    let spectra = found.iter().map(|found| found.point.eigenvalues.clone());
    FigureData {
        quantiles: Some(QuantilesFigure { panels: panels.collect() }),
        eigenvalues: Some(EigenvaluesFigure { panels: spectra.collect() }),
        ..FigureData::default()
    }
}

fn panel(point: &Point, sized: &Measured) -> QuantilePanel {
    let alone = (sized.draw.size == 1).then(|| point.standardized(0));
    let expected = |value: f64| match (&alone, sized.laws.first()) {
        (Some(examples), _) => examples.iter().filter(|z| **z <= value).count() as f64 / examples.len() as f64,
        (None, Some(law)) => law.predicted.edgeworth(value),
        (None, None) => f64::NAN,
    };
    let points = sized.distribution.iter().map(|(value, share)| QuantilePoint {
        value: *value,
        probability: share.value,
        standard_error: share.standard_error,
        predicted: expected(*value),
    });
    QuantilePanel { place: point.place.name(), size: sized.draw.size, points: points.collect() }
}
