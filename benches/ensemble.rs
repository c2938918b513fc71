//! Speed of the ensemble beside the plain loop that a Rust user would write: same work, one thread, one run.
//!
//! `cargo bench --bench ensemble`; rates are trajectory-steps per second.
#![allow(missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use sgd_sde::dynamics::{Block, Dynamics, euler_maruyama::EulerMaruyama};
use sgd_sde::loss::{LANES, Loss, wells::Well, wells::Wells};
use sgd_sde::noise::isotropic::Isotropic;
use sgd_sde::random::normal::NormalBlock;

const STEPS: u64 = 1000;

/// L = x⁴/4 − x²/2 + 0.1x by hand, as a peer of the typed formula.
struct Quartic;

impl Loss for Quartic {
    fn dimension(&self) -> usize {
        1
    }
    fn value(&self, x: &[f64]) -> f64 {
        let square = x[0] * x[0];
        0.25 * square * square - 0.5 * square + 0.1 * x[0]
    }
    fn gradient(&self, x: &[f64], gradient: &mut [f64]) {
        gradient[0] = x[0] * x[0] * x[0] - x[0] + 0.1;
    }
    fn hessian(&self, x: &[f64]) -> DMatrix<f64> {
        DMatrix::from_element(1, 1, 3.0 * x[0] * x[0] - 1.0)
    }
    fn gradient_block(&self, theta: &[f64], gradient: &mut [f64], _scratch: &mut [f64]) {
        for (x, g) in theta.iter().zip(gradient) {
            *g = x * x * x - x + 0.1;
        }
    }
}

fn quartic(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("quartic_1d");
    group.throughput(Throughput::Elements(STEPS * LANES as u64));
    let (step, temperature) = (0.01, 0.125);
    group.bench_function("plain_loop", |bencher| {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(1);
        let diffusion = (2.0f64 * temperature * step).sqrt();
        bencher.iter(|| {
            let mut sum = 0.0;
            for _ in 0..LANES {
                let mut x: f64 = black_box(0.5);
                for _ in 0..STEPS {
                    let normal: f64 = StandardNormal.sample(&mut generator);
                    x = x - step * (x * x * x - x + 0.1) + diffusion * normal;
                }
                sum += x;
            }
            sum
        });
    });
    let noise = Arc::new(Isotropic::new(1, (2.0f64 * temperature).sqrt()));
    let dynamics = EulerMaruyama::new(Arc::new(Quartic), noise, 1.0, step);
    let mut block = Block::new(&dynamics, 1, 0);
    group.bench_function(BenchmarkId::new("euler_maruyama", "hand_written"), |bencher| {
        bencher.iter(|| dynamics.advance(black_box(&mut block), STEPS));
    });
    group.finish();
}

fn wells(criterion: &mut Criterion) {
    const D: usize = 10;
    let mut group = criterion.benchmark_group("wells_10d");
    group.throughput(Throughput::Elements(STEPS * LANES as u64));
    let curvature: [[f64; D]; 2] = [[8.0; D], [1.5; D]];
    let position = [-1.0, 1.0];
    let depth = [0.0, 0.1];
    let (smoothing, step, temperature) = (0.1, 0.01, 0.2);
    group.bench_function("plain_loop", |bencher| {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(1);
        let diffusion = (2.0f64 * temperature * step).sqrt();
        bencher.iter(|| {
            let mut sum = 0.0;
            for _ in 0..LANES {
                let mut x = black_box([1.0f64; D]);
                for _ in 0..STEPS {
                    let mut energy = depth;
                    for k in 0..2 {
                        for i in 0..D {
                            energy[k] += 0.5 * curvature[k][i] * (x[i] - position[k]) * (x[i] - position[k]);
                        }
                    }
                    let lowest = energy[0].min(energy[1]);
                    let weight = energy.map(|e| ((lowest - e) / smoothing).exp());
                    let total = weight[0] + weight[1];
                    for i in 0..D {
                        let gradient = (weight[0] * curvature[0][i] * (x[i] - position[0])
                            + weight[1] * curvature[1][i] * (x[i] - position[1]))
                            / total;
                        let normal: f64 = StandardNormal.sample(&mut generator);
                        x[i] = x[i] - step * gradient + diffusion * normal;
                    }
                }
                sum += x[0];
            }
            sum
        });
    });
    let described: Vec<Well> = (0..2)
        .map(|k| Well {
            position: vec![position[k]; D],
            loss: depth[k],
            hessian: DMatrix::from_diagonal_element(D, D, curvature[k][0]),
        })
        .collect();
    let loss = Arc::new(Wells::new(&described, smoothing).expect("the wells are sound"));
    let noise = Arc::new(Isotropic::new(D, (2.0f64 * temperature).sqrt()));
    let dynamics = EulerMaruyama::new(loss, noise, 1.0, step);
    let mut block = Block::new(&dynamics, 1, 0);
    for lane in 0..LANES {
        block.place(lane, &[1.0; D]);
    }
    group.bench_function("euler_maruyama", |bencher| {
        bencher.iter(|| dynamics.advance(black_box(&mut block), STEPS));
    });
    group.finish();
}

fn normals(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normals");
    group.throughput(Throughput::Elements(LANES as u64 * 64));
    let mut rows = vec![0.0; LANES * 64];
    group.bench_function("rand_distr", |bencher| {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(1);
        bencher.iter(|| {
            for x in black_box(&mut rows) {
                *x = StandardNormal.sample(&mut generator);
            }
        });
    });
    let mut block = NormalBlock::new(1, 0);
    group.bench_function("block", |bencher| bencher.iter(|| block.fill(black_box(&mut rows))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2));
    targets = normals, quartic, wells
}
criterion_main!(benches);
