//! Bounds nesting before the parser sees a text: its tables are built and dropped by recursion, and a dotted key of
//! 100,000 parts would overflow the stack. Also finds a list that is not closed, which the parser would report on every
//! line after it.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Lists and inline tables within one another. A scenario needs four.
pub(crate) const DEEPEST: usize = 16;
/// Parts of a dotted key. A scenario needs three.
pub(crate) const LONGEST_KEY: usize = 16;

/// The byte at which brackets go wrong, or nesting exceeds what a scenario can need, and what to say of it.
pub(crate) fn fault(text: &str) -> Option<(usize, String)> {
    let mut open = Vec::new();
    let mut dots = 0_usize;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => open.push(token),
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                open.pop();
            }
            TokenKind::Equals => {
                if let Some(list) = open.last().filter(|open| open.kind() == TokenKind::LeftSquareBracket) {
                    let message = "not valid TOML: this bracket is not closed before the next key; add the missing ]";
                    return Some((list.span().start(), message.to_owned()));
                }
            }
            _ => {}
        }
        match token.kind() {
            TokenKind::Dot => dots += 1,
            TokenKind::Atom | TokenKind::Whitespace | TokenKind::BasicString | TokenKind::LiteralString => {}
            _ => dots = 0,
        }
        if open.len() > DEEPEST {
            let message = format!(
                "lists or tables nested more than {DEEPEST} deep; a scenario needs at most 4; remove the extra brackets"
            );
            return Some((token.span().start(), message));
        }
        if dots >= LONGEST_KEY {
            let message = format!(
                "a key of more than {LONGEST_KEY} parts; a scenario needs at most 3, such as `loss.parameters.tilt`"
            );
            return Some((token.span().start(), message));
        }
    }
    None
}
