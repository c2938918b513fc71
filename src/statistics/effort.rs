//! What an answer costs: transitions, standard errors and the power they buy.
//!
//! Two basins, M transitions in all (both directions): the dwell times of each basin are nearly exponential, and
//! SE(ln p_A/p_B) ≈ 2/√M, whatever the occupancy. From it follow the transitions that a tolerance needs.

use super::special::{normal_cdf, normal_quantile};

/// The confidence of each of the two one-sided tests of equivalence (a 90 % two-sided interval).
const ONE_SIDED_CONFIDENCE: f64 = 0.95;

/// SE of ln(p_A/p_B) for two basins after M transitions in all: 2/√M. `None` unless M is positive.
pub fn log_odds_standard_error(transitions: f64) -> Option<f64> {
    positive(transitions).map(|transitions| 2.0 / transitions.sqrt())
}

/// The transitions that a standard error of the log-odds needs: M = (2/SE)². `None` unless SE is positive.
pub fn transitions_for_standard_error(standard_error: f64) -> Option<f64> {
    positive(standard_error).map(|error| (2.0 / error) * (2.0 / error))
}

/// The transitions after which a claim with tolerance ε HOLDS with 90 % probability if the true difference is d:
/// M = (2(z.₉₅ + z.₉₅)/ε)² · (ε/(ε − |d|))².
///
/// The power is 90 % at d = 0, where the interval can fail on both sides, and up to 95 % for other d: no less than asked.
/// `None` if |d| ≥ ε (no effort makes a false claim hold) or ε is not positive.
pub fn transitions_to_hold(tolerance: f64, difference: f64) -> Option<f64> {
    positive(tolerance)?;
    let margin = positive(tolerance - difference.abs())?;
    transitions_for_standard_error(margin / margin_in_standard_errors())
}

/// The smallest tolerance that M transitions can confirm with 90 % probability if the true difference is d: the inverse
/// of [`transitions_to_hold`], ε = |d| + 2(z.₉₅ + z.₉₅)/√M.
pub fn tolerance_that_holds(transitions: f64, difference: f64) -> Option<f64> {
    let error = log_odds_standard_error(transitions)?;
    difference.is_finite().then(|| difference.abs() + margin_in_standard_errors() * error)
}

/// The largest true difference that still HOLDS with 90 % probability after M transitions at tolerance ε:
/// |d| = ε − 2(z.₉₅ + z.₉₅)/√M. `None` if M is too small even for d = 0.
pub fn difference_that_holds(transitions: f64, tolerance: f64) -> Option<f64> {
    let margin = margin_in_standard_errors() * log_odds_standard_error(transitions)?;
    (tolerance >= margin).then_some(tolerance - margin)
}

/// The probability that a claim with tolerance ε HOLDS at a standard error SE, if the true difference is d:
/// Φ((ε − d)/SE − z.₉₅) + Φ((ε + d)/SE − z.₉₅) − 1, or 0 (normal approximation). `None` unless ε and SE are positive.
pub fn probability_of_holding(standard_error: f64, tolerance: f64, difference: f64) -> Option<f64> {
    let (error, tolerance) = (positive(standard_error)?, positive(tolerance)?);
    let quantile = normal_quantile(ONE_SIDED_CONFIDENCE);
    let side = |distance: f64| normal_cdf(distance / error - quantile);
    let probability = side(tolerance - difference) + side(tolerance + difference) - 1.0;
    difference.is_finite().then(|| probability.max(0.0))
}

/// The probability that a claim of `contrasts` contrasts is REJECTED through one of them, at standard error SE and true
/// difference d of that contrast: P(|measured| > ε + z·SE) with z of the Bonferroni 95 % interval (normal approximation).
/// `None` unless ε and SE are positive and there is a contrast.
pub fn probability_of_rejecting(standard_error: f64, tolerance: f64, difference: f64, contrasts: usize) -> Option<f64> {
    let (error, tolerance) = (positive(standard_error)?, positive(tolerance)?);
    if contrasts == 0 || !difference.is_finite() {
        return None;
    }
    let quantile = -normal_quantile(0.025 / contrasts as f64);
    let side = |distance: f64| normal_cdf(distance / error - quantile);
    Some(side(difference - tolerance) + side(-difference - tolerance))
}

/// z.₉₅ + z.₉₅ = 3.29: how many standard errors must fit between the true difference and the edge of the tolerance, for
/// a 90 % interval to end inside with 95 % probability on that side.
pub fn margin_in_standard_errors() -> f64 {
    2.0 * normal_quantile(ONE_SIDED_CONFIDENCE)
}

fn positive(value: f64) -> Option<f64> {
    (value > 0.0 && value.is_finite()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_theory() {
        // THEORY.md §4: ε = 0.1 at 90 % power needs M ≈ 4,300 at d = 0.
        assert!((transitions_to_hold(0.1, 0.0).unwrap() - 4_328.9).abs() < 0.1);
        // `quartic`, T = 0.1: Gibbs against Laplace is d = 0.03664 in log-odds, hence (0.1/0.06336)² = 2.49 times as many.
        // (The 8,500 of THEORY.md is what exactly 90 % power needs there, with z.₉₅ + z.₉₀; the formula gives 95 %.)
        let quartic = transitions_to_hold(0.1, 0.03664).unwrap();
        assert!((10_700.0..10_900.0).contains(&quartic), "{quartic}");
        let error = log_odds_standard_error(8_530.0).unwrap();
        assert!((probability_of_holding(error, 0.1, 0.03664).unwrap() - 0.9).abs() < 1e-3);
        assert_eq!(transitions_to_hold(0.1, 0.1), None);
        assert_eq!(transitions_to_hold(0.1, f64::NAN), None);
        assert_eq!(transitions_to_hold(0.0, 0.0), None);
    }

    #[test]
    fn inverses_invert() {
        let transitions = transitions_to_hold(0.15, -0.05).unwrap();
        assert!((tolerance_that_holds(transitions, 0.05).unwrap() - 0.15).abs() < 1e-12);
        assert!((difference_that_holds(transitions, 0.15).unwrap() - 0.05).abs() < 1e-12);
        assert_eq!(difference_that_holds(100.0, 0.1), None);
        let error = log_odds_standard_error(transitions).unwrap();
        assert!((transitions_for_standard_error(error).unwrap() / transitions - 1.0).abs() < 1e-12);
        assert_eq!(log_odds_standard_error(0.0), None);
    }

    #[test]
    fn the_planned_effort_has_the_planned_power() {
        let error = log_odds_standard_error(transitions_to_hold(0.1, 0.0).unwrap()).unwrap();
        assert!((probability_of_holding(error, 0.1, 0.0).unwrap() - 0.9).abs() < 1e-12);
        // Just at the edge the claim holds 5 % of the time, whatever the effort.
        assert!((probability_of_holding(error, 0.1, 0.1).unwrap() - 0.05).abs() < 1e-6);
        // A wide interval cannot hold at all.
        assert_eq!(probability_of_holding(1.0, 0.1, 0.0), Some(0.0));
        assert!(probability_of_rejecting(error, 0.1, 0.2, 1).unwrap() > 0.9);
        assert!((probability_of_rejecting(error, 0.1, 0.1, 1).unwrap() - 0.025).abs() < 1e-6);
        assert!((probability_of_rejecting(error, 0.1, -0.1, 5).unwrap() - 0.005).abs() < 1e-6);
        assert_eq!(probability_of_rejecting(error, 0.1, 0.2, 0), None);
    }
}
