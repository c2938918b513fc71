//! One claim: measured against predicted, within a tolerance, and the three-way verdict.
//!
//! "Not significantly different" is never HOLDS: equivalence needs a margin, and enough data to fit an interval inside it.

use super::effort::margin_in_standard_errors;
use super::equilibration::Equilibration;
use super::estimate::Estimate;
pub use super::looks::{HOLDS_LEVEL, REJECTED_LEVEL};
use super::looks::{HOLM_LEVEL, Look, percent};
use super::special::{normal_cdf, normal_quantile};
use crate::plain::decimals;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An effort larger than this many times the present one is reported as out of reach.
pub const LARGEST_EFFORT_FACTOR: f64 = 1000.0;
/// The power at which the effort that would settle a claim is computed.
const POWER: f64 = 0.90;

/// The three possible answers. In JSON and for [`FromStr`] in lower case, displayed in capitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Shown to be true within the tolerance.
    Holds,
    /// Shown to be false by more than the tolerance.
    Rejected,
    /// Neither could be shown.
    Undetermined,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Holds => "HOLDS",
            Self::Rejected => "REJECTED",
            Self::Undetermined => "UNDETERMINED",
        })
    }
}

impl FromStr for Verdict {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "holds" => Ok(Self::Holds),
            "rejected" => Ok(Self::Rejected),
            "undetermined" => Ok(Self::Undetermined),
            other => Err(format!("\"{other}\" is no verdict: expected holds, rejected or undetermined")),
        }
    }
}

/// One number of a claim: a prediction beside its measurement, e.g. ln(p_B/p_A).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// What it is, for messages and reports.
    pub label: String,
    /// The prediction.
    pub predicted: f64,
    /// The prediction's own standard error (0 for a computed one), taken as known.
    pub predicted_standard_error: f64,
    /// By how much the prediction may be off beside that, the same in every run (0 for an exact one): no run averages it away, so
    /// every interval of the difference is wider by it on either side.
    #[serde(default)]
    pub predicted_bound: f64,
    /// The measurement; `None` where there is no estimate (a state never visited, too few replicas).
    pub measured: Option<Estimate>,
}

/// What stands behind the measurements of a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Why the ensemble is not equilibrated; empty if it is, or if the claim is not about equilibrium.
    pub not_equilibrated: Vec<String>,
    /// Whether the start is seen in what was measured ([`Equilibration::remembers_start`]): then no interval is given.
    pub remembers_start: bool,
    /// The number of replicas that diverged.
    pub diverged: usize,
    /// Which look at the run this is: later ones are judged more strictly.
    pub look: Look,
}

impl Evidence {
    /// Measurements at equilibrium: the gate's reasons count, and so do diverged replicas.
    pub fn at_equilibrium(equilibration: &Equilibration, diverged: usize) -> Self {
        let Equilibration { reasons, remembers_start, .. } = equilibration;
        Self { not_equilibrated: reasons.clone(), remembers_start: *remembers_start, diverged, look: Look::FIRST }
    }

    /// Measurements that need no equilibrium: at a fixed time, or passage times.
    pub fn without_equilibrium(diverged: usize) -> Self {
        Self { diverged, ..Self::default() }
    }

    /// The same at another look.
    #[must_use]
    pub fn at_look(self, look: Look) -> Self {
        Self { look, ..self }
    }
}

/// One contrast with what followed from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgedContrast {
    /// The contrast.
    pub contrast: Contrast,
    /// measured − predicted with the errors of both.
    pub difference: Option<Estimate>,
    /// The 90 % interval (at the first look) of the difference that must lie inside ±ε for HOLDS, the prediction's bound added on
    /// either side.
    pub holds_interval: Option<[f64; 2]>,
    /// The interval of the difference (95 %, Bonferroni over contrasts) that must lie outside ±ε for REJECTED, the bound added too.
    pub rejected_interval: Option<[f64; 2]>,
}

/// By which factor replicas × steps (or transitions) must grow to settle a claim with 90 % probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffortToSettle {
    /// If the true differences are those measured. `None` if one is too near ±ε, or the prediction's own error too large,
    /// for any effort of reason (1,000 times the present one).
    pub if_as_measured: Option<f64>,
    /// If the predictions are exactly true: the least effort worth trying. `None` as above.
    pub if_exactly_true: Option<f64>,
}

/// The verdict on one claim, with all that led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in one or a few sentences.
    pub reason: String,
    /// ε.
    pub tolerance: f64,
    /// Which look at the run it is of.
    pub look: Look,
    /// The contrasts in the order given.
    pub contrasts: Vec<JudgedContrast>,
    /// p-value against "all |differences| ≤ ε", of both tails ([`Estimate::p_value_beyond`]): smallest over contrasts, times their
    /// number (Bonferroni), at most 1. Where an interval lies outside ±ε it is at most the level of that. `None` where the claim may
    /// not be rejected (no estimate, not equilibrated). Goes into [`super::holm`].
    pub rejection_p_value: Option<f64>,
    /// What would settle an UNDETERMINED that is for want of data alone.
    pub effort: Option<EffortToSettle>,
}

/// Judges a claim with tolerance ε > 0, fixed before the run. The levels named here are those of the first look; for later
/// ones see [`super::looks`].
///
/// HOLDS if every contrast's 90 % interval of measured − predicted lies inside ±ε; REJECTED if the 95 % interval of some
/// contrast, Bonferroni-corrected over contrasts, lies wholly outside; else UNDETERMINED. Always UNDETERMINED: without
/// equilibrium, with a contrast that has no estimate or no spread, without contrasts, with a tolerance that is not positive. A diverged
/// replica bars HOLDS.
///
/// At a true difference of ±ε the probability of REJECTED is at most 5 %, whatever the error: 2.5 % where ε is several standard
/// errors, and up to 5 % where it is small beside one, for then either end of the interval may pass ±ε by chance.
pub fn judge(contrasts: &[Contrast], tolerance: f64, evidence: &Evidence) -> Judgement {
    let look = evidence.look;
    let corrected = look.corrected_level(contrasts.len());
    let differences: Vec<Option<Estimate>> = contrasts.iter().map(Contrast::difference).collect();
    let judged = contrasts.iter().zip(&differences).map(|(contrast, difference)| JudgedContrast {
        contrast: contrast.clone(),
        holds_interval: difference.as_ref().and_then(|d| contrast.widened(d.interval(look.holds_level())?)),
        rejected_interval: difference.as_ref().and_then(|d| contrast.widened(d.interval(corrected)?)),
        difference: difference.clone(),
    });
    let p_value =
        |place: usize| Some(differences[place].as_ref()?.p_value_beyond(tolerance + contrasts[place].predicted_bound));
    conclude(judged.collect(), &p_value, tolerance, evidence)
}

/// The judgement on contrasts that have their intervals: [`judge`] for intervals of any kind. `p_value` is that of the contrast at a
/// place against "within ±ε", and asked for where nothing bars a verdict.
pub(super) fn conclude(
    contrasts: Vec<JudgedContrast>,
    p_value: &dyn Fn(usize) -> Option<f64>,
    tolerance: f64,
    evidence: &Evidence,
) -> Judgement {
    let mut judgement = Judgement {
        verdict: Verdict::Undetermined,
        reason: String::new(),
        tolerance,
        look: evidence.look,
        contrasts,
        rejection_p_value: None,
        effort: None,
    };
    let bars = bars_to_any_verdict(&judgement, evidence);
    if bars.is_empty() {
        // Bonferroni.
        let smallest = (0..judgement.contrasts.len()).filter_map(p_value).reduce(f64::min);
        judgement.rejection_p_value = smallest.map(|p| (p * judgement.contrasts.len() as f64).min(1.0));
        judgement.decide(evidence.diverged);
    } else {
        judgement.reason = bars.join("; ");
    }
    judgement.finish(evidence);
    judgement
}

impl Contrast {
    /// measured − predicted; `None` without an estimate or if a number is not finite.
    fn difference(&self) -> Option<Estimate> {
        let measured = self.measured.as_ref()?;
        let difference = measured.minus(&Estimate::with_known_error(self.predicted, self.predicted_standard_error));
        (difference.is_finite() && self.predicted_standard_error >= 0.0).then_some(difference)
    }

    /// An interval of the difference, for a prediction that is off by anything up to its bound; `None` where that is no number.
    fn widened(&self, [lower, upper]: [f64; 2]) -> Option<[f64; 2]> {
        let bound = self.predicted_bound;
        (bound >= 0.0 && bound.is_finite()).then_some([lower - bound, upper + bound])
    }
}

/// Everything that forbids both HOLDS and REJECTED.
pub(super) fn bars_to_any_verdict(judgement: &Judgement, evidence: &Evidence) -> Vec<String> {
    let mut bars = Vec::new();
    if !(judgement.tolerance > 0.0 && judgement.tolerance.is_finite()) {
        bars.push(format!("the tolerance is {}, it must be positive", judgement.tolerance));
    }
    if judgement.contrasts.is_empty() {
        bars.push("nothing was compared".into());
    }
    for JudgedContrast { contrast, difference, rejected_interval, .. } in &judgement.contrasts {
        let label = &contrast.label;
        match (&contrast.measured, difference) {
            (None, _) => bars.push(format!(
                "{label} has no estimate: a state was never visited, or what was seen was too little or in too few replicas"
            )),
            (Some(measured), Some(_)) if measured.has_no_spread() => {
                bars.push(format!("{label} is the same in all replicas, so its error is unknown; give more replicas, or more of what it is counted over"));
            }
            (Some(_), Some(_)) if rejected_interval.is_some() => {}
            _ => bars.push(format!("{label} is not a finite number with an error bar")),
        }
    }
    if !evidence.not_equilibrated.is_empty() {
        // The first reason is enough here: all of them stand with the diagnostics.
        let more = match evidence.not_equilibrated.len() {
            1 => String::new(),
            reasons => format!(" (and {} more)", reasons - 1),
        };
        bars.push(format!("not equilibrated: {}{more}", evidence.not_equilibrated[0]));
        // First, since it is often why there is no estimate.
        bars.rotate_right(1);
    }
    bars
}

impl Judgement {
    /// What every judgement ends with: diverged replicas are told, and intervals that a remembered start makes void are taken away.
    pub(super) fn finish(&mut self, evidence: &Evidence) {
        if evidence.diverged > 0 {
            self.reason.push_str(&format!("; {} replica(s) diverged", evidence.diverged));
        }
        if evidence.remembers_start {
            for judged in &mut self.contrasts {
                (judged.holds_interval, judged.rejected_interval) = (None, None);
            }
        }
    }

    /// The verdict where nothing bars one: every contrast has a difference and its intervals.
    fn decide(&mut self, diverged: usize) {
        let tolerance = self.tolerance;
        let inside = |interval: &Option<[f64; 2]>| {
            interval.is_some_and(|[lower, upper]| lower > -tolerance && upper < tolerance)
        };
        let outside = |interval: &Option<[f64; 2]>| {
            interval.is_some_and(|[lower, upper]| lower > tolerance || upper < -tolerance)
        };
        let rejecting = self.farthest(|judged| outside(&judged.rejected_interval)).map(|place| &self.contrasts[place]);
        let failing = self.farthest(|judged| !inside(&judged.holds_interval)).map(|place| &self.contrasts[place]);
        (self.verdict, self.reason) = if let Some(judged) = rejecting {
            let sentence = judged.sentence(&judged.rejected_interval, self.look.rejected_level());
            (Verdict::Rejected, format!("{sentence}, wholly outside ±{tolerance}"))
        } else if let Some(judged) = failing {
            let sentence = judged.sentence(&judged.holds_interval, self.look.holds_level());
            self.effort = Some(self.effort_to_settle(1));
            (Verdict::Undetermined, format!("{sentence}, not inside ±{tolerance}; {}", self.effort_sentence()))
        } else if diverged > 0 {
            (
                Verdict::Undetermined,
                format!("the intervals lie inside ±{tolerance}, but averages over survivors are biased"),
            )
        } else {
            let widest = self.contrasts.iter().filter_map(|judged| judged.holds_interval);
            let reach = decimals(widest.map(|[lower, upper]| lower.abs().max(upper.abs())).fold(0.0, f64::max), 4);
            (
                Verdict::Holds,
                format!(
                    "every {} % interval of measured − predicted lies within ±{reach}, inside ±{tolerance}",
                    percent(self.look.holds_level())
                ),
            )
        };
    }

    /// The place of the contrast that a reader should look at first: one without an estimate, else the one farthest from agreement in
    /// standard errors.
    pub fn deciding_contrast(&self) -> usize {
        self.farthest(|_| true).unwrap_or(0)
    }

    /// The same among the contrasts of some kind.
    fn farthest(&self, of_kind: impl Fn(&JudgedContrast) -> bool) -> Option<usize> {
        let candidates = (0..self.contrasts.len()).filter(|&place| of_kind(&self.contrasts[place]));
        let distance = |place: usize| self.contrasts[place].distance(self.tolerance);
        candidates.max_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(b.cmp(&a)))
    }

    /// Takes a HOLDS back for a reason that the numbers of the contrasts do not show, such as an extrapolation.
    pub fn bar_holding(&mut self, why: &str) {
        if self.verdict == Verdict::Holds {
            self.verdict = Verdict::Undetermined;
            self.reason = format!("{why}; without that: {}", self.reason);
        }
    }

    /// Takes HOLDS and REJECTED back alike, for a reason that the numbers of the contrasts do not show, such as replicas that have none.
    pub fn bar_any_verdict(&mut self, why: &str) {
        self.reason = format!("{why}; without that: {}", self.reason);
        (self.verdict, self.rejection_p_value, self.effort) = (Verdict::Undetermined, None, None);
    }

    /// Takes a rejection back that did not survive Holm's correction over `primary_claims` claims.
    pub(super) fn withdraw_rejection(&mut self, primary_claims: usize) {
        self.verdict = Verdict::Undetermined;
        self.effort = Some(self.effort_to_settle(primary_claims));
        let effort = self.effort_sentence();
        self.reason = format!(
            "{}; but this rejection does not survive Holm's correction over {primary_claims} primary claims; {effort}",
            self.reason
        );
    }

    /// The factor on the effort that settles the claim, from the present errors. A contrast whose difference is within ±ε
    /// must get its 90 % interval inside (with the prediction's bound, which no run makes smaller), one beyond must get its corrected
    /// interval outside, at 90 % power; one rejection is enough, holding needs all.
    fn effort_to_settle(&self, primary_claims: usize) -> EffortToSettle {
        let differences = || self.contrasts.iter().filter(|judged| judged.difference.is_some());
        let comparisons = [self.contrasts.len(), primary_claims].map(|count| count.max(1));
        let to_reject = differences().filter_map(|judged| {
            let widened = self.tolerance + judged.contrast.predicted_bound;
            let quantile = rejection_quantile(judged.difference.as_ref()?.value, widened, comparisons);
            judged.factor(|d, e| d.abs() - e, widened, quantile)
        });
        let hold = margin_in_standard_errors();
        let to_hold = |at: fn(f64) -> f64| {
            differences()
                .map(|judged| {
                    judged.factor(|d, e| e - at(d).abs(), self.tolerance - judged.contrast.predicted_bound, hold)
                })
                .try_fold(1.0_f64, |largest, factor| factor.map(|f| largest.max(f)))
        };
        EffortToSettle {
            if_as_measured: to_reject.reduce(f64::min).or_else(|| to_hold(|d| d)),
            if_exactly_true: to_hold(|_| 0.0),
        }
    }

    pub(super) fn effort_sentence(&self) -> String {
        let grow = |factor: f64| format!("about {:.1}× as many replicas × steps", factor);
        match self.effort.as_ref().map(|effort| (effort.if_as_measured, effort.if_exactly_true)) {
            Some((Some(measured), _)) => format!("{} would settle it if the difference is as measured", grow(measured)),
            Some((None, Some(least))) => {
                format!(
                    "the difference measured is too near the tolerance to plan by; \
                 {} would settle it if the prediction is exactly true",
                    grow(least)
                )
            }
            _ => "no effort of reason would settle it: the error bars (or the prediction's own) are too large \
                 for this tolerance"
                .into(),
        }
    }
}

/// How many standard errors beyond ±ε a true difference must lie to be rejected with 90 % probability, among so many contrasts of
/// so many claims: the interval must lie outside, and p ≤ α with both its tails, Φ̄(c) + Φ̄(c + 2ε/SE).
fn rejection_quantile(difference: f64, tolerance: f64, [contrasts, claims]: [usize; 2]) -> f64 {
    let [of_interval, of_holm] =
        [1.0 - REJECTED_LEVEL, HOLM_LEVEL / claims as f64].map(|level| level / contrasts as f64);
    let power = normal_quantile(POWER);
    let both = |c: f64| {
        let errors_across = 2.0 * tolerance * (c + power) / (difference.abs() - tolerance);
        normal_cdf(-c) + normal_cdf(-c - errors_across)
    };
    let [mut low, mut high] = [of_holm, 0.5 * of_holm].map(|tail| -normal_quantile(tail));
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        *(if both(middle) > of_holm { &mut low } else { &mut high }) = middle;
    }
    power + high.max(-normal_quantile(0.5 * of_interval))
}

impl JudgedContrast {
    /// By how many standard errors the difference lies beyond ±ε, negative inside; ∞ without an estimate.
    pub(crate) fn distance(&self, tolerance: f64) -> f64 {
        let difference = self.difference.as_ref();
        difference.map_or(f64::INFINITY, |d| (d.value.abs() - tolerance) / d.standard_error)
    }

    /// (SE_measured/SE_wanted)² with SE_wanted = margin/quantile, the prediction's error, which no run makes smaller, taken out.
    /// `None` if the margin(difference, tolerance) is not positive or the factor beyond reason.
    fn factor(&self, margin: impl Fn(f64, f64) -> f64, tolerance: f64, quantile: f64) -> Option<f64> {
        let (difference, measured) = (self.difference.as_ref()?, self.contrast.measured.as_ref()?);
        let wanted = margin(difference.value, tolerance) / quantile;
        let own = self.contrast.predicted_standard_error;
        let allowed = wanted * wanted - own * own;
        let factor = measured.standard_error * measured.standard_error / allowed;
        (wanted > 0.0 && allowed > 0.0 && factor <= LARGEST_EFFORT_FACTOR).then_some(factor.max(1.0))
    }

    fn sentence(&self, interval: &Option<[f64; 2]>, level: f64) -> String {
        let [lower, upper] = interval.unwrap_or([f64::NAN; 2]).map(|end| decimals(end, 4));
        let value = decimals(self.difference.as_ref().map_or(f64::NAN, |difference| difference.value), 4);
        let bound = match self.contrast.predicted_bound {
            0.0 => String::new(),
            bound => format!(", in which the prediction may be off by {}", decimals(bound, 4)),
        };
        format!(
            "{}: measured − predicted = {value}, {} % interval [{lower}, {upper}]{bound}",
            self.contrast.label,
            percent(level)
        )
    }
}
