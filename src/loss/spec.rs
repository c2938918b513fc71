//! A loss as a scenario describes it: the register of kinds.
//!
//! To add a kind, write its file with a type that is a [`Described`] loss and has a `read` function, then add it to
//! [`LossKind`], to its `described` and to `KINDS`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Loss;
use super::expression::{ExpressionSpec, FormulaError};
use super::network::{Given, NetworkSpec};
use super::quadratic::{QuadraticError, QuadraticSpec};
use super::wells::{WellsError, WellsSpec};
use crate::data::Data;
use crate::input::{Integer, LARGEST, Number, Table};
use crate::network::{ExamplesError, MismatchError};

/// A loss as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossSpec {
    /// Which function.
    #[serde(flatten)]
    pub kind: LossKind,
    /// Where minima are looked for: one [low, high] per coordinate; empty for a network that is too large for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domain: Vec<[f64; 2]>,
    /// From how many points minima are looked for, in more than one dimension; left out: 48 per coordinate, and as many again, up to
    /// eight times, until they find nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<u64>,
}

/// Of more coordinates the names are not listed in a message.
const MOST_NAMED: usize = 1000;
/// More starts would take hours.
const MOST_STARTS: u64 = 1_000_000;

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
    /// A multilayer perceptron on data.
    Network(NetworkSpec),
}

/// What every description of a loss can say of itself.
pub trait Described {
    /// Number of parameters d.
    fn dimension(&self) -> usize;

    /// The names of the coordinates, where the user gave them.
    fn variables(&self) -> Option<&[String]> {
        None
    }

    /// Names of the coordinates: the user's, or θ, or θ₁, θ₂, ….
    fn names(&self) -> Vec<String> {
        match (self.variables(), self.dimension()) {
            (Some(variables), _) => variables.to_vec(),
            (None, 1) => vec!["θ".to_owned()],
            (None, d) => (1..=d).map(|i| format!("θ{}", subscript(i))).collect(),
        }
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
    /// The examples of a network.
    #[error(transparent)]
    Examples(#[from] ExamplesError),
    /// Examples that a network does not take.
    #[error(transparent)]
    Mismatch(#[from] MismatchError),
    /// A network that was read back from a result.
    #[error("the description of a network in a result has no examples; read its scenario again, which loads them")]
    NoData,
}

/// Reads the keys of a kind; `Given` are the data, for a kind that takes any.
type Reader = fn(&Table<'_>, &Given) -> Option<LossKind>;

const KINDS: [(&str, Reader); 4] = [
    ("expression", |table, _| ExpressionSpec::read(table).map(LossKind::Expression)),
    ("wells", |table, _| WellsSpec::read(table).map(LossKind::Wells)),
    ("quadratic", |table, _| QuadraticSpec::read(table).map(LossKind::Quadratic)),
    ("network", |table, data| NetworkSpec::read(table, data).map(LossKind::Network)),
];

/// Kinds of later versions.
const LATER: [&str; 2] = ["reparametrized", "regression"];

impl LossKind {
    fn described(&self) -> &dyn Described {
        match self {
            Self::Expression(spec) => spec,
            Self::Wells(spec) => spec,
            Self::Quadratic(spec) => spec,
            Self::Network(spec) => spec,
        }
    }
}

impl LossSpec {
    /// What a network learns from; `None` for other losses, and in a description that was read back from a result.
    pub fn data(&self) -> Option<&Arc<Data>> {
        match &self.kind {
            LossKind::Network(network) => network.data.as_ref(),
            _ => None,
        }
    }

    /// Reads the table `[loss]` beside the data that the scenario gives.
    pub(crate) fn read(table: &Table<'_>, data: &Given) -> Option<Self> {
        let read = table.choice("kind", "the kind of loss", &KINDS, &LATER)?;
        let kind = read(table, data);
        let default = kind.as_ref().map(|kind| kind.described().default_domain());
        let domain = if table.has("domain") || default == Some(None) {
            read_domain(table)
        } else {
            default.flatten().filter(|domain| {
                // A lone well at 1e20, say, is wider than one unit of floating point only if it is very flat.
                let sound = domain.iter().all(|[low, high]| low < high && low.abs().max(high.abs()) <= LARGEST);
                if !sound {
                    table.problem(
                        "domain",
                        "missing, and cannot be guessed from such positions; give one [low, high] per coordinate",
                    );
                }
                sound
            })
        };
        let starts = read_starts(table, kind.as_ref().map(|kind| kind.described().dimension()));
        table.finish();
        let (kind, domain, starts) = (kind?, domain?, starts?);
        let d = kind.described().dimension();
        let is_searched = table.has("domain") || !domain.is_empty();
        if is_searched && domain.len() != d {
            let pairs = domain.len();
            // The names of a large network's weights would take gigabytes.
            let names = (d <= MOST_NAMED)
                .then(|| format!(", for {}", crate::input::shorten(&kind.described().names().join(", "))));
            let message = format!(
                "found {pairs} pair(s) [low, high]; {d} needed{}; give one for each coordinate",
                names.unwrap_or_default()
            );
            table.problem("domain", message);
            return None;
        }
        Some(Self { kind, domain, starts })
    }

    /// Number of parameters d.
    pub fn dimension(&self) -> usize {
        self.kind.described().dimension()
    }

    /// Names of the coordinates: the user's, or θ, or θ₁, θ₂, ….
    pub fn variables(&self) -> Vec<String> {
        self.kind.described().names()
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

/// The number of starts, of a loss that has a random search.
fn read_starts(table: &Table<'_>, dimension: Option<usize>) -> Option<Option<u64>> {
    if dimension == Some(1) {
        let message = "found `starts` beside a loss of one dimension, whose minima are found by a scan of the whole domain; remove it";
        table.refuse("starts", message);
        return Some(None);
    }
    let starts = Integer {
        what: "the number of points from which descents look for minima",
        example: "1000",
        range: 1..=MOST_STARTS,
        reason: "more would take hours",
    };
    table.optional_integer("starts", &starts)
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
