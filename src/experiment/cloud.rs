//! The cloud of iterates in a bowl: its variances along the directions in which covariances are compared.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::effort::Effort;
use super::records::diverged_records;
use super::setting::Setting;
use super::stationarity::{Groups, Stationarity, gauge};
use super::{Control, ExperimentError, Status};
use crate::ensemble::balance::Balance;
use crate::ensemble::defined::Defined;
use crate::ensemble::moments::Moments;
use crate::ensemble::{FOLLOWED, Fate, Plan, Progress, Run};
use crate::findings::{Diagnostics, StartContrastRecord, StationarityRecord};
use crate::lanes::LANES;
use crate::scenario::Start;
use crate::statistics::{Equilibration, EquilibrationInput, Estimate, Observable, StartDesign};

/// What the names of the compared quantities mean.
pub(super) const NOTE: &str = "axis i is the i-th principal axis (eigenvector) of the SDE's predicted covariance, the widest first; axes i + j is the \
                    diagonal between two of them, whose variance fixes the covariance of the two";
/// Above this dimension the diagonals between axes would be too many; the axes alone are compared.
const MOST_DIMENSIONS_WITH_DIAGONALS: usize = 8;

/// Principal axes of a covariance, and the diagonals between each two of them, by name.
pub(super) fn directions(covariance: &DMatrix<f64>) -> Vec<(String, DVector<f64>)> {
    let d = covariance.nrows();
    let eigen = SymmetricEigen::new(covariance.clone());
    let mut order: Vec<usize> = (0..d).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let axes: Vec<DVector<f64>> = order.iter().map(|&i| eigen.eigenvectors.column(i).into_owned()).collect();
    let mut all: Vec<(String, DVector<f64>)> =
        axes.iter().enumerate().map(|(i, axis)| (format!("axis {}", i + 1), axis.clone())).collect();
    if d <= MOST_DIMENSIONS_WITH_DIAGONALS {
        for i in 0..d {
            for j in i + 1..d {
                let diagonal = (&axes[i] + &axes[j]) * std::f64::consts::FRAC_1_SQRT_2;
                all.push((format!("axes {} + {}", i + 1, j + 1), diagonal));
            }
        }
    }
    all
}

/// uᵀMu, without the columns that a coordinate's direction does not need.
pub(super) fn quadratic_form(matrix: &DMatrix<f64>, direction: &DVector<f64>) -> f64 {
    let columns = direction.iter().zip(matrix.column_iter()).filter(|(u, _)| **u != 0.0);
    columns.map(|(u, column)| u * column.dot(direction)).sum()
}

/// What watches a block.
pub(super) type Observers = (Moments, (Balance, Defined));

/// Makes the observers of the blocks.
pub(super) fn observer(setting: &Setting, plan: &Plan) -> impl Fn(u64, usize) -> Observers + Sync + use<> {
    let (loss, gauge) = (setting.loss.clone(), gauge(setting, plan));
    move |first, count| {
        let followed = FOLLOWED.saturating_sub(first).min(count as u64) as usize;
        (Moments::new(loss.dimension()).following(followed), (Balance::new(&gauge), Defined::new(loss.clone())))
    }
}

/// The measured cloud: time means of θ and θθᵀ of every finished replica.
pub(super) struct Cloud {
    means: Vec<DVector<f64>>,
    squares: Vec<DMatrix<f64>>,
    pub(super) fates: Vec<Fate>,
    pub(super) equilibration: Equilibration,
    /// Whether it is at rest in every direction.
    stationarity: StationarityRecord,
}

impl Cloud {
    /// Runs the ensemble. Where every replica diverged the cloud is empty.
    pub(super) fn measure(
        setting: &Setting,
        plan: &Plan,
        start: &Start,
        control: &mut Control,
    ) -> Result<Self, ExperimentError> {
        Self::measure_on_demand(setting, plan, start, &mut Effort::default(), control)
    }

    /// The same for a run that goes on from an earlier one, or that may be gone on from.
    pub(super) fn measure_on_demand(
        setting: &Setting,
        plan: &Plan,
        start: &Start,
        effort: &mut Effort,
        control: &mut Control,
    ) -> Result<Self, ExperimentError> {
        let observer = observer(setting, plan);
        let mut monitor = |progress: &Progress<Observers>| {
            (control.monitor)(&Status {
                steps_done: progress.steps_done,
                steps_in_all: progress.steps_in_all,
                estimate: &|| running_spread(progress.observers),
            });
        };
        let place = |replica: u64, point: &mut [f64]| setting.start(start, plan.seed, replica, point);
        let dynamics = setting.dynamics.as_ref();
        let run = effort.advance(dynamics, plan, &place, &observer, None, &mut monitor, control.stop)?;
        let cloud = Self::of(setting, plan, start, &run);
        effort.keep(run, None);
        Ok(cloud)
    }

    /// What a run says.
    pub(super) fn of(setting: &Setting, plan: &Plan, start: &Start, run: &Run<Observers>) -> Self {
        let d = setting.loss.dimension();
        let (observers, fates) = (run.observers(), run.fates());
        let finished: Vec<usize> = (0..fates.len()).filter(|&replica| fates[replica] == Fate::Finished).collect();
        let (means, squares): (Vec<_>, Vec<_>) = finished
            .iter()
            .filter_map(|replica| observers[replica / LANES].0.means(replica % LANES))
            .map(|(first, second)| (DVector::from_vec(first), symmetric(d, &second)))
            .unzip();
        let series: Vec<Vec<f64>> = finished
            .iter()
            .take_while(|&&replica| (replica as u64) < FOLLOWED)
            .map(|replica| observers[replica / LANES].0.course(replica % LANES))
            .collect();
        let equilibration = assess(&squares, &series);
        let mut cloud = Self { means, squares, fates, equilibration, stationarity: StationarityRecord::default() };
        let balances: Vec<&Balance> = observers.iter().map(|(_, (balance, _))| balance).collect();
        let by_start = Groups { names: &[], of_replica: &[] };
        let steps = run.looks() * plan.observe_every;
        let stationarity = Stationarity::of(setting, plan, (start, steps), &balances, &finished, &by_start);
        cloud.equilibration.add_start_reasons(stationarity.reasons);
        cloud.stationarity = stationarity.record;
        cloud
    }

    /// Number of replicas that came to their end.
    pub(super) fn replicas(&self) -> usize {
        self.means.len()
    }

    /// Var(u·θ) from independent replicas, about the mean over all of them.
    pub(super) fn variance(&self, direction: &DVector<f64>) -> Option<Estimate> {
        let along: Vec<f64> = self.means.iter().map(|mean| mean.dot(direction)).collect();
        let center = along.iter().sum::<f64>() / along.len() as f64;
        let values: Vec<f64> = self
            .squares
            .iter()
            .zip(&along)
            .map(|(square, mean)| quadratic_form(square, direction) - 2.0 * mean * center + center * center)
            .collect();
        Estimate::from_replicas(&values)
    }

    /// Whether no replica came to its end.
    pub(super) fn is_empty(&self) -> bool {
        self.means.is_empty()
    }

    /// Number of replicas that diverged.
    pub(super) fn diverged(&self) -> usize {
        self.fates.iter().filter(|fate| **fate != Fate::Finished).count()
    }

    /// Whether the cloud can be trusted.
    pub(super) fn diagnostics(&self, plan: &Plan) -> Diagnostics {
        let equilibration = &self.equilibration;
        Diagnostics {
            nested_r_hat: equilibration.nested_r_hat,
            r_hat: equilibration.r_hat,
            ess: equilibration.minimum_effective_sample_size,
            equilibrated: equilibration.is_equilibrated(),
            reasons: equilibration.reasons.clone(),
            remembers_start: equilibration.remembers_start,
            diverged: self.diverged() as u64,
            diverged_replicas: diverged_records(&self.fates),
            start_contrast: equilibration.start_contrast.as_ref().map(StartContrastRecord::from),
            stationarity: Some(self.stationarity.clone()),
            observed_every: plan.observe_every,
            ..Diagnostics::default()
        }
    }
}

/// One region, so a drift between the halves of the run is what would betray a memory of the start.
fn assess(squares: &[DMatrix<f64>], series: &[Vec<f64>]) -> Equilibration {
    let replica_means: Vec<f64> = squares.iter().map(|square| square.trace()).collect();
    let observables = [Observable { label: "the mean square of θ", series, replica_means: &replica_means }];
    let input = EquilibrationInput {
        observables: &observables,
        start_groups: &["the start".to_string()],
        chain_groups: &vec![0; series.len()],
        replica_groups: &vec![0; replica_means.len()],
        design: StartDesign::OneRegion,
    };
    Equilibration::assess(&input)
        .unwrap_or_else(|error| Equilibration { reasons: vec![error.to_string()], ..Equilibration::default() })
}

/// E|θ|² so far, over all replicas.
pub(super) fn running_spread(observers: &[&Observers]) -> Option<(String, f64, f64)> {
    let lanes = observers.iter().flat_map(|observer| (0..LANES).filter_map(|lane| observer.0.mean_square(lane)));
    let estimate = Estimate::from_replicas(&lanes.collect::<Vec<f64>>())?;
    Some(("E|θ|²".into(), estimate.value, estimate.standard_error))
}

/// A symmetric matrix from its upper triangle, row by row.
fn symmetric(d: usize, upper: &[f64]) -> DMatrix<f64> {
    let mut matrix = DMatrix::zeros(d, d);
    let mut entries = upper.iter();
    for i in 0..d {
        for j in i..d {
            if let Some(&entry) = entries.next() {
                matrix[(i, j)] = entry;
                matrix[(j, i)] = entry;
            }
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four replicas that stood still at ±1 and ±2: all of the variance, 2.5, is between them, and none within.
    #[test]
    fn the_variance_is_about_the_mean_of_all_replicas() {
        let places = [1.0, -1.0, 2.0, -2.0];
        let shifted = |shift: f64| Cloud {
            means: places.iter().map(|x| DVector::from_element(1, x + shift)).collect(),
            squares: places.iter().map(|x| DMatrix::from_element(1, 1, (x + shift) * (x + shift))).collect(),
            fates: vec![Fate::Finished; 4],
            equilibration: Equilibration::default(),
            stationarity: StationarityRecord::default(),
        };
        for shift in [0.0, 3.0] {
            let variance = shifted(shift).variance(&DVector::from_element(1, 1.0)).unwrap();
            assert!((variance.value - 2.5).abs() < 1e-12, "{}", variance.value);
        }
    }
}
