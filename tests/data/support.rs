//! Descriptions from a text, and files to read.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sgd_sde::data::{Data, DataError, DataSpec};
use sgd_sde::input::{Context, Document, Problems};
use tempfile::TempDir;

/// The `[data]` of a text of its keys.
pub fn read(keys: &str) -> Result<DataSpec, Problems> {
    let text = format!("[data]\n{keys}\n");
    let document = Document::parse(text.as_bytes(), "test.toml")?;
    let context = Context::new(&document);
    let root = context.root();
    let spec = root.table("data", "").and_then(|table| DataSpec::read(&table));
    root.finish();
    drop(root);
    let problems = context.into_problems();
    match spec {
        // An unknown key is a problem of a table of which all else can be read.
        Some(spec) if problems.0.is_empty() => Ok(spec),
        found => {
            assert!(!problems.0.is_empty(), "{found:?}");
            Err(problems)
        }
    }
}

/// The one problem of a text, as line, key and message.
pub fn problem(keys: &str) -> (usize, String, String) {
    let problems = read(keys).expect_err("this must be refused").0;
    assert_eq!(problems.len(), 1, "{problems:?}");
    let problem = &problems[0];
    assert!(problem.message.contains(';'), "found; allowed; do: {problem}");
    (problem.line().unwrap_or(0), problem.key.clone(), problem.message.clone())
}

/// A folder with these files.
pub fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// The data of a text of keys in a folder, with seed 1.
pub fn load(keys: &str, folder: &Path) -> Result<Data, DataError> {
    read(keys).unwrap_or_else(|problems| panic!("{problems}")).load(1, folder)
}

/// The same without files.
pub fn made(keys: &str) -> Data {
    load(keys, Path::new("")).unwrap()
}

/// Why loading is refused: the key, and the message in whole.
pub fn refused(keys: &str, folder: &Path) -> (String, String) {
    let error = load(keys, folder).expect_err("this must be refused");
    let text = error.to_string();
    assert!(text.contains(';') && text.lines().count() == 1 && text.len() < 900, "{text}");
    (error.key, error.message)
}

pub fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file of unsigned bytes.
pub fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// A `.npy` file of version 1.0, as NumPy writes it.
pub fn npy(descr: &str, order: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

/// Numbers as the bytes of a `<f8` array.
pub fn doubles(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
