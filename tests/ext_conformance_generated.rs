//! The conformance corpus of decisions: its must-pass list, its floors and its baseline.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
