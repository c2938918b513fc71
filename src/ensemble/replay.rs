//! A single trajectory again: randomness is addressed, so replica r of a run can be replayed without the others.

use crate::dynamics::{Block, Dynamics};
use crate::lanes::LANES;

/// The first `points` positions of one replica, `every` steps apart, from its start at `start`.
///
/// They are bit for bit where the replica is in the ensemble with this seed.
pub fn replay(
    dynamics: &dyn Dynamics,
    seed: u64,
    replica: u64,
    start: &[f64],
    every: u64,
    points: usize,
) -> Vec<Vec<f64>> {
    let first = replica - replica % LANES as u64;
    let lane = (replica - first) as usize;
    let mut block = Block::new(dynamics, seed, first);
    for other in 0..LANES {
        block.place(other, start);
    }
    let mut path = Vec::with_capacity(points);
    let mut point = vec![0.0; dynamics.dimension()];
    for _ in 0..points {
        block.point(lane, &mut point);
        path.push(point.clone());
        dynamics.advance(&mut block, every);
    }
    path
}
