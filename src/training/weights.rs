//! Weights in files of the format safetensors, under the names that PyTorch gives to `Sequential(Linear, φ, Linear, …)`:
//! "0.weight" `[outputs, inputs]`, "0.bias" `[outputs]`, "2.weight" and so on, one file per replica.
//!
//! ```python
//! model.load_state_dict(safetensors.torch.load_file("replica-0000.safetensors"))
//! ```
//!
//! Bytes are untrusted: a file is compared with the network that it should be of before anything is taken from it.

use std::fs;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::input::shorten;
use crate::network::{Architecture, Real};

/// Weights that cannot be read or written. Messages say what was found, where, what is expected and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// The file itself.
    #[error("{path}: {reason}; check the path and its permissions")]
    File {
        /// Which file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// Not of this format.
    #[error(
        "found {length} bytes that are no safetensors file ({reason}); save the weights with this program or with the package safetensors"
    )]
    Format {
        /// How many bytes there are.
        length: usize,
        /// What the format's reader says.
        reason: String,
    },
    /// A tensor that the network needs.
    #[error(
        "found no tensor \"{missing}\"; this network has {expected}, and the file holds {found}: give the file of this network"
    )]
    Missing {
        /// Its name.
        missing: String,
        /// Names that the network has.
        expected: String,
        /// Names in the file.
        found: String,
    },
    /// A tensor that the network does not have.
    #[error(
        "found a tensor \"{extra}\", which this network does not have; it has {expected}: give the file of this network"
    )]
    Extra {
        /// Its name.
        extra: String,
        /// Names that the network has.
        expected: String,
    },
    /// A tensor of another shape.
    #[error("tensor \"{name}\" has shape {found:?}; this network expects {expected:?}: change its widths or the file")]
    Shape {
        /// Its name.
        name: String,
        /// In the file.
        found: Vec<usize>,
        /// Of the network.
        expected: Vec<usize>,
    },
    /// A tensor of other numbers.
    #[error("tensor \"{name}\" has numbers of type {found}; F32 or F64 are expected: convert it")]
    Type {
        /// Its name.
        name: String,
        /// In the file.
        found: String,
    },
    /// Something else than a finite number.
    #[error(
        "tensor \"{name}\" has {value} at place {place}; weights must be finite in the precision that they are read in: train again, or read in double precision"
    )]
    Value {
        /// Its name.
        name: String,
        /// Where, counted row by row from 0.
        place: usize,
        /// What is there.
        value: String,
    },
}

/// A tensor of a network: its name, its shape, and where its numbers lie in θ.
struct Part {
    name: String,
    shape: Vec<usize>,
    place: std::ops::Range<usize>,
}

fn parts(architecture: &Architecture) -> Vec<Part> {
    let mut parts = Vec::new();
    for (index, layer) in architecture.layers().enumerate() {
        // An activation stands between two layers.
        let (name, shape) = (format!("{}.weight", 2 * index), vec![layer.outputs, layer.inputs]);
        parts.push(Part { name, shape, place: layer.weights });
        if architecture.bias {
            parts.push(Part { name: format!("{}.bias", 2 * index), shape: vec![layer.outputs], place: layer.biases });
        }
    }
    parts
}

/// The file name of a replica's weights.
pub fn file_name(replica: usize) -> String {
    format!("replica-{replica:04}.safetensors")
}

/// θ as the bytes of a file, F32 or F64 as T is.
///
/// # Errors
/// When θ is not as long as the network has parameters.
pub fn to_bytes<T: Real>(architecture: &Architecture, theta: &[T]) -> Result<Vec<u8>, WeightsError> {
    let broken = |reason: String| WeightsError::Format { length: size_of_val(theta), reason };
    if theta.len() != architecture.parameters() {
        let expected = architecture.parameters();
        return Err(broken(format!("{} weights of a network that has {expected}", theta.len())));
    }
    let single = size_of::<T>() == size_of::<f32>();
    let parts = parts(architecture);
    let bytes = |part: &Part| -> Vec<u8> {
        let numbers = theta[part.place.clone()].iter().map(|x| x.to_f64());
        if single {
            // Exact: it was single precision before.
            numbers.flat_map(|x| (x as f32).to_le_bytes()).collect()
        } else {
            numbers.flat_map(f64::to_le_bytes).collect()
        }
    };
    let stored: Vec<Vec<u8>> = parts.iter().map(bytes).collect();
    let kind = if single { Dtype::F32 } else { Dtype::F64 };
    let views = parts
        .iter()
        .zip(&stored)
        .map(|(part, bytes)| Ok((&part.name, TensorView::new(kind, part.shape.clone(), bytes)?)));
    let views =
        views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>().map_err(|error| broken(error.to_string()))?;
    safetensors::serialize(views, None).map_err(|error| broken(error.to_string()))
}

/// θ from the bytes of a file. Numbers are rounded to T where they are not of it.
///
/// # Errors
/// When the bytes are no such file, or of another network, or a number is not finite.
pub fn from_bytes<T: Real>(architecture: &Architecture, bytes: &[u8]) -> Result<Vec<T>, WeightsError> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| WeightsError::Format { length: bytes.len(), reason: shorten(&error.to_string()) })?;
    let parts = parts(architecture);
    let names = |names: Vec<&str>| shorten(&names.join(", "));
    let expected = || names(parts.iter().map(|part| part.name.as_str()).collect());
    let found: Vec<&str> = file.names().into_iter().collect();
    if let Some(extra) = found.iter().copied().filter(|name| parts.iter().all(|part| part.name != **name)).min() {
        return Err(WeightsError::Extra { extra: shorten(extra), expected: expected() });
    }
    let mut theta = vec![T::ZERO; architecture.parameters()];
    for part in &parts {
        let tensor = file.tensor(&part.name).map_err(|_| {
            let mut found = found.clone();
            found.sort_unstable();
            WeightsError::Missing { missing: part.name.clone(), expected: expected(), found: names(found) }
        })?;
        read(part, &tensor, &mut theta[part.place.clone()])?;
    }
    Ok(theta)
}

fn read<T: Real>(part: &Part, tensor: &TensorView, theta: &mut [T]) -> Result<(), WeightsError> {
    let name = || part.name.clone();
    if tensor.shape() != part.shape {
        return Err(WeightsError::Shape { name: name(), found: tensor.shape().to_vec(), expected: part.shape.clone() });
    }
    match tensor.dtype() {
        Dtype::F32 => {
            let numbers = tensor.data().as_chunks::<4>().0;
            theta.iter_mut().zip(numbers).for_each(|(x, b)| *x = T::from_f64(f64::from(f32::from_le_bytes(*b))));
        }
        Dtype::F64 => {
            let numbers = tensor.data().as_chunks::<8>().0;
            theta.iter_mut().zip(numbers).for_each(|(x, b)| *x = T::from_f64(f64::from_le_bytes(*b)));
        }
        other => return Err(WeightsError::Type { name: name(), found: format!("{other:?}") }),
    }
    match theta.iter().position(|x| !x.to_f64().is_finite()) {
        Some(place) => Err(WeightsError::Value { name: name(), place, value: format!("{:?}", theta[place]) }),
        None => Ok(()),
    }
}

/// Writes θ into a file, whole or not at all.
///
/// # Errors
/// When the file cannot be written, or θ is of another length.
pub fn save<T: Real>(path: &Path, architecture: &Architecture, theta: &[T]) -> Result<(), WeightsError> {
    let bytes = to_bytes(architecture, theta)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&bytes)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error| fault(path, &error))
}

/// Reads θ from a file.
///
/// # Errors
/// When the file cannot be read, or as for [`from_bytes`].
pub fn load<T: Real>(path: &Path, architecture: &Architecture) -> Result<Vec<T>, WeightsError> {
    from_bytes(architecture, &fs::read(path).map_err(|error| fault(path, &error))?)
}

fn fault(path: &Path, error: &std::io::Error) -> WeightsError {
    WeightsError::File { path: path.display().to_string(), reason: error.to_string() }
}
