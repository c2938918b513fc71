//! Figures and page again, from the saved results alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::lock::lock;
use super::write::{FIGURES, PAGE, RESULT, Saved, load, write_synced};
use super::{ReportError, csv, figure, html};

/// Draws the figures and the page of a saved result again; `place` is `OUT/NAME`, or `result.json` in it. Returns the files that
/// were replaced.
///
/// `result.json`, `run.json`, the tables and everything else in the folder stay as they are. Everything is read, checked
/// and drawn before the first file is replaced, each of them whole.
///
/// # Errors
/// When the folder holds no result, or one that is damaged: then nothing is changed.
pub fn redraw(place: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let folder = match place.parent() {
        Some(parent) if place.ends_with(RESULT) && place.is_file() => {
            if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            }
        }
        _ => place,
    };
    let Saved { findings, figures, run } = load(folder)?;
    let drawings = folder.join(FIGURES);
    csv::require_unchanged(&drawings, &figures)?;
    let toml = findings.scenario.to_toml().map_err(|error| ReportError::Inconsistent {
        figure: PAGE,
        problem: format!("the scenario cannot be written: {error}"),
    })?;
    // `OUT/NAME/` has `OUT` as its parent too, and `.` has `..`.
    let place = fs::canonicalize(folder).map_err(ReportError::file("find", folder))?;
    let out = place.parent().unwrap_or(&place);
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let _lock = lock(out, &name)?;
    let fresh = tempfile::Builder::new().prefix(&format!(".{name}.")).tempdir_in(out);
    let fresh = fresh.map_err(ReportError::file("create a folder in", out))?;
    let drawn = figure::draw_all(&findings, &figures)?;
    require_all(&drawings, &drawn)?;
    let mut files = vec![(fresh.path().join(PAGE), folder.join(PAGE))];
    write_synced(&files[0].0, html::page(&findings, figures.study.as_deref(), &drawn, &run, &toml).as_bytes())?;
    for drawing in &drawn {
        for file in drawing.write_pictures(fresh.path())? {
            let name = file.file_name().unwrap_or_default();
            files.push((file.clone(), drawings.join(name)));
        }
    }
    for (from, to) in &files {
        fs::rename(from, to).map_err(ReportError::file("replace", to))?;
    }
    Ok(files.into_iter().map(|(_, to)| to).collect())
}

/// A figure that was drawn once and has no data any more would be left as it is, beside others that are drawn anew.
fn require_all(drawings: &Path, drawn: &[figure::Figure]) -> Result<(), ReportError> {
    for entry in fs::read_dir(drawings).map_err(ReportError::part(drawings))?.flatten() {
        let path = entry.path();
        let stem = path.file_stem().unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "svg") && !drawn.iter().any(|d| stem == d.name) {
            return Err(ReportError::NoData { path });
        }
    }
    Ok(())
}
