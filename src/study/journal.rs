//! Finished points on disk as soon as they are finished: a study that is stopped loses only what was under way.
//!
//! `OUT/.NAME.HASH.journal`: lines of JSON, first a header with program and scenario, then one line per point in the order
//! in which they ended, each after its CRC-32. A line without its end is what a kill left, one of another checksum is damaged:
//! both are ignored, and their points simulated again. The journal belongs to one very
//! scenario and version, and is removed when the result is written. One process at a time may work with it: take
//! [`crate::report::lock`] first.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::findings::{SCHEMA, StudyPoint};
use crate::scenario::{Loaded, Scenario};

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A point cannot be written.
    #[error("a point cannot be written to the journal: {0}")]
    Json(#[from] serde_json::Error),
}

/// The journal of one study.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    finished: Vec<StudyPoint>,
    taken_over: u64,
    appended: u64,
}

/// The first line: what the points belong to.
#[derive(Serialize)]
struct Header<'a> {
    program: &'a str,
    version: &'a str,
    schema: u32,
    scenario: &'a Scenario,
}

impl Journal {
    /// Opens the journal of a study in `out`, which exists, and takes over what an earlier run has left in it.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn open(out: &Path, loaded: &Loaded) -> Result<Self, JournalError> {
        let scenario = &loaded.scenario;
        let program = env!("CARGO_PKG_NAME");
        let header = Header { program, version: env!("CARGO_PKG_VERSION"), schema: SCHEMA, scenario };
        let header = serde_json::to_string(&header)?;
        let path = out.join(format!(".{}.{:016x}.journal", scenario.name, hash(header.as_bytes())));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|source| JournalError::File { action: "open", path: path.clone(), source })?;
        let mut journal = Self { file, path, finished: Vec::new(), taken_over: 0, appended: 0 };
        let end = journal.read(&header, scenario).map_err(journal.failed("read"))?;
        // What a kill tore, or all of it if it belongs to something else.
        journal.file.set_len(end).map_err(journal.failed("shorten"))?;
        journal.file.seek(SeekFrom::End(0)).map_err(journal.failed("read"))?;
        if end == 0 {
            journal.write_line(&header)?;
        }
        journal.taken_over = journal.finished.len() as u64;
        Ok(journal)
    }

    /// Points that an earlier run had finished.
    pub fn taken_over(&self) -> u64 {
        self.taken_over
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The points of an earlier run; empty when asked again.
    pub(super) fn take_finished(&mut self) -> Vec<StudyPoint> {
        std::mem::take(&mut self.finished)
    }

    /// Keeps a finished point: when this returns, a kill does not lose it.
    pub(super) fn append(&mut self, row: &StudyPoint) -> Result<(), JournalError> {
        self.write_line(&serde_json::to_string(row)?)?;
        self.appended += 1;
        Ok(())
    }

    /// Removes it, once the result is written or if there is nothing in it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn remove(self) -> Result<(), JournalError> {
        fs::remove_file(&self.path).map_err(self.failed("remove"))
    }

    /// Whether it holds a point at all.
    pub fn is_empty(&self) -> bool {
        self.taken_over + self.appended == 0
    }

    /// One call per line: a kill leaves it whole or torn, never mixed with another.
    fn write_line(&mut self, text: &str) -> Result<(), JournalError> {
        self.file
            .write_all(format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes())).as_bytes())
            .map_err(self.failed("write"))
    }

    /// Reads what is whole; returns where that ends: 0 if the header is another one.
    fn read(&mut self, header: &str, scenario: &Scenario) -> std::io::Result<u64> {
        let Some(study) = &scenario.study else { return Ok(0) };
        let mut seen = vec![false; study.points() as usize];
        let mut reader = BufReader::new(&self.file);
        let mut line = Vec::new();
        let mut end = 0;
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line)?;
            if !line.ends_with(b"\n") {
                return Ok(end);
            }
            let text = sound(&line[..length - 1]);
            if end == 0 {
                if text != Some(header.as_bytes()) {
                    return Ok(0);
                }
            } else if let Some(row) = text.and_then(|text| serde_json::from_slice::<StudyPoint>(text).ok()) {
                // A row is of this study if it names its point rightly; each point counts once.
                let place = usize::try_from(row.index).unwrap_or(usize::MAX);
                if seen.get(place) == Some(&false) && row.values == study.values(row.index) {
                    seen[place] = true;
                    self.finished.push(row);
                }
            }
            end += length as u64;
        }
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(std::io::Error) -> JournalError + use<> {
        let path = self.path.clone();
        move |source| JournalError::File { action, path, source }
    }
}

/// The text of a line whose checksum is right.
fn sound(line: &[u8]) -> Option<&[u8]> {
    let (checksum, text) = line.split_at_checked(8)?;
    let text = text.strip_prefix(b" ")?;
    (checksum == format!("{:08x}", crc32fast::hash(text)).as_bytes()).then_some(text)
}

/// FNV-1a: only for the name; the header itself is compared as well.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3))
}
