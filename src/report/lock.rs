//! One writer per result: two runs that write the same folder would each undo what the other did.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::ReportError;

/// The right to write `OUT/NAME`, until it is dropped. The system takes it back when the program ends, however it ends; the
/// empty file `OUT/.NAME.lock` that it hangs on is removed with it.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

/// Takes the right to write the result `name` in `out_dir`, which exists. Where the file system knows no locks it is given
/// to everybody: the last to finish then wins, and its result is whole.
///
/// # Errors
/// [`ReportError::Busy`] while another process has it.
pub fn lock(out_dir: &Path, name: &str) -> Result<Lock, ReportError> {
    let path = out_dir.join(format!(".{name}.lock"));
    loop {
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(ReportError::file("create", &path))?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(ReportError::Busy { path: out_dir.join(name) });
        }
        // Whoever had it may have removed the file between the opening and the locking: then this lock is on nothing.
        if is_still(&file, &path) {
            return Ok(Lock { path, _file: file });
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Still locked: nobody else can have taken this file. One that cannot be removed is taken again by the next run.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: fs::Metadata, b: fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    file.metadata().ok().zip(fs::metadata(path).ok()).is_some_and(|(a, b)| same(a, b))
}

/// An open file is not removed elsewhere.
#[cfg(not(unix))]
fn is_still(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_at_a_time_and_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path(), "a").unwrap();
        assert!(matches!(lock(folder.path(), "a"), Err(ReportError::Busy { .. })));
        let other = lock(folder.path(), "b").unwrap();
        drop(first);
        drop(lock(folder.path(), "a").unwrap());
        drop(other);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
