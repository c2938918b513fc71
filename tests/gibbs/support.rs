//! A loss whose integrals are known from the line.

/// a(x² − 1)²/4 + bx: a double well on the line.
#[derive(Clone, Copy)]
pub struct DoubleWell {
    pub a: f64,
    pub b: f64,
}

impl DoubleWell {
    pub fn value(self, x: f64) -> f64 {
        0.25 * self.a * (x * x - 1.0) * (x * x - 1.0) + self.b * x
    }

    pub fn slope(self, x: f64) -> f64 {
        self.a * x * (x * x - 1.0) + self.b
    }

    pub fn curvature(self, x: f64) -> f64 {
        self.a * (3.0 * x * x - 1.0)
    }

    /// The place of its maximum, by bisection.
    fn ridge(self) -> f64 {
        let (mut low, mut high) = (-0.5, 0.5);
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if self.slope(middle) > 0.0 { low = middle } else { high = middle }
        }
        low
    }

    /// ∫ f exp(−L/T) left and right of the ridge, by Simpson's rule.
    pub fn halves(self, temperature: f64, f: impl Fn(f64) -> f64) -> [f64; 2] {
        let simpson = |low: f64, high: f64| {
            const PIECES: usize = 4_000;
            let h = (high - low) / PIECES as f64;
            let at = |i: usize| {
                let x = low + h * i as f64;
                let factor = if i == 0 || i == PIECES {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                factor * f(x) * (-self.value(x) / temperature).exp()
            };
            (0..=PIECES).map(at).sum::<f64>() * h / 3.0
        };
        let ridge = self.ridge();
        [simpson(-3.5, ridge), simpson(ridge, 3.5)]
    }
}
