//! What a study will cost, from a sample of its points.

use std::time::Instant;

use super::point::{self, Prepared};
use crate::experiment::{self, forecast::Forecast};
use crate::input::Problems;
use crate::scenario::{Loaded, Points};

/// So many points are looked at.
const SAMPLE: u64 = 9;
/// Seconds of theory beyond which what a single run takes is taken for what a point takes.
const LONG: f64 = 2.0;

/// Cost of a study.
#[derive(Clone, Debug, Default)]
pub struct StudyForecast {
    /// Number of points.
    pub points: u64,
    /// How many of them were looked at.
    pub sampled: u64,
    /// Of these, the ones that cannot be run.
    pub refused: Those,
    /// The ones that are predicted to diverge, which is what they are run for.
    pub unstable: Those,
    /// And the ones that have no stationary law, so that nothing can be shown there.
    pub lawless: Those,
    /// The ones whose step is too large for where it leads.
    pub overshooting: Those,
    /// The ones whose burn-in is too short for their softest direction.
    pub remembering: Those,
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

/// Points of one kind among those that were looked at.
#[derive(Clone, Debug, Default)]
pub struct Those {
    /// How many.
    pub count: u64,
    /// The first of them in words, and why it is one.
    pub first: Option<(String, String)>,
}

impl Those {
    fn add(&mut self, points: &Points, index: u64, why: String) {
        self.count += 1;
        self.first.get_or_insert_with(|| (format!("point {index} ({})", points.spec().describe(index)), why));
    }
}

/// Why a point has no forecast.
enum Unusual {
    Refused(String),
    Unstable(String),
}

impl StudyForecast {
    /// Looks at some points, evenly spread; where none of them can be run, at the others too, until one can.
    ///
    /// # Errors
    /// When the scenario is no study.
    pub fn of(loaded: &Loaded, threads: usize) -> Result<Self, Problems> {
        let points = super::points_of(loaded)?;
        let count = points.count();
        let sample = count.min(SAMPLE);
        // The first, the last, and what lies evenly between.
        let place = |part: u64| if sample == 1 { 0 } else { part * (count - 1) / (sample - 1) };
        let spread: Vec<u64> = (0..sample).map(place).collect();
        let others = (0..count).filter(|index| !spread.contains(index));
        let mut found = Self { points: count, ..Self::default() };
        for index in spread.iter().copied().chain(others) {
            if found.sampled >= sample && found.refused.count < found.sampled {
                break;
            }
            found.look_at(&points, index);
        }
        let scale = count as f64 / found.sampled as f64;
        Ok(Self {
            trajectory_steps: found.trajectory_steps * scale,
            memory: found.memory + count as f64 * 1_000.0,
            seconds: found.seconds * scale / threads.max(1) as f64,
            ..found
        })
    }

    /// Whether there is no point that can be run.
    pub fn is_refused(&self) -> bool {
        self.refused.count == self.points
    }

    /// Whether none of the points that were looked at puts anything to the test but its divergence.
    pub fn tests_nothing(&self) -> bool {
        self.refused.count + self.unstable.count == self.sampled
    }

    /// Adds what a point costs and promises, or why it does neither.
    fn look_at(&mut self, points: &Points, index: u64) {
        self.sampled += 1;
        let (forecast, theory) = match one(points, index) {
            Ok(found) => found,
            Err(Unusual::Refused(why)) => return self.refused.add(points, index, why),
            Err(Unusual::Unstable(why)) => return self.unstable.add(points, index, why),
        };
        self.trajectory_steps += forecast.trajectory_steps;
        self.seconds += forecast.seconds - forecast.seconds_of_theory + theory;
        self.memory = self.memory.max(forecast.memory);
        if let Some(why) = forecast.no_law {
            self.lawless.add(points, index, why);
        }
        if let Some(step) = forecast.too_large_step {
            self.overshooting.add(points, index, step.to_string());
        }
        if let Some(softest) = forecast.softest {
            self.remembering.add(points, index, softest.to_string());
        }
        if let Some(error) = forecast.standard_error {
            let [low, high] = self.standard_errors.unwrap_or([error; 2]);
            self.standard_errors = Some([low.min(error), high.max(error)]);
            if self.quantity.is_empty() {
                self.quantity = forecast.quantity;
            }
        }
    }
}

/// The forecast of a point on one thread, and the seconds that its theory takes.
fn one(points: &Points, index: u64) -> Result<(Forecast, f64), Unusual> {
    let loaded = point::scenario_of(points, index).map_err(|problems| Unusual::Refused(point::in_words(&problems)))?;
    let forecast = Forecast::of(&loaded, 1).map_err(|error| match point::prepare(&loaded) {
        Ok(Prepared::Unstable(_, why)) => Unusual::Unstable(why),
        _ => Unusual::Refused(point::reason(&error)),
    })?;
    // Where theory takes its time, it takes it at a point of a study too, and is not worked out twice to see that.
    if forecast.seconds_of_theory > LONG {
        let seconds = forecast.seconds_of_theory;
        return Ok((forecast, seconds));
    }
    let refused = |error| Unusual::Refused(point::reason(&error));
    let clock = Instant::now();
    let prepared = experiment::prepare(&loaded).map_err(refused)?.brief();
    experiment::predict(&loaded, &prepared).map_err(refused)?;
    Ok((forecast, clock.elapsed().as_secs_f64()))
}
