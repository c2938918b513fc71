//! From findings to what people read: terminal tables, `result.json`, figures and a page.
//!
//! Everything here reads [`crate::findings`] only, so figures and pages can be redrawn from saved results ([`load`])
//! without simulating. Nothing here prints: functions return text or write files, whole or not at all.

pub mod record;
pub mod text;

mod csv;
mod error;
mod figure;
mod html;
mod number;
mod points;
mod table;
mod words;
mod write;

pub use csv::{load_figures, save_figures};
pub use error::ReportError;
pub use record::RunRecord;
pub use text::Style;
pub use write::{Saved, load, require_writable, save, to_json, write_atomically};
