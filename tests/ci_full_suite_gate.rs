//! The main gate binary of this repository: the aggregates, and every gate of `portcullis.toml` that names no other binary.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
