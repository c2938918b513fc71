//! Cuts a formula into tokens.

use super::error::{FormulaError, excerpt};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TokenKind {
    Number(f64),
    Name,
    Plus,
    Minus,
    Times,
    Divide,
    Power,
    Open,
    Close,
    Comma,
    End,
}

/// A token and the bytes it covers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

pub(super) struct Lexer<'text> {
    text: &'text str,
    position: usize,
}

/// Whether a name may begin with this character.
fn begins_name(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

/// Whether a name may go on with this character: subscript digits too, for θ₁.
fn continues_name(character: char) -> bool {
    begins_name(character) || character.is_ascii_digit() || ('₀'..='₉').contains(&character)
}

/// Whether `text` is a name as formulas understand it: letters of any script, digits, `_`, not beginning with a digit.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(begins_name) && text.chars().all(continues_name)
}

impl<'text> Lexer<'text> {
    pub(super) fn new(text: &'text str) -> Lexer<'text> {
        Lexer { text, position: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Token, FormulaError> {
        let rest = &self.text[self.position..];
        let trimmed = rest.trim_start();
        let start = self.position + (rest.len() - trimmed.len());
        let Some(first) = trimmed.chars().next() else {
            self.position = self.text.len();
            return Ok(Token { kind: TokenKind::End, start: self.text.len(), end: self.text.len() });
        };
        let (kind, length) = match first {
            '+' => (TokenKind::Plus, 1),
            '-' => (TokenKind::Minus, 1),
            '*' => (TokenKind::Times, 1),
            '/' => (TokenKind::Divide, 1),
            '^' => (TokenKind::Power, 1),
            '(' => (TokenKind::Open, 1),
            ')' => (TokenKind::Close, 1),
            ',' => (TokenKind::Comma, 1),
            '0'..='9' | '.' => number(trimmed, start)?,
            _ if begins_name(first) => (TokenKind::Name, trimmed.find(|c| !continues_name(c)).unwrap_or(trimmed.len())),
            _ => return Err(unknown_character(first, start)),
        };
        self.position = start + length;
        Ok(Token { kind, start, end: self.position })
    }
}

/// The number at the beginning of `text`, and its length.
fn number(text: &str, start: usize) -> Result<(TokenKind, usize), FormulaError> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let byte = |at: usize| text.as_bytes().get(at).copied();

    let whole = digits(0);
    let mut length = whole;
    let mut fraction = 0;
    if byte(length) == Some(b'.') {
        fraction = digits(length + 1);
        length += 1 + fraction;
    }
    if whole + fraction == 0 {
        return Err(FormulaError::new(
            start,
            start + 1,
            "a `.` without digits is not a number; allowed are 2, 2., .5, 1e-3",
        ));
    }
    if matches!(byte(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(byte(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        // Without digits the e is the constant e or the beginning of a name.
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let literal = &text[..length];
    let end = start + length;
    if byte(length) == Some(b'.') {
        let message = format!("number `{}` is followed by another `.`", excerpt(literal));
        return Err(FormulaError::new(start, end + 1, message));
    }
    // The literal is one that Rust reads too, correctly rounded.
    let value: f64 = literal.parse().unwrap_or(f64::NAN);
    let mantissa = literal.split(['e', 'E']).next().unwrap_or_default();
    if !value.is_finite() {
        let message = format!("number `{}` is too large: the largest is about 1.8e308", excerpt(literal));
        return Err(FormulaError::new(start, end, message));
    }
    if value == 0.0 && mantissa.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        let message = format!("number `{}` is too small: the smallest is about 4.9e-324", excerpt(literal));
        return Err(FormulaError::new(start, end, message));
    }
    Ok((TokenKind::Number(value), length))
}

/// Names the character and, for the usual suspects, what to write instead.
fn unknown_character(found: char, start: usize) -> FormulaError {
    let replacement = match found {
        '−' | '–' | '—' => Some("-"),
        '×' | '·' | '⋅' | '∗' => Some("*"),
        '÷' | '∕' | ':' => Some("/"),
        '²' => Some("^2"),
        '³' => Some("^3"),
        '⁴' => Some("^4"),
        '√' => Some("sqrt(…)"),
        '|' => Some("abs(…)"),
        '[' | '{' => Some("("),
        ']' | '}' => Some(")"),
        ';' => Some(","),
        _ => None,
    };
    let message = match found {
        '=' | '<' | '>' | '!' => {
            format!("`{found}` is not allowed: a formula is one expression, without comparisons or assignments")
        }
        _ if found.is_control() => format!("control character U+{:04X} is not allowed", u32::from(found)),
        _ => format!("`{found}` is not allowed: a formula has numbers, names, + - * / ^ ( ) and ,"),
    };
    let error = FormulaError::new(start, start + found.len_utf8(), message);
    match replacement {
        Some(replacement) => error.suggest(replacement),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_they_should() {
        for (text, value, length) in [
            ("2", 2.0, 1),
            ("2.", 2.0, 2),
            (".5", 0.5, 2),
            ("1e-3x", 1e-3, 4),
            ("1E+3", 1e3, 4),
            ("2e", 2.0, 1),
            ("2e-x", 2.0, 1),
            ("2exp", 2.0, 1),
            ("0.000e0", 0.0, 7),
            ("5e-324", 5e-324, 6),
        ] {
            assert_eq!(number(text, 0), Ok((TokenKind::Number(value), length)), "{text}");
        }
    }

    #[test]
    fn tokens_cover_their_characters() {
        let mut lexer = Lexer::new(" θ₁ ^\tb_2");
        let mut tokens = Vec::new();
        while let Ok(token) = lexer.next() {
            tokens.push((token.kind, token.start, token.end));
            if token.kind == TokenKind::End {
                break;
            }
        }
        let expected =
            [(TokenKind::Name, 1, 6), (TokenKind::Power, 7, 8), (TokenKind::Name, 9, 12), (TokenKind::End, 12, 12)];
        assert_eq!(tokens, expected);
    }
}
