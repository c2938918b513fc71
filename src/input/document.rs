//! A file of TOML as a tree of located values.

use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use super::node::{Entries, Node, Origin, Value, entries};
use super::problem::{Location, Problem, Problems, shorten};
use super::{guard, overrides};

/// The largest file that is read, in bytes: a scenario of a few pages has some thousands.
pub const LARGEST_FILE: usize = 16 << 20;

/// A file of TOML, its overrides applied, every value with where it was written.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) file: String,
    /// Shared: a study makes thousands of variations of one document.
    pub(super) text: Arc<str>,
    /// Byte at which each line starts.
    lines: Arc<[usize]>,
    pub(super) root: Node,
}

impl Document {
    /// Parses the bytes of a file; `file` is how messages call it.
    ///
    /// # Errors
    /// Every syntax error, with its place. Never panics, whatever the bytes.
    pub fn parse(bytes: &[u8], file: &str) -> Result<Self, Problems> {
        let lines = std::iter::once(0)
            .chain(bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(index, _)| index + 1))
            .collect();
        let root = Node {
            value: Value::Table(Entries::new()),
            origin: Origin::File { start: 0, end: 0 },
            key: Origin::File { start: 0, end: 0 },
        };
        let mut document = Self { file: file.to_owned(), text: Arc::from(""), lines, root };
        if bytes.len() > LARGEST_FILE {
            let message = format!(
                "the file has {} bytes; a scenario has at most {LARGEST_FILE}; is this the right file?",
                bytes.len()
            );
            return Err(Problem::with_file(file, message).into());
        }
        document.text = match std::str::from_utf8(bytes) {
            Ok(text) => Arc::from(text),
            Err(error) => {
                document.text = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into();
                let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
                let message =
                    format!("byte 0x{byte:02X} is not UTF-8; TOML must be; save the file with encoding UTF-8");
                return Err(document.syntax_problem(error.valid_up_to(), message).into());
            }
        };
        if let Some((offset, message)) = guard::fault(&document.text) {
            return Err(document.syntax_problem(offset, message).into());
        }
        let text = document.text.clone();
        let (table, errors) = DeTable::parse_recoverable(&text);
        if !errors.is_empty() {
            return Err(document.json_problem().map_or_else(|| document.syntax_problems(&errors), Problems::from));
        }
        let entries = entries(table.get_ref(), &|span| Origin::File { start: span.start, end: span.end });
        if entries.is_empty() {
            let message = "the file is empty; `sgd-sde new FILE.toml` writes a commented scenario to start from";
            return Err(document.syntax_problem(0, message.to_owned()).into());
        }
        document.root.value = Value::Table(entries);
        Ok(document)
    }

    /// The folder of the file; empty, which is the current folder, for a shipped scenario.
    pub(super) fn folder(&self) -> &Path {
        Path::new(&self.file).parent().unwrap_or(Path::new(""))
    }

    /// Applies an override as typed after `--set`, `KEY=VALUE`.
    ///
    /// # Errors
    /// When it is not of that form, the value is broken TOML, or the key leads through something that is no table.
    pub fn set(&mut self, argument: &str) -> Result<(), Problem> {
        overrides::apply(&mut self.root, argument)
    }

    /// Applies `--seed N`.
    pub fn set_seed(&mut self, seed: u64) {
        let origin = Origin::Argument { argument: format!("--seed {seed}").into(), value: seed.to_string().into() };
        let node = Node { value: Value::Integer(seed.into()), origin: origin.clone(), key: origin };
        if let Value::Table(entries) = &mut self.root.value {
            overrides::insert(entries, "seed", node);
        }
    }

    /// The same file with another tree.
    pub(super) fn with_root(&self, root: Node) -> Self {
        Self { file: self.file.clone(), text: self.text.clone(), lines: self.lines.clone(), root }
    }

    /// The location of a byte of the file.
    fn place(&self, offset: usize) -> Location {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines[line - 1].min(offset);
        let before = String::from_utf8_lossy(&self.text.as_bytes()[start..offset]);
        // A byte order mark is not a character that an editor shows.
        let column = before.trim_start_matches('\u{FEFF}').chars().count() + 1;
        Location::Place { file: self.file.clone(), line, column }
    }

    pub(super) fn locate(&self, origin: &Origin) -> Location {
        match origin {
            Origin::File { start, .. } => self.place(*start),
            Origin::Argument { argument, .. } => Location::Argument { argument: argument.to_string() },
        }
    }

    /// The value as the user wrote it.
    pub(super) fn written<'d>(&'d self, node: &'d Node) -> &'d str {
        match &node.origin {
            Origin::File { start, end } => self.text.get(*start..*end).unwrap_or_default(),
            Origin::Argument { value, .. } => value,
        }
    }

    /// Where character data at byte `offset` of a text lies, as exactly as its quoting allows: a text with escapes
    /// is only located as a whole.
    pub(super) fn within_text(&self, node: &Node, offset: usize) -> Location {
        let (Origin::File { start, .. }, Value::Text(text)) = (&node.origin, &node.value) else {
            return self.locate(&node.origin);
        };
        let raw = self.written(node);
        let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| raw.starts_with(quotes));
        let Some(quotes) = quotes else { return self.place(*start) };
        let mut opening = quotes.len();
        if quotes.len() == 3 {
            // TOML drops a newline right after the opening quotes.
            let rest = &raw[opening..];
            opening += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        }
        let verbatim = raw.get(opening..).is_some_and(|rest| rest.starts_with(text.as_str()));
        if verbatim { self.place(start + opening + offset.min(text.len())) } else { self.place(*start) }
    }

    /// A problem at a byte that belongs to no value; the key is guessed from the line.
    fn syntax_problem(&self, offset: usize, message: String) -> Problem {
        Problem { location: self.place(offset), key: self.key_near(offset).unwrap_or_default(), message }
    }

    /// One problem for a file of JSON, such as a result, instead of one for each of its lines.
    fn json_problem(&self) -> Option<Problem> {
        let start = self.text.find(|c: char| !c.is_whitespace())?;
        if !self.text[start..].starts_with('{') {
            return None;
        }
        let message = if self.text.contains("\"sgd-sde\"") {
            "not valid TOML: this is a result, as sgd-sde writes it; name the scenario that it is of, or leave the \
             result its name, result.json, and its question is asked again; `sgd-sde compare` and `sgd-sde plot` take results"
        } else {
            "not valid TOML: this is JSON; write the keys of a scenario as key = value, or start from what `sgd-sde new FILE.toml` writes"
        };
        Some(self.syntax_problem(start, message.to_owned()))
    }

    /// What the parser says, without what only follows from an earlier mistake.
    fn syntax_problems(&self, errors: &[toml::de::Error]) -> Problems {
        const TOLD: usize = 5;
        let problem = |error: &toml::de::Error| {
            let offset = error.span().map_or(0, |span| span.start);
            self.syntax_problem(offset, self.explain(error.message(), offset))
        };
        let mut problems = Problems::sorted(errors.iter().take(100).map(problem).collect());
        problems.0.dedup_by_key(|problem| problem.line());
        // A table given twice brings all its keys with it.
        problems.0.dedup_by(|later, earlier| later.message == earlier.message && later.message == TWICE);
        problems.0.truncate(TOLD);
        problems
    }

    /// What the parser says of byte `offset`, in better words for the commonest mistakes.
    fn explain(&self, message: &str, offset: usize) -> String {
        if message.contains("duplicate key") {
            return TWICE.to_owned();
        }
        if message.contains("invalid basic string") || message.contains("invalid literal string") {
            return format!("not valid TOML: {}; is a quotation mark missing?", shorten(message));
        }
        let rest = self.text.get(offset..).unwrap_or_default();
        let word: String =
            rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).take(40).collect();
        let before = self.text.get(..offset).unwrap_or_default().trim_end_matches([' ', '\t']);
        if word.starts_with(char::is_alphabetic) && before.ends_with(['=', '[', ',']) {
            return format!("not valid TOML: found {word}; texts stand in quotes: \"{word}\"");
        }
        if before.ends_with('=') && (rest.is_empty() || rest.starts_with(['\r', '\n', '#', ' '])) {
            return "not valid TOML: no value after the =; write one, or remove the key".to_owned();
        }
        format!("not valid TOML: {}", shorten(message))
    }

    /// The key that a broken line seems to give: the last header above it and what stands before its `=`.
    fn key_near(&self, offset: usize) -> Option<String> {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset).max(1) - 1;
        let line_text = |index: usize| {
            let end = self.lines.get(index + 1).copied().unwrap_or(self.text.len()).min(self.text.len());
            self.text.get(self.lines[index].min(end)..end).unwrap_or_default().trim()
        };
        let is_key = |key: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            !key.is_empty() && key.len() <= 60 && key.chars().all(allowed)
        };
        let (key, _) = line_text(line).split_once('=')?;
        let key = key.trim();
        if !is_key(key) {
            return None;
        }
        let header = (0..line).rev().map(line_text).find(|text| text.starts_with('['));
        let header = header.and_then(|text| text.trim_matches(['[', ']', ' ']).split(']').next());
        match header.map(str::trim) {
            None => Some(key.to_owned()),
            Some(table) if is_key(table) => Some(format!("{table}.{key}")),
            Some(_) => None,
        }
    }
}

const TWICE: &str = "not valid TOML: the key is given twice; remove one of the two";
