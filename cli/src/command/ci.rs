//! `ci`: dispatches what is asked about workflows. Leaves out how it is done.

use crate::{
    args::{Ci, CiVerb},
    ci::mutate,
    exit::{Exit, Refused},
    transport::Transport,
};

/// Runs `ci`.
pub(crate) fn run(arguments: &Ci, out: &mut Transport) -> Result<Exit, Refused> {
    match &arguments.verb {
        CiVerb::Mutate(mutate) => mutate::run(mutate, out),
    }
}
