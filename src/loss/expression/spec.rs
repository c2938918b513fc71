//! `loss.kind = "expression"`: how a formula stands in a scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Expression, FormulaError};
use crate::input::{Number, Table, nearest, shorten};
use crate::loss::Loss;
use crate::loss::spec::{Described, LossError};

/// A typed formula in named variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpressionSpec {
    /// The coordinates of θ, in order.
    pub variables: Vec<String>,
    /// Named constants.
    pub parameters: BTreeMap<String, f64>,
    /// L(θ).
    pub formula: String,
}

/// Names that a formula gives a meaning of its own.
const RESERVED: [&str; 16] = [
    "pi", "e", "sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "abs", "min", "max", "softplus",
    "sigmoid",
];

/// Exploring the landscape of a formula of this size takes some ten seconds.
const MOST_OPERATIONS: usize = 20_000;

impl ExpressionSpec {
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let variables = table.texts("variables", "the names of the coordinates, in order,", "[\"x\"]");
        let parameters = table.named_numbers("parameters", &Number::any("a parameter of the formula", "0.1"));
        let formula = table.text("formula", "the loss as a formula", "x^4/4 - x^2/2");
        let variables = variables.filter(|variables| variables_are_sound(table, variables));
        let parameters = parameters
            .filter(|parameters| parameters_are_sound(table, parameters, variables.as_deref().unwrap_or_default()));
        Self { variables: variables?, parameters: parameters?, formula: formula? }.checked(table, "formula")
    }

    /// The description if it is of a formula, which stands under `key`; what is wrong with it is told.
    pub(crate) fn checked(self, table: &Table<'_>, key: &str) -> Option<Self> {
        match self.expression() {
            Ok(expression) if expression.operations() > MOST_OPERATIONS => {
                let message = format!(
                    "the gradient of the formula takes {} operations; at most {MOST_OPERATIONS} are allowed in a \
                     scenario, since the landscape alone is some 100,000 gradients; write it more simply, or use \
                     the library",
                    expression.operations()
                );
                table.problem(key, message);
                None
            }
            Ok(_) => self.parameters_are_used(table).then_some(self),
            Err(error) => {
                table.problem_within(key, error.start, self.explain(&error));
                None
            }
        }
    }

    /// A parameter that does not stand in the formula is told where it looks like a slip: when it was typed after
    /// `--set`, or when it is nearly the name of another.
    fn parameters_are_used(&self, table: &Table<'_>) -> bool {
        let mut sound = true;
        for name in self.parameters.keys().filter(|name| !names_in(&self.formula).any(|used| used == name.as_str())) {
            let others = self.parameters.keys().map(String::as_str).filter(|other| *other != name);
            let meant = nearest(name, others);
            let key = format!("parameters.{name}");
            if meant.is_some() || table.is_overridden(&key) {
                let hint = meant.map_or(String::new(), |other| format!("did you mean `{other}`? "));
                let message = format!("`{}` does not stand in the formula; {hint}remove it, or use it", shorten(name));
                table.problem(&key, message);
                sound = false;
            }
        }
        sound
    }

    fn expression(&self) -> Result<Expression, FormulaError> {
        let parameters: Vec<_> = self.parameters.iter().map(|(name, value)| (name.clone(), *value)).collect();
        Expression::new(&self.variables, &parameters, &self.formula)
    }

    /// The error and where in the formula it is, which the place in the file does not show if the text has escapes.
    fn explain(&self, error: &FormulaError) -> String {
        let character = self.formula.get(..error.start).unwrap_or_default().chars().count() + 1;
        format!("{}; at character {character} of the formula", shorten(&error.to_string()))
    }
}

impl Described for ExpressionSpec {
    fn dimension(&self) -> usize {
        self.variables.len()
    }

    fn variables(&self) -> Option<&[String]> {
        Some(&self.variables)
    }

    fn build(&self) -> Result<Arc<dyn Loss>, LossError> {
        Ok(Arc::new(self.expression().map_err(LossError::Formula)?))
    }
}

/// The words of a formula. The exponent of a number such as 1e3 is no word.
fn names_in(formula: &str) -> impl Iterator<Item = &str> {
    formula
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// What keeps a name from being used in a formula.
fn fault(name: &str) -> Option<String> {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if !first || !characters.all(|c| c.is_alphanumeric() || c == '_') {
        return Some(format!(
            "`{}` cannot be a name in a formula; a name begins with a letter and has letters, digits and _ only, such as x_1",
            shorten(name)
        ));
    }
    RESERVED
        .contains(&name)
        .then(|| format!("`{name}` already has a meaning in formulas; choose another name, such as {name}_1"))
}

fn variables_are_sound(table: &Table<'_>, variables: &[String]) -> bool {
    let mut seen = BTreeSet::new();
    let mut sound = true;
    for (index, name) in variables.iter().enumerate() {
        let fault = fault(name).or_else(|| {
            (!seen.insert(name))
                .then(|| format!("`{name}` stands twice among the variables; each must have its own name"))
        });
        if let Some(fault) = fault {
            table.problem(&format!("variables[{index}]"), fault);
            sound = false;
        }
    }
    sound
}

/// Whether parameters can be names of a formula in these variables; what is wrong with them is told.
pub(crate) fn parameters_are_sound(
    table: &Table<'_>,
    parameters: &BTreeMap<String, f64>,
    variables: &[String],
) -> bool {
    let mut sound = true;
    for name in parameters.keys() {
        let fault = fault(name).or_else(|| {
            variables.contains(name).then(|| format!("`{name}` is also a variable; a parameter must have its own name"))
        });
        if let Some(fault) = fault {
            table.problem(&format!("parameters.{name}"), fault);
            sound = false;
        }
    }
    sound
}
