//! The table `[data]`, loaded as soon as it is read: its width is that of a network.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data::{Data, DataError, DataSpec};
use crate::input::Table;
use crate::loss::network::Given;
use crate::loss::{LossKind, LossSpec};
use crate::memo::Memo;

/// The last few data: the points of a study mostly share them.
static LOADED: Memo<(DataSpec, u64, PathBuf), Arc<Data>> = Memo::of(2);

/// The description, `Some(None)` where it was left out, and the data themselves. Without a seed, which is wrong then, nothing is loaded.
pub(super) fn read(root: &Table<'_>, seed: Option<u64>) -> (Option<Option<DataSpec>>, Given) {
    let table = match root.optional_table("data") {
        Some(Some(table)) => table,
        Some(None) => return (Some(None), Given::Absent),
        None => return (None, Given::Broken),
    };
    let (Some(spec), Some(seed)) = (DataSpec::read(&table), seed) else { return (None, Given::Broken) };
    match load(&spec, seed, root.folder()) {
        Ok(data) => (Some(Some(spec)), Given::Loaded(data)),
        Err(error) => {
            root.problem(&error.key, error.message);
            (None, Given::Broken)
        }
    }
}

fn load(spec: &DataSpec, seed: u64, folder: PathBuf) -> Result<Arc<Data>, DataError> {
    let key = (spec.clone(), seed, folder);
    if let Some(known) = LOADED.find(&key) {
        return Ok(known);
    }
    let data = Arc::new(spec.load(seed, &key.2)?);
    LOADED.keep(key, data.clone());
    Ok(data)
}

/// Data beside a loss that learns from none.
pub(super) fn refuse_unused(root: &Table<'_>, loss: Option<&LossSpec>) {
    let takes_data = loss.is_none_or(|loss| matches!(loss.kind, LossKind::Network(_)));
    if !takes_data && root.has("data") {
        root.problem(
            "data",
            "found [data] beside a loss that learns from none; write loss.kind = \"network\", or remove the table",
        );
    }
}
