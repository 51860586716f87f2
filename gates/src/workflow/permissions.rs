//! What a token may do. Leaves out which level of a workflow decides.

use super::{
    WORKFLOW_INVALID,
    keys::SCOPES,
    yaml::{Node, Place, Value},
};
use portcullis::Fault;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A level of access, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Access {
    None,
    Read,
    Write,
}

impl Access {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A block of permissions: every scope that it does not name has the level of `others`.
#[derive(Clone, Debug)]
pub(crate) struct Permissions {
    pub(crate) place: Place,
    others: Access,
    scopes: BTreeMap<String, (Access, Place)>,
}

impl Permissions {
    pub(super) fn read(node: &Node) -> Result<Self, Fault> {
        let place = node.place.clone();
        let invalid = |what: String, at: &Place| {
            let remedy = "write `read-all`, `write-all`, `{}`, or a map of scopes to `none`, `read` or `write`";
            Fault::new(WORKFLOW_INVALID, what, remedy).at(at.location())
        };
        let all = |others| Ok(Self { place: place.clone(), others, scopes: BTreeMap::new() });
        let entries = match &node.value {
            Value::Scalar(text) => {
                return match text.as_str() {
                    "read-all" => all(Access::Read),
                    "write-all" => all(Access::Write),
                    // `permissions:` with nothing behind it gives nothing.
                    "" => all(Access::None),
                    other => Err(invalid(format!("`permissions` is `{other}`"), &place)),
                };
            }
            Value::List(_) => return Err(invalid("`permissions` is a list".to_owned(), &place)),
            Value::Map(entries) => entries,
        };
        let mut scopes = BTreeMap::new();
        for (scope, level) in entries {
            let level = match level.scalar().map(super::text::Text::as_str) {
                Some("none") => Access::None,
                Some("read") => Access::Read,
                Some("write") => Access::Write,
                Some(_) | None => {
                    let what = format!("scope `{}` has no known level", scope.as_str());
                    return Err(invalid(what, &level.place));
                }
            };
            scopes.insert(scope.as_str().to_owned(), (level, scope.place().clone()));
        }
        Ok(Self { place, others: Access::None, scopes })
    }

    /// The level of a scope.
    pub(crate) fn of(&self, scope: &str) -> Access {
        self.scopes.get(scope).map_or(self.others, |(level, _)| *level)
    }

    /// Where the level of a scope is said.
    pub(crate) fn place_of(&self, scope: &str) -> &Place {
        self.scopes.get(scope).map_or(&self.place, |(_, place)| place)
    }

    /// Every scope that is known or named, sorted.
    pub(crate) fn scopes(&self) -> Vec<&str> {
        let named = self.scopes.keys().map(String::as_str);
        let mut all: Vec<&str> = SCOPES.iter().copied().chain(named).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
