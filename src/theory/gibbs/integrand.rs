//! What the cubature integrates, at many places side by side.

use super::moments::{Moments, moments};
use crate::landscape::CriticalPoint;
use crate::loss::{LANES, Loss};
use crate::math;

/// A density in the plane or in space.
pub(super) enum Integrand<'a> {
    /// exp(−(L − L_A)/T), A the lowest minimum, and what means over it take.
    Gibbs { loss: &'a dyn Loss, lowest: &'a CriticalPoint, temperature: f64 },
    /// Another one, of which masses alone are asked for.
    Other(&'a (dyn Fn(&[f64]) -> f64 + Sync)),
}

/// A density, and the same times |∇L|²/T, L − L_A and the moments of the place; at a place, or integrated.
#[derive(Clone, Copy, Default)]
pub(super) struct Density {
    pub mass: f64,
    pub laplacian: f64,
    pub excess: f64,
    pub moments: Moments,
}

impl Density {
    fn add(&mut self, other: &Self, share: f64) {
        self.mass += share * other.mass;
        self.laplacian += share * other.laplacian;
        self.excess += share * other.excess;
        self.moments.iter_mut().zip(other.moments).for_each(|(a, b)| *a += share * b);
    }
}

/// Room for a block of places.
#[derive(Default)]
pub(super) struct Room {
    theta: Vec<f64>,
    gradient: Vec<f64>,
    value: Vec<f64>,
    scratch: Vec<f64>,
}

impl Room {
    fn prepare(&mut self, loss: &dyn Loss) {
        let numbers = loss.dimension() * LANES;
        self.theta.resize(numbers, 0.0);
        self.gradient.resize(numbers, 0.0);
        self.value.resize(LANES, 0.0);
        self.scratch.resize(loss.block_scratch(), 0.0);
    }
}

impl Integrand<'_> {
    /// The sum over places with their shares.
    pub(super) fn sum<const D: usize>(&self, places: &[([f64; D], f64)], room: &mut Room) -> Density {
        let mut sum = Density::default();
        match self {
            Self::Other(density) => places.iter().for_each(|(place, share)| sum.mass += share * density(place)),
            Self::Gibbs { loss, lowest, temperature } => {
                room.prepare(*loss);
                for places in places.chunks(LANES) {
                    add_gibbs(*loss, lowest, *temperature, places, room, &mut sum);
                }
            }
        }
        sum
    }
}

fn add_gibbs<const D: usize>(
    loss: &dyn Loss,
    lowest: &CriticalPoint,
    temperature: f64,
    places: &[([f64; D], f64)],
    room: &mut Room,
    sum: &mut Density,
) {
    let Room { theta, gradient, value, scratch } = room;
    // Lanes that are left repeat places.
    for (lane, (place, _)) in (0..LANES).zip(places.iter().cycle()) {
        (0..D).for_each(|axis| theta[axis * LANES + lane] = place[axis]);
    }
    loss.value_block(theta, value, scratch);
    let weights = value.iter().map(|value| math::exp(-(value - lowest.loss) / temperature));
    // Where L is not defined there is no mass; NaN would poison the rest.
    let weights = weights.map(|weight| if weight.is_finite() { weight } else { 0.0 });
    let mut masses = [0.0; LANES];
    masses.iter_mut().zip(weights).for_each(|(mass, weight)| *mass = weight);
    if masses[..places.len()].iter().all(|mass| *mass == 0.0) {
        return;
    }
    loss.gradient_block(theta, gradient, scratch);
    for (lane, (place, share)) in places.iter().enumerate() {
        let mass = masses[lane];
        if mass == 0.0 {
            continue;
        }
        let square = (0..D).map(|axis| gradient[axis * LANES + lane].powi(2)).sum::<f64>();
        let bent = mass * square / temperature;
        let laplacian = if bent.is_finite() { bent } else { 0.0 };
        let moments = moments(place, &lowest.theta).map(|moment| moment * mass);
        sum.add(&Density { mass, laplacian, excess: -temperature * math::ln(mass) * mass, moments }, *share);
    }
}
