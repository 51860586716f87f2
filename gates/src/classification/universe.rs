//! What has to be classified: test targets as cargo lists them, or files. It compares nothing.

use crate::workspace::Workspace;
use portcullis::{Examined, GateContext, GateError, Globs, RelPath};
use std::collections::BTreeMap;

/// Something that must be in one suite.
#[derive(Debug)]
pub(crate) struct Member {
    /// `package/target`, or the path of a file.
    pub(crate) name: String,
    /// The target alone, where no other package has one of that name.
    pub(crate) short: Option<String>,
    /// Its source file; `None` where it lies outside the repository.
    pub(crate) source: Option<RelPath>,
}

impl Member {
    /// The shortest name that means it.
    pub(crate) fn label(&self) -> &str {
        self.short.as_deref().unwrap_or(&self.name)
    }
}

/// The members, or why nobody could list them here.
pub(crate) enum Members {
    Known(Vec<Member>),
    Skipped(Examined),
}

/// The files that match, in order.
pub(crate) fn files(cx: &GateContext<'_>, globs: Option<&Globs>) -> Result<Members, GateError> {
    let mut members = Vec::new();
    if let Some(globs) = globs {
        for file in cx.files(globs)? {
            let path = file.path().clone();
            members.push(Member { name: path.to_string(), short: None, source: Some(path) });
        }
    }
    Ok(Members::Known(members))
}

/// The test targets of all workspace members, in order.
pub(crate) fn cargo_test_targets(
    cx: &GateContext<'_>,
    manifest: &str,
) -> Result<Members, GateError> {
    match Workspace::read(cx, manifest)? {
        Some(workspace) => Ok(Members::Known(targets(&workspace))),
        None => Ok(Members::Skipped(Workspace::skipped())),
    }
}

fn targets(workspace: &Workspace) -> Vec<Member> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for package in workspace.packages() {
        for target in package.targets.iter().filter(|target| target.is_test()) {
            *seen.entry(target.name.clone()).or_insert(0) += 1;
            found.push((format!("{}/{}", package.name, target.name), target));
        }
    }
    let mut members: Vec<Member> = found
        .into_iter()
        .map(|(name, target)| Member {
            name,
            short: (seen.get(&target.name) == Some(&1)).then(|| target.name.clone()),
            source: workspace.relative(target.src_path.as_str()),
        })
        .collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    members
}
