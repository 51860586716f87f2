//! What has to be classified: test targets as cargo lists them, or files. It compares nothing.

use portcullis::evidence::process::{Exit, Finished};
use portcullis::{
    Examined, Fault, GateContext, GateError, Globs, RelPath, SkipReason,
    wire::code::{COMMAND_FAILED, COMMAND_TIMED_OUT, INPUT_TOO_LARGE},
};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long cargo may take to list the targets.
const METADATA_TIMEOUT: Duration = Duration::from_secs(120);

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
    if cx.tool("cargo")?.is_none() {
        return Ok(Members::Skipped(Examined::skipped(
            SkipReason::ToolMissing,
            "`cargo` is not on the search path",
        )));
    }
    let manifest = cx.file_at(manifest)?;
    // Lock file and network stay untouched: without dependencies cargo needs neither.
    let words =
        ["cargo", "metadata", "--no-deps", "--locked", "--offline", "--format-version", "1"];
    let mut command = cx.command(&words.map(str::to_owned)).timeout(METADATA_TIMEOUT).quiet();
    let folder = manifest.path().as_str().rsplit_once('/').map(|(folder, _name)| folder.to_owned());
    if let Some(folder) = &folder {
        command = command.cwd(cx.file_at(folder)?.path().clone());
    }
    let finished = command.run()?;
    let text = cx.watch(answer(&finished))?;
    let metadata = cargo_metadata::MetadataCommand::parse(&text).map_err(|source| {
        Fault::new(
            COMMAND_FAILED,
            "the answer of `cargo metadata` cannot be read",
            "update cargo or portcullis",
        )
        .because(&source)
    })?;
    Ok(Members::Known(targets(&metadata, folder.as_deref())))
}

fn answer(finished: &Finished) -> Result<String, Fault> {
    if finished.timed_out {
        let headline = format!("`cargo metadata` ran longer than {} s", METADATA_TIMEOUT.as_secs());
        return Err(Fault::new(
            COMMAND_TIMED_OUT,
            headline,
            "see whether another cargo holds its lock",
        ));
    }
    if finished.exit != Exit::Code(0) {
        let stderr = finished.stderr.text();
        let lines: Vec<&str> = stderr.lines().take(8).collect();
        return Err(Fault::new(
            COMMAND_FAILED,
            "`cargo metadata` failed",
            "mend the manifests it names",
        )
        .found(lines.join(" | ")));
    }
    if finished.stdout.cut > 0 {
        let headline = "the answer of `cargo metadata` is larger than what is kept";
        return Err(Fault::new(
            INPUT_TOO_LARGE,
            headline,
            "classify the workspace in parts, with `manifest`",
        ));
    }
    Ok(finished.stdout.text())
}

fn targets(metadata: &cargo_metadata::Metadata, folder: Option<&str>) -> Vec<Member> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for package in
        metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id))
    {
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
            source: relative(target.src_path.as_str(), metadata.workspace_root.as_str(), folder),
        })
        .collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    members
}

/// The path below the repository of a source that cargo names absolutely.
fn relative(source: &str, workspace_root: &str, folder: Option<&str>) -> Option<RelPath> {
    let below =
        source.strip_prefix(workspace_root)?.trim_start_matches(['/', '\\']).replace('\\', "/");
    let path = folder.map_or_else(|| below.clone(), |folder| format!("{folder}/{below}"));
    RelPath::parse(&path).ok()
}
