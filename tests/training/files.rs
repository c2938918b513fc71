//! Weights in files: the way there and back, and files that are not what they should be.

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use sgd_sde::network::{Activation, Architecture};
use sgd_sde::random::{Purpose, stream::Stream};
use sgd_sde::training::weights::{WeightsError, file_name, from_bytes, load, save, to_bytes};
use sgd_sde::training::{Noise, Recipe};

use crate::support::{ensemble, network, recipe, weights};

fn architecture() -> Architecture {
    Architecture { widths: vec![3, 2, 2], activation: Activation::Relu, bias: true }
}

fn theta() -> Vec<f64> {
    (0..14).map(|i| 0.1 * f64::from(i) - 0.5).collect()
}

#[test]
fn weights_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file_name(7));
    assert!(path.ends_with("replica-0007.safetensors"));
    save(&path, &architecture(), &theta()).unwrap();
    assert_eq!(load::<f64>(&path, &architecture()).unwrap(), theta());
    let single: Vec<f32> = theta().iter().map(|&x| x as f32).collect();
    // Read in the other precision they are rounded, or exact.
    assert_eq!(load::<f32>(&path, &architecture()).unwrap(), single);
    save(&path, &architecture(), &single).unwrap();
    assert_eq!(load::<f32>(&path, &architecture()).unwrap(), single);
    let widened: Vec<f64> = single.iter().map(|&x| f64::from(x)).collect();
    assert_eq!(load::<f64>(&path, &architecture()).unwrap(), widened);
    // Nothing else was left in the folder.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let missing = folder.path().join("missing.safetensors");
    assert!(matches!(load::<f32>(&missing, &architecture()), Err(WeightsError::File { .. })));
    assert!(save(&folder.path().join("no/folder.safetensors"), &architecture(), &single).is_err());
    assert!(to_bytes(&architecture(), &single[1..]).is_err());
}

#[test]
fn names_and_shapes_are_those_of_pytorch() {
    let bytes = to_bytes(&architecture(), &theta()).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort_unstable();
    assert_eq!(names, ["0.bias", "0.weight", "2.bias", "2.weight"]);
    assert_eq!(file.tensor("0.weight").unwrap().shape(), [2, 3]);
    let bias = file.tensor("0.bias").unwrap();
    assert_eq!((bias.shape(), bias.dtype()), (&[2][..], Dtype::F64));
    assert_eq!(bias.data()[..8], theta()[6].to_le_bytes());
    let mut plain = architecture();
    plain.bias = false;
    let bytes = to_bytes(&plain, &theta()[..10]).unwrap();
    assert_eq!(SafeTensors::deserialize(&bytes).unwrap().len(), 2);
    assert_eq!(from_bytes::<f64>(&plain, &bytes).unwrap(), theta()[..10]);
}

/// A file of the architecture but for one tensor, which is replaced, or removed if there is nothing in its place.
fn with(name: &str, replacement: Option<(Dtype, Vec<usize>, Vec<u8>)>) -> Vec<u8> {
    let bytes = to_bytes(&architecture(), &theta()).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Vec<(String, TensorView)> = file.tensors();
    tensors.retain(|tensor| tensor.0 != name);
    if let Some((dtype, shape, data)) = &replacement {
        tensors.push((name.to_owned(), TensorView::new(*dtype, shape.clone(), data).unwrap()));
    }
    serialize(tensors, None).unwrap()
}

#[test]
fn what_is_not_of_the_network_is_told_with_its_name() {
    let told = |bytes: &[u8], words: &[&str]| {
        let message = from_bytes::<f32>(&architecture(), bytes).unwrap_err().to_string();
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    };
    let doubles = |values: &[f64]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    told(&with("2.bias", None), &["no tensor \"2.bias\"", "0.bias, 0.weight, 2.weight"]);
    let shape = Some((Dtype::F64, vec![3, 2], doubles(&[0.0; 6])));
    told(&with("0.weight", shape), &["\"0.weight\"", "[3, 2]", "expects [2, 3]"]);
    told(&with("4.weight", Some((Dtype::F64, vec![1], doubles(&[0.0])))), &["\"4.weight\"", "0.weight, 0.bias"]);
    told(&with("0.bias", Some((Dtype::I64, vec![2], vec![0; 16]))), &["\"0.bias\"", "I64", "F32 or F64"]);
    told(&with("0.bias", Some((Dtype::F64, vec![2], doubles(&[0.0, f64::NAN])))), &["\"0.bias\" has NaN at place 1"]);
    // Too large for single precision only.
    let large = with("0.bias", Some((Dtype::F64, vec![2], doubles(&[0.0, 1e300]))));
    told(&large, &["\"0.bias\" has inf at place 1"]);
    assert!(from_bytes::<f64>(&architecture(), &large).is_ok());
    told(b"", &["found 0 bytes"]);
    told(b"\x10\0\0\0\0\0\0\0{\"a\":", &["no safetensors file"]);
}

/// 20,000 damaged files: an error or numbers, never a panic.
#[test]
fn damaged_bytes_never_panic() {
    let whole = to_bytes(&architecture(), &theta()).unwrap();
    let mut stream = Stream::new(1, 0, Purpose::Data);
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        if stream.below(4) == 0 {
            bytes.truncate(stream.below(whole.len() as u32) as usize);
        }
        for _ in 0..=stream.below(4) {
            if !bytes.is_empty() {
                let place = stream.below(bytes.len() as u32) as usize;
                bytes[place] = stream.next_word() as u8;
            }
        }
        if let Ok(theta) = from_bytes::<f32>(&architecture(), &bytes) {
            assert!(theta.iter().all(|x| x.is_finite()));
        }
    }
    for length in 0..64 {
        let bytes: Vec<u8> = (0..length).map(|_| stream.next_word() as u8).collect();
        assert!(from_bytes::<f32>(&architecture(), &bytes).is_err());
    }
}

#[test]
fn training_starts_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file_name(0));
    save(&path, &network().architecture, &weights::<f32>()).unwrap();
    let recipe: Recipe = recipe(0.1, 4, Noise::None);
    let start = load::<f32>(&path, &network().architecture).unwrap();
    assert_eq!(ensemble(&recipe, vec![start]).weights(0), weights::<f32>());
}
