//! Files that are whole or absent: a reader, an interrupt or a full disk never leaves half a result.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::findings::{FigureData, Findings};

use super::{ReportError, RunRecord, csv, figure, foreign, html};

pub(super) const RESULT: &str = "result.json";
pub(super) const RUN: &str = "run.json";
pub(super) const PAGE: &str = "report.html";
pub(super) const FIGURES: &str = "figures";
pub(super) const POINTS: &str = "study.csv";
/// What an UNDETERMINED run is continued from.
pub const STATE: &str = "state.bin";

/// A further file of a result: its name, with / between folders, and what writes its content.
pub type Extra<'a> = (&'a str, &'a dyn Fn(&mut dyn Write) -> std::io::Result<()>);

/// A saved result, enough to draw and tell everything again.
#[derive(Clone, Debug)]
pub struct Saved {
    /// `result.json`.
    pub findings: Findings,
    /// `figures/*.csv`, and `study.csv` of a study.
    pub figures: FigureData,
    /// `run.json`.
    pub run: RunRecord,
}

/// The document `result.json`: stable order of keys, floats in their shortest exact form, null where not finite.
pub fn to_json(findings: &Findings) -> Result<String, ReportError> {
    json(Path::new(RESULT), findings)
}

/// Writes `out_dir/NAME/`: `result.json`, `run.json`, `report.html`, `figures/*.{csv,svg,png}`, and `study.csv` of a
/// study; returns the files.
///
/// Everything is written and synced in a hidden folder beside the target, which takes the target's place at the very
/// end. An earlier result is replaced as a whole, and stays as it is if anything fails. What else lies in its folder is the
/// user's, and stays there.
pub fn save(
    out_dir: &Path,
    findings: &Findings,
    figures: &FigureData,
    run: &RunRecord,
    scenario_toml: &str,
) -> Result<Vec<PathBuf>, ReportError> {
    save_with(out_dir, findings, figures, run, scenario_toml, &[])
}

/// [`save`] with further files, which become part of the result together with the others.
pub fn save_with(
    out_dir: &Path,
    findings: &Findings,
    figures: &FigureData,
    run: &RunRecord,
    scenario_toml: &str,
    extras: &[Extra],
) -> Result<Vec<PathBuf>, ReportError> {
    let name = &findings.scenario.name;
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_') {
        return Err(ReportError::Name { name: name.clone() });
    }
    fs::create_dir_all(out_dir).map_err(ReportError::file("create", out_dir))?;
    let target = out_dir.join(name);
    let earlier = out_dir.join(format!(".{name}.earlier"));
    recover(&target, &earlier)?;
    if target.exists() && !target.is_dir() {
        let source = std::io::Error::from(std::io::ErrorKind::NotADirectory);
        return Err(ReportError::file("replace", &target)(source));
    }

    let mut builder = tempfile::Builder::new();
    let prefix = format!(".{name}.");
    builder.prefix(&prefix);
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        // What the user's umask allows: the default of temporary folders would hide the result from colleagues.
        builder.permissions(fs::Permissions::from_mode(0o777))
    };
    let folder = builder.tempdir_in(out_dir).map_err(ReportError::file("create a folder in", out_dir))?;

    let mut files = write_all(folder.path(), findings, figures, run, scenario_toml)?;
    for (name, content) in extras {
        let path = folder.path().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(ReportError::file("create", parent))?;
        }
        let written = File::create(&path).and_then(|mut file| content(&mut file).and_then(|()| file.sync_all()));
        written.map_err(ReportError::file("write", &path))?;
        files.push(path);
    }
    // A file that `foreign` does not know would be taken for the user's at the next run, and kept for ever.
    debug_assert!(files.iter().all(|file| file.strip_prefix(folder.path()).is_ok_and(foreign::is_own)), "{files:?}");
    sync_folder(&folder.path().join(FIGURES));
    sync_folder(folder.path());
    swap(folder.path(), &target, &earlier)?;
    // The folder has moved: there is nothing left to clean up.
    let written = folder.keep();
    sync_folder(out_dir);
    Ok(files.iter().map(|file| file.strip_prefix(&written).map_or_else(|_| file.clone(), |f| target.join(f))).collect())
}

/// Makes sure that results can be written to `out_dir`, which is created: a disk that refuses is told before hours of
/// simulation, not after them.
pub fn require_writable(out_dir: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(out_dir).map_err(ReportError::unwritable("create", out_dir))?;
    let trial = tempfile::Builder::new().prefix(".sgd-sde.").tempdir_in(out_dir);
    trial.map(drop).map_err(ReportError::unwritable("create a folder in", out_dir))
}

/// Reads a saved result back; `folder` is `OUT/NAME`.
pub fn load(folder: &Path) -> Result<Saved, ReportError> {
    let findings = load_findings(folder)?;
    let mut figures = csv::load_figures(&folder.join(FIGURES))?;
    if let Some(study) = &findings.scenario.study {
        figures.study = Some(csv::study::read(&folder.join(POINTS), study)?);
    }
    Ok(Saved { findings, figures, run: from_json(&folder.join(RUN))? })
}

/// Reads `result.json` alone; `place` is the file, or the folder that holds it.
pub fn load_findings(place: &Path) -> Result<Findings, ReportError> {
    let path = if place.is_dir() { place.join(RESULT) } else { place.to_path_buf() };
    let text = fs::read_to_string(&path).map_err(ReportError::part(&path))?;
    serde_json::from_str(&text).map_err(|source| {
        // A document that is whole but another one is told as such, not by the parser's first stumble.
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(value) if value.get("schema").is_none() || value.get("scenario").is_none() => ReportError::NoResult {
                path,
                found: match value {
                    serde_json::Value::Object(_) => "an object without the keys \"schema\" and \"scenario\"",
                    serde_json::Value::Array(_) => "a list",
                    _ => "a single value",
                },
            },
            _ => ReportError::Json { path, source },
        }
    })
}

/// Writes a file under a temporary name in the same folder, syncs it and renames it into place.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sgd-sde.");
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666))
    };
    let mut file = builder.tempfile_in(folder).map_err(ReportError::file("write", path))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(ReportError::file("write", path))?;
    file.persist(path).map_err(|refused| ReportError::file("replace", path)(refused.error))?;
    sync_folder(folder);
    Ok(())
}

/// Writes and syncs a file in a folder that nobody reads yet.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let written = File::create(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(ReportError::file("write", path))
}

fn write_all(
    folder: &Path,
    findings: &Findings,
    figures: &FigureData,
    run: &RunRecord,
    scenario_toml: &str,
) -> Result<Vec<PathBuf>, ReportError> {
    let drawings = folder.join(FIGURES);
    fs::create_dir(&drawings).map_err(ReportError::file("create", &drawings))?;
    let mut files = vec![folder.join(RESULT), folder.join(RUN), folder.join(PAGE)];
    write_synced(&files[0], json(&files[0], findings)?.as_bytes())?;
    write_synced(&files[1], json(&files[1], run)?.as_bytes())?;
    if let (Some(rows), Some(study)) = (&figures.study, &findings.scenario.study) {
        files.push(folder.join(POINTS));
        write_synced(&folder.join(POINTS), csv::study::table(study, rows).as_bytes())?;
    }
    // What does not fit together is refused here, before it is drawn.
    files.extend(csv::save_figures(&drawings, figures)?);
    let drawn = figure::draw_all(findings, figures)?;
    let written: Vec<Vec<PathBuf>> =
        drawn.par_iter().map(|drawing| drawing.write(&drawings)).collect::<Result<_, _>>()?;
    files.extend(written.into_iter().flatten());
    write_synced(&files[2], html::page(findings, figures.study.as_deref(), &drawn, run, scenario_toml).as_bytes())?;
    Ok(files)
}

/// Undoes what an interrupt between the two renames of [`swap`] left.
fn recover(target: &Path, earlier: &Path) -> Result<(), ReportError> {
    if !earlier.exists() {
        return Ok(());
    }
    if target.exists() {
        discard(earlier, target)
    } else {
        fs::rename(earlier, target).map_err(ReportError::file("restore", target))
    }
}

/// Removes an earlier result that has been replaced, once everything in it that is not the program's has moved to `target`.
fn discard(earlier: &Path, target: &Path) -> Result<(), ReportError> {
    foreign::carry_over(earlier, target)?;
    // All that is left is the program's. What cannot be removed is removed by the next `save`.
    let _ = fs::remove_dir_all(earlier);
    Ok(())
}

/// Puts `fresh` in the place of `target`, whose content is kept as `earlier` until that is done.
fn swap(fresh: &Path, target: &Path, earlier: &Path) -> Result<(), ReportError> {
    let replaces = target.exists();
    if replaces {
        fs::rename(target, earlier).map_err(ReportError::file("replace", target))?;
    }
    if let Err(source) = fs::rename(fresh, target) {
        if replaces {
            // If even this is refused, the next `save` finds the earlier result and restores it.
            let _ = fs::rename(earlier, target);
        }
        return Err(ReportError::file("replace", target)(source));
    }
    if replaces {
        discard(earlier, target)?;
        sync_folder(target);
    }
    Ok(())
}

/// Makes renames last through a power cut, where the system can; where it cannot, nothing is wrong with the files.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

fn json<T: Serialize>(path: &Path, value: &T) -> Result<String, ReportError> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|source| ReportError::Json { path: path.to_path_buf(), source })?;
    text.push('\n');
    Ok(text)
}

fn from_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ReportError> {
    let text = fs::read_to_string(path).map_err(ReportError::part(path))?;
    serde_json::from_str(&text).map_err(|source| ReportError::Json { path: path.to_path_buf(), source })
}
