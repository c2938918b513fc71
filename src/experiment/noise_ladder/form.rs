//! The forms of noise that are simulated, from the one that the slide's formula assumes to real minibatches: each drops one
//! assumption of the one before.

use std::sync::Arc;

use nalgebra::DMatrix;

use crate::dynamics::euler_maruyama::EulerMaruyama;
use crate::ensemble::Plan;
use crate::experiment::moved::gaussian;
use crate::experiment::setting::Setting;
use crate::input::Problem;
use crate::noise::covariance::ConstantCovariance;
use crate::noise::isotropic::Isotropic;
use crate::noise::{GradientNoise, MinibatchSpec, NoiseSpec};
use crate::scenario::{Loaded, SgdSpec};

/// The step of the SDE times the largest curvature at a minimum or a saddle, at most: its own error is then far below any ε.
const FINE: f64 = 0.05;

/// What a form of noise no longer assumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// C = σ²I, σ² = tr C/d averaged over the minima, integrated with a small step: all that the formula assumes.
    Isotropic,
    /// C averaged over the minima, the same for every θ.
    Constant,
    /// C(θ), still Gaussian and with a small step: the Itô SDE.
    Dependent,
    /// The same with δ = η.
    FiniteStep,
    /// The gradients of the batches themselves.
    Minibatches,
}

/// A form of noise with the setting that simulates it.
pub(super) struct Form {
    pub kind: Kind,
    /// For tables and figures.
    pub name: String,
    pub setting: Setting,
    /// Its steps for one of SGD.
    pub steps_of_one: u64,
}

/// Every form that differs from the one before, the real one last; and a note for each that cannot be had.
///
/// # Errors
/// When the dynamics cannot be built.
pub(super) fn all(loaded: &Loaded, setting: &Setting) -> Result<(Vec<Form>, Vec<String>), Problem> {
    let (NoiseSpec::Minibatch(spec), Some(sgd)) = (&loaded.scenario.noise, loaded.scenario.sgd) else {
        return Err(loaded
            .source
            .problem("noise.kind", "this question is about minibatches; write kind = \"minibatch\""));
    };
    let maker = Maker { loaded, setting, spec, sgd, substeps: substeps(setting) };
    let mut notes = Vec::new();
    let mut forms = vec![maker.additive(Kind::Isotropic, Arc::new(isotropic(setting)))];
    if setting.loss.dimension() > 1 && !is_isotropic(&mean_covariance(setting)) {
        match ConstantCovariance::semidefinite(mean_covariance(setting)) {
            Ok(constant) => forms.push(maker.additive(Kind::Constant, Arc::new(constant))),
            Err(error) => notes.push(format!("constant noise of unequal directions is left out: {error}")),
        }
    }
    if !setting.noise.is_additive() {
        forms.push(maker.gaussian(Kind::Dependent, maker.substeps)?);
    }
    forms.push(maker.gaussian(Kind::FiniteStep, 1)?);
    let real = setting.with_dynamics(setting.dynamics.clone());
    let name = Kind::Minibatches.name(sgd, setting.step());
    forms.push(Form { kind: Kind::Minibatches, name, setting: real, steps_of_one: 1 });
    Ok((forms, notes))
}

/// Steps of the SDE for one of SGD.
pub(super) fn substeps(setting: &Setting) -> u64 {
    let landscape = &setting.landscape;
    let points = landscape.minima.iter().chain(landscape.saddles.iter().map(|saddle| &saddle.point));
    let largest = points.flat_map(|point| &point.eigenvalues).fold(0.0f64, |largest, h| largest.max(h.abs()));
    (setting.step() * largest / FINE).ceil().max(1.0) as u64
}

impl Form {
    /// The plan of SGD in this form's steps: the same SDE time, looked at at the same times.
    pub(super) fn plan(&self, of_sgd: Plan) -> Plan {
        let Plan { burn_in, steps, observe_every, .. } = of_sgd;
        let [burn_in, steps, observe_every] = [burn_in, steps, observe_every].map(|steps| steps * self.steps_of_one);
        Plan { burn_in, steps, observe_every, ..of_sgd }
    }
}

/// Makes forms of a scenario's noise.
struct Maker<'a> {
    loaded: &'a Loaded,
    setting: &'a Setting,
    spec: &'a MinibatchSpec,
    sgd: SgdSpec,
    substeps: u64,
}

impl Maker<'_> {
    /// The SDE with noise that is the same everywhere.
    fn additive(&self, kind: Kind, noise: Arc<dyn GradientNoise>) -> Form {
        let step = self.sgd.learning_rate / self.substeps as f64;
        let dynamics = EulerMaruyama::new(self.setting.loss.clone(), noise.clone(), self.setting.noise_scale, step);
        let setting = Setting { noise, ..self.setting.with_dynamics(Arc::new(dynamics)) };
        Form { kind, name: kind.name(self.sgd, step), setting, steps_of_one: self.substeps }
    }

    /// Gaussian noise of the covariance of the examples.
    fn gaussian(&self, kind: Kind, substeps: u64) -> Result<Form, Problem> {
        let step = self.sgd.learning_rate / substeps as f64;
        let dynamics = gaussian(self.spec, &self.setting.loss, &self.setting.noise, self.sgd, step)
            .map_err(|error| self.loaded.source.problem("noise", error.to_string()))?;
        Ok(Form {
            kind,
            name: kind.name(self.sgd, step),
            setting: self.setting.with_dynamics(dynamics),
            steps_of_one: substeps,
        })
    }
}

impl Kind {
    /// In a table, with the step of the integrator.
    fn name(self, sgd: SgdSpec, step: f64) -> String {
        let step = crate::plain::significant(step, 3);
        match self {
            Kind::Isotropic => format!("C = σ²I, δ = {step}"),
            Kind::Constant => format!("C constant, δ = {step}"),
            Kind::Dependent => format!("Gaussian, C(θ), δ = {step}"),
            Kind::FiniteStep => format!("Gaussian, C(θ), δ = η = {step}"),
            Kind::Minibatches => format!("minibatches, S = {}", sgd.batch_size),
        }
    }
}

fn isotropic(setting: &Setting) -> Isotropic {
    let d = setting.loss.dimension();
    Isotropic::new(d, (mean_covariance(setting).trace() / d as f64).sqrt())
}

/// C averaged over the minima.
fn mean_covariance(setting: &Setting) -> DMatrix<f64> {
    let minima = &setting.landscape.minima;
    let sum = minima
        .iter()
        .map(|minimum| setting.noise.covariance(&minimum.theta))
        .reduce(|sum, covariance| sum + covariance);
    let mean = sum.unwrap_or_else(|| DMatrix::identity(setting.loss.dimension(), setting.loss.dimension()));
    mean / minima.len() as f64
}

fn is_isotropic(covariance: &DMatrix<f64>) -> bool {
    let d = covariance.nrows();
    let equal = DMatrix::identity(d, d) * (covariance.trace() / d as f64);
    (covariance - &equal).norm() <= 1e-9 * equal.norm()
}
