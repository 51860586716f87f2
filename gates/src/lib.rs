//! Standard gate kinds.

pub mod artifact_contract;
pub mod artifact_set;
mod calendar;
pub mod cargo_config;
#[cfg(feature = "classification")]
pub mod classification;
pub mod command;
#[cfg(all(feature = "classification", feature = "markdown"))]
pub mod docs_commands;
#[cfg(feature = "markdown")]
mod documents;
pub mod expiring_entries;
pub mod issue_ledger;
#[cfg(feature = "markdown")]
mod markdown;
#[cfg(feature = "markdown")]
pub mod ordered_tiers;
#[cfg(all(feature = "classification", feature = "markdown"))]
pub mod ownership_map;
mod pattern;
#[cfg(feature = "markdown")]
mod places;
#[cfg(feature = "source-scan")]
mod rust_source;
#[cfg(feature = "source-scan")]
pub mod source_scan;
#[cfg(feature = "classification")]
pub mod test_doubles;
#[cfg(feature = "markdown")]
pub mod text_tokens;
mod toml_file;
pub mod tool_identity;
#[cfg(feature = "classification")]
mod workspace;
