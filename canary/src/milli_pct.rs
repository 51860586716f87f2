//! Percentages as whole thousandths. Leaves out what they are compared with.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Thousandths of a percent: 50 % is 50 000.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MilliPct(i64);

/// Why a text or a number is no percentage of at most three decimals.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MilliPctError {
    /// Something other than `-`, digits and one point between digits.
    Malformed(String),
    /// A fourth decimal: it would have to be rounded, and a threshold is never rounded.
    TooFine(String),
    /// More than 64 bits of thousandths.
    TooLarge(String),
}

impl MilliPct {
    /// A whole: 100 %.
    pub const WHOLE: Self = Self(100_000);

    /// Returns this many thousandths of a percent.
    #[must_use]
    pub const fn new(thousandths: i64) -> Self {
        Self(thousandths)
    }

    /// Returns this many percent; the largest value stands for whatever does not fit.
    #[must_use]
    pub const fn percent(percent: i64) -> Self {
        Self(percent.saturating_mul(1_000))
    }

    /// Returns the thousandths of a percent.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Returns the share as a float (50 % is 0.5), for estimates and display alone.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate, never compared with a threshold")]
    pub fn share(self) -> f64 {
        self.0 as f64 / 100_000.0
    }

    /// Returns the share rounded up to a whole thousandth of a percent; what is no number or too large is the largest
    /// value, because "not known" must not read as "small".
    #[must_use]
    pub fn of_share_rounded_up(share: f64) -> Self {
        // A whole number that arrives with a rounding error of 1e-16 is still that number.
        let thousandths = (share * 100_000.0 - 1e-6).ceil();
        if thousandths.is_nan() || thousandths >= 9.2e18 {
            return Self(i64::MAX);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the bounds were tested, the rest saturates"
        )]
        Self(thousandths as i64)
    }
}

impl FromStr for MilliPct {
    type Err = MilliPctError;

    /// Reads a decimal of percent with at most three decimals: `2`, `-10`, `0.125`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || MilliPctError::Malformed(text.to_owned());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(decimals) {
            return Err(malformed());
        }
        if decimals.len() > 3 {
            return Err(MilliPctError::TooFine(text.to_owned()));
        }
        let joined = format!("{}{whole}{decimals:0<3}", if negative { "-" } else { "" });
        // Only digits are left, so the one way to fail is size.
        match joined.parse() {
            Ok(thousandths) => Ok(Self(thousandths)),
            Err(_) => Err(MilliPctError::TooLarge(text.to_owned())),
        }
    }
}

impl TryFrom<f64> for MilliPct {
    type Error = MilliPctError;

    /// Reads a number as configuration formats hand it over: by its shortest decimal form, so that `0.1` is 0.1.
    fn try_from(number: f64) -> Result<Self, Self::Error> {
        format!("{number}").parse()
    }
}

impl fmt::Display for MilliPct {
    /// Writes percent without trailing zeros: `50 %`, `-0.125 %`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thousandths = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (thousandths / 1_000, thousandths % 1_000);
        if rest == 0 {
            return write!(out, "{sign}{whole} %");
        }
        let decimals = format!("{rest:03}");
        write!(out, "{sign}{whole}.{} %", decimals.trim_end_matches('0'))
    }
}

impl fmt::Display for MilliPctError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) => {
                write!(out, "`{text}` is no percentage such as `2` or `0.125`")
            }
            Self::TooFine(text) => write!(out, "`{text}` has more than three decimals"),
            Self::TooLarge(text) => write!(out, "`{text}` is too large"),
        }
    }
}

impl std::error::Error for MilliPctError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_at_most_three_decimals_and_are_never_rounded() {
        let table: &[(&str, Option<i64>)] = &[
            ("50", Some(50_000)),
            ("0.125", Some(125)),
            ("-10.5", Some(-10_500)),
            ("-0.001", Some(-1)),
            ("1000", Some(1_000_000)),
            ("0.1000", None),
            ("0.0005", None),
            ("", None),
            ("-", None),
            (".5", None),
            ("5.", None),
            ("+5", None),
            (" 5", None),
            ("1e3", None),
            ("1_000", None),
            ("NaN", None),
            ("inf", None),
            ("٥", None),
            ("1.2.3", None),
            ("9223372036854775.807", Some(i64::MAX)),
            ("-9223372036854775.808", Some(i64::MIN)),
            ("9223372036854775.808", None),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<MilliPct>().ok().map(MilliPct::get), *expected, "{text}");
        }
    }

    #[test]
    fn a_float_is_read_by_its_shortest_decimal_form() {
        let table: &[(f64, Option<i64>)] = &[
            (0.1, Some(100)),
            (49.999, Some(49_999)),
            (99.9999, None),
            (0.1 + 0.2, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
            (1e300, None),
        ];
        for (number, expected) in table {
            let read = MilliPct::try_from(*number).ok().map(MilliPct::get);
            assert_eq!(read, *expected, "{number}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for thousandths in [0, 1, -1, 999, 1_000, -1_001, 50_000, 46_090, i64::MAX, i64::MIN] {
            let written = MilliPct::new(thousandths).to_string();
            let number = written.strip_suffix(" %").expect("a unit");
            assert_eq!(number.parse(), Ok(MilliPct::new(thousandths)), "{written}");
        }
    }

    #[test]
    fn an_unknown_share_is_large() {
        assert_eq!(MilliPct::of_share_rounded_up(f64::NAN).get(), i64::MAX);
        assert_eq!(MilliPct::of_share_rounded_up(f64::INFINITY).get(), i64::MAX);
        assert_eq!(MilliPct::of_share_rounded_up(0.019_999_1).get(), 2_000);
    }
}
