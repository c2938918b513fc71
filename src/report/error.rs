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
    /// A folder cannot take results.
    #[error("cannot {action} {}: {source}; give another folder with --out, in which you may write", path.display())]
    Unwritable {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A part of a result cannot be read.
    #[error(
        "cannot read {}: {source}; a result is a folder OUT/NAME with result.json, run.json and figures/, as `sgd-sde run` writes \
         it: name a whole one, or run its scenario again",
        path.display()
    )]
    Part {
        /// Which file or folder.
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
    #[error("{}: the tables that it was drawn from are missing; put them back beside it, or run the scenario again", path.display())]
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
        move |source| ReportError::File { action, path, source: bare(source) }
    }

    /// A folder that results cannot be written to.
    pub(super) fn unwritable(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ReportError {
        let path = path.to_path_buf();
        move |source| ReportError::Unwritable { action, path, source: bare(source) }
    }

    /// A part of a result that cannot be read.
    pub(super) fn part(path: &Path) -> impl FnOnce(std::io::Error) -> ReportError {
        let path = path.to_path_buf();
        move |source| ReportError::Part { path, source }
    }
}

/// What the operating system said, without the temporary file that `tempfile` names after it: nobody asked for that one.
fn bare(error: std::io::Error) -> std::io::Error {
    let text = error.to_string();
    match text.split_once(" at path \"") {
        Some((said, _)) => std::io::Error::new(error.kind(), said),
        None => error,
    }
}
