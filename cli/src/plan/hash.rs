//! The digest of a plan, which every shard of it must agree on. Leaves out what is planned.

use super::{Plan, Target};
use portcullis::{Digest, evidence::digest::Hasher};

/// The digest of a plan: what every shard of it must agree on.
pub(crate) fn hash(plan: &Plan) -> Digest {
    let mut hashing = Hashing::of(plan);
    plan.targets.iter().for_each(|target| hashing.target(target));
    hashing.finish()
}

/// The digest of a plan whose targets come one by one, in their order.
pub(crate) struct Hashing(Hasher);

impl Hashing {
    /// Begins with everything but the targets.
    pub(crate) fn of(plan: &Plan) -> Self {
        let shards = plan.shard.as_ref().map(|shard| (shard.by, shard.total));
        let head = serde_json::json!({
            "profile": plan.profile,
            "engine": plan.engine,
            "may_certify": plan.may_certify,
            "kinds": plan.kinds,
            "filters": plan.filters,
            "rerun_of": plan.rerun_of,
            "excluded": plan.excluded,
            "gates": plan.gates,
            "rust_gates": plan.rust_gates,
            "shards": shards,
            "archive": plan.archive,
            "weights": plan.weights,
        });
        let mut hasher = Hasher::new();
        hasher.update(head.to_string().as_bytes());
        Self(hasher)
    }

    /// Adds the next target.
    pub(crate) fn target(&mut self, target: &Target) {
        // As JSON, so that no two lists of names read alike.
        self.0.update(serde_json::json!(target).to_string().as_bytes());
    }

    /// The digest of all of it.
    pub(crate) fn finish(self) -> Digest {
        self.0.finish()
    }
}

/// The digest of the targets of one part.
pub(super) fn part_digest(targets: &[Target]) -> Digest {
    let mut hashing = Hashing(Hasher::new());
    targets.iter().for_each(|target| hashing.target(target));
    hashing.finish()
}
