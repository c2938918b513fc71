//! Generated data against their laws.

use sgd_sde::data::{DataKind, DataSpec, Dataset};

use crate::support::{made, read};

const EXAMPLES: usize = 40_000;

/// Mean and variance of a coordinate within a class.
fn moments(data: &Dataset, class: Option<u32>, coordinate: usize) -> (f64, f64, f64) {
    let chosen = |&place: &usize| class.is_none_or(|class| data.labels().unwrap()[place] == class);
    let numbers: Vec<f64> = (0..data.len()).filter(chosen).map(|place| data.input(place)[coordinate]).collect();
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    (mean, numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count, count)
}

/// A mean within six standard errors, a variance within six of a normal's.
fn assert_moments(data: &Dataset, class: Option<u32>, coordinate: usize, mean: f64, variance: f64) {
    let (found_mean, found_variance, count) = moments(data, class, coordinate);
    let error = (variance / count).sqrt();
    assert!((found_mean - mean).abs() < 6.0 * error, "mean {found_mean} of {coordinate} in {class:?}, not {mean}");
    let error = variance * (2.0 / count).sqrt();
    assert!((found_variance - variance).abs() < 6.0 * error, "variance {found_variance}, not {variance}");
}

#[test]
fn a_mixture_has_its_centres_and_its_overlap() {
    let data = made(&format!(
        "kind = \"gaussian-mixture\"\nexamples = {EXAMPLES}\nclasses = 2\ndimension = 3\nseparation = 2.0"
    ));
    let data = data.training;
    assert_eq!(data.class_counts(), Some(vec![EXAMPLES / 2; 2]));
    for class in 0..2 {
        for coordinate in 0..3 {
            let centre = if coordinate == class as usize { 2.0_f64.sqrt() } else { 0.0 };
            assert_moments(&data, Some(class), coordinate, centre, 1.0);
        }
    }
    // The best classifier errs Φ(−s/2) = Φ(−1) = 0.158655 of the time.
    let wrong = (0..data.len()).filter(|&place| {
        let x = data.input(place);
        u32::from(x[1] > x[0]) != data.labels().unwrap()[place]
    });
    let (rate, error) = (wrong.count() as f64 / EXAMPLES as f64, (0.158_655 * 0.841_345 / EXAMPLES as f64).sqrt());
    assert!((rate - 0.158_655).abs() < 6.0 * error, "{rate}");
}

#[test]
fn centres_of_many_classes_are_as_far_apart_as_asked() {
    for (classes, dimension) in [(7, 2), (2, 1), (5, 1)] {
        let keys =
            format!("kind = \"gaussian-mixture\"\nclasses = {classes}\ndimension = {dimension}\nseparation = 3.0");
        let DataKind::GaussianMixture(spec) = read(&keys).unwrap().kind else { panic!("another kind") };
        let centres = spec.centres(5);
        let rows: Vec<&[f64]> = centres.chunks(dimension).collect();
        let squares: Vec<f64> = (0..classes)
            .flat_map(|a| (0..a).map(move |b| (a, b)))
            .map(|(a, b)| rows[a].iter().zip(rows[b]).map(|(x, y)| (x - y) * (x - y)).sum())
            .collect();
        let mean_square = squares.iter().sum::<f64>() / squares.len() as f64;
        assert!((mean_square - 9.0).abs() < 1e-12, "{mean_square}");
    }
    // One class has nothing to be apart from.
    let one = made("kind = \"gaussian-mixture\"\nclasses = 1\ndimension = 1").training;
    assert!(one.inputs().iter().all(|x| x.is_finite()));
}

/// Of t uniform in [0, π], cos t has mean 0 and variance ½, sin t mean 2/π and variance ½ − 4/π².
#[test]
fn the_moons_lie_on_their_circles() {
    let pi = std::f64::consts::PI;
    let data = made(&format!("kind = \"two-moons\"\nexamples = {EXAMPLES}\nnoise = 0.2")).training;
    let (across, along) = (0.5 - 4.0 / (pi * pi) + 0.04, 0.5 + 0.04);
    assert_eq!(data.class_names().unwrap(), ["outer", "inner"]);
    assert_moments(&data, Some(0), 0, 0.0, along);
    assert_moments(&data, Some(0), 1, 2.0 / pi, across);
    assert_moments(&data, Some(1), 0, 1.0, along);
    assert_moments(&data, Some(1), 1, 0.5 - 2.0 / pi, across);
    let exact = made("kind = \"two-moons\"\nexamples = 100\nnoise = 0.0").training;
    for place in 0..100 {
        let &[x, y] = exact.input(place) else { panic!("two coordinates") };
        let (x, y) = if exact.labels().unwrap()[place] == 0 { (x, y) } else { (1.0 - x, 0.5 - y) };
        assert!((x * x + y * y - 1.0).abs() < 1e-12 && y >= 0.0);
    }
}

#[test]
fn students_see_what_the_teacher_says() {
    let keys = "kind = \"teacher-student\"\ndimension = 5\nwidth = 3\n";
    let spec = read(&format!("{keys}examples = {EXAMPLES}\ntask = \"regression\"\nnoise = 0.5")).unwrap();
    let DataKind::TeacherStudent(kind) = &spec.kind else { panic!("another kind") };
    let teacher = kind.teacher(1);
    assert_eq!((teacher.hidden_weights().len(), teacher.output_weights().len()), (15, 3));
    // Against std's tanh, whose last bits may differ.
    let by_hand = |x: &[f64]| -> f64 {
        let rows = teacher.hidden_weights().chunks(5);
        let hidden = rows.map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>().tanh());
        hidden.zip(teacher.output_weights()).map(|(h, a)| h * a).sum()
    };
    let data = spec.load(1, "".as_ref()).unwrap().training;
    let noise = |place: usize| data.values().unwrap()[place] - by_hand(data.input(place));
    let count = EXAMPLES as f64;
    let (mean, square) = (0..EXAMPLES).map(noise).fold((0.0, 0.0), |(m, s), e| (m + e / count, s + e * e / count));
    assert!(mean.abs() < 6.0 * 0.5 / count.sqrt() && (square - 0.25).abs() < 6.0 * 0.25 * (2.0 / count).sqrt());
    (0..5).for_each(|coordinate| assert_moments(&data, None, coordinate, 0.0, 1.0));

    let spec = read(&format!("{keys}classes = 4")).unwrap();
    let DataKind::TeacherStudent(kind) = &spec.kind else { panic!("another kind") };
    let (teacher, data) = (kind.teacher(1), spec.load(1, "".as_ref()).unwrap().training);
    for place in 0..data.len() {
        let outputs = teacher.outputs(data.input(place));
        let label = data.labels().unwrap()[place] as usize;
        assert!(outputs.iter().all(|&output| output <= outputs[label]));
    }
}

#[test]
fn data_are_a_function_of_the_seed() {
    for kind in ["gaussian-mixture", "two-moons", "teacher-student", "digits"] {
        let spec: DataSpec = read(&format!("kind = \"{kind}\"\nexamples = 200\ntest_fraction = 0.25")).unwrap();
        let load = |seed| spec.load(seed, "".as_ref()).unwrap();
        assert_eq!(load(7), load(7));
        assert_ne!(load(7).training.checksum(), load(8).training.checksum());
        let mut fixed = spec.clone();
        fixed.seed = Some(7);
        assert_eq!(fixed.load(99, "".as_ref()).unwrap(), load(7));
    }
}

/// The same bytes on every machine: checksums that any change of the streams or of the arithmetic changes.
#[test]
fn golden_checksums() {
    let checksum = |keys: &str| made(keys).training.checksum();
    let found = [
        checksum(
            "kind = \"digits\"\nexamples = 500\ntest_fraction = 0.2\nstandardize = \"features\"\nrandom_labels = 0.3",
        ),
        checksum("kind = \"digits\"\nexamples = 100\nrandom_inputs = true"),
        checksum("kind = \"gaussian-mixture\"\nclasses = 3"),
        checksum("kind = \"two-moons\""),
        checksum("kind = \"teacher-student\"\ntask = \"regression\"\nnoise = 0.1"),
    ];
    assert_eq!(found, [0x732F_8BE9, 0x6038_E957, 0x7729_BCD4, 0xB00E_546B, 0x5F62_A1BA], "{found:#010X?}");
}
