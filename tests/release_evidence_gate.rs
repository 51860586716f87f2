//! The evidence behind what is said about speed: there, fresh, of one measurement, and within what is claimed.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
