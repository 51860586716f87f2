//! What the base tree says: its commit, its waivers, and whether this change touches them.
//!
//! Without a base nobody can say what a change touches, so it counts as touching everything.

use super::{CLASSIFICATION_FILE, Session, files};
use crate::{
    evidence::{environment::Environment, git::Git},
    kernel::{
        policy::GateTable,
        waiver::{self, WaiverFile},
    },
    wire::{code::BASE_UNRESOLVABLE, fault::Fault, id::GateId},
};
use std::collections::BTreeSet;

/// What the base tree says, where a base is known.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// The merge base.
    pub commit: Option<String>,
    /// The gates that have a waiver there; absent when no base is known.
    pub waivers: Option<BTreeSet<GateId>>,
    /// Whether the waiver file differs from the base's; unknown counts as touched.
    pub touched: bool,
}

pub(super) fn read(session: &Session) -> Result<Base, Fault> {
    let Some(rev) = Base::named(&session.world.environment) else {
        // A start that runs one gate of many never builds the policies of the others.
        return Base::at(None, &session.world.git, &[]);
    };
    let tables: Vec<&GateTable> = session.roster.tables().collect();
    Base::at(Some(&rev), &session.world.git, &tables)
}

impl Base {
    /// The revision that the environment names as the base of this change.
    #[must_use]
    pub fn named(environment: &Environment) -> Option<String> {
        environment.base()
    }

    /// Reads what the merge base with `rev` says; without one, everything counts as touched.
    ///
    /// # Errors
    /// `base_unresolvable` where a base is named and cannot be had, and whatever git refuses.
    pub fn at(rev: Option<&str>, git: &Git, tables: &[&GateTable]) -> Result<Self, Fault> {
        let Some(rev) = rev else {
            // Nobody can say what this change touches, so it counts as touching the waivers.
            return Ok(Self { touched: true, ..Self::default() });
        };
        let commit = git.merge_base(rev)?;
        let path = files::classification_path()?;
        let touched = git.changed_files(&commit)?.iter().any(|file| file == CLASSIFICATION_FILE);
        let waivers = match git.show(&commit, &path)? {
            None => BTreeSet::new(),
            Some(bytes) => {
                let text = String::from_utf8(bytes).map_err(|source| {
                    Fault::new(
                        BASE_UNRESOLVABLE,
                        "the waiver file of the base is not UTF-8",
                        "mend it on the base",
                    )
                    .because(&source)
                })?;
                let ids = tables.iter().map(|table| table.common.id.clone()).collect();
                let guards = waiver::guards(tables.iter().copied());
                let parsed = WaiverFile::parse(CLASSIFICATION_FILE, &text, &ids, &guards);
                parsed.waivers.keys().cloned().collect()
            }
        };
        Ok(Self { commit: Some(commit), waivers: Some(waivers), touched })
    }
}
