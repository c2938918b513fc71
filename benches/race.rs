//! This project's contestants in the race of ensembles, and the plain loop that one would write in Rust.
//!
//! The work is that of every contestant in `benches/race/`: 4,096 trajectories of dx = −(x³ − x + 0.1)dt + 0.5 dW from
//! x = 0, Euler–Maruyama, δ = 0.01, 2,000 steps, no paths kept; or as many normals alone. `benches/race/run` races
//! everybody and prints the tables. `cargo bench --bench race -- NAME...` runs contestants from here alone and prints
//! for each `NAME<TAB>rate<TAB>check`: trajectory-steps (or normals) per second, and the fraction of trajectories that
//! end left of 0 (or the mean square of some normals). Without names it lists the contestants. Training of networks is in
//! `race/network.rs`.
#![allow(missing_docs, clippy::print_stdout, clippy::print_stderr)]

#[path = "race/network.rs"]
mod network;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::ThreadPoolBuilder;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use sgd_sde::dynamics::{Block, Dynamics, euler_maruyama::EulerMaruyama};
use sgd_sde::loss::wells::{Well, Wells};
use sgd_sde::loss::{LANES, Loss, expression::Expression, function::Function};
use sgd_sde::noise::isotropic::Isotropic;
use sgd_sde::random::increments::IncrementBlock;
use sgd_sde::random::increments::Increments::{self, Binomial, Gaussian};

const TRAJECTORIES: u64 = 4096;
const STEPS: u64 = 2000;
const STEP: f64 = 0.01;
const SIGMA: f64 = 0.5;
const SEED: u64 = 1;
/// Normals alone are drawn so many at a time, which stay in the second cache.
const BUFFER: usize = 8192;
/// A pass of the work is repeated for at least so long: a single one of the fast contestants is over in milliseconds.
const MEASURED: Duration = Duration::from_millis(250);

struct Contestant {
    name: &'static str,
    what: &'static str,
    race: fn() -> Score,
}

struct Score {
    per_second: f64,
    check: f64,
}

const CONTESTANTS: &[Contestant] = &[
    Contestant { name: "hand-written", what: "loss in Rust, 1 thread", race: || ours(by_hand(), Gaussian, 1) },
    Contestant { name: "hand-written-2", what: "loss in Rust, 2 threads", race: || ours(by_hand(), Gaussian, 2) },
    Contestant { name: "typed", what: "loss as a typed formula, 1 thread", race: || ours(typed(), Gaussian, 1) },
    Contestant { name: "typed-2", what: "loss as a typed formula, 2 threads", race: || ours(typed(), Gaussian, 2) },
    Contestant { name: "binomial", what: "binomial increments, 1 thread", race: || ours(by_hand(), Binomial, 1) },
    Contestant { name: "binomial-2", what: "binomial increments, 2 threads", race: || ours(by_hand(), Binomial, 2) },
    Contestant { name: "wells", what: "two wells of another curvature, 1 thread", race: || ours(wells(), Gaussian, 1) },
    Contestant {
        name: "wells-2",
        what: "two wells of another curvature, 2 threads",
        race: || ours(wells(), Gaussian, 2),
    },
    Contestant { name: "plain", what: "plain loop, rand_distr and xoshiro256++, 1 thread", race: || plain(1) },
    Contestant { name: "plain-2", what: "the same under rayon, 2 threads", race: || plain(2) },
    Contestant { name: "normals", what: "normals alone: IncrementBlock::fill", race: normals },
    Contestant { name: "normals-plain", what: "normals alone: rand_distr and xoshiro256++", race: normals_plain },
    Contestant { name: "train-1x16", what: "1 network, batches of 16", race: || network::train(1, 16, 2000) },
    Contestant { name: "train-32x16", what: "32 networks, batches of 16", race: || network::train(32, 16, 500) },
    Contestant { name: "train-32x128", what: "32 networks, batches of 128", race: || network::train(32, 128, 200) },
    Contestant { name: "train-256x16", what: "256 networks, batches of 16", race: || network::train(256, 16, 100) },
    Contestant { name: "products", what: "gemm's f32 1024³, 2 threads", race: network::products },
];

fn main() -> ExitCode {
    // `cargo bench` adds --bench of its own.
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let mut line_up = Vec::new();
    for name in &names {
        let Some(contestant) = CONTESTANTS.iter().find(|contestant| contestant.name == name) else {
            let known: Vec<&str> = CONTESTANTS.iter().map(|contestant| contestant.name).collect();
            eprintln!("error: there is no contestant `{name}`; choose among {}", known.join(", "));
            return ExitCode::from(2);
        };
        line_up.push(contestant);
    }
    if line_up.is_empty() {
        println!("contestants (cargo bench --bench race -- NAME...; the whole race: benches/race/run):");
        for Contestant { name, what, .. } in CONTESTANTS {
            println!("  {name:15} {what}");
        }
    }
    for contestant in line_up {
        let Score { per_second, check } = (contestant.race)();
        println!("{}\t{per_second:.0}\t{check:.4}", contestant.name);
    }
    ExitCode::SUCCESS
}

/// Warms up with one pass of so many units, then repeats it. A pass returns what is checked.
fn time(units: usize, mut pass: impl FnMut() -> f64) -> Score {
    pass();
    let (start, mut passes) = (Instant::now(), 0);
    loop {
        let check = pass();
        passes += 1;
        let elapsed = start.elapsed();
        if elapsed >= MEASURED {
            return Score { per_second: (passes * units) as f64 / elapsed.as_secs_f64(), check };
        }
    }
}

/// The work in `pieces`, shared out among the threads; `piece` returns how many of its trajectories end left of 0.
fn ensemble(threads: usize, pieces: u64, piece: impl Fn(u64) -> u64 + Sync) -> Score {
    let fraction = |left: u64| left as f64 / TRAJECTORIES as f64;
    let units = (TRAJECTORIES * STEPS) as usize;
    if threads == 1 {
        return time(units, || fraction((0..pieces).map(&piece).sum()));
    }
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    // As in a run of the program: all inside the pool, and blocks handed out one at a time.
    pool.install(|| {
        time(units, || {
            fraction((0..pieces as usize).into_par_iter().with_max_len(1).map(|place| piece(place as u64)).sum())
        })
    })
}

fn ours(loss: Arc<dyn Loss>, increments: Increments, threads: usize) -> Score {
    let dynamics = EulerMaruyama::new(loss, Arc::new(Isotropic::new(1, SIGMA)), 1.0, STEP).with_increments(increments);
    ensemble(threads, TRAJECTORIES / LANES as u64, |piece| {
        let mut block = Block::new(&dynamics, SEED, piece * LANES as u64);
        dynamics.advance(&mut block, STEPS);
        block.theta.iter().filter(|&&x| x < 0.0).count() as u64
    })
}

fn typed() -> Arc<dyn Loss> {
    Arc::new(Expression::new(&["x".into()], &[], "x^4/4 - x^2/2 + 0.1*x").expect("the formula is sound"))
}

/// The same by hand.
fn by_hand() -> Arc<dyn Loss> {
    Arc::new(Function::new(
        |[x]: [f64; 1]| 0.25 * x * x * x * x - 0.5 * x * x + 0.1 * x,
        |[x]| [x * x * x - x + 0.1],
        |[x]| [[3.0 * x * x - 1.0]],
    ))
}

/// The wells of the scenario `width-against-depth`: another loss and so another check.
fn wells() -> Arc<dyn Loss> {
    let well = |x: f64, loss: f64, h: f64| Well { position: vec![x], loss, hessian: DMatrix::from_element(1, 1, h) };
    Arc::new(Wells::new(&[well(-1.0, 0.0, 8.0), well(1.0, 0.1, 1.5)], 0.1).expect("the wells are sound"))
}

fn plain(threads: usize) -> Score {
    let diffusion = SIGMA * STEP.sqrt();
    ensemble(threads, TRAJECTORIES, |trajectory| {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(trajectory);
        let mut x = 0.0;
        for _ in 0..STEPS {
            let normal: f64 = StandardNormal.sample(&mut generator);
            x = x - STEP * (x * x * x - x + 0.1) + diffusion * normal;
        }
        u64::from(x < 0.0)
    })
}

fn normals() -> Score {
    let mut block = IncrementBlock::new(SEED, 0);
    fill_buffers(|buffer| block.fill(buffer))
}

fn normals_plain() -> Score {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(SEED);
    fill_buffers(|buffer| buffer.fill_with(|| StandardNormal.sample(&mut generator)))
}

/// As many normals as the ensemble takes, buffer by buffer. Returned is the mean square of the last.
fn fill_buffers(mut fill: impl FnMut(&mut [f64])) -> Score {
    let mut buffer = vec![0.0; BUFFER];
    time((TRAJECTORIES * STEPS) as usize, || {
        for _ in 0..TRAJECTORIES * STEPS / BUFFER as u64 {
            fill(black_box(&mut buffer));
        }
        buffer.iter().map(|x| x * x).sum::<f64>() / BUFFER as f64
    })
}
