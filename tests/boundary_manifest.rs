//! Who owns which module, and which way dependencies point.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
