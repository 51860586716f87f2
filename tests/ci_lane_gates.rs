//! The gates over the settings of the lanes: lint levels, dependencies, names and frozen contracts.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
