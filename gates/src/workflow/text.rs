//! A scalar with its place: as written, and as the provider prints it. Leaves out what an expression in it means.

use super::yaml::{Place, Style};
use granit_parser::ScalarStyle;

/// A scalar. Its text is what the provider prints: of `1.90` that is `1.9`, of `0` it is `0`, of nothing it is empty.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    printed: String,
    /// As it stands in the file, where that differs.
    written: Option<String>,
    core: Core,
    style: Style,
    place: Place,
}

/// What a scalar is in the core schema of YAML 1.2. There, `yes`, `no`, `on` and `off` are strings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Core {
    Null,
    Bool(bool),
    Number(f64),
    String,
}

impl Text {
    pub(super) fn new(text: &str, style: ScalarStyle, tagged: bool, place: Place) -> Self {
        let style = Style::from(style);
        let core = if style == Style::Plain && !tagged { core(text) } else { Core::String };
        let printed = match core {
            Core::Null => String::new(),
            Core::Bool(value) => value.to_string(),
            Core::Number(value) => printed(value),
            Core::String => text.to_owned(),
        };
        let written = (printed != text).then(|| text.to_owned());
        Self { printed, written, core, style, place }
    }

    /// As the provider prints it.
    pub(crate) fn as_str(&self) -> &str {
        &self.printed
    }

    /// As it is written, quotes taken off.
    pub(crate) fn written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.printed)
    }

    /// What it is without its quotes: a quoted boolean or number is that boolean or number to the provider.
    pub(crate) fn core_unquoted(&self) -> Core {
        if self.core == Core::String { core(&self.printed) } else { self.core }
    }

    /// What it is as written.
    pub(crate) fn core(&self) -> Core {
        self.core
    }

    /// The boolean it counts as, quoted or not.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.core_unquoted() {
            Core::Bool(value) => Some(value),
            Core::Null | Core::Number(_) | Core::String => None,
        }
    }

    /// The number it counts as, quoted or not.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self.core_unquoted() {
            Core::Number(value) => Some(value),
            Core::Null | Core::Bool(_) | Core::String => None,
        }
    }

    /// Whether there is nothing: `key:` and `key: ~`.
    pub(crate) fn is_null(&self) -> bool {
        self.core == Core::Null
    }

    /// Whether it is written without quotes and not as a block.
    pub(crate) fn is_plain(&self) -> bool {
        self.style == Style::Plain
    }

    /// Whether a part of it is an expression.
    pub(crate) fn has_expression(&self) -> bool {
        self.printed.contains("${{")
    }

    /// Where it begins.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Where it begins, for a finding.
    pub(crate) fn location(&self) -> portcullis::Location {
        self.place.location()
    }

    /// The place of a line (from 0) and a column (from 0, in characters) of this text. Where the file does not keep
    /// the lines of a scalar, as in a folded one, that is the place of the scalar.
    pub(crate) fn place_of(&self, line: usize, column: usize) -> Place {
        let line_u32 = u32::try_from(line).unwrap_or(u32::MAX);
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        let mut place = self.place.clone();
        match self.style {
            Style::Literal => {
                // The parser gives the place of the first line that is not empty.
                let blank = self.printed.chars().take_while(|c| *c == '\n').count();
                let first = place.line.saturating_sub(u32::try_from(blank).unwrap_or(u32::MAX));
                place.line = first.saturating_add(line_u32);
                place.column = place.column.saturating_add(column);
            }
            Style::Plain if !self.printed.contains('\n') && line == 0 => {
                place.column = place.column.saturating_add(column);
            }
            Style::Quoted if !self.printed.contains('\n') && line == 0 => {
                place.column = place.column.saturating_add(column).saturating_add(1);
            }
            Style::Plain | Style::Quoted | Style::Folded => {}
        }
        place
    }

    /// The same text at the place of an alias, where its lines are not.
    pub(super) fn moved_to(&self, place: &Place) -> Self {
        Self { style: Style::Folded, place: place.clone(), ..self.clone() }
    }
}

/// Reads a plain scalar by the core schema.
fn core(text: &str) -> Core {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Core::Null,
        "true" | "True" | "TRUE" => Core::Bool(true),
        "false" | "False" | "FALSE" => Core::Bool(false),
        _ => number(text).map_or(Core::String, Core::Number),
    }
}

/// A number of the core schema: decimal, octal, hexadecimal, with fraction or exponent, infinite, or none.
fn number(text: &str) -> Option<f64> {
    let radix = |digits: &str, radix: u32| u64::from_str_radix(digits, radix).ok();
    if let Some(digits) = text.strip_prefix("0o") {
        #[expect(clippy::cast_precision_loss, reason = "the provider computes with doubles, too")]
        return unsigned(digits).and_then(|digits| radix(digits, 8)).map(|n| n as f64);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        #[expect(clippy::cast_precision_loss, reason = "the provider computes with doubles, too")]
        return unsigned(digits).and_then(|digits| radix(digits, 16)).map(|n| n as f64);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    match rest {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if rest.len() == text.len() => return Some(f64::NAN),
        _ => {}
    }
    let shaped = rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && rest.contains(|c: char| c.is_ascii_digit())
        && rest
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    shaped.then(|| rest.parse::<f64>().ok()).flatten().map(|value| sign * value)
}

fn unsigned(digits: &str) -> Option<&str> {
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digits)
}

/// A number as the provider prints it: 15 significant digits, no trailing zeros, an exponent from `1E+15` on.
pub(crate) fn printed(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{:.14e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    let body = match usize::try_from(exponent) {
        Ok(point) if point < 15 => {
            let whole: String =
                digits.chars().chain(std::iter::repeat('0')).take(point + 1).collect();
            match digits.get(point + 1..) {
                Some(fraction) if !fraction.is_empty() => format!("{whole}.{fraction}"),
                Some(_) | None => whole,
            }
        }
        Err(_) if exponent >= -5 => {
            let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
            format!("0.{}{digits}", "0".repeat(zeros))
        }
        Ok(_) | Err(_) => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            let mark = if exponent < 0 { '-' } else { '+' };
            format!("{first}{dot}{rest}E{mark}{:02}", exponent.unsigned_abs())
        }
    };
    format!("{sign}{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_the_provider_prints_them() {
        let table: &[(&str, Option<&str>)] = &[
            ("0", Some("0")),
            ("1.90", Some("1.9")),
            ("3.10", Some("3.1")),
            ("1.0", Some("1")),
            ("007", Some("7")),
            ("-12", Some("-12")),
            ("+5", Some("5")),
            ("0x1F", Some("31")),
            ("0o17", Some("15")),
            ("1e3", Some("1000")),
            (".5", Some("0.5")),
            ("0.1", Some("0.1")),
            ("0.00001", Some("0.00001")),
            ("0.000001", Some("1E-06")),
            ("123456789012345", Some("123456789012345")),
            ("1234567890123456", Some("1.23456789012346E+15")),
            (".inf", Some("Infinity")),
            ("1.90.1", None),
            ("1_000", None),
            ("v1", None),
            ("e5", None),
            (".", None),
            ("-", None),
            ("infinity", None),
            ("nan", None),
            ("0xZ", None),
            ("0x", None),
        ];
        for (written, expected) in table {
            assert_eq!(number(written).map(printed).as_deref(), *expected, "{written}");
        }
    }
}
