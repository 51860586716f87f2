//! How many threads a parallel part may use. The one place that asks the machine.
//!
//! Leaves out how work is split: worker count = min(this, what is configured, work items).

use crate::wire::{code::CPU_COUNT_INVALID, fault::Fault};
use std::{
    ffi::{OsStr, OsString},
    fmt,
    num::NonZeroUsize,
};

/// Forces the count, for runs that must behave the same on every machine.
pub const FORCE_CPU_COUNT: &str = "PORTCULLIS_FORCE_CPU_COUNT";

const COUNT_MAX: usize = 65_535;

/// Why the forced count cannot be used. There is no fall-back: a wrong count would measure something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuCountError {
    value: OsString,
}

impl CpuCountError {
    /// The refused value, as it was set.
    #[must_use]
    pub fn value(&self) -> &OsStr {
        &self.value
    }
}

impl fmt::Display for CpuCountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.value.to_string_lossy().chars().take(80).collect();
        write!(
            f,
            "`{FORCE_CPU_COUNT}` is \"{}\", which is not a whole number from 1 to {COUNT_MAX} written in ASCII digits \
             without sign, space or leading zero; set it to such a number, or unset it",
            shown.escape_debug()
        )
    }
}

impl std::error::Error for CpuCountError {}

impl From<CpuCountError> for Fault {
    fn from(error: CpuCountError) -> Self {
        let shown: String = error.value.to_string_lossy().chars().take(80).collect();
        Self::new(
            CPU_COUNT_INVALID,
            format!("`{FORCE_CPU_COUNT}` is not a CPU count"),
            format!("set `{FORCE_CPU_COUNT}` to a number such as `2`, or unset it"),
        )
        .expected(format!(
            "ASCII digits without sign, space or leading zero, from 1 to {COUNT_MAX}"
        ))
        .found(format!("\"{}\"", shown.escape_debug()))
    }
}

/// Returns how many threads may run at once: the forced count, else what the machine offers, else 1.
///
/// Reads the variable at every call, because a lane may set it for one child only.
///
/// # Errors
/// When the forced count is anything but a whole number from 1 to 65535; it never falls back.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of this variable and of the machine's parallelism"
)]
pub fn effective_cpu_count() -> Result<NonZeroUsize, CpuCountError> {
    let forced = std::env::var_os(FORCE_CPU_COUNT);
    match parse(forced.as_deref())? {
        Some(count) => Ok(count),
        None => Ok(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)),
    }
}

/// Reads the forced count; unset and empty give none.
fn parse(value: Option<&OsStr>) -> Result<Option<NonZeroUsize>, CpuCountError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let digits = value
        .to_str()
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0'));
    let count =
        digits.and_then(|text| text.parse::<usize>().ok()).filter(|count| *count <= COUNT_MAX);
    match count.and_then(NonZeroUsize::new) {
        Some(count) => Ok(Some(count)),
        None => Err(CpuCountError { value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read() {
        let table: &[(&str, Option<&str>, Option<usize>)] = &[
            ("unset", None, None),
            ("empty", Some(""), None),
            ("the least", Some("1"), Some(1)),
            ("two", Some("2"), Some(2)),
            ("a zero inside", Some("10"), Some(10)),
            ("the most", Some("65535"), Some(65_535)),
        ];
        for (case, value, expected) in table {
            let seen = parse(value.map(OsStr::new)).expect(case);
            assert_eq!(seen.map(NonZeroUsize::get), *expected, "{case}");
        }
    }

    #[test]
    fn every_other_spelling_is_refused_and_named() {
        let rejected = [
            "0",
            "-1",
            "-100",
            "+2",
            " 2",
            "2 ",
            "  ",
            "02",
            "00",
            "2_0",
            "1.5",
            "abc",
            "two",
            "2x",
            "0x2",
            "65536",
            "4294967296",
            "18446744073709551617",
            "\u{662}",
            "\u{ff12}",
            "2\n",
            "2\0",
        ];
        for value in rejected {
            let error = parse(Some(OsStr::new(value))).expect_err(value);
            let text = error.to_string();
            let shown = value.escape_debug().to_string();
            assert!(
                text.contains(FORCE_CPU_COUNT) && text.contains(&format!("\"{shown}\"")),
                "{value:?}: {text}"
            );
            let fault = Fault::from(error);
            assert_eq!(fault.code(), CPU_COUNT_INVALID, "{value:?}");
            assert!(fault.found_text().is_some_and(|found| found.contains(&shown)), "{value:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf8_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        assert!(parse(Some(OsStr::from_bytes(b"2\xff"))).is_err());
    }
}
