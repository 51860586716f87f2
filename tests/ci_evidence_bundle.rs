//! The evidence of one run, together and of that run alone.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
