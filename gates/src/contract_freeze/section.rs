//! Sections of Markdown files: their text without its line breaks, as a digest.

use super::{Item, Items, SECTION_DUPLICATE, SECTION_MISSING, config::Surface};
use crate::markdown::Document;
use portcullis::{Finding, Findings, GateContext, GateError, Location, wire::id::Digest};

/// One item per selected heading and file.
pub(super) fn read(
    cx: &GateContext<'_>,
    surface: &Surface,
    out: &mut Findings,
) -> Result<Items, GateError> {
    let mut items = Items::new();
    for path in surface.sources() {
        let document = cx.watch(Document::new(path, cx.file(path).text()?))?;
        for wanted in &surface.select {
            let mut found = document.headings.iter().filter(|heading| {
                heading.path.last().is_some_and(|name| name.trim() == wanted.trim())
            });
            let subject = format!("{}: {wanted}", surface.id);
            match (found.next(), found.next()) {
                (None, _) => {
                    let message = format!("`{path}` has no section `{wanted}`");
                    let remedy = "restore the section under its exact heading, or correct `select`";
                    out.push(
                        Finding::new(SECTION_MISSING, subject, message, remedy)
                            .at(Location::file(path)),
                    );
                }
                (Some(_), Some(second)) => {
                    let message = format!("`{path}` has the section `{wanted}` twice");
                    let remedy = "rename one of them";
                    out.push(
                        Finding::new(SECTION_DUPLICATE, subject, message, remedy)
                            .at(document.location(second.range.start)),
                    );
                }
                (Some(heading), None) => {
                    let body =
                        document.text().get(heading.body..heading.range.end).unwrap_or_default();
                    let words: Vec<&str> = body.split_whitespace().collect();
                    let text = format!("sha256:{}", Digest::of(words.join(" ").as_bytes()));
                    let at = document.location(heading.range.start);
                    items.insert(format!("{path}#{wanted}"), Item { text, at });
                }
            }
        }
    }
    Ok(items)
}
