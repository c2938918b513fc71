//! Networks: training of replicas side by side, Hessian products, and the matrix products they are made of.
//!
//! `cargo bench --bench network`. Throughput of a step is in examples a second; of a product, in multiplications and additions a second.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sgd_sde::network::{
    Activation, Architecture, Batch, Examples, Initialization, Network, Objective, Targets, Workspace,
};
use sgd_sde::random::batches::Sampling;
use sgd_sde::training::{Control, Ensemble, Noise, Recipe, Schedule, Starts, TrainingData};

/// As many examples as the digits have, of as many numbers.
const EXAMPLES: usize = 1797;
const STEPS: usize = 20;

fn network() -> Network {
    let architecture = Architecture { widths: vec![64, 64, 10], activation: Activation::Tanh, bias: true };
    Network { architecture, objective: Objective::CrossEntropy, weight_decay: 0.0 }
}

fn examples() -> Examples<f32> {
    let inputs = (0..EXAMPLES * 64).map(|i| (i as f32 * 0.37).sin()).collect();
    Examples::new(inputs, 64, Targets::Labels((0..EXAMPLES as u32).map(|i| i * 7 % 10).collect())).unwrap()
}

/// The engine's own loop.
fn training(criterion: &mut Criterion) {
    let (network, data) = (network(), Arc::new(TrainingData { training: examples(), test: None }));
    let mut group = criterion.benchmark_group("training_64_64_10_tanh");
    for (replicas, size, noise) in [
        (1, 16, Noise::Minibatch(Sampling::WithReplacement)),
        (32, 16, Noise::Minibatch(Sampling::WithReplacement)),
        (256, 16, Noise::Minibatch(Sampling::WithReplacement)),
        (32, 128, Noise::Minibatch(Sampling::WithReplacement)),
        (32, 128, Noise::Minibatch(Sampling::Epochs)),
        (32, 128, Noise::ExampleGaussian),
    ] {
        let title = format!("{replicas}_replicas_of_{size}_{noise:?}");
        let recipe = Recipe {
            learning_rate: Schedule::constant(0.1),
            batch_size: Schedule::constant(size),
            momentum: 0.0,
            noise,
        };
        let starts = Starts::Drawn { law: Initialization::Glorot, replicas };
        let mut ensemble = Ensemble::begin(&network, data.clone(), &recipe, 1, starts, 0).unwrap();
        let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
        group.throughput(Throughput::Elements((replicas * size * STEPS) as u64));
        group.bench_function(title, |bencher| {
            bencher.iter(|| ensemble.advance((size * STEPS) as f64 / EXAMPLES as f64, control));
        });
    }
    group.finish();
}

fn curvature(criterion: &mut Criterion) {
    let (network, examples) = (network(), examples());
    let theta = Initialization::Glorot.draw::<f32>(&network.architecture, 1, 0);
    let v: Vec<f32> = Initialization::Glorot.draw(&network.architecture, 1, 1);
    let mut result = vec![0.0; theta.len()];
    let mut workspace = Workspace::new(&network, 256);
    let mut group = criterion.benchmark_group("all_examples");
    group.throughput(Throughput::Elements(EXAMPLES as u64));
    group.bench_function("gradient", |bencher| {
        bencher.iter(|| network.gradient(&theta, Batch::all(&examples), &mut result, &mut workspace));
    });
    group.bench_function("hessian_product", |bencher| {
        bencher.iter(|| network.hessian_product(&theta, Batch::all(&examples), &v, &mut result, &mut workspace));
    });
    group.finish();
}

/// What the matrix products of the crate reach on two threads: the measure for the steps above.
fn products(criterion: &mut Criterion) {
    const SIDE: usize = 1024;
    let (left, right) = (vec![0.5f32; SIDE * SIDE], vec![0.25f32; SIDE * SIDE]);
    let mut result = vec![0.0f32; SIDE * SIDE];
    let mut group = criterion.benchmark_group("gemm_1024");
    group.throughput(Throughput::Elements(2 * (SIDE as u64).pow(3)));
    group.bench_function("two_threads", |bencher| {
        bencher.iter(|| {
            let (n, side) = (SIDE, SIDE as isize);
            let (left, right) = (black_box(&left), black_box(&right));
            // SAFETY: three square matrices of SIDE rows, one after another in their vectors; the result is borrowed mutably.
            #[allow(unsafe_code, reason = "the interface of gemm is pointers")]
            unsafe {
                gemm::gemm(
                    n,
                    n,
                    n,
                    result.as_mut_ptr(),
                    1,
                    side,
                    false,
                    left.as_ptr(),
                    1,
                    side,
                    right.as_ptr(),
                    1,
                    side,
                    0.0,
                    1.0,
                    false,
                    false,
                    false,
                    gemm::Parallelism::Rayon(2),
                );
            }
        });
    });
    group.finish();
}

criterion_group!(benches, training, curvature, products);
criterion_main!(benches);
