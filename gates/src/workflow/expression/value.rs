//! Values of expressions, known in whole, in part, or not at all, and how the provider coerces and compares them.

use super::{
    super::text::{Core, Text, printed},
    parse::{Operator, number},
};

/// A value. What nobody can know before the run is `Unknown`, also inside of lists and maps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Unknown,
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    /// What `.*` gives: a member of it is the list of that member of each.
    Every(Vec<Self>),
    /// Members in lower case; of an open map, others may exist.
    Map {
        members: Vec<(String, Self)>,
        open: bool,
    },
}

impl Value {
    pub(crate) fn open(members: impl IntoIterator<Item = (String, Self)>) -> Self {
        Self::Map { members: members.into_iter().collect(), open: true }
    }

    pub(crate) fn closed(members: impl IntoIterator<Item = (String, Self)>) -> Self {
        Self::Map { members: members.into_iter().collect(), open: false }
    }

    /// The value of a scalar without expression.
    pub(crate) fn of(text: &Text) -> Self {
        match text.core() {
            Core::Null => Self::Null,
            Core::Bool(value) => Self::Bool(value),
            Core::Number(value) => Self::Number(value),
            Core::String => Self::Text(text.as_str().to_owned()),
        }
    }

    /// Whether nothing in it is unknown.
    pub(crate) fn is_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => true,
            Self::List(items) | Self::Every(items) => items.iter().all(Self::is_known),
            Self::Map { members, open } => !open && members.iter().all(|(_, v)| v.is_known()),
        }
    }

    /// Whether it counts as true, where that is known.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Null => Some(false),
            Self::Bool(value) => Some(*value),
            Self::Number(value) => Some(*value != 0.0 && !value.is_nan()),
            Self::Text(text) => Some(!text.is_empty()),
            Self::List(_) | Self::Every(_) | Self::Map { .. } => Some(true),
        }
    }

    /// As it is printed into a text; `None` where that is not known.
    pub(crate) fn print(&self) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::Null => Some(String::new()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Number(value) => Some(printed(*value)),
            Self::Text(text) => Some(text.clone()),
            Self::List(_) | Self::Every(_) => Some("Array".to_owned()),
            Self::Map { .. } => Some("Object".to_owned()),
        }
    }

    /// Its texts: one of a scalar, each of a list; `None` where they are not known.
    pub(crate) fn texts(&self) -> Option<Vec<String>> {
        match self {
            Self::List(items) | Self::Every(items) => items.iter().map(Self::print).collect(),
            Self::Map { .. } | Self::Unknown => None,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {
                self.print().map(|text| vec![text])
            }
        }
    }

    /// A member by its name.
    pub(crate) fn member(&self, name: &str) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Map { members, open } => {
                let found = members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                match found {
                    Some((_, value)) => value.clone(),
                    None if *open => Self::Unknown,
                    None => Self::Null,
                }
            }
            Self::Every(items) => Self::Every(
                items.iter().map(|item| item.member(name)).filter(|v| *v != Self::Null).collect(),
            ),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => {
                Self::Null
            }
        }
    }

    /// A member by a computed name or position.
    pub(crate) fn index(&self, index: &Self) -> Self {
        match (self, index) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::List(items) | Self::Every(items), index) => {
                let position = index.as_number().filter(|n| *n >= 0.0 && n.is_finite());
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "not negative and finite; a position beyond the list is none"
                )]
                let found = position.and_then(|n| items.get(n.floor() as usize));
                found.cloned().unwrap_or(Self::Null)
            }
            (of, index) => index.print().map_or(Self::Unknown, |name| of.member(&name)),
        }
    }

    /// Every value of a list or map.
    pub(crate) fn every(&self) -> Self {
        match self {
            Self::Unknown | Self::Map { open: true, .. } => Self::Unknown,
            Self::List(items) => Self::Every(items.clone()),
            Self::Map { members, open: false } => {
                Self::Every(members.iter().map(|(_, value)| value.clone()).collect())
            }
            Self::Every(items) => {
                let mut all = Vec::new();
                for item in items {
                    match item.every() {
                        Self::Every(inner) => all.extend(inner),
                        Self::Unknown => return Self::Unknown,
                        Self::Null
                        | Self::Bool(_)
                        | Self::Number(_)
                        | Self::Text(_)
                        | Self::List(_)
                        | Self::Map { .. } => {}
                    }
                }
                Self::Every(all)
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => Self::Every(Vec::new()),
        }
    }

    fn as_number(&self) -> Option<f64> {
        match self {
            Self::Unknown => None,
            Self::Null => Some(0.0),
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Number(value) => Some(*value),
            Self::Text(text) => Some(match text.trim() {
                "" => 0.0,
                text => number(text).unwrap_or(f64::NAN),
            }),
            Self::List(_) | Self::Every(_) | Self::Map { .. } => Some(f64::NAN),
        }
    }

    fn is_compound(&self) -> bool {
        matches!(self, Self::List(_) | Self::Every(_) | Self::Map { .. })
    }

    /// Compares loosely, as the provider does; `None` where the answer is not known.
    pub(crate) fn compare(&self, operator: Operator, other: &Self) -> Option<bool> {
        if *self == Self::Unknown || *other == Self::Unknown {
            return None;
        }
        // Lists and maps are equal to themselves alone, and which is which is not known here.
        if self.is_compound() && other.is_compound() {
            return None;
        }
        if let (Self::Text(a), Self::Text(b)) = (self, other) {
            let (a, b) = (a.to_uppercase(), b.to_uppercase());
            return Some(holds(operator, Some(a.cmp(&b))));
        }
        let (a, b) = (self.as_number()?, other.as_number()?);
        Some(holds(operator, a.partial_cmp(&b)))
    }
}

fn holds(operator: Operator, order: Option<std::cmp::Ordering>) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match operator {
        Operator::Equal => order == Some(Equal),
        Operator::Unequal => order != Some(Equal),
        Operator::Less => order == Some(Less),
        Operator::LessOrEqual => matches!(order, Some(Less | Equal)),
        Operator::Greater => order == Some(Greater),
        Operator::GreaterOrEqual => matches!(order, Some(Greater | Equal)),
    }
}
