//! The raw random words of the streams, for batteries of tests: 64 bits each, little-endian, without end on standard output.
//!
//! ```text
//! cargo build --release --example words
//! target/release/examples/words --seed 1 --trajectories 1    | dieharder -a -g 200    # one stream
//! target/release/examples/words --seed 1 --trajectories 1024 | dieharder -a -g 200    # neighbouring trajectories
//! target/release/examples/words --seed 1 --seeds 1024        | dieharder -a -g 200    # neighbouring seeds
//! ```
//!
//! The words are those that the increments of a dynamics are made of. Several streams take turns: word k of every stream, then word
//! k + 1; so what neighbours share shows up as a pattern within one sequence.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;
use sgd_sde::random::Purpose;
use sgd_sde::random::stream::Stream;

/// Writes the raw 64-bit words of the random streams, little-endian, to standard output until nobody reads on.
#[derive(Parser)]
struct Arguments {
    /// The seed, or the first of several.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, of trajectory 0: seed, seed + 1, …
    #[arg(long, default_value_t = 1, conflicts_with = "trajectories", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    seeds: u64,
    /// How many trajectories of the seed: 0, 1, …
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    trajectories: u64,
}

impl Arguments {
    /// The streams in the order in which they take turns; a seed beyond the last goes on at 0.
    fn streams(&self) -> Vec<Stream> {
        let of_seed = |seed| (0..self.trajectories).map(move |k| Stream::new(seed, k, Purpose::Dynamics));
        (0..self.seeds).flat_map(|index| of_seed(self.seed.wrapping_add(index))).collect()
    }
}

fn main() -> ExitCode {
    match write_words(Arguments::parse().streams()) {
        // A closed pipe is how the reader says that it has enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr(), "the words cannot be written: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Writes until that fails.
fn write_words(mut streams: Vec<Stream>) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    loop {
        for stream in &mut streams {
            output.write_all(&stream.next_word().to_le_bytes())?;
        }
    }
}
