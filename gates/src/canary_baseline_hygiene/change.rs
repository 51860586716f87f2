//! What a change does to the baselines, compared with its base. Who may approve it is policy.

use super::{Config, finding, usable};
use crate::{
    canary::code::{MIXED_CHANGE, RELAXED_TOO_FAR, ROSTER_DIFFERS, SUBJECT_WRONG},
    lane::VALUES_CHANGED_HEADER_SAME,
    pattern::Pattern,
};
use portcullis::{File, Findings, GateContext, GateError, RelPath};
use portcullis_canary::baseline::{self, Baseline, Reading};
use std::collections::BTreeSet;

/// How many paths a message lists.
const SHOWN: usize = 5;

/// The change.
pub(super) struct Change {
    base: String,
    /// What it touches that is no baseline and that a refresh may not touch.
    others: Vec<String>,
    /// The baselines of the base.
    before: BTreeSet<String>,
    subject: Pattern,
}

impl Change {
    /// Reads what the change touches.
    pub(super) fn read(
        cx: &GateContext<'_>,
        config: &Config,
        base: String,
    ) -> Result<Self, GateError> {
        let git = cx.git();
        let mut touched: BTreeSet<String> =
            cx.watch(git.changed_files(&base))?.into_iter().collect();
        // An edit that the index hides is an edit all the same.
        touched.extend(cx.watch(git.hidden_edits())?);
        let is_allowed = |path: &str| {
            config.baselines.matches(path)
                || config.allowed_paths.as_ref().is_some_and(|globs| globs.matches(path))
        };
        let target = cx.target_dir().strip_prefix(cx.root()).ok().and_then(std::path::Path::to_str);
        let is_output = |path: &str| {
            target.is_some_and(|target| {
                path.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let others =
            touched.into_iter().filter(|path| !is_allowed(path) && !is_output(path)).collect();
        let at_base = cx.watch(git.files_at(&base))?;
        let before = at_base.into_keys().filter(|path| config.baselines.matches(path)).collect();
        let subject = match &config.subject_pattern {
            Some(pattern) => pattern.clone(),
            None => cx.watch(Pattern::new(super::SUBJECT_PATTERN))?,
        };
        Ok(Self { base, others, before, subject })
    }

    /// Reports what the change does to one baseline.
    pub(super) fn judge(
        &self,
        cx: &GateContext<'_>,
        config: &Config,
        file: &File<'_>,
        reading: &Reading,
        out: &mut Findings,
    ) -> Result<(), GateError> {
        let path = file.path();
        let before = cx.watch(cx.git().show(&self.base, path))?;
        if before.as_deref() == Some(file.bytes()?.as_slice()) {
            return Ok(());
        }
        self.alone(path, out);
        self.subjects(cx, path, out)?;
        let Some(before) = before else { return Ok(()) };
        let earlier = match baseline::read(path.as_str(), &before) {
            Ok(earlier) => earlier,
            Err(problem) => {
                // Whoever repairs a broken base has nothing to be compared with; the rest is judged all the same.
                cx.note(format!("the base of `{path}` cannot be read: {problem}"));
                return Ok(());
            }
        };
        gone(path, &earlier, reading, out);
        if let (Some(earlier), Some(later)) = (usable(&earlier), usable(reading)) {
            header(path, earlier, later, out);
            relaxed(config, path, earlier, later, out);
        }
        Ok(())
    }

    fn alone(&self, path: &RelPath, out: &mut Findings) {
        let Some(first) = self.others.first() else { return };
        let message = format!("this change touches {} other files beside it", self.others.len());
        let remedy = "move the refresh to a change of its own";
        let shown = self.others.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>();
        let found = if self.others.len() > 1 { shown.join(", ") } else { first.clone() };
        out.push(finding(MIXED_CHANGE, path, "", message, remedy).found(found));
    }

    fn subjects(
        &self,
        cx: &GateContext<'_>,
        path: &RelPath,
        out: &mut Findings,
    ) -> Result<(), GateError> {
        for commit in cx.watch(cx.git().commits_touching(&self.base, path))? {
            if !cx.watch(self.subject.matches(&commit.subject))? {
                let message = format!("commit {} does not say that it refreshes it", commit.commit);
                let remedy = "say so in the subject of the commit";
                out.push(
                    finding(SUBJECT_WRONG, path, "", message, remedy)
                        .expected(self.subject.text())
                        .found(commit.subject),
                );
            }
        }
        Ok(())
    }

    /// Reports every baseline that the change deletes.
    pub(super) fn deleted(&self, config: &Config, files: &[File<'_>], out: &mut Findings) {
        let there: BTreeSet<&str> = files.iter().map(|file| file.path().as_str()).collect();
        for path in self.before.iter().filter(|path| !there.contains(path.as_str())) {
            let remedy = "restore it; a canary ends with a change of the policy, which is reviewed";
            let message = format!("the baseline `{path}` is gone");
            out.push(
                portcullis::Finding::new(ROSTER_DIFFERS, path, message, remedy)
                    .expected(config.baselines.to_string()),
            );
        }
    }
}

/// A metric of the base that has neither a value nor an end.
fn gone(path: &RelPath, earlier: &Reading, later: &Reading, out: &mut Findings) {
    let retired = usable(later).map(|later| &later.retired);
    for metric in &earlier.names {
        let has_ended = retired.is_some_and(|retired| retired.contains(metric));
        if !later.names.contains(metric) && !has_ended {
            let message = format!("`{metric}` is gone, and is not retired");
            let remedy = "measure it again, or name it under `retired`";
            out.push(finding(ROSTER_DIFFERS, path, metric.as_str(), message, remedy));
        }
    }
}

/// Values of another measurement stand under the header of that measurement.
fn header(path: &RelPath, earlier: &Baseline, later: &Baseline, out: &mut Findings) {
    let kept = |baseline: &Baseline| {
        let values = baseline.measurements.iter();
        let common = values.filter(|(metric, _)| {
            earlier.measurements.contains_key(*metric) && later.measurements.contains_key(*metric)
        });
        common.map(|(metric, measured)| (metric.clone(), measured.clone())).collect::<Vec<_>>()
    };
    let is_same = kept(earlier) == kept(later)
        && later.measurements.keys().all(|metric| earlier.measurements.contains_key(metric))
        && earlier.calibration_ns == later.calibration_ns
        && earlier.host == later.host
        && earlier.origin == later.origin
        && earlier.work == later.work;
    if is_same {
        return;
    }
    let mut unchanged = Vec::new();
    let is_later = later.refreshed_ms().zip(earlier.refreshed_ms()).is_none_or(|(b, a)| b > a);
    if !is_later {
        unchanged.push("`refreshed_at` is not later");
    }
    for (name, before, after) in [
        ("`reason` is the same", &earlier.reason, &later.reason),
        ("`commit` is the same", &earlier.commit, &later.commit),
        ("`run_id` is the same", &earlier.run_id, &later.run_id),
    ] {
        if before == after {
            unchanged.push(name);
        }
    }
    if !unchanged.is_empty() {
        let message = "its values changed, and its header is that of the earlier measurement";
        let remedy = "refresh it with a later run and its own reason, or restore the values";
        out.push(
            finding(VALUES_CHANGED_HEADER_SAME, path, "", message, remedy)
                .found(unchanged.join(", ")),
        );
    }
}

fn relaxed(
    config: &Config,
    path: &RelPath,
    earlier: &Baseline,
    later: &Baseline,
    out: &mut Findings,
) {
    let pct = *config.max_relax_pct.get_ref();
    for (metric, before) in &earlier.measurements {
        let Some(after) = later.measurements.get(metric) else { continue };
        let (was, is) = (u128::from(before.value), u128::from(after.value));
        if is * 100 > was * (100 + u128::from(pct)) || before.unit != after.unit {
            let message = format!("`{metric}` rises by more than {pct} %");
            let remedy =
                "find what became slower; if it has to stay, waive this finding until a day";
            out.push(
                finding(RELAXED_TOO_FAR, path, metric.as_str(), message, remedy)
                    .expected(format!("at most {}", was * (100 + u128::from(pct)) / 100))
                    .found(is.to_string()),
            );
        }
    }
}
