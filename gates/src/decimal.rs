//! Decimal numbers of the configuration, exact to the digit that is written. They are compared as whole numbers.

use serde::{Deserialize, Deserializer, de::Error as _};

/// A number with at most `PLACES` decimals, kept as a whole number of its smallest unit: not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal<const PLACES: usize>(pub(crate) u64);

/// Reads decimal digits with an optional fraction, `4`, `4.5`, `80.00`, in units of the last of `places` decimals.
///
/// Zeros at the end of a fraction say nothing and may be any number.
pub(crate) fn units(text: &str, places: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = part.trim_end_matches('0');
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > places {
        return None;
    }
    format!("{whole}{part:0<places$}").parse().ok()
}

impl<'de, const PLACES: usize> Deserialize<'de> for Decimal<PLACES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The shortest form of a float is what a person wrote, so that `79.99` is 7999 hundredths.
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) if number.is_finite() => number.to_string(),
            toml::Value::Float(_)
            | toml::Value::String(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_)
            | toml::Value::Array(_)
            | toml::Value::Table(_) => return Err(D::Error::custom("this is no finite number")),
        };
        units(&text, PLACES).map(Self).ok_or_else(|| {
            D::Error::custom(format!("{text} is negative, or has more than {PLACES} decimals"))
        })
    }
}

impl<const PLACES: usize> std::fmt::Display for Decimal<PLACES> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = format!("{:0>width$}", self.0, width = PLACES + 1);
        let (whole, part) = digits.split_at(digits.len() - PLACES);
        match part.trim_end_matches('0') {
            "" => f.write_str(whole),
            part => write!(f, "{whole}.{part}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        #[derive(Deserialize)]
        struct Row {
            n: Decimal<2>,
        }
        let table: &[(&str, Option<(u64, &str)>)] = &[
            ("80", Some((8000, "80"))),
            ("80.0", Some((8000, "80"))),
            ("79.99", Some((7999, "79.99"))),
            ("0.07", Some((7, "0.07"))),
            ("33.3", Some((3330, "33.3"))),
            ("0", Some((0, "0"))),
            ("79.999", None),
            ("-1", None),
            ("-0.5", None),
            ("nan", None),
            ("inf", None),
            ("1e300", None),
            ("\"80\"", None),
            ("true", None),
        ];
        for (text, expected) in table {
            let row: Result<Row, _> = toml::from_str(&format!("n = {text}"));
            let read = row.ok().map(|row| (row.n.0, row.n.to_string()));
            let expected = expected.map(|(units, shown)| (units, shown.to_owned()));
            assert_eq!(read, expected, "{text}");
        }
    }
}
