//! What this repository adds to portcullis for itself: its own gates, written in Rust, and the support of its tests.
//!
//! Every gate binary of the repository links this crate, so that all of them know the same gates.

pub mod conformance;
mod dependencies;
mod host;
pub mod process;
mod snapshot;
mod versions;

pub use snapshot::{bless_requested, generated, snapshot};
