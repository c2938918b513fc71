//! The tree of values, each with where it was written.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where something was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Origin {
    /// Bytes of the file.
    File { start: usize, end: usize },
    /// An argument of the command line, and the part of it that gives the value.
    Argument { argument: Arc<str>, value: Arc<str> },
}

/// A value and where it and its key were written.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub value: Value,
    /// Of the value; of a table, its header.
    pub origin: Origin,
    /// Of the key; of an element of a list, the element itself.
    pub key: Origin,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Date(String),
    List(Vec<Node>),
    Table(Entries),
}

/// The entries of a table, sorted by key.
pub(crate) type Entries = Vec<(String, Node)>;

impl Node {
    /// What kind of value this is, with its article.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a text",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Boolean(_) => "true or false",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The places alone.
    pub fn without_value(&self) -> Self {
        Self { value: Value::Boolean(false), origin: self.origin.clone(), key: self.key.clone() }
    }

    /// Whether the value holds others by name.
    pub fn is_table(&self) -> bool {
        matches!(self.value, Value::Table(_))
    }

    /// Where a problem with this value is told: at the value, and for a table at its name.
    pub fn place(&self) -> &Origin {
        if self.is_table() { &self.key } else { &self.origin }
    }

    /// The node at a path and true, or the last one on the way to it and false.
    pub fn find(&self, path: &[&str]) -> (&Node, bool) {
        let mut node = self;
        for segment in path {
            let child = match &node.value {
                Value::Table(entries) => {
                    let index = entries.binary_search_by(|(name, _)| name.as_str().cmp(segment)).ok();
                    index.and_then(|index| entries.get(index)).map(|(_, child)| child)
                }
                Value::List(elements) => segment.parse().ok().and_then(|index: usize| elements.get(index)),
                _ => None,
            };
            match child {
                Some(child) => node = child,
                None => return (node, false),
            }
        }
        (node, true)
    }
}

/// Our tree of a parsed table. `origin` turns a range of bytes into an origin: of the file, or the argument it is in.
///
/// Recursive: [`super::guard`] has bounded the depth.
pub(crate) fn entries(table: &DeTable<'_>, origin: &dyn Fn(std::ops::Range<usize>) -> Origin) -> Entries {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), node(value, Some(key.span()), origin))).collect()
}

pub(crate) fn node(
    spanned: &Spanned<DeValue<'_>>,
    key: Option<std::ops::Range<usize>>,
    origin: &dyn Fn(std::ops::Range<usize>) -> Origin,
) -> Node {
    let value = match spanned.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Value::Integer(integer),
            // Beyond 128 bits: as a number it is at least told to be too large.
            Err(_) => Value::Float(integer.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(array) => Value::List(array.iter().map(|element| node(element, None, origin)).collect()),
        DeValue::Table(table) => Value::Table(entries(table, origin)),
    };
    let written = origin(spanned.span());
    let key = key.map_or_else(|| written.clone(), origin);
    Node { value, origin: written, key }
}
