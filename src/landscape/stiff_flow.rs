//! The gradient flow where it is stiff: steps that the curvature across a valley does not bound.
//!
//! An explicit step is at most 2.5/h_max long, while the way along a valley's floor takes some 1/h_min: as many steps as the condition number.
//! Here every step is implicit: the trapezoidal rule over a part of it and a backward difference over the rest (TR-BDF2 of Bank and others 1985,
//! as a Runge–Kutta method with an embedded error by Hosea and Shampine, Appl. Numer. Math. 20, 21, 1996). It is of order 2, stable at any length,
//! forgets a wall within a step, and becomes Newton's step where the flow has nearly arrived. Both stages are solved by Newton's method
//! until they lie on the valley's floor: a method that linearises once a step (Rosenbrock's kind) leaves a bent floor, whose walls then cut
//! its steps to the fourth root of the inverse condition number.
//!
//! A stage z = c + τf(z), f = −∇L, is the lowest place of L(z) + |z − c|²/(2τ).

use nalgebra::{Cholesky, DMatrix, DVector};

use super::flow::{Accuracy, has_left};
use super::pieces::{Piece, lowest, ways_apart};
use super::sorted_eigen;
use crate::loss::Loss;

/// The flow ends nowhere after so many attempts, or when so many in a row led no farther than this part of the scale: it then rests at a
/// minimum that is not asked about. Near one the steps become five times as long each time.
const MOST_ATTEMPTS: u32 = 4_000;
const ATTEMPTS_BETWEEN_GLANCES: u32 = 20;
const STUCK: f64 = 1e-4;
/// Only after so many times the shortest time that the curvature has does a flow rest: what is flatter than that counts as flat.
const STILL: f64 = 1e14;

/// On a kink a stage is solved no better than to this part of the scale: a flow that moves less rests.
const STILL_ON_KINK: f64 = 1e-9;

/// From so many saddles in turn a flow goes on, so far beside each.
const MOST_SADDLES: usize = 4;
const OFF_SADDLE: f64 = 1e-4;

/// Steps are no longer: where the slope is zero nothing bounds them.
const LONGEST: f64 = 1e100;

/// Where the trapezoidal rule ends, γ = 2 − √2, and the coefficients that follow from it: τ = (γ/2)·step for both stages, and √2/4.
const GAMMA: f64 = 2.0 - std::f64::consts::SQRT_2;
const WEIGHT: f64 = 0.25 * std::f64::consts::SQRT_2;

/// Newton steps for a stage; what takes more has too long a step, or lies on a kink, where so many parabolas are looked at.
const MOST_ITERATIONS: usize = 10;
const MOST_PIECES: usize = 10;
/// A step may be off by so much more than an explicit one: of 10⁴ points in bent valleys of condition 10⁴ to 10⁶ not one gets another label
/// at a thousandth of it, since the ways to different minima part.
const ROUGHER: f64 = 10.0;
/// A stage is solved to this part of what a step may be off by.
const SOLVED: f64 = 1e-2;
/// On a kink parabolas are taken from so many times that beside it at first, and it is solved to this part of that: what is left there drives the
/// flow along the kink.
const BESIDE: f64 = 10.0;
const SOLVED_ON_KINK: f64 = 1e-4;

/// Follows the flow from θ, beginning with a step of this length, until `arrived` recognises where it is.
pub(super) fn follow_stiffly(
    loss: &dyn Loss,
    theta: &[f64],
    step: f64,
    accuracy: Accuracy,
    mut arrived: impl FnMut(&[[f64; 1]]) -> Option<usize>,
) -> Option<usize> {
    let mut found = None;
    let (mut start, mut step) = (theta.to_vec(), step);
    for _ in 0..MOST_SADDLES {
        let end = course_to_rest(loss, &start, step, accuracy, |place| {
            found = arrived(place.as_chunks().0);
            found.is_some()
        })?;
        if found.is_some() {
            break;
        }
        (start, step) = beside_saddle(loss, &end, OFF_SADDLE * accuracy.scale)?;
    }
    found
}

/// A point on a ridge rests at its saddle, and belongs to either side. Gives the lower place beside it along the direction of lowest curvature,
/// and a first step from there; `None` at a minimum.
fn beside_saddle(loss: &dyn Loss, end: &Course, offset: f64) -> Option<(Vec<f64>, f64)> {
    let place = end.theta.as_slice();
    let (_, vectors) = sorted_eigen(along_kink(loss.hessian(place), &end.ways));
    let here = loss.value(place);
    let beside = |offset: f64| -> (Vec<f64>, f64) {
        let there: Vec<f64> = place.iter().zip(vectors.column(0).iter()).map(|(x, v)| x + offset * v).collect();
        let fall = here - loss.value(&there);
        (there, fall)
    };
    let (one, other) = (beside(offset), beside(-offset));
    let (lower, fall) = if other.1 > one.1 { other } else { one };
    // In a parabola the fall is half of the curvature times the offset's square.
    (fall > 1e-14 * here.abs()).then(|| (lower, 0.05 * offset * offset / fall))
}

/// H along a kink that is left by these ways, which it rises across.
fn along_kink(hessian: DMatrix<f64>, ways: &[DVector<f64>]) -> DMatrix<f64> {
    let steep = 1.0 + hessian.norm();
    let across = ways.iter().fold(Vec::new(), |mut across: Vec<DVector<f64>>, way| {
        let left = across.iter().fold(way.clone(), |left, unit| &left - unit * unit.dot(way));
        across.extend(left.try_normalize(1e-6));
        across
    });
    across.into_iter().fold(hessian, |hessian, unit| {
        let projection = DMatrix::identity(unit.len(), unit.len()) - &unit * unit.transpose();
        &projection * hessian * &projection + &unit * unit.transpose() * steep
    })
}

/// Where the flow from θ comes to rest, or is stopped; `None` where it leaves every bound, or does neither.
pub(super) fn rest(
    loss: &dyn Loss,
    theta: &[f64],
    step: f64,
    accuracy: Accuracy,
    stop: impl FnMut(&[f64]) -> bool,
) -> Option<Vec<f64>> {
    course_to_rest(loss, theta, step, accuracy, stop).map(|course| course.theta.as_slice().to_vec())
}

/// Where the flow from θ comes to rest on a kink at no saddle, before it is stopped: at a minimum there.
pub(super) fn rest_on_kink(
    loss: &dyn Loss,
    theta: &[f64],
    step: f64,
    accuracy: Accuracy,
    mut stop: impl FnMut(&[f64]) -> bool,
) -> Option<Vec<f64>> {
    let end = course_to_rest(loss, theta, step, accuracy, &mut stop)?;
    let place = end.theta.as_slice();
    let is_minimum = !end.ways.is_empty() && beside_saddle(loss, &end, OFF_SADDLE * accuracy.scale).is_none();
    (is_minimum && !stop(place)).then(|| place.to_vec())
}

/// [`rest`] with the course itself.
fn course_to_rest<'a>(
    loss: &'a dyn Loss,
    theta: &[f64],
    step: f64,
    accuracy: Accuracy,
    mut stop: impl FnMut(&[f64]) -> bool,
) -> Option<Course<'a>> {
    let mut course = Course::new(loss, theta, step);
    let mut earlier = course.theta.clone();
    for attempt in 1..=MOST_ATTEMPTS {
        let place = course.theta.as_slice();
        if stop(place) {
            return Some(course);
        }
        // Not below: a step that is not a number leads nowhere either.
        if has_left(place, accuracy) || !(course.step >= 1e-300) {
            return None;
        }
        if attempt % ATTEMPTS_BETWEEN_GLANCES == 0 {
            let moved = (&course.theta - &earlier).norm();
            // Beside a saddle, and more so beside a flat ridge, a flow is slow, but its steps stay short or lead it away.
            let is_slow = || STILL < course.step * loss.hessian(place).norm();
            let still = if course.ways.is_empty() { 1e-15 } else { STILL_ON_KINK };
            if moved <= still * accuracy.scale || moved < STUCK * accuracy.scale && is_slow() {
                return Some(course);
            }
            earlier.copy_from(&course.theta);
        }
        course.advance(ROUGHER * accuracy.tolerance * accuracy.scale);
    }
    None
}

/// Whether the flow from θ goes along a kink for some steps.
pub(super) fn slides(loss: &dyn Loss, theta: &[f64], step: f64, accuracy: Accuracy) -> bool {
    const ATTEMPTS: u32 = 40;
    const SOME: u32 = 3;
    let mut course = Course::new(loss, theta, step);
    for _ in 0..ATTEMPTS {
        if course.slid >= SOME || has_left(course.theta.as_slice(), accuracy) || !(course.step >= 1e-300) {
            break;
        }
        course.advance(ROUGHER * accuracy.tolerance * accuracy.scale);
    }
    course.slid >= SOME
}

struct Course<'a> {
    loss: &'a dyn Loss,
    /// Steps that ended on a kink.
    slid: u32,
    theta: DVector<f64>,
    /// f(θ), so that a stage's own slope is never taken as a difference of large numbers.
    descent: DVector<f64>,
    /// Those of the stage that led here.
    ways: Vec<DVector<f64>>,
    step: f64,
}

/// A stage that was solved.
struct Stage {
    place: DVector<f64>,
    /// f there.
    descent: DVector<f64>,
    /// On a kink, the ways to where each of the parabolas that meet there is the highest; else none.
    ways: Vec<DVector<f64>>,
}

impl<'a> Course<'a> {
    fn new(loss: &'a dyn Loss, theta: &[f64], step: f64) -> Self {
        let theta = DVector::from_column_slice(theta);
        let mut slope = DVector::zeros(theta.len());
        loss.gradient(theta.as_slice(), slope.as_mut_slice());
        Self { loss, slid: 0, theta, descent: -slope, ways: Vec::new(), step: step.min(LONGEST) }
    }

    /// One attempt: what is too rough is tried again with a smaller step the next time.
    fn advance(&mut self, allowed: f64) {
        let Some((end, error)) = self.attempt(allowed) else {
            self.step *= 0.25;
            return;
        };
        let ratio = error / allowed;
        if ratio <= 1.0 {
            self.slid += u32::from(!end.ways.is_empty());
            (self.theta, self.descent, self.ways) = (end.place, end.descent, end.ways);
        }
        let factor = if ratio.is_finite() { 0.9 / ratio.max(1e-6).cbrt() } else { 0.1 };
        self.step = (self.step * factor.clamp(0.1, 5.0)).min(LONGEST);
    }

    /// Where a step leads, and by how much it may be off.
    fn attempt(&self, allowed: f64) -> Option<(Stage, f64)> {
        let Self { theta, descent, ways, step, .. } = self;
        let tau = 0.5 * GAMMA * step;
        let solver = Solver { loss: self.loss, tau, solved: SOLVED * allowed };
        let Stage { place, descent: there, ways } = solver.stage(&(theta + descent * tau), theta.clone(), ways)?;
        let from = theta + (descent + &there) * (WEIGHT * step);
        let end = solver.stage(&from, place, &ways)?;
        // Against the embedded rule of order 3: weights (1 − w)/3, (1 + 3w)/3, γ/6.
        let difference =
            descent * (WEIGHT - (1.0 - WEIGHT) / 3.0) - there / 3.0 + &end.descent * (GAMMA / 2.0 - GAMMA / 6.0);
        Some((end, difference.norm() * step))
    }
}

/// Newton's method for the stages of one step.
struct Solver<'a> {
    loss: &'a dyn Loss,
    tau: f64,
    /// A last step of this length is small enough.
    solved: f64,
}

impl Solver<'_> {
    /// The lowest place of L(z) + |z − c|²/(2τ), from a guess of it. `None` where it takes too many steps, or where L bends downwards by more
    /// than 1/τ: the flow then grows too fast for the step.
    fn stage(&self, center: &DVector<f64>, guess: DVector<f64>, ways: &[DVector<f64>]) -> Option<Stage> {
        // What slides along a kink most often goes on doing so.
        if !ways.is_empty()
            && let Some(stage) = self.stage_where_they_meet(center, guess.clone(), ways.to_vec())
        {
            return Some(stage);
        }
        match self.smooth_stage(center, guess) {
            Ok(stage) => Some(stage),
            Err(ends) => self.stage_on_kink(center, ends?),
        }
    }

    /// The same where Newton's method goes to and fro across a kink between two places: the lowest place of the highest parabola of all that were seen,
    /// and then of those that meet there alone, each anew from right beside that place. Parabolas from farther off meet beside the kink, where
    /// the flow along it has another speed.
    fn stage_on_kink(&self, center: &DVector<f64>, [one, mut place]: [DVector<f64>; 2]) -> Option<Stage> {
        let mut pieces = vec![self.piece(center, &one)];
        for _ in 0..MOST_PIECES {
            pieces.push(self.piece(center, &place));
            let (next, active) = lowest(&pieces)?;
            let moved = (&next - &place).norm();
            place = next;
            if moved <= self.solved {
                let ways = ways_apart(&pieces, &active, &place).unwrap_or_default();
                let anew = self.stage_where_they_meet(center, place.clone(), ways);
                return anew.or_else(|| Some(self.solved_at(center, place, Vec::new())));
            }
        }
        None
    }

    /// The lowest place on a kink, from parabolas beside it along these ways. `None` where it does not lie on the kink.
    fn stage_where_they_meet(
        &self,
        center: &DVector<f64>,
        mut place: DVector<f64>,
        mut ways: Vec<DVector<f64>>,
    ) -> Option<Stage> {
        let mut beside = BESIDE * self.solved;
        for _ in 0..MOST_PIECES {
            let pieces: Vec<Piece> = ways.iter().map(|way| self.piece(center, &(&place + way * beside))).collect();
            let (next, active) = lowest(&pieces)?;
            ways = ways_apart(&pieces, &active, &next)?;
            let moved = (&next - &place).norm();
            place = next;
            if moved <= SOLVED_ON_KINK * self.solved {
                return Some(self.solved_at(center, place, ways));
            }
            // So far at least, for each of them to be seen from its own side.
            beside = (BESIDE * self.solved).max(2.0 * moved);
        }
        None
    }

    fn solved_at(&self, center: &DVector<f64>, place: DVector<f64>, ways: Vec<DVector<f64>>) -> Stage {
        let descent = (&place - center) / self.tau;
        Stage { place, descent, ways }
    }

    /// The parabola that fits L(z) + |z − c|²/(2τ) at a place.
    fn piece(&self, center: &DVector<f64>, place: &DVector<f64>) -> Piece {
        let away = place - center;
        let mut slope = DVector::zeros(place.len());
        self.loss.gradient(place.as_slice(), slope.as_mut_slice());
        Piece {
            place: place.clone(),
            height: self.loss.value(place.as_slice()) + 0.5 * away.norm_squared() / self.tau,
            slope: slope + &away / self.tau,
            curvature: self.damped(place),
        }
    }

    /// By Newton's method; where that does not end, the last two places, if it has any.
    fn smooth_stage(&self, center: &DVector<f64>, guess: DVector<f64>) -> Result<Stage, Option<[DVector<f64>; 2]>> {
        let (mut place, mut before) = (guess.clone(), guess);
        let mut slope = DVector::zeros(place.len());
        for _ in 0..MOST_ITERATIONS {
            self.loss.gradient(place.as_slice(), slope.as_mut_slice());
            let factors = Cholesky::new(self.damped(&place)).ok_or(None)?;
            let mut moved = &slope + (&place - center) / self.tau;
            factors.solve_mut(&mut moved);
            before.copy_from(&place);
            place -= &moved;
            if moved.norm() <= self.solved {
                return Ok(self.solved_at(center, place, Vec::new()));
            }
        }
        Err(Some([before, place]))
    }

    /// H + 1/τ.
    fn damped(&self, place: &DVector<f64>) -> DMatrix<f64> {
        let mut matrix = self.loss.hessian(place.as_slice());
        for i in 0..matrix.nrows() {
            matrix[(i, i)] += 1.0 / self.tau;
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::expression::Expression;

    fn end(formula: &str, start: [f64; 2], ends: &[[f64; 2]]) -> Option<usize> {
        let loss = Expression::new(&["x", "y"].map(String::from), &[], formula).unwrap();
        let near = |at: &[[f64; 1]]| ends.iter().position(|end| (at[0][0] - end[0]).hypot(at[1][0] - end[1]) < 1e-3);
        follow_stiffly(&loss, &start, 1e-6, Accuracy { scale: 4.0, tolerance: 1e-6 }, near)
    }

    /// e^(−t) and e^(−3t), to second order with an error that is told to third, and no more where a wall of 10⁶ stands beside.
    #[test]
    fn a_step_is_of_second_order_and_knows_its_error() {
        for wall in [1.0, 1e6] {
            let loss =
                Expression::new(&["x", "y"].map(String::from), &[], &format!("0.5*x^2 + 0.5*{wall}*y^2")).unwrap();
            let off = |step: f64| {
                let course = Course::new(&loss, &[1.0, 0.0], step);
                let (end, told) = course.attempt(1e-6).unwrap();
                (end.place[0] - (-step).exp(), told)
            };
            let [(coarse, told), (fine, _)] = [off(0.1), off(0.05)];
            assert!((coarse / fine - 8.0).abs() < 1.0 && coarse.abs() < 1e-4, "{wall}: {coarse} {fine}");
            assert!((told / coarse.abs() - 1.0).abs() < 0.2, "{wall}: {told} {coarse}");
        }
    }

    /// Along a floor that bends: as many steps, however steep the walls beside it.
    #[test]
    fn the_number_of_steps_does_not_rise_with_the_condition() {
        for soft in [1e-4, 1e-6, 1e-8] {
            let ring = format!("(x^2 + y^2 - 1)^2 + {soft}*x*y");
            let loss = Expression::new(&["x", "y"].map(String::from), &[], &ring).unwrap();
            let mut steps = 0;
            let end = rest(&loss, &[0.7, 0.5], 1e-3, Accuracy { scale: 5.6, tolerance: 1e-5 }, |place| {
                steps += 1;
                (place[0] - 0.5f64.sqrt()).hypot(place[1] + 0.5f64.sqrt()) < 1e-2
            });
            assert!(end.is_some() && steps < 60, "{soft}: {steps} steps to {end:?}");
        }
    }

    /// From above and from below the flow meets the kink y = 0.3x, goes along it at the speed that a mean of both slopes has there, and ends where it would
    /// on the line: on the side of the ridge of (x² − 1)²/4 + 0.1x + 0.09x², where it began on the kink.
    #[test]
    fn a_flow_slides_along_a_kink() {
        let formula = "(x^2 - 1)^2/4 + 0.1*x + y^2 + 0.5*abs(y - 0.3*x)";
        let loss = Expression::new(&["x", "y"].map(String::from), &[], formula).unwrap();
        let accuracy = Accuracy { scale: 8.5, tolerance: 1e-5 };
        // x³ − 0.82x + 0.1 = 0.
        let ridge = 0.124_293;
        for (start, side) in
            [([0.3, 0.8], 1.0), ([ridge + 0.02, 0.3 * ridge], 1.0), ([ridge - 0.02, 0.3 * ridge], -1.0)]
        {
            let mut attempts = 0;
            let end = rest(&loss, &start, 1e-3, accuracy, |place| {
                attempts += 1;
                (place[0].abs() - 0.9).abs() < 0.15
            });
            assert!(
                end.as_ref().is_some_and(|end| end[0] * side > 0.7) && attempts < 80,
                "{start:?}: {end:?} {attempts}"
            );
            assert!(slides(&loss, &start, 1e-3, accuracy), "{start:?}");
        }
        let smooth = Expression::new(&["x", "y"].map(String::from), &[], "(x^2 - 1)^2 + 1e4*(y - x^2)^2").unwrap();
        assert!(!slides(&smooth, &[0.2, 0.5], 1e-3, accuracy));
    }

    /// Along a parabola of condition 10⁸ the flow is exact: (x₀e^(−t), y₀e^(−10⁸t)) comes to the minimum from anywhere.
    #[test]
    fn a_parabola_of_any_condition_ends_at_its_minimum() {
        for stiff in ["1e2", "1e4", "1e6", "1e8"] {
            assert_eq!(end(&format!("0.5*x^2 + 0.5*{stiff}*y^2"), [1.5, 1.0], &[[0.0, 0.0]]), Some(0), "{stiff}");
        }
    }

    /// The gradient flow of a function of u = cx + sy and another of v leaves u = 0 alone, however steep the valley is.
    #[test]
    fn a_tilted_valley_is_cut_at_its_ridge() {
        let (c, s) = (0.93f64, 0.367_559_518_989_782_1);
        let valley = format!("({c}*x + {s}*y)^4/4 - ({c}*x + {s}*y)^2/2 + 5e5*({c}*y - {s}*x)^2");
        let ends = [[-c, -s], [c, s]];
        for (u, v, owner) in [(0.01, 0.9, 1), (-0.01, 0.9, 0), (1e-3, -1.2, 1), (-1e-3, -1.2, 0), (1.8, 0.3, 1)] {
            let start = [c * u - s * v, s * u + c * v];
            assert_eq!(end(&valley, start, &ends), Some(owner), "u = {u}, v = {v}");
        }
    }

    /// From a thousandth of a millionth beside a saddle the flow still leaves it, to the right side, and from the ridge to either.
    #[test]
    fn a_saddle_is_left() {
        let wells = "(x^2 - 1)^2 + 1e4*y^2";
        let ends = [[-1.0, 0.0], [1.0, 0.0]];
        assert_eq!([1e-9, -1e-9].map(|x| end(wells, [x, 0.5], &ends)), [Some(1), Some(0)]);
        assert!(end(wells, [0.0, 0.5], &ends).is_some());
        // Beside a ridge as flat as x⁴ it is slow, and yet comes to its own side.
        let flat = "2*(x^6 - x^4) + y^2";
        let ends = [[-(2.0f64 / 3.0).sqrt(), 0.0], [(2.0f64 / 3.0).sqrt(), 0.0]];
        for x in [1e-2, 1e-3, 1e-4, 1e-5] {
            assert_eq!([x, -x].map(|x| end(flat, [x, 0.5], &ends)), [Some(1), Some(0)], "{x}");
        }
        assert!(end(flat, [0.0, 0.5], &ends).is_some());
        let ends = [[-1.0, 0.0], [1.0, 0.0]];
        // A minimum that is not asked about is none of a saddle.
        assert_eq!(end(wells, [0.5, 0.5], &ends[..1]), None);
    }
}
