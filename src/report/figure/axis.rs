//! Axes: scales and where their ticks are.

use super::super::number::{pretty, significant};

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    Linear,
    Log,
    /// ln(p/(1 − p)): equal distances are equal changes of log-odds.
    Logit,
    /// asinh(v/w): linear within ±w, logarithmic beyond.
    Asinh(f64),
}

/// A labelled place on an axis.
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

/// A range of values and how they are spread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) scale: Scale,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Axis {
    /// From `low` to `high`; a range without extent is widened, one without ends is made up.
    pub(super) fn new(scale: Scale, low: f64, high: f64) -> Self {
        if !(low.is_finite() && high.is_finite()) {
            return Axis { scale, low: 0.1, high: 0.9 };
        }
        if high > low {
            return Axis { scale, low, high };
        }
        match scale {
            Scale::Log => Axis { scale, low: low / 2.0, high: low * 2.0 },
            _ => Axis { scale, low: low - 0.5, high: low + 0.5 },
        }
    }

    fn spread(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log => value.max(f64::MIN_POSITIVE).ln(),
            Scale::Logit => {
                let p = value.clamp(1e-300, 1.0 - 1e-16);
                p.ln() - (-p).ln_1p()
            }
            Scale::Asinh(width) => (value / width).asinh(),
        }
    }

    /// Where a value lies: 0 at the low end, 1 at the high end.
    pub(super) fn position(&self, value: f64) -> f64 {
        let (low, high) = (self.spread(self.low), self.spread(self.high));
        (self.spread(value) - low) / (high - low)
    }

    /// Candidate ticks, the most welcome first; the caller drops those whose labels collide with earlier ones.
    pub(super) fn ticks(&self, at_most: usize) -> Vec<Tick> {
        let values = match self.scale {
            Scale::Linear => return self.linear_ticks(at_most),
            Scale::Log if self.high / self.low < 8.0 => return self.linear_ticks(at_most),
            Scale::Log => self.log_ticks(),
            Scale::Logit => {
                let values = logit_ticks();
                let inside = values.iter().filter(|value| self.holds(**value)).count();
                if inside < 3 || self.spread(self.high) - self.spread(self.low) < 1.5 {
                    return self.linear_ticks(at_most);
                }
                values
            }
            Scale::Asinh(width) => asinh_ticks(width),
        };
        values.into_iter().filter(|value| self.holds(*value)).map(|value| Tick { value, label: label(value) }).collect()
    }

    fn holds(&self, value: f64) -> bool {
        let position = self.position(value);
        (-1e-9..=1.0 + 1e-9).contains(&position)
    }

    fn linear_ticks(&self, at_most: usize) -> Vec<Tick> {
        let rough = (self.high - self.low) / at_most.max(1) as f64;
        let power = rough.log10().floor() as i32;
        let unit = 10f64.powi(power);
        let multiple = [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| m * unit >= rough * 0.999).unwrap_or(10.0);
        let step = multiple * unit;
        let decimals = usize::try_from(-(step.log10() + 1e-9).floor() as i32).unwrap_or(0);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let large = self.low.abs().max(self.high.abs()) >= 1e5 || step < 1e-5;
        (first..=last)
            .map(|index| {
                let value = index as f64 * step;
                let text = if large { label(value) } else { pretty(&format!("{value:.decimals$}")) };
                Tick { value, label: text }
            })
            .collect()
    }

    fn log_ticks(&self) -> Vec<f64> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let decades = last - first;
        let step = (decades / 6).max(1) as usize;
        let mut values: Vec<f64> = (first..=last).step_by(step).map(|power| 10f64.powi(power)).collect();
        if decades <= 3 {
            for multiple in [3.0, 2.0, 5.0] {
                values.extend((first..=last).map(|power| multiple * 10f64.powi(power)));
            }
        }
        values
    }
}

fn logit_ticks() -> Vec<f64> {
    let mut values = vec![0.5, 0.1, 0.9, 0.01, 0.99];
    for power in [3, 4, 6, 8, 10, 5, 7, 9, 12, 15, 20, 30, 50, 100, 200] {
        values.push(10f64.powi(-power));
        if power <= 5 {
            values.push(1.0 - 10f64.powi(-power));
        }
    }
    values.extend([0.3, 0.7, 0.2, 0.8, 0.03, 0.97, 0.05, 0.95, 0.02, 0.98, 0.4, 0.6]);
    values
}

fn asinh_ticks(width: f64) -> Vec<f64> {
    let mut values = vec![0.0];
    for power in -6..=6 {
        for multiple in [1.0, 3.0] {
            let value = multiple * 10f64.powi(power);
            if value >= width * 0.999 {
                values.extend([value, -value]);
            }
        }
    }
    values
}

fn label(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-3..1e5).contains(&magnitude) {
        return pretty(&significant(value, 6));
    }
    let text = pretty(&format!("{value:e}"));
    // 1 × 10⁻⁶ is 10⁻⁶.
    text.strip_prefix("1 × ").map(str::to_owned).unwrap_or_else(|| text.replacen("−1 × ", "−", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let labels = |axis: Axis| axis.ticks(6).into_iter().map(|tick| tick.label).collect::<Vec<_>>();
        assert_eq!(labels(Axis::new(Scale::Linear, -1.0, 1.0)), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(labels(Axis::new(Scale::Log, 1.0, 1e6))[0], "1");
        assert!(labels(Axis::new(Scale::Log, 1e-9, 1.0)).contains(&"10⁻⁹".to_owned()));
        assert!(labels(Axis::new(Scale::Logit, 1e-4, 0.995)).contains(&"0.5".to_owned()));
        assert_eq!(labels(Axis::new(Scale::Asinh(0.1), -0.2, 2.0))[0], "0");
    }

    #[test]
    fn positions_run_from_end_to_end() {
        for scale in [Scale::Linear, Scale::Log, Scale::Logit, Scale::Asinh(0.1)] {
            let axis = Axis::new(scale, 0.01, 0.9);
            assert_eq!(axis.position(0.01), 0.0);
            assert_eq!(axis.position(0.9), 1.0);
            assert!((0.0..1.0).contains(&axis.position(0.4)));
        }
    }
}
