//! Is the stationary density exp(−L/T)/Z? A bound of the distance between the measured and the predicted law.
//!
//! On a line the Kolmogorov distance, the largest difference of the distribution functions, over some two thousand edges:
//! between two of them it can be larger by the predicted probability between them at most, which the bound contains. In
//! the plane the total variation over cells. In either case what lies outside of the grid has cells of its own.
//! A test that merely finds no difference would be no HOLDS.

mod drawn;
mod grid;

use super::forecast::{Motions, Outlook};
use super::ladder::{Ladder, no_stationary_law};
use super::measurement::Measurement;
use super::reason::{RUNGS, assumption};
use super::records::{Claim, document};
use super::setting::Setting;
use super::{Control, ExperimentError, equilibrium};
use crate::findings::{ClaimRecord, FigureData, Findings};
use crate::input::Problem;
use crate::random::derived_seed;
use crate::scenario::{Loaded, Rung};
use crate::statistics::distance::{Deviation, Metric, Noise, mean_law};
use crate::statistics::{Contrast, Evidence, Judgement, Occupancies, Verdict, judge_distance, scenario_verdict};
use crate::theory::cells;
use crate::theory::gibbs::NoGibbs;
use crate::theory::ito::Potential;
use grid::Grid;

/// Replicas are put into at most so many groups, which bounds the memory of the histogram.
pub(super) const MOST_GROUPS: u64 = 128;

/// The predictions alone.
///
/// # Errors
/// When the tested rung does not exist.
pub fn predict(loaded: &Loaded, setting: &Setting) -> Result<Findings, ExperimentError> {
    let laws = Laws::predicted(loaded, setting)?;
    let claims = laws.rungs.iter().filter_map(|(rung, _)| laws.claim(loaded, *rung).predicted(&laws.contrasts(*rung)));
    let claims = claims.collect();
    let mut findings = document(loaded, setting, Some(&laws.ladder), Vec::new(), claims, None);
    findings.notes.extend(laws.notes());
    Ok(findings)
}

/// The predictions beside the measurement, judged.
///
/// # Errors
/// When the tested rung does not exist, the run was stopped, or every replica diverged.
pub fn run(
    loaded: &Loaded,
    setting: &Setting,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let laws = Laws::predicted(loaded, setting)?;
    let plan = setting.plan(loaded);
    let histogram = laws.grid.histogram(plan.replicas.min(MOST_GROUPS) as usize);
    let start = &loaded.scenario.ensemble.start;
    let measurement = Measurement::take(setting, &plan, start, Some(histogram), control)?.with_law_of(
        &laws.ladder,
        setting,
        &plan,
        start,
    );
    let measured = Measured::of(&measurement, laws.grid.metric(), loaded.scenario.seed)?;
    let evidence = Evidence::at_equilibrium(&measurement.equilibration, measurement.diverged());
    let tolerance = loaded.scenario.test.tolerance;
    let mut judged: Vec<(Rung, Deviation, Judgement)> = laws
        .rungs
        .iter()
        .map(|(rung, law)| {
            let deviation = laws.grid.metric().deviation(difference(&measured.mean, law));
            let (label, unresolved) = (laws.label(*rung), laws.grid.unresolved(law));
            let noise = measured.noise.as_ref();
            let judgement = judge_distance(&label, deviation.distance, unresolved, noise, tolerance, &evidence);
            (*rung, deviation, judgement)
        })
        .collect();
    let against = loaded.scenario.test.against;
    let mut primary: Vec<&mut Judgement> =
        judged.iter_mut().filter(|(rung, ..)| *rung == against).map(|(_, _, judgement)| judgement).collect();
    let verdict = scenario_verdict(&mut primary);
    let claims = judged
        .iter()
        .filter_map(|(rung, deviation, judgement)| {
            laws.judged_claim(loaded, setting, &measured, *rung, deviation, judgement)
        })
        .collect();
    let diagnostics = equilibrium::diagnostics(setting, &laws.ladder, &measurement, &plan);
    let mut findings = document(loaded, setting, Some(&laws.ladder), Vec::new(), claims, Some(diagnostics));
    findings.verdict = Some(verdict);
    findings.notes.extend(laws.notes());
    Ok((findings, laws.figures(setting, against, &measurement, &measured)))
}

/// What of the ladder a density asks for: on a line the chain's law.
pub(super) fn ladder(setting: &Setting) -> Ladder {
    if setting.domain.len() == 1 {
        return Ladder::climb(setting);
    }
    let mut ladder = Ladder::lowest_rung(setting);
    if setting.temperature().is_some() {
        ladder.notes.push("discrete is null: the density of the chain is known on a line only".into());
    }
    ladder
}

/// What a run is expected to show, roughly: the exchange between the wells moves their masses, the motion within them the
/// rest.
///
/// # Errors
/// When the tested rung does not exist.
pub(super) fn outlook(loaded: &Loaded, setting: &Setting, ladder: &mut Ladder) -> Result<Outlook, Problem> {
    let laws = Laws::predicted(loaded, setting)?;
    ladder.no_law.clone_from(&laws.ladder.no_law);
    let against = loaded.scenario.test.against;
    let motions = Motions::of(setting, ladder, loaded);
    let samples = motions.time / (2.0 * motions.within);
    let slow = motions.between.map_or(0.0, |([a, b], relaxation)| (a * b * 2.0 * relaxation / motions.time).sqrt());
    let tested = laws.law(against).unwrap_or(&[]);
    let chance = match laws.grid.metric() {
        Metric::Kolmogorov => 1.96 * (slow * slow + 0.25 / samples).sqrt(),
        Metric::TotalVariation => 1.96 * slow + 0.4 * tested.iter().map(|p| p.sqrt()).sum::<f64>() / samples.sqrt(),
    };
    let bias = laws.rungs.last().filter(|(best, _)| *best > against).and_then(|(best, _)| laws.apart(against, *best));
    // The bound is the measured distance, which has the error once, plus the error.
    let margin = loaded.scenario.test.tolerance - laws.grid.unresolved(tested) - bias.unwrap_or(0.0);
    let wanted = (margin > 0.0)
        .then(|| loaded.scenario.ensemble.steps as f64 * (1.85 * chance / margin) * (1.85 * chance / margin));
    Ok(Outlook { quantity: "the distance", chance, bias, steps_wanted: wanted, replicas_wanted: None })
}

/// The setting, if a density can be measured and predicted in it.
pub(super) fn prepare(loaded: &Loaded) -> Result<Setting, ExperimentError> {
    let d = loaded.scenario.dimension();
    let refuse = |key: &str, message: String| Err(ExperimentError::from(loaded.source.problem(key, message)));
    if d > 2 {
        return refuse(
            "experiment",
            format!(
                "found \"density\" for a loss of {d} coordinates; it is measured in one or two: in more, the cells of a histogram \
                 are so many that each is hardly ever visited, and no bound of the distance comes below a tolerance of use; choose \
                 \"equilibrium\" (basins) or \"temperature-pair\" (the law of L), which work in any dimension"
            ),
        );
    }
    let setting = Setting::from_scenario(loaded)?;
    if loaded.scenario.test.against == Rung::Discrete && d == 2 {
        return refuse(
            "test.against",
            "found \"discrete\" in two dimensions, where the density of the chain is not known; choose \"gibbs\" or \
             \"laplace\", or a loss of one coordinate"
                .into(),
        );
    }
    if loaded.scenario.test.against == Rung::Discrete && setting.temperature().is_none() && setting.noise.is_additive()
    {
        return refuse(
            "test.against",
            "the discrete rung needs noise with C = σ²I, here C is a constant but not that; choose \"laplace\" or \"gibbs\"".into(),
        );
    }
    Ok(setting)
}

/// Every rung's law over the cells.
struct Laws {
    ladder: Ladder,
    grid: Grid,
    rungs: Vec<(Rung, Vec<f64>)>,
}

impl Laws {
    /// The rungs that exist, if the tested one does.
    fn predicted(loaded: &Loaded, setting: &Setting) -> Result<Self, Problem> {
        let (mut ladder, grid) = (ladder(setting), Grid::new(setting));
        let rungs: Vec<(Rung, Vec<f64>)> =
            RUNGS.into_iter().filter_map(|rung| Some((rung, law(setting, &ladder, &grid, rung)?))).collect();
        // In the plane the ladder stops at its lowest rung: whether there is a law is known from its cells.
        let is_unbound = setting.noise.is_additive() && rungs.iter().all(|(rung, _)| *rung != Rung::Gibbs);
        if grid.metric() == Metric::TotalVariation && is_unbound {
            ladder.no_law = Some(no_stationary_law(&NoGibbs::NotConfined));
        }
        let against = loaded.scenario.test.against;
        if rungs.iter().any(|(rung, _)| *rung == against) {
            return Ok(Self { ladder, grid, rungs });
        }
        let others: Vec<String> = rungs.iter().map(|(rung, _)| format!("\"{}\"", rung.name())).collect();
        let unbound = "the loss does not rise enough around the domain, or is not defined there, for exp(−L/T) to have a finite integral";
        let why = ladder.notes.iter().find(|note| note.starts_with(against.name())).map_or(unbound, String::as_str);
        Err(loaded.source.problem(
            "test.against",
            format!(
                "found \"{}\", a law that this case does not have ({why}); choose {}, or change the case",
                against.name(),
                others.join(" or ")
            ),
        ))
    }

    fn law(&self, rung: Rung) -> Option<&[f64]> {
        self.rungs.iter().find(|(other, _)| *other == rung).map(|(_, law)| law.as_slice())
    }

    /// The distance between two rungs.
    fn apart(&self, a: Rung, b: Rung) -> Option<f64> {
        Some(self.grid.metric().deviation(difference(self.law(a)?, self.law(b)?)).distance)
    }

    /// What is compared.
    fn label(&self, rung: Rung) -> String {
        match self.grid.metric() {
            Metric::Kolmogorov => format!("sup|F − F_{}|", rung.name()),
            Metric::TotalVariation => format!("½Σ|p − p_{}|", rung.name()),
        }
    }

    fn contrasts(&self, rung: Rung) -> Vec<Contrast> {
        let label = self.label(rung);
        vec![Contrast { label, predicted: 0.0, predicted_standard_error: 0.0, predicted_bound: 0.0, measured: None }]
    }

    fn claim(&self, loaded: &Loaded, rung: Rung) -> Claim {
        let (law, source) = match rung {
            Rung::Laplace => (
                "the mixture of Gaussians of covariance T H⁻¹ at the minima",
                "the loss as a parabola at each minimum; the talk's slide “Implications of the Theory”",
            ),
            Rung::Gibbs => (
                "exp(−2L/(nσ²))/Z",
                "stationary Fokker–Planck equation (Gardiner, Stochastic Methods, §5.3); the talk's slide “Equilibrium Distribution of SGD”",
            ),
            Rung::Ito => (
                "D⁻¹ exp(−∫L′/D) with D = nσ(θ)²/2",
                "stationary Fokker–Planck equation of the Itô SDE without current (Gardiner, Stochastic Methods, §5.3)",
            ),
            Rung::Discrete => {
                ("the chain's own at its finite step", "stationary law of the transfer operator N(θ′; θ − δ∇L, 2Tδ)")
            }
        };
        let distance = match self.grid.metric() {
            Metric::Kolmogorov => "the distribution functions differ nowhere by more than ε",
            Metric::TotalVariation => "no set of cells has a probability that differs by more than ε",
        };
        Claim {
            id: format!("density-{}", rung.name()),
            primary: rung == loaded.scenario.test.against,
            statement: format!("The stationary density is {law}: {distance}"),
            source: source.into(),
            tolerance: loaded.scenario.test.tolerance,
        }
    }

    fn judged_claim(
        &self,
        loaded: &Loaded,
        setting: &Setting,
        measured: &Measured,
        rung: Rung,
        deviation: &Deviation,
        judgement: &Judgement,
    ) -> Option<ClaimRecord> {
        let law = self.law(rung)?;
        let place = self.grid.told(setting, deviation.place, &measured.mean, law);
        let mut reason = format!("{}; the largest deviation is {place}", judgement.reason);
        if judgement.verdict == Verdict::Rejected {
            reason = format!("{reason}; {}", self.broken_assumption(setting, measured, rung, judgement.tolerance));
        }
        let mut record = self.claim(loaded, rung).judged(judgement, reason)?;
        // A distance is no mean: it has a bound, not a standard error.
        record.standard_error = None;
        record.interval = judgement.contrasts[0].holds_interval;
        record.contrasts[0].standard_error = None;
        record.contrasts[0].interval = record.interval;
        Some(record)
    }

    /// The first neighbours on the ladder, from `against` upwards, that are farther apart than ε, and what lies between
    /// them.
    fn broken_assumption(&self, setting: &Setting, measured: &Measured, against: Rung, tolerance: f64) -> String {
        let steps: Vec<(Option<Rung>, &[f64])> = self
            .rungs
            .iter()
            .filter(|(rung, _)| *rung >= against)
            .map(|(rung, law)| (Some(*rung), law.as_slice()))
            .chain([(None, measured.mean.as_slice())])
            .collect();
        let gaps: Vec<f64> = steps
            .windows(2)
            .map(|pair| self.grid.metric().deviation(difference(pair[0].1, pair[1].1)).distance)
            .collect();
        let first = gaps.iter().position(|&gap| gap > tolerance);
        let largest = (0..gaps.len()).max_by(|&a, &b| gaps[a].total_cmp(&gaps[b]).then(b.cmp(&a))).unwrap_or(0);
        let index = first.unwrap_or(largest);
        let (Some(lower), upper) = (steps[index].0, steps[index + 1].0) else { return String::new() };
        let opening = if first.is_some() {
            "the first neighbouring laws farther apart than ε are"
        } else {
            "no two neighbouring laws are farther apart than ε, their distances add up; the largest is between"
        };
        format!(
            "{opening} {} and {}, at {:.4}. {}",
            lower.name(),
            upper.map_or("measured", Rung::name),
            gaps[index],
            assumption(setting, lower, upper)
        )
    }

    /// How the cells are to be read, and how far the rungs are from each other.
    fn notes(&self) -> Vec<String> {
        let pairs = self.rungs.windows(2).filter_map(|pair| {
            let gap = self.apart(pair[0].0, pair[1].0)?;
            Some(format!("{} and {} {gap:.5}", pair[0].0.name(), pair[1].0.name()))
        });
        let pairs: Vec<String> = pairs.collect();
        let mut notes =
            vec![self.grid.note(self.rungs.iter().map(|(_, law)| self.grid.unresolved(law)).fold(0.0, f64::max))];
        if !pairs.is_empty() {
            notes.push(format!("distances between the predicted laws themselves: {}", pairs.join("; ")));
        }
        notes
    }
}

/// What a rung predicts for the cells.
fn law(setting: &Setting, ladder: &Ladder, grid: &Grid, rung: Rung) -> Option<Vec<f64>> {
    let (loss, landscape) = (setting.loss.as_ref(), setting.landscape.as_ref());
    let temperature = setting.effective_temperature();
    match rung {
        Rung::Laplace => cells::laplace(loss, &landscape.minima, temperature, &grid.axes()),
        Rung::Gibbs => cells::gibbs(loss, landscape, &landscape.region, temperature, &grid.axes()),
        Rung::Ito => match grid {
            Grid::Line(line) => {
                let diffusion = |x: f64| setting.diffusion(x);
                let places = setting.landscape.places_on_a_line();
                let potential = Potential::new(loss, &diffusion, setting.domain[0], &places).ok()?;
                cells::ito(ladder.ito.as_ref()?, &potential, line.edges())
            }
            Grid::Plane(_) => None,
        },
        Rung::Discrete => match grid {
            Grid::Line(line) => Some(cells::discrete(ladder.discrete.as_ref()?.law.as_ref()?, line.edges())),
            Grid::Plane(_) => None,
        },
    }
}

/// a − b, cell by cell.
fn difference(a: &[f64], b: &[f64]) -> impl Iterator<Item = f64> {
    a.iter().zip(b).map(|(a, b)| a - b)
}

/// The measured law and how well it is known.
struct Measured {
    /// Of independent groups of replicas.
    laws: Occupancies,
    mean: Vec<f64>,
    noise: Option<Noise>,
}

impl Measured {
    fn of(measurement: &Measurement, metric: Metric, seed: u64) -> Result<Self, ExperimentError> {
        let rows = measurement.histogram.as_ref().map(|histogram| histogram.fractions()).unwrap_or_default();
        let cells = rows.first().map_or(0, Vec::len);
        let laws = Occupancies::new(cells, rows.concat())?;
        let (mean, noise) = (mean_law(&laws), Noise::of(&laws, metric, derived_seed(seed, 0)));
        Ok(Self { laws, mean, noise })
    }
}
