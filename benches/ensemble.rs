//! Speed of the ensemble beside the plain loop that a Rust user would write: same work, one thread, one run.
//!
//! `cargo bench --bench ensemble`; rates are trajectory-steps per second.
#![allow(missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use sgd_sde::dynamics::euler_maruyama::EulerMaruyama;
use sgd_sde::dynamics::leimkuhler_matthews::LeimkuhlerMatthews;
use sgd_sde::dynamics::platen::Platen;
use sgd_sde::dynamics::{Block, Dynamics};
use sgd_sde::ensemble::histogram::Histogram;
use sgd_sde::ensemble::moments::Moments;
use sgd_sde::ensemble::occupancy::{Occupancy, Watch};
use sgd_sde::ensemble::{Observer, View};
use sgd_sde::landscape::Landscape;
use sgd_sde::loss::expression::Expression;
use sgd_sde::loss::function::Function;
use sgd_sde::loss::quadratic::Quadratic;
use sgd_sde::loss::wells::{Well, Wells};
use sgd_sde::loss::{LANES, Loss};
use sgd_sde::noise::expression::FormulaNoise;
use sgd_sde::noise::isotropic::Isotropic;
use sgd_sde::random::increments::{IncrementBlock, Increments};

const STEPS: u64 = 1000;

/// L = x⁴/4 − x²/2 + 0.1x by hand, as a peer of the typed formula.
fn quartic_by_hand() -> Arc<dyn Loss> {
    Arc::new(Function::new(
        |[x]: [f64; 1]| 0.25 * x * x * x * x - 0.5 * x * x + 0.1 * x,
        |[x]| [x * x * x - x + 0.1],
        |[x]| [[3.0 * x * x - 1.0]],
    ))
}

fn formula(text: &str) -> Arc<dyn Loss> {
    Arc::new(Expression::new(&["x".into()], &[], text).expect("the formula is sound"))
}

fn bench_dynamics(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, dynamics: &dyn Dynamics, start: f64) {
    let mut block = Block::new(dynamics, 1, 0);
    block.theta.fill(start);
    group.bench_function(name, |bencher| bencher.iter(|| dynamics.advance(black_box(&mut block), STEPS)));
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
    let noise = || Arc::new(Isotropic::new(1, (2.0f64 * temperature).sqrt()));
    let euler = |loss| EulerMaruyama::new(loss, noise(), 1.0, step);
    let typed = || formula("x^4/4 - x^2/2 + 0.1*x");
    bench_dynamics(&mut group, "by_hand", &euler(quartic_by_hand()), 0.5);
    bench_dynamics(&mut group, "typed", &euler(typed()), 0.5);
    let binomial = |loss| euler(loss).with_increments(Increments::Binomial);
    bench_dynamics(&mut group, "by_hand_binomial", &binomial(quartic_by_hand()), 0.5);
    bench_dynamics(&mut group, "typed_binomial", &binomial(typed()), 0.5);
    let leimkuhler = LeimkuhlerMatthews::new(quartic_by_hand(), noise(), 1.0, step).expect("the noise is additive");
    bench_dynamics(&mut group, "leimkuhler_matthews", &leimkuhler, 0.5);
    bench_dynamics(&mut group, "platen", &Platen::new(quartic_by_hand(), noise(), 1.0, step), 0.5);
    let sigma = Expression::new(&["x".into()], &[], "0.5 + 0.1*x^2").expect("the formula is sound");
    let varying = EulerMaruyama::new(typed(), Arc::new(FormulaNoise::new(sigma)), 1.0, step);
    bench_dynamics(&mut group, "typed_noise", &varying, 0.5);
    bench_dynamics(&mut group, "typed_transcendental", &euler(formula("x^2/2 + cos(3*x) + exp(-x^2)")), 0.5);
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
    bench_dynamics(&mut group, "euler_maruyama", &dynamics, 1.0);
    group.finish();
}

/// A bowl with a full Hessian: a matrix–vector product for every trajectory, or matrix products over blocks.
fn bowls(criterion: &mut Criterion) {
    for d in [10usize, 100] {
        let mut group = criterion.benchmark_group(format!("bowl_{d}d"));
        group.throughput(Throughput::Elements(STEPS * LANES as u64));
        group.sample_size(10);
        let hessian = DMatrix::from_fn(d, d, |i, j| if i == j { 1.0 } else { 0.3 / d as f64 });
        let step = 0.01;
        group.bench_function("plain_loop", |bencher| {
            let mut generator = Xoshiro256PlusPlus::seed_from_u64(1);
            let diffusion = (2.0f64 * 0.2 * step).sqrt();
            let mut gradient = DVector::zeros(d);
            bencher.iter(|| {
                let mut sum = 0.0;
                for _ in 0..LANES {
                    let mut x = DVector::from_element(d, black_box(1.0));
                    for _ in 0..STEPS {
                        gradient.gemv(1.0, &hessian, &x, 0.0);
                        for (x, g) in x.iter_mut().zip(&gradient) {
                            let normal: f64 = StandardNormal.sample(&mut generator);
                            *x = *x - step * g + diffusion * normal;
                        }
                    }
                    sum += x[0];
                }
                sum
            });
        });
        let loss = Arc::new(Quadratic::new(hessian.clone()).expect("the bowl is sound"));
        let noise = Arc::new(Isotropic::new(d, (2.0f64 * 0.2).sqrt()));
        bench_dynamics(&mut group, "euler_maruyama", &EulerMaruyama::new(loss, noise, 1.0, step), 1.0);
        group.finish();
    }
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
    for (name, law) in [("gaussian", Increments::Gaussian), ("binomial", Increments::Binomial)] {
        let mut block = IncrementBlock::of(law, 1, 0);
        let mut rows = [0.0; 32 * LANES];
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                block.fill(black_box(&mut rows));
                block.fill(black_box(&mut rows));
            });
        });
    }
    group.finish();
}

/// One look at a block, in looks times lanes per second.
fn observers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("observers");
    group.throughput(Throughput::Elements(LANES as u64));
    let loss = formula("x^4/4 - x^2/2 + 0.1*x");
    let landscape = Arc::new(Landscape::explore(loss.clone(), &[[-3.0, 3.0]]).expect("there are two wells"));
    let dynamics = EulerMaruyama::new(loss.clone(), Arc::new(Isotropic::new(1, 0.5)), 1.0, 0.01);
    let watch = Arc::new(Watch::new(landscape, loss, 0.125, 0));
    let histogram = Arc::new(Histogram::new(&[[-2.0, 2.0]], 60));
    let mut block = Block::new(&dynamics, 1, 0);
    let mut look = |name: &str, observer: &mut dyn Observer| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                dynamics.advance(&mut block, 1);
                let Block { theta, scratch, .. } = &mut block;
                let (live, mut lost) = ([true; LANES], [false; LANES]);
                observer.observe(&mut View { theta: black_box(theta), live: &live, lost: &mut lost, scratch });
            });
        });
    };
    look("none_but_the_step", &mut None::<Moments>);
    look("occupancy", &mut Occupancy::new(&watch, 0, LANES));
    look("histogram", &mut histogram.observer(0));
    look("moments", &mut Moments::new(1));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2));
    targets = normals, quartic, wells, bowls, observers
}
criterion_main!(benches);
