//! CI gates as cargo tests. A gate that cannot prove it looked stays shut.

pub mod evidence;
pub mod wire;
