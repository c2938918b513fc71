//! Mean passage times of a diffusion on a line between neighbouring places, all of them in one go.
//!
//! With Φ the potential in units of the noise, M the mass e^(−Φ)/D of a stretch, R its ∫e^Φ and Q = ∫e^Φ(y)M(below y)dy, the time up
//! a stretch is R·(mass below it) + Q. Stretches that follow each other add up: M = M₁ + M₂, R = R₁ + R₂, Q = Q₁ + Q₂ + R₂M₁, and the
//! mirror image for the time down. All are sums of positive numbers, so that the rarest passages keep their accuracy; a stretch is halved
//! until its own M, R and Q stand still.

use std::sync::OnceLock;

use nalgebra::SMatrix;

use super::escape::{BothWays, NoPassage};
use super::quadrature::{Integral, integrate_to, kronrod};

/// A stretch is halved until its sums change by no more than this part, at most so often, and in one gap at most so many times.
const SETTLED: f64 = 1e-11;
const DEEPEST: u32 = 40;
const MOST_HALVINGS: usize = 4_000;
/// A time whose parts did not settle to this is no answer; where Φ is rounded, to a multiple of what that costs, up to another part.
const TRUSTED: f64 = 1e-8;
const TRUSTED_AT_MOST: f64 = 1e-2;
/// Places that are looked at for the highest between two.
const SCAN: u32 = 256;
/// A barrier that is so high (in T) takes longer than double precision can say, and one so high makes slow all that comes beside it.
const TOO_HIGH: f64 = 740.0;
const HIGH: f64 = 60.0;
/// Parts of the mass and of ∫e^Φ that are nothing beside a high barrier.
const NOTHING: f64 = 1e-20;

/// A diffusion: dx = −DΦ′dx + √(2D) dW.
pub(super) struct Way<'a> {
    /// Φ.
    pub height: &'a dyn Fn(f64) -> f64,
    /// D.
    pub diffusion: &'a dyn Fn(f64) -> f64,
    /// What e^(−Φ) is known to.
    pub tolerance: f64,
}

/// The sums over a stretch, and by how much they may be off.
#[derive(Clone, Copy, Default)]
struct Sums {
    mass: f64,
    rise: f64,
    up: f64,
    down: f64,
}

impl Sums {
    /// This stretch and the one that follows it upwards.
    fn then(self, next: Self) -> Self {
        Self {
            mass: self.mass + next.mass,
            rise: self.rise + next.rise,
            up: self.up + next.up + next.rise * self.mass,
            down: self.down + next.down + self.rise * next.mass,
        }
    }

    fn change(self, other: Self) -> Self {
        Self {
            mass: (self.mass - other.mass).abs(),
            rise: (self.rise - other.rise).abs(),
            up: (self.up - other.up).abs(),
            down: (self.down - other.down).abs(),
        }
    }

    /// The error of `then`, `self` and `next` being those of `before` and `after`.
    fn error_then(self, next: Self, before: Self, after: Self) -> Self {
        Self {
            mass: self.mass + next.mass,
            rise: self.rise + next.rise,
            up: self.up + next.up + next.rise * before.mass + after.rise * self.mass,
            down: self.down + next.down + self.rise * after.mass + before.rise * next.mass,
        }
    }

    fn is_settled(self, change: Self, tolerance: f64) -> bool {
        // Below this the numbers lose their digits.
        const SMALLEST: f64 = 1e-280;
        let stands = |change: f64, sum: f64| change <= tolerance * sum + SMALLEST;
        stands(change.mass, self.mass)
            && stands(change.rise, self.rise)
            && stands(change.up, self.up)
            && stands(change.down, self.down)
    }

    fn is_finite(self) -> bool {
        (self.mass + self.rise + self.up + self.down).is_finite()
    }
}

/// What may be passed over in a half of a gap.
#[derive(Clone, Copy)]
struct Negligible {
    mass: f64,
    rise: f64,
}

/// One gap between neighbouring places, its heights counted from `deepest` in the masses and from `highest` in ∫e^Φ.
struct Gap {
    sums: Sums,
    error: Sums,
    deepest: f64,
    highest: f64,
    /// The barrier over it from below and from above.
    barriers: [f64; 2],
}

impl Way<'_> {
    /// e^(−Φ)/D, with Φ counted from its value at a place; 0 where it is not defined.
    pub fn weight(&self, from: f64) -> impl Fn(f64) -> f64 {
        let bottom = (self.height)(from);
        move |x: f64| {
            let height = (self.height)(x);
            if height < f64::INFINITY { crate::math::exp(bottom - height) / (self.diffusion)(x) } else { 0.0 }
        }
    }

    /// ∫ of the weight from a place as far as `end`, in panels that grow from the width of the well there; not beyond where Φ is no
    /// longer defined.
    pub fn behind(&self, place: f64, end: f64) -> Integral {
        let is_wall = |x: f64| !((self.height)(x) < f64::INFINITY);
        let step = |i: u32| place + (end - place) * f64::from(i) / f64::from(SCAN);
        let end =
            (1..=SCAN).find(|&i| is_wall(step(i))).map_or(end, |i| super::extent::wall(&is_wall, step(i - 1), step(i)));
        let weight = self.weight(place);
        let mut sum = Integral::default();
        let bottom = (self.height)(place);
        let edges = graded(place, end, width(place, end, &|x| (self.height)(x) - bottom));
        for pair in edges.windows(2) {
            sum += integrate_to(self.tolerance, &weight, pair[0].min(pair[1]), pair[0].max(pair[1]), 4);
        }
        sum
    }

    /// The mean times between neighbouring places, up and down, given the masses behind the first and the last, with Φ counted from
    /// there.
    pub fn passage_times(&self, places: &[f64], behind: [Result<f64, NoPassage>; 2]) -> Vec<BothWays> {
        let gaps: Vec<Result<Gap, NoPassage>> = places.windows(2).map(|pair| self.gap(pair[0], pair[1])).collect();
        let last = places.len() - 1;
        let upwards = self.times(gaps.iter(), behind[0], (self.height)(places[0]), 0);
        let mut downwards = self.times(gaps.iter().rev(), behind[1], (self.height)(places[last]), 1);
        downwards.reverse();
        upwards.into_iter().zip(downwards).map(|(up, down)| [up, down]).collect()
    }

    /// The times over the gaps one after another, in the order in which the mass behind grows.
    fn times<'g>(
        &self,
        gaps: impl Iterator<Item = &'g Result<Gap, NoPassage>>,
        behind: Result<f64, NoPassage>,
        bottom: f64,
        direction: usize,
    ) -> Vec<Result<f64, NoPassage>> {
        let (mut behind, mut bottom) = (behind, bottom);
        gaps.map(|gap| {
            let gap = match gap {
                Ok(gap) => gap,
                Err(reason) => {
                    // Beyond a place that cannot be passed the mass behind is another one.
                    behind = Err(*reason);
                    return Err(*reason);
                }
            };
            // In units of the deepest place so far.
            let deepest = bottom.min(gap.deepest);
            let (before, within) = (crate::math::exp(deepest - bottom), crate::math::exp(deepest - gap.deepest));
            let mass = behind? * before;
            let Gap { sums, error, .. } = gap;
            let (whole, off) = if direction == 0 { (sums.up, error.up) } else { (sums.down, error.down) };
            let integral = sums.rise * mass + whole * within;
            let unsure = error.rise * mass + off * within;
            (behind, bottom) = (Ok(mass + sums.mass * within), deepest);
            if gap.barriers[direction] > TOO_HIGH {
                return Err(NoPassage::TooLong);
            }
            let time = integral * crate::math::exp(gap.highest - deepest);
            match time {
                _ if !(unsure <= TRUSTED.max(10.0 * self.tolerance).min(TRUSTED_AT_MOST) * integral) => {
                    Err(NoPassage::Unsettled)
                }
                time if time.is_finite() && time > 0.0 => Ok(time),
                _ => Err(NoPassage::TooLong),
            }
        })
        .collect()
    }

    fn gap(&self, low: f64, high: f64) -> Result<Gap, NoPassage> {
        let place = |i: u32| if i == SCAN { high } else { low + (high - low) * f64::from(i) / f64::from(SCAN) };
        let heights: Vec<f64> = (0..=SCAN).map(|i| (self.height)(place(i))).collect();
        if heights.iter().any(|height| !height.is_finite()) {
            return Err(NoPassage::Undefined);
        }
        let top = (0..=SCAN).max_by(|&a, &b| heights[a as usize].total_cmp(&heights[b as usize])).unwrap_or(0);
        let (ridge, highest) = (place(top), heights[top as usize]);
        let deepest = heights.iter().fold(f64::INFINITY, |a, &b| a.min(b));
        let barriers = [highest - heights[0], highest - heights[SCAN as usize]];
        let scale = [deepest, highest];
        let (mut sums, mut error) = (Sums::default(), Sums::default());
        let mut halvings = MOST_HALVINGS;
        // From either end up to the ridge.
        for (bottom, end, other) in [(low, 0, 1), (high, 1, 0)] {
            if bottom == ridge {
                continue;
            }
            let floor = (self.height)(bottom);
            let well = width(bottom, ridge, &|x| (self.height)(x) - floor);
            let crest = width(ridge, bottom, &|x| highest - (self.height)(x));
            let is_high = barriers[other] > HIGH && barriers[end] > HIGH;
            let part = if is_high { NOTHING } else { 0.0 };
            let negligible = Negligible {
                mass: part * well.abs() * crate::math::exp(deepest - floor) / (self.diffusion)(bottom),
                rise: part * crest.abs(),
            };
            let middle = 0.5 * (bottom + ridge);
            let mut edges = graded(bottom, middle, well);
            edges.extend(graded(ridge, middle, crest).into_iter().rev().skip(1));
            if end == 1 {
                edges.reverse();
            }
            for pair in edges.windows(2) {
                let (part, off) = self.settled([pair[0], pair[1]], scale, negligible, &mut halvings);
                error = error.error_then(off, sums, part);
                sums = sums.then(part);
            }
        }
        if !sums.is_finite() { Err(NoPassage::Unsettled) } else { Ok(Gap { sums, error, deepest, highest, barriers }) }
    }

    /// The sums over a stretch, halved until they stand still.
    fn settled(
        &self,
        [low, high]: [f64; 2],
        scale: [f64; 2],
        negligible: Negligible,
        halvings: &mut usize,
    ) -> (Sums, Sums) {
        let tolerance = SETTLED.max(10.0 * self.tolerance);
        let mut pending = vec![([low, high], self.sums([low, high], scale), 0)];
        let (mut total, mut error) = (Sums::default(), Sums::default());
        while let Some(([low, high], whole, depth)) = pending.pop() {
            let middle = 0.5 * (low + high);
            let halves = [self.sums([low, middle], scale), self.sums([middle, high], scale)];
            let both = halves[0].then(halves[1]);
            let change = both.change(whole);
            let is_nothing =
                both.mass.max(whole.mass) <= negligible.mass && both.rise.max(whole.rise) <= negligible.rise;
            if both.is_settled(change, tolerance) || is_nothing || depth == DEEPEST || *halvings == 0 {
                error = error.error_then(change, total, both);
                total = total.then(both);
                continue;
            }
            *halvings -= 1;
            pending.push(([middle, high], halves[1], depth + 1));
            pending.push(([low, middle], halves[0], depth + 1));
        }
        (total, error)
    }

    /// The sums over a stretch by one rule.
    fn sums(&self, [low, high]: [f64; 2], [deepest, highest]: [f64; 2]) -> Sums {
        let (center, half) = (0.5 * (low + high), 0.5 * (high - low));
        let (nodes, below) = rule();
        let (mut inner, mut outer) = ([0.0; 15], [0.0; 15]);
        for (i, (node, _)) in nodes.iter().enumerate() {
            let x = center + half * node;
            let height = (self.height)(x);
            inner[i] = crate::math::exp(deepest - height) / (self.diffusion)(x);
            outer[i] = crate::math::exp(height - highest);
        }
        let mut sums = Sums::default();
        for (i, (_, weight)) in nodes.iter().enumerate() {
            // The mass above a node is that below it in the mirror.
            let (mut under, mut over) = (0.0, 0.0);
            for j in 0..15 {
                under += below[(i, j)] * inner[j];
                over += below[(14 - i, 14 - j)] * inner[j];
            }
            sums.mass += half * weight * inner[i];
            sums.rise += half * weight * outer[i];
            sums.up += half * half * weight * outer[i] * under;
            sums.down += half * half * weight * outer[i] * over;
        }
        sums
    }
}

/// How far from a place towards `end` something rises from 0 to 1, with its sign; all the way where it does not.
pub(super) fn width(place: f64, end: f64, rise: &dyn Fn(f64) -> f64) -> f64 {
    let (mut inner, mut outer) = (0.0, 1.0);
    if rise(end) <= 1.0 {
        return end - place;
    }
    for _ in 0..40 {
        let middle = 0.5 * (inner + outer);
        if rise(place + (end - place) * middle) > 1.0 { outer = middle } else { inner = middle }
    }
    (end - place) * outer
}

/// Edges from a place to `end`, the first panel `width` wide and every other twice as wide as the one before.
pub(super) fn graded(place: f64, end: f64, width: f64) -> Vec<f64> {
    let (mut edges, mut reach, mut width) = (vec![place], width, width);
    while reach.abs() < 0.75 * (end - place).abs() && width != 0.0 {
        edges.push(place + reach);
        width *= 2.0;
        reach += width;
    }
    if end != place {
        edges.push(end);
    }
    edges
}

type Rule = ([(f64, f64); 15], SMatrix<f64, 15, 15>);

/// Kronrod's nodes and weights, and ∫ from −1 to every node of the polynomial through the values at all of them.
fn rule() -> &'static Rule {
    static RULE: OnceLock<Rule> = OnceLock::new();
    RULE.get_or_init(|| {
        let nodes = kronrod();
        // P₀ … P₁₅ at a node; ∫P_m from −1 is (P_{m+1} − P_{m−1})/(2m + 1).
        let legendre = |x: f64| {
            let mut values = [1.0; 16];
            values[1] = x;
            for m in 1..15 {
                values[m + 1] = ((2 * m + 1) as f64 * x * values[m] - m as f64 * values[m - 1]) / (m + 1) as f64;
            }
            values
        };
        let values = SMatrix::<f64, 15, 15>::from_fn(|i, m| legendre(nodes[i].0)[m]);
        let integrals = SMatrix::<f64, 15, 15>::from_fn(|i, m| {
            let p = legendre(nodes[i].0);
            if m == 0 { p[1] + 1.0 } else { (p[m + 1] - p[m - 1]) / (2 * m + 1) as f64 }
        });
        let inverse = values.try_inverse().unwrap_or_else(SMatrix::zeros);
        (nodes, integrals * inverse)
    })
}
