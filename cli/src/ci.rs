//! Work on the workflows of the CI provider. Leaves out the command line.

pub(crate) mod corpus;
pub(crate) mod generate;
pub(crate) mod lanes;
pub(crate) mod mutate;
pub(crate) mod pins;
pub(crate) mod render;
pub(crate) mod roster;
pub(crate) mod workspace;
