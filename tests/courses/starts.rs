//! Training from a file of weights.

use sgd_sde::loss::LossKind;
use sgd_sde::network::{Initialization, Network};
use sgd_sde::training::weights;

use crate::support::{BASE, run, scenario, scenario_at, try_run};

const REST: &str = "[sgd]\nlearning_rate = 0.01\nbatch_size = 1\n[training]\nepochs = 1\n";
const AFTER: &str = "[scaling]\nbeta = [1, 2]\n[ensemble]\nreplicas = 2\n";

fn network() -> Network {
    let loaded = scenario("curves", &format!("{REST}{AFTER}"));
    let LossKind::Network(spec) = &loaded.scenario.loss.kind else { panic!("no network") };
    spec.network()
}

#[test]
fn all_replicas_start_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let network = network();
    let theta: Vec<f64> = Initialization::Glorot.draw(&network.architecture, 99, 0);
    weights::save(&folder.path().join("start.safetensors"), &network.architecture, &theta).unwrap();
    let text =
        format!("name = \"from-file\"\nexperiment = \"curves\"\n{BASE}{REST}weights = \"start.safetensors\"\n{AFTER}");
    let file = folder.path().join("course.toml");
    std::fs::write(&file, text).unwrap();
    let loaded = scenario_at(&file);
    let (_, figures) = try_run(&loaded).unwrap();
    let figure = figures.curves.unwrap();
    let point = &figure.groups[0].curves[0][0];
    assert_eq!(point.deviation, 0.0);
    // The batches differ all the same.
    assert!(figure.groups[0].curves[0].last().unwrap().deviation > 0.0);
    let groups = run(&loaded).groups;
    assert_eq!(groups[0].diverged, Some(0));
    // The pilot and the first group have the same start, η and S, and batches of their own.
    assert_ne!(groups[0].measures[0].measured, groups[1].measures[0].measured);
}

#[test]
fn a_file_of_another_network_is_refused_at_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = network();
    other.architecture.widths[1] += 1;
    let theta: Vec<f64> = Initialization::Glorot.draw(&other.architecture, 99, 0);
    weights::save(&folder.path().join("start.safetensors"), &other.architecture, &theta).unwrap();
    for (name, phrase) in [
        ("start.safetensors", "has shape [9, 4]; this network expects [8, 4]"),
        ("absent.safetensors", "absent.safetensors"),
    ] {
        let text = format!("name = \"from-file\"\nexperiment = \"curves\"\n{BASE}{REST}weights = \"{name}\"\n{AFTER}");
        let file = folder.path().join("course.toml");
        std::fs::write(&file, text).unwrap();
        let error = try_run(&scenario_at(&file)).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("training.weights") && error.contains(phrase), "{error}");
    }
}
