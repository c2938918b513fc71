//! Curvature at equal loss against η/S.

use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::{self, Control, Finished};
use sgd_sde::findings::{ClaimRecord, Findings};
use sgd_sde::scenario::{Loaded, load};
use sgd_sde::statistics::Verdict;
use sgd_sde::training::weights;

use crate::support::{BASE, claim, run, scenario, try_run};

/// Five ratios, each by two batch sizes, from 0.01 to 0.16.
const FACTORS: &str = "[[1, 1], [4, 4], [2, 1], [8, 4], [4, 1], [16, 4], [8, 1], [32, 4], [16, 1], [64, 4]]";
const LEVEL: f64 = 0.25;

/// η at the first factor, further keys of [training], of [width] and replicas.
fn width(rate: f64, training: &str, width: &str, replicas: u64) -> Loaded {
    scenario("width", &tables(rate, training, width, replicas))
}

fn tables(rate: f64, training: &str, width: &str, replicas: u64) -> String {
    format!(
        "[sgd]\nlearning_rate = {rate}\nbatch_size = 1\n[training]\n{training}\n[width]\nfactors = {FACTORS}\nloss = {LEVEL}\n{width}\n\
         [ensemble]\nreplicas = {replicas}\n"
    )
}

fn small(replicas: u64) -> Loaded {
    width(0.01, "epochs = 100\nlook_every = 0.1", "", replicas)
}

fn finished(loaded: &Loaded) -> Finished {
    let prepared = experiment::prepare(loaded).unwrap();
    let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
    experiment::run_from(loaded, &prepared, None, control).unwrap_or_else(|error| panic!("{error}"))
}

fn measure<'a>(findings: &'a Findings, group: usize, quantity: &str) -> &'a sgd_sde::findings::MeasureRecord {
    findings.groups[group].measures.iter().find(|measure| measure.quantity == quantity).unwrap()
}

fn all<'a>(findings: &'a Findings, kind: &str) -> Vec<&'a ClaimRecord> {
    ["sharpest", "trace", "frobenius"].map(|id| claim(findings, &format!("{kind}-{id}"))).to_vec()
}

/// All replicas stop at the loss, early where η/S is large; what is told of a group is of these ends.
#[test]
fn groups_are_compared_at_equal_loss() {
    let finished = finished(&small(6));
    let findings = &finished.findings;
    assert_eq!(findings.groups.len(), 10);
    for group in 0..10 {
        assert_eq!(measure(findings, group, "reached L").measured, 6.0);
        let loss = measure(findings, group, "L").measured;
        assert!(loss <= LEVEL * (1.0 + 1e-6) && loss > 0.8 * LEVEL, "{loss}");
        let median = measure(findings, group, "median λ₁");
        let [low, high] = median.interval.unwrap();
        assert!(low > 0.0 && low <= median.measured && median.measured <= high);
        // ‖H‖_F lies between λ₁ and tr H where H is nearly definite.
        let frobenius = measure(findings, group, "median ‖H‖_F").measured;
        assert!(median.measured <= frobenius * 1.001);
    }
    let epochs = |group: usize| measure(findings, group, "epochs").measured;
    assert!(epochs(0) > 4.0 * epochs(8), "{} and {}", epochs(0), epochs(8));
    for kind in ["trend", "equal"] {
        assert!(all(findings, kind).iter().all(|claim| claim.primary && claim.verdict.is_some()));
    }
    for kind in ["control", "corrected"] {
        assert!(all(findings, kind).iter().all(|claim| !claim.primary && claim.verdict.is_some()));
    }
    // A pair of equal η/S for each of the five ratios; a control of the outermost two.
    assert!(all(findings, "equal").iter().all(|claim| claim.contrasts.len() == 5));
    let control = all(findings, "control")[0];
    assert!(control.quantity.contains("η = 0.16, S = 1 against η = 0.01, S = 1"), "{}", control.quantity);
    assert_eq!(all(findings, "trend")[0].predicted, Some(-1.0));
    let correlation = all(findings, "trend")[0].measured.unwrap();
    let [low, high] = all(findings, "trend")[0].interval.unwrap();
    assert!(-1.0 <= low && low <= correlation && correlation <= high && high <= 1.0);
}

/// The figures hold what was measured, and the lines begin and end at the ends.
#[test]
fn figures_are_of_the_ends() {
    let finished = finished(&small(6));
    let figure = finished.figures.width.as_ref().unwrap();
    let ratios: Vec<f64> = figure.places.iter().map(|place| place.ratio).collect();
    assert!(ratios.chunks(2).all(|two| two[0] == two[1]) && ratios.windows(2).all(|two| two[0] <= two[1]));
    assert_eq!(figure.places.iter().map(|place| place.member).collect::<Vec<_>>(), [0, 1].repeat(5));
    assert_eq!(figure.places[3].points[1].median, measure(&finished.findings, 3, "median tr H").measured);
    let chord = finished.figures.chord.as_ref().unwrap();
    assert_eq!((chord.chords.len(), chord.chords[0].1.len(), chord.ratios), (6, 41, [0.01, 0.16]));
    let mut sums = [0.0; 2];
    for (_, points) in &chord.chords {
        assert!((points[0].a + 0.5).abs() < 1e-12 && (points[40].a - 1.5).abs() < 1e-12);
        sums[0] += points[10].training / 6.0;
        sums[1] += points[30].training / 6.0;
        assert!(points.iter().all(|point| point.test.is_finite()));
    }
    for (sum, group) in sums.into_iter().zip([0, 8]) {
        let loss = measure(&finished.findings, group, "L").measured;
        assert!((sum / loss - 1.0).abs() < 1e-9, "{sum} for {loss}");
    }
}

/// The weights of an end are a start for other trainings: the loss there is the one that was reached.
#[test]
fn kept_weights_are_a_start() {
    let finished = finished(&small(5));
    let names: Vec<&str> = finished.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["weights/smallest-noise.safetensors", "weights/largest-noise.safetensors"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("end.safetensors"), &finished.files[1].bytes).unwrap();
    let rest = "[sgd]\nlearning_rate = 0.01\nbatch_size = 1\n[training]\nepochs = 1\nweights = \"end.safetensors\"\n[scaling]\nbeta = [1, \
                2]\n[ensemble]\nreplicas = 2\n";
    let file = folder.path().join("again.toml");
    std::fs::write(&file, format!("name = \"again\"\nexperiment = \"curves\"\n{BASE}{rest}")).unwrap();
    let again = load(&file, &[], None).unwrap();
    let (_, figures) = try_run(&again).unwrap();
    let start = figures.curves.unwrap().groups[0].curves[0][0].mean;
    let reached = finished.figures.chord.unwrap().chords[0].1[30].training;
    // Single precision on one side.
    assert!((start / reached - 1.0).abs() < 1e-5, "{start} for {reached}");
    let network = match &again.scenario.loss.kind {
        sgd_sde::loss::LossKind::Network(spec) => spec.network(),
        _ => panic!("no network"),
    };
    assert!(weights::from_bytes::<f32>(&network.architecture, &finished.files[0].bytes).is_ok());
}

/// A level that the first weights are at already: all groups are then of these, the same for all.
#[test]
fn groups_start_from_the_same_weights() {
    let loaded = width(0.01, "epochs = 1", "", 5);
    let text = format!("name = \"course\"\nexperiment = \"width\"\n{BASE}{}", tables(0.01, "epochs = 1", "", 5));
    let text = text.replace(&format!("loss = {LEVEL}"), "loss = 100.0");
    let start = run(&sgd_sde::scenario::parse(&text, "start.toml", &[], None).unwrap());
    let losses: Vec<f64> = (0..10).map(|group| measure(&start, group, "L").measured).collect();
    assert!(losses.iter().all(|loss| *loss == losses[0]) && losses[0] > LEVEL, "{losses:?}");
    assert_eq!(measure(&start, 0, "epochs").measured, 0.0);
    assert_ne!(run(&loaded).verdict, Some(Verdict::Holds));
}

/// Those that are late, or lost, are told and counted, and nothing holds of those that are left.
#[test]
fn late_and_lost_replicas_are_told() {
    // At the smallest η/S some 24 epochs are needed.
    let findings = run(&width(0.01, "epochs = 6", "", 5));
    let text = findings.notes.join("\n");
    assert!(text.contains("η × 1, S × 1: 5 of 5 replicas did not reach the loss within 6 epochs"), "{text}");
    assert!(all(&findings, "trend").iter().all(|claim| claim.verdict == Some(Verdict::Undetermined)));
    assert_ne!(findings.verdict, Some(Verdict::Holds));
    assert!(all(&findings, "trend")[0].reason.contains("have a value"), "{}", all(&findings, "trend")[0].reason);
    // The same η and S but for the last η, 1e15: its weights are soon beyond 1e15, where they count as lost.
    let factors =
        FACTORS.replace(", [64, 4]", ", [1e9, 4]").replace("[1, 1]", "[1e-8, 1]").replace("[4, 4]", "[4e-8, 4]");
    let rest = tables(1e6, "epochs = 2", "", 3).replace(FACTORS, &factors);
    let findings = run(&scenario("width", &rest));
    assert!(findings.groups[9].diverged == Some(3) && !findings.groups[9].diverged_replicas.is_empty());
    let text = findings.notes.join("\n");
    assert!(text.contains("diverged: 3 of 3 replicas of η × 1000000000, S × 4 with η = "), "{text}");
    assert!(text.contains(", from step ") && text.contains("2/λ_max = "), "{text}");
    assert_ne!(findings.verdict, Some(Verdict::Holds));
}

#[test]
fn results_are_the_same_bytes_for_any_number_of_threads() {
    let loaded = width(0.02, "epochs = 40\nlook_every = 0.2", "", 5);
    let results = [1, 2, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let finished = finished(&loaded);
            (sgd_sde::report::to_json(&finished.findings).unwrap(), finished.files, format!("{:?}", finished.figures))
        })
    });
    assert!(results[0] == results[1] && results[0] == results[2]);
}

#[test]
fn a_batch_beyond_the_data_is_refused() {
    let more = "[sgd]\nlearning_rate = 0.01\nbatch_size = 4\n[training]\nepochs = 1\n[width]\nloss = 0.1\nfactors = ";
    let loaded = scenario("width", &format!("{more}{FACTORS}\n"));
    assert!(experiment::prepare(&loaded).is_ok());
    let large = FACTORS.replace("[64, 4]", "[64, 400]");
    let loaded = scenario("width", &format!("{more}{large}\n"));
    let error = experiment::prepare(&loaded).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("width.factors[9]") && error.contains("1600"), "{error}");
}

/// Curvature of networks whose units can be rescaled for free is told to mean little.
#[test]
fn a_network_of_relu_is_told_of_its_rescaling() {
    let text = format!("name = \"relu\"\nexperiment = \"width\"\n{BASE}{}", tables(0.01, "epochs = 1", "", 2))
        .replace("hidden = [8]", "hidden = [8]\nactivation = \"relu\"");
    for (text, told) in [(text.clone(), true), (text.replace("relu\"\n[noise]", "tanh\"\n[noise]"), false)] {
        let loaded = sgd_sde::scenario::parse(&text, "relu.toml", &[], None).unwrap();
        let prepared = experiment::prepare(&loaded).unwrap();
        let findings = experiment::predict(&loaded, &prepared).unwrap();
        assert_eq!(findings.notes.iter().any(|note| note.contains("can be rescaled")), told);
        assert_eq!((findings.claims.len(), findings.verdict), (9, None));
    }
}
