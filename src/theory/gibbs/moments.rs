//! First and second moments of a law in up to three dimensions, about a place that can be changed afterwards.

use nalgebra::DMatrix;

/// First moments and then the second ones of the upper triangle, row by row: in three dimensions 3 and 6.
pub(super) type Moments = [f64; 9];

/// Of a place, counted from another.
pub(super) fn moments<const D: usize>(point: &[f64; D], center: &[f64]) -> Moments {
    let mut moments = Moments::default();
    let mut next = D;
    for a in 0..D {
        let u = point[a] - center[a];
        moments[a] = u;
        for b in a..D {
            moments[next] = u * (point[b] - center[b]);
            next += 1;
        }
    }
    moments
}

/// ∫ uuᵀ with u counted from a minimum, by the moments about another place.
pub(super) fn squares_about(minimum: &[f64], center: &[f64], moments: &Moments, mass: f64) -> DMatrix<f64> {
    let d = center.len();
    let shift: Vec<f64> = minimum.iter().zip(center).map(|(x, c)| x - c).collect();
    let mut squares = DMatrix::zeros(d, d);
    let mut next = d;
    for a in 0..d {
        for b in a..d {
            let about = moments[next] - shift[a] * moments[b] - shift[b] * moments[a] + shift[a] * shift[b] * mass;
            (squares[(a, b)], squares[(b, a)]) = (about, about);
            next += 1;
        }
    }
    squares
}
