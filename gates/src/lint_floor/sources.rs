//! Attributes in the sources of the members that lower a lint of the floor.

use super::{
    LINT_SUPPRESSED,
    config::{Config, Level},
    groups::{Groups, plain},
    manifests::below,
};
use crate::{
    admission::Admissions,
    rust_source::{Token, attributes, declared_elsewhere, module_files, tokens},
};
use cargo_metadata::{Metadata, Package};
use portcullis::{Finding, Findings, GateContext, GateError, RelPath};
use std::collections::BTreeMap;

/// Reads every file that a target of a member is built from; returns how many attributes were looked at.
///
/// # Errors
/// When a file cannot be read, or is not Rust.
pub(super) fn judge(
    cx: &GateContext<'_>,
    config: &Config,
    (metadata, members): (&Metadata, &[&Package]),
    groups: &Groups<'_, '_>,
    sites: &mut Admissions<'_>,
    out: &mut Findings,
) -> Result<usize, GateError> {
    let mut files: BTreeMap<RelPath, Vec<Token>> = BTreeMap::new();
    for member in members {
        for target in &member.targets {
            let Some(path) = below(metadata, target.src_path.as_str()) else { continue };
            if !files.contains_key(&path) {
                collect(cx, &path, &mut files)?;
            }
        }
    }
    let mut examined = 0;
    for (path, tokens) in &files {
        for attribute in attributes(tokens) {
            examined += 1;
            let level = match attribute.path.as_slice() {
                [one] => Level::parse(one),
                _ => None,
            };
            let Some(level) = level.filter(|level| *level <= Level::Warn) else { continue };
            for name in &attribute.arguments {
                for lint in groups.lowered(name, level)? {
                    if is_admitted(config, sites, path, lint) {
                        continue;
                    }
                    let shown = format!("{}({name})", level.name());
                    out.push(
                        Finding::new(
                            LINT_SUPPRESSED,
                            format!("{lint} by {shown}"),
                            format!("`{path}` lowers `{lint}`, which the floor holds"),
                            "remove the attribute, or admit its file and lint under `sites`",
                        )
                        .at(attribute.at.location(path))
                        .found(shown),
                    );
                }
            }
        }
    }
    Ok(examined)
}

/// Reads a root with its modules, and what they include.
fn collect(
    cx: &GateContext<'_>,
    root: &RelPath,
    files: &mut BTreeMap<RelPath, Vec<Token>>,
) -> Result<(), GateError> {
    let read = |path: &RelPath| {
        let file = cx.file(path);
        if file.exists()? { file.text().map(Some) } else { Ok(None) }
    };
    let found = cx.watch(module_files(root, read))?;
    let mut waiting: Vec<(RelPath, Vec<Token>)> =
        found.into_iter().map(|(path, file)| (path, file.tokens)).collect();
    while let Some((path, own)) = waiting.pop() {
        if files.contains_key(&path) {
            continue;
        }
        for (places, _) in declared_elsewhere(&path, &own) {
            for place in places {
                // A place that is no path of the repository holds nothing that a gate could read.
                let Ok(place) = RelPath::parse(&place) else { continue };
                if !files.contains_key(&place)
                    && place.as_str().ends_with(".rs")
                    && cx.file(&place).exists()?
                {
                    let read = cx.watch(tokens(&place, &cx.file(&place).text()?))?;
                    waiting.push((place, read));
                }
            }
        }
        files.insert(path, own);
    }
    Ok(())
}

fn is_admitted(config: &Config, sites: &mut Admissions<'_>, path: &RelPath, lint: &str) -> bool {
    let mut is_covered = false;
    for (index, site) in config.sites.iter().enumerate() {
        let site = site.get_ref();
        if site.path == *path && plain(&site.lint) == plain(lint) {
            is_covered |= sites.cover(index);
        }
    }
    is_covered
}
