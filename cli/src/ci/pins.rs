//! The one table of what generated workflows use: actions by commit, tools by exact version. It installs nothing.

use portcullis::{Fault, kernel::policy::Section, wire::code::CI_PIN_INVALID};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};
use toml::Spanned;

pub(crate) const CHECKOUT: &str = "actions/checkout";
pub(crate) const DOWNLOAD: &str = "actions/download-artifact";
pub(crate) const UPLOAD: &str = "actions/upload-artifact";
pub(crate) const NEXTEST: &str = "cargo-nextest";
pub(crate) const PORTCULLIS: &str = "cargo-portcullis";

const ACTIONS: [(&str, &str, &str); 3] = [
    (CHECKOUT, "11bd71901bbe5b1630ceea73d27597364c9af683", "v4.2.2"),
    (DOWNLOAD, "d3f86a106a0bac45b974a628896c90dbdf5c8093", "v4.3.0"),
    (UPLOAD, "ea165f8d65b6e75b540449e92b4886f43607fa02", "v4.6.2"),
];
const TOOLS: [(&str, &str); 2] = [(NEXTEST, "0.9.143"), (PORTCULLIS, env!("CARGO_PKG_VERSION"))];

/// What `[ci.pins]` says of one name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum PinTable {
    /// A commit with its version as a comment, or the version of a tool.
    Text(String),
    /// A tool that this repository builds itself.
    Path(PathTable),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PathTable {
    path: String,
}

/// A commit of an action.
#[derive(Clone, Debug)]
struct Action {
    commit: String,
    version: String,
}

/// Where a tool comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tool {
    Version(String),
    Path(String),
}

/// Actions and tools by name.
#[derive(Clone, Debug)]
pub(crate) struct Pins {
    actions: BTreeMap<String, Action>,
    tools: BTreeMap<String, Tool>,
}

impl Pins {
    /// The table with what the policy puts in its place.
    ///
    /// # Errors
    /// Every pin that is none, each with its line.
    pub(super) fn read(
        tables: &BTreeMap<String, Spanned<PinTable>>,
        section: Option<&Section>,
    ) -> Result<Self, Vec<Fault>> {
        let action = |(name, commit, version): &(&str, &str, &str)| {
            ((*name).to_owned(), Action { commit: (*commit).into(), version: (*version).into() })
        };
        let tool =
            |(name, version): &(&str, &str)| ((*name).to_owned(), Tool::Version((*version).into()));
        let mut pins = Self {
            actions: ACTIONS.iter().map(action).collect(),
            tools: TOOLS.iter().map(tool).collect(),
        };
        let mut faults = Vec::new();
        for (name, pin) in tables {
            if let Err(fault) = pins.set(name, pin.get_ref()) {
                let at = section.map(|section| section.locate(pin.span().start));
                faults.push(match at {
                    Some(at) => fault.at(at),
                    None => fault,
                });
            }
        }
        if faults.is_empty() { Ok(pins) } else { Err(faults) }
    }

    fn set(&mut self, name: &str, pin: &PinTable) -> Result<(), Fault> {
        if name.contains('/') {
            return self.set_action(name, pin);
        }
        let tool = match pin {
            PinTable::Text(text) if is_version(text) => Tool::Version(text.clone()),
            PinTable::Path(PathTable { path }) if is_below(path) => Tool::Path(path.clone()),
            PinTable::Text(text) | PinTable::Path(PathTable { path: text }) => {
                let headline = format!("`{}` is not pinned", name.escape_debug());
                let remedy =
                    "write an exact version, or `{ path = \"folder\" }` of this repository";
                return Err(Fault::new(CI_PIN_INVALID, headline, remedy)
                    .expected("such as \"0.9.143\"")
                    .found(format!("`{}`", text.escape_debug())));
            }
        };
        if !is_name(name) {
            let headline = format!("`{}` is not the name of a tool", name.escape_debug());
            return Err(Fault::new(CI_PIN_INVALID, headline, "name a package of crates.io"));
        }
        self.tools.insert(name.to_owned(), tool);
        Ok(())
    }

    fn set_action(&mut self, name: &str, pin: &PinTable) -> Result<(), Fault> {
        let Some(action) = self.actions.get_mut(name) else {
            let known: Vec<&str> = ACTIONS.iter().map(|(name, ..)| *name).collect();
            let headline = format!("no generated workflow uses `{}`", name.escape_debug());
            return Err(
                Fault::new(CI_PIN_INVALID, headline, "remove the pin").expected(known.join(", "))
            );
        };
        let text = match pin {
            PinTable::Text(text) => text.as_str(),
            PinTable::Path(_) => "",
        };
        let (commit, version) = text.split_once('#').unwrap_or((text, ""));
        let (commit, version) = (commit.trim(), version.trim());
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if commit.len() != 40 || !commit.bytes().all(hex) || !is_version(version) {
            let headline = format!("`{name}` is not pinned");
            let remedy = "write its commit and, for readers, the version of it";
            return Err(Fault::new(CI_PIN_INVALID, headline, remedy)
                .expected("\"<40 hex digits> # v4.2.2\"")
                .found(format!("`{}`", text.escape_debug())));
        }
        *action = Action { commit: commit.to_owned(), version: version.to_owned() };
        Ok(())
    }

    /// Whether a tool can be installed.
    pub(super) fn has_tool(&self, name: &str) -> bool {
        self.tools.contains_key(name)
    }

    /// `name@commit # version`.
    pub(crate) fn uses(&self, name: &str) -> String {
        match self.actions.get(name) {
            Some(action) => format!("{name}@{} # {}", action.commit, action.version),
            None => name.to_owned(),
        }
    }

    /// The command that installs a tool, with the stable toolchain: what a lane tests with may be too old to build it.
    pub(crate) fn install(&self, name: &str) -> Vec<String> {
        let words: &[&str] = match self.tools.get(name) {
            Some(Tool::Path(path)) => &["--path", path],
            Some(Tool::Version(version)) => &["--version", version, name],
            None => &[name],
        };
        ["cargo", "+stable", "install", "--locked"]
            .iter()
            .chain(words)
            .map(|word| (*word).to_owned())
            .collect()
    }
}

/// Digits and dots with what may follow them: nothing that a shell or YAML would read.
fn is_version(text: &str) -> bool {
    let digits = text.strip_prefix('v').unwrap_or(text);
    digits.len() <= 64
        && digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'))
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// A folder of this repository.
fn is_below(path: &str) -> bool {
    portcullis::RelPath::parse(path).is_ok()
        && !path.starts_with('-')
        && Path::new(path).is_relative()
}
