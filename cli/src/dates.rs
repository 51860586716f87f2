//! Days, counted on and as TOML writes them. It reads no clock.

use crate::exit::{Exit, Refused};
use portcullis::{
    Fault, Instant,
    wire::{code::USAGE, time::Day},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The day that is `days` later.
pub(crate) fn plus(day: Day, days: i64) -> Result<Day, Refused> {
    let moved = Instant::parse(&format!("{day}T00:00:00Z")).ok().and_then(|midnight| {
        let ms = days.checked_mul(DAY_MS).and_then(|ms| midnight.unix_ms().checked_add(ms))?;
        Instant::from_unix_ms(ms).ok()
    });
    moved
        .map(Instant::day)
        .ok_or_else(|| refused(&format!("there is no day {days} days from {day}")))
}

/// The day as TOML writes it, without quotes.
pub(crate) fn edited(day: Day) -> Result<toml_edit::Date, Refused> {
    let parsed = day.to_string().parse::<toml_edit::Datetime>().ok().and_then(|moment| moment.date);
    parsed.ok_or_else(|| refused(&format!("{day} is no day that TOML can write")))
}

fn refused(headline: &str) -> Refused {
    Refused::new(Exit::Usage, Fault::new(USAGE, headline, "name a day of this century"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_months_and_leap_years() {
        let table = [
            ("2026-11-21", 14, "2026-12-05"),
            ("2028-02-28", 1, "2028-02-29"),
            ("2026-12-31", 1, "2027-01-01"),
            ("2026-05-01", 0, "2026-05-01"),
        ];
        for (day, days, expected) in table {
            let moved = plus(Day::parse(day).expect("a day"), days).expect("a day");
            assert_eq!(moved.to_string(), expected);
            assert_eq!(edited(moved).expect("a date").to_string(), expected);
        }
        assert!(plus(Day::parse("2026-05-01").expect("a day"), i64::MAX).is_err());
    }
}
