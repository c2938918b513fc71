//! `noise.kind = "minibatch"` beside a network: the noise is that of its own examples.

use sgd_sde::loss::LANES;
use sgd_sde::loss::finite_sum::example_covariance;
use sgd_sde::noise::NoiseSpec;
use sgd_sde::scenario::{Loaded, parse};

fn scenario(sampling: &str, dynamics: &str) -> Loaded {
    let text = format!(
        "name = \"own\"\n[data]\nkind = \"gaussian-mixture\"\nexamples = 12\nseed = 2\n[loss]\nkind = \"network\"\nhidden = [1]\n\
         weight_decay = 0.01\n[noise]\nkind = \"minibatch\"\nsampling = \"{sampling}\"\n[sgd]\nlearning_rate = 0.1\nbatch_size = 4\n\
         [dynamics]\nkind = \"{dynamics}\"\n"
    );
    parse(text, "own.toml", &[], None).unwrap()
}

#[test]
fn its_covariance_is_that_of_the_examples() {
    for (sampling, factor) in [("with-replacement", 1.0), ("without-replacement", 8.0 / 11.0)] {
        let Loaded { scenario, .. } = scenario(sampling, "sgd");
        let loss = scenario.loss.build().unwrap();
        let noise = scenario.noise.build(&loss, &scenario.variables(), 4).unwrap();
        let d = loss.dimension();
        assert!(noise.isotropic_variance().is_none() && !noise.is_additive());
        let theta: Vec<f64> = (0..d).map(|i| (1.3 * i as f64 + 0.2).sin()).collect();
        let expected = example_covariance(loss.finite_sum().unwrap().as_ref(), &theta) * factor;
        assert!((noise.covariance(&theta) - &expected).norm() <= 1e-15 * expected.norm());
        // Unit vectors, one in every lane, give the columns of B.
        let rows: Vec<f64> = theta.iter().flat_map(|x| [*x; LANES]).collect();
        let mut columns = vec![0.0; d * LANES];
        (0..d).for_each(|i| columns[i * LANES + i] = 1.0);
        noise.apply_block(&rows, &mut columns, &mut []);
        let factor = nalgebra::DMatrix::from_fn(d, d, |i, j| columns[i * LANES + j]);
        assert!((&factor * factor.transpose() - &expected).norm() <= 1e-12 * expected.norm());
    }
}

#[test]
fn the_scenario_says_nothing_of_synthetic_examples_and_reads_back() {
    let Loaded { scenario, .. } = scenario("epochs", "sgd");
    let NoiseSpec::Minibatch(spec) = &scenario.noise else { panic!("no minibatches") };
    assert_eq!(spec.tilts, None);
    let again = parse(scenario.to_toml().unwrap(), "again.toml", &[], None).unwrap().scenario;
    assert_eq!(again.noise, scenario.noise);
}
