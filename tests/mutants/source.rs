//! The source text of the program, and where in it a text stands: whatever file that is in, and however it is indented.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// One file of `src`.
pub struct Source {
    /// What stands in the file.
    pub text: String,
    /// The text with every run of blank space as one space, so that neither indentation nor breaks of lines matter.
    squeezed: String,
    /// For every byte of `squeezed` its place in `text`.
    places: Vec<usize>,
}

impl Source {
    pub fn new(text: String) -> Self {
        let (mut squeezed, mut places) = (String::with_capacity(text.len()), Vec::with_capacity(text.len()));
        for (place, character) in text.char_indices() {
            if !character.is_whitespace() {
                squeezed.push(character);
                places.extend(place..place + character.len_utf8());
            } else if !squeezed.ends_with(' ') {
                squeezed.push(' ');
                places.push(place);
            }
        }
        Self { text, squeezed, places }
    }

    /// Where `wanted` stands, blank space aside, in bytes of `text`.
    fn ranges_of(&self, wanted: &str) -> impl Iterator<Item = Range<usize>> {
        self.squeezed
            .match_indices(wanted)
            .map(|(start, found)| self.places[start]..self.places[start + found.len() - 1] + 1)
    }
}

/// All of them, by their path below the root of the repository.
pub struct Sources(BTreeMap<String, Source>);

/// A place in one of the sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub file: String,
    pub range: Range<usize>,
}

impl Sources {
    /// Every Rust file of `src`.
    pub fn read(root: &Path) -> Self {
        let mut sources = BTreeMap::new();
        let mut folders = vec![root.join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    sources.insert(name, Source::new(std::fs::read_to_string(path).unwrap()));
                }
            }
        }
        Self(sources)
    }

    pub fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(file, text)| ((*file).to_owned(), Source::new((*text).to_owned()))).collect())
    }

    pub fn text(&self, file: &str) -> &str {
        &self.0[file].text
    }

    /// Everywhere that a text stands, blank space aside.
    pub fn places_of(&self, text: &str) -> Vec<Place> {
        let wanted = squeezed(text);
        let of_file = |(file, source): (&String, &Source)| -> Vec<Place> {
            source.ranges_of(&wanted).map(|range| Place { file: file.clone(), range }).collect()
        };
        if wanted.is_empty() { Vec::new() } else { self.0.iter().flat_map(of_file).collect() }
    }
}

/// A text without blank space at its ends, and with one space for each run of it.
pub fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn blank_space_does_not_matter() {
    let sources = Sources::of(&[
        ("src/one.rs", "fn é() {\n    let x = 1;\n\n    x\n}\n"),
        ("src/two.rs", "let x\n  = 1; let x = 1;"),
    ]);
    let found = sources.places_of("\n let x = 1;\n");
    let texts: Vec<&str> = found.iter().map(|place| &sources.text(&place.file)[place.range.clone()]).collect();
    assert_eq!(texts, ["let x = 1;", "let x\n  = 1;", "let x = 1;"]);
    assert_eq!(found[0], Place { file: "src/one.rs".to_owned(), range: 14..24 });
    assert_eq!(sources.places_of("x = 1; x").len(), 1);
    assert_eq!(sources.places_of("letx"), []);
    assert_eq!(sources.places_of(" \n "), []);
}
