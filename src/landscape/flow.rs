//! The gradient flow dθ/dt = −∇L, which decides to which minimum a point belongs: of one point, or of many side by side.
//!
//! A flow begins with explicit steps. What has not arrived after [`Loss::explicit_steps`] of them, attempts that were too rough included, is
//! stiff, and goes on by [`super::stiff_flow`]: where the condition number is ten, nine of ten flows have arrived after 64.
//!
//! One piece of code follows N flows, each with its own step, so that a point ends in the same place, to the last bit, whether it is
//! alone or in a block. [`follow_flows`] keeps the lanes of a block busy: where flows have arrived, the next points begin.

use super::stiff_flow::follow_stiffly;
use crate::instructions::vectorized;
use crate::loss::{LANES, Loss};

/// The label of a point that is in no minimum's basin.
pub const NO_BASIN: u64 = u64::MAX;

/// Numbers of room that a flow needs for each coordinate.
pub(super) const FLOW_ROOM: usize = 6;

/// So many lanes have to be free before points that wait take their places, since that costs a gradient of the whole block.
const FREE: usize = LANES / 8;
/// So few flows are followed one by one: a block of them would take longer.
const FEW: usize = LANES / 8;

/// Beyond so many of the landscape's lengths a flow has left for good.
const FARTHEST: f64 = 1e6;

/// Where a flow that has not arrived is.
enum Stage {
    Underway,
    /// Not there after all the explicit steps.
    Stiff,
    /// It leads nowhere.
    Lost,
}

/// Whether a flow has left every bound.
pub(super) fn has_left(theta: &[f64], accuracy: Accuracy) -> bool {
    // Not above: what is not a number has left too.
    !(theta.iter().map(|x| x * x).sum::<f64>().sqrt() <= FARTHEST * accuracy.scale)
}

/// How exactly flows are followed.
#[derive(Clone, Copy)]
pub(super) struct Accuracy {
    /// The landscape's length.
    pub scale: f64,
    /// Local error of a step, in units of `scale`.
    pub tolerance: f64,
}

/// N flows on their way, by the embedded Runge–Kutta pair of Bogacki and Shampine (1989), order 3(2).
struct Course<'a, const N: usize> {
    theta: &'a mut [[f64; N]],
    /// ∇L at θ and at the three places that a step looks at; the last of them is where it leads, `there`.
    slopes: [&'a mut [[f64; N]]; 4],
    there: &'a mut [[f64; N]],
    step: [f64; N],
    taken: [u32; N],
    most: u32,
    accuracy: Accuracy,
}

impl<'a, const N: usize> Course<'a, N> {
    /// In `room` of [`FLOW_ROOM`] rows of N for each of d coordinates.
    fn new(room: &'a mut [f64], loss: &dyn Loss, accuracy: Accuracy) -> Self {
        let d = loss.dimension();
        let (theta, rest) = room.as_chunks_mut::<N>().0.split_at_mut(d);
        let (k1, rest) = rest.split_at_mut(d);
        let (k2, rest) = rest.split_at_mut(d);
        let (k3, rest) = rest.split_at_mut(d);
        let (k4, rest) = rest.split_at_mut(d);
        let there = &mut rest[..d];
        Self {
            theta,
            slopes: [k1, k2, k3, k4],
            there,
            step: [0.0; N],
            taken: [0; N],
            most: loss.explicit_steps(),
            accuracy,
        }
    }

    fn place(&mut self, lane: usize, point: &[f64]) {
        for (x, &coordinate) in self.theta.iter_mut().zip(point) {
            x[lane] = coordinate;
        }
        self.taken[lane] = 0;
    }

    /// The slopes at θ, and the first step of those that have taken none. Where nothing has moved the slopes are what they were.
    fn look(&mut self, gradient: &mut impl FnMut(&[[f64; N]], &mut [[f64; N]])) {
        gradient(self.theta, self.slopes[0]);
        let speed = norm(self.slopes[0]);
        for l in 0..N {
            let first = if speed[l].is_finite() {
                0.01 * self.accuracy.scale / speed[l].max(f64::MIN_POSITIVE)
            } else {
                f64::NAN
            };
            self.step[l] = if self.taken[l] == 0 { first } else { self.step[l] };
        }
    }

    /// One attempt of every lane: what it finds too rough is tried again with a smaller step the next time.
    fn advance(&mut self, gradient: &mut impl FnMut(&[[f64; N]], &mut [[f64; N]])) {
        let Self { theta, slopes: [k1, k2, k3, k4], there, step, .. } = self;
        vectorized(
            #[inline(always)]
            || towards(there, theta, k1, 0.5, step),
        );
        gradient(there, k2);
        vectorized(
            #[inline(always)]
            || towards(there, theta, k2, 0.75, step),
        );
        gradient(there, k3);
        vectorized(
            #[inline(always)]
            || {
                for (i, there) in there.iter_mut().enumerate() {
                    for l in 0..N {
                        there[l] = theta[i][l] - step[l] * (2.0 * k1[i][l] + 3.0 * k2[i][l] + 4.0 * k3[i][l]) / 9.0;
                    }
                }
            },
        );
        gradient(there, k4);
        vectorized(
            #[inline(always)]
            || self.accept(),
        );
    }

    /// Takes the steps whose error is small enough, and chooses the next ones.
    #[inline(always)]
    fn accept(&mut self) {
        let Self { theta, slopes: [k1, k2, k3, k4], there, step, taken, accuracy, .. } = self;
        let mut error = [0.0; N];
        for i in 0..theta.len() {
            for l in 0..N {
                let difference = step[l] * (-5.0 * k1[i][l] + 6.0 * k2[i][l] + 8.0 * k3[i][l] - 9.0 * k4[i][l]) / 72.0;
                error[l] += difference * difference;
            }
        }
        let allowed = accuracy.tolerance * accuracy.scale;
        let mut ratio = [0.0; N];
        for l in 0..N {
            ratio[l] = error[l].sqrt() / allowed;
        }
        for i in 0..theta.len() {
            for l in 0..N {
                let accepted = ratio[l] <= 1.0;
                theta[i][l] = if accepted { there[i][l] } else { theta[i][l] };
                k1[i][l] = if accepted { k4[i][l] } else { k1[i][l] };
            }
        }
        for l in 0..N {
            // The exponent of the theory is ⅓; ¼ takes two square roots and is the more careful.
            let factor = if ratio[l].is_finite() { 0.9 / ratio[l].max(1e-6).sqrt().sqrt() } else { 0.1 };
            step[l] *= factor.clamp(0.1, 5.0);
            taken[l] += 1;
        }
    }

    /// Where a flow that has not arrived is.
    fn stage(&self, lane: usize) -> Stage {
        let squares = |rows: &[[f64; N]]| rows.iter().map(|row| row[lane] * row[lane]).sum::<f64>();
        let has_left = !(squares(self.theta).sqrt() <= FARTHEST * self.accuracy.scale);
        // Not below: a step that is not a number leads nowhere either.
        if !(self.step[lane] >= 1e-300) || !squares(self.slopes[0]).is_finite() || has_left {
            Stage::Lost
        } else if self.taken[lane] >= self.most {
            Stage::Stiff
        } else {
            Stage::Underway
        }
    }

    /// Follows one lane to its end by the method for stiff flows.
    fn end_stiffly(
        &mut self,
        lane: usize,
        loss: &dyn Loss,
        arrived: impl FnMut(&[[f64; 1]]) -> Option<usize>,
    ) -> Option<usize> {
        let place: Vec<f64> = self.theta.iter().map(|row| row[lane]).collect();
        follow_stiffly(loss, &place, self.step[lane], self.accuracy, arrived)
    }

    /// Takes over one lane of another course, with all that its future depends on.
    fn take_over<const M: usize>(&mut self, lane: usize, other: &Course<'_, M>, from: usize) {
        let copy = |rows: &mut [[f64; N]], others: &[[f64; M]]| {
            rows.iter_mut().zip(others).for_each(|(row, other)| row[lane] = other[from]);
        };
        copy(self.theta, other.theta);
        copy(self.slopes[0], other.slopes[0]);
        (self.step[lane], self.taken[lane]) = (other.step[from], other.taken[from]);
    }
}

/// θ − part·step·slope.
#[inline(always)]
fn towards<const N: usize>(there: &mut [[f64; N]], theta: &[[f64; N]], slope: &[[f64; N]], part: f64, step: &[f64; N]) {
    for ((there, theta), slope) in there.iter_mut().zip(theta).zip(slope) {
        for l in 0..N {
            there[l] = theta[l] - part * step[l] * slope[l];
        }
    }
}

fn norm<const N: usize>(rows: &[[f64; N]]) -> [f64; N] {
    let mut squares = [0.0; N];
    for row in rows {
        for l in 0..N {
            squares[l] += row[l] * row[l];
        }
    }
    squares.map(f64::sqrt)
}

/// Follows the flow of one point until `arrived` recognises where it is; `None` if it leaves every bound or does not settle.
pub(super) fn follow_flow(
    loss: &dyn Loss,
    theta: &[f64],
    accuracy: Accuracy,
    room: &mut Vec<f64>,
    arrived: impl FnMut(&[[f64; 1]]) -> Option<usize>,
) -> Option<usize> {
    room.resize(FLOW_ROOM * theta.len(), 0.0);
    let mut course = Course::<1>::new(room, loss, accuracy);
    course.place(0, theta);
    course.look(&mut |theta, slope| loss.gradient(theta.as_flattened(), slope.as_flattened_mut()));
    follow(loss, &mut course, arrived)
}

fn follow(
    loss: &dyn Loss,
    course: &mut Course<'_, 1>,
    mut arrived: impl FnMut(&[[f64; 1]]) -> Option<usize>,
) -> Option<usize> {
    loop {
        if let Some(index) = arrived(course.theta) {
            return Some(index);
        }
        match course.stage(0) {
            Stage::Lost => return None,
            Stage::Stiff => return course.end_stiffly(0, loss, arrived),
            Stage::Underway => {}
        }
        course.advance(&mut |theta, slope| loss.gradient(theta.as_flattened(), slope.as_flattened_mut()));
    }
}

/// Room for the flows of many points.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    block: Vec<f64>,
    scratch: Vec<f64>,
    pub(super) alone: Vec<f64>,
}

impl Room {
    /// All of it at once: whether it is needed is seen late, when nothing may be allocated any more.
    pub(super) fn prepare(&mut self, loss: &dyn Loss) {
        let d = loss.dimension();
        self.block.resize(FLOW_ROOM * LANES * d, 0.0);
        self.scratch.resize(loss.block_scratch(), 0.0);
        self.alone.resize(FLOW_ROOM * d, 0.0);
    }
}

/// How a flow is recognised as arrived, in a block and alone: the two must agree.
pub(super) trait Destination {
    /// The index of the place in which each lane is, [`NO_BASIN`] where it is in none.
    fn arrived<const N: usize>(&mut self, theta: &[[f64; N]]) -> [u64; N];
}

/// Follows the flows of many points, d numbers after d numbers, and writes for each where it arrives, or [`NO_BASIN`].
pub(super) fn follow_flows(
    loss: &dyn Loss,
    points: &[f64],
    accuracy: Accuracy,
    room: &mut Room,
    destination: &mut impl Destination,
    labels: &mut [u64],
) {
    let d = loss.dimension();
    let mut waiting = points.chunks_exact(d).enumerate().peekable();
    if waiting.len() <= FEW {
        for (index, point) in waiting {
            let arrived = |theta: &[[f64; 1]]| basin(destination.arrived(theta)[0]);
            labels[index] = label(follow_flow(loss, point, accuracy, &mut room.alone, arrived));
        }
        return;
    }
    room.prepare(loss);
    let Room { block, scratch, alone } = room;
    let mut gradient = |theta: &[[f64; LANES]], slope: &mut [[f64; LANES]]| {
        loss.gradient_block(theta.as_flattened(), slope.as_flattened_mut(), scratch);
    };
    let mut course = Course::<LANES>::new(block, loss, accuracy);
    // Free lanes follow some flow too, which nobody asks about.
    (0..LANES).for_each(|lane| course.place(lane, &points[..d]));
    let mut point_of: [Option<usize>; LANES] = [None; LANES];
    loop {
        let free = point_of.iter().filter(|point| point.is_none()).count();
        if waiting.peek().is_some() && free >= FREE {
            for (lane, point_of) in point_of.iter_mut().enumerate().filter(|(_, point)| point.is_none()) {
                let Some((index, point)) = waiting.next() else { break };
                course.place(lane, point);
                *point_of = Some(index);
            }
            course.look(&mut gradient);
        } else if LANES - free <= FEW {
            break;
        }
        let arrived = destination.arrived(course.theta);
        for lane in 0..LANES {
            let Some(index) = point_of[lane] else { continue };
            let end = match course.stage(lane) {
                _ if arrived[lane] != NO_BASIN => arrived[lane],
                Stage::Underway => continue,
                Stage::Lost => NO_BASIN,
                Stage::Stiff => label(course.end_stiffly(lane, loss, |theta| basin(destination.arrived(theta)[0]))),
            };
            (labels[index], point_of[lane]) = (end, None);
        }
        course.advance(&mut gradient);
    }
    for (lane, index) in point_of.iter().enumerate().filter_map(|(lane, point)| Some((lane, (*point)?))) {
        let mut last = Course::<1>::new(alone, loss, accuracy);
        last.take_over(0, &course, lane);
        labels[index] = label(follow(loss, &mut last, |theta| basin(destination.arrived(theta)[0])));
    }
}

/// A label as a basin, if it is one.
pub(super) fn basin(label: u64) -> Option<usize> {
    (label != NO_BASIN).then_some(label as usize)
}

fn label(basin: Option<usize>) -> u64 {
    basin.map_or(NO_BASIN, |basin| basin as u64)
}
