//! The names a formula may use: variables, parameters, constants and functions.

use std::collections::HashMap;

use super::error::{FormulaError, excerpt};
use super::graph::{Graph, NodeId};
use super::lexer::is_name;
use super::operation::{Binary, Unary};

/// A function of a formula.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    /// One argument.
    Of(Unary),
    /// Two or more arguments, taken together from the left.
    Fold(Binary),
}

pub(super) const FUNCTIONS: [(&str, Function); 14] = [
    ("sqrt", Function::Of(Unary::Sqrt)),
    ("exp", Function::Of(Unary::Exp)),
    ("log", Function::Of(Unary::Ln)),
    ("sin", Function::Of(Unary::Sin)),
    ("cos", Function::Of(Unary::Cos)),
    ("tan", Function::Of(Unary::Tan)),
    ("tanh", Function::Of(Unary::Tanh)),
    ("sinh", Function::Of(Unary::Sinh)),
    ("cosh", Function::Of(Unary::Cosh)),
    ("abs", Function::Of(Unary::Abs)),
    ("softplus", Function::Of(Unary::Softplus)),
    ("sigmoid", Function::Of(Unary::Logistic)),
    ("min", Function::Fold(Binary::Minimum)),
    ("max", Function::Fold(Binary::Maximum)),
];

const CONSTANTS: [(&str, f64); 2] = [("pi", std::f64::consts::PI), ("e", std::f64::consts::E)];

/// What other languages write, and what to write here.
const SYNONYMS: [(&str, &str); 12] = [
    ("ln", "log"),
    ("π", "pi"),
    ("tg", "tan"),
    ("sh", "sinh"),
    ("ch", "cosh"),
    ("th", "tanh"),
    ("fabs", "abs"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("pow", "x^y"),
    ("logistic", "sigmoid"),
    ("relu", "max(x, 0)"),
];

/// Names longer than this are not compared with others.
const LONGEST_COMPARED: usize = 64;
/// So many names are listed in a message.
const LONGEST_LIST: usize = 12;

pub(super) fn function(name: &str) -> Option<Function> {
    FUNCTIONS.iter().find(|(known, _)| *known == name).map(|&(_, function)| function)
}

/// What a formula's names stand for.
pub(super) struct Names<'a> {
    values: HashMap<&'a str, NodeId>,
    /// In the order in which they were declared, for messages.
    order: Vec<&'a str>,
}

impl<'a> Names<'a> {
    /// Checks variables and parameters, and gives every name its node.
    pub(super) fn new(
        graph: &mut Graph,
        variables: &'a [String],
        parameters: &'a [(String, f64)],
    ) -> Result<Names<'a>, FormulaError> {
        if variables.is_empty() {
            return Err(FormulaError::new(0, 0, "a formula needs at least one variable"));
        }
        let mut names = Names { values: HashMap::new(), order: Vec::new() };
        let mut kinds: HashMap<&str, &str> = HashMap::new();
        for (index, name) in variables.iter().enumerate() {
            declare(&mut kinds, name, "variable")?;
            names.insert(name, graph.input(index));
        }
        for (name, value) in parameters {
            declare(&mut kinds, name, "parameter")?;
            if !value.is_finite() {
                let message = format!("parameter `{}` is {value}, but must be finite", excerpt(name));
                return Err(FormulaError::new(0, 0, message));
            }
            names.insert(name, graph.constant(*value));
        }
        for (name, value) in CONSTANTS {
            names.insert(name, graph.constant(value));
        }
        Ok(names)
    }

    fn insert(&mut self, name: &'a str, node: NodeId) {
        self.values.insert(name, node);
        self.order.push(name);
    }

    pub(super) fn value(&self, name: &str) -> Option<NodeId> {
        self.values.get(name).copied()
    }

    /// The error for a name that nothing knows, found at `start`.
    pub(super) fn unknown(&self, name: &str, start: usize, is_called: bool) -> FormulaError {
        let end = start + name.len();
        let kind = if is_called { "function" } else { "name" };
        let error = FormulaError::new(start, end, format!("unknown {kind} `{}`", excerpt(name)));
        if let Some(suggestion) = self.closest(name, is_called) {
            return error.suggest(suggestion);
        }
        let list = if is_called {
            FUNCTIONS.map(|(known, _)| known).join(", ")
        } else {
            let mut list = self.order.iter().take(LONGEST_LIST).map(|known| excerpt(known)).collect::<Vec<_>>();
            if self.order.len() > LONGEST_LIST {
                list.push("…".to_owned());
            }
            list.join(", ")
        };
        FormulaError::new(start, end, format!("{}; known are {list}", error.message))
    }

    fn closest(&self, name: &str, is_called: bool) -> Option<String> {
        if let Some((_, replacement)) = SYNONYMS.iter().find(|(synonym, _)| *synonym == name) {
            return Some((*replacement).to_owned());
        }
        let length = name.chars().count();
        if length > LONGEST_COMPARED {
            return None;
        }
        // `xy` where x and y are known: a forgotten `*`.
        if !is_called {
            let split = name.char_indices().skip(1).map(|(at, _)| name.split_at(at));
            for (left, right) in split {
                if self.values.contains_key(left) && self.values.contains_key(right) {
                    return Some(format!("{left}*{right}"));
                }
            }
        }
        let functions = FUNCTIONS.iter().map(|&(known, _)| known);
        let values = self.order.iter().copied();
        // What a name is used as comes first among equally close ones.
        let (first, second): (Vec<&str>, Vec<&str>) =
            if is_called { (functions.collect(), values.collect()) } else { (values.collect(), functions.collect()) };
        let lower = name.to_lowercase();
        first
            .into_iter()
            .chain(second)
            .filter(|known| known.len() <= 4 * LONGEST_COMPARED)
            .map(|known| {
                let same_letters = known.to_lowercase() == lower;
                let distance = if same_letters { 0 } else { strsim::damerau_levenshtein(known, name) };
                (distance, known)
            })
            .filter(|&(distance, _)| distance == 0 || (distance <= 1.max(length / 3) && distance < length))
            .min_by_key(|&(distance, _)| distance)
            .map(|(_, known)| known.to_owned())
    }
}

fn declare<'a>(kinds: &mut HashMap<&'a str, &'a str>, name: &'a str, kind: &'a str) -> Result<(), FormulaError> {
    let shown = excerpt(name);
    let refuse = |message: String| Err(FormulaError::new(0, 0, message));
    if !is_name(name) {
        return refuse(format!(
            "{kind} `{shown}` is not a name: a name has letters, digits and _, and does not begin with a digit"
        ));
    }
    if function(name).is_some() {
        return refuse(format!("{kind} `{shown}` has the name of a function"));
    }
    if CONSTANTS.iter().any(|(constant, _)| *constant == name) {
        return refuse(format!("{kind} `{shown}` has the name of a constant"));
    }
    match kinds.insert(name, kind) {
        Some(earlier) if earlier == kind => refuse(format!("{kind} `{shown}` is declared twice")),
        Some(earlier) => refuse(format!("`{shown}` is both a {earlier} and a {kind}")),
        None => Ok(()),
    }
}
