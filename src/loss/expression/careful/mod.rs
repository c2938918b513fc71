//! A second look at results that are not finite.
//!
//! f64 loses a value or a derivative in two ways although it is finite: something on the way overflows (ln cosh 1000), or the rules
//! of differentiation meet 0·∞ or 0/0 where the function is smooth (√(x²)³ at 0). Only where the fast run of a tape gives such a
//! result it is run again, with [`Germ`]s in the place of numbers, in up to three ways:
//!
//! 1. at the point, with exponents that do not run out: what is finite or infinite then is the result;
//! 2. next to the point, θ + εu for ε → 0, along several directions u and their opposites. Where a loss is continuous and its
//!    derivative has one limit from everywhere, this is its derivative;
//! 3. for second derivatives at the point again, with slopes of |a| at a = 0 as they are chosen: where no derivative exists.
//!
//! A result that none of them knows stays what it was. Nothing here runs where the fast result is finite.

mod extended;
mod germ;
mod series;

use self::germ::Germ;
use self::series::Series;
use super::operation::Unary;
use super::tape::{Destination, Instruction, Operation, Source, Tape};

/// Directions in which limits are taken, each with its opposite.
const DIRECTIONS: u32 = 2;

/// Limits along different directions that differ by a smaller fraction are one limit: their rounding is far below.
const ONE_LIMIT: f64 = 1e-9;

fn is_one(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= ONE_LIMIT * a.abs().max(b.abs()).max(scale)
}

/// Replaces the value at θ if it is not finite in f64 but known.
pub(super) fn mend_value(tape: &Tape, theta: &[f64], value: &mut f64) {
    if !value.is_finite() && theta.iter().all(|x| x.is_finite()) {
        let (germs, _) = run(tape, &at_rest(theta), true);
        *value = germs[0].limit().unwrap_or(*value);
    }
}

/// Replaces those outputs of a tape of derivatives that are not finite but known. `inputs` are θ, and after it the direction for
/// which a tape has products with the Hessian; `value` is the loss's own tape.
pub(super) fn mend(value: &Tape, derivatives: &Tape, dimension: usize, inputs: &[f64], outputs: &mut [f64]) {
    if outputs.iter().all(|x| x.is_finite()) || inputs.iter().any(|x| !x.is_finite()) {
        return;
    }
    let still = at_rest(inputs);
    replace(outputs, |i, germs| germs[i].limit(), &run(derivatives, &still, false).0);
    if outputs.iter().all(|x| x.is_finite()) {
        return;
    }
    let (theta, direction) = inputs.split_at(dimension);
    if let Some(limits) = limits(value, derivatives, theta, direction) {
        replace(outputs, |i, limits| limits[i], &limits);
    }
    if outputs.iter().any(|x| x.is_nan()) {
        replace(outputs, |i, germs| germs[i].limit(), &run(derivatives, &still, true).0);
    }
}

fn replace<T>(outputs: &mut [f64], result: impl Fn(usize, &[T]) -> Option<f64>, results: &[T]) {
    for (i, output) in outputs.iter_mut().enumerate().filter(|(_, output)| !output.is_finite()) {
        *output = result(i, results).unwrap_or(*output);
    }
}

fn at_rest(inputs: &[f64]) -> Vec<Germ> {
    inputs.iter().copied().map(Germ::number).collect()
}

/// The limits of the derivatives at θ, each if it is one from all sides; nothing at all where the loss jumps or is not defined.
fn limits(value: &Tape, derivatives: &Tape, theta: &[f64], direction: &[f64]) -> Option<Vec<Option<f64>>> {
    let mut here = [0.0];
    value.run(theta, &mut here, &mut vec![0.0; value.slots()]);
    mend_value(value, theta, &mut here[0]);
    let mut common: Option<Vec<Option<f64>>> = None;
    for side in 0..2 * DIRECTIONS {
        let mut inputs = moving(theta, side);
        let (nearby, scale) = run(value, &inputs, true);
        let continuous = here[0].is_finite() && is_one(nearby[0].limit()?, here[0], scale);
        if !continuous {
            return None;
        }
        inputs.extend(at_rest(direction));
        let (germs, _) = run(derivatives, &inputs, true);
        let limits = germs.iter().map(|germ| germ.limit().filter(|limit| limit.is_finite()));
        common = Some(match common {
            None => limits.collect(),
            Some(common) => common
                .into_iter()
                .zip(limits)
                .map(|(a, b)| a.filter(|&a| b.is_some_and(|b| is_one(a, b, 0.0))))
                .collect(),
        });
        if common.iter().flatten().all(Option::is_none) {
            return None;
        }
    }
    common
}

/// θ + εu for the direction number side/2, in general position, or its opposite.
fn moving(theta: &[f64], side: u32) -> Vec<Germ> {
    let opposite = if side.is_multiple_of(2) { 1.0 } else { -1.0 };
    // Multiples of irrational numbers modulo 1: no two components of a direction are equal, none is 0.
    let stride = [0.6180339887498949, 0.41421356237309503][side as usize / 2 % 2];
    let component = |i: usize| {
        let fraction = ((i + 1) as f64 * stride).fract();
        let sign = if (i + side as usize / 2).is_multiple_of(2) { 1.0 } else { -1.0 };
        opposite * sign * (0.5 + fraction)
    };
    theta.iter().enumerate().map(|(i, &x)| Germ::from(Series::moving(x, component(i)))).collect()
}

/// The outputs of a tape, and how large the finite numbers on the way are. `chosen` gives sides at 0 the slope that is chosen there.
fn run(tape: &Tape, inputs: &[Germ], chosen: bool) -> (Vec<Germ>, f64) {
    let mut slots = vec![Germ::Unknown; tape.slots()];
    let mut outputs = vec![Germ::Unknown; tape.outputs()];
    let constants: Vec<Germ> = tape.constants.iter().copied().map(Germ::number).collect();
    let mut scale = 0.0f64;
    for Instruction { operation, destination } in &tape.instructions {
        let read = |source: &Source| match *source {
            Source::Input(input) => &inputs[input as usize],
            Source::Constant(constant) => &constants[constant as usize],
            Source::Slot(slot) => &slots[slot as usize],
        };
        let result = match operation {
            Operation::Unary(Unary::Side, a) if !chosen && read(a).limit() == Some(0.0) => Germ::Unknown,
            Operation::Unary(operation, a) => read(a).unary(*operation),
            Operation::Binary(operation, a, b) => read(a).binary(*operation, read(b)),
            Operation::Fused(first, closing, [a, b, c]) => Germ::fused(*first, *closing, [read(a), read(b), read(c)]),
        };
        scale = result.limit().filter(|limit| limit.is_finite()).map_or(scale, |limit| scale.max(limit.abs()));
        match *destination {
            Destination::Slot(slot) => slots[slot as usize] = result,
            Destination::Output(output) => outputs[output as usize] = result,
        }
    }
    (outputs, scale)
}
