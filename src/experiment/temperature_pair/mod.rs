//! Is P ∝ exp(−L/T), whatever the landscape? Two ensembles at temperatures T₁ and T₂ have laws of the loss value whose ratio is
//! ln[P₁(L)/P₂(L)] = const − (1/T₁ − 1/T₂)L: the density of states cancels, and no Hessian, minimum or barrier is needed.
//!
//! The slope and the straightness of that line are measured by logistic regression ([`crate::statistics::logistic`]) on fine
//! histograms of L, with errors between independent replicas. The prediction is the SDE's (δ → 0).

mod ratio;

use super::density::MOST_GROUPS;
use super::forecast::{Motions, Outlook};
use super::ladder::Ladder;
use super::measurement::Measurement;
use super::reason::finite_step;
use super::records::{Claim, diverged_records, document, start_memory_record};
use super::setting::Setting;
use super::{Control, ExperimentError, in_turn};
use crate::ensemble::histogram::Histogram;
use crate::findings::{ClaimRecord, Diagnostics, FigureData, Findings, StartContrastRecord, StationarityRecord};
use crate::input::Problems;
use crate::plain::significant;
use crate::random::derived_seed;
use crate::scenario::{Loaded, Rung};
use crate::statistics::{Contrast, Estimate, Evidence, Judgement, Verdict, effort, judge, scenario_verdict};
use ratio::Ratio;

/// Bins of L. At 40 T and more over them all, a bin is a hundredth of a T wide: its centre stands for it.
const BINS: usize = 4_096;

/// The prediction alone.
///
/// # Errors
/// When the second setting cannot be made.
pub fn predict(loaded: &Loaded, setting: &Setting) -> Result<Findings, ExperimentError> {
    let pair = Pair::new(loaded, setting)?;
    let claims = [Part::Slope, Part::Bend];
    let claims = claims.into_iter().filter_map(|part| pair.claim(part).predicted(&[part.contrast(None)])).collect();
    let mut findings = document(loaded, setting, None, Vec::new(), claims, None);
    findings.notes.push(pair.note());
    Ok(findings)
}

/// The prediction beside the measurement, judged.
///
/// # Errors
/// When the run was stopped, or every replica of an ensemble diverged.
pub fn run(
    loaded: &Loaded,
    setting: &Setting,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let pair = Pair::new(loaded, setting)?;
    let measurements = in_turn(2, control, |index, control| pair.measure(index, control))?;
    let ratio = Ratio::of(&pair, &measurements);
    let evidence = pair.evidence(&measurements);
    let tolerance = loaded.scenario.test.tolerance;
    let contrasts = [Part::Slope, Part::Bend]
        .map(|part| (part, part.contrast(ratio.as_ref().map(|ratio| ratio.part(&pair, part)))));
    let mut judged = contrasts.map(|(part, contrast)| (part, judge(&[contrast], tolerance, &evidence)));
    let verdict = scenario_verdict(&mut judged.iter_mut().map(|(_, judgement)| judgement).collect::<Vec<_>>());
    let claims =
        judged.iter().filter_map(|(part, judgement)| pair.judged_claim(setting, *part, ratio.as_ref(), judgement));
    let claims = claims.collect();
    let diagnostics = pair.diagnostics(setting, loaded, &measurements);
    let mut findings = document(loaded, setting, None, Vec::new(), claims, Some(diagnostics));
    findings.verdict = Some(verdict);
    findings.notes.push(pair.note());
    findings.notes.extend(ratio.as_ref().and_then(|ratio| ratio.note()));
    let log_ratio = ratio.map(|ratio| ratio.figure(&pair));
    Ok((findings, FigureData { log_ratio, ..FigureData::default() }))
}

/// What a run is expected to show, roughly: ⟨L⟩ moves with the exchange between the wells and with the motion within them, and the
/// slope is the difference of ⟨L⟩ over its variance.
///
/// # Errors
/// When the second setting cannot be made.
pub(super) fn outlook(loaded: &Loaded, setting: &Setting, ladder: &Ladder) -> Result<Outlook, ExperimentError> {
    let pair = Pair::new(loaded, setting)?;
    let motions = Motions::of(setting, ladder, loaded);
    let minima = &setting.landscape.minima;
    let temperature = 0.5 * (pair.temperatures[0] + pair.temperatures[1]);
    let within = 0.5 * setting.loss.dimension() as f64 * temperature * temperature;
    let (between, relaxation) = match (motions.between, minima.as_slice()) {
        (Some(([a, b], relaxation)), [first, second, ..]) => {
            (a * b * (second.loss - first.loss) * (second.loss - first.loss), relaxation)
        }
        _ => (0.0, 0.0),
    };
    // The loss of a bowl relaxes twice as fast as its coordinates.
    let error = (2.0 * (within * motions.within + 2.0 * between * relaxation) / motions.time).sqrt();
    let chance = 1.96 * error / ((within + between) * pair.slope().abs());
    let step = 0.5 * (pair.settings[0].step() + pair.settings[1].step());
    let curvatures: Vec<f64> = minima.iter().flat_map(|minimum| minimum.curvatures_at(temperature)).collect();
    let bias = 0.5 * step * curvatures.iter().sum::<f64>() / curvatures.len() as f64;
    let margin = loaded.scenario.test.tolerance - bias;
    let needed = effort::margin_in_standard_errors() / 1.96 * chance / margin;
    let wanted = (margin > 0.0).then_some(loaded.scenario.ensemble.steps as f64 * needed * needed);
    Ok(Outlook {
        quantity: "ln(slope/predicted)",
        chance,
        bias: Some(bias),
        steps_wanted: wanted,
        replicas_wanted: None,
    })
}

/// The setting, if it has a temperature at which the second ensemble is stable too.
pub(super) fn prepare(loaded: &Loaded) -> Result<Setting, ExperimentError> {
    let setting = Setting::from_scenario(loaded)?;
    let refuse = |key: &str, message: String| Err(ExperimentError::from(loaded.source.problem(key, message)));
    if setting.temperature().is_none() {
        return refuse(
            "noise",
            "two temperatures are compared, and this noise has none: C is not σ²I; take noise of kind \"isotropic\" or \
             \"temperature\""
                .into(),
        );
    }
    if loaded.scenario.test.against != Rung::Gibbs {
        return refuse(
            "test.against",
            format!(
                "found \"{}\"; the ratio of the laws at two temperatures is predicted by \"gibbs\" (exp(−L/T)) alone",
                loaded.scenario.test.against.name()
            ),
        );
    }
    let pair = Pair::new(loaded, &setting)?;
    let (step, sharpest) = (pair.settings[1].step(), setting.sharpest());
    if step * sharpest >= 2.0 {
        return refuse(
            "temperature_pair.factor",
            format!(
                "found {}, with which the second ensemble's step {} is unstable at a minimum of curvature h = \
                 {}: δh is not below 2; take a smaller factor, or dynamics of kind \"euler-maruyama\", whose step \
                 does not follow the learning rate",
                pair.factor,
                significant(step, 5),
                significant(sharpest, 6)
            ),
        );
    }
    Ok(setting)
}

/// The two ensembles, the scenario's own first.
struct Pair {
    loaded: [Loaded; 2],
    settings: [Setting; 2],
    temperatures: [f64; 2],
    factor: f64,
    /// Of the values of L that are counted.
    range: [f64; 2],
}

impl Pair {
    fn new(loaded: &Loaded, setting: &Setting) -> Result<Self, Problems> {
        let factor = loaded.scenario.temperature_pair.unwrap_or_default().factor;
        let part = |index: u64, factor: f64| {
            let mut scenario = loaded.scenario.with_noise_times(factor);
            scenario.seed = derived_seed(loaded.scenario.seed, index);
            loaded.with(scenario)
        };
        let loaded = [part(0, 1.0), part(1, factor)];
        let settings = [setting.at(&loaded[0])?, setting.at(&loaded[1])?];
        let temperatures = settings.each_ref().map(Setting::effective_temperature);
        // L − L_A has a mean of dT/2 in a bowl, and nothing beyond 40 T more; a chain at a finite step is warmer.
        let hot = temperatures[0].max(temperatures[1]);
        let stiffness = settings.each_ref().map(Setting::step).into_iter().fold(0.0, f64::max) * setting.sharpest();
        let reach = (40.0 + 2.0 * setting.loss.dimension() as f64) * hot / (1.0 - 0.5 * stiffness).max(0.05);
        let lowest = setting.landscape.minima[0].loss;
        // One bin below the lowest minimum, for values that rounding puts there.
        let range = [lowest - reach / BINS as f64, lowest + reach];
        Ok(Self { loaded, settings, temperatures, factor, range })
    }

    /// −(1/T₁ − 1/T₂).
    fn slope(&self) -> f64 {
        1.0 / self.temperatures[1] - 1.0 / self.temperatures[0]
    }

    fn measure(&self, index: usize, control: &mut Control) -> Result<Measurement, ExperimentError> {
        let (setting, loaded) = (&self.settings[index], &self.loaded[index]);
        let plan = setting.plan(loaded);
        let groups = plan.replicas.min(MOST_GROUPS) as usize;
        let histogram = Histogram::of_loss(setting.loss.clone(), self.range, BINS).in_groups(groups);
        Measurement::take(setting, &plan, &loaded.scenario.ensemble.start, Some(histogram), control)
    }

    fn name(&self, index: usize) -> String {
        format!("at T = {:.6}", self.temperatures[index])
    }

    /// What either ensemble says against a verdict counts.
    fn evidence(&self, measurements: &[Measurement]) -> Evidence {
        Evidence {
            not_equilibrated: self.reasons(measurements),
            remembers_start: measurements.iter().any(|measurement| measurement.equilibration.remembers_start),
            diverged: measurements.iter().map(Measurement::diverged).sum(),
            ..Evidence::default()
        }
    }

    fn reasons(&self, measurements: &[Measurement]) -> Vec<String> {
        let of = |(index, measurement): (usize, &Measurement)| -> Vec<String> {
            let name = self.name(index);
            measurement.equilibration.reasons.iter().map(|reason| format!("{name}: {reason}")).collect()
        };
        measurements.iter().enumerate().flat_map(of).collect()
    }

    fn claim(&self, part: Part) -> Claim {
        let [first, second] = self.temperatures;
        let (id, statement) = match part {
            Part::Slope => (
                "temperature-pair-slope",
                format!(
                    "ln[P₁(L)/P₂(L)] falls with L at the slope −(1/T₁ − 1/T₂) = {:.6} of T₁ = {first:.6} and T₂ = {second:.6}",
                    self.slope()
                ),
            ),
            Part::Bend => (
                "temperature-pair-bend",
                "ln[P₁(L)/P₂(L)] is straight: over the central 95 % of L it sags by less than ε below its chord"
                    .to_string(),
            ),
        };
        Claim {
            id: id.into(),
            primary: true,
            statement,
            source: "P ∝ exp(−L/T) at both temperatures, where the density of states cancels; the talk's slide “Equilibrium \
                     Distribution of SGD”"
                .into(),
            tolerance: self.loaded[0].scenario.test.tolerance,
        }
    }

    fn judged_claim(
        &self,
        setting: &Setting,
        part: Part,
        ratio: Option<&Ratio>,
        judgement: &Judgement,
    ) -> Option<ClaimRecord> {
        let mut reason = judgement.reason.clone();
        match (part, ratio) {
            (Part::Slope, Some(ratio)) => {
                let slope = ratio.straight.slope();
                reason = format!(
                    "{reason}; the slope is {:.5} ± {:.5} by measurement and {:.5} by prediction",
                    slope.value,
                    slope.standard_error,
                    self.slope()
                );
            }
            (Part::Bend, Some(ratio)) => {
                let [low, high] = ratio.central;
                reason = format!("{reason}; the central 95 % of L reach from {low:.4} to {high:.4}");
            }
            (_, None) => {
                reason =
                    format!("{reason}; the two laws of L overlap too little to have a ratio: take a factor nearer to 1")
            }
        }
        if judgement.verdict == Verdict::Rejected {
            reason = format!("{reason}. {}", self.broken_assumption(setting));
        }
        self.claim(part).judged(judgement, reason)
    }

    /// What a bowl has at the finite step, over the curvatures of the minima.
    fn broken_assumption(&self, setting: &Setting) -> String {
        let steps = self.settings.each_ref().map(Setting::step);
        // −1/T₁ + 1/T₂ with T/(1 − δh/2) for T, over what it is with T.
        let factor = |h: f64| {
            let [first, second] = [0, 1].map(|index| (1.0 - 0.5 * steps[index] * h) / self.temperatures[index]);
            (second - first) / self.slope()
        };
        format!(
            "{} In a bowl of curvature h it is as warm as T/(1 − δh/2): that alone makes the slope {:.3} to {:.3} of the \
             predicted one, over the curvatures at the minima.",
            finite_step(setting),
            factor(setting.softest()),
            factor(setting.sharpest())
        )
    }

    /// The worse of the two ensembles in everything.
    fn diagnostics(&self, setting: &Setting, loaded: &Loaded, measurements: &[Measurement]) -> Diagnostics {
        let each = || measurements.iter().map(|measurement| &measurement.equilibration);
        let contrasts = each().filter_map(|equilibration| equilibration.start_contrast.as_ref());
        let memories = each().filter_map(|equilibration| equilibration.start_memory.as_ref());
        let excess =
            |contrast: &crate::statistics::StartContrast| contrast.t.map_or(f64::INFINITY, |t| t / contrast.threshold);
        let reasons = self.reasons(measurements);
        Diagnostics {
            nested_r_hat: each().filter_map(|equilibration| equilibration.nested_r_hat).reduce(f64::max),
            r_hat: each().filter_map(|equilibration| equilibration.r_hat).reduce(f64::max),
            ess: each().filter_map(|equilibration| equilibration.minimum_effective_sample_size).reduce(f64::min),
            equilibrated: reasons.is_empty(),
            remembers_start: each().any(|equilibration| equilibration.remembers_start),
            reasons,
            transitions: measurements.iter().map(Measurement::transitions_in_all).sum(),
            round_trips: measurements.iter().map(|measurement| measurement.round_trips).sum(),
            diverged: measurements.iter().map(|measurement| measurement.diverged() as u64).sum(),
            diverged_replicas: measurements
                .iter()
                .flat_map(|measurement| diverged_records(&measurement.fates))
                .collect(),
            start_contrast: contrasts.max_by(|a, b| excess(a).total_cmp(&excess(b))).map(StartContrastRecord::from),
            start_memory: memories.max_by(|a, b| a.size().total_cmp(&b.size())).map(start_memory_record),
            stationarity: measurements
                .iter()
                .map(|measurement| measurement.stationarity.clone())
                .reduce(StationarityRecord::worse),
            observed_every: setting.plan(loaded).observe_every,
            ..Diagnostics::default()
        }
    }

    fn note(&self) -> String {
        format!(
            "the ensembles have T₁ = {:.6} and T₂ = {:.6} and independent seeds; the diagnostics are those of the worse of the two, \
             with transitions and diverged replicas of both",
            self.temperatures[0], self.temperatures[1]
        )
    }
}

/// What is claimed of the line.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Slope,
    Bend,
}

impl Part {
    /// Against 0: both are differences from what is predicted.
    fn contrast(self, measured: Option<Estimate>) -> Contrast {
        let label = match self {
            Part::Slope => "ln(slope/predicted)",
            Part::Bend => "sag of ln(P₁/P₂)",
        };
        Contrast { label: label.into(), predicted: 0.0, predicted_standard_error: 0.0, predicted_bound: 0.0, measured }
    }
}
