//! A document as CommonMark has it: headings, links, code spans and code blocks with their places. It renders nothing.

use crate::places::Places;
use portcullis::{Fault, Location, RelPath, wire::code::INPUT_TOO_LARGE};
use pulldown_cmark::{
    BrokenLink, CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd,
};
use std::{collections::BTreeMap, ops::Range};

/// The largest document, in bytes. Some nestings cost the parser more than their length (threat T12).
const DOCUMENT_MAX: usize = 4 * 1024 * 1024;
/// How many block quotes or list marks may open one line; every following line is held against all of them.
const NESTING_MAX: usize = 64;

/// A Markdown document.
pub(crate) struct Document {
    path: RelPath,
    text: String,
    places: Places,
    pub(crate) headings: Vec<Heading>,
    pub(crate) links: Vec<Link>,
    pub(crate) spans: Vec<CodeSpan>,
    pub(crate) blocks: Vec<CodeBlock>,
    anchors: BTreeMap<String, usize>,
}

/// A heading, and the part of the document it stands over.
#[derive(Debug)]
pub(crate) struct Heading {
    /// The headings around it and itself, the outermost first.
    pub(crate) path: Vec<String>,
    level: HeadingLevel,
    /// From its first byte to the next heading of its level or above.
    pub(crate) range: Range<usize>,
    /// Where the heading itself ends.
    pub(crate) body: usize,
}

impl Heading {
    /// Its level, from 1.
    pub(crate) fn level(&self) -> u8 {
        self.level as u8
    }
}

/// A link or image.
#[derive(Debug)]
pub(crate) struct Link {
    /// The target as written; for a reference that nothing defines, its label.
    pub(crate) target: String,
    /// Whether nothing defines the reference.
    pub(crate) is_undefined: bool,
    pub(crate) offset: usize,
}

/// A text between backticks.
#[derive(Debug)]
pub(crate) struct CodeSpan {
    pub(crate) text: String,
    pub(crate) offset: usize,
}

/// A fenced or indented block of code.
#[derive(Debug)]
pub(crate) struct CodeBlock {
    /// The info string of a fence; nothing for an indented block.
    #[cfg_attr(
        not(feature = "classification"),
        expect(dead_code, reason = "`docs_commands` asks for it")
    )]
    pub(crate) info: Option<String>,
    /// The lines with their numbers in the document.
    pub(crate) lines: Vec<(u32, String)>,
    pub(crate) range: Range<usize>,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// When it is larger than 4 MiB, or nests deeper than any text for people.
    pub(crate) fn new(path: &RelPath, text: String) -> Result<Self, Fault> {
        let places = Places::new(&text);
        within_limits(path, &text)?;
        let mut document = Self {
            path: path.clone(),
            text: String::new(),
            places,
            headings: Vec::new(),
            links: Vec::new(),
            spans: Vec::new(),
            blocks: Vec::new(),
            anchors: BTreeMap::new(),
        };
        document.collect(&text);
        document.text = text;
        document.close_sections();
        Ok(document)
    }

    /// The text as it was read.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The path it was read from.
    pub(crate) fn path(&self) -> &RelPath {
        &self.path
    }

    /// The place of a byte offset.
    pub(crate) fn location(&self, offset: usize) -> Location {
        self.places.location(&self.path, &self.text, offset)
    }

    /// Whether a link may end in `#anchor`.
    pub(crate) fn has_anchor(&self, anchor: &str) -> bool {
        self.anchors.contains_key(anchor)
    }

    /// Every anchor, for messages.
    pub(crate) fn anchors(&self) -> impl Iterator<Item = &str> {
        self.anchors.keys().map(String::as_str)
    }

    /// The sections under a heading path such as `Install > Linux`; its parts may leave out outer headings.
    pub(crate) fn sections<'d>(&'d self, path: &str) -> impl Iterator<Item = &'d Heading> {
        let wanted: Vec<String> = path.split('>').map(|part| part.trim().to_owned()).collect();
        self.headings.iter().filter(move |heading| {
            let Some((last, outer)) = wanted.split_last() else { return false };
            let Some((own, around)) = heading.path.split_last() else { return false };
            let mut around = around.iter();
            own == last && outer.iter().all(|part| around.any(|name| name == part))
        })
    }

    fn collect(&mut self, text: &str) {
        let mut undefined = Vec::new();
        let note = |link: BrokenLink<'_>| {
            // `[a][b]` is meant as a link; `[a]` alone is a pair of brackets more often than not.
            if link.link_type == LinkType::ReferenceUnknown || link.link_type == LinkType::Reference
            {
                undefined.push((link.reference.to_string(), link.span.start));
            }
            None
        };
        let parser =
            Parser::new_with_broken_link_callback(text, Options::ENABLE_TABLES, Some(note));
        let mut heading: Option<(HeadingLevel, usize, String)> = None;
        let mut block: Option<CodeBlock> = None;
        for (event, range) in parser.into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    heading = Some((level, range.start, String::new()));
                }
                Event::End(TagEnd::Heading(_)) => {
                    if let Some((level, start, title)) = heading.take() {
                        self.heading(level, start..range.end, title.trim());
                    }
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    self.links.push(Link {
                        target: dest_url.to_string(),
                        is_undefined: false,
                        offset: range.start,
                    });
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => Some(info.to_string()),
                        CodeBlockKind::Indented => None,
                    };
                    block = Some(CodeBlock { info, lines: Vec::new(), range });
                }
                Event::End(TagEnd::CodeBlock) => self.blocks.extend(block.take()),
                Event::Text(part) => match (&mut block, &mut heading) {
                    (Some(block), _) => self.code_lines(block, &part, range.start),
                    (None, Some((_, _, title))) => title.push_str(&part),
                    (None, None) => {}
                },
                Event::Code(part) => {
                    if let Some((_, _, title)) = &mut heading {
                        title.push_str(&part);
                    }
                    self.spans.push(CodeSpan { text: part.to_string(), offset: range.start });
                }
                Event::Html(html) | Event::InlineHtml(html) => self.html_anchors(&html),
                Event::SoftBreak | Event::HardBreak => {
                    if let Some((_, _, title)) = &mut heading {
                        title.push(' ');
                    }
                }
                Event::Start(_)
                | Event::End(_)
                | Event::InlineMath(_)
                | Event::DisplayMath(_)
                | Event::FootnoteReference(_)
                | Event::Rule
                | Event::TaskListMarker(_) => {}
            }
        }
        self.links.extend(undefined.into_iter().map(|(target, offset)| Link {
            target,
            is_undefined: true,
            offset,
        }));
        self.links.sort_by_key(|link| link.offset);
    }

    /// The parser hands over a block in parts: one for each line in a list or quote, one for all lines elsewhere.
    fn code_lines(&self, block: &mut CodeBlock, part: &str, offset: usize) {
        let first = self.places.line(offset);
        for (number, line) in (first..).zip(part.lines()) {
            match block.lines.last_mut().filter(|(last, _)| *last == number) {
                Some((_, begun)) => begun.push_str(line),
                None => block.lines.push((number, line.to_owned())),
            }
        }
    }

    fn heading(&mut self, level: HeadingLevel, range: Range<usize>, title: &str) {
        self.headings.push(Heading {
            path: vec![title.to_owned()],
            level,
            range: range.start..usize::MAX,
            body: range.end,
        });
        let slug = slug(title);
        let twins = self.anchors.entry(slug.clone()).and_modify(|n| *n += 1).or_insert(0);
        if *twins > 0 {
            let numbered = format!("{slug}-{twins}");
            self.anchors.entry(numbered).or_insert(0);
        }
    }

    /// Gives every heading its end and the headings around it.
    fn close_sections(&mut self) {
        let mut open: Vec<usize> = Vec::new();
        for index in 0..self.headings.len() {
            let (level, start) = (self.headings[index].level, self.headings[index].range.start);
            while let Some(last) = open.pop_if(|last| self.headings[*last].level >= level) {
                self.headings[last].range.end = start;
            }
            if let Some(around) = open.last() {
                let mut path = self.headings[*around].path.clone();
                path.append(&mut self.headings[index].path);
                self.headings[index].path = path;
            }
            open.push(index);
        }
        for last in open {
            self.headings[last].range.end = self.text.len();
        }
    }

    fn html_anchors(&mut self, html: &str) {
        for attribute in ["id=", "name="] {
            for rest in html.split(attribute).skip(1) {
                let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
                let name = quote.and_then(|quote| rest[1..].split(quote).next());
                if let Some(name) = name.filter(|name| !name.is_empty()) {
                    self.anchors.entry(name.to_owned()).or_insert(0);
                }
            }
        }
    }
}

fn within_limits(path: &RelPath, text: &str) -> Result<(), Fault> {
    let too = |what: String, expected: String, line: u32| {
        Err(Fault::new(INPUT_TOO_LARGE, what, "split the document, or leave it out")
            .at(Location::at(path, line, 0))
            .expected(expected))
    };
    if text.len() > DOCUMENT_MAX {
        let what = format!("`{path}` has {} bytes", text.len());
        return too(what, format!("at most {DOCUMENT_MAX} bytes"), 0);
    }
    for (number, line) in (1u32..).zip(text.lines()) {
        let opening = line.chars().take_while(|c| matches!(c, '>' | '-' | '*' | '+' | ' ' | '\t'));
        let quotes = opening.filter(|c| *c == '>').count();
        // A list mark is followed by a space; many of them in a row are a rule.
        let lists = line.split_whitespace().take_while(|word| matches!(*word, "-" | "*" | "+"));
        if quotes.max(lists.count()) > NESTING_MAX {
            let what = format!("`{path}` nests deeper than any text for people");
            return too(what, format!("at most {NESTING_MAX} quotes or lists"), number);
        }
    }
    Ok(())
}

/// The anchor of a heading as the common forges make it.
fn slug(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::new(&RelPath::parse("a.md").expect("a path"), text.to_owned())
            .expect("a document")
    }

    #[test]
    fn sections_follow_their_headings() {
        let text = "# Guide\nx\n## Install\ny\n### On `Linux`\nz\n## Use\nw\n# Guide\n";
        let document = document(text);
        let texts = |path: &str| -> Vec<&str> {
            document.sections(path).map(|found| text[found.range.clone()].trim()).collect()
        };
        assert_eq!(texts("Install"), ["## Install\ny\n### On `Linux`\nz"]);
        assert_eq!(texts("Guide > On Linux"), ["### On `Linux`\nz"]);
        assert_eq!(texts("Guide > Install > On Linux"), ["### On `Linux`\nz"]);
        assert_eq!(texts("Use > On Linux"), Vec::<&str>::new());
        assert_eq!(texts("Guide").len(), 2);
        for (anchor, expected) in
            [("guide", true), ("guide-1", true), ("guide-2", false), ("on-linux", true)]
        {
            assert_eq!(document.has_anchor(anchor), expected, "{anchor}");
        }
    }

    #[test]
    fn blocks_spans_and_links_have_places() {
        let text = "a [b](c.md#d) ![e](f.png)\n\n- list\n  ```sh extra\n  $ one\n  two\n  ```\n\n> ~~~\n> q\n> ~~~\n\n    code `x`\n\n`y` [g][h] [i][j] [ ] <a id=\"k\"></a>\n\n[h]: m.md\n";
        let document = document(text);
        let links: Vec<(&str, bool)> =
            document.links.iter().map(|link| (link.target.as_str(), link.is_undefined)).collect();
        assert_eq!(links, [("c.md#d", false), ("f.png", false), ("m.md", false), ("j", true)]);
        let blocks: Vec<_> = document
            .blocks
            .iter()
            .map(|block| {
                let lines = block.lines.iter().map(|(number, line)| (*number, line.as_str()));
                (block.info.as_deref(), lines.collect::<Vec<(u32, &str)>>())
            })
            .collect();
        assert_eq!(
            blocks,
            [
                (Some("sh extra"), vec![(5, "$ one"), (6, "two")]),
                (Some(""), vec![(10, "q")]),
                (None, vec![(13, "code `x`")]),
            ]
        );
        assert_eq!(document.spans.iter().map(|span| span.text.as_str()).collect::<Vec<_>>(), ["y"]);
        assert!(document.has_anchor("k"));
    }

    #[test]
    fn t12_size_and_nesting_are_limited() {
        let path = RelPath::parse("a.md").expect("a path");
        let table: &[(&str, String, bool)] = &[
            ("a rule of many marks", "-".repeat(1000), true),
            ("quotes for people", ">".repeat(NESTING_MAX), true),
            ("quotes for nobody", "> ".repeat(NESTING_MAX + 1), false),
            ("lists for nobody", "- ".repeat(NESTING_MAX + 1), false),
            ("one byte too many", "a".repeat(DOCUMENT_MAX + 1), false),
            ("many brackets", "[".repeat(50_000), true),
            ("many stars", "*a ".repeat(50_000), true),
            ("many backticks", (1..400).map(|n| format!("{}x", "`".repeat(n))).collect(), true),
        ];
        for (case, text, expected) in table {
            assert_eq!(Document::new(&path, text.clone()).is_ok(), *expected, "{case}");
        }
    }
}
