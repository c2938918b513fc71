//! Verdicts.
use serde::{Deserialize, Serialize};

/// The answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Inside the tolerance.
    Holds,
    /// Outside the tolerance.
    Rejected,
    /// Neither is shown.
    Undetermined,
}
