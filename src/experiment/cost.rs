//! What the simulation of a setting takes of memory and time, by its own figures and a pilot of a few milliseconds.

use std::time::Instant;

use super::setting::Setting;
use crate::dynamics::{Block, steps_at_once};
use crate::ensemble::{FOLLOWED, MOST_STRETCHES, Plan};
use crate::landscape::basins::Workspace;
use crate::lanes::LANES;

/// θ, gradient and the noise of the next steps of a block, its generators and spare increments, scratch of the dynamics and of the observers, and their counts.
pub(super) fn bytes_per_block(setting: &Setting) -> f64 {
    let dimension = setting.loss.dimension();
    let scratch = setting.dynamics.block_scratch() + setting.dynamics.memory() + setting.loss.block_scratch();
    // Of L, |∇L|² and two directions of every minimum two sums each and the relations, and room for a gradient.
    let balance = LANES * (6 + 6 * 2 * setting.landscape.minima.len().min(3) + dimension);
    let counts = LANES * (setting.landscape.minima.len() + 1) + LANES * 2 + balance;
    let rows = setting.dynamics.noise_rows();
    let noise = rows * steps_at_once(rows);
    let batches = setting.dynamics.batches().map_or(0, |plan| plan.bytes_per_block());
    (8 * ((2 * dimension + noise + 3) * LANES + scratch + counts) + LANES * (5 * 8 + 32) + batches + 1_000) as f64
}

/// Ranks, R̂ and effective sample sizes of the means of the followed replicas over stretches, on one thread: some 200 ns for each
/// mean, as measured. What small points of a study mostly spend their time on.
pub(super) fn seconds_of_diagnostics(plan: &Plan) -> f64 {
    2e-7 * (plan.replicas.min(FOLLOWED) * plan.looks().min(MOST_STRETCHES)) as f64
}

/// To find the basins that the trajectories of a block are in: many dimensions take flows, which may cost more than all steps between
/// two looks.
fn seconds_of_labels(setting: &Setting, block: &Block) -> f64 {
    let mut labels = [0; LANES];
    let mut workspace = Workspace::default();
    let mut label = || {
        let clock = Instant::now();
        setting.landscape.basins.label_block(&block.theta, &[true; LANES], &mut labels, &mut workspace);
        clock.elapsed().as_secs_f64()
    };
    label();
    label()
}

/// A short pilot run of one block that is looked at every so many steps.
pub(super) fn seconds_per_block_step(setting: &Setting, observe_every: u64) -> f64 {
    let mut block = Block::new(setting.dynamics.as_ref(), 0, 0);
    for lane in 0..LANES {
        block.place(lane, &setting.landscape.minima[lane % setting.landscape.minima.len()].theta);
    }
    let mut steps = 64;
    loop {
        let clock = Instant::now();
        setting.dynamics.advance(&mut block, steps);
        let seconds = clock.elapsed().as_secs_f64();
        if seconds > 0.01 {
            // Counts and a block's ends of pieces take about a third on top.
            return 1.3 * seconds / steps as f64 + seconds_of_labels(setting, &block) / observe_every as f64;
        }
        steps *= 2;
    }
}
