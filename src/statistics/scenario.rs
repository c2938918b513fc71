//! From the primary claims to the verdict of a scenario.

use super::claim::{Judgement, Verdict};
pub use super::looks::HOLM_LEVEL;

/// Holm's step-down correction: which of the hypotheses with these p-values are rejected at family-wise error `level`.
///
/// The p-values by rising size are compared with level/m, level/(m − 1), …, up to the first that is larger. A p-value that
/// is not a number counts as 1.
///
/// Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979), 65–70.
pub fn holm(p_values: &[f64], level: f64) -> Vec<bool> {
    let p = |index: usize| if p_values[index].is_nan() { 1.0 } else { p_values[index] };
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p(a).total_cmp(&p(b)));
    let mut rejected = vec![false; p_values.len()];
    for (rank, &index) in order.iter().enumerate() {
        if p(index) > level / (p_values.len() - rank) as f64 {
            break;
        }
        rejected[index] = true;
    }
    rejected
}

/// The verdict of a scenario from the judgements of its primary claims, which it corrects for their number.
///
/// A rejection that does not survive Holm at 5 % (at the first look) over the primary claims becomes UNDETERMINED, in the
/// judgement itself, with the reason. Then: REJECTED if any claim is, else UNDETERMINED if any is, else HOLDS. UNDETERMINED without any primary claim.
pub fn scenario_verdict(primary: &mut [&mut Judgement]) -> Verdict {
    let alone: Vec<(Verdict, Option<f64>)> =
        primary.iter().map(|judgement| (judgement.verdict, judgement.rejection_p_value)).collect();
    // The look is the run's: that of every claim.
    let look = primary.iter().map(|judgement| judgement.look).max().unwrap_or_default();
    let claims = primary.len();
    for (judgement, corrected) in primary.iter_mut().zip(after_holm(&alone, look.holm_level())) {
        if judgement.verdict != corrected {
            judgement.withdraw_rejection(claims);
        }
    }
    overall(primary.iter().map(|judgement| judgement.verdict))
}

/// The verdicts of claims that decide together, given the verdict that each has alone and its p-value against "within the
/// tolerance": a rejection that does not survive Holm's correction at `level` over all of them becomes UNDETERMINED.
pub fn after_holm(claims: &[(Verdict, Option<f64>)], level: f64) -> Vec<Verdict> {
    // A claim that may not be rejected takes its place in the family with p = 1.
    let p_values: Vec<f64> = claims.iter().map(|(_, p_value)| p_value.unwrap_or(1.0)).collect();
    let withdrawn = |(&(verdict, _), survives): (&(Verdict, Option<f64>), bool)| {
        if verdict == Verdict::Rejected && !survives { Verdict::Undetermined } else { verdict }
    };
    claims.iter().zip(holm(&p_values, level)).map(withdrawn).collect()
}

/// REJECTED if any claim is, else UNDETERMINED if any is, else HOLDS. UNDETERMINED without any claim.
pub fn overall(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let severity = |verdict: &Verdict| match verdict {
        Verdict::Holds => 0,
        Verdict::Undetermined => 1,
        Verdict::Rejected => 2,
    };
    verdicts.into_iter().max_by_key(severity).unwrap_or(Verdict::Undetermined)
}
