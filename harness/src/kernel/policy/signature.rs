//! The signatures: how a red log is recognised, and what helps then, as data. Leaves out how a log is read.

use super::CODES;
use crate::{
    kernel::{
        document::{Keys, Node, Source, Table},
        replay::Replay,
    },
    wire::{
        code::{CONFIG_INVALID, INPUT_TOO_LARGE},
        fault::{Fault, Location},
        id::GateId,
        ordered::VecMap,
        path::RelPath,
    },
};
use serde::Serialize;
use std::ops::Range;
use toml::Spanned;

/// How many signatures a policy may have.
pub const SIGNATURES_MAX: usize = 1_000;
/// How long a pattern may be (`security.md`, section 4).
pub const PATTERN_MAX_BYTES: usize = 4 * 1024;

/// How bad it is, as far as the signature knows; where the run stands for may make it worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
#[serde(rename_all = "snake_case")]
pub enum SeverityHint {
    /// A release or the main branch is in the way.
    Sev1,
    /// A branch is.
    Sev2,
    /// Evidence or documents drifted.
    Sev3,
}

impl SeverityHint {
    /// The name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sev1 => "SEV-1",
            Self::Sev2 => "SEV-2",
            Self::Sev3 => "SEV-3",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Sev1, Self::Sev2, Self::Sev3]
            .into_iter()
            .find(|severity| severity.name().eq_ignore_ascii_case(text))
    }
}

/// A text of the policy with its place, for whoever reads its meaning later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub at: Location,
}

/// How a failure is recognised; any one of them is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recognised {
    /// Gates that fail.
    pub gates: Vec<GateId>,
    /// Names of codes of findings or errors.
    pub codes: Vec<Placed>,
    /// Test targets that fail.
    pub targets: Vec<String>,
    /// Classes of failure digests.
    pub classes: Vec<String>,
    /// Regular expressions over lines of a log.
    pub log: Vec<Placed>,
}

/// One table `[[signature]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The id, which its page and its anchor are called after.
    pub id: GateId,
    /// One line for people.
    pub title: String,
    /// The row of the mission that it stands for.
    pub row: Option<u32>,
    /// Who answers for it.
    pub owner: String,
    /// How bad it is.
    pub severity: Option<SeverityHint>,
    /// How it is recognised.
    pub matches: Recognised,
    /// What to open, relative to the run directory or to the repository root.
    pub artifacts: Vec<RelPath>,
    /// What shows it again.
    pub replay: Replay,
    /// The steps out.
    pub remediation: Vec<String>,
    /// Where it stands.
    pub location: Location,
}

/// Reads the list `[[signature]]`.
pub(super) fn read(
    source: &Source,
    value: &Spanned<Node>,
    owner: &str,
    faults: &mut Vec<Fault>,
) -> Vec<Signature> {
    let wrong = |offset: usize| {
        let remedy = "write `[[signature]]`, with two brackets";
        Fault::new(CONFIG_INVALID, "`signature` is not a list of tables", remedy)
            .at(source.locate(offset))
    };
    let Node::Array(items) = value.get_ref() else {
        faults.push(wrong(value.span().start));
        return Vec::new();
    };
    if items.len() > SIGNATURES_MAX {
        let headline = format!("the policy has more than {SIGNATURES_MAX} signatures");
        let fault = Fault::new(INPUT_TOO_LARGE, headline, "join signatures that share a way out");
        faults.push(fault.at(source.locate(value.span().start)).found(items.len().to_string()));
        return Vec::new();
    }
    let mut signatures: Vec<Signature> = Vec::with_capacity(items.len());
    let mut first: VecMap<GateId, Location> = VecMap::new();
    for item in items {
        let Some(table) = item.get_ref().as_table() else {
            faults.push(wrong(item.span().start));
            continue;
        };
        let Some(signature) = read_one(source, table, item.span(), owner, faults) else { continue };
        if let Some(other) = first.get(&signature.id) {
            let headline = format!("two signatures are called `{}`", signature.id);
            let fault = Fault::new(CONFIG_INVALID, headline, "rename one of the two");
            faults.push(
                fault
                    .at(signature.location.clone())
                    .expected("each id once")
                    .found(format!("the other one at {other}")),
            );
            continue;
        }
        first.insert(signature.id.clone(), signature.location.clone());
        signatures.push(signature);
    }
    signatures
}

fn read_one(
    source: &Source,
    table: &Table,
    span: Range<usize>,
    owner: &str,
    faults: &mut Vec<Fault>,
) -> Option<Signature> {
    let location = source.locate(span.start);
    let matches = matches(source, table, &span, faults);
    let mut keys = Keys::new(source, table, span, "`[[signature]]`", CODES, faults);
    keys.leave(&["match"]);
    let id = keys.gate_id("id");
    let id = keys.required("id", id);
    let title = keys.text("title");
    let title = keys.required("title", title);
    let row = keys.whole("row", u32::MAX);
    let owner = keys.text("owner").unwrap_or_else(|| owner.to_owned());
    let expected = "`sev-1`, `sev-2` or `sev-3`";
    let severity = keys.parsed("severity", expected, SeverityHint::parse);
    let path = |text: &str| RelPath::parse(text).ok();
    let artifacts = keys.list("artifacts", "a plain relative path", path);
    let artifacts = keys.required("artifacts", artifacts);
    let remediation = keys.list("remediation", "a sentence that says what to do", filled);
    let remediation = keys.required("remediation", remediation);
    let replay = replay(&mut keys);
    for (key, empty) in [
        ("artifacts", artifacts.as_ref().is_some_and(Vec::is_empty)),
        ("remediation", remediation.as_ref().is_some_and(Vec::is_empty)),
    ] {
        if empty {
            let headline = format!("`{key}` of a signature is empty");
            keys.wrong(key, headline, "a page without it helps nobody: name one at least");
        }
    }
    keys.finish();
    let plain = |values: Vec<Spanned<RelPath>>| values.into_iter().map(Spanned::into_inner);
    Some(Signature {
        id: id?,
        title: title?,
        row,
        owner,
        severity,
        matches: matches?,
        artifacts: plain(artifacts?).collect(),
        replay: replay?,
        remediation: remediation?.into_iter().map(Spanned::into_inner).collect(),
        location,
    })
}

fn matches(
    source: &Source,
    table: &Table,
    span: &Range<usize>,
    faults: &mut Vec<Fault>,
) -> Option<Recognised> {
    let mut keys = Keys::new(source, table, span.clone(), "`[[signature]]`", CODES, faults);
    let found = keys.table("match");
    let (inner, inner_span) = keys.required("match", found)?;
    let name = "`match` of `[[signature]]`";
    let mut keys = Keys::new(source, inner, inner_span, name, CODES, faults);
    let gates = keys.list("gates", "a gate id", |text| GateId::parse(text).ok());
    let codes = keys.list("codes", "the name of a code", snake);
    let targets = keys.list("targets", "the name of a test target", filled);
    let classes = keys.list("classes", "a class of failure digests", snake);
    let short = |text: &str| filled(text).filter(|text| text.len() <= PATTERN_MAX_BYTES);
    let log = keys.list("log", "a regular expression of at most 4096 bytes", short);
    let nothing = gates.as_ref().is_none_or(Vec::is_empty)
        && [&codes, &targets, &classes, &log]
            .into_iter()
            .all(|list| list.as_ref().is_none_or(Vec::is_empty));
    if nothing {
        let headline = "a signature that matches nothing recognises nothing";
        keys.wrong("match", headline, "name `gates`, `codes`, `targets`, `classes` or `log`");
    }
    keys.finish();
    let placed = |values: Option<Vec<Spanned<String>>>| -> Vec<Placed> {
        let values = values.unwrap_or_default().into_iter();
        values
            .map(|value| Placed { at: source.locate(value.span().start), text: value.into_inner() })
            .collect()
    };
    let plain = |values: Option<Vec<Spanned<String>>>| -> Vec<String> {
        values.unwrap_or_default().into_iter().map(Spanned::into_inner).collect()
    };
    Some(Recognised {
        gates: gates.unwrap_or_default().into_iter().map(Spanned::into_inner).collect(),
        codes: placed(codes),
        targets: plain(targets),
        classes: plain(classes),
        log: placed(log),
    })
}

/// An argument vector; leading words of the form `NAME=value` are variables, as in a shell.
fn replay(keys: &mut Keys<'_, '_>) -> Option<Replay> {
    let words = keys.argv("replay");
    let words = keys.required("replay", words)?;
    let mut replay = Replay::default();
    let mut words = words.into_iter().peekable();
    while let Some((name, value)) = words.peek().and_then(|word| assignment(word)) {
        match replay.with_env(&name, &value) {
            Ok(with) => replay = with,
            Err(fault) => {
                let place = keys.place("replay");
                keys.push(fault.at(place));
                return None;
            }
        }
        words.next();
    }
    replay.argv = words.collect();
    if replay.argv.first().is_none_or(String::is_empty) {
        keys.wrong("replay", "a replay names no program", "write the program and its arguments");
        return None;
    }
    Some(replay)
}

fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let shape = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    shape.then(|| (name.to_owned(), value.to_owned()))
}

fn filled(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn snake(text: &str) -> Option<String> {
    let shape = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    shape.then(|| text.to_owned())
}
