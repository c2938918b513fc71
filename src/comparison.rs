//! Two results side by side: which settings differ, by how much the measurements do, and how well that is known.
//!
//! Reads findings only. A difference B − A of two independent runs has the standard error √(SE_A² + SE_B²), and its interval
//! Welch's degrees of freedom. Two runs of one seed are driven by the same random numbers, replica by replica, whatever
//! else differs: then they are not independent, which is said, and nothing is concluded.

use serde::Serialize;
use serde_json::Value;

use crate::findings::{ClaimRecord, ContrastRecord, Findings, GroupRecord, MeasureRecord, MinimumRecord};
use crate::scenario::Scenario;
use crate::statistics::{Contrast, Estimate, Evidence, Look, Verdict, judge};

/// Confidence of the intervals of differences.
const LEVEL: f64 = 0.95;
/// Minima of one name that lie farther apart than this, relative to their size, are told to be others.
const SAME_PLACE: f64 = 1e-6;
/// What names a result rather than determines it.
const NAMES: [&str; 3] = ["name", "title", "question"];

/// Two results side by side. "A" and "B" are the two results; minima keep their letters within quantities.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The first result.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// Settings that differ.
    pub settings: Vec<DifferingSetting>,
    /// Whether the two share no random numbers, so that errors of differences are valid.
    pub independent: bool,
    /// What a reader must know of the differences.
    pub warnings: Vec<String>,
    /// Measured occupancies, `p_A` and so on.
    pub occupancies: Vec<Difference>,
    /// Measured quantities of the claims.
    pub contrasts: Vec<Difference>,
    /// What is measured in the first only.
    pub only_in_a: Vec<String>,
    /// What is measured in the second only.
    pub only_in_b: Vec<String>,
    /// Contrasts of claims of both that at least one of them could not measure.
    pub unmeasured: Vec<String>,
    /// ε of the verdicts on the contrasts; null where none was asked for.
    pub tolerance: Option<f64>,
}

/// Why two results cannot be set side by side: a study has a measurement at every point, and what its summary shows of a claim are
/// the numbers of its own worst point, which need not be the other's.
///
/// # Errors
/// Where one of the two is a study, with the runs that can be compared.
pub fn require_single_runs(a: &Findings, b: &Findings) -> Result<(), String> {
    let sides = [("A", a), ("B", b)];
    let studies: Vec<(&str, &Findings, u64)> = sides
        .into_iter()
        .filter_map(|(side, findings)| findings.study.as_ref().map(|study| (side, findings, study.points)))
        .collect();
    if studies.is_empty() {
        return Ok(());
    }
    let told = |(side, findings, points): &(&str, &Findings, u64)| {
        format!("{side}, {}, is a study of {points} points", findings.scenario.name)
    };
    let runs = studies.iter().map(|(_, findings, points)| {
        let name = &findings.scenario.name;
        format!("`sgd-sde run {name}.toml --point N` (N from 0 to {}) writes {name}-point-N", points.saturating_sub(1))
    });
    Err(format!(
        "{}: what a study shows of a claim are the numbers of the point farthest from agreement, and their difference to anything else \
         means nothing. Compare results of single points, with the same numbers: {}",
        studies.iter().map(told).collect::<Vec<_>>().join("; "),
        runs.collect::<Vec<_>>().join(", ")
    ))
}

/// One of the results.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// Name of its scenario.
    pub name: String,
    /// Its seed.
    pub seed: u64,
    /// Its own verdict.
    pub verdict: Option<Verdict>,
    /// How many looks it took.
    pub looks: Look,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DifferingSetting {
    /// Its key, e.g. `sgd.learning_rate`.
    pub key: String,
    /// Its value in the first; null where it has none.
    pub a: Value,
    /// In the second.
    pub b: Value,
}

/// One measured quantity in both.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// What is compared, e.g. `ln(p_A/p_B)`.
    pub quantity: String,
    /// Ids of the claims that it stands in; empty for occupancies.
    pub claims: Vec<String>,
    /// In the first result.
    pub a: Measured,
    /// In the second.
    pub b: Measured,
    /// B − A.
    pub difference: f64,
    /// Of the difference, √(SE_A² + SE_B²); valid only if the two are independent.
    pub standard_error: f64,
    /// The 95 % interval of the difference; valid only if the two are independent.
    pub interval: Option<[f64; 2]>,
    /// Whether the difference is within the tolerance; null where none was asked for.
    pub verdict: Option<Verdict>,
    /// Why.
    pub reason: Option<String>,
}

/// A measured value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The value.
    pub value: f64,
    /// Its standard error; for a claim's contrast that of measured − predicted, which has the prediction's own error in it
    /// where it has one.
    pub standard_error: f64,
}

impl Comparison {
    /// Sets two results side by side; with a tolerance ε each difference of the claims' contrasts is judged by the usual
    /// three-way rule.
    pub fn of(a: &Findings, b: &Findings, tolerance: Option<f64>) -> Self {
        let independent = a.scenario.seed != b.scenario.seed;
        let mut comparison = Self {
            a: Side::of(a),
            b: Side::of(b),
            settings: differing_settings(&a.scenario, &b.scenario),
            independent,
            warnings: warnings(a, b),
            occupancies: Vec::new(),
            contrasts: Vec::new(),
            only_in_a: Vec::new(),
            only_in_b: Vec::new(),
            unmeasured: unmeasured(a, b),
            tolerance,
        };
        let freedom = [degrees_of_freedom(a), degrees_of_freedom(b)];
        let evidence = evidence(a, b);
        let started = evidence.remembers_start;
        comparison.occupancies = comparison.matched(occupancies(a), occupancies(b), freedom, started);
        comparison.contrasts = comparison.matched(contrasts(a), contrasts(b), freedom, started);
        if let Some(tolerance) = tolerance {
            let selection = selections("A", a).into_iter().chain(selections("B", b)).next();
            for difference in &mut comparison.contrasts {
                if independent {
                    difference.judge(freedom, tolerance, &evidence, selection.as_deref());
                } else {
                    difference.verdict = Some(Verdict::Undetermined);
                    difference.reason = Some("the two share their random numbers: the error is not known".into());
                }
            }
        }
        comparison
    }

    /// True if every contrast that both results have was judged to be within the tolerance; one that either could not measure was not.
    pub fn all_hold(&self) -> bool {
        self.unmeasured.is_empty() && self.contrasts.iter().all(|difference| difference.verdict == Some(Verdict::Holds))
    }

    /// Differences of what both have; without intervals where one of the two still remembers its start.
    fn matched(
        &mut self,
        a: Vec<Quantity>,
        mut b: Vec<Quantity>,
        freedom: [f64; 2],
        remembers_start: bool,
    ) -> Vec<Difference> {
        let mut differences = Vec::new();
        for first in a {
            match b.iter().position(|second| second.is_like(&first)) {
                Some(index) => {
                    let second = b.remove(index).turned_as(&first);
                    let difference = Difference::new(first, &second, freedom);
                    differences
                        .push(Difference { interval: difference.interval.filter(|_| !remembers_start), ..difference });
                }
                None => self.only_in_a.push(first.name),
            }
        }
        self.only_in_b.extend(b.into_iter().map(|second| second.name));
        merge_equal(differences)
    }
}

impl Side {
    fn of(findings: &Findings) -> Self {
        let looks = findings.diagnostics.as_ref().map(|diagnostics| diagnostics.looks).unwrap_or_default();
        Self { name: findings.scenario.name.clone(), seed: findings.scenario.seed, verdict: findings.verdict, looks }
    }
}

/// A measured quantity of one result.
struct Quantity {
    name: String,
    claim: Option<String>,
    measured: Measured,
}

impl Quantity {
    /// Whether it is the same quantity of the same claim, if need be with its sign turned.
    fn is_like(&self, other: &Self) -> bool {
        self.claim == other.claim && (self.name == other.name || turned(&self.name).as_ref() == Some(&other.name))
    }

    fn turned_as(mut self, other: &Self) -> Self {
        if self.name != other.name {
            self.measured.value = -self.measured.value;
        }
        self
    }
}

/// ln(x/y) is −ln(y/x): which minimum is the likeliest, and stands below, may differ between two results.
fn turned(name: &str) -> Option<String> {
    let (above, below) = name.strip_prefix("ln(")?.strip_suffix(')')?.split_once('/')?;
    Some(format!("ln({below}/{above})"))
}

fn occupancies(findings: &Findings) -> Vec<Quantity> {
    let quantity = |row: &crate::findings::OccupancyRecord| {
        let measured = Measured { value: row.measured?, standard_error: row.standard_error? };
        Some(Quantity { name: format!("p_{}", row.minimum), claim: None, measured })
    };
    findings.occupancy.iter().filter_map(quantity).collect()
}

fn contrasts(findings: &Findings) -> Vec<Quantity> {
    let quantity = |claim: &str, contrast: &ContrastRecord| {
        let measured = Measured { value: contrast.measured?, standard_error: contrast.standard_error? };
        Some(Quantity { name: contrast.quantity.clone(), claim: Some(claim.to_owned()), measured })
    };
    let claims = findings.claims.iter();
    claims.flat_map(|claim| claim.contrasts.iter().filter_map(|contrast| quantity(&claim.id, contrast))).collect()
}

/// Contrasts of a claim that both results make, which at least one of them could not measure.
fn unmeasured(a: &Findings, b: &Findings) -> Vec<String> {
    let contrasts = |findings: &Findings| -> Vec<(String, String, bool)> {
        let of = |claim: &ClaimRecord| {
            let row = |contrast: &ContrastRecord| {
                let is_measured = contrast.measured.is_some() && contrast.standard_error.is_some();
                (claim.id.clone(), contrast.quantity.clone(), is_measured)
            };
            claim.contrasts.iter().map(row).collect::<Vec<_>>()
        };
        findings.claims.iter().flat_map(of).collect()
    };
    let (of_a, of_b) = (contrasts(a), contrasts(b));
    let same = |one: &(String, String, bool), other: &(String, String, bool)| one.0 == other.0 && one.1 == other.1;
    let missing = |one: &&(String, String, bool)| of_b.iter().any(|other| same(one, other) && !(one.2 && other.2));
    of_a.iter().filter(missing).map(|(claim, quantity, _)| format!("{quantity} ({claim})")).collect()
}

/// Replicas that diverged, of the group with most of them where there are groups.
fn diverged(findings: &Findings) -> u64 {
    let of_groups = findings.groups.iter().filter_map(|group| group.diverged).max().unwrap_or(0);
    findings.diagnostics.as_ref().map_or(of_groups, |diagnostics| diagnostics.diverged)
}

/// R − 1 for the replicas that came to their end.
fn degrees_of_freedom(findings: &Findings) -> f64 {
    let diverged = diverged(findings);
    (findings.scenario.ensemble.replicas.saturating_sub(diverged) as f64 - 1.0).max(1.0)
}

fn estimate(measured: Measured, degrees_of_freedom: f64) -> Estimate {
    Estimate { value: measured.value, standard_error: measured.standard_error, degrees_of_freedom }
}

impl Difference {
    fn new(first: Quantity, second: &Quantity, freedom: [f64; 2]) -> Self {
        let (a, b) = (first.measured, second.measured);
        let difference = estimate(b, freedom[1]).minus(&estimate(a, freedom[0]));
        Self {
            quantity: first.name,
            claims: first.claim.into_iter().collect(),
            a,
            b,
            difference: difference.value,
            standard_error: difference.standard_error,
            interval: difference.interval(LEVEL),
            verdict: None,
            reason: None,
        }
    }

    /// `selection` is why the numbers are of a selection of the replicas, if they are.
    fn judge(&mut self, freedom: [f64; 2], tolerance: f64, evidence: &Evidence, selection: Option<&str>) {
        let measured = estimate(self.b, freedom[1]).minus(&estimate(self.a, freedom[0]));
        let contrast = Contrast {
            label: self.quantity.clone(),
            predicted: 0.0,
            predicted_standard_error: 0.0,
            predicted_bound: 0.0,
            measured: Some(measured),
        };
        let mut judgement = judge(&[contrast], tolerance, evidence);
        if let Some(why) = selection {
            judgement.bar_any_verdict(why);
        }
        self.verdict = Some(judgement.verdict);
        let reason = judgement.reason.replace("measured − predicted", "B − A");
        let label = format!("{}: ", self.quantity);
        self.reason = Some(reason.strip_prefix(&label).map_or(reason.clone(), str::to_owned));
    }
}

/// Several claims are about one measured quantity: it is told once.
fn merge_equal(differences: Vec<Difference>) -> Vec<Difference> {
    let mut merged: Vec<Difference> = Vec::new();
    for difference in differences {
        let same = |known: &&mut Difference| {
            known.quantity == difference.quantity && known.a == difference.a && known.b == difference.b
        };
        match merged.iter_mut().find(same) {
            Some(known) => known.claims.extend(difference.claims),
            None => merged.push(difference),
        }
    }
    merged
}

/// What bars a verdict on differences: all that bars one on either of the results.
fn evidence(a: &Findings, b: &Findings) -> Evidence {
    let mut evidence = Evidence::default();
    for (side, findings) in [("A", a), ("B", b)] {
        if let Some(diagnostics) = &findings.diagnostics {
            let reasons = diagnostics.reasons.iter().map(|reason| format!("in {side}, {reason}"));
            evidence.not_equilibrated.extend(reasons);
            evidence.remembers_start |= diagnostics.remembers_start;
        }
        evidence.diverged += diverged(findings) as usize;
    }
    evidence
}

/// Measures of groups that leave replicas out, which are a selection.
fn selections(side: &str, findings: &Findings) -> Vec<String> {
    let of = |group: &GroupRecord| {
        let told = |measure: &MeasureRecord| {
            let told = measure.left_out?.told("replicas", "diverged", "without a number")?;
            Some(format!("in {side}, {} of {} leaves out {told}", measure.quantity, group.name))
        };
        group.measures.iter().filter_map(told).collect::<Vec<_>>()
    };
    findings.groups.iter().flat_map(of).collect()
}

fn warnings(a: &Findings, b: &Findings) -> Vec<String> {
    let mut warnings = Vec::new();
    if a.scenario.seed == b.scenario.seed {
        warnings.push(format!(
            "not independent: both were run with seed {}, so that their replicas were driven by the same random numbers; the \
             errors and intervals of the differences are not valid (run one of them with another --seed)",
            a.scenario.seed
        ));
    }
    for (side, findings) in [("A", a), ("B", b)] {
        if diverged(findings) > 0 {
            let lost = diverged(findings);
            warnings.push(format!("in {side} {lost} replica(s) diverged: averages over survivors are biased"));
        }
        warnings.extend(selections(side, findings));
        if let Some(diagnostics) = &findings.diagnostics {
            if !diagnostics.equilibrated {
                warnings.push(format!("{side} was not shown to have reached equilibrium"));
            }
            if diagnostics.looks > Look::FIRST {
                warnings.push(format!(
                    "{side} was continued until look {}: where a run ends by its verdict, nominal intervals are not exact",
                    diagnostics.looks.number()
                ));
            }
        }
    }
    warnings.extend(a.minima.iter().filter_map(|minimum| moved(minimum, &b.minima)));
    warnings
}

/// Minima are named by rising loss: a letter may stand for another place.
fn moved(minimum: &MinimumRecord, others: &[MinimumRecord]) -> Option<String> {
    let other = others.iter().find(|other| other.id == minimum.id)?;
    let near = |(x, y): (&f64, &f64)| (x - y).abs() <= SAME_PLACE * (1.0 + x.abs());
    let same = minimum.theta.len() == other.theta.len() && minimum.theta.iter().zip(&other.theta).all(near);
    (!same).then(|| {
        format!(
            "minimum {} lies at {:.4?} in A and at {:.4?} in B: the letters go by rising loss",
            minimum.id, minimum.theta, other.theta
        )
    })
}

/// The settings of two scenarios that differ, by key; names and texts are left out.
pub fn differing_settings(a: &Scenario, b: &Scenario) -> Vec<DifferingSetting> {
    let (a, b) = (settings(a), settings(b));
    let value = |settings: &[(String, Value)], key: &str| {
        settings.iter().find(|(name, _)| name == key).map_or(Value::Null, |(_, value)| value.clone())
    };
    let mut keys: Vec<&String> = a.iter().chain(&b).map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .map(|key| DifferingSetting { key: key.clone(), a: value(&a, key), b: value(&b, key) })
        .filter(|setting| setting.a != setting.b && !NAMES.contains(&setting.key.as_str()))
        .collect()
}

/// Every key of a scenario with its value.
fn settings(scenario: &Scenario) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    // A scenario is plain data: it can always be written.
    flatten(String::new(), serde_json::to_value(scenario).unwrap_or_default(), &mut found);
    found
}

fn flatten(path: String, value: Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let path = if path.is_empty() { key } else { format!("{path}.{key}") };
                flatten(path, value, found);
            }
        }
        Value::Array(elements) if elements.iter().any(Value::is_object) => {
            for (index, element) in elements.into_iter().enumerate() {
                flatten(format!("{path}[{index}]"), element, found);
            }
        }
        value => found.push((path, value)),
    }
}
