//! Standard gate kinds.
