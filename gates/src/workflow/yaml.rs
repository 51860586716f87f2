//! One YAML document as a tree in which every node has its place. It knows nothing of workflows.
//!
//! It stands on the event parser under serde-saphyr, not on serde: a value read through serde has no place, and of a
//! key that stands twice only one line is known.

use super::{MERGE_KEY, WORKFLOW_INVALID, text::Text};
use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use portcullis::{
    Fault, Location, RelPath,
    wire::code::{DUPLICATE_KEY, INPUT_TOO_LARGE},
};
use std::{collections::BTreeMap, rc::Rc};

/// The largest file, in bytes.
const FILE_MAX: usize = 1024 * 1024;
/// The deepest nesting.
const DEPTH_MAX: usize = 64;
/// The most nodes, after aliases are resolved.
const NODES_MAX: usize = 100_000;

/// A place in a file. Cheap to copy for each node, unlike a [`Location`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) path: Rc<str>,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    pub(crate) fn location(&self) -> Location {
        Location::at(&self.path, self.line, self.column)
    }
}

/// A node of the tree.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar(Text),
    List(Vec<Node>),
    Map(Vec<(Text, Node)>),
}

impl Node {
    /// What it is, for messages.
    pub(crate) fn shape(&self) -> &'static str {
        match &self.value {
            Value::Scalar(text) if text.is_null() => "nothing",
            Value::Scalar(_) => "a scalar",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The scalar, where it is one.
    pub(crate) fn scalar(&self) -> Option<&Text> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The entries, where it is a map.
    pub(crate) fn map(&self) -> Option<&[(Text, Self)]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            Value::Scalar(_) | Value::List(_) => None,
        }
    }

    /// The items, where it is a list.
    pub(crate) fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            Value::Scalar(_) | Value::Map(_) => None,
        }
    }

    /// The value of a key, where it is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.map()?.iter().find(|(name, _)| name.as_str() == key).map(|(_, value)| value)
    }

    /// Whether it is empty: `key:` with nothing behind it.
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(Text::is_null)
    }

    /// Every scalar below it, keys included, in the order of the file.
    pub(crate) fn each_scalar<'n>(&'n self, each: &mut impl FnMut(&'n Text)) {
        match &self.value {
            Value::Scalar(text) => each(text),
            Value::List(items) => items.iter().for_each(|item| item.each_scalar(each)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    each(key);
                    value.each_scalar(each);
                }
            }
        }
    }

    /// The same tree with every place moved to that of an alias.
    fn moved_to(&self, place: &Place) -> Self {
        let value = match &self.value {
            Value::Scalar(text) => Value::Scalar(text.moved_to(place)),
            Value::List(items) => {
                Value::List(items.iter().map(|item| item.moved_to(place)).collect())
            }
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| (key.moved_to(place), value.moved_to(place)))
                    .collect(),
            ),
        };
        Self { place: place.clone(), value }
    }
}

/// Reads the one document of a text.
///
/// # Errors
/// `input_too_large`, `duplicate_key` with both lines, `merge_key`, or `workflow_invalid` for what is not one YAML
/// document of plain values.
pub(crate) fn parse(path: &RelPath, text: &str) -> Result<Node, Fault> {
    if text.len() > FILE_MAX {
        let headline = format!("`{path}` has {} bytes", text.len());
        return Err(Fault::new(INPUT_TOO_LARGE, headline, "split the file")
            .at(Location::file(path))
            .expected(format!("at most {FILE_MAX} bytes")));
    }
    Reader {
        path: path.as_str().into(),
        stack: Vec::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
        root: None,
        documents: 0,
    }
    .read(text)
}

struct Reader {
    path: Rc<str>,
    stack: Vec<Open>,
    /// Finished anchored nodes with how many nodes each has.
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
    documents: usize,
}

/// A collection whose end was not seen yet.
struct Open {
    place: Place,
    anchor: usize,
    /// How many nodes were counted before it began.
    before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(Text, Node)>, lines: BTreeMap<String, u32>, key: Option<Text> },
}

impl Reader {
    fn read(mut self, text: &str) -> Result<Node, Fault> {
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| {
                let at = Place {
                    path: Rc::clone(&self.path),
                    line: narrow(error.marker().line()),
                    column: narrow(error.marker().col() + 1),
                };
                self.invalid(&at, &format!("the text is not YAML: {}", error.info()), "correct it")
            })?;
            self.event(event, span)?;
        }
        let path = Rc::clone(&self.path);
        self.root.take().filter(|_| self.documents > 0).ok_or_else(|| {
            let headline = format!("`{path}` has no document");
            Fault::new(WORKFLOW_INVALID, headline, "write a map into it, or delete the file")
                .at(Location::file(&path))
        })
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let place = Place {
            path: Rc::clone(&self.path),
            line: narrow(span.start.line()),
            column: narrow(span.start.col() + 1),
        };
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let remedy = "keep one document per file";
                    return Err(self.invalid(&place, "the file has a second document", remedy));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, &place)?;
                let tagged = self.tag(tag.as_deref(), &place)?;
                let text = Text::new(&text, style, tagged, place.clone());
                self.finish(Node { place, value: Value::Scalar(text) }, anchor, 1)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), &place)?;
                self.open(Content::List(Vec::new()), anchor, place)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), &place)?;
                let content =
                    Content::Map { entries: Vec::new(), lines: BTreeMap::new(), key: None };
                self.open(content, anchor, place)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id) else {
                    let remedy = "write the value out";
                    return Err(self.invalid(&place, "an alias names a node around it", remedy));
                };
                let size = *size;
                // Counted before it is copied: an alias of aliases must not be built to be refused.
                if self.nodes + size > NODES_MAX {
                    return Err(self.too_many(&place));
                }
                let node = node.moved_to(&place);
                self.nodes += size;
                self.finish(node, 0, size)
            }
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            other @ (Event::Anchor(..) | Event::UnresolvedAlias(_) | _) => {
                let what = format!("the parser met {other:?}");
                Err(self.invalid(&place, &what, "write plain YAML 1.2"))
            }
        }
    }

    /// Whether a scalar is tagged as a string. Tags other than those of the core schema are refused.
    fn tag(&self, tag: Option<&Tag>, place: &Place) -> Result<bool, Fault> {
        match tag {
            None => Ok(false),
            // `! text`, the tag without a name, says that the text is no number and no boolean.
            Some(tag) if tag.handle().is_empty() && tag.suffix() == "!" => Ok(true),
            Some(tag) if tag.is_yaml_core_schema() => Ok(tag.core_suffix() == Some("str")),
            Some(tag) => {
                let what = format!("a node has the tag `{}`", tag.original());
                Err(self.invalid(place, &what, "remove the tag"))
            }
        }
    }

    fn open(&mut self, content: Content, anchor: usize, place: Place) -> Result<(), Fault> {
        self.count(1, &place)?;
        if self.stack.len() >= DEPTH_MAX {
            let headline = format!("a node is more than {DEPTH_MAX} levels deep");
            return Err(
                Fault::new(INPUT_TOO_LARGE, headline, "flatten the file").at(place.location())
            );
        }
        self.stack.push(Open { place, anchor, before: self.nodes - 1, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let value = match open.content {
            Content::List(items) => Value::List(items),
            Content::Map { entries, .. } => Value::Map(entries),
        };
        let size = self.nodes - open.before;
        self.finish(Node { place: open.place, value }, open.anchor, size)
    }

    /// Puts a finished node where it belongs.
    fn finish(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), Fault> {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, lines, key } => match key.take() {
                Some(name) => entries.push((name, node)),
                None => *key = Some(key_of(&node, lines)?),
            },
        }
        Ok(())
    }

    fn count(&mut self, more: usize, place: &Place) -> Result<(), Fault> {
        self.nodes += more;
        if self.nodes > NODES_MAX { Err(self.too_many(place)) } else { Ok(()) }
    }

    fn too_many(&self, place: &Place) -> Fault {
        let headline = format!("`{}` has more than {NODES_MAX} nodes", self.path);
        Fault::new(INPUT_TOO_LARGE, headline, "split the file, or use fewer aliases")
            .at(place.location())
    }

    fn invalid(&self, place: &Place, what: &str, remedy: &str) -> Fault {
        let headline = format!("`{}`: {what}", self.path);
        Fault::new(WORKFLOW_INVALID, headline, remedy).at(place.location())
    }
}

/// The key that a node is, if it is one, and stands in its map for the first time.
fn key_of(node: &Node, lines: &mut BTreeMap<String, u32>) -> Result<Text, Fault> {
    let Some(text) = node.scalar() else {
        let headline = format!("a key is {}", node.shape());
        return Err(Fault::new(WORKFLOW_INVALID, headline, "write a plain text as the key")
            .at(node.place.location()));
    };
    if text.is_plain() && text.as_str() == "<<" {
        let remedy = "write the merged keys out: the provider does not merge";
        return Err(
            Fault::new(MERGE_KEY, "a map has a merge key `<<`", remedy).at(node.place.location())
        );
    }
    let line = node.place.line;
    if let Some(first) = lines.insert(text.as_str().to_owned(), line) {
        let headline = format!("key `{}` stands twice, in lines {first} and {line}", text.as_str());
        return Err(Fault::new(DUPLICATE_KEY, headline, "remove one of the two")
            .at(node.place.location())
            .expected(format!("once, in line {first}"))
            .found(format!("again in line {line}")));
    }
    Ok(text.clone())
}

/// A count of the parser as a number of a location; it counts lines from 1.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How a scalar is written, as far as a reader has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Literal,
    Folded,
}

impl From<ScalarStyle> for Style {
    fn from(style: ScalarStyle) -> Self {
        match style {
            ScalarStyle::Plain => Self::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Self::Quoted,
            ScalarStyle::Literal => Self::Literal,
            ScalarStyle::Folded => Self::Folded,
        }
    }
}
