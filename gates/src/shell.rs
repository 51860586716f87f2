//! Scripts of CI lanes: text into commands, commands into what really runs, and what a failure of one of them comes to.
//! Nothing is ever executed. Other shells than the POSIX family and bash are not read here.

pub(crate) mod argv;
mod arithmetic;
pub(crate) mod follow;
mod grammar;
pub(crate) mod open;
pub(crate) mod options;
mod scan;
mod state;
pub(crate) mod tree;

use tree::List;

/// Why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unparsed {
    /// The offset at which reading stopped.
    pub(crate) at: usize,
    pub(crate) why: String,
}

/// Reads a script.
///
/// # Errors
/// Where and why it does not parse. A script of which a part was not understood is never half read.
pub(crate) fn parse(text: &str) -> Result<List, Unparsed> {
    let mut scanner = scan::Scanner::new(text, 0, 0);
    grammar::whole(&mut scanner)
}

/// Whether a text can be the name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;
