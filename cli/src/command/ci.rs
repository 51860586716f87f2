//! `ci`: dispatches what is asked about workflows. Leaves out how it is done.

use crate::{
    args::{Ci, CiVerb},
    ci::{generate, mutate},
    exit::{Exit, Refused},
    transport::Transport,
};

/// Runs `ci`.
pub(crate) fn run(arguments: &Ci, out: &mut Transport) -> Result<Exit, Refused> {
    match &arguments.verb {
        CiVerb::Generate(wish) => generate::generate(wish, out),
        CiVerb::Check(wish) => generate::check(wish, out),
        CiVerb::Mutate(mutate) => mutate::run(mutate, out),
    }
}
