//! The operations a formula is made of, each defined once for one point and for a block of points.

use crate::math;

/// An operation with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Unary {
    /// a itself: how an input, a constant or a shared result reaches an output.
    Copy,
    Negate,
    Square,
    Sqrt,
    Exp,
    Ln,
    Sin,
    Cos,
    Tan,
    Sinh,
    Cosh,
    Tanh,
    Abs,
    /// −1, 0 or 1; 0 at ±0, NaN for NaN.
    Sign,
    /// a itself, but NaN for ∞: what a quotient in a derivative is by, so that 1/∞ does not pass for 0 where a overflowed.
    Bounded,
    /// Like `Sign`, but NaN at ±0: what second derivatives are made of, since a slope that is chosen has none.
    Side,
    /// ln(1 + eᵃ).
    Softplus,
    /// 1/(1 + e⁻ᵃ), the derivative of softplus.
    Logistic,
    /// 1/cosh² a, the derivative of tanh.
    SechSquared,
    /// ln cosh a.
    LnCosh,
}

/// An operation with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// aᵇ for real b.
    Power,
    /// The smaller one; a in a tie; NaN if either is.
    Minimum,
    /// The larger one; a in a tie; NaN if either is.
    Maximum,
    /// 1 where `Minimum` takes a, else 0.
    MinimumIsFirst,
    /// 1 where `Maximum` takes a, else 0.
    MaximumIsFirst,
    /// b where a ≠ 0, else 0: unlike a·b, it does not turn an infinite b into NaN.
    Gate,
}

/// The first step of a fused operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
}

/// The second step of a fused operation, given the first one's result t and another operand c. Both steps round: this
/// saves the way through memory, not a rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// t + c
    Add,
    /// t − c
    Subtract,
    /// c − t
    SubtractFrom,
    /// t·c
    Multiply,
    /// t·t
    Square,
    /// −t
    Negate,
}

#[inline(always)]
fn minimum_is_first(a: f64, b: f64) -> bool {
    // `|`, not `||`: no branch.
    (a <= b) | a.is_nan()
}

#[inline(always)]
fn maximum_is_first(a: f64, b: f64) -> bool {
    (a >= b) | a.is_nan()
}

#[inline(always)]
fn sign(a: f64) -> f64 {
    let positive = if a > 0.0 { 1.0 } else { 0.0 };
    let signed = if a < 0.0 { -1.0 } else { positive };
    if a.is_nan() { a } else { signed }
}

#[inline(always)]
fn each<const WIDTH: usize>(result: &mut [f64; WIDTH], a: &[f64; WIDTH], function: impl Fn(f64) -> f64) {
    for lane in 0..WIDTH {
        result[lane] = function(a[lane]);
    }
}

#[inline(always)]
fn each_pair<const WIDTH: usize>(
    result: &mut [f64; WIDTH],
    a: &[f64; WIDTH],
    b: &[f64; WIDTH],
    function: impl Fn(f64, f64) -> f64,
) {
    for lane in 0..WIDTH {
        result[lane] = function(a[lane], b[lane]);
    }
}

#[inline(always)]
fn each_triple<const WIDTH: usize>(
    result: &mut [f64; WIDTH],
    a: &[f64; WIDTH],
    b: &[f64; WIDTH],
    c: &[f64; WIDTH],
    function: impl Fn(f64, f64, f64) -> f64,
) {
    for lane in 0..WIDTH {
        result[lane] = function(a[lane], b[lane], c[lane]);
    }
}

/// `near` for all lanes, then `anywhere` for the lanes whose angle is too large for it.
#[inline(always)]
fn periodic<const WIDTH: usize>(
    result: &mut [f64; WIDTH],
    a: &[f64; WIDTH],
    near: impl Fn(f64) -> f64,
    anywhere: impl Fn(f64) -> f64,
) {
    each(result, a, near);
    let is_far = |angle: f64| angle.abs() > math::NEAR;
    // Looks at every lane, without an early exit, so that it vectorises.
    if a.iter().fold(false, |any, &angle| any | is_far(angle)) {
        for lane in 0..WIDTH {
            if is_far(a[lane]) {
                result[lane] = anywhere(a[lane]);
            }
        }
    }
}

/// Writes `operation` of every lane. The width never changes a lane's bits.
#[inline(always)]
pub(super) fn apply_unary<const WIDTH: usize>(operation: Unary, result: &mut [f64; WIDTH], a: &[f64; WIDTH]) {
    match operation {
        Unary::Copy => each(result, a, |a| a),
        Unary::Negate => each(result, a, |a| -a),
        Unary::Square => each(result, a, |a| a * a),
        Unary::Sqrt => each(result, a, f64::sqrt),
        Unary::Exp => each(result, a, math::exp),
        Unary::Ln => each(result, a, math::ln),
        Unary::Sin => periodic(result, a, math::sin_near, math::sin),
        Unary::Cos => periodic(result, a, math::cos_near, math::cos),
        Unary::Tan => each(result, a, math::tan),
        Unary::Sinh => each(result, a, math::sinh),
        Unary::Cosh => each(result, a, math::cosh),
        Unary::Tanh => each(result, a, math::tanh),
        Unary::Abs => each(result, a, f64::abs),
        Unary::Sign => each(result, a, sign),
        Unary::Bounded => each(result, a, |a| if a == f64::INFINITY { f64::NAN } else { a }),
        Unary::Side => each(result, a, |a| if a == 0.0 { f64::NAN } else { sign(a) }),
        Unary::Softplus => each(result, a, math::softplus),
        Unary::Logistic => each(result, a, math::logistic),
        Unary::SechSquared => each(result, a, math::sech_squared),
        Unary::LnCosh => each(result, a, math::ln_cosh),
    }
}

/// Writes `operation` of every lane. The width never changes a lane's bits.
#[inline(always)]
pub(super) fn apply_binary<const WIDTH: usize>(
    operation: Binary,
    result: &mut [f64; WIDTH],
    a: &[f64; WIDTH],
    b: &[f64; WIDTH],
) {
    match operation {
        Binary::Add => each_pair(result, a, b, |a, b| a + b),
        Binary::Subtract => each_pair(result, a, b, |a, b| a - b),
        Binary::Multiply => each_pair(result, a, b, |a, b| a * b),
        Binary::Divide => each_pair(result, a, b, |a, b| a / b),
        Binary::Power => each_pair(result, a, b, math::pow),
        Binary::Minimum => each_pair(result, a, b, |a, b| if minimum_is_first(a, b) { a } else { b }),
        Binary::Maximum => each_pair(result, a, b, |a, b| if maximum_is_first(a, b) { a } else { b }),
        Binary::MinimumIsFirst => each_pair(result, a, b, |a, b| if minimum_is_first(a, b) { 1.0 } else { 0.0 }),
        Binary::MaximumIsFirst => each_pair(result, a, b, |a, b| if maximum_is_first(a, b) { 1.0 } else { 0.0 }),
        Binary::Gate => each_pair(result, a, b, |a, b| if a != 0.0 { b } else { 0.0 }),
    }
}

/// Writes `closing` of `first` of every lane. The width never changes a lane's bits.
#[inline(always)]
pub(super) fn apply_fused<const WIDTH: usize>(
    first: Arithmetic,
    closing: Closing,
    result: &mut [f64; WIDTH],
    operands: [&[f64; WIDTH]; 3],
) {
    match first {
        Arithmetic::Add => apply_closing(closing, result, operands, |a, b| a + b),
        Arithmetic::Subtract => apply_closing(closing, result, operands, |a, b| a - b),
        Arithmetic::Multiply => apply_closing(closing, result, operands, |a, b| a * b),
    }
}

#[inline(always)]
fn apply_closing<const WIDTH: usize>(
    closing: Closing,
    result: &mut [f64; WIDTH],
    operands: [&[f64; WIDTH]; 3],
    first: impl Fn(f64, f64) -> f64,
) {
    let [a, b, c] = operands;
    match closing {
        Closing::Add => each_triple(result, a, b, c, |a, b, c| first(a, b) + c),
        Closing::Subtract => each_triple(result, a, b, c, |a, b, c| first(a, b) - c),
        Closing::SubtractFrom => each_triple(result, a, b, c, |a, b, c| c - first(a, b)),
        Closing::Multiply => each_triple(result, a, b, c, |a, b, c| first(a, b) * c),
        Closing::Square => each_pair(result, a, b, |a, b| first(a, b) * first(a, b)),
        Closing::Negate => each_pair(result, a, b, |a, b| -first(a, b)),
    }
}

/// `operation` of one number.
pub(super) fn unary(operation: Unary, a: f64) -> f64 {
    let mut result = [0.0];
    apply_unary(operation, &mut result, &[a]);
    result[0]
}

/// `operation` of two numbers.
pub(super) fn binary(operation: Binary, a: f64, b: f64) -> f64 {
    let mut result = [0.0];
    apply_binary(operation, &mut result, &[a], &[b]);
    result[0]
}
