//! How wide is the cloud in a bowl? The stationary covariance against HΣ + ΣH − δHΣH = nC, and against its limit δ → 0.
//!
//! Variances along the principal axes of the prediction, and along the diagonals between them, are positive quantities
//! and fix the whole matrix; each is compared in its logarithm.

use nalgebra::{DMatrix, DVector};

use super::cloud::{Cloud, NOTE, directions, observer, quadratic_form, running_spread};
use super::effort::Effort;
use super::pilot::{Pilot, Reading};
use super::reason::{cancelling, finite_step};
use super::records::{Claim, all_diverged, document};
use super::setting::Setting;
use super::{Control, ExperimentError};
use crate::ensemble::{FOLLOWED, Plan};
use crate::findings::{ClaimRecord, FigureData, Findings};
use crate::math;
use crate::scenario::{Loaded, Rung};
use crate::statistics::{Contrast, Estimate, Evidence, Judgement, Verdict, judge, scenario_verdict};
use crate::theory::Scheme;
use crate::theory::ornstein_uhlenbeck::scheme_covariance;

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
    let cloud = Cloud::measure_on_demand(setting, &plan, &loaded.scenario.ensemble.start, effort, control)?;
    if cloud.is_empty() {
        return Err(all_diverged(&cloud.fates, setting.step()));
    }
    let evidence = Evidence::at_equilibrium(&cloud.equilibration, cloud.diverged()).at_look(effort.look());
    let measured = bowl.measured(&cloud);
    let mut judged: Vec<(Rung, Judgement)> = RUNGS
        .into_iter()
        .map(|rung| (rung, judge(&bowl.contrasts(rung, &measured), loaded.scenario.test.tolerance, &evidence)))
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
    let against = loaded.scenario.test.against;
    if !RUNGS.contains(&against) {
        let message = format!(
            "found \"{}\"; the covariance in a bowl is predicted by \"laplace\" (the SDE) and \"discrete\" (the chain)",
            against.name()
        );
        return Err(loaded.source.problem("test.against", message).into());
    }
    Ok(setting)
}

/// Both predictions, and the directions in which they are compared.
struct Bowl {
    by_sde: DMatrix<f64>,
    by_chain: DMatrix<f64>,
    directions: Vec<(String, DVector<f64>)>,
    scheme: Scheme,
}

impl Bowl {
    fn new(setting: &Setting) -> Result<Self, ExperimentError> {
        let minimum = &setting.landscape.minima[0];
        let hessian = setting.loss.hessian(&minimum.theta);
        let covariance = setting.noise.covariance(&minimum.theta);
        let undefined = |what: &str| crate::statistics::StatisticsError::Undefined(what.into());
        let scheme =
            setting.dynamics.scheme().ok_or(undefined("theory does not know this dynamics at its finite step"))?;
        let solve = |step: f64| scheme_covariance(scheme, &hessian, &covariance, setting.noise_scale, step);
        // A regular minimum and a stable step were checked when the setting was made.
        let (by_sde, by_chain) =
            solve(0.0).zip(solve(setting.step())).ok_or(undefined("the bowl has no stationary covariance"))?;
        let directions = directions(&by_sde);
        Ok(Self { by_sde, by_chain, directions, scheme })
    }

    fn predicted(&self, rung: Rung) -> &DMatrix<f64> {
        if rung == Rung::Discrete { &self.by_chain } else { &self.by_sde }
    }

    /// The log-variance of the cloud along every direction.
    fn measured(&self, cloud: &Cloud) -> Vec<Option<Estimate>> {
        let along = |(_, direction): &(String, DVector<f64>)| cloud.variance(direction)?.logarithm_of_skewed();
        self.directions.iter().map(along).collect()
    }

    /// A prediction beside what was measured along every direction, if anything was.
    fn contrasts(&self, rung: Rung, measured: &[Option<Estimate>]) -> Vec<Contrast> {
        let measured = measured.iter().cloned().chain(std::iter::repeat(None));
        self.directions
            .iter()
            .zip(measured)
            .map(|((name, direction), measured)| Contrast {
                label: format!("ln Var({name})"),
                predicted: math::ln(quadratic_form(self.predicted(rung), direction)),
                predicted_standard_error: 0.0,
                predicted_bound: 0.0,
                measured,
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
            observer: &observer(setting, &setting.plan(loaded)),
            estimate: &running_spread,
            read: &|plan, run| {
                let cloud = Cloud::of(setting, plan, start, run);
                let contrasts = self.contrasts(loaded.scenario.test.against, &self.measured(&cloud));
                let contrasts = contrasts.into_iter().map(|contrast| (contrast.label, contrast.measured));
                Ok(Reading::new(contrasts, &cloud.equilibration, cloud.replicas().min(FOLLOWED as usize)))
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
        let (statement, source) = match (rung, self.scheme) {
            (Rung::Discrete, Scheme::Minibatches) => (
                "The stationary covariance of the chain solves HΣ + ΣH − δHΣH = nC, C/S being the covariance of a minibatch gradient",
                "fixed point of Σ ← (I − δH)Σ(I − δH) + nδC, exact for batches drawn afresh from examples with ∇ℓᵢ = ∇L + ξᵢ",
            ),
            (Rung::Discrete, Scheme::EulerMaruyama) => (
                "The stationary covariance of the chain solves HΣ + ΣH − δHΣH = nC",
                "fixed point of Σ ← (I − δH)Σ(I − δH) + nδC, exact for additive noise and any stable step",
            ),
            (Rung::Discrete, Scheme::LeimkuhlerMatthews) => (
                "The stationary covariance of the Leimkuhler–Matthews chain is nCᵢⱼ(1 − δ(hᵢ + hⱼ)/4)/(hᵢ + hⱼ − δhᵢhⱼ) in H's axes",
                "fixed point of its recursion, exact for additive noise and any stable step",
            ),
            (Rung::Discrete, Scheme::Platen) => (
                "The stationary covariance of Platen's chain is Σ = RΣR + nδ(I − δH/2)C(I − δH/2), R = I − δH + (δH)²/2",
                "fixed point of its recursion (Heun's method), exact for additive noise and any stable step",
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
        let Some(judgement) = judgement else { return claim.predicted(&self.contrasts(rung, &[])) };
        let mut reason = judgement.reason.clone();
        if judgement.verdict == Verdict::Rejected {
            reason = format!("{reason}; {}", self.broken_assumption(setting, rung, loaded.scenario.test.tolerance));
        }
        if judgement.verdict == Verdict::Holds && rung == Rung::Laplace {
            self.cancelling(judgement).into_iter().for_each(|told| reason = format!("{reason}; {told}"));
        }
        claim.judged(judgement, reason)
    }

    /// Where the SDE's variance is that measured, although that of the chain is another.
    fn cancelling(&self, judgement: &Judgement) -> Vec<String> {
        let by_chain = self.contrasts(Rung::Discrete, &[]);
        let told = by_chain.iter().zip(&judgement.contrasts).filter_map(|(by_chain, judged)| {
            let measured = judged.contrast.measured.as_ref()?.value;
            let values = [judged.contrast.predicted, by_chain.predicted, measured];
            let steps = ["laplace", "discrete", "measured"].map(str::to_owned).into_iter().zip(values);
            let told = cancelling(&steps.collect::<Vec<_>>(), judgement.tolerance)?;
            Some(format!("{}: {told}", by_chain.label))
        });
        told.collect()
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
