//! The one `now` of a run, and stopwatches. Leaves out every decision about what is late.

use crate::wire::{
    code::{CLOCK_HEAD_IN_FUTURE, CLOCK_OVERRIDE_INVALID, CLOCK_OVERRIDE_PAST},
    fault::Fault,
    receipt::{Clock, ClockSource},
    time::Instant,
};

/// How far `HEAD` may lie ahead of the system clock before one of the two must be wrong.
const HEAD_AHEAD_MAX_MS: i64 = 24 * 60 * 60 * 1000;

/// Decides the `now` of a run: the later of the system clock and the committer time of `HEAD`.
///
/// `override_text` (from `PORTCULLIS_NOW` or `--now`) may move it forward, and back only with `allow_past`; a run
/// with `allow_past` can never certify, whether or not the override was needed.
///
/// # Errors
/// `clock_head_in_future`, `clock_override_invalid` and `clock_override_past`, as `semantics.md` 10 has them.
pub fn resolve(
    system: Instant,
    head: Option<Instant>,
    override_text: Option<&str>,
    allow_past: bool,
) -> Result<Clock, Fault> {
    if let Some(head) = head.filter(|head| head.ms_since(system) > HEAD_AHEAD_MAX_MS) {
        return Err(Fault::new(
            CLOCK_HEAD_IN_FUTURE,
            "the commit of `HEAD` lies more than 24 hours ahead of the system clock",
            "set the system clock, or commit again with a true committer date",
        )
        .expected(format!("a committer time of at most 24 hours after {system}"))
        .found(head.to_string()));
    }
    let (now, source) = match head {
        Some(head) if head > system => (head, ClockSource::Commit),
        Some(_) | None => (system, ClockSource::System),
    };
    let Some(text) = override_text else {
        return Ok(Clock { now, source, past_allowed: allow_past });
    };
    let wanted = Instant::parse(text).map_err(|source| {
        Fault::new(
            CLOCK_OVERRIDE_INVALID,
            "the clock override is not a time",
            "write the override as RFC 3339 in UTC, such as `2026-05-31T10:00:00Z`, or unset it",
        )
        .because(&source)
    })?;
    if wanted < now && !allow_past {
        return Err(Fault::new(
            CLOCK_OVERRIDE_PAST,
            "the clock override lies in the past",
            "move the override forward, or add `--allow-past`; such a run never certifies",
        )
        .expected(format!("{now} or later"))
        .found(wanted.to_string()));
    }
    Ok(Clock { now: wanted, source: ClockSource::Override, past_allowed: allow_past })
}

/// Returns the system clock.
///
/// # Errors
/// When it lies outside the years 2000 to 9998, so that no date of ours could be compared with it.
#[expect(clippy::disallowed_methods, reason = "the one reader of the system clock")]
pub fn system_now() -> Result<Instant, Fault> {
    let refused = |found: String| {
        Fault::new(
            CLOCK_OVERRIDE_INVALID,
            "the system clock lies outside the years 2000 to 9998",
            "set the system clock",
        )
        .found(found)
    };
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_err(|source| refused(source.to_string()))?;
    let ms = i64::try_from(since.as_millis()).map_err(|source| refused(source.to_string()))?;
    Instant::from_unix_ms(ms).map_err(|source| refused(source.to_string()))
}

/// A monotonic measure of elapsed time, which no clock change can turn back.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts to measure.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one reader of the monotonic clock")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Milliseconds since the start.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub fn elapsed_ns(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::code::Code;

    const EARLY: &str = "2026-05-30T12:00:00Z";
    const NOON: &str = "2026-05-31T12:00:00Z";
    const LATE: &str = "2026-06-01T12:00:00Z";

    fn at(text: &str) -> Instant {
        Instant::parse(text).expect("a time in a test table")
    }

    #[test]
    fn now_is_the_later_of_system_and_head() {
        let table: &[(&str, Option<&str>, &str, ClockSource)] = &[
            ("no commit yet", None, NOON, ClockSource::System),
            ("an older commit", Some(EARLY), NOON, ClockSource::System),
            ("a commit of this very millisecond", Some(NOON), NOON, ClockSource::System),
            ("t05: the system clock was moved back", Some(LATE), LATE, ClockSource::Commit),
        ];
        for (case, head, now, source) in table {
            let seen = resolve(at(NOON), head.map(at), None, false).expect(case);
            assert_eq!(
                (seen.now, seen.source, seen.past_allowed),
                (at(now), *source, false),
                "{case}"
            );
        }
    }

    #[test]
    fn fg61_the_override_moves_forward_only() {
        type Row<'a> = (&'a str, Option<&'a str>, &'a str, bool, Option<Code>);
        let table: &[Row<'_>] = &[
            ("forward", None, LATE, false, None),
            ("to this very millisecond", None, NOON, false, None),
            ("back", None, EARLY, false, Some(CLOCK_OVERRIDE_PAST)),
            ("back, allowed", None, EARLY, true, None),
            (
                "after the system clock, before HEAD",
                Some(LATE),
                "2026-06-01T11:59:59Z",
                false,
                Some(CLOCK_OVERRIDE_PAST),
            ),
            ("not a time", None, "yesterday", true, Some(CLOCK_OVERRIDE_INVALID)),
            ("empty", None, "", true, Some(CLOCK_OVERRIDE_INVALID)),
            ("local time", None, "2026-06-02T12:00:00+02:00", false, Some(CLOCK_OVERRIDE_INVALID)),
        ];
        for (case, head, text, allow_past, code) in table {
            let seen = resolve(at(NOON), head.map(at), Some(text), *allow_past);
            assert_eq!(seen.as_ref().err().map(Fault::code), *code, "{case}");
            if let Ok(clock) = seen {
                let expected = (at(text), ClockSource::Override, *allow_past);
                assert_eq!((clock.now, clock.source, clock.past_allowed), expected, "{case}");
            }
        }
    }

    #[test]
    fn t39_a_commit_from_the_future_is_an_error() {
        let table: &[(&str, &str, bool)] = &[
            ("exactly 24 hours ahead", "2026-06-01T12:00:00Z", true),
            ("a millisecond more", "2026-06-01T12:00:00.001Z", false),
            ("g4: the year 2099", "2099-01-01T00:00:00Z", false),
        ];
        for (case, head, accepted) in table {
            let seen = resolve(at(NOON), Some(at(head)), None, false);
            assert_eq!(seen.is_ok(), *accepted, "{case}");
            let overridden = resolve(at(NOON), Some(at(head)), Some("2099-06-01T00:00:00Z"), true);
            assert_eq!(overridden.is_ok(), *accepted, "{case}, and an override does not hide it");
        }
    }

    #[test]
    fn the_system_clock_can_be_read() {
        assert!(system_now().is_ok());
        assert!(Stopwatch::start().elapsed_ms() < 60_000);
    }
}
