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

/// The polynomial through what a function is at these fifteen nodes, at the place 1: weights of −x and of x for each node x, in the same order.
const AT_THE_END: [(f64, f64); 8] = [
    (0.006_238_528_645_340_283, 1.453_983_731_103_312_4),
    (-0.018_451_577_046_963_43, -0.706_673_993_404_573_8),
    (0.030_438_309_530_367_933, 0.420_047_199_720_882_9),
    (-0.043_250_815_978_173_98, -0.291_418_695_919_990_6),
    (0.057_719_118_618_911_435, 0.221_175_970_224_892_7),
    (-0.073_778_979_644_262_45, -0.174_570_351_562_241_3),
    (0.091_687_296_848_570_97, 0.139_783_431_782_908_4),
    (-0.112_929_172_918_981_48, -0.112_929_172_918_981_48),
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

/// The 15 nodes of the Kronrod rule from left to right, with their weights.
pub(super) fn kronrod() -> [(f64, f64); 15] {
    std::array::from_fn(|i| {
        let (node, weight, _) = GAUSS_KRONROD[if i < 8 { i } else { 14 - i }];
        (if i < 7 { -node } else { node }, weight)
    })
}

/// An integral, and what is known of its error.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Integral {
    /// The integral.
    pub value: f64,
    /// By how much it may be off, in the same units: the differences of the two rules of Gauss and Kronrod, which are far above
    /// the error where the integrand is smooth, and what a kink or a jump between their outermost nodes and the ends could change, which
    /// neither of them sees; infinite where the integrand is not a number.
    pub error: f64,
}

impl std::ops::AddAssign for Integral {
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        self.error += other.error;
    }
}

/// What a quadrature asks for by itself, as a part of the integral of |f|.
pub const SETTLED: f64 = 1e-14;
/// A panel is halved at most so often, and in one integral there are at most so many halvings: jumps, rounding and places that are
/// not numbers would ask for more and more of them.
const DEEPEST: u32 = 40;
const MOST_HALVINGS: usize = 20_000;

/// ∫ f over [low, high] by adaptive Gauss–Kronrod, cut into `pieces` first, to a relative error of about 1e−13 of the
/// integral of |f|, or as well as a bounded number of halvings can: the error is part of the answer.
pub fn integrate(f: &dyn Fn(f64) -> f64, low: f64, high: f64, pieces: usize) -> Integral {
    integrate_to(SETTLED, f, low, high, pieces)
}

/// The same to about `tolerance` of the integral of |f|: where f is known no better, halving its panels further sees noise alone.
pub fn integrate_to(tolerance: f64, f: &dyn Fn(f64) -> f64, low: f64, high: f64, pieces: usize) -> Integral {
    let width = (high - low) / pieces as f64;
    let panels: Vec<Panel> = (0..pieces)
        .map(|i| {
            let from = low + width * i as f64;
            Panel::new(f, from, if i + 1 == pieces { high } else { from + width })
        })
        .collect();
    let size: f64 = panels.iter().map(|panel| panel.absolute).sum();
    let mut halvings = MOST_HALVINGS;
    let mut total = Integral::default();
    for panel in panels {
        total += refine(f, panel, [tolerance * size, tolerance], &mut halvings);
    }
    total
}

/// One panel, halved until its error is below the first tolerance (an absolute one) or the second (a part of its own ∫|f|), or
/// nothing is left of the halvings.
fn refine(f: &dyn Fn(f64) -> f64, panel: Panel, [absolute, relative]: [f64; 2], halvings: &mut usize) -> Integral {
    let mut pending = vec![(panel, 0)];
    let mut total = Integral::default();
    while let Some((panel, depth)) = pending.pop() {
        let settled = panel.error <= absolute || panel.error <= relative * panel.absolute;
        if settled || depth == DEEPEST || *halvings == 0 {
            let error = if panel.error.is_nan() { f64::INFINITY } else { panel.error };
            total += Integral { value: panel.integral, error };
            continue;
        }
        *halvings -= 1;
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
        // What f would be at the ends if it went on as it is at the nodes.
        let mut ends = [0.0; 2];
        for ((node, weight, gauss_weight), (far, near)) in GAUSS_KRONROD.into_iter().zip(AT_THE_END) {
            let values =
                if node == 0.0 { [f(center), 0.0] } else { [f(center - half * node), f(center + half * node)] };
            let sum = values[0] + values[1];
            kronrod += weight * sum;
            gauss += gauss_weight * sum;
            absolute += weight * (values[0].abs() + values[1].abs());
            ends[0] += near * values[0] + far * values[1];
            ends[1] += far * values[0] + near * values[1];
        }
        let gap = half * (1.0 - GAUSS_KRONROD[0].0);
        let off =
            |expected: f64, end: f64| Some((f(end) - expected).abs()).filter(|off| off.is_finite()).unwrap_or(0.0);
        let unseen = gap * (off(ends[0], low) + off(ends[1], high));
        Self {
            low,
            high,
            integral: half * kronrod,
            absolute: half * absolute,
            error: half * (kronrod - gauss).abs() + unseen,
        }
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
        let gaussian = integrate(&|x| libm::exp(-0.5 * x * x), -40.0, 40.0, 16).value;
        assert!((gaussian - (2.0 * std::f64::consts::PI).sqrt()).abs() < 1e-14);
        let kink = integrate(&|x: f64| x.abs().sqrt(), -1.0, 2.0, 3);
        assert!((kink.value - 2.0 / 3.0 * (1.0 + 8.0f64.sqrt())).abs() < 1e-12 && kink.error < 2e-11, "{kink:?}");
    }

    /// The polynomial of degree 14 through a polynomial of degree 14 is that one, at the end too.
    #[test]
    fn the_end_is_where_the_nodes_lead() {
        for degree in 0..=14 {
            let terms = GAUSS_KRONROD.iter().zip(AT_THE_END).map(|((node, ..), (far, near))| {
                let there = crate::math::powi(*node, degree);
                let mirrored = if degree % 2 == 0 { there } else { -there };
                if *node == 0.0 { near * there } else { near * there + far * mirrored }
            });
            let end: f64 = terms.sum();
            assert!((end - 1.0).abs() < 1e-14, "{degree}: {end}");
        }
    }

    /// A kink or a jump in the last two hundredths of a panel, which no node sees, after any number of halvings of [0, 1].
    #[test]
    fn kinks_beside_the_ends_of_panels_are_seen() {
        for part in [1e-4, 1e-3, 0.002_222, 0.004, 0.996, 0.999] {
            for place in [0.0, 0.25, 0.5, 0.906_25].map(|low| low + part / 32.0) {
                let kinked =
                    |x: f64| if x < place { crate::math::exp(x - place) } else { crate::math::exp(3.0 * (place - x)) };
                let exact = 1.0 - libm::exp(-place) + (1.0 - libm::exp(3.0 * (place - 1.0))) / 3.0;
                for pieces in [1, 4, 32] {
                    let found = integrate(&kinked, 0.0, 1.0, pieces);
                    assert!((found.value - exact).abs() < 1e-12 && found.error < 1e-11, "{place} {pieces}: {found:?}");
                    let jump = integrate(&|x| if x < place { 1.0 } else { 2.0 }, 0.0, 1.0, pieces);
                    assert!((jump.value - (2.0 - place)).abs() < 1e-11, "{place} {pieces}: {jump:?}");
                }
            }
        }
    }

    /// Places that are not numbers, jumps and noise end with an error that says so, after a bounded number of looks.
    #[test]
    fn what_never_settles_ends_and_says_how_well() {
        let looks = std::cell::Cell::new(0);
        let counted = |f: fn(f64) -> f64| {
            looks.set(0);
            let counting = |x: f64| {
                looks.set(looks.get() + 1);
                f(x)
            };
            let found = integrate(&counting, -1.0, 2.0, 3);
            assert!(looks.get() <= 34 * MOST_HALVINGS + 51, "{}", looks.get());
            found
        };
        let undefined = counted(|x| if x.abs() < 0.1 { f64::NAN } else { 1.0 });
        assert!(undefined.error.is_infinite(), "{undefined:?}");
        let jump = counted(|x| if x < 1.0 / 7.0 { 0.0 } else { 1.0 });
        assert!((jump.value - 13.0 / 7.0).abs() < 1e-12 && jump.error < 1e-11, "{jump:?}");
        // Rounded to 1e−5, which is seen as steps.
        let rounded = |x: f64| (1e5 * libm::exp(x)).round() * 1e-5;
        let noise = counted(rounded);
        let exact = libm::exp(2.0) - libm::exp(-1.0);
        assert!((noise.value - exact).abs() < 1.5e-5 && noise.error < 1e-3, "{noise:?}");
        let looked_for = integrate_to(1e-4, &rounded, -1.0, 2.0, 3);
        assert!((looked_for.value - exact).abs() < 1e-4, "{looked_for:?}");
        let infinite = counted(|x| 1.0 / (x - 0.3).abs());
        assert!(infinite.error > 1e-3, "{infinite:?}");
    }

    #[test]
    fn a_loss_that_does_not_rise_has_no_support() {
        assert!(support(&|x| -x, -1.0, 1.0, -1.0, 0.1, 40.0).is_none());
        let [low, high] = support(&|x| 0.5 * x * x, -1.0, 1.0, 0.0, 1.0, 50.0).unwrap();
        assert!(low < -10.0 && high > 10.0);
    }
}
