//! Pages and sections: which part of a document a check looks at, and whether the parts it must have are there.

use super::{Config, SECTION_EMPTY, SECTION_MISSING};
use crate::markdown::{Document, Heading};
use portcullis::{Finding, Findings};
use std::ops::Range;

/// A part of a text, with its name for messages.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) name: String,
    pub(super) range: Range<usize>,
    /// Where its own heading ends: a page is not one of its own sections.
    body: usize,
}

impl Scope {
    /// The whole of a text.
    pub(super) fn whole(text: &str) -> Self {
        Self { name: "the file".to_owned(), range: 0..text.len(), body: 0 }
    }

    fn of(heading: &Heading) -> Self {
        let title = heading.path.last().map_or("", String::as_str);
        Self {
            name: format!("the section `{title}`"),
            range: heading.range.clone(),
            body: heading.body,
        }
    }

    fn holds(&self, heading: &Heading) -> bool {
        (self.body..self.range.end).contains(&heading.range.start)
    }
}

/// The pages of a document: all of it, or its sections of one level.
pub(super) fn pages(config: &Config, document: &Document) -> Vec<Scope> {
    match &config.page_level {
        None => vec![Scope::whole(document.text())],
        Some(level) => {
            let is_page = |heading: &&Heading| heading.level() == *level.get_ref();
            document.headings.iter().filter(is_page).map(Scope::of).collect()
        }
    }
}

/// Where tokens are looked for on a page. A named section that is not there is reported, and holds no token.
pub(super) fn of_tokens(
    config: &Config,
    document: &Document,
    page: &Scope,
    out: &mut Findings,
) -> Vec<Scope> {
    if config.sections.is_empty() {
        return vec![page.clone()];
    }
    let mut scopes = Vec::new();
    for name in &config.sections {
        let before = scopes.len();
        scopes.extend(
            document.sections(name.get_ref()).filter(|found| page.holds(found)).map(Scope::of),
        );
        if scopes.len() == before {
            out.push(missing(document, page, name.get_ref()));
        }
    }
    scopes
}

/// Reports the required sections that a page lacks or left empty; returns how many were looked for.
pub(super) fn required_sections(
    config: &Config,
    document: &Document,
    page: &Scope,
    out: &mut Findings,
) -> usize {
    for name in &config.required_sections {
        let mut found =
            document.sections(name.get_ref()).filter(|found| page.holds(found)).peekable();
        if found.peek().is_none() {
            out.push(missing(document, page, name.get_ref()));
        }
        for section in found.filter(|section| is_empty(document, section)) {
            out.push(
                Finding::new(
                    SECTION_EMPTY,
                    format!("{}: {}", page.name, name.get_ref()),
                    format!("the section `{}` of {} is empty", name.get_ref(), page.name),
                    "write the section",
                )
                .at(document.location(section.range.start)),
            );
        }
    }
    config.required_sections.len()
}

fn missing(document: &Document, page: &Scope, name: &str) -> Finding {
    let headings = document.headings.iter().filter(|heading| page.holds(heading));
    let titles = headings.filter_map(|heading| heading.path.last()).map(String::as_str);
    let last = name.rsplit('>').next().unwrap_or(name).trim();
    let hint = portcullis::kernel::near::hint(last, titles);
    let finding = Finding::new(
        SECTION_MISSING,
        format!("{}: {name}", page.name),
        format!("{} has no section `{name}`", page.name),
        "add the section under its exact heading",
    )
    .at(document.location(page.range.start));
    match hint {
        Some(hint) => finding.expected(hint),
        None => finding,
    }
}

/// Whether nothing but comments follows the heading.
fn is_empty(document: &Document, section: &Heading) -> bool {
    let body = document.text().get(section.body..section.range.end).unwrap_or_default();
    let mut rest = body;
    loop {
        rest = rest.trim_start();
        match rest.strip_prefix("<!--").and_then(|comment| comment.split_once("-->")) {
            Some((_, after)) => rest = after,
            None => return rest.is_empty(),
        }
    }
}
