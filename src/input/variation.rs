//! Variations of a document: values that are written in one place of it, put in another.

use super::document::Document;
use super::node::{Node, Value};
use super::overrides::{put, segments};
use super::source::Source;

/// A value that takes the place of another.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Where it goes: any key that `--set` accepts.
    pub path: &'a str,
    /// Under which key that path is written: problems with the path itself are told there.
    pub path_key: &'a str,
    /// Under which key the value is written: problems with the value are told there.
    pub value_key: &'a str,
}

impl Source {
    /// The document without one of the keys at its top.
    pub fn without(&self, key: &str) -> Document {
        // Not cloned and then dropped: the table may be the largest part of the document.
        let Value::Table(entries) = &self.document.root.value else { return self.document.clone() };
        let kept = entries.iter().filter(|(name, _)| name != key).cloned().collect();
        let root = Node { value: Value::Table(kept), ..self.document.root.without_value() };
        self.document.with_root(root)
    }

    /// Puts a value of this document into another one, as `--set` does.
    ///
    /// # Errors
    /// When the path leads through something that holds no keys; what is wrong, in words.
    pub fn put_into(&self, document: &mut Document, change: Change<'_>) -> Result<(), String> {
        let path = segments(change.path).unwrap_or_default();
        let value = self.find(change.value_key).0;
        let node = Node { key: self.find(change.path_key).0.origin.clone(), ..value.clone() };
        put(&mut document.root, &path, node)
    }
}

/// Whether one of two keys is the other or lies within it, however they are written (`a[0].b`, `a.0.b`); `None` if
/// one of them is no key.
pub fn same_or_within(one: &str, other: &str) -> Option<bool> {
    Some(lies_within(one, other)? || lies_within(other, one)?)
}

/// Whether a key is `whole` or lies within it; `None` if one of them is no key.
pub fn lies_within(key: &str, whole: &str) -> Option<bool> {
    Some(segments(key)?.starts_with(&segments(whole)?))
}
