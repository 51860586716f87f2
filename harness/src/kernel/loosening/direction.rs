//! Which way a key was turned. The name of a key tells whether more of it is stricter; where it does not, any change
//! counts as looser, since a gate that cannot prove otherwise stays shut.

use crate::kernel::{
    document::{Node, Table},
    duration,
};
use crate::wire::{
    ordered::{VecMap, VecSet},
    text::joined,
};
use std::cmp::Ordering;
use toml::Spanned;

/// One key that was turned towards looser, with its path below the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) path: String,
    pub(super) before: String,
    pub(super) after: String,
    /// The way to the key and both values, none of them cut.
    pub(super) whole: String,
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

/// One step of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A key of a table.
    Key(String),
    /// An item of a list, by what tells it from the others. Its name is the author's and says nothing.
    Item(String),
}

/// Keys that change no verdict.
const WORDS: &[&str] = &[
    "advice",
    "artifact_path",
    "binary",
    "cost",
    "direction",
    "issue",
    "owner",
    "reason",
    "remediation",
    "replay",
    "replay_prefix",
    "signature",
    "title",
];
/// Keys of a profile that change no verdict: what is cut short is red.
const PROFILE_WORDS: &[&str] = &["deadline", "test_timeout"];
/// Sections of the policy that loosen nothing: who answers, where copies go, how a failure is explained.
const SECTIONS: &[&str] = &["artifacts", "ci", "policy", "signature"];
/// Words of a key that excuses something.
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
    "approvers",
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
    "skip",
    "tolerated",
];
/// Words of a key that demands something.
const DEMANDS: &[&str] = &[
    "denied",
    "deny",
    "floor",
    "floors",
    "forbid",
    "forbidden",
    "min",
    "minimum",
    "must",
    "require",
    "required",
    "requires",
    "superset",
];
/// Keys whose name as a whole says that more of it is looked at. As a part of another name they say nothing:
/// `runs` are demands, `runs_on` are machines.
const LOOKED_AT: &[&str] = &[
    "artifact",
    "artifacts",
    "checks",
    "contract",
    "contracts",
    "documents",
    "expected",
    "fence",
    "fields",
    "files",
    "frozen",
    "gates",
    "include",
    "kinds",
    "members",
    "needs",
    "pairs",
    "platforms",
    "rule",
    "rules",
    "runs",
    "samples",
    "serial",
    "sidecar",
    "stamp",
    "surface",
    "tool",
];
/// Words of a key that bounds something from above.
const CEILINGS: &[&str] = &[
    "age", "budget", "cap", "ceiling", "ceilings", "comment", "days", "expires", "fail", "grace",
    "limit", "max", "maximum", "pct", "percent", "renewals", "retries", "span", "timeout",
    "within",
];
/// What tells one table of a list from another.
const IDENTITIES: &[&str] = &[
    "id", "name", "path", "file", "key", "lint", "crate", "pointer", "job", "when", "platform",
    "suite",
];
/// Profiles that exist whether or not a policy states them.
const BUILT_IN: &[&str] = &["quick", "focused", "ci", "full"];

/// What the keys on the way to a value say of it.
///
/// Authors name metrics, lanes and profiles as they like, so a key inside a table may say the opposite of what holds
/// for it: `ceilings = { min_latency_ms = 5 }`. Where two keys disagree, nobody knows. What stands in an item of a
/// list is known by the item's own keys.
fn nature(path: &[Step]) -> Nature {
    let start = path.iter().rposition(|step| matches!(step, Step::Item(_))).map_or(0, |n| n + 1);
    let keys: Vec<&str> = path[start..].iter().filter_map(Step::key).collect();
    match keys.as_slice() {
        // A metric may be called `cost`: only a key of the gate or of an item itself is about people.
        [word] | ["profile", _, word] if WORDS.contains(word) => return Nature::Words,
        ["profile", _, word] if PROFILE_WORDS.contains(word) => return Nature::Words,
        // The number up to which a quick profile takes gates: more of it is more gates.
        ["profile", _, "max_gate_cost"] => return Nature::Floor,
        _ => {}
    }
    let mut said = keys.iter().filter_map(|key| says(key));
    match (said.next(), start) {
        (Some(first), _) if said.all(|other| other == first) => first,
        (Some(_), _) | (None, 0) => Nature::Unknown,
        // What an exception says of itself and nobody knows is part of the exception.
        (None, start) => match nature(&path[..start - 1]) {
            Nature::Exception => Nature::Exception,
            Nature::Floor | Nature::Ceiling | Nature::Words | Nature::Unknown => Nature::Unknown,
        },
    }
}

/// What one key says; nothing where it has no word of ours. A key that says two things says nothing certain:
/// `max_allowed`, `must_not_skip`.
fn says(key: &str) -> Option<Nature> {
    let words: Vec<&str> = key.split(['_', '-']).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    // In a list of this name the place of an item counts.
    if has(&["order", "sequence"]) {
        return Some(Nature::Unknown);
    }
    let said = [
        (has(DEMANDS) || LOOKED_AT.contains(&key), Nature::Floor),
        (has(CEILINGS), Nature::Ceiling),
        (has(EXCEPTIONS), Nature::Exception),
    ];
    let mut said = said.into_iter().filter(|(is, _)| *is).map(|(_, nature)| nature);
    match (said.next(), said.next()) {
        (None, _) => None,
        (Some(nature), None) => Some(nature),
        // A share is a number of the thing that the rest of the name is about: `min_line_pct`.
        (Some(Nature::Floor), Some(Nature::Ceiling))
            if has(&["min", "minimum"]) && only_share(&words) =>
        {
            Some(Nature::Floor)
        }
        (Some(_), Some(_)) => Some(Nature::Unknown),
    }
}

/// Whether nothing but a unit makes a key look like a ceiling.
fn only_share(words: &[&str]) -> bool {
    let units = ["pct", "percent", "days"];
    words.iter().filter(|word| CEILINGS.contains(word)).all(|word| units.contains(word))
}

impl Step {
    fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Item(_) => None,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Item(text) => text,
        }
    }
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
        changes.path.push(Step::Key(name.clone()));
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

/// All of a table in one spelling.
pub(super) fn table(table: &Table) -> String {
    words(&Node::Table(table.clone()))
}

#[derive(Default)]
struct Changes {
    path: Vec<Step>,
    found: Vec<Change>,
}

impl Changes {
    fn tables(&mut self, before: &Table, after: &Table) {
        for name in keys(before, after) {
            let node =
                |table: &'_ Table| table.get(name).map(|entry| entry.value.get_ref().clone());
            self.path.push(Step::Key(name.clone()));
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
        let keys: Vec<&str> = self.path.iter().filter_map(Step::key).collect();
        if keys == ["promotion", "mode"] {
            // Strict is what holds where nothing is said.
            if after.is_some_and(|node| words(node) != "\"strict\"") {
                self.note(before, after);
            }
            return;
        }
        if let [Step::Key(key)] = self.path.as_slice()
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
                // What is added is known by its own keys; a profile or canary of a new name is nobody's yet.
                let new = match keys.as_slice() {
                    ["profile", name] => !BUILT_IN.contains(name),
                    ["canary", _] => true,
                    _ => false,
                };
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
        // Two items that only their other keys tell apart are compared whole, so that none of them is lost.
        let name = if distinct(before) && distinct(after) { identity } else { whole };
        let (was, is) = (items(before, name), items(after, name));
        let lost: Vec<&String> = was.keys().filter(|key| !is.contains_key(*key)).collect();
        let new: Vec<&String> = is.keys().filter(|key| !was.contains_key(*key)).collect();
        // A glob that begins with `!` takes away from a list.
        let (taken, given): (Vec<&String>, Vec<&String>) = match nature {
            Nature::Floor | Nature::Ceiling => (lost.clone(), new.clone()),
            Nature::Exception => (new.clone(), lost.clone()),
            Nature::Unknown | Nature::Words => (Vec::new(), Vec::new()),
        };
        let negated = |key: &&&String| key.starts_with("\"!");
        let looser: VecSet<&String> = match nature {
            Nature::Floor | Nature::Ceiling | Nature::Exception => {
                let taken = taken.iter().filter(|key| !negated(key));
                taken.chain(given.iter().filter(negated)).copied().collect()
            }
            Nature::Unknown if lost.is_empty() && new.is_empty() && was.len() == before.len() => {
                // The same things in another order: a list may be one in which the first one counts.
                let keys = |list: &[Spanned<Node>]| list.iter().map(name).collect::<Vec<_>>();
                if keys(before) != keys(after) {
                    let list = |list: &[Spanned<Node>]| Node::Array(list.to_vec());
                    self.note(Some(&list(before)), Some(&list(after)));
                }
                VecSet::new()
            }
            Nature::Unknown => lost.into_iter().chain(new).collect(),
            Nature::Words => VecSet::new(),
        };
        for key in looser {
            self.note(was.get(key).copied(), is.get(key).copied());
        }
        for (key, was) in &was {
            if let (Node::Table(before), Some(Node::Table(after))) = (was, is.get(key)) {
                self.path.push(Step::Item(key.clone()));
                self.tables(before, after);
                self.path.pop();
            }
        }
    }

    fn note(&mut self, before: Option<&Node>, after: Option<&Node>) {
        let text = |node: Option<&Node>| node.map_or_else(|| "absent".to_owned(), shown);
        self.found.push(Change {
            path: self.path.iter().map(Step::text).collect::<Vec<_>>().join("."),
            before: text(before),
            after: text(after),
            whole: format!("{:?}\n{:?}\n{:?}", self.path, before.map(words), after.map(words)),
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
                let (was, is) = (items(before, whole), items(after, whole));
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
    let switch = matches!((before, after), (Node::Boolean(_), Node::Boolean(_)));
    match nature {
        // No switch is a bound: `no_fail_fast` has a word of one.
        Nature::Ceiling if switch => true,
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
fn items(list: &[Spanned<Node>], name: fn(&Spanned<Node>) -> String) -> VecMap<String, &Node> {
    list.iter().map(|item| (name(item), item.get_ref())).collect()
}

fn distinct(list: &[Spanned<Node>]) -> bool {
    let names: VecSet<String> = list.iter().map(identity).collect();
    names.len() == list.len()
}

fn whole(item: &Spanned<Node>) -> String {
    words(item.get_ref())
}

fn identity(item: &Spanned<Node>) -> String {
    let Node::Table(table) = item.get_ref() else { return words(item.get_ref()) };
    let values = IDENTITIES
        .iter()
        .filter_map(|key| table.get(*key).map(|entry| words(entry.value.get_ref())));
    // No value has an empty spelling.
    let parts = joined(values, " ");
    if parts.is_empty() { words(item.get_ref()) } else { parts }
}

/// A value in one spelling.
fn words(node: &Node) -> String {
    match node {
        Node::Text(text) => format!("{text:?}"),
        Node::Integer(text) | Node::Float(text) => text.clone(),
        Node::Boolean(truth) => truth.to_string(),
        Node::Datetime(moment) => moment.to_string(),
        Node::Array(items) => {
            format!("[{}]", joined(items.iter().map(|item| words(item.get_ref())), ", "))
        }
        Node::Table(table) => {
            let entries = table
                .iter()
                .map(|(key, entry)| format!("{key} = {}", words(entry.value.get_ref())));
            format!("{{ {} }}", joined(entries, ", "))
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
