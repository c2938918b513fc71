//! A straight line through independent estimates: slope, intercept, where it crosses zero, and whether it is straight.

use super::estimate::Estimate;
use super::special::f_survival;
use crate::math::ln;

/// Slope and intercept count as told from zero where their relative standard error is below this. Beyond it the ratio of
/// the two has no symmetric error: Fieller's g = (t·SE/value)² would be above about 0.04 (Finney 1978, §4.6: 0.05).
pub const LARGEST_RELATIVE_ERROR: f64 = 0.1;

/// A point of a line: x is exact, y an estimate independent of all others.
#[derive(Clone, Debug, PartialEq)]
pub struct LinePoint {
    /// Where.
    pub x: f64,
    /// What was measured there.
    pub y: Estimate,
}

/// y = intercept + slope·x by weighted least squares with weights 1/SE².
///
/// Every number that follows is a linear combination Σ cᵢyᵢ of independent estimates, so that its standard error is
/// √Σ cᵢ²SEᵢ², with the degrees of freedom of Welch and Satterthwaite, ν = (Σ cᵢ²SEᵢ²)²/Σ (cᵢ²SEᵢ²)²/νᵢ: the errors were
/// estimated from replicas and not known. The scatter about the line does not enter the errors; it is tested by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    points: Vec<LinePoint>,
    /// cᵢ of the slope and of the intercept.
    of_slope: Vec<f64>,
    of_intercept: Vec<f64>,
    /// dy/dx.
    pub slope: Estimate,
    /// y at x = 0.
    pub intercept: Estimate,
    /// Covariance of slope and intercept.
    pub covariance: f64,
    /// Σ (yᵢ − ŷᵢ)²/SEᵢ².
    pub chi_square: f64,
    /// P(a larger χ² if the line is straight), or `None` with two points: Welch's F for estimated errors, with the leverages.
    pub p_value: Option<f64>,
}

impl Line {
    /// The line through at least two points at different x; `None` for fewer, or an estimate without a finite, positive
    /// error.
    pub fn fit(points: &[LinePoint]) -> Option<Self> {
        let usable = |p: &LinePoint| p.x.is_finite() && p.y.is_finite() && p.y.standard_error > 0.0;
        if points.len() < 2 || !points.iter().all(usable) {
            return None;
        }
        // Relative to the smallest error, so that no weight over- or underflows.
        let smallest = points.iter().map(|p| p.y.standard_error).fold(f64::INFINITY, f64::min);
        let weights: Vec<f64> = points
            .iter()
            .map(|p| {
                let relative = smallest / p.y.standard_error;
                relative * relative
            })
            .collect();
        let total: f64 = weights.iter().sum();
        let center = points.iter().zip(&weights).map(|(p, w)| w * p.x).sum::<f64>() / total;
        let spread: f64 = points.iter().zip(&weights).map(|(p, w)| w * (p.x - center) * (p.x - center)).sum();
        if !(spread > 0.0 && spread.is_finite()) {
            return None;
        }
        let of_slope: Vec<f64> = points.iter().zip(&weights).map(|(p, w)| w * (p.x - center) / spread).collect();
        let of_intercept: Vec<f64> = weights.iter().zip(&of_slope).map(|(w, c)| w / total - center * c).collect();
        let slope = combination(points, &of_slope);
        let intercept = combination(points, &of_intercept);
        let covariance = points
            .iter()
            .zip(of_slope.iter().zip(&of_intercept))
            .map(|(p, (c, d))| c * d * p.y.standard_error * p.y.standard_error)
            .sum();
        let residual = |p: &LinePoint| (p.y.value - intercept.value - slope.value * p.x) / p.y.standard_error;
        let chi_square = points.iter().map(|p| residual(p) * residual(p)).sum();
        let leverage: Vec<f64> = points
            .iter()
            .zip(&weights)
            .map(|(p, w)| w / total + w * (p.x - center) * (p.x - center) / spread)
            .collect();
        let mut line = Self {
            points: points.to_vec(),
            of_slope,
            of_intercept,
            slope,
            intercept,
            covariance,
            chi_square,
            p_value: None,
        };
        line.p_value = line.straightness(&leverage);
        Some(line)
    }

    /// What the line was fitted to.
    pub fn points(&self) -> &[LinePoint] {
        &self.points
    }

    /// How far slope and intercept are off at most in standard errors when each y has a further standard error, as the
    /// same fit would pass it on, whatever the correlations between these: Σ |cᵢ| eᵢ.
    pub fn bounds_of_further_errors(&self, errors: &[f64]) -> [f64; 2] {
        [&self.of_slope, &self.of_intercept]
            .map(|weights| weights.iter().zip(errors).map(|(weight, error)| weight.abs() * error).sum())
    }

    /// The height of the line at x.
    pub fn at(&self, x: f64) -> Estimate {
        let weights: Vec<f64> = self.of_slope.iter().zip(&self.of_intercept).map(|(c, d)| c * x + d).collect();
        combination(&self.points, &weights)
    }

    /// ln of −slope/intercept, which is 1/x where the line crosses zero, by the delta method: its influences are those of
    /// ln|slope| − ln|intercept|.
    ///
    /// `None` where the two have one sign (no crossing at positive x), or where one of them is not told from zero
    /// ([`LARGEST_RELATIVE_ERROR`]), so that the delta method does not hold.
    pub fn log_inverse_root(&self) -> Option<Estimate> {
        let (slope, intercept) = (self.slope.value, self.intercept.value);
        let is_told = |e: &Estimate| e.standard_error < LARGEST_RELATIVE_ERROR * e.value.abs();
        if !(slope * intercept < 0.0 && is_told(&self.slope) && is_told(&self.intercept)) {
            return None;
        }
        let influence: Vec<f64> =
            self.of_slope.iter().zip(&self.of_intercept).map(|(c, d)| c / slope - d / intercept).collect();
        Some(Estimate { value: ln(-slope / intercept), ..combination(&self.points, &influence) })
    }

    /// χ²/(k − 2) against F(k − 2, ν), with the correction and the ν that Welch (1951) gave for the equality of k means with
    /// estimated errors, where one parameter is fitted; here two are, and 1 − hᵢ with the leverage hᵢ stands for 1 − wᵢ/Σw.
    fn straightness(&self, leverage: &[f64]) -> Option<f64> {
        let free = self.points.len().checked_sub(2).filter(|&free| free > 0)? as f64;
        let unknown: f64 =
            leverage.iter().zip(&self.points).map(|(h, p)| (1.0 - h) * (1.0 - h) / p.y.degrees_of_freedom).sum();
        let corrected = self.chi_square / free / (1.0 + 2.0 * (free - 1.0) / (free * (free + 2.0)) * unknown);
        // Known errors would be infinitely many; so many make no difference.
        let denominator = if unknown > 0.0 { (free * (free + 2.0) / (3.0 * unknown)).min(1e9) } else { 1e9 };
        let p = f_survival(corrected, free, denominator);
        p.is_finite().then_some(p)
    }
}

/// Σ cᵢyᵢ of independent estimates.
fn combination(points: &[LinePoint], weights: &[f64]) -> Estimate {
    let (mut value, mut variance) = (0.0, 0.0);
    for (p, c) in points.iter().zip(weights) {
        value += c * p.y.value;
        variance += c * p.y.standard_error * (c * p.y.standard_error);
    }
    // Shares of the variance, so that no fourth power under- or overflows.
    let doubt: f64 = points
        .iter()
        .zip(weights)
        .map(|(p, c)| {
            let share = c * p.y.standard_error * (c * p.y.standard_error) / variance;
            share * share / p.y.degrees_of_freedom
        })
        .sum();
    let degrees_of_freedom = if doubt > 0.0 { 1.0 / doubt } else { f64::INFINITY };
    Estimate { value, standard_error: variance.sqrt(), degrees_of_freedom }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64, y: f64, standard_error: f64, degrees_of_freedom: f64) -> LinePoint {
        LinePoint { x, y: Estimate { value: y, standard_error, degrees_of_freedom } }
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs().max(1e-3)
    }

    /// Weights 4, 1, 1 at x = 0, 1, 3: Σw = 6, x̄ = 2/3, Σw(x−x̄)² = 4·4/9 + 1/9 + 49/9 = 22/3; y = 3, 1, −2 gives
    /// Σw(x−x̄)y = −8 + 1/3 − 14/3 = −37/3, slope −37/22, ȳ = 11/6, intercept 11/6 + 37/33 = 65/22.
    /// Two points: slope (y₂ − y₁)/(x₂ − x₁), so that errors of 0.1 and 0.3 move it by 0.4/2 at most, and y at x = 0.
    #[test]
    fn further_errors_add_up_at_most() {
        let point = |x: f64| LinePoint { x, y: Estimate::with_known_error(x, 1.0) };
        let line = Line::fit(&[point(1.0), point(3.0)]).unwrap();
        let [slope, intercept] = line.bounds_of_further_errors(&[0.1, 0.3]);
        assert!((slope - 0.2).abs() < 1e-14 && (intercept - (1.5 * 0.1 + 0.5 * 0.3)).abs() < 1e-14);
    }

    #[test]
    fn three_points_by_hand() {
        let points = [point(0.0, 3.0, 0.5, 9.0), point(1.0, 1.0, 1.0, 9.0), point(3.0, -2.0, 1.0, 9.0)];
        let line = Line::fit(&points).unwrap();
        assert!(close(line.slope.value, -37.0 / 22.0) && close(line.intercept.value, 65.0 / 22.0));
        // (XᵀWX)⁻¹: Var slope = 1/(22/3), Var intercept = 1/6 + x̄²·3/22 = 5/22, covariance −x̄·3/22 = −1/11.
        assert!(close(line.slope.standard_error, (3.0_f64 / 22.0).sqrt()));
        assert!(close(line.intercept.standard_error, (5.0_f64 / 22.0).sqrt()));
        assert!(close(line.covariance, -1.0 / 11.0));
        // Residuals 1/22, −6/22, 1/22·… from the line 65/22 − 37x/22.
        let residuals = [3.0 - 65.0 / 22.0, 1.0 - 28.0 / 22.0, -2.0 + 46.0 / 22.0];
        let chi = 4.0 * residuals[0] * residuals[0] + residuals[1] * residuals[1] + residuals[2] * residuals[2];
        assert!(close(line.chi_square, chi));
        let two = line.at(2.0);
        assert!(close(two.value, 65.0 / 22.0 - 74.0 / 22.0));
        assert!(close(two.standard_error * two.standard_error, 5.0 / 22.0 + 4.0 * 3.0 / 22.0 - 4.0 / 11.0));
    }

    #[test]
    fn the_root_by_the_delta_method() {
        // Through (1, 1) and (3, −1) with errors 0.01 and 0.02: slope −1, intercept 2, root 2, so ln(1/2).
        let points = [point(1.0, 1.0, 0.01, f64::INFINITY), point(3.0, -1.0, 0.02, f64::INFINITY)];
        let line = Line::fit(&points).unwrap();
        let root = line.log_inverse_root().unwrap();
        assert!(close(root.value, -(2.0_f64.ln())));
        // SE(ln x*) = SE(ŷ at the root)/|slope·x*| = √(0.01² + 0.02²)/2/2.
        assert!(close(root.standard_error, (5e-4_f64).sqrt() / 4.0));
        assert_eq!((root.degrees_of_freedom, line.p_value), (f64::INFINITY, None));
        // No crossing at positive x; and a slope that may be zero.
        assert_eq!(
            Line::fit(&[point(1.0, 1.0, 0.01, 9.0), point(3.0, 2.0, 0.01, 9.0)]).unwrap().log_inverse_root(),
            None
        );
        assert_eq!(
            Line::fit(&[point(1.0, 1.0, 0.2, 9.0), point(3.0, -1.0, 0.2, 9.0)]).unwrap().log_inverse_root(),
            None
        );
    }

    /// Degrees of freedom of one that dominates, and of equal ones.
    #[test]
    fn degrees_of_freedom_by_welch_and_satterthwaite() {
        let line = Line::fit(&[point(0.0, 0.0, 1.0, 7.0), point(1.0, 0.0, 1.0, 7.0)]).unwrap();
        assert!(close(line.intercept.degrees_of_freedom, 7.0) && close(line.slope.degrees_of_freedom, 14.0));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        let good = point(1.0, 1.0, 0.1, 9.0);
        assert_eq!(Line::fit(&[]), None);
        assert_eq!(Line::fit(std::slice::from_ref(&good)), None);
        assert_eq!(Line::fit(&[good.clone(), good.clone()]), None);
        assert_eq!(Line::fit(&[good.clone(), point(2.0, 1.0, 0.0, 9.0)]), None);
        assert_eq!(Line::fit(&[good, point(2.0, f64::NAN, 0.1, 9.0)]), None);
    }

    /// Exact errors: χ² with one degree of freedom, P(χ² > 3.841459) = 0.05.
    #[test]
    fn straightness_with_known_errors_is_chi_square() {
        // (1, −2, 1)/6 is orthogonal to lines at x = 0, 1, 2: adding e·(1, −2, 1) gives χ² = 6e²/SE².
        let bend = (3.841_458_820_694_124_f64 / 6.0).sqrt();
        let points: Vec<LinePoint> = [bend, -2.0 * bend, bend]
            .iter()
            .enumerate()
            .map(|(x, y)| point(x as f64, *y, 1.0, f64::INFINITY))
            .collect();
        assert!((Line::fit(&points).unwrap().p_value.unwrap() - 0.05).abs() < 1e-8);
    }
}
