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
use super::descent::{Arrival, follow_flow};
use super::search::diagonal;
use crate::loss::{LANES, Loss};
use crate::random::{Purpose, stream::Stream};

/// Local error of the flow, relative to the domain's diagonal.
const FLOW_TOLERANCE: f64 = 1e-5;

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
}

/// Room for the flow, so that labelling does not allocate.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    point: Vec<f64>,
    flow: Vec<f64>,
}

impl Basins {
    pub(super) fn by_intervals(ridges: Vec<f64>, owners: Vec<Option<usize>>) -> Self {
        Self { kind: Kind::Intervals { ridges, owners } }
    }

    pub(super) fn by_flow(loss: Arc<dyn Loss>, minima: &[CriticalPoint], domain: &[[f64; 2]]) -> Self {
        let scale = diagonal(domain);
        let ellipsoids = minima.iter().map(|minimum| Ellipsoid::around(loss.as_ref(), minimum, scale)).collect();
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
        }
    }

    /// Labels of a block, `None` as `u8::MAX`; layout as in [`crate::loss`].
    pub fn label_block(&self, theta: &[f64], labels: &mut [u8; LANES], workspace: &mut Workspace) {
        match &self.kind {
            Kind::Intervals { ridges, owners } => {
                let mut interval = [0u32; LANES];
                for &ridge in ridges {
                    for l in 0..LANES {
                        interval[l] += u32::from(ridge < theta[l]);
                    }
                }
                for l in 0..LANES {
                    labels[l] = owners[interval[l] as usize].map_or(u8::MAX, |owner| owner as u8);
                }
            }
            Kind::Flow(flow) => {
                let mut point = std::mem::take(&mut workspace.point);
                point.resize(theta.len() / LANES, 0.0);
                for (l, label) in labels.iter_mut().enumerate() {
                    for (x, row) in point.iter_mut().zip(theta.chunks_exact(LANES)) {
                        *x = row[l];
                    }
                    *label = flow.label(&point, workspace).map_or(u8::MAX, |owner| owner as u8);
                }
                workspace.point = point;
            }
        }
    }

    /// The minimum that the flow itself reaches, by no short cut but the ellipsoids.
    pub fn flow_from(&self, theta: &[f64]) -> Option<usize> {
        match &self.kind {
            Kind::Intervals { .. } => self.label(theta, &mut Workspace::default()),
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
    fn label(&self, theta: &[f64], workspace: &mut Workspace) -> Option<usize> {
        if let Some(index) = self.ellipsoids.iter().position(|ellipsoid| ellipsoid.contains(theta)) {
            return Some(index);
        }
        if let Some(label) = self.grid.as_ref().and_then(|grid| grid.certain_label(theta)) {
            return label;
        }
        self.settle(theta, FLOW_TOLERANCE, workspace)
    }

    fn settle(&self, theta: &[f64], tolerance: f64, workspace: &mut Workspace) -> Option<usize> {
        let mut point = theta.to_vec();
        let arrived = |point: &[f64]| self.ellipsoids.iter().position(|ellipsoid| ellipsoid.contains(point));
        match follow_flow(self.loss.as_ref(), &mut point, self.scale, tolerance, &mut workspace.flow, arrived) {
            Arrival::At(index) => Some(index),
            Arrival::Nowhere => None,
        }
    }
}

/// {θ : (θ−m)ᵀH(θ−m) ≤ r²}, which the flow does not leave.
struct Ellipsoid {
    center: Vec<f64>,
    hessian: DMatrix<f64>,
    radius_squared: f64,
}

impl Ellipsoid {
    /// The largest such ellipsoid, by probing along many directions, shortened by a fifth.
    fn around(loss: &dyn Loss, minimum: &CriticalPoint, scale: f64) -> Self {
        let d = minimum.theta.len();
        let center = DVector::from_column_slice(&minimum.theta);
        let hessian = loss.hessian(&minimum.theta);
        // θ = m + ρ V diag(h^(−½)) u with |u| = 1 has q = ρ².
        let root = DVector::from_iterator(d, minimum.eigenvalues.iter().map(|h| 1.0 / h.sqrt()));
        let whiten = &minimum.eigenvectors * DMatrix::from_diagonal(&root);
        let longest = root.amax();
        let mut gradient = vec![0.0; d];
        let mut radius = scale / longest;
        for direction in directions(d) {
            let ray = &whiten * direction;
            let pull = &hessian * &ray;
            // From the inside outwards, as far as the other rays got: the first failure ends it.
            let mut rho = radius.min(1e-3 * scale / longest);
            while rho <= radius {
                loss.gradient((&center + &ray * rho).as_slice(), &mut gradient);
                let fall = pull.dot(&DVector::from_column_slice(&gradient));
                // In the bowl the fall is ρ|H ray|²; a tenth of it is asked for, so that rounding has no say.
                if !(fall > 0.1 * rho * pull.norm_squared()) {
                    radius = rho;
                    break;
                }
                rho *= 1.1;
            }
        }
        Self { center: minimum.theta.clone(), hessian, radius_squared: (0.8 * radius) * (0.8 * radius) }
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
fn directions(d: usize) -> Vec<DVector<f64>> {
    let mut stream = Stream::new(0, 2, Purpose::Landscape);
    let axes = (0..2 * d).map(|i| {
        let mut axis = DVector::zeros(d);
        axis[i / 2] = if i % 2 == 0 { 1.0 } else { -1.0 };
        axis
    });
    let random = (0..64 * d).map(|_| {
        // A sum of twelve uniforms is near enough to a normal for the direction to be near enough to uniform.
        let vector = DVector::from_fn(d, |_, _| (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0);
        vector.normalize()
    });
    axes.chain(random).collect()
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
