//! Panels of Gauss points on a line, and the chain from node to node.

use super::NoDiscreteLaw;
use super::line::Kernel;
use crate::theory::markov_chain::BandedChain;
use crate::theory::quadrature::GAUSS_5;

/// The largest number of nodes, and of entries of a banded matrix.
pub(super) const MOST_NODES: usize = 12_000;
const MOST_ENTRIES: usize = 30_000_000;
/// Elimination costs nodes × band² multiplications: beyond this many it would take seconds.
const MOST_WORK: f64 = 3e9;
/// Kernels are cut beyond this many of their standard deviations (probability 1e−21).
pub(super) const REACH: f64 = 9.5;

/// The smallest interval of nodes that holds `home` and, with a node, everything in its window.
pub(super) fn reachable(home: usize, window: &dyn Fn(usize) -> [usize; 2]) -> [usize; 2] {
    let ([mut first, mut last], mut pending) = ([home, home], vec![home]);
    while let Some(node) = pending.pop() {
        let [low, high] = window(node);
        pending.extend(low..first);
        pending.extend(last + 1..=high);
        (first, last) = (first.min(low), last.max(high));
    }
    [first, last]
}

/// An interval with ∫ `stretch` from its low end to equidistant places.
struct Stretched {
    ends: [f64; 2],
    sums: Vec<f64>,
}

impl Stretched {
    /// One of `of` intervals that share the looks at `stretch`.
    fn new(ends: [f64; 2], of: usize, stretch: &dyn Fn(f64) -> f64) -> Self {
        const SCAN: usize = 8_000;
        const FEWEST: usize = 500;
        let scan = (SCAN / of).max(FEWEST);
        let [low, high] = ends;
        let mut sums = vec![0.0];
        let mut total = 0.0;
        let mut left = stretch(low);
        for i in 0..scan {
            let right = stretch(low + (high - low) * (i + 1) as f64 / scan as f64);
            total += 0.5 * (left + right) * (high - low) / scan as f64;
            sums.push(total);
            left = right;
        }
        Self { ends, sums }
    }

    fn total(&self) -> f64 {
        self.sums[self.sums.len() - 1]
    }

    /// The edge before panel `i` of `panels`.
    fn edge(&self, i: usize, panels: usize) -> f64 {
        let ([low, high], scan) = (self.ends, self.sums.len() - 1);
        if i == panels {
            return high;
        }
        let sum = self.total() * i as f64 / panels as f64;
        let place = |i: usize| low + (high - low) * i as f64 / scan as f64;
        let i = self.sums.partition_point(|&s| s <= sum).clamp(1, scan) - 1;
        place(i)
            + (place(i + 1) - place(i)) * ((sum - self.sums[i]) / (self.sums[i + 1] - self.sums[i])).clamp(0.0, 1.0)
    }
}

/// From its left to its right end.
pub(super) type Panel = [f64; 2];

/// By how much a function near the ends of a panel is off the polynomial through its values at the panel's nodes.
pub(super) fn off_the_nodes(function: &dyn Fn(f64) -> f64, [left, right]: Panel) -> f64 {
    const NEAR_THE_END: f64 = 0.98;
    let (center, half) = (0.5 * (left + right), 0.5 * (right - left));
    let values = GAUSS_5.map(|(node, _)| function(center + half * node));
    let off = |place: f64| {
        let share = |i: usize| {
            let others = (0..GAUSS_5.len()).filter(|&j| j != i);
            others.map(|j| (place - GAUSS_5[j].0) / (GAUSS_5[i].0 - GAUSS_5[j].0)).product::<f64>()
        };
        let polynomial: f64 = (0..GAUSS_5.len()).map(|i| share(i) * values[i]).sum();
        (polynomial - function(center + half * place)).abs()
    };
    // A NaN is not within any bound.
    let [a, b] = [off(-NEAR_THE_END), off(NEAR_THE_END)];
    a + b
}

/// Gauss points with their weights, panel by panel.
pub(super) struct Nodes {
    pub points: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Nodes {
    /// Ever finer nodes between neighbouring `ends`, as long as they are no more than `most`: panels of equal ∫ `stretch`, at first about
    /// one per unit of it, then one and a half times as many each time; one that `is_coarse` is halved, and so are its halves.
    pub(super) fn refined(
        ends: &[f64],
        most: usize,
        stretch: &dyn Fn(f64) -> f64,
        is_coarse: &dyn Fn(Panel) -> bool,
    ) -> impl Iterator<Item = Nodes> {
        let parts: Vec<Stretched> =
            ends.windows(2).map(|pair| Stretched::new([pair[0], pair[1]], ends.len() - 1, stretch)).collect();
        // A step of next to nothing asks for more panels than there are numbers; too many are too many.
        let first: Vec<usize> = parts.iter().map(|part| part.total().min(most as f64) as usize / 2 + 8).collect();
        let finer = |panels: &Vec<usize>| Some(panels.iter().map(|panels| panels + panels / 2).collect());
        std::iter::successors(Some(first), finer).map_while(move |panels| {
            let edges = parts
                .iter()
                .zip(&panels)
                .flat_map(|(part, &panels)| (0..panels).map(move |i| [part.edge(i, panels), part.edge(i + 1, panels)]));
            Self::of_panels(edges, most, is_coarse)
        })
    }

    /// `None` where they are more than `most`.
    fn of_panels(panels: impl Iterator<Item = Panel>, most: usize, is_coarse: &dyn Fn(Panel) -> bool) -> Option<Self> {
        let mut nodes = Self { points: Vec::new(), weights: Vec::new() };
        for panel in panels {
            let mut pending = vec![panel];
            while let Some([left, right]) = pending.pop() {
                let (center, half) = (0.5 * (left + right), 0.5 * (right - left));
                if left < center && center < right && is_coarse([left, right]) {
                    pending.extend([[center, right], [left, center]]);
                    continue;
                }
                if nodes.points.len() + GAUSS_5.len() > most {
                    return None;
                }
                nodes.points.extend(GAUSS_5.map(|(node, _)| center + half * node));
                nodes.weights.extend(GAUSS_5.map(|(_, weight)| half * weight));
            }
        }
        Some(nodes)
    }

    pub(super) fn part(&self, first: usize, last: usize) -> Nodes {
        Nodes { points: self.points[first..=last].to_vec(), weights: self.weights[first..=last].to_vec() }
    }

    /// The first and last node that a step can reach.
    pub(super) fn window(&self, Kernel { target, spread }: Kernel) -> [usize; 2] {
        self.between(target - REACH * spread, target + REACH * spread)
    }

    /// The first and last node from `low` to `high`; the nearest one where there is none.
    pub(super) fn between(&self, low: f64, high: f64) -> [usize; 2] {
        let most = self.points.len() - 1;
        let first = self.points.partition_point(|&x| x < low).min(most);
        let last = self.points.partition_point(|&x| x <= high);
        [first, last.saturating_sub(1).max(first)]
    }

    /// Probability that a step arrives at a node.
    pub(super) fn arrival(&self, node: usize, kernel: Kernel) -> f64 {
        self.weights[node] * kernel.density(self.points[node])
    }

    /// The chain from node to node, without exits.
    pub(super) fn chain(&self, kernels: &[Kernel]) -> Result<BandedChain, NoDiscreteLaw> {
        let windows: Vec<[usize; 2]> = kernels.iter().map(|&kernel| self.window(kernel)).collect();
        chain_of(&windows, |from, to| self.arrival(to, kernels[from]))
    }
}

/// A chain from node to node that goes by `arrival`, a probability, from every one to those of its window.
pub(super) fn chain_of(
    windows: &[[usize; 2]],
    arrival: impl Fn(usize, usize) -> f64,
) -> Result<BandedChain, NoDiscreteLaw> {
    let reach = |(node, [first, last]): (usize, &[usize; 2])| node.abs_diff(*first).max(node.abs_diff(*last));
    let band = windows.iter().enumerate().map(reach).max().unwrap_or(1);
    let work = windows.len() as f64 * (band as f64) * (band as f64);
    if windows.len() * (2 * band + 1) > MOST_ENTRIES || work > MOST_WORK {
        return Err(NoDiscreteLaw::TooFine(MOST_NODES));
    }
    let mut chain = BandedChain::new(windows.len(), band);
    for (from, &[first, last]) in windows.iter().enumerate() {
        for to in first..=last {
            chain.add(from, to, arrival(from, to));
        }
    }
    Ok(chain)
}
