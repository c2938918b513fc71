//! How wide is the cloud in a bowl? The stationary covariance against HΣ + ΣH − δHΣH = nC, and against its limit δ → 0.
//!
//! Variances along the principal axes of the prediction, and along the diagonals between them, are positive quantities
//! and fix the whole matrix; each is compared in its logarithm.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::effort::Effort;
use super::pilot::{Pilot, Reading};
use super::reason::finite_step;
use super::records::{Claim, all_diverged, diverged_records, document};
use super::setting::Setting;
use super::{Control, ExperimentError, Status};
use crate::ensemble::moments::Moments;
use crate::ensemble::{Fate, Plan, Progress, Run};
use crate::findings::{ClaimRecord, Diagnostics, FigureData, Findings, StartContrastRecord};
use crate::loss::LANES;
use crate::math;
use crate::scenario::{Loaded, Rung};
use crate::statistics::{
    Contrast, Equilibration, EquilibrationInput, Estimate, Evidence, Judgement, Observable, StartDesign, Verdict,
    judge, scenario_verdict,
};
use crate::theory::ornstein_uhlenbeck::stationary_covariance;

/// What the names of the compared quantities mean.
const NOTE: &str = "axis i is the i-th principal axis (eigenvector) of the SDE's predicted covariance, the widest first; axes i + j is the \
                    diagonal between two of them, whose variance fixes the covariance of the two";
/// Replicas whose course in time is kept.
const FOLLOWED: u64 = 256;
/// Above this dimension the diagonals between axes would be too many; the axes alone are compared.
const MOST_DIMENSIONS_WITH_DIAGONALS: usize = 8;

/// The prediction alone.
///
/// # Errors
/// When the loss is not a single bowl.
pub fn predict(loaded: &Loaded, setting: &Setting) -> Result<Findings, ExperimentError> {
    let bowl = Bowl::new(setting)?;
    let claims = RUNGS.into_iter().filter_map(|rung| bowl.claim(setting, loaded, rung, None)).collect();
    Ok(document(loaded, setting, None, Vec::new(), claims, None))
}

/// The prediction beside the measurement, judged.
///
/// # Errors
/// When the loss is not a single bowl, the run was stopped, or every replica diverged.
pub(super) fn run(
    loaded: &Loaded,
    setting: &Setting,
    effort: &mut Effort,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let bowl = Bowl::new(setting)?;
    let plan = bowl.plan(setting, loaded, effort, control)?;
    let cloud = Cloud::measure(setting, &plan, loaded, effort, control)?;
    let evidence = Evidence::at_equilibrium(&cloud.equilibration, cloud.diverged()).at_look(effort.look());
    let mut judged: Vec<(Rung, Judgement)> = RUNGS
        .into_iter()
        .map(|rung| (rung, judge(&bowl.contrasts(rung, Some(&cloud)), loaded.scenario.test.tolerance, &evidence)))
        .collect();
    let mut primary: Vec<&mut Judgement> = judged
        .iter_mut()
        .filter(|(rung, _)| *rung == loaded.scenario.test.against)
        .map(|(_, judgement)| judgement)
        .collect();
    let verdict = scenario_verdict(&mut primary);
    let claims =
        judged.iter().filter_map(|(rung, judgement)| bowl.claim(setting, loaded, *rung, Some(judgement))).collect();
    let diagnostics = cloud.diagnostics(&plan);
    let mut findings = document(loaded, setting, None, Vec::new(), claims, Some(diagnostics));
    findings.verdict = Some(verdict);
    findings.notes.push(NOTE.into());
    Ok((findings, FigureData::default()))
}

/// The SDE's equation and the chain's.
const RUNGS: [Rung; 2] = [Rung::Laplace, Rung::Discrete];

pub(super) fn prepare(loaded: &Loaded) -> Result<Setting, ExperimentError> {
    let setting = Setting::from_scenario(loaded)?;
    let minima = setting.landscape.minima.len();
    if minima > 1 {
        let message = format!(
            "the domain holds {minima} minima: the covariance in a bowl is a question about one; narrow loss.domain, or \
             choose experiment = \"equilibrium\""
        );
        return Err(loaded.source.problem("experiment", message).into());
    }
    if loaded.scenario.test.against == Rung::Gibbs {
        let message = "found \"gibbs\"; the covariance in a bowl is predicted by \"laplace\" (the SDE) and \"discrete\" (the chain)";
        return Err(loaded.source.problem("test.against", message).into());
    }
    Ok(setting)
}

/// Both predictions, and the directions in which they are compared.
struct Bowl {
    by_sde: DMatrix<f64>,
    by_chain: DMatrix<f64>,
    directions: Vec<(String, DVector<f64>)>,
}

impl Bowl {
    fn new(setting: &Setting) -> Result<Self, ExperimentError> {
        let minimum = &setting.landscape.minima[0];
        let hessian = setting.loss.hessian(&minimum.theta);
        let covariance = setting.noise.covariance(&minimum.theta);
        let solve = |step: f64| stationary_covariance(&hessian, &covariance, setting.noise_scale, step);
        // A regular minimum and a stable step were checked when the setting was made.
        let (by_sde, by_chain) = solve(0.0).zip(solve(setting.step())).ok_or(ExperimentError::Statistics(
            crate::statistics::StatisticsError::Undefined("the bowl has no stationary covariance".into()),
        ))?;
        let directions = directions(&by_sde);
        Ok(Self { by_sde, by_chain, directions })
    }

    fn predicted(&self, rung: Rung) -> &DMatrix<f64> {
        if rung == Rung::Discrete { &self.by_chain } else { &self.by_sde }
    }

    fn contrasts(&self, rung: Rung, cloud: Option<&Cloud>) -> Vec<Contrast> {
        self.directions
            .iter()
            .map(|(name, direction)| Contrast {
                label: format!("ln Var({name})"),
                predicted: math::ln(quadratic_form(self.predicted(rung), direction)),
                predicted_standard_error: 0.0,
                measured: cloud.and_then(|cloud| cloud.variance(direction)?.logarithm()),
            })
            .collect()
    }

    /// Where the scenario asks for a standard error, by a pilot.
    fn plan(
        &self,
        setting: &Setting,
        loaded: &Loaded,
        effort: &mut Effort,
        control: &mut Control,
    ) -> Result<Plan, ExperimentError> {
        let start = &loaded.scenario.ensemble.start;
        let pilot = Pilot {
            start: &|seed, replica, point| setting.start(start, seed, replica, point),
            observer: &observer(setting.loss.dimension()),
            estimate: &running_spread,
            read: &|_, run| {
                let cloud = Cloud::of(setting, run)?;
                let contrasts = self.contrasts(loaded.scenario.test.against, Some(&cloud));
                let contrasts = contrasts.into_iter().map(|contrast| (contrast.label, contrast.measured));
                Ok(Reading::new(contrasts, &cloud.equilibration, cloud.means.len().min(FOLLOWED as usize)))
            },
        };
        effort.plan(loaded, setting, &pilot, control)
    }

    fn claim(
        &self,
        setting: &Setting,
        loaded: &Loaded,
        rung: Rung,
        judgement: Option<&Judgement>,
    ) -> Option<ClaimRecord> {
        let (statement, source) = match rung {
            Rung::Discrete => (
                "The stationary covariance of the chain solves HΣ + ΣH − δHΣH = nC",
                "fixed point of Σ ← (I − δH)Σ(I − δH) + nδC, exact for additive noise and any stable step",
            ),
            _ => (
                "The stationary covariance of the SDE solves HΣ + ΣH = nC",
                "Ornstein–Uhlenbeck process; Mandt, Hoffman & Blei 2017, arXiv:1704.04289, eq. (10)",
            ),
        };
        let claim = Claim {
            id: format!("covariance-{}", rung.name()),
            primary: rung == loaded.scenario.test.against,
            statement: statement.into(),
            source: source.into(),
            tolerance: loaded.scenario.test.tolerance,
        };
        let Some(judgement) = judgement else { return claim.predicted(&self.contrasts(rung, None)) };
        let mut reason = judgement.reason.clone();
        if judgement.verdict == Verdict::Rejected {
            reason = format!("{reason}; {}", self.broken_assumption(setting, rung, loaded.scenario.test.tolerance));
        }
        claim.judged(judgement, reason)
    }

    fn broken_assumption(&self, setting: &Setting, rung: Rung, tolerance: f64) -> String {
        let gap = self.directions.iter().map(|(_, direction)| {
            let ratio = quadratic_form(&self.by_chain, direction) / quadratic_form(&self.by_sde, direction);
            math::ln(ratio).abs()
        });
        let gap = gap.fold(0.0, f64::max);
        if rung == Rung::Laplace && gap > tolerance {
            format!(
                "the first neighbouring rungs that differ by more than ε are laplace and discrete, by {gap:.3}. {}",
                finite_step(setting)
            )
        } else {
            "the bowl is not quadratic as far out as the cloud reaches, or the noise is not additive: both equations assume it".into()
        }
    }
}

/// Principal axes of a covariance, and the diagonals between each two of them.
fn directions(covariance: &DMatrix<f64>) -> Vec<(String, DVector<f64>)> {
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

fn quadratic_form(matrix: &DMatrix<f64>, direction: &DVector<f64>) -> f64 {
    direction.dot(&(matrix * direction))
}

/// Makes the observers of the blocks.
fn observer(dimension: usize) -> impl Fn(u64, usize) -> Moments + Sync {
    move |first, count| Moments::new(dimension).following(FOLLOWED.saturating_sub(first).min(count as u64) as usize)
}

/// The measured cloud: time means of θ and θθᵀ of every finished replica.
struct Cloud {
    means: Vec<DVector<f64>>,
    squares: Vec<DMatrix<f64>>,
    fates: Vec<Fate>,
    equilibration: Equilibration,
}

impl Cloud {
    fn measure(
        setting: &Setting,
        plan: &Plan,
        loaded: &Loaded,
        effort: &mut Effort,
        control: &mut Control,
    ) -> Result<Self, ExperimentError> {
        let observer = observer(setting.loss.dimension());
        let mut monitor = |progress: &Progress<Moments>| {
            (control.monitor)(&Status {
                steps_done: progress.steps_done,
                steps_in_all: progress.steps_in_all,
                estimate: &|| running_spread(progress.observers),
            });
        };
        let place = |replica: u64, point: &mut [f64]| {
            setting.start(&loaded.scenario.ensemble.start, plan.seed, replica, point);
        };
        let dynamics = setting.dynamics.as_ref();
        let run = effort.advance(dynamics, plan, &place, &observer, None, &mut monitor, control.stop)?;
        let cloud = Self::of(setting, &run)?;
        effort.keep(run, None);
        Ok(cloud)
    }

    /// What a run says.
    fn of(setting: &Setting, run: &Run<Moments>) -> Result<Self, ExperimentError> {
        let d = setting.loss.dimension();
        let (observers, fates) = (run.observers(), run.fates());
        let finished: Vec<usize> = (0..fates.len()).filter(|&replica| fates[replica] == Fate::Finished).collect();
        if finished.is_empty() {
            return Err(all_diverged(&fates, setting.step()));
        }
        let (means, squares): (Vec<_>, Vec<_>) = finished
            .iter()
            .filter_map(|replica| observers[replica / LANES].means(replica % LANES))
            .map(|(first, second)| (DVector::from_vec(first), symmetric(d, &second)))
            .unzip();
        let series: Vec<Vec<f64>> = finished
            .iter()
            .take_while(|&&replica| (replica as u64) < FOLLOWED)
            .map(|replica| observers[replica / LANES].course(replica % LANES))
            .collect();
        let equilibration = assess(&squares, &series);
        Ok(Self { means, squares, fates, equilibration })
    }

    /// Var(u·θ) from independent replicas, about the mean over all of them.
    fn variance(&self, direction: &DVector<f64>) -> Option<Estimate> {
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

    fn diverged(&self) -> usize {
        self.fates.iter().filter(|fate| **fate != Fate::Finished).count()
    }

    fn diagnostics(&self, plan: &Plan) -> Diagnostics {
        let equilibration = &self.equilibration;
        Diagnostics {
            nested_r_hat: equilibration.nested_r_hat,
            r_hat: equilibration.r_hat,
            ess: equilibration.minimum_effective_sample_size,
            equilibrated: equilibration.is_equilibrated(),
            reasons: equilibration.reasons.clone(),
            diverged: self.diverged() as u64,
            diverged_replicas: diverged_records(&self.fates),
            start_contrast: equilibration.start_contrast.as_ref().map(StartContrastRecord::from),
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
fn running_spread(observers: &[&Moments]) -> Option<(String, f64, f64)> {
    let lanes = observers.iter().flat_map(|observer| (0..LANES).filter_map(|lane| observer.mean_square(lane)));
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
        };
        for shift in [0.0, 3.0] {
            let variance = shifted(shift).variance(&DVector::from_element(1, 1.0)).unwrap();
            assert!((variance.value - 2.5).abs() < 1e-12, "{}", variance.value);
        }
    }
}
