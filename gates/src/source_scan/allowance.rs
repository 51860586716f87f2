//! Exceptions with an owner and a last day: whether they still apply, and whether anything needs them.

use super::{ALLOW_ENTRY_EXPIRED, ALLOW_ENTRY_EXPIRING, ALLOW_ENTRY_STALE, Allow};
use crate::calendar::{Season, days, season};
use portcullis::{Finding, Findings, GateContext, Location, RelPath};
use toml::Spanned;

/// How long before its end an allowance is announced, in days.
const WARN_DAYS: i64 = 14;

/// The allowances of a gate, and which of them were needed.
pub(crate) struct Allowances<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    allow: &'a Allow,
    at: Location,
    season: Season,
    is_used: bool,
}

impl<'a> Allowances<'a> {
    /// Judges each by the calendar of this lane.
    pub(crate) fn new(cx: &GateContext<'_>, list: &'a [Spanned<Allow>]) -> Self {
        let judge = |allow: &'a Spanned<Allow>| Entry {
            allow: allow.get_ref(),
            at: cx.locate(allow.span().start),
            season: season(allow.get_ref().expires.0, cx.today(), cx.lane(), WARN_DAYS, false),
            is_used: false,
        };
        Self { entries: list.iter().map(judge).collect() }
    }

    /// Whether an allowance that still applies covers this token in this file.
    pub(crate) fn cover(&mut self, path: &RelPath, token: &str) -> bool {
        let matching = |entry: &&mut Entry<'_>| {
            entry.allow.token == token && entry.allow.path == path.as_str()
        };
        let Some(entry) = self.entries.iter_mut().find(matching) else { return false };
        entry.is_used = true;
        match entry.season {
            Season::Valid | Season::Expiring(_) | Season::Grace(_) => true,
            Season::Expired(_) => false,
        }
    }

    /// Reports what the calendar says, and allowances that nothing needed.
    pub(crate) fn report(&self, out: &mut Findings) {
        for entry in &self.entries {
            out_of_season(entry, out);
            if !entry.is_used {
                let allow = entry.allow;
                out.push(
                    Finding::new(
                        ALLOW_ENTRY_STALE,
                        format!("{}: {}", allow.path, allow.token),
                        format!(
                            "nothing in `{}` needs the allowance of `{}`",
                            allow.path, allow.token
                        ),
                        "remove the allowance",
                    )
                    .at(entry.at.clone()),
                );
            }
        }
    }
}

fn out_of_season(entry: &Entry<'_>, out: &mut Findings) {
    let allow = entry.allow;
    let (code, message) = match entry.season {
        Season::Valid => return,
        Season::Expiring(left) => (
            ALLOW_ENTRY_EXPIRING,
            format!("the allowance of `{}` ends in {}", allow.token, days(left)),
        ),
        Season::Grace(over) | Season::Expired(over) => (
            ALLOW_ENTRY_EXPIRED,
            format!("the allowance of `{}` ended {} ago", allow.token, days(over)),
        ),
    };
    let finding = Finding::new(
        code,
        format!("{}: {}", allow.path, allow.token),
        message,
        format!(
            "remove the use, or renew the allowance ({}: {})",
            allow.owner.trim(),
            allow.reason.trim()
        ),
    )
    .at(entry.at.clone())
    .found(format!("last valid day {}", allow.expires.0));
    out.push(match entry.season {
        Season::Expired(_) => finding,
        Season::Valid | Season::Expiring(_) | Season::Grace(_) => finding.advisory(),
    });
}
