//! Standard normals by Box and Muller's method (1958), without branches, in single precision.
//!
//! Three words of a trajectory give four normals: two radii r = √(−2 ln u) and two angles φ make r cos φ and r sin φ twice.
//!
//! - The first two words give u in (0, 1], 62 bits each: the tail is right to 9.27σ, beyond which there is nothing
//!   (a normal lies there once in 10²⁰ draws).
//! - The halves of the third word give the angles: 24 bits are an angle in [−π/4, π/4), two more mirror the cosine and swap the
//!   two, which covers the circle.
//!
//! Logarithm, sine and cosine are the single-precision polynomials of Cephes (Moshier 1984–1992), which have twice as many lanes in a
//! register as double precision. A normal so has 24 significant bits: it is off by less than 4·10⁻⁷·(1 + |r|), which moves moments
//! by 10⁻⁷ of themselves, a thousandth of the statistical error of 10¹⁰ draws. All is `+ − × √` on `f32` and exact conversions: the
//! bits are the same for every vector width.

use super::generator::{Draw, Generator, TILE};

type Row = [f32; TILE];

/// The next four normals of every trajectory.
#[inline(always)]
pub(super) fn four_normals(generator: &mut Generator) -> [Row; 4] {
    let first = radius(&generator.draw());
    let second = radius(&generator.draw());
    let angles = generator.draw();
    let [a, b] = on_circle(first, angles.low());
    let [c, d] = on_circle(second, angles.high());
    [a, b, c, d]
}

/// √(−2 ln u) for a u that is uniform in (0, 1].
#[inline(always)]
fn radius(draw: &Draw) -> Row {
    let (high, low) = (draw.high(), draw.low());
    let mut radius = [0.0; TILE];
    for l in 0..TILE {
        radius[l] = minus_twice_ln(uniform(high[l], low[l])).sqrt();
    }
    radius
}

/// A point of the circle, from 32 random bits.
#[inline(always)]
fn on_circle(radius: Row, bits: [u32; TILE]) -> [Row; 2] {
    let (mut first, mut second) = ([0.0; TILE], [0.0; TILE]);
    for l in 0..TILE {
        let (sine, cosine) = sine_cosine(angle(bits[l]));
        let cosine = f32::from_bits(cosine.to_bits() ^ (bits[l] << 31));
        let swap = bits[l] & 2 != 0;
        first[l] = radius[l] * if swap { sine } else { cosine };
        second[l] = radius[l] * if swap { cosine } else { sine };
    }
    [first, second]
}

/// Uniform in (0, 1] by 31 bits of each half; conversions are of signed numbers, which every instruction set has.
#[inline(always)]
fn uniform(high: u32, low: u32) -> f32 {
    const SCALE: f32 = 1.0 / 2_147_483_648.0;
    let (high, low) = ((high >> 1) as i32 as f32, ((low >> 1) | 1) as i32 as f32);
    high * SCALE + low * (SCALE * SCALE)
}

/// An angle in [−π/4, π/4) by the upper 24 bits.
#[inline(always)]
fn angle(bits: u32) -> f32 {
    (bits as i32 >> 8) as f32 * (std::f32::consts::FRAC_PI_2 / 16_777_216.0)
}

/// −2 ln u for a normal positive number u ≤ 1; never negative.
#[inline(always)]
fn minus_twice_ln(u: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3F35_04F3;
    const MANTISSA: u32 = (1 << 23) - 1;
    // u = 2ᵏ(1 + f) with √½ ≤ 1 + f < √2.
    let offset = u.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = (offset as i32 >> 23) as f32;
    let f = f32::from_bits((offset & MANTISSA).wrapping_add(SQRT_HALF)) - 1.0;
    let square = f * f;
    // ln(1 + f) = f − f²/2 + f³P(f).
    let tail = 7.037_683_6e-2 * f - 1.151_461_03e-1;
    let tail = tail * f + 1.167_699_87e-1;
    let tail = tail * f - 1.242_014_08e-1;
    let tail = tail * f + 1.424_932_3e-1;
    let tail = tail * f - 1.666_805_8e-1;
    let tail = tail * f + 2.000_071_5e-1;
    let tail = tail * f - 2.499_999_4e-1;
    let tail = tail * f + 3.333_333_1e-1;
    square * (1.0 - (f + f) * tail) - (f + f) - exponent * (2.0 * std::f32::consts::LN_2)
}

/// sin x and cos x for |x| ≤ π/4.
#[inline(always)]
fn sine_cosine(x: f32) -> (f32, f32) {
    let z = x * x;
    let sine = x + x * z * (-0.166_666_55 + z * (8.332_161e-3 + z * -1.951_529_6e-4));
    let cosine = 1.0 - 0.5 * z + z * z * (4.166_664_6e-2 + z * (-1.388_731_6e-3 + z * 2.443_315_7e-5));
    (sine, cosine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream::Stream};

    #[test]
    fn polynomials_agree_with_double_precision() {
        let mut stream = Stream::new(3, 0, Purpose::Start);
        let (mut ln_error, mut angle_error): (f64, f64) = (0.0, 0.0);
        for i in 0..1_000_000u64 {
            let word = stream.next_word() >> (i % 64);
            let (high, low) = ((word >> 32) as u32, word as u32);
            let u = uniform(high, low);
            let exact = f64::from(high >> 1) / 2f64.powi(31) + f64::from((low >> 1) | 1) / 2f64.powi(62);
            assert!((f64::from(u) - exact).abs() <= 1.2e-7 * exact, "{word}: {u} {exact}");
            let expected = -2.0 * libm::log(f64::from(u));
            let found = f64::from(minus_twice_ln(u));
            assert!(found >= 0.0);
            ln_error = ln_error.max((found - expected).abs() / expected.max(1e-7));
            let x = angle(word as u32);
            assert!((-std::f32::consts::FRAC_PI_4..=std::f32::consts::FRAC_PI_4).contains(&x));
            let (sine, cosine) = sine_cosine(x);
            let (s, c) = (libm::sin(f64::from(x)), libm::cos(f64::from(x)));
            angle_error = angle_error.max((f64::from(sine) - s).abs()).max((f64::from(cosine) - c).abs());
        }
        assert!(ln_error < 3e-7 && angle_error < 1.3e-7, "{ln_error:e} {angle_error:e}");
        assert_eq!(minus_twice_ln(1.0), 0.0);
        assert_eq!(uniform(u32::MAX, u32::MAX), 1.0);
        // The largest radius.
        assert!((f64::from(minus_twice_ln(uniform(0, 0))).sqrt() - 9.27).abs() < 0.01);
    }
}
