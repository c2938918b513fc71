//! What questions about several noise scales or learning rates share: one ensemble per point, judged together.

use super::Control;
use super::ExperimentError;
use super::equilibrium;
use super::fastest;
use super::ladder::Ladder;
use super::measurement::Measurement;
use super::setting::Setting;
use super::state_dependent;
use crate::ensemble::Plan;
use crate::findings::Diagnostics;
use crate::math;
use crate::random::derived_seed;
use crate::scenario::{Loaded, Rung};
use crate::statistics::{Estimate, Evidence};
use crate::theory::discrete::{Care, bounds::Bounds};
use crate::theory::{gibbs, laplace};

/// The plan of point `index`: that of the scenario with a seed of its own. Trajectories are looked at as often as at the
/// scenario's own setting, so that the resolved scenario gives the same bytes again.
pub(super) fn plan(setting: &Setting, loaded: &Loaded, index: usize) -> Plan {
    Plan { seed: derived_seed(loaded.scenario.seed, index as u64), ..setting.plan(loaded) }
}

/// The ensemble of one point, with its diagnostics.
pub(super) struct Measured {
    /// Its occupancies and their equilibration.
    pub measurement: Measurement,
    /// As a record.
    pub diagnostics: Diagnostics,
}

impl Measured {
    /// Runs the ensemble of one point.
    ///
    /// # Errors
    /// When the run was stopped or every replica diverged.
    pub(super) fn take(
        setting: &Setting,
        ladder: &Ladder,
        plan: &Plan,
        loaded: &Loaded,
        control: &mut Control,
    ) -> Result<Self, ExperimentError> {
        let start = &loaded.scenario.ensemble.start;
        let measurement =
            Measurement::take(setting, plan, start, None, control)?.with_law_of(ladder, setting, plan, start);
        let diagnostics = equilibrium::diagnostics(setting, ladder, &measurement, plan);
        Ok(Self { measurement, diagnostics })
    }

    /// ln(p_a/p_b).
    pub(super) fn log_odds(&self, [a, b]: [usize; 2]) -> Option<Estimate> {
        self.measurement.counted().log_odds(a, b)
    }
}

/// What stands behind a claim about several points: equilibrium at each, and every diverged replica.
pub(super) fn evidence<'a>(points: impl Iterator<Item = (&'a str, &'a Diagnostics)>) -> Evidence {
    let mut evidence = Evidence::default();
    for (name, diagnostics) in points {
        evidence.not_equilibrated.extend(diagnostics.reasons.iter().map(|reason| format!("at {name}: {reason}")));
        evidence.remembers_start |= diagnostics.remembers_start;
        evidence.diverged += diagnostics.diverged as usize;
    }
    evidence
}

/// The diagnostics of all points as one: the worst of each, counts added up.
pub(super) fn together<'a>(points: impl Iterator<Item = (&'a str, &'a Diagnostics)>) -> Diagnostics {
    let mut all = Diagnostics { equilibrated: true, ..Diagnostics::default() };
    let largest = |a: Option<f64>, b: Option<f64>| [a, b].into_iter().flatten().reduce(f64::max);
    for (name, point) in points {
        all.nested_r_hat = largest(all.nested_r_hat, point.nested_r_hat);
        all.r_hat = largest(all.r_hat, point.r_hat);
        all.ess = [all.ess, point.ess].into_iter().flatten().reduce(f64::min);
        all.equilibrated &= point.equilibrated;
        all.remembers_start |= point.remembers_start;
        all.reasons.extend(point.reasons.iter().map(|reason| format!("at {name}: {reason}")));
        all.transitions += point.transitions;
        all.round_trips += point.round_trips;
        all.diverged += point.diverged;
        all.observed_every = point.observed_every;
        all.stationarity = match (all.stationarity.take(), point.stationarity.clone()) {
            (Some(a), Some(b)) => Some(a.worse(b)),
            (one, other) => one.or(other),
        };
        if let Some(contrast) = &point.start_contrast {
            let size = |value: f64, error: f64| (value / error).abs();
            let so_far = all.start_contrast.as_ref().map_or(0.0, |c| size(c.value, c.standard_error));
            if size(contrast.value, contrast.standard_error) > so_far {
                let mut contrast = contrast.clone();
                contrast.quantity = format!("at {name}, {}", contrast.quantity);
                all.start_contrast = Some(contrast);
            }
        }
    }
    all
}

/// Notes that are alike at several points, told once with all of them: `at β = 1, 2, 4: …`.
pub(super) fn together_where_alike<'a>(varied: &str, notes: impl Iterator<Item = (f64, &'a str)>) -> Vec<String> {
    let mut alike: Vec<(Vec<String>, &str)> = Vec::new();
    for (at, note) in notes {
        match alike.iter_mut().find(|(_, known)| *known == note) {
            Some((points, _)) => points.push(at.to_string()),
            None => alike.push((vec![at.to_string()], note)),
        }
    }
    alike.into_iter().map(|(points, note)| format!("at {varied} = {}: {note}", points.join(", "))).collect()
}

/// The occupancies by one rung, by the theory alone and without the rest of the ladder; `None` where the rung does not
/// exist or costs a simulation.
pub(super) fn occupancies(setting: &Setting, rung: Rung) -> Option<Vec<f64>> {
    let (loss, landscape, domain) = (setting.loss.as_ref(), &setting.landscape, setting.landscape.region.as_slice());
    // In space the quadrature takes seconds, and beyond a sampler does: too long for a search.
    let by_gibbs = || {
        let cheap = domain.len() <= 2;
        cheap.then(|| gibbs::by_quadrature(loss, landscape, domain, setting.effective_temperature()).ok())?
    };
    match rung {
        Rung::Laplace => laplace::occupancies(&landscape.minima, setting.effective_temperature()),
        Rung::Gibbs => Some(by_gibbs()?.occupancies),
        Rung::Ito => state_dependent::ito(setting).map(|law| law.occupancies),
        Rung::Discrete if !setting.is_normal_chain() => None,
        Rung::Discrete if !setting.noise.is_additive() => {
            state_dependent::chain_law(setting).map(|law| law.occupancies)
        }
        Rung::Discrete => {
            let case = setting.chain_at(setting.temperature()?);
            let known = match domain {
                [_] => {
                    let law = case.chain().and_then(|chain| chain.stationary());
                    let gibbs = if law.is_err() { by_gibbs() } else { None };
                    case.on_a_line(law, gibbs.as_ref())
                }
                _ => case.stationary(by_gibbs().as_ref(), Care::Quick),
            };
            known.ok().map(|known| known.occupancies)
        }
    }
}

/// ln(p_a/p_b) by one rung; `None` as for [`occupancies`].
pub(super) fn log_odds(setting: &Setting, rung: Rung, pair: [usize; 2]) -> Option<f64> {
    of_occupancies(&occupancies(setting, rung)?, pair)
}

/// ln(p_a/p_b) of a law.
pub(super) fn of_occupancies(occupancies: &[f64], [a, b]: [usize; 2]) -> Option<f64> {
    let log_odds = math::ln(occupancies[a]) - math::ln(occupancies[b]);
    (!log_odds.is_nan()).then_some(log_odds)
}

/// A zero of `f` between `low` and `high`, where it has opposite signs, by the Illinois variant of false position
/// (Dowell & Jarratt 1971), to a relative 1e−10. `None` where `f` has no value.
pub(super) fn zero_between(f: impl Fn(f64) -> Option<f64>, low: f64, high: f64) -> Option<f64> {
    let (mut a, mut b) = ((low, f(low)?), (high, f(high)?));
    if a.1 * b.1 > 0.0 || !a.1.is_finite() || !b.1.is_finite() {
        return None;
    }
    for _ in 0..100 {
        if a.1 == 0.0 || (b.0 - a.0).abs() <= 1e-10 * b.0.abs() {
            return Some(a.0);
        }
        if b.1 == 0.0 {
            return Some(b.0);
        }
        let middle = b.0 - b.1 * (b.0 - a.0) / (b.1 - a.1);
        let value = f(middle)?;
        if (middle - b.0).abs() <= 1e-11 * middle.abs() {
            return Some(middle);
        }
        if value * b.1 < 0.0 {
            a = b;
        } else {
            // The end that stays loses half its weight, else it would stay for ever.
            a.1 *= 0.5;
        }
        b = (middle, value);
    }
    Some(b.0)
}

/// Notes of several points, each once; of what a scheme does to their laws the one of the largest bias.
pub(super) fn notes<'a>(ladders: impl Iterator<Item = &'a Ladder>) -> Vec<String> {
    let ladders: Vec<&Ladder> = ladders.collect();
    let bias = |ladder: &Ladder| ladder.scheme_bias.as_ref().map_or(0.0, Bounds::largest);
    let largest = ladders.iter().map(|ladder| bias(ladder)).fold(0.0, f64::max);
    let mut notes: Vec<String> = Vec::new();
    for ladder in ladders {
        let is_told = |note: &&String| !note.starts_with(fastest::SCHEME) || bias(ladder) == largest;
        for note in ladder.notes.iter().filter(is_told) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ensembles that shared a seed would not be independent, whatever their errors say.
    #[test]
    fn every_point_has_a_seed_of_its_own() {
        let loaded = crate::scenario::resolve("proportional-scaling-bowl")[0].load(&[], None).unwrap();
        let setting = Setting::from_scenario(&loaded).unwrap();
        let mut seeds: Vec<u64> = (0..100).map(|index| plan(&setting, &loaded, index).seed).collect();
        seeds.push(loaded.scenario.seed);
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 101);
        assert_eq!(plan(&setting, &loaded, 3).steps, loaded.scenario.ensemble.steps);
    }

    #[test]
    fn zeros_are_found_where_there_are_any() {
        let root = zero_between(|x| Some(x * x - 2.0), 0.0, 2.0).unwrap();
        assert!((root - 2.0_f64.sqrt()).abs() < 1e-9, "{root}");
        let steep = zero_between(|x| Some(x.powi(9) - 1e-3), 0.0, 2.0).unwrap();
        assert!((steep - 1e-3_f64.powf(1.0 / 9.0)).abs() < 1e-9, "{steep}");
        assert_eq!(zero_between(|x| Some(x + 1.0), 0.0, 2.0), None);
        assert_eq!(zero_between(|_| None, 0.0, 2.0), None);
        assert_eq!(zero_between(Some, 0.0, 2.0), Some(0.0));
    }

    #[test]
    fn points_are_only_as_good_as_the_worst_of_them() {
        let good = Diagnostics { equilibrated: true, ess: Some(500.0), r_hat: Some(1.001), ..Diagnostics::default() };
        let bad = Diagnostics {
            ess: Some(7.0),
            r_hat: Some(1.2),
            reasons: vec!["frozen".into()],
            diverged: 2,
            ..Diagnostics::default()
        };
        let points = || [("n = 1", &good), ("n = 2", &bad)].into_iter();
        let all = together(points());
        assert_eq!((all.ess, all.r_hat, all.equilibrated, all.diverged), (Some(7.0), Some(1.2), false, 2));
        assert_eq!(all.reasons, ["at n = 2: frozen"]);
        let evidence = evidence(points());
        assert_eq!((evidence.not_equilibrated, evidence.diverged), (vec!["at n = 2: frozen".to_string()], 2));
    }
}
