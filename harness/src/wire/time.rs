//! Instants and calendar days, UTC only. Values; nothing here reads a clock.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An instant with millisecond precision, written as RFC 3339 in UTC with `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Instant(Timestamp);

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
    /// When the text is anything else. jiff alone would read second 60 as 59 and accept every offset.
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
            && bytes.last() == Some(&b'Z');
        if !shape {
            return Err(refused());
        }
        let stamp: Timestamp = text.parse().map_err(|_source: jiff::Error| refused())?;
        let year = stamp.to_zoned(TimeZone::UTC).year();
        if (2000..=9998).contains(&year) { Ok(Self(stamp)) } else { Err(refused()) }
    }

    /// The instant `ms` milliseconds after the Unix epoch.
    ///
    /// # Errors
    /// When the year lies outside 2000 to 9998.
    pub fn from_unix_ms(ms: i64) -> Result<Self, TimeError> {
        let refused = || TimeError { text: ms.to_string(), expected: INSTANT_SHAPE };
        let stamp = Timestamp::from_millisecond(ms).map_err(|_source| refused())?;
        let year = stamp.to_zoned(TimeZone::UTC).year();
        if (2000..=9998).contains(&year) { Ok(Self(stamp)) } else { Err(refused()) }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn unix_ms(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The UTC calendar day of this instant.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.0.to_zoned(TimeZone::UTC).date())
    }

    /// Milliseconds from `earlier` to this instant; negative when it is later.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.unix_ms().saturating_sub(earlier.unix_ms())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.0.to_zoned(TimeZone::UTC);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second(),
            civil.millisecond()
        )
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

/// A UTC calendar day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(Date);

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
        let date: Date = text.parse().map_err(|_source: jiff::Error| refused())?;
        if (2000..=9998).contains(&date.year()) { Ok(Self(date)) } else { Err(refused()) }
    }

    /// Whole days from `earlier` to this day; negative when it is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        // Both years are within four digits, so the difference is far from overflow.
        earlier.0.duration_until(self.0).as_hours() / 24
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
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
    }
}
