//! R̂ and ESS against ArviZ 0.23.4 on the 20 arrays of `tests/data/arviz.json` (written by `arviz.py` beside it).

use serde::Deserialize;
use sgd_sde::statistics::effective_sample_size::{bulk_effective_sample_size, mean_effective_sample_size};
use sgd_sde::statistics::r_hat::rank_normalised_split_r_hat;

#[derive(Deserialize)]
struct Reference {
    arviz: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    chains: Vec<Vec<f64>>,
    r_hat: Option<f64>,
    ess_bulk: f64,
    ess_mean: f64,
}

fn assert_equal(found: f64, expected: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs().max(1.0);
    assert!(error < 1e-8, "{what}: {found}, ArviZ {expected}");
}

#[test]
fn r_hat_and_effective_sample_sizes_equal_those_of_arviz() {
    let reference: Reference = serde_json::from_str(include_str!("../data/arviz.json")).unwrap();
    assert_eq!(reference.arviz, "0.23.4");
    assert_eq!(reference.cases.len(), 20);
    for Case { name, chains, r_hat, ess_bulk, ess_mean } in reference.cases {
        let found = rank_normalised_split_r_hat(&chains);
        assert_eq!(found.is_some(), r_hat.is_some(), "R̂ of {name}");
        if let (Some(found), Some(expected)) = (found, r_hat) {
            assert_equal(found, expected, &format!("R̂ of {name}"));
        }
        assert_equal(bulk_effective_sample_size(&chains).unwrap(), ess_bulk, &format!("bulk ESS of {name}"));
        assert_equal(mean_effective_sample_size(&chains).unwrap(), ess_mean, &format!("mean ESS of {name}"));
    }
}
