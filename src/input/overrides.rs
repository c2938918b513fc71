//! `--set KEY=VALUE`: overrides of any value of a document.

use std::sync::Arc;

use toml::de::DeValue;

use super::guard;
use super::node::{Entries, Node, Origin, Value, node};
use super::problem::{Location, Problem, shorten};

/// Applies `KEY=VALUE` to the tree.
pub(super) fn apply(root: &mut Node, argument: &str) -> Result<(), Problem> {
    let shown = format!("--set {argument}");
    let problem = |key: &str, message: String| Problem {
        location: Location::Argument { argument: shown.clone() },
        key: key.to_owned(),
        message,
    };
    let Some((key, value)) = argument.split_once('=') else {
        let message = "there is no `=`; an override is KEY=VALUE, such as --set sgd.batch_size=8".to_owned();
        return Err(problem("", message));
    };
    let (key, value) = (key.trim(), value.trim());
    let path = segments(key).ok_or_else(|| {
        let message = format!(
            "`{}` is not a key; keys are joined by dots, such as sgd.batch_size or loss.well[0].loss",
            shorten(key)
        );
        problem("", message)
    })?;
    let node = parse_value(&shown, value).map_err(|message| problem(key, message))?;
    put(root, &path, node).map_err(|message| problem(key, message))
}

/// Inserts or replaces an entry.
pub(super) fn insert(entries: &mut Entries, key: &str, node: Node) {
    match entries.binary_search_by(|(existing, _)| existing.as_str().cmp(key)) {
        Ok(index) => entries[index].1 = node,
        Err(index) => entries.insert(index, (key.to_owned(), node)),
    }
}

/// `loss.well[0].loss` and `loss.well.0.loss` as `loss`, `well`, `0`, `loss`.
pub(super) fn segments(key: &str) -> Option<Vec<&str>> {
    let mut path = Vec::new();
    for part in key.split('.') {
        let (name, mut rest) = part.find('[').map_or((part, ""), |bracket| part.split_at(bracket));
        path.push(name.trim());
        while !rest.is_empty() {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            path.push(index.trim());
            rest = after;
        }
        if path.len() > guard::LONGEST_KEY {
            return None;
        }
    }
    path.iter().all(|segment| !segment.is_empty()).then_some(path)
}

/// The value of an override: TOML, or else a text without quotes.
fn parse_value(argument: &str, value: &str) -> Result<Node, String> {
    let origin = Origin::Argument { argument: Arc::from(argument), value: Arc::from(value) };
    let of = |value: Value| Node { value, origin: origin.clone(), key: origin.clone() };
    if let Some((_, message)) = guard::fault(value) {
        return Err(message);
    }
    match DeValue::parse(value) {
        Ok(parsed) => Ok(node(&parsed, None, &|_| origin.clone())),
        Err(error) if value.starts_with(['[', '{', '"', '\'']) => {
            Err(format!("`{}` is not valid TOML: {}", shorten(value), shorten(error.message())))
        }
        // TOML wants digits on both sides of the point and no plus sign; people type .5
        Err(_) => match value.parse::<f64>() {
            Ok(number) if value.contains(|c: char| c.is_ascii_digit()) => Ok(of(Value::Float(number))),
            _ => Ok(of(Value::Text(value.to_owned()))),
        },
    }
}

/// Walks to the parent of the last segment, making tables on the way, and puts the value there.
pub(super) fn put(root: &mut Node, path: &[&str], node: Node) -> Result<(), String> {
    let mut at = root;
    let mut seen = String::new();
    for (depth, segment) in path.iter().enumerate() {
        let last = depth + 1 == path.len();
        let kind = at.kind();
        let place = match &mut at.value {
            Value::Table(entries) => {
                let existing = entries.binary_search_by(|(key, _)| key.as_str().cmp(segment));
                let index = existing.unwrap_or_else(|index| {
                    let empty = Value::Table(Entries::new());
                    let table = Node { value: empty, origin: node.origin.clone(), key: node.key.clone() };
                    entries.insert(index, ((*segment).to_owned(), table));
                    index
                });
                &mut entries[index].1
            }
            Value::List(elements) => {
                let count = elements.len();
                let allowed = match count {
                    0 => "it has no elements".to_owned(),
                    1 => "it has one element, 0".to_owned(),
                    _ => format!("it has elements 0 to {}", count - 1),
                };
                let index = segment.parse::<usize>().ok();
                index.and_then(|index| elements.get_mut(index)).ok_or_else(|| {
                    format!("`{seen}` is a list and `{}` is none of its elements; {allowed}", shorten(segment))
                })?
            }
            _ => {
                return Err(format!("`{seen}` is {kind} and holds no keys; set `{seen}` itself"));
            }
        };
        if last {
            *place = Node { key: node.key.clone(), ..node };
            return Ok(());
        }
        if !seen.is_empty() {
            seen.push('.');
        }
        seen.push_str(segment);
        at = place;
    }
    Ok(())
}
