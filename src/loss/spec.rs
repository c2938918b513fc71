//! A loss as a scenario describes it: the register of kinds.
//!
//! To add a kind, write its file with a type that is a [`Described`] loss and has a `read` function, then add it to
//! [`LossKind`], to its `described` and to [`KINDS`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Loss;
use super::expression::{ExpressionSpec, FormulaError};
use super::quadratic::{QuadraticError, QuadraticSpec};
use super::wells::{WellsError, WellsSpec};
use crate::input::{Number, Table};

/// A loss as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossSpec {
    /// Which function.
    #[serde(flatten)]
    pub kind: LossKind,
    /// Where minima are looked for: one [low, high] per coordinate.
    pub domain: Vec<[f64; 2]>,
}

/// The kinds of loss, one file each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LossKind {
    /// A typed formula.
    Expression(ExpressionSpec),
    /// Smooth minimum of parabolic wells.
    Wells(WellsSpec),
    /// ½θᵀHθ.
    Quadratic(QuadraticSpec),
}

/// What every description of a loss can say of itself.
pub trait Described {
    /// Number of parameters d.
    fn dimension(&self) -> usize;

    /// The names of the coordinates, where the user gave them.
    fn variables(&self) -> Option<&[String]> {
        None
    }

    /// Where minima lie for sure, for kinds of loss that know it.
    fn default_domain(&self) -> Option<Vec<[f64; 2]>> {
        None
    }

    /// The loss itself.
    ///
    /// # Errors
    /// When the description is of no loss; one that was read from a scenario has been checked.
    fn build(&self) -> Result<Arc<dyn Loss>, LossError>;
}

/// A description that is of no loss.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LossError {
    /// The formula.
    #[error("{0}")]
    Formula(FormulaError),
    /// The wells.
    #[error(transparent)]
    Wells(#[from] WellsError),
    /// The bowl.
    #[error(transparent)]
    Quadratic(#[from] QuadraticError),
}

type Reader = fn(&Table<'_>) -> Option<LossKind>;

const KINDS: [(&str, Reader); 3] = [
    ("expression", |table| ExpressionSpec::read(table).map(LossKind::Expression)),
    ("wells", |table| WellsSpec::read(table).map(LossKind::Wells)),
    ("quadratic", |table| QuadraticSpec::read(table).map(LossKind::Quadratic)),
];

/// Kinds of later versions.
const LATER: [&str; 3] = ["network", "reparametrized", "regression"];

impl LossKind {
    fn described(&self) -> &dyn Described {
        match self {
            Self::Expression(spec) => spec,
            Self::Wells(spec) => spec,
            Self::Quadratic(spec) => spec,
        }
    }
}

impl LossSpec {
    /// Reads the table `[loss]`.
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let read = table.choice("kind", "the kind of loss", &KINDS, &LATER)?;
        let kind = read(table);
        let default = kind.as_ref().map(|kind| kind.described().default_domain());
        let domain = if table.has("domain") || default == Some(None) { read_domain(table) } else { default.flatten() };
        table.finish();
        let (kind, domain) = (kind?, domain?);
        let d = kind.described().dimension();
        if domain.len() != d {
            let found = if domain.len() == 1 { "1 pair".to_owned() } else { format!("{} pairs", domain.len()) };
            let message = format!("found {found} [low, high] for {d} coordinates; give one pair for each coordinate");
            table.problem("domain", message);
            return None;
        }
        Some(Self { kind, domain })
    }

    /// Number of parameters d.
    pub fn dimension(&self) -> usize {
        self.kind.described().dimension()
    }

    /// Names of the coordinates: the user's, or θ, or θ₁, θ₂, ….
    pub fn variables(&self) -> Vec<String> {
        if let Some(variables) = self.kind.described().variables() {
            return variables.to_vec();
        }
        match self.dimension() {
            1 => vec!["θ".to_owned()],
            d => (1..=d).map(|i| format!("θ{}", subscript(i))).collect(),
        }
    }

    /// The loss itself.
    ///
    /// # Errors
    /// When the description is of no loss; one that was read from a scenario has been checked.
    pub fn build(&self) -> Result<Arc<dyn Loss>, LossError> {
        self.kind.described().build()
    }
}

fn subscript(number: usize) -> String {
    let digits = "₀₁₂₃₄₅₆₇₈₉";
    number.to_string().bytes().filter_map(|digit| digits.chars().nth(usize::from(digit - b'0'))).collect()
}

fn read_domain(table: &Table<'_>) -> Option<Vec<[f64; 2]>> {
    let bound =
        Number::any("the domain in which minima are looked for, one pair [low, high] per coordinate,", "[[-3.0, 3.0]]");
    let rows = table.rows("domain", &bound)?;
    let mut pairs = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let element = format!("domain[{i}]");
        match row[..] {
            [low, high] if low < high => pairs.push([low, high]),
            [low, high] => {
                let message = format!("found [{low}, {high}]; low must be less than high; {}", advice(low, high));
                table.problem(&element, message);
            }
            _ => {
                let message =
                    format!("found {} numbers; each coordinate has a pair [low, high], such as [-3.0, 3.0]", row.len());
                table.problem(&element, message);
            }
        }
    }
    (pairs.len() == rows.len()).then_some(pairs)
}

fn advice(low: f64, high: f64) -> String {
    if low > high { format!("[{high}, {low}] would do") } else { "make the interval wider".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscripts() {
        assert_eq!(subscript(1203), "₁₂₀₃");
    }
}
