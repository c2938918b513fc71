//! What is wrong, where, and what to do about it.

use std::fmt;

/// Where a problem was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// A place in a file; lines and columns count from 1, columns in characters.
    Place {
        /// The file as the user named it.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// A file as a whole, e.g. one that cannot be opened.
    File {
        /// The file as the user named it.
        file: String,
    },
    /// An argument of the command line, e.g. `--set sgd.batch_size=0`.
    Argument {
        /// The argument as it would be typed.
        argument: String,
    },
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place { file, line, column } => write!(out, "{file}:{line}:{column}"),
            Self::File { file } => write!(out, "{file}"),
            Self::Argument { argument } => write!(out, "in {}", shorten(argument)),
        }
    }
}

/// One thing that is wrong with the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub location: Location,
    /// Which key, as a path from the root (`loss.well[0].hessian`); empty where there is none.
    pub key: String,
    /// What was found; what is allowed; what to do.
    pub message: String,
}

impl Problem {
    /// A problem with a file as a whole.
    pub fn with_file(file: &str, message: impl Into<String>) -> Self {
        Self { location: Location::File { file: file.to_owned() }, key: String::new(), message: message.into() }
    }

    /// The line, where the problem lies in a file.
    pub fn line(&self) -> Option<usize> {
        match self.location {
            Location::Place { line, .. } => Some(line),
            _ => None,
        }
    }

    /// The column in characters, where the problem lies in a file.
    pub fn column(&self) -> Option<usize> {
        match self.location {
            Location::Place { column, .. } => Some(column),
            _ => None,
        }
    }
}

impl fmt::Display for Problem {
    /// `FILE:LINE:COLUMN: KEY: message`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.location)?;
        if !self.key.is_empty() {
            write!(out, "{}: ", shorten(&self.key))?;
        }
        write!(out, "{}", self.message)
    }
}

/// Everything that is wrong with the input, in the order of the file. Never empty when it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Sorts by place and drops repetitions.
    pub(crate) fn sorted(mut problems: Vec<Problem>) -> Self {
        problems.sort();
        problems.dedup();
        Self(problems)
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    /// One paragraph per problem; of very many, the first fifty.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 50;
        for (index, problem) in self.0.iter().take(SHOWN).enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            write!(out, "{problem}")?;
        }
        if self.0.len() > SHOWN {
            write!(out, "\nand {} more", self.0.len() - SHOWN)?;
        }
        Ok(())
    }
}

/// A text fit for a message: on one line, without control characters, and its middle left out when it is long.
pub fn shorten(text: &str) -> String {
    const LONGEST: usize = 100;
    const HEAD: usize = 60;
    const TAIL: usize = 20;
    let clean = |characters: &mut dyn Iterator<Item = char>| -> String {
        characters.map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
    };
    let count = text.chars().count();
    if count <= LONGEST {
        return clean(&mut text.chars());
    }
    let head = clean(&mut text.chars().take(HEAD));
    let tail = clean(&mut text.chars().skip(count - TAIL));
    format!("{head} … {tail} ({count} characters)")
}

/// The candidate that a user most likely meant by `word`, if any is near.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Longer words are no typos of ours, and the comparison is quadratic.
    if word.chars().count() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    let likeness = |candidate: &str| {
        // A word cut short ("eq" for "equilibrium") is as good a hint as a letter mistyped.
        let prefix = word.len() >= 2 && candidate.starts_with(word.as_str());
        if prefix { 0.99 } else { strsim::normalized_damerau_levenshtein(&word, candidate) }
    };
    candidates
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shortened_and_cleaned() {
        assert_eq!(shorten("a\nb"), "a\u{FFFD}b");
        let long = shorten(&"é".repeat(100_000));
        assert!(long.chars().count() < 120 && long.ends_with("(100000 characters)"), "{long}");
    }

    #[test]
    fn the_nearest_word_is_the_one_meant() {
        assert_eq!(nearest("learning_rat", ["batch_size", "learning_rate"]), Some("learning_rate"));
        assert_eq!(nearest("Steps", ["steps", "step"]), Some("steps"));
        assert_eq!(nearest("zzz", ["steps", "step"]), None);
    }
}
