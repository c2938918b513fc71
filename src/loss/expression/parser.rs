//! From text to graph by operator precedence, with explicit stacks: nesting costs memory, never the call stack.

use super::error::{FormulaError, excerpt};
use super::graph::{Graph, NodeId};
use super::lexer::{Lexer, Token, TokenKind};
use super::names::{Function, Names, function};
use super::operation::Binary;
use super::{MAXIMUM_LENGTH, MAXIMUM_OPERATIONS, too_many_operations};

const SUM: u8 = 1;
const PRODUCT: u8 = 2;
/// Between product and power, so that −x² is −(x²) and −x·y is (−x)·y.
const PREFIX: u8 = 3;
const POWER: u8 = 4;

/// An operator or parenthesis that waits for what follows.
enum Pending {
    Negate,
    /// A prefix `+`.
    Keep,
    Infix(Binary, u8),
    Parenthesis {
        open: usize,
    },
    /// A function whose arguments stand on the operand stack from `first` on.
    Call {
        name: Token,
        open: usize,
        function: Function,
        first: usize,
    },
}

impl Pending {
    fn precedence(&self) -> u8 {
        match self {
            Pending::Negate | Pending::Keep => PREFIX,
            Pending::Infix(_, precedence) => *precedence,
            // Nothing reaches across an open parenthesis.
            Pending::Parenthesis { .. } | Pending::Call { .. } => 0,
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    names: &'a Names<'a>,
    graph: &'a mut Graph,
    pending: Vec<Pending>,
    operands: Vec<NodeId>,
    token: Token,
    previous: Option<Token>,
}

/// Adds `text` to the graph and returns the node of its value.
pub(super) fn parse(text: &str, names: &Names<'_>, graph: &mut Graph) -> Result<NodeId, FormulaError> {
    if text.len() > MAXIMUM_LENGTH {
        let message = format!("the formula has {} bytes, but {MAXIMUM_LENGTH} are allowed", text.len());
        return Err(FormulaError::new(0, text.len(), message));
    }
    let mut lexer = Lexer::new(text);
    let token = lexer.next()?;
    if token.kind == TokenKind::End {
        return Err(FormulaError::new(0, text.len(), "the formula is empty"));
    }
    let parser = Parser { text, lexer, names, graph, pending: Vec::new(), operands: Vec::new(), token, previous: None };
    parser.run()
}

impl Parser<'_> {
    fn run(mut self) -> Result<NodeId, FormulaError> {
        let mut wants_operand = true;
        loop {
            wants_operand = if wants_operand { self.operand()? } else { self.operator()? };
            if self.graph.len() > MAXIMUM_OPERATIONS {
                return Err(too_many_operations(self.text));
            }
            if self.token.kind == TokenKind::End && !wants_operand {
                return self.finish();
            }
        }
    }

    fn advance(&mut self) -> Result<Token, FormulaError> {
        let token = self.token;
        self.previous = Some(token);
        self.token = self.lexer.next()?;
        Ok(token)
    }

    fn text_of(&self, token: Token) -> &str {
        &self.text[token.start..token.end]
    }

    fn shown(&self, token: Token) -> String {
        match token.kind {
            TokenKind::End => "the end of the formula".to_owned(),
            _ => format!("`{}`", excerpt(self.text_of(token))),
        }
    }

    fn error_here(&self, message: String) -> FormulaError {
        FormulaError::new(self.token.start, self.token.end, message)
    }

    /// Reads what may stand where a value is expected; returns whether a value is still expected.
    fn operand(&mut self) -> Result<bool, FormulaError> {
        match self.token.kind {
            TokenKind::Number(number) => {
                self.advance()?;
                let node = self.graph.constant(number);
                self.operands.push(node);
                Ok(false)
            }
            TokenKind::Name => self.name(),
            TokenKind::Minus => {
                self.advance()?;
                self.pending.push(Pending::Negate);
                Ok(true)
            }
            TokenKind::Plus => {
                self.advance()?;
                self.pending.push(Pending::Keep);
                Ok(true)
            }
            TokenKind::Open => {
                let open = self.advance()?.start;
                self.pending.push(Pending::Parenthesis { open });
                Ok(true)
            }
            _ => Err(self.missing_operand()),
        }
    }

    fn name(&mut self) -> Result<bool, FormulaError> {
        let name = self.advance()?;
        let text = &self.text[name.start..name.end];
        let is_called = self.token.kind == TokenKind::Open;
        if let Some(node) = self.names.value(text) {
            self.operands.push(node);
            return Ok(false);
        }
        let Some(function) = function(text) else {
            return Err(self.names.unknown(text, name.start, is_called));
        };
        if !is_called {
            let message = format!("`{text}` is a function: its arguments go in parentheses");
            return Err(match self.token.kind {
                TokenKind::Name | TokenKind::Number(_) => {
                    let argument = excerpt(self.text_of(self.token));
                    FormulaError::new(name.start, self.token.end, message).suggest(format!("{text}({argument})"))
                }
                _ => FormulaError::new(name.start, name.end, message),
            });
        }
        let open = self.advance()?.start;
        self.pending.push(Pending::Call { name, open, function, first: self.operands.len() });
        Ok(true)
    }

    fn missing_operand(&self) -> FormulaError {
        let allowed = "a number, a name or `(`";
        let Some(previous) = self.previous else {
            return self.error_here(format!("the formula begins with {}; expected {allowed}", self.shown(self.token)));
        };
        let after = self.shown(previous);
        match (previous.kind, self.token.kind) {
            (TokenKind::Times, TokenKind::Times) if previous.end == self.token.start => {
                FormulaError::new(previous.start, self.token.end, "`**` is not an operator").suggest("^")
            }
            (TokenKind::Open, TokenKind::Close) => match self.pending.last() {
                Some(&Pending::Call { name, function, .. }) => self.wrong_count(name, function, 0),
                _ => {
                    FormulaError::new(previous.start, self.token.end, format!("empty parentheses; expected {allowed}"))
                }
            },
            (_, TokenKind::End) => {
                let message = format!("the formula ends after {after}; expected {allowed}");
                FormulaError::new(previous.start, previous.end, message)
            }
            _ => self.error_here(format!("found {} after {after}; expected {allowed}", self.shown(self.token))),
        }
    }

    /// Reads what may follow a value; returns whether a value is expected next.
    fn operator(&mut self) -> Result<bool, FormulaError> {
        let (operation, precedence) = match self.token.kind {
            TokenKind::Plus => (Binary::Add, SUM),
            TokenKind::Minus => (Binary::Subtract, SUM),
            TokenKind::Times => (Binary::Multiply, PRODUCT),
            TokenKind::Divide => (Binary::Divide, PRODUCT),
            TokenKind::Power => (Binary::Power, POWER),
            TokenKind::Comma => return self.comma(),
            TokenKind::Close => return self.close(),
            TokenKind::Number(_) | TokenKind::Name | TokenKind::Open | TokenKind::End => {
                return Err(self.missing_operator());
            }
        };
        // Powers associate to the right, all others to the left.
        self.reduce(if operation == Binary::Power { precedence + 1 } else { precedence });
        self.advance()?;
        self.pending.push(Pending::Infix(operation, precedence));
        Ok(true)
    }

    fn missing_operator(&self) -> FormulaError {
        let Some(previous) = self.previous else {
            return self.error_here(format!("unexpected {}", self.shown(self.token)));
        };
        let (left, right) = (excerpt(self.text_of(previous)), excerpt(self.text_of(self.token)));
        FormulaError::new(previous.start, self.token.end, format!("missing operator between `{left}` and `{right}`"))
            .suggest(format!("{left}*{right}"))
    }

    /// Applies the pending operators that bind at least as tightly as `precedence`.
    fn reduce(&mut self, precedence: u8) {
        while self.pending.last().is_some_and(|pending| pending.precedence() >= precedence) {
            match (self.pending.pop(), self.operands.pop()) {
                (Some(Pending::Negate), Some(operand)) => {
                    let node = self.graph.negate(operand);
                    self.operands.push(node);
                }
                (Some(Pending::Infix(operation, _)), Some(right)) => {
                    if let Some(left) = self.operands.pop() {
                        let node = self.graph.binary(operation, left, right);
                        self.operands.push(node);
                    }
                }
                (_, operand) => self.operands.extend(operand),
            }
        }
    }

    fn comma(&mut self) -> Result<bool, FormulaError> {
        self.reduce(SUM);
        match self.pending.last() {
            Some(Pending::Call { .. }) => {
                self.advance()?;
                Ok(true)
            }
            _ => Err(self.error_here(
                "found `,` outside the arguments of a function; decimals are written with a point, as in 0.5"
                    .to_owned(),
            )),
        }
    }

    fn close(&mut self) -> Result<bool, FormulaError> {
        self.reduce(SUM);
        match self.pending.pop() {
            Some(Pending::Call { name, function, first, .. }) => {
                let count = self.operands.len().saturating_sub(first);
                let takes = match function {
                    Function::Of(_) => count == 1,
                    Function::Fold(_) => count >= 2,
                };
                if !takes {
                    return Err(self.wrong_count(name, function, count));
                }
                let mut arguments = self.operands.drain(first..);
                if let Some(mut node) = arguments.next() {
                    match function {
                        Function::Of(operation) => node = self.graph.unary(operation, node),
                        Function::Fold(operation) => {
                            for argument in arguments.by_ref() {
                                node = self.graph.binary(operation, node, argument);
                            }
                        }
                    }
                    drop(arguments);
                    self.operands.push(node);
                }
            }
            Some(_) => {}
            None => return Err(self.error_here("this `)` closes no parenthesis".to_owned())),
        }
        self.advance()?;
        Ok(false)
    }

    fn wrong_count(&self, name: Token, function: Function, count: usize) -> FormulaError {
        let takes = match function {
            Function::Of(_) => "1 argument",
            Function::Fold(_) => "2 or more arguments",
        };
        let message = format!("`{}` takes {takes}, found {count}", self.text_of(name));
        FormulaError::new(name.start, self.token.end, message)
    }

    fn finish(mut self) -> Result<NodeId, FormulaError> {
        self.reduce(SUM);
        match (self.pending.last(), self.operands.pop()) {
            (Some(Pending::Parenthesis { open } | Pending::Call { open, .. }), _) => {
                Err(FormulaError::new(*open, *open + 1, "this `(` is never closed"))
            }
            (None, Some(node)) => Ok(node),
            _ => Err(FormulaError::new(0, self.text.len(), "the formula has no value")),
        }
    }
}
