//! What the reader of a crossover must know.

use super::Run;
use super::theory::{Question, Theory};
use crate::math;
use crate::scenario::Rung;

/// A straight line is doubted below this p-value of its χ².
const CROOKED: f64 = 1e-3;

/// What the reader must know to read the lines rightly.
pub(super) fn notes(question: &Question, theory: &Theory, errors: &[f64], run: Option<&Run>) -> Vec<String> {
    let n = question.varied;
    let weights = if run.is_some() { "of the measurement" } else { "that the escape times let expect" };
    let mut notes = vec![format!(
        "slope and intercept of gibbs and discrete are those of the weighted line through their log-odds at the same {n}, with \
         the weights {weights}; their {n}* is the zero of the log-odds themselves"
    )];
    for rung in [Rung::Gibbs, Rung::Discrete] {
        if let (Some([slope, intercept]), Some(exact)) = (theory.line(rung, errors), theory.crossing(rung)) {
            let bend = math::ln(-slope / intercept / exact);
            if bend.is_finite() && bend.abs() > 0.2 * question.tolerance() {
                notes.push(format!(
                    "the line through the {} log-odds crosses zero {bend:+.4} in ln {n} from where they are zero themselves: they \
                     are bent over these {n}; closer factors would be straighter",
                    rung.name()
                ));
            }
        }
    }
    if let (Some(&hot), Some(&cold), Some(exact)) =
        (theory.inverse.last(), theory.inverse.first(), theory.crossing(Rung::Gibbs))
        && !(hot..=cold).contains(&(1.0 / exact))
    {
        notes.push(format!(
                "the {n}* = {exact:.4} of the Gibbs law lies outside of the points, {n} = {:.4} to {:.4}: choose factors on both \
                 sides of it",
                1.0 / cold,
                1.0 / hot
            ));
    }
    if let Some((chi, p)) =
        run.and_then(|run| run.line.as_ref()).and_then(|line| Some((line.chi_square, line.p_value?)))
        && p < CROOKED
    {
        notes.push(format!(
                "the points scatter about their line by more than their errors (χ² = {chi:.1}, p = {p:.1e}): ln(p_A/p_B) is not \
                 straight in 1/{n} at this precision"
            ));
    }
    notes
}
