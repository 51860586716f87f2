//! The bench targets that `cargo bench` runs, and the ids that they list. It runs no bench.

use super::BENCH_LIST_FAILED;
use crate::{test_roster::default_features, workspace::Workspace};
use cargo_metadata::TargetKind;
use portcullis::{
    Fault, GateContext, GateError, RelPath, evidence::process::Exit, wire::code::TOML_INVALID,
};
use std::{collections::BTreeSet, time::Duration};

/// How long one target may take to be built and to list.
const LIST_TIMEOUT: Duration = Duration::from_secs(1_800);

/// A bench target.
pub(super) struct Bench {
    package: String,
    pub(super) name: String,
    pub(super) path: RelPath,
}

/// The bench targets, in the order of packages; nothing where there is no cargo.
pub(super) fn targets(cx: &GateContext<'_>) -> Result<Option<Vec<Bench>>, GateError> {
    let Some(workspace) = Workspace::read(cx, "Cargo.toml")? else { return Ok(None) };
    let mut benches = Vec::new();
    for package in workspace.packages() {
        let features = default_features(package);
        let off = match workspace.relative(package.manifest_path.as_str()) {
            Some(manifest) => switched_off(cx, &manifest)?,
            None => BTreeSet::new(),
        };
        for target in &package.targets {
            let is_bench = target.kind.contains(&TargetKind::Bench);
            let unmet = target.required_features.iter().any(|name| !features.contains(name));
            if !is_bench || unmet || off.contains(&target.name) {
                continue;
            }
            let Some(path) = workspace.relative(target.src_path.as_str()) else { continue };
            let (package, name) = (package.name.to_string(), target.name.clone());
            benches.push(Bench { package, name, path });
        }
    }
    Ok(Some(benches))
}

/// The bench targets with `bench = false`, which cargo's description does not mention.
fn switched_off(cx: &GateContext<'_>, path: &RelPath) -> Result<BTreeSet<String>, GateError> {
    let text = cx.file(path).text()?;
    let manifest: toml::Table = cx.watch(text.parse().map_err(|source: toml::de::Error| {
        Fault::new(TOML_INVALID, format!("`{path}` is not TOML"), "mend the manifest")
            .because(&source)
    }))?;
    let tables = manifest.get("bench").and_then(toml::Value::as_array).into_iter().flatten();
    let off =
        tables.filter(|table| table.get("bench").and_then(toml::Value::as_bool) == Some(false));
    let names = off.filter_map(|table| table.get("name").and_then(toml::Value::as_str));
    Ok(names.map(str::to_owned).collect())
}

/// The ids that the targets list, each with the source of its target.
///
/// # Errors
/// `bench_list_failed` when one cannot be built, does not list, or lists nothing.
pub(super) fn ids(
    cx: &GateContext<'_>,
    benches: &[Bench],
) -> Result<Vec<(String, RelPath)>, GateError> {
    let mut ids = Vec::new();
    for bench in benches {
        // The profile of tests: what is listed does not depend on it, and it builds sooner.
        let words = [
            "cargo",
            "bench",
            "--locked",
            "--offline",
            "--profile",
            "dev",
            "--package",
            &bench.package,
            "--bench",
            &bench.name,
            "--",
            "--list",
        ];
        let command = cx.command(&words.map(str::to_owned)).timeout(LIST_TIMEOUT).quiet();
        let finished = command.run()?;
        let before = ids.len();
        if !finished.timed_out && finished.exit == Exit::Code(0) && finished.stdout.cut == 0 {
            let stdout = finished.stdout.text();
            let listed = stdout.lines().filter_map(|line| {
                line.strip_suffix(": benchmark").or_else(|| line.strip_suffix(": bench"))
            });
            ids.extend(listed.map(|id| (id.to_owned(), bench.path.clone())));
        }
        if ids.len() == before {
            let stderr = finished.stderr.text();
            let tail: Vec<&str> = stderr.lines().rev().take(5).collect();
            let headline = format!("the bench target `{}` lists no bench", bench.name);
            let remedy =
                "make `cargo bench --bench <name> -- --list` print `<id>: benchmark` lines";
            return cx.watch(Err(Fault::new(BENCH_LIST_FAILED, headline, remedy)
                .at(portcullis::Location::file(&bench.path))
                .found(tail.join(" | "))));
        }
    }
    Ok(ids)
}
