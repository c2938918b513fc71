//! `state.bin`: what a continued run goes on from.
//!
//! ```text
//! 8 bytes   "sgd-sde\n"
//! 4 bytes   format, little-endian: FORMAT
//! …         header, then body, in postcard's encoding (wire format 1.0, fixed by its specification)
//! 4 bytes   CRC-32 (IEEE) of everything before, little-endian
//! ```
//!
//! The header names what the state is of: program version, version of the random streams, the resolved scenario word for
//! word, the look, the steps. The body is the ensemble: every trajectory's θ and memory, its random stream with the normal drawn
//! but not used, which lanes live, and all that the observers counted.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::pilot::Planned;
use crate::ensemble::Run;
use crate::ensemble::checkpoint::Resumable;
use crate::ensemble::histogram::Histogram;
use crate::random::STREAM_VERSION;
use crate::scenario::Scenario;
use crate::statistics::Look;
use crate::statistics::looks::MOST_LOOKS;

const MAGIC: &[u8; 8] = b"sgd-sde\n";
/// Version of the layout of the file, counted up with every change of what is serialised.
const FORMAT: u32 = 4;
const FRAME: usize = MAGIC.len() + size_of::<u32>();
const SUM: usize = size_of::<u32>();

/// Why a run cannot go on from a state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file is something else.
    #[error("is no saved state of sgd-sde")]
    Foreign,
    /// Another layout.
    #[error("is written in format {found}; this program reads format {FORMAT}: it was saved by another version")]
    Format {
        /// The format found.
        found: u32,
    },
    /// Its sum is wrong, or its end is missing.
    #[error("is damaged: its checksum does not fit its content")]
    Damaged,
    /// Another program version, whose trajectories need not be the same.
    #[error("was saved by version {found}; this is version {}, whose trajectories need not be the same", env!("CARGO_PKG_VERSION"))]
    Version {
        /// The version found.
        found: String,
    },
    /// Another scenario.
    #[error("is the state of another scenario or seed")]
    Scenario,
    /// Not the look that the result is of.
    #[error("is of look {state}, but the result beside it is of look {result}: the two do not belong together")]
    Look {
        /// Of the state.
        state: u32,
        /// Of the result.
        result: u32,
    },
    /// Too many looks.
    #[error(
        "has been looked at {MOST_LOOKS} times, which is as often as is allowed: what is left of the error rate decides nothing"
    )]
    Exhausted,
}

/// What a state is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub version: String,
    pub stream: u32,
    pub scenario: String,
    pub look: Look,
    /// Measured steps per replica so far.
    pub steps: u64,
    pub planned: Option<Planned>,
}

impl Header {
    /// A scenario word for word.
    pub fn scenario_text(scenario: &Scenario) -> String {
        // A scenario is plain data: it can always be written.
        serde_json::to_string(scenario).unwrap_or_default()
    }
}

/// The end of an UNDETERMINED run, to be written.
pub struct State {
    pub(super) header: Header,
    pub(super) body: Box<dyn Keep>,
}

impl State {
    /// Writes the file's content. Nothing large is copied on the way.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = BufWriter::new(Summed { out, sum: crc32fast::Hasher::new() });
        out.write_all(MAGIC)?;
        out.write_all(&FORMAT.to_le_bytes())?;
        // postcard tells only that the writer refused: what the writer itself says next is the reason.
        let encoded = to_io(&self.header, &mut out).and_then(|()| self.body.write(&mut out));
        out.flush()?;
        encoded.map_err(io::Error::other)?;
        let Summed { out, sum } = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        out.write_all(&sum.finalize().to_le_bytes())
    }
}

/// A run with the type of its observers forgotten.
pub(super) trait Keep {
    /// Writes it as the body of a state.
    fn write(&self, out: &mut dyn Write) -> postcard::Result<()>;
}

impl<O: Resumable> Keep for (Run<O>, Option<Arc<Histogram>>) {
    fn write(&self, out: &mut dyn Write) -> postcard::Result<()> {
        to_io(&(&self.0, self.1.as_ref().map(|histogram| histogram.counts())), out)
    }
}

/// As postcard's, for a writer that is borrowed.
fn to_io<T: Serialize>(value: &T, out: &mut dyn Write) -> postcard::Result<()> {
    postcard::to_io(value, out).map(|_| ())
}

struct Summed<'a> {
    out: &'a mut dyn Write,
    sum: crc32fast::Hasher,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A state that was read.
pub struct Earlier {
    pub(super) header: Header,
    body: Vec<u8>,
}

impl Earlier {
    /// Reads the content of a file.
    ///
    /// # Errors
    /// When it is no state, of another format, or damaged.
    pub fn read(mut bytes: Vec<u8>) -> Result<Self, StateError> {
        if bytes.len() < FRAME + SUM || &bytes[..MAGIC.len()] != MAGIC {
            return Err(StateError::Foreign);
        }
        let number = |at: usize| bytes[at..at + 4].try_into().map(u32::from_le_bytes).unwrap_or_default();
        let end = bytes.len() - SUM;
        let (found, sum) = (number(MAGIC.len()), number(end));
        if found != FORMAT {
            return Err(StateError::Format { found });
        }
        if crc32fast::hash(&bytes[..end]) != sum {
            return Err(StateError::Damaged);
        }
        bytes.truncate(end);
        let (header, body) = postcard::take_from_bytes::<Header>(&bytes[FRAME..]).map_err(|_| StateError::Damaged)?;
        let length = body.len();
        bytes.drain(..end - length);
        Ok(Self { header, body: bytes })
    }

    /// Makes sure that it is the state of `scenario`, resolved, by this program, after look `look`, and that another look is
    /// allowed.
    ///
    /// # Errors
    /// When it is not.
    pub fn require(&self, scenario: &Scenario, look: Look) -> Result<(), StateError> {
        let header = &self.header;
        if header.version != env!("CARGO_PKG_VERSION") || header.stream != STREAM_VERSION {
            return Err(StateError::Version { found: header.version.clone() });
        }
        if header.scenario != Header::scenario_text(scenario) {
            return Err(StateError::Scenario);
        }
        if header.look != look {
            return Err(StateError::Look { state: header.look.number(), result: look.number() });
        }
        look.next().map(|_| ()).ok_or(StateError::Exhausted)
    }

    /// The body as what it is of.
    pub(super) fn body<T: DeserializeOwned>(self) -> Result<T, StateError> {
        postcard::from_bytes(&self.body).map_err(|_| StateError::Damaged)
    }
}
