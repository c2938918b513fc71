//! Choosing, setting aside, standardising, corrupting.

use std::collections::BTreeSet;
use std::path::Path;

use sgd_sde::data::{Dataset, Targets};

use crate::support::{load, made, problem, refused};

fn indices(data: &Dataset) -> BTreeSet<usize> {
    data.indices().iter().copied().collect()
}

#[test]
fn every_class_has_its_share_of_both_parts() {
    let all = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];
    let data = made("kind = \"digits\"\ntest_examples = 360");
    let (training, test) = (&data.training, data.test.as_ref().unwrap());
    assert_eq!((training.len(), test.len()), (1437, 360));
    assert!(indices(training).is_disjoint(&indices(test)) && indices(training).len() + indices(test).len() == 1797);
    for (class, (&train, &test)) in
        training.class_counts().unwrap().iter().zip(&test.class_counts().unwrap()).enumerate()
    {
        assert_eq!(train + test, all[class]);
        assert!((test as f64 - 360.0 * all[class] as f64 / 1797.0).abs() < 1.0);
    }
    let fraction = made("kind = \"digits\"\ntest_fraction = 0.2");
    assert_eq!(fraction.test.unwrap().len(), 359);
    // Each example is as likely as any other of its class to be set aside.
    let often = (0..200).map(|seed| {
        let keys = format!("kind = \"digits\"\ntest_fraction = 0.5\nseed = {seed}");
        usize::from(indices(&made(&keys).training).contains(&17))
    });
    let often: usize = often.sum();
    assert!((58..=142).contains(&often), "{often} of 200 is six standard errors from a half");
}

#[test]
fn subsets_are_the_first_or_random() {
    let first = made("kind = \"digits\"\nexamples = 100\nsubset = \"first\"").training;
    assert_eq!(indices(&first), (0..100).collect());
    let random = made("kind = \"digits\"\nexamples = 100").training;
    assert_ne!(indices(&random), (0..100).collect());
    assert!(random.class_counts().unwrap().iter().all(|&count| (9..=11).contains(&count)));
    assert_eq!(random.len(), 100);
}

#[test]
fn more_than_there_is_is_refused() {
    let tell = |keys: &str| refused(&format!("kind = \"digits\"\n{keys}"), Path::new(""));
    let (key, message) = tell("examples = 1798");
    assert!(key == "data.examples" && message.contains("has 1797 examples"), "{message}");
    for (keys, key) in [
        ("test_examples = 1797", "data.test_examples"),
        ("test_fraction = 1.0", "data.test_fraction"),
        ("test_fraction = 1e-9", "data.test_fraction"),
    ] {
        assert_eq!(tell(keys).0, key);
    }
    assert!(made("kind = \"digits\"\ntest_fraction = 0.0").test.is_none());
    let (_, key, message) = problem("kind = \"gaussian-mixture\"\nexamples = 10_000_000\ndimension = 1000");
    assert!(key == "data.examples" && message.contains("at most 268435456"), "{message}");
}

#[test]
fn pooled_images_are_means_of_squares() {
    let (whole, pooled) = (made("kind = \"digits\"").training, made("kind = \"digits\"\npool = 4").training);
    assert_eq!((pooled.shape(), pooled.features()), (&[2, 2][..], 4));
    assert_eq!((pooled.indices(), pooled.labels()), (whole.indices(), whole.labels()));
    for example in [0, 1, 1796] {
        let image = whole.input(example);
        for (place, [row, column]) in [[0, 0], [0, 4], [4, 0], [4, 4]].into_iter().enumerate() {
            let pixels = (0..16).map(|i| image[(row + i / 4) * 8 + column + i % 4]);
            assert_eq!(pooled.input(example)[place], pixels.sum::<f64>() / 16.0);
        }
    }
    assert_eq!(made("kind = \"digits\"\npool = 1").training, whole);
    for (keys, phrase) in [
        ("kind = \"digits\"\npool = 3", "one of 1, 2, 4, 8"),
        ("kind = \"gaussian-mixture\"\npool = 2", "are no image"),
    ] {
        let (key, message) = refused(keys, Path::new(""));
        assert!(key == "data.pool" && message.contains(phrase), "{message}");
    }
}

#[test]
fn classes_are_chosen_by_name() {
    let (whole, chosen) = (made("kind = \"digits\"").training, "kind = \"digits\"\nonly_classes = [\"8\", \"3\"]");
    let data = made(chosen).training;
    assert_eq!((data.outputs(), data.class_names().unwrap()), (2, &["8".to_owned(), "3".to_owned()][..]));
    assert_eq!(data.class_counts(), Some(vec![174, 183]));
    for (example, &index) in data.indices().iter().enumerate() {
        let place = whole.indices().iter().position(|&of_file| of_file == index).unwrap();
        assert_eq!(data.input(example), whole.input(place));
        assert_eq!([8, 3][data.labels().unwrap()[example] as usize], whole.labels().unwrap()[place]);
    }
    let parts = made(&format!("{chosen}\nexamples = 100\ntest_fraction = 0.2\nrandom_labels = 0.5"));
    assert_eq!(parts.training.class_counts().unwrap().len(), 2);
    assert_eq!((parts.training.len(), parts.test.unwrap().len()), (80, 20));
    for (keys, key, phrase) in [
        ("kind = \"digits\"\nonly_classes = [\"3\", \"eight\"]", "data.only_classes", "the classes are 0, 1"),
        (
            "kind = \"teacher-student\"\ntask = \"regression\"\nonly_classes = [\"0\", \"1\"]",
            "data.only_classes",
            "numbers",
        ),
        (
            "kind = \"digits\"\nonly_classes = [\"3\", \"8\"]\nexamples = 500",
            "data.examples",
            "357 examples of these classes",
        ),
    ] {
        let (found, message) = refused(keys, Path::new(""));
        assert!(found == key && message.contains(phrase), "{found}: {message}");
    }
}

/// Mean and variance of every feature.
fn moments(data: &Dataset) -> Vec<(f64, f64)> {
    let (count, p) = (data.len() as f64, data.features());
    let column = |feature: usize| data.inputs().iter().skip(feature).step_by(p);
    let of = |feature: usize| {
        let mean = column(feature).sum::<f64>() / count;
        (mean, column(feature).map(|x| (x - mean) * (x - mean)).sum::<f64>() / count)
    };
    (0..p).map(of).collect()
}

#[test]
fn statistics_are_those_of_the_training_part() {
    let plain = made("kind = \"digits\"\ntest_fraction = 0.3");
    let features = made("kind = \"digits\"\ntest_fraction = 0.3\nstandardize = \"features\"");
    let how = features.standardization.unwrap();
    for (feature, ((mean, variance), (old, spread))) in
        moments(&features.training).into_iter().zip(moments(&plain.training)).enumerate()
    {
        assert!((how.means[feature] - old).abs() < 1e-12 && mean.abs() < 1e-12);
        let expected = if spread == 0.0 { 0.0 } else { 1.0 };
        assert!((variance - expected).abs() < 1e-12, "{feature}: {variance}");
    }
    let (test, raw) = (features.test.unwrap(), plain.test.as_ref().unwrap());
    for (index, (x, old)) in test.inputs().iter().zip(raw.inputs()).enumerate() {
        assert_eq!(*x, (old - how.means[index % 64]) / how.deviations[index % 64]);
    }

    let global = made("kind = \"digits\"\ntest_fraction = 0.3\nstandardize = \"global\"").training;
    let count = global.inputs().len() as f64;
    let mean = global.inputs().iter().sum::<f64>() / count;
    let square = global.inputs().iter().map(|x| x * x).sum::<f64>() / count;
    assert!(mean.abs() < 1e-12 && (square - 1.0).abs() < 1e-12);
}

/// 0.1 + 0.1 + … is rounded, so that the computed mean is not 0.1: that must not count as spread.
#[test]
fn what_never_varies_is_only_shifted() {
    let files = crate::support::folder(&[("t.csv", format!("c,x,y\n{}", "0.1,1,a\n0.1,3,b\n".repeat(500)).as_bytes())]);
    let keys = "kind = \"csv\"\npath = \"t.csv\"\ntarget = \"y\"\nstandardize = \"features\"";
    let data = load(keys, files.path()).unwrap();
    assert_eq!(data.standardization.unwrap().deviations, [1.0, 1.0]);
    assert!((0..1000).all(|place| data.training.input(place)[0] == 0.0 && data.training.input(place)[1].abs() == 1.0));
}

#[test]
fn exactly_the_asked_for_labels_are_drawn_anew() {
    let keys = "kind = \"digits\"\ntest_fraction = 0.2\n";
    let true_data = made(keys);
    let truth = true_data.training.labels().unwrap();
    for (fraction, count) in [(0.5, 719), (0.2, 288), (1.0, 1438), (0.0001, 0)] {
        let data = made(&format!("{keys}random_labels = {fraction:?}"));
        let corruption = data.corruption.unwrap();
        assert_eq!((corruption.examples.len(), corruption.truth.len()), (count, count));
        assert!(corruption.examples.is_sorted());
        let labels = data.training.labels().unwrap();
        let chosen: BTreeSet<usize> = corruption.examples.iter().copied().collect();
        assert!((0..labels.len()).all(|place| chosen.contains(&place) || labels[place] == truth[place]));
        let Targets::Labels { labels: kept, .. } = &corruption.truth else { panic!("labels") };
        assert!(corruption.examples.iter().zip(kept).all(|(&place, label)| truth[place] == *label));
        // One in ten is the true one again: binomial, six standard errors.
        let same = chosen.iter().filter(|&&place| labels[place] == truth[place]).count() as f64;
        let expected = count as f64 / 10.0;
        assert!((same - expected).abs() <= 6.0 * (expected * 0.9).sqrt(), "{same} of {count}");
        // All classes are as likely: six standard errors again.
        let mut drawn = [0.0; 10];
        chosen.iter().for_each(|&place| drawn[labels[place] as usize] += 1.0);
        assert!(drawn.iter().all(|drawn| (drawn - expected).abs() <= 6.0 * (expected * 0.9).sqrt()), "{drawn:?}");
        // Nothing else has changed.
        assert_eq!(data.training.inputs(), true_data.training.inputs());
        assert_eq!(data.test, true_data.test);
    }
}

#[test]
fn real_targets_are_shuffled_among_the_chosen() {
    let keys = "kind = \"teacher-student\"\ntask = \"regression\"\nexamples = 100\n";
    let (before, after) = (made(keys).training, made(&format!("{keys}random_labels = 0.3")));
    let (old, new) = (before.values().unwrap(), after.training.values().unwrap());
    let chosen = after.corruption.unwrap().examples;
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    assert_eq!(chosen.len(), 30);
    assert_eq!(sorted(old), sorted(new));
    assert!((0..100).all(|place| old[place] == new[place] || chosen.contains(&place)));
    assert!(chosen.iter().filter(|&&place| old[place] != new[place]).count() > 20);
}

/// Means and covariances of random inputs are those of the true ones, within six standard errors: with more examples than features
/// and with fewer.
#[test]
fn random_inputs_have_the_moments_of_the_true_ones() {
    for keys in ["kind = \"digits\"\ntest_fraction = 0.2\n", "kind = \"digits\"\nexamples = 60\n"] {
        let (before, after) = (made(keys), made(&format!("{keys}random_inputs = true")));
        assert_eq!(before.test, after.test);
        let (before, after) = (before.training, after.training);
        assert_eq!(before.labels(), after.labels());
        let (count, old, new) = (before.len() as f64, moments(&before), moments(&after));
        let covariance = |data: &Dataset, means: &[(f64, f64)], a: usize, b: usize| {
            let rows = data.inputs().chunks(64);
            rows.map(|x| (x[a] - means[a].0) * (x[b] - means[b].0)).sum::<f64>() / count
        };
        let mut largest: f64 = 0.0;
        for a in 0..64 {
            assert!((new[a].0 - old[a].0).abs() <= 6.0 * (old[a].1 / count).sqrt() + 1e-9);
            for b in 0..=a {
                let (expected, found) = (covariance(&before, &old, a, b), covariance(&after, &new, a, b));
                let error = ((old[a].1 * old[b].1 + expected * expected) / count).sqrt();
                // The divisor N makes the expectation smaller by 1/N.
                let excess = (found - expected * (1.0 - 1.0 / count)).abs() / (error + 1e-9);
                largest = largest.max(excess);
            }
        }
        // 2,080 products of normals, whose tails are exponential.
        assert!(largest < 8.0, "{largest}");
    }
}

#[test]
fn a_set_of_ones_own_is_checked() {
    let targets =
        |labels: &[u32]| Targets::Labels { labels: labels.to_vec(), class_names: vec!["a".to_owned(), "b".to_owned()] };
    let tell = |inputs: &[f64], shape: &[usize], labels: &[u32]| {
        Dataset::new(inputs.to_vec(), shape.to_vec(), targets(labels)).unwrap_err().to_string()
    };
    assert!(tell(&[1.0], &[1], &[2]).contains("example 0 has label 2"));
    assert!(tell(&[1.0], &[2], &[1]).contains("found 1 inputs"));
    assert!(tell(&[], &[0], &[1]).contains("at least one feature"));
    assert!(tell(&[], &[1], &[]).contains("found 0 examples"));
    assert!(tell(&[], &[usize::MAX, 2], &[1]).contains("at least one feature"));
    assert!(tell(&[1.0, f64::NAN], &[1], &[1, 0]).contains("feature 0 of example 1 is NaN"));
    let values = Targets::Values { values: vec![0.0, f64::INFINITY], outputs: 2 };
    assert!(Dataset::new(vec![1.0], vec![1], values).unwrap_err().to_string().contains("target 1 of example 0"));
}
