//! The expressions of the provider, parsed in full, and texts that contain them. What they come to: see `fold`.

mod fold;
mod parse;
mod value;

pub(super) use fold::faults;
pub(crate) use fold::{Condition, Scene, Template};
pub(crate) use parse::{Expression, Operator, parse};
pub(crate) use value::Value;

#[cfg(test)]
mod tests;
