//! How much memory there is, and how much a run takes.

use std::sync::OnceLock;

/// Bytes of memory of this machine, where it says so.
pub(super) fn of_machine() -> Option<u64> {
    /// Read once: a study asks for every point.
    static MEMORY: OnceLock<Option<u64>> = OnceLock::new();
    *MEMORY.get_or_init(read)
}

fn read() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// Bytes that a replica takes: its state, the increments of its next steps, and what observers keep of it.
pub(super) fn of_replica(dimension: usize) -> u64 {
    850 + 110 * dimension as u64
}

/// Bytes for people.
pub(super) fn shown(bytes: f64) -> String {
    let (unit, name) =
        [(1e12, "TB"), (1e9, "GB"), (1e6, "MB")].into_iter().find(|(unit, _)| bytes >= *unit).unwrap_or((1e3, "kB"));
    format!("{:.1} {name}", bytes / unit)
}
