//! The gate binary of this repository: every gate of `portcullis.toml` and of `house` is a named trial.

mod house;

portcullis::main! { crates: [portcullis_gates] }
