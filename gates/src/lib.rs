//! Standard gate kinds.

mod artifact;
pub mod artifact_contract;
pub mod artifact_set;
mod calendar;
pub mod cargo_config;
#[cfg(feature = "classification")]
pub mod classification;
pub mod command;
mod document;
pub mod expiring_entries;
pub mod incident_triggers;
pub mod issue_ledger;
mod items;
mod json_path;
mod json_value;
pub mod lineage;
mod pattern;
pub mod remediation_backlog;
#[cfg(feature = "source-scan")]
mod rust_source;
pub mod set_equality;
#[cfg(feature = "source-scan")]
pub mod source_scan;
pub mod threshold;
mod toml_file;
pub mod tool_identity;
mod view;
