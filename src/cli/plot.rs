//! `sgd-sde plot`: figures and report again, from saved results alone.

use std::path::PathBuf;

use sgd_sde::report;

use super::Failure;
use super::output::message;

/// Redraws one result after the other. One that is damaged is left as it is and does not keep the others from being
/// redrawn; the last failure is told last.
pub(super) fn plot(folders: &[PathBuf]) -> Result<(), Failure> {
    let mut failed: Option<Failure> = None;
    for folder in folders {
        match report::redraw(folder) {
            Ok(files) => message(&format!("redrew {} files of {}", files.len(), folder.display())),
            Err(error) => {
                if let Some(earlier) = failed.replace(error.into()) {
                    message(&format!("sgd-sde: {earlier}"));
                }
            }
        }
    }
    failed.map_or(Ok(()), Err)
}
