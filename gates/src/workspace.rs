//! A cargo workspace as `cargo metadata` describes it: its own packages and targets. It builds nothing.

use portcullis::{
    Code, Examined, Fault, GateContext, GateError, RelPath, SkipReason,
    evidence::process::{Exit, Finished},
    wire::code::{COMMAND_FAILED, COMMAND_TIMED_OUT, INPUT_TOO_LARGE},
};
use std::time::Duration;

/// How long cargo may take to list the targets.
const METADATA_TIMEOUT: Duration = Duration::from_secs(120);

/// The packages of a workspace, without their dependencies' own descriptions.
pub(crate) struct Workspace {
    metadata: cargo_metadata::Metadata,
    folder: Option<String>,
}

impl Workspace {
    /// Asks cargo; nothing when there is no cargo to ask.
    ///
    /// # Errors
    /// When cargo refuses the manifest, takes too long, or answers more than is kept.
    pub(crate) fn read(cx: &GateContext<'_>, manifest: &str) -> Result<Option<Self>, GateError> {
        if cx.tool("cargo")?.is_none() {
            return Ok(None);
        }
        let manifest = cx.file_at(manifest)?.path().clone();
        let folder = manifest.as_str().rsplit_once('/').map(|(folder, _name)| folder.to_owned());
        let metadata = cx.watch(metadata(cx, &manifest, &["--no-deps"], COMMAND_FAILED))?;
        Ok(Some(Self { metadata, folder }))
    }

    /// What a check says where no cargo is.
    pub(crate) fn skipped() -> Examined {
        Examined::skipped(SkipReason::ToolMissing, "`cargo` is not on the search path")
    }

    /// The members of the workspace.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &cargo_metadata::Package> {
        let members = &self.metadata.workspace_members;
        self.metadata.packages.iter().filter(move |package| members.contains(&package.id))
    }

    /// The members that cargo means at the root of the workspace when a command names none.
    #[cfg(feature = "workflows")]
    pub(crate) fn default_packages(&self) -> impl Iterator<Item = &cargo_metadata::Package> {
        let members = &self.metadata.workspace_default_members;
        self.packages().filter(move |package| members.contains(&package.id))
    }

    /// The path below the repository of a file that cargo names absolutely.
    pub(crate) fn relative(&self, absolute: &str) -> Option<RelPath> {
        let below = absolute
            .strip_prefix(self.metadata.workspace_root.as_str())?
            .trim_start_matches(['/', '\\'])
            .replace('\\', "/");
        let path = self
            .folder
            .as_ref()
            .map_or_else(|| below.clone(), |folder| format!("{folder}/{below}"));
        RelPath::parse(&path).ok()
    }
}

/// Asks cargo about the workspace of a manifest. Lock file and network stay untouched.
///
/// The fault is the caller's to watch: whoever has something better to report may drop it.
///
/// # Errors
/// `failed` when cargo refuses the manifest or the lock file, and when it takes too long or answers too much.
pub(crate) fn metadata(
    cx: &GateContext<'_>,
    manifest: &RelPath,
    words: &[&str],
    failed: Code,
) -> Result<cargo_metadata::Metadata, Fault> {
    if !cx.file(manifest).exists()? {
        // cargo would look for one in the folders above, which are not the repository's.
        let headline = format!("there is no `{manifest}`");
        return Err(Fault::new(failed, headline, "add the manifest of the workspace"));
    }
    let fixed = ["cargo", "metadata", "--locked", "--offline", "--format-version", "1"];
    let words: Vec<String> = fixed.iter().chain(words).map(|word| (*word).to_owned()).collect();
    let mut command = cx.command(&words).timeout(METADATA_TIMEOUT).quiet();
    if let Some((folder, _name)) = manifest.as_str().rsplit_once('/') {
        command = command.cwd(cx.file_at(folder)?.path().clone());
    }
    let text = answer(&command.run()?, failed)?;
    cargo_metadata::MetadataCommand::parse(&text).map_err(|source| {
        let headline = "the answer of `cargo metadata` cannot be read";
        Fault::new(failed, headline, "update cargo or portcullis").because(&source)
    })
}

fn answer(finished: &Finished, failed: Code) -> Result<String, Fault> {
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
        return Err(Fault::new(failed, "`cargo metadata` failed", "mend the manifests it names")
            .found(lines.join(" | ")));
    }
    if finished.stdout.cut > 0 {
        let headline = "the answer of `cargo metadata` is larger than what is kept";
        return Err(Fault::new(
            INPUT_TOO_LARGE,
            headline,
            "describe the workspace in parts, with `manifest`",
        ));
    }
    Ok(finished.stdout.text())
}
