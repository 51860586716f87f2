//! The dossier and the backlog, made in one run from the conformance summary.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
