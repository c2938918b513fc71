//! What came out of a parameter study.

use serde::{Deserialize, Serialize};

use super::ClaimRecord;
use crate::statistics::claim::Verdict;

/// The summary of a study; what was varied is in the scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyRecord {
    /// Number of points.
    pub points: u64,
    /// Their verdicts; none where nothing was simulated.
    pub verdicts: VerdictCounts,
    /// Points whose step is unstable (δh ≥ 2 at a minimum): they are predicted to diverge.
    pub predicted_divergences: u64,
    /// Points without a result (no minimum, all replicas diverged …), each with its reason; they count as undetermined.
    pub without_result: u64,
    /// Every claim over all points.
    pub claims: Vec<StudyClaimRecord>,
    /// The points that decide the verdict: those rejected, else those undetermined; the first few.
    pub deciding: Vec<u64>,
    /// The points themselves, of a small study and of predictions; `study.csv` has all.
    pub rows: Vec<StudyPoint>,
}

/// How often each verdict was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCounts {
    /// Shown to be true within the tolerance.
    pub holds: u64,
    /// Shown to be false.
    pub rejected: u64,
    /// Neither.
    pub undetermined: u64,
}

impl VerdictCounts {
    /// Counts one more.
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Holds => &mut self.holds,
            Verdict::Rejected => &mut self.rejected,
            Verdict::Undetermined => &mut self.undetermined,
        } += 1;
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.holds + self.rejected + self.undetermined
    }
}

impl FromIterator<Verdict> for VerdictCounts {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut counts = Self::default();
        verdicts.into_iter().for_each(|verdict| counts.add(verdict));
        counts
    }
}

/// One claim over all points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyClaimRecord {
    /// Name of the claim, as in a single run.
    pub id: String,
    /// Its verdicts, Holm's correction over the points applied.
    pub verdicts: VerdictCounts,
    /// Rejections that did not survive the correction; they are among the undetermined.
    pub withdrawn: u64,
    /// The point farthest from agreement.
    pub worst: u64,
}

/// What is predicted of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outlook {
    /// A stationary law exists.
    Stationary,
    /// The step is unstable: no trajectory can stay at some minimum.
    Diverges,
}

/// One point of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyPoint {
    /// From 0; in a grid the last axis runs fastest.
    pub index: u64,
    /// The values of the axes, in their order.
    pub values: Vec<toml::Value>,
    /// The point's own seed.
    pub seed: u64,
    /// n = η/S, where the scenario gives them.
    pub noise_scale: Option<f64>,
    /// T = nσ²/2; null where C is not σ²I or the landscape is unknown.
    pub temperature: Option<f64>,
    /// Null where the point could not be run.
    pub predicted: Option<Outlook>,
    /// Of the primary claims; null where nothing was simulated.
    pub verdict: Option<Verdict>,
    /// Whether the diagnostics pass; null where there are none.
    pub equilibrated: Option<bool>,
    /// Core-to-core transitions, all replicas.
    pub transitions: Option<u64>,
    /// Replicas that diverged.
    pub diverged: Option<u64>,
    /// Why the point has no claims, or another verdict than it would have alone; else empty.
    pub reason: String,
    /// Every claim of the point.
    pub claims: Vec<PointClaim>,
}

impl StudyPoint {
    /// The claim of that name.
    pub fn claim(&self, id: &str) -> Option<&PointClaim> {
        self.claims.iter().find(|claim| claim.id == id)
    }

    /// The claims that decide the point's verdict.
    pub fn primary(&self) -> impl Iterator<Item = &PointClaim> {
        self.claims.iter().filter(|claim| claim.primary)
    }
}

/// A claim of one point. The numbers are those of the contrast that decides there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointClaim {
    /// Name of the claim.
    pub id: String,
    /// Whether it decides the point's verdict.
    pub primary: bool,
    /// What is compared, e.g. `ln(p_A/p_B)`.
    pub quantity: String,
    /// By the theory.
    pub predicted: Option<f64>,
    /// By the simulation.
    pub measured: Option<f64>,
    /// Of measured − predicted; null too where the start is still seen in what was measured.
    pub standard_error: Option<f64>,
    /// ε.
    pub tolerance: f64,
    /// Null when nothing was simulated.
    pub verdict: Option<Verdict>,
    /// As in [`ClaimRecord`]; what Holm's correction over the points goes by.
    pub rejection_p_value: Option<f64>,
    /// Every contrast, where the claim has several.
    pub contrasts: Vec<PointContrast>,
}

/// One contrast of a claim of one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointContrast {
    /// What is compared.
    pub quantity: String,
    /// By the theory.
    pub predicted: Option<f64>,
    /// By the simulation.
    pub measured: Option<f64>,
    /// Of measured − predicted.
    pub standard_error: Option<f64>,
}

impl PointClaim {
    /// All compared quantities: the contrasts, or the one that the claim is about.
    pub fn compared(&self) -> Vec<PointContrast> {
        if !self.contrasts.is_empty() {
            return self.contrasts.clone();
        }
        vec![PointContrast {
            quantity: self.quantity.clone(),
            predicted: self.predicted,
            measured: self.measured,
            standard_error: self.standard_error,
        }]
    }

    /// How far from agreement, in standard errors beyond ±ε; infinite where nothing was measured.
    pub fn distance(&self) -> f64 {
        match (self.measured, self.predicted, self.standard_error) {
            (Some(measured), Some(predicted), Some(error)) if error > 0.0 => {
                ((measured - predicted).abs() - self.tolerance) / error
            }
            _ => f64::INFINITY,
        }
    }
}

impl From<&ClaimRecord> for PointClaim {
    fn from(claim: &ClaimRecord) -> Self {
        let contrasts = claim.contrasts.iter().map(|contrast| PointContrast {
            quantity: contrast.quantity.clone(),
            predicted: contrast.predicted,
            measured: contrast.measured,
            standard_error: contrast.interval.and(contrast.standard_error),
        });
        Self {
            id: claim.id.clone(),
            primary: claim.primary,
            quantity: claim.quantity.clone(),
            predicted: claim.predicted,
            measured: claim.measured,
            standard_error: claim.interval.and(claim.standard_error),
            tolerance: claim.tolerance,
            verdict: claim.verdict,
            rejection_p_value: claim.rejection_p_value,
            contrasts: if claim.contrasts.len() > 1 { contrasts.collect() } else { Vec::new() },
        }
    }
}
