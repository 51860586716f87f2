//! The combinations of a matrix, as the provider makes them.

use super::{
    WORKFLOW_INVALID,
    text::Text,
    yaml::{Node, Place, Value},
};
use portcullis::Fault;

/// A matrix as written.
#[derive(Debug)]
pub(crate) enum Matrix {
    /// The whole matrix is an expression.
    Expression(Text),
    /// Axes with their values, further combinations, and those to leave out.
    Axes { place: Place, axes: Vec<(Text, Node)>, include: Option<Node>, exclude: Option<Node> },
}

impl Matrix {
    pub(super) fn read(node: &Node) -> Result<Self, Fault> {
        let entries = match &node.value {
            Value::Scalar(text) if text.has_expression() => {
                return Ok(Self::Expression(text.clone()));
            }
            Value::Scalar(_) | Value::List(_) => {
                let headline = format!("`matrix` is {}", node.shape());
                return Err(Fault::new(WORKFLOW_INVALID, headline, "write a map of axes")
                    .at(node.place.location()));
            }
            Value::Map(entries) => entries,
        };
        let mut axes = Vec::new();
        let (mut include, mut exclude) = (None, None);
        for (key, value) in entries {
            match key.as_str() {
                "include" => include = Some(value.clone()),
                "exclude" => exclude = Some(value.clone()),
                _ => axes.push((key.clone(), value.clone())),
            }
        }
        Ok(Self::Axes { place: node.place.clone(), axes, include, exclude })
    }
}
