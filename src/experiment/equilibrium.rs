//! Which minimum does SGD prefer? Occupancy of every minimum against the ladder of predictions.

use super::effort::Effort;
use super::ladder::{Discrete, Ladder};
use super::measurement::Measurement;
use super::reason::{RUNGS, broken_assumption, cancelling_rungs};
use super::records::{Claim, diverged_records, document, finite, start_memory_record};
use super::setting::Setting;
use super::{Control, ExperimentError, figures};
use crate::ensemble::Plan;
use crate::findings::{
    AllBasinsRecord, ClaimRecord, Diagnostics, FigureData, Findings, OccupancyRecord, StartContrastRecord,
    TransitionRecord,
};
use crate::input::shorten;
use crate::landscape::minimum_name;
use crate::math;
use crate::scenario::{Loaded, Rung, Scenario};
use crate::statistics::transitions::{MANY, PLANNED};
use crate::statistics::{Contrast, Evidence, Judgement, Verdict, effort, hotelling, judge, scenario_verdict};
use crate::theory::gibbs::{Gibbs, influences::Influences};

/// The ladder without a measurement.
///
/// # Errors
/// When the loss does not allow the question.
pub fn predict(loaded: &Loaded, setting: &Setting) -> Result<Findings, ExperimentError> {
    let ladder = Ladder::climb(setting);
    let claims =
        RUNGS.into_iter().filter_map(|rung| predicted_claim(&loaded.scenario, setting, &ladder, rung)).collect();
    Ok(document(loaded, setting, Some(&ladder), occupancy_records(setting, &ladder, None), claims, None))
}

/// The ladder beside the measurement, judged.
///
/// # Errors
/// When the loss does not allow the question, the run was stopped, or every replica diverged.
pub(super) fn run(
    loaded: &Loaded,
    setting: &Setting,
    effort: &mut Effort,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let ladder = Ladder::climb(setting);
    ladder.require_primary(loaded)?;
    let scenario = &loaded.scenario;
    let tested = contrast_pairs(ladder.rung(scenario.test.against).unwrap_or_default());
    let plan = Measurement::plan(setting, loaded, &tested, effort, control)?;
    let (start, histogram) = (&scenario.ensemble.start, figures::histogram(setting));
    let measurement = Measurement::take_on_demand(setting, &plan, start, histogram, effort, control)?
        .with_law_of(&ladder, setting, &plan, start);

    if ladder.no_law.is_some() {
        effort.give_up();
    }

    let evidence = Evidence::at_equilibrium(&measurement.equilibration, measurement.diverged()).at_look(effort.look());
    let mut judged: Vec<(Rung, Vec<[usize; 2]>, Judgement)> = Vec::new();
    for rung in RUNGS {
        if let Some(predicted) = ladder.rung(rung) {
            let pairs = contrast_pairs(predicted);
            let errors = Errors::of(&ladder, rung, setting);
            let contrasts: Vec<Contrast> =
                pairs.iter().map(|&pair| contrast(predicted, &errors, pair, Some(&measurement))).collect();
            judged.push((rung, pairs, judge(&contrasts, scenario.test.tolerance, &evidence)));
        }
    }
    let mut primary: Vec<&mut Judgement> = judged
        .iter_mut()
        .filter(|(rung, ..)| *rung == scenario.test.against)
        .map(|(_, _, judgement)| judgement)
        .collect();
    let verdict = scenario_verdict(&mut primary);
    let claims = judged
        .iter()
        .filter_map(|(rung, pairs, judgement)| {
            judged_claim(setting, &ladder, scenario, &measurement, *rung, pairs, judgement)
        })
        .collect();
    let occupancy = occupancy_records(setting, &ladder, Some(&measurement));
    let diagnostics = diagnostics(setting, &ladder, &measurement, &plan);
    let mut findings = document(loaded, setting, Some(&ladder), occupancy, claims, Some(diagnostics));
    findings.verdict = Some(verdict);
    let mut figure_data = figures::data(setting, &ladder, &measurement, loaded);
    if measurement.equilibration.remembers_start {
        figure_data.withhold_errors();
    }
    Ok((findings, figure_data))
}

/// The setting, if it allows a question about several minima.
pub(super) fn prepare(loaded: &Loaded) -> Result<Setting, ExperimentError> {
    let setting = Setting::from_scenario(loaded)?;
    let minima = &setting.landscape.minima;
    if minima.len() < 2 {
        let is_network = loaded.scenario.loss.data().is_some();
        return Err(loaded
            .source
            .problem(
                if is_network { "loss" } else { "loss.domain" },
                format!(
                    "only one minimum {}, at θ = {}: which minimum is preferred needs at least two; {}",
                    if is_network { "was found" } else { "lies in the domain" },
                    shorten(&format!("{:.4?}", minima[0].theta)),
                    if is_network {
                        "take more units in loss.hidden, other or fewer examples, data.random_labels, or less weight_decay"
                    } else {
                        "widen loss.domain, or choose a loss with several minima"
                    }
                ),
            )
            .into());
    }
    if let Some(message) = missing_rung(&setting, loaded.scenario.test.against) {
        return Err(loaded.source.problem("test.against", message).into());
    }
    Ok(setting)
}

/// Why the tested rung cannot exist here, where the kind of noise alone tells it.
fn missing_rung(setting: &Setting, against: Rung) -> Option<&'static str> {
    match against {
        Rung::Discrete if setting.temperature().is_none() && setting.noise.is_additive() => {
            Some("the discrete rung needs noise with C = σ²I, here C is not; choose \"laplace\" or \"gibbs\"")
        }
        Rung::Ito if setting.noise.is_additive() => Some(
            "found \"ito\", the rung of noise that depends on θ; here C is the same for every θ, and \"gibbs\" is the Itô \
             equation's own law where C = σ²I; choose \"gibbs\", or write noise kind \"expression\" with a σ of θ",
        ),
        _ => None,
    }
}

/// Every minimum against the likeliest predicted one. Of two minima it is always A against B, so that the number keeps its
/// name and sign where a study makes B the likelier.
pub(super) fn contrast_pairs(predicted: &[f64]) -> Vec<[usize; 2]> {
    if predicted.len() == 2 {
        return vec![[0, 1]];
    }
    let likeliest =
        (0..predicted.len()).max_by(|&a, &b| predicted[a].total_cmp(&predicted[b]).then(b.cmp(&a))).unwrap_or(0);
    (0..predicted.len()).filter(|&minimum| minimum != likeliest).map(|minimum| [minimum, likeliest]).collect()
}

/// How well a rung is known.
struct Errors<'a> {
    ladder: &'a Ladder,
    rung: Rung,
    /// Those of a sampled rung.
    influences: Option<Influences>,
}

impl<'a> Errors<'a> {
    fn of(ladder: &'a Ladder, rung: Rung, setting: &Setting) -> Self {
        Self { ladder, rung, influences: ladder.influences(rung, setting) }
    }
}

fn contrast(predicted: &[f64], errors: &Errors, [a, b]: [usize; 2], measurement: Option<&Measurement>) -> Contrast {
    Contrast {
        label: pair_name([a, b]),
        predicted: math::ln(predicted[a]) - math::ln(predicted[b]),
        predicted_standard_error: (errors.influences.as_ref())
            .map_or(0.0, |influences| influences.log_odds_standard_error(a, b)),
        predicted_bound: errors.ladder.log_odds_bound(errors.rung, [a, b]),
        measured: measurement.and_then(|measurement| measurement.counted().log_odds(a, b)),
    }
}

pub(super) fn pair_name([a, b]: [usize; 2]) -> String {
    format!("ln(p_{}/p_{})", minimum_name(a), minimum_name(b))
}

fn statement(rung: Rung) -> (&'static str, &'static str) {
    match rung {
        Rung::Laplace => (
            "In the stationary state θ is in the basin of minimum A with probability p_A ∝ exp(−2L_A/(nσ²))/√det H_A",
            "Jastrzębski et al. 2017, arXiv:1711.04623; the talk's slide “Implications of the Theory”",
        ),
        Rung::Gibbs => (
            "In the stationary state θ is in the basin of A with probability ∫_A exp(−2L/(nσ²)) dθ / Z",
            "stationary Fokker–Planck equation (Gardiner, Stochastic Methods, §5.3); the talk's slide “Equilibrium Distribution of SGD”",
        ),
        Rung::Ito => (
            "In the stationary state θ is in the basin of A with probability ∫_A D⁻¹ exp(−∫L′/D) dθ / Z, D = nσ(θ)²/2",
            "stationary Fokker–Planck equation of the Itô equation in one dimension (Gardiner, Stochastic Methods, §5.3)",
        ),
        Rung::Discrete => (
            "The chain with its finite step is in the basin of A with its own stationary probability, not that of the SDE",
            "stationary law of the transfer operator N(θ′; θ − δ∇L, nδσ²), or its first order in δ",
        ),
    }
}

fn claim(scenario: &Scenario, rung: Rung) -> Claim {
    let (statement, source) = statement(rung);
    Claim {
        id: format!("occupancy-{}", rung.name()),
        primary: rung == scenario.test.against,
        statement: statement.into(),
        source: source.into(),
        tolerance: scenario.test.tolerance,
    }
}

/// A claim before any measurement.
fn predicted_claim(scenario: &Scenario, setting: &Setting, ladder: &Ladder, rung: Rung) -> Option<ClaimRecord> {
    let predicted = ladder.rung(rung)?;
    let errors = Errors::of(ladder, rung, setting);
    let contrasts: Vec<Contrast> =
        contrast_pairs(predicted).into_iter().map(|pair| contrast(predicted, &errors, pair, None)).collect();
    claim(scenario, rung).predicted(&contrasts)
}

fn judged_claim(
    setting: &Setting,
    ladder: &Ladder,
    scenario: &Scenario,
    measurement: &Measurement,
    rung: Rung,
    pairs: &[[usize; 2]],
    judgement: &Judgement,
) -> Option<ClaimRecord> {
    let deciding = judgement.deciding_contrast();
    let measured = judgement.contrasts.get(deciding)?.contrast.measured.as_ref().map(|estimate| estimate.value);
    let mut reason = judgement.reason.clone();
    match (judgement.verdict, measured) {
        (Verdict::Rejected, Some(measured)) => {
            let broken = broken_assumption(setting, ladder, rung, pairs[deciding], measured, judgement.tolerance);
            reason = format!("{reason}; {broken}");
        }
        (Verdict::Holds, _) => {
            let cancelling = pairs.iter().zip(&judgement.contrasts).filter_map(|(&pair, judged)| {
                let measured = judged.contrast.measured.as_ref()?.value;
                cancelling_rungs(ladder, rung, pair, measured, judgement.tolerance)
            });
            cancelling.for_each(|told| reason = format!("{reason}; {told}"));
        }
        // Where trajectories diverge, or no law exists, more of them would not help.
        (Verdict::Undetermined, _) if measurement.diverged() == 0 && ladder.no_law.is_none() => {
            reason = format!("{reason}; {}", transitions_wanted(measurement, judgement.tolerance));
        }
        _ => {}
    }
    claim(scenario, rung).judged(judgement, reason)
}

fn transitions_wanted(measurement: &Measurement, tolerance: f64) -> String {
    let seen = measurement.transitions_in_all();
    match effort::transitions_to_hold(tolerance, 0.0).map(|wanted| wanted.max(PLANNED)) {
        // With more minima the rarest decides, and the sum over all says little.
        Some(wanted) if measurement.transitions.len() == 2 => format!(
            "{seen} transitions between minima were seen; ε = {tolerance} with two minima needs about {wanted:.0} of them \
             (90 % power, true difference 0)"
        ),
        _ => format!("{seen} transitions between minima were seen"),
    }
}

pub(super) fn occupancy_records(
    setting: &Setting,
    ladder: &Ladder,
    measurement: Option<&Measurement>,
) -> Vec<OccupancyRecord> {
    let minima = setting.landscape.minima.len();
    let gibbs_errors = ladder.gibbs.as_ref().and_then(Gibbs::standard_errors);
    let discrete_errors = ladder.discrete.as_ref().and_then(|discrete| {
        let influences = ladder.influences(Rung::Discrete, setting)?;
        Some(influences.occupancy_standard_errors(&discrete.occupancies, discrete.other))
    });
    let discrete_bounds = ladder.discrete.as_ref().map(Discrete::occupancy_bounds);
    // Where a law was sampled; both rungs share what lies in no basin.
    let other_error = ladder.gibbs.as_ref().and_then(|gibbs| gibbs.sampling.as_ref()?.other_standard_error);
    let error = |errors: &Option<Vec<f64>>, state: usize| {
        errors.as_ref().and_then(|errors| errors.get(state).copied().or(other_error))
    };
    (0..=minima)
        .map(|state| {
            let is_other = state == minima;
            let visited = measurement.filter(|measurement| measurement.occupancies.visited(state));
            let share = visited.and_then(|measurement| measurement.counted().share(state));
            let remembers_start = visited.is_some_and(|measurement| measurement.equilibration.remembers_start);
            // Nothing ever in no basin is a fact about the run; nothing ever in a basin is no estimate.
            let never_elsewhere = is_other && measurement.is_some() && visited.is_none();
            let measured = visited.and_then(|measurement| measurement.occupancies.mean(state));
            OccupancyRecord {
                minimum: if is_other { "other".into() } else { minimum_name(state) },
                laplace: ladder.laplace.as_ref().and_then(|laplace| laplace.get(state).copied()),
                gibbs: ladder.gibbs.as_ref().map(|gibbs| if is_other { gibbs.other } else { gibbs.occupancies[state] }),
                gibbs_standard_error: error(&gibbs_errors, state),
                ito: ladder.ito.as_ref().map(|law| if is_other { law.other } else { law.occupancies[state] }),
                discrete: ladder
                    .discrete
                    .as_ref()
                    .map(|discrete| if is_other { discrete.other } else { discrete.occupancies[state] }),
                discrete_standard_error: error(&discrete_errors, state),
                discrete_bound: discrete_bounds.as_ref().and_then(|bounds| *bounds.get(state)?),
                measured: if never_elsewhere { Some(0.0) } else { measured },
                standard_error: share.as_ref().map(|share| share.standard_error),
                interval: share.and_then(|share| share.interval).filter(|_| !remembers_start),
            }
        })
        .collect()
}

pub(super) fn diagnostics(setting: &Setting, ladder: &Ladder, measurement: &Measurement, plan: &Plan) -> Diagnostics {
    let equilibration = &measurement.equilibration;
    let minima = measurement.transitions.len();
    let pairs = (0..minima).flat_map(|from| (0..minima).map(move |to| (from, to))).filter(|(from, to)| from != to);
    Diagnostics {
        nested_r_hat: equilibration.nested_r_hat,
        r_hat: equilibration.r_hat,
        ess: equilibration.minimum_effective_sample_size,
        equilibrated: equilibration.is_equilibrated(),
        reasons: equilibration.reasons.clone(),
        remembers_start: equilibration.remembers_start,
        transitions: measurement.transitions_in_all(),
        transitions_by_pair: pairs
            .map(|(from, to)| TransitionRecord {
                from: minimum_name(from),
                to: minimum_name(to),
                count: measurement.transitions[from][to],
            })
            .collect(),
        round_trips: measurement.round_trips,
        diverged: measurement.diverged() as u64,
        diverged_replicas: diverged_records(&measurement.fates),
        start_contrast: equilibration.start_contrast.as_ref().map(StartContrastRecord::from),
        start_memory: equilibration.start_memory.as_ref().map(start_memory_record),
        stationarity: Some(measurement.stationarity.clone()),
        all_basins: all_basins(setting, ladder, measurement),
        observed_every: plan.observe_every,
        ..Diagnostics::default()
    }
}

/// Hotelling's T² against every computed rung. What lies in no basin is a state of its own, with what is left of the prediction.
fn all_basins(setting: &Setting, ladder: &Ladder, measurement: &Measurement) -> Vec<AllBasinsRecord> {
    RUNGS
        .into_iter()
        .filter_map(|rung| {
            let mut predicted = ladder.rung(rung)?.to_vec();
            predicted.push(match rung {
                Rung::Laplace => 0.0,
                Rung::Gibbs => ladder.gibbs.as_ref()?.other,
                Rung::Ito => ladder.ito.as_ref()?.other,
                Rung::Discrete => ladder.discrete.as_ref()?.other,
            });
            // The test takes the prediction as exact, which a sampled one is not, nor one to first order, and means of replicas as
            // nearly normal, which they are not with few transitions.
            let is_bounded = rung == Rung::Discrete && ladder.discrete.as_ref()?.bounds.largest() > 0.0;
            let is_exact = ladder.influences(rung, setting).is_none() && !is_bounded;
            let enough = measurement.counted().fewest().is_some_and(|(_, seen)| seen >= MANY);
            let test = hotelling(&measurement.occupancies, &predicted).ok().filter(|_| is_exact && enough);
            Some(AllBasinsRecord {
                against: rung.name().into(),
                t_squared: test.as_ref().and_then(|test| finite(test.t_squared)),
                p_value: test.as_ref().and_then(|test| finite(test.p_value)),
            })
        })
        .collect()
}
