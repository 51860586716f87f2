//! Node is Node, an imitator is found out, and what differs between runtimes is declared.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
