//! Commands, links and paths of the documents.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
