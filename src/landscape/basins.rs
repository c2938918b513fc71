//! Basins of attraction of the gradient flow: to which minimum does a point belong?
//!
//! The definition is the flow dθ/dt = −∇L itself. Following it for every observed point would dominate a run, so it is
//! replaced where the answer is certain:
//!
//! - in 1-D, basins are intervals between the maxima of L: exact, one comparison per maximum;
//! - in any dimension, each minimum has an ellipsoid q(θ) = (θ−m)ᵀH(θ−m) ≤ r² in which q falls along the flow
//!   (∇q·∇L > 0 at every probed point, and r is then shortened), so no point of it can leave;
//! - in 2-D and 3-D, a grid of labels answers for cells whose surroundings carry one label only.
//!
//! Everything else is settled by the flow. A test compares the labels with the flow alone, at strict tolerance, on
//! random points: the fraction of differences is below 1e−4 (points within the flow's tolerance of a ridge).

use std::sync::Arc;

use rayon::prelude::*;

use super::CriticalPoint;
use super::ellipsoid::Ellipsoid;
use super::flow::{Accuracy, Destination, Room, basin, follow_flow, follow_flows};
use super::grid::Grid;
use super::region::length;
use super::search::diagonal;
use super::stiff_flow::{rest_on_kink, slides};
use crate::instructions::vectorized;
use crate::loss::{LANES, Loss};
use crate::random::{Purpose, stream::Stream};

pub use super::flow::NO_BASIN;

/// Local error of the flow, relative to the landscape's length.
const FLOW_TOLERANCE: f64 = 1e-5;

/// The basins of a landscape's minima.
pub struct Basins {
    kind: Kind,
    /// Whether flows beside a ridge go along kinks: they take a hundred times as long as others, and where they part is known less well.
    pub(crate) has_slides: bool,
    /// A place on a kink at which one of these flows ended: a minimum that the search had missed.
    pub(super) rest_on_kink: Option<Vec<f64>>,
}

enum Kind {
    /// `ridges` ascending; interval i lies before ridge i.
    Intervals {
        ridges: Vec<f64>,
        owners: Vec<Option<usize>>,
    },
    Flow(Box<Flow>),
    /// One minimum, to which everything flows.
    Whole,
}

/// Room for the flow, so that labelling does not allocate.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Distances, pulls and images of a block.
    rows: Vec<f64>,
    /// Points that only the flow can tell.
    left: Vec<f64>,
    flow: Room,
}

impl Workspace {
    /// All that a block needs at the first look, since it is seen late whether the flow is needed.
    fn prepare(&mut self, loss: &dyn Loss) {
        let numbers = loss.dimension() * LANES;
        self.left.clear();
        if self.rows.len() != 3 * numbers {
            self.rows.resize(3 * numbers, 0.0);
            self.left.reserve(numbers);
            self.flow.prepare(loss);
        }
    }
}

impl Basins {
    pub(super) fn by_intervals(ridges: Vec<f64>, owners: Vec<Option<usize>>) -> Self {
        Self { kind: Kind::Intervals { ridges, owners }, has_slides: false, rest_on_kink: None }
    }

    /// Of the only minimum of a parabola.
    pub(super) fn of_bowl() -> Self {
        Self { kind: Kind::Whole, has_slides: false, rest_on_kink: None }
    }

    pub(super) fn by_flow(loss: Arc<dyn Loss>, minima: &[CriticalPoint], domain: &[[f64; 2]]) -> Self {
        let scale = length(minima, domain);
        let ellipsoid = |minimum| Ellipsoid::around(loss.as_ref(), minimum, minima, diagonal(domain));
        let ellipsoids = minima.par_iter().map(ellipsoid).collect();
        let grid = Grid::is_for(domain.len()).then(|| Grid::new(domain));
        Self {
            kind: Kind::Flow(Box::new(Flow { loss, ellipsoids, scale, grid })),
            has_slides: false,
            rest_on_kink: None,
        }
    }

    /// Looks whether flows slide along kinks beside these places on ridges.
    pub(super) fn look_for_slides(&mut self, ridges: impl Iterator<Item = Vec<f64>>) {
        const PLACES: usize = 8;
        const MOST_RIDGES: usize = 8;
        const BESIDE: f64 = 0.1;
        let Kind::Flow(flow) = &self.kind else { return };
        // Beyond, nothing is cut along ridges.
        if flow.loss.dimension() > 3 {
            return;
        }
        let mut stream = Stream::new(0, 10, Purpose::Landscape);
        let accuracy = flow.accuracy();
        let size = BESIDE * accuracy.scale / (flow.loss.dimension() as f64).sqrt();
        let mut places = ridges.take(MOST_RIDGES).flat_map(|place| std::iter::repeat_n(place, PLACES));
        let (loss, step) = (flow.loss.as_ref(), 1e-3 * size);
        let mut room = Workspace::default();
        for place in &mut places {
            let reach = size * stream.uniform();
            let beside: Vec<f64> = place.iter().map(|x| x + reach * (2.0 * stream.uniform() - 1.0)).collect();
            if !slides(loss, &beside, step, accuracy) {
                continue;
            }
            self.has_slides = true;
            room.prepare(loss);
            let is_known = |place: &[f64]| flow.inside::<1>(place.as_chunks().0, &mut room.rows) != [NO_BASIN];
            self.rest_on_kink = rest_on_kink(loss, &beside, step, accuracy, is_known);
            if self.rest_on_kink.is_some() {
                break;
            }
        }
    }

    /// The minimum to which a point belongs; `None` where the flow reaches none of them.
    pub fn label(&self, theta: &[f64], workspace: &mut Workspace) -> Option<usize> {
        match &self.kind {
            Kind::Intervals { ridges, owners } => {
                if theta[0].is_nan() {
                    return None;
                }
                owners[ridges.iter().filter(|&&ridge| ridge < theta[0]).count()]
            }
            Kind::Flow(flow) => flow.label(theta, workspace),
            Kind::Whole => theta.iter().all(|x| x.is_finite()).then_some(0),
        }
    }

    /// Labels of the live lanes of a block, [`NO_BASIN`] where the flow reaches no minimum; layout as in [`crate::loss`].
    pub fn label_block(
        &self,
        theta: &[f64],
        live: &[bool; LANES],
        labels: &mut [u64; LANES],
        workspace: &mut Workspace,
    ) {
        match &self.kind {
            Kind::Intervals { ridges, owners } => {
                let owner = |interval: usize| owners[interval].map_or(NO_BASIN, |owner| owner as u64);
                vectorized(
                    #[inline(always)]
                    || {
                        let Some(x) = theta.first_chunk::<LANES>() else { return };
                        labels.fill(owner(0));
                        for (ridge, interval) in ridges.iter().zip(1..) {
                            let owner = owner(interval);
                            for l in 0..LANES {
                                labels[l] = if *ridge < x[l] { owner } else { labels[l] };
                            }
                        }
                    },
                );
            }
            Kind::Flow(flow) => flow.label_block(theta, live, labels, workspace),
            Kind::Whole => {
                labels.fill(0);
                for row in theta.as_chunks::<LANES>().0 {
                    for l in 0..LANES {
                        labels[l] = if row[l].is_finite() { labels[l] } else { NO_BASIN };
                    }
                }
            }
        }
    }

    /// Labels of many points, d numbers after d numbers, as those of [`Basins::label_block`]. The more there are, the less each one
    /// takes: the flows of all that need one go side by side.
    pub fn label_all(&self, points: &[f64], labels: &mut [u64], workspace: &mut Workspace) {
        match &self.kind {
            Kind::Intervals { .. } | Kind::Whole => {
                let d = (points.len() / labels.len().max(1)).max(1);
                for (point, label) in points.chunks_exact(d).zip(labels) {
                    *label = self.label(point, workspace).map_or(NO_BASIN, |owner| owner as u64);
                }
            }
            Kind::Flow(flow) => flow.label_all(points, labels, workspace),
        }
    }

    /// The minimum that the flow itself reaches, by no short cut but the ellipsoids.
    pub fn flow_from(&self, theta: &[f64]) -> Option<usize> {
        match &self.kind {
            Kind::Intervals { .. } | Kind::Whole => self.label(theta, &mut Workspace::default()),
            Kind::Flow(flow) => flow.settle(theta, &mut Workspace::default()),
        }
    }

    /// The intervals (low, high, minimum) of a 1-D landscape, from left to right; `None` in more dimensions.
    pub fn intervals(&self) -> Option<Vec<(f64, f64, Option<usize>)>> {
        let Kind::Intervals { ridges, owners } = &self.kind else { return None };
        let low = |i: usize| if i == 0 { f64::NEG_INFINITY } else { ridges[i - 1] };
        let high = |i: usize| ridges.get(i).copied().unwrap_or(f64::INFINITY);
        Some(owners.iter().enumerate().map(|(i, &owner)| (low(i), high(i), owner)).collect())
    }
}

/// Basins that the flow tells, and what is known without following it.
struct Flow {
    loss: Arc<dyn Loss>,
    ellipsoids: Vec<Ellipsoid>,
    scale: f64,
    grid: Option<Grid>,
}

impl Flow {
    /// The ellipsoids for all lanes at once, then the grid, then the flow for all lanes that are left.
    fn label_block(&self, theta: &[f64], live: &[bool; LANES], labels: &mut [u64; LANES], workspace: &mut Workspace) {
        let d = theta.len() / LANES;
        workspace.prepare(self.loss.as_ref());
        let Workspace { rows, left, flow } = workspace;
        *labels = self.inside(theta.as_chunks().0, rows);
        let mut waiting = 0;
        let mut lanes = [0; LANES];
        for lane in 0..LANES {
            if live[lane] && labels[lane] == NO_BASIN {
                left.extend(theta.chunks_exact(LANES).map(|row| row[lane]));
                match self.certain_label(&left[waiting * d..], rows, flow) {
                    Some(label) => {
                        labels[lane] = label;
                        left.truncate(waiting * d);
                    }
                    None => {
                        lanes[waiting] = lane;
                        waiting += 1;
                    }
                }
            }
        }
        let mut settled = [NO_BASIN; LANES];
        self.settle_all(left, &mut settled[..waiting], rows, flow);
        for (&lane, label) in lanes[..waiting].iter().zip(settled) {
            labels[lane] = label;
        }
    }

    /// The labels of many points, d numbers after d numbers.
    fn label_all(&self, points: &[f64], labels: &mut [u64], workspace: &mut Workspace) {
        let d = self.loss.dimension();
        workspace.prepare(self.loss.as_ref());
        let Workspace { rows, left, flow } = workspace;
        let mut indices = Vec::new();
        let mut block = vec![0.0; d * LANES];
        for (first, points) in (0..).step_by(LANES).zip(points.chunks(d * LANES)) {
            for (lane, point) in points.chunks_exact(d).enumerate() {
                point.iter().enumerate().for_each(|(i, x)| block[i * LANES + lane] = *x);
            }
            let inside = self.inside::<LANES>(block.as_chunks().0, rows);
            for (lane, point) in points.chunks_exact(d).enumerate() {
                labels[first + lane] = inside[lane];
                if inside[lane] == NO_BASIN {
                    match self.certain_label(point, rows, flow) {
                        Some(label) => labels[first + lane] = label,
                        None => {
                            left.extend_from_slice(point);
                            indices.push(first + lane);
                        }
                    }
                }
            }
        }
        let mut settled = vec![NO_BASIN; indices.len()];
        self.settle_all(left, &mut settled, rows, flow);
        for (index, label) in indices.into_iter().zip(settled) {
            labels[index] = label;
        }
    }

    fn label(&self, theta: &[f64], workspace: &mut Workspace) -> Option<usize> {
        workspace.prepare(self.loss.as_ref());
        let Workspace { rows, flow, .. } = workspace;
        let [inside] = self.inside::<1>(theta.as_chunks().0, rows);
        let known = if inside == NO_BASIN { self.certain_label(theta, rows, flow) } else { Some(inside) };
        known.map_or_else(|| self.settle(theta, workspace), basin)
    }

    /// The minimum in whose ellipsoid each lane, or an image of it, lies; [`NO_BASIN`] where it lies in none.
    fn inside<const N: usize>(&self, theta: &[[f64; N]], rows: &mut [f64]) -> [u64; N] {
        let mut labels = [NO_BASIN; N];
        vectorized(
            #[inline(always)]
            || {
                let (distance, rows) = rows.as_chunks_mut::<N>().0.split_at_mut(theta.len());
                let (pull, images) = rows.split_at_mut(theta.len());
                let theta = match self.loss.symmetry() {
                    Some(symmetry) => {
                        symmetry.standard_images(theta, images);
                        &*images
                    }
                    None => theta,
                };
                let theta = &theta[..distance.len()];
                for (index, ellipsoid) in self.ellipsoids.iter().enumerate() {
                    let q = ellipsoid.quadratic(theta, distance, pull);
                    for l in 0..N {
                        let inside = (q[l] <= ellipsoid.radius_squared) & (labels[l] == NO_BASIN);
                        labels[l] = if inside { index as u64 } else { labels[l] };
                    }
                }
            },
        );
        labels
    }

    /// The label that the grid knows of a point.
    fn certain_label(&self, theta: &[f64], rows: &mut [f64], room: &mut Room) -> Option<u64> {
        let mut settle = |points: &[f64], labels: &mut [u64]| self.settle_all(points, labels, rows, room);
        self.grid.as_ref()?.certain_label(theta, &mut settle)
    }

    fn accuracy(&self) -> Accuracy {
        Accuracy { scale: self.scale, tolerance: FLOW_TOLERANCE }
    }

    /// Where the flow takes a point.
    fn settle(&self, theta: &[f64], workspace: &mut Workspace) -> Option<usize> {
        workspace.prepare(self.loss.as_ref());
        let Workspace { rows, flow, .. } = workspace;
        let arrived = |theta: &[[f64; 1]]| basin(self.inside(theta, rows)[0]);
        follow_flow(self.loss.as_ref(), theta, self.accuracy(), &mut flow.alone, arrived)
    }

    /// Where the flow takes many points, d numbers after d numbers.
    fn settle_all(&self, points: &[f64], labels: &mut [u64], rows: &mut [f64], room: &mut Room) {
        let mut ellipsoids = Ellipsoids { flow: self, rows };
        follow_flows(self.loss.as_ref(), points, self.accuracy(), room, &mut ellipsoids, labels);
    }
}

/// Flows have arrived when they are in an ellipsoid.
struct Ellipsoids<'a> {
    flow: &'a Flow,
    rows: &'a mut [f64],
}

impl Destination for Ellipsoids<'_> {
    fn arrived<const N: usize>(&mut self, theta: &[[f64; N]]) -> [u64; N] {
        self.flow.inside(theta, self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::Landscape;
    use crate::landscape::search::distance;
    use crate::loss::wells::{Well, Wells};
    use crate::random::{Purpose, stream::Stream};
    use nalgebra::{DMatrix, dmatrix};

    /// A hundred times stricter than labels are.
    fn strict(scale: f64) -> Accuracy {
        Accuracy { scale, tolerance: 1e-7 }
    }

    /// Ten dimensions, where the ridge is near in one direction of many: points around the way from well to well,
    /// against the flow alone.
    #[test]
    fn labels_in_ten_dimensions_are_those_of_the_flow() {
        let well = |position: f64, loss: f64, curvature: f64| Well {
            position: vec![position; 10],
            loss,
            hessian: DMatrix::from_diagonal_element(10, 10, curvature),
        };
        let loss = Arc::new(Wells::new(&[well(-1.0, 0.0, 1.0), well(1.0, 0.1, 0.5)], 0.1).unwrap());
        let landscape = Landscape::explore(loss.clone(), &[[-3.0, 3.0]; 10]).unwrap();
        let mut stream = Stream::new(0, 9, Purpose::Landscape);
        let mut workspace = Workspace::default();
        let mut differences = 0;
        for _ in 0..4_000 {
            let along = 2.4 * stream.uniform() - 1.2;
            let point: Vec<f64> = (0..10).map(|_| along + 0.6 * (stream.uniform() - 0.5)).collect();
            let close =
                |at: &[[f64; 1]]| landscape.minima.iter().position(|m| distance(&m.theta, at.as_flattened()) < 1e-2);
            let strict = follow_flow(loss.as_ref(), &point, strict(19.0), &mut Vec::new(), close);
            differences += i32::from(strict != landscape.basins.label(&point, &mut workspace));
        }
        assert!(differences <= 4, "{differences} of 4000");
    }

    /// Three wells in the plane: short cuts against the flow alone at a tolerance a hundred times stricter.
    #[test]
    fn labels_are_those_of_the_flow() {
        let wells = [
            Well { position: vec![-1.0, 0.0], loss: 0.0, hessian: dmatrix![8.0, 1.0; 1.0, 2.0] },
            Well { position: vec![1.0, 0.5], loss: 0.1, hessian: dmatrix![1.5, -0.5; -0.5, 3.0] },
            Well { position: vec![0.3, -1.2], loss: 0.2, hessian: dmatrix![2.0, 0.0; 0.0, 2.5] },
        ];
        let loss = Arc::new(Wells::new(&wells, 0.1).unwrap());
        let domain = [[-2.5, 2.5], [-2.5, 2.5]];
        let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
        assert_eq!(landscape.minima.len(), 3);
        let Kind::Flow(flow) = &landscape.basins.kind else { panic!("two dimensions use the flow") };
        let mut stream = Stream::new(0, 9, Purpose::Landscape);
        let mut workspace = Workspace::default();
        let (mut differences, mut by_short_cut) = (0, 0);
        let points = 40_000;
        for _ in 0..points {
            let point = [6.0 * stream.uniform() - 3.0, 6.0 * stream.uniform() - 3.0];
            let near_minimum = flow.inside::<1>(point.as_chunks().0, &mut [0.0; 6]) != [NO_BASIN];
            let grid = |rows: &mut [f64], room: &mut Room| flow.certain_label(&point, rows, room).is_some();
            by_short_cut += i32::from(near_minimum || grid(&mut [0.0; 6 * LANES], &mut Room::default()));
            let close =
                |at: &[[f64; 1]]| landscape.minima.iter().position(|m| distance(&m.theta, at.as_flattened()) < 1e-2);
            let strict = follow_flow(loss.as_ref(), &point, strict(flow.scale), &mut Vec::new(), close);
            differences += i32::from(strict != landscape.basins.label(&point, &mut workspace));
        }
        assert!(differences <= points / 10_000, "{differences} of {points}");
        assert!(by_short_cut > points * 9 / 10, "only {by_short_cut} of {points} labels were cheap");
    }

    /// Stiff landscapes whose ridge is known by their symmetry or because they separate: all but points at the ridge itself have the
    /// right label.
    #[test]
    fn labels_of_stiff_landscapes_are_those_of_their_ridge() {
        let plane = ["x", "y"].map(String::from).to_vec();
        let ring = |soft: f64| format!("(x^2 + y^2 - 1)^2 + {soft}*x*y");
        let bent = |walls: f64| format!("(x^2 - 1)^2/4 + {walls}*(y - x^2)^2");
        type Side = Box<dyn Fn(&[f64]) -> f64>;
        let mut cases: Vec<(Vec<String>, String, Side)> = Vec::new();
        for soft in [1e-2, 1e-6, 1e-8] {
            // Minima at (−1, 1) and (1, −1), and x = y between them.
            cases.push((plane.clone(), ring(soft), Box::new(|at| at[0] - at[1])));
        }
        for walls in [10.0, 1e4, 1e7] {
            cases.push((plane.clone(), bent(walls), Box::new(|at| at[0])));
        }
        for (d, condition) in [(2, 1e4f64), (2, 1e8), (5, 1e2), (5, 1e6), (5, 1e8), (10, 1e2), (10, 1e8)] {
            // Coordinates v = θ − 2w(w·θ), mirrored at a plane across w.
            let w: Vec<f64> = (1..=d).map(|i| (i as f64).sqrt()).collect();
            let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
            let w: Vec<f64> = w.iter().map(|w| w / norm).collect();
            let names: Vec<String> = (0..d).map(|i| format!("x{i}")).collect();
            let along: Vec<String> = names.iter().zip(&w).map(|(x, w)| format!("{w}*{x}")).collect();
            let v = |i: usize| format!("({} - {}*({}))", names[i], 2.0 * w[i], along.join(" + "));
            let wall = |i: usize| condition.powf(i as f64 / (d - 1) as f64);
            let walls: Vec<String> = (1..d).map(|i| format!("{}*{}^2", wall(i), v(i))).collect();
            // The ridge of (v² − 1)²/4 + 0.05v.
            let ridge = 0.050_126_111_6;
            let formula = format!("({v}^2 - 1)^2/4 + 0.05*{v} + {}", walls.join(" + "), v = v(0));
            let side = move |at: &[f64]| {
                let product: f64 = at.iter().zip(&w).map(|(x, w)| x * w).sum();
                at[0] - 2.0 * w[0] * product - ridge
            };
            cases.push((names, formula, Box::new(side)));
        }
        let mut stream = Stream::new(0, 9, Purpose::Landscape);
        for (names, formula, side) in cases {
            let d = names.len();
            let loss = Arc::new(crate::loss::expression::Expression::new(&names, &[], &formula).unwrap());
            let landscape = Landscape::explore(loss, &vec![[-2.0, 2.0]; d]).unwrap();
            assert_eq!(landscape.minima.len(), 2, "{formula}");
            let is_right = |point: &[f64], label: u64| {
                side(point).abs() < 2e-3
                    || landscape.minima.get(label as usize).is_some_and(|m| side(&m.theta) * side(point) > 0.0)
            };
            let points: Vec<f64> = (0..500 * d).map(|_| 4.0 * stream.uniform() - 2.0).collect();
            let mut labels = vec![0; 500];
            landscape.basins.label_all(&points, &mut labels, &mut Workspace::default());
            let wrong = points.chunks_exact(d).zip(&labels).filter(|(point, label)| !is_right(point, **label)).count();
            assert_eq!(wrong, 0, "{formula}");
        }
    }

    /// A network, whose labels are found in a crowd, where soft directions bend the way and every minimum has two images.
    #[test]
    fn labels_of_a_network_are_those_of_the_flow() {
        let scenario = crate::scenario::resolve("tiny-network")[0].load(&[], None).unwrap().scenario;
        let loss = scenario.loss.build().unwrap();
        let landscape = Landscape::explore(loss.clone(), &scenario.loss.domain).unwrap();
        let symmetry = loss.symmetry().unwrap();
        let mut stream = Stream::new(0, 9, Purpose::Landscape);
        let points: Vec<f64> = (0..700 * 7).map(|_| 8.0 * stream.uniform() - 4.0).collect();
        let mut labels = vec![0; 700];
        landscape.basins.label_all(&points, &mut labels, &mut Workspace::default());
        let is_wrong = |(point, label): (&[f64], &u64)| {
            let close = |at: &[[f64; 1]]| {
                landscape.minima.iter().position(|m| symmetry.nearest(at.as_flattened(), &m.theta).0 < 1e-2)
            };
            follow_flow(loss.as_ref(), point, strict(26.0), &mut Vec::new(), close) != basin(*label)
        };
        let differences = points.chunks_exact(7).zip(&labels).filter(|&pair| is_wrong(pair)).count();
        assert!(differences <= 1, "{differences} of 700");
    }
}
