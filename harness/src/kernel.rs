//! The decision and everything it needs: text, values and `now` in, values out. No I/O, no clock, no environment.

pub mod approval;
pub mod census;
pub mod decide;
pub mod document;
pub mod duration;
pub mod loosening;
pub mod near;
pub mod policy;
pub mod promotion;
#[cfg(feature = "audit")]
pub mod quarantine;
pub mod receipt;
pub mod recorded;
pub mod replay;
pub mod waiver;
