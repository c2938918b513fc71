//! An array of a `.npy` file (NumPy Enhancement Proposal 1, versions 1.0 to 3.0 of the format).

use crate::data::limits::check_number;
use crate::input::shorten;

/// What the numbers of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Kind {
    Byte,
    Integer32,
    Integer64,
    Single,
    Double,
}

/// dtypes that are read: all are little-endian.
const KINDS: [(&str, Kind); 6] = [
    ("|u1", Kind::Byte),
    ("<u1", Kind::Byte),
    ("<i4", Kind::Integer32),
    ("<i8", Kind::Integer64),
    ("<f4", Kind::Single),
    ("<f8", Kind::Double),
];

impl Kind {
    /// The dtype as a file names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Byte => "|u1",
            Self::Integer32 => "<i4",
            Self::Integer64 => "<i8",
            Self::Single => "<f4",
            Self::Double => "<f8",
        }
    }

    /// Bytes of a number.
    fn size(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Integer32 | Self::Single => 4,
            Self::Integer64 | Self::Double => 8,
        }
    }
}

/// An array in C order.
#[derive(Debug)]
pub(in crate::data) struct Array {
    pub kind: Kind,
    pub shape: Vec<usize>,
    /// As many as the shape and the kind say.
    bytes: Vec<u8>,
}

impl Array {
    /// Reads the content of a file; never panics, and allocates nothing by what the header says.
    pub fn parse(mut bytes: Vec<u8>) -> Result<Self, String> {
        let (header, start) = header(&bytes)?;
        let kind = kind(&header)?;
        match value_of(&header, "fortran_order").map(|value| value.starts_with("False")) {
            Some(true) => {}
            Some(false) => {
                let message = "is in Fortran order; only C order is read; save numpy.ascontiguousarray(array)";
                return Err(message.to_owned());
            }
            None => return Err(damaged("fortran_order")),
        }
        let shape = value_of(&header, "shape").and_then(shape).ok_or_else(|| damaged("shape"))?;
        let length = shape.iter().try_fold(kind.size(), |product, &size| product.checked_mul(size));
        let found = bytes.len() - start;
        if length != Some(found) {
            let promised = length.map_or("far more".to_owned(), |length| length.to_string());
            return Err(format!(
                "has {found} bytes after its header, where shape {shape:?} of {} takes {promised}; it is cut short or damaged; \
                 save it again",
                kind.name()
            ));
        }
        bytes.drain(..start);
        Ok(Self { kind, shape, bytes })
    }

    /// The number of numbers.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.kind.size()
    }

    /// The bytes, of an array of bytes the numbers themselves.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// All numbers; an integer beyond 2^53 becomes the nearest one that is in double precision.
    ///
    /// # Errors
    /// Of the first that is not finite, where it is.
    pub fn numbers(&self) -> Result<Vec<f64>, String> {
        let four = || self.bytes.as_chunks::<4>().0.iter();
        let eight = || self.bytes.as_chunks::<8>().0.iter();
        let numbers: Vec<f64> = match self.kind {
            Kind::Byte => self.bytes.iter().map(|&byte| f64::from(byte)).collect(),
            Kind::Integer32 => four().map(|bytes| f64::from(i32::from_le_bytes(*bytes))).collect(),
            Kind::Integer64 => eight().map(|bytes| i64::from_le_bytes(*bytes) as f64).collect(),
            Kind::Single => four().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect(),
            Kind::Double => eight().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        };
        let fault = |(index, number): (usize, &f64)| Some((index, check_number(*number).err()?));
        match numbers.iter().enumerate().find_map(fault) {
            Some((index, fault)) => Err(format!(
                "the number at {:?} (from 0) is {fault}; repair or remove that example",
                self.position(index)
            )),
            None => Ok(numbers),
        }
    }

    /// All integers, or `None` where the numbers are not integers.
    pub fn integers(&self) -> Option<Box<dyn Iterator<Item = i64> + '_>> {
        match self.kind {
            Kind::Byte => Some(Box::new(self.bytes.iter().map(|&byte| i64::from(byte)))),
            Kind::Integer32 => {
                Some(Box::new(self.bytes.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes).into())))
            }
            Kind::Integer64 => {
                Some(Box::new(self.bytes.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes))))
            }
            Kind::Single | Kind::Double => None,
        }
    }

    /// The indices of a number.
    fn position(&self, mut index: usize) -> Vec<usize> {
        let mut position: Vec<usize> = self
            .shape
            .iter()
            .rev()
            .map(|&size| {
                let here = index % size.max(1);
                index /= size.max(1);
                here
            })
            .collect();
        position.reverse();
        position
    }
}

/// The text of the header, and where it ends.
fn header(bytes: &[u8]) -> Result<(String, usize), String> {
    let cut = || format!("ends within its header, after {} bytes; save it again", bytes.len());
    let Some(rest) = bytes.strip_prefix(b"\x93NUMPY") else {
        let begin: Vec<String> = bytes.iter().take(6).map(|byte| format!("{byte:02X}")).collect();
        return Err(format!(
            "is no .npy file: it begins with {}, such a file with 93 4E 55 4D 50 59; write one with numpy.save",
            if begin.is_empty() { "nothing".to_owned() } else { begin.join(" ") }
        ));
    };
    let (&[major, minor], rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
    let (length, before) = match major {
        1 => {
            let (length, _) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            (usize::from(u16::from_le_bytes(*length)), 2)
        }
        2 | 3 => {
            let (length, _) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
            (u32::from_le_bytes(*length) as usize, 4)
        }
        _ => {
            return Err(format!("has version {major}.{minor} of the format; 1 to 3 are read; save it with numpy.save"));
        }
    };
    let end = length.checked_add(before).ok_or_else(cut)?;
    let header = rest.get(before..end).ok_or_else(cut)?;
    Ok((String::from_utf8_lossy(header).into_owned(), bytes.len() - rest.len() + end))
}

/// What stands after a key of the header, which is the text of a Python dictionary.
fn value_of<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    let after = ['\'', '"'].iter().find_map(|quote| Some(header.split_once(&format!("{quote}{key}{quote}"))?.1))?;
    Some(after.trim_start().strip_prefix(':')?.trim_start())
}

fn kind(header: &str) -> Result<Kind, String> {
    let value = value_of(header, "descr").ok_or_else(|| damaged("descr"))?;
    let name = value.strip_prefix(['\'', '"']).and_then(|rest| rest.split(['\'', '"']).next());
    if let Some((_, kind)) = KINDS.iter().find(|(known, _)| Some(*known) == name) {
        return Ok(*kind);
    }
    let found = name.unwrap_or("of several fields");
    let reason = if found.starts_with('>') { ", which is big-endian" } else { "" };
    Err(format!(
        "has dtype {}{reason}; u8, i32, i64, f32 and f64, little-endian, are read (|u1, <i4, <i8, <f4, <f8); save it with, for \
         example, .astype('<f8')",
        shorten(found)
    ))
}

fn shape(value: &str) -> Option<Vec<usize>> {
    let (inside, _) = value.strip_prefix('(')?.split_once(')')?;
    inside.split(',').map(str::trim).filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect()
}

fn damaged(key: &str) -> String {
    format!("has a header without a `{key}` that can be read; it is damaged; save it again with numpy.save")
}
