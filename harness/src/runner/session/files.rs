//! The three files of a session: policy, census, waivers. It reads and parses, and judges nothing.

use super::{CENSUS_FILE, CENSUS_MAX_BYTES, CLASSIFICATION_FILE, POLICY_MAX_BYTES};
use crate::{
    evidence::tree::Tree,
    wire::{
        code::{CENSUS_INVALID, CONFIG_ABSENT},
        fault::{Fault, Location},
        path::RelPath,
    },
};

pub(super) fn read_config(tree: &Tree, name: &str) -> Result<String, Fault> {
    let path = RelPath::parse(name)
        .map_err(|source| Fault::new(CONFIG_ABSENT, source.to_string(), "rename it"))?;
    tree.read_text(&path, POLICY_MAX_BYTES)
}

pub(super) fn classification_path() -> Result<RelPath, Fault> {
    RelPath::parse(CLASSIFICATION_FILE)
        .map_err(|source| Fault::new(CONFIG_ABSENT, source.to_string(), "rename it"))
}

/// The text of the census, or that there is none; the outer error is that nobody could look.
pub(super) fn read_census(tree: &Tree) -> Result<Result<String, Fault>, Fault> {
    let path = RelPath::parse(CENSUS_FILE)
        .map_err(|source| Fault::new(CONFIG_ABSENT, source.to_string(), "rename it"))?;
    if !tree.exists(&path)? {
        let fault = Fault::new(
            CENSUS_INVALID,
            format!("there is no census: `{CENSUS_FILE}` does not exist"),
            "run `cargo portcullis census --bless` and commit the file",
        )
        .at(Location::file(CENSUS_FILE));
        return Ok(Err(fault));
    }
    tree.read_text(&path, CENSUS_MAX_BYTES).map(Ok)
}

/// The text of the waivers; empty where there is no such file.
pub(super) fn read_classification(tree: &Tree) -> Result<String, Fault> {
    let path = classification_path()?;
    if tree.exists(&path)? { tree.read_text(&path, POLICY_MAX_BYTES) } else { Ok(String::new()) }
}
