//! What figures are drawn from: plain data, written to `figures/*.csv` and read back.

use super::gradient_noise::{EigenvaluesFigure, QuantilesFigure};
use super::study::StudyPoint;
use super::width::{ChordFigure, WidthFigure};

/// What the figures are drawn from; `None` where a figure does not apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FigureData {
    /// Histogram and predicted densities (1-D).
    pub density: Option<DensityFigure>,
    /// Loss, visits and trajectories (2-D).
    pub map: Option<MapFigure>,
    /// Running occupancies by start basin.
    pub mixing: Option<MixingFigure>,
    /// Log-odds against 1/n.
    pub crossover: Option<CrossoverFigure>,
    /// Changes with β.
    pub scaling: Option<ScalingFigure>,
    /// Log-odds under one form of noise after another.
    pub noise_ladder: Option<NoiseLadderFigure>,
    /// How far the measured distribution function is from the predicted one (1-D).
    pub distribution: Option<DistributionFigure>,
    /// Measured and predicted density, and their difference, over the plane (2-D).
    pub cells: Option<CellsFigure>,
    /// The ratio of the laws of L at two temperatures.
    pub log_ratio: Option<LogRatioFigure>,
    /// Learning curves of several groups.
    pub curves: Option<CurvesFigure>,
    /// |E f(SGD) − E f(SDE)| against η.
    pub weak_error: Option<WeakErrorFigure>,
    /// Curvature at equal loss against η/S.
    pub width: Option<WidthFigure>,
    /// Loss along the lines between end points.
    pub chord: Option<ChordFigure>,
    /// Quantiles of the noise of the minibatch gradient against normal ones.
    pub quantiles: Option<QuantilesFigure>,
    /// The largest eigenvalues of H and of C.
    pub eigenvalues: Option<EigenvaluesFigure>,
    /// The points of a study, all of them: `study.csv`.
    pub study: Option<Vec<StudyPoint>>,
}

impl FigureData {
    /// Without error bars of densities: where the start is still seen in what was measured they would not contain the stationary one.
    pub fn withhold_errors(&mut self) {
        let errors = [
            self.density.as_mut().map(|figure| &mut figure.standard_error),
            self.distribution.as_mut().map(|figure| &mut figure.standard_error),
        ];
        errors.into_iter().flatten().for_each(|errors| errors.fill(f64::NAN));
    }
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
    /// The Itô equation's own density there, where the noise depends on θ; empty when unknown.
    pub ito: Vec<f64>,
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

/// ln(p_A/p_B) against 1/n: points, and a line for the measurement and for every rung.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossoverFigure {
    /// 1/n (or 1/T) of the points.
    pub inverse: Vec<f64>,
    /// Measured ln(p_A/p_B) there; NaN without an estimate.
    pub measured: Vec<f64>,
    /// Ends of its 95 % intervals.
    pub low: Vec<f64>,
    /// Upper ends.
    pub high: Vec<f64>,
    /// Where the curves are given.
    pub at: Vec<f64>,
    /// The curves: every rung's own log-odds, and the measured line with its 95 % band.
    pub lines: Vec<CrossoverLine>,
}

/// One curve of ln(p_A/p_B).
#[derive(Clone, Debug, PartialEq)]
pub struct CrossoverLine {
    /// `laplace`, `gibbs`, `discrete` or `measured`.
    pub name: String,
    /// Its heights.
    pub value: Vec<f64>,
    /// The band; equal to the heights where the curve has no error.
    pub low: Vec<f64>,
    /// Upper edge of the band.
    pub high: Vec<f64>,
}

/// How a quantity changes with β: points, and the theory's curve.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalingFigure {
    /// Names of the quantities.
    pub quantities: Vec<String>,
    /// β of the points, the first being what the others are compared with.
    pub beta: Vec<f64>,
    /// Measured change since the first β, one row per quantity and β: ln ratio or difference of log-odds; NaN without one.
    pub measured: Vec<Vec<f64>>,
    /// Lower ends of their 95 % intervals.
    pub low: Vec<Vec<f64>>,
    /// Upper ends.
    pub high: Vec<Vec<f64>>,
    /// β where the theory's curves are given.
    pub at: Vec<f64>,
    /// The chain's own change since the first β, per quantity; NaN where it has no law.
    pub predicted: Vec<Vec<f64>>,
}

/// Log-odds under one form of noise after another, and by the formula.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NoiseLadderFigure {
    /// Quantity by quantity; of each first what is predicted, then what was measured, real minibatches last.
    pub marks: Vec<NoiseLadderMark>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseLadderMark {
    /// ln(p_A/p_B) of which minima.
    pub quantity: String,
    /// The form of noise, or the rung of a prediction.
    pub form: String,
    /// Whether it was simulated.
    pub is_measured: bool,
    /// Whether the ensemble has forgotten its start; of a prediction true.
    pub is_equilibrated: bool,
    /// The log-odds; NaN without an estimate.
    pub value: f64,
    /// Lower end of the 95 % interval; NaN of a prediction.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Differences between distribution functions and the tested one, on a line.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionFigure {
    /// Name of the coordinate.
    pub variable: String,
    /// Where the functions are compared.
    pub theta: Vec<f64>,
    /// Measured minus tested.
    pub measured: Vec<f64>,
    /// Its standard error at each place, between independent groups of replicas.
    pub standard_error: Vec<f64>,
    /// Laplace's mixture of Gaussians minus tested; empty when unknown.
    pub laplace: Vec<f64>,
    /// Gibbs minus tested; empty when unknown.
    pub gibbs: Vec<f64>,
    /// The Itô law minus tested; empty when unknown.
    pub ito: Vec<f64>,
    /// The chain's own law minus tested; empty when unknown.
    pub discrete: Vec<f64>,
}

/// Measured and predicted density over the plane.
#[derive(Clone, Debug, PartialEq)]
pub struct CellsFigure {
    /// Names of the two coordinates.
    pub variables: [String; 2],
    /// Edges of the cells along each coordinate.
    pub edges: [Vec<f64>; 2],
    /// Measured probability density per cell, first coordinate running fastest.
    pub measured: Vec<f64>,
    /// Its standard error per cell, between independent groups of replicas.
    pub standard_error: Vec<f64>,
    /// The tested rung's mean density per cell.
    pub predicted: Vec<f64>,
}

/// ln[P₁(L)/P₂(L)] for two ensembles at different temperatures.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRatioFigure {
    /// Centres of the bins of L.
    pub loss: Vec<f64>,
    /// ln of the ratio of the measured probabilities of each bin.
    pub measured: Vec<f64>,
    /// Its standard error, between independent groups of replicas.
    pub standard_error: Vec<f64>,
    /// Where the lines are given.
    pub line: Vec<f64>,
    /// The fitted line there.
    pub fitted: Vec<f64>,
    /// Its standard error there.
    pub fitted_standard_error: Vec<f64>,
    /// The line of the predicted slope through the fitted one at the mean of L.
    pub predicted: Vec<f64>,
}

/// Loss and accuracy against epochs, group by group, and their differences from the first group.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvesFigure {
    /// What the curves are of.
    pub quantities: Vec<String>,
    /// The groups; differences are from the first.
    pub groups: Vec<CurveGroup>,
}

/// The curves of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveGroup {
    /// For the key.
    pub name: String,
    /// One per quantity.
    pub curves: Vec<Vec<CurvePoint>>,
}

/// A curve at one look.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvePoint {
    /// When.
    pub epoch: f64,
    /// Over the replicas.
    pub mean: f64,
    /// Standard deviation between replicas.
    pub deviation: f64,
    /// Replicas that have no part in these two.
    pub left_out: u64,
    /// Pairs that have none in the difference.
    pub pairs_left_out: u64,
    /// Mean difference from the first group, in units of the spread between seeds; NaN at the start.
    pub difference: f64,
    /// Low end of its 95 % interval.
    pub low: f64,
    /// High end of its 95 % interval.
    pub high: f64,
}

/// |E f(SGD) − E f(SDE)| against η, of either order and every f.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WeakErrorFigure {
    /// Every error.
    pub marks: Vec<WeakErrorMark>,
    /// The fitted lines.
    pub curves: Vec<WeakErrorCurve>,
}

/// One error.
#[derive(Clone, Debug, PartialEq)]
pub struct WeakErrorMark {
    /// f.
    pub observable: String,
    /// 1 or 2.
    pub order: u8,
    /// η.
    pub learning_rate: f64,
    /// |error|; NaN without an estimate.
    pub error: f64,
    /// Ends of its 95 % interval; below 0 where it is not told from 0.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// A 95 % bound of the error of the integrator's step.
    pub integrator: f64,
    /// |error| in closed form; NaN where there is none.
    pub exact: f64,
}

/// A fitted line, by its ends and places in between.
#[derive(Clone, Debug, PartialEq)]
pub struct WeakErrorCurve {
    /// f.
    pub observable: String,
    /// 1 or 2.
    pub order: u8,
    /// Where.
    pub learning_rate: Vec<f64>,
    /// The height of the line.
    pub value: Vec<f64>,
    /// Its 95 % band.
    pub low: Vec<f64>,
    /// Upper edge.
    pub high: Vec<f64>,
}
