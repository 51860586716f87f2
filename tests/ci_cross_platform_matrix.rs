//! What this host is like, and the reports of the platforms that must work.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
