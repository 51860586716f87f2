//! What one change may touch: frozen files, files with a companion, measured values under a header.
//! It compares contents; who may approve a change is policy.

mod compare;
mod config;
mod stamp;
mod teeth;

use crate::{
    admission::Admissions,
    base_commit::base_commit,
    lane::{
        ADMISSION_EXPIRED, ADMISSION_UNUSED, BASE_IS_HEAD, SELECTOR_MATCHES_NOTHING,
        VALUES_CHANGED_HEADER_SAME,
    },
};
use compare::{Comparison, How};
use config::{Config, Sidecar};
use portcullis::{
    Code, Examined, Finding, Findings, GateContext, GateError, Location, SkipReason,
    wire::code::BASE_UNRESOLVABLE,
};
use teeth::TEETH;

portcullis::gate_kind! {
    /// Keeps a change from touching what changes on purpose only.
    ///
    /// ### What it checks
    /// The work tree, with untracked files, is compared by content with the commit before the change. Files of `frozen`
    /// are not edited, added, deleted or renamed in or out. A changed file that a `sidecar` rule names has a changed
    /// companion. Where values under `body` of a `stamp` file changed, every `header` value changed, and no value is gone. Equal content
    /// under another file time, mode or index mark is no change; an edit that the index or a private exclude file hides
    /// is one.
    ///
    /// ### Why it gates
    /// A flipped operator in a kernel, a golden file refreshed to fit, or a baseline scaled under its old header passes
    /// every test that is measured by it.
    ///
    /// ### Example
    /// With `frozen = [{ paths = ["src/kernel.rs"] }]`, refused: a change that edits `src/kernel.rs`. Accepted: the same
    /// change with an entry in `allow` that says why, and ends.
    ///
    /// ### Configuration
    /// - `base`: the revision to compare with, an ancestor of `HEAD`. Default: the merge base with what `--base`,
    ///   `PORTCULLIS_BASE` or the provider names, else with the default branch. A base that is `HEAD` is good on a
    ///   machine of a person, where the change is in the work tree, and an error in CI and on protected lanes.
    /// - `frozen`: tables with `paths` (globs) and `allow`, a list of `{ path, reason, expires }`.
    /// - `sidecar`: tables with `when` and `require` (globs), and `same_stem` (default false): a changed file of the
    ///   first needs a changed file of the second, with the same name up to its last dot where `same_stem` says so.
    /// - `stamp`: tables with `path` (globs of JSON or TOML files), `body` and `header` (JSON Pointers, `*` for each),
    ///   and `keys` (`no_loss`, the default, or `any`).
    ///
    /// ### Remediation
    /// - `frozen_changed`: take the edit back, or admit it with an entry in `allow`, reviewed in a change of its own.
    /// - `sidecar_missing`: write the companion that says why the file changed.
    /// - `values_changed_header_same`: measure again with the tool that writes the header, or restore the values.
    /// - `keys_lost`: restore the values, or set `keys = "any"` in a change of its own.
    /// - `admission_unused`: remove the entry. `admission_expired`: end what it admits, or renew it.
    /// - `selector_matches_nothing`: correct the glob or pointer that is named.
    /// - `base_unresolvable`: fetch the whole history, `fetch-depth: 0` for actions/checkout.
    /// - `base_is_head`: hand over the commit before the change in `PORTCULLIS_BASE`.
    /// - `base_not_ancestor`: rebase, or leave `base` out.
    pub static DIFF_GUARD: "diff_guard", since = "0.1.0", config = Config, validate = config::validate, check = check,
        codes = CODES, teeth = TEETH;
}

const FROZEN_CHANGED: Code =
    Code::new("PC1572", "frozen_changed", "A change touches a file that is frozen.");
const SIDECAR_MISSING: Code = Code::new(
    "PC1573",
    "sidecar_missing",
    "A file changed without the companion that has to change with it.",
);
const KEYS_LOST: Code =
    Code::new("PC1574", "keys_lost", "A change removes values that others are measured by.");

const CODES: &[Code] = &[
    FROZEN_CHANGED,
    SIDECAR_MISSING,
    VALUES_CHANGED_HEADER_SAME,
    KEYS_LOST,
    ADMISSION_UNUSED,
    ADMISSION_EXPIRED,
    SELECTOR_MATCHES_NOTHING,
    BASE_UNRESOLVABLE,
    BASE_IS_HEAD,
];

/// Compares the two trees and judges what differs; returns how many files are guarded.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    if cx.tool("git")?.is_none() {
        return Ok(Examined::skipped(SkipReason::ToolMissing, "`git` is not on the search path"));
    }
    let base = base_commit(cx, config.base.as_ref().map(|base| base.get_ref().as_str()))?;
    let comparison = Comparison::read(cx, config, base)?;
    frozen(cx, config, &comparison, out);
    for rule in &config.sidecar {
        sidecar(rule, &comparison, out);
    }
    for rule in &config.stamp {
        stamp::judge(cx, rule, &comparison, out)?;
    }
    Ok(Examined::items(comparison.guarded()))
}

fn frozen(cx: &GateContext<'_>, config: &Config, comparison: &Comparison, out: &mut Findings) {
    for rule in &config.frozen {
        let admission = |allow: &toml::Spanned<config::Allow>| allow.get_ref().path.clone();
        let admitted: Vec<_> = rule.allow.iter().map(admission).collect();
        let mut admissions = Admissions::new(cx, rule.allow.iter().map(config::admission));
        for (path, how) in comparison.changes(rule.paths.get_ref()) {
            // A path may be admitted twice by mistake: the first entry counts, the second is unused.
            let index = admitted.iter().position(|admitted| admitted.as_str() == path);
            if index.is_some_and(|index| admissions.cover(index)) {
                continue;
            }
            let what = match (how, comparison.renamed(path)) {
                (_, Some(other)) => format!("{} (rename: `{other}`)", how.word()),
                (_, None) => how.word().to_owned(),
            };
            out.push(
                Finding::new(
                    FROZEN_CHANGED,
                    path,
                    format!("`{path}` is frozen, and this change {what} it"),
                    format!("restore it: `git checkout {} -- {path}`; or admit the change with an entry in `allow`", comparison.base()),
                )
                .at(Location::file(path))
                .expected(comparison.before(path).unwrap_or("no such file").to_owned())
                .found(comparison.after(path).unwrap_or("no such file").to_owned()),
            );
        }
        admissions.report(out);
    }
}

/// Every changed file of `when` has a companion that was written, not deleted.
fn sidecar(rule: &Sidecar, comparison: &Comparison, out: &mut Findings) {
    let written: Vec<&str> = comparison
        .changes(&rule.require)
        .filter(|(_path, how)| *how != How::Removed)
        .map(|(path, _how)| path)
        .collect();
    let stems: std::collections::BTreeMap<&str, &str> =
        written.iter().map(|path| (stem(path), *path)).collect();
    for (path, how) in comparison.changes(rule.when.get_ref()) {
        // A file is no companion of itself.
        let accompanied = if rule.same_stem {
            stems.get(stem(path)).is_some_and(|found| *found != path)
                || written.iter().any(|found| *found != path && stem(found) == stem(path))
        } else {
            written.iter().any(|found| *found != path)
        };
        if !accompanied {
            let wanted = if rule.same_stem { " of the same stem" } else { "" };
            out.push(
                Finding::new(
                    SIDECAR_MISSING,
                    path,
                    format!("this change {} `{path}` and no companion", how.word()),
                    "write the companion that says why, in the same change",
                )
                .at(Location::file(path))
                .expected(format!("a changed file{wanted} in {}", rule.require)),
            );
        }
    }
}

/// The name of a file up to its last dot.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((stem, _suffix)) if !stem.is_empty() => stem,
        Some(_) | None => name,
    }
}

#[cfg(test)]
mod tests;
