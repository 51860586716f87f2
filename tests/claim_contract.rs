//! What the documents claim, against what is certified.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
