//! IDX files, gzipped or not.

use crate::support::{folder, idx, load, refused, zipped};

const KEYS: &str = "kind = \"idx\"\nimages = \"images\"\nlabels = \"labels\"\n";

fn images() -> Vec<u8> {
    idx(&[3, 2, 2], &[0, 1, 2, 3, 10, 11, 12, 13, 255, 254, 253, 252])
}

#[test]
fn images_and_labels_are_read_plain_and_zipped() {
    let labels = idx(&[3], &[2, 0, 1]);
    let plain = folder(&[("images", &images()), ("labels", &labels)]);
    let packed = folder(&[("images", &zipped(&images())), ("labels", &zipped(&labels))]);
    let data = load(KEYS, plain.path()).unwrap();
    assert_eq!(data, load(KEYS, packed.path()).unwrap());
    let data = data.training;
    assert_eq!((data.len(), data.shape(), data.outputs()), (3, &[2, 2][..], 3));
    for (place, &index) in data.indices().iter().enumerate() {
        let first = [0.0, 10.0, 255.0][index];
        assert_eq!((data.input(place)[0], data.labels().unwrap()[place]), (first, [2, 0, 1][index]));
    }
}

#[test]
fn files_to_test_on_stay_what_they_are() {
    let keys = format!(
        "{KEYS}test_images = \"ti\"\ntest_labels = \"tl\"\nstandardize = \"global\"\nrandom_labels = 1.0\nexamples = 2\nclasses = 5"
    );
    let (ti, tl) = (idx(&[1, 2, 2], &[9, 9, 9, 9]), idx(&[1], &[4]));
    let files = folder(&[("images", &images()), ("labels", &idx(&[3], &[2, 0, 1])), ("ti", &ti), ("tl", &tl)]);
    let data = load(&keys, files.path()).unwrap();
    let (training, test, how) = (data.training, data.test.unwrap(), data.standardization.unwrap());
    assert_eq!((training.len(), test.len()), (2, 1));
    // Classes that no example is of must be asked for.
    assert_eq!((training.outputs(), test.outputs(), test.labels()), (5, 5, Some(&[4][..])));
    assert_eq!(test.input(0), [(9.0 - how.means[0]) / how.deviations[0]; 4]);
    let (key, message) = refused(&keys.replace("classes = 5", ""), files.path());
    assert!(key == "data.test_labels" && message.contains("has label 4; labels from 0 to 2"), "{message}");

    let other = folder(&[
        ("images", &images()),
        ("labels", &idx(&[3], &[2, 0, 1])),
        ("ti", &idx(&[2, 2], &[9; 4])),
        ("tl", &idx(&[2], &[0, 1])),
    ]);
    let (key, message) = refused(&keys, other.path());
    assert!(key == "data.test_images" && message.contains("[2] where"), "{message}");
}

#[test]
fn what_is_wrong_is_told_with_its_file() {
    let good = idx(&[3], &[2, 0, 1]);
    let cases: [(&[u8], &[u8], &str, &str); 12] = [
        (&images(), &idx(&[2], &[1, 0]), "data.labels", "2 labels for 3 images"),
        (&images()[..20], &good, "data.images", "has 4 bytes after its header, which says 3 × 2 × 2 = 12"),
        (&images()[..10], &good, "data.images", "ends within its header"),
        (b"", &good, "data.images", "has 0 bytes"),
        (b"\x89PNG....", &good, "data.images", "begins with 89 50 4E 47"),
        (&[0, 0, 0x0D, 1, 0, 0, 0, 0], &good, "data.images", "type 0x0D"),
        (&good, &images(), "data.images", "are the two files swapped?"),
        (&images(), &images(), "data.labels", "are the two files swapped?"),
        (&idx(&[u32::MAX; 9], &[]), &good, "data.images", "far more"),
        (&idx(&[0, 2, 2], &[]), &idx(&[0], &[]), "data.images", "at least one"),
        (&[images(), vec![0]].concat(), &good, "data.images", "has 13 bytes"),
        (&zipped(&images())[..25], &good, "data.images", "is gzipped, but is cut short"),
    ];
    for (images, labels, key, phrase) in cases {
        let files = folder(&[("images", images), ("labels", labels)]);
        let (found, message) = refused(KEYS, files.path());
        assert!(found == key && message.contains(phrase), "{phrase}: {found}: {message}");
        let file = if key == "data.images" { "\"images\": " } else { "\"labels\": " };
        assert!(message.starts_with(file), "{message}");
    }
    let files = folder(&[("images", &images()), ("labels", &good)]);
    let (key, message) = refused(&format!("{KEYS}classes = 2"), files.path());
    assert!(
        key == "data.labels" && message.contains("example 0 (from 0) has label 2; labels from 0 to 1"),
        "{message}"
    );
}

/// One damaged byte among the labels must not make 256 classes of three.
#[test]
fn a_label_far_from_the_others_is_out_of_range() {
    let files = folder(&[("images", &images()), ("labels", &idx(&[3], &[0, 255, 1]))]);
    let (key, message) = refused(KEYS, files.path());
    assert!(
        key == "data.labels" && message.contains("example 1 (from 0) has label 255, but none has label 2"),
        "{message}"
    );
    assert_eq!(load(&format!("{KEYS}classes = 256"), files.path()).unwrap().training.outputs(), 256);
}

/// A header that promises gigabytes must not be believed: were they allocated, this would take minutes or the memory.
#[test]
fn a_header_allocates_nothing() {
    let begin = std::time::Instant::now();
    for size in [1 << 20, u32::MAX] {
        let files = folder(&[("images", &idx(&[size, 28, 28], &[1; 100])), ("labels", &idx(&[size], &[1]))]);
        assert!(refused(KEYS, files.path()).1.contains("has 100 bytes"));
    }
    assert!(begin.elapsed().as_secs() < 5);
}

/// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017) as Debian's package `dataset-fashion-mnist` or its authors give it: 60,000 and 10,000
/// images in ten equal classes. Mean and deviation of its pixels are published as 0.2860 and 0.3530 of 255.
#[test]
#[ignore = "needs the files of Fashion-MNIST in the folder FASHION_MNIST"]
fn fashion_mnist() {
    let folder = std::env::var_os("FASHION_MNIST").expect("FASHION_MNIST names the folder of the four files");
    let keys = "kind = \"idx\"\nimages = \"train-images-idx3-ubyte.gz\"\nlabels = \"train-labels-idx1-ubyte.gz\"\n\
                test_images = \"t10k-images-idx3-ubyte.gz\"\ntest_labels = \"t10k-labels-idx1-ubyte.gz\"\nstandardize = \"global\"\n";
    let data = load(keys, folder.as_ref()).unwrap();
    let (training, test, how) = (data.training, data.test.unwrap(), data.standardization.unwrap());
    assert_eq!((training.shape(), test.shape()), (&[28, 28][..], &[28, 28][..]));
    assert_eq!(training.class_counts(), Some(vec![6000; 10]));
    assert_eq!(test.class_counts(), Some(vec![1000; 10]));
    assert!((how.means[0] / 255.0 - 0.2860).abs() < 5e-5 && (how.deviations[0] / 255.0 - 0.3530).abs() < 5e-5);
    let few = load(&format!("{keys}examples = 1000\nrandom_inputs = true"), folder.as_ref()).unwrap();
    assert_eq!((few.training.class_counts(), few.test.map(|test| test.len())), (Some(vec![100; 10]), Some(10_000)));
}
