//! Where the writes of a gate go: its attempt, the views of the run, the declared places of the repository.

use crate::{
    evidence::{
        context::ArtifactSink,
        store::{self, AttemptDir, RunDir},
        tree::Tree,
    },
    wire::{
        code::{RECEIPT_INVALID, VIEW_CONFLICT},
        fault::Fault,
        id::GateId,
        path::RelPath,
        receipt::Evidence,
    },
};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

/// Which gate writes which view: one file has one writer.
pub(super) type ViewWriters = Arc<Mutex<BTreeMap<RelPath, GateId>>>;

/// Where in the repository views are copied to.
pub(super) struct Published {
    pub(super) tree: Tree,
    pub(super) views: Option<RelPath>,
    pub(super) artifact: Option<RelPath>,
}

/// Writes artifacts into the attempt, and views into the run and the declared places of the repository.
pub(super) struct Recorder {
    pub(super) dir: AttemptDir,
    pub(super) run: Option<Arc<RunDir>>,
    pub(super) published: Published,
    pub(super) gate: GateId,
    pub(super) writers: ViewWriters,
}

/// The second gate that writes a view would replace what the first one said, and nobody would see it.
fn claim(writers: &ViewWriters, gate: &GateId, name: &RelPath) -> Result<(), Fault> {
    let mut writers = writers.lock().unwrap_or_else(PoisonError::into_inner);
    match writers.entry(name.clone()) {
        Entry::Vacant(entry) => {
            entry.insert(gate.clone());
            Ok(())
        }
        Entry::Occupied(entry) if entry.get() == gate => Ok(()),
        Entry::Occupied(entry) => Err(Fault::new(
            VIEW_CONFLICT,
            format!("the view `{name}` is written by `{}`, too", entry.get()),
            "let one of the two write another view, as its page says, or remove one of the gates",
        )),
    }
}

impl ArtifactSink for Recorder {
    fn write(&self, name: &RelPath, bytes: &[u8]) -> Result<Evidence, Fault> {
        self.dir.write_artifact(name, bytes)
    }

    fn view(&self, name: &RelPath, bytes: &[u8]) -> Result<(), Fault> {
        claim(&self.writers, &self.gate, name)?;
        if let Some(run) = &self.run {
            run.write_file(&format!("views/{name}"), bytes)?;
        }
        let Published { tree, views, artifact } = &self.published;
        if let Some(folder) = views {
            store::publish_view(tree.root(), folder, name.as_str(), bytes)?;
        }
        match artifact.as_ref().and_then(|path| path.as_str().rsplit_once('/')) {
            Some((folder, file)) => {
                let folder = RelPath::parse(folder).map_err(|source| {
                    Fault::new(RECEIPT_INVALID, source.to_string(), "correct `artifact_path`")
                })?;
                store::publish_view(tree.root(), &folder, file, bytes)
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_has_one_writer() {
        let gate = |id: &str| GateId::parse(id).expect("an id");
        let view = |name: &str| RelPath::parse(name).expect("a path");
        let writers = ViewWriters::default();
        assert!(claim(&writers, &gate("a"), &view("x.json")).is_ok());
        assert!(claim(&writers, &gate("a"), &view("x.json")).is_ok(), "an attempt may be repeated");
        assert!(claim(&writers, &gate("b"), &view("y.json")).is_ok());
        let fault = claim(&writers, &gate("b"), &view("x.json")).expect_err("a second writer");
        assert_eq!(fault.code().name(), "view_conflict");
        assert!(fault.headline().contains("`a`"), "{fault}");
    }
}
