//! The experiment `gradient-noise` on networks small enough for a second: predictions against batches, controls, threads.
//!
//! Estimates are allowed six standard errors of 64 groups, which chance exceeds once in 10⁷: for some 300 of them 3·10⁻⁵ in all. Verdicts
//! are those of fixed seeds.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sgd_sde::experiment::{self, Control, ExperimentError, Status};
use sgd_sde::findings::{ClaimRecord, FigureData, Findings};
use sgd_sde::report::{load_figures, save_figures};
use sgd_sde::scenario::parse;
use sgd_sde::statistics::claim::Verdict;

/// Sixty points of three clouds, and a network of 21 parameters.
const SMALL: &str = r#"
name = "small"
experiment = "gradient-noise"

[data]
kind = "gaussian-mixture"
classes = 3
dimension = 2
examples = 60
seed = 1

[loss]
kind = "network"
hidden = [3]
activation = "tanh"
weight_decay = 0.01

[noise]
kind = "minibatch"

[sgd]
learning_rate = 0.1
batch_size = 4

[training]
epochs = 2

[gradient_noise]
epochs = [0, 2]
sizes = [1, 5, 20]
batches = 3200
directions = 2
distance = 0.1

[ensemble]
replicas = 2

[test]
tolerance = 0.1
"#;

fn set(overrides: &[&str]) -> Vec<String> {
    overrides.iter().map(ToString::to_string).collect()
}

fn run(overrides: &[&str]) -> (Findings, FigureData) {
    let loaded = parse(SMALL, "small.toml", &set(overrides), None).unwrap_or_else(|problems| panic!("{problems}"));
    let prepared = experiment::prepare(&loaded).unwrap();
    let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
    experiment::run(&loaded, &prepared, control).unwrap()
}

fn claim<'a>(findings: &'a Findings, id: &str) -> &'a ClaimRecord {
    findings.claims.iter().find(|claim| claim.id == id).unwrap_or_else(|| panic!("no claim {id}"))
}

/// Covariance, skewness and kurtosis of every contrast: the estimators against their closed forms, with and without replacement.
#[test]
fn batches_have_the_predicted_moments_however_they_are_drawn() {
    for sampling in ["with-replacement", "without-replacement", "epochs"] {
        for precision in ["single", "double"] {
            let how = [format!("noise.sampling={sampling}"), format!("training.precision={precision}")];
            let (findings, _) = run(&[&how[0], &how[1]]);
            let mut compared = 0;
            for id in ["mean", "trace", "top-direction", "skewness", "kurtosis"] {
                for contrast in &claim(&findings, id).contrasts {
                    let off = contrast.measured.unwrap() - contrast.predicted.unwrap();
                    let error = contrast.standard_error.unwrap();
                    assert!(off.abs() < 6.0 * error, "{sampling}, {}: {off} ± {error}", contrast.quantity);
                    assert!(error < 0.2, "{sampling}, {}: {error}", contrast.quantity);
                    compared += 1;
                }
            }
            // Two epochs, two replicas, three sizes: three numbers, and two along each of three directions.
            assert_eq!(compared, 12 * (3 + 2 * 3));
        }
    }
}

/// Twenty of sixty different examples have two thirds of the noise: the ratio is to that, and so is the error of a mean of all.
#[test]
fn the_noise_of_subsets_is_less() {
    let largest = |sampling: &str| {
        let (findings, _) = run(&[&format!("noise.sampling={sampling}")]);
        findings.gradient_noise[0].batches[2].measures.iter().map(|m| m.predicted).collect::<Vec<_>>()
    };
    let (subset, independent) = (largest("without-replacement"), largest("with-replacement"));
    // γ₁ √((N−1)/(N−S)) (N−2S)/(N−2) of that with replacement.
    let ratio = subset[2].unwrap() / independent[2].unwrap();
    assert!((ratio - (59.0f64 / 40.0).sqrt() * 20.0 / 58.0).abs() < 1e-12, "{ratio}");
}

#[test]
fn the_control_is_told_apart_and_large_batches_are_gaussian() {
    let (findings, _) =
        run(&["gradient_noise.sizes=[1, 64]", "gradient_noise.batches=6400", "gradient_noise.distance=0.06"]);
    assert_eq!(claim(&findings, "gaussian-1").verdict, Some(Verdict::Rejected));
    assert_eq!(
        claim(&findings, "gaussian-64").verdict,
        Some(Verdict::Holds),
        "{}",
        claim(&findings, "gaussian-64").reason
    );
    assert_eq!(claim(&findings, "predicted-law-1").verdict, Some(Verdict::Holds));
    assert_eq!(claim(&findings, "predicted-law-64").verdict, Some(Verdict::Holds));
    assert_eq!(findings.verdict, Some(Verdict::Holds));
    assert!(findings.notes.iter().any(|note| note.contains("from S = 64 on")), "{:?}", findings.notes);
    // Without a control that is rejected the largest size shows nothing, however Gaussian it is.
    let (unaware, _) = run(&["gradient_noise.sizes=[64, 128]", "gradient_noise.distance=0.1"]);
    let claim = claim(&unaware, "gaussian-128");
    assert_eq!(claim.verdict, Some(Verdict::Undetermined), "{}", claim.reason);
    assert!(claim.reason.contains("the control"), "{}", claim.reason);
}

/// Noise of Student's law with 1.5 degrees of freedom in the targets: C/S to the letter, and far from Gaussian at S = 64.
#[test]
fn heavy_tails_are_flagged() {
    let of_tail = |tail: &[&str]| {
        let data = ["data.kind=teacher-student", "data.task=regression", "data.noise=1.0", "data.examples=400"];
        let text = SMALL.replace("classes = 3\n", "");
        let mut overrides = set(&data);
        overrides.extend(set(tail));
        overrides.extend(set(&[
            "gradient_noise.sizes=[1, 64]",
            "gradient_noise.batches=6400",
            "gradient_noise.epochs=[0]",
        ]));
        overrides.extend(set(&["gradient_noise.distance=0.05", "sgd.learning_rate=0.01"]));
        let loaded = parse(&text, "tails.toml", &overrides, None).unwrap_or_else(|problems| panic!("{problems}"));
        let prepared = experiment::prepare(&loaded).unwrap();
        let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
        experiment::run(&loaded, &prepared, control).unwrap().0
    };
    let (normal, heavy) = (of_tail(&[]), of_tail(&["data.noise_tail=1.5"]));
    assert_eq!(claim(&normal, "gaussian-64").verdict, Some(Verdict::Holds), "{}", claim(&normal, "gaussian-64").reason);
    assert_eq!(
        claim(&heavy, "gaussian-64").verdict,
        Some(Verdict::Rejected),
        "{}",
        claim(&heavy, "gaussian-64").reason
    );
    assert_eq!(claim(&heavy, "trace").verdict, Some(Verdict::Holds), "{}", claim(&heavy, "trace").reason);
    assert_eq!(heavy.verdict, Some(Verdict::Rejected));
}

#[test]
fn threads_do_not_matter_and_seeds_do() {
    let bytes = |threads: usize, seed: &str| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (findings, figures) = pool.install(|| run(&[seed, "gradient_noise.batches=640"]));
        (serde_json::to_string(&findings).unwrap(), format!("{figures:?}"))
    };
    let alone = bytes(1, "seed=1");
    assert!(alone == bytes(2, "seed=1") && alone == bytes(3, "seed=1"));
    assert!(alone != bytes(2, "seed=2"));
}

#[test]
fn figures_are_read_back() {
    let (_, figures) = run(&["gradient_noise.batches=640"]);
    let folder = tempfile::tempdir().unwrap();
    save_figures(folder.path(), &figures).unwrap();
    let read = load_figures(folder.path()).unwrap();
    assert!(read.quantiles == figures.quantiles && read.eigenvalues == figures.eigenvalues);
    let panels = &read.quantiles.unwrap().panels;
    assert_eq!((panels.len(), panels[0].points.len()), (12, 161));
    assert!(Path::new(&folder.path().join("eigenvalues.csv")).exists());
}

/// C and H of every place: what the spectrum says of itself holds.
#[test]
fn spectra_are_told() {
    let (findings, figures) = run(&["gradient_noise.batches=640"]);
    for (record, panel) in findings.gradient_noise.iter().zip(&figures.eigenvalues.unwrap().panels) {
        let told = |name: &str| record.spectra.iter().find(|measure| measure.quantity == name).unwrap().measured;
        // 21 parameters: all eigenvalues are there.
        assert_eq!((panel.noise.len(), panel.hessian.len()), (21, 21));
        let sum: f64 = panel.noise.iter().map(|pair| pair[0]).sum();
        let squares: f64 = panel.noise.iter().map(|pair| pair[0] * pair[0]).sum();
        assert!((sum / told("tr C") - 1.0).abs() < 1e-8);
        assert!((sum * sum / squares / told("effective rank") - 1.0).abs() < 1e-8);
        assert!((21.0 * panel.noise[0][0] / sum / told("anisotropy") - 1.0).abs() < 1e-8);
        let curvature: f64 = panel.hessian.iter().map(|pair| pair[0]).sum();
        assert!((curvature / told("tr H") - 1.0).abs() < 1e-4, "{curvature}");
        assert!(told("alignment").abs() <= 1.0);
    }
}

#[test]
fn a_run_can_be_stopped_and_predicted() {
    let loaded = parse(SMALL, "small.toml", &[], None).unwrap();
    let prepared = experiment::prepare(&loaded).unwrap();
    let findings = experiment::predict(&loaded, &prepared).unwrap();
    assert_eq!(findings.verdict, None);
    assert!(claim(&findings, "skewness").contrasts.iter().all(|contrast| contrast.predicted.is_some()));
    assert_eq!(findings.gradient_noise.len(), 1);
    let stop = AtomicBool::new(false);
    let mut monitor = |status: &Status| {
        assert!(status.steps_done <= status.steps_in_all);
        if 2 * status.steps_done > status.steps_in_all {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let stopped = experiment::run(&loaded, &prepared, &mut Control { monitor: &mut monitor, stop: &stop });
    assert!(matches!(stopped, Err(ExperimentError::Interrupted(_))));
}

/// Regression on an input that is always 0: at the first weights the gradient of an example is its target times a vector, and so the law of the
/// noise along every direction is that of means of targets.
fn of_targets(targets: &[f64], overrides: &[&str]) -> Findings {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("targets.csv");
    let rows: String = targets.iter().map(|target| format!("0,{target:?}\n")).collect();
    std::fs::write(&file, format!("x,t\n{rows}")).unwrap();
    let text = format!(
        "name = \"targets\"\nexperiment = \"gradient-noise\"\n[data]\nkind = \"csv\"\npath = '{}'\ntarget = \"t\"\ntask = \"regression\"\n\
         [loss]\nkind = \"network\"\nhidden = [1]\nactivation = \"identity\"\nobjective = \"squared-error\"\n\
         [noise]\nkind = \"minibatch\"\n[sgd]\nlearning_rate = 0.1\nbatch_size = 2\n[training]\nepochs = 1\n\
         [gradient_noise]\nepochs = [0]\nbatches = 640\ndirections = 1\ndistance = 0.1\n[ensemble]\nreplicas = 2\n",
        file.display()
    );
    let loaded = parse(&text, "targets.toml", &set(overrides), None).unwrap_or_else(|problems| panic!("{problems}"));
    let prepared = experiment::prepare(&loaded).unwrap();
    let predicted = experiment::predict(&loaded, &prepared).unwrap();
    let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
    let found = experiment::run(&loaded, &prepared, control).unwrap().0;
    assert_eq!(distances(&predicted), distances(&found));
    found
}

/// By size the bounds of the predicted distance from the normal law at the first place.
fn distances(findings: &Findings) -> Vec<[f64; 2]> {
    let distance = |measures: &[sgd_sde::findings::PredictedMeasureRecord]| {
        let distance = measures.iter().find(|measure| measure.quantity == "distance").unwrap();
        distance.predicted_bounds.unwrap_or([distance.predicted.unwrap(); 2])
    };
    findings.gradient_noise[0].batches.iter().map(|batches| distance(&batches.measures)).collect()
}

/// The measured distance agrees with the predicted one, and the measured law with the predicted one, at every size.
fn laws_agree(findings: &Findings) {
    for (batches, [low, high]) in findings.gradient_noise[0].batches.iter().zip(distances(findings)) {
        let measured =
            batches.measures.iter().find(|measure| measure.quantity == "distance").unwrap().measured.unwrap();
        // 32,000 draws or more: the error of a distance is below .015, and cells leave .002.
        assert!(low - 0.017 < measured && measured < high + 0.015, "S = {}: {measured}, {low} to {high}", batches.size);
        let law = claim(findings, &format!("predicted-law-{}", batches.size));
        assert_eq!(law.verdict, Some(Verdict::Holds), "S = {}: {}", batches.size, law.reason);
    }
}

/// ±1: half of all pairs cancel. Nothing but counting sees the jump: by skewness 0 and kurtosis −2 the distance would be .023.
#[test]
fn jumps_are_predicted() {
    let findings = of_targets(&[1.0, -1.0].repeat(32), &["gradient_noise.sizes=[1, 2, 4, 16]"]);
    for ([low, high], exact) in distances(&findings).into_iter().zip([0.341_344_746, 0.25, 0.1875, 0.098_190_308]) {
        assert!((low - exact).abs() < 1e-7 && (high - exact).abs() < 1e-7, "{low} to {high}, {exact}");
    }
    laws_agree(&findings);
    let note = "within it at S = 16 (0.0982); beyond it at S = 1 (0.3413), S = 2 (0.2500), S = 4 (0.1875)";
    assert!(findings.notes.iter().any(|said| said.contains(note)), "{:?}", findings.notes);
    for size in [1, 2, 4] {
        assert_eq!(claim(&findings, &format!("gaussian-{size}")).verdict, Some(Verdict::Rejected));
    }
    assert_ne!(claim(&findings, "gaussian-16").verdict, Some(Verdict::Rejected));
}

#[test]
fn laws_are_predicted_with_atoms_heavy_tails_and_few_examples() {
    let skewed: Vec<f64> = (0..64).map(|k| if k < 40 { 0.0 } else { 0.013 * f64::from(k - 39).powi(2) }).collect();
    laws_agree(&of_targets(&skewed, &["gradient_noise.sizes=[1, 2, 3, 8, 64]"]));
    let student = |p: f64| (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt();
    let heavy: Vec<f64> = (0..1100).map(|k| student((f64::from(k) + 0.4) / 1100.0)).collect();
    laws_agree(&of_targets(&heavy, &["gradient_noise.sizes=[1, 2, 32]"]));
    let subsets = ["noise.sampling=without-replacement", "gradient_noise.sizes=[1, 2, 3]"];
    let findings = of_targets(&[3.0, -1.0, 0.5, 0.2], &subsets);
    laws_agree(&findings);
    // Three of four are all but one: the law of one, mirrored.
    let [one, _, three] = distances(&findings)[..] else { panic!("three sizes") };
    assert!((one[0] - three[0]).abs() < 1e-7, "{one:?} and {three:?}");
}

/// Subsets that are too many to count are sampled: the prediction has an error, which the claim about it counts.
#[test]
fn sampled_predictions_say_how_well_they_are_known() {
    let spread: Vec<f64> = (0..60).map(|k| (f64::from(k) * 0.1).exp()).collect();
    let findings = of_targets(&spread, &["noise.sampling=epochs", "gradient_noise.sizes=[1, 20, 40]"]);
    laws_agree(&findings);
    let [one, many, most] = distances(&findings)[..] else { panic!("three sizes") };
    assert!(one[0] == one[1] && many[1] - many[0] > 0.005 && many[1] - many[0] < 0.01, "{one:?}, {many:?}");
    // The other twenty are a subset as well: the mirrored law.
    assert!(most[0] < many[1] && many[0] < most[1], "{many:?} and {most:?}");
    assert!(claim(&findings, "predicted-law-20").source.contains("random subsets"));
    assert!(claim(&findings, "predicted-law-1").source.contains("counted"));
}
