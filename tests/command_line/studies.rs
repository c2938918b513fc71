//! Studies through the program: rows, seeds, order, what becomes of points that cannot be run, stops and restarts.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sgd_sde::random::derived_seed;
use sgd_sde::report::{self, Saved};

use crate::support::{NETWORK, TINY, Workplace};

/// Three temperatures times two steps.
const GRID: &str = r#"
[[study.axis]]
path = "sgd.learning_rate"
values = [0.15, 0.2, 0.25]
[[study.axis]]
path = "dynamics.step"
values = [0.02, 0.05]
"#;

fn grid(steps: &str) -> String {
    TINY.replace("tiny", "grid").replace("steps = 20_000", &format!("steps = {steps}")) + GRID
}

/// The table as columns by name.
struct Table(Vec<Vec<String>>);

impl Table {
    fn of(here: &Workplace, file: &str) -> Self {
        let text = String::from_utf8(here.read(file)).unwrap();
        Self(text.lines().map(fields).collect())
    }

    fn column(&self, name: &str) -> Vec<&str> {
        let place = self.0[0].iter().position(|column| column == name);
        let place = place.unwrap_or_else(|| panic!("no column {name} in {:?}", self.0[0]));
        self.0[1..].iter().map(|row| row[place].as_str()).collect()
    }
}

/// Fields of a line, quotes taken off.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields
}

#[test]
fn a_point_alone_gives_the_numbers_of_its_row() {
    let here = Workplace::with_tiny();
    here.write("grid.toml", grid("20_000"));
    here.run(&["run", "grid.toml", "--quiet"]).expect(0);
    let table = Table::of(&here, "output/grid/study.csv");
    assert_eq!(table.column("sgd.learning_rate"), ["0.15", "0.15", "0.2", "0.2", "0.25", "0.25"]);
    assert_eq!(table.column("dynamics.step"), ["0.02", "0.05", "0.02", "0.05", "0.02", "0.05"]);
    let seeds: Vec<String> = (0..6).map(|index| derived_seed(1, index).to_string()).collect();
    assert_eq!(table.column("seed"), seeds);
    let measured = table.column("occupancy-gibbs.measured");
    assert!(measured.iter().all(|number| number.parse::<f64>().is_ok_and(f64::is_finite)));

    // Point 3 by hand, and by --point.
    let by_hand = ["sgd.learning_rate=0.2", "dynamics.step=0.05", "ensemble.steps=20_000"];
    let mut arguments = vec!["run", "tiny.toml", "--quiet", "--seed", &seeds[3]];
    by_hand.iter().for_each(|change| arguments.extend(["--set", change]));
    here.run(&arguments).expect(0);
    here.run(&["run", "grid.toml", "--quiet", "--point", "3"]).expect(0);
    for result in ["output/tiny/result.json", "output/grid-point-3/result.json"] {
        let document = here.json(result);
        for claim in document["claims"].as_array().unwrap() {
            let id = claim["id"].as_str().unwrap();
            for what in ["predicted", "measured", "standard_error"] {
                assert_eq!(claim[what].to_string(), table.column(&format!("{id}.{what}"))[3], "{result}: {id} {what}");
            }
        }
        assert_eq!(document["diagnostics"]["transitions"].to_string(), table.column("transitions")[3]);
    }
    let answer = here.run(&["run", "grid.toml", "--point", "6"]).expect(2);
    assert!(answer.err.contains("the points are 0 to 5"), "{}", answer.err);
    let answer = here.run(&["run", "tiny.toml", "--point", "0"]).expect(2);
    assert!(answer.err.contains("this is no study"), "{}", answer.err);
}

#[test]
fn a_study_is_the_same_bytes_for_any_number_of_threads() {
    let here = Workplace::new();
    here.write("grid.toml", grid("3_000"));
    let bytes = |threads: &str| {
        let answer = here.run(&["run", "grid.toml", "--quiet", "--threads", threads, "--out", threads]);
        assert!(answer.status == 0 || answer.status == 1, "{}", answer.err);
        ["result.json", "study.csv", "figures/study.svg", "figures/study.csv"]
            .map(|file| here.read(&format!("{threads}/grid/{file}")))
    };
    let alone = bytes("1");
    assert!(bytes("2") == alone && bytes("3") == alone);
}

#[test]
fn unstable_points_and_points_without_an_answer_are_rows() {
    let here = Workplace::new();
    // δh ≥ 2 for δ = 2; one minimum only for a tilt of 1. A row each, and the study goes on.
    let axes = "zip=true,axis=[{path='dynamics.step',values=[0.05,2.0,0.05]},{path='loss.parameters.tilt',values=[0.1,0.1,1.0]}]";
    let tiny = TINY.replace("0.1*x\"", "tilt*x\"\nparameters = { tilt = 0.1 }");
    here.write("tiny.toml", tiny);
    let answer = here.run(&["run", "tiny.toml", "--set", &format!("study={{{axes}}}")]).expect(1);
    assert!(answer.out.contains("VERDICT  UNDETERMINED") && answer.out.contains("only one minimum"), "{}", answer.out);
    let table = Table::of(&here, "output/tiny/study.csv");
    assert_eq!(table.column("predicted"), ["stationary", "diverges", ""]);
    assert_eq!(table.column("verdict"), ["holds", "holds", "undetermined"]);
    assert_eq!(table.column("primary"), ["occupancy-laplace", "divergence", ""]);
    // All 64 replicas of a quartic at δh > 4 are gone within a few steps.
    assert_eq!(table.column("diverged"), ["0", "64", ""]);
    let reasons = table.column("reason");
    assert!(
        reasons[0].is_empty() && reasons[1].contains("all 64 replicas did") && reasons[1].contains("is not below 2")
    );
    assert!(reasons[2].contains("only one minimum lies in the domain"), "{}", reasons[2]);
    // The claim was asked at three points and held at one, but what the third would have said is not known.
    let result = here.json("output/tiny/result.json");
    let claims = result["claims"].as_array().unwrap();
    let laplace = claims.iter().find(|claim| claim["id"] == "occupancy-laplace").unwrap();
    assert_eq!(laplace["verdict"], "undetermined");
    assert!(
        laplace["reason"]
            .as_str()
            .unwrap()
            .starts_with("1 of 3 points are without a result; over 1 points it holds at 1")
    );
    let study = &result["study"];
    let counts = ["points", "predicted_divergences", "without_result"].map(|key| study[key].as_u64().unwrap());
    assert_eq!((counts, &study["deciding"]), ([3, 1, 1], &serde_json::json!([2])));
}

/// The values of the axes would take the place of what is set, at every point and without a word.
#[test]
fn what_a_study_varies_is_not_set_beside_it() {
    let here = Workplace::new();
    here.write("grid.toml", grid("3_000"));
    let told = "the study varies dynamics.step, whose values";
    for command in ["check", "predict", "run"] {
        let answer = here.run(&[command, "grid.toml", "--set", "dynamics.step=0.01"]).expect(2);
        let place = format!("in --set dynamics.step=0.01: dynamics.step: {told}");
        assert!(answer.err.starts_with(&place) && answer.err.contains("set study.axis[1].values"), "{}", answer.err);
    }
    let answer = here.run(&["run", "grid.toml", "--point", "1", "--set", "dynamics.step=0.01"]).expect(2);
    assert!(answer.err.contains(told), "{}", answer.err);
    // The table around a varied key has other keys too, and the axis itself may be set.
    let sets = ["sgd={learning_rate=1.0,batch_size=2}", "study.axis[1].values=[0.01]", "ensemble.steps=2_000"];
    let arguments: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    here.run(&[&["check", "grid.toml"], &arguments[..]].concat()).expect(0);

    here.write("seeds.toml", TINY.to_owned() + "[[study.axis]]\npath = \"seed\"\nvalues = [1, 2]\n");
    let answer = here.run(&["check", "seeds.toml", "--seed", "3"]).expect(2);
    assert!(answer.err.starts_with("in --seed 3: seed: the study varies seed"), "{}", answer.err);
}

#[test]
fn predictions_and_costs_are_told_point_by_point() {
    let here = Workplace::new();
    here.write("grid.toml", grid("20_000"));
    let answer = here.run(&["predict", "grid.toml"]).expect(0);
    assert!(answer.out.contains("6 points, a grid, the last axis running fastest"), "{}", answer.out);
    let document = here.run(&["predict", "grid.toml", "--json"]).expect(0).out;
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let rows = document["study"]["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &document["verdict"]), (6, &serde_json::Value::Null));
    for row in rows {
        let claim = &row["claims"][1];
        assert!(claim["predicted"].is_f64() && claim["measured"].is_null() && row["verdict"].is_null(), "{row}");
    }
    let answer = here.run(&["check", "grid.toml"]).expect(0);
    assert!(answer.out.contains("a study of 6 points"), "{}", answer.out);
    // 64 replicas × 21,000 steps × 6 points.
    assert!(answer.out.contains("8.06e6 trajectory-steps"), "{}", answer.out);
    let quiet = here.run(&["run", "grid.toml", "--quiet"]).expect(0);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("grid: HOLDS (expected HOLDS)\n", ""));
    // Another study of that name is not replaced, the same one is.
    here.run(&["run", "grid.toml", "--quiet"]).expect(0);
    let answer = here.run(&["run", "grid.toml", "--set", "study.axis[0].values=[0.1]"]).expect(2);
    assert!(answer.err.contains("another scenario or seed"), "{}", answer.err);
}

/// Two variances and a diagonal at each of two points: several contrasts in one claim.
const BOWLS: &str = r#"
name = "bowls"
experiment = "covariance"
loss = { kind = "quadratic", eigenvalues = [1.0, 4.0], domain = [[-9.0, 9.0], [-9.0, 9.0]] }
noise = { kind = "isotropic", sigma = 1.0 }
sgd = { learning_rate = 0.1, batch_size = 1 }
ensemble = { replicas = 64, steps = 4000, burn_in = 400 }
[[study.axis]]
path = "sgd.learning_rate"
values = [0.1, 0.2]
"#;

/// What `study.csv` says is enough to draw and write everything again.
#[test]
fn a_saved_study_reads_back() {
    let here = Workplace::new();
    here.write("bowls.toml", BOWLS);
    let axes = "zip=true,axis=[{path='dynamics.step',values=[0.05,2.0,0.05]},{path='loss.formula',values=['x^4/4 - x^2/2','''x^4/4\n- x^2/2''','x^2']}]";
    here.write("tiny.toml", TINY.replace("steps = 20_000", "steps = 2_000"));
    for (file, name, change) in [("bowls.toml", "bowls", "seed=1"), ("tiny.toml", "tiny", &format!("study={{{axes}}}"))]
    {
        let answer = here.run(&["run", file, "--quiet", "--set", change]);
        assert!(answer.status == 0 || answer.status == 1, "{}", answer.err);
        let Saved { findings, figures, run } = report::load(&here.path(&format!("output/{name}"))).unwrap();
        report::save(&here.path("again"), &findings, &figures, &run, "").unwrap();
        for file in ["result.json", "study.csv", "figures/study.svg", "figures/study.csv"] {
            let [first, second] = ["output", "again"].map(|out| here.read(&format!("{out}/{name}/{file}")));
            assert!(first == second, "{name}/{file} differs");
        }
    }
    // A table that lost lines, whole or not, is none to draw from.
    let (table, figure) = (here.read("output/bowls/study.csv"), here.read("output/bowls/figures/study.svg"));
    let shorter = table[..table.len() - 2].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    here.write("output/bowls/study.csv", &table[..shorter]);
    let told = here.run(&["plot", "output/bowls"]).expect(2).err;
    assert!(told.contains("study.csv, line") && told.contains("is cut short or damaged"), "{told}");
    assert!(here.read("output/bowls/figures/study.svg") == figure);
    here.write("output/bowls/study.csv", table);
    let contrasts = Table::of(&here, "output/bowls/study.csv");
    for quantity in ["ln Var(axis 1)", "ln Var(axis 2)", "ln Var(axes 1 + 2)"] {
        let measured = contrasts.column(&format!("covariance-discrete.{quantity}.measured"));
        assert!(measured.iter().all(|number| number.parse::<f64>().is_ok()), "{quantity}: {measured:?}");
    }
}

/// Forty points of some hundredths of a second each: on one thread it cannot be over before it is stopped.
/// Networks over two learning rates and two values of something else.
fn networks(path: &str, values: &str) -> String {
    let axis = |path: &str, values: &str| format!("[[study.axis]]\npath = \"{path}\"\nvalues = {values}\n");
    [NETWORK, &axis("sgd.learning_rate", "[0.01, 0.02]"), &axis(path, values)].concat()
}

#[test]
fn a_study_of_networks_tells_what_all_points_share_and_what_varies() {
    let here = Workplace::with_tiny();
    here.write("network.toml", networks("data.examples", "[20, 40]"));
    let shown = here.run(&["run", "network.toml"]).out;
    assert!(shown.contains("η = varies; S = 2; N = varies; δ = varies; d = 20"), "{shown}");
    here.write("network.toml", networks("loss.hidden", "[[3], [4]]"));
    let shown = here.run(&["run", "network.toml", "--force"]).out;
    assert!(shown.contains("η = varies; S = 2; N = 40; δ = varies; d = varies"), "{shown}");
    let findings = report::load_findings(&here.path("output/network")).unwrap();
    assert_eq!(findings.data.unwrap().training.examples, 40);
}

fn long_study() -> String {
    let values: Vec<String> = (0..40).map(|index| format!("{}", 0.1 + 0.005 * f64::from(index))).collect();
    let axis = format!("[[study.axis]]\npath = \"sgd.learning_rate\"\nvalues = [{}]\n", values.join(", "));
    TINY.replace("tiny", "long").replace("steps = 20_000", "steps = 120_000") + &axis
}

/// A run of the program that ends with its test, however that ends: some of these would run for ever.
struct Running(Option<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn start(here: &Workplace, more: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sgd-sde"));
    command.current_dir(here.path("")).args(["run", "long.toml", "--threads", "1"]).args(more);
    Running(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
}

fn journals(here: &Workplace) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(here.path("output")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "journal")).collect()
}

/// Waits until so many points are in the journal.
fn wait_for(here: &Workplace, points: usize) -> PathBuf {
    let begin = Instant::now();
    loop {
        let found = journals(here).into_iter().next();
        let lines =
            found.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).map_or(0, |text| text.lines().count());
        if lines > points {
            return found.unwrap();
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "the study does not get on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(mut running: Running, signal: &str) -> (Option<i32>, String) {
    let child = running.0.take().unwrap();
    Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_stopped_study_goes_on_where_it_was() {
    let here = Workplace::new();
    here.write("long.toml", long_study());
    let (status, err) = {
        let child = start(&here, &[]);
        wait_for(&here, 3);
        signal(child, "INT")
    };
    assert_eq!(status, Some(130), "{err}");
    assert!(err.contains("of 40 points are kept in output/.long."), "{err}");
    // A kill leaves whole lines and perhaps a torn one, which here is made sure of.
    let journal = {
        let child = start(&here, &[]);
        let journal = wait_for(&here, 8);
        assert_eq!(signal(child, "KILL").0, None);
        journal
    };
    let mut text = std::fs::read_to_string(&journal).unwrap();
    text.truncate(text.rfind('\n').unwrap() + 1);
    let kept = text.lines().count() - 1;
    std::fs::write(&journal, format!("{text}{{\"index\":0,\"val")).unwrap();
    let (_, err) = {
        let child = start(&here, &[]);
        wait_for(&here, kept + 4);
        signal(child, "INT")
    };
    assert!(err.contains(&format!("long: {kept} of 40 points are taken over")), "{err}");
    // Whatever is told to be kept is taken over: nothing was written into the torn line.
    let kept = err.split("interrupted: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let answer = here.run(&["run", "long.toml"]);
    assert!(answer.status == 0 || answer.status == 1, "{}", answer.err);
    assert!(answer.err.contains(&format!("long: {kept} of 40 points are taken over")), "{}", answer.err);
    assert!(journals(&here).is_empty());

    here.run(&["run", "long.toml", "--quiet", "--out", "unstopped"]);
    for file in ["study.csv", "result.json", "figures/study.svg"] {
        let [stopped, unstopped] = ["output", "unstopped"].map(|out| here.read(&format!("{out}/long/{file}")));
        assert!(stopped == unstopped, "{file} differs");
    }
}

#[test]
fn finished_points_are_taken_over_and_by_the_very_same_study_only() {
    let here = Workplace::new();
    here.write("long.toml", long_study());
    let child = start(&here, &[]);
    let journal = wait_for(&here, 3);
    assert_eq!(signal(child, "INT").0, Some(130));

    // Another seed is another study.
    let answer = here.run(&["run", "long.toml", "--seed", "2", "--out", "output"]);
    assert!(!answer.err.contains("taken over"), "{}", answer.err);
    let seeds: Vec<String> = (0..40).map(|index| derived_seed(2, index).to_string()).collect();
    assert_eq!(Table::of(&here, "output/long/study.csv").column("seed"), seeds);

    // What is taken over is not computed again: a mark set in the journal comes out.
    let text = std::fs::read_to_string(&journal).unwrap();
    let json = &text.lines().nth(2).unwrap()["cafebabe ".len()..];
    let row: serde_json::Value = serde_json::from_str(json).unwrap();
    let marked = json.replace(&format!("\"transitions\":{}", row["transitions"]), "\"transitions\":123456789");
    let marked = format!("{:08x} {marked}", crc32fast::hash(marked.as_bytes()));
    // One that is damaged is: a mark without its checksum does not.
    let damaged = text.lines().nth(3).unwrap().replace("\"transitions\":", "\"transitions\":99999999");
    let lines: Vec<&str> = text
        .lines()
        .enumerate()
        .map(|(index, line)| [line, &marked, &damaged][[0, 0, 1, 2, 0][index.min(4)]])
        .collect();
    std::fs::write(&journal, lines.join("\n") + "\n").unwrap();
    let answer = here.run(&["run", "long.toml", "--force"]);
    assert!(answer.err.contains("are taken over"), "{}", answer.err);
    let table = Table::of(&here, "output/long/study.csv");
    let index = row["index"].as_u64().unwrap() as usize;
    assert_eq!(table.column("transitions").iter().position(|count| *count == "123456789"), Some(index));
    let others = table.column("transitions").into_iter().filter(|count| *count != "123456789");
    assert!(others.filter_map(|count| count.parse::<u64>().ok()).all(|count| count < 1_000_000));
}

/// While a study runs nobody else may write its journal; one that is stopped before anything is finished leaves nothing.
#[test]
fn two_processes_do_not_share_a_journal() {
    let here = Workplace::new();
    here.write("long.toml", long_study());
    let endless = ["--set", "ensemble.steps=1_000_000_000_000"];
    let child = start(&here, &endless);
    wait_for(&here, 0);
    let answer = here.run(&[&["run", "long.toml"][..], &endless].concat()).expect(2);
    assert!(answer.err.contains("is being written by another sgd-sde"), "{}", answer.err);
    let (status, err) = signal(child, "INT");
    assert_eq!(status, Some(130));
    assert!(err.contains("interrupted: nothing was written"), "{err}");
    assert_eq!(std::fs::read_dir(here.path("output")).unwrap().count(), 0);
}
