//! What is wrong with files whatever their format, and CIFAR-10's records.

use crate::support::{folder, idx, load, refused, zipped};

#[test]
fn what_is_no_file_is_told() {
    let files = folder(&[("a.gz", &zipped(b"x"))]);
    std::fs::create_dir(files.path().join("sub")).unwrap();
    let tell = |path: &str| refused(&format!("kind = \"idx\"\nimages = \"{path}\"\nlabels = \"a.gz\""), files.path());
    let (key, message) = tell("absent");
    assert!(key == "data.images" && message.contains("there is no such file (looked for "), "{message}");
    assert!(message.contains("relative paths start at the folder of the scenario file"), "{message}");
    assert!(tell("a").1.contains("a.gz: name that"));
    assert!(tell("sub").1.contains("is a folder"));
    assert!(tell("a.gz/b").1.contains("cannot be read"));
    #[cfg(unix)]
    assert!(tell("/dev/zero").1.contains("not a regular file"));
    assert!(tell(&"long".repeat(2000)).1.contains("cannot be read"));
}

#[test]
fn damaged_packing_is_told() {
    let mut packed = zipped(&idx(&[2000], &[7; 2000]));
    let last = packed.len() - 6;
    packed[last] ^= 1;
    let files = folder(&[("images", &packed), ("labels", b"")]);
    let (_, message) = refused("kind = \"idx\"\nimages = \"images\"\nlabels = \"labels\"", files.path());
    assert!(message.contains("is gzipped, but is damaged"), "{message}");
}

#[test]
fn records_of_cifar10() {
    let record = |label: u8| -> Vec<u8> {
        std::iter::once(label).chain((0..3072).map(|pixel| (pixel % 251) as u8 ^ label)).collect()
    };
    let (one, two) = ([record(3), record(9)].concat(), record(0));
    let files =
        folder(&[("one.bin", &one), ("two.bin", &zipped(&two)), ("short.bin", &one[..6000]), ("ten.bin", &record(10))]);
    let keys =
        |second: &str| format!("kind = \"cifar10\"\nfiles = [\"one.bin\", \"{second}\"]\ntest_files = [\"one.bin\"]");
    let data = load(&keys("two.bin"), files.path()).unwrap();
    let (training, test) = (data.training, data.test.unwrap());
    assert_eq!((training.len(), test.len(), training.shape()), (3, 2, &[3, 32, 32][..]));
    assert_eq!((test.labels().unwrap(), &test.class_names().unwrap()[9][..]), (&[3, 9][..], "truck"));
    assert_eq!(test.input(0)[..3], [3.0, 2.0, 1.0]);
    assert_eq!(test.input(1)[3071], f64::from((3071 % 251) as u8 ^ 9));
    let last = training.indices().iter().position(|&index| index == 2).unwrap();
    assert_eq!((training.labels().unwrap()[last], training.input(last)[1000]), (0, f64::from((1000 % 251) as u8)));

    let (key, message) = refused(&keys("short.bin"), files.path());
    assert!(
        key == "data.files[1]" && message.contains("has 6000 bytes, which is no multiple of the 3073"),
        "{message}"
    );
    let (_, message) = refused(&keys("ten.bin"), files.path());
    assert!(message.contains("example 0 (from 0) has label 10; labels from 0 to 9"), "{message}");
}
