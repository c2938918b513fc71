//! What is measured already, point by point, in a file that a stopped run goes on from.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::tally::Tally;

const HEAD: &str = "kind,difference,effort,true_difference,seeds,holds,rejected,failed,shown,covered,decided,decided_covered,transitions,seconds";

/// A point and its counts.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which question.
    pub kind: String,
    /// In ε, as it was wanted.
    pub difference: f64,
    /// In the unit of the kind.
    pub effort: f64,
    /// In ε, as it came out.
    pub true_difference: f64,
    /// The counts.
    pub tally: Tally,
    /// How long it took.
    pub seconds: f64,
}

impl Row {
    /// One line for the terminal.
    pub fn told(&self) -> String {
        let Tally { seeds, holds, rejected, shown, covered, .. } = self.tally;
        format!(
            "{} at {} ε, effort {}: {holds} HOLDS, {rejected} REJECTED of {seeds}; {covered} of {shown} intervals cover; {:.1} s",
            self.kind, self.difference, self.effort, self.seconds
        )
    }

    fn line(&self) -> String {
        let t = &self.tally;
        let counts =
            [t.seeds, t.holds, t.rejected, t.failed, t.shown, t.covered, t.decided, t.decided_covered, t.transitions];
        let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
        let Self { kind, difference, effort, true_difference, seconds, .. } = self;
        let kind = kind.replace(',', ";");
        format!("{kind},{difference:?},{effort:?},{true_difference:?},{},{seconds:.3}", counts.join(","))
    }

    fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |index: usize| fields.get(index)?.parse::<f64>().ok();
        let count = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            kind: fields.first()?.replace(';', ","),
            difference: number(1)?,
            effort: number(2)?,
            true_difference: number(3)?,
            tally: Tally {
                seeds: count(4)?,
                holds: count(5)?,
                rejected: count(6)?,
                failed: count(7)?,
                shown: count(8)?,
                covered: count(9)?,
                decided: count(10)?,
                decided_covered: count(11)?,
                transitions: count(12)?,
            },
            seconds: number(13)?,
        })
    }
}

/// The rows of one build of the program.
pub struct Results {
    rows: Vec<Row>,
    file: File,
}

impl Results {
    /// Those of a folder. The first line of the file tells which build measured them.
    ///
    /// # Errors
    /// When the file cannot be read or written, is damaged, or is of another build.
    pub fn open(folder: &Path, is_anew: bool) -> Result<Self, String> {
        let path = folder.join("results.csv");
        let at = |error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(folder).map_err(at)?;
        let head = format!("# build {}\n{HEAD}\n", this_build()?);
        if is_anew || !path.exists() {
            fs::write(&path, &head).map_err(at)?;
        }
        let text = fs::read_to_string(&path).map_err(at)?;
        let rows = text.strip_prefix(&head).ok_or_else(|| {
            format!("{}: measured by another build of the program; begin again with --anew", path.display())
        })?;
        // A last line without its end is that of a run that was stopped while it wrote.
        let whole = &rows[..rows.rfind('\n').map_or(0, |end| end + 1)];
        if whole.len() < rows.len() {
            fs::write(&path, format!("{head}{whole}")).map_err(at)?;
        }
        let read = |line: &str| Row::read(line).ok_or(format!("{}: \"{line}\" is no point", path.display()));
        let rows = whole.lines().map(read).collect::<Result<_, _>>()?;
        let file = OpenOptions::new().append(true).open(&path).map_err(at)?;
        Ok(Self { rows, file })
    }

    /// Whether a point was run over so many seeds.
    pub fn has(&self, kind: &str, difference: f64, effort: f64, seeds: u64) -> bool {
        self.of(kind, difference).any(|row| row.effort == effort && row.tally.seeds == seeds)
    }

    /// Those of one kind at one difference, in the order of the run.
    pub fn of<'a>(&'a self, kind: &'a str, difference: f64) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.kind == kind && row.difference == difference)
    }

    /// All of them.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Keeps one more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, row: Row) -> Result<(), String> {
        self.file.write_all(format!("{}\n", row.line()).as_bytes()).map_err(|error| format!("results.csv: {error}"))?;
        self.rows.retain(|old| (&old.kind, old.difference, old.effort) != (&row.kind, row.difference, row.effort));
        self.rows.push(row);
        Ok(())
    }
}

/// A checksum of this executable: another one may judge otherwise.
fn this_build() -> Result<String, String> {
    let path: PathBuf = std::env::current_exe().map_err(|error| error.to_string())?;
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(format!("{:08x}", crc32fast::hash(&bytes)))
}
