//! What the base tree says: its commit, its waivers, and whether this change touches them.
//!
//! Without a base nobody can say what a change touches, so it counts as touching everything.

use super::{CLASSIFICATION_FILE, Session, files};
use crate::{
    kernel::waiver::WaiverFile,
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
    let environment = &session.world.environment;
    let provider = environment.get("GITHUB_BASE_REF").filter(|name| !name.is_empty());
    let named =
        environment.get("PORTCULLIS_BASE").filter(|name| !name.is_empty()).map(str::to_owned);
    let Some(rev) = named.or_else(|| provider.map(|name| format!("origin/{name}"))) else {
        // Nobody can say what this change touches, so it counts as touching the waivers.
        return Ok(Base { touched: true, ..Base::default() });
    };
    let git = &session.world.git;
    let commit = git.merge_base(&rev)?;
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
            let ids = session.roster.gates.iter().map(|gate| gate.id().clone()).collect();
            let parsed =
                WaiverFile::parse(CLASSIFICATION_FILE, &text, &ids, &session.waiver_gates());
            parsed.waivers.keys().cloned().collect()
        }
    };
    Ok(Base { commit: Some(commit), waivers: Some(waivers), touched })
}
