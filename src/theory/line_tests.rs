//! On a line the Gibbs masses and the passage times against numbers of other programs: tails, walls, offsets, cold and many wells.
//!
//! The digits of logarithmic walls were made with mpmath at 25 digits: tanh-sinh quadrature between points graded around the minima and
//! the ridge, nested for the passage times; beyond |x| = 60 a wall's mass is X^(1−2q)/(2q−1)·₂F₁(q, q−½; q+½; −1/X²), q = b/T. The others
//! were made with numpy in double precision: rules of 24 Gauss points on panels graded in the same way, nested alike; for |x|^0.2 and
//! |x|^0.5 they agree with mpmath to 13 digits.

use std::sync::Arc;

use super::discrete::{Chain, NoDiscreteLaw};
use super::escape::{NoPassage, exact_passage_time, exact_passage_times};
use super::gibbs::{self, Gibbs, NoGibbs};
use crate::landscape::Landscape;
use crate::loss::Loss;
use crate::loss::expression::Expression;

fn explored(formula: &str, domain: [f64; 2]) -> (Arc<dyn Loss>, Landscape) {
    let loss: Arc<dyn Loss> = Arc::new(Expression::new(&["x".to_string()], &[], formula).unwrap());
    let landscape = Landscape::explore(loss.clone(), &[domain]).unwrap();
    (loss, landscape)
}

fn law(formula: &str, domain: [f64; 2], temperature: f64) -> Result<Gibbs, NoGibbs> {
    let (loss, landscape) = explored(formula, domain);
    gibbs::by_quadrature(loss.as_ref(), &landscape, &[domain], temperature)
}

/// The mass of A and the times from A to B and back are these, to a relative `within`.
fn check(formula: &str, domain: [f64; 2], temperature: f64, [mass, there, back]: [f64; 3], within: f64) {
    let (loss, landscape) = explored(formula, domain);
    let found = gibbs::by_quadrature(loss.as_ref(), &landscape, &[domain], temperature).unwrap();
    let occupancy = found.occupancies[0];
    assert!((occupancy / mass - 1.0).abs() < within, "{formula} at {temperature}: {occupancy}, not {mass}");
    let [a, b] = [0, 1].map(|minimum: usize| landscape.minima[minimum].theta[0]);
    for (from, to, expected) in [(a, b, there), (b, a, back)] {
        let time = exact_passage_time(loss.as_ref(), domain, from, to, temperature).unwrap();
        assert!(
            (time / expected - 1.0).abs() < within,
            "{formula} at {temperature}, {from} to {to}: {time}, not {expected}"
        );
    }
}

/// Walls b·ln(1 + x²): exp(−L/T) falls as |x|^(−2b/T), with powers from 1.2 to 4.
#[test]
fn logarithmic_walls() {
    for (b, c, expected) in [
        (0.15, 0.5, [0.542_646_186_156_8, 369.317_691_509_5, 310.783_372_380_3]),
        (0.2, 0.5, [0.555_728_161_675_5, 208.677_475_551_2, 166.500_276_116_2]),
        (0.06, 0.2, [0.510_485_029_292_6, 490.058_982_470_9, 468.276_679_258_4]),
        (0.1, 0.2, [0.541_776_138_139_5, 105.545_860_513_9, 88.987_992_619_52]),
        (0.12, 0.2, [0.553_614_190_807, 76.154_512_345_18, 61.585_617_100_9]),
        (0.051, 0.2, [0.501_119_854_517_8, 4_739.563_107_124, 4_716.212_533_345]),
    ] {
        let formula = format!("{b}*log(1+x^2) + {c}*exp(-2*x^2) + 0.05*x*exp(-x^2)");
        check(&formula, [-6.0, 6.0], 0.1, expected, 1e-9);
    }
}

/// Where L comes down again behind a wall, at once or far out, the mean time to get away from there is no number of the wells: neither way
/// where both sides do so, else only the way that this side lies behind.
#[test]
fn no_time_where_the_loss_comes_down_behind_a_wall() {
    let wells = "x^4/4 - x^2/2 + 0.1*x";
    for (formula, temperature, falls) in [
        (format!("{wells} - 0.016*x^6"), 0.1, [true, true]),
        (format!("{wells} - 0.0016*x^6"), 1.0, [true, true]),
        (format!("{wells} + 0.01*x^5"), 0.1, [true, false]),
        (format!("{wells} - 0.01*x^5"), 0.1, [false, true]),
        (format!("min({wells}, 5*(x - 6)^2 - 0.5)"), 0.1, [false, true]),
        (format!("{wells} + 0.001*x^6"), 0.1, [false, false]),
    ] {
        let (loss, landscape) = explored(&formula, [-2.0, 2.0]);
        let mut places: Vec<f64> = landscape.minima.iter().map(|minimum| minimum.theta[0]).collect();
        places.sort_by(f64::total_cmp);
        let times = exact_passage_times(loss.as_ref(), [-2.0, 2.0], &places, temperature);
        // The time upwards is that of the mass below.
        let is_told =
            |time: Result<f64, NoPassage>| matches!(time, Err(NoPassage::FallsBeyond(_) | NoPassage::NotConfined));
        assert_eq!(times[0].map(is_told), falls, "{formula}: {times:?}");
        assert!(times[0].iter().zip(falls).all(|(time, falls)| time.is_ok() != falls), "{formula}: {times:?}");
    }
}

/// For a power of no more than 1 there is no finite integral, and just above it none that a quadrature could tell.
#[test]
fn logarithmic_walls_that_do_not_confine() {
    let walls = |b: f64| format!("{b}*log(1+x^2) + 0.2*exp(-2*x^2) + 0.05*x*exp(-x^2)");
    let at = |b: f64| law(&walls(b), [-6.0, 6.0], 0.1).err();
    assert_eq!(at(0.045), Some(NoGibbs::NotConfined));
    assert_eq!(at(0.05), Some(NoGibbs::NotConfined));
    assert_eq!(at(0.051), None);
    let (loss, landscape) = explored(&walls(0.045), [-6.0, 6.0]);
    let [a, b] = [0, 1].map(|minimum: usize| landscape.minima[minimum].theta[0]);
    let time = exact_passage_time(loss.as_ref(), [-6.0, 6.0], a, b, 0.1);
    assert_eq!(time, Err(NoPassage::NotConfined));
    // No grid of the chain holds a heavy tail, which is another thing than none that confines it.
    let chain = |b: f64| {
        let (loss, landscape) = explored(&walls(b), [-6.0, 6.0]);
        Chain::new(loss.as_ref(), &landscape, [-6.0, 6.0], 0.1, 0.05).and_then(|chain| chain.stationary()).err()
    };
    assert_eq!(chain(0.045), Some(NoDiscreteLaw::NotConfined));
    assert!(matches!(chain(0.06), Some(NoDiscreteLaw::TooFine(_))));
}

/// Walls |x|^p/p from p = 0.2, which rises by 45 T only at |x| = 5000, to p = 6.
#[test]
fn walls_of_any_power() {
    for (p, expected) in [
        (0.2, [0.569_742_950_993_3, 36_738.921_252_11, 27_744.341_581_09]),
        (0.5, [0.574_704_124_914_3, 26_336.704_279_74, 19_489.787_812_57]),
        (1.0, [0.581_622_423_977_8, 15_495.455_728_57, 11_146.284_701_66]),
        (1.5, [0.587_146_720_194_3, 9_379.742_413_524, 6_595.355_058_293]),
        (3.0, [0.597_470_100_916_2, 2_468.011_136_178, 1_662.746_765_258]),
        (6.0, [0.601_891_579_839_7, 349.727_583_076_2, 231.320_392_153_2]),
    ] {
        let formula = format!("(1+x^2)^({p}/2)/{p} + 1.5*exp(-2*x^2) + 0.05*x*exp(-x^2)");
        check(&formula, [-3.0, 3.0], 0.1, expected, 1e-9);
    }
}

/// A constant changes nothing but what rounding takes: a few units in the last place of L, in units of T.
#[test]
fn offsets() {
    let [mass, there, back] = [0.883_030_740_854_9, 261.980_164_662_8, 35.061_400_143_19];
    for offset in ["", "+ 7", "- 12345", "+ 1e6", "- 1e8", "+ 1e8", "+ 1e10"] {
        let size: f64 = offset.replace(['+', '-', ' '], "").parse().unwrap_or(0.0);
        let within = 1e-10 + 4.0 * super::rounding(size, 0.09);
        check(&format!("x^4/4 - x^2/2 + 0.1*x {offset}"), [-3.0, 3.0], 0.09, [mass, there, back], within);
    }
}

/// A wide well with slowly rising walls that has next to nothing of the mass: its tail counts beside itself, not beside the whole. By quadrature with
/// 30 digits (mpmath).
#[test]
fn tails_of_small_masses() {
    let soft = |depth: f64, slope: f64| format!("-{depth}*exp(-4*x^2) + {slope}*sqrt(1 + (x - 6)^2)");
    for (formula, expected) in [
        (soft(8.0, 0.03), 5.944_184_803e-33),
        (soft(6.0, 0.03), 2.496_599_070e-24),
        (soft(5.0, 0.03), 5.017_403_154e-20),
        (soft(4.0, 0.03), 9.874_849_628e-16),
        (soft(3.0, 0.03), 1.879_716_231e-11),
        // The higher minimum lies just below the 45 T at which exp(−L/T) is nothing beside the lower.
        (soft(6.0, 0.3), 5.092_701_791e-19),
        ("-6*exp(-4*x^2) + 0.3*log(1 + (x - 6)^2)".to_owned(), 4.532_528_706e-21),
        ("-3*exp(-4*x^2) + 0.3*log(1 + (x - 6)^2)".to_owned(), 3.398_071_424e-8),
    ] {
        let mass = law(&formula, [-2.0, 8.0], 0.1).unwrap().occupancies[1];
        assert!((mass / expected - 1.0).abs() < 5e-7, "{formula}: {mass} for {expected}");
    }
}

/// Wells that are narrow beside the domain; where e^(barrier/T) is no number the time is said to be too long.
#[test]
fn cold() {
    for (formula, temperature, mass) in [
        ("x^4/4 - x^2/2 + 1e-4*x", 1e-3, 0.549_796_733_765_7),
        ("x^4/4 - x^2/2 + 1e-6*x", 1e-5, 0.549_833_626_024_1),
        ("x^4/4 - x^2/2 + 1e-9*x", 1e-8, 0.549_833_996_877_8),
    ] {
        let (loss, landscape) = explored(formula, [-3.0, 3.0]);
        let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &[[-3.0, 3.0]], temperature).unwrap();
        assert!((law.occupancies[0] / mass - 1.0).abs() < 1e-6, "{temperature}: {:?}", law.occupancies);
        let [a, b] = [0, 1].map(|minimum: usize| landscape.minima[minimum].theta[0]);
        let time = exact_passage_time(loss.as_ref(), [-3.0, 3.0], a, b, temperature);
        match temperature {
            1e-3 => {
                let expected = 1.842_211_293_87e109;
                assert!((time.unwrap() / expected - 1.0).abs() < 1e-9, "{time:?}");
            }
            _ => assert_eq!(time, Err(NoPassage::TooLong)),
        }
    }
    // With a constant that costs five digits.
    let law = law("1000 + x^4/4 - x^2/2 + 0.0000000001*x", [-3.0, 3.0], 1e-8).unwrap();
    assert!((law.occupancies[0] - 1.0 / (1.0 + (-0.02f64).exp())).abs() < 1e-4, "{:?}", law.occupancies);
}

/// Places where L is not defined are walls, and hold no mass.
#[test]
fn places_that_are_not_defined_are_walls() {
    // exp(−(x − ln x)/T) is Γ's density of shape 1/T + 1: ∫ e^(−(L − 1)/T) = Γ(1/T + 1) T^(1/T + 1) e^(1/T).
    for temperature in [0.02, 0.1, 0.5, 2.0] {
        let found = law("x - log(x)", [-1.0, 5.0], temperature).unwrap();
        let shape = 1.0 / temperature + 1.0;
        let expected = libm::lgamma(shape) + shape * temperature.ln() + 1.0 / temperature;
        let log_normalization = found.log_normalization.unwrap();
        assert!((log_normalization - expected).abs() < 1e-11, "{temperature}: {log_normalization}, not {expected}");
    }
    // A bowl cut at 1: ½ln(2πT) + ln Φ(1/√T).
    for temperature in [0.1, 1.0, 10.0] {
        let found = law("x^2/2 + 0*sqrt(1-x)", [-3.0, 3.0], temperature).unwrap().log_normalization.unwrap();
        let inside = 0.5 * libm::erfc(-(0.5 / temperature).sqrt());
        let expected = 0.5 * (2.0 * std::f64::consts::PI * temperature).ln() + inside.ln();
        assert!((found - expected).abs() < 1e-11, "{temperature}: {found}, not {expected}");
    }
    for (wall, expected) in [
        (1.2, [0.753_237_986_816_2, 1_215.521_854_937, 398.241_702_006_3]),
        (1.5, [0.757_723_412_101_6, 1_312.862_500_337, 419.812_823_219_2]),
        (2.0, [0.757_726_495_606_5, 1_312.906_844_818, 419.819_950_830_5]),
    ] {
        check(&format!("(x^2-1)^2/4 + 0.03*x + 0*sqrt({wall}-x)*sqrt({wall}+x)"), [-3.0, 3.0], 0.05, expected, 1e-8);
    }
    // Nothing passes a place between the wells.
    let (loss, _) = explored("(x^2-1)^2/4 + 0.03*x", [-3.0, 3.0]);
    let torn: Arc<dyn Loss> =
        Arc::new(Expression::new(&["x".to_string()], &[], "(x^2-1)^2/4 + 0.03*x + 0*sqrt(x^2-0.01)").unwrap());
    assert!(exact_passage_time(loss.as_ref(), [-3.0, 3.0], -1.0, 1.0, 0.05).is_ok());
    assert_eq!(exact_passage_time(torn.as_ref(), [-3.0, 3.0], -1.0, 1.0, 0.05), Err(NoPassage::Undefined));
}

/// Of equal wells in a row the mean times up add up: τ(m₀ → m_k) is the sum of those between neighbours, and each is that of the pair
/// alone.
#[test]
fn neighbours_in_a_row_of_wells() {
    let domain = [-8.4, 8.4];
    let (loss, landscape) = explored("0.02*x^2 + 0.4*cos(3*x) + 0.01*x", domain);
    let mut places: Vec<f64> = landscape.minima.iter().map(|minimum| minimum.theta[0]).collect();
    places.sort_by(f64::total_cmp);
    assert_eq!(places.len(), 8);
    let alone = |from: f64, to: f64| exact_passage_time(loss.as_ref(), domain, from, to, 0.15).unwrap();
    let chain = Chain::new(loss.as_ref(), &landscape, domain, 0.15, 0.02).unwrap();
    let together = exact_passage_times(loss.as_ref(), domain, &places, 0.15);
    let of_the_chain = chain.mean_passage_times(&places);
    for (pair, (exact, discrete)) in places.windows(2).zip(together.iter().zip(&of_the_chain)) {
        for (way, [from, to]) in [[pair[0], pair[1]], [pair[1], pair[0]]].into_iter().enumerate() {
            let expected = alone(from, to);
            assert!((exact[way].unwrap() / expected - 1.0).abs() < 1e-9, "{from} to {to}: {exact:?}, not {expected}");
            let expected = chain.mean_passage_time(from, to).unwrap();
            assert!(
                (discrete[way].unwrap() / expected - 1.0).abs() < 1e-8,
                "{from} to {to}: {discrete:?}, not {expected}"
            );
        }
    }
    let sum: f64 = together.iter().map(|times| times[0].unwrap()).sum();
    assert!((sum / alone(places[0], places[7]) - 1.0).abs() < 1e-9, "{sum}");
}
