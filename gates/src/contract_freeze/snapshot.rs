//! A snapshot: the accepted items of a surface, sorted, one per line, and how two of them differ.

use super::{
    Items,
    config::{Growth, Surface},
};
use portcullis::{Fault, Location, RelPath, evidence::json, wire::code::INPUT_UNREADABLE};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write as _};

const SCHEMA: &str = "portcullis.contract.v1";

/// The accepted items of a surface.
#[derive(Debug)]
pub(super) struct Snapshot {
    surface: String,
    provider: String,
    items: BTreeMap<String, Accepted>,
}

/// One accepted item.
#[derive(Debug, PartialEq, Eq)]
struct Accepted {
    text: String,
    /// The record of the decision that let it in, for an item that was added later.
    decision: Option<String>,
    line: u32,
}

/// How an item differs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference<'s> {
    Added(&'s str, &'s str),
    Changed(&'s str, &'s str, &'s str),
    Removed(&'s str, &'s str),
}

impl Snapshot {
    /// The snapshot that a surface should have now.
    pub(super) fn of(surface: &Surface, items: &Items, accepted: Option<&Self>) -> Self {
        let accept = |(name, item): (&String, &super::Item)| {
            // An item of the first snapshot carries no decision, whatever `allow` says.
            let is_grown = accepted.is_some_and(|accepted| accepted.is_growth(name));
            let decision = surface
                .allowed(name)
                .filter(|_| is_grown && surface.growth == Growth::Listed)
                .map(|allow| allow.decision.to_string());
            (name.clone(), Accepted { text: item.text.clone(), decision, line: 0 })
        };
        Self {
            surface: surface.id.clone(),
            provider: surface.provider.name().to_owned(),
            items: items.iter().map(accept).collect(),
        }
    }

    /// Reads a committed snapshot.
    ///
    /// # Errors
    /// `input_unreadable` when it is not one: nobody can say then what had been accepted.
    pub(super) fn parse(path: &RelPath, text: &str) -> Result<Self, Fault> {
        let document = json::parse(text.as_bytes(), path.as_str())?;
        let member = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        let rows = document.get("items").and_then(Value::as_array);
        let (Some(SCHEMA), Some(surface), Some(provider), Some(rows)) =
            (member("schema").as_deref(), member("surface"), member("provider"), rows)
        else {
            return Err(refused(path, "is not a snapshot"));
        };
        let mut items = BTreeMap::new();
        for (line, row) in (6u32..).zip(rows) {
            let word = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
            let (Some(name), Some(text)) = (word("name"), word("is")) else {
                return Err(refused(path, "has an item without `name` or `is`"));
            };
            let accepted = Accepted { text, decision: word("decision"), line };
            if items.insert(name.clone(), accepted).is_some() {
                return Err(refused(path, &format!("has `{name}` twice")));
            }
        }
        Ok(Self { surface, provider, items })
    }

    /// Its text: one item per line, so that a review shows each change as one.
    pub(super) fn render(&self) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let mut text = format!(
            "{{\n  \"schema\": \"{SCHEMA}\",\n  \"surface\": {},\n  \"provider\": {},\n  \"items\": [\n",
            quoted(&self.surface),
            quoted(&self.provider)
        );
        let mut rest = self.items.len();
        for (name, item) in &self.items {
            rest -= 1;
            let decision = item
                .decision
                .as_ref()
                .map_or_else(String::new, |path| format!(", \"decision\": {}", quoted(path)));
            let comma = if rest == 0 { "" } else { "," };
            // Writing to a text cannot fail.
            let _infallible = writeln!(
                text,
                "    {{ \"name\": {}, \"is\": {}{decision} }}{comma}",
                quoted(name),
                quoted(&item.text)
            );
        }
        text.push_str("  ]\n}\n");
        text
    }

    /// Whether a name came, or would come, after the first snapshot.
    pub(super) fn is_growth(&self, name: &str) -> bool {
        self.items.get(name).is_none_or(|item| item.decision.is_some())
    }

    /// Where an accepted item stands.
    pub(super) fn place(&self, name: &str, path: &RelPath) -> Location {
        self.items
            .get(name)
            .map_or_else(|| Location::file(path), |item| Location::at(path, item.line, 0))
    }

    /// The items that differ, by name.
    pub(super) fn differences<'s>(&'s self, later: &'s Self) -> Vec<Difference<'s>> {
        let mut found = Vec::new();
        for (name, item) in &self.items {
            match later.items.get(name) {
                None => found.push(Difference::Removed(name, &item.text)),
                Some(new) if new.text != item.text => {
                    found.push(Difference::Changed(name, &item.text, &new.text));
                }
                Some(_same) => {}
            }
        }
        for (name, item) in later.items.iter().filter(|(name, _)| !self.items.contains_key(*name)) {
            found.push(Difference::Added(name, &item.text));
        }
        found
    }
}

fn refused(path: &RelPath, why: &str) -> Fault {
    Fault::new(
        INPUT_UNREADABLE,
        format!("`{path}` {why}"),
        "restore it from the history, or remove it and bless the surface anew",
    )
    .at(Location::file(path))
    .expected(SCHEMA)
}

/// The lines that differ as a unified diff without context. Items are sorted, so equal lines never change their order.
pub(super) fn unified(path: &str, old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // The comma at the end of a line belongs to its neighbour.
    let bare = |line: &str| line.trim_end_matches(',').to_owned();
    let keep: std::collections::BTreeSet<String> = {
        let news: std::collections::BTreeSet<String> = new.iter().map(|line| bare(line)).collect();
        old.iter().map(|line| bare(line)).filter(|line| news.contains(line)).collect()
    };
    let mut text = format!("--- {path}\n+++ {path} (as built)\n");
    let (mut a, mut b) = (0, 0);
    while a < old.len() || b < new.len() {
        let gone = old[a..].iter().take_while(|line| !keep.contains(&bare(line))).count();
        let come = new[b..].iter().take_while(|line| !keep.contains(&bare(line))).count();
        if gone + come > 0 {
            // Writing to a text cannot fail.
            let _infallible = writeln!(text, "@@ -{},{gone} +{},{come} @@", a + 1, b + 1);
            for line in &old[a..a + gone] {
                let _infallible = writeln!(text, "-{line}");
            }
            for line in &new[b..b + come] {
                let _infallible = writeln!(text, "+{line}");
            }
        }
        a += gone + 1;
        b += come + 1;
        a = a.min(old.len());
        b = b.min(new.len());
    }
    text
}
