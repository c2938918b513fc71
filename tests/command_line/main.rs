//! The program as a user sees it: the real binary, in folders of its own.
//!
//! Nothing here is left to chance: seeds are fixed, and no test asks for a verdict that a correct program could miss.

#[path = "../bad/list.rs"]
#[allow(dead_code, reason = "reading has stages, the program has not")]
mod bad;
mod bad_files;
mod commands;
mod effort;
mod few_transitions;
#[cfg(unix)]
mod interruption;
mod no_law;
mod overwriting;
mod predictions;
mod same_bytes;
mod saved;
#[cfg(unix)]
mod studies;
mod support;
mod told;
