//! Durations as configuration files write them: `90s`, `5m`, `2h`, `7d`. Leaves out calendars.

use serde::{Deserialize, Deserializer};

/// What a duration looks like, for messages.
pub const SHAPE: &str = "a whole number and a unit: `250ms`, `90s`, `5m`, `2h` or `7d`";
/// Ten years; beyond it a duration is a slip of the pen.
const MAX_MS: u64 = 3_650 * 86_400_000;

/// Reads a duration into milliseconds; zero, fractions and several units are refused.
#[must_use]
pub fn parse_ms(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let ms = number.parse::<u64>().ok()?.checked_mul(unit_ms)?;
    (1..=MAX_MS).contains(&ms).then_some(ms)
}

/// A duration inside the typed configuration of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_ms(&text).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!("`{}` is not {SHAPE}", text.escape_debug()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_number_and_one_unit() {
        let table: &[(&str, &str, Option<u64>)] = &[
            ("milliseconds", "250ms", Some(250)),
            ("seconds", "90s", Some(90_000)),
            ("minutes", "5m", Some(300_000)),
            ("hours", "2h", Some(7_200_000)),
            ("days", "7d", Some(604_800_000)),
            ("zero would never let anything look", "0s", None),
            ("no unit", "90", None),
            ("no number", "s", None),
            ("a fraction", "1.5h", None),
            ("two units", "1h30m", None),
            ("a sign", "-1s", None),
            ("a space", "1 s", None),
            ("beyond ten years", "99999d", None),
            ("beyond 64 bits", "99999999999999999999d", None),
        ];
        for (case, text, expected) in table {
            assert_eq!(parse_ms(text), *expected, "{case}");
        }
    }
}
