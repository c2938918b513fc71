//! The lowest place of a function that is the highest of several smooth pieces: where a flow meets a kink that it slides along.
//!
//! A bundle method of second order (Mifflin & Sagastizábal, Math. Program. 104, 2005, in its plainest form): every place that was looked at gives the parabola that
//! fits there, and the highest of them stands for the function. Its lowest place is found by weights of the parabolas that sum to 1, moved between
//! two at a time until those that have weight are equally high.

use nalgebra::{Cholesky, DMatrix, DVector};

/// A parabola: height, slope and curvature at a place.
pub(super) struct Piece {
    pub place: DVector<f64>,
    pub height: f64,
    pub slope: DVector<f64>,
    pub curvature: DMatrix<f64>,
}

/// Exchanges of weight between two pieces, and cuts of the interval of one.
const MOST_EXCHANGES: usize = 20;
const MOST_CUTS: usize = 30;
/// Heights that differ by less than this part of what the pieces differ by at first are equal.
const EQUAL: f64 = 1e-10;

impl Piece {
    fn slope_at(&self, place: &DVector<f64>) -> DVector<f64> {
        &self.slope + &self.curvature * (place - &self.place)
    }

    fn at(&self, place: &DVector<f64>) -> f64 {
        let away = place - &self.place;
        self.height + self.slope.dot(&away) + 0.5 * away.dot(&(&self.curvature * &away))
    }
}

/// Where the highest of some pieces is lowest, and which of them meet there; `None` where some mean of them has no lowest place.
pub(super) fn lowest(pieces: &[Piece]) -> Option<(DVector<f64>, Vec<usize>)> {
    let mut weights = vec![0.0; pieces.len()];
    *weights.last_mut()? = 1.0;
    let mut place = lowest_of_mean(pieces, &weights)?;
    let mut first_gap: Option<f64> = None;
    for _ in 0..MOST_EXCHANGES {
        let heights: Vec<f64> = pieces.iter().map(|piece| piece.at(&place)).collect();
        let all = 0..pieces.len();
        let highest = all.clone().fold(0, |a, b| if heights[b] > heights[a] { b } else { a });
        let lowest = all.filter(|&i| weights[i] > 0.0).fold(None, |a: Option<usize>, b| match a {
            Some(a) if heights[a] <= heights[b] => Some(a),
            _ => Some(b),
        })?;
        let gap = heights[highest] - heights[lowest];
        let equal = EQUAL * *first_gap.get_or_insert(gap);
        if !(gap > equal) {
            break;
        }
        place = exchange(pieces, &mut weights, [lowest, highest], equal)?;
    }
    Some((place, (0..pieces.len()).filter(|&i| weights[i] > 0.0).collect()))
}

/// Ways from a place of some pieces to where each of them is the highest: along what its slope has before the mean of the others'. The place has to be one
/// where they meet, and two of them at least.
pub(super) fn ways_apart(pieces: &[Piece], active: &[usize], place: &DVector<f64>) -> Option<Vec<DVector<f64>>> {
    let slopes: Vec<DVector<f64>> = active.iter().map(|&i| pieces[i].slope_at(place)).collect();
    let others = active.len().checked_sub(1).filter(|others| *others > 0)? as f64;
    let sum = slopes.iter().fold(DVector::zeros(place.len()), |sum, slope| sum + slope);
    let way = |slope: &DVector<f64>| (slope - (&sum - slope) / others).try_normalize(0.0);
    slopes.iter().map(way).collect()
}

/// Moves weight from one piece to another until they are equally high at the lowest place of the mean, or none is left: by the Illinois variant of
/// false position (Dowell & Jarratt 1971).
fn exchange(pieces: &[Piece], weights: &mut [f64], [from, to]: [usize; 2], equal: f64) -> Option<DVector<f64>> {
    let (left, other) = (weights[from], weights[to]);
    let mut at = |moved: f64| {
        (weights[from], weights[to]) = (left - moved, other + moved);
        let place = lowest_of_mean(pieces, weights)?;
        let gap = pieces[to].at(&place) - pieces[from].at(&place);
        Some((place, gap))
    };
    let mut low = (0.0, at(0.0)?.1);
    let (mut place, gap) = at(left)?;
    if gap >= 0.0 {
        return Some(place);
    }
    let mut high = (left, gap);
    for _ in 0..MOST_CUTS {
        let moved = low.0 - low.1 * (high.0 - low.0) / (high.1 - low.1);
        let gap;
        (place, gap) = at(moved)?;
        if gap.abs() <= equal || !(low.0 < moved && moved < high.0) {
            break;
        }
        if (gap > 0.0) == (low.1 > 0.0) {
            (low, high.1) = ((moved, gap), 0.5 * high.1);
        } else {
            (high, low.1) = ((moved, gap), 0.5 * low.1);
        }
    }
    Some(place)
}

fn lowest_of_mean(pieces: &[Piece], weights: &[f64]) -> Option<DVector<f64>> {
    let d = pieces[0].place.len();
    let (mut matrix, mut right) = (DMatrix::zeros(d, d), DVector::zeros(d));
    for (piece, weight) in pieces.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
        matrix += &piece.curvature * *weight;
        right += (&piece.curvature * &piece.place - &piece.slope) * *weight;
    }
    Some(Cholesky::new(matrix)?.solve(&right))
}

#[cfg(test)]
mod tests {
    use nalgebra::{dmatrix, dvector};

    use super::*;

    fn piece(function: impl Fn(f64, f64) -> (f64, [f64; 2], [[f64; 2]; 2]), [x, y]: [f64; 2]) -> Piece {
        let (height, [a, b], [[p, q], [r, s]]) = function(x, y);
        Piece { place: dvector![x, y], height, slope: dvector![a, b], curvature: dmatrix![p, q; r, s] }
    }

    /// x² + y² + 2|y − x + 1| is least on the kink, and so is the highest of three planes over a bowl in their corner.
    #[test]
    fn the_lowest_place_may_lie_on_a_kink() {
        let side = |sign: f64| {
            piece(
                move |x, y| {
                    let kink = 2.0 * sign * (y - x + 1.0);
                    (x * x + y * y + kink, [2.0 * (x - sign), 2.0 * (y + sign)], [[2.0, 0.0], [0.0, 2.0]])
                },
                [0.3, -0.2],
            )
        };
        let (place, active) = lowest(&[side(1.0), side(-1.0)]).unwrap();
        let ways = ways_apart(&[side(1.0), side(-1.0)], &active, &place).unwrap();
        let across = dvector![-1.0, 1.0] / 2.0f64.sqrt();
        assert!((&ways[0] - &across).norm() < 1e-9 && (&ways[1] + &across).norm() < 1e-9, "{ways:?}");
        assert!((place - dvector![0.5, -0.5]).norm() < 1e-9);
        let bowl = |a: f64, b: f64| {
            piece(
                move |x, y| {
                    let height = 0.05 * (x * x + y * y) + a * (x - 1.0) + b * (y - 2.0);
                    (height, [0.1 * x + a, 0.1 * y + b], [[0.1, 0.0], [0.0, 0.1]])
                },
                [5.0, 5.0],
            )
        };
        let (place, _) = lowest(&[bowl(3.0, 0.0), bowl(-2.0, 2.0), bowl(-1.0, -3.0)]).unwrap();
        // By exchanges of weight between two at a time.
        assert!((&place - dvector![1.0, 2.0]).norm() < 1e-4, "{place}");
    }

    /// One piece that is the highest throughout decides alone.
    #[test]
    fn a_piece_below_all_others_has_no_say() {
        let bowl = |height: f64, center: f64| {
            piece(
                move |x, y| {
                    let away = x - center;
                    (height + away * away + y * y, [2.0 * away, 2.0 * y], [[2.0, 0.0], [0.0, 2.0]])
                },
                [0.1, 0.1],
            )
        };
        let (place, _) = lowest(&[bowl(-9.0, 1.0), bowl(0.0, -1.0)]).unwrap();
        assert!((place - dvector![-1.0, 0.0]).norm() < 1e-12);
    }
}
