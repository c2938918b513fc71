//! The bytes of a file, gzipped or not.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::error::DataError;
use super::limits::LARGEST_FILE;

/// The first bytes of whatever gzip made.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// The bytes of the file that `key` names, without gzip's compression. A relative path starts at `folder`.
pub(super) fn read(folder: &Path, path: &str, key: &str) -> Result<Vec<u8>, DataError> {
    let bytes = read_plain(&folder.join(path)).map_err(|message| DataError::in_file(key, path, message))?;
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    unzip(&bytes).map_err(|message| DataError::in_file(key, path, message))
}

fn read_plain(path: &Path) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => absent(path),
        _ => format!("cannot be read: {error}; is it a readable file?"),
    };
    let metadata = path.metadata().map_err(told)?;
    if metadata.is_dir() {
        return Err("is a folder, where a file is needed; name the file in it".to_owned());
    }
    // A pipe could keep us waiting, and a device never ends.
    if !metadata.is_file() {
        return Err("is not a regular file; copy its content into one, and name that".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(told)?;
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() > LARGEST_FILE {
        return Err(format!("has more than {LARGEST_FILE} bytes, the most that is read; make a smaller file of it"));
    }
    Ok(bytes)
}

/// What to say of a file that is not there.
fn absent(path: &Path) -> String {
    let path = path.to_string_lossy();
    let other = path.strip_suffix(".gz").map_or_else(|| format!("{path}.gz"), ToOwned::to_owned);
    let advice = if Path::new(&other).is_file() {
        format!("there is {other}: name that")
    } else {
        "relative paths start at the folder of the scenario file; correct the path".to_owned()
    };
    format!("there is no such file (looked for {path}); {advice}")
}

/// The content of what gzip packed.
pub(super) fn unzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    if let Err(error) = MultiGzDecoder::new(bytes).take(LARGEST_FILE as u64 + 1).read_to_end(&mut content) {
        let cut = error.kind() == ErrorKind::UnexpectedEof;
        let what = if cut { "is cut short".to_owned() } else { format!("is damaged ({error})") };
        let good = content.len();
        return Err(format!("is gzipped, but {what} after {good} bytes of content; fetch or write it again"));
    }
    if content.len() > LARGEST_FILE {
        return Err(format!(
            "unpacks to more than {LARGEST_FILE} bytes, the most that is read; make a smaller file of it"
        ));
    }
    Ok(content)
}
