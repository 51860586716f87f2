//! Named suites exist, and bite: each has tests that run, and in this run one that passed. What they test is theirs.

mod results;
mod teeth;

use crate::{
    artifact::refuse,
    lane::{NOT_STATIC, SKIPS_OVER_BUDGET},
    test_roster::{Binary, Resolve, Roster},
};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, Globs, Location,
    RelPath, SkipReason, wire::code::CONFIG_INVALID,
};
use results::{Freshness, Results};
use std::{collections::BTreeSet, num::NonZeroUsize};
use teeth::TEETH;
use toml::Spanned;

portcullis::gate_kind! {
    /// Makes sure that suites which others rely on exist, run and pass.
    ///
    /// ### What it checks
    /// Each file of `paths` exists, is tracked by git, and is a test target of a workspace member or a module of one.
    /// The files that match `extra` are exactly those of `paths`. Each has at least `min_active` tests that are neither
    /// ignored, under any condition, nor behind a `cfg` that does not hold. With `must_execute`, at least one test of
    /// each was executed in this run and passed: by the receipt of the gate of that name where there is one, else by
    /// JUnit, in which a skip at run time looks like a pass.
    ///
    /// ### Why it gates
    /// An ignored test, an empty file and a target that cargo leaves out are all green. So is a suite that was only
    /// compiled.
    ///
    /// ### Example
    /// Refused: `tests/load_bearing_clock.rs` whose last test got `#[ignore]`. Refused: a new file
    /// `tests/load_bearing_exit.rs` that `paths` does not name. Accepted: more tests, and other files.
    ///
    /// ### Configuration
    /// - `paths`: the files, required, not empty.
    /// - `extra`: globs that match these files and no others, required.
    /// - `min_active`: how many tests of each file run, at least 1, default 1.
    /// - `must_execute`: whether one of each must have passed in this run, default true.
    /// - `results`: the JUnit document of nextest, required with `must_execute`.
    /// - `freshness`: of that document, required with `must_execute`: `{ max_age = "1d" }`, `{ same_run = true }` or both.
    /// - `max_skips`: how many tests of these files may have been skipped in this run, default 0.
    /// - `resolve`: who says which tests there are: `list` (default) asks nextest; `static` reads the sources.
    ///
    /// ### Remediation
    /// - `file_missing`: restore the suite, or add it to git.
    /// - `file_extra`: name the new suite in `paths`.
    /// - `file_not_a_target`: make it a test target of its package, or a module of one.
    /// - `no_active_test`: take the attribute away that keeps its tests from running, or write one.
    /// - `not_executed`: run the suite in this lane, and make one of its tests pass.
    /// - `skips_over_budget`: provide what the skipped tests need.
    /// - `results_missing`: run the tests before this gate, with `junit.path` set in the profile.
    /// - `results_stale`: run them again.
    /// - `not_static`: the target has a `main` of its own, so resolve by `list`.
    pub static LOAD_BEARING: "load_bearing", since = "0.1.0", config = Config, validate = validate, check = check,
        codes = CODES, teeth = TEETH;
}

const FILE_MISSING: Code =
    Code::new("PC1590", "file_missing", "A load-bearing suite is absent, or git does not have it.");
const FILE_EXTRA: Code =
    Code::new("PC1591", "file_extra", "A file looks like a load-bearing suite and is not named.");
const FILE_NOT_A_TARGET: Code = Code::new(
    "PC1592",
    "file_not_a_target",
    "A load-bearing suite is in no test target, so that nothing runs it.",
);
const NO_ACTIVE_TEST: Code =
    Code::new("PC1593", "no_active_test", "A load-bearing suite has too few tests that run.");
const NOT_EXECUTED: Code =
    Code::new("PC1594", "not_executed", "No test of a load-bearing suite passed in this run.");
const RESULTS_MISSING: Code =
    Code::new("PC1595", "results_missing", "There are no results of the tests of this run.");
const RESULTS_STALE: Code =
    Code::new("PC1596", "results_stale", "The results are of another run, or too old.");

const CODES: &[Code] = &[
    FILE_MISSING,
    FILE_EXTRA,
    FILE_NOT_A_TARGET,
    NO_ACTIVE_TEST,
    NOT_EXECUTED,
    SKIPS_OVER_BUDGET,
    RESULTS_MISSING,
    RESULTS_STALE,
    NOT_STATIC,
];

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    paths: Vec<Spanned<RelPath>>,
    extra: Spanned<Globs>,
    #[serde(default = "one")]
    min_active: NonZeroUsize,
    #[serde(default = "yes")]
    must_execute: bool,
    results: Option<RelPath>,
    freshness: Option<Spanned<Freshness>>,
    #[serde(default)]
    max_skips: usize,
    #[serde(default)]
    resolve: Resolve,
}

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

fn yes() -> bool {
    true
}

/// Refuses a list that contradicts its glob, and an execution that nothing proves.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    if config.paths.is_empty() {
        faults.push(refuse(table, "`paths` names no suite", "name at least one file"));
    }
    let mut seen = BTreeSet::new();
    for path in &config.paths {
        let at = || table.locate(path.span().start);
        if !config.extra.get_ref().matches(path.get_ref().as_str()) {
            let headline = format!("`extra` does not match `{}`", path.get_ref());
            let remedy = "widen the glob: the files it matches must be those of `paths`";
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at()));
        }
        if !seen.insert(path.get_ref()) {
            let headline = format!("`{}` is named twice", path.get_ref());
            faults.push(Fault::new(CONFIG_INVALID, headline, "remove one of them").at(at()));
        }
    }
    let states = |freshness: &Spanned<Freshness>| freshness.get_ref().states_something();
    if config.must_execute
        && (config.results.is_none() || !config.freshness.as_ref().is_some_and(states))
    {
        faults.push(refuse(
            table,
            "`must_execute` needs `results` and a `freshness` that states something",
            "name the JUnit document and how old it may be, or set `must_execute = false`",
        ));
    }
    faults
}

/// Looks for every suite, its tests and their results; returns how many tests were counted.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    if cx.tool("git")?.is_none() {
        return Ok(Examined::skipped(SkipReason::ToolMissing, "`git` is not on the search path"));
    }
    let Some(roster) = Roster::read(cx, config.resolve)? else {
        return Ok(Roster::skipped(config.resolve));
    };
    let named: BTreeSet<&RelPath> = config.paths.iter().map(Spanned::get_ref).collect();
    for file in cx.files(config.extra.get_ref())? {
        if !named.contains(file.path()) {
            let path = file.path();
            out.push(
                Finding::new(
                    FILE_EXTRA,
                    path,
                    format!("`{path}` matches {} and is not in `paths`", config.extra.get_ref()),
                    format!("add `{path}` to `paths`, or rename the file"),
                )
                .at(Location::file(path)),
            );
        }
    }
    let tracked = cx.watch(cx.git().tracked_files())?;
    let results = match (&config.results, &config.freshness) {
        (Some(path), Some(freshness)) if config.must_execute => {
            Results::read(cx, path, freshness.get_ref(), out)?
        }
        _ => None,
    };
    let mut suites = Suites { cx, config, roster: &roster, results, counted: 0, skipped: 0 };
    for path in &config.paths {
        let is_there =
            cx.file(path.get_ref()).exists()? && tracked.contains(path.get_ref().as_str());
        if is_there {
            suites.judge(path, out)?;
        } else {
            let path = path.get_ref();
            let remedy = "restore the file, or add it to git";
            out.push(
                Finding::new(
                    FILE_MISSING,
                    path,
                    format!("`{path}` is absent or not tracked"),
                    remedy,
                )
                .at(Location::file(path)),
            );
        }
    }
    suites.skips(out);
    // A suite that is not there was looked for, and reported.
    Ok(Examined::items(suites.counted.max(out.kept().len())))
}

struct Suites<'c> {
    cx: &'c GateContext<'c>,
    config: &'c Config,
    roster: &'c Roster,
    results: Option<Results>,
    counted: usize,
    skipped: usize,
}

impl Suites<'_> {
    fn judge(&mut self, path: &Spanned<RelPath>, out: &mut Findings) -> Result<(), GateError> {
        let place = path.span().start;
        let path = path.get_ref();
        let tests = |binary: &&Binary| binary.kind == "test" && binary.files.contains_key(path);
        let Some(binary) = self.roster.binaries.iter().find(tests) else {
            out.push(
                Finding::new(
                    FILE_NOT_A_TARGET,
                    path,
                    format!("`{path}` is no test target, nor a module of one"),
                    "add a `[[test]]` table for it, or declare it in a target that exists",
                )
                .at(Location::file(path)),
            );
            return Ok(());
        };
        if binary.is_open {
            return self.cx.watch(Err(Fault::new(
                NOT_STATIC,
                format!("`{}` has a `main` of its own, which alone knows its tests", binary.id),
                "resolve by `list`",
            )
            .at(self.cx.locate(place))));
        }
        let tests = binary.files.get(path).map_or(&[][..], Vec::as_slice);
        let active = tests.iter().filter(|test| test.is_active).count();
        self.counted += tests.len();
        self.cx.note(format!("{path}: {active} of {} tests run", tests.len()));
        if active < self.config.min_active.get() {
            out.push(
                Finding::new(
                    NO_ACTIVE_TEST,
                    path,
                    format!("{active} of {} tests of `{path}` run", tests.len()),
                    "take away the attribute that keeps its tests from running, or write one",
                )
                .at(Location::file(path))
                .expected(format!("at least {}", self.config.min_active)),
            );
        }
        let Some(results) = &mut self.results else { return Ok(()) };
        let mut passed = 0usize;
        for test in tests {
            match results.ended(self.cx, &binary.id, &test.name)? {
                Some(crate::junit::Ended::Passed) => passed += 1,
                Some(crate::junit::Ended::Skipped) => self.skipped += 1,
                Some(crate::junit::Ended::Failed) | None => {}
            }
        }
        if passed == 0 {
            out.push(
                Finding::new(
                    NOT_EXECUTED,
                    path,
                    format!("no test of `{path}` was executed and passed"),
                    "run the suite in this lane, and make it pass",
                )
                .at(Location::file(path))
                .found(format!("0 of {} tests", tests.len())),
            );
        }
        Ok(())
    }

    fn skips(&self, out: &mut Findings) {
        if self.skipped > self.config.max_skips {
            out.push(
                Finding::new(
                    SKIPS_OVER_BUDGET,
                    self.config.extra.get_ref(),
                    format!("{} load-bearing tests were skipped", self.skipped),
                    "provide what they need in this lane",
                )
                .at(self.cx.locate(self.config.extra.span().start))
                .expected(format!("at most {}", self.config.max_skips)),
            );
        }
    }
}

#[cfg(test)]
mod tests;
