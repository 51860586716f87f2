//! All contact with the outside: files, processes, git, the clock, the environment and run directories.
//!
//! Leaves out every judgement: nothing here knows a status, a waiver or a policy.

pub mod clock;
pub mod context;
pub mod digest;
pub mod environment;
pub mod git;
pub mod glob;
pub mod home;
pub mod host;
pub mod json;
pub mod lines;
pub mod process;
pub mod redaction;
pub mod store;
pub mod target_dir;
pub mod tool;
pub mod tree;
