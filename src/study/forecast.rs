//! What a study will cost, from a sample of its points.

use std::time::Instant;

use crate::experiment::{self, forecast::Forecast};
use crate::input::Problems;
use crate::scenario::{Loaded, Points};

/// So many points are looked at.
const SAMPLE: u64 = 9;

/// Cost of a study.
#[derive(Clone, Debug)]
pub struct StudyForecast {
    /// Number of points.
    pub points: u64,
    /// How many of them were looked at.
    pub sampled: u64,
    /// Of these, how many cannot be run or are predicted to diverge.
    pub unusual: u64,
    /// Trajectory-steps in all, burn-in included.
    pub trajectory_steps: f64,
    /// Bytes at the peak, roughly.
    pub memory: f64,
    /// Seconds on this machine with the given number of threads.
    pub seconds: f64,
    /// What is measured; at the first of the sampled points, if it has another name at others.
    pub quantity: String,
    /// Smallest and largest standard error of it that the sampled points promise.
    pub standard_errors: Option<[f64; 2]>,
}

impl StudyForecast {
    /// Looks at some points, evenly spread.
    ///
    /// # Errors
    /// When the scenario is no study.
    pub fn of(loaded: &Loaded, threads: usize) -> Result<Self, Problems> {
        let points = super::points_of(loaded)?;
        let count = points.count();
        let sampled = count.min(SAMPLE);
        let (mut steps, mut seconds, mut memory, mut usual) = (0.0, 0.0, 0.0_f64, 0_u64);
        let (mut errors, mut quantity): (Option<[f64; 2]>, String) = (None, String::new());
        for part in 0..sampled {
            // The first, the last, and what lies evenly between.
            let index = if sampled == 1 { 0 } else { part * (count - 1) / (sampled - 1) };
            let Some((forecast, theory)) = one(&points, index) else { continue };
            usual += 1;
            steps += forecast.trajectory_steps;
            seconds += forecast.seconds + theory;
            memory = memory.max(forecast.memory);
            if let Some(error) = forecast.standard_error {
                let [low, high] = errors.unwrap_or([error; 2]);
                errors = Some([low.min(error), high.max(error)]);
                if quantity.is_empty() {
                    quantity = forecast.quantity;
                }
            }
        }
        let scale = count as f64 / sampled as f64;
        Ok(Self {
            points: count,
            sampled,
            unusual: sampled - usual,
            trajectory_steps: steps * scale,
            memory: memory + count as f64 * 1_000.0,
            seconds: seconds * scale / threads.max(1) as f64,
            quantity,
            standard_errors: errors,
        })
    }
}

/// The forecast of a point on one thread, and the seconds that its theory takes.
fn one(points: &Points, index: u64) -> Option<(Forecast, f64)> {
    let loaded = points.get(index).ok()?;
    let forecast = Forecast::of(&loaded, 1).ok()?;
    let clock = Instant::now();
    let prepared = experiment::prepare(&loaded).ok()?.brief();
    experiment::predict(&loaded, &prepared).ok()?;
    Some((forecast, clock.elapsed().as_secs_f64()))
}
