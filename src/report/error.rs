//! What can go wrong between findings and files.

use std::path::{Path, PathBuf};

/// Why a report could not be written, drawn or read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb: `write`, `read`, `replace`.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A document is not the JSON it should be.
    #[error("{}: {source}", path.display())]
    Json {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// A document is JSON, but no result.
    #[error(
        "{}: found {found} where the result of a run belongs, as sgd-sde writes it to OUT/NAME/result.json; name the folder of a \
         result, or run the scenario",
        path.display()
    )]
    NoResult {
        /// Which file.
        path: PathBuf,
        /// What it holds.
        found: &'static str,
    },
    /// A table is not the CSV it should be.
    #[error("{}, line {line}: {problem}", path.display())]
    Table {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What was found and what is allowed.
        problem: String,
    },
    /// A scenario's name cannot name a folder.
    #[error("`{name}` cannot name an output folder: letters, digits, - and _ only")]
    Name {
        /// As it was given.
        name: String,
    },
    /// Figure data whose parts do not fit together.
    #[error("the data of figure `{figure}` do not fit together: {problem}")]
    Inconsistent {
        /// Which figure.
        figure: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// A figure without the tables that it was drawn from.
    #[error("{}: the tables that it was drawn from are missing", path.display())]
    NoData {
        /// The drawing.
        path: PathBuf,
    },
    /// Another process writes the same result.
    #[error(
        "{} is being written by another sgd-sde: wait until it has ended, or give another --out",
        path.display()
    )]
    Busy {
        /// Which folder.
        path: PathBuf,
    },
    /// The drawing library refused.
    #[error("cannot draw: {0}")]
    Drawing(String),
}

impl ReportError {
    /// A file error with what was tried and where.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ReportError {
        let path = path.to_path_buf();
        move |source| ReportError::File { action, path, source }
    }
}
