//! The places of keys, kept after reading.

use std::path::Path;

use super::document::Document;
use super::node::Node;
use super::overrides::segments;
use super::problem::{Location, Problem};

/// Where every key of a scenario was written: for problems that only a computation can find.
#[derive(Clone, Debug)]
pub struct Source {
    pub(super) document: Document,
}

impl Source {
    /// The places of a document.
    pub fn new(document: Document) -> Self {
        Self { document }
    }

    /// The file as messages call it.
    pub fn file(&self) -> &str {
        &self.document.file
    }

    /// The folder of the file, at which relative paths in it start; empty, which is the current folder, for a shipped scenario.
    pub fn folder(&self) -> &Path {
        self.document.folder()
    }

    /// A problem with a key, such as `dynamics.step`, told where its value was written; a key that was left out is
    /// told at the nearest table around it.
    pub fn problem(&self, key: &str, message: impl Into<String>) -> Problem {
        Problem { location: self.location(key), key: key.to_owned(), message: message.into() }
    }

    /// Where the value of a key was written, a table's header for a table, the nearest table around it if left out.
    pub fn location(&self, key: &str) -> Location {
        self.document.locate(self.find(key).0.place())
    }

    /// Where byte `offset` of a text's content lies.
    pub fn location_within(&self, key: &str, offset: usize) -> Location {
        self.document.within_text(self.find(key).0, offset)
    }

    /// Whether the user gave the key, in the file or on the command line.
    pub fn has(&self, key: &str) -> bool {
        self.find(key).1
    }

    /// The node of a key and true, or its nearest parent and false.
    pub(super) fn find(&self, key: &str) -> (&Node, bool) {
        self.document.root.find(&segments(key).unwrap_or_default())
    }
}
