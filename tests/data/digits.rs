//! The embedded digits against what is published of them.

use crate::support::made;

/// Class counts, first images and sums as `sklearn.datasets.load_digits` has them.
#[test]
fn the_digits_are_the_published_ones() {
    let data = made("kind = \"digits\"");
    let digits = &data.training;
    assert!(data.test.is_none() && data.standardization.is_none() && data.corruption.is_none());
    assert_eq!((digits.len(), digits.features(), digits.outputs()), (1797, 64, 10));
    assert_eq!(digits.shape(), [8, 8]);
    assert_eq!(digits.class_counts(), Some(vec![178, 182, 177, 183, 181, 182, 181, 179, 174, 180]));
    assert_eq!(digits.class_names().unwrap()[9], "9");
    assert!(digits.inputs().iter().all(|x| x.fract() == 0.0 && (0.0..=16.0).contains(x)));
    assert_eq!(digits.inputs().iter().sum::<f64>(), 561_718.0);

    // Examples come in random order; their indices are those of the file.
    let place = |index: usize| digits.indices().iter().position(|&i| i == index).unwrap();
    let mut indices = digits.indices().to_vec();
    assert!(indices[..20] != (0..20).collect::<Vec<_>>()[..]);
    indices.sort_unstable();
    assert_eq!(indices, (0..1797).collect::<Vec<_>>());
    let zero = digits.input(place(0));
    assert_eq!(zero[..16], [0., 0., 5., 13., 9., 1., 0., 0., 0., 0., 13., 15., 10., 15., 5., 0.]);
    assert_eq!(zero[56..], [0., 0., 6., 13., 10., 0., 0., 0.]);
    let labels: Vec<u32> = (0..20).map(|index| digits.labels().unwrap()[place(index)]).collect();
    assert_eq!(labels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(digits.labels().unwrap()[place(1796)], 8);
}
