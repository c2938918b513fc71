//! How many threads are worth starting.

use super::output::message;

/// Threads for each core of the machine, at most: they only compute, so that more of them wait for each other.
const PER_CORE: usize = 4;
/// As many are always allowed: to try that results do not depend on them.
const ALWAYS: usize = 16;

/// The number of threads to start: as asked for, but not so many that they only cost; 0 means one for each core.
pub(super) fn sensible(asked: Option<u16>, quiet: bool) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (asked, most) = (asked.map_or(0, usize::from), ALWAYS.max(PER_CORE * cores));
    if asked > most && !quiet {
        message(&format!("{asked} threads on {cores} cores would only wait for each other: {most} are started"));
    }
    asked.min(most)
}
