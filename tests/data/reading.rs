//! The table `[data]`: what is allowed, what is refused and where it is told.

use std::path::Path;

use sgd_sde::data::{Column, DataKind, DataSpec, Standardize, Subset};
use sgd_sde::input::{Document, Location, Source};

use crate::support::{problem, read};

#[test]
fn all_keys_are_read_and_written_back() {
    for keys in [
        "kind = \"digits\"",
        "kind = \"digits\"\nexamples = 1000\nsubset = \"first\"\ntest_fraction = 0.2\nstandardize = \"features\"\nrandom_labels = 0.5\nrandom_inputs = true\nseed = 3",
        "kind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\ntest_images = \"c\"\ntest_labels = \"d\"\nclasses = 10",
        "kind = \"cifar10\"\nfiles = [\"a\", \"b\"]\ntest_files = [\"c\"]",
        "kind = \"npy\"\ninputs = \"x\"\ntargets = \"y\"\ntask = \"regression\"\ntest_examples = 10",
        "kind = \"csv\"\npath = \"a\"\ntarget = \"label\"\ndelimiter = \"\\t\"",
        "kind = \"csv\"\npath = \"a\"\ntarget = 3\nheader = false",
        "kind = \"digits\"\nonly_classes = [\"8\", \"3\"]\npool = 4",
        "kind = \"gaussian-mixture\"",
        "kind = \"two-moons\"\nnoise = 0.3\nexamples = 1e4",
        "kind = \"teacher-student\"\nclasses = 3\nwidth = 7",
        "kind = \"teacher-student\"\ntask = \"regression\"",
    ] {
        let spec = read(keys).unwrap();
        let text = toml::to_string(&spec).unwrap();
        assert_eq!(read(&text).unwrap(), spec, "{text}");
        assert_eq!(toml::from_str::<DataSpec>(&text).unwrap(), spec, "{text}");
    }
    let spec = read("kind = \"csv\"\npath = \"a\"\ntarget = 3\nsubset = \"first\"\nstandardize = \"global\"").unwrap();
    let DataKind::Csv(csv) = &spec.kind else { panic!("another kind") };
    assert_eq!((&csv.target, csv.header, csv.delimiter), (&Column::Index(3), true, ','));
    assert_eq!((spec.subset, spec.standardize), (Some(Subset::First), Standardize::Global));
}

#[test]
fn mistakes_are_told_at_their_place() {
    for (keys, line, key, phrase) in [
        ("kind = \"digit\"", 2, "data.kind", "did you mean \"digits\"?"),
        ("examples = 5", 1, "data.kind", "missing"),
        ("kind = \"digits\"\nexample = 5", 3, "data.example", "did you mean `examples`?"),
        ("kind = \"digits\"\nimages = \"a\"", 3, "data.images", "unknown key"),
        ("kind = \"digits\"\nexamples = 0", 3, "data.examples", "from 1 to"),
        ("kind = \"digits\"\nexamples = 1.5", 3, "data.examples", "not whole"),
        ("kind = \"digits\"\nsubset = \"last\"", 3, "data.subset", "random, first"),
        ("kind = \"digits\"\ntest_fraction = 20", 3, "data.test_fraction", "found 20"),
        (
            "kind = \"digits\"\ntest_fraction = 0.1\ntest_examples = 3",
            4,
            "data.test_examples",
            "beside `test_fraction`",
        ),
        ("kind = \"digits\"\nrandom_labels = nan", 3, "data.random_labels", "found nan"),
        ("kind = \"digits\"\nrandom_inputs = 1", 3, "data.random_inputs", "true or false"),
        ("kind = \"digits\"\nstandardize = true", 3, "data.standardize", "none, features, global"),
        ("kind = \"digits\"\npool = 0", 3, "data.pool", "found 0"),
        ("kind = \"digits\"\nonly_classes = [\"3\"]", 3, "data.only_classes", "fewer than 2"),
        ("kind = \"digits\"\nonly_classes = [\"3\", \"3\"]", 3, "data.only_classes", "twice"),
        ("kind = \"digits\"\nonly_classes = [\"3\", 8]", 3, "data.only_classes[1]", "must be a list of texts"),
        ("kind = \"digits\"\nseed = -1", 3, "data.seed", "found -1"),
        ("kind = \"idx\"\nimages = \"a\"", 1, "data.labels", "missing"),
        ("kind = \"idx\"\nimages = \"\"\nlabels = \"b\"", 3, "data.images", "found an empty text"),
        (
            "kind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\ntest_labels = \"c\"",
            5,
            "data.test_labels",
            "it needs `test_images`",
        ),
        ("kind = \"idx\"\nimages = \"a\"\nlabels = 3", 4, "data.labels", "a text in quotes"),
        (
            "kind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\ntest_images = \"c\"\ntest_labels = \"d\"\ntest_fraction = 0.1",
            7,
            "data.test_fraction",
            "beside files to test on",
        ),
        ("kind = \"cifar10\"\nfiles = \"a\"", 3, "data.files", "list of texts"),
        ("kind = \"cifar10\"\nfiles = [\"a\", \"\"]", 3, "data.files[1]", "found an empty text"),
        (
            "kind = \"npy\"\ninputs = \"x\"\ntargets = \"y\"\ntask = \"regression\"\nclasses = 3",
            6,
            "data.classes",
            "remove it",
        ),
        ("kind = \"csv\"\npath = \"a\"", 1, "data.target", "missing"),
        ("kind = \"csv\"\npath = \"a\"\ntarget = \"y\"\nheader = false", 4, "data.target", "columns have no names"),
        ("kind = \"csv\"\npath = \"a\"\ntarget = -1", 4, "data.target", "found -1"),
        ("kind = \"csv\"\npath = \"a\"\ntarget = 0\ndelimiter = \"ab\"", 5, "data.delimiter", "one ASCII character"),
        ("kind = \"csv\"\npath = \"a\"\ntarget = 0\ndelimiter = \"é\"", 5, "data.delimiter", "one ASCII character"),
        ("kind = \"two-moons\"\nnoise = -0.1", 3, "data.noise", "found -0.1"),
        ("kind = \"two-moons\"\nsubset = \"first\"", 3, "data.subset", "beside a generator"),
        ("kind = \"gaussian-mixture\"\ndimension = 0", 3, "data.dimension", "found 0"),
        ("kind = \"teacher-student\"\nwidth = 1e9", 3, "data.width", "from 1 to 10000"),
    ] {
        let (found_line, found_key, message) = problem(keys);
        assert_eq!((found_line, found_key.as_str()), (line, key), "{keys}: {message}");
        assert!(message.contains(phrase), "{keys}: {message}");
    }
}

#[test]
fn independent_mistakes_are_told_together() {
    let problems = read("kind = \"csv\"\ntask = 3\nheader = 1\nexamples = 0\nseed = \"a\"").unwrap_err();
    assert_eq!(problems.0.len(), 6, "{problems}");
}

#[test]
fn what_loading_finds_is_told_at_its_key() {
    let text = "[data]\nkind = \"cifar10\"\nfiles = [\n  \"absent\",\n]\n";
    let source = Source::new(Document::parse(text.as_bytes(), "some/folder/test.toml").unwrap());
    assert_eq!(source.folder(), Path::new("some/folder"));
    let spec: DataSpec = toml::from_str("kind = \"cifar10\"\nfiles = [\"absent\"]").unwrap();
    let error = spec.load(1, source.folder()).unwrap_err();
    assert!(error.message.contains("some/folder/absent"), "{error}");
    let problem = error.located(&source);
    assert!(matches!(problem.location, Location::Place { .. }) && problem.key == "data.files[0]", "{problem}");
}
