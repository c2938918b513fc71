//! Vectors of many coordinates, summed in a fixed order; random vectors.

use crate::random::stream::Stream;

/// Partial sums of a scalar product: two registers of AVX-512, and a rounding error that grows with d/16.
const SUMS: usize = 16;

/// a·b.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; SUMS];
    let (whole, rest) = (a.chunks_exact(SUMS), b.chunks_exact(SUMS));
    let (last_a, last_b) = (whole.remainder(), rest.remainder());
    for (a, b) in whole.zip(rest) {
        for lane in 0..SUMS {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for (lane, (a, b)) in last_a.iter().zip(last_b).enumerate() {
        sums[lane] += a * b;
    }
    let mut width = SUMS / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0]
}

/// ‖a‖₂, without over- or underflow on the way. Infinite only if the result is.
pub(super) fn norm(a: &[f64]) -> f64 {
    let square = dot(a, a);
    if square > 1e-280 && square < 1e300 {
        return square.sqrt();
    }
    let largest = a.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * a.iter().map(|x| (x / largest) * (x / largest)).sum::<f64>().sqrt()
}

/// out += factor · v.
pub(super) fn add_scaled(out: &mut [f64], factor: f64, v: &[f64]) {
    for (out, v) in out.iter_mut().zip(v) {
        *out += factor * v;
    }
}

/// Divides by a length, which is not 0.
pub(super) fn divide(v: &mut [f64], length: f64) {
    for v in v {
        *v /= length;
    }
}

/// d independent signs ±1 (Rademacher), one bit each.
pub(super) fn signs(stream: &mut Stream, dimension: usize) -> Vec<f64> {
    let mut vector = Vec::with_capacity(dimension);
    while vector.len() < dimension {
        let word = stream.next_word();
        let count = (dimension - vector.len()).min(64);
        vector.extend((0..count).map(|bit| if word >> bit & 1 == 0 { -1.0 } else { 1.0 }));
    }
    vector
}

/// Takes out of `w` its components along orthonormal vectors, those of `locked` and then those of `basis`, and adds the latter to
/// `components`. Returns the length of what is left.
///
/// By the modified Gram–Schmidt method, again until little is taken ("twice is enough": Giraud, Langou, Rozložník & van den Eshof,
/// Numer. Math. 101 (2005), 87–100).
pub(super) fn orthogonalise(w: &mut [f64], locked: &[Vec<f64>], basis: &[Vec<f64>], components: &mut [f64]) -> f64 {
    /// With no more left than this of it, a vector may have lost the orthogonality of half of its digits.
    const ENOUGH: f64 = 0.5;
    let mut before = norm(w);
    for _ in 0..5 {
        for q in locked {
            add_scaled(w, -dot(q, w), q);
        }
        for (v, component) in basis.iter().zip(components.iter_mut()) {
            let along = dot(v, w);
            add_scaled(w, -along, v);
            *component += along;
        }
        let after = norm(w);
        if after > ENOUGH * before || after == 0.0 {
            return after;
        }
        before = after;
    }
    0.0
}

/// A random unit vector orthogonal to orthonormal ones; `None` if they span the space.
///
/// Coordinates are uniform in [−1, 1) before the others' components are taken out: unlike a vector of signs it has, with probability
/// 1, a component along every direction.
pub(super) fn random_orthogonal(
    stream: &mut Stream,
    dimension: usize,
    locked: &[Vec<f64>],
    basis: &[Vec<f64>],
) -> Option<Vec<f64>> {
    if locked.len() + basis.len() >= dimension {
        return None;
    }
    let mut ignored = vec![0.0; basis.len()];
    // A second attempt is needed only if the numbers, by chance, nearly lie in the span.
    (0..20).find_map(|_| {
        let mut vector: Vec<f64> = (0..dimension).map(|_| 2.0 * stream.uniform() - 1.0).collect();
        let length = norm(&vector);
        let left = orthogonalise(&mut vector, locked, basis, &mut ignored);
        if !(left > 1e-6 * length / (dimension as f64)) {
            return None;
        }
        divide(&mut vector, left);
        Some(vector)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn scalar_products_of_every_length_by_hand() {
        for length in 0..70 {
            let a: Vec<f64> = (0..length).map(f64::from).collect();
            let expected: f64 = a.iter().map(|x| x * x).sum();
            assert_eq!(dot(&a, &a), expected);
        }
    }

    #[test]
    fn lengths_neither_over_nor_underflow() {
        assert!((norm(&[3e-200, 4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
        assert!((norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
        assert_eq!(norm(&[0.0; 3]), 0.0);
        assert_eq!(norm(&[]), 0.0);
        assert_eq!(norm(&[f64::INFINITY, 1.0]), f64::INFINITY);
    }

    #[test]
    fn random_vectors_fill_the_space_and_no_more() {
        let mut stream = Stream::new(1, 0, Purpose::Lanczos);
        let mut basis: Vec<Vec<f64>> = Vec::new();
        while let Some(vector) = random_orthogonal(&mut stream, 40, &[], &basis) {
            basis.push(vector);
        }
        assert_eq!(basis.len(), 40);
        for i in 0..40 {
            for j in 0..=i {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((dot(&basis[i], &basis[j]) - expected).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn what_lies_in_the_span_leaves_nothing_but_rounding() {
        let basis = vec![vec![0.6, 0.8, 0.0], vec![-0.8, 0.6, 0.0]];
        let mut w = vec![5.0, -7.0, 0.0];
        let mut components = [0.0; 2];
        assert!(orthogonalise(&mut w, &[], &basis, &mut components) < 1e-14);
        assert!((components[0] + 2.6).abs() < 1e-14 && (components[1] + 8.2).abs() < 1e-14);
    }
}
