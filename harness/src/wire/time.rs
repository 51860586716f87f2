//! Instants and calendar days, UTC only. Values; nothing here reads a clock.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    fmt,
    time::{Duration, SystemTime},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// 2000-01-01T00:00:00Z, in milliseconds since the Unix epoch.
const FIRST_MS: i64 = 946_684_800_000;
/// The last millisecond of the year 9998.
const LAST_MS: i64 = 253_370_764_799_999;

/// An instant with millisecond precision, written as RFC 3339 in UTC with `Z`. In milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// Why a text is not a time or a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeError {
    /// The refused text, truncated.
    pub text: String,
    /// What was expected.
    pub expected: &'static str,
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}", self.text.escape_debug(), self.expected)
    }
}

impl std::error::Error for TimeError {}

const INSTANT_SHAPE: &str =
    "a time such as `2026-05-31T10:00:00Z` (RFC 3339, UTC, years 2000 to 9998)";
const DAY_SHAPE: &str = "a calendar day such as `2026-05-31` (years 2000 to 9998)";

impl Instant {
    /// Reads RFC 3339 with `Z`; another offset, a leap second or a year outside 2000 to 9998 is refused.
    ///
    /// # Errors
    /// When the text is anything else. The parser alone would read second 60 as 59, and a full
    /// stop without digits after it as nothing.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let refused =
            || TimeError { text: text.chars().take(60).collect(), expected: INSTANT_SHAPE };
        let bytes = text.as_bytes();
        let shape = bytes.len() >= 20
            && bytes.len() <= 30
            && bytes[4] == b'-'
            && bytes[7] == b'-'
            && bytes[10] == b'T'
            && bytes[13] == b':'
            && bytes[16] == b':'
            && bytes[17] != b'6'
            && bytes[bytes.len() - 2].is_ascii_digit()
            && bytes.last() == Some(&b'Z');
        if !shape {
            return Err(refused());
        }
        let time = humantime::parse_rfc3339(text).map_err(|_source| refused())?;
        let since = time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_source| refused())?;
        let ms = i64::try_from(since.as_millis()).map_err(|_source| refused())?;
        Self::from_unix_ms(ms).map_err(|_source| refused())
    }

    /// The instant `ms` milliseconds after the Unix epoch.
    ///
    /// # Errors
    /// When the year lies outside 2000 to 9998.
    pub fn from_unix_ms(ms: i64) -> Result<Self, TimeError> {
        if (FIRST_MS..=LAST_MS).contains(&ms) {
            Ok(Self(ms))
        } else {
            Err(TimeError { text: ms.to_string(), expected: INSTANT_SHAPE })
        }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn unix_ms(self) -> i64 {
        self.0
    }

    /// The UTC calendar day of this instant.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(DAY_MS))
    }

    /// Milliseconds from `earlier` to this instant; negative when it is later.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.unix_ms().saturating_sub(earlier.unix_ms())
    }
}

/// The system's time at so many milliseconds after the Unix epoch.
fn system_time(ms: i64) -> SystemTime {
    // Never before the year 2000.
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms.unsigned_abs())
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&humantime::format_rfc3339_millis(system_time(self.0)), f)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A UTC calendar day. In days since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// Reads `YYYY-MM-DD` and nothing else.
    ///
    /// # Errors
    /// When the text has another shape, the day does not exist, or the year lies outside 2000 to 9998.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let refused = || TimeError { text: text.chars().take(60).collect(), expected: DAY_SHAPE };
        let bytes = text.as_bytes();
        let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
        let shape = bytes.len() == 10
            && bytes[4] == b'-'
            && bytes[7] == b'-'
            && digits(0..4)
            && digits(5..7)
            && digits(8..10);
        if !shape {
            return Err(refused());
        }
        let midnight = Instant::parse(&format!("{text}T00:00:00Z")).map_err(|_source| refused())?;
        Ok(midnight.day())
    }

    /// Whole days from `earlier` to this day; negative when it is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = humantime::format_rfc3339_seconds(system_time(self.0 * DAY_MS)).to_string();
        f.write_str(midnight.split('T').next().unwrap_or_default())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t39_odd_times_are_refused() {
        let table: &[(&str, &str, bool)] = &[
            ("plain", "2026-05-31T10:00:00Z", true),
            ("milliseconds", "2026-05-31T10:00:00.123Z", true),
            ("leap second", "2026-06-30T23:59:60Z", false),
            ("second 60 in the middle of a day", "2026-06-30T12:00:60Z", false),
            ("an offset", "2026-05-31T10:00:00+02:00", false),
            ("no offset", "2026-05-31T10:00:00", false),
            ("year 0", "0000-01-01T00:00:00Z", false),
            ("year 1999", "1999-12-31T23:59:59Z", false),
            ("year 9999", "9999-01-01T00:00:00Z", false),
            ("year 9998", "9998-12-31T23:59:59Z", true),
            ("a space for the T", "2026-05-31 10:00:00Z", false),
            ("a day that does not exist", "2026-02-30T10:00:00Z", false),
            ("a leap day", "2028-02-29T10:00:00Z", true),
            ("a leap day of no leap year", "2100-02-29T10:00:00Z", false),
            ("month 13", "2026-13-01T10:00:00Z", false),
            ("hour 24", "2026-05-31T24:00:00Z", false),
            ("minute 60", "2026-05-31T10:60:00Z", false),
            ("ten digits of a second", "2026-05-31T10:00:00.1234567890Z", false),
            ("a second without digits", "2026-05-31T10:00:00.Z", false),
            ("a letter for a digit", "2026-05-3lT10:00:00Z", false),
        ];
        for (case, text, expected) in table {
            assert_eq!(Instant::parse(text).is_ok(), *expected, "{case}");
        }
    }

    #[test]
    fn days_are_strict_and_subtract() {
        for bad in [
            "2026-02-30",
            "20260630",
            "2026-6-30",
            "1999-12-31",
            "9999-01-01",
            "2026-05-31T00:00:00Z",
            "",
        ] {
            assert!(Day::parse(bad).is_err(), "{bad}");
        }
        let (a, b) = (Day::parse("2024-02-28"), Day::parse("2024-03-01"));
        assert_eq!(b.clone().and_then(|b| a.map(|a| b.days_since(a))), Ok(2));
        let midnight = Instant::parse("2026-05-31T23:59:59.999Z").map(Instant::day);
        assert_eq!(midnight, Day::parse("2026-05-31"));
    }

    #[test]
    fn instants_read_back_what_they_print() {
        let instant = Instant::from_unix_ms(1_780_221_600_123);
        assert_eq!(
            instant.clone().map(|i| i.to_string()),
            Ok("2026-05-31T10:00:00.123Z".to_owned())
        );
        assert_eq!(instant.clone().and_then(|i| Instant::parse(&i.to_string())), instant);
        for (text, ms) in [
            ("2000-01-01T00:00:00.000Z", FIRST_MS),
            ("9998-12-31T23:59:59.999Z", LAST_MS),
            ("2000-02-29T12:00:00.000Z", 951_825_600_000),
        ] {
            assert_eq!(Instant::from_unix_ms(ms).map(|at| at.to_string()).as_deref(), Ok(text));
            assert_eq!(Instant::parse(text).map(Instant::unix_ms), Ok(ms));
        }
        for ms in [i64::MIN, -1, 0, FIRST_MS - 1, LAST_MS + 1, i64::MAX] {
            assert!(Instant::from_unix_ms(ms).is_err(), "{ms}");
        }
    }

    #[test]
    fn every_day_reads_back_what_it_prints() {
        let first = Day::parse("2000-01-01").expect("a day");
        let last = Day::parse("9998-12-31").expect("a day");
        assert_eq!(last.days_since(first), 2_921_574);
        for n in (0..=last.days_since(first)).step_by(1_009) {
            let day = Day(first.0 + n);
            assert_eq!(Day::parse(&day.to_string()), Ok(day), "{day}");
        }
    }
}
