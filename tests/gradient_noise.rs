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
