//! The Gibbs law on a line.

use super::curvature::Bends;
use super::{DECAY, Gibbs, NoGibbs, Sums};
use crate::landscape::Landscape;
use crate::loss::{Loss, values::values};
use crate::theory::extent::{Line, NoIntegral, Side};
use crate::theory::outskirts::{Place, beyond_ends};
use crate::theory::quadrature::{Integral, integrate_to};

/// A way from a minimum is cut where its part that has any mass is smaller by this factor.
const SMALL_PART: f64 = 32.0;
/// Pieces that the intervals are cut into, in all; each into at least and at most so many.
const PIECES: usize = 1_024;
const FEWEST_PIECES: usize = 8;
const MOST_PIECES: usize = 64;
/// Of a tail so much of the mass lies beyond where its spread is looked at.
const BEYOND_SPREAD: f64 = 1e-3;

impl From<NoIntegral> for NoGibbs {
    fn from(reason: NoIntegral) -> Self {
        match reason {
            NoIntegral::Infinite => Self::NotConfined,
            NoIntegral::Unsettled => Self::Unsettled,
        }
    }
}

pub(super) fn law(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: [f64; 2],
    temperature: f64,
) -> Result<Gibbs, NoGibbs> {
    let value = |x: f64| loss.value(&[x]);
    let lowest = landscape.minima[0].loss;
    let line = Line { value: &value, lowest, temperature };
    let intervals = landscape.basins.intervals().ok_or(NoGibbs::Unresolved)?;
    let sides = sides(&line, landscape, domain, &intervals);
    let [from, to] = sides.map(Side::place);
    if let Some(low) = beyond_ends(loss, landscape, [from, to], temperature) {
        return Err(NoGibbs::FallsBeyond(low));
    }
    // From a minimum to a ridge the loss rises. Where all but a small part of the way is too high for any mass, as in a domain far
    // wider than its wells, only that part is gone over: fixed pieces of the whole would not see the well.
    let part_with_mass = |minimum: f64, end: f64| {
        let lowest = line.height(minimum);
        let is_nothing = |x: f64| !(line.height(x) - lowest <= DECAY);
        let (mut inner, mut outer) = (minimum, end);
        if !is_nothing(end) {
            return end;
        }
        for _ in 0..200 {
            let middle = 0.5 * (inner + outer);
            if is_nothing(middle) { outer = middle } else { inner = middle }
        }
        if (outer - minimum).abs() * SMALL_PART < (end - minimum).abs() { outer } else { end }
    };
    let weight = |x: f64| line.weight(x);
    let excess = |x: f64| {
        let density = weight(x);
        if density == 0.0 { 0.0 } else { density * (value(x) - lowest) }
    };
    let laplacian = |x: f64| {
        let density = weight(x);
        if density == 0.0 { 0.0 } else { density * loss.hessian(&[x])[(0, 0)] }
    };
    let count = landscape.minima.len();
    let mut sums = Sums::new(count, 1);
    let mut bends = vec![Bends::default(); count];
    let pieces = (PIECES / intervals.len()).clamp(FEWEST_PIECES, MOST_PIECES);
    let tolerance = line.tolerance();
    let over = |f: &dyn Fn(f64) -> f64, [left, right]: [f64; 2]| integrate_to(tolerance, f, left, right, pieces);
    let mut total = Integral::default();
    for &(left, right, owner) in &intervals {
        let (left, right) = (left.max(from), right.min(to));
        if left >= right {
            continue;
        }
        let (left, right) = match owner {
            Some(minimum) => {
                let place = landscape.minima[minimum].theta[0];
                (part_with_mass(place, left), part_with_mass(place, right))
            }
            None => (left, right),
        };
        let range = [left, right];
        let mass = over(&weight, range);
        total += mass;
        sums.excess = sums.excess.map(|sum| sum + over(&excess, range).value);
        match owner {
            Some(minimum) => {
                let place = landscape.minima[minimum].theta[0];
                let square = |x: f64| (x - place) * (x - place) * weight(x);
                sums.masses[minimum] += mass.value;
                sums.laplacians[minimum] += over(&laplacian, range).value;
                sums.squares[minimum][(0, 0)] += over(&square, range).value;
                note_bends(loss, &weight, range, intervals.len(), &mut bends[minimum]);
            }
            None => {
                sums.other += mass.value;
                sums.elsewhere = Place::lower(sums.elsewhere.take(), lowest_between(loss, range));
            }
        }
    }
    let body = total.value;
    for (side, direction, interval) in [(sides[0], -1.0, intervals.first()), (sides[1], 1.0, intervals.last())] {
        let (Side::Tail(start), Some(&(.., owner))) = (side, interval) else { continue };
        let panel = (domain[1] - domain[0]) / 16.0;
        // What is nothing is so beside the mass of the basin that the tail belongs to, which may be a small part of all.
        let own = owner.map_or(body, |minimum| sums.masses[minimum]);
        let mass = line.beyond(&weight, side, direction, panel, own)?;
        total += mass;
        let further = line.beyond(&excess, side, direction, panel, body * temperature);
        sums.excess = sums.excess.zip(further.ok()).map(|(sum, further)| sum + further.value);
        let Some(minimum) = owner else {
            sums.other += mass.value;
            continue;
        };
        sums.masses[minimum] += mass.value;
        sums.laplacians[minimum] +=
            line.beyond(&laplacian, side, direction, panel, own / temperature).map_or(0.0, |integral| integral.value);
        let place = landscape.minima[minimum].theta[0];
        let square = |x: f64| (x - place) * (x - place) * weight(x);
        sums.squares[minimum][(0, 0)] += spread_beyond(&line, &square, start, direction * panel, [mass.value, own]);
    }
    if !(total.error <= line.trusted() * total.value) {
        return Err(if total.value > 0.0 { NoGibbs::Unsettled } else { NoGibbs::Unresolved });
    }
    sums.finish(landscape, &bends)
}

/// The lowest place of an interval, of so many that are looked at.
fn lowest_between(loss: &dyn Loss, [left, right]: [f64; 2]) -> Option<Place> {
    const LOOKS: usize = 1_000;
    let places: Vec<f64> = (0..LOOKS).map(|k| left + (right - left) * (k as f64 + 0.5) / LOOKS as f64).collect();
    let looks = places.iter().zip(values(loss, &places)).map(|(&x, loss)| Place { theta: vec![x], loss });
    looks.fold(None, |lowest, look| Place::lower(lowest, Some(look)))
}

/// Both sides of the line around the domain; one with a tail has it beyond all ridges. A side ends where nothing of its outermost basin
/// lies beyond, however little mass that basin has.
pub(in crate::theory) fn sides(
    line: &Line,
    landscape: &Landscape,
    domain: [f64; 2],
    intervals: &[(f64, f64, Option<usize>)],
) -> [Side; 2] {
    let ridges = || intervals.iter().skip(1).map(|interval| interval.0);
    let outermost = [intervals.first(), intervals.last()].map(|interval| interval.and_then(|&(.., owner)| owner));
    std::array::from_fn(|end| {
        let lowest = outermost[end].map_or(line.lowest, |minimum| landscape.minima[minimum].loss);
        match (Line { lowest, ..*line }.sides(domain)[end], end) {
            (Side::Tail(start), 0) => Side::Tail(ridges().fold(start, f64::min)),
            (Side::Tail(start), _) => Side::Tail(ridges().fold(start, f64::max)),
            (side, _) => side,
        }
    })
}

/// ∫ of a square in a tail as far as all but a small part of the mass: all of it may be infinite.
fn spread_beyond(line: &Line, square: &dyn Fn(f64) -> f64, start: f64, panel: f64, [mass, body]: [f64; 2]) -> f64 {
    let (mut sum, mut left, mut low, mut width) = (0.0, mass, start, panel);
    while left > BEYOND_SPREAD * (mass + body) && low.abs() < 1e100 {
        let ends = [low.min(low + width), low.max(low + width)];
        left -= integrate_to(line.tolerance(), &|x| line.weight(x), ends[0], ends[1], 4).value;
        sum += integrate_to(line.tolerance(), square, ends[0], ends[1], 4).value;
        (low, width) = (low + width, 2.0 * width);
    }
    sum
}

/// The curvature at many places of an interval, with the masses there: fewer where there are many intervals.
fn note_bends(
    loss: &dyn Loss,
    weight: &dyn Fn(f64) -> f64,
    [left, right]: [f64; 2],
    intervals: usize,
    bends: &mut Bends,
) {
    let places = (24_000 / intervals).clamp(400, 4_000);
    let width = (right - left) / places as f64;
    for place in 0..places {
        let x = left + width * (place as f64 + 0.5);
        let mass = weight(x) * width;
        if mass > 0.0 {
            bends.add(&[x], loss.hessian(&[x]), mass);
        }
    }
}
