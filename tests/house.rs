//! Gates written in Rust because they are about this repository alone.

mod architecture;
mod dependencies;
mod versions;
