//! Noise of the minibatch gradient, as rows for the terminal and the page alike.

use crate::findings::{BatchNoiseRecord, Findings, GradientNoiseRecord, PredictedMeasureRecord};

use super::number::{count, significant, with_error};
use super::points::Rows;

/// What H and C are at every place, and what batches of every size have shown there.
pub(super) fn gradient_noise(findings: &Findings) -> [Option<Rows>; 2] {
    let records = &findings.gradient_noise;
    let Some(first) = records.first() else { return [None, None] };
    let spectra = Rows {
        title: "Noise and curvature at the weights where batches are drawn".into(),
        head: std::iter::once(String::new()).chain(first.spectra.iter().map(|m| m.quantity.clone())).collect(),
        rows: records.iter().map(|record| spectrum(first, record)).collect(),
    };
    let rows = records.iter().flat_map(|record| record.batches.iter().map(move |batches| row(record, batches)));
    let batches = first.batches.first().map(|shown| {
        let names = shown.measures.iter().map(|measure| measure.quantity.clone());
        let title = "The noise of a batch: its covariance over C/S (times (N−S)/(N−1) for subsets), in trace and along v₁; along v₁ its skewness, excess kurtosis and Kolmogorov distance from the normal law, in brackets what is predicted";
        let head = ["", "S", "batches"].map(str::to_owned).into_iter().chain(names).collect();
        Rows { title: title.into(), head, rows: rows.collect() }
    });
    [Some(spectra), batches]
}

/// In the order of the first place.
fn spectrum(first: &GradientNoiseRecord, record: &GradientNoiseRecord) -> Vec<String> {
    let mut row = vec![record.place.clone()];
    row.extend(first.spectra.iter().map(|named| {
        let measure = record.spectra.iter().find(|measure| measure.quantity == named.quantity);
        measure.map_or("–".to_owned(), |m| match m.standard_error {
            error if error > 0.0 => with_error(m.measured, Some(error)),
            _ => significant(m.measured, 4),
        })
    }));
    row
}

fn row(record: &GradientNoiseRecord, batches: &BatchNoiseRecord) -> Vec<String> {
    let mut row = vec![record.place.clone(), count(batches.size), count(batches.gradients)];
    row.extend(batches.measures.iter().map(cell));
    row
}

fn cell(measure: &PredictedMeasureRecord) -> String {
    let measured = measure.measured.map_or("–".to_owned(), |value| match measure.standard_error {
        Some(error) => with_error(value, Some(error)),
        None => significant(value, 3),
    });
    match (measure.predicted, measure.predicted_bounds) {
        (_, Some([low, high])) => format!("{measured} ({} to {})", significant(low, 3), significant(high, 3)),
        // A ratio to what is predicted says so.
        (Some(1.0) | None, None) => measured,
        (Some(predicted), None) => format!("{measured} ({})", significant(predicted, 3)),
    }
}
