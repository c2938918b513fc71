//! The one place that prints.

use std::io::{ErrorKind, Write};

use super::Failure;

/// Writes a result to standard output. A reader who has seen enough (`sgd-sde list | head`) is no failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Refused(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a message to standard error; if even that is closed, there is nobody to tell.
pub(super) fn message(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
