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
/// A rejection that does not survive Holm at 5 % (at the first look) over the primary claims becomes UNDETERMINED, in the judgement itself, with
/// the reason. Then: REJECTED if any claim is, else UNDETERMINED if any is, else HOLDS. UNDETERMINED without any primary claim.
pub fn scenario_verdict(primary: &mut [&mut Judgement]) -> Verdict {
    // A claim that may not be rejected takes its place in the family with p = 1.
    let p_values: Vec<f64> = primary.iter().map(|judgement| judgement.rejection_p_value.unwrap_or(1.0)).collect();
    // The look is the run's: that of every claim.
    let look = primary.iter().map(|judgement| judgement.look).max().unwrap_or_default();
    let survives = holm(&p_values, look.holm_level());
    let claims = primary.len();
    for (judgement, survives) in primary.iter_mut().zip(survives) {
        if judgement.verdict == Verdict::Rejected && !survives {
            judgement.withdraw_rejection(claims);
        }
    }
    let any = |verdict: Verdict| primary.iter().any(|judgement| judgement.verdict == verdict);
    if any(Verdict::Rejected) {
        Verdict::Rejected
    } else if any(Verdict::Undetermined) || primary.is_empty() {
        Verdict::Undetermined
    } else {
        Verdict::Holds
    }
}
