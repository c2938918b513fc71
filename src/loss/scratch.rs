//! Room to work in for one point at a time.

use std::cell::Cell;

/// Runs `work` with scratch of `length` numbers, allocating nothing once a thread has needed as much before.
pub(super) fn with_scratch(length: usize, work: impl FnOnce(&mut [f64])) {
    // Small, since it is cleared every time.
    const SMALL: usize = 16;
    thread_local! {
        static LARGE: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
    }
    if length <= SMALL {
        work(&mut [0.0; SMALL][..length]);
        return;
    }
    // A thread that is being torn down has no thread-local storage any more: then allocate.
    let mut scratch = LARGE.try_with(Cell::take).unwrap_or_default();
    if scratch.len() < length {
        scratch.resize(length, 0.0);
    }
    work(&mut scratch[..length]);
    let _ = LARGE.try_with(|large| large.set(scratch));
}
