//! Numbers of a canary's table, exact to the digit that is written. They are compared nowhere here.

use portcullis_canary::MilliPct;
use serde::{Deserialize, Deserializer, de::Error as _};

/// A percentage of at most three decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pct(pub(super) MilliPct);

/// A duration in seconds, kept in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seconds(pub(super) u64);

/// A number as TOML has it; a float is taken by its shortest form, so that `0.1` is 0.1.
fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    if let toml::Value::Integer(number) = value {
        return Ok(number.to_string());
    }
    match value.as_float().filter(|number| number.is_finite()) {
        Some(number) => Ok(format!("{number}")),
        None => Err(D::Error::custom(format!("{} is no finite number", value.type_str()))),
    }
}

impl<'de> Deserialize<'de> for Pct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        written(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = written(deserializer)?;
        let odd =
            || D::Error::custom(format!("`{text}` is no positive number of seconds in whole ns"));
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        if part.len() > 9 {
            return Err(odd());
        }
        let digits = format!("{whole}{part:0<9}");
        match digits.parse::<u64>() {
            Ok(ns) if ns > 0 => Ok(Self(ns)),
            Ok(_) | Err(_) => Err(odd()),
        }
    }
}
