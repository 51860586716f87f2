//! Measuring canaries: processes, CPUs, files and clocks. What a measurement shows is asked of the kernel, never decided here.

pub(crate) mod arm;
pub(crate) mod calibrated;
pub(crate) mod child;
pub(crate) mod folder;
pub(crate) mod kernel;
pub(crate) mod machine;
pub(crate) mod post;
pub(crate) mod proof;
pub(crate) mod runner;
