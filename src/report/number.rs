//! Numbers for people: no more digits than are known.

use crate::plain::{self, exponent};

pub(super) use crate::plain::significant;

/// A predicted probability: six decimals as in tables of reference, six significant digits where it is tiny.
pub(super) fn probability(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:.5e}") } else { format!("{value:.6}") }
}

/// Below this a loss or a log-odds is what rounding left of a zero.
const ROUNDING: f64 = 1e-15;
/// Below this part of the largest coordinate another one is.
const LEFT_OF_ZERO: f64 = 1e-12;

/// Six decimals: positions, losses, log-odds.
pub(super) fn fixed(value: f64) -> String {
    let value = if value.abs() < ROUNDING { 0.0 } else { value };
    if value.abs() >= 1e6 || (value != 0.0 && value.abs() < 1e-5) {
        significant(value, 6)
    } else {
        format!("{value:.6}")
    }
}

/// How many decimals a standard error leaves: two significant digits of it.
fn decimals(standard_error: f64) -> Option<usize> {
    (standard_error.is_finite() && standard_error > 0.0)
        .then(|| usize::try_from(1 - exponent(standard_error, 2)).unwrap_or(0))
        .filter(|decimals| *decimals <= 9)
}

/// `0.8586 ± 0.0012`: two digits of the standard error, as many decimals of the value.
pub(super) fn with_error(value: f64, standard_error: Option<f64>) -> String {
    match standard_error.and_then(|error| decimals(error).map(|decimals| (error, decimals))) {
        Some((error, decimals)) => format!("{value:.decimals$} ± {error:.decimals$}"),
        None => match standard_error {
            Some(error) if error.is_finite() && error > 0.0 => {
                format!("{} ± {}", significant(value, 4), significant(error, 2))
            }
            _ => significant(value, 6),
        },
    }
}

/// `[0.8562, 0.8610]`, with the decimals that the standard error leaves.
pub(super) fn interval(bounds: [f64; 2], standard_error: Option<f64>) -> String {
    match standard_error.and_then(decimals) {
        Some(decimals) => format!("[{:.decimals$}, {:.decimals$}]", bounds[0], bounds[1]),
        None => format!("[{}, {}]", significant(bounds[0], 4), significant(bounds[1], 4)),
    }
}

/// `2,000,000`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration for people: `0.42 s`, `93 s`, `12 min`, `3.4 h`.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{} s", significant(s, 2)),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}

/// θ within `budget` characters: as many digits as fit, down to the leading coordinates with the number of the others.
pub(super) fn point(theta: &[f64], budget: usize) -> String {
    let largest = theta.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let write = |shown: usize, decimals: usize| {
        let mut parts: Vec<String> = theta.iter().take(shown).map(|value| rounded(*value, decimals, largest)).collect();
        if shown < theta.len() {
            parts.push(format!("… of {}", theta.len()));
        }
        if theta.len() == 1 { parts.concat() } else { format!("({})", parts.join(", ")) }
    };
    let complete = (2..=6).rev().map(|decimals| write(theta.len(), decimals));
    let shortened = (1..theta.len().min(4)).rev().flat_map(|shown| [write(shown, 3), write(shown, 2)]);
    complete.chain(shortened).find(|text| text.chars().count() <= budget).unwrap_or_else(|| write(1, 2))
}

/// A coordinate with so many decimals; as a power of ten where these would all be zeros although it is more than what rounding left of one
/// beside the largest.
fn rounded(value: f64, decimals: usize, largest: f64) -> String {
    let text = plain::decimals(if value.abs() <= LEFT_OF_ZERO * largest { 0.0 } else { value }, decimals);
    if text.starts_with('-') && text[1..].chars().all(|c| c == '0' || c == '.') { text[1..].to_owned() } else { text }
}

/// With a true minus and powers of ten as people write them: `−1.2 × 10⁻⁹`.
pub(super) fn pretty(text: &str) -> String {
    let superscript = |power: &str| -> String {
        power
            .chars()
            .map(|c| match c {
                '-' => '⁻',
                '0' => '⁰',
                '1' => '¹',
                '2' => '²',
                '3' => '³',
                '4' => '⁴',
                '5' => '⁵',
                '6' => '⁶',
                '7' => '⁷',
                '8' => '⁸',
                '9' => '⁹',
                other => other,
            })
            .collect()
    };
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('e') {
        let (before, after) = rest.split_at(at);
        let power: String = after[1..]
            .chars()
            .enumerate()
            .take_while(|(i, c)| c.is_ascii_digit() || (*i == 0 && *c == '-'))
            .map(|p| p.1)
            .collect();
        if before.ends_with(|c: char| c.is_ascii_digit()) && power.ends_with(|c: char| c.is_ascii_digit()) {
            output += before;
            output += " × 10";
            output += &superscript(&power);
        } else {
            output += before;
            output += &after[..1 + power.len()];
        }
        rest = &after[1 + power.len()..];
    }
    output += rest;
    output.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_standard_error() {
        assert_eq!(with_error(0.858_61, Some(0.001_23)), "0.8586 ± 0.0012");
        assert_eq!(with_error(12_345.6, Some(321.0)), "12346 ± 321");
        assert_eq!(with_error(1.0, Some(0.099_9)), "1.00 ± 0.10");
        assert_eq!(with_error(0.5, None), "0.5");
        assert_eq!(with_error(1.234e-12, Some(3.2e-13)), "1.234e-12 ± 3.2e-13");
        assert_eq!(interval([0.856_21, 0.861_01], Some(0.001_23)), "[0.8562, 0.8610]");
    }

    #[test]
    fn numbers_of_any_size_stay_readable() {
        assert_eq!(significant(177.970_123, 6), "177.97");
        assert_eq!(significant(731_820.4, 6), "731820");
        assert_eq!(significant(1.5e-9, 6), "1.5e-9");
        assert_eq!(significant(9.999_999e6, 3), "1e7");
        assert_eq!(probability(0.863_438_4), "0.863438");
        assert_eq!(probability(1.234_567_8e-7), "1.23457e-7");
        assert_eq!(count(2_000_000), "2,000,000");
        assert_eq!(count(128), "128");
        assert_eq!(pretty("-1.2e-9 here"), "−1.2 × 10⁻⁹ here");
        assert_eq!(pretty("the end"), "the end");
    }

    #[test]
    fn points_are_shortened_to_fit() {
        assert_eq!(point(&[-1.046_681_3], 12), "-1.046681");
        assert_eq!(point(&[1.0, -0.000_000_1], 22), "(1.000000, -1e-7)");
        assert_eq!(point(&[1.0, -1e-17], 22), "(1.000000, 0.000000)");
        assert_eq!([1e-9, -2.5e-13].map(|x| point(&[x], 12)), ["1e-9", "-2.5e-13"]);
        assert!(point(&[0.5; 10], 20).contains("… of 10"));
        assert!(point(&[-0.512_34; 10], 20).chars().count() <= 20);
    }
}
