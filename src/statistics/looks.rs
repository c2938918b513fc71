//! Several looks at one run: an UNDETERMINED run may be continued and judged again, at a price.
//!
//! Who looks again and again, and stops when the verdict pleases, errs more often than each look by itself. So look k is
//! judged at 2^(1−k) times the declared error rates: HOLDS by two one-sided tests at 5 %·2^(1−k), REJECTED (and Holm's
//! correction) at 5 %·2^(1−k). By the union bound, for any number of looks, whatever makes somebody continue, and however
//! the looks depend on each other (they share their data), the probability of a false verdict is then
//!
//! below α + α/2 + α/4 + … = 2α,
//!
//! and all later looks together add less than the first alone. The first look keeps the declared levels to the letter: a
//! run that is never continued loses nothing. No rule could do both that and keep the total at α: a first look at the full
//! level has spent all of α, and every later look that could decide at all errs with some probability of its own. Nor is
//! the length of a continuation free: it is that of the first look, since a length chosen after seeing the data would leave
//! each look's own error rate unknown.
//!
//! The *intervals shown* beside estimates stay nominal (90 and 95 %): they describe the data gathered so far. Because the
//! run ends when the verdict is reached, the final nominal interval no longer covers exactly what it says. By simulation with
//! normal estimates (40,000 runs at each of 56 pairs of ε = 2 to 4 first standard errors and of a true difference of 0.95 to 1.2 ε, where it is
//! worst), a nominal 95 % interval covers at least
//!
//! | looks, at most | 1 | 2 | 3 | 4 | 5 | 6 | 8 | 10 | 20 |
//! |---|---|---|---|---|---|---|---|---|---|
//! | coverage in % | 95 | 92 | 90 | 89 | 89 | 88.5 | 88 | 88 | 87 |
//!
//! and for true differences up to ¾ε or beyond 1½ε 94 to 98 % of up to four looks (`tests/statistics/looks.rs` measures both on a chain). The
//! interval at the look's own level of REJECTED covers at least 92.9 % there, whatever the number of looks. A run whose number of looks is
//! fixed beforehand is not affected.

use serde::{Deserialize, Serialize};

use crate::math::powi;

/// Confidence of the interval that must lie inside ±ε for HOLDS: two one-sided tests at 5 %. All contrasts must pass, so no
/// correction is needed.
pub const HOLDS_LEVEL: f64 = 0.90;
/// Confidence, over all contrasts together, of the intervals one of which must lie outside ±ε for REJECTED.
pub const REJECTED_LEVEL: f64 = 0.95;
/// The probability, over all primary claims together, of a false rejection.
pub const HOLM_LEVEL: f64 = 0.05;

/// Which look at a run a verdict is reached at; the first unless it was continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Look(u32);

/// More looks than this at one run decide nothing: the last is judged at 5 %·2⁻¹⁹ ≈ 10⁻⁷.
pub const MOST_LOOKS: u32 = 20;

impl Default for Look {
    fn default() -> Self {
        Self::FIRST
    }
}

impl Look {
    /// The look at the end of a run that was not continued.
    pub const FIRST: Self = Self(1);

    /// Look `number`, counted from 1; `None` for 0 and for more than [`MOST_LOOKS`].
    pub fn new(number: u32) -> Option<Self> {
        (1..=MOST_LOOKS).contains(&number).then_some(Self(number))
    }

    /// Counted from 1.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The look after this one; `None` after the last that is allowed.
    pub fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }

    /// The share of the declared error rates that this look may spend: 2^(1−k). A power of two, so that the products with
    /// it are exact and the first look's levels are the declared ones to the last bit.
    fn share(self) -> f64 {
        powi(0.5, self.0 as i32 - 1)
    }

    /// Confidence of the interval that must lie inside ±ε for HOLDS: 1 − 10 %·2^(1−k).
    pub fn holds_level(self) -> f64 {
        1.0 - (1.0 - HOLDS_LEVEL) * self.share()
    }

    /// Confidence, over all contrasts together, of the intervals one of which must lie outside ±ε for REJECTED:
    /// 1 − 5 %·2^(1−k).
    pub fn rejected_level(self) -> f64 {
        1.0 - (1.0 - REJECTED_LEVEL) * self.share()
    }

    /// The same for each of so many contrasts by itself (Bonferroni).
    pub(super) fn corrected_level(self, contrasts: usize) -> f64 {
        1.0 - (1.0 - self.rejected_level()) / contrasts.max(1) as f64
    }

    /// Probability of a false rejection over all primary claims together at this look: 5 %·2^(1−k).
    pub fn holm_level(self) -> f64 {
        HOLM_LEVEL * self.share()
    }
}

/// A confidence level for people: 90, 97.5, 98.75.
pub fn percent(level: f64) -> String {
    let text = format!("{:.4}", 100.0 * level);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_has_the_declared_levels_to_the_last_bit() {
        let first = Look::default();
        let levels = [first.holds_level(), first.rejected_level(), first.holm_level()];
        assert_eq!(levels, [HOLDS_LEVEL, REJECTED_LEVEL, HOLM_LEVEL]);
    }

    #[test]
    fn later_looks_spend_half_of_what_is_left_and_never_twice_the_declared_rate() {
        let second = Look::FIRST.next().unwrap();
        assert!((second.holds_level() - 0.95).abs() < 1e-15 && (second.rejected_level() - 0.975).abs() < 1e-15);
        assert!((second.next().unwrap().holm_level() - 0.0125).abs() < 1e-15);
        let all = || (1..=MOST_LOOKS).map(|number| Look::new(number).unwrap());
        assert!(all().map(Look::holm_level).sum::<f64>() < 0.1);
        assert!(all().map(|look| 1.0 - look.holds_level()).sum::<f64>() < 0.2);
        assert_eq!((Look::new(0), Look::new(MOST_LOOKS + 1), Look(MOST_LOOKS).next()), (None, None, None));
    }

    #[test]
    fn levels_are_written_without_needless_digits() {
        assert_eq!([0.9, 0.95, 0.975, 0.98125].map(percent), ["90", "95", "97.5", "98.125"]);
    }
}
