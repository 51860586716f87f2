//! Settings of profiles that make a failure green: retries without consequence, timeouts that pass.

use super::{Judge, Key, RETRIES_HIDE, TIMEOUT_PASSES};
use crate::toml_file::{TomlFile, in_file_order};
use portcullis::{Fault, Findings};
use std::collections::BTreeMap;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// How many profiles may inherit from each other in a row.
const INHERITS_MAX: usize = 64;

type Value<'t> = &'t Spanned<DeValue<'t>>;

/// A profile: its own keys, its overrides, and whom it inherits from.
pub(super) struct Profile<'t> {
    pub(super) name: &'t str,
    pub(super) table: &'t DeTable<'t>,
    pub(super) overrides: Vec<&'t DeTable<'t>>,
    pub(super) scripts: Vec<&'t DeTable<'t>>,
}

/// The profiles by name.
pub(super) type Profiles<'t> = BTreeMap<&'t str, Profile<'t>>;

/// Reads the profiles of a file.
///
/// # Errors
/// When something that has to be a table is none.
pub(super) fn profiles<'t>(file: &TomlFile, root: &'t DeTable<'t>) -> Result<Profiles<'t>, Fault> {
    let mut profiles = Profiles::new();
    let Some(table) = file.table(root, "profile")? else { return Ok(profiles) };
    for (name, value) in in_file_order(table) {
        let table = file.as_table(value, name.get_ref())?;
        let list = |key: &str| -> Result<Vec<&'t DeTable<'t>>, Fault> {
            let items = table.get(key).and_then(|value| value.get_ref().as_array());
            items
                .into_iter()
                .flat_map(|items| items.iter())
                .map(|item| file.as_table(item, key))
                .collect()
        };
        let profile = Profile {
            name: name.get_ref(),
            table,
            overrides: list("overrides")?,
            scripts: list("scripts")?,
        };
        profiles.insert(profile.name, profile);
    }
    Ok(profiles)
}

/// The value of a key that holds for a profile: its own, that of whom it inherits from, that of `default`.
fn effective<'t>(profiles: &Profiles<'t>, name: &str, key: &str) -> Option<Value<'t>> {
    let mut name = name;
    for _ in 0..INHERITS_MAX {
        if let Some(value) = profiles.get(name).and_then(|profile| profile.table.get(key)) {
            return Some(value);
        }
        if name == "default" {
            return None;
        }
        let inherits = profiles.get(name).and_then(|profile| profile.table.get("inherits"));
        name = inherits.and_then(|value| value.get_ref().as_str()).unwrap_or("default");
    }
    None
}

/// How many retries a value asks for; what is not understood asks for some.
fn retries_of(value: Option<Value<'_>>) -> u64 {
    let number = |value: &DeValue<'_>| {
        value.as_integer().map(|n| u64::from_str_radix(n.as_str(), n.radix()).unwrap_or(1))
    };
    let Some(value) = value.map(Spanned::get_ref) else { return 0 };
    match (number(value), value.as_table()) {
        (Some(n), _) => n,
        (None, Some(table)) => {
            table.get("count").and_then(|count| number(count.get_ref())).unwrap_or(1)
        }
        (None, None) => 1,
    }
}

fn is(value: Option<Value<'_>>, text: &str) -> bool {
    value.and_then(|value| value.get_ref().as_str()) == Some(text)
}

/// Judges the retries of every profile and override; returns how many were looked at.
pub(super) fn retries(
    judge: &mut Judge<'_, '_>,
    profiles: &Profiles<'_>,
    out: &mut Findings,
) -> usize {
    let mut examined = 0;
    for profile in profiles.values() {
        let (retries, flaky) = (
            effective(profiles, profile.name, "retries"),
            effective(profiles, profile.name, "flaky-result"),
        );
        let tables = std::iter::once((profile.table, true));
        for (table, is_profile) in
            tables.chain(profile.overrides.iter().map(|table| (*table, false)))
        {
            examined += 1;
            let own = (table.get("retries"), table.get("flaky-result"));
            let (Some(place), n) = (own.0.or(own.1), retries_of(own.0.or(retries))) else {
                continue;
            };
            if n == 0 || is(own.1.or(flaky), "fail") {
                continue;
            }
            let whose = if is_profile { "the profile" } else { "an override of the profile" };
            let message = format!(
                "{whose} `{}` lets a test fail {n} time{} and pass",
                profile.name,
                if n == 1 { "" } else { "s" }
            );
            let found = format!("retries {n} without `flaky-result = \"fail\"`");
            let remedy = "add `flaky-result = \"fail\"`, or set `retries = 0`";
            judge.report(
                (RETRIES_HIDE, Key::Retries),
                profile.name,
                place.span().start,
                (message, found, remedy),
                out,
            );
        }
    }
    examined
}

/// Judges every timeout, wherever it stands; returns how many were looked at.
pub(super) fn timeouts(
    judge: &mut Judge<'_, '_>,
    profiles: &Profiles<'_>,
    out: &mut Findings,
) -> usize {
    let mut examined = 0;
    for profile in profiles.values() {
        let bench = |table: &'_ DeTable<'_>| table.get("bench").is_some();
        let mut tables = vec![profile.table];
        tables.extend(&profile.overrides);
        for table in tables {
            let within = table
                .get("bench")
                .filter(|_| bench(table))
                .and_then(|bench| bench.get_ref().as_table());
            for holder in [Some(table), within].into_iter().flatten() {
                let Some(timeout) = holder.get("slow-timeout") else { continue };
                examined += 1;
                let on_timeout =
                    timeout.get_ref().as_table().and_then(|timeout| timeout.get("on-timeout"));
                let Some(value) = on_timeout.filter(|value| !is(Some(value), "fail")) else {
                    continue;
                };
                let message = format!("profile `{}` lets a test that hangs pass", profile.name);
                let found = value.get_ref().as_str().unwrap_or("no text").to_owned();
                judge.report(
                    (TIMEOUT_PASSES, Key::OnTimeout),
                    profile.name,
                    value.span().start,
                    (message, found, "remove `on-timeout`"),
                    out,
                );
            }
        }
    }
    examined
}
