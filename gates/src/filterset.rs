//! nextest's filter expressions over a known roster: names, binaries, kinds and packages. It knows no dependency graph.

use crate::pattern::Pattern;
use portcullis::Globs;
use std::{iter::Peekable, str::CharIndices};

/// How deep an expression may nest (`security.md`, section 4).
const DEPTH_MAX: usize = 32;

/// A test as expressions see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) package: &'a str,
    pub(crate) binary: &'a str,
    pub(crate) binary_id: &'a str,
    /// `lib`, `bin`, `test`, `bench`, `example` or `proc-macro`.
    pub(crate) kind: &'a str,
    /// Its name; nothing for the tests of a binary that only the binary itself can list.
    pub(crate) test: Option<&'a str>,
}

/// What can be said of a test without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Yes,
    No,
    Maybe,
}

impl Truth {
    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::Maybe, Self::Yes | Self::Maybe) | (Self::Yes, Self::Maybe) => Self::Maybe,
        }
    }

    fn of(flag: bool) -> Self {
        if flag { Self::Yes } else { Self::No }
    }
}

/// A parsed expression.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    All,
    None,
    Match(Field, Matcher),
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

/// What a matcher looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Package,
    Binary,
    BinaryId,
    Kind,
    Test,
}

/// How a text is compared.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    Equals(String),
    Contains(String),
    Glob(Globs),
    Regex(Pattern),
}

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is no expression, for this reason.
    Invalid(String),
    /// It asks for something that no roster knows.
    NotStatic(String),
}

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is none, or asks for dependencies, platforms or settings.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut parser = Parser { text, chars: text.char_indices().peekable() };
        let filter = parser.union(0)?;
        parser.blank();
        match parser.chars.peek() {
            None => Ok(filter),
            Some((at, _)) => Err(invalid(format!("`{}` is left over", &text[*at..]))),
        }
    }

    /// Whether a test is in the set.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> Truth {
        match self {
            Self::All => Truth::Yes,
            Self::None => Truth::No,
            Self::Match(field, matcher) => {
                let text = match field {
                    Field::Package => Some(subject.package),
                    Field::Binary => Some(subject.binary),
                    Field::BinaryId => Some(subject.binary_id),
                    Field::Kind => Some(subject.kind),
                    Field::Test => subject.test,
                };
                text.map_or(Truth::Maybe, |text| matcher.matches(text))
            }
            Self::Not(filter) => filter.holds(subject).not(),
            Self::And(a, b) => a.holds(subject).and(b.holds(subject)),
            Self::Or(a, b) => a.holds(subject).not().and(b.holds(subject).not()).not(),
        }
    }
}

impl Matcher {
    fn read(text: &str, field: Field) -> Result<Self, Refusal> {
        let glob = |text: &str| {
            Globs::new(&[text])
                .map(Self::Glob)
                .map_err(|fault| invalid(fault.headline().to_owned()))
        };
        if let Some(rest) = text.strip_prefix('=') {
            return Ok(Self::Equals(unescaped(rest)));
        }
        if let Some(rest) = text.strip_prefix('~') {
            return Ok(Self::Contains(unescaped(rest)));
        }
        if let Some(rest) = text.strip_prefix('#') {
            return glob(&unescaped(rest));
        }
        if let Some(rest) = text.strip_prefix('/') {
            let inner =
                rest.strip_suffix('/').ok_or_else(|| invalid("a regex has no end".into()))?;
            let pattern = Pattern::new(&inner.replace("\\/", "/"));
            return pattern.map(Self::Regex).map_err(|fault| invalid(fault.headline().to_owned()));
        }
        if text.is_empty() {
            return Err(invalid("a matcher is empty".to_owned()));
        }
        match field {
            Field::Test => Ok(Self::Contains(unescaped(text))),
            Field::Kind => Ok(Self::Equals(unescaped(text))),
            Field::Package | Field::Binary | Field::BinaryId => glob(&unescaped(text)),
        }
    }

    fn matches(&self, text: &str) -> Truth {
        match self {
            Self::Equals(wanted) => Truth::of(text == wanted),
            Self::Contains(part) => Truth::of(text.contains(part.as_str())),
            Self::Glob(globs) => Truth::of(globs.matches(text)),
            // A name that is too long to be searched is one of which nothing is known.
            Self::Regex(pattern) => pattern.matches(text).map_or(Truth::Maybe, Truth::of),
        }
    }
}

fn invalid(why: String) -> Refusal {
    Refusal::Invalid(why)
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    plain
}

struct Parser<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
}

impl<'t> Parser<'t> {
    fn blank(&mut self) {
        while self.chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
    }

    fn rest(&mut self) -> &'t str {
        let at = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        &self.text[at..]
    }

    /// Takes one of these words or signs; a word ends where a name would end.
    fn take(&mut self, tokens: &[&str]) -> bool {
        self.blank();
        let rest = self.rest();
        for token in tokens {
            let Some(after) = rest.strip_prefix(token) else { continue };
            let is_word = token.chars().all(char::is_alphabetic);
            if is_word && after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            for _ in token.chars() {
                self.chars.next();
            }
            return true;
        }
        false
    }

    fn union(&mut self, depth: usize) -> Result<Filter, Refusal> {
        if depth > DEPTH_MAX {
            return Err(invalid(format!("it nests deeper than {DEPTH_MAX}")));
        }
        let mut left = self.intersection(depth)?;
        while self.take(&["||", "|", "+", "or"]) {
            left = Filter::Or(Box::new(left), Box::new(self.intersection(depth)?));
        }
        Ok(left)
    }

    fn intersection(&mut self, depth: usize) -> Result<Filter, Refusal> {
        let mut left = self.unary(depth)?;
        loop {
            if self.take(&["&&", "&", "and"]) {
                left = Filter::And(Box::new(left), Box::new(self.unary(depth)?));
            } else if self.take(&["-"]) {
                let right = Filter::Not(Box::new(self.unary(depth)?));
                left = Filter::And(Box::new(left), Box::new(right));
            } else {
                return Ok(left);
            }
        }
    }

    fn unary(&mut self, depth: usize) -> Result<Filter, Refusal> {
        if depth > DEPTH_MAX {
            return Err(invalid(format!("it nests deeper than {DEPTH_MAX}")));
        }
        if self.take(&["!", "not"]) {
            return Ok(Filter::Not(Box::new(self.unary(depth + 1)?)));
        }
        if self.take(&["("]) {
            let inner = self.union(depth + 1)?;
            return if self.take(&[")"]) {
                Ok(inner)
            } else {
                Err(invalid("a parenthesis has no end".to_owned()))
            };
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Result<Filter, Refusal> {
        self.blank();
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = &rest[..length];
        for _ in name.chars() {
            self.chars.next();
        }
        if !self.take(&["("]) {
            let shown: String = rest.chars().take(40).collect();
            return Err(invalid(format!("`{shown}` is no predicate")));
        }
        let argument = self.argument()?;
        let field = match name {
            "all" | "none" if !argument.is_empty() => {
                return Err(invalid(format!("`{name}` takes no argument")));
            }
            "all" => return Ok(Filter::All),
            "none" => return Ok(Filter::None),
            "package" => Field::Package,
            "binary" => Field::Binary,
            "binary_id" => Field::BinaryId,
            "kind" => Field::Kind,
            "test" => Field::Test,
            "deps" | "rdeps" | "platform" | "default" | "group" => {
                return Err(Refusal::NotStatic(format!("{name}({argument})")));
            }
            _ => return Err(invalid(format!("`{name}` is no predicate"))),
        };
        Ok(Filter::Match(field, Matcher::read(argument, field)?))
    }

    /// What stands before the closing parenthesis, which a backslash escapes and a regex may contain.
    fn argument(&mut self) -> Result<&'t str, Refusal> {
        self.blank();
        let rest = self.rest();
        let is_regex = rest.starts_with('/');
        let (mut escaped, mut inside) = (false, is_regex);
        for (at, c) in rest.char_indices() {
            self.chars.next();
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '/' if is_regex && at > 0 => inside = false,
                ')' if !inside => return Ok(rest[..at].trim_end()),
                _ => {}
            }
        }
        Err(invalid("a predicate has no end".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Subject<'_> = Subject {
        package: "acme",
        binary: "load_bearing_clock",
        binary_id: "acme::load_bearing_clock",
        kind: "test",
        test: Some("clock::goes_back"),
    };

    #[test]
    fn every_operator_and_matcher_is_read_as_nextest_does() {
        let table: &[(&str, Truth)] = &[
            ("all()", Truth::Yes),
            ("none()", Truth::No),
            ("test(back)", Truth::Yes),
            ("test(=back)", Truth::No),
            ("test(=clock::goes_back)", Truth::Yes),
            ("test(~goes)", Truth::Yes),
            ("test(/^clock::.*back$/)", Truth::Yes),
            ("test(/(goes|comes)_back/)", Truth::Yes),
            ("test(#clock::*)", Truth::Yes),
            ("binary(load_bearing_*)", Truth::Yes),
            ("binary(load_bearing)", Truth::No),
            ("binary(/^load_bearing_/)", Truth::Yes),
            ("binary(~bearing)", Truth::Yes),
            ("binary_id(acme::*)", Truth::Yes),
            ("binary_id(=acme)", Truth::No),
            ("kind(test)", Truth::Yes),
            ("kind(tes)", Truth::No),
            ("kind(lib) | kind(bin)", Truth::No),
            ("kind(lib) or test(back)", Truth::Yes),
            ("kind(lib) + kind(test)", Truth::Yes),
            ("kind(test) - binary(/^load_bearing_/) - binary(/^ci_/)", Truth::No),
            ("kind(test) and not test(back)", Truth::No),
            ("not (kind(lib) | kind(bin)) & package(acme)", Truth::Yes),
            ("kind(lib) | kind(test) & test(nowhere)", Truth::No),
            ("!kind(lib)", Truth::Yes),
            ("test( back )", Truth::Yes),
            ("package(ac*)", Truth::Yes),
        ];
        for (text, expected) in table {
            let filter = Filter::parse(text).unwrap_or_else(|why| panic!("{text}: {why:?}"));
            assert_eq!(filter.holds(&A), *expected, "{text}");
        }
    }

    #[test]
    fn tests_that_nobody_listed_are_unknown() {
        let unknown = Subject { test: None, ..A };
        let table: &[(&str, Truth)] = &[
            ("test(back)", Truth::Maybe),
            ("not test(back)", Truth::Maybe),
            ("kind(lib) & test(back)", Truth::No),
            ("kind(test) | test(back)", Truth::Yes),
        ];
        for (text, expected) in table {
            assert_eq!(Filter::parse(text).expect(text).holds(&unknown), *expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in [
            "",
            "test",
            "test(",
            "test()",
            "foo(x)",
            "test(a) test(b)",
            "(all()",
            "all() &",
            "all(x)",
            "test(/a)",
            "test(/(/)",
        ] {
            assert!(matches!(Filter::parse(text), Err(Refusal::Invalid(_))), "{text}");
        }
        for text in ["deps(acme)", "rdeps(acme)", "platform(host)", "all() - default()"] {
            assert!(matches!(Filter::parse(text), Err(Refusal::NotStatic(_))), "{text}");
        }
        let deep = format!("{}all(){}", "(".repeat(1_000), ")".repeat(1_000));
        assert!(matches!(Filter::parse(&deep), Err(Refusal::Invalid(_))));
        let nots = format!("{}all()", "!".repeat(100_000));
        assert!(matches!(Filter::parse(&nots), Err(Refusal::Invalid(_))));
    }
}
