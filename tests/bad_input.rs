//! Bad input: every case of `tests/bad` is refused where and as it says, and nothing that is thrown at the reader makes it
//! panic, hang or overflow the stack.

#[path = "bad/list.rs"]
mod bad;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sgd_sde::input::{Location, Problem, Problems};
use sgd_sde::scenario::{Loaded, STARTER, parse, shipped};

use bad::{Case, Stage, Told};

fn problems(text: impl AsRef<[u8]>) -> Vec<Problem> {
    parse(text, "bad.toml", &[], None).expect_err("this must be refused").0
}

#[test]
fn every_bad_scenario_is_refused_where_it_is_wrong() {
    let cases = bad::cases();
    let wrong: Vec<String> = cases.iter().filter_map(missed).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(cases.len() >= 341);
    assert!(cases.iter().map(|case| case.told.len()).sum::<usize>() >= 360);
}

/// What reading a case does not tell, or tells beyond what it should; nothing if it is as it says.
fn missed(case: &Case) -> Option<String> {
    let Case { name, text, stage, told } = case;
    match (stage, parse(text, name, &[], None)) {
        (Stage::Landscape, Ok(_)) => None,
        (Stage::Landscape, Err(problems)) => Some(format!("{name} must pass reading:\n{problems}")),
        (Stage::Reading, Ok(_)) => Some(format!("{name} was accepted")),
        (Stage::Reading, Err(problems)) => {
            let is_missed = |told: &&Told| !problems.0.iter().any(|problem| is_told(name, told, problem));
            let missed: Vec<&Told> = told.iter().filter(is_missed).collect();
            let complete = missed.is_empty() && problems.0.len() == told.len();
            (!complete).then(|| format!("{name} missed {missed:?}, told:\n{problems}"))
        }
    }
}

fn is_told(file: &str, told: &Told, problem: &Problem) -> bool {
    let place = Location::Place { file: file.to_owned(), line: told.line, column: told.column };
    problem.location == place && problem.key == told.key && problem.message.contains(&told.phrase)
}

/// Else a case might be refused for something else than its change.
#[test]
fn what_bad_scenarios_are_made_from_is_accepted() {
    for (name, text) in bad::bases() {
        parse(&text, &name, &[], None).unwrap_or_else(|problems| panic!("{name}:\n{problems}"));
    }
}

/// Cases of a list on a base of four lines.
fn cases_on_four_lines(list: &str) -> Vec<Case> {
    let bases = BTreeMap::from([("four".to_owned(), "a = 1\n\n[b]\na = 2\n".to_owned())]);
    let list = format!("base = 'four'\n[[case]]\nname = 'x'\nwhat = 'wrong'\n{list}");
    bad::cases_of("list", &list, &bases, &mut BTreeSet::new())
}

#[test]
fn bad_scenarios_are_made_by_changing_lines() {
    let at = |line, column| Told { line, column, key: String::new(), phrase: "p".to_owned() };
    let two = "replace = [['a = 1', 'a = 3'], ['a = 2', 'a = 4']]\n\
               told = [{ at = 'a = |4', phrase = 'p' }, { at = 'a = 3', phrase = 'p' }]";
    for (list, text, told) in [
        ("replace = [['a = 1', 'a = |é']]\nphrase = 'p'", "a = é\n\n[b]\na = 2\n", vec![at(2, 5)]),
        ("replace = [['a = 2', 'é = |3']]\nphrase = 'p'", "a = 1\n\n[b]\né = 3\n", vec![at(5, 5)]),
        ("replace = [['a = 2', '''\nc = 4\n|d''']]\nphrase = 'p'", "a = 1\n\n[b]\nc = 4\nd\n", vec![at(6, 1)]),
        ("replace = [[\"[b]\\na = 2\", '']]\nphrase = 'p'", "a = 1\n", vec![at(1, 1)]),
        ("add = '''\n[c]\n|d = 1'''\nphrase = 'p'", "a = 1\n\n[b]\na = 2\n\n[c]\nd = 1\n", vec![at(8, 1)]),
        (two, "a = 3\n\n[b]\na = 4\n", vec![at(5, 5), at(2, 1)]),
    ] {
        let [case] = cases_on_four_lines(list).try_into().ok().unwrap();
        assert_eq!((case.text, case.told), (format!("# wrong\n{text}"), told), "{list}");
    }
}

#[test]
fn a_list_that_contradicts_itself_is_refused() {
    for (list, reason) in [
        ("replace = [['a = 3', '']]\nphrase = 'p'", "must stand once in the base"),
        ("replace = [['a =', '']]\nphrase = 'p'", "must stand once in the base"),
        ("replace = [['a = 1', ''], ['a = 1', 'b']]\nphrase = 'p'", "a line is replaced twice"),
        ("replace = [['a = 1', '|a = |3']]\nphrase = 'p'", "there are two marks"),
        ("replace = [['a = 1', '|a = 3']]\nat = 'a = 2'\nphrase = 'p'", "the place is said twice"),
        ("at = 'a ='\nphrase = 'p'", "must occur once in the text"),
        ("at = 'a = 4'\nphrase = 'p'", "must occur once in the text"),
        ("add = 'c = 1'", "needs a phrase"),
        ("base = 'five'\nphrase = 'p'", "there is no base five"),
        ("text = 'a'\nphrase = 'p'", "a text needs no base"),
        ("note = 'a'\nphrase = 'p'", "unknown field `note`"),
    ] {
        let told = std::panic::catch_unwind(|| cases_on_four_lines(list)).err();
        let told = told.and_then(|told| told.downcast::<String>().ok()).unwrap_or_default();
        assert!(told.contains(reason), "{list}: {told}");
    }
}

#[test]
fn messages_say_what_to_do() {
    for Case { name, text, .. } in bad::cases() {
        let Err(problems) = parse(text, &name, &[], None) else { continue };
        for problem in &problems.0 {
            let text = problem.to_string();
            assert!(text.len() < 900 && text.lines().count() == 1, "{text}");
            // Found, allowed, what to do: a message of one part helps nobody.
            assert!(problem.message.contains(';') || problem.message.starts_with("not valid TOML"), "{text}");
        }
    }
}

/// A scenario with this formula.
fn with_formula(formula: &str) -> String {
    let text = shipped()[0].text;
    let line = text.lines().find(|line| line.starts_with("formula")).unwrap();
    text.replace(line, &format!("formula = '''{formula}'''"))
}

/// Reads in a thread with the stack that a worker thread has, which is smaller than the main thread's.
fn read_in_time(text: impl Into<Vec<u8>>) -> Result<Loaded, Problems> {
    let text = text.into();
    let begin = Instant::now();
    let reading = std::thread::Builder::new().stack_size(1 << 20).spawn(move || parse(text, "bad.toml", &[], None));
    let result = reading.unwrap().join().unwrap();
    if let Err(problems) = &result {
        let text = problems.to_string();
        assert!(!problems.0.is_empty() && text.len() < 60_000);
    }
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    result
}

#[test]
fn huge_and_deep_files_get_an_answer() {
    const MANY: usize = 100_000;
    // Each of these is broken or absurd; what matters is that there is an answer.
    let refused = [
        "[".repeat(MANY),
        format!("a = {}", "[".repeat(MANY)),
        format!("a = {}1{}", "[".repeat(MANY), "]".repeat(MANY)),
        format!("a = {}", "{a=".repeat(MANY)),
        format!("a{} = 1", ".a".repeat(MANY)),
        format!("[a{}]", ".a".repeat(MANY)),
        format!("a{} = 1", ".\"a\"".repeat(MANY)),
        format!("a = {{ a{} = 1 }}", " . a".repeat(MANY)),
        "a.a.a.a.a.a.a.a = {".repeat(15) + "b = 1" + &"}".repeat(15),
        "x = 1\n".repeat(MANY),
        (0..MANY).map(|i| format!("key{i} = 1\n")).collect(),
        (0..MANY).map(|i| format!("key{i} = {{}}, ")).collect(),
        format!("name = \"{}\"", "a".repeat(1 << 20)),
        format!("name = \"bad\"\n{}", "[[loss.well]]\nposition = 1\n".repeat(MANY)),
        format!("name = \"bad\"\n[loss]\nkind = \"wells\"\nwell = [{}]", "1,".repeat(MANY)),
        format!("[loss]\nkind = \"expression\"\nvariables = [{}]", "\"x\",".repeat(MANY)),
        format!("[loss]\nkind = \"quadratic\"\neigenvalues = [{}]", "-1,".repeat(MANY)),
        format!("[loss]\nkind = \"quadratic\"\nmatrix = [{}]", "[1],".repeat(MANY)),
        format!(
            "[loss]\nkind = \"expression\"\nparameters = {{{}}}",
            (0..MANY).map(|i| format!("p{i} = nan,")).collect::<String>()
        ),
        format!("seed = {}", "9".repeat(MANY)),
        format!("seed = 0.{}", "9".repeat(MANY)),
        "\r".repeat(MANY),
        "\0".repeat(MANY),
        "é".repeat(MANY),
        " ".repeat(17 << 20),
    ];
    for text in refused {
        let start: String = text.chars().take(40).collect();
        assert!(read_in_time(text).is_err(), "{start}");
    }
}

#[test]
fn huge_formulas_get_an_answer() {
    const MANY: usize = 100_000;
    for formula in [
        format!("{}x{}", "(".repeat(MANY), ")".repeat(MANY)),
        format!("x^2{}", " + x^2".repeat(MANY)),
        format!("{}x{}", "sin(".repeat(MANY), ")".repeat(MANY)),
        format!("{}x", "-".repeat(MANY)),
        format!("x{}", "^x".repeat(MANY)),
        format!("x{}", "/x".repeat(MANY)),
        "(".repeat(MANY),
    ] {
        let text = with_formula(&formula);
        if let Err(problems) = read_in_time(text) {
            assert!(problems.0.iter().all(|problem| problem.key == "loss.formula"), "{problems}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    for (bytes, line, column) in [
        (&b"name = \"b\xFFd\"\n"[..], 1, 10),
        (b"name = \"bad\"\n# \xC3\xA9\xC3\n", 2, 4),
        (b"\xFF\xFEn\0a\0m\0e\0", 1, 1),
        (b"\x80", 1, 1),
    ] {
        let problems = problems(bytes);
        assert_eq!((problems[0].line(), problems[0].column()), (Some(line), Some(column)));
        assert!(problems[0].message.contains("is not UTF-8"), "{}", problems[0]);
    }
}

#[test]
fn more_replicas_than_any_machine_holds_are_refused() {
    let eigenvalues = vec!["1.0"; 10_000].join(", ");
    let text = format!(
        "name = \"bad\"\n[loss]\nkind = \"quadratic\"\neigenvalues = [{eigenvalues}]\n[noise]\nkind = \"temperature\"\n\
         value = 0.1\n[dynamics]\nstep = 0.1\n[ensemble]\nreplicas = 100_000_000\nsteps = 10\n"
    );
    let problems = problems(text);
    // The test assumes Linux, where the memory is known, and less than 100 TB of it.
    assert_eq!(problems[0].key, "ensemble.replicas");
    assert!(problems[0].message.contains("replicas fit"), "{}", problems[0]);
}

#[test]
fn a_place_in_a_formula_is_told_whatever_its_quotes() {
    let base = shipped()[0].text;
    let formula = base.lines().find(|line| line.starts_with("formula")).unwrap();
    let first = base.lines().position(|line| line.starts_with("formula")).unwrap() + 1;
    for (quoted, line, column) in [
        ("\"x^2 + wrong\"", 0, 18),
        ("'x^2 + wrong'", 0, 18),
        ("'''x^2 + wrong'''", 0, 20),
        ("\"\"\"\nx^2\n + wrong\"\"\"", 2, 4),
        // With an escape in it, the text is told as a whole.
        ("\"x^2\\u0020+ wrong\"", 0, 11),
    ] {
        let text = base.replace(formula, &format!("formula = {quoted}"));
        let problems = problems(text);
        assert_eq!((problems[0].line(), problems[0].column()), (Some(first + line), Some(column)), "{}", problems[0]);
    }
}

/// A good file to damage.
fn files() -> Vec<&'static str> {
    shipped().iter().map(|shipped| shipped.text).chain([STARTER]).collect()
}

/// One way to damage a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Truncate(usize),
    Delete(usize),
    Repeat(usize),
    Swap(usize, usize),
    Value(usize, usize),
    Insert(usize, usize),
}

const VALUES: [&str; 24] = [
    "nan",
    "-inf",
    "1e308",
    "-1e-320",
    "0",
    "-1",
    "1e400",
    "9223372036854775807",
    "99999999999999999999999999999999999999999",
    "\"\"",
    "\"../..\"",
    "[]",
    "[[]]",
    "[[[1]]]",
    "{}",
    "[{}]",
    "true",
    "2026-01-01",
    "'''\n'''",
    "[1, \"a\"]",
    "[[1, 2], [3]]",
    "\"1/0\"",
    "1e100",
    "\"sgd\"",
];

const PIECES: [&str; 12] =
    ["[", "]", "=", "\"", "\n", ".", "{", "\u{FEFF}", "[[loss.well]]\n", "[loss]\n", "\u{1F600}", "'''"];

fn damage() -> impl Strategy<Value = Damage> {
    let at = || 0_usize..1_000_000;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(i, b)| Damage::Flip(i, b)),
        at().prop_map(Damage::Truncate),
        at().prop_map(Damage::Delete),
        at().prop_map(Damage::Repeat),
        (at(), at()).prop_map(|(i, j)| Damage::Swap(i, j)),
        (at(), at()).prop_map(|(i, j)| Damage::Value(i, j)),
        (at(), at()).prop_map(|(i, j)| Damage::Insert(i, j)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let count = lines.len();
    match *damage {
        Damage::Flip(at, mask) => {
            let at = at % bytes.len();
            bytes[at] ^= mask;
            return;
        }
        Damage::Truncate(at) => {
            bytes.truncate(at % bytes.len());
            return;
        }
        Damage::Insert(at, piece) => {
            let at = at % bytes.len();
            bytes.splice(at..at, PIECES[piece % PIECES.len()].bytes());
            return;
        }
        Damage::Delete(line) => {
            lines.remove(line % count);
        }
        Damage::Repeat(line) => {
            let line = line % count;
            lines.insert(line, lines[line].clone());
        }
        Damage::Swap(one, other) => lines.swap(one % count, other % count),
        Damage::Value(line, value) => {
            let with_value: Vec<usize> = (0..count).filter(|i| lines[*i].contains(&b'=')).collect();
            if let Some(line) = with_value.get(line % with_value.len().max(1)) {
                let equals = lines[*line].iter().position(|byte| *byte == b'=').unwrap_or(0);
                lines[*line].truncate(equals + 1);
                lines[*line].extend(VALUES[value % VALUES.len()].bytes());
            }
        }
    }
    *bytes = lines.join(&b'\n');
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_scenarios_never_panic(file in 0_usize..100, damages in prop::collection::vec(damage(), 1..6)) {
        let files = files();
        let mut bytes = files[file % files.len()].as_bytes().to_vec();
        for damage in &damages {
            apply(&mut bytes, damage);
        }
        match parse(&bytes, "bad.toml", &[], None) {
            // What passes must be a scenario in every respect.
            Ok(Loaded { scenario, .. }) => {
                prop_assert!(scenario.step() > 0.0 && scenario.loss.build().is_ok());
                prop_assert!(scenario.noise.build(&scenario.loss.build().unwrap(), &scenario.variables(), 1).is_ok());
                let text = scenario.to_toml().unwrap();
                let again = parse(&text, "again.toml", &[], None);
                prop_assert!(again.as_ref().is_ok_and(|again| again.scenario == scenario), "{text}\n{again:?}");
            }
            Err(problems) => prop_assert!(!problems.0.is_empty() && !problems.to_string().is_empty()),
        }
    }

    #[test]
    fn any_override_gets_an_answer(key in "[a-z.\\[\\]0-9 =\"]{0,20}", known in 0_usize..12, value in "\\PC{0,20}|[\\[\\]{}\"'=,0-9a-z.]{0,20}") {
        const KEYS: [&str; 8] = ["loss", "loss.formula", "ensemble.start", "sgd", "noise", "loss.domain", "seed", "loss.parameters"];
        let key = KEYS.get(known).map_or(key, ToString::to_string);
        let result = parse(shipped()[0].text, "bad.toml", &[format!("{key}={value}")], None);
        prop_assert!(result.is_ok() || result.is_err_and(|problems| !problems.to_string().is_empty()));
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,100}") {
        let _ = parse(&bytes, "bad.toml", &[], None);
        let _ = parse(&text, "bad.toml", &[], None);
    }
}
