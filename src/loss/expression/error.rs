//! What is wrong with a formula, and where.

use std::fmt;

/// Why a formula was refused: the place, what was found there, and where possible what to write instead.
///
/// Displayed as the message followed by the suggestion:
///
/// ```
/// use sgd_sde::loss::expression::Expression;
///
/// let error = Expression::new(&["x".into()], &[("tilt".into(), 0.1)], "x^2 + tlit*x").unwrap_err();
/// assert_eq!((error.start, error.end), (6, 10));
/// assert_eq!(error.to_string(), "unknown name `tlit`; did you mean `tilt`?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormulaError {
    /// First byte of the culprit within the formula. `start..end` always falls on character boundaries; it is `0..0`
    /// where a name or a parameter, not the formula, is at fault.
    pub start: usize,
    /// One past the last byte of the culprit within the formula.
    pub end: usize,
    /// What was found, and what is allowed.
    pub message: String,
    /// What to write in place of the culprit, if there is a good guess.
    pub suggestion: Option<String>,
}

impl FormulaError {
    pub(super) fn new(start: usize, end: usize, message: impl Into<String>) -> FormulaError {
        FormulaError { start, end, message: message.into(), suggestion: None }
    }

    pub(super) fn suggest(self, suggestion: impl Into<String>) -> FormulaError {
        FormulaError { suggestion: Some(suggestion.into()), ..self }
    }
}

impl fmt::Display for FormulaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(formatter, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FormulaError {}

/// `text` as it may be quoted in a message: never longer than a line.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
