//! Times as documents write them: RFC 3339 in UTC, with `Z`. It reads no clock.

/// Returns the milliseconds since 1970 of `2026-05-31T12:00:00Z`, with or without a fraction of a second.
///
/// Another zone, a day that does not exist and a leap second are no times here.
#[must_use]
pub fn parse_ms(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let (date, rest) = (bytes.get(..10)?, bytes.get(10..)?);
    let ([b'T', clock @ ..], true) = (rest, date[4] == b'-' && date[7] == b'-') else {
        return None;
    };
    let clock = clock.strip_suffix(b"Z")?;
    let (whole, fraction) = match clock.iter().position(|byte| *byte == b'.') {
        Some(at) => (&clock[..at], &clock[at + 1..]),
        None => (clock, b"0".as_slice()),
    };
    let [h1, h2, b':', m1, m2, b':', s1, s2] = whole else { return None };
    let (year, month, day) = (digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..])?);
    let (hour, minute, second) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?, digits(&[*s1, *s2])?);
    if hour > 23 || minute > 59 || second > 59 || !(1..=9).contains(&fraction.len()) {
        return None;
    }
    digits(fraction)?;
    let days = days(year, month, day)?;
    let mut ms = 0;
    for at in 0..3 {
        ms = ms * 10 + i64::from(fraction.get(at).map_or(0, |byte| byte - b'0'));
    }
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + ms)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0_i64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        Some(number * 10 + i64::from(digit))
    })
}

/// Days since 1970-01-01 in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) || !(1970..=9998).contains(&year) {
        return None;
    }
    // Years that begin in March have their leap day at the end, so a month begins after 153 days per five months.
    let shifted = year - i64::from(month <= 2);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t29_only_utc_times_of_the_calendar_are_times() {
        let table: &[(&str, Option<i64>)] = &[
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00.123456789Z", Some(123)),
            ("2000-02-29T00:00:00Z", Some(951_782_400_000)),
            ("2026-11-21T15:40:00Z", Some(1_795_275_600_000)),
            ("2024-03-01T00:00:00.5Z", Some(1_709_251_200_500)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-02-30T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-01-01T24:00:00Z", None),
            ("2026-01-01T23:59:60Z", None),
            ("2026-01-01T00:00:00+00:00", None),
            ("2026-01-01T00:00:00", None),
            ("2026-01-01 00:00:00Z", None),
            ("2026-01-01T00:00:00.Z", None),
            ("2026-1-01T00:00:00Z", None),
            ("xyzZ", None),
            ("", None),
            ("２026-01-01T00:00:00Z", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_ms(text), *expected, "{text}");
        }
    }
}
