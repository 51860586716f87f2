//! Documents for people and scripts, written after the decision. Nothing here can change a status.

pub mod human;
pub mod markdown;
pub mod views;
