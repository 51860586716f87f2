//! The filter expressions of a configuration against the tests there are.

use super::{
    DEFAULT_FILTER_HIDES, FILTER_INVALID, Judge, Key, OVERRIDE_UNMATCHED, hides::Profiles,
};
use crate::{
    filterset::{Filter, Refusal, Truth},
    lane::NOT_STATIC,
    test_roster::Roster,
    toml_file::TomlFile,
};
use portcullis::{Fault, Finding, Findings, GateContext, GateError};
use toml::de::DeTable;

/// How many tests a message names.
const SHOWN: usize = 5;

/// A filter, with the profile it belongs to.
pub(super) struct Written<'t> {
    profile: &'t str,
    text: &'t str,
    offset: usize,
    is_default: bool,
    /// Whether another platform may be the one it is for.
    has_platform: bool,
}

/// Every filter of a file, in the order of profiles.
///
/// # Errors
/// When one is no text.
pub(super) fn of<'t>(file: &TomlFile, profiles: &Profiles<'t>) -> Result<Vec<Written<'t>>, Fault> {
    let mut filters = Vec::new();
    for profile in profiles.values() {
        let mut take = |table: &'t DeTable<'t>, key: &str| -> Result<(), Fault> {
            let Some(value) = table.get(key) else { return Ok(()) };
            let offset = value.span().start;
            let Some(text) = value.get_ref().as_str() else {
                let headline = format!("`{key}` of profile `{}` is no text", profile.name);
                return Err(file.fault(offset, headline, "write a filter expression"));
            };
            let is_default = key == "default-filter";
            let has_platform = table.contains_key("platform");
            filters.push(Written { profile: profile.name, text, offset, is_default, has_platform });
            Ok(())
        };
        take(profile.table, "default-filter")?;
        for table in &profile.overrides {
            take(table, "filter")?;
            take(table, "default-filter")?;
        }
        for table in &profile.scripts {
            take(table, "filter")?;
        }
    }
    Ok(filters)
}

/// Judges every filter.
///
/// # Errors
/// `not_static` for what no roster can answer, `nothing_examined` without any test.
pub(super) fn judge(
    cx: &GateContext<'_>,
    judge: &mut Judge<'_, '_>,
    filters: &[Written<'_>],
    roster: &Roster,
    out: &mut Findings,
) -> Result<(), GateError> {
    let subjects: Vec<_> = roster.binaries.iter().flat_map(|binary| binary.subjects()).collect();
    cx.note(format!("{} tests in {} binaries", subjects.len(), roster.binaries.len()));
    for written in filters {
        let filter = match Filter::parse(written.text) {
            Ok(filter) => filter,
            Err(Refusal::Invalid(why)) => {
                out.push(
                    Finding::new(
                        FILTER_INVALID,
                        written.text,
                        format!("`{}` is no filter expression: {why}", written.text),
                        "mend the expression",
                    )
                    .at(judge.file.locate(written.offset)),
                );
                continue;
            }
            Err(Refusal::NotStatic(what)) => {
                return cx.watch(Err(not_static(
                    judge,
                    written,
                    &format!("`{what}` is asked for"),
                )));
            }
        };
        let truths: Vec<Truth> = subjects.iter().map(|subject| filter.holds(subject)).collect();
        let is_unknown = truths.contains(&Truth::Maybe);
        if written.is_default {
            let left_out: Vec<String> = subjects
                .iter()
                .zip(&truths)
                .filter(|(_, truth)| **truth == Truth::No)
                .map(|(subject, _)| {
                    format!("{}${}", subject.binary_id, subject.test.unwrap_or("*"))
                })
                .collect();
            if !left_out.is_empty() {
                let message = format!(
                    "the default filter of profile `{}` leaves {} tests out",
                    written.profile,
                    left_out.len()
                );
                let shown = left_out.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
                let remedy =
                    "remove the filter, and select on the command line of the lane that wants less";
                let key = (DEFAULT_FILTER_HIDES, Key::DefaultFilter);
                judge.report(key, written.profile, written.offset, (message, shown, remedy), out);
            } else if is_unknown {
                return cx.watch(Err(not_static(judge, written, "a binary lists its own tests")));
            }
        } else if !truths.contains(&Truth::Yes) {
            if is_unknown {
                return cx.watch(Err(not_static(judge, written, "a binary lists its own tests")));
            }
            let finding = Finding::new(
                OVERRIDE_UNMATCHED,
                format!("profile.{}: {}", written.profile, written.text),
                format!("`{}` matches no test, so it sets nothing", written.text),
                "correct the filter, or remove the table it stands in",
            )
            .at(judge.file.locate(written.offset))
            .expected(format!("one of {} tests", subjects.len()));
            out.push(if written.has_platform { finding.advisory() } else { finding });
        }
    }
    Ok(())
}

fn not_static(judge: &Judge<'_, '_>, written: &Written<'_>, why: &str) -> Fault {
    Fault::new(
        NOT_STATIC,
        format!("what `{}` matches is not known without asking nextest: {why}", written.text),
        "resolve by `list`, or write the filter with names, binaries, kinds and packages",
    )
    .at(judge.file.locate(written.offset))
}
