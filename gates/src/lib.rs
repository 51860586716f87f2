//! Standard gate kinds.

pub mod artifact_contract;
pub mod artifact_set;
mod calendar;
pub mod cargo_config;
#[cfg(feature = "classification")]
pub mod classification;
pub mod command;
#[cfg(feature = "markdown")]
mod documents;
pub mod expiring_entries;
pub mod issue_ledger;
#[cfg(feature = "markdown")]
mod markdown;
#[cfg(feature = "markdown")]
pub mod ordered_tiers;
mod pattern;
#[cfg(feature = "markdown")]
mod places;
#[cfg(feature = "source-scan")]
mod rust_source;
#[cfg(feature = "source-scan")]
pub mod source_scan;
mod toml_file;
pub mod tool_identity;
