//! Where the writes of a gate go: its attempt, the views of the run, the declared places of the repository.

use crate::{
    evidence::{
        context::ArtifactSink,
        store::{self, AttemptDir, RunDir},
        tree::Tree,
    },
    wire::{code::RECEIPT_INVALID, fault::Fault, path::RelPath, receipt::Evidence},
};
use std::sync::Arc;

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
}

impl ArtifactSink for Recorder {
    fn write(&self, name: &RelPath, bytes: &[u8]) -> Result<Evidence, Fault> {
        self.dir.write_artifact(name, bytes)
    }

    fn view(&self, name: &RelPath, bytes: &[u8]) -> Result<(), Fault> {
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
