//! The combinations of a matrix, as the provider makes them.

use super::{
    Job, WORKFLOW_INVALID,
    expression::{Operator, Scene, Template, Value as Known},
    text::{Core, Text},
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

/// How many combinations are made; the provider itself stops at 256 jobs.
const COMBINATIONS_MAX: usize = 4096;

/// One combination: the value of each key, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Combination {
    pub(crate) values: Vec<(String, Known)>,
}

/// Why the combinations are not known.
#[derive(Clone, Debug)]
pub(crate) struct Unknown {
    pub(crate) place: Place,
    pub(crate) why: String,
}

impl Combination {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Known> {
        self.values.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, v)| v)
    }

    fn set(&mut self, key: &str, value: Known) {
        match self.values.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(key)) {
            Some((_, old)) => *old = value,
            None => self.values.push((key.to_owned(), value)),
        }
    }
}

impl Matrix {
    /// Where it stands.
    pub(crate) fn place(&self) -> &Place {
        match self {
            Self::Expression(text) => text.place(),
            Self::Axes { place, .. } => place,
        }
    }

    /// Bare numbers that the provider prints in another way than they are written, such as `1.90`.
    pub(crate) fn misprinted(&self) -> Vec<&Text> {
        let Self::Axes { axes, include, exclude, .. } = self else { return Vec::new() };
        let mut found = Vec::new();
        for node in axes.iter().map(|(_, node)| node).chain(include).chain(exclude) {
            node.each_scalar(&mut |text| {
                if matches!(text.core(), Core::Number(_)) && text.as_str() != text.written() {
                    found.push(text);
                }
            });
        }
        found
    }
}

/// The combinations of a job: one that is empty without a matrix, none when everything is excluded.
///
/// # Errors
/// The part of the matrix that only the provider knows.
pub(crate) fn combinations(job: &Job) -> Result<Vec<Combination>, Unknown> {
    let Some(matrix) = &job.matrix else { return Ok(vec![Combination::default()]) };
    let (axes, include, exclude) = match matrix {
        Matrix::Expression(text) => {
            let Known::Map { members, open: false } = Template::of(text).fold(&Scene::default())
            else {
                return Err(unknown(text.place(), "the matrix is an expression"));
            };
            from_members(members, text.place())?
        }
        Matrix::Axes { axes, include, exclude, .. } => {
            let mut known = Vec::new();
            for (name, node) in axes {
                known.push((name.as_str().to_owned(), values(node)?));
            }
            (known, tables(include.as_ref())?, tables(exclude.as_ref())?)
        }
    };
    let product = product(&axes).ok_or_else(|| {
        unknown(
            matrix.place(),
            &format!("the matrix has more than {COMBINATIONS_MAX} combinations"),
        )
    })?;
    let kept: Vec<Combination> = product
        .into_iter()
        .filter(|one| !exclude.iter().any(|excluded| is_excluded(one, excluded)))
        .collect();
    Ok(included(kept, &axes, include))
}

type Axes = Vec<(String, Vec<Known>)>;
type Tables = Vec<Vec<(String, Known)>>;

fn from_members(
    members: Vec<(String, Known)>,
    place: &Place,
) -> Result<(Axes, Tables, Tables), Unknown> {
    let (mut axes, mut include, mut exclude) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in members {
        let Known::List(items) = value else {
            return Err(unknown(place, &format!("axis `{name}` is no list")));
        };
        let tables = || {
            items.iter().map(|item| {
                if let Known::Map { members, .. } = item {
                    Ok(members.clone())
                } else {
                    Err(unknown(place, "an entry of the matrix is no map"))
                }
            })
        };
        match name.as_str() {
            "include" => include = tables().collect::<Result<_, _>>()?,
            "exclude" => exclude = tables().collect::<Result<_, _>>()?,
            _ => axes.push((name, items)),
        }
    }
    Ok((axes, include, exclude))
}

/// Every combination of one value from each axis; `None` beyond the limit. Without axes there is none.
fn product(axes: &Axes) -> Option<Vec<Combination>> {
    if axes.is_empty() {
        return Some(Vec::new());
    }
    let mut all = vec![Combination::default()];
    for (name, values) in axes {
        if all.len().checked_mul(values.len())? > COMBINATIONS_MAX {
            return None;
        }
        all = all
            .iter()
            .flat_map(|one| {
                values.iter().map(move |value| {
                    let mut next = one.clone();
                    next.set(name, value.clone());
                    next
                })
            })
            .collect();
    }
    Some(all)
}

/// An entry of `exclude` takes out every combination that has all its values.
fn is_excluded(one: &Combination, excluded: &[(String, Known)]) -> bool {
    excluded.iter().all(|(key, value)| one.get(key).is_some_and(|own| is_same(own, value)))
}

/// Whether two values are the same one, also within maps, of which the second may name a part only.
fn is_same(own: &Known, part: &Known) -> bool {
    match (own, part) {
        (Known::Map { members: own, .. }, Known::Map { members: part, .. }) => {
            part.iter().all(|(name, value)| {
                own.iter().any(|(known, own)| known == name && is_same(own, value))
            })
        }
        (Known::List(own), Known::List(part)) => {
            own.len() == part.len() && own.iter().zip(part).all(|(a, b)| is_same(a, b))
        }
        (own, part) => own.compare(Operator::Equal, part) == Some(true),
    }
}

/// An entry of `include` is added to every combination of the axes of which it overwrites no value; if there is none, it
/// is a combination of its own.
fn included(mut all: Vec<Combination>, axes: &Axes, include: Tables) -> Vec<Combination> {
    let made = all.len();
    for entry in include {
        let is_axis = |key: &str| axes.iter().any(|(name, _)| name.eq_ignore_ascii_case(key));
        let mut added = false;
        for one in all.iter_mut().take(made) {
            let overwrites = entry.iter().any(|(key, value)| {
                is_axis(key) && one.get(key).is_some_and(|own| !is_same(own, value))
            });
            if !overwrites {
                entry.iter().for_each(|(key, value)| one.set(key, value.clone()));
                added = true;
            }
        }
        if !added {
            let mut one = Combination::default();
            entry.iter().for_each(|(key, value)| one.set(key, value.clone()));
            all.push(one);
        }
    }
    all
}

/// The values of an axis.
fn values(node: &Node) -> Result<Vec<Known>, Unknown> {
    let value = value(node)?;
    if let Known::List(items) | Known::Every(items) = value {
        Ok(items)
    } else {
        // The provider takes a single value for a list of one.
        Ok(vec![value])
    }
}

/// The entries of `include` or `exclude`.
fn tables(node: Option<&Node>) -> Result<Tables, Unknown> {
    let Some(node) = node else { return Ok(Vec::new()) };
    values(node)?
        .into_iter()
        .filter(|value| *value != Known::Null)
        .map(|value| {
            if let Known::Map { members, .. } = value {
                Ok(members)
            } else {
                Err(unknown(&node.place, "an entry of the matrix is no map"))
            }
        })
        .collect()
}

/// The value of a node. An expression is known when it needs no context, such as `fromJSON` of a literal.
fn value(node: &Node) -> Result<Known, Unknown> {
    match &node.value {
        Value::Scalar(text) => {
            let known = Template::of(text).fold(&Scene::default());
            if known.is_known() {
                return Ok(known);
            }
            Err(unknown(text.place(), "a value of the matrix is an expression"))
        }
        Value::List(items) => items.iter().map(value).collect::<Result<_, _>>().map(Known::List),
        Value::Map(entries) => {
            let mut members = Vec::new();
            for (key, node) in entries {
                members.push((key.as_str().to_ascii_lowercase(), value(node)?));
            }
            Ok(Known::closed(members))
        }
    }
}

fn unknown(place: &Place, why: &str) -> Unknown {
    Unknown { place: place.clone(), why: why.to_owned() }
}
