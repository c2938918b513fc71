//! Reading texts and choices.

use super::node::{Node, Origin, Value};
use super::problem::{nearest, shorten};
use super::table::Table;

impl Table<'_> {
    /// A text that must be given.
    pub fn text(&self, key: &str, what: &str, example: &str) -> Option<String> {
        match self.optional_text(key, what, example)? {
            Some(text) => Some(text),
            None => {
                self.missing(key, what, &format!("\"{example}\""));
                None
            }
        }
    }

    /// A text, or `Some(None)` where it was left out.
    pub fn optional_text(&self, key: &str, what: &str, example: &str) -> Option<Option<String>> {
        let Some(node) = self.get(key) else { return Some(None) };
        match text_of(node) {
            Some(text) => Some(Some(text)),
            None => {
                self.wrong_kind(key, node, &format!("{what} must be a text in quotes, for example \"{example}\""));
                None
            }
        }
    }

    /// One line of text with a default.
    pub fn line_or(&self, key: &str, what: &str, example: &str, default: &str) -> Option<String> {
        let text = self.optional_text(key, what, example)?.unwrap_or_else(|| default.to_owned());
        let count = text.chars().count();
        if text.chars().any(char::is_control) {
            self.problem(key, format!("found line breaks or control characters; {what} must be one line; remove them"));
            None
        } else if count > 1000 {
            self.problem(key, format!("found {count} characters; {what} may have at most 1000; shorten it"));
            None
        } else {
            Some(text)
        }
    }

    /// A list of texts, at least one.
    pub fn texts(&self, key: &str, what: &str, example: &str) -> Option<Vec<String>> {
        let Some(node) = self.get(key) else {
            self.missing(key, what, example);
            return None;
        };
        let advice = format!("{what} must be a list of texts, for example {example}");
        match &node.value {
            Value::List(elements) if !elements.is_empty() => {
                let texts: Option<Vec<String>> = elements.iter().map(text_of).collect();
                if texts.is_none() {
                    for (index, element) in elements.iter().enumerate().filter(|(_, e)| text_of(e).is_none()).take(5) {
                        let message = format!("found {}; {advice}", self.describe(element));
                        self.report(&element.origin, &format!("{}[{index}]", self.path_to(key)), message);
                    }
                }
                texts
            }
            _ => {
                self.wrong_kind(key, node, &advice);
                None
            }
        }
    }

    /// One of several names, or `Some(None)` where it was left out. `later` are names that are planned but not
    /// available in this version.
    pub fn optional_choice<T: Copy>(
        &self,
        key: &str,
        what: &str,
        names: &[(&str, T)],
        later: &[&str],
    ) -> Option<Option<T>> {
        let Some(node) = self.get(key) else { return Some(None) };
        let all = names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let Some(text) = text_of(node) else {
            self.wrong_kind(key, node, &format!("{what} must be one of the texts {all}"));
            return None;
        };
        if let Some((_, choice)) = names.iter().find(|(name, _)| *name == text) {
            return Some(Some(*choice));
        }
        let shown = shorten(&text);
        if later.contains(&text.as_str()) {
            self.problem(key, format!("`{shown}` is not available in this version; {what} may be: {all}"));
            return None;
        }
        // What the shell has left without quotes is no text because a text is wanted.
        let found = if let Value::Text(_) = node.value { format!("\"{shown}\"") } else { shown };
        let mut message = format!("found {found}; {what} must be one of: {all}");
        if let Some(meant) = nearest(&text, names.iter().map(|(name, _)| *name)) {
            message.push_str(&format!("; did you mean \"{meant}\"?"));
        }
        self.problem(key, message);
        None
    }

    /// One of several names, which must be given.
    pub fn choice<T: Copy>(&self, key: &str, what: &str, names: &[(&str, T)], later: &[&str]) -> Option<T> {
        match self.optional_choice(key, what, names, later)? {
            Some(choice) => Some(choice),
            None => {
                let all = names.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(" or ");
                self.missing(key, what, &all);
                None
            }
        }
    }

    /// Whether the value of a key is a text, without recording anything.
    pub fn is_text(&self, key: &str) -> bool {
        self.get(key).is_some_and(|node| matches!(node.value, Value::Text(_)))
    }
}

/// The text of a node. On the command line quotes are the shell's, so `--set name=12` means the text 12.
fn text_of(node: &Node) -> Option<String> {
    match (&node.value, &node.origin) {
        (Value::Text(text), _) => Some(text.clone()),
        (Value::List(_) | Value::Table(_), _) => None,
        (_, Origin::Argument { argument, value })
            if argument.starts_with("--set") && !value.starts_with(['[', '{']) =>
        {
            Some(value.to_string())
        }
        _ => None,
    }
}
