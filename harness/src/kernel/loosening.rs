//! What a change loosens: the base's policy, census and quarantine beside the head's (`semantics.md`, section 8).
//!
//! Whoever loosens a rule may have a good reason; somebody else has to say so. A change whose direction nobody knows
//! counts as looser. Leaves out how the base is read, and who may approve.

mod direction;
#[cfg(test)]
mod tests;

use super::{
    approval::{self, Consent},
    census::{Census, CensusRow},
    document::{self, Entry, Node, Table},
    waiver::{self, WaiverFile},
};
use crate::wire::{
    code::{BASE_UNRESOLVABLE, POLICY_LOOSENED},
    fault::Fault,
    id::{Digest, GateId},
    ordered::{VecMap, VecSet},
    outcome::Lane,
    receipt::ErrorRecord,
    text::joined,
    time::Day,
};
use serde::Serialize;

/// What the base says: the files that make a policy, absent where the tree has no such file, and who changed it since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Texts {
    /// `portcullis.toml`.
    pub policy: Option<String>,
    /// `suite_classification.toml`.
    pub classification: Option<String>,
    /// `portcullis.lock`.
    pub census: Option<String>,
    /// The addresses of those who wrote the commits of this change; absent where nobody asked, and then nothing is approved.
    #[serde(default)]
    pub authors: Option<VecSet<String>>,
}

impl Texts {
    /// Whether it matters who wrote the change: only an approval asks.
    #[must_use]
    pub fn has_approvals(&self) -> bool {
        let text = self.classification.as_deref().unwrap_or_default();
        let (_, root, _) = document::read("suite_classification.toml", text, None);
        root.contains_key("approval")
    }
}

/// One thing that a change loosens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Loosening {
    /// The gate; absent where a rule for all gates is concerned.
    pub gate: Option<GateId>,
    /// What it was: a key, or the gate itself.
    pub subject: String,
    /// What the base says.
    pub before: String,
    /// What the head says.
    pub after: String,
    /// Whether the gate blocked on the base.
    pub blocking: bool,
    /// The lanes in which it blocked there.
    pub lanes: Vec<Lane>,
    /// What an approval names: the digest of gate, key, and both values in full.
    pub digest: Digest,
    /// The approval that speaks for it, counted or not.
    #[serde(default)]
    pub consent: Option<Consent>,
}

impl Loosening {
    /// One clause: what changed, from what, to what, and why its approval does not count.
    #[must_use]
    pub fn clause(&self) -> String {
        let change = format!(
            "{}: {} on the base, {} here (loosening {})",
            self.subject, self.before, self.after, self.digest
        );
        match &self.consent {
            None => change,
            Some(Consent { refused: None, detail, .. }) => format!("{change}, {detail}"),
            Some(Consent { name, refused: Some(code), detail, .. }) => {
                let name = if name.is_empty() { String::new() } else { format!(" of `{name}`") };
                format!("{change}, {code}{name}: {detail}")
            }
        }
    }

    /// Whether it waits for somebody: nothing approves it that counts.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        !self.consent.as_ref().is_some_and(Consent::holds)
    }

    /// The fault of a rule that concerns no single gate.
    #[must_use]
    pub fn fault(&self) -> ErrorRecord {
        let headline = format!("this change loosens {}", self.clause());
        ErrorRecord::from(
            &Fault::new(POLICY_LOOSENED, headline, REMEDY)
                .expected(self.before.clone())
                .found(self.after.clone()),
        )
    }
}

const GATE: &str = "the gate";
/// What to do about a loosening.
pub const REMEDY: &str = "take it back, or have it approved: it holds once it, or an `[approval]` of exactly it, stands on the base branch";

/// The head, as far as it can loosen anything.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// The text of the policy.
    pub policy: &'a str,
    /// The text of the file of suites, waivers and quarantine.
    pub classification: &'a str,
    /// The census; absent where it cannot be read, which is a fault of its own and not a removal of all gates.
    pub census: Option<&'a Census>,
    /// The waivers, as the decision applies them.
    pub waivers: &'a WaiverFile,
}

/// What a change is, seen from its base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Against {
    /// The gates whose waiver stands on the base as wide as here.
    pub waivers: VecSet<GateId>,
    /// What this change loosens.
    pub loosened: Vec<Loosening>,
}

/// Compares the head with its base. Without a policy on the base there is nothing to loosen. Approvals are judged on `today`.
///
/// # Errors
/// `base_unresolvable` for a file of the base that cannot be read: nobody can say what was loosened.
pub fn against(base: &Texts, head: &Head<'_>, today: Day) -> Result<Against, Fault> {
    let before = Side::base(base)?;
    let after = Side::head(head, &before);
    let mut loosened = between(&before, &after);
    approval::consider(&mut loosened, base, &before.sections, head, today);
    Ok(Against {
        waivers: waiver::standing(base.classification.as_deref().unwrap_or_default(), head.waivers),
        loosened,
    })
}

fn between(before: &Side, after: &Side) -> Vec<Loosening> {
    let mut found = VecSet::new();
    for (name, table) in &before.gates {
        let Ok(id) = GateId::parse(name) else { continue };
        let strength = Strength::of(table);
        let mut note = |subject: String, was: String, is: String, whole: String| {
            found.insert(strength.loosening(Some(&id), subject, (was, is), &whole));
        };
        match after.gates.get(name) {
            None => {
                let whole = direction::table(table);
                note(GATE.to_owned(), "there".to_owned(), "removed".to_owned(), whole);
            }
            Some(other) => {
                for change in direction::gate(table, other) {
                    note(format!("`{}`", change.path), change.before, change.after, change.whole);
                }
            }
        }
    }
    for row in &before.census.rows {
        found.extend(census_row(row, before, after));
    }
    for change in direction::sections(&before.sections, &after.sections) {
        let subject = format!("`{}`", change.path);
        let strength = Strength::default();
        let values = (change.before, change.after);
        found.insert(strength.loosening(None, subject, values, &change.whole));
    }
    for (name, entry) in &after.quarantine {
        let was = before.quarantine.get(name);
        if was.is_none_or(|was| direction::wider(was, entry)) {
            let subject = format!("the quarantine of `{name}`");
            let before = was.map_or_else(|| "absent".to_owned(), direction::until);
            let values = (before, direction::until(entry));
            let whole = format!(
                "{}\n{}",
                was.map(direction::table).unwrap_or_default(),
                direction::table(entry)
            );
            found.insert(Strength::default().loosening(None, subject, values, &whole));
        }
    }
    found.into_iter().collect()
}

/// A gate written in Rust may stand in the census alone; its flags stand there and nowhere else.
fn census_row(row: &CensusRow, before: &Side, after: &Side) -> Vec<Loosening> {
    let strength = Strength { blocking: row.blocking, lanes: row.lanes.clone() };
    let note = |subject: &str, was: String, is: String| {
        strength.loosening(Some(&row.id), subject.to_owned(), (was, is), &row.digest.to_string())
    };
    let name = row.id.as_str();
    let (was_table, is_table) = (before.gates.contains_key(name), after.gates.contains_key(name));
    let Some(other) = after.census.rows.iter().find(|other| other.id == row.id) else {
        // A table that is gone was told already.
        let told = was_table && !is_table;
        let subject = if is_table { "its row in the census" } else { GATE };
        let lost = note(subject, "there".to_owned(), "removed".to_owned());
        return if told { Vec::new() } else { vec![lost] };
    };
    if was_table && is_table {
        return Vec::new();
    }
    let mut found = Vec::new();
    if row.blocking && !other.blocking {
        found.push(note("`blocking`", "true".to_owned(), "false".to_owned()));
    }
    let names = |lanes: &[Lane]| joined(lanes.iter().map(|lane| lane.name()), ", ");
    if row.lanes.iter().any(|lane| !other.lanes.contains(lane)) {
        found.push(note("`lanes`", names(&row.lanes), names(&other.lanes)));
    }
    if row.kind != other.kind {
        found.push(note("`kind`", row.kind.clone(), other.kind.clone()));
    }
    found
}

/// How a gate stood on the base.
struct Strength {
    blocking: bool,
    lanes: Vec<Lane>,
}

impl Default for Strength {
    fn default() -> Self {
        Self { blocking: true, lanes: Lane::ALL.to_vec() }
    }
}

impl Strength {
    fn of(table: &Table) -> Self {
        let node = |key: &str| table.get(key).map(|entry| entry.value.get_ref());
        let lanes = match node("lanes") {
            Some(Node::Array(items)) => {
                let lane = |node: &Node| {
                    if let Node::Text(text) = node { Lane::parse(text) } else { None }
                };
                items.iter().filter_map(|item| lane(item.get_ref())).collect()
            }
            Some(_) | None => Lane::ALL.to_vec(),
        };
        Self { blocking: !matches!(node("blocking"), Some(Node::Boolean(false))), lanes }
    }

    fn loosening(
        &self,
        gate: Option<&GateId>,
        subject: String,
        (before, after): (String, String),
        whole: &str,
    ) -> Loosening {
        let (blocking, lanes) = (self.blocking, self.lanes.clone());
        // Messages cut long values; what somebody agrees to is never cut.
        let parts = [gate.map_or("", GateId::as_str), &subject, &before, &after, whole];
        let whole = joined(parts.iter().map(|part| format!("{} {part}", part.len())), "\n");
        let digest = Digest::of(whole.as_bytes());
        let gate = gate.cloned();
        Loosening { gate, subject, before, after, blocking, lanes, digest, consent: None }
    }
}

/// One tree, as far as it can loosen anything.
#[derive(Default)]
struct Side {
    gates: VecMap<String, Table>,
    sections: Table,
    census: Census,
    quarantine: VecMap<String, Table>,
}

impl Side {
    fn base(texts: &Texts) -> Result<Self, Fault> {
        let policy = table("portcullis.toml", texts.policy.as_deref())?;
        let classification = table("suite_classification.toml", texts.classification.as_deref())?;
        let census = match texts.census.as_deref().map(Census::parse) {
            None => Census::default(),
            Some(census) => census.map_err(|fault| unreadable("portcullis.lock", &fault))?,
        };
        Ok(Self::of(policy, &classification, census))
    }

    /// What is wrong with the head is said by everybody who reads it; here it counts as gone.
    fn head(head: &Head<'_>, before: &Self) -> Self {
        let read = |path: &str, text: &str| table(path, Some(text)).unwrap_or_default();
        let census = head.census.unwrap_or(&before.census).clone();
        let policy = read("portcullis.toml", head.policy);
        Self::of(policy, &read("suite_classification.toml", head.classification), census)
    }

    fn of(mut policy: Table, classification: &Table, census: Census) -> Self {
        let mut side = Self { census, ..Self::default() };
        if let Some(entry) = policy.remove("gate")
            && let Node::Array(items) = entry.value.into_inner()
        {
            for item in items {
                let Node::Table(mut table) = item.into_inner() else { continue };
                let id = table.remove("id").map(|entry| entry.value.into_inner());
                if let Some(Node::Text(id)) = id {
                    side.gates.insert(id, table);
                }
            }
        }
        side.sections = policy;
        if let Some(entry) = classification.get("quarantine")
            && let Some(section) = entry.value.get_ref().as_table()
        {
            quarantine(section, &mut side.quarantine);
        }
        side
    }
}

fn table(path: &str, text: Option<&str>) -> Result<Table, Fault> {
    let (_, root, faults) = document::read(path, text.unwrap_or_default(), None);
    match faults.into_iter().next() {
        None => Ok(root),
        Some(fault) => Err(unreadable(path, &fault)),
    }
}

fn unreadable(path: &str, fault: &Fault) -> Fault {
    let headline =
        format!("`{path}` of the base cannot be read, so nobody can say what is loosened");
    Fault::new(BASE_UNRESOLVABLE, headline, "mend it on the base").because(fault)
}

fn quarantine(section: &Table, found: &mut VecMap<String, Table>) {
    for (name, entry) in section {
        let Some(fields) = entry.value.get_ref().as_table() else { continue };
        let inner = |entry: &Entry| entry.value.get_ref().as_table().cloned();
        if !fields.is_empty() && fields.values().all(|entry| inner(entry).is_some()) {
            for (test, entry) in fields {
                found.extend(inner(entry).map(|table| (format!("{name}.{test}"), table)));
            }
        } else {
            found.insert(name.clone(), fields.clone());
        }
    }
}
