//! NumPy's arrays.

use crate::support::{doubles, folder, load, npy, refused};

const KEYS: &str = "kind = \"npy\"\ninputs = \"x\"\ntargets = \"y\"\n";

/// Rows of a part in the order of the file.
fn rows(data: &sgd_sde::data::Dataset) -> Vec<Vec<f64>> {
    let mut places: Vec<usize> = (0..data.len()).collect();
    places.sort_by_key(|&place| data.indices()[place]);
    places.iter().map(|&place| data.input(place).to_vec()).collect()
}

#[test]
fn every_type_of_number_is_read() {
    let numbers = [[1.0, 2.0], [3.0, 250.0]];
    let flat = [1_u8, 2, 3, 250];
    let as_bytes: [(&str, Vec<u8>); 6] = [
        ("|u1", flat.to_vec()),
        ("<u1", flat.to_vec()),
        ("<i4", flat.iter().flat_map(|&x| i32::from(x).to_le_bytes()).collect()),
        ("<i8", flat.iter().flat_map(|&x| i64::from(x).to_le_bytes()).collect()),
        ("<f4", flat.iter().flat_map(|&x| f32::from(x).to_le_bytes()).collect()),
        ("<f8", doubles(&flat.map(f64::from))),
    ];
    for (descr, bytes) in &as_bytes {
        let files =
            folder(&[("x", &npy(descr, "False", "(2, 2)", bytes)), ("y", &npy("|u1", "False", "(2,)", &[1, 0]))]);
        let data = load(KEYS, files.path()).unwrap().training;
        assert_eq!(rows(&data), numbers, "{descr}");
        assert_eq!(data.class_counts(), Some(vec![1, 1]));
    }
    for (descr, bytes) in as_bytes.iter().filter(|(descr, _)| !descr.starts_with("<f")) {
        let files =
            folder(&[("x", &npy("|u1", "False", "(4, 1, 2)", &[0; 8])), ("y", &npy(descr, "False", "(4, 1)", bytes))]);
        let data = load(&format!("{KEYS}classes = 251"), files.path()).unwrap().training;
        assert_eq!((data.shape(), data.outputs()), (&[1, 2][..], 251), "{descr}");
        // Without the key a label far from the others is a damaged one.
        let (key, message) = refused(KEYS, files.path());
        assert!(
            key == "data.targets" && message.contains("example 0 (from 0) has label 1, but none has label 0"),
            "{message}"
        );
        assert!(message.contains("give classes = 251"), "{message}");
    }
}

#[test]
fn targets_may_be_real_and_several() {
    let x = npy("<f4", "False", "(3,)", &[1.5_f32, -2.0, 0.25].map(f32::to_le_bytes).concat());
    let y = npy("<f8", "False", "(3, 2)", &doubles(&[0.1, 0.2, 1.1, 1.2, 2.1, 2.2]));
    let files = folder(&[("x", &x), ("y", &y)]);
    let data = load(&format!("{KEYS}task = \"regression\""), files.path()).unwrap().training;
    assert_eq!((data.features(), data.outputs(), data.labels(), data.class_counts()), (1, 2, None, None));
    assert_eq!(rows(&data), [[1.5], [-2.0], [0.25]]);
    for (place, &index) in data.indices().iter().enumerate() {
        assert_eq!(data.values().unwrap()[2 * place..2 * place + 2], [index as f64 + 0.1, index as f64 + 0.2]);
    }
    let (key, message) = refused(KEYS, files.path());
    assert!(key == "data.targets" && message.contains("one label for each example"), "{message}");
}

#[test]
fn what_is_wrong_is_told_with_its_file() {
    let eight = doubles(&[1.0]);
    let good = npy("|u1", "False", "(1,)", &[0]);
    let cases: [(Vec<u8>, Vec<u8>, &str, &str); 17] = [
        (npy("<f8", "True", "(1,)", &eight), good.clone(), "data.inputs", "is in Fortran order"),
        (npy(">f8", "False", "(1,)", &eight), good.clone(), "data.inputs", "dtype >f8, which is big-endian"),
        (npy("<f2", "False", "(1,)", &eight[..2]), good.clone(), "data.inputs", "dtype <f2"),
        (npy("<f8", "False", "(2,)", &eight), good.clone(), "data.inputs", "has 8 bytes after its header"),
        (npy("<f8", "False", "(18446744073709551615, 9)", &eight), good.clone(), "data.inputs", "far more"),
        (npy("<f8", "False", "()", &eight), good.clone(), "data.inputs", "at least one example"),
        (npy("<f8", "False", "(0, 3)", &[]), good.clone(), "data.inputs", "at least one example"),
        (npy("<f8", "False", "(-1,)", &eight), good.clone(), "data.inputs", "without a `shape`"),
        (npy("<f8", "perhaps", "(1,)", &eight), good.clone(), "data.inputs", "Fortran order"),
        (b"\x93NUMPY\x01\x00\xFF\xFF{".to_vec(), good.clone(), "data.inputs", "ends within its header"),
        (b"\x93NUMPY\x09\x00\x01\x00{".to_vec(), good.clone(), "data.inputs", "version 9.0"),
        (b"PK\x03\x04".to_vec(), good.clone(), "data.inputs", "begins with 50 4B 03 04"),
        (
            npy("<f8", "False", "(1, 2)", &doubles(&[0.0, f64::NAN])),
            good.clone(),
            "data.inputs",
            "the number at [0, 1] (from 0) is NaN",
        ),
        (npy("<f8", "False", "(1,)", &doubles(&[f64::NEG_INFINITY])), good.clone(), "data.inputs", "is infinite"),
        (npy("<f8", "False", "(1,)", &doubles(&[1e200])), good, "data.inputs", "1e200"),
        (
            npy("<f8", "False", "(1,)", &eight),
            npy("<f8", "False", "(1,)", &eight),
            "data.targets",
            "labels are integers",
        ),
        (
            npy("<f8", "False", "(1,)", &eight),
            npy("<i4", "False", "(1,)", &(-1_i32).to_le_bytes()),
            "data.targets",
            "has label -1",
        ),
    ];
    for (x, y, key, phrase) in &cases {
        let files = folder(&[("x", x), ("y", y)]);
        let (found, message) = refused(KEYS, files.path());
        assert!(found == *key && message.contains(phrase), "{phrase}: {found}: {message}");
    }
    let two = npy("|u1", "False", "(2,)", &[0, 1]);
    let files = folder(&[("x", &npy("<f8", "False", "(1,)", &eight)), ("y", &two)]);
    assert!(refused(KEYS, files.path()).1.contains("2 targets for the 1 examples"));
}
