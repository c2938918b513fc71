//! All mutants in one program, so that it is compiled once: a function that a mutant changes gets one body more, which is
//! run where the environment names that mutant ("mutant schemata": Untch, Offutt, Harrold, ISSTA 1993).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::source::{Place, Sources};

/// The variable of the environment with the number of the mutant that is switched on.
pub const VARIABLE: &str = "MUTANT";

/// The file that the switch is added to.
const LIBRARY: &str = "src/lib.rs";

/// What is added to it: whether a mutant is switched on.
const SWITCH: &str = r#"
/// Which mutant is switched on.
pub(crate) mod mutant {
    use std::sync::atomic::{AtomicU64, Ordering};

    const UNREAD: u64 = u64::MAX;
    static ON: AtomicU64 = AtomicU64::new(UNREAD);

    /// Whether this one is.
    #[inline(always)]
    pub(crate) fn is_on(number: u64) -> bool {
        let on = ON.load(Ordering::Relaxed);
        number == if on == UNREAD { read() } else { on }
    }

    #[cold]
    fn read() -> u64 {
        let on = std::env::var("MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(0);
        ON.store(on, Ordering::Relaxed);
        on
    }
}
"#;

/// The edits of a mutant, by its number.
pub type Edits = Vec<(Place, String)>;

/// A program with all mutants that can be switched.
pub struct Switched {
    /// The files that differ from the sources, by their paths.
    pub files: BTreeMap<String, String>,
    /// Where the added bodies are, for what the compiler says of them.
    bodies: Vec<Body>,
}

/// The lines of a function, from 1, in a file with switches; and those of the body of one mutant in it.
struct Body {
    file: String,
    function: Range<usize>,
    lines: Range<usize>,
    number: u64,
}

impl Switched {
    /// Every mutant of the list whose edits all lie in bodies of functions; the numbers of the others come second.
    pub fn of(sources: &Sources, mutants: &BTreeMap<u64, Edits>) -> (Self, BTreeSet<u64>) {
        let mut alone = BTreeSet::new();
        let mut functions: BTreeMap<&str, Vec<Function>> = BTreeMap::new();
        for (&number, edits) in mutants {
            let bodies: Option<Vec<_>> = edits.iter().map(|(place, _)| body_around(sources, place)).collect();
            let fits = |body: &Range<usize>, file: &str| {
                let others = functions.get(file).into_iter().flatten();
                others.into_iter().all(|other| other.body == *body || !overlap(&other.body, body))
            };
            let Some(bodies) = bodies.filter(|bodies| edits.iter().zip(bodies).all(|((at, _), b)| fits(b, &at.file)))
            else {
                alone.insert(number);
                continue;
            };
            for ((place, text), body) in edits.iter().zip(bodies) {
                let of_file = functions.entry(&place.file).or_default();
                let index = of_file.iter().position(|function| function.body == body).unwrap_or_else(|| {
                    of_file.push(Function { body, edits: BTreeMap::new() });
                    of_file.len() - 1
                });
                of_file[index].edits.entry(number).or_default().push((place.range.clone(), text));
            }
        }
        let (mut files, mut bodies) = (BTreeMap::new(), Vec::new());
        for (file, mut functions) in functions {
            functions.sort_by_key(|function| function.body.start);
            files.insert(file.to_owned(), with_switches(file, sources.text(file), &functions, &mut bodies));
        }
        let library = files.remove(LIBRARY).unwrap_or_else(|| sources.text(LIBRARY).to_owned());
        files.insert(LIBRARY.to_owned(), with_the_switch(LIBRARY, library));
        (Self { files, bodies }, alone)
    }

    /// The mutants of the function at a line that does not compile: that of the body, or all if it is no one's.
    pub fn mutants_at(&self, file: &str, line: usize) -> BTreeSet<u64> {
        let of_file = || self.bodies.iter().filter(|body| body.file == file);
        let own: BTreeSet<u64> = of_file().filter(|body| body.lines.contains(&line)).map(|body| body.number).collect();
        let function = of_file().filter(|body| body.function.contains(&line)).map(|body| body.number);
        if own.is_empty() { function.collect() } else { own }
    }
}

/// A file as the others expect it: with the switch, if it is that of the library.
pub fn with_the_switch(file: &str, text: String) -> String {
    if file == LIBRARY { text + SWITCH } else { text }
}

/// A function that mutants change.
struct Function<'a> {
    /// Its body, without the braces, in bytes of its file.
    body: Range<usize>,
    /// What each mutant puts in whose place.
    edits: BTreeMap<u64, Vec<(Range<usize>, &'a str)>>,
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// The text of a file with the bodies of all mutants; notes where these are.
fn with_switches(file: &str, text: &str, functions: &[Function], bodies: &mut Vec<Body>) -> String {
    let mut switched = String::new();
    let mut end = 0;
    for Function { body, edits } in functions {
        switched.push_str(&text[end..body.start]);
        let line = |switched: &str| switched.lines().count() + usize::from(switched.ends_with('\n'));
        let first = line(&switched);
        let noted = bodies.len();
        for (&number, edits) in edits {
            switched.push_str(&format!("if crate::mutant::is_on({number}) {{\n"));
            let begin = line(&switched);
            switched.push_str(&edited(text, body, edits));
            bodies.push(Body { file: file.to_owned(), function: 0..0, lines: begin..line(&switched), number });
            switched.push_str("} else ");
        }
        switched.push_str("{\n");
        switched.push_str(&text[body.clone()]);
        switched.push_str("}\n");
        let function = first..line(&switched);
        bodies[noted..].iter_mut().for_each(|body| body.function = function.clone());
        end = body.end;
    }
    switched + &text[end..]
}

/// A part of a text with some of it replaced.
pub fn edited(text: &str, part: &Range<usize>, edits: &[(Range<usize>, &str)]) -> String {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|(range, _)| range.start);
    let mut result = String::new();
    let mut end = part.start;
    for (range, replacement) in edits {
        result.push_str(&text[end..range.start]);
        result.push_str(replacement);
        end = range.end;
    }
    result + &text[end..part.end]
}

/// The lines of the body of the function around a place, if there is one whose body may be an `if`. Goes by the
/// indentation that rustfmt gives: a function ends at the first `}` that stands under its first line.
fn body_around(sources: &Sources, place: &Place) -> Option<Range<usize>> {
    let text = sources.text(&place.file);
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        lines.push((lines.last().map_or(0, |&(start, line): &(usize, &str)| start + line.len()), line));
    }
    let here = lines.iter().rposition(|(start, _)| *start <= place.range.start)?;
    let (first, indentation) = (0..=here).rev().find_map(|first| {
        let indentation = indentation_of_function(lines[first].1)?;
        let last = last_line(&lines, first, indentation)?;
        (lines[last].0 >= place.range.end).then_some((first, indentation))
    })?;
    let opening = (first..=here).find(|&line| lines[line].1.ends_with("{\n"))?;
    let closing = last_line(&lines, first, indentation)?;
    let signature: String = lines[first..=opening].iter().map(|(_, line)| *line).collect();
    let body = lines.get(opening + 1)?.0..lines[closing].0;
    // Two bodies cannot have one opaque type, and a constant function cannot ask the environment.
    let may_branch = !signature.contains("-> impl ") && !signature.contains("const fn ");
    (may_branch && body.start <= place.range.start && place.range.end <= body.end).then_some(body)
}

/// How far a line is indented, if a function begins in it.
fn indentation_of_function(line: &str) -> Option<usize> {
    let rest = line.trim_start();
    let mut words = rest.split(' ').skip_while(|word| {
        word.starts_with("pub") || ["const", "unsafe", "super)", "self)", "extern", "\"C\""].contains(word)
    });
    let opens = words.next() == Some("fn") && !line.trim_end().ends_with(['}', ';']);
    opens.then(|| line.len() - rest.len())
}

/// The line with the closing brace of the function that begins in a line.
fn last_line(lines: &[(usize, &str)], first: usize, indentation: usize) -> Option<usize> {
    let closes = |line: &str| line.trim_end().len() == indentation + 1 && line[indentation..].starts_with('}');
    (first + 1..lines.len()).find(|&line| closes(lines[line].1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
pub const LIMIT: f64 = 3.0;

impl One {
    /// Doc.
    pub(super) fn first(
        &self,
        x: f64,
    ) -> f64
    where
        Self: Sized,
    {
        if x > 1.0 {
            x + 1.0
        } else {
            x - 1.0
        }
    }

    pub const fn second(&self) -> f64 {
        2.0
    }
}

fn third() -> impl Iterator<Item = u8> {
    0..4
}

fn fourth() -> u8 {
    fn inner() -> u8 {
        5
    }
    inner() + 6
}
";

    fn switched(edits: &[(&str, &str)]) -> (Switched, BTreeSet<u64>) {
        let sources = Sources::of(&[("src/lib.rs", "mod one;\n"), ("src/one.rs", TEXT)]);
        let placed = |&(find, replace): &(&str, &str)| {
            let [place] = sources.places_of(find).try_into().unwrap();
            vec![(place, replace.to_owned())]
        };
        let mutants = (1..).zip(edits.iter().map(placed)).collect();
        Switched::of(&sources, &mutants)
    }

    #[test]
    fn a_function_gets_a_body_for_each_mutant() {
        let (program, alone) = switched(&[("x + 1.0", "x + 2.0"), ("x > 1.0", "x > 2.0")]);
        assert!(alone.is_empty());
        let text = &program.files["src/one.rs"];
        let body = |limit: &str, more: &str| {
            format!(
                "        if x > {limit} {{\n            x + {more}\n        }} else {{\n            x - 1.0\n        }}\n"
            )
        };
        let original = body("1.0", "1.0");
        let chain = format!(
            "if crate::mutant::is_on(1) {{\n{}}} else if crate::mutant::is_on(2) {{\n{}}} else {{\n{original}}}\n",
            body("1.0", "2.0"),
            body("2.0", "1.0")
        );
        assert_eq!(*text, TEXT.replace(&original, &chain));
        assert!(program.files["src/lib.rs"].ends_with(SWITCH));
        // What the compiler says of a body is of its mutant; of what they share, it may be of each.
        let line = |part: &str| text.lines().position(|line| line.contains(part)).unwrap() + 1;
        assert_eq!(program.mutants_at("src/one.rs", line("x + 2.0")), [1].into());
        assert_eq!(program.mutants_at("src/one.rs", line("x > 2.0")), [2].into());
        assert_eq!(program.mutants_at("src/one.rs", line("is_on(1)")), [1, 2].into());
        assert_eq!(program.mutants_at("src/one.rs", 1), [].into());
        assert_eq!(program.mutants_at("src/lib.rs", line("x + 2.0")), [].into());
    }

    #[test]
    fn what_has_no_body_to_branch_in_stands_alone() {
        let edits = [
            ("LIMIT: f64 = 3.0", "LIMIT: f64 = 4.0"),
            ("x: f64,", "x: f32,"),
            ("2.0", "3.0"),
            ("0..4", "0..5"),
            ("5", "7"),
            ("inner() + 6", "inner()"),
        ];
        let (program, alone) = switched(&edits);
        // The last: its body holds that of the one before.
        assert_eq!(alone, [1, 2, 3, 4, 6].into());
        assert_eq!(program.files["src/one.rs"].matches("is_on(5)").count(), 1);
    }
}
