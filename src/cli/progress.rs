//! The progress line: rate, time left, and the running estimate of what is measured. Only on a terminal.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sgd_sde::experiment::Status;

/// The running estimate is worked out no more often than this: it reads every replica.
const BETWEEN_ESTIMATES: Duration = Duration::from_millis(300);

pub(super) struct Progress {
    bar: ProgressBar,
    replicas: u64,
    started: Instant,
    estimated: Cell<Option<Instant>>,
}

impl Progress {
    pub(super) fn new(name: &str, replicas: u64, quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:24} {percent:>3} %  {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_string());
        Self { bar, replicas, started: Instant::now(), estimated: Cell::new(None) }
    }

    /// Shows where the run stands.
    pub(super) fn show(&self, status: &Status) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_length(status.steps_in_all);
        self.bar.set_position(status.steps_done);
        if self.estimated.get().is_some_and(|last| last.elapsed() < BETWEEN_ESTIMATES) {
            return;
        }
        self.estimated.set(Some(Instant::now()));
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = (status.steps_done * self.replicas) as f64 / seconds.max(1e-9);
        let left = seconds * (status.steps_in_all - status.steps_done) as f64 / (status.steps_done.max(1)) as f64;
        let estimate = match (status.estimate)() {
            Some((name, value, error)) => format!(", {name} = {value:.3} ± {error:.3}"),
            None => String::new(),
        };
        self.bar.set_message(format!("{:.0} Msteps/s, {left:.0} s left{estimate}", rate / 1e6));
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
