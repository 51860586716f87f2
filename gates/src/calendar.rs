//! Expiry dates of entries that gates allow for a while: how they are written and when they bite.
//!
//! The rules are those of `semantics.md`, section 6; waivers and quarantine have their own parser in the kernel.

use portcullis::{Day, Lane};

/// How long another pull request may go on after an entry expired, in days.
pub(crate) const GRACE_DAYS: i64 = 7;

/// A calendar day written as a TOML local date, `2026-05-31`. A text, a time or an offset is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalDate(pub(crate) Day);

impl<'de> serde::Deserialize<'de> for LocalDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value: toml::value::Datetime = serde::Deserialize::deserialize(deserializer)?;
        local_date(&value).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Reads a TOML date-time that is only a date.
pub(crate) fn local_date(value: &toml::value::Datetime) -> Result<Day, String> {
    if value.time.is_some() || value.offset.is_some() {
        return Err(format!("`{value}` is a time; write a calendar day such as 2026-05-31"));
    }
    Day::parse(&value.to_string()).map_err(|source| source.to_string())
}

/// What the calendar says about an entry in one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Season {
    /// Nothing to say.
    Valid,
    /// It ends within the warn window, after this many more days.
    Expiring(i64),
    /// It ended this many days ago, and this lane does not fail on that.
    Grace(i64),
    /// It ended this many days ago, and this lane fails.
    Expired(i64),
}

/// Judges an expiry day, which is the last valid one. `touched` means that this change edits the entry.
pub(crate) fn season(
    expires: Day,
    today: Day,
    lane: Lane,
    warn_days: i64,
    touched: bool,
) -> Season {
    let left = expires.days_since(today);
    if left >= 0 {
        return if left <= warn_days { Season::Expiring(left) } else { Season::Valid };
    }
    let over = -left;
    match lane {
        Lane::Local => Season::Grace(over),
        Lane::Pr if over <= GRACE_DAYS && !touched => Season::Grace(over),
        Lane::Pr | Lane::Main | Lane::Release => Season::Expired(over),
    }
}

/// `1 day`, `2 days`.
pub(crate) fn days(n: i64) -> String {
    format!("{n} day{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_clocks_differ_by_lane() {
        let expires = Day::parse("2026-05-31").expect("a day");
        let table: &[(&str, &str, Lane, bool, Season)] = &[
            ("long before", "2026-05-16", Lane::Main, false, Season::Valid),
            (
                "the first day of the warn window",
                "2026-05-17",
                Lane::Main,
                false,
                Season::Expiring(14),
            ),
            ("the last valid day", "2026-05-31", Lane::Release, false, Season::Expiring(0)),
            ("one day over fails main", "2026-06-01", Lane::Main, false, Season::Expired(1)),
            ("one day over fails release", "2026-06-01", Lane::Release, false, Season::Expired(1)),
            ("another pull request has grace", "2026-06-07", Lane::Pr, false, Season::Grace(7)),
            ("grace ends after seven days", "2026-06-08", Lane::Pr, false, Season::Expired(8)),
            (
                "a change of the entry has no grace",
                "2026-06-01",
                Lane::Pr,
                true,
                Season::Expired(1),
            ),
            (
                "local never fails on the calendar",
                "2027-06-01",
                Lane::Local,
                true,
                Season::Grace(366),
            ),
        ];
        for (case, today, lane, touched, expected) in table {
            let today = Day::parse(today).expect("a day");
            assert_eq!(season(expires, today, *lane, 14, *touched), *expected, "{case}");
        }
    }

    #[test]
    fn only_a_local_date_is_a_day() {
        #[derive(serde::Deserialize)]
        struct Row {
            expires: LocalDate,
        }
        let table: &[(&str, &str, bool)] = &[
            ("a local date", "2026-05-31", true),
            ("a text", "\"2026-05-31\"", false),
            ("a time with offset", "2026-05-31T00:00:00Z", false),
            ("a day that does not exist", "2026-02-30", false),
            ("a year out of range", "9999-01-01", false),
        ];
        for (case, text, expected) in table {
            let row: Result<Row, _> = toml::from_str(&format!("expires = {text}"));
            assert_eq!(row.map(|row| row.expires.0.to_string()).is_ok(), *expected, "{case}");
        }
    }
}
