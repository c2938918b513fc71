//! What a study will cost, from a sample of its points.

use std::time::Instant;

use crate::experiment::{self, forecast::Forecast};
use crate::input::Problems;
use crate::scenario::{Loaded, Points};

/// So many points are looked at.
const SAMPLE: u64 = 9;
/// Seconds of theory beyond which what a single run takes is taken for what a point takes.
const LONG: f64 = 2.0;

/// Cost of a study.
#[derive(Clone, Debug)]
pub struct StudyForecast {
    /// Number of points.
    pub points: u64,
    /// How many of them were looked at.
    pub sampled: u64,
    /// Of these, how many cannot be run or are predicted to diverge.
    pub unusual: u64,
    /// And how many have no stationary law, so that nothing can be shown there.
    pub lawless: u64,
    /// Why not, at the first of them.
    pub no_law: Option<String>,
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
        let (mut lawless, mut no_law) = (0, None);
        let (mut errors, mut quantity): (Option<[f64; 2]>, String) = (None, String::new());
        for part in 0..sampled {
            // The first, the last, and what lies evenly between.
            let index = if sampled == 1 { 0 } else { part * (count - 1) / (sampled - 1) };
            let Some((forecast, theory)) = one(&points, index) else { continue };
            usual += 1;
            steps += forecast.trajectory_steps;
            seconds += forecast.seconds - forecast.seconds_of_theory + theory;
            lawless += u64::from(forecast.no_law.is_some());
            no_law = no_law.or(forecast.no_law);
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
            lawless,
            no_law,
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
    // Where theory takes its time, it takes it at a point of a study too, and is not worked out twice to see that.
    if forecast.seconds_of_theory > LONG {
        let seconds = forecast.seconds_of_theory;
        return Some((forecast, seconds));
    }
    let clock = Instant::now();
    let prepared = experiment::prepare(&loaded).ok()?.brief();
    experiment::predict(&loaded, &prepared).ok()?;
    Some((forecast, clock.elapsed().as_secs_f64()))
}
