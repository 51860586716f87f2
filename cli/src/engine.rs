//! Asks the gate binaries of a repository what they hold: only there are its gates linked. It decides nothing.

pub(crate) mod cargo_test;
pub(crate) mod child;
pub(crate) mod doctest;
pub(crate) mod fallback;
pub(crate) mod listing;
pub(crate) mod nextest;
