//! What a document points at: links, anchors, and paths between backticks. What lies outside the repository is left out.

use super::{ANCHOR_MISSING, Config, LINK_BROKEN, PATH_MISSING};
use crate::markdown::{Document, Link};
use portcullis::{Finding, Findings, GateContext, GateError, RelPath};
use std::collections::{BTreeMap, BTreeSet};

/// The anchors of the documents that links led to; each is read once.
#[derive(Default)]
pub(super) struct Targets {
    anchors: BTreeMap<RelPath, BTreeSet<String>>,
}

impl Targets {
    fn anchors(
        &mut self,
        cx: &GateContext<'_>,
        path: &RelPath,
    ) -> Result<&BTreeSet<String>, GateError> {
        if !self.anchors.contains_key(path) {
            let document = cx.watch(Document::new(path, cx.file(path).text()?))?;
            let anchors = document.anchors().map(str::to_owned).collect();
            self.anchors.insert(path.clone(), anchors);
        }
        Ok(self.anchors.entry(path.clone()).or_default())
    }
}

/// Follows every relative link, and returns how many there were.
pub(super) fn links(
    cx: &GateContext<'_>,
    config: &Config,
    document: &Document,
    targets: &mut Targets,
    out: &mut Findings,
) -> Result<usize, GateError> {
    let mut followed = 0;
    for link in &document.links {
        if link.is_undefined {
            followed += 1;
            let message = format!("nothing defines the reference `[{}]`", link.target);
            out.push(finding(
                LINK_BROKEN,
                document,
                link,
                message,
                "define the reference, or remove the link",
            ));
        } else if !leads_elsewhere(&link.target) {
            followed += 1;
            follow(cx, config, document, link, targets, out)?;
        }
    }
    Ok(followed)
}

/// Whether a target has a scheme or a host.
fn leads_elsewhere(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'))
    };
    target.starts_with("//") || scheme.is_some_and(is_scheme)
}

fn follow(
    cx: &GateContext<'_>,
    config: &Config,
    document: &Document,
    link: &Link,
    targets: &mut Targets,
    out: &mut Findings,
) -> Result<(), GateError> {
    let (path, anchor) = match link.target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (link.target.as_str(), None),
    };
    let path = path.split_once('?').map_or(path, |(path, _query)| path);
    let target = if path.is_empty() {
        Some(document.path().clone())
    } else {
        joined(folder(document.path()), &decoded(path))
    };
    let Some(target) = target else {
        // The root of the repository is a folder that exists and has no path of its own.
        if is_root(folder(document.path()), &decoded(path)) {
            return Ok(());
        }
        let message = format!("the link `{}` leads out of the repository", link.target);
        out.push(finding(
            LINK_BROKEN,
            document,
            link,
            message,
            "link to a file of the repository, or to its address",
        ));
        return Ok(());
    };
    let is_folder = cx.is_folder(&target)?;
    if !is_folder && !cx.file(&target).exists()? {
        if !is_produced(config, target.as_str()) {
            let message = format!("the link `{}` leads to nothing", link.target);
            out.push(finding(
                LINK_BROKEN,
                document,
                link,
                message,
                "correct the link, remove it, or declare it as produced",
            ));
        }
        return Ok(());
    }
    let Some(anchor) = anchor.filter(|anchor| !anchor.is_empty()) else { return Ok(()) };
    let anchor = decoded(anchor);
    if is_folder || !target.as_str().ends_with(".md") {
        // Other files have anchors that only their viewer knows, such as `#L10`.
        return Ok(());
    }
    let is_own = &target == document.path();
    if is_own && document.has_anchor(&anchor) {
        return Ok(());
    }
    let anchors = targets.anchors(cx, &target)?;
    if !anchors.contains(&anchor) {
        let message = format!("`{target}` has no heading with the anchor `#{anchor}`");
        let finding = finding(
            ANCHOR_MISSING,
            document,
            link,
            message,
            "link to a heading that the target has",
        );
        let hint = portcullis::kernel::near::hint(&anchor, anchors.iter().map(String::as_str));
        out.push(match hint {
            Some(hint) => finding.expected(hint),
            None => finding,
        });
    }
    Ok(())
}

fn finding(
    code: portcullis::Code,
    document: &Document,
    link: &Link,
    message: String,
    remedy: &str,
) -> Finding {
    Finding::new(code, &link.target, message, remedy).at(document.location(link.offset))
}

/// Looks for every path between backticks, and returns how many there were.
pub(super) fn paths(
    cx: &GateContext<'_>,
    config: &Config,
    document: &Document,
    out: &mut Findings,
) -> Result<usize, GateError> {
    let mut named = 0;
    for span in document.spans.iter().filter(|span| names_a_path(config, &span.text)) {
        named += 1;
        let plain = without_line(span.text.trim_end_matches('/'));
        if is_produced(config, plain) || is_there(cx, document, plain)? {
            continue;
        }
        out.push(
            Finding::new(
                PATH_MISSING,
                &span.text,
                format!("`{}` does not exist", span.text),
                "correct the path, remove it, or declare it as produced",
            )
            .at(document.location(span.offset)),
        );
    }
    Ok(named)
}

/// Whether something of this path exists. A path that no system should be given names nothing.
fn is_there(cx: &GateContext<'_>, document: &Document, path: &str) -> Result<bool, GateError> {
    for start in ["", folder(document.path())] {
        if let Some(path) = joined(start, path)
            && (cx.file(&path).exists()? || cx.is_folder(&path)?)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn names_a_path(config: &Config, word: &str) -> bool {
    if word.chars().any(|c| c.is_whitespace() || "<>*{}$\"'()|;,=`".contains(c))
        || leads_elsewhere(word)
    {
        return false;
    }
    let Some((folder, name)) = word.rsplit_once('/') else {
        return config.path_names.as_ref().is_some_and(|names| names.matches(without_line(word)));
    };
    if config.path_roots.is_empty() {
        let has_ending = name.trim_matches('.').contains('.');
        return !folder.is_empty() && (name.is_empty() || has_ending);
    }
    config.path_roots.iter().any(|root| word.starts_with(root.as_str()))
}

/// `src/a.rs:12` without its line.
fn without_line(word: &str) -> &str {
    match word.rsplit_once(':') {
        Some((path, line)) if !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()) => path,
        _ => word,
    }
}

fn is_produced(config: &Config, path: &str) -> bool {
    config.produced.as_ref().is_some_and(|globs| globs.matches(path))
}

fn folder(path: &RelPath) -> &str {
    path.as_str().rsplit_once('/').map_or("", |(folder, _name)| folder)
}

/// A path from a folder, with `.` and `..` resolved by name; nothing when it leaves the repository.
fn joined(folder: &str, path: &str) -> Option<RelPath> {
    RelPath::parse(&parts(folder, path)?.join("/")).ok()
}

fn is_root(folder: &str, path: &str) -> bool {
    parts(folder, path).is_some_and(|parts| parts.is_empty())
}

fn parts<'p>(folder: &'p str, path: &'p str) -> Option<Vec<&'p str>> {
    let start = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts)
}

/// `%20` as a space; what is no escape, or no UTF-8, stays as written.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_not_utf8| text.to_owned())
}
