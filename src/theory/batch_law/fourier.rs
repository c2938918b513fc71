//! The discrete Fourier transform of a length that is a power of two (Cooley & Tukey 1965), with the same bits everywhere.

use std::f64::consts::PI;

use crate::math::{cos, sin};

/// A complex number.
pub(super) type Complex = [f64; 2];

pub(super) fn product(a: Complex, b: Complex) -> Complex {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

/// zⁿ by repeated squaring.
pub(super) fn power(mut square: Complex, mut exponent: u64) -> Complex {
    let mut power = [1.0, 0.0];
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = product(power, square);
        }
        square = product(square, square);
        exponent >>= 1;
    }
    power
}

/// Transforms of one length.
pub(super) struct Fourier {
    /// exp(−2πik/n) for k < n/2.
    roots: Vec<Complex>,
    length: usize,
}

impl Fourier {
    /// Of a length that is a power of two, 2 at least.
    pub(super) fn of(length: usize) -> Self {
        let root = |k: usize| {
            let angle = -2.0 * PI * k as f64 / length as f64;
            [cos(angle), sin(angle)]
        };
        Self { roots: (0..length / 2).map(root).collect(), length }
    }

    /// x_j ← Σ_k x_k exp(−2πijk/n), in place. The inverse is the same of the conjugates, conjugated, over n.
    pub(super) fn transform(&self, values: &mut [Complex]) {
        let bits = self.length.trailing_zeros();
        for index in 0..self.length {
            let mirrored = index.reverse_bits() >> (usize::BITS - bits);
            if index < mirrored {
                values.swap(index, mirrored);
            }
        }
        let mut half = 1;
        while half < self.length {
            let stride = self.length / (2 * half);
            for block in values.chunks_exact_mut(2 * half) {
                let (lower, upper) = block.split_at_mut(half);
                for (k, (a, b)) in lower.iter_mut().zip(upper).enumerate() {
                    let turned = product(self.roots[k * stride], *b);
                    *b = [a[0] - turned[0], a[1] - turned[1]];
                    *a = [a[0] + turned[0], a[1] + turned[1]];
                }
            }
            half *= 2;
        }
    }
}
