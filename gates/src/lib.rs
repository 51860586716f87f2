//! Standard gate kinds.

mod admission;
mod artifact;
pub mod artifact_contract;
pub mod artifact_set;
mod base_commit;
#[cfg(feature = "workflows")]
pub mod bench_collection;
mod calendar;
#[cfg(feature = "canary")]
pub mod canary;
#[cfg(feature = "canary")]
pub mod canary_baseline_hygiene;
#[cfg(feature = "canary")]
pub mod canary_regression;
pub mod cargo_config;
pub mod cassettes;
#[cfg(feature = "classification")]
pub mod classification;
pub mod command;
pub mod completion_audit;
#[cfg(feature = "contracts")]
pub mod contract_freeze;
pub mod coverage_floor;
mod decimal;
#[cfg(feature = "classification")]
pub mod dependency_fence;
pub mod diff_guard;
#[cfg(all(feature = "classification", feature = "markdown"))]
pub mod docs_commands;
mod document;
#[cfg(feature = "markdown")]
mod documents;
pub mod expiring_entries;
#[cfg(feature = "classification")]
mod filterset;
pub mod host_matrix;
pub mod incident_triggers;
pub mod issue_ledger;
mod items;
mod json_path;
mod json_value;
#[cfg(feature = "classification")]
mod junit;
mod lane;
#[cfg(feature = "workflows")]
pub mod lane_budget;
#[cfg(feature = "workflows")]
pub mod lane_serial;
pub mod lineage;
#[cfg(feature = "workflows")]
pub mod lint_floor;
#[cfg(feature = "classification")]
pub mod load_bearing;
#[cfg(feature = "markdown")]
mod markdown;
#[cfg(feature = "classification")]
pub mod nextest_config;
#[cfg(feature = "workflows")]
mod nextest_profiles;
#[cfg(feature = "markdown")]
pub mod ordered_tiers;
#[cfg(all(feature = "classification", feature = "markdown"))]
pub mod ownership_map;
mod pattern;
#[cfg(feature = "markdown")]
mod places;
pub mod remediation_backlog;
pub mod runtime_matrix;
#[cfg(feature = "source-scan")]
mod rust_source;
#[cfg(feature = "workflows")]
mod selection;
pub mod set_equality;
#[cfg(feature = "workflows")]
mod shell;
#[cfg(feature = "classification")]
pub mod source_fence;
#[cfg(feature = "source-scan")]
pub mod source_scan;
#[cfg(feature = "workflows")]
mod step_script;
#[cfg(feature = "classification")]
pub mod test_doubles;
#[cfg(feature = "classification")]
mod test_roster;
#[cfg(feature = "markdown")]
pub mod text_tokens;
pub mod threshold;
mod toml_file;
pub mod tool_identity;
#[cfg(feature = "classification")]
pub mod tool_requirement;
mod view;
#[cfg(feature = "workflows")]
pub mod wiring_parity;
#[cfg(feature = "workflows")]
mod workflow;
#[cfg(feature = "workflows")]
pub mod workflow_aggregate;
#[cfg(feature = "workflows")]
pub mod workflow_no_swallow;
#[cfg(feature = "workflows")]
pub mod workflow_policy;
#[cfg(feature = "workflows")]
pub mod workflow_runs_gate;
#[cfg(feature = "classification")]
mod workspace;
