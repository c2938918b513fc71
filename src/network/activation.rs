//! Activations φ with two derivatives.

use serde::{Deserialize, Serialize};

use super::Real;
use crate::instructions::vectorized;

/// φ, what is between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// tanh z.
    Tanh,
    /// max(z, 0), whose derivative at 0 is taken as 0.
    Relu,
    /// z·Φ(z), Φ the normal distribution function: the exact one, not its approximation by tanh.
    Gelu,
    /// z: a deep linear network.
    Identity,
}

impl Activation {
    /// Replaces every z by φ(z) and writes φ′(z) beside it.
    pub fn apply<T: Real>(self, z: &mut [T], slope: &mut [T]) {
        vectorized(
            #[inline(always)]
            || {
                let pairs = z.iter_mut().zip(slope.iter_mut());
                match self {
                    Self::Tanh => pairs.for_each(
                        #[inline(always)]
                        |(z, slope)| {
                            *z = z.tanh();
                            *slope = T::ONE - *z * *z;
                        },
                    ),
                    Self::Relu => pairs.for_each(
                        #[inline(always)]
                        |(z, slope)| {
                            // A NaN stays one.
                            let off = *z <= T::ZERO;
                            *slope = if off { T::ZERO } else { T::ONE };
                            *z = if off { T::ZERO } else { *z };
                        },
                    ),
                    Self::Gelu => pairs.for_each(|(z, slope)| {
                        let (below, density) = normal(z.to_f64());
                        *slope = T::from_f64(below + z.to_f64() * density);
                        *z = T::from_f64(z.to_f64() * below);
                    }),
                    Self::Identity => slope.fill(T::ONE),
                }
            },
        );
    }

    /// Writes φ″(z), before [`Activation::apply`] has replaced z.
    pub fn bend<T: Real>(self, z: &[T], bend: &mut [T]) {
        let pairs = z.iter().zip(bend.iter_mut());
        match self {
            Self::Tanh => pairs.for_each(|(z, bend)| {
                let a = z.tanh();
                *bend = T::from_f64(-2.0) * a * (T::ONE - a * a);
            }),
            Self::Relu | Self::Identity => bend.fill(T::ZERO),
            Self::Gelu => pairs.for_each(|(z, bend)| {
                let z = z.to_f64();
                *bend = T::from_f64((2.0 - z * z) * normal(z).1);
            }),
        }
    }
}

/// Φ(z) and its density.
fn normal(z: f64) -> (f64, f64) {
    let below = 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
    let density = crate::math::exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt();
    (below, density)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_function() {
        const H: f64 = 1e-5;
        for activation in [Activation::Tanh, Activation::Relu, Activation::Gelu, Activation::Identity] {
            for x in [-3.0, -0.7, -0.1, 0.2, 1.0, 4.0] {
                let at = |x: f64| {
                    let (mut z, mut slope, mut bend) = ([x], [f64::NAN], [f64::NAN]);
                    activation.bend(&z, &mut bend);
                    activation.apply(&mut z, &mut slope);
                    (z[0], slope[0], bend[0])
                };
                let ((up, slope_up, _), (down, slope_down, _), (_, slope, bend)) = (at(x + H), at(x - H), at(x));
                assert!(((up - down) / (2.0 * H) - slope).abs() < 1e-9, "{activation:?} {x}");
                assert!(((slope_up - slope_down) / (2.0 * H) - bend).abs() < 1e-9, "{activation:?} {x}");
            }
        }
        let (mut z, mut slope) = ([1.0, f64::NAN], [0.0; 2]);
        Activation::Gelu.apply(&mut z, &mut slope);
        assert!((z[0] - 0.841_344_746_068_542_9).abs() < 1e-15 && z[1].is_nan());
    }
}
