//! What a decision was made from, as a run keeps it. Leaves out reading and writing it.

#[cfg(feature = "audit")]
mod material;

#[cfg(feature = "audit")]
pub use material::Material;

use super::loosening::Texts;
use crate::wire::{
    id::GateId,
    ordered::{VecMap, VecSet},
    outcome::Lane,
    receipt::ErrorRecord,
};
use serde::Serialize;

/// Schema of `inputs.json`.
pub const INPUTS_SCHEMA: &str = "portcullis.inputs.v1";

/// `inputs.json`, without its header: what is known before the first gate runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Recorded {
    /// Where the decision holds.
    pub lane: Lane,
    /// The promotion mode that was asked for from outside.
    pub requested_mode: Option<String>,
    /// The path of the policy.
    pub policy_path: String,
    /// The text of the policy.
    pub policy: String,
    /// The path of the file of waivers.
    pub classification_path: String,
    /// The text of the file of waivers; empty where there was none.
    pub classification: String,
    /// Gates written in Rust that have no table, with their gate binaries.
    pub rust_gates: VecMap<GateId, String>,
    /// Why the census could not be read.
    pub census_faults: Vec<ErrorRecord>,
    /// The gates that were about to be evaluated; absent for all.
    pub planned: Option<VecSet<GateId>>,
}

/// What is known only at the end of a run; it stands in `decision.json` beside the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Facts {
    /// The gates that were evaluated; absent for all.
    pub selected: Option<VecSet<GateId>>,
    /// Whether the change touches the waiver file.
    pub touched_waivers: bool,
    /// The policy of the base, where a base is known.
    pub base: Option<Texts>,
    /// Faults of the run that concern no single gate.
    pub run_faults: Vec<ErrorRecord>,
    /// Whether the work tree differs from the commit.
    pub source_dirty: bool,
    /// How many tests a runner planned beside the gates.
    #[serde(default)]
    pub tests: u64,
    /// Why a runner knows that this run may not certify.
    #[serde(default)]
    pub reserved: Vec<String>,
}

impl Facts {
    /// The facts of a run that never came to its end: everything unknown counts as the worse.
    #[must_use]
    pub fn unknown(planned: Option<VecSet<GateId>>) -> Self {
        Self {
            selected: planned,
            touched_waivers: true,
            base: None,
            run_faults: Vec::new(),
            source_dirty: true,
            tests: 0,
            reserved: Vec::new(),
        }
    }
}
