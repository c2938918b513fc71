//! The landscape of a loss: its minima in a domain, the index-1 saddles between them, and the basins.
//!
//! Everything is found with exact gradients and Hessians. In 1-D the search is a scan for sign changes of L′, complete
//! up to the scan's resolution; in more dimensions it is many descents from a fixed random set of points, continued
//! until a whole batch finds nothing new.

pub mod basins;
mod bowl;
mod descent;
mod ellipsoid;
mod flat;
mod flow;
mod grid;
mod jump;
mod kink;
mod norm;
mod one_dimension;
mod pieces;
mod region;
mod saddles;
mod search;
mod stiff_flow;
pub mod strays;

use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;

use crate::loss::Loss;
use crate::plain::{decimals, exact, significant};
use crate::random::{Purpose, stream::Stream};
use basins::Basins;

pub(crate) use descent::quasi_newton;
pub use flat::FlatDirection;
pub(crate) use norm::{spectral_norm, spectral_norm_above};

/// A critical point with its curvature.
#[derive(Clone, Debug, PartialEq)]
pub struct CriticalPoint {
    /// θ ∈ ℝᵈ.
    pub theta: Vec<f64>,
    /// L(θ).
    pub loss: f64,
    /// Eigenvalues of H(θ), ascending.
    pub eigenvalues: Vec<f64>,
    /// The corresponding unit eigenvectors, as columns.
    pub eigenvectors: DMatrix<f64>,
    /// How many images the point stands for, itself included: 1 without symmetries ([`crate::loss::symmetry`]).
    pub multiplicity: u32,
    /// The directions along which H is zero, or the slope jumps; mostly none. Of saddles only a ridge on a line has any, where it is a kink.
    pub flat: Vec<FlatDirection>,
}

impl CriticalPoint {
    /// Curvature at a point, which the caller has found to be critical.
    fn at(loss: &dyn Loss, theta: &[f64]) -> Self {
        let (eigenvalues, eigenvectors) = sorted_eigen(loss.hessian(theta));
        let multiplicity = loss.symmetry().map_or(1, |symmetry| symmetry.multiplicity(theta) as u32);
        Self {
            theta: theta.to_vec(),
            loss: loss.value(theta),
            eigenvalues,
            eigenvectors,
            multiplicity,
            flat: Vec::new(),
        }
    }

    /// ln |det H|.
    pub fn log_determinant(&self) -> f64 {
        self.eigenvalues.iter().map(|h| crate::math::ln(h.abs())).sum()
    }

    /// tr H.
    pub fn trace(&self) -> f64 {
        self.eigenvalues.iter().sum()
    }

    /// Number of negative eigenvalues, flat directions aside.
    fn index(&self) -> usize {
        let is_flat = |axis: usize| self.flat.iter().any(|flat| flat.axis == axis);
        self.eigenvalues.iter().enumerate().filter(|&(axis, &h)| h < 0.0 && !is_flat(axis)).count()
    }

    /// The directions along which no parabola fits however near one looks: the quadratic approximation means nothing there. The eigenvalue is zero beside the
    /// curvature that is usual in the domain ([`curvature_scale`]), or what it is so far from the minimum as the last digits of θ leave it, as with |u|^2.5.
    fn zero_directions(&self, loss: &dyn Loss, curvature_scale: f64, domain: &[[f64; 2]]) -> Vec<usize> {
        let largest = self.eigenvalues.iter().fold(0.0f64, |a, h| a.max(h.abs()));
        let is_small = |h: f64| !h.is_finite() || h.abs() <= (SINGULAR * curvature_scale).max(FLAT * largest);
        let reach = search::diagonal(domain);
        let is_zero = |&i: &usize| {
            !self.is_parabola_along(loss, i, [NEAREST * reach, 0.1 * reach])
                && (is_small(self.eigenvalues[i]) || !self.is_lost_in(loss, &[i], domain))
        };
        (0..self.eigenvalues.len()).filter(is_zero).collect()
    }

    /// These, and the directions in which slope or curvature jump.
    fn flat_directions(&self, loss: &dyn Loss, curvature_scale: f64, domain: &[[f64; 2]]) -> Vec<usize> {
        let zero = self.zero_directions(loss, curvature_scale, domain);
        let is_flat = |i: &usize| zero.contains(i) || self.jump_along(loss, *i, domain).is_some();
        (0..self.eigenvalues.len()).filter(is_flat).collect()
    }

    /// Whether a parabola fits along all these directions after all, so near that the domain does not show it: then the domain
    /// is too wide, not the minimum flat.
    fn is_lost_in(&self, loss: &dyn Loss, flat: &[usize], domain: &[[f64; 2]]) -> bool {
        // Nearer than this θ + r has too few digits of r left, or r³ none.
        let size = self.theta.iter().fold(0.0f64, |a, x| a.max(x.abs()));
        let nearest = (1e3 * f64::EPSILON * size).max(1e-60);
        let farthest = NEAREST * search::diagonal(domain);
        flat.iter().all(|&i| self.is_parabola_along(loss, i, [nearest, farthest]))
    }

    /// Whether the slope along eigenvector i is that of a parabola, h·r within a quarter, on both sides at three radii r in
    /// turn, somewhere between two. In a domain far wider than its wells any curvature of a well is small beside that of the
    /// walls, and yet regular.
    fn is_parabola_along(&self, loss: &dyn Loss, i: usize, [nearest, farthest]: [f64; 2]) -> bool {
        let h = self.eigenvalues[i];
        let largest = self.eigenvalues.iter().fold(0.0f64, |a, h| a.max(h.abs()));
        // What rounding leaves of a zero beside the other eigenvalues is linear too.
        if !h.is_finite() || h.abs() <= FLAT * largest {
            return false;
        }
        let mut gradient = vec![0.0; self.theta.len()];
        let mut fits = |r: f64| {
            loss.gradient(&self.beside(i, r), &mut gradient);
            let slope: f64 = gradient.iter().zip(self.eigenvectors.column(i).iter()).map(|(g, v)| g * v).sum();
            (slope - h * r).abs() <= 0.25 * (h * r).abs()
        };
        let mut around = |r: f64| fits(r) && fits(-r);
        let mut radius = farthest;
        while radius >= nearest {
            if around(radius) && around(0.5 * radius) && around(0.25 * radius) {
                return true;
            }
            radius *= 0.25;
        }
        false
    }
}

/// An eigenvalue below this fraction of the usual curvature counts as zero. At a degenerate minimum such as x⁴ the
/// descent ends where the eigenvalue is far smaller; a real condition number of 1e9 passes.
const SINGULAR: f64 = 1e-9;
/// So near, in parts of the domain's diagonal, is a parabola looked for around an eigenvalue that seems to be zero. Nearer it only
/// tells that the domain is too wide.
const NEAREST: f64 = 1e-9;
/// Below this part of the largest eigenvalue of the same Hessian an eigenvalue counts as zero: it may be what rounding left of it.
const FLAT: f64 = 1e-10;

/// The curvature that is usual in a domain: the median over probe points of the largest |eigenvalue| of H.
fn curvature_scale(loss: &dyn Loss, domain: &[[f64; 2]]) -> f64 {
    let mut stream = Stream::new(0, 3, Purpose::Landscape);
    let points: Vec<Vec<f64>> = (0..65).map(|_| search::random_point(&mut stream, domain)).collect();
    let size = |point: &Vec<f64>| spectral_norm(loss.hessian(point));
    let mut sizes: Vec<f64> = points.par_iter().map(size).filter(|size| size.is_finite()).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.get(sizes.len() / 2).copied().unwrap_or(0.0)
}

/// An index-1 saddle and the two minima below it.
#[derive(Clone, Debug)]
pub struct Saddle {
    /// The saddle itself; its first eigenvalue is negative.
    pub point: CriticalPoint,
    /// Indices of the minima that gradient descent reaches on either side, the smaller one first.
    pub between: [usize; 2],
}

/// Minima, saddles and basins of a loss.
pub struct Landscape {
    /// By rising loss; equal losses by position.
    pub minima: Vec<CriticalPoint>,
    /// By rising loss.
    pub saddles: Vec<Saddle>,
    /// Which minimum the gradient flow reaches from a point.
    pub basins: Basins,
    /// Where minima were looked for, [low, high] per coordinate.
    pub domain: Vec<[f64; 2]>,
    /// The part of it around the wells, if it is very much wider than they are: lengths are measured by this.
    pub region: Vec<[f64; 2]>,
    /// Why the search may have missed minima; `None` where nothing speaks for that.
    pub doubt: Option<String>,
}

/// Why a landscape is not fit for the theory.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LandscapeError {
    /// No descent ended in the domain.
    #[error("no minimum of the loss lies in the domain {domain}; {hint}")]
    NoMinimum {
        /// The domain, as text.
        domain: String,
        /// Where descents went instead, or what else to try.
        hint: String,
    },
    /// A minimum has flat directions, so that det H = 0: of [`Landscape::explore`] only where the loss does not rise along them, and minima
    /// make up a valley.
    #[error(
        "the Hessian at the minimum {theta} is singular: {directions}; exp(−L/T)/√det H needs isolated minima with \
         det H > 0. Remove the flat direction, or add a small curvature along it; where the loss has a kink (abs, min, \
         max), smooth it, for example abs(x) as sqrt(x^2 + 1e-4)"
    )]
    Singular {
        /// Where, as text.
        theta: String,
        /// Which directions are flat, as text.
        directions: String,
    },
    /// A critical point that is regular, but so small beside the domain that the search cannot tell it from a flat one.
    #[error(
        "the domain {domain} is too wide for the search: around {theta} the loss is a parabola only within less than a \
         {NEAREST:e}th part of it, which cannot be told from a flat place as long as so wide a domain is looked through; narrow \
         loss.domain around the wells that are asked about"
    )]
    TooWide {
        /// The domain, as text.
        domain: String,
        /// Where, as text.
        theta: String,
    },
    /// A minimum at which slope or curvature jump, or, in one dimension, H < 0.
    #[error(
        "at the minimum {theta} the loss has a kink, or its curvature jumps: no parabola fits there, and det H means nothing; smooth it, for \
         example abs(x) as sqrt(x^2 + 1e-4), and max(a, b) as s*softplus((a - b)/s) + b with a small s"
    )]
    Kink {
        /// Where, as text.
        theta: String,
    },
    /// A minimum at which L rises by a power between 1 and 2.
    #[error(
        "at the minimum {theta} the curvature of the loss has no end, for L rises as |u|^{power} there: no parabola fits, and det H means nothing; \
         smooth it, for example abs(x)^1.5 as (x^2 + 1e-4)^0.75"
    )]
    Endless {
        /// Where, as text.
        theta: String,
        /// The power, as text.
        power: String,
    },
    /// A minimum in more than one dimension at which the slope jumps.
    #[error(
        "the loss is least on a kink at {theta}, where its slope jumps: in more than one dimension minima on kinks are not dealt with, since no \
         parabola fits there that would tell when the flow has arrived; smooth it, for example abs(x) as sqrt(x^2 + 1e-4), and \
         max(a, b) as s*softplus((a - b)/s) + b with a small s"
    )]
    OnKink {
        /// Where, as text.
        theta: String,
    },
    /// Two minima follow each other without a maximum between them.
    #[error(
        "between the minima at {} and {} the loss has no maximum: it jumps or is not defined there, and so has no basins; \
         make it continuous",
        between[0],
        between[1]
    )]
    Broken {
        /// The two minima, as text.
        between: [String; 2],
    },
    /// There are more minima than a ladder can show.
    #[error("the domain holds more than {limit} minima: make it smaller")]
    TooMany {
        /// The largest number.
        limit: usize,
    },
}

/// The largest number of minima of a landscape.
pub const MAXIMUM_MINIMA: usize = 253;

impl LandscapeError {
    fn singular(minimum: &CriticalPoint, flat: &[usize]) -> Self {
        let told = |&i: &usize| {
            let vector: Vec<f64> = minimum.eigenvectors.column(i).iter().copied().collect();
            format!("eigenvalue {} along {}", significant(minimum.eigenvalues[i], 2), point_text(&vector))
        };
        let directions: Vec<String> = flat.iter().map(told).collect();
        Self::Singular { theta: point_text(&minimum.theta), directions: directions.join(", ") }
    }

    fn endless(minimum: &CriticalPoint, power: f64) -> Self {
        Self::Endless { theta: point_text(&minimum.theta), power: significant(power, 2) }
    }
}

impl Landscape {
    /// Finds minima, saddles and basins.
    ///
    /// `domain` holds one [low, high] per coordinate; only minima inside it count. What flows to a minimum outside of
    /// it, or to infinity, lies in no basin.
    ///
    /// # Errors
    /// When there is no minimum in the domain, one of them is not isolated, or there are more than 253.
    pub fn explore(loss: std::sync::Arc<dyn Loss>, domain: &[[f64; 2]]) -> Result<Self, LandscapeError> {
        Self::explore_from(loss, domain, None)
    }

    /// The same with the number of points from which descents begin, in more than one dimension, where the search is a random one. Not
    /// given, it is 48 per coordinate, and as many again, up to eight times, until they find nothing new.
    ///
    /// # Errors
    /// As [`Landscape::explore`].
    pub fn explore_from(
        loss: std::sync::Arc<dyn Loss>,
        domain: &[[f64; 2]],
        starts: Option<u64>,
    ) -> Result<Self, LandscapeError> {
        if loss.dimension() == 1 {
            return one_dimension::explore(loss.as_ref(), domain[0]);
        }
        if let Some(center) = loss.center() {
            return bowl::explore(loss.as_ref(), &center, domain);
        }
        let usual_curvature = curvature_scale(loss.as_ref(), domain);
        let (mut minima, doubt) = search::minima(loss.as_ref(), domain, starts, usual_curvature)?;
        let mut region = region::around(loss.as_ref(), &minima, domain);
        if region != domain {
            // In its lengths minima are told apart that seemed to be one.
            let usual_curvature = curvature_scale(loss.as_ref(), &region);
            let known: Vec<Vec<f64>> = minima.iter().map(|minimum| minimum.theta.clone()).collect();
            minima = search::from_known(loss.as_ref(), &region, known, starts, usual_curvature)?.0;
            region = region::around(loss.as_ref(), &minima, domain);
        }
        let landscape = Self::of_minima(loss, minima, domain, region, doubt);
        match &landscape.basins.rest_on_kink {
            Some(place) if search::is_inside(place, domain) => Err(LandscapeError::OnKink { theta: point_text(place) }),
            _ => Ok(landscape),
        }
    }

    fn of_minima(
        loss: std::sync::Arc<dyn Loss>,
        minima: Vec<CriticalPoint>,
        domain: &[[f64; 2]],
        region: Vec<[f64; 2]>,
        doubt: Option<String>,
    ) -> Self {
        let mut basins = Basins::by_flow(loss.clone(), &minima, &region);
        let saddles =
            saddles::between(loss.as_ref(), &minima, &basins, &region, curvature_scale(loss.as_ref(), &region));
        // Where a ridge is a kink there may be no saddle on it.
        let ridges = minima.windows(2).map(|pair| saddles::ridge_point(loss.as_ref(), &pair[0].theta, &pair[1].theta));
        basins.look_for_slides(saddles.iter().map(|saddle| saddle.point.theta.clone()).chain(ridges));
        Self { minima, saddles, basins, domain: domain.to_vec(), region, doubt }
    }

    /// What Laplace's and Kramers' formulas ask for: minima with det H > 0.
    ///
    /// # Errors
    /// The first minimum that has none.
    pub fn require_regular(&self) -> Result<(), LandscapeError> {
        // At a kink, max(1 − x², x² − 1) say, the loss can be least where its formula curves downwards.
        let is_kink = |minimum: &CriticalPoint| {
            minimum.flat.iter().any(FlatDirection::is_jump)
                || (minimum.theta.len() == 1 && minimum.eigenvalues[0] < 0.0)
        };
        match self.minima.iter().find(|minimum| !minimum.is_regular()) {
            None => Ok(()),
            Some(minimum) if minimum.flat.iter().any(FlatDirection::is_endless) => {
                Err(LandscapeError::endless(minimum, minimum.flat.iter().fold(2.0, |a, flat| flat.power.min(a))))
            }
            Some(kink) if is_kink(kink) => Err(LandscapeError::Kink { theta: point_text(&kink.theta) }),
            Some(minimum) => {
                let flat: Vec<usize> = minimum.flat.iter().map(|flat| flat.axis).collect();
                Err(LandscapeError::singular(minimum, &flat))
            }
        }
    }

    /// Minima in the domain that the search had missed, if the flow from one of these places leads there. In one dimension, and in a bowl, the
    /// search misses none.
    pub fn missed(&self, loss: &dyn Loss, places: &[Vec<f64>]) -> Vec<CriticalPoint> {
        if places.is_empty() || self.domain.len() == 1 || loss.center().is_some() {
            return Vec::new();
        }
        // What they lead to may be no minimum that theory can deal with: then it stays unknown.
        search::missed(loss, self, places, curvature_scale(loss, &self.region)).unwrap_or_default()
    }

    /// This landscape with further minima.
    #[must_use]
    pub fn with(&self, loss: std::sync::Arc<dyn Loss>, missed: Vec<CriticalPoint>) -> Self {
        let domain = &self.domain;
        let mut minima = self.minima.clone();
        minima.extend(missed);
        minima.truncate(MAXIMUM_MINIMA);
        sort_by_loss(&mut minima);
        let region = region::around(loss.as_ref(), &minima, domain);
        Self::of_minima(loss, minima, domain, region, self.doubt.clone())
    }

    /// Every minimum with all its images, one after another.
    pub fn images(&self, loss: &dyn Loss) -> Vec<CriticalPoint> {
        let Some(symmetry) = loss.symmetry() else { return self.minima.clone() };
        let images = |minimum: &CriticalPoint| {
            let images = symmetry.images(&minimum.theta);
            let image =
                |theta: Vec<f64>| CriticalPoint { flat: minimum.flat.clone(), ..CriticalPoint::at(loss, &theta) };
            images.into_iter().map(image).collect::<Vec<_>>()
        };
        self.minima.iter().flat_map(images).collect()
    }

    /// Where the minima of a line lie, and the ridges between them, in ascending order; empty in more dimensions.
    pub fn places_on_a_line(&self) -> Vec<f64> {
        let Some(intervals) = self.basins.intervals() else { return Vec::new() };
        let mut places: Vec<f64> = self.minima.iter().map(|minimum| minimum.theta[0]).collect();
        places.sort_by(f64::total_cmp);
        let (first, last) = (places[0], places[places.len() - 1]);
        places.extend(intervals.iter().map(|&(left, ..)| left).filter(|ridge| first < *ridge && *ridge < last));
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    }

    /// Every two minima that share a saddle, both ways.
    pub fn neighbours(&self) -> Vec<(usize, usize)> {
        let mut pairs: Vec<[usize; 2]> = self.saddles.iter().map(|saddle| saddle.between).collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs.into_iter().flat_map(|[a, b]| [(a, b), (b, a)]).collect()
    }

    /// The largest |eigenvalue| of the Hessian at any minimum or saddle.
    pub fn largest_curvature(&self) -> f64 {
        let saddles = self.saddles.iter().map(|saddle| &saddle.point);
        self.minima.iter().chain(saddles).flat_map(|point| &point.eigenvalues).fold(0.0, |a, h| a.max(h.abs()))
    }
}

/// "A", "B", …, "Z", "AA", …: the name of minimum `index`.
pub fn minimum_name(index: usize) -> String {
    let letter = char::from(b'A' + (index % 26) as u8);
    if index < 26 { letter.to_string() } else { format!("{}{letter}", minimum_name(index / 26 - 1)) }
}

/// Orders minima by loss; those of equal loss (to rounding) by their coordinates, so that names are reproducible.
fn sort_by_loss(points: &mut [CriticalPoint]) {
    points.sort_by(|a, b| {
        let scale = 1e-9 * (1.0 + a.loss.abs().max(b.loss.abs()));
        let by_place = || a.theta.iter().zip(&b.theta).map(|(x, y)| x.total_cmp(y)).find(|o| o.is_ne());
        if (a.loss - b.loss).abs() > scale {
            a.loss.total_cmp(&b.loss)
        } else {
            by_place().unwrap_or(std::cmp::Ordering::Equal)
        }
    });
}

/// A minimum with what is known of its flat directions.
///
/// # Errors
/// When the loss does not rise along one of them, or the domain is so wide that they are none.
fn with_flat_directions(
    loss: &dyn Loss,
    minimum: CriticalPoint,
    curvature_scale: f64,
    domain: &[[f64; 2]],
) -> Result<CriticalPoint, LandscapeError> {
    let flat = minimum.flat_directions(loss, curvature_scale, domain);
    if flat.is_empty() {
        return Ok(minimum);
    }
    if !minimum.has_jump(loss, domain) && minimum.is_lost_in(loss, &flat, domain) {
        return Err(LandscapeError::TooWide { domain: domain_text(domain), theta: point_text(&minimum.theta) });
    }
    // In more than one dimension no flow ends there, nor a descent by curvatures.
    if domain.len() > 1
        && let Some(power) = flat.iter().find_map(|&axis| minimum.power_below_two(loss, axis, domain))
    {
        return Err(LandscapeError::endless(&minimum, power));
    }
    let singular = LandscapeError::singular(&minimum, &flat);
    minimum.with_flat(loss, &flat, domain).ok_or(singular)
}

/// A domain for a message.
fn domain_text(domain: &[[f64; 2]]) -> String {
    let side = |[low, high]: &[f64; 2]| format!("[{}, {}]", exact(*low), exact(*high));
    let sides: Vec<String> = domain.iter().take(6).map(side).collect();
    let more = if domain.len() > 6 { " × …" } else { "" };
    format!("{}{more}", sides.join(" × "))
}

/// A point for a message: at most six coordinates.
pub(crate) fn point_text(theta: &[f64]) -> String {
    let mut shown: Vec<String> = theta.iter().take(6).map(|x| decimals(x + 0.0, 4)).collect();
    if theta.len() > 6 {
        shown.push("…".into());
    }
    format!("({})", shown.join(", "))
}

/// Eigenvalues ascending, eigenvectors as columns, each with its largest component positive.
fn sorted_eigen(matrix: DMatrix<f64>) -> (Vec<f64>, DMatrix<f64>) {
    let d = matrix.nrows();
    if matrix.iter().any(|x| !x.is_finite()) {
        return (vec![f64::NAN; d], DMatrix::identity(d, d));
    }
    let eigen = SymmetricEigen::new(matrix);
    let mut order: Vec<usize> = (0..d).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[a].total_cmp(&eigen.eigenvalues[b]));
    let values = order.iter().map(|&i| eigen.eigenvalues[i]).collect();
    let mut vectors = DMatrix::zeros(d, d);
    for (column, &i) in order.iter().enumerate() {
        let vector = eigen.eigenvectors.column(i);
        let sign = if vector[vector.iamax()] < 0.0 { -1.0 } else { 1.0 };
        vectors.set_column(column, &(vector * sign));
    }
    (values, vectors)
}
