//! Admitted exceptions to a rule: a reason, a last day where one is wanted, and whether anything still needs them.
//!
//! What an admission selects (a crate, a path, a name) belongs to its kind; this is what all of them have in common.

use crate::{
    calendar::{LocalDate, Season, days, season},
    lane::{ADMISSION_EXPIRED, ADMISSION_UNUSED},
};
use portcullis::{
    Fault, Finding, Findings, GateContext, GateTable, Location, wire::code::CONFIG_INVALID,
};

/// The shortest reason for an admission, in characters, as for a waiver.
const REASON_MIN: usize = 20;
/// How long before its end an admission is announced, in days, as for a waiver.
const WARN_DAYS: i64 = 14;

/// One admission, as its kind read it.
pub(crate) struct Admission<'a> {
    /// What it admits, in words for a message, such as ``crate `cc` ``.
    pub(crate) what: String,
    /// Why.
    pub(crate) reason: &'a str,
    /// Its last valid day; nothing for one without end.
    pub(crate) expires: Option<LocalDate>,
    /// The offset of its table in the policy.
    pub(crate) offset: usize,
}

/// The admissions of a gate, and which of them were needed. An admission is named by its position in the list.
pub(crate) struct Admissions<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    admission: Admission<'a>,
    at: Location,
    season: Season,
    is_used: bool,
}

/// Refuses an admission without a real reason.
pub(crate) fn fault(admission: &Admission<'_>, table: &GateTable) -> Option<Fault> {
    let length = admission.reason.trim().chars().count();
    (length < REASON_MIN).then(|| {
        Fault::new(
            CONFIG_INVALID,
            format!("the admission of {} has no real reason", admission.what),
            "say why it has to be, and what would end it",
        )
        .at(table.locate(admission.offset))
        .expected(format!("at least {REASON_MIN} characters"))
        .found(format!("{length} characters"))
    })
}

impl<'a> Admissions<'a> {
    /// Judges each by the calendar of this lane.
    pub(crate) fn new(cx: &GateContext<'_>, list: impl IntoIterator<Item = Admission<'a>>) -> Self {
        let judge = |admission: Admission<'a>| Entry {
            at: cx.locate(admission.offset),
            season: admission.expires.map_or(Season::Valid, |day| {
                season(day.0, cx.today(), cx.lane(), WARN_DAYS, false)
            }),
            admission,
            is_used: false,
        };
        Self { entries: list.into_iter().map(judge).collect() }
    }

    /// Marks the admission at `index` as needed, and says whether it still applies.
    pub(crate) fn cover(&mut self, index: usize) -> bool {
        let Some(entry) = self.entries.get_mut(index) else { return false };
        entry.is_used = true;
        match entry.season {
            Season::Valid | Season::Expiring(_) | Season::Grace(_) => true,
            Season::Expired(_) => false,
        }
    }

    /// Reports what the calendar says, and admissions that nothing needed.
    pub(crate) fn report(&self, out: &mut Findings) {
        for entry in &self.entries {
            out_of_season(entry, out);
            if !entry.is_used {
                let what = &entry.admission.what;
                out.push(
                    Finding::new(
                        ADMISSION_UNUSED,
                        what,
                        format!("nothing needs the admission of {what}"),
                        "remove the admission",
                    )
                    .at(entry.at.clone()),
                );
            }
        }
    }
}

fn out_of_season(entry: &Entry<'_>, out: &mut Findings) {
    let Admission { what, reason, .. } = &entry.admission;
    let message = match entry.season {
        Season::Valid => return,
        Season::Expiring(left) => format!("the admission of {what} ends in {}", days(left)),
        Season::Grace(over) | Season::Expired(over) => {
            format!("the admission of {what} ended {} ago", days(over))
        }
    };
    let remedy =
        format!("end what it admits, or renew it in a change of its own ({})", reason.trim());
    let finding = Finding::new(ADMISSION_EXPIRED, what, message, remedy).at(entry.at.clone());
    out.push(match entry.season {
        Season::Expired(_) => finding,
        Season::Valid | Season::Expiring(_) | Season::Grace(_) => finding.advisory(),
    });
}
