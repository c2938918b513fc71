//! One dimension: critical points are the sign changes of L′, basins are the intervals between its maxima.

use super::basins::Basins;
use super::{
    CriticalPoint, Landscape, LandscapeError, MAXIMUM_MINIMA, Saddle, curvature_scale, domain_text, point_text,
    sort_by_loss, with_flat_directions,
};
use crate::loss::{LANES, Loss};
use crate::plain::significant;

/// Points of the scan over the domain. Between two of them it goes on wherever L′ bends so much that it could turn and come
/// back through zero, with so many parts of an interval, so many times over, and at most so many points in all.
const SCAN: usize = 20_001;
/// A domain so many times as wide as its minima lie apart is told of.
const WIDE: f64 = 200.0;
const PARTS: usize = 16;
const MOST_LEVELS: u32 = 9;
const MOST_FURTHER_POINTS: usize = 2_000_000;
/// An interval over which L′ changes its sign, and those beside it, are always looked at more closely, as long as L′ rises over it by more than this part of its largest value
/// on the scan: what min(a, b) has in the middle does not show in slopes farther out. Below, signs are those of rounding.
const LEAST_RISE: f64 = 1e-9;
/// Where between two points the bend of L′ is looked at: by the golden section, which no period fits for long.
const PROBE: f64 = 0.381_966_011_250_105_1;
/// The scan goes on outside of the domain by this many of its widths on either side: minima there are not asked about,
/// but the ridges before them bound the basins.
const MARGIN: f64 = 2.0;

pub(super) fn explore(loss: &dyn Loss, domain: [f64; 2]) -> Result<Landscape, LandscapeError> {
    let [low, high] = domain;
    let width = high - low;
    let Scan { mut roots, is_complete } = roots_of_slope(loss, low, high);
    let inside_minima = roots.iter().filter(|root| root.is_minimum).count();
    if inside_minima == 0 {
        return Err(LandscapeError::NoMinimum { domain: domain_text(&[domain]), hint: hint(loss, domain) });
    }
    if inside_minima > MAXIMUM_MINIMA {
        return Err(LandscapeError::TooMany { limit: MAXIMUM_MINIMA });
    }
    roots.extend(roots_of_slope(loss, low - MARGIN * width, low).roots);
    roots.extend(roots_of_slope(loss, high, high + MARGIN * width).roots);
    roots.sort_by(|a, b| a.theta.total_cmp(&b.theta));

    let is_inside = |theta: f64| (low..=high).contains(&theta);
    let usual_curvature = curvature_scale(loss, &[domain]);
    let mut minima: Vec<CriticalPoint> = roots
        .iter()
        .filter(|root| root.is_minimum && is_inside(root.theta))
        .map(|root| with_flat_directions(loss, CriticalPoint::at(loss, &[root.theta]), usual_curvature, &[domain]))
        .collect::<Result<_, _>>()?;
    sort_by_loss(&mut minima);

    let index_of = |theta: f64| minima.iter().position(|minimum| minimum.theta[0] == theta);
    // Between two ridges lies one minimum, or none where the loss falls to infinity or to a place outside the scan.
    let ridges: Vec<f64> = roots.iter().filter(|root| !root.is_minimum).map(|root| root.theta).collect();
    let mut owners = vec![None; ridges.len() + 1];
    for pair in roots.windows(2).filter(|pair| pair[0].is_minimum && pair[1].is_minimum) {
        if is_inside(pair[0].theta) || is_inside(pair[1].theta) {
            return Err(LandscapeError::Broken { between: [pair[0].theta, pair[1].theta].map(|x| point_text(&[x])) });
        }
    }
    for root in roots.iter().filter(|root| root.is_minimum) {
        owners[ridges.partition_point(|&ridge| ridge < root.theta)] = index_of(root.theta);
    }
    let mut saddles: Vec<Saddle> = ridges
        .iter()
        .enumerate()
        .filter_map(|(i, &ridge)| {
            let (left, right) = (owners[i]?, owners[i + 1]?);
            let mut point = CriticalPoint::at(loss, &[ridge]);
            point.flat = point.jump_along(loss, 0, &[domain]).into_iter().collect();
            Some(Saddle { point, between: [left.min(right), left.max(right)] })
        })
        .collect();
    saddles.sort_by(|a, b| a.point.loss.total_cmp(&b.point.loss));
    let basins = Basins::by_intervals(ridges, owners);
    let ends = minima.iter().map(|minimum| minimum.theta[0]);
    let apart = ends.clone().fold(f64::MIN, f64::max) - ends.fold(f64::MAX, f64::min);
    let is_wide = apart > 0.0 && width > WIDE * apart;
    let wide = is_wide.then(|| {
        format!(
            "loss.domain is {} times as wide as its minima lie apart: the chain's law and passage times take longer there and may be missing; \
             narrow it around the wells that are asked about",
            significant(width / apart, 2)
        )
    });
    let doubt = (!is_complete).then(|| {
        "the slope of the loss turns so often in the domain that the search stopped looking closer: it is wide beside the wells, and minima \
         may have been missed; narrow loss.domain around the wells that are asked about"
            .to_string()
    });
    let doubt = doubt.or(wide);
    Ok(Landscape { minima, saddles, basins, domain: vec![domain], region: vec![domain], doubt })
}

fn hint(loss: &dyn Loss, [low, high]: [f64; 2]) -> String {
    let mut slope = [0.0];
    loss.gradient(&[low], &mut slope);
    let at_low = slope[0];
    loss.gradient(&[high], &mut slope);
    match (at_low, slope[0]) {
        (0.0, 0.0) if is_constant(loss, low, high) => {
            "the loss is the same everywhere in it: check that loss.formula has the variable in it".into()
        }
        (a, b) if a > 0.0 && b > 0.0 => format!("the loss falls towards lower values at {}: extend loss.domain downwards", point_text(&[low])),
        (a, b) if a < 0.0 && b < 0.0 => format!("the loss falls towards higher values at {}: extend loss.domain upwards", point_text(&[high])),
        _ => "the loss has its lowest values at the edge of the domain, or is not finite inside it: check loss.formula and loss.domain".into(),
    }
}

/// Whether L′ is zero wherever one looks.
fn is_constant(loss: &dyn Loss, low: f64, high: f64) -> bool {
    let mut slope = [0.0];
    (0..=100).all(|i| {
        loss.gradient(&[low + (high - low) * f64::from(i) / 100.0], &mut slope);
        slope[0] == 0.0
    })
}

struct Root {
    theta: f64,
    /// L′ goes from − to +; otherwise from + to −.
    is_minimum: bool,
}

/// Sign changes of L′ in [low, high), each refined to the last bit by bisection.
fn roots_of_slope(loss: &dyn Loss, low: f64, high: f64) -> Scan {
    let slope = |x: f64| {
        let mut gradient = [0.0];
        loss.gradient(&[x], &mut gradient);
        gradient[0]
    };
    let place = |i: usize| low + (high - low) * i as f64 / (SCAN - 1) as f64;
    let step = (high - low) / (SCAN - 1) as f64;
    let mut scratch = vec![0.0; loss.block_scratch()];
    let (mut points, mut values, mut probes) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    let blocks = SCAN.div_ceil(LANES);
    let (mut slopes, mut probed) = (vec![0.0; blocks * LANES], vec![0.0; blocks * LANES]);
    let mut is_defined = vec![false; blocks * LANES];
    for block in 0..blocks {
        let lanes = block * LANES..(block + 1) * LANES;
        points.iter_mut().zip(lanes.clone()).for_each(|(x, i)| *x = place(i.min(SCAN - 1)));
        points.iter().zip(&mut probes).for_each(|(x, probe)| *probe = x + PROBE * step);
        loss.gradient_block(&points, &mut slopes[lanes.clone()], &mut scratch);
        loss.gradient_block(&probes, &mut probed[lanes.clone()], &mut scratch);
        loss.value_block(&points, &mut values, &mut scratch);
        // The gradient's formula can be finite where the loss itself is not defined.
        is_defined[lanes].iter_mut().zip(&values).for_each(|(is_defined, value)| *is_defined = value.is_finite());
    }
    let bends = widest_bends(&slopes[..SCAN], &probed);
    let largest =
        slopes.iter().filter(|slope| slope.is_finite()).fold(0.0f64, |largest, slope| largest.max(slope.abs()));
    let (before, roots, left) = (None, Vec::new(), MOST_FURTHER_POINTS);
    let mut walk = Walk { loss, slope: &slope, before, roots, left, least_rise: LEAST_RISE * largest };
    let changes = sign_changes(&slopes[..SCAN], [false; 2]);
    for i in 0..SCAN {
        if i > 0 {
            let ends = [place(i - 1), place(i)];
            walk.look_into(ends, [slopes[i - 1], probed[i - 1], slopes[i]], bends[i - 1], &changes[i - 1..i + 2], 1);
        }
        walk.step(place(i), if is_defined[i] { slopes[i] } else { f64::NAN });
    }
    Scan { roots: walk.roots, is_complete: walk.left > 0 }
}

/// What a scan found, and whether it could look as closely as it wished.
struct Scan {
    roots: Vec<Root>,
    is_complete: bool,
}

/// How much L′ bends between neighbouring points, as a parabola through both and a third place between them has it from end
/// to end; the most of the intervals nearby, since where L′ swings faster than the points come, some three of them lie on a line
/// by chance, but not those of many intervals.
fn widest_bends(slopes: &[f64], probed: &[f64]) -> Vec<f64> {
    const NEARBY: usize = 3;
    let bend = |(ends, probe): (&[f64], &f64)| {
        let bend = (probe - (ends[0] + PROBE * (ends[1] - ends[0]))).abs() / (PROBE * (1.0 - PROBE));
        if bend.is_finite() { bend } else { 0.0 }
    };
    let bends: Vec<f64> = slopes.windows(2).zip(probed).map(bend).collect();
    (0..bends.len())
        .map(|i| {
            let nearby = &bends[i.saturating_sub(NEARBY)..(i + NEARBY + 1).min(bends.len())];
            nearby.iter().fold(0.0, |a: f64, &b| a.max(b))
        })
        .collect()
}

/// Over which intervals between neighbouring points L′ changes its sign; before and after them what is known of those beside.
fn sign_changes(slopes: &[f64], [before, after]: [bool; 2]) -> Vec<bool> {
    let changes = slopes.windows(2).map(|pair| (pair[0] < 0.0) != (pair[1] < 0.0));
    std::iter::once(before).chain(changes).chain([after]).collect()
}

/// Whether L′ may have more roots between two points than its signs there tell.
fn could_hide_roots(left: f64, probe: f64, right: f64, bend: f64) -> bool {
    // A parabola is monotone from end to end where it bends less than it rises, and leaves its chord by a quarter of its bend. What
    // swings between the points is none, and seems to bend less than it does: hence so much more. Where the sign changes it must pass
    // through zero, and a swing that is small beside all of the rise turns it back there: hence more again.
    const MORE: f64 = 4.0;
    const MORE_AT_ROOTS: f64 = 64.0;
    if (left < 0.0) != (right < 0.0) {
        return MORE_AT_ROOTS * bend > (right - left).abs();
    }
    MORE * bend > left.abs().min(right.abs()).min(probe.abs()) || (probe < 0.0) != (left < 0.0)
}

/// Goes along the line from point to point and notes where L′ changes its sign.
struct Walk<'a> {
    loss: &'a dyn Loss,
    slope: &'a dyn Fn(f64) -> f64,
    /// The last point where L′ was finite and not zero.
    before: Option<(f64, f64)>,
    roots: Vec<Root>,
    /// Points that may still be put in between.
    left: usize,
    /// Intervals at and beside which L′ changes its sign and rises by more are looked at more closely.
    least_rise: f64,
}

impl Walk<'_> {
    fn step(&mut self, x: f64, g: f64) {
        if !g.is_finite() {
            self.before = None;
            return;
        }
        if g == 0.0 {
            return;
        }
        if let Some((left, slope_left)) = self.before
            && (slope_left < 0.0) != (g < 0.0)
        {
            self.roots.push(Root { theta: bisect(self.slope, left, x), is_minimum: slope_left < 0.0 });
        }
        self.before = Some((x, g));
    }

    /// Goes on inside of an interval where it, or one beside it, has a root that is more than rounding, or it may have some that do not show.
    fn look_into(&mut self, ends: [f64; 2], slopes: [f64; 3], bend: f64, changes: &[bool], level: u32) {
        let [left, probe, right] = slopes;
        let is_near = changes.contains(&true) && (right - left).abs() > self.least_rise;
        if is_near || could_hide_roots(left, probe, right, bend) {
            self.refine(ends, level, [changes[0], changes[2]]);
        }
    }

    /// The points inside of an interval, closer together where L′ still bends too much. `beside` says whether it has roots before and after it.
    fn refine(&mut self, [low, high]: [f64; 2], level: u32, beside: [bool; 2]) {
        let step = (high - low) / PARTS as f64;
        let place = |part: usize| if part == PARTS { high } else { low + step * part as f64 };
        // Nothing fits in between any more, or nothing more is allowed.
        if level > MOST_LEVELS || !(place(1) > low && step > 1e-13 * low.abs().max(high.abs())) {
            return;
        }
        if self.left < 2 * PARTS {
            self.left = 0;
            return;
        }
        self.left -= 2 * PARTS;
        let slopes: [f64; PARTS + 1] = std::array::from_fn(|part| (self.slope)(place(part)));
        let probed: [f64; PARTS] = std::array::from_fn(|part| (self.slope)(place(part) + PROBE * step));
        let bends = widest_bends(&slopes, &probed);
        let changes = sign_changes(&slopes, beside);
        for part in 0..PARTS {
            let ends = [place(part), place(part + 1)];
            let seen = [slopes[part], probed[part], slopes[part + 1]];
            self.look_into(ends, seen, bends[part], &changes[part..part + 3], level + 1);
            if part + 1 < PARTS {
                let x = place(part + 1);
                self.step(x, if self.loss.value(&[x]).is_finite() { slopes[part + 1] } else { f64::NAN });
            }
        }
    }
}

/// The place where `slope` changes sign between two points of opposite sign.
fn bisect(slope: &dyn Fn(f64) -> f64, mut left: f64, mut right: f64) -> f64 {
    let left_is_negative = slope(left) < 0.0;
    loop {
        let middle = 0.5 * (left + right);
        if middle <= left || middle >= right {
            // Of the two neighbours the one with the smaller slope.
            return if slope(left).abs() <= slope(right).abs() { left } else { right };
        }
        let g = slope(middle);
        if g == 0.0 {
            return middle;
        }
        if (g < 0.0) == left_is_negative { left = middle } else { right = middle }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::landscape::Landscape;
    use crate::loss::expression::Expression;

    fn explored(formula: &str, reach: f64) -> Result<Landscape, String> {
        let loss = Arc::new(Expression::new(&["x".to_string()], &[], formula).unwrap());
        Landscape::explore(loss, &[[-reach, reach]]).map_err(|error| error.to_string())
    }

    /// Wells of width 1 in domains of up to 10⁷: as many minima, at the same places, to the last bit.
    #[test]
    fn a_wide_domain_hides_no_minimum() {
        for (formula, near, count) in [
            ("x^4/4 - x^2/2 + 0.1*x", 3.0, 2),
            ("min(min(20*(x+1)^2, (x-1)^2 + 0.05), 10*(x-3)^2 + 0.1)", 5.0, 3),
            ("(x^2*(x^2-4)^2)/16 + 0.05*x", 5.0, 3),
            ("x^2/40 + 0.4*cos(3*x) + 0.02*x", 40.0, 24),
        ] {
            let places = |reach: f64| -> Vec<f64> {
                let landscape = explored(formula, reach).unwrap();
                // A domain that is wide is told of, but everything in it was found.
                let told = landscape.doubt.unwrap_or_default();
                assert_eq!(told.contains("times as wide"), reach >= 1e4, "{formula} on ±{reach}: {told}");
                assert!(!told.contains("missed"), "{formula} on ±{reach}: {told}");
                landscape.minima.iter().map(|minimum| minimum.theta[0]).collect()
            };
            let expected = places(near);
            assert_eq!(expected.len(), count, "{formula}");
            for reach in [150.0, 1e4, 1e5, 1e7] {
                let found = places(reach);
                let same = found.len() == count
                    && found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12 * (1.0 + b.abs()));
                assert!(same, "{formula} on ±{reach}: {found:?}");
            }
        }
    }

    #[test]
    fn degenerate_minima_are_flat_however_wide_the_domain() {
        for (formula, power) in [("x^4", 4.0), ("(x - 0.3)^6 + 1", 6.0), ("(x-1)^2*(x-1)^2", 4.0)] {
            for reach in [2.0, 50.0, 1e4, 1e30] {
                let landscape = explored(formula, reach).unwrap();
                let flat = landscape.minima[0].flat[0];
                assert!((flat.power - power).abs() < 1e-3, "{formula} on ±{reach}: {flat:?}");
                let told = landscape.require_regular().unwrap_err().to_string();
                assert!(told.contains("singular"), "{formula} on ±{reach}: {told}");
            }
        }
    }

    /// At a kink the loss rises as |u|, whatever its second derivative.
    #[test]
    fn kinks_are_flat_too() {
        for formula in ["abs(x - 0.2)", "max(1 - x^2, 2*(x^2 - 1)) + 0.01*x"] {
            let landscape = explored(formula, 2.0).unwrap();
            assert!(landscape.minima.iter().all(|minimum| !minimum.is_regular()), "{formula}");
            let power = landscape.minima[0].flat[0].power;
            assert!((power - 1.0).abs() < 0.05, "{formula}: {power}");
        }
        let kink = explored("max(1 - x^2, 2*(x^2 - 1)) + 0.01*x", 2.0).unwrap();
        assert!(matches!(kink.require_regular(), Err(crate::landscape::LandscapeError::Kink { .. })));
    }

    /// Of a regular minimum that the walls hide it is the domain that is told, not a flat direction that there is none of.
    #[test]
    fn a_domain_too_wide_for_the_search_is_told() {
        for formula in ["x^4/4 - x^2/2 + 0.1*x", "x^4 + 1e-3*x^2", "(x - 0.3)^6 + (x - 0.3)^2"] {
            for reach in [1e30, 1e40] {
                let told = explored(formula, reach).err().unwrap_or_default();
                let domain = format!("the domain [-{reach:e}, {reach:e}] is too wide");
                assert!(told.contains(&domain) && told.contains("narrow loss.domain"), "{formula} on ±{reach}: {told}");
            }
        }
    }

    #[test]
    fn too_many_turns_leave_a_doubt() {
        let landscape = explored("x^2/2 + 1e-3*cos(1e6*x) + 2*cos(x)", 10.0);
        // A million wells: either more than can be shown, or a doubt.
        match landscape {
            Ok(landscape) => assert!(landscape.doubt.is_some()),
            Err(told) => assert!(told.contains("more than 253 minima"), "{told}"),
        }
    }

    #[test]
    fn a_constant_has_no_lowest_edge() {
        let told = explored("0*x + 2", 3.0).err().unwrap();
        assert!(told.contains("the same everywhere"), "{told}");
    }
}
