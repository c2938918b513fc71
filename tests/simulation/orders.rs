//! How fast errors fall with the step: SGD against its SDE in law, Euler–Maruyama against a fine path path by path.

use std::sync::Arc;

use sgd_sde::dynamics::leimkuhler_matthews::LeimkuhlerMatthews;
use sgd_sde::dynamics::{Block, Dynamics, euler_maruyama::EulerMaruyama, sgd::Sgd};
use sgd_sde::ensemble::{Observer, Plan, View};
use sgd_sde::loss::LANES;
use sgd_sde::loss::expression::Expression;
use sgd_sde::loss::quadratic::Quadratic;
use sgd_sde::noise::expression::FormulaNoise;
use sgd_sde::noise::isotropic::Isotropic;
use sgd_sde::random::increments::IncrementBlock;

use crate::support::{at_temperature, double_well, log_slope, undisturbed};

/// Sums of x² and x⁴ over all lanes of a block.
#[derive(Default)]
struct Squares {
    count: f64,
    second: f64,
    fourth: f64,
}

impl Observer for Squares {
    fn observe(&mut self, view: &mut View) {
        for x in view.theta.iter().zip(view.live).filter(|(_, live)| **live).map(|(x, _)| x) {
            self.count += 1.0;
            self.second += x * x;
            self.fourth += x * x * x * x;
        }
    }

    fn end_stretch(&mut self, _looks: u64) {}
}

/// False failure 4 × 1.1e-5 (|z| < 4.4 of every E x²) and below 1e-6 (the slope).
///
/// L = x²/2, x₀ = 1, σ² = 1, S = 1, t = 1: the SDE with n = η has E x² = e⁻² + (η/2)(1 − e⁻²) there, and SGD's error
/// falls as η. The exact errors of these four η give a slope of 0.903, so the bound is 0.85 … 1.15 as for every weak
/// order; its standard error is asserted to be below 0.011, a fifth of the distance. A constant error, or one of
/// second order, would fail.
#[test]
fn sgd_approaches_its_sde_with_weak_order_one() {
    let batches = [(0.1, 16), (0.05, 32), (0.025, 48), (0.0125, 64)];
    let mut errors = Vec::new();
    let mut relative = Vec::new();
    for (index, (rate, batches)) in batches.into_iter().enumerate() {
        let bowl = Arc::new(Quadratic::from_eigenvalues(&[1.0]));
        let dynamics = Sgd::new(bowl, Arc::new(Isotropic::new(1, 1.0)), rate, 1.0);
        let steps = f64::round(1.0 / rate) as u64;
        let mut sums = Squares::default();
        // In batches, since an ensemble of millions keeps all of its replicas in memory.
        for batch in 0..batches {
            let seed = 2000 + 100 * index as u64 + batch;
            let plan = Plan { replicas: 1 << 16, burn_in: 0, steps, observe_every: steps, seed };
            let outcome = undisturbed(&dynamics, &plan, &|_, point| point[0] = 1.0, &|_, _| Squares::default());
            for block in outcome.observers {
                sums.count += block.count;
                sums.second += block.second;
                sums.fourth += block.fourth;
            }
        }
        assert_eq!(sums.count, (batches << 16) as f64);
        let mean = sums.second / sums.count;
        let standard_error = ((sums.fourth / sums.count - mean * mean) / sums.count).sqrt();
        // SGD's own moment, exactly, step by step.
        let discrete = (0..steps).fold(1.0, |moment, _| (1.0 - rate) * (1.0 - rate) * moment + rate * rate);
        let z = (mean - discrete) / standard_error;
        assert!(z.abs() < 4.4, "η = {rate}: E x² = {mean}, exactly {discrete}, z = {z:.2}");
        let decay = (-2.0f64).exp();
        let error = decay + rate / 2.0 * (1.0 - decay) - mean;
        assert!(error > 10.0 * standard_error, "η = {rate}: the error {error} hides in the noise {standard_error}");
        errors.push((rate, error));
        relative.push(standard_error / error);
    }
    // The four abscissae are evenly spaced: weights of the line's slope are ±3 and ±1 in units of 1/(10 ln 2).
    let weights = [3.0, 1.0, 1.0, 3.0].map(|weight| weight / (10.0 * 2.0f64.ln()));
    let variance: f64 = weights.iter().zip(&relative).map(|(weight, error)| (weight * error) * (weight * error)).sum();
    assert!(variance.sqrt() < 0.011, "the slope's standard error is {}", variance.sqrt());
    let slope = log_slope(&errors);
    assert!((slope - 1.0).abs() < 0.15, "weak order {slope}, errors {errors:?}");
}

/// False failure below 1e-6: the slope's standard error, between 64 independent blocks, is asserted to be below 0.02,
/// and the slope expected from a leading error of order δ, less that of the fine path, is 1.02.
///
/// E|x_δ − x| at t = 1 in the double well, with x a path of step 2⁻¹³ driven by the same Brownian increments: for
/// additive noise Euler–Maruyama has strong order 1. Independent increments would give order 0, and a scheme that
/// mistakes √δ anywhere order ½.
#[test]
fn euler_maruyama_has_strong_order_one_for_additive_noise() {
    const FINE: u32 = 13;
    const COARSE: [u32; 4] = [4, 5, 6, 7];
    const BLOCKS: u64 = 64;
    let dynamics = |power: u32| at_temperature(double_well(), 0.2, 0.5f64.powi(power as i32));
    let reference = dynamics(FINE);
    let methods: Vec<EulerMaruyama> = COARSE.into_iter().map(dynamics).collect();
    let mut errors: Vec<[f64; COARSE.len()]> = Vec::new();
    for block in 0..BLOCKS {
        let first = block * LANES as u64;
        let mut normals = IncrementBlock::new(2500, first);
        let start = |dynamics: &EulerMaruyama| {
            let mut block = Block::new(dynamics, 2500, first);
            (0..LANES).for_each(|lane| block.place(lane, &[0.5]));
            block
        };
        let mut fine = start(&reference);
        let mut coarse: Vec<Block> = methods.iter().map(start).collect();
        let mut sums = [[0.0; LANES]; COARSE.len()];
        for step in 1..=1u32 << FINE {
            normals.fill(&mut fine.noise[..LANES]);
            for (level, power) in COARSE.into_iter().enumerate() {
                sums[level].iter_mut().zip(fine.noise.iter()).for_each(|(sum, normal)| *sum += normal);
                let length = 1 << (FINE - power);
                if step % length == 0 {
                    let scale = 1.0 / f64::from(length).sqrt();
                    coarse[level].noise.iter_mut().zip(&sums[level]).for_each(|(normal, sum)| *normal = sum * scale);
                    methods[level].step_on_given_normals(&mut coarse[level]);
                    sums[level] = [0.0; LANES];
                }
            }
            reference.step_on_given_normals(&mut fine);
        }
        errors.push(std::array::from_fn(|level| {
            let distances = coarse[level].theta.iter().zip(fine.theta.iter()).map(|(x, y)| (x - y).abs());
            distances.sum::<f64>() / LANES as f64
        }));
    }
    let (slope, standard_error) = jackknifed_slope(&COARSE, &errors);
    assert!(standard_error < 0.02, "the slope's standard error is {standard_error}");
    assert!((slope - 1.0).abs() < 0.15, "strong order {slope}");
}

/// The slope of ln(error) in ln δ, δ = 2^(−power), and its standard error by the jackknife over the blocks.
fn jackknifed_slope<const LEVELS: usize>(powers: &[u32; LEVELS], errors: &[[f64; LEVELS]]) -> (f64, f64) {
    let slope_without = |left_out: Option<usize>| {
        let points: Vec<(f64, f64)> = (0..LEVELS)
            .map(|level| {
                let kept = errors.iter().enumerate().filter(|(block, _)| Some(*block) != left_out);
                (0.5f64.powi(powers[level] as i32), kept.map(|(_, error)| error[level]).sum::<f64>())
            })
            .collect();
        log_slope(&points)
    };
    let slope = slope_without(None);
    let variance: f64 = (0..errors.len()).map(|block| (slope_without(Some(block)) - slope).powi(2)).sum();
    (slope, variance.sqrt())
}

/// False failure below 1e-6: the slope's standard error, between 256 independent blocks, is asserted to be below 0.015,
/// and the slope of the leading error is 0.5 (with an O(δ) part that lifts it by less than 0.04 here).
///
/// E|X_δ − X| at t = 1 of dX = −X dt + X dW, σ = x in a bowl, whose exact path is X₀ exp(−3t/2 + W): with noise that
/// depends on θ Euler–Maruyama has strong order ½.
#[test]
fn euler_maruyama_has_strong_order_one_half_for_noise_that_depends_on_theta() {
    const COARSE: [u32; 4] = [6, 7, 8, 9];
    const BLOCKS: u64 = 256;
    let method = |power: u32| {
        let sigma = Expression::new(&["x".into()], &[], "x").unwrap();
        let bowl = Arc::new(Quadratic::from_eigenvalues(&[1.0]));
        EulerMaruyama::new(bowl, Arc::new(FormulaNoise::new(sigma)), 1.0, 0.5f64.powi(power as i32))
    };
    let methods = COARSE.map(method);
    let mut errors: Vec<[f64; COARSE.len()]> = Vec::new();
    for index in 0..BLOCKS {
        let mut normals = IncrementBlock::new(2800, index * LANES as u64);
        let fine_steps = 1usize << COARSE[3];
        let mut fine = vec![0.0; fine_steps * LANES];
        normals.fill(&mut fine);
        let of_lane = |first: usize, count: usize, lane: usize| -> f64 {
            fine.chunks_exact(LANES).skip(first).take(count).map(|row| row[lane]).sum()
        };
        errors.push(std::array::from_fn(|level| {
            let length = fine_steps >> COARSE[level];
            let mut block = Block::new(&methods[level], 0, 0);
            block.theta.fill(1.0);
            for step in 0..1usize << COARSE[level] {
                for lane in 0..LANES {
                    block.noise[lane] = of_lane(step * length, length, lane) / (length as f64).sqrt();
                }
                methods[level].step_on_given_normals(&mut block);
            }
            let exact = |lane: usize| (-1.5 + of_lane(0, fine_steps, lane) / (fine_steps as f64).sqrt()).exp();
            (0..LANES).map(|lane| (block.theta[lane] - exact(lane)).abs()).sum::<f64>() / LANES as f64
        }));
    }
    let (slope, standard_error) = jackknifed_slope(&COARSE, &errors);
    assert!(standard_error < 0.015, "the slope's standard error is {standard_error}");
    assert!((slope - 0.5).abs() < 0.12, "strong order {slope}");
}

/// No chance at all: a Leimkuhler–Matthews run draws its first normals at its start, and each step's after.
#[test]
fn leimkuhler_matthews_begins_with_normals_of_its_own() {
    let noise = Arc::new(Isotropic::new(1, 0.7));
    let dynamics = LeimkuhlerMatthews::new(double_well(), noise, 1.0, 0.05).unwrap();
    let (mut drawn, mut given) = (Block::new(&dynamics, 2600, 64), Block::new(&dynamics, 2600, 64));
    let mut normals = IncrementBlock::new(2600, 64);
    normals.fill(&mut given.memory);
    dynamics.advance(&mut drawn, 25);
    for _ in 0..25 {
        normals.fill(&mut given.noise[..LANES]);
        dynamics.step_on_given_normals(&mut given);
    }
    assert_eq!((drawn.theta, drawn.memory), (given.theta, given.memory));
}

/// No chance at all: what the strong test drives by hand is what a run does by itself.
#[test]
fn given_normals_move_as_drawn_ones() {
    let dynamics = at_temperature(double_well(), 0.2, 0.05);
    let (mut drawn, mut given) = (Block::new(&dynamics, 2600, 64), Block::new(&dynamics, 2600, 64));
    let mut normals = IncrementBlock::new(2600, 64);
    dynamics.advance(&mut drawn, 25);
    for _ in 0..25 {
        normals.fill(&mut given.noise[..LANES]);
        dynamics.step_on_given_normals(&mut given);
    }
    assert_eq!(drawn.theta, given.theta);
}
