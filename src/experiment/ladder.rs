//! The ladder of predictions for one setting: every rung that exists, and a note for each that does not.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reason::RUNGS;
use super::setting::{Described, Setting};
use super::{elsewhere, fastest, irregular, state_dependent};
use crate::findings::EscapeRecord;
use crate::input::Problem;
use crate::landscape::minimum_name;
use crate::loss::LossSpec;
use crate::memo::Memo;
use crate::plain::significant;
use crate::random::increments::Increments;
use crate::scenario::{Loaded, Rung};
use crate::theory::discrete::bounds::Bounds;
use crate::theory::discrete::first_order::first_order_influences;
use crate::theory::discrete::{Care, Chain, DiscreteLaw, FiniteStep, Method, NoFiniteStep};
use crate::theory::escape::BothWays;
use crate::theory::gibbs::influences::Influences;
use crate::theory::gibbs::{
    self, Gibbs, MOST_BY_QUADRATURE, NoGibbs,
    sampler::{Effort, Sampling},
};
use crate::theory::ito::ItoLaw;
use crate::theory::{Scheme, escape, laplace};

/// Predictions of the occupancies, rung by rung.
#[derive(Clone)]
pub struct Ladder {
    /// The slide's formula, at the effective temperature; `None` where the Hessian at a minimum is singular.
    pub laplace: Option<Vec<f64>>,
    /// The Gibbs masses of the basins.
    pub gibbs: Option<Gibbs>,
    /// The Itô equation's own law, where the noise depends on θ (1-D).
    pub ito: Option<ItoLaw>,
    /// Of the chain at its finite step.
    pub discrete: Option<Discrete>,
    /// Between minima that share a saddle.
    pub escape: Vec<EscapeRecord>,
    /// Why a rung is missing, and what the slide's formula was given.
    pub notes: Vec<String>,
    /// What the scheme does to the SDE's law, where that is an error of its predictions; else `None`, and where it is not known.
    pub scheme_bias: Option<Bounds>,
    /// Why there is no stationary law that anything could be compared with; `None` where there is one, or where nothing is known
    /// to the contrary.
    pub no_law: Option<String>,
}

/// The chain's law, by the transfer operator or to first order in the step with a bound of what that leaves out.
#[derive(Clone)]
pub struct Discrete {
    /// Mass of every minimum's basin.
    pub occupancies: Vec<f64>,
    /// Mass of what lies in no basin.
    pub other: f64,
    /// The whole law, in 1-D.
    pub law: Option<DiscreteLaw>,
    /// By how much the occupancies may be off, in every run alike.
    pub bounds: Bounds,
    /// Whether it is a first order on the Gibbs law, and has the error of that where it was sampled.
    pub on_gibbs: bool,
}

impl Discrete {
    /// A law that the transfer operator on a line gives.
    pub(super) fn on_a_line(law: DiscreteLaw) -> Self {
        let (occupancies, other, bounds) = (law.occupancies.clone(), law.other, law.bounds());
        Self { occupancies, other, law: Some(law), bounds, on_gibbs: false }
    }

    /// By how much every occupancy may be off; `None` where it is exact.
    pub(super) fn occupancy_bounds(&self) -> Vec<Option<f64>> {
        let bounds = self.bounds.of_occupancies(&self.occupancies, self.other);
        let is_exact = self.bounds.largest() == 0.0;
        bounds.into_iter().map(|bound| Some(bound).filter(|_| !is_exact)).collect()
    }
}

impl From<FiniteStep> for Discrete {
    fn from(FiniteStep { occupancies, other, bounds, method }: FiniteStep) -> Self {
        let on_gibbs = matches!(method, Method::FirstOrder(_));
        let law = if let Method::Line(law) = method { Some(*law) } else { None };
        Self { occupancies, other, law, bounds, on_gibbs }
    }
}

/// The ladders of the last few points of a study, which may differ in nothing that the theory knows.
static CLIMBED: Memo<Described, Arc<Ladder>> = Memo::of(8);

impl Ladder {
    /// Computes every rung.
    pub fn climb(setting: &Setting) -> Self {
        let Some(described) = setting.described.as_ref().filter(|_| setting.brief) else { return Self::fresh(setting) };
        if let Some(known) = CLIMBED.find(described) {
            return (*known).clone();
        }
        let ladder = Self::fresh(setting);
        CLIMBED.keep(described.clone(), Arc::new(ladder.clone()));
        ladder
    }

    fn fresh(setting: &Setting) -> Self {
        Self::upon(gibbs_law(setting), setting)
    }

    /// The ladders of settings that differ in nothing but their step: one Gibbs law, which takes seconds, serves them all.
    pub fn at_every_step(settings: &[Setting]) -> Vec<Self> {
        let Some(first) = settings.first() else { return Vec::new() };
        let gibbs = gibbs_law(first);
        settings.iter().map(|setting| Self::upon(gibbs.clone(), setting)).collect()
    }

    /// Every other rung above the Gibbs law.
    fn upon(gibbs: Result<Gibbs, NoGibbs>, setting: &Setting) -> Self {
        let minima = &setting.landscape.minima;
        let temperature = setting.effective_temperature();
        let note = gibbs_note(setting, &gibbs);
        let elsewhere = gibbs.as_ref().ok().and_then(elsewhere::note);
        // Where the noise depends on θ the Itô equation's own law decides.
        let unconfined = gibbs.as_ref().err().filter(|reason| reason.is_without_end() && setting.noise.is_additive());
        let mut ladder = Self {
            no_law: unconfined.map(|reason| no_stationary_law(reason)),
            laplace: laplace::occupancies(minima, temperature),
            gibbs: gibbs.ok(),
            ito: None,
            discrete: None,
            scheme_bias: None,
            escape: Vec::new(),
            notes: irregular::notes(setting).chain(note).chain(elsewhere).chain(rounding_note(setting)).collect(),
        };
        if setting.counts_bias() {
            ladder.add_scheme_bias(setting);
        }
        match setting.temperature() {
            Some(temperature) if setting.is_normal_chain() => {
                ladder.add_discrete(setting, temperature);
            }
            Some(temperature) => {
                ladder.notes.push(no_law_at_its_step(setting));
                ladder.add_escape(setting, temperature, None);
            }
            None if !setting.noise.is_additive() => state_dependent::climb(&mut ladder, setting),
            None => ladder.notes.push(without_temperature(temperature)),
        }
        ladder
    }

    /// The lowest rung and the escape times alone, for a question that asks for no basin's exact mass, which takes seconds in
    /// the plane.
    pub fn lowest_rung(setting: &Setting) -> Self {
        let minima = &setting.landscape.minima;
        let temperature = setting.effective_temperature();
        let mut ladder = Self {
            laplace: laplace::occupancies(minima, temperature),
            gibbs: None,
            ito: None,
            discrete: None,
            scheme_bias: None,
            escape: Vec::new(),
            notes: irregular::notes(setting).collect(),
            no_law: None,
        };
        match setting.temperature() {
            Some(temperature) => ladder.add_escape(setting, temperature, None),
            None => ladder.notes.push(without_temperature(temperature)),
        }
        ladder
    }

    /// The occupancies that a rung predicts, one per minimum.
    pub fn rung(&self, rung: Rung) -> Option<&[f64]> {
        match rung {
            Rung::Laplace => self.laplace.as_deref(),
            Rung::Gibbs => self.gibbs.as_ref().map(|gibbs| gibbs.occupancies.as_slice()),
            Rung::Ito => self.ito.as_ref().map(|law| law.occupancies.as_slice()),
            Rung::Discrete => self.discrete.as_ref().map(|discrete| discrete.occupancies.as_slice()),
        }
    }

    /// How independent ensembles pull at a sampled rung's log-odds; `None` where the rung is computed, and so exact beside
    /// a measurement.
    pub fn influences(&self, rung: Rung, setting: &Setting) -> Option<Influences> {
        let sampling = self.gibbs.as_ref()?.sampling.as_ref()?;
        match rung {
            Rung::Gibbs => Some(sampling.log_masses.clone()),
            Rung::Discrete if self.discrete.as_ref()?.on_gibbs => {
                Some(first_order_influences(sampling, setting.step()))
            }
            _ => None,
        }
    }

    /// Standard error of ln(p_a/p_b) by a rung; 0 where it is computed.
    pub(super) fn log_odds_error(&self, rung: Rung, [a, b]: [usize; 2], setting: &Setting) -> f64 {
        self.influences(rung, setting).map_or(0.0, |influences| influences.log_odds_standard_error(a, b))
    }

    /// By how much ln(p_a/p_b) by a rung may be off beside its standard error, in every run alike; 0 where it is exact.
    pub(super) fn log_odds_bound(&self, rung: Rung, [a, b]: [usize; 2]) -> f64 {
        let bounds = match rung {
            Rung::Discrete => self.discrete.as_ref().map(|discrete| &discrete.bounds),
            Rung::Laplace | Rung::Gibbs => self.scheme_bias.as_ref(),
            Rung::Ito => None,
        };
        bounds.map_or(0.0, |bounds| bounds.log_odds(a, b))
    }

    /// Refuses a verdict about a rung that this case does not have: it could only ever be UNDETERMINED.
    ///
    /// # Errors
    /// When `test.against` is null here.
    pub fn require_primary(&self, loaded: &Loaded) -> Result<(), Problem> {
        let against = loaded.scenario.test.against;
        if loaded.scenario.dynamics.counts_bias() && self.scheme_bias.is_none() {
            let why = self.notes.iter().find(|note| note.starts_with(fastest::UNKNOWN)).map_or("", String::as_str);
            let message = format!("{why}, so that it cannot be counted; take a smaller step, or remove the key");
            return Err(loaded.source.problem("dynamics.count_bias", message));
        }
        if self.rung(against).is_some() {
            return Ok(());
        }
        let others = RUNGS.into_iter().filter(|&rung| self.rung(rung).is_some());
        let others: Vec<String> = others.map(|rung| format!("\"{}\"", rung.name())).collect();
        let why = self.notes.iter().find(|note| note.starts_with(against.name())).map_or("", String::as_str);
        Err(loaded.source.problem(
            "test.against",
            format!(
                "found \"{}\", a rung that the ladder of this case does not have ({why}); choose {}, or change the case",
                against.name(),
                others.join(" or ")
            ),
        ))
    }

    fn add_scheme_bias(&mut self, setting: &Setting) {
        let biases = fastest::biases(setting, self.gibbs.as_ref());
        match biases.and_then(|biases| biases.at(setting.step())) {
            Ok(bias) => {
                self.notes.push(fastest::note(&bias, setting));
                self.scheme_bias = Some(bias.bounds);
            }
            Err(reason) => self.notes.push(format!("{}: {reason}", fastest::UNKNOWN)),
        }
    }

    fn add_discrete(&mut self, setting: &Setting, temperature: f64) {
        let case = setting.chain_at(temperature);
        let chain = (setting.domain.len() == 1).then(|| case.chain());
        let known = match &chain {
            _ if self.no_law.is_some() => Err(NoFiniteStep::NoGibbs(None)),
            // On a line the chain has passage times too.
            Some(chain) => {
                case.on_a_line(chain.as_ref().map_err(Clone::clone).and_then(Chain::stationary), self.gibbs.as_ref())
            }
            None => case.stationary(self.gibbs.as_ref(), Care::Thorough),
        };
        match known {
            Ok(known) => {
                self.notes.extend(method_note(&known, setting));
                self.discrete = Some(Discrete::from(known));
            }
            Err(reason) => self.notes.push(format!("discrete is null: {reason}")),
        }
        if !setting.brief {
            self.add_escape(setting, temperature, chain.and_then(Result::ok).as_ref());
        }
    }

    /// Both ways over every pair of minima that share a saddle.
    fn add_escape(&mut self, setting: &Setting, temperature: f64, chain: Option<&Chain>) {
        let kramers = |from: usize, to: usize| escape::kramers(&setting.landscape, from, to, temperature);
        let exact = |places: &[f64]| match setting.domain.as_slice() {
            &[domain] => escape::exact_passage_times(setting.loss.as_ref(), domain, places, temperature),
            _ => Vec::new(),
        };
        self.add_passages(setting, &kramers, &exact, chain);
    }

    /// The same, given the rule of Kramers' kind and the exact times between neighbours on a line.
    pub(super) fn add_passages(
        &mut self,
        setting: &Setting,
        kramers: &dyn Fn(usize, usize) -> Option<f64>,
        exact: &dyn Fn(&[f64]) -> Vec<BothWays>,
        chain: Option<&Chain>,
    ) {
        let minima = &setting.landscape.minima;
        let is_line = setting.domain.len() == 1;
        let mut order: Vec<usize> = (0..minima.len()).collect();
        order.sort_by(|&a, &b| minima[a].theta[0].total_cmp(&minima[b].theta[0]));
        let places: Vec<f64> = order.iter().map(|&minimum| minima[minimum].theta[0]).collect();
        let exact = if is_line { exact(&places) } else { Vec::new() };
        let discrete = chain.filter(|_| is_line).map_or_else(Vec::new, |chain| chain.mean_passage_times(&places));
        // Of neighbours on a line the first of two times is the one upwards.
        let gap = |from: usize, to: usize| -> (usize, usize) {
            let place = |minimum: usize| order.iter().position(|&other| other == minimum).unwrap_or_default();
            let (a, b) = (place(from), place(to));
            (a.min(b), usize::from(b < a))
        };
        let mut missing = BTreeMap::<(&str, String), Vec<String>>::new();
        for (from, to) in setting.landscape.neighbours() {
            let (gap, way) = gap(from, to);
            let exact = exact.get(gap).map(|times| times[way]);
            let of_the_chain = discrete.get(gap).map(|times| times[way]);
            let pair = || format!("{} to {}", minimum_name(from), minimum_name(to));
            if let Some(Err(reason)) = exact {
                missing.entry(("the exact passage time", reason.to_string())).or_default().push(pair());
            }
            if of_the_chain == Some(None) {
                let reason = "it did not stand still as its grid was refined".to_string();
                missing.entry(("the chain's passage time", reason)).or_default().push(pair());
            }
            self.escape.push(EscapeRecord {
                from: minimum_name(from),
                to: minimum_name(to),
                kramers: kramers(from, to),
                exact: exact.and_then(Result::ok),
                discrete: of_the_chain.flatten(),
            });
        }
        for (reason, pairs) in missing {
            self.notes.push(format!("{} from {} is null: {}", reason.0, pairs.join(", "), reason.1));
        }
    }
}

/// The last few laws that were sampled, which takes seconds: of which loss, at which T, with how many minima, from which seed.
static SAMPLED: Memo<(LossSpec, u64, usize, u64), Result<Gibbs, NoGibbs>> = Memo::of(8);

/// The Gibbs law of a setting.
pub(super) fn gibbs_law(setting: &Setting) -> Result<Gibbs, NoGibbs> {
    let temperature = setting.effective_temperature();
    let mut effort = Effort::default();
    effort.seed = setting.described.as_ref().and_then(|described| described.sampler_seed).unwrap_or(effort.seed);
    let compute =
        || gibbs::law_with(setting.loss.as_ref(), &setting.landscape, &setting.landscape.region, temperature, &effort);
    let Some(described) = setting.described.as_ref().filter(|_| setting.domain.len() > MOST_BY_QUADRATURE) else {
        return compute();
    };
    let key = (described.loss.clone(), temperature.to_bits(), setting.landscape.minima.len(), effort.seed);
    SAMPLED.find(&key).unwrap_or_else(|| {
        let law = compute();
        SAMPLED.keep(key, law.clone());
        law
    })
}

/// How the chain's law was found, where it is not by the operator on a line, which is exact.
fn method_note(known: &FiniteStep, setting: &Setting) -> Option<String> {
    let bound = significant(known.bounds.largest(), 2);
    match &known.method {
        Method::Line(_) => None,
        Method::Plane => Some(format!(
            "discrete is the stationary law of the chain's transfer operator in the plane, good to {bound} in log-odds by two lattices"
        )),
        Method::Product => Some(format!(
            "discrete is the product of the chain's laws in the {} groups of coordinates that the loss is a sum of functions of",
            setting.loss.independent_coordinates().len()
        )),
        Method::FirstOrder(why) => {
            let why = why.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
            Some(format!(
                "discrete is the first order in δ on the Gibbs rung: ln(p_A/p_B) moves by −(δ/4)(⟨ΔL⟩_A − ⟨ΔL⟩_B){why}; what that \
                 leaves out is estimated at no more than {bound} in any log-odds, from ∫|H∇L|²dt on the ways between the minima and from \
                 ⟨tr H²⟩, and widens every interval"
            ))
        }
    }
}

/// How the reason begins that bars every verdict where theory finds no law: more steps would not settle it.
pub const NO_STATIONARY_LAW: &str = "theory finds no stationary law";

/// What bars every verdict about a stationary law where theory finds none: what is measured then depends on how long the run
/// is, however well it seems to be at rest.
pub(super) fn no_stationary_law(why: &dyn std::fmt::Display) -> String {
    format!(
        "{NO_STATIONARY_LAW} to be in: {why}. If there is none, trajectories leave the wells for good sooner or later, and no length of \
         run settles the question; let the loss rise outwards (for example by a term that grows), or ask about another loss"
    )
}

/// Why the discrete rung and the discrete passage times are null.
pub(super) fn no_law_at_its_step(setting: &Setting) -> String {
    let why = match setting.dynamics.scheme() {
        Some(Scheme::LeimkuhlerMatthews) => {
            "a Leimkuhler–Matthews step shares a normal with the one before, so its kernel is not theirs, and its \
             stationary law is, for C = σ²I, that of the SDE up to second order in δ"
        }
        Some(Scheme::Platen) => {
            "a Platen step is not theirs, and its stationary law is that of the SDE up to second order in δ"
        }
        Some(Scheme::EulerMaruyama) if setting.dynamics.increments() == Increments::Binomial => {
            "a step with binomial increments is not normal, and the law of its chain is theirs only as δ → 0"
        }
        Some(Scheme::Minibatches) => {
            "the gradient of a minibatch is not normal, and the law of its chain is theirs only as δ → 0 or S → ∞"
        }
        Some(Scheme::EulerMaruyama) | None => "theory knows no law of this dynamics at its finite step",
    };
    format!(
        "discrete and the chain's passage times are null: they are those of Euler–Maruyama and SGD; {why}; halve the step to see what it does"
    )
}

/// How well differences of L are known, where a large constant in it costs digits that can be seen.
fn rounding_note(setting: &Setting) -> Option<String> {
    const SEEN: f64 = 1e-7;
    let rounding = setting.rounding();
    (rounding > SEEN).then(|| {
        format!(
            "the loss is so large beside T that its rounding is {} T: log-odds, and passage times in proportion, are known no better; \
             subtract the constant from the loss, which changes no probability",
            significant(rounding, 2)
        )
    })
}

/// Why there is no Gibbs rung, or how well it was sampled; nothing where it was integrated.
fn gibbs_note(setting: &Setting, gibbs: &Result<Gibbs, NoGibbs>) -> Option<String> {
    match gibbs {
        Err(reason) => Some(format!("gibbs is null: {reason}")),
        Ok(gibbs) => gibbs.sampling.as_ref().map(|sampling| sampling_note(setting.domain.len(), sampling)),
    }
}

fn sampling_note(dimensions: usize, sampling: &Sampling) -> String {
    let range = |values: &[f64]| {
        let (low, high) = values.iter().fold((1.0f64, 0.0f64), |(low, high), &x| (low.min(x), high.max(x)));
        if high - low < 0.005 { format!("{high:.2}") } else { format!("{low:.2} to {high:.2}") }
    };
    let levels = sampling.temperatures.len();
    let tempering = if levels == 1 {
        "no tempering (no barrier is above T, or no hotter law has a finite integral)".to_string()
    } else {
        let hottest = sampling.temperatures[levels - 1];
        format!(
            "{levels} temperatures up to {hottest:.4} that exchange in {} of attempts",
            range(&sampling.exchange_acceptance)
        )
    };
    let diagnostics = &sampling.equilibration;
    let diagnostics: Vec<String> = [
        diagnostics.nested_r_hat.map(|r_hat| format!("nested R̂ {r_hat:.5}")),
        diagnostics.minimum_effective_sample_size.map(|ess| format!("smallest ESS {ess:.0}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let spent = if sampling.settled { "" } else { ", more than was aimed at, but the budget is spent" };
    format!(
        "gibbs is sampled in {dimensions} dimensions: {} independent ensembles of {} draws, {tempering}, Langevin moves \
         accepted in {} and jumps between wells in {:.2} of attempts; they have forgotten where they started ({}). The \
         largest standard error of its log-odds is {:.4}{spent}; it is part of every comparison with this rung",
        sampling.ensembles,
        sampling.draws,
        range(&sampling.langevin_acceptance),
        sampling.jump_acceptance,
        diagnostics.join(", "),
        sampling.worst_standard_error
    )
}

fn without_temperature(effective: f64) -> String {
    format!(
        "C is not σ²I, so there is no temperature. The slide's formula and the Gibbs rung were given σ² = tr C/d averaged \
         over the minima, T = {effective:.6}; discrete and escape times are null, since their formulas assume C = σ²I"
    )
}
