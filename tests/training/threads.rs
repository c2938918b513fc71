//! Results are the same to the byte for any number of threads and however training is cut into calls.

use rayon::ThreadPoolBuilder;
use sgd_sde::network::{Initialization, Real};
use sgd_sde::random::batches::Sampling;
use sgd_sde::training::{Ensemble, Noise, Recipe, Starts};

use crate::support::{advance, data, network, recipe, weights};

fn recipes() -> Vec<Recipe> {
    let noises = vec![
        Noise::Minibatch(Sampling::WithReplacement),
        Noise::Minibatch(Sampling::Epochs),
        Noise::ExampleGaussian,
        Noise::FrozenGaussian(weights()),
        Noise::Isotropic { variance: 0.5 },
        Noise::Svag { sampling: Sampling::WithoutReplacement, amplification: 2 },
    ];
    let with_momentum = |noise| Recipe { momentum: 0.5, ..recipe(0.05, 4, noise) };
    noises.into_iter().map(with_momentum).collect()
}

/// Bits of all weights after two epochs, in pieces of `piece`, and of the losses.
fn bits<T: Real>(recipe: &Recipe, threads: usize, piece: f64) -> Vec<u64> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let starts = Starts::Drawn { law: Initialization::Glorot, replicas: 9 };
        let mut ensemble = Ensemble::<T>::begin(&network(), data(), recipe, 1, starts, 0).unwrap();
        while ensemble.status().epochs < 2.0 {
            advance(&mut ensemble, piece);
        }
        let losses: Vec<f64> = ensemble.look(true).replicas.iter().map(|look| look.unwrap().training.loss).collect();
        let weights = (0..9).flat_map(|replica| ensemble.weights(replica)).map(|x| x.to_f64());
        weights.chain(losses).map(f64::to_bits).collect()
    })
}

fn assert_same<T: Real>() {
    for recipe in recipes() {
        let alone = bits::<T>(&recipe, 1, 2.0);
        for threads in [2, 3] {
            assert!(alone == bits::<T>(&recipe, threads, 2.0), "{recipe:?} on {threads} threads");
        }
        assert!(alone == bits::<T>(&recipe, 2, 1.0 / 3.0), "{recipe:?} in pieces");
    }
}

#[test]
fn threads_and_pieces_do_not_matter_in_single_precision() {
    assert_same::<f32>();
}

#[test]
fn threads_and_pieces_do_not_matter_in_double_precision() {
    assert_same::<f64>();
}
