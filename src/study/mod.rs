//! Parameter studies: one scenario at many points ([`Points`]), each an experiment of its own.
//!
//! Points run side by side, as many as there are threads; what a point's ensemble leaves idle, the others take up. A
//! finished point goes to the [`Journal`] at once, so that a study that was stopped goes on where it was. Nothing that
//! reaches a result depends on the order in which points end.

pub mod forecast;
mod journal;
mod point;
mod summary;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

pub use journal::{Journal, JournalError};

use crate::ensemble::Interrupted;
use crate::experiment;
use crate::findings::{FigureData, Findings, StudyPoint, VerdictCounts};
use crate::input::Problems;
use crate::scenario::{Loaded, Points};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The scenario is no study.
    #[error(transparent)]
    Input(#[from] Problems),
    /// The study was told to stop; what is finished is in the journal.
    #[error("the study was interrupted: {finished} of {points} points are finished")]
    Interrupted {
        /// Points that are finished.
        finished: u64,
        /// Of so many.
        points: u64,
    },
    /// Finished points cannot be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Where a study stands.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Finished points, those of an earlier run included.
    pub points_done: u64,
    /// Of so many.
    pub points: u64,
    /// Points that an earlier run had finished.
    pub taken_over: u64,
    /// Points finished, and the parts of those under way, of this run alone.
    pub done_now: f64,
    /// Verdicts so far, each as it would be alone.
    pub verdicts: VerdictCounts,
}

/// What a study needs from outside: somebody to tell how it goes, and a way to be stopped.
pub struct Control<'a> {
    /// Called often and by any thread; it must be quick.
    pub monitor: &'a (dyn Fn(&Status) + Sync),
    /// Set at any time to end the study without a result.
    pub stop: &'a AtomicBool,
}

/// A study that came to its end.
pub struct Outcome {
    /// The document, verdict included.
    pub findings: Findings,
    /// All points.
    pub figures: FigureData,
    /// Trajectory-steps of this run.
    pub steps: u64,
}

/// Predicts every point, one row each, nothing measured.
///
/// # Errors
/// When the scenario is no study.
pub fn predict(loaded: &Loaded) -> Result<Findings, Problems> {
    let points = points_of(loaded)?;
    let rows = side_by_side(&(0..points.count()).collect::<Vec<_>>(), &|index| Some(point::predict(&points, index)));
    Ok(summary::of(&points, loaded, rows).0)
}

/// Runs every point that the journal does not hold yet, and summarises all. The same bytes for any number of threads and
/// however often the study was stopped and begun again.
///
/// # Errors
/// When the scenario is no study, the study was stopped, or the journal cannot be written.
pub fn run(loaded: &Loaded, journal: Option<&mut Journal>, control: &Control) -> Result<Outcome, StudyError> {
    let points = points_of(loaded)?;
    let count = points.count();
    let mut journal = journal;
    let mut rows = journal.as_mut().map_or(Vec::new(), |journal| journal.take_finished());
    let mut finished = vec![false; count as usize];
    rows.iter().for_each(|row| finished[row.index as usize] = true);
    let todo: Vec<u64> = (0..count).filter(|&index| !finished[index as usize]).collect();

    let board = Board::new(count, &rows, control.monitor);
    let failed = Mutex::new(None);
    let journal = Mutex::new(journal);
    let fresh = side_by_side(&todo, &|index| {
        if control.stop.load(Ordering::Relaxed) || lock(&failed).is_some() {
            return None;
        }
        let row = board.watch(|control| point::run(&points, index, control), control.stop).ok()?;
        if let Some(Err(error)) = lock(&journal).as_mut().map(|journal| journal.append(&row)) {
            *lock(&failed) = Some(error);
            return None;
        }
        board.finished(&row);
        Some(row)
    });
    if let Some(error) = lock(&failed).take() {
        return Err(error.into());
    }
    rows.extend(fresh);
    if (rows.len() as u64) < count {
        return Err(StudyError::Interrupted { finished: rows.len() as u64, points: count });
    }
    rows.sort_unstable_by_key(|row| row.index);
    let (findings, rows) = summary::of(&points, loaded, rows);
    let figures = FigureData { study: Some(rows), ..FigureData::default() };
    Ok(Outcome { findings, figures, steps: board.steps.load(Ordering::Relaxed) })
}

fn points_of(loaded: &Loaded) -> Result<Points<'_>, Problems> {
    let message = "missing; a study needs at least one [[study.axis]]";
    Points::of(loaded).ok_or_else(|| loaded.source.problem("study", message).into())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The rows that `work` makes of the points, in no order; `None` ends the work of its thread.
///
/// Every thread of the pool takes the next point when it is free. Points are not tasks that could be stolen: a thread that
/// waits for a part of its ensemble helps with parts of others, but never begins another point meanwhile, so that neither
/// the stack nor the number of points under way can grow.
fn side_by_side(todo: &[u64], work: &(dyn Fn(u64) -> Option<StudyPoint> + Sync)) -> Vec<StudyPoint> {
    let next = AtomicUsize::new(0);
    let of_threads = rayon::broadcast(|_| {
        let mut rows = Vec::new();
        while let Some(row) = todo.get(next.fetch_add(1, Ordering::Relaxed)).and_then(|&index| work(index)) {
            rows.push(row);
        }
        rows
    });
    let mut rows: Vec<StudyPoint> = of_threads.into_iter().flatten().collect();
    rows.sort_unstable_by_key(|row| row.index);
    rows
}

/// What all threads report to.
struct Board<'a> {
    points: u64,
    before: u64,
    done: AtomicU64,
    /// Thousandths of the points under way.
    under_way: AtomicU64,
    steps: AtomicU64,
    verdicts: Mutex<VerdictCounts>,
    monitor: &'a (dyn Fn(&Status) + Sync),
}

impl<'a> Board<'a> {
    fn new(points: u64, rows: &[StudyPoint], monitor: &'a (dyn Fn(&Status) + Sync)) -> Self {
        let verdicts = rows.iter().filter_map(|row| row.verdict).collect();
        let before = rows.len() as u64;
        let [done, under_way, steps] = [before, 0, 0].map(AtomicU64::new);
        let board = Self { points, before, done, under_way, steps, verdicts: Mutex::new(verdicts), monitor };
        board.show();
        board
    }

    fn show(&self) {
        let done = self.done.load(Ordering::Relaxed);
        let under_way = self.under_way.load(Ordering::Relaxed) as f64 / 1000.0;
        (self.monitor)(&Status {
            points_done: done,
            points: self.points,
            taken_over: self.before,
            done_now: (done - self.before) as f64 + under_way,
            verdicts: *lock(&self.verdicts),
        });
    }

    /// Runs a point and shows how it goes on.
    fn watch(
        &self,
        run: impl FnOnce(&mut point::Control) -> Result<StudyPoint, Interrupted>,
        stop: &AtomicBool,
    ) -> Result<StudyPoint, Interrupted> {
        const STRIDE: u64 = 50;
        let mut shown = 0;
        let mut steps = 0;
        let mut monitor = |status: &experiment::Status, replicas: u64| {
            steps = status.steps_done * replicas;
            let part = 1000 * status.steps_done / status.steps_in_all.max(1);
            if part >= shown + STRIDE {
                self.under_way.fetch_add(part - shown, Ordering::Relaxed);
                shown = part;
                self.show();
            }
        };
        let row = run(&mut point::Control { monitor: &mut monitor, stop });
        self.under_way.fetch_sub(shown, Ordering::Relaxed);
        self.steps.fetch_add(steps, Ordering::Relaxed);
        row
    }

    fn finished(&self, row: &StudyPoint) {
        self.done.fetch_add(1, Ordering::Relaxed);
        if let Some(verdict) = row.verdict {
            lock(&self.verdicts).add(verdict);
        }
        self.show();
    }
}
