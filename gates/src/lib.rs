//! Standard gate kinds.

pub mod artifact_contract;
pub mod artifact_set;
mod calendar;
pub mod cargo_config;
pub mod cassettes;
#[cfg(feature = "classification")]
pub mod classification;
pub mod command;
pub mod expiring_entries;
pub mod host_matrix;
pub mod issue_ledger;
mod pattern;
pub mod runtime_matrix;
#[cfg(feature = "source-scan")]
mod rust_source;
#[cfg(feature = "source-scan")]
pub mod source_scan;
mod toml_file;
pub mod tool_identity;
