//! No bytes make a reader panic, hang or take memory that the bytes do not fill.

use proptest::prelude::*;
use sgd_sde::data::DataSpec;
use tempfile::TempDir;

use crate::support::{doubles, idx, npy, read, zipped};

const KINDS: [&str; 6] = [
    "kind = \"idx\"\nimages = \"one\"\nlabels = \"two\"",
    "kind = \"cifar10\"\nfiles = [\"one\"]",
    "kind = \"npy\"\ninputs = \"one\"\ntargets = \"two\"",
    "kind = \"npy\"\ninputs = \"one\"\ntargets = \"two\"\ntask = \"regression\"",
    "kind = \"csv\"\npath = \"one\"\ntarget = 0\nheader = false",
    "kind = \"csv\"\npath = \"one\"\ntarget = \"y\"\ntask = \"regression\"",
];

/// Random bytes seldom have the right beginning.
const BEGINNINGS: [&[u8]; 6] =
    [b"", &[0, 0, 8, 3], &[0, 0, 8, 1], b"\x93NUMPY\x01\0\x20\0", b"\x93NUMPY\x02\0", &[0x1F, 0x8B, 8, 0]];

/// Two good files of each kind.
fn good(kind: usize) -> [Vec<u8>; 2] {
    match kind {
        0 => [idx(&[4, 2, 3], &(0..24).collect::<Vec<u8>>()), idx(&[4], &[0, 1, 0, 1])],
        1 => [vec![7; 2 * 3073], Vec::new()],
        2 => [npy("<f4", "False", "(4, 2)", &[0; 32]), npy("<i8", "False", "(4,)", &[0; 32])],
        3 => [npy("<f8", "False", "(2, 2)", &doubles(&[0.0; 4])), npy("<f8", "False", "(2,)", &doubles(&[0.5, 0.1]))],
        _ => [b"y,a,\"b\"\n1,2,3\n4,5,6\n".to_vec(), Vec::new()],
    }
}

thread_local! {
    /// One folder for all cases of a test: to make one takes longer than to read what is in it.
    static FOLDER: TempDir = tempfile::tempdir().unwrap();
}

/// Whether two files can be read, which must be answered without a panic; what is read must be whole.
fn try_to_load(spec: &DataSpec, one: &[u8], two: &[u8]) -> bool {
    let loaded = FOLDER.with(|folder| {
        std::fs::write(folder.path().join("one"), one).unwrap();
        std::fs::write(folder.path().join("two"), two).unwrap();
        spec.load(1, folder.path())
    });
    match loaded {
        Ok(data) => {
            let examples = data.training;
            assert_eq!(examples.inputs().len(), examples.len() * examples.features());
            assert!(!examples.is_empty() && examples.inputs().iter().all(|x| x.is_finite()));
            assert_eq!(examples.targets().len(), examples.len());
            true
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(';') && text.lines().count() == 1 && text.len() < 1500, "{text}");
            false
        }
    }
}

#[test]
fn good_files_are_good_and_their_beginnings_are_told() {
    for (kind, keys) in KINDS.iter().enumerate() {
        let spec = read(keys).unwrap();
        let [one, two] = good(kind);
        for (one, two) in [(one.clone(), two.clone()), (zipped(&one), zipped(&two))] {
            // Without a header the names are text where numbers are needed.
            assert_eq!(try_to_load(&spec, &one, &two), kind != 4);
        }
        for length in (0..one.len()).step_by(one.len() / 100 + 1) {
            try_to_load(&spec, &one[..length], &two);
        }
        for length in 0..two.len() {
            try_to_load(&spec, &one, &two[..length]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_an_answer(
        kind in 0..KINDS.len(),
        begin in 0..BEGINNINGS.len(),
        one in prop::collection::vec(any::<u8>(), 0..300),
        two in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let begin = BEGINNINGS[begin];
        let one = [begin, &one].concat();
        try_to_load(&read(KINDS[kind]).unwrap(), &one, &two);
    }

    #[test]
    fn damaged_files_get_an_answer(
        kind in 0..KINDS.len(),
        second in any::<bool>(),
        pack in any::<bool>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut files = good(kind);
        if pack {
            files = files.map(|bytes| zipped(&bytes));
        }
        let damaged = &mut files[usize::from(second)];
        for (place, byte) in flips {
            if !damaged.is_empty() {
                let place = place.index(damaged.len());
                damaged[place] = byte;
            }
        }
        try_to_load(&read(KINDS[kind]).unwrap(), &files[0], &files[1]);
    }

    #[test]
    fn any_header_of_an_array_gets_an_answer(header in "[{}()'\":, a-z0-9<>|]{0,80}", shape in "\\(([0-9]{1,20},? ?){0,4}\\)") {
        let spec = read(KINDS[2]).unwrap();
        let labels = good(2)[1].clone();
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        try_to_load(&spec, &bytes, &labels);
        try_to_load(&spec, &npy("<f4", "False", &shape, &[0; 32]), &labels);
    }

    #[test]
    fn any_table_gets_an_answer(table in "([a-z0-9.\",;\\-\r\n]|\\PC){0,200}") {
        for kind in [4, 5] {
            try_to_load(&read(KINDS[kind]).unwrap(), table.as_bytes(), &[]);
        }
    }
}
