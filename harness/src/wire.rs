//! Documents and values that cross a process boundary, each with its version rule. No I/O, no clock.

pub mod artifact;
pub mod code;
pub mod fault;
pub mod finding;
pub mod id;
pub mod ordered;
pub mod outcome;
pub mod path;
pub mod receipt;
pub mod sha256;
pub mod text;
pub mod time;
