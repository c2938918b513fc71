//! TOML as located values, and problems: a leaf that knows nothing of scenarios.
//!
//! A file becomes a [`Document`]: a tree of values, each with the place it was written at, be it a line and column
//! or a `--set` argument. A [`Table`] reads values out of it and checks them one by one; whatever is wrong becomes a
//! [`Problem`], and reading goes on, so that a user hears of all independent mistakes at once. After reading, a
//! [`Source`] keeps the places, so that what only a computation can find is still told with line and column.

mod document;
mod guard;
mod lists;
mod node;
mod numbers;
mod overrides;
mod problem;
mod source;
mod table;
mod texts;
mod values;
mod variation;

pub use document::{Document, LARGEST_FILE};
pub use lists::Grid;
pub use numbers::{Integer, LARGEST, Number, SMALLEST};
pub use problem::{Location, Problem, Problems, nearest, shorten};
pub use source::Source;
pub use table::{Context, Table};
pub use variation::{Change, lies_within, same_or_within};
