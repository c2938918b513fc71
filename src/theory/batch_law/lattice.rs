//! The S-fold convolution of a law on a lattice, and the bounds that it gives of the law itself.

use super::Summands;
use super::fourier::{Complex, Fourier, power};
use crate::math::ln;
use crate::statistics::special::normal_cdf;

/// Points of the lattice per standard deviation of a number at first, if they do not get too many.
const RESOLUTION: f64 = 1024.0;
/// So many times as many are taken while the bounds of F are further apart than [`WIDE`] somewhere: few large numbers may rule the deviation, and
/// all others crowd within a small part of it.
const FINER: f64 = 4.0;
const WIDE: f64 = 0.004;
/// The longest transform.
const LONGEST: usize = 1 << 21;
/// What moving numbers to the lattice may change by more than t, and what may be outside of the window.
const RARE: f64 = 1e-6;
/// Rounding of the transforms.
const ROUNDING: f64 = 1e-8;
/// Values are known to so many standard deviations.
const SLACK: f64 = 1e-8;

/// The law on the points (S·a + K·h)/sd of a window, a the commonest number.
#[derive(Clone, Debug)]
pub(super) struct Lattice {
    /// The probability up to each point of the window, that of S times the commonest number left out.
    up_to: Vec<f64>,
    /// That of S times the commonest number, which is the point K = 0.
    commonest: f64,
    /// K of the first point.
    first: i64,
    /// The place of K = 0 and the step, in standard deviations.
    origin: f64,
    step: f64,
    /// t in steps.
    shift: i64,
    /// p, and what is outside of the window.
    error: f64,
}

impl Lattice {
    /// Of sums of `size` independent draws, whose standard deviation is `deviation`.
    pub(super) fn of(summands: &Summands, size: u64, deviation: f64) -> Self {
        let mut resolution = RESOLUTION;
        loop {
            let window = Window::of(summands, size as f64, resolution);
            let is_finest = window.is_finest;
            let lattice = Self::within(window, summands, size, deviation);
            if is_finest || lattice.width() <= WIDE {
                return lattice;
            }
            resolution *= FINER;
        }
    }

    fn within(window: Window, summands: &Summands, size: u64, deviation: f64) -> Self {
        let draws = size as f64;
        let Window { step, length, outside, .. } = window;
        let commonest = summands.counts.iter().enumerate().max_by_key(|(_, count)| **count).map_or(0, |(k, _)| k);
        let a = summands.values[commonest];
        let mut values = vec![[0.0, 0.0]; length];
        for value in summands.steps() {
            let place = (value.at - a) / step;
            let below = place.floor();
            let part = place - below;
            let index = (below as i64).rem_euclid(length as i64) as usize;
            values[index][0] += (1.0 - part) * value.weight;
            values[(index + 1) % length][0] += part * value.weight;
        }
        to_the_power(&mut values, size);
        let first = (-draws * a / step).round() as i64 - length as i64 / 2;
        let all_alike = power([summands.counts[commonest] as f64 / summands.total as f64, 0.0], size)[0];
        let mut sum = 0.0;
        let up_to = (first..first + length as i64).map(|place| {
            sum += values[place.rem_euclid(length as i64) as usize][0];
            if place == 0 {
                sum -= all_alike;
            }
            sum
        });
        Self {
            up_to: up_to.collect(),
            commonest: all_alike,
            first,
            origin: draws * a / deviation,
            step: step / deviation,
            shift: (0.5 * ln(1.0 / RARE) * draws).sqrt().ceil() as i64,
            error: RARE + outside + ROUNDING,
        }
    }

    /// How far apart the bounds of F are where they are furthest, but for the error.
    fn width(&self) -> f64 {
        let apart = 2 * self.shift as usize;
        let far = self.up_to.iter().skip(apart).zip(&self.up_to).map(|(high, low)| high - low);
        far.fold(0.0, f64::max)
    }

    /// Up to the point K, without the commonest.
    fn rest(&self, place: i64) -> f64 {
        let index = (place - self.first).clamp(-1, self.up_to.len() as i64 - 1);
        if index < 0 { 0.0 } else { self.up_to[index as usize] }
    }

    /// Bounds of F between the points K and K + 1, where F lies between what it is at the two ends.
    fn between(&self, [low, high]: [i64; 2]) -> [f64; 2] {
        let alike = |place: i64| if place >= 0 { self.commonest } else { 0.0 };
        let least = self.rest(low - self.shift) + alike(low) - self.error;
        let most = self.rest(high + self.shift) + alike(high) + self.error;
        [least.max(0.0), most.min(1.0)]
    }

    pub(super) fn bounds(&self, z: f64) -> [f64; 2] {
        let place = |z: f64| ((z - self.origin) / self.step).floor() as i64;
        self.between([place(z - SLACK), place(z + SLACK)])
    }

    /// Between all neighbouring points, and beyond the window.
    pub(super) fn distance(&self) -> [f64; 2] {
        let (mut low, mut high) = (0.0f64, 0.0f64);
        let mut left = 0.0;
        for index in -1..=self.up_to.len() as i64 {
            let place = self.first + index;
            let is_last = index == self.up_to.len() as i64;
            // Φ at the next point, which bounds it from here to there.
            let right = if is_last { 1.0 } else { normal_cdf(self.origin + self.step * (place + 1) as f64) };
            let [least, most] = self.between([place, place]);
            low = low.max(least - left).max(right - most);
            high = high.max(most - left).max(right - least);
            left = right;
        }
        [low.max(0.0), high.min(1.0)]
    }
}

/// How fine the lattice is, and how far it reaches.
struct Window {
    step: f64,
    length: usize,
    /// The probability that a sum on the lattice is outside.
    outside: f64,
    /// Whether a finer lattice would need a longer transform than there is.
    is_finest: bool,
}

impl Window {
    /// About 0, the mean of sums: as far as they reach, or as they do but for a probability of [`RARE`] (Bernstein's inequality).
    fn of(summands: &Summands, draws: f64, resolution: f64) -> Self {
        let mut step = summands.variance.sqrt() / resolution;
        loop {
            let furthest = summands.largest() + step;
            let variance = draws * (summands.variance + 0.25 * step * step);
            // exp(−½T²/(variance + furthest·T/3)) = RARE/2 on both sides.
            let log = ln(2.0 / RARE);
            let linear = log * furthest / 3.0;
            let likely = linear + (linear * linear + 2.0 * log * variance).sqrt();
            let (half, outside) = if draws * furthest <= likely { (draws * furthest, 0.0) } else { (likely, RARE) };
            let points = 2.0 * half / step + 4.0;
            if points <= LONGEST as f64 {
                let length = (points.ceil() as usize).next_power_of_two();
                return Self { step, length, outside, is_finest: length == LONGEST };
            }
            step *= 1.01 * points / LONGEST as f64;
        }
    }
}

/// Probabilities on a circle become those of the sum of so many draws.
fn to_the_power(values: &mut [Complex], draws: u64) {
    let fourier = Fourier::of(values.len());
    fourier.transform(values);
    for value in values.iter_mut() {
        let [real, imaginary] = power(*value, draws);
        *value = [real, -imaginary];
    }
    fourier.transform(values);
    let scale = 1.0 / values.len() as f64;
    for value in values.iter_mut() {
        *value = [value[0] * scale, -value[1] * scale];
    }
}
