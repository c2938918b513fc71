//! The gate: has the ensemble forgotten where it started? Without that no verdict but UNDETERMINED is honest.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::effective_sample_size::mean_effective_sample_size;
use super::error::StatisticsError;
use super::memory::{LARGEST_BIAS, StartMemory};
use super::r_hat::{nested_r_hat, rank_normalised_split_r_hat};
use super::series::{FEWEST_DRAWS, is_constant};
use super::start_contrast::{StartContrast, drift_contrast, start_contrast};

/// R̂, nested or ordinary, must lie below this.
pub const LARGEST_R_HAT: f64 = 1.01;
/// The ESS that every start group needs where no transitions are counted, and above which in every replica the ordinary R̂ gates too.
pub const SMALLEST_EFFECTIVE_SAMPLE_SIZE: f64 = 100.0;

/// One thing watched for equilibration: the indicator of a state, or any other observable a claim is about.
///
/// Pass those that the claims are about: a state so rare that it is visited only by chance (often "other") would bar
/// every verdict although no claim rests on it.
#[derive(Clone, Copy, Debug)]
pub struct Observable<'a> {
    /// Its name in messages, e.g. the label of the minimum.
    pub label: &'a str,
    /// Chains × block means: at most 256 chains and 1,000 blocks, so that memory stays bounded.
    pub series: &'a [Vec<f64>],
    /// The mean over the run of **all** replicas (for a state: its occupancies), for the start contrast.
    pub replica_means: &'a [f64],
}

/// What the start of the replicas was meant to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartDesign {
    /// Replicas were shared out over several start groups; with only one group nothing can be concluded.
    SeveralGroups,
    /// The same where transitions between the states are counted, whose number ([`super::transitions`]) takes the place of the ESS and
    /// of nested R̂. An ESS is large where sojourns in a rare state happened to be short: asking for one lets just those runs pass whose
    /// occupancies are off; and a bound on R̂ asks for as much precision, and bars every fourth run that began at rest and saw fifty transitions. Both are
    /// still reported, and no movement at all still is a reason. What is left of the start is told by the contrast between
    /// groups, at a level that is known, and by the rates of the transitions ([`super::memory`]).
    CountedGroups,
    /// There is only one region to be in (one minimum, a bowl) and one start group suffices: a drift between the halves
    /// of the run takes the place of nested R̂ and of the start contrast. Wrong for several minima: a frozen run shows no drift.
    OneRegion,
}

/// What [`Equilibration::assess`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct EquilibrationInput<'a> {
    /// The observables, at least one.
    pub observables: &'a [Observable<'a>],
    /// The names of the start groups.
    pub start_groups: &'a [String],
    /// The start group of each chain of the series.
    pub chain_groups: &'a [usize],
    /// The start group of each replica of the replica means.
    pub replica_groups: &'a [usize],
    /// One start group or several.
    pub design: StartDesign,
}

/// The effective sample size of the chains of one start group, at its worst observable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupEffectiveSampleSize {
    /// The start group.
    pub start_group: String,
    /// The observable with the smallest ESS.
    pub observable: String,
    /// ESS for the mean, summed over the chains of the group; 0 if the observable never changed in this group but did in others.
    pub effective_sample_size: f64,
}

/// The diagnostics of equilibration and what they say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Equilibration {
    /// Nested R̂ over the start groups, the largest over observables; `None` where it is infinite or undefined.
    pub nested_r_hat: Option<f64>,
    /// Ordinary rank-normalised split R̂, the largest over observables; `None` where it is infinite or undefined.
    pub r_hat: Option<f64>,
    /// True if every replica's own ESS is ≥ 100 for some observable, so that ordinary R̂ had to be below 1.01 for it.
    pub r_hat_gates: bool,
    /// The ESS of each start group.
    pub effective_sample_size: Vec<GroupEffectiveSampleSize>,
    /// The smallest of them.
    pub minimum_effective_sample_size: Option<f64>,
    /// The smallest ESS of a single replica.
    pub replica_effective_sample_size: Option<f64>,
    /// The largest contrast between start groups.
    pub start_contrast: Option<StartContrast>,
    /// What is left of the start by the run's own transition rates, where there are several minima.
    pub start_memory: Option<StartMemory>,
    /// Why the ensemble is not equilibrated, in sentences; empty if it is.
    pub reasons: Vec<String>,
    /// True if a reason is that the start is seen in what was measured, which is then off by more than its errors say: no interval for
    /// the stationary law follows from it. (A large R̂, or few transitions, speak of the errors alone.)
    #[serde(default)]
    pub remembers_start: bool,
}

impl Equilibration {
    /// Computes all diagnostics and gathers every reason against equilibration.
    ///
    /// Equilibrated: nested R̂ < 1.01 and ESS ≥ 100 in every start group (but for [`StartDesign::CountedGroups`]), the start contrast consistent with 0, and ordinary
    /// R̂ < 1.01 where every replica's own ESS is ≥ 100. An observable that is constant everywhere tells nothing and is passed
    /// over; if all are, nothing ever moved, and that is a reason. Errors are about the shapes of the input alone.
    pub fn assess(input: &EquilibrationInput<'_>) -> Result<Self, StatisticsError> {
        check_shapes(input)?;
        let mut result = Self::default();
        let groups = input.start_groups;
        if groups.len() < 2 && input.design != StartDesign::OneRegion {
            result.reasons.push(
                "all replicas started in the same place: whether they remember it cannot be seen; \
                 share the starts out over the minima"
                    .into(),
            );
        }
        let constant =
            |observable: &Observable<'_>| is_constant(observable.series) && is_constant(&[observable.replica_means]);
        let moving: Vec<&Observable<'_>> = input.observables.iter().filter(|o| !constant(o)).collect();
        if moving.is_empty() {
            result.reasons.push("nothing changed in any replica during the whole run: no transition was seen".into());
            return Ok(result);
        }
        for observable in &moving {
            result.add_observable(observable, input);
        }
        result.minimum_effective_sample_size =
            result.effective_sample_size.iter().map(|group| group.effective_sample_size).reduce(f64::min);
        for group in &result.effective_sample_size {
            if group.effective_sample_size == 0.0 || input.design != StartDesign::CountedGroups {
                result.reasons.extend(effective_sample_size_reason(group));
            }
        }
        result.add_start_contrast(&moving, input);
        // Results hold finite numbers only; the sentence in `reasons` tells of an infinite R̂.
        result.nested_r_hat = result.nested_r_hat.filter(|value| value.is_finite());
        result.r_hat = result.r_hat.filter(|value| value.is_finite());
        Ok(result)
    }

    /// Takes into account what the run's own transition rates say of its memory; `burn_in` is what it had, in steps.
    pub fn with_memory(mut self, memory: Option<StartMemory>, burn_in: f64, name: impl Fn(usize) -> String) -> Self {
        if let Some(memory) = memory.as_ref().filter(|memory| !memory.is_negligible()) {
            let reason = memory_reason(memory, burn_in, name);
            self.add_start_reasons([reason]);
        }
        Self { start_memory: memory, ..self }
    }

    /// Adds reasons each of which is that the start is seen in what was measured.
    pub fn add_start_reasons(&mut self, reasons: impl IntoIterator<Item = String>) {
        let before = self.reasons.len();
        self.reasons.extend(reasons);
        self.remembers_start |= self.reasons.len() > before;
    }

    /// Takes into account that too few transitions were seen, for the reason given: first of all reasons if the others come of it,
    /// last if nothing moved at all, which they tell better.
    pub fn with_too_few(mut self, reason: Option<String>) -> Self {
        let place =
            if self.minimum_effective_sample_size.is_some_and(|size| size > 0.0) { 0 } else { self.reasons.len() };
        if let Some(reason) = reason {
            self.reasons.insert(place, reason);
        }
        self
    }

    /// True if no diagnostic speaks against equilibration.
    pub fn is_equilibrated(&self) -> bool {
        self.reasons.is_empty()
    }

    /// R̂ and ESS of one observable that varies.
    fn add_observable(&mut self, observable: &Observable<'_>, input: &EquilibrationInput<'_>) {
        let (label, series) = (observable.label, observable.series);
        let groups = input.start_groups;
        if groups.len() > 1 {
            let nested = nested_r_hat(series, input.chain_groups);
            let where_from = format!("of {label} over the {} start groups", groups.len());
            // Where transitions are counted these tell how well occupancies are known; a bound on R̂ would bar, and select, runs at rest.
            let gates = input.design != StartDesign::CountedGroups || !nested.is_some_and(f64::is_finite);
            self.reasons.extend(r_hat_reason("nested R̂", nested, &where_from).filter(|_| gates));
            self.nested_r_hat = larger(self.nested_r_hat, nested);
        }

        let own: Vec<f64> =
            series.par_iter().map(|chain| own_effective_sample_size(std::slice::from_ref(chain))).collect();
        let smallest = own.iter().copied().fold(f64::INFINITY, f64::min);
        self.replica_effective_sample_size =
            Some(self.replica_effective_sample_size.map_or(smallest, |so_far| so_far.min(smallest)));
        if series.len() > 1 {
            let ordinary = rank_normalised_split_r_hat(series);
            self.r_hat = larger(self.r_hat, ordinary);
            if smallest >= SMALLEST_EFFECTIVE_SAMPLE_SIZE {
                self.r_hat_gates = true;
                let where_from = format!("of {label} over {} replicas of ESS 100 or more each", series.len());
                self.reasons.extend(r_hat_reason("R̂", ordinary, &where_from));
            }
        }

        let found: Vec<GroupEffectiveSampleSize> = groups
            .par_iter()
            .enumerate()
            .map(|(index, group)| {
                let members = series.iter().zip(input.chain_groups).filter(|(_, g)| **g == index);
                let chains: Vec<&[f64]> = members.map(|(chain, _)| chain.as_slice()).collect();
                GroupEffectiveSampleSize {
                    start_group: group.clone(),
                    observable: label.to_string(),
                    effective_sample_size: own_effective_sample_size(&chains),
                }
            })
            .collect();
        for found in found {
            match self.effective_sample_size.iter_mut().find(|entry| entry.start_group == found.start_group) {
                Some(entry) if found.effective_sample_size < entry.effective_sample_size => *entry = found,
                Some(_) => {}
                None => self.effective_sample_size.push(found),
            }
        }
    }

    /// The start contrast, or the drift where one start group is by design.
    fn add_start_contrast(&mut self, moving: &[&Observable<'_>], input: &EquilibrationInput<'_>) {
        let outcome = if input.start_groups.len() > 1 {
            let means: Vec<_> = moving.iter().map(|o| (o.label, o.replica_means)).collect();
            start_contrast(&means, input.start_groups, input.replica_groups)
        } else if input.design == StartDesign::OneRegion {
            let series: Vec<_> = moving.iter().map(|o| (o.label, o.series)).collect();
            drift_contrast(&series)
        } else {
            return;
        };
        match outcome {
            Err(error) => self.reasons.push(error.to_string()),
            Ok(contrast) => {
                self.add_start_reasons(contrast.as_ref().and_then(start_contrast_reason));
                self.start_contrast = contrast;
            }
        }
    }
}

/// ESS for the mean, with 0 for a series that never changed: no evidence of movement is no evidence.
fn own_effective_sample_size<C: AsRef<[f64]>>(chains: &[C]) -> f64 {
    if is_constant(chains) { 0.0 } else { mean_effective_sample_size(chains).unwrap_or(0.0) }
}

/// The larger of two R̂, infinite ones included.
fn larger(so_far: Option<f64>, found: Option<f64>) -> Option<f64> {
    match (so_far, found) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (one, other) => one.or(other),
    }
}

fn r_hat_reason(name: &str, value: Option<f64>, where_from: &str) -> Option<String> {
    match value {
        Some(value) if value < LARGEST_R_HAT => None,
        Some(value) if value.is_finite() => {
            // R̂² − 1 is a variance over replicas of time averages: it falls as 1/steps at the slowest.
            let factor = (value * value - 1.0) / (LARGEST_R_HAT * LARGEST_R_HAT - 1.0);
            Some(format!(
                "{name} = {value:.4} {where_from} is not below {LARGEST_R_HAT}: replicas still remember where \
                 they started, or are too short to show that they do not; {}",
                more_steps(factor)
            ))
        }
        Some(_) => Some(format!(
            "{name} {where_from} is infinite: no replica ever left the state it started in, and they started in different \
             ones; lower the barrier, raise the temperature, or run much longer"
        )),
        None => Some(format!("{name} {where_from} is undefined: the recorded series are constant")),
    }
}

fn effective_sample_size_reason(group: &GroupEffectiveSampleSize) -> Option<String> {
    let GroupEffectiveSampleSize { start_group, observable, effective_sample_size } = group;
    if *effective_sample_size >= SMALLEST_EFFECTIVE_SAMPLE_SIZE {
        return None;
    }
    if *effective_sample_size == 0.0 {
        return Some(format!(
            "{observable} never changed in the replicas that started in {start_group}, though it differs elsewhere: \
             no transition was seen from there"
        ));
    }
    Some(format!(
        "the effective sample size of {observable} from start group {start_group} is {effective_sample_size:.1}, \
         below {SMALLEST_EFFECTIVE_SAMPLE_SIZE}; {}",
        more_steps(SMALLEST_EFFECTIVE_SAMPLE_SIZE / effective_sample_size)
    ))
}

fn start_contrast_reason(contrast: &StartContrast) -> Option<String> {
    if contrast.is_consistent_with_zero() {
        return None;
    }
    let StartContrast { observable, group, against, difference, threshold, .. } = contrast;
    let head = format!("the mean of {observable} in {group} differs from that in {against} by {:.4}", difference.value);
    Some(match contrast.t {
        // The memory of the start falls as 1/steps, its standard error as 1/√steps: their ratio as 1/√steps.
        Some(t) => format!(
            "{head} ± {:.4}, {t:.1} standard errors where {threshold:.1} are allowed: \
             replicas still remember where they started; {}",
            difference.standard_error,
            more_steps((t / threshold) * (t / threshold))
        ),
        None => format!("{head} without any spread within the groups: no replica ever left where it started"),
    })
}

fn memory_reason(memory: &StartMemory, burn_in: f64, name: impl Fn(usize) -> String) -> String {
    let [a, b] = memory.states.map(name);
    let Some(bias) = memory.bias else {
        return format!(
            "not all of {a} and {b} were entered from elsewhere, so by the run's own transition rates it keeps the shares it \
             started with; lower the barrier, raise the temperature, or run much longer"
        );
    };
    let advice = memory.burn_in_wanted(burn_in).map_or_else(String::new, |wanted| {
        // Two digits, upwards: it comes from counts.
        let wanted = wanted.ceil() as u64;
        let unit = 10u64.pow(wanted.max(1).ilog10().saturating_sub(1));
        let wanted = wanted.div_ceil(unit) * unit;
        // An ensemble of several may count in smaller steps than the scenario.
        let times = if burn_in > 0.0 {
            format!(", {:.1} times the present one,", wanted as f64 / burn_in)
        } else {
            String::new()
        };
        format!("; a burn-in of {wanted} steps{times} would do")
    });
    format!(
        "replicas still remember where they started: by the run's own transition rates ln(p_{a}/p_{b}) is off by {bias:.3}, \
         {:.1} standard errors, and by up to {:.1} within the errors of these rates, where {LARGEST_BIAS} are allowed{advice}",
        memory.size(),
        memory.largest()
    )
}

/// "about N× as many steps are needed", rounded up to something a person would say.
fn more_steps(factor: f64) -> String {
    if factor > 1000.0 {
        return "more than 1000× as many steps are needed: make the barrier lower or the temperature higher instead"
            .into();
    }
    format!("about {}× as many steps (or a burn-in as long) are needed", factor.ceil().max(2.0))
}

fn check_shapes(input: &EquilibrationInput<'_>) -> Result<(), StatisticsError> {
    let shape = |what: String, found: usize, expected: usize| {
        if found == expected { Ok(()) } else { Err(StatisticsError::Shape { what, found, expected }) }
    };
    let Some(first) = input.observables.first() else {
        return Err(StatisticsError::Undefined("no observable was given to judge equilibration by".into()));
    };
    let blocks = first.series.first().map_or(0, Vec::len);
    if blocks < FEWEST_DRAWS {
        let message = format!("the recorded series have {blocks} block(s); at least {FEWEST_DRAWS} are needed");
        return Err(StatisticsError::Undefined(message));
    }
    for observable in input.observables {
        let label = observable.label;
        shape(format!("recorded chains of {label}"), observable.series.len(), input.chain_groups.len())?;
        shape(format!("replica means of {label}"), observable.replica_means.len(), input.replica_groups.len())?;
        for chain in observable.series {
            shape(format!("blocks of a chain of {label}"), chain.len(), blocks)?;
        }
        let values = observable.series.iter().flatten().chain(observable.replica_means);
        if let Some(&value) = values.into_iter().find(|value| !value.is_finite()) {
            let what = format!("a value of {label}");
            return Err(StatisticsError::Value { what, value, allowed: "only finite values can be averaged" });
        }
    }
    for (index, group) in input.start_groups.iter().enumerate() {
        if !input.chain_groups.contains(&index) {
            return Err(StatisticsError::Undefined(format!("no recorded chain started in group {group}")));
        }
    }
    let unknown = input.chain_groups.iter().chain(input.replica_groups).find(|&&g| g >= input.start_groups.len());
    match unknown {
        Some(group) => Err(StatisticsError::Undefined(format!(
            "start group number {group} is used, but only {} are named",
            input.start_groups.len()
        ))),
        None => Ok(()),
    }
}
