//! Reading truth values and lists of anything.

use super::node::{Node, Value};
use super::table::Table;

impl Table<'_> {
    /// True or false with a default.
    pub fn boolean_or(&self, key: &str, what: &str, default: bool) -> Option<bool> {
        let Some(node) = self.get(key) else { return Some(default) };
        if let Value::Boolean(boolean) = node.value {
            return Some(boolean);
        }
        self.wrong_kind(key, node, &format!("{what} must be true or false"));
        None
    }

    /// A list of values of any kind that must be given, at least one. A date is taken as its text.
    pub fn values(&self, key: &str, what: &str, example: &str) -> Option<Vec<toml::Value>> {
        let Some(node) = self.get(key) else {
            self.missing(key, what, example);
            return None;
        };
        match &node.value {
            Value::List(elements) if !elements.is_empty() => Some(elements.iter().map(plain).collect()),
            _ => {
                self.wrong_kind(
                    key,
                    node,
                    &format!("{what} must be a list with at least one value, for example {example}"),
                );
                None
            }
        }
    }
}

/// The value without its places.
fn plain(node: &Node) -> toml::Value {
    match &node.value {
        Value::Text(text) | Value::Date(text) => toml::Value::String(text.clone()),
        // Beyond 64 bits it can only be meant as a number.
        Value::Integer(integer) => {
            i64::try_from(*integer).map_or(toml::Value::Float(*integer as f64), toml::Value::Integer)
        }
        Value::Float(number) => toml::Value::Float(*number),
        Value::Boolean(boolean) => toml::Value::Boolean(*boolean),
        Value::List(elements) => toml::Value::Array(elements.iter().map(plain).collect()),
        Value::Table(entries) => {
            toml::Value::Table(entries.iter().map(|(key, node)| (key.clone(), plain(node))).collect())
        }
    }
}
