//! Observers against what a naive reader of the same trajectories would count.

use std::sync::Arc;

use sgd_sde::dynamics::euler_maruyama::EulerMaruyama;
use sgd_sde::ensemble::histogram::{GROUPS, Histogram};
use sgd_sde::ensemble::occupancy::{Occupancy, Watch};
use sgd_sde::ensemble::replay::replay;
use sgd_sde::ensemble::{MOST_STRETCHES, Observer, Plan, View};
use sgd_sde::landscape::Landscape;
use sgd_sde::loss::closure::Closure;
use sgd_sde::loss::{LANES, Loss};
use sgd_sde::noise::isotropic::Isotropic;
use sgd_sde::statistics::special::student_t_quantile;

use crate::support::{at_temperature, double_well, undisturbed};

const TEMPERATURE: f64 = 0.1;

/// What a naive reader counts on one path: looks in each well, core-to-core transitions, round trips.
#[derive(Default)]
struct Count {
    visits: [u64; 2],
    transitions: [[u64; 2]; 2],
    round_trips: u64,
}

impl Count {
    /// A and B are the left and the right well, parted at the saddle; a core is where L ≤ L_A + T/2.
    fn of(path: &[f64]) -> Self {
        const SADDLE: f64 = 0.101_031_257_881_010_8;
        let loss = |x: f64| x.powi(4) / 4.0 - x * x / 2.0 + 0.1 * x;
        let bottoms = [loss(-1.046_680_531_804_602), loss(0.945_649_273_923_591)];
        let mut count = Self::default();
        let mut cores: Vec<usize> = Vec::new();
        for &x in path {
            let well = usize::from(x > SADDLE);
            count.visits[well] += 1;
            if loss(x) <= bottoms[well] + TEMPERATURE / 2.0 {
                cores.push(well);
            }
        }
        cores.dedup();
        for pair in cores.windows(2) {
            count.transitions[pair[0]][pair[1]] += 1;
            count.round_trips += u64::from(pair[1] == cores[0]);
        }
        count
    }
}

/// No chance at all: a block of replicas and eight of the next, every tenth step for a time of 2,000, counted again on replayed paths.
#[test]
fn occupancies_and_transitions_are_those_of_a_naive_count() {
    let loss = double_well();
    let dynamics = at_temperature(loss.clone(), TEMPERATURE, 0.05);
    let landscape = Arc::new(Landscape::explore(loss.clone(), &[[-3.0, 3.0]]).unwrap());
    let watch = Arc::new(Watch::new(landscape, loss, TEMPERATURE, 256));
    let plan = Plan { replicas: LANES as u64 + 8, burn_in: 200, steps: 40_000, observe_every: 10, seed: 21 };
    let start = |replica: u64, point: &mut [f64]| point[0] = if replica.is_multiple_of(2) { -1.0 } else { 1.0 };
    let outcome = undisturbed(&dynamics, &plan, &start, &|first, count| Occupancy::new(&watch, first, count));
    let (mut transitions, mut round_trips) = ([[0; 2]; 2], 0);
    for replica in 0..plan.replicas {
        let mut point = [0.0];
        start(replica, &mut point);
        let replayed = replay(&dynamics, plan.seed, replica, &point, 10, 4_021);
        let path: Vec<f64> = replayed[21..].iter().map(|point| point[0]).collect();
        let count = Count::of(&path);
        let (block, lane) = (replica as usize / LANES, replica as usize % LANES);
        let expected = [count.visits[0] as f64 / 4e3, count.visits[1] as f64 / 4e3, 0.0];
        assert_eq!(outcome.observers[block].fractions(lane).unwrap(), expected, "replica {replica}");
        for (sum, count) in transitions.as_flattened_mut().iter_mut().zip(count.transitions.as_flattened()) {
            *sum += count;
        }
        round_trips += count.round_trips;
    }
    let counted = |from: usize, to: usize| -> u64 {
        outcome.observers.iter().map(|observer| observer.transitions()[from * 2 + to]).sum()
    };
    assert_eq!([[counted(0, 0), counted(0, 1)], [counted(1, 0), counted(1, 1)]], transitions);
    assert_eq!(outcome.observers.iter().map(Occupancy::round_trips).sum::<u64>(), round_trips);
    assert!(transitions[0][1] > 200 && round_trips > 100, "{transitions:?} {round_trips}");
}

/// Left of its ridge the loss x³/3 − x falls for ever: a look there is in no basin, and a look all the same.
#[test]
fn looks_in_no_basin_are_counted() {
    let slope = |x: &[f64], g: &mut [f64]| g[0] = x[0] * x[0] - 1.0;
    let loss: Arc<dyn Loss> = Arc::new(
        Closure::new(1, |x: &[f64]| x[0] * x[0] * x[0] / 3.0 - x[0], slope)
            .with_hessian(|x| nalgebra::DMatrix::from_element(1, 1, 2.0 * x[0])),
    );
    let landscape = Arc::new(Landscape::explore(loss.clone(), &[[-3.0, 3.0]]).unwrap());
    let mut scratch = vec![0.0; loss.block_scratch()];
    let mut occupancy = Occupancy::new(&Arc::new(Watch::new(landscape, loss, TEMPERATURE, 0)), 0, LANES);
    // Lane 0 is always beyond the ridge, lane 1 at every other of four looks, the rest never.
    for look in 0..4 {
        let theta: [f64; LANES] =
            std::array::from_fn(|lane| if lane == 0 || lane == 1 && look % 2 == 0 { -2.0 } else { 1.0 });
        let mut lost = [false; LANES];
        occupancy.observe(&mut View { theta: &theta, live: &[true; LANES], lost: &mut lost, scratch: &mut scratch });
        assert_eq!(lost, [false; LANES]);
    }
    for (lane, expected) in [(0, [0.0, 1.0]), (1, [0.5, 0.5]), (2, [1.0, 0.0])] {
        assert_eq!(occupancy.fractions(lane).unwrap(), expected, "lane {lane}");
    }
}

/// No chance at all: in the plane a core reaches up to L_A + T, twice as high as on the line. The loss is a sum of the double
/// well in x and a bowl in y, so that a core's basin is told by the sign of x.
#[test]
fn cores_in_the_plane_are_those_of_a_naive_count() {
    let value = |x: &[f64]| x[0].powi(4) / 4.0 - x[0] * x[0] / 2.0 + 0.1 * x[0] + x[1] * x[1];
    let gradient = |x: &[f64], g: &mut [f64]| {
        g[0] = x[0] * x[0] * x[0] - x[0] + 0.1;
        g[1] = 2.0 * x[1];
    };
    let loss: Arc<dyn Loss> = Arc::new(Closure::new(2, value, gradient));
    let noise = Arc::new(Isotropic::new(2, (2.0 * TEMPERATURE).sqrt()));
    let dynamics = EulerMaruyama::new(loss.clone(), noise, 1.0, 0.05);
    let landscape = Arc::new(Landscape::explore(loss.clone(), &[[-2.0, 2.0]; 2]).unwrap());
    let bottoms: Vec<f64> = landscape.minima.iter().map(|minimum| minimum.loss).collect();
    assert!(landscape.minima[0].theta[0] < -1.0 && landscape.minima[1].theta[0] > 0.9);
    let watch = Arc::new(Watch::new(landscape, loss.clone(), TEMPERATURE, 256));
    let plan = Plan { replicas: 32, burn_in: 0, steps: 40_000, observe_every: 10, seed: 24 };
    let start = |replica: u64, point: &mut [f64]| point[0] = if replica.is_multiple_of(2) { -1.0 } else { 1.0 };
    let outcome = undisturbed(&dynamics, &plan, &start, &|first, count| Occupancy::new(&watch, first, count));
    let mut transitions = [0; 4];
    for replica in 0..plan.replicas {
        let mut point = [0.0; 2];
        start(replica, &mut point);
        let replayed = replay(&dynamics, plan.seed, replica, &point, 10, 4_001);
        let well = |point: &[f64]| usize::from(point[0] > 0.0);
        let in_core = |point: &&Vec<f64>| loss.value(point) <= bottoms[well(point)] + TEMPERATURE;
        let mut cores: Vec<usize> = replayed[1..].iter().filter(in_core).map(|point| well(point)).collect();
        cores.dedup();
        cores.windows(2).for_each(|pair| transitions[2 * pair[0] + pair[1]] += 1);
    }
    assert_eq!(outcome.observers[0].transitions(), transitions);
    assert!(transitions[1] > 200, "{transitions:?}");
}

/// False failure 60 × 1e-7 (t with 15 degrees of freedom, one per bin). Bins in which fewer than 1,000 looks are expected, some of them
/// two, have no error of their own worth the name and are judged together.
///
/// At T = 0.4 the wells mix within a time of 10; at δ = 0.004 the chain's law is within 0.4 % of Gibbs' wherever the
/// density counts, a third of a bin's error. Bins are resolved to 3 % where the density is large.
#[test]
fn a_histogram_is_the_gibbs_density_and_a_probability() {
    let (low, high, bins, temperature) = (-2.2, 2.2, 60, 0.4);
    let loss = double_well();
    let dynamics = at_temperature(loss.clone(), temperature, 0.004);
    let histogram = Arc::new(Histogram::new(&[[low, high]], bins));
    let plan = Plan { replicas: 512, burn_in: 10_000, steps: 100_000, observe_every: 100, seed: 22 };
    let start = |replica: u64, point: &mut [f64]| point[0] = if replica.is_multiple_of(2) { -1.0 } else { 1.0 };
    undisturbed(&dynamics, &plan, &start, &|first, _| histogram.observer(first));
    let measured = histogram.density();
    let width = (high - low) / bins as f64;
    let mass = measured.density.iter().sum::<f64>() * width;
    assert!((mass - (1.0 - measured.outside)).abs() < 1e-12, "{mass} inside, {} outside", measured.outside);
    assert!(measured.outside > 0.0 && measured.outside < 1e-2, "{} outside", measured.outside);

    // Masses by Simpson's rule, far finer than the bins.
    let weight = |x: f64| (-loss.value(&[x]) / temperature).exp();
    let integral = |from: f64, to: f64| {
        let h = (to - from) / 200.0;
        (0..100)
            .map(|i| from + 2.0 * h * f64::from(i))
            .map(|x| h / 3.0 * (weight(x) + 4.0 * weight(x + h) + weight(x + 2.0 * h)))
            .sum()
    };
    let total: f64 = (0..40).map(|i| integral(-4.0 + 0.2 * f64::from(i), -4.0 + 0.2 * f64::from(i + 1))).sum();
    let limit = -student_t_quantile(0.5e-7, GROUPS as f64 - 1.0);
    let looks = (plan.replicas * plan.looks()) as f64;
    let (mut resolved, mut rare) = (0, [0.0; 3]);
    for (bin, (density, error)) in measured.density.iter().zip(&measured.standard_error).enumerate() {
        let left = low + width * bin as f64;
        let bin_mass: f64 = integral(left, left + width);
        let expected = bin_mass / total / width;
        if expected * width * looks < 1_000.0 {
            rare.iter_mut().zip([*density, error * error, expected]).for_each(|(sum, term)| *sum += term);
            continue;
        }
        assert!((density - expected).abs() < limit * error, "bin {bin}: {density} ± {error} against {expected}");
        resolved += usize::from(*error < 0.03 * expected);
    }
    let [density, variance, expected] = rare;
    assert!(expected * width * looks > 1_000.0, "too few looks for the rare bins together");
    assert!((density - expected).abs() < limit * variance.sqrt(), "rare bins: {density} against {expected}");
    assert!(resolved >= bins / 2, "{resolved} bins are resolved");
}

/// No chance at all: a course in time has the same length however long the run is, and so memory does not grow.
#[test]
fn what_an_observer_keeps_does_not_grow_with_the_run() {
    let loss = double_well();
    let dynamics = at_temperature(loss.clone(), TEMPERATURE, 0.05);
    let landscape = Arc::new(Landscape::explore(loss.clone(), &[[-3.0, 3.0]]).unwrap());
    let watch = Arc::new(Watch::new(landscape, loss, TEMPERATURE, 16));
    let lengths = [2_000, 200_000].map(|steps| {
        let plan = Plan { replicas: 32, burn_in: 0, steps, observe_every: 1, seed: 23 };
        let outcome = undisturbed(&dynamics, &plan, &|_, point| point[0] = 1.0, &|first, count| {
            Occupancy::new(&watch, first, count)
        });
        assert_eq!(outcome.observers[0].followed_lanes(), 16);
        outcome.observers[0].course(0, 3).len()
    });
    assert_eq!(lengths, [MOST_STRETCHES as usize; 2]);
}
