//! From text to tree. Names, functions and properties are kept in lower case: the provider ignores it.

use std::str::Chars;

/// How deep an expression may nest; the provider's own limit.
const DEPTH_MAX: usize = 50;
/// The longest expression, in bytes; the provider's own limit.
const LENGTH_MAX: usize = 21_000;

/// An expression. Two spellings of one expression are equal: `a.b` and `a['b']`, `true` and ` ( true ) `.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// A context, such as `github`.
    Name(String),
    Property(Box<Self>, String),
    Index(Box<Self>, Box<Self>),
    /// `.*`, every value of a list or map.
    Every(Box<Self>),
    Call(String, Vec<Self>),
    Not(Box<Self>),
    Compare(Operator, Box<Self>, Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Expression {
    /// Whether it calls a function of this name anywhere.
    pub(crate) fn calls(&self, names: &[&str]) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Name(_) => false,
            Self::Property(of, _) | Self::Every(of) | Self::Not(of) => of.calls(names),
            Self::Index(a, b) | Self::Compare(_, a, b) => a.calls(names) || b.calls(names),
            Self::And(all) | Self::Or(all) => all.iter().any(|one| one.calls(names)),
            Self::Call(name, arguments) => {
                names.contains(&name.as_str()) || arguments.iter().any(|one| one.calls(names))
            }
        }
    }

    /// Whether it reads a context of this name anywhere.
    pub(crate) fn reads(&self, context: &str) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
            Self::Name(name) => name == context,
            Self::Property(of, _) | Self::Every(of) | Self::Not(of) => of.reads(context),
            Self::Index(a, b) | Self::Compare(_, a, b) => a.reads(context) || b.reads(context),
            Self::And(all) | Self::Or(all) | Self::Call(_, all) => {
                all.iter().any(|one| one.reads(context))
            }
        }
    }
}

/// Parses the inside of `${{ }}`.
///
/// # Errors
/// What is wrong with it, as a fragment.
pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    if text.len() > LENGTH_MAX {
        return Err(format!("an expression has {} bytes, the limit is {LENGTH_MAX}", text.len()));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, depth: 0 };
    let expression = parser.or()?;
    match parser.tokens.first() {
        None => Ok(expression),
        Some(token) => Err(format!("unexpected {}", token.shown())),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Word(String),
    Sign(&'static str),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Self::Number(value) => format!("the number {value}"),
            Self::Text(text) => format!("the text '{text}'"),
            Self::Word(word) => format!("`{word}`"),
            Self::Sign(sign) => format!("`{sign}`"),
        }
    }
}

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: &[&str] =
    &["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ".", ",", "*"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if first == '\'' {
            let (token, tail) = quoted(&rest[1..])?;
            tokens.push(token);
            rest = tail;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
                .unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else if starts_number(rest, tokens.last()) {
            let end = number_end(rest);
            let value = number(&rest[..end])
                .ok_or_else(|| format!("`{}` is not a number", &rest[..end]))?;
            tokens.push(Token::Number(value));
            rest = &rest[end..];
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            return Err(format!("unexpected `{first}`"));
        }
    }
    Ok(tokens)
}

/// Reads a text up to its closing quote; two quotes are one.
fn quoted(rest: &str) -> Result<(Token, &str), String> {
    let mut text = String::new();
    let mut chars: Chars<'_> = rest.chars();
    while let Some(c) = chars.next() {
        if c != '\'' {
            text.push(c);
        } else if let Some(tail) = chars.as_str().strip_prefix('\'') {
            text.push('\'');
            chars = tail.chars();
        } else {
            return Ok((Token::Text(text), chars.as_str()));
        }
    }
    Err("a text has no closing quote".to_owned())
}

/// A point begins a number only where nothing stands that it could be a member of.
fn starts_number(rest: &str, before: Option<&Token>) -> bool {
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        (Some('0'..='9'), _) => true,
        (Some('.'), Some('0'..='9')) => {
            !matches!(before, Some(Token::Word(_) | Token::Sign(")" | "]" | "*")))
        }
        (Some('-' | '+'), Some('0'..='9' | '.')) => true,
        (Some('-'), Some('I')) => rest.starts_with("-Infinity"),
        (_, _) => false,
    }
}

fn number_end(rest: &str) -> usize {
    let mut previous = ' ';
    for (at, c) in rest.char_indices() {
        let sign = at == 0 || matches!(previous, 'e' | 'E');
        let part = c.is_ascii_alphanumeric() || c == '.' || (sign && matches!(c, '+' | '-'));
        if !part {
            return at;
        }
        previous = c;
    }
    rest.len()
}

/// Reads a number as the provider does, hexadecimal and octal ones too.
pub(super) fn number(text: &str) -> Option<f64> {
    let radix = |digits: &str, radix: u32| u32::from_str_radix(digits, radix).ok().map(f64::from);
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    match text {
        "Infinity" | "+Infinity" => return Some(f64::INFINITY),
        "-Infinity" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let shaped =
        text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    shaped.then(|| text.parse().ok()).flatten()
}

struct Parser<'t> {
    tokens: &'t [Token],
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self, sign: &str) -> bool {
        match self.tokens.split_first() {
            Some((Token::Sign(found), rest)) if *found == sign => {
                self.tokens = rest;
                true
            }
            Some(_) | None => false,
        }
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) {
            return Ok(());
        }
        let found = self.tokens.first().map_or_else(|| "the end".to_owned(), Token::shown);
        Err(format!("expected `{sign}`, found {found}"))
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("an expression nests more than {DEPTH_MAX} levels"));
        }
        Ok(())
    }

    fn or(&mut self) -> Result<Expression, String> {
        self.deeper()?;
        let mut all = vec![self.and()?];
        while self.take("||") {
            all.push(self.and()?);
        }
        self.depth -= 1;
        Ok(flat(all, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, String> {
        let mut all = vec![self.equality()?];
        while self.take("&&") {
            all.push(self.equality()?);
        }
        Ok(flat(all, Expression::And))
    }

    fn equality(&mut self) -> Result<Expression, String> {
        const SIGNS: &[(&str, Operator)] = &[("==", Operator::Equal), ("!=", Operator::Unequal)];
        self.chain(SIGNS, Self::order)
    }

    fn order(&mut self) -> Result<Expression, String> {
        const SIGNS: &[(&str, Operator)] = &[
            ("<", Operator::Less),
            ("<=", Operator::LessOrEqual),
            (">", Operator::Greater),
            (">=", Operator::GreaterOrEqual),
        ];
        self.chain(SIGNS, Self::unary)
    }

    fn chain(
        &mut self,
        signs: &[(&str, Operator)],
        next: fn(&mut Self) -> Result<Expression, String>,
    ) -> Result<Expression, String> {
        let mut left = next(self)?;
        let mut links = 0;
        while let Some((_, operator)) = signs.iter().find(|(sign, _)| self.take(sign)) {
            links += 1;
            if links > DEPTH_MAX {
                return Err(format!("an expression chains more than {DEPTH_MAX} comparisons"));
            }
            let right = next(self)?;
            left = Expression::Compare(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, String> {
        if !self.take("!") {
            return self.member();
        }
        self.deeper()?;
        let inner = self.unary()?;
        self.depth -= 1;
        Ok(Expression::Not(Box::new(inner)))
    }

    fn member(&mut self) -> Result<Expression, String> {
        let mut of = self.primary()?;
        let mut links = 0;
        loop {
            if self.take(".") {
                of = if self.take("*") {
                    Expression::Every(Box::new(of))
                } else {
                    Expression::Property(Box::new(of), self.word()?)
                };
            } else if self.take("[") {
                of = if self.take("*") {
                    Expression::Every(Box::new(of))
                } else {
                    let index = self.or()?;
                    if let Expression::Text(name) = &index {
                        Expression::Property(Box::new(of), name.to_ascii_lowercase())
                    } else {
                        Expression::Index(Box::new(of), Box::new(index))
                    }
                };
                self.expect("]")?;
            } else {
                return Ok(of);
            }
            links += 1;
            if links > DEPTH_MAX {
                return Err(format!("an expression has more than {DEPTH_MAX} members in a row"));
            }
        }
    }

    fn word(&mut self) -> Result<String, String> {
        match self.tokens.split_first() {
            Some((Token::Word(word), rest)) => {
                self.tokens = rest;
                Ok(word.to_ascii_lowercase())
            }
            Some((token, _)) => Err(format!("expected a name, found {}", token.shown())),
            None => Err("expected a name, found the end".to_owned()),
        }
    }

    fn primary(&mut self) -> Result<Expression, String> {
        let Some((token, rest)) = self.tokens.split_first() else {
            return Err("the expression ends too early".to_owned());
        };
        self.tokens = rest;
        match token {
            Token::Number(value) => Ok(Expression::Number(*value)),
            Token::Text(text) => Ok(Expression::Text(text.clone())),
            Token::Sign("(") => {
                let inner = self.or()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Sign(_) => Err(format!("unexpected {}", token.shown())),
            Token::Word(word) => self.named(word),
        }
    }

    fn named(&mut self, word: &str) -> Result<Expression, String> {
        if self.take("(") {
            let mut arguments = Vec::new();
            if !self.take(")") {
                arguments.push(self.or()?);
                while self.take(",") {
                    arguments.push(self.or()?);
                }
                self.expect(")")?;
            }
            return Ok(Expression::Call(word.to_ascii_lowercase(), arguments));
        }
        Ok(match word {
            "true" => Expression::Bool(true),
            "false" => Expression::Bool(false),
            "null" => Expression::Null,
            "NaN" => Expression::Number(f64::NAN),
            "Infinity" => Expression::Number(f64::INFINITY),
            name => Expression::Name(name.to_ascii_lowercase()),
        })
    }
}

/// One operand is itself; operands that are of the same kind are joined, as brackets do not matter then.
fn flat(mut all: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match (all.len(), all.pop()) {
        (1, Some(one)) => one,
        (_, last) => {
            all.extend(last);
            join(all)
        }
    }
}
