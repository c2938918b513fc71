//! Minima in more than one dimension: many descents, merged.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::FlatDirection;
use super::descent::{Aim, newton, quasi_newton};
use super::flow::Accuracy;
use super::kink::minimum_on_kink;
use super::stiff_flow::rest;
use super::{
    CriticalPoint, Landscape, LandscapeError, MAXIMUM_MINIMA, domain_text, point_text, sort_by_loss,
    with_flat_directions,
};
use crate::loss::Loss;
use crate::random::{Purpose, stream::Stream};

/// Descents per batch and dimension, up to so many dimensions: in more, random points do not come to narrow wells anyway, and wells that are
/// known have starts of their own.
const STARTS_PER_DIMENSION: usize = 48;
const MOST_DIMENSIONS: usize = 16;
/// Local error of a flow that only has to come to some minimum, in parts of the domain's diagonal.
const ROUGH: f64 = 1e-4;
/// So often a descent goes on from a degenerate critical point that is no minimum.
const MOST_NUDGES: usize = 8;
/// The search ends after a batch that finds nothing new, or after this many batches, unless the number of starts is given.
const BATCHES: usize = 8;

/// A point this near to a known minimum, in parts of the domain's diagonal, on whose parabola it lies, has come to it.
const NEAR: f64 = 1e-4;
/// Critical points this near to each other, in the same parts, are one.
const SAME: f64 = 1e-5;

/// Every minimum that descents reach inside of the domain: from places where the loss itself supposes some, and from random points of the
/// domain, from so many or until a batch finds nothing new; and why some may have been missed.
///
/// The points are the same for every run: they depend on neither seed nor thread, and fewer are the first of more.
pub(super) fn minima(
    loss: &dyn Loss,
    domain: &[[f64; 2]],
    starts: Option<u64>,
    usual_curvature: f64,
) -> Result<(Vec<CriticalPoint>, Option<String>), LandscapeError> {
    from_known(loss, domain, loss.likely_minima(), starts, usual_curvature)
}

/// The same from other places where minima are supposed.
pub(super) fn from_known(
    loss: &dyn Loss,
    domain: &[[f64; 2]],
    known: Vec<Vec<f64>>,
    starts: Option<u64>,
    usual_curvature: f64,
) -> Result<(Vec<CriticalPoint>, Option<String>), LandscapeError> {
    let batch = STARTS_PER_DIMENSION * domain.len().min(MOST_DIMENSIONS);
    let mut search = Search { loss, domain, usual_curvature, found: Vec::new(), strays: 0, last_stray: None };
    search.descend(known)?;
    // The doubt is about what random points find: what was known before is no evidence for it.
    search.found.iter_mut().for_each(|known| known.arrivals = 0);
    let mut stream = Stream::new(0, 0, Purpose::Landscape);
    let mut left = starts.map_or(BATCHES * batch, |starts| starts as usize);
    let mut is_first = true;
    while left > 0 {
        let before = search.found.len();
        let count = batch.min(left);
        left -= count;
        let start = |attempt: usize| {
            if is_first && attempt == 0 { center(domain) } else { random_point(&mut stream, domain) }
        };
        search.descend((0..count).map(start).collect())?;
        if search.found.len() == before && !is_first && starts.is_none() {
            break;
        }
        is_first = false;
    }
    search.finish()
}

/// The minima that the flow from these places leads to, in the domain, beside those of a landscape.
pub(super) fn missed(
    loss: &dyn Loss,
    Landscape { minima: known, domain, region, .. }: &Landscape,
    places: &[Vec<f64>],
    usual_curvature: f64,
) -> Result<Vec<CriticalPoint>, LandscapeError> {
    let mut search = Search { loss, domain: region, usual_curvature, found: Vec::new(), strays: 0, last_stray: None };
    let longest = 0.1 * diagonal(region);
    let accuracy = Accuracy { scale: diagonal(region), tolerance: ROUGH };
    let end = |place: &Vec<f64>| -> Option<Vec<f64>> {
        let end = rest(loss, place, NEAR * longest, accuracy, |_| false)?;
        let critical = newton(loss, &end, NEAR * longest, Aim::Minimum)?;
        let is_known = known.iter().any(|known| apart(loss, &known.theta, &critical) < SAME * diagonal(region));
        (is_inside(&critical, domain) && !is_known).then_some(critical)
    };
    let ends: Vec<Option<Vec<f64>>> = places.par_iter().map(end).collect();
    ends.into_iter().flatten().try_for_each(|critical| search.note(critical))?;
    Ok(search.found.into_iter().map(|known| known.point).collect())
}

/// Descents, and the minima that they came to.
struct Search<'a> {
    loss: &'a dyn Loss,
    domain: &'a [[f64; 2]],
    usual_curvature: f64,
    found: Vec<Known>,
    strays: usize,
    last_stray: Option<Vec<f64>>,
}

/// A minimum that a descent came to.
struct Known {
    point: CriticalPoint,
    hessian: DMatrix<f64>,
    /// How many descents from random points came to it.
    arrivals: usize,
}

/// How a descent ended.
enum End {
    /// On the parabola of this minimum.
    At(usize),
    /// At a critical point.
    Critical(Vec<f64>),
    /// At a minimum on a kink.
    OnKink(Vec<f64>),
    /// Outside of the domain.
    Outside(Vec<f64>),
    Nowhere,
}

impl Search<'_> {
    /// Goes down from each of these points, and keeps the new minima.
    fn descend(&mut self, starts: Vec<Vec<f64>>) -> Result<(), LandscapeError> {
        // Descents know only what earlier batches found; what they find is gone through in their order, whatever the threads did.
        let ends: Vec<End> = starts.par_iter().map(|start| self.end(start)).collect();
        for end in ends {
            match end {
                End::At(known) => self.found[known].arrivals += 1,
                End::Critical(theta) => self.note(theta)?,
                End::OnKink(theta) => return Err(LandscapeError::OnKink { theta: point_text(&theta) }),
                End::Outside(theta) => {
                    self.strays += 1;
                    self.last_stray = Some(theta);
                }
                End::Nowhere => self.strays += 1,
            }
        }
        Ok(())
    }

    /// Where a descent ends: near a known minimum by slopes alone; elsewhere Newton's method has the last word.
    fn end(&self, start: &[f64]) -> End {
        let longest = 0.1 * diagonal(self.domain);
        let Some(near) = quasi_newton(self.loss, start, longest) else { return End::Nowhere };
        if let Some(known) = self.found.iter().position(|known| self.is_on_parabola(known, &near)) {
            return End::At(known);
        }
        let mut theta = near;
        for _ in 0..MOST_NUDGES {
            match self.at_rest(&theta, longest) {
                End::Critical(place) | End::OnKink(place) if !is_inside(&place, self.domain) => {
                    return End::Outside(place);
                }
                End::Critical(place) => match self.below(&place) {
                    Some(lower) => theta = lower,
                    None => return End::Critical(place),
                },
                end => return end,
            }
        }
        End::Nowhere
    }

    /// The critical point below a place, or the minimum on a kink. Newton's method with a search along its straight lines takes short steps where
    /// a narrow valley bends: there the flow leads to the end, and Newton's method makes it exact. On a kink it would go to and fro.
    fn at_rest(&self, theta: &[f64], longest: f64) -> End {
        let exact = |theta: &[f64]| newton(self.loss, theta, longest, Aim::Minimum).map(End::Critical);
        let by_flow = || {
            let accuracy = Accuracy { scale: diagonal(self.domain), tolerance: ROUGH };
            exact(&rest(self.loss, theta, NEAR * longest, accuracy, |_| false)?)
        };
        exact(theta)
            .or_else(|| minimum_on_kink(self.loss, theta, longest).map(End::OnKink))
            .or_else(by_flow)
            .unwrap_or(End::Nowhere)
    }

    /// Whether a point is so near to a minimum that the slope is that of its parabola.
    fn is_on_parabola(&self, known: &Known, theta: &[f64]) -> bool {
        let image = self.loss.symmetry().map(|symmetry| symmetry.nearest(&known.point.theta, theta).1);
        let theta = image.as_deref().unwrap_or(theta);
        if distance(&known.point.theta, theta) > NEAR * diagonal(self.domain) {
            return false;
        }
        let mut slope = DVector::zeros(theta.len());
        self.loss.gradient(theta, slope.as_mut_slice());
        let away = DVector::from_column_slice(theta) - DVector::from_column_slice(&known.point.theta);
        let expected = &known.hessian * away;
        (slope - &expected).norm() <= 0.1 * expected.norm()
    }

    /// A lower place beside a critical point that is no minimum although its Hessian does not tell: along directions in which it
    /// is zero, the loss falls. A monkey saddle is one.
    fn below(&self, theta: &[f64]) -> Option<Vec<f64>> {
        let point = CriticalPoint::at(self.loss, theta);
        let flat = point.zero_directions(self.loss, self.usual_curvature, self.domain);
        if flat.is_empty() {
            return None;
        }
        let mut stream = Stream::new(0, 4, Purpose::Landscape);
        let along = |index: &usize| point.eigenvectors.column(*index).into_owned();
        let axes = flat.iter().map(along).flat_map(|axis| [axis.clone(), -axis]);
        let mixed = (0..16 * (flat.len() - 1)).map(|_| {
            let parts = flat.iter().map(|index| along(index) * (stream.uniform() - 0.5));
            parts.fold(DVector::zeros(theta.len()), |sum, part| sum + part).normalize()
        });
        let directions: Vec<DVector<f64>> = axes.chain(mixed).collect();
        [1e-2, 1e-3, 1e-4].iter().find_map(|part| {
            let at = |direction: &DVector<f64>| -> Vec<f64> {
                theta.iter().zip(direction.iter()).map(|(x, v)| x + part * diagonal(self.domain) * v).collect()
            };
            // More than rounding leaves.
            let margin = 1e-12 * point.loss.abs();
            directions.iter().map(at).find(|place| self.loss.value(place) < point.loss - margin)
        })
    }

    fn note(&mut self, theta: Vec<f64>) -> Result<(), LandscapeError> {
        let point = CriticalPoint::at(self.loss, &theta);
        if !point.loss.is_finite() {
            return Ok(());
        }
        if let Some(known) = self.found.iter_mut().find(|known| is_same(self.loss, &known.point, &point, self.domain)) {
            known.arrivals += 1;
            return Ok(());
        }
        // Where the Hessian jumps, it may be that of another side.
        if (point.index() == 0 || point.has_jump(self.loss, self.domain))
            && let Some(lower) = point.falls_to(self.loss, diagonal(self.domain))
        {
            return self.descend(vec![lower]);
        }
        let point = with_flat_directions(self.loss, point, self.usual_curvature, self.domain)?;
        // A saddle can be a fixed point of the descent only from a set of measure zero; symmetric starts hit it.
        if point.index() > 0 {
            return Ok(());
        }
        if point.flat.iter().any(FlatDirection::is_kink) {
            return Err(LandscapeError::OnKink { theta: point_text(&point.theta) });
        }
        // A flat valley would yield a new minimum from every start.
        let longest = 0.1 * diagonal(self.domain);
        let descend = |start: &[f64]| match self.at_rest(start, longest) {
            End::Critical(place) | End::OnKink(place) => Some(place),
            _ => None,
        };
        if !point.is_isolated(self.domain, descend) {
            let flat: Vec<usize> = point.flat.iter().map(|flat| flat.axis).collect();
            return Err(LandscapeError::singular(&point, &flat));
        }
        let point = standard(self.loss, point);
        let hessian = self.loss.hessian(&point.theta);
        self.found.push(Known { point, hessian, arrivals: 1 });
        if self.found.len() > MAXIMUM_MINIMA {
            return Err(LandscapeError::TooMany { limit: MAXIMUM_MINIMA });
        }
        Ok(())
    }

    /// What was found, and what speaks for more.
    fn finish(self) -> Result<(Vec<CriticalPoint>, Option<String>), LandscapeError> {
        if self.found.is_empty() {
            let hint = match &self.last_stray {
                Some(theta) => format!("a descent ended outside of it, at {}: extend loss.domain", point_text(theta)),
                None => format!("{} descents did not settle anywhere: the loss has no minimum there", self.strays),
            };
            return Err(LandscapeError::NoMinimum { domain: domain_text(self.domain), hint });
        }
        let arrivals: Vec<usize> = self.found.iter().map(|known| known.arrivals).collect();
        let mut minima: Vec<CriticalPoint> = self.found.into_iter().map(|known| known.point).collect();
        sort_by_loss(&mut minima);
        Ok((minima, doubt(&arrivals)))
    }
}

/// By Good and Turing (1953) the next descent comes to a minimum not yet seen with a probability of about the number of minima
/// that were come to once, over the number of descents: where there are such, there may be more.
fn doubt(arrivals: &[usize]) -> Option<String> {
    let once = arrivals.iter().filter(|&&arrivals| arrivals == 1).count();
    (once > 0).then(|| {
        format!(
            "{once} of the {} minima were come to by only one of {} descents that ended in the domain: it is wide beside the wells, and others \
             may have been missed; narrow loss.domain around the wells that are asked about",
            arrivals.len(),
            arrivals.iter().sum::<usize>()
        )
    })
}

/// Whether two minima are one: near to each other, and without a ridge between them.
fn is_same(loss: &dyn Loss, a: &CriticalPoint, b: &CriticalPoint, domain: &[[f64; 2]]) -> bool {
    // What is nearer than this part of that may differ by what rounding leaves.
    const AS_ROUNDED: f64 = 1e-3;
    let (near, apart) = (SAME * diagonal(domain), apart(loss, &a.theta, &b.theta));
    let middle = || -> Vec<f64> { a.theta.iter().zip(&b.theta).map(|(a, b)| 0.5 * (a + b)).collect() };
    let has_ridge = || loss.value(&middle()) > a.loss.max(b.loss) + 1e-12 * a.loss.abs();
    apart < AS_ROUNDED * near || apart < near && (loss.symmetry().is_some() || !has_ridge())
}

/// The image that stands for all images of a critical point.
pub(super) fn standard(loss: &dyn Loss, point: CriticalPoint) -> CriticalPoint {
    match loss.symmetry() {
        // The powers along flat directions are those of every image; the directions are found again.
        Some(symmetry) => {
            CriticalPoint { flat: point.flat, ..CriticalPoint::at(loss, &symmetry.standard_image(&point.theta)) }
        }
        None => point,
    }
}

/// The distance between a point and the nearest image of another.
pub(super) fn apart(loss: &dyn Loss, a: &[f64], b: &[f64]) -> f64 {
    loss.symmetry().map_or_else(|| distance(a, b), |symmetry| symmetry.nearest(a, b).0)
}

pub(super) fn random_point(stream: &mut Stream, domain: &[[f64; 2]]) -> Vec<f64> {
    domain.iter().map(|[low, high]| low + (high - low) * stream.uniform()).collect()
}

fn center(domain: &[[f64; 2]]) -> Vec<f64> {
    domain.iter().map(|[low, high]| 0.5 * (low + high)).collect()
}

pub(super) fn is_inside(theta: &[f64], domain: &[[f64; 2]]) -> bool {
    theta.iter().zip(domain).all(|(x, [low, high])| (low..=high).contains(&x))
}

pub(super) fn diagonal(domain: &[[f64; 2]]) -> f64 {
    domain.iter().map(|[low, high]| (high - low) * (high - low)).sum::<f64>().sqrt()
}

pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nalgebra::DMatrix;

    use super::doubt;
    use crate::landscape::Landscape;
    use crate::loss::expression::Expression;
    use crate::loss::wells::{Well, Wells};

    #[test]
    fn in_the_plane_too_wide_is_not_flat_either() {
        let told = |formula: &str, reach: f64| {
            let loss = Arc::new(Expression::new(&["x", "y"].map(String::from), &[], formula).unwrap());
            Landscape::explore(loss, &[[-reach, reach]; 2]).err().map_or_else(String::new, |error| error.to_string())
        };
        for reach in [1e12, 1e40] {
            let wide = told("(x^2 - 1)^2 + x^2*y^2 + y^4 + y^2", reach);
            assert!(wide.contains("is too wide"), "±{reach}: {wide}");
            for formula in ["(x^2 - 1)^2 + y^4", "(x - y)^2 + x^4"] {
                assert!(!told(formula, reach).contains("is too wide"), "{formula} on ±{reach}");
            }
        }
    }

    fn explored(variables: &[&str], formula: &str, reach: f64) -> Result<Landscape, String> {
        let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
        let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
        Landscape::explore(loss, &vec![[-reach, reach]; names.len()]).map_err(|error| error.to_string())
    }

    /// Critical points where H is zero along some direction, at which the very first descent begins, and which are no minima.
    #[test]
    fn degenerate_points_that_are_no_minima_are_passed() {
        for (variables, formula, minima) in [
            (&["x", "y"][..], "x^3 - 3*x*y^2 + (x^2 + y^2)^2", 3),
            (&["x", "y"], "(x^2 + y^2)^3 - (x^4 - 6*x^2*y^2 + y^4)", 4),
            (&["x", "y"], "x^6 - x^4 + y^2", 2),
            (&["x", "y"], "x^4/4 - x^3/3 + y^2/2 + 0.1*x^2*y^2", 1),
            (&["x", "y", "z"], "x^3 - 3*x*y^2 + (x^2 + y^2)^2 + z^2", 3),
            (&["x", "y", "z"], "x^6 - x^4 + y^6 - y^4 + z^2", 4),
        ] {
            let landscape = explored(variables, formula, 1.5).unwrap_or_else(|told| panic!("{formula}: {told}"));
            assert_eq!(landscape.minima.len(), minima, "{formula}");
        }
        // What is a minimum stays one, however flat.
        assert_eq!(
            explored(&["x", "y"], "x^2 + x*y + y^2 + 1e-9*(x - y)^4", 1.5).map(|found| found.minima.len()),
            Ok(1)
        );
        assert_eq!(explored(&["x", "y"], "x^2 + 1e-9*y^2", 1.5).map(|found| found.minima.len()), Ok(1));
        // A valley of minima is refused.
        for formula in ["(x^2 + y^2 - 1)^2", "(y - x^2)^2", "x^2*y^2 + (x^2 + y^2 - 1)^2*x^2"] {
            let told = explored(&["x", "y"], formula, 1.5).err().unwrap_or_default();
            assert!(told.contains("singular"), "{formula}: {told}");
        }
    }

    #[test]
    fn minima_without_curvature_are_minima() {
        for (formula, powers) in [
            ("x^2 + 1e-11*y^2", &[2.0][..]),
            ("x^4 + y^2", &[4.0]),
            ("(x^2 + y^2)^2", &[4.0, 4.0]),
            ("(x - y)^2 + (x + y)^4", &[4.0]),
            ("x^6 + y^4 + x^2*y^2", &[6.0, 4.0]),
        ] {
            let landscape = explored(&["x", "y"], formula, 1.5).unwrap_or_else(|told| panic!("{formula}: {told}"));
            let [minimum] = landscape.minima.as_slice() else { panic!("{formula}: {:?}", landscape.minima) };
            let mut found: Vec<f64> = minimum.flat.iter().map(|flat| flat.power).collect();
            found.sort_by(|a, b| b.total_cmp(a));
            assert!(found.len() == powers.len(), "{formula}: {found:?}");
            assert!(found.iter().zip(powers).all(|(a, b)| (a - b).abs() < 1e-2), "{formula}: {found:?}");
            assert!(minimum.theta.iter().all(|x| x.abs() < 1e-4), "{formula}: {:?}", minimum.theta);
            assert!(landscape.require_regular().is_err());
        }
        let two = explored(&["x", "y"], "(x^2 - 1)^4 + y^4", 2.0).unwrap();
        assert_eq!((two.minima.len(), two.minima[0].flat.len()), (2, 2));
    }

    /// Wells too narrow for the random starts, found by a walk that came by.
    #[test]
    fn places_in_no_basin_lead_to_what_was_missed() {
        let formula =
            "x^4/4 - x^2/2 + 0.05*x + (a^2 + b^2 + c^2)/2 - 1.9*exp(-((x - 0.9)^2 + (a - 0.5)^2 + b^2 + c^2)/0.02)";
        let names = ["x", "a", "b", "c"].map(String::from);
        let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
        let poor = Landscape::explore_from(loss.clone(), &[[-2.0, 2.0]; 4], Some(8)).unwrap();
        assert_eq!(poor.minima.len(), 2);
        let places = vec![vec![0.85, 0.45, 0.05, 0.0], vec![0.95, 0.55, 0.0, 0.0], vec![1.0, 0.0, 0.0, 0.0]];
        let missed = poor.missed(loss.as_ref(), &places);
        assert_eq!(missed.len(), 1);
        assert!((missed[0].theta[0] - 0.9).abs() < 0.02 && (missed[0].theta[1] - 0.5).abs() < 0.02, "{missed:?}");
        let whole = poor.with(loss, missed);
        assert_eq!(whole.minima.len(), 3);
        assert!(whole.minima[0].loss < whole.minima[1].loss && whole.neighbours().contains(&(0, 2)));
    }

    /// A valley that bends while its floor is almost flat: descents in straight lines take thousands of steps to its ends.
    #[test]
    fn the_ends_of_a_bent_valley_are_found() {
        for soft in [1e-4, 1e-6, 1e-8] {
            let landscape = explored(&["x", "y"], &format!("(x^2 + y^2 - 1)^2 + {soft}*x*y"), 2.0).unwrap();
            // At radius r on x = −y: 4(r² − 1)r = soft·r.
            let place = f64::sqrt(0.5 * (1.0 + 0.25 * soft));
            let ends = [[-place, place], [place, -place]];
            assert_eq!((landscape.minima.len(), landscape.doubt), (2, None), "{soft}");
            for (minimum, end) in landscape.minima.iter().zip(ends) {
                assert!((0..2).all(|i| (minimum.theta[i] - end[i]).abs() < 1e-6), "{soft}: {:?}", minimum.theta);
            }
        }
    }

    /// Sharp wells in many dimensions are no part of a box that random points hit, but whoever typed them knows where they are.
    #[test]
    fn typed_wells_are_found_in_many_dimensions() {
        for (d, sharpness) in [(10, 10.0), (20, 2.0), (20, 50.0), (50, 2.0)] {
            let well = |place: f64, loss: f64, h: f64| Well {
                position: std::iter::once(place).chain(std::iter::repeat_n(0.0, d - 1)).collect(),
                loss,
                hessian: DMatrix::from_diagonal_element(d, d, h),
            };
            let wells = [well(-1.0, 0.0, sharpness), well(1.0, 0.1, 1.0)];
            let loss = Arc::new(Wells::new(&wells, 0.1).unwrap());
            let landscape = Landscape::explore(loss, &vec![[-4.0, 4.0]; d]).unwrap();
            let places: Vec<f64> = landscape.minima.iter().map(|minimum| minimum.theta[0]).collect();
            assert!(places.len() == 2 && places[0] < -0.5 && places[1] > 0.5, "{d}, {sharpness}: {places:?}");
            assert_eq!((landscape.saddles.len(), landscape.doubt), (1, None), "{d}, {sharpness}");
        }
    }

    #[test]
    fn minima_come_to_once_leave_a_doubt() {
        assert_eq!(doubt(&[90, 6]), None);
        let told = doubt(&[90, 1, 1]).unwrap();
        assert!(told.contains("2 of the 3 minima") && told.contains("one of 92 descents"), "{told}");
    }
}
