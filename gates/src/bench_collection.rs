//! The benches that exist are the expected ones, and each runs in the CI lane that is named for it. It measures nothing.

mod lanes;
mod listing;
mod teeth;

use crate::{
    artifact::refuse,
    lane::{NOT_STATIC, OPAQUE, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING},
    workflow::{Scope, default_files},
};
use portcullis::{
    Code, Examined, Finding, Findings, GateContext, GateError, GateTable, Globs, Location, RelPath,
};
use std::collections::{BTreeMap, BTreeSet};
use teeth::TEETH;
use toml::Spanned;

portcullis::gate_kind! {
    /// Keeps the collection of benches, by name, and where each of them runs.
    ///
    /// ### What it checks
    /// The bench targets of the workspace that `cargo bench` would run are those of `targets`, and the ids that they
    /// list are those of `expected`: exactly, or at least. No id and no target stands twice. In each CI lane of
    /// `run_in`, the commands `cargo bench` and `canary measure` run exactly the targets that are named, on whatever way
    /// the lane reaches them: scripts, recipes, aliases, composite actions and local reusable workflows are opened.
    ///
    /// ### Why it gates
    /// A count of benches stays the same when one is swapped for another. A bench that nobody runs guards nothing, and
    /// the long one of the night does not belong into a pull request.
    ///
    /// ### Example
    /// With `targets = ["portfolio"]`, refused: a new target `index`, or `portfolio` with `bench = false`. Accepted: the
    /// targets in another order.
    ///
    /// ### Configuration
    /// - `targets`: names of bench targets. `expected`: ids as the targets list them with `--list`, which builds them.
    ///   At least one of the two.
    /// - `op`: `exact` (default) or `superset`: whether more are welcome.
    /// - `run_in`: tables with `file`, `job` and `targets`: exactly these run there; default none.
    /// - `files`: globs of workflows, default both endings below `.github/workflows`. `known_keys`: keys of the provider
    ///   newer than the model.
    ///
    /// ### Remediation
    /// - `bench_missing`: restore the bench, or take its name out in a change of its own.
    /// - `bench_extra`: add its name.
    /// - `bench_duplicate`: rename one of the two.
    /// - `bench_not_run_by_lane`: add `--bench <name>`, or `canary measure <name>`, to the lane.
    /// - `bench_run_by_wrong_lane`: take it out of this lane, or name it in `run_in`.
    /// - `bench_list_failed`: make the target print `<id>: benchmark` lines when its bench binary is called with `--list`.
    /// - `selector_matches_nothing`: correct the name of the file or job.
    /// - `not_static`, `script_unparsed`, `opaque`: name the targets plainly, in a script that a POSIX shell reads.
    pub static BENCH_COLLECTION: "bench_collection", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = CODES, teeth = TEETH;
}

const BENCH_MISSING: Code =
    Code::new("PC1600", "bench_missing", "A bench that is expected does not exist.");
const BENCH_EXTRA: Code = Code::new("PC1601", "bench_extra", "A bench exists that nobody expects.");
const BENCH_DUPLICATE: Code = Code::new("PC1602", "bench_duplicate", "Two benches have one name.");
const BENCH_NOT_RUN_BY_LANE: Code =
    Code::new("PC1603", "bench_not_run_by_lane", "A CI lane does not run a bench that is its own.");
const BENCH_RUN_BY_WRONG_LANE: Code =
    Code::new("PC1604", "bench_run_by_wrong_lane", "A CI lane runs a bench that is not its own.");
const BENCH_LIST_FAILED: Code =
    Code::new("PC1605", "bench_list_failed", "A bench target does not list its benches.");

const CODES: &[Code] = &[
    BENCH_MISSING,
    BENCH_EXTRA,
    BENCH_DUPLICATE,
    BENCH_NOT_RUN_BY_LANE,
    BENCH_RUN_BY_WRONG_LANE,
    BENCH_LIST_FAILED,
    SELECTOR_MATCHES_NOTHING,
    NOT_STATIC,
    SCRIPT_UNPARSED,
    OPAQUE,
];

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    expected: Option<Spanned<Vec<String>>>,
    targets: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    op: Op,
    #[serde(default)]
    run_in: Vec<Spanned<RunIn>>,
    #[serde(default = "default_files")]
    files: Globs,
    #[serde(default)]
    known_keys: BTreeSet<String>,
}

/// Whether more than what is named is welcome.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    #[default]
    Exact,
    Superset,
}

/// The benches of one CI lane.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RunIn {
    file: String,
    job: String,
    targets: Vec<String>,
}

/// Refuses lists that name nothing, and lanes that run what is not there.
fn validate(config: &Config, table: &GateTable) -> Vec<portcullis::Fault> {
    let mut faults = Vec::new();
    if config.expected.is_none() && config.targets.is_none() {
        let remedy = "name the bench targets in `targets`, or their ids in `expected`";
        faults.push(refuse(table, "neither `targets` nor `expected` is stated", remedy));
    }
    for list in [&config.expected, &config.targets].into_iter().flatten() {
        let names: BTreeSet<&String> = list.get_ref().iter().collect();
        if names.is_empty() || names.len() != list.get_ref().len() {
            let headline = "a list of benches is empty, or names one of them twice";
            faults.push(
                refuse(table, headline, "name each bench once").at(table.locate(list.span().start)),
            );
        }
    }
    let mut lanes = BTreeSet::new();
    for run in &config.run_in {
        let at = table.locate(run.span().start);
        let run = run.get_ref();
        if !lanes.insert((&run.file, &run.job)) {
            let headline = format!("the job `{}` of `{}` is named twice", run.job, run.file);
            faults.push(refuse(table, headline, "join the two tables").at(at.clone()));
        }
        let known = |name: &&String| {
            config.targets.as_ref().is_none_or(|targets| targets.get_ref().contains(name))
        };
        if config.op == Op::Exact
            && let Some(name) = run.targets.iter().find(|name| !known(name))
        {
            let headline = format!("`{name}` runs in a lane and is not in `targets`");
            faults.push(refuse(table, headline, "add it to `targets`, or correct the name").at(at));
        }
    }
    faults
}

/// Compares what exists and what runs with what is named; returns how many benches were listed.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let Some(benches) = listing::targets(cx)? else {
        return Ok(crate::workspace::Workspace::skipped());
    };
    let mut examined = benches.len();
    if let Some(targets) = &config.targets {
        let found = benches.iter().map(|bench| (bench.name.as_str(), &bench.path));
        compare(cx, config.op, targets, found, out);
    }
    if let Some(expected) = &config.expected {
        let listed = listing::ids(cx, &benches)?;
        examined += listed.len();
        let found = listed.iter().map(|(id, path)| (id.as_str(), path));
        compare(cx, config.op, expected, found, out);
    }
    if !config.run_in.is_empty() {
        let scope = Scope { files: config.files.clone(), known_keys: config.known_keys.clone() };
        let names: BTreeSet<&str> = benches.iter().map(|bench| bench.name.as_str()).collect();
        examined += lanes::judge(cx, &scope, &config.run_in, &names, out)?;
    }
    // Benches that are expected and not there were looked for.
    Ok(Examined::items(examined.max(out.kept().len())))
}

/// Compares names as sets, and reports names that stand twice.
fn compare<'b>(
    cx: &GateContext<'_>,
    op: Op,
    expected: &Spanned<Vec<String>>,
    found: impl Iterator<Item = (&'b str, &'b RelPath)>,
    out: &mut Findings,
) {
    let mut places: BTreeMap<&str, Vec<&RelPath>> = BTreeMap::new();
    for (name, path) in found {
        places.entry(name).or_default().push(path);
    }
    for name in expected.get_ref() {
        if !places.contains_key(name.as_str()) {
            let message =
                format!("the bench `{name}` does not exist, or `cargo bench` leaves it out");
            let remedy = "restore it, or take its name out in a change of its own";
            out.push(
                Finding::new(BENCH_MISSING, name, message, remedy)
                    .at(cx.locate(expected.span().start)),
            );
        }
    }
    for (name, paths) in places {
        let Some(path) = paths.first() else { continue };
        if paths.len() > 1 {
            out.push(
                Finding::new(
                    BENCH_DUPLICATE,
                    name,
                    format!("{} benches are named `{name}`", paths.len()),
                    "rename all but one",
                )
                .at(Location::file(path)),
            );
        }
        if op == Op::Exact && !expected.get_ref().iter().any(|wanted| wanted == name) {
            let message = format!("the bench `{name}` is not among the expected ones");
            out.push(
                Finding::new(BENCH_EXTRA, name, message, "add its name, or remove it")
                    .at(Location::file(path)),
            );
        }
    }
}

#[cfg(test)]
mod tests;
