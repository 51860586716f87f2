//! `$((..))` and `((..))` over what is known: numbers, a status that is not 0, or nothing. It assigns no variables
//! but the one that stands first.

use super::argv::{FAILED, OPAQUE};

/// What an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Known(i64),
    /// Some number that is not 0.
    NotZero,
    Unknown,
}

impl Number {
    /// Reads a word that should be a number.
    pub(super) fn of(text: &str) -> Self {
        match text.trim().parse() {
            Ok(number) => Self::Known(number),
            Err(_) if text.trim() == FAILED.to_string() => Self::NotZero,
            Err(_) => Self::Unknown,
        }
    }

    /// The word that stands for it.
    pub(super) fn word(self) -> String {
        match self {
            Self::Known(number) => number.to_string(),
            Self::NotZero => FAILED.to_string(),
            Self::Unknown => OPAQUE.to_string(),
        }
    }

    /// Whether it is other than 0, where that is known.
    pub(super) fn is_true(self) -> Option<bool> {
        match self {
            Self::Known(number) => Some(number != 0),
            Self::NotZero => Some(true),
            Self::Unknown => None,
        }
    }

    fn of_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Unknown, |truth| Self::Known(i64::from(truth)))
    }
}

/// Compares two numbers as `-eq` and its relatives do; nothing when that is not known.
pub(super) fn compare(left: Number, operator: &str, right: Number) -> Option<bool> {
    let (a, b) = match (left, right) {
        (Number::Known(a), Number::Known(b)) => (a, b),
        (Number::NotZero, Number::Known(0)) | (Number::Known(0), Number::NotZero) => {
            return match operator {
                "-eq" | "==" => Some(false),
                "-ne" | "!=" => Some(true),
                // A status is never negative.
                "-gt" | ">" => Some(left == Number::NotZero),
                "-lt" | "<" => Some(right == Number::NotZero),
                "-ge" | ">=" => Some(left == Number::NotZero),
                "-le" | "<=" => Some(right == Number::NotZero),
                _ => None,
            };
        }
        _ => return None,
    };
    match operator {
        "-eq" | "==" => Some(a == b),
        "-ne" | "!=" => Some(a != b),
        "-gt" | ">" => Some(a > b),
        "-ge" | ">=" => Some(a >= b),
        "-lt" | "<" => Some(a < b),
        "-le" | "<=" => Some(a <= b),
        _ => None,
    }
}

/// An expression whose value is known as far as the variables are; and the variable that it assigns.
pub(super) fn evaluate(
    text: &str,
    value: &dyn Fn(&str) -> Option<String>,
) -> (Number, Option<(String, Number)>) {
    let text = text.trim();
    if let Some(name) = text.strip_suffix("++").or_else(|| text.strip_prefix("++")) {
        let name = name.trim();
        let old = variable(name, value);
        let next = sum(old, Number::Known(1));
        let seen = if text.ends_with("++") { old } else { next };
        return (seen, Some((name.to_owned(), next)));
    }
    if let Some((head, tail)) = text.split_once('=')
        && !tail.starts_with('=')
        && !head.ends_with(['=', '!', '<', '>'])
    {
        let name = head.trim_end_matches(['+', '|', '-', '*']).trim();
        if super::is_name(name) {
            let mut tail = Parser { rest: tail, value };
            let right = tail.whole();
            let old = variable(name, value);
            let new = match head.trim_end().strip_prefix(name).map(str::trim) {
                Some("") => right,
                Some("+") => sum(old, right),
                Some("|") => either(old, right),
                Some(_) | None => Number::Unknown,
            };
            return (new, Some((name.to_owned(), new)));
        }
    }
    (Parser { rest: text, value }.whole(), None)
}

fn variable(name: &str, value: &dyn Fn(&str) -> Option<String>) -> Number {
    // An unset variable counts as 0 in arithmetic, but whether it is unset is not always known here.
    value(name).map_or(Number::Unknown, |text| Number::of(&text))
}

fn sum(a: Number, b: Number) -> Number {
    match (a, b) {
        (Number::Known(a), Number::Known(b)) => {
            a.checked_add(b).map_or(Number::Unknown, Number::Known)
        }
        // Statuses and counts are not negative, so nothing takes a failure away again.
        (Number::NotZero, Number::Known(n)) | (Number::Known(n), Number::NotZero) if n >= 0 => {
            Number::NotZero
        }
        (Number::NotZero, Number::NotZero) => Number::NotZero,
        _ => Number::Unknown,
    }
}

fn either(a: Number, b: Number) -> Number {
    match (a, b) {
        (Number::Known(a), Number::Known(b)) => Number::Known(a | b),
        (Number::NotZero, _) | (_, Number::NotZero) => Number::NotZero,
        (Number::Known(n), _) | (_, Number::Known(n)) if n > 0 => Number::NotZero,
        _ => Number::Unknown,
    }
}

/// The usual operators, loosest first. A deep nest of brackets is not followed.
struct Parser<'p> {
    rest: &'p str,
    value: &'p dyn Fn(&str) -> Option<String>,
}

impl Parser<'_> {
    fn whole(&mut self) -> Number {
        let number = self.or(0);
        if self.rest.trim().is_empty() { number } else { Number::Unknown }
    }

    fn eat(&mut self, operator: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(operator) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn or(&mut self, depth: usize) -> Number {
        let mut left = self.and(depth);
        loop {
            if self.eat("||") {
                let right = self.and(depth);
                left = Number::of_truth(match (left.is_true(), right.is_true()) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                });
            } else if self.eat("|") {
                left = either(left, self.and(depth));
            } else {
                return left;
            }
        }
    }

    fn and(&mut self, depth: usize) -> Number {
        let mut left = self.comparison(depth);
        while self.eat("&&") {
            let right = self.comparison(depth);
            left = Number::of_truth(match (left.is_true(), right.is_true()) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            });
        }
        left
    }

    fn comparison(&mut self, depth: usize) -> Number {
        let left = self.sum(depth);
        for operator in ["==", "!=", ">=", "<=", ">", "<"] {
            if self.eat(operator) {
                let right = self.sum(depth);
                return Number::of_truth(compare(left, operator, right));
            }
        }
        left
    }

    fn sum(&mut self, depth: usize) -> Number {
        let mut left = self.atom(depth);
        loop {
            if self.eat("+") {
                left = sum(left, self.atom(depth));
            } else if self.eat("-") {
                left = match (left, self.atom(depth)) {
                    (Number::Known(a), Number::Known(b)) => {
                        a.checked_sub(b).map_or(Number::Unknown, Number::Known)
                    }
                    _ => Number::Unknown,
                };
            } else {
                return left;
            }
        }
    }

    fn atom(&mut self, depth: usize) -> Number {
        if depth > 32 {
            return Number::Unknown;
        }
        if self.eat("!") {
            let inner = self.atom(depth + 1);
            return Number::of_truth(inner.is_true().map(|truth| !truth));
        }
        if self.eat("(") {
            let inner = self.or(depth + 1);
            self.eat(")");
            return inner;
        }
        self.rest = self.rest.trim_start();
        let start = self.rest;
        let dollar = usize::from(start.starts_with('$'));
        let braced = usize::from(start.get(dollar..).is_some_and(|rest| rest.starts_with('{')));
        let body = start.get(dollar + braced..).unwrap_or_default();
        let special = dollar == 1 && body.starts_with(['?', '!']);
        let length = if special {
            1
        } else {
            let named = |next: char| next.is_ascii_alphanumeric() || next == '_';
            body.find(|next| !named(next)).unwrap_or(body.len())
        };
        let (name, mut after) = body.split_at_checked(length).unwrap_or((body, ""));
        if braced == 1 {
            let Some((_operation, behind)) = after.split_once('}') else { return Number::Unknown };
            if !after.starts_with('}') {
                self.rest = behind;
                return Number::Unknown;
            }
            after = behind;
        }
        self.rest = after;
        if name.is_empty() {
            return Number::Unknown;
        }
        name.parse().map_or_else(|_| variable(name, self.value), Number::Known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_worth_what_is_known() {
        let value = |name: &str| match name {
            "zero" => Some("0".to_owned()),
            "two" => Some("2".to_owned()),
            "bad" | "?" => Some(FAILED.to_string()),
            _ => None,
        };
        let table: &[(&str, Number)] = &[
            ("1 + 2 - 4", Number::Known(-1)),
            ("zero", Number::Known(0)),
            ("$two + ${two}", Number::Known(4)),
            ("bad", Number::NotZero),
            ("bad + zero", Number::NotZero),
            ("zero | $?", Number::NotZero),
            ("bad - 1", Number::Unknown),
            ("bad != 0", Number::Known(1)),
            ("bad == 0", Number::Known(0)),
            ("bad > 0 && two >= 2", Number::Known(1)),
            ("!(bad || other)", Number::Known(0)),
            ("! other", Number::Unknown),
            ("other * 2", Number::Unknown),
            ("zero += bad", Number::NotZero),
            ("zero |= bad", Number::NotZero),
            ("other = bad", Number::NotZero),
            ("two++", Number::Known(2)),
        ];
        for (text, expected) in table {
            assert_eq!(evaluate(text, &value).0, *expected, "{text}");
        }
        let (_, set) = evaluate("two += 1", &value);
        assert_eq!(set, Some(("two".to_owned(), Number::Known(3))));
    }
}
