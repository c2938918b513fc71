//! From replicas to estimates, and from estimates to verdicts. Knows nothing of SGD.
//!
//! The unit of evidence is an **independent replica**, never a time step: steps of one trajectory are correlated, and
//! counting them as independent makes a nominal 95 % interval cover about a third of the time.
//!
//! ```text
//! per-replica fractions ─► Occupancies ─► Estimate ─► Contrast ─┐
//! block means of some   ─► R̂, ESS, start contrast ─► Equilibration ─► Evidence ─► judge ─► Judgement ─► scenario_verdict
//! ```
//!
//! | file | purpose |
//! |---|---|
//! | [`special`] | normal, Student-t and F distributions, the same bits on every machine |
//! | [`Estimate`] | a value with its standard error and degrees of freedom |
//! | [`Sample`] | the numbers of replicas, and how many of them are missing |
//! | [`Occupancies`] | occupancies and log-odds of states from replicas |
//! | [`transitions`] | their errors where few transitions were seen |
//! | [`mod@hotelling`] | all states against their predictions at once |
//! | [`r_hat`], [`effective_sample_size`] | convergence diagnostics of chains |
//! | [`start_contrast`], [`memory`], [`relaxation`], [`equilibration`] | has the ensemble forgotten where it started? |
//! | [`stationarity`] | means that are 0 at stationarity |
//! | [`claim`] | HOLDS, REJECTED or UNDETERMINED, and why |
//! | [`estimated_unit`] | differences in a unit that is itself measured, such as the spread between seeds |
//! | [`mod@line`] | a weighted straight line through independent estimates, and its root |
//! | [`scenario`] | Holm's correction, and the verdict of a whole scenario |
//! | [`effort`] | how many transitions an answer costs |
//! | [`distance`] | a bound of the distance between a measured and a predicted law |
//! | [`rank_correlation`] | does one thing fall as another rises? |
//! | [`logistic`] | the ratio of two laws as a function of one number |
//! | [`looks`] | what it costs to look again: the levels of a continued run |
//! | [`planning`] | how long a run must be, from a pilot |
//!
//! Everything here uses `libm` and correctly rounded operations only, and sums in a fixed order: equal input gives
//! equal bytes on every machine.

pub mod claim;
pub mod distance;
pub mod effective_sample_size;
pub mod effort;
pub mod equilibration;
mod error;
pub mod estimate;
pub mod estimated_unit;
pub mod hotelling;
pub mod line;
pub mod logistic;
pub mod looks;
pub mod memory;
pub mod occupancy;
pub mod planning;
pub mod r_hat;
pub mod rank_correlation;
pub mod relaxation;
pub mod sample;
pub mod scenario;
mod series;
pub mod special;
pub mod start_contrast;
pub mod stationarity;
pub mod transitions;

pub use claim::{Contrast, EffortToSettle, Evidence, JudgedContrast, Judgement, Verdict, judge};
pub use distance::judge_distance;
pub use equilibration::{Equilibration, EquilibrationInput, Observable, StartDesign};
pub use error::StatisticsError;
pub use estimate::Estimate;
pub use estimated_unit::{InUnits, Spread, judge_in_units};
pub use hotelling::{HotellingTest, hotelling};
pub use line::{Line, LinePoint};
pub use logistic::LogRatio;
pub use looks::Look;
pub use memory::{Jumps, StartMemory};
pub use occupancy::Occupancies;
pub use rank_correlation::{RankTrend, judge_rank_trend, median, spearman};
pub use relaxation::Relaxation;
pub use sample::{LeftOut, Sample};
pub use scenario::{after_holm, holm, overall, scenario_verdict};
pub use start_contrast::StartContrast;
pub use stationarity::ZeroTest;
pub use transitions::Transitions;
