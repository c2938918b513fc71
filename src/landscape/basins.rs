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

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::CriticalPoint;
use super::descent::{Arrival, FLOW_ROOM, follow_flow};
use super::search::diagonal;
use crate::instructions::vectorized;
use crate::loss::curvature::Curvature;
use crate::loss::{LANES, Loss};
use crate::random::{Purpose, stream::Stream};

/// Local error of the flow, relative to the domain's diagonal.
const FLOW_TOLERANCE: f64 = 1e-5;

/// The label of a lane that is in no minimum's basin.
pub const NO_BASIN: u64 = u64::MAX;

/// The basins of a landscape's minima.
pub struct Basins {
    kind: Kind,
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
    point: Vec<f64>,
    image: Vec<f64>,
    rows: Vec<f64>,
    end: Vec<f64>,
    flow: Vec<f64>,
}

impl Basins {
    pub(super) fn by_intervals(ridges: Vec<f64>, owners: Vec<Option<usize>>) -> Self {
        Self { kind: Kind::Intervals { ridges, owners } }
    }

    /// Of the only minimum of a parabola.
    pub(super) fn of_bowl() -> Self {
        Self { kind: Kind::Whole }
    }

    pub(super) fn by_flow(loss: Arc<dyn Loss>, minima: &[CriticalPoint], domain: &[[f64; 2]]) -> Self {
        let scale = diagonal(domain);
        let ellipsoids =
            minima.iter().map(|minimum| Ellipsoid::around(loss.as_ref(), minimum, minima, scale)).collect();
        let mut flow = Flow { loss, ellipsoids, scale, grid: None };
        if domain.len() <= 3 {
            flow.grid = Some(Grid::new(&flow, domain));
        }
        Self { kind: Kind::Flow(Box::new(flow)) }
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

    /// The minimum that the flow itself reaches, by no short cut but the ellipsoids.
    pub fn flow_from(&self, theta: &[f64]) -> Option<usize> {
        match &self.kind {
            Kind::Intervals { .. } | Kind::Whole => self.label(theta, &mut Workspace::default()),
            Kind::Flow(flow) => flow.settle(theta, FLOW_TOLERANCE, &mut Workspace::default()),
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

struct Flow {
    loss: Arc<dyn Loss>,
    ellipsoids: Vec<Ellipsoid>,
    scale: f64,
    grid: Option<Grid>,
}

impl Flow {
    /// The ellipsoids for all lanes at once, then the rest one by one.
    fn label_block(&self, theta: &[f64], live: &[bool; LANES], labels: &mut [u64; LANES], workspace: &mut Workspace) {
        // All of it at the first look: whether the flow is needed is seen late.
        let d = theta.len() / LANES;
        workspace.flow.resize(FLOW_ROOM * d, 0.0);
        workspace.end.resize(d, 0.0);
        let mut rows = std::mem::take(&mut workspace.rows);
        let symmetry = self.loss.symmetry();
        rows.resize(if symmetry.is_some() { 3 } else { 2 } * theta.len(), 0.0);
        vectorized(
            #[inline(always)]
            || {
                labels.fill(NO_BASIN);
                let theta = theta.as_chunks::<LANES>().0;
                let (distance, rows) = rows.as_chunks_mut::<LANES>().0.split_at_mut(d);
                let (pull, images) = rows.split_at_mut(d);
                let theta = match symmetry {
                    Some(symmetry) => {
                        symmetry.standard_images(theta, images);
                        &*images
                    }
                    None => theta,
                };
                for (index, ellipsoid) in self.ellipsoids.iter().enumerate() {
                    let q = ellipsoid.quadratic(theta, distance, pull);
                    for l in 0..LANES {
                        let inside = (q[l] <= ellipsoid.radius_squared) & (labels[l] == NO_BASIN);
                        labels[l] = if inside { index as u64 } else { labels[l] };
                    }
                }
            },
        );
        workspace.rows = rows;
        let mut point = std::mem::take(&mut workspace.point);
        point.resize(d, 0.0);
        for l in 0..LANES {
            if live[l] && labels[l] == NO_BASIN {
                for (x, row) in point.iter_mut().zip(theta.chunks_exact(LANES)) {
                    *x = row[l];
                }
                labels[l] = self.label_outside(&point, workspace).map_or(NO_BASIN, |owner| owner as u64);
            }
        }
        workspace.point = point;
    }

    fn label(&self, theta: &[f64], workspace: &mut Workspace) -> Option<usize> {
        if let Some(index) = self.arrived(theta, &mut workspace.image) {
            return Some(index);
        }
        self.label_outside(theta, workspace)
    }

    /// The minimum in whose ellipsoid a point, or an image of it, lies.
    fn arrived(&self, theta: &[f64], image: &mut Vec<f64>) -> Option<usize> {
        let inside = |point: &[f64]| self.ellipsoids.iter().position(|ellipsoid| ellipsoid.contains(point));
        match self.loss.symmetry() {
            Some(symmetry) => symmetry.find(theta, image, inside),
            None => inside(theta),
        }
    }

    /// The label of a point that is in no ellipsoid.
    fn label_outside(&self, theta: &[f64], workspace: &mut Workspace) -> Option<usize> {
        if let Some(label) = self.grid.as_ref().and_then(|grid| grid.certain_label(theta)) {
            return label;
        }
        self.settle(theta, FLOW_TOLERANCE, workspace)
    }

    fn settle(&self, theta: &[f64], tolerance: f64, workspace: &mut Workspace) -> Option<usize> {
        let mut point = std::mem::take(&mut workspace.end);
        point.clear();
        point.extend_from_slice(theta);
        let mut image = std::mem::take(&mut workspace.image);
        let arrived = |point: &[f64]| self.arrived(point, &mut image);
        let arrival = follow_flow(self.loss.as_ref(), &mut point, self.scale, tolerance, &mut workspace.flow, arrived);
        workspace.end = point;
        workspace.image = image;
        match arrival {
            Arrival::At(index) => Some(index),
            Arrival::Nowhere => None,
        }
    }
}

/// {θ : (θ−m)ᵀH(θ−m) ≤ r²}, which the flow does not leave.
struct Ellipsoid {
    center: Vec<f64>,
    hessian: DMatrix<f64>,
    /// The same Hessian, for blocks.
    curvature: Curvature,
    radius_squared: f64,
}

impl Ellipsoid {
    /// The largest such ellipsoid, by probing along many directions, shortened by a fifth.
    ///
    /// In many dimensions random directions miss a ridge that is near in one of them only. So the directions towards all
    /// other minima are probed too, and then the neighbourhood of whichever direction was the tightest.
    fn around(loss: &dyn Loss, minimum: &CriticalPoint, minima: &[CriticalPoint], scale: f64) -> Self {
        let d = minimum.theta.len();
        let center = DVector::from_column_slice(&minimum.theta);
        let hessian = loss.hessian(&minimum.theta);
        // θ = m + ρ V diag(h^(−½)) u with |u| = 1 has q = ρ².
        let root = DVector::from_iterator(d, minimum.eigenvalues.iter().map(|h| 1.0 / h.sqrt()));
        let whiten = &minimum.eigenvectors * DMatrix::from_diagonal(&root);
        let longest = root.amax();
        let mut gradient = vec![0.0; d];
        // The place on a ray, up to `farthest`, at which q no longer falls along the flow.
        let mut failure = |direction: &DVector<f64>, farthest: f64| -> Option<f64> {
            let ray = &whiten * direction;
            let pull = &hessian * &ray;
            let mut rho = farthest.min(1e-3 * scale / longest);
            while rho <= farthest {
                loss.gradient((&center + &ray * rho).as_slice(), &mut gradient);
                let fall = pull.dot(&DVector::from_column_slice(&gradient));
                // In the bowl the fall is ρ|H ray|²; a tenth of it is asked for, so that rounding has no say.
                if !(fall > 0.1 * rho * pull.norm_squared()) {
                    return Some(rho);
                }
                rho *= 1.1;
            }
            None
        };
        let towards = |other: &CriticalPoint| {
            let way = minimum.eigenvectors.transpose() * (DVector::from_column_slice(&other.theta) - &center);
            way.component_div(&root).normalize()
        };
        let others = minima.iter().filter(|other| other.theta != minimum.theta).map(towards);
        let mut radius = scale / longest;
        let mut tightest = None;
        let mut stream = Stream::new(0, 2, Purpose::Landscape);
        for direction in others.chain(directions(d, &mut stream)) {
            if let Some(rho) = failure(&direction, radius) {
                (radius, tightest) = (rho, Some(direction));
            }
        }
        for round in 0..64 * d {
            let Some(best) = &tightest else { break };
            let spread = 0.5 / (1.0 + round as f64 / 16.0);
            let direction = (best + random_direction(d, &mut stream) * spread).normalize();
            if let Some(rho) = failure(&direction, radius) {
                (radius, tightest) = (rho, Some(direction));
            }
        }
        let curvature = Curvature::new(&hessian);
        Self { center: minimum.theta.clone(), hessian, curvature, radius_squared: (0.8 * radius) * (0.8 * radius) }
    }

    /// (θ−m)ᵀH(θ−m) at N points.
    #[inline(always)]
    fn quadratic<const N: usize>(
        &self,
        theta: &[[f64; N]],
        distance: &mut [[f64; N]],
        pull: &mut [[f64; N]],
    ) -> [f64; N] {
        for ((distance, x), m) in distance.iter_mut().zip(theta).zip(&self.center) {
            for l in 0..N {
                distance[l] = x[l] - m;
            }
        }
        self.curvature.multiply(distance, pull);
        let mut q = [0.0; N];
        for (distance, pull) in distance.iter().zip(&*pull) {
            for l in 0..N {
                q[l] += pull[l] * distance[l];
            }
        }
        q
    }

    fn contains(&self, theta: &[f64]) -> bool {
        let d = theta.len();
        let mut q = 0.0;
        for j in 0..d {
            let mut row = 0.0;
            for i in 0..d {
                row += self.hessian[(i, j)] * (theta[i] - self.center[i]);
            }
            q += row * (theta[j] - self.center[j]);
        }
        q <= self.radius_squared
    }
}

/// Unit vectors: both ways along every axis, and many random ones.
fn directions(d: usize, stream: &mut Stream) -> Vec<DVector<f64>> {
    let axes = (0..2 * d).map(|i| {
        let mut axis = DVector::zeros(d);
        axis[i / 2] = if i % 2 == 0 { 1.0 } else { -1.0 };
        axis
    });
    let mut all: Vec<DVector<f64>> = axes.collect();
    all.extend((0..64 * d).map(|_| random_direction(d, stream)));
    all
}

/// A sum of twelve uniforms is near enough to a normal for the direction to be near enough to uniform.
fn random_direction(d: usize, stream: &mut Stream) -> DVector<f64> {
    DVector::from_fn(d, |_, _| (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0).normalize()
}

/// Labels at the nodes of a grid over the domain and half of its width around it.
struct Grid {
    low: Vec<f64>,
    cell: Vec<f64>,
    /// Cells per coordinate.
    cells: usize,
    /// Per cell, first coordinate running fastest: `CERTAIN_NOWHERE`, `UNCERTAIN`, or a minimum.
    labels: Vec<u8>,
}

const NOWHERE: u8 = u8::MAX;
const UNCERTAIN: u8 = u8::MAX - 1;

impl Grid {
    fn new(flow: &Flow, domain: &[[f64; 2]]) -> Self {
        let d = domain.len();
        let cells: usize = if d == 2 { 128 } else { 32 };
        let nodes = cells + 1;
        let low: Vec<f64> = domain.iter().map(|[low, high]| low - 0.5 * (high - low)).collect();
        let cell: Vec<f64> = domain.iter().map(|[low, high]| 2.0 * (high - low) / cells as f64).collect();
        let node_labels: Vec<u8> = (0..nodes.pow(d as u32))
            .into_par_iter()
            .map_init(Workspace::default, |workspace, index| {
                let point: Vec<f64> =
                    (0..d).map(|i| low[i] + cell[i] * (index / nodes.pow(i as u32) % nodes) as f64).collect();
                flow.label(&point, workspace).map_or(NOWHERE, |label| label as u8)
            })
            .collect();
        let labels = (0..cells.pow(d as u32)).map(|index| common_label(&node_labels, index, cells, d)).collect();
        Self { low, cell, cells, labels }
    }

    /// The label of a point in a certain cell; `Some(None)` where the flow certainly reaches no minimum.
    fn certain_label(&self, theta: &[f64]) -> Option<Option<usize>> {
        let (mut index, mut stride) = (0, 1);
        for i in 0..theta.len() {
            let place = (theta[i] - self.low[i]) / self.cell[i];
            if !(place >= 0.0 && place < self.cells as f64) {
                return None;
            }
            index += stride * place as usize;
            stride *= self.cells;
        }
        match self.labels[index] {
            UNCERTAIN => None,
            NOWHERE => Some(None),
            label => Some(Some(usize::from(label))),
        }
    }
}

/// The one label of all nodes of a cell and of the ring around it, else `UNCERTAIN`.
fn common_label(node_labels: &[u8], cell: usize, cells: usize, d: usize) -> u8 {
    let nodes = cells + 1;
    let corner: Vec<usize> = (0..d).map(|i| cell / cells.pow(i as u32) % cells).collect();
    let mut common = None;
    for offset in 0..4usize.pow(d as u32) {
        let mut index = 0;
        for i in 0..d {
            let along = (corner[i] + offset / 4usize.pow(i as u32) % 4).saturating_sub(1).min(nodes - 1);
            index += along * nodes.pow(i as u32);
        }
        let label = node_labels[index];
        if *common.get_or_insert(label) != label {
            return UNCERTAIN;
        }
    }
    common.unwrap_or(UNCERTAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::Landscape;
    use crate::loss::wells::{Well, Wells};
    use nalgebra::dmatrix;

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
                |at: &[f64]| landscape.minima.iter().position(|m| super::super::search::distance(&m.theta, at) < 1e-2);
            let mut end = point.clone();
            let strict = match follow_flow(loss.as_ref(), &mut end, 19.0, 1e-7, &mut Vec::new(), close) {
                Arrival::At(index) => Some(index),
                Arrival::Nowhere => None,
            };
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
            let near_minimum = flow.ellipsoids.iter().any(|ellipsoid| ellipsoid.contains(&point));
            by_short_cut += i32::from(near_minimum || flow.grid.as_ref().unwrap().certain_label(&point).is_some());
            let mut end = point;
            let close =
                |at: &[f64]| landscape.minima.iter().position(|m| super::super::search::distance(&m.theta, at) < 1e-2);
            let strict = match follow_flow(loss.as_ref(), &mut end, flow.scale, 1e-7, &mut Vec::new(), close) {
                Arrival::At(index) => Some(index),
                Arrival::Nowhere => None,
            };
            differences += i32::from(strict != landscape.basins.label(&point, &mut workspace));
        }
        assert!(differences <= points / 10_000, "{differences} of {points}");
        assert!(by_short_cut > points * 9 / 10, "only {by_short_cut} of {points} labels were cheap");
    }
}
