//! The keys that every `[[gate]]` table may have. Leaves out the keys of its kind.

use super::Policy;
use crate::{
    kernel::document::Keys,
    wire::{
        code::CONFIG_INVALID,
        id::GateId,
        ordered,
        outcome::{Lane, SkipReason},
        path::RelPath,
        time::Day,
    },
};
use toml::Spanned;

pub(super) const BINARY_SHAPE: &str = "the name of a test target: letters, digits, `_` and `-`";
const DEFAULT_COST: u32 = 100;

/// The names of the common keys.
pub(super) const COMMON_KEYS: [&str; 18] = [
    "id",
    "kind",
    "title",
    "owner",
    "issue",
    "blocking",
    "lanes",
    "needs",
    "timeout",
    "cost",
    "allow_skip",
    "allow_empty",
    "signature",
    "remediation",
    "artifact_path",
    "replay",
    "enforce_from",
    "binary",
];

/// What every gate has, whatever it checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// The id.
    pub id: GateId,
    /// The kind; absent for a gate written in Rust.
    pub kind: Option<String>,
    /// One line for people; the id where none is given.
    pub title: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it is discussed.
    pub issue: Option<String>,
    /// Whether a failure blocks.
    pub blocking: bool,
    /// The lanes in which a failure blocks.
    pub lanes: Vec<Lane>,
    /// The gates that must pass first.
    pub needs: Vec<GateId>,
    /// How long the check may run.
    pub timeout_ms: u64,
    /// How dear it is; preflight begins with the cheap ones.
    pub cost: u32,
    /// The skip reasons that do not block.
    pub allow_skip: Vec<SkipReason>,
    /// Why it is fine to look at nothing.
    pub allow_empty: Option<String>,
    /// A text by which a log shows this failure.
    pub signature: Option<String>,
    /// A way out beside that of the kind.
    pub remediation: Option<String>,
    /// The artifact that people should open.
    pub artifact_path: Option<RelPath>,
    /// The replay, where the gate's own trial is not the right one.
    pub replay: Option<Vec<String>>,
    /// The first day on which a failure blocks.
    pub enforce_from: Option<Day>,
    /// The gate binary that holds it.
    pub binary: String,
}

impl Common {
    /// A blocking gate in all lanes, with the defaults of the policy.
    pub(super) fn defaults(id: GateId, policy: &Policy) -> Self {
        Self {
            title: id.to_string(),
            id,
            kind: None,
            owner: policy.owner.clone(),
            issue: None,
            blocking: true,
            lanes: Lane::ALL.to_vec(),
            needs: Vec::new(),
            timeout_ms: policy.default_timeout_ms,
            cost: DEFAULT_COST,
            allow_skip: Vec::new(),
            allow_empty: None,
            signature: None,
            remediation: None,
            artifact_path: None,
            replay: None,
            enforce_from: None,
            binary: policy.binary.clone(),
        }
    }

    /// Reads the common keys over the defaults; faults go to `keys`.
    pub(super) fn read(keys: &mut Keys<'_, '_>, id: GateId, policy: &Policy) -> Self {
        let mut common = Self::defaults(id, policy);
        common.kind = keys.text("kind");
        set(&mut common.title, keys.text("title"));
        set(&mut common.owner, keys.text("owner"));
        common.issue = keys.text("issue");
        set(&mut common.blocking, keys.boolean("blocking"));
        set(&mut common.timeout_ms, keys.duration_ms("timeout"));
        set(&mut common.cost, keys.whole("cost", u32::MAX));
        common.allow_empty = keys.text("allow_empty");
        common.signature = keys.text("signature");
        common.remediation = keys.text("remediation");
        common.artifact_path = keys.path("artifact_path");
        common.enforce_from = keys.day("enforce_from");
        set(&mut common.binary, keys.parsed("binary", BINARY_SHAPE, binary));
        common.read_lists(keys);
        if !common.blocking && common.enforce_from.is_some() {
            keys.wrong(
                "enforce_from",
                "a gate that never blocks cannot begin to block on a day",
                "remove `blocking = false` or `enforce_from`",
            );
        }
        common
    }

    fn read_lists(&mut self, keys: &mut Keys<'_, '_>) {
        if let Some(lanes) =
            keys.list("lanes", "a lane: `local`, `pr`, `main` or `release`", Lane::parse)
        {
            if lanes.is_empty() {
                keys.wrong(
                    "lanes",
                    "a gate in no lane can never block",
                    "name a lane, or write `blocking = false`",
                );
            }
            self.lanes = lanes.into_iter().map(Spanned::into_inner).collect();
            ordered::sort(&mut self.lanes);
        }
        let need = |text: &str| GateId::parse(text).ok();
        if let Some(needs) = keys.list("needs", "a gate id", need) {
            if let Some(own) = needs.iter().find(|need| *need.get_ref() == self.id) {
                keys.fault(
                    CONFIG_INVALID,
                    own.span().start,
                    "a gate needs itself",
                    "remove it from `needs`",
                );
            }
            self.needs = needs.into_iter().map(Spanned::into_inner).collect();
        }
        // A gate that its author switched off cannot be allowed by its own policy.
        let reason =
            |text: &str| SkipReason::parse(text).filter(|reason| *reason != SkipReason::Ignored);
        let expected =
            "a skip reason: `tool_missing`, `platform`, `feature_off`, `not_applicable` or `phase`";
        if let Some(reasons) = keys.list("allow_skip", expected, reason) {
            self.allow_skip = reasons.into_iter().map(Spanned::into_inner).collect();
        }
        self.replay = keys.argv("replay");
        if self.replay.as_ref().is_some_and(|argv| argv.first().is_none_or(String::is_empty)) {
            keys.wrong(
                "replay",
                "a replay names no program",
                "write the program first, or remove `replay`",
            );
        }
    }
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

pub(super) fn binary(text: &str) -> Option<String> {
    let shape = !text.is_empty()
        && text.len() <= 128
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    shape.then(|| text.to_owned())
}
