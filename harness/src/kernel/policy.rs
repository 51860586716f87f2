//! `portcullis.toml`: the policy and its gates, validated before anything runs. Leaves out what a kind's own keys mean.

mod common;
mod gate_table;
mod needs;
pub mod profile;
mod section;
pub mod signature;
#[cfg(test)]
mod tests;

pub use common::Common;
pub use gate_table::GateTable;
pub use needs::{cycles, unknown_needs};
pub use section::Section;

use super::{
    approval,
    document::{self, Codes, Entry, Keys, Node, Source, Table},
    promotion::Promotion,
};
use crate::wire::{
    code::{CONFIG_INVALID, CONFIG_UNKNOWN_KEY, DUPLICATE_GATE_ID, ENV_REFUSED},
    fault::Fault,
    id::GateId,
    ordered::VecMap,
    path::RelPath,
};
use std::ops::Range;
use toml::Spanned;

/// The version of the policy file that this reader knows.
pub const POLICY_VERSION: u32 = 1;
/// How many gates a policy may have (`security.md`, section 4).
pub const GATES_MAX: usize = 20_000;
const DEFAULT_BINARY: &str = "ci_full_suite_gate";
const DEFAULT_TIMEOUT_MS: u64 = 300_000;
const SECRET_WORDS: [&str; 8] =
    ["TOKEN", "SECRET", "PASSW", "KEY", "JWT", "CRED", "AUTH", "COOKIE"];

pub(crate) const CODES: Codes = Codes { invalid: CONFIG_INVALID, unknown: CONFIG_UNKNOWN_KEY };

/// The whole policy file.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The version of the format.
    pub version: u32,
    /// The owner of gates that name none.
    pub owner: String,
    /// The gate binary of gates that name none, and of the aggregates.
    pub binary: String,
    /// Words put before every replay.
    pub replay_prefix: Vec<String>,
    /// The timeout of gates that state none.
    pub default_timeout_ms: u64,
    /// The promotion mode and its record.
    pub promotion: Promotion,
    /// Where views are copied to.
    pub views: Option<RelPath>,
    /// Additions to the environment allow-list.
    pub env_allow: Vec<String>,
    /// What a run executes, by name.
    pub profiles: VecMap<String, profile::Profile>,
    /// The canaries, which nobody here interprets, by id.
    pub canaries: VecMap<String, Section>,
    /// The lanes of generated workflows, which nobody here interprets.
    pub ci: Option<Section>,
    /// How red logs are recognised, in file order.
    pub signatures: Vec<signature::Signature>,
    /// The gates, in file order.
    pub gates: Vec<GateTable>,
}

/// Reads a policy.
///
/// # Errors
/// Every fault that can be found in one pass, each with its line; never an empty list.
pub fn parse(path: &str, text: &str) -> Result<Policy, Vec<Fault>> {
    let (source, mut root, mut faults) = document::read(path, text, None);
    if !faults.is_empty() {
        // Rules over a document that was only partly understood would blame the innocent.
        return Err(faults);
    }
    let mut keys = Keys::new(&source, &root, 0..0, "the policy file", CODES, &mut faults);
    let policy = keys.table("policy");
    let policy = keys.required("policy", policy);
    let promotion = keys.table("promotion");
    let artifacts = keys.table("artifacts");
    let environment = keys.table("environment");
    let profiles = keys.table("profile");
    let approval = keys.table("approval");
    keys.leave(&["canary", "ci", "gate", "signature"]);
    keys.finish();
    let mut parsed = Policy {
        version: POLICY_VERSION,
        owner: String::new(),
        binary: DEFAULT_BINARY.to_owned(),
        replay_prefix: Vec::new(),
        default_timeout_ms: DEFAULT_TIMEOUT_MS,
        promotion: Promotion::default(),
        views: None,
        env_allow: Vec::new(),
        profiles: profile::built_in(),
        canaries: VecMap::new(),
        ci: None,
        signatures: Vec::new(),
        gates: Vec::new(),
    };
    if let Some(section) = policy {
        read_policy(&source, section, &mut parsed, &mut faults);
    }
    if let Some(section) = promotion {
        parsed.promotion = Promotion::read(&source, section, &mut faults);
    }
    if let Some((table, span)) = artifacts {
        let mut keys = Keys::new(&source, table, span, "`[artifacts]`", CODES, &mut faults);
        parsed.views = keys.path("views");
        keys.finish();
    }
    if let Some(section) = environment {
        parsed.env_allow = read_environment(&source, section, &mut faults);
    }
    if let Some(section) = approval {
        approval::check_policy(&source, section, &mut faults);
    }
    if let Some(section) = profiles {
        parsed.profiles = profile::read(&source, section, &mut faults);
    }
    parsed.canaries = Section::each(&source, root.get("canary"), "canary", &mut faults);
    parsed.ci = Section::one(&source, root.get("ci"), "ci", &mut faults);
    if let Some(entry) = root.get("signature") {
        parsed.signatures = signature::read(&source, &entry.value, &parsed.owner, &mut faults);
    }
    let gates = read_gates(&source, root.remove("gate"), &parsed, &mut faults);
    parsed.gates = gates;
    faults.extend(cycles(&parsed.gates.iter().collect::<Vec<_>>()));
    if faults.is_empty() { Ok(parsed) } else { Err(faults) }
}

type Part<'a> = (&'a Table, Range<usize>);

fn read_policy(source: &Source, section: Part<'_>, policy: &mut Policy, faults: &mut Vec<Fault>) {
    let (table, span) = section;
    let mut keys = Keys::new(source, table, span, "`[policy]`", CODES, faults);
    let version = keys.whole("version", u32::MAX);
    if let Some(version) = keys.required("version", version)
        && version != POLICY_VERSION
    {
        let headline = format!("version {version} of the policy file is not known here");
        keys.wrong(
            "version",
            headline,
            format!("write `version = {POLICY_VERSION}`, or update portcullis"),
        );
    }
    let owner = keys.text("owner");
    if let Some(owner) = keys.required("owner", owner) {
        policy.owner = owner;
    }
    if let Some(binary) = keys.parsed("binary", common::BINARY_SHAPE, common::binary) {
        policy.binary = binary;
    }
    policy.replay_prefix = keys.argv("replay_prefix").unwrap_or_default();
    if let Some(timeout_ms) = keys.duration_ms("default_timeout") {
        policy.default_timeout_ms = timeout_ms;
    }
    keys.finish();
}

fn read_environment(source: &Source, section: Part<'_>, faults: &mut Vec<Fault>) -> Vec<String> {
    let (table, span) = section;
    let mut keys = Keys::new(source, table, span, "`[environment]`", CODES, faults);
    let name = |text: &str| {
        let shape =
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        shape.then(|| text.to_owned())
    };
    let names = keys.list("allow", "the name of an environment variable", name).unwrap_or_default();
    for name in &names {
        let upper = name.get_ref().to_ascii_uppercase();
        if let Some(word) = SECRET_WORDS.iter().find(|word| upper.contains(**word)) {
            let headline =
                format!("`{}` may hold a secret: its name contains {word}", name.get_ref());
            keys.fault(
                ENV_REFUSED,
                name.span().start,
                headline,
                "remove it, or pass the value under another name",
            );
        }
    }
    keys.finish();
    names.into_iter().map(Spanned::into_inner).collect()
}

fn read_gates(
    source: &Source,
    entry: Option<Entry>,
    policy: &Policy,
    faults: &mut Vec<Fault>,
) -> Vec<GateTable> {
    let Some(entry) = entry else { return Vec::new() };
    let wrong = |offset: usize| {
        Fault::new(
            CONFIG_INVALID,
            "`gate` is not a list of tables",
            "write `[[gate]]`, with two brackets",
        )
        .at(source.locate(offset))
    };
    let Node::Array(items) = entry.value.into_inner() else {
        faults.push(wrong(entry.key.start));
        return Vec::new();
    };
    if items.len() > GATES_MAX {
        let fault = Fault::new(
            crate::wire::code::INPUT_TOO_LARGE,
            format!("the policy has more than {GATES_MAX} gates"),
            "split the repository's policy",
        );
        faults.push(fault.at(source.locate(entry.key.start)).found(items.len().to_string()));
        return Vec::new();
    }
    let mut gates = Vec::with_capacity(items.len());
    let mut first: VecMap<GateId, usize> = VecMap::new();
    for item in items {
        let span = item.span();
        let Node::Table(table) = item.into_inner() else {
            faults.push(wrong(span.start));
            continue;
        };
        let Some(gate) = GateTable::read(source, table, span, policy, faults) else {
            continue;
        };
        if let Some(other) = first.get(&gate.common.id) {
            faults.push(twice(&gate, &gates[*other]));
            continue;
        }
        first.insert(gate.common.id.clone(), gates.len());
        gates.push(gate);
    }
    gates
}

fn twice(gate: &GateTable, other: &GateTable) -> Fault {
    Fault::new(
        DUPLICATE_GATE_ID,
        format!("two gates are called `{}`", gate.common.id),
        "rename one of the two",
    )
    .at(gate.location.clone())
    .expected("each id once")
    .found(format!("the other one at {}", other.location))
}
