//! From findings to what people read: terminal tables, `result.json`, figures and a page.
//!
//! Everything here reads [`crate::findings`] only, so figures and pages can be redrawn from saved results ([`load`])
//! without simulating. Nothing here prints: functions return text or write files, whole or not at all.

pub mod record;
pub mod text;

mod compare;
mod csv;
mod error;
mod figure;
mod foreign;
mod gradient_noise;
mod groups;
mod html;
mod lock;
mod number;
mod points;
mod redraw;
mod table;
mod words;
mod write;

pub use compare::compare;
pub use csv::{load_figures, save_figures};
pub use error::ReportError;
pub use foreign::require_replaceable;
pub use lock::{Lock, lock};
pub use record::RunRecord;
pub use redraw::redraw;
pub use text::Style;
pub use write::{
    Extra, STATE, Saved, load, load_findings, require_writable, save, save_with, to_json, write_atomically,
};
