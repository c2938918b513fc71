//! Reading lists of numbers and matrices.

use std::collections::BTreeMap;

use super::node::{Node, Value};
use super::numbers::Number;
use super::table::Table;

/// A number, a list of numbers, or a list of such lists: whatever was written where a matrix may stand.
#[derive(Clone, Debug, PartialEq)]
pub enum Grid {
    /// A number.
    Number(f64),
    /// A list of numbers.
    List(Vec<f64>),
    /// Lists of numbers, not necessarily of one length.
    Rows(Vec<Vec<f64>>),
}

/// Of a long list, so many wrong elements are told.
const TOLD: usize = 5;

impl Table<'_> {
    /// A list of numbers that must be given, at least one.
    pub fn numbers(&self, key: &str, expected: &Number) -> Option<Vec<f64>> {
        let Some(node) = self.get(key) else {
            self.missing(key, expected.what, expected.example);
            return None;
        };
        self.list(key, node, expected)
    }

    /// Lists of numbers that must be given, at least one of at least one each.
    pub fn rows(&self, key: &str, expected: &Number) -> Option<Vec<Vec<f64>>> {
        let Some(node) = self.get(key) else {
            self.missing(key, expected.what, expected.example);
            return None;
        };
        let path = self.path_to(key);
        let advice = format!("{} must be a list of lists of numbers, for example {}", expected.what, expected.example);
        let Value::List(rows) = &node.value else {
            self.wrong_kind(key, node, &advice);
            return None;
        };
        if rows.is_empty() || !rows.iter().all(|row| matches!(row.value, Value::List(_))) {
            self.wrong_kind(key, node, &advice);
            return None;
        }
        let read: Vec<_> =
            rows.iter().enumerate().map(|(i, row)| self.elements(&format!("{path}[{i}]"), row, expected)).collect();
        read.into_iter().collect()
    }

    /// A matrix as a number (times the identity), a list (the diagonal) or rows; it must be given.
    pub fn grid(&self, key: &str, expected: &Number) -> Option<Grid> {
        let Some(node) = self.get(key) else {
            self.missing(key, expected.what, expected.example);
            return None;
        };
        match &node.value {
            Value::List(elements) if elements.iter().any(|element| matches!(element.value, Value::List(_))) => {
                self.rows(key, expected).map(Grid::Rows)
            }
            Value::List(_) => self.list(key, node, expected).map(Grid::List),
            Value::Integer(_) | Value::Float(_) => self.number(key, expected).map(Grid::Number),
            _ => {
                let advice = format!(
                    "{} must be a number, a list of numbers (the diagonal) or a list of rows, for example {}",
                    expected.what, expected.example
                );
                self.wrong_kind(key, node, &advice);
                None
            }
        }
    }

    /// A table of named numbers; none where it was left out.
    pub fn named_numbers(&self, key: &str, expected: &Number) -> Option<BTreeMap<String, f64>> {
        let Some(table) = self.optional_table(key)? else { return Some(BTreeMap::new()) };
        let mut numbers = BTreeMap::new();
        for (name, node) in table.entries() {
            match expected.check(&table, node) {
                Ok(number) => {
                    numbers.insert(name.clone(), number);
                }
                Err(message) => table.problem(name, message),
            }
        }
        (numbers.len() == table.entries().len()).then_some(numbers)
    }

    fn list(&self, key: &str, node: &Node, expected: &Number) -> Option<Vec<f64>> {
        let path = self.path_to(key);
        match &node.value {
            Value::List(elements) if !elements.is_empty() => self.elements(&path, node, expected),
            _ => {
                let advice = format!("{} must be a list of numbers, for example {}", expected.what, expected.example);
                self.wrong_kind(key, node, &advice);
                None
            }
        }
    }

    /// The numbers of a list, or the first few that are none.
    fn elements(&self, path: &str, node: &Node, expected: &Number) -> Option<Vec<f64>> {
        let Value::List(elements) = &node.value else { return None };
        if elements.is_empty() {
            let message =
                format!("found an empty list; {} must have numbers, for example {}", expected.what, expected.example);
            self.report(&node.origin, path, message);
            return None;
        }
        let mut numbers = Vec::with_capacity(elements.len());
        let mut wrong = 0;
        for (index, element) in elements.iter().enumerate() {
            match expected.check(self, element) {
                Ok(number) => numbers.push(number),
                Err(message) => {
                    wrong += 1;
                    if wrong <= TOLD {
                        self.report(&element.origin, &format!("{path}[{index}]"), message);
                    }
                }
            }
        }
        (wrong == 0).then_some(numbers)
    }
}
