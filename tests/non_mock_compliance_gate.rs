//! The test doubles of this repository: a written inventory, and none outside of the suites that may have them.

portcullis::main! { crates: [portcullis_gates, portcullis_repo] }
