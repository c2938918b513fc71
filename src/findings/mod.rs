//! What an experiment found: the seam between measuring and showing.
//!
//! [`Findings`] is the document `result.json`; [`FigureData`] is what the figures are drawn from (`figures/*.csv`).
//! Both are plain data: a pure function of scenario, seed and program version.

mod data;
pub mod figures;
mod gradient_noise;
mod groups;
mod points;
mod stationarity;
pub mod study;
mod width;

use serde::{Deserialize, Serialize};

pub use data::{DataRecord, PartRecord};
pub use figures::{
    CellsFigure, CrossoverFigure, CrossoverLine, CurveGroup, CurvePoint, CurvesFigure, DensityFigure,
    DistributionFigure, FigureData, LogRatioFigure, MapFigure, MixingFigure, MixingSeries, NoiseLadderFigure,
    NoiseLadderMark, Path2, ScalingFigure, WeakErrorCurve, WeakErrorFigure, WeakErrorMark,
};
pub use gradient_noise::{
    BatchNoiseRecord, EigenvaluePanel, EigenvaluesFigure, GradientNoiseRecord, PredictedMeasureRecord, QuantilePanel,
    QuantilePoint, QuantilesFigure,
};
pub use groups::{GroupRecord, LookRecord, MeasureRecord};
pub use points::{
    CrossingRecord, CrossoverRecord, PointRecord, ScalingRecord, WeakErrorPoint, WeakErrorRecord, WeakErrorSlope,
};
pub use stationarity::{SoftestRecord, StationarityRecord, YaidaRecord, ZeroRecord};
pub use study::{Outlook, PointClaim, PointContrast, StudyClaimRecord, StudyPoint, StudyRecord, VerdictCounts};

pub use width::{ChordFigure, ChordPoint, OutputFile, WidthFigure, WidthPlace, WidthPoint};

use crate::scenario::Scenario;
use crate::statistics::Look;
use crate::statistics::claim::Verdict;

/// Version of the layout of `result.json`.
pub const SCHEMA: u32 = 1;

/// The document `result.json`. An absent figure is `None` (null).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Findings {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Which program wrote it.
    pub program: Program,
    /// The resolved scenario, every default filled in.
    pub scenario: Scenario,
    /// What a network learned from; absent for other losses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataRecord>,
    /// n = η/S; null where the scenario gives a temperature instead.
    pub noise_scale: Option<f64>,
    /// T = nσ²/2; null where C is not σ²I.
    pub temperature: Option<f64>,
    /// What the slide's formula was given as T where there is no temperature: n tr C/(2d), averaged over the minima.
    pub effective_temperature: Option<f64>,
    /// The minima found in the domain, by rising loss.
    pub minima: Vec<MinimumRecord>,
    /// Index-1 saddles between them, by rising loss.
    pub saddles: Vec<SaddleRecord>,
    /// Mean times of escape between neighbouring minima, in SDE time.
    pub escape: Vec<EscapeRecord>,
    /// The ladder, one row per minimum and one for `other`.
    pub occupancy: Vec<OccupancyRecord>,
    /// Where a question goes through several noise scales or learning rates: one row per point and quantity.
    #[serde(default)]
    pub points: Vec<PointRecord>,
    /// Where a network is trained: one row per group of replicas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupRecord>,
    /// Noise of the minibatch gradient: one row per place where it was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gradient_noise: Vec<GradientNoiseRecord>,
    /// The line through the points, for a crossover.
    #[serde(default)]
    pub crossover: Option<CrossoverRecord>,
    /// Where proportional scaling breaks, and where it diverges.
    #[serde(default)]
    pub scaling: Option<ScalingRecord>,
    /// How far SGD is from its SDEs at every learning rate, for a weak error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak_error: Option<WeakErrorRecord>,
    /// Prediction beside measurement, as tested statements.
    pub claims: Vec<ClaimRecord>,
    /// Of the whole scenario; null when nothing was simulated.
    pub verdict: Option<Verdict>,
    /// What the scenario expects.
    pub expected: Verdict,
    /// Whether the measurement can be trusted.
    pub diagnostics: Option<Diagnostics>,
    /// What the reader must know to read the figures rightly (e.g. why a rung is null).
    pub notes: Vec<String>,
    /// The summary of a study; null for a single run.
    #[serde(default)]
    pub study: Option<StudyRecord>,
}

/// Name and version of the program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Program {
    /// `sgd-sde`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A minimum of the loss.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MinimumRecord {
    /// "A", "B", … by rising loss.
    pub id: String,
    /// Where it lies, ℝᵈ.
    pub theta: Vec<f64>,
    /// L there.
    pub loss: f64,
    /// Of H there, ascending.
    pub hessian_eigenvalues: Vec<f64>,
    /// ln det H.
    pub log_determinant: Option<f64>,
    /// Number of symmetric images that it stands for.
    pub multiplicity: u32,
}

/// An index-1 saddle.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SaddleRecord {
    /// The two minima that the descent on either side reaches.
    pub between: [String; 2],
    /// Where it lies.
    pub theta: Vec<f64>,
    /// L there.
    pub loss: f64,
    /// Of H there, ascending; the first is negative.
    pub hessian_eigenvalues: Vec<f64>,
}

/// Mean time from one minimum to a neighbouring one, in SDE time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EscapeRecord {
    /// Where it starts.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// Kramers' formula, rates over all saddles between the two added.
    pub kramers: Option<f64>,
    /// Exact mean first-passage time of the SDE from minimum to minimum (1-D).
    pub exact: Option<f64>,
    /// Mean first-passage time of the chain at its finite step (1-D).
    pub discrete: Option<f64>,
}

/// One row of the ladder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OccupancyRecord {
    /// Id of the minimum, or "other".
    pub minimum: String,
    /// The slide's formula.
    pub laplace: Option<f64>,
    /// The Gibbs mass of the basin.
    pub gibbs: Option<f64>,
    /// Of a sampled Gibbs mass; null when by quadrature.
    pub gibbs_standard_error: Option<f64>,
    /// The Itô equation's own mass of the basin where the noise depends on θ (1-D); null where it does not.
    pub ito: Option<f64>,
    /// The stationary law of the chain at its finite step.
    pub discrete: Option<f64>,
    /// Of a discrete rung that builds on a sampled Gibbs rung; else null.
    pub discrete_standard_error: Option<f64>,
    /// By how much the discrete rung may be off beside that; null where it is exact.
    #[serde(default)]
    pub discrete_bound: Option<f64>,
    /// Mean over replicas; null when never visited.
    pub measured: Option<f64>,
    /// Of the measured one; null below 28 transitions between the minimum and the others.
    pub standard_error: Option<f64>,
    /// 95 % interval, from that of the log-odds against everything else; null as above.
    pub interval: Option<[f64; 2]>,
}

/// A tested statement. The numbers are those of the contrast that decides; `contrasts` has all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClaimRecord {
    /// Stable name, e.g. `occupancy-laplace`.
    pub id: String,
    /// Whether it decides the scenario's verdict.
    pub primary: bool,
    /// In words and symbols.
    pub statement: String,
    /// What is compared, e.g. `ln(p_A/p_B)`.
    pub quantity: String,
    /// By the theory.
    pub predicted: Option<f64>,
    /// By the simulation.
    pub measured: Option<f64>,
    /// Of measured − predicted.
    pub standard_error: Option<f64>,
    /// 90 % interval of the measured quantity (two one-sided tests at 5 %).
    pub interval: Option<[f64; 2]>,
    /// ε.
    pub tolerance: f64,
    /// Null when nothing was simulated.
    pub verdict: Option<Verdict>,
    /// p-value against “all |differences| ≤ ε”, Bonferroni-corrected over the contrasts; what Holm's correction over
    /// several claims goes by. Null where the claim may not be rejected.
    pub rejection_p_value: Option<f64>,
    /// Why, with numbers.
    pub reason: String,
    /// Where the prediction comes from.
    pub source: String,
    /// Every contrast of the claim.
    pub contrasts: Vec<ContrastRecord>,
}

/// One contrast of a claim.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ContrastRecord {
    /// What is compared, e.g. `ln(p_A/p_B)`.
    pub quantity: String,
    /// By the theory.
    pub predicted: Option<f64>,
    /// Of a sampled prediction; null where it is computed.
    pub predicted_standard_error: Option<f64>,
    /// By how much the prediction may be off beside that, in every run alike; null where it is exact.
    #[serde(default)]
    pub predicted_bound: Option<f64>,
    /// By the simulation.
    pub measured: Option<f64>,
    /// Of measured − predicted.
    pub standard_error: Option<f64>,
    /// 90 % interval of the measured quantity.
    pub interval: Option<[f64; 2]>,
}

/// Whether the measurement can be trusted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Diagnostics {
    /// √(1 + B/W) over the start groups; worst over the minima.
    pub nested_r_hat: Option<f64>,
    /// Rank-normalised split R̂; worst over the minima.
    pub r_hat: Option<f64>,
    /// Smallest over start groups and minima.
    pub ess: Option<f64>,
    /// Whether nothing speaks against its being at rest, and known well enough for an error.
    pub equilibrated: bool,
    /// Why not, as sentences.
    pub reasons: Vec<String>,
    /// Whether the start is seen in what was measured; intervals of what is asked of the stationary law are then null, since they would
    /// not contain it.
    #[serde(default)]
    pub remembers_start: bool,
    /// Core-to-core transitions, all replicas.
    pub transitions: u64,
    /// Transitions by pair, `from`, `to`, `count`.
    pub transitions_by_pair: Vec<TransitionRecord>,
    /// Returns to the minimum of departure, all replicas.
    pub round_trips: u64,
    /// Replicas that diverged.
    pub diverged: u64,
    /// The first few of them and their steps.
    pub diverged_replicas: Vec<DivergedRecord>,
    /// Largest difference between start groups.
    pub start_contrast: Option<StartContrastRecord>,
    /// What is left of the start by the run's own transition rates; null where there are no several minima.
    #[serde(default)]
    pub start_memory: Option<StartMemoryRecord>,
    /// Whether the ensemble is at rest in every direction; null where no stationary law is asked for. Of several ensembles it is that of
    /// the one that is farthest from it.
    #[serde(default)]
    pub stationarity: Option<StationarityRecord>,
    /// Hotelling's T² of all basins at once against each rung.
    pub all_basins: Vec<AllBasinsRecord>,
    /// How often a trajectory was looked at, in steps.
    pub observed_every: u64,
    /// How many times the run was judged: 1, and one more for every time that it was continued.
    #[serde(default)]
    pub looks: Look,
    /// Measured steps per replica, over all looks.
    #[serde(default)]
    pub steps: u64,
    /// Measured steps per replica and look that a pilot planned; null where the scenario fixes them.
    pub planned_steps: Option<u64>,
    /// Measured steps per replica of that pilot, whose data were discarded.
    pub pilot_steps: Option<u64>,
}

/// Core-to-core transitions of one ordered pair of minima.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransitionRecord {
    /// Departure.
    pub from: String,
    /// Arrival.
    pub to: String,
    /// How many, all replicas.
    pub count: u64,
}

/// A replica that left the numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DivergedRecord {
    /// Its index, from 0; with the seed it replays the trajectory.
    pub replica: u64,
    /// The step, counted from the start of the burn-in, by which it was seen to have diverged.
    pub step: u64,
}

/// Largest difference of an occupancy between start groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StartContrastRecord {
    /// What is compared.
    pub quantity: String,
    /// The difference.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Whether zero lies inside its 99.9 % interval, corrected for the number of comparisons.
    pub consistent_with_zero: bool,
}

/// By how much a log-odds is off because the start is not forgotten, predicted from the measured transition rates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StartMemoryRecord {
    /// The log-odds.
    pub quantity: String,
    /// The bias; null if a minimum was never entered from elsewhere.
    pub bias: Option<f64>,
    /// Standard error of the log-odds, of which a fifth is allowed.
    pub standard_error: f64,
    /// The longest time in which the chain between the minima forgets all but 1/e, in steps; null if it never does.
    pub relaxation_steps: Option<f64>,
}

/// Hotelling's T² against one rung.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AllBasinsRecord {
    /// `laplace`, `gibbs`, `ito` or `discrete`.
    pub against: String,
    /// T²; null with a reason where it does not exist.
    pub t_squared: Option<f64>,
    /// From F(q, R − q).
    pub p_value: Option<f64>,
}
