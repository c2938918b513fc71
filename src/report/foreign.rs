//! What lies in the folder of a result and is not the program's: notes, scripts, figures of the user's own. It is never
//! deleted: it moves along when a new result takes the place of an earlier one.

use std::fs;
use std::path::{Path, PathBuf};

use super::ReportError;
use super::write::{FIGURES, PAGE, POINTS, RESULT, RUN, STATE};

/// Figures and their tables, without the endings.
const DRAWN: [&str; 29] = [
    "ladder",
    "density",
    "density-measured",
    "density-predicted",
    "map",
    "map-cells",
    "map-paths",
    "distribution",
    "cells",
    "log-ratio",
    "log-ratio-measured",
    "log-ratio-lines",
    "mixing",
    "crossover",
    "crossover-points",
    "crossover-lines",
    "scaling",
    "scaling-points",
    "scaling-curves",
    "noise-ladder",
    "weak-error",
    "weak-error-errors",
    "weak-error-lines",
    "curves",
    "width",
    "chord",
    "quantiles",
    "eigenvalues",
    "study",
];
/// The folder of the weights of networks.
const WEIGHTS: &str = "weights";

/// Whether a path below the folder of a result names a file of the program.
pub(super) fn is_own(path: &Path) -> bool {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    match parts.as_slice() {
        [file] => [RESULT, RUN, PAGE, POINTS, STATE].contains(file),
        [FIGURES, file] => file
            .rsplit_once('.')
            .is_some_and(|(stem, ending)| DRAWN.contains(&stem) && ["svg", "png", "csv"].contains(&ending)),
        [WEIGHTS, file] => file.ends_with(".safetensors"),
        _ => false,
    }
}

/// What in a folder is not the program's, as paths below it: files, folders as a whole, and single files among figures and weights.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        // A link is not followed: what it leads to is somebody else's.
        let is_folder = entry.file_type()?.is_dir();
        if is_folder && [FIGURES, WEIGHTS].iter().any(|own| name == Path::new(own)) {
            for inner in fs::read_dir(entry.path())? {
                let inner = inner?;
                let name = name.join(inner.file_name());
                if inner.file_type()?.is_dir() || !is_own(&name) {
                    found.push(name);
                }
            }
        } else if is_folder || !is_own(&name) {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// Moves what is not the program's from the earlier result to the one that has taken its place. Where that has a file of the
/// same name, `NAME.earlier` is looked for, `NAME.earlier-2` and so on.
///
/// # Errors
/// When something cannot be moved: then it stays where it is, and so does all of the earlier folder.
pub(super) fn carry_over(earlier: &Path, target: &Path) -> Result<(), ReportError> {
    let entries = match entries(earlier) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(ReportError::file("read", earlier))?,
    };
    for path in entries {
        let mut place = target.join(&path);
        let mut times = 1;
        while place.symlink_metadata().is_ok() {
            let suffix = if times == 1 { ".earlier".to_string() } else { format!(".earlier-{times}") };
            place = target.join(format!("{}{suffix}", path.display()));
            times += 1;
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(ReportError::file("create", parent))?;
        }
        fs::rename(earlier.join(&path), &place).map_err(ReportError::file("keep", &place))?;
    }
    Ok(())
}

/// Whether a folder is empty or holds a result of this program, be it a damaged one; else what it holds, in a few words.
///
/// # Errors
/// The names of what was found there.
pub fn require_replaceable(folder: &Path) -> Result<(), String> {
    if !folder.is_dir() {
        return Err("it is no folder".into());
    }
    // A result that was cut off or damaged still says whose it is in its first lines.
    let begins = |text: Vec<u8>| String::from_utf8_lossy(&text).contains("\"sgd-sde\"");
    if fs::read(folder.join(RESULT)).is_ok_and(begins) {
        return Ok(());
    }
    let names = fs::read_dir(folder).map_err(|error| format!("it cannot be read ({error})"))?;
    let mut names: Vec<String> = names
        .flatten()
        .map(|entry| {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            format!("{}{slash}", entry.file_name().to_string_lossy())
        })
        .collect();
    names.sort();
    let more = if names.len() > 3 { ", …" } else { "" };
    names.truncate(3);
    if names.is_empty() { Ok(()) } else { Err(format!("it holds {}{more}", names.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_program_writes_is_its_own() {
        let own = |path: &str| is_own(Path::new(path));
        assert!(
            ["result.json", "state.bin", "study.csv", "figures/mixing.svg", "figures/map-cells.csv"].map(own)
                == [true; 5]
        );
        let foreign =
            ["notes.txt", "mine/result.json", "figures/mine.png", "figures/mixing.pdf", "figures", "mixing.svg"];
        assert!(foreign.map(own) == [false; 6]);
    }

    #[test]
    fn what_is_kept_does_not_replace_anything() {
        let folder = tempfile::tempdir().unwrap();
        let (earlier, target) = (folder.path().join("earlier"), folder.path().join("target"));
        for place in [&earlier, &target] {
            fs::create_dir_all(place.join("figures")).unwrap();
            fs::write(place.join("result.json"), "{}").unwrap();
            fs::write(place.join("notes.txt"), place.to_str().unwrap()).unwrap();
        }
        fs::write(earlier.join("figures/mine.png"), "mine").unwrap();
        fs::write(earlier.join("figures/ladder.svg"), "old").unwrap();
        carry_over(&earlier, &target).unwrap();
        assert_eq!(fs::read_to_string(target.join("notes.txt")).unwrap(), target.to_str().unwrap());
        assert_eq!(fs::read_to_string(target.join("notes.txt.earlier")).unwrap(), earlier.to_str().unwrap());
        assert_eq!(fs::read_to_string(target.join("figures/mine.png")).unwrap(), "mine");
        assert!(!target.join("figures/ladder.svg").exists() && earlier.join("result.json").exists());
    }
}
