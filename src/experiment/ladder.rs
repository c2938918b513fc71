//! The ladder of predictions for one setting: every rung that exists, and a note for each that does not.

use std::sync::Arc;

use super::memo::Memo;
use super::setting::{Described, Setting};
use crate::findings::EscapeRecord;
use crate::input::Problem;
use crate::landscape::minimum_name;
use crate::scenario::{Loaded, Rung};
use crate::theory::discrete::{self, Chain, DiscreteLaw, NoDiscreteLaw};
use crate::theory::gibbs::{self, Gibbs};
use crate::theory::{escape, laplace};

/// Predictions of the occupancies, rung by rung.
#[derive(Clone)]
pub struct Ladder {
    /// The slide's formula, at the effective temperature.
    pub laplace: Vec<f64>,
    /// The Gibbs masses of the basins.
    pub gibbs: Option<Gibbs>,
    /// Of the chain at its finite step.
    pub discrete: Option<Discrete>,
    /// Between minima that share a saddle.
    pub escape: Vec<EscapeRecord>,
    /// Why a rung is missing, and what the slide's formula was given.
    pub notes: Vec<String>,
}

/// The chain's law, by the transfer operator or to first order in the step.
#[derive(Clone)]
pub struct Discrete {
    /// Mass of every minimum's basin.
    pub occupancies: Vec<f64>,
    /// Mass of what lies in no basin.
    pub other: f64,
    /// The whole law, in 1-D.
    pub law: Option<DiscreteLaw>,
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
        let minima = &setting.landscape.minima;
        let temperature = setting.effective_temperature();
        let multiplicity = vec![1; minima.len()];
        let mut ladder = Self {
            laplace: laplace::occupancies(minima, &multiplicity, temperature),
            gibbs: gibbs::by_quadrature(setting.loss.as_ref(), &setting.landscape, &setting.domain, temperature),
            discrete: None,
            escape: Vec::new(),
            notes: Vec::new(),
        };
        if ladder.gibbs.is_none() {
            ladder.notes.push(match setting.domain.len() {
                1 | 2 => "gibbs is null: the loss does not rise enough around the domain for exp(−L/T) to have a finite integral".into(),
                d => format!("gibbs is null: its quadrature is done in one and two dimensions, here are {d}"),
            });
        }
        match setting.temperature() {
            Some(temperature) => ladder.add_discrete(setting, temperature),
            None => ladder.notes.push(format!(
                "C is not σ²I, so there is no temperature. The slide's formula and the Gibbs rung were given σ² = tr C/d averaged \
                 over the minima, T = {temperature:.6}; discrete and escape times are null, since their formulas assume C = σ²I"
            )),
        }
        ladder
    }

    /// The occupancies that a rung predicts, one per minimum.
    pub fn rung(&self, rung: Rung) -> Option<&[f64]> {
        match rung {
            Rung::Laplace => Some(&self.laplace),
            Rung::Gibbs => self.gibbs.as_ref().map(|gibbs| gibbs.occupancies.as_slice()),
            Rung::Discrete => self.discrete.as_ref().map(|discrete| discrete.occupancies.as_slice()),
        }
    }

    /// Refuses a verdict about a rung that this case does not have: it could only ever be UNDETERMINED.
    ///
    /// # Errors
    /// When `test.against` is null here.
    pub fn require_primary(&self, loaded: &Loaded) -> Result<(), Problem> {
        let against = loaded.scenario.test.against;
        if self.rung(against).is_some() {
            return Ok(());
        }
        let others = [Rung::Laplace, Rung::Gibbs, Rung::Discrete].into_iter().filter(|&rung| self.rung(rung).is_some());
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

    fn add_discrete(&mut self, setting: &Setting, temperature: f64) {
        let chain = (setting.domain.len() == 1).then(|| {
            Chain::new(setting.loss.as_ref(), &setting.landscape, setting.domain[0], temperature, setting.step())
        });
        let (chain, mut missing) = match chain {
            Some(Ok(chain)) => (Some(chain), None),
            Some(Err(reason)) => (None, Some(reason)),
            None => (None, None),
        };
        if let Some(chain) = &chain {
            match chain.stationary() {
                Ok(law) => {
                    let (occupancies, other) = (law.occupancies.clone(), law.other);
                    self.discrete = Some(Discrete { occupancies, other, law: Some(law) });
                }
                Err(reason) => missing = Some(reason),
            }
        }
        match missing {
            // A first order in δ knows nothing of kinks and escapes; it is right where only the grid grew too large.
            Some(reason) if !matches!(reason, NoDiscreteLaw::TooFine(_)) => {
                self.notes.push(format!("discrete is null: {reason}"));
            }
            reason if self.discrete.is_none() => self.add_first_order(setting, reason.map(|reason| reason.to_string())),
            _ => {}
        }
        if !setting.brief {
            self.add_escape(setting, temperature, chain.as_ref());
        }
    }

    fn add_first_order(&mut self, setting: &Setting, missing: Option<String>) {
        let first = self.gibbs.as_ref().and_then(|gibbs| {
            let occupancies = discrete::first_order(gibbs, &setting.landscape, setting.step())?;
            Some(Discrete { occupancies, other: gibbs.other, law: None })
        });
        let why = missing.map_or(String::new(), |reason| format!(" ({reason})"));
        self.notes.push(match (&first, &self.gibbs) {
            (Some(_), _) => format!("discrete is the first order in δ on the Gibbs rung: ln(p_A/p_B) moves by −(δ/4)(⟨ΔL⟩_A − ⟨ΔL⟩_B){why}"),
            (None, None) => format!("discrete is null: it builds on the Gibbs rung{why}"),
            (None, Some(_)) => format!(
                "discrete is null: its first order in δ needs δ‖∇²L‖ ≤ {} at every minimum and saddle, here it is {:.4e}{why}",
                discrete::FIRST_ORDER_LIMIT,
                setting.step() * setting.landscape.largest_curvature()
            ),
        });
        self.discrete = first;
    }

    /// Both ways over every pair of minima that share a saddle.
    fn add_escape(&mut self, setting: &Setting, temperature: f64, chain: Option<&Chain>) {
        let minima = &setting.landscape.minima;
        let mut pairs: Vec<[usize; 2]> = setting.landscape.saddles.iter().map(|saddle| saddle.between).collect();
        pairs.sort_unstable();
        pairs.dedup();
        for [a, b] in pairs {
            for (from, to) in [(a, b), (b, a)] {
                let (start, end) = (minima[from].theta[0], minima[to].theta[0]);
                let exact = (setting.domain.len() == 1)
                    .then(|| {
                        escape::exact_passage_time(setting.loss.as_ref(), setting.domain[0], start, end, temperature)
                    })
                    .flatten();
                self.escape.push(EscapeRecord {
                    from: minimum_name(from),
                    to: minimum_name(to),
                    kramers: escape::kramers(&setting.landscape, from, to, temperature),
                    exact,
                    discrete: chain.and_then(|chain| chain.mean_passage_time(start, end)),
                });
            }
        }
    }
}
