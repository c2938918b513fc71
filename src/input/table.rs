//! Reading a table key by key: every mistake is recorded, and reading goes on.

use std::cell::RefCell;

use super::document::Document;
use super::node::{Node, Origin, Value};
use super::overrides::segments;
use super::problem::{Problem, Problems, nearest, shorten};

/// A document being read, and what was found wrong so far.
#[derive(Debug)]
pub struct Context<'d> {
    pub(super) document: &'d Document,
    problems: RefCell<Vec<Problem>>,
}

impl<'d> Context<'d> {
    /// Starts to read a document.
    pub fn new(document: &'d Document) -> Self {
        Self { document, problems: RefCell::default() }
    }

    /// The table that the whole document is.
    pub fn root(&self) -> Table<'_> {
        Table {
            context: self,
            node: &self.document.root,
            path: String::new(),
            known: RefCell::default(),
            elsewhere: RefCell::default(),
        }
    }

    /// Adds a problem found by other means.
    pub fn report(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Whether more problems would help nobody. To find a line and column takes time, so that a huge file in which
    /// everything is wrong would otherwise take forever.
    pub(super) fn is_full(&self) -> bool {
        self.problems.borrow().len() >= 200
    }

    /// All problems, in the order of the file.
    pub fn into_problems(self) -> Problems {
        Problems::sorted(self.problems.into_inner())
    }
}

/// A table of the document. Each reading function returns `None` after recording a [`Problem`].
///
/// Ask for every key that is allowed, even after one has failed, then call [`Table::finish`]: it finds unknown keys
/// by what was asked for.
#[derive(Debug)]
pub struct Table<'c> {
    pub(super) context: &'c Context<'c>,
    node: &'c Node,
    path: String,
    known: RefCell<Vec<String>>,
    /// Keys that were told about in words of their own.
    elsewhere: RefCell<Vec<String>>,
}

impl<'c> Table<'c> {
    pub(super) fn new(context: &'c Context<'c>, node: &'c Node, path: String) -> Self {
        Self { context, node, path, known: RefCell::default(), elsewhere: RefCell::default() }
    }

    /// The folder of the file, at which relative paths in it start.
    pub fn folder(&self) -> std::path::PathBuf {
        self.context.document.folder().to_path_buf()
    }

    /// Whether the key is there. Also makes it an allowed one.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Records a problem with a key of this table, or with something in it (`matrix[0][1]`), at its value; at the
    /// nearest thing around it if it was left out.
    pub fn problem(&self, key: &str, message: impl Into<String>) {
        let node = self.entry(key).unwrap_or_else(|| self.node.find(&segments(key).unwrap_or_default()).0);
        self.report(node.place(), &self.path_to(key), message.into());
    }

    /// Whether a key of this table, or something in it (`parameters.tilt`), was given by `--set`.
    pub fn is_overridden(&self, key: &str) -> bool {
        let (node, found) = self.node.find(&segments(key).unwrap_or_default());
        found && matches!(node.place(), Origin::Argument { .. })
    }

    /// Records a problem with this table as a whole.
    pub fn problem_here(&self, message: impl Into<String>) {
        self.report(&self.node.key, &self.path.clone(), message.into());
    }

    /// Records a problem at byte `offset` of the text that `key` holds.
    pub fn problem_within(&self, key: &str, offset: usize, message: impl Into<String>) {
        let Some(node) = self.entry(key) else { return self.problem(key, message) };
        let location = self.context.document.within_text(node, offset);
        self.context.report(Problem { location, key: self.path_to(key), message: message.into() });
    }

    /// Refuses a key that does not belong here for a reason better told than "unknown key".
    pub fn refuse(&self, key: &str, message: impl Into<String>) {
        if let Some(node) = self.entry(key) {
            self.report(&node.key, &self.path_to(key), message.into());
        }
        self.elsewhere.borrow_mut().push(key.to_owned());
    }

    /// Records every key that nobody asked for, with the nearest allowed one.
    pub fn finish(&self) {
        let known = self.known.borrow();
        let elsewhere = self.elsewhere.borrow();
        let Value::Table(entries) = &self.node.value else { return };
        for (key, node) in entries {
            if known.contains(key) || elsewhere.contains(key) {
                continue;
            }
            if self.context.is_full() {
                return;
            }
            let mut message = format!("unknown key `{}`", shorten(key));
            if let Some(meant) = nearest(key, known.iter().map(String::as_str)) {
                message.push_str(&format!("; did you mean `{meant}`?"));
            }
            let place =
                if self.path.is_empty() { "at the top of the file".to_owned() } else { format!("in [{}]", self.path) };
            message.push_str(&format!("; allowed {place}: {}", known.join(", ")));
            self.report(&node.key, &self.path_to(key), message);
        }
    }

    /// A table within this one.
    pub fn table(&self, key: &str, example: &str) -> Option<Table<'c>> {
        match self.optional_table(key) {
            Some(None) => {
                self.problem(key, format!("the table [{}] is missing; add, for example, {example}", self.path_to(key)));
                None
            }
            found => found?,
        }
    }

    /// A table within this one, or `Some(None)` where it was left out.
    pub fn optional_table(&self, key: &str) -> Option<Option<Table<'c>>> {
        let Some(node) = self.get(key) else { return Some(None) };
        if node.is_table() {
            return Some(Some(Table::new(self.context, node, self.path_to(key))));
        }
        self.wrong_kind(key, node, &format!("a table is needed; write its keys below a line [{}]", self.path_to(key)));
        None
    }

    /// The tables of a list such as `[[loss.well]]`; at least one.
    pub fn tables(&self, key: &str, example: &str) -> Option<Vec<Table<'c>>> {
        let path = self.path_to(key);
        let Some(node) = self.get(key) else {
            self.problem(key, format!("missing; at least one is needed; add, for example, {example}"));
            return None;
        };
        let advice = format!("a list of tables is needed; begin each with a line [[{path}]], for example {example}");
        let Value::List(elements) = &node.value else {
            self.wrong_kind(key, node, &advice);
            return None;
        };
        if elements.is_empty() {
            self.problem(key, format!("the list is empty; {advice}"));
            return None;
        }
        let mut tables = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            let path = format!("{path}[{index}]");
            if element.is_table() {
                tables.push(Table::new(self.context, element, path));
            } else {
                let message = format!("found {}; {advice}", self.describe(element));
                self.report(&element.origin, &path, message);
            }
        }
        (tables.len() == elements.len()).then_some(tables)
    }

    /// All entries, whatever their names.
    pub(super) fn entries(&self) -> &'c [(String, Node)] {
        let Value::Table(entries) = &self.node.value else { return &[] };
        entries
    }

    /// The path of a key from the root.
    pub fn path_to(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The node of a key, which becomes an allowed one.
    pub(super) fn get(&self, key: &str) -> Option<&'c Node> {
        let mut known = self.known.borrow_mut();
        if !known.iter().any(|name| name == key) {
            known.push(key.to_owned());
        }
        drop(known);
        self.entry(key)
    }

    fn entry(&self, key: &str) -> Option<&'c Node> {
        let Value::Table(entries) = &self.node.value else { return None };
        let index = entries.binary_search_by(|(name, _)| name.as_str().cmp(key)).ok()?;
        entries.get(index).map(|(_, node)| node)
    }

    pub(super) fn report(&self, origin: &Origin, key: &str, message: String) {
        if self.context.is_full() {
            return;
        }
        let location = self.context.document.locate(origin);
        self.context.report(Problem { location, key: key.to_owned(), message });
    }

    /// Records that a required key was left out.
    pub(super) fn missing(&self, key: &str, what: &str, example: &str) {
        let place =
            if self.path.is_empty() { "at the top of the file".to_owned() } else { format!("to [{}]", self.path) };
        self.problem(key, format!("missing; {what} must be given; add {place}, for example, {key} = {example}"));
    }

    pub(super) fn wrong_kind(&self, key: &str, node: &Node, advice: &str) {
        self.problem(key, format!("found {}; {advice}", self.describe(node)));
    }

    /// A value for a message: its kind and how it was written.
    pub(super) fn describe(&self, node: &Node) -> String {
        match &node.value {
            Value::Table(_) => "a table".to_owned(),
            Value::Text(text) => format!("the text \"{}\"", shorten(text)),
            Value::List(elements) if elements.is_empty() => "an empty list".to_owned(),
            Value::List(_) => format!("the list {}", shorten(self.context.document.written(node))),
            Value::Date(date) => format!("the date {date}"),
            Value::Boolean(boolean) => boolean.to_string(),
            Value::Integer(_) | Value::Float(_) => shorten(self.context.document.written(node)),
        }
    }
}
