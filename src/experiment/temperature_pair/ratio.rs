//! The measured ratio of the two laws of L.

use super::{BINS, Pair, Part};
use crate::experiment::measurement::Measurement;
use crate::findings::LogRatioFigure;
use crate::statistics::Estimate;
use crate::statistics::logistic::{self, LogRatio};

/// The part of the values of L over which the line must be straight.
const CENTRAL: f64 = 0.95;
/// Bins and reach of the figure.
const BINS_OF_FIGURE: usize = 24;
const CENTRAL_OF_FIGURE: f64 = 0.999;
const POINTS_OF_LINE: usize = 61;

/// The measured ratio.
pub(super) struct Ratio {
    /// Centres of the bins of L.
    loss: Vec<f64>,
    /// Fractions of every group in them, of either ensemble.
    rows: [Vec<Vec<f64>>; 2],
    pub(super) straight: LogRatio,
    bent: LogRatio,
    /// The central 95 % of L, over both ensembles alike.
    pub(super) central: [f64; 2],
    /// The largest part of an ensemble's looks whose L was beyond the bins.
    beyond: f64,
}

impl Ratio {
    /// `None` where the laws do not overlap.
    pub(super) fn of(pair: &Pair, measurements: &[Measurement]) -> Option<Self> {
        let [low, high] = pair.range;
        let width = (high - low) / BINS as f64;
        let loss: Vec<f64> = (0..BINS).map(|bin| low + width * (bin as f64 + 0.5)).collect();
        let mut beyond: f64 = 0.0;
        let rows = [0, 1].map(|index| {
            let histogram = measurements.get(index).and_then(|measurement| measurement.histogram.as_ref());
            let whole = histogram.map(|histogram| histogram.fractions()).unwrap_or_default();
            let outside: f64 = whole.iter().map(|row| row[0] + row[BINS + 1]).sum();
            beyond = beyond.max(outside / whole.len().max(1) as f64);
            // Both laws cut to the same range keep the slope of their ratio.
            whole.into_iter().map(|row| row[1..=BINS].to_vec()).collect::<Vec<_>>()
        });
        let straight = LogRatio::fit(&loss, &rows[0], &rows[1], 1).ok()?;
        let bent = LogRatio::fit(&loss, &rows[0], &rows[1], 2).ok()?;
        let central = logistic::central_range(&loss, &pooled(&rows), CENTRAL);
        Some(Self { loss, rows, straight, bent, central, beyond })
    }

    pub(super) fn part(&self, pair: &Pair, part: Part) -> Estimate {
        match part {
            Part::Slope => {
                let slope = self.straight.slope();
                let ratio = Estimate {
                    value: slope.value / pair.slope(),
                    standard_error: slope.standard_error / pair.slope().abs(),
                    ..slope
                };
                // A slope of the wrong sign, or one that is hardly told from zero, has no logarithm. r − 1, which is ln r
                // near 1, has an interval that holds for any r.
                ratio.logarithm().unwrap_or(Estimate { value: ratio.value - 1.0, ..ratio })
            }
            Part::Bend => self.bent.bend(self.central),
        }
    }

    pub(super) fn note(&self) -> Option<String> {
        (self.beyond > 1e-6).then(|| {
            format!(
                "a part {:.1e} of the looks had a loss beyond the bins and was left out, which does not change the slope that \
                 is predicted",
                self.beyond
            )
        })
    }

    pub(super) fn figure(&self, pair: &Pair) -> LogRatioFigure {
        let [low, high] = logistic::central_range(&self.loss, &pooled(&self.rows), CENTRAL_OF_FIGURE);
        let width = (high - low) / BINS_OF_FIGURE as f64;
        let (mut loss, mut measured, mut standard_error) = (Vec::new(), Vec::new(), Vec::new());
        for bin in 0..BINS_OF_FIGURE {
            let (from, to) = (low + width * bin as f64, low + width * (bin + 1) as f64);
            let inside = self.loss.partition_point(|&x| x < from)..self.loss.partition_point(|&x| x < to);
            let share = |rows: &[Vec<f64>]| {
                let shares: Vec<f64> = rows.iter().map(|row| row[inside.clone()].iter().sum()).collect();
                // For the eye only, so a bin that is hardly known is shown too, with its long bar.
                let share = Estimate::from_replicas(&shares).filter(|share| share.value > 0.0)?;
                let standard_error = share.standard_error / share.value;
                Some(Estimate { value: crate::math::ln(share.value), standard_error, ..share })
            };
            if let (Some(first), Some(second)) = (share(&self.rows[0]), share(&self.rows[1])) {
                let ratio = first.minus(&second);
                loss.push(0.5 * (from + to));
                measured.push(ratio.value);
                standard_error.push(ratio.standard_error);
            }
        }
        let line: Vec<f64> =
            (0..POINTS_OF_LINE).map(|i| low + (high - low) * i as f64 / (POINTS_OF_LINE - 1) as f64).collect();
        let fitted: Vec<Estimate> = line.iter().map(|&x| self.straight.value(x)).collect();
        let center = self.straight.center();
        let height = self.straight.value(center).value;
        LogRatioFigure {
            loss,
            measured,
            standard_error,
            predicted: line.iter().map(|x| height + pair.slope() * (x - center)).collect(),
            fitted: fitted.iter().map(|estimate| estimate.value).collect(),
            fitted_standard_error: fitted.iter().map(|estimate| estimate.standard_error).collect(),
            line,
        }
    }
}

/// Both laws alike.
fn pooled(rows: &[Vec<Vec<f64>>; 2]) -> Vec<f64> {
    let [first, second] = rows.each_ref().map(|rows| logistic::mean(rows, BINS));
    first.iter().zip(&second).map(|(a, b)| 0.5 * (a + b)).collect()
}
