//! Work on the workflows of the CI provider. Leaves out the command line.

pub(crate) mod corpus;
pub(crate) mod mutate;
pub(crate) mod workspace;
