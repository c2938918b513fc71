//! Reading numbers and counts.

use std::ops::RangeInclusive;

use super::node::{Node, Value};
use super::table::Table;
use crate::plain::significant;

/// The smallest positive number that is accepted: its square and its inverse are still finite and not zero.
pub const SMALLEST: f64 = 1e-100;
/// The largest magnitude that is accepted.
pub const LARGEST: f64 = 1e100;

/// A number as a key expects it.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// What the number is, e.g. "η, the learning rate".
    pub what: &'static str,
    /// How one may look.
    pub example: &'static str,
    /// The least that is allowed.
    pub low: f64,
    /// The most that is allowed.
    pub high: f64,
}

impl Number {
    /// A number > 0.
    pub const fn positive(what: &'static str, example: &'static str) -> Self {
        Self { what, example, low: SMALLEST, high: LARGEST }
    }

    /// A number of either sign.
    pub const fn any(what: &'static str, example: &'static str) -> Self {
        Self { what, example, low: -LARGEST, high: LARGEST }
    }

    fn allowed(&self) -> String {
        if self.low == SMALLEST && self.high == LARGEST {
            format!("a positive number ({SMALLEST:e} to {LARGEST:e})")
        } else {
            format!("a number from {} to {}", significant(self.low, 15), significant(self.high, 15))
        }
    }

    /// The number, or what is wrong with it.
    pub(super) fn check(&self, table: &Table<'_>, node: &Node) -> Result<f64, String> {
        self.check_as(self.what, table, node)
    }

    /// The number, which messages call `what`, or what is wrong with it.
    pub(super) fn check_as(&self, what: &str, table: &Table<'_>, node: &Node) -> Result<f64, String> {
        let allowed = self.allowed();
        let number = match &node.value {
            Value::Float(number) => *number,
            Value::Integer(integer) => *integer as f64,
            Value::Text(text) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
                return Err(format!(
                    "found {}; {what} must be {allowed}; write it without the quotes",
                    table.describe(node)
                ));
            }
            _ => {
                return Err(format!(
                    "found {}; {what} must be {allowed}, for example {}",
                    table.describe(node),
                    self.example
                ));
            }
        };
        if number.is_nan() {
            return Err(format!(
                "found nan, which is not a number; {what} must be {allowed}, for example {}",
                self.example
            ));
        }
        if !(self.low..=self.high).contains(&number) {
            return Err(format!(
                "found {}; {what} must be {allowed}, for example {}",
                table.describe(node),
                self.example
            ));
        }
        // −0 would print as another number than it is.
        Ok(number + 0.0)
    }
}

/// A whole number as a key expects it.
#[derive(Clone, Debug)]
pub struct Integer {
    /// What the number is, e.g. "S, the batch size".
    pub what: &'static str,
    /// How one may look.
    pub example: &'static str,
    /// What is allowed; at most 2^63 − 1, since TOML's integers have 64 bits with a sign.
    pub range: RangeInclusive<u64>,
    /// Why not more or less; may be empty.
    pub reason: &'static str,
}

impl Integer {
    fn check(&self, table: &Table<'_>, node: &Node) -> Result<u64, String> {
        let Self { what, example, range, reason } = self;
        let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        let allowed = if *range.end() == i64::MAX as u64 && reason.is_empty() {
            format!("{what} must be a whole number, at least {}", range.start())
        } else {
            format!("{what} must be a whole number from {} to {}{reason}", range.start(), range.end())
        };
        let found = table.describe(node);
        let integer = match &node.value {
            Value::Integer(integer) => *integer,
            // 2e6 is how people write two million, and exact up to 2^53.
            Value::Float(number) if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 => *number as i128,
            Value::Float(number) if number.is_finite() && number.fract() != 0.0 => {
                let near = (number.round().max(0.0) as u64).clamp(*range.start(), *range.end());
                return Err(format!("found {found}, which is not whole; {allowed}; {near} would do"));
            }
            Value::Float(number) if number.is_finite() => {
                return Err(format!("found {found}; {allowed}; write it out in digits, for example {example}"));
            }
            Value::Float(_) => {
                return Err(format!("found {found}, which is not a number; {allowed}, for example {example}"));
            }
            Value::Text(text) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
                return Err(format!("found {found}; {allowed}; write it without the quotes"));
            }
            _ => return Err(format!("found {found}; {allowed}, for example {example}")),
        };
        match u64::try_from(integer) {
            Ok(integer) if range.contains(&integer) => Ok(integer),
            _ => Err(format!("found {found}; {allowed}, for example {example}")),
        }
    }
}

impl Table<'_> {
    /// A number that must be given.
    pub fn number(&self, key: &str, expected: &Number) -> Option<f64> {
        match self.optional_number(key, expected)? {
            Some(number) => Some(number),
            None => {
                self.missing(key, expected.what, expected.example);
                None
            }
        }
    }

    /// A number, or `Some(None)` where it was left out.
    pub fn optional_number(&self, key: &str, expected: &Number) -> Option<Option<f64>> {
        let Some(node) = self.get(key) else { return Some(None) };
        match expected.check(self, node) {
            Ok(number) => Some(Some(number)),
            Err(message) => {
                self.problem(key, message);
                None
            }
        }
    }

    /// A number with a default.
    pub fn number_or(&self, key: &str, expected: &Number, default: f64) -> Option<f64> {
        Some(self.optional_number(key, expected)?.unwrap_or(default))
    }

    /// A whole number that must be given.
    pub fn integer(&self, key: &str, expected: &Integer) -> Option<u64> {
        match self.optional_integer(key, expected)? {
            Some(integer) => Some(integer),
            None => {
                self.missing(key, expected.what, expected.example);
                None
            }
        }
    }

    /// A whole number, or `Some(None)` where it was left out.
    pub fn optional_integer(&self, key: &str, expected: &Integer) -> Option<Option<u64>> {
        let Some(node) = self.get(key) else { return Some(None) };
        match expected.check(self, node) {
            Ok(integer) => Some(Some(integer)),
            Err(message) => {
                self.problem(key, message);
                None
            }
        }
    }

    /// A whole number with a default.
    pub fn integer_or(&self, key: &str, expected: &Integer, default: u64) -> Option<u64> {
        Some(self.optional_integer(key, expected)?.unwrap_or(default))
    }
}
