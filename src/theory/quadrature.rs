//! Adaptive quadrature in 1-D.

/// Nodes and weights of the Gauss–Kronrod pair G7–K15 on [−1, 1] (Kronrod 1965; QUADPACK): node, weight of the
/// 15-point rule, weight of the 7-point rule. Symmetric; the node 0 comes last.
const GAUSS_KRONROD: [(f64, f64, f64); 8] = [
    (0.991_455_371_120_812_6, 0.022_935_322_010_529_224, 0.0),
    (0.949_107_912_342_758_5, 0.063_092_092_629_978_56, 0.129_484_966_168_869_7),
    (0.864_864_423_359_769_1, 0.104_790_010_322_250_19, 0.0),
    (0.741_531_185_599_394_4, 0.140_653_259_715_525_92, 0.279_705_391_489_276_64),
    (0.586_087_235_467_691_1, 0.169_004_726_639_267_9, 0.0),
    (0.405_845_151_377_397_2, 0.190_350_578_064_785_4, 0.381_830_050_505_118_9),
    (0.207_784_955_007_898_47, 0.204_432_940_075_298_9, 0.0),
    (0.0, 0.209_482_141_084_727_82, 0.417_959_183_673_469_4),
];

/// Nodes and weights of the three-point Gauss–Legendre rule on [−1, 1].
pub const GAUSS_3: [(f64, f64); 3] = [
    (-0.774_596_669_241_483_4, 0.555_555_555_555_555_6),
    (0.0, 0.888_888_888_888_888_8),
    (0.774_596_669_241_483_4, 0.555_555_555_555_555_6),
];

/// Nodes and weights of the five-point Gauss–Legendre rule on [−1, 1].
pub const GAUSS_5: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.906_179_845_938_664, 0.236_926_885_056_189_1),
];

/// ∫ f over [low, high] by adaptive Gauss–Kronrod, cut into `pieces` first, to a relative error of about 1e−13 of the
/// integral of |f|.
pub fn integrate(f: &dyn Fn(f64) -> f64, low: f64, high: f64, pieces: usize) -> f64 {
    let width = (high - low) / pieces as f64;
    let panels: Vec<Panel> = (0..pieces)
        .map(|i| {
            let from = low + width * i as f64;
            Panel::new(f, from, if i + 1 == pieces { high } else { from + width })
        })
        .collect();
    let size: f64 = panels.iter().map(|panel| panel.absolute).sum();
    let mut total = 0.0;
    for panel in panels {
        total += refine(f, panel, 1e-14 * size);
    }
    total
}

/// One panel, halved until its error is below `tolerance` (an absolute one) or rounding ends it.
fn refine(f: &dyn Fn(f64) -> f64, panel: Panel, tolerance: f64) -> f64 {
    let mut pending = vec![(panel, 0)];
    let mut total = 0.0;
    while let Some((panel, depth)) = pending.pop() {
        if panel.error <= tolerance || panel.error <= 1e-14 * panel.absolute || depth == 40 {
            total += panel.integral;
            continue;
        }
        let middle = 0.5 * (panel.low + panel.high);
        pending.push((Panel::new(f, middle, panel.high), depth + 1));
        pending.push((Panel::new(f, panel.low, middle), depth + 1));
    }
    total
}

struct Panel {
    low: f64,
    high: f64,
    integral: f64,
    absolute: f64,
    error: f64,
}

impl Panel {
    fn new(f: &dyn Fn(f64) -> f64, low: f64, high: f64) -> Self {
        let (center, half) = (0.5 * (low + high), 0.5 * (high - low));
        let (mut kronrod, mut gauss, mut absolute) = (0.0, 0.0, 0.0);
        for (node, weight, gauss_weight) in GAUSS_KRONROD {
            let values =
                if node == 0.0 { [f(center), 0.0] } else { [f(center - half * node), f(center + half * node)] };
            let sum = values[0] + values[1];
            kronrod += weight * sum;
            gauss += gauss_weight * sum;
            absolute += weight * (values[0].abs() + values[1].abs());
        }
        Self { low, high, integral: half * kronrod, absolute: half * absolute, error: half * (kronrod - gauss).abs() }
    }
}

/// The interval around [low, high] outside of which exp(−(L−lowest)/T) is below e^(−`decay`), with L rising outwards
/// from there; `None` where L does not rise enough, so that exp(−L/T) has no finite integral that could be trusted.
pub fn support(
    loss: &dyn Fn(f64) -> f64,
    low: f64,
    high: f64,
    lowest: f64,
    temperature: f64,
    decay: f64,
) -> Option<[f64; 2]> {
    let beyond = |start: f64, direction: f64| -> Option<f64> {
        let width = high - low;
        let mut reach = 0.0;
        let mut step = width / 200.0;
        while reach < 1e6 * width {
            let here = loss(start + direction * reach);
            let further = loss(start + direction * (reach + step));
            if (here - lowest) / temperature > decay && (further >= here || further.is_nan()) {
                return Some(start + direction * reach);
            }
            reach += step;
            step *= 1.02;
        }
        None
    };
    Some([beyond(low, -1.0)?, beyond(high, 1.0)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_integrals() {
        let gaussian = integrate(&|x| libm::exp(-0.5 * x * x), -40.0, 40.0, 16);
        assert!((gaussian - (2.0 * std::f64::consts::PI).sqrt()).abs() < 1e-14);
        let kink = integrate(&|x: f64| x.abs().sqrt(), -1.0, 2.0, 3);
        assert!((kink - 2.0 / 3.0 * (1.0 + 8.0f64.sqrt())).abs() < 1e-12);
    }

    #[test]
    fn a_loss_that_does_not_rise_has_no_support() {
        assert!(support(&|x| -x, -1.0, 1.0, -1.0, 0.1, 40.0).is_none());
        let [low, high] = support(&|x| 0.5 * x * x, -1.0, 1.0, 0.0, 1.0, 50.0).unwrap();
        assert!(low < -10.0 && high > 10.0);
    }
}
