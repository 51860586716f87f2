//! May we tag?

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
