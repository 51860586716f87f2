//! A cargo workspace as `cargo metadata` describes it: its own packages and targets. It builds nothing.

use portcullis::{
    Examined, Fault, GateContext, GateError, RelPath, SkipReason,
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
        let manifest = cx.file_at(manifest)?;
        // Lock file and network stay untouched: without dependencies cargo needs neither.
        let words =
            ["cargo", "metadata", "--no-deps", "--locked", "--offline", "--format-version", "1"];
        let mut command = cx.command(&words.map(str::to_owned)).timeout(METADATA_TIMEOUT).quiet();
        let path = manifest.path().as_str();
        let folder = path.rsplit_once('/').map(|(folder, _name)| folder.to_owned());
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
            "describe the workspace in parts, with `manifest`",
        ));
    }
    Ok(finished.stdout.text())
}
