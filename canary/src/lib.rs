//! Canary types.
