//! Which way a key was turned. The name of a key tells whether more of it is stricter; where it does not, any change
//! counts as looser, since a gate that cannot prove otherwise stays shut.

use crate::kernel::{
    document::{Node, Table},
    duration,
};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};
use toml::Spanned;

/// One key that was turned towards looser, with its path below the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) path: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// What the name of a key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    /// What must be met or looked at: more is stricter, and none is none.
    Floor,
    /// What may not be exceeded: more is looser, and none is no bound.
    Ceiling,
    /// What is excused: more is looser, and none is strictest.
    Exception,
    /// Words for people.
    Words,
    /// Nobody knows.
    Unknown,
}

/// Keys that change no verdict.
const WORDS: &[&str] = &[
    "advice",
    "artifact_path",
    "binary",
    "cost",
    "deadline",
    "direction",
    "issue",
    "owner",
    "reason",
    "remediation",
    "replay",
    "replay_prefix",
    "signature",
    "test_timeout",
    "title",
];
/// Sections of the policy that loosen nothing: who answers, where copies go, how a failure is explained.
const SECTIONS: &[&str] = &["artifacts", "ci", "policy", "signature"];
const EXCEPTIONS: &[&str] = &[
    "accept",
    "accepted",
    "admission",
    "admissions",
    "admit",
    "advisory",
    "allow",
    "allowance",
    "allowances",
    "allowed",
    "allowlist",
    "alternative",
    "carve",
    "deferred",
    "except",
    "exclude",
    "excluded",
    "exempt",
    "ignore",
    "ignored",
    "known",
    "optional",
    "produced",
    "residuals",
    "rollback",
    "shadow",
    "sites",
    "skip",
    "tolerated",
];
const FLOORS: &[&str] = &[
    "assert",
    "artifact",
    "artifacts",
    "check",
    "checks",
    "contract",
    "contracts",
    "denied",
    "deny",
    "documents",
    "expected",
    "fence",
    "fields",
    "files",
    "floor",
    "floors",
    "forbid",
    "forbidden",
    "frozen",
    "gates",
    "include",
    "kinds",
    "members",
    "min",
    "minimum",
    "must",
    "needs",
    "pairs",
    "paths",
    "platforms",
    "require",
    "required",
    "requires",
    "rule",
    "rules",
    "runs",
    "samples",
    "serial",
    "sidecar",
    "stamp",
    "superset",
    "surface",
    "tool",
];
const CEILINGS: &[&str] = &[
    "age", "budget", "cap", "ceiling", "ceilings", "comment", "days", "expires", "fail", "grace",
    "limit", "max", "maximum", "pct", "percent", "renewals", "retries", "span", "timeout",
    "within",
];
/// Bounds speak before what they bound: `max_allowed` is a ceiling, `min_files` a floor.
const LOWER: &[&str] = &["floor", "floors", "min", "minimum"];
/// What tells one table of a list from another.
const IDENTITIES: &[&str] = &[
    "id", "name", "path", "file", "key", "lint", "crate", "pointer", "job", "when", "platform",
    "suite",
];
/// Profiles that exist whether or not a policy states them.
const BUILT_IN: &[&str] = &["quick", "focused", "ci", "full"];

fn nature(path: &[String]) -> Nature {
    let last = path.last().map(String::as_str).unwrap_or_default();
    if WORDS.contains(&last) {
        return Nature::Words;
    }
    // The number up to which a quick profile takes gates: more of it is more gates.
    if last == "max_gate_cost" {
        return Nature::Floor;
    }
    // The nearest key that says anything decides for what it holds.
    for key in path.iter().rev() {
        let words: Vec<&str> = key.split(['_', '-']).collect();
        let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
        if has(LOWER) {
            return Nature::Floor;
        }
        if has(CEILINGS) {
            return Nature::Ceiling;
        }
        if has(EXCEPTIONS) {
            return Nature::Exception;
        }
        if has(FLOORS) {
            return Nature::Floor;
        }
    }
    Nature::Unknown
}

/// What of one gate's table was loosened.
pub(super) fn gate(before: &Table, after: &Table) -> Vec<Change> {
    let mut changes = Changes::default();
    changes.tables(before, after);
    changes.found
}

/// What of the other sections of a policy was loosened.
pub(super) fn sections(before: &Table, after: &Table) -> Vec<Change> {
    let mut changes = Changes::default();
    for name in keys(before, after).filter(|name| !SECTIONS.contains(&name.as_str())) {
        let empty = Table::new();
        let side = |table: &'_ Table| -> Option<Table> {
            table.get(name).and_then(|entry| entry.value.get_ref().as_table()).cloned()
        };
        let (was, is) = (side(before), side(after));
        changes.path.push(name.clone());
        changes.tables(was.as_ref().unwrap_or(&empty), is.as_ref().unwrap_or(&empty));
        changes.path.pop();
    }
    changes.found
}

/// Whether an entry of the quarantine excuses more, or longer, than the one on the base.
pub(super) fn wider(before: &Table, after: &Table) -> bool {
    let text = |table: &Table, key: &str| table.get(key).map(|entry| words(entry.value.get_ref()));
    // Days are written so that their texts are in order.
    text(after, "expires") > text(before, "expires")
        || text(after, "category") != text(before, "category")
}

/// How long an entry of the quarantine holds, for messages.
pub(super) fn until(table: &Table) -> String {
    let expires = table.get("expires").map(|entry| words(entry.value.get_ref()));
    format!("until {}", expires.unwrap_or_else(|| "no day".to_owned()))
}

#[derive(Default)]
struct Changes {
    path: Vec<String>,
    found: Vec<Change>,
}

impl Changes {
    fn tables(&mut self, before: &Table, after: &Table) {
        for name in keys(before, after) {
            let node =
                |table: &'_ Table| table.get(name).map(|entry| entry.value.get_ref().clone());
            self.path.push(name.clone());
            self.nodes(node(before).as_ref(), node(after).as_ref());
            self.path.pop();
        }
    }

    fn nodes(&mut self, before: Option<&Node>, after: Option<&Node>) {
        let same = match (before, after) {
            (Some(before), Some(after)) => words(before) == words(after),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same {
            return;
        }
        if self.path == ["promotion", "mode"] {
            // Strict is what holds where nothing is said.
            if after.is_some_and(|node| words(node) != "\"strict\"") {
                self.note(before, after);
            }
            return;
        }
        if let [key] = self.path.as_slice()
            && let Some(looser) = common(key, before, after)
        {
            if looser {
                self.note(before, after);
            }
            return;
        }
        let nature = nature(&self.path);
        match (before, after) {
            _ if nature == Nature::Words => {}
            (Some(Node::Table(before)), Some(Node::Table(after))) => self.tables(before, after),
            (None, Some(Node::Table(after))) if nature == Nature::Unknown => {
                // What is added is known by its own keys; a profile of a new name is nobody's yet.
                let new = self.path.first().is_some_and(|section| section == "profile")
                    && self.path.last().is_some_and(|name| !BUILT_IN.contains(&name.as_str()));
                if !new {
                    self.tables(&Table::new(), after);
                }
            }
            (Some(Node::Table(before)), None) if nature == Nature::Unknown => {
                self.tables(before, &Table::new());
            }
            (Some(Node::Array(before)), Some(Node::Array(after))) => {
                self.lists(nature, before, after);
            }
            (Some(was), Some(is)) => {
                if scalar(nature, was, is) {
                    self.note(Some(was), Some(is));
                }
            }
            (was, is) => {
                let looser = match nature {
                    Nature::Floor | Nature::Ceiling => is.is_none(),
                    Nature::Exception => is.is_some(),
                    Nature::Unknown => true,
                    Nature::Words => false,
                };
                if looser {
                    self.note(was, is);
                }
            }
        }
    }

    fn lists(&mut self, nature: Nature, before: &[Spanned<Node>], after: &[Spanned<Node>]) {
        let (was, is) = (items(before), items(after));
        let lost: Vec<&String> = was.keys().filter(|key| !is.contains_key(*key)).collect();
        let new: Vec<&String> = is.keys().filter(|key| !was.contains_key(*key)).collect();
        let looser: BTreeSet<&String> = match nature {
            Nature::Floor | Nature::Ceiling => lost.into_iter().collect(),
            Nature::Exception => new.into_iter().collect(),
            Nature::Unknown if lost.is_empty() && new.is_empty() && was.len() == before.len() => {
                // The same things in another order: a list may be one in which the first one counts.
                let keys = |list: &[Spanned<Node>]| list.iter().map(identity).collect::<Vec<_>>();
                if keys(before) != keys(after) {
                    let list = |list: &[Spanned<Node>]| Node::Array(list.to_vec());
                    self.note(Some(&list(before)), Some(&list(after)));
                }
                BTreeSet::new()
            }
            Nature::Unknown => lost.into_iter().chain(new).collect(),
            Nature::Words => BTreeSet::new(),
        };
        for key in looser {
            self.note(was.get(key).copied(), is.get(key).copied());
        }
        for (key, was) in &was {
            if let (Node::Table(before), Some(Node::Table(after))) = (was, is.get(key)) {
                self.path.push(key.clone());
                self.tables(before, after);
                self.path.pop();
            }
        }
    }

    fn note(&mut self, before: Option<&Node>, after: Option<&Node>) {
        let text = |node: Option<&Node>| node.map_or_else(|| "absent".to_owned(), shown);
        self.found.push(Change {
            path: self.path.join("."),
            before: text(before),
            after: text(after),
        });
    }
}

fn keys<'a>(before: &'a Table, after: &'a Table) -> impl Iterator<Item = &'a String> {
    before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)))
}

/// The keys that every gate has and that have a default; nothing for any other key.
fn common(key: &str, before: Option<&Node>, after: Option<&Node>) -> Option<bool> {
    match key {
        // Absent means that it blocks.
        "blocking" => Some(matches!(after, Some(Node::Boolean(false)))),
        "lanes" => Some(match (before, after) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(Node::Array(before)), Some(Node::Array(after))) => {
                let (was, is) = (items(before), items(after));
                was.keys().any(|lane| !is.contains_key(lane))
            }
            (Some(_), Some(_)) => true,
        }),
        // Absent means from the first day.
        "enforce_from" => Some(match (before, after) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(after)) => words(after) > words(before),
        }),
        "allow_empty" => Some(before.is_none()),
        // Absent means the timeout of the policy.
        "timeout" => Some(match (before, after) {
            (Some(before), Some(after)) => order(before, after) != Some(Ordering::Greater),
            (None, _) | (_, None) => false,
        }),
        _ => None,
    }
}

/// Whether a value that changed became looser.
fn scalar(nature: Nature, before: &Node, after: &Node) -> bool {
    let order = order(before, after);
    match nature {
        Nature::Floor => order != Some(Ordering::Less),
        Nature::Ceiling | Nature::Exception => order != Some(Ordering::Greater),
        Nature::Unknown => true,
        Nature::Words => false,
    }
}

/// How two values of one key compare, where they do; `Less` when the first one is less.
fn order(before: &Node, after: &Node) -> Option<Ordering> {
    match (before, after) {
        (Node::Boolean(before), Node::Boolean(after)) => Some(before.cmp(after)),
        (Node::Integer(before), Node::Integer(after)) => {
            Some(before.parse::<i64>().ok()?.cmp(&after.parse::<i64>().ok()?))
        }
        (
            Node::Integer(before) | Node::Float(before),
            Node::Integer(after) | Node::Float(after),
        ) => before.parse::<f64>().ok()?.partial_cmp(&after.parse::<f64>().ok()?),
        (Node::Text(before), Node::Text(after)) => {
            Some(duration::parse_ms(before)?.cmp(&duration::parse_ms(after)?))
        }
        (Node::Datetime(before), Node::Datetime(after)) => {
            Some(before.to_string().cmp(&after.to_string()))
        }
        _ => None,
    }
}

/// The items of a list by what tells them apart.
fn items(list: &[Spanned<Node>]) -> BTreeMap<String, &Node> {
    list.iter().map(|item| (identity(item), item.get_ref())).collect()
}

fn identity(item: &Spanned<Node>) -> String {
    let Node::Table(table) = item.get_ref() else { return words(item.get_ref()) };
    let parts: Vec<String> = IDENTITIES
        .iter()
        .filter_map(|key| table.get(*key).map(|entry| words(entry.value.get_ref())))
        .collect();
    if parts.is_empty() { words(item.get_ref()) } else { parts.join(" ") }
}

/// A value in one spelling.
fn words(node: &Node) -> String {
    match node {
        Node::Text(text) => format!("{text:?}"),
        Node::Integer(text) | Node::Float(text) => text.clone(),
        Node::Boolean(truth) => truth.to_string(),
        Node::Datetime(moment) => moment.to_string(),
        Node::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| words(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        Node::Table(table) => {
            let entries: Vec<String> = table
                .iter()
                .map(|(key, entry)| format!("{key} = {}", words(entry.value.get_ref())))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// As much of a value as a message needs.
fn shown(node: &Node) -> String {
    const CHARS: usize = 100;
    let text = words(node);
    if text.chars().count() <= CHARS {
        return text;
    }
    text.chars().take(CHARS).chain("...".chars()).collect()
}
