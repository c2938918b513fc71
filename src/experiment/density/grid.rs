//! Into which cells the laws are cut: many on a line, few in the plane.

use crate::ensemble::histogram::Histogram;
use crate::experiment::figures;
use crate::experiment::setting::Setting;
use crate::math;
use crate::statistics::distance::Metric;

/// Cells of the line. Each holds at most about one in a thousand of the Gibbs law, so that little is hidden between
/// two edges.
const CELLS_ON_LINE: usize = 2_048;
/// Equal steps that cells of the line are made of.
const STEPS_ON_LINE: usize = 1 << 15;
/// Cells along each side of the plane. Noise alone makes the total variation about 0.4·√(cells that matter/independent
/// samples): with some 300 of the 1,024 cells that matter, and 10⁶ samples, 0.007. More cells would see finer
/// differences and need longer runs to see them.
const CELLS_OF_SIDE: usize = 32;

/// The cells.
pub(in crate::experiment) enum Grid {
    /// In order, of unequal width.
    Line(Line),
    /// Equal ones; their edges along each coordinate.
    Plane([Vec<f64>; 2]),
}

/// Cells of a line.
pub(in crate::experiment) struct Line {
    range: [f64; 2],
    /// Which of the equal steps begin a cell.
    starts: Vec<usize>,
    edges: Vec<f64>,
}

impl Grid {
    /// Over what the trajectories will visit. On a line half of the edges are spread evenly over the Gibbs law and half evenly over the
    /// range, so that neither narrow wells nor wide plateaus fall between two of them.
    pub(super) fn new(setting: &Setting) -> Self {
        let region = figures::region(setting);
        match region.as_slice() {
            [x, y] => Self::Plane([*x, *y].map(|[low, high]| {
                (0..=CELLS_OF_SIDE).map(|i| low + (high - low) * i as f64 / CELLS_OF_SIDE as f64).collect()
            })),
            region => Self::Line(Line::new(setting, region[0])),
        }
    }

    pub(super) fn metric(&self) -> Metric {
        match self {
            Self::Line(_) => Metric::Kolmogorov,
            Self::Plane(_) => Metric::TotalVariation,
        }
    }

    /// The edges along each coordinate.
    pub(super) fn axes(&self) -> Vec<&[f64]> {
        match self {
            Self::Line(line) => vec![&line.edges],
            Self::Plane([x, y]) => vec![x, y],
        }
    }

    pub(super) fn histogram(&self, groups: usize) -> Histogram {
        match self {
            Self::Line(line) => Histogram::on_line(line.range, STEPS_ON_LINE, &line.starts),
            Self::Plane(edges) => {
                Histogram::new(&edges.each_ref().map(|edges| [edges[0], edges[edges.len() - 1]]), CELLS_OF_SIDE)
            }
        }
        .in_groups(groups)
    }

    /// By how much the distance may exceed its value over the cells. Between two edges, and beyond the outermost, a
    /// distribution function cannot differ from the predicted one by more than at the nearer edge, plus what the prediction itself
    /// has between them. Total variation is a statement about the cells.
    pub(super) fn unresolved(&self, law: &[f64]) -> f64 {
        match self {
            Self::Line(_) => law.iter().fold(0.0, |largest, &mass| f64::max(largest, mass)),
            Self::Plane(_) => 0.0,
        }
    }

    /// Where the largest deviation is, with both values.
    pub(super) fn told(&self, setting: &Setting, place: usize, measured: &[f64], predicted: &[f64]) -> String {
        match self {
            Self::Line(line) => {
                let below = |law: &[f64]| law[..=place].iter().sum::<f64>();
                let edge = line.edges[place.min(line.edges.len() - 1)];
                let (measured, predicted) = (below(measured), below(predicted));
                format!(
                    "at {} = {edge:.4}, where F is {measured:.4} by measurement and {predicted:.4} by prediction",
                    setting.variables[0]
                )
            }
            Self::Plane([x, y]) => {
                let columns = x.len() - 1;
                let (column, row) = (place % columns, place / columns);
                let cell = match (x.get(column..column + 2), y.get(row..row + 2)) {
                    (Some([left, right]), Some([low, high])) => format!(
                        "in the cell around ({}, {}) = ({:.4}, {:.4})",
                        setting.variables[0],
                        setting.variables[1],
                        0.5 * (left + right),
                        0.5 * (low + high)
                    ),
                    _ => "outside of the cells".into(),
                };
                let (measured, predicted) = (measured[place], predicted[place]);
                format!("{cell}, whose probability is {measured:.5} by measurement and {predicted:.5} by prediction")
            }
        }
    }

    /// How the cells are to be read.
    pub(super) fn note(&self, unresolved: f64) -> String {
        match self {
            Self::Line(line) => format!(
                "the distribution functions are compared at {} edges from {:.4} to {:.4}; between two of them, and beyond the \
                 last ones, the distance can be larger by {unresolved:.4} at most, the largest predicted probability there, which \
                 the bound contains",
                line.edges.len(),
                line.range[0],
                line.range[1]
            ),
            Self::Plane([x, y]) => format!(
                "the total variation is that over {0} × {0} cells of [{1:.4}, {2:.4}] × [{3:.4}, {4:.4}] and of what lies \
                 outside; what happens within a cell is not seen",
                CELLS_OF_SIDE, x[0], x[CELLS_OF_SIDE], y[0], y[CELLS_OF_SIDE]
            ),
        }
    }
}

impl Line {
    fn new(setting: &Setting, [low, high]: [f64; 2]) -> Self {
        let (lowest, temperature) = (setting.landscape.minima[0].loss, setting.effective_temperature());
        let width = (high - low) / STEPS_ON_LINE as f64;
        let weights: Vec<f64> = (0..STEPS_ON_LINE)
            .map(|step| {
                let value = setting.loss.value(&[low + width * (step as f64 + 0.5)]);
                let weight = math::exp(-(value - lowest) / temperature);
                if weight.is_finite() { weight } else { 0.0 }
            })
            .collect();
        let total: f64 = weights.iter().sum();
        let even = 1.0 / STEPS_ON_LINE as f64;
        let (mut starts, mut reached, mut sum) = (vec![0], 0, 0.0);
        for (step, weight) in weights.iter().enumerate() {
            let cell = (sum * CELLS_ON_LINE as f64) as usize;
            if cell > reached {
                starts.push(step);
                reached = cell;
            }
            sum += 0.5 * (weight / total + even);
        }
        let edge = |&start: &usize| low + (high - low) * start as f64 / STEPS_ON_LINE as f64;
        let edges = starts.iter().map(edge).chain([high]).collect();
        Self { range: [low, high], starts, edges }
    }

    pub(super) fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The cells put together into about `count` parts of about equal width.
    pub(super) fn parts(&self, count: usize) -> Vec<std::ops::Range<usize>> {
        let [low, high] = self.range;
        let part_of = |edge: f64| ((edge - low) / (high - low) * count as f64 + 0.5) as usize;
        let mut starts: Vec<usize> = vec![0];
        for cell in 1..self.starts.len() {
            if part_of(self.edges[cell]) > part_of(self.edges[cell - 1]) {
                starts.push(cell);
            }
        }
        let ends = starts.iter().skip(1).copied().chain([self.starts.len()]);
        starts.iter().zip(ends).map(|(&start, end)| start..end).collect()
    }
}
