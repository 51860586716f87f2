//! Measured lines stay measured: floors over an export of `llvm-cov`. It runs no test and measures nothing.

mod config;
mod export;
mod teeth;

use crate::{
    admission::Admissions,
    artifact_contract::{Facts, Report, judge_freshness},
    lane::{ADMISSION_EXPIRED, ADMISSION_UNUSED, SELECTOR_MATCHES_NOTHING},
};
use config::{Config, Percent};
use export::{Counts, Export};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location, RelPath,
};
use std::collections::BTreeMap;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Holds measured coverage against floors, file by file and together.
    ///
    /// ### What it checks
    /// Reads the JSON export of `llvm-cov`. Every file of `files` has lines in it; together they reach `line_min` and
    /// `branch_min`, each alone `per_file_min`. A carved file has a floor of its own, and leaves the sum. All is
    /// compared in whole numbers, and reaching a floor exactly is enough: 8000 of 10000 lines are 80 %, 7999 are not.
    ///
    /// ### Why it gates
    /// A percentage rises when the worst file vanishes from the report, and a report of last week covers the code of
    /// last week.
    ///
    /// ### Example
    /// With `line_min = 80`, refused: 79.99 %, and 95 % without `src/parse.rs`. Accepted: 80.00 %.
    ///
    /// ### Configuration
    /// - `source`: the export, written by `cargo llvm-cov --json --summary-only --output-path <source>`, or by
    ///   `llvm-cov export -summary-only`; at most 16 MiB. `of_run`: whether its path, and that of `record`, begins at
    ///   the directory of this run; default false.
    /// - `freshness`: how old the export may be and of which run and commit it is, required. `llvm-cov` records none of
    ///   this, so the step that measures has to: with keys that it adds to the export (`run_id`, `source.commit`,
    ///   `generated_at`, `inputs_digest`), or in the file that `record` names. What nobody recorded is stale.
    /// - `record`: a JSON document with those keys and `export_sha256`, the digest of the export that it is about.
    /// - `prefix`: the folder under which the export names files, where it was made in another one; default the root.
    /// - `files`: globs of the sources that have to be measured, required.
    /// - `line_min`: the floor of their lines together, in percent with at most two decimals, required. `branch_min`: of
    ///   their branches. `per_file_min`: of the lines of each file.
    /// - `carve`: tables with `path`, `line_min`, `reason`, `ref` (an issue or page), `expires` (a date) and optionally
    ///   `branch_min`; default none.
    /// - `carve_count`: how many tables `carve` has, required, so that one more is a change in two places.
    ///
    /// ### Remediation
    /// - `coverage_below`: test what is not covered; lowering a floor is a change of its own.
    /// - `coverage_missing`: measure the file, or take a file without code out of `files` with `!`.
    /// - `carve_count_differs`: remove the carving, or raise `carve_count` in a change of its own.
    /// - `admission_unused`: remove the carving; its file is not one of `files`. `admission_expired`: end it, or renew it.
    /// - `source_stale`: measure in this run, on this commit.
    /// - `source_unreadable`: write the export with `llvm-cov`, whole, and measure branches where `branch_min` is stated.
    /// - `selector_matches_nothing`: correct `files`.
    pub static COVERAGE_FLOOR: "coverage_floor", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const COVERAGE_BELOW: Code =
    Code::new("PC1610", "coverage_below", "Less is covered than the floor demands.");
const COVERAGE_MISSING: Code =
    Code::new("PC1611", "coverage_missing", "A file that has to be measured is not measured.");
const CARVE_COUNT_DIFFERS: Code = Code::new(
    "PC1612",
    "carve_count_differs",
    "There are more or fewer carved files than the table counts.",
);
pub(crate) const SOURCE_STALE: Code = Code::new(
    "PC1613",
    "source_stale",
    "A measurement is older than allowed, or of another run or commit.",
);
pub(crate) const SOURCE_UNREADABLE: Code =
    Code::new("PC1614", "source_unreadable", "A measurement cannot be read as what it should be.");

const CODES: &[Code] = &[
    COVERAGE_BELOW,
    COVERAGE_MISSING,
    CARVE_COUNT_DIFFERS,
    ADMISSION_UNUSED,
    ADMISSION_EXPIRED,
    SOURCE_STALE,
    SOURCE_UNREADABLE,
    SELECTOR_MATCHES_NOTHING,
];

/// Holds every file and their sum against the floors; returns how many lines were counted.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let export = export::read(cx, config)?;
    fresh(cx, config, &export)?;
    let paths: Vec<RelPath> =
        cx.files(config.files.get_ref())?.iter().map(|file| file.path().clone()).collect();
    if paths.is_empty() {
        let headline = format!("no file matches {}", config.files.get_ref());
        let fault = Fault::new(SELECTOR_MATCHES_NOTHING, headline, "correct `files`");
        return Err(fault.at(cx.locate(config.files.span().start)));
    }
    let mut judge = Judge {
        cx,
        config,
        measured: &export.files,
        admissions: Admissions::new(cx, config.carve.iter().map(config::admission)),
        sum: Counts::default(),
        lines: 0,
        out,
    };
    judge.count_of_carvings();
    for path in &paths {
        judge.file(path)?;
    }
    judge.together()?;
    judge.admissions.report(judge.out);
    Ok(Examined::Items(judge.lines))
}

/// The export is of the run and commit, and of the age, that the gate states.
fn fresh(cx: &GateContext<'_>, config: &Config, export: &Export) -> Result<(), GateError> {
    let file = config.file(cx, config.recorded_in())?;
    let mut facts = Facts::default();
    facts.take(&export::fields(), &export.facts, 0);
    let mut stale = Findings::new(&cx.gate().common.id);
    let mut report = Report::new(&mut stale, config.source.as_str());
    if judge_freshness(cx, &config.freshness, &facts, &file, &mut report)? {
        return Ok(());
    }
    let first = stale.kept().first();
    let said = |text: fn(&Finding) -> Option<&String>| first.and_then(text).cloned();
    let message = first.map_or("the export is stale", |finding| finding.message.as_str());
    let remedy = "measure again in this run, on this commit, and record of which it is";
    Err(Fault::new(SOURCE_STALE, message, remedy)
        .at(Location::file(file.path()))
        .expected(said(|finding| finding.expected.as_ref()).unwrap_or_default())
        .found(said(|finding| finding.found.as_ref()).unwrap_or_default()))
}

struct Judge<'j, 'c> {
    cx: &'j GateContext<'c>,
    config: &'j Config,
    measured: &'j BTreeMap<String, Counts>,
    admissions: Admissions<'j>,
    /// Of the files that are not carved.
    sum: Counts,
    lines: u64,
    out: &'j mut Findings,
}

impl Judge<'_, '_> {
    fn count_of_carvings(&mut self) {
        let (stated, found) = (self.config.carve_count.get_ref(), self.config.carve.len());
        if usize::try_from(*stated) != Ok(found) {
            let message = format!("`carve` has {found} tables, `carve_count` says {stated}");
            let remedy = "remove the carving, or change the count in a change of its own";
            self.out.push(
                Finding::new(CARVE_COUNT_DIFFERS, "carve_count", message, remedy)
                    .at(self.cx.locate(self.config.carve_count.span().start))
                    .expected(stated.to_string())
                    .found(found.to_string()),
            );
        }
    }

    fn file(&mut self, path: &RelPath) -> Result<(), GateError> {
        let carve = self.config.carve.iter().position(|carve| carve.get_ref().path == *path);
        // An expired carving is reported as such, and its file is held like any other.
        let applies = carve.is_some_and(|index| self.admissions.cover(index));
        let carve = carve.filter(|_| applies).and_then(|index| self.config.carve.get(index));
        let Some(counts) = self.measured.get(path.as_str()) else {
            self.missing(path.as_str(), path, "is not in the export");
            return Ok(());
        };
        if counts.lines.count == 0 {
            self.missing(path.as_str(), path, "has no line that was measured");
            return Ok(());
        }
        self.lines = self.lines.saturating_add(counts.lines.count);
        let at = Location::file(path);
        if let Some(carve) = carve {
            let carve = carve.get_ref();
            self.hold("lines", path.as_str(), counts.lines, carve.line_min, &at);
            if let Some(min) = carve.branch_min {
                self.branches(path.as_str(), *counts, min, &at)?;
            }
            return Ok(());
        }
        self.sum = self.sum.plus(*counts);
        if let Some(min) = self.config.per_file_min {
            self.hold("lines", path.as_str(), counts.lines, min, &at);
        }
        Ok(())
    }

    /// Holds the sum of what is not carved; where everything is carved there is none.
    fn together(&mut self) -> Result<(), GateError> {
        let at = self.cx.gate().location.clone();
        if self.sum.lines.count == 0 {
            return Ok(());
        }
        self.hold("lines", "all files", self.sum.lines, self.config.line_min, &at);
        if let Some(min) = self.config.branch_min {
            self.branches("all files", self.sum, min, &at)?;
        }
        Ok(())
    }

    /// An export without a single branch was made without measuring them, which proves nothing about branches.
    fn branches(
        &mut self,
        subject: &str,
        counts: Counts,
        min: Percent,
        at: &Location,
    ) -> Result<(), GateError> {
        match counts.branches {
            Some(branches) if branches.count > 0 => {
                self.hold("branches", subject, branches, min, at);
                Ok(())
            }
            Some(_) | None => {
                let headline = format!("the export has no branches of {subject}");
                let remedy = "measure with `--branch`, or leave `branch_min` out";
                let place = Location::file(&self.config.source);
                Err(Fault::new(SOURCE_UNREADABLE, headline, remedy).at(place))
            }
        }
    }

    fn hold(
        &mut self,
        what: &str,
        subject: &str,
        share: export::Share,
        min: Percent,
        at: &Location,
    ) {
        let export::Share { covered, count } = share;
        self.cx.note(format!("{subject}: {covered} of {count} {what}, {} %", share.percent()));
        if share.reaches(min) {
            return;
        }
        let message = format!("{covered} of {count} {what} of {subject} are covered");
        self.out.push(
            Finding::new(
                COVERAGE_BELOW,
                format!("{subject}#{what}"),
                message,
                "test what is not covered; lowering the floor is a change of its own",
            )
            .at(at.clone())
            .expected(format!("at least {min} %"))
            .found(format!("{} %", share.percent())),
        );
    }

    fn missing(&mut self, subject: &str, path: &RelPath, why: &str) {
        let remedy = "measure it, or take a file without code out of `files` with `!`";
        self.out.push(
            Finding::new(COVERAGE_MISSING, subject, format!("`{path}` {why}"), remedy)
                .at(Location::file(path))
                .found(format!("{} files in the export", self.measured.len())),
        );
    }
}

#[cfg(test)]
mod tests;
