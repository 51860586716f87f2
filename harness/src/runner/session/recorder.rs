//! Where the writes of a gate go: its attempt, the views of the run, the declared places of the repository.

use super::redacted;
use crate::{
    evidence::{
        context::{ArtifactSink, World},
        store::{self, AttemptDir, RunDir},
        tree::Tree,
    },
    wire::{
        code::{RECEIPT_INVALID, VIEW_CONFLICT},
        fault::Fault,
        id::{Digest, GateId},
        ordered::VecMap,
        path::RelPath,
        receipt::Evidence,
    },
};
use std::sync::{Arc, Mutex, PoisonError};

/// Which gate wrote which view, and what: one file has one writer, or several that say the same.
pub(super) type ViewWriters = Arc<Mutex<VecMap<RelPath, (GateId, Digest)>>>;

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
    pub(super) world: Arc<World>,
}

/// A second gate that writes something else would replace what the first one said, and nobody would see it.
fn claim(writers: &ViewWriters, gate: &GateId, name: &RelPath, bytes: &[u8]) -> Result<(), Fault> {
    let digest = Digest::of(bytes);
    let mut writers = writers.lock().unwrap_or_else(PoisonError::into_inner);
    let (writer, written) = writers.get_or_insert_with(name.clone(), || (gate.clone(), digest));
    if writer == gate {
        *written = digest;
    }
    if *written == digest {
        return Ok(());
    }
    Err(Fault::new(
        VIEW_CONFLICT,
        format!("`{writer}` has written another view `{name}`"),
        "let one of the two write another view, as its page says, or remove one of the gates",
    ))
}

impl ArtifactSink for Recorder {
    fn write(&self, name: &RelPath, bytes: &[u8]) -> Result<Evidence, Fault> {
        redacted::refuse(&self.world.environment, name, bytes)?;
        self.dir.write_artifact(name, bytes)
    }

    fn view(&self, name: &RelPath, bytes: &[u8]) -> Result<(), Fault> {
        redacted::refuse(&self.world.environment, name, bytes)?;
        claim(&self.writers, &self.gate, name, bytes)?;
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
        let write = |id: &str, name: &str, text: &str| {
            claim(&writers, &gate(id), &view(name), text.as_bytes())
        };
        assert!(write("a", "x.json", "1").is_ok());
        assert!(write("a", "x.json", "2").is_ok(), "an attempt may be repeated");
        assert!(write("b", "y.json", "1").is_ok());
        assert!(write("b", "x.json", "2").is_ok(), "the same words");
        let fault = write("b", "x.json", "1").expect_err("a second writer");
        assert_eq!(fault.code().name(), "view_conflict");
        assert!(fault.headline().contains("`a`"), "{fault}");
    }
}
