//! Numbers for messages and reports: no more digits than are asked for, and a power of ten only where zeros would be counted.

/// Powers of ten from here on are written as such.
const LARGEST_PLAIN: i32 = 7;
/// Powers of ten below this are written as such.
const SMALLEST_PLAIN: i32 = -4;

/// The power of ten of the leading digit, after rounding to `digits` digits.
pub(crate) fn exponent(value: f64, digits: usize) -> i32 {
    let text = format!("{:.*e}", digits.saturating_sub(1), value);
    text.rsplit('e').next().and_then(|power| power.parse().ok()).unwrap_or(0)
}

/// `value` to `digits` significant digits, trailing zeros dropped: `0.1`, `150.506`, `1.2e-9`.
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return "–".to_owned();
    }
    let power = exponent(value, digits);
    if !(SMALLEST_PLAIN..LARGEST_PLAIN).contains(&power) {
        let text = format!("{:.*e}", digits.saturating_sub(1), value);
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", without_trailing_zeros(mantissa));
    }
    let decimals = usize::try_from(digits as i32 - 1 - power).unwrap_or(0);
    without_trailing_zeros(&format!("{value:.decimals$}")).to_owned()
}

/// `value` with so many decimals, and as a power of ten where these would show less than two of its digits: `0.1000`, `0.0012`, `1.2e-5`.
pub fn decimals(value: f64, decimals: usize) -> String {
    let shows_two = value == 0.0 || !value.is_finite() || exponent(value, 2) > -(decimals as i32);
    if shows_two { format!("{value:.decimals$}") } else { significant(value, 3) }
}

/// `value` with all its digits: `0.05`, `-3`, `1e30`.
pub fn exact(value: f64) -> String {
    const LONGEST_PLAIN: usize = 20;
    let text = value.to_string();
    if text.len() > LONGEST_PLAIN { format!("{value:e}") } else { text }
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::{decimals, exact, significant};

    #[test]
    fn powers_of_ten_are_for_very_large_and_very_small_numbers() {
        assert_eq!([2.0001, 0.13258, 730.0, -0.5].map(|x| significant(x, 5)), ["2.0001", "0.13258", "730", "-0.5"]);
        assert_eq!([1.5e-9, 2.5e12].map(|x| significant(x, 5)), ["1.5e-9", "2.5e12"]);
        assert_eq!([0.05, -3.0, 0.0, 1e4, 0.1 + 0.2].map(exact), ["0.05", "-3", "0", "10000", "0.30000000000000004"]);
        assert_eq!(
            [0.1, -0.00123, 0.000_99, 1e-9, 0.0].map(|x| decimals(x, 4)),
            ["0.1000", "-0.0012", "0.00099", "1e-9", "0.0000"]
        );
        assert_eq!([1e30, -1e80, 2.5e-100].map(exact), ["1e30", "-1e80", "2.5e-100"]);
    }
}
