//! Asks the gate binaries of a repository what they hold: only there are its gates linked. Leaves out running them.

pub(crate) mod cargo_test;
pub(crate) mod listing;
pub(crate) mod nextest;
