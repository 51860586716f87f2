//! The profiles of nextest's configuration as gates over CI lanes need them: with inheritance, overrides and places. Keys
//! that decide neither selection, retries nor threads are not read.

use crate::{lane::SELECTOR_MATCHES_NOTHING, toml_file::TomlFile};
use portcullis::{Fault, GateContext, Location, RelPath};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where nextest looks.
pub(crate) const DEFAULT: &str = ".config/nextest.toml";

/// A count, where it is a plain number, with the offset of its value.
pub(crate) type Count = (Option<i64>, usize);

/// The profiles of one file.
pub(crate) struct Profiles {
    file: TomlFile,
    path: RelPath,
    profiles: BTreeMap<String, Profile>,
    /// The most threads of each test group.
    pub(crate) groups: BTreeMap<String, Count>,
}

/// One profile, without what it inherits.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) inherits: Option<String>,
    pub(crate) default_filter: Option<(String, usize)>,
    pub(crate) fail_fast: Option<bool>,
    pub(crate) retries: Option<Count>,
    pub(crate) flaky_result: Option<String>,
    pub(crate) test_threads: Option<Count>,
    /// The words of `run-extra-args`, with its offset.
    pub(crate) run_extra_args: Option<(Vec<String>, usize)>,
    pub(crate) overrides: Vec<Override>,
}

/// What a profile says about some tests.
#[derive(Debug, Default)]
pub(crate) struct Override {
    pub(crate) filter: Option<(String, usize)>,
    pub(crate) platform: bool,
    pub(crate) retries: Option<Count>,
    pub(crate) flaky_result: Option<String>,
    pub(crate) test_threads: Option<Count>,
    pub(crate) test_group: Option<String>,
    pub(crate) run_extra_args: Option<(Vec<String>, usize)>,
}

/// Reads the configuration that is named, or the usual one where there is one.
///
/// # Errors
/// `selector_matches_nothing` when a named file does not exist, and the faults of reading.
pub(crate) fn read(
    cx: &GateContext<'_>,
    named: Option<&RelPath>,
) -> Result<Option<Profiles>, Fault> {
    let file = match named {
        Some(path) => cx.file(path),
        None => cx.file_at(DEFAULT)?,
    };
    if !file.exists()? {
        if named.is_none() {
            return Ok(None);
        }
        let headline = format!("`{}` does not exist", file.path());
        let fault = Fault::new(SELECTOR_MATCHES_NOTHING, headline, "correct the path");
        return cx.watch(Err(fault.at(cx.gate().location.clone())));
    }
    let toml = TomlFile::new(file.path(), file.text()?)?;
    let profiles = cx.watch(Profiles::parse(file.path().clone(), toml))?;
    Ok(Some(profiles))
}

impl Profiles {
    fn parse(path: RelPath, file: TomlFile) -> Result<Self, Fault> {
        let mut profiles = BTreeMap::new();
        let mut groups = BTreeMap::new();
        {
            let root = file.parse()?;
            if let Some(table) = file.table(&root, "profile")? {
                for (name, value) in table {
                    let name = name.get_ref().to_string();
                    if let Some(table) = value.get_ref().as_table() {
                        profiles.insert(name.clone(), Profile::of(name, table));
                    }
                }
            }
            if let Some(table) = file.table(&root, "test-groups")? {
                for (name, value) in table {
                    let threads =
                        value.get_ref().as_table().and_then(|one| count(one, "max-threads"));
                    if let Some(threads) = threads {
                        groups.insert(name.get_ref().to_string(), threads);
                    }
                }
            }
        }
        Ok(Self { file, path, profiles, groups })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &str {
        self.path.as_str()
    }

    /// The place of an offset.
    pub(crate) fn place(&self, offset: usize) -> Location {
        self.file.locate(offset)
    }

    /// Every profile by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.values()
    }

    /// A profile and those that it inherits from, nearest first, the default one last.
    pub(crate) fn chain(&self, name: &str) -> Vec<&Profile> {
        let mut chain: Vec<&Profile> = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(profile) = next.take().and_then(|name| self.profiles.get(&name)) {
            if chain.iter().any(|known| known.name == profile.name) {
                break;
            }
            chain.push(profile);
            next.clone_from(&profile.inherits);
        }
        if let Some(default) = self.profiles.get("default")
            && !chain.iter().any(|known| known.name == "default")
        {
            chain.push(default);
        }
        chain
    }

    /// Whether a profile is there; the default one always is.
    pub(crate) fn has(&self, name: &str) -> bool {
        name == "default" || self.profiles.contains_key(name)
    }
}

impl Profile {
    fn of(name: String, table: &DeTable<'_>) -> Self {
        let overrides = table.get("overrides").and_then(|value| value.get_ref().as_array());
        let overrides = overrides.map(|list| {
            list.iter().filter_map(|item| item.get_ref().as_table()).map(Override::of).collect()
        });
        Self {
            name,
            inherits: text(table, "inherits").map(|(text, _)| text),
            default_filter: text(table, "default-filter"),
            fail_fast: fail_fast(table),
            retries: count(table, "retries"),
            flaky_result: text(table, "flaky-result").map(|(text, _)| text),
            test_threads: count(table, "test-threads"),
            run_extra_args: words(table, "run-extra-args"),
            overrides: overrides.unwrap_or_default(),
        }
    }
}

impl Override {
    fn of(table: &DeTable<'_>) -> Self {
        Self {
            filter: text(table, "filter"),
            platform: table.contains_key("platform"),
            retries: count(table, "retries"),
            flaky_result: text(table, "flaky-result").map(|(text, _)| text),
            test_threads: count(table, "test-threads"),
            test_group: text(table, "test-group").map(|(text, _)| text),
            run_extra_args: words(table, "run-extra-args"),
        }
    }
}

fn text(table: &DeTable<'_>, key: &str) -> Option<(String, usize)> {
    let value = table.get(key)?;
    Some((value.get_ref().as_str()?.to_owned(), value.span().start))
}

fn words(table: &DeTable<'_>, key: &str) -> Option<(Vec<String>, usize)> {
    let value = table.get(key)?;
    let list = value.get_ref().as_array()?;
    let words = list.iter().filter_map(|item| item.get_ref().as_str()).map(str::to_owned);
    Some((words.collect(), value.span().start))
}

/// `fail-fast` as a boolean; a table with `max-fail` other than `all` stops early.
fn fail_fast(table: &DeTable<'_>) -> Option<bool> {
    let value = table.get("fail-fast")?.get_ref();
    if let Some(value) = value.as_bool() {
        return Some(value);
    }
    let most = value.as_table()?.get("max-fail")?;
    Some(most.get_ref().as_str() != Some("all"))
}

/// A number, or the `count` of a table; what is neither is there, and not known.
fn count(table: &DeTable<'_>, key: &str) -> Option<Count> {
    let value: &Spanned<DeValue<'_>> = table.get(key)?;
    let offset = value.span().start;
    let number = |value: &DeValue<'_>| {
        let integer = value.as_integer()?;
        i64::from_str_radix(integer.as_str(), integer.radix()).ok()
    };
    let found = match value.get_ref().as_table() {
        Some(inner) => inner.get("count").and_then(|count| number(count.get_ref())),
        None => number(value.get_ref()),
    };
    Some((found, offset))
}
