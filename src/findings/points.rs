//! Results of a question that goes through several noise scales or learning rates.

use serde::{Deserialize, Serialize};

/// One quantity at one point: predicted and measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PointRecord {
    /// What is varied: `n`, `T` or `β`.
    pub varied: String,
    /// Its value.
    pub at: f64,
    /// What is predicted and measured there, e.g. `ln(p_A/p_B)` or `Var(axis 1)`.
    pub quantity: String,
    /// By the slide's formula; for a variance by the SDE.
    pub laplace: Option<f64>,
    /// By the Gibbs law.
    pub gibbs: Option<f64>,
    /// By the Itô density, where the noise depends on θ.
    pub ito: Option<f64>,
    /// By the law of the chain at its finite step; null where there is none.
    pub discrete: Option<f64>,
    /// By the simulation.
    pub measured: Option<f64>,
    /// Of the measured one.
    pub standard_error: Option<f64>,
    /// 95 % interval of the measured one.
    pub interval: Option<[f64; 2]>,
    /// Whether the ensemble of this point has forgotten its start; null when nothing was simulated.
    pub equilibrated: Option<bool>,
    /// How many of its replicas diverged; null when nothing was simulated.
    pub diverged: Option<u64>,
}

/// Lines of ln(p_A/p_B) against 1/n, and where they cross zero.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CrossoverRecord {
    /// What is varied: `n`, or `T` where the noise is a temperature.
    pub varied: String,
    /// The two minima, A and B.
    pub pair: [String; 2],
    /// Heights of the lowest pass above A and above B; null where no saddle was found between them.
    pub barriers: Option<[f64; 2]>,
    /// One row per rung that exists.
    pub predicted: Vec<CrossingRecord>,
    /// The measured line; null when nothing was simulated or a point has no estimate.
    pub measured: Option<CrossingRecord>,
    /// Covariance of the measured slope and intercept.
    pub covariance: Option<f64>,
    /// Σ (residual/SE)² of the measured points about their line.
    pub chi_square: Option<f64>,
    /// P(a larger one, if the line is straight).
    pub chi_square_p_value: Option<f64>,
    /// Whether the measured crossing lies outside of the measured points.
    pub extrapolated: Option<bool>,
}

/// One line and its crossing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CrossingRecord {
    /// `laplace`, `gibbs`, `discrete` or `measured`.
    pub name: String,
    /// d ln(p_A/p_B)/d(1/n).
    pub slope: f64,
    /// Of the slope; null for a prediction.
    pub slope_standard_error: Option<f64>,
    /// ln(p_A/p_B) as 1/n → 0 along the line.
    pub intercept: f64,
    /// Of the intercept; null for a prediction.
    pub intercept_standard_error: Option<f64>,
    /// −slope/intercept: where the line crosses zero; null where it does not.
    pub line_crossing: Option<f64>,
    /// Where the rung's own ln(p_A/p_B) is zero, which is no line's root unless it is straight; null for the measurement.
    pub exact_crossing: Option<f64>,
    /// 95 % interval of the measured crossing of the line.
    pub interval: Option<[f64; 2]>,
}

/// Where proportional scaling stops changing nothing, and where it diverges.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScalingRecord {
    /// The β at which the predicted change reaches ε; null where it does not below the largest β looked at.
    pub breaks_predicted: Option<f64>,
    /// The last β of the list at which nothing has changed by more than ε (HOLDS), and the first at which something has
    /// (REJECTED); null where there is none.
    pub breaks_measured: [Option<f64>; 2],
    /// β = 2/(ηh), in a bowl.
    pub diverges_predicted: Option<f64>,
    /// The largest β at which short ensembles stayed and the smallest at which they diverged; an end is null where none did.
    pub diverges_measured: Option<[Option<f64>; 2]>,
}

/// E f(SGD) − E f(SDE) at one time against η.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WeakErrorRecord {
    /// t.
    pub time: f64,
    /// Steps of the SDEs' integrator within one of SGD.
    pub substeps: u64,
    /// One row per order, observable and η.
    pub errors: Vec<WeakErrorPoint>,
    /// One row per order and observable that has a line; empty when nothing was simulated.
    pub slopes: Vec<WeakErrorSlope>,
}

/// One error.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WeakErrorPoint {
    /// 1 for the SDE, 2 for its modification of second order.
    pub order: u8,
    /// f.
    pub observable: String,
    /// η.
    pub learning_rate: f64,
    /// t/η.
    pub steps: u64,
    /// E f(SGD) − E f(SDE) in closed form; null outside of a bowl with additive noise and a quadratic f.
    pub exact: Option<f64>,
    /// By the simulation.
    pub measured: Option<f64>,
    /// Of the measured one, between replicas: the error of chance alone.
    pub standard_error: Option<f64>,
    /// 95 % interval of the measured one.
    pub interval: Option<[f64; 2]>,
    /// How far the integrator's finite step puts E f(SDE) off, told from steps twice as long; it is part of `measured`.
    pub integrator: Option<f64>,
    /// Of that.
    pub integrator_standard_error: Option<f64>,
    /// Replicas that diverged; null when nothing was simulated.
    pub diverged: Option<u64>,
}

/// The line ln|error| = slope·ln η + intercept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WeakErrorSlope {
    /// 1 for the SDE, 2 for its modification of second order.
    pub order: u8,
    /// f.
    pub observable: String,
    /// d ln|error|/d ln η.
    pub slope: f64,
    /// Of the slope.
    pub standard_error: f64,
    /// ln|error| at η = 1 along the line.
    pub intercept: f64,
    /// The slope of the exact errors with the same weights: off the order by what the next order in η adds; null where there are none.
    pub exact: Option<f64>,
    /// The most by which the integrator's step may have moved the slope.
    pub integrator: f64,
    /// Σ (residual/SE)² of the points about their line.
    pub chi_square: f64,
    /// P(a larger one, if the line is straight).
    pub chi_square_p_value: Option<f64>,
}
