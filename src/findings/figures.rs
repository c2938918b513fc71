//! What figures are drawn from: plain data, written to `figures/*.csv` and read back.

use super::study::PointRecord;

/// What the figures of an occupancy question are drawn from; `None` where a figure does not apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FigureData {
    /// Histogram and predicted densities (1-D).
    pub density: Option<DensityFigure>,
    /// Loss, visits and trajectories (2-D).
    pub map: Option<MapFigure>,
    /// Running occupancies by start basin.
    pub mixing: Option<MixingFigure>,
    /// The points of a study, all of them: `study.csv`.
    pub study: Option<Vec<PointRecord>>,
}

/// Measured density with error bars beside the predicted ones, 1-D.
#[derive(Clone, Debug, PartialEq)]
pub struct DensityFigure {
    /// Name of the coordinate.
    pub variable: String,
    /// Edges of the histogram's bins, one more than bins.
    pub edges: Vec<f64>,
    /// Probability density per bin.
    pub measured: Vec<f64>,
    /// Its standard error per bin, between independent groups of replicas.
    pub standard_error: Vec<f64>,
    /// Where the predicted curves and the loss are given.
    pub theta: Vec<f64>,
    /// L there.
    pub loss: Vec<f64>,
    /// exp(−L/T)/Z there; empty when unknown.
    pub gibbs: Vec<f64>,
    /// The chain's stationary density there; empty when unknown.
    pub discrete: Vec<f64>,
}

/// Loss and visits over the plane, 2-D.
#[derive(Clone, Debug, PartialEq)]
pub struct MapFigure {
    /// Names of the two coordinates.
    pub variables: [String; 2],
    /// Edges of the cells along each coordinate.
    pub edges: [Vec<f64>; 2],
    /// Measured probability density per cell, first coordinate running fastest.
    pub measured: Vec<f64>,
    /// L at the cells' centres, same order.
    pub loss: Vec<f64>,
    /// Into whose basin the cells' centres descend, same order: the id of a minimum, or "other"; empty when unknown.
    pub basin: Vec<String>,
    /// A few trajectories, replayed from their starts.
    pub paths: Vec<Path2>,
}

/// A stretch of one trajectory in the plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Path2 {
    /// Index of the replica.
    pub replica: u64,
    /// Id of the minimum in which it started, or "other".
    pub start: String,
    /// Points, evenly spaced in time.
    pub points: Vec<[f64; 2]>,
}

/// Occupancies as they converge, one series per start group and minimum: does it mix?
#[derive(Clone, Debug, PartialEq)]
pub struct MixingFigure {
    /// SDE time since the end of the burn-in at the end of each stretch.
    pub time: Vec<f64>,
    /// The series.
    pub series: Vec<MixingSeries>,
}

/// The running occupancy of one minimum by the replicas of one start group.
#[derive(Clone, Debug, PartialEq)]
pub struct MixingSeries {
    /// Where the replicas started: the id of a minimum, or "other".
    pub start: String,
    /// Whose occupancy.
    pub minimum: String,
    /// Fraction of all observations up to that time.
    pub value: Vec<f64>,
    /// Its standard error between replicas of the group; NaN where the group has one replica.
    pub standard_error: Vec<f64>,
}
