//! Networks in training, and the matrix products that they are measured by; the work is that of `network.py`.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rayon::ThreadPoolBuilder;
use sgd_sde::network::{Activation, Architecture, Examples, Initialization, Network, Objective, Targets};
use sgd_sde::random::batches::Sampling;
use sgd_sde::training::{Control, Ensemble, Noise, Recipe, Schedule, Starts, TrainingData};

use super::{Score, time};

const EXAMPLES: usize = 1797;
/// Multiplications and additions that an example costs: both passes through 64–64–10, without a gradient for the inputs.
const OPERATIONS: usize = 4 * 64 * 64 + 6 * 64 * 10;
const THREADS: usize = 2;

/// R replicas take so many steps with batches of S; units are examples. The check is the mean loss of all examples at the end.
pub fn train(replicas: usize, size: usize, steps: usize) -> Score {
    let architecture = Architecture { widths: vec![64, 64, 10], activation: Activation::Tanh, bias: true };
    let network = Network { architecture, objective: Objective::CrossEntropy, weight_decay: 0.0 };
    let inputs: Vec<f32> = (0..EXAMPLES * 64).map(|i| (i as f32 * 0.37).sin()).collect();
    // Which of the first ten inputs is the largest.
    let largest = |row: &[f32]| (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0) as u32;
    let labels = inputs.chunks_exact(64).map(largest).collect();
    let training = Examples::<f32>::new(inputs, 64, Targets::Labels(labels)).expect("as many inputs as labels");
    let data = Arc::new(TrainingData { training, test: None });
    let recipe = Recipe {
        learning_rate: Schedule::constant(0.1),
        batch_size: Schedule::constant(size),
        momentum: 0.0,
        noise: Noise::Minibatch(Sampling::WithReplacement),
    };
    let draw = |replica| Initialization::Normal(1.0).draw(&network.architecture, 1, replica);
    let start: Vec<Vec<f32>> = (0..replicas as u64).map(draw).collect();
    let pool = ThreadPoolBuilder::new().num_threads(THREADS).build().expect("threads can be started");
    let mut last = None;
    let mut score = time(replicas * size * steps, || {
        let starts = Starts::Given(start.clone());
        let mut ensemble =
            Ensemble::begin(&network, data.clone(), &recipe, 1, starts, 0).expect("the recipe suits the network");
        let epochs = (steps * size) as f64 / EXAMPLES as f64;
        let advanced = pool.install(|| {
            let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
            ensemble.advance(epochs, control)
        });
        advanced.expect("nobody stops it");
        last = Some(ensemble);
        0.0
    });
    if let Some(mut ensemble) = last {
        let look = pool.install(|| ensemble.look(false));
        score.check = look.replicas.iter().flatten().map(|found| found.training.loss).sum::<f64>() / replicas as f64;
    }
    score
}

/// The products of the crate gemm, 1024³ in single precision, in units of an example's operations. The check is an element.
pub fn products() -> Score {
    const SIDE: usize = 1024;
    let (left, right) = (vec![0.5f32; SIDE * SIDE], vec![0.25f32; SIDE * SIDE]);
    let mut result = vec![0.0f32; SIDE * SIDE];
    time(2 * SIDE * SIDE * SIDE / OPERATIONS, || {
        let (left, right) = (black_box(&left), black_box(&right));
        let (n, side) = (SIDE, SIDE as isize);
        // SAFETY: three square matrices of SIDE rows, one after another in their vectors; the result is borrowed mutably.
        #[allow(unsafe_code, reason = "the interface of gemm is pointers")]
        unsafe {
            let parallel = gemm::Parallelism::Rayon(THREADS);
            let (result, left, right) = (result.as_mut_ptr(), left.as_ptr(), right.as_ptr());
            gemm::gemm(
                n, n, n, result, 1, side, false, left, 1, side, right, 1, side, 0.0, 1.0, false, false, false, parallel,
            );
        }
        f64::from(result[SIDE + 1])
    })
}
