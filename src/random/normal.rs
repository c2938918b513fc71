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
//! register as double precision. All is `+ − × √` on `f32` and exact conversions: the bits are the same for every vector width.
//!
//! What single precision rounds away, over all u and all angles: −2 ln u is off by 1.2·10⁻⁷ of itself, the sine by 7.6·10⁻⁸ and the
//! cosine by 1.1·10⁻⁷. u keeps 24 significant bits, which tell little of a radius near 0: r² is off by less than 2.5·10⁻⁷·(1 + r²), a
//! normal so by less than 3·10⁻⁷·(r + 1/r), and one radius of 3·10⁷ is 0. Even moments up to the eighth are moved by less than 10⁻⁸ of
//! themselves. The interval of the angle is half open, which makes the mean −2.6·10⁻⁸ for 0. That is a three-hundredth of the
//! statistical error of 10¹⁰ draws (10⁻⁵), and for the moments a thousandth.

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
#[allow(clippy::excessive_precision, reason = "the coefficients digit by digit as published")]
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
    let tail = 7.037_683_629_2e-2 * f - 1.151_461_031_0e-1;
    let tail = tail * f + 1.167_699_874_0e-1;
    let tail = tail * f - 1.242_014_084_6e-1;
    let tail = tail * f + 1.424_932_278_7e-1;
    let tail = tail * f - 1.666_805_766_5e-1;
    let tail = tail * f + 2.000_071_476_5e-1;
    let tail = tail * f - 2.499_999_399_3e-1;
    let tail = tail * f + 3.333_333_117_4e-1;
    square * (1.0 - (f + f) * tail) - (f + f) - exponent * (2.0 * std::f32::consts::LN_2)
}

/// sin x and cos x for |x| ≤ π/4.
#[allow(clippy::excessive_precision, reason = "the coefficients digit by digit as published")]
#[inline(always)]
fn sine_cosine(x: f32) -> (f32, f32) {
    let z = x * x;
    let sine = x + x * z * (-1.666_665_461_1e-1 + z * (8.332_160_873_6e-3 + z * -1.951_529_589_1e-4));
    let cosine = 1.0 - 0.5 * z
        + z * z * (4.166_664_568_298_827e-2 + z * (-1.388_731_625_493_765e-3 + z * 2.443_315_711_809_948e-5));
    (sine, cosine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream::Stream};

    /// The largest errors of −2 ln u, relative to itself, for the given u.
    fn error_of_ln(uniforms: impl Iterator<Item = f32>) -> f64 {
        uniforms.fold(0.0, |worst, u| {
            let (found, expected) = (f64::from(minus_twice_ln(u)), -2.0 * libm::log(f64::from(u)));
            assert!(found >= 0.0 && (found == 0.0) == (u == 1.0));
            worst.max((found - expected).abs() / expected.max(f64::MIN_POSITIVE))
        })
    }

    /// The largest errors of sine and cosine for the given random bits, what is rounded of the angle among them.
    fn errors_of_sine_cosine(bits: impl Iterator<Item = u32>) -> [f64; 2] {
        bits.fold([0.0, 0.0], |[of_sine, of_cosine]: [f64; 2], bits| {
            let exact = exact_angle(bits);
            assert!(exact.abs() <= std::f64::consts::FRAC_PI_4 && (f64::from(angle(bits)) - exact).abs() < 6e-8);
            let (sine, cosine) = sine_cosine(angle(bits));
            let (sine, cosine) = (f64::from(sine) - libm::sin(exact), f64::from(cosine) - libm::cos(exact));
            [of_sine.max(sine.abs()), of_cosine.max(cosine.abs())]
        })
    }

    fn exact_angle(bits: u32) -> f64 {
        f64::from(bits as i32 >> 8) * (std::f64::consts::FRAC_PI_2 / 2f64.powi(24))
    }

    #[test]
    fn polynomials_agree_with_double_precision() {
        let mut stream = Stream::new(3, 0, Purpose::Start);
        let words: Vec<u64> = (0..1_000_000).map(|i| stream.next_word() >> (i % 64)).collect();
        let halves = |word: u64| ((word >> 32) as u32, word as u32);
        for &word in &words {
            let (high, low) = halves(word);
            let u = f64::from(uniform(high, low));
            let exact = f64::from(high >> 1) / 2f64.powi(31) + f64::from((low >> 1) | 1) / 2f64.powi(62);
            assert!((u - exact).abs() <= 1.2e-7 * exact, "{word}: {u} {exact}");
        }
        let ln = error_of_ln(words.iter().map(|&word| uniform(halves(word).0, halves(word).1)));
        let [sine, cosine] = errors_of_sine_cosine(words.iter().map(|&word| word as u32));
        assert!(ln < 1.2e-7 && sine < 7.6e-8 && cosine < 1.1e-7, "{ln:e} {sine:e} {cosine:e}");
        assert_eq!(minus_twice_ln(1.0), 0.0);
        assert_eq!(uniform(u32::MAX, u32::MAX), 1.0);
        // The largest radius.
        assert!((f64::from(minus_twice_ln(uniform(0, 0))).sqrt() - 9.27).abs() < 0.01);
    }

    #[test]
    #[ignore = "half a minute in release: every u and every angle"]
    fn polynomials_agree_with_double_precision_everywhere() {
        let least = uniform(0, 0).to_bits();
        let ln = error_of_ln((least..=1f32.to_bits()).map(f32::from_bits));
        let [sine, cosine] = errors_of_sine_cosine((0..1 << 24).map(|angle| angle << 8));
        assert!(ln < 1.2e-7 && sine < 7.6e-8 && cosine < 1.1e-7, "{ln:e} {sine:e} {cosine:e}");
    }

    /// √(−2 ln u) for the 62 bits of u, in double precision.
    fn exact_radius(word: u64) -> f64 {
        let bits = (word >> 33 << 31) | ((word & 0xFFFF_FFFF) >> 1) | 1;
        let left = ((1 << 62) - bits) as f64 / 2f64.powi(62);
        let ln = if left < 0.5 { libm::log1p(-left) } else { libm::log(bits as f64 / 2f64.powi(62)) };
        (-2.0 * ln).sqrt()
    }

    /// Compares many normals with what double precision makes of the same words: none is farther off than the head of this file
    /// says. Returns by how much the means of x, x², … x⁸ differ.
    fn compare_with_double_precision(groups: usize) -> [f64; 8] {
        let mut generator = Generator::new(4, 0, Purpose::Dynamics);
        let mut streams: [Stream; TILE] = std::array::from_fn(|lane| Stream::new(4, lane as u64, Purpose::Dynamics));
        let mut shifts = [0.0; 8];
        for _ in 0..groups {
            let normals = four_normals(&mut generator);
            for (lane, stream) in streams.iter_mut().enumerate() {
                let [first, second, angles] = std::array::from_fn(|_| stream.next_word());
                for (pair, (word, bits)) in
                    [(first, angles as u32), (second, (angles >> 32) as u32)].into_iter().enumerate()
                {
                    let (radius, angle) = (exact_radius(word), exact_angle(bits));
                    let cosine = if bits & 1 == 1 { -libm::cos(angle) } else { libm::cos(angle) };
                    let mut expected = [radius * cosine, radius * libm::sin(angle)];
                    if bits & 2 == 2 {
                        expected.reverse();
                    }
                    for (row, expected) in expected.into_iter().enumerate() {
                        let found = f64::from(normals[2 * pair + row][lane]);
                        let bound = 3e-7 * (radius + 1.0 / radius);
                        assert!((found - expected).abs() < bound, "{found} for {expected}, of radius {radius}");
                        let (mut powers, mut exact) = (1.0, 1.0);
                        for shift in &mut shifts {
                            powers *= found;
                            exact *= expected;
                            *shift += powers - exact;
                        }
                    }
                }
            }
        }
        shifts.map(|shift| shift / (4 * TILE * groups) as f64)
    }

    #[test]
    fn normals_agree_with_double_precision_on_the_same_words() {
        compare_with_double_precision(20_000);
    }

    #[test]
    #[ignore = "a quarter of a minute in release: 10⁸ normals"]
    fn a_hundred_million_normals_agree_with_double_precision() {
        let shifts = compare_with_double_precision(781_250);
        for (shift, moment) in shifts.iter().skip(1).step_by(2).zip([1.0, 3.0, 15.0, 105.0]) {
            assert!(shift.abs() < 1e-8 * moment, "{shifts:?}");
        }
    }
}
