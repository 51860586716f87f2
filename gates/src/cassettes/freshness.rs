//! How old a recording may be, by the day it states. Never by the time of the file.

use super::{CASSETTE_STALE, CASSETTE_UNDATED, Report, recording::Cassette};
use crate::calendar::{Season, days, season};
use portcullis::{Finding, GateContext, Instant, Location, kernel::duration::Millis};

/// A time this far ahead of now is a clock that is a little fast; beyond it the time is invented.
const AHEAD_MAX_MS: i64 = 5 * 60 * 1000;
const WARN_DAYS: i64 = 14;

/// Holds the oldest time of a cassette: a recording is as old as its oldest part.
pub(super) fn hold(
    cx: &GateContext<'_>,
    cassette: &Cassette,
    max_age: Millis,
    report: &mut Report<'_>,
) {
    let mut oldest: Option<Instant> = None;
    let mut newest: Option<Instant> = None;
    let mut stated: Vec<(&str, &str)> = Vec::new();
    if let Some(time) = &cassette.recorded_at {
        stated.push(("/recorded_at", time));
    }
    for interaction in &cassette.interactions {
        match &interaction.recorded_at {
            Some(time) => stated.push((interaction.place.as_str(), time)),
            None if cassette.recorded_at.is_none() => {
                let message = "the recording does not say when it was made";
                let remedy = "record again with a recorder that writes `recorded_at`";
                report.add(CASSETTE_UNDATED, &interaction.place, message, remedy, None);
            }
            None => {}
        }
    }
    for (place, text) in stated {
        match instant(text) {
            Some(time) => {
                oldest = Some(oldest.map_or(time, |oldest| oldest.min(time)));
                newest = Some(newest.map_or(time, |newest| newest.max(time)));
            }
            None => {
                let message = "the time of the recording is not one";
                let remedy = "write RFC 3339 in UTC, such as `2026-05-31T10:00:00Z`";
                report.add(CASSETTE_UNDATED, place, message, remedy, Some(text.to_owned()));
            }
        }
    }
    if newest.is_some_and(|newest| newest.ms_since(cx.now()) > AHEAD_MAX_MS) {
        let found = newest.map(|newest| newest.to_string());
        let message = "the cassette claims to come from the future";
        report.add(CASSETTE_STALE, "recorded_at", message, "record again", found);
    }
    let Some(oldest) = oldest else { return };
    let max_ms = i64::try_from(max_age.0).unwrap_or(i64::MAX);
    // Beyond the years a date can have there is no end to wait for.
    let Ok(last) = Instant::from_unix_ms(oldest.unix_ms().saturating_add(max_ms)) else { return };
    let path = report.path;
    let stale = |message: String| {
        Finding::new(CASSETTE_STALE, format!("{path}#age"), message, "record again")
            .at(Location::file(path))
            .expected(format!("a recording of at most {max_ms} ms before {}", cx.now()))
            .found(oldest.to_string())
    };
    match season(last.day(), cx.today(), cx.lane(), WARN_DAYS, false) {
        Season::Valid => {}
        Season::Expiring(left) => {
            report.out.push(
                stale(format!("the cassette will be too old after {}", days(left))).advisory(),
            );
        }
        Season::Grace(over) => {
            report.out.push(stale(format!("the cassette is too old by {}", days(over))).advisory());
        }
        Season::Expired(over) => {
            report.out.push(stale(format!("the cassette is too old by {}", days(over))));
        }
    }
}

/// RFC 3339 with any offset, as archives have it.
fn instant(text: &str) -> Option<Instant> {
    if let Ok(instant) = Instant::parse(text) {
        return Some(instant);
    }
    let at = text.len().checked_sub(6)?;
    let (time, offset) = (text.get(..at)?, text.get(at..)?);
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let number = |text: &str, max: i64| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|n| digits && *n <= max)
    };
    let offset_ms = sign * (number(hours, 23)? * 60 + number(minutes, 59)?) * 60_000;
    let local = Instant::parse(&format!("{time}Z")).ok()?;
    Instant::from_unix_ms(local.unix_ms().checked_sub(offset_ms)?).ok()
}
