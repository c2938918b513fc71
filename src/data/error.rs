//! What is wrong with a data set, and which key of `[data]` it concerns.

use thiserror::Error;

use crate::input::{Problem, Source, shorten};

/// Why a data set cannot be had. The message says what was found and where, what is allowed and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{key}: {message}")]
pub struct DataError {
    /// The key of the scenario that it concerns, such as `data.images`.
    pub key: String,
    /// What was found; what is allowed; what to do.
    pub message: String,
}

impl DataError {
    /// An error with a key of `[data]`.
    pub(super) fn new(key: &str, message: impl Into<String>) -> Self {
        Self { key: format!("data.{key}"), message: message.into() }
    }

    /// An error with the file that a key names.
    pub(super) fn in_file(key: &str, path: &str, message: impl AsRef<str>) -> Self {
        Self::new(key, format!("\"{}\": {}", shorten(path), message.as_ref()))
    }

    /// The same told at the line and column of its key.
    pub fn located(&self, source: &Source) -> Problem {
        source.problem(&self.key, self.message.clone())
    }
}
