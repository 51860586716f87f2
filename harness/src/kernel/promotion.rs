//! Strict, shadow or rollback: which promotion mode is in force. Leaves out what a mode does to a status.

use super::{
    document::{Keys, Source, Table},
    policy::CODES,
};
use crate::wire::{
    code::{LANE_INVALID, ROLLBACK_EXPIRED, ROLLBACK_WITHOUT_RECORD, SHADOW_EXPIRED},
    fault::{Fault, Location},
    outcome::Mode,
    time::{Day, Instant},
};
use serde::Serialize;
use std::ops::Range;

/// How long a rollback record may hold.
pub const ROLLBACK_MAX_MS: i64 = 72 * 3_600_000;

/// What the policy says about promotion.
#[derive(Clone, Debug, Serialize)]
pub struct Promotion {
    /// `strict` or `shadow`; rollback is asked for by environment.
    pub mode: Mode,
    /// The last day of shadow mode.
    pub shadow_until: Option<Day>,
    /// The record without which nothing is rolled back.
    pub rollback: Option<Rollback>,
    /// Where the section stands.
    pub location: Option<Location>,
}

/// Who rolled back, why, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rollback {
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub rationale: String,
    /// Where it is discussed.
    pub issue: String,
    /// When it began.
    pub created: Instant,
    /// Its last valid instant.
    pub expires: Instant,
    /// Where it stands.
    pub location: Location,
}

impl Default for Promotion {
    fn default() -> Self {
        Self { mode: Mode::Strict, shadow_until: None, rollback: None, location: None }
    }
}

impl Promotion {
    pub(super) fn read(
        source: &Source,
        section: (&Table, Range<usize>),
        faults: &mut Vec<Fault>,
    ) -> Self {
        let (table, span) = section;
        let mut keys = Keys::new(source, table, span.clone(), "`[promotion]`", CODES, faults);
        let mode = keys.parsed("mode", "`strict` or `shadow`", |text| {
            Mode::parse(text).filter(|mode| *mode != Mode::Rollback)
        });
        let mode = mode.unwrap_or(Mode::Strict);
        let shadow_until = keys.day("shadow_until");
        match (mode, keys.has("shadow_until")) {
            (Mode::Shadow, false) => keys.wrong(
                "mode",
                "shadow mode states no end",
                "add `shadow_until = <day>`, the last day on which nothing blocks",
            ),
            (Mode::Strict | Mode::Rollback, true) => keys.wrong(
                "shadow_until",
                "`shadow_until` means nothing in strict mode",
                "remove it, or write `mode = \"shadow\"`",
            ),
            (Mode::Shadow, true) | (Mode::Strict | Mode::Rollback, false) => {}
        }
        let record = keys.table("rollback");
        keys.finish();
        let rollback = record.and_then(|(table, span)| Rollback::read(source, table, span, faults));
        Self { mode, shadow_until, rollback, location: Some(source.locate(span.start)) }
    }
}

impl Rollback {
    fn read(
        source: &Source,
        table: &Table,
        span: Range<usize>,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let location = source.locate(span.start);
        let mut keys = Keys::new(source, table, span, "`[promotion.rollback]`", CODES, faults);
        let owner = keys.text("owner");
        let owner = keys.required("owner", owner);
        let rationale = keys.text("rationale");
        let rationale = keys.required("rationale", rationale);
        let issue = keys.text("issue");
        let issue = keys.required("issue", issue);
        let created = keys.instant("created");
        let created = keys.required("created", created);
        let expires = keys.instant("expires");
        let expires = keys.required("expires", expires);
        if let (Some(created), Some(expires)) = (created, expires) {
            let lasts_ms = expires.ms_since(created);
            if !(1..=ROLLBACK_MAX_MS).contains(&lasts_ms) {
                let headline = "a rollback record lasts from one instant to a later one, at most 72 hours after it";
                keys.wrong(
                    "expires",
                    headline,
                    "move `expires` to at most 72 hours after `created`",
                );
            }
        }
        keys.finish();
        Some(Self {
            owner: owner?,
            rationale: rationale?,
            issue: issue?,
            created: created?,
            expires: expires?,
            location,
        })
    }
}

/// The mode in force, and why it is not the one that was asked for. Where anything is unclear it is strict.
///
/// Every fault but `shadow_expired` blocks: somebody asked for leniency without the right to it.
#[must_use]
pub fn resolve(promotion: &Promotion, requested: Option<&str>, now: Instant) -> (Mode, Vec<Fault>) {
    match requested.filter(|text| !text.is_empty()) {
        None => of_policy(promotion, now),
        Some("strict") => (Mode::Strict, Vec::new()),
        Some("rollback") => rollback(promotion, now),
        Some("shadow") if promotion.mode == Mode::Shadow => of_policy(promotion, now),
        Some("shadow") => {
            let headline =
                "shadow mode was asked for by environment, and the policy does not grant it";
            let remedy = "unset CI_GATE_PROMOTION_MODE, or state `mode` and `shadow_until` under `[promotion]`";
            (Mode::Strict, vec![Fault::new(LANE_INVALID, headline, remedy)])
        }
        Some(other) => {
            let found: String = other.chars().take(60).collect();
            let fault = Fault::new(
                LANE_INVALID,
                "CI_GATE_PROMOTION_MODE names no promotion mode",
                "set it to `strict` or `rollback`, or unset it",
            );
            (
                Mode::Strict,
                vec![
                    fault.found(format!("{found:?}")).expected("`strict`, `shadow` or `rollback`"),
                ],
            )
        }
    }
}

fn of_policy(promotion: &Promotion, now: Instant) -> (Mode, Vec<Fault>) {
    match (promotion.mode, promotion.shadow_until) {
        (Mode::Shadow, Some(until)) if now.day() <= until => (Mode::Shadow, Vec::new()),
        (Mode::Shadow, until) => {
            let headline = match until {
                Some(until) => format!("shadow mode ended on {until}, so every gate blocks"),
                None => "shadow mode states no end, so every gate blocks".to_owned(),
            };
            let remedy = "remove `mode` and `shadow_until`, or state a later day";
            (
                Mode::Strict,
                vec![placed(
                    Fault::new(SHADOW_EXPIRED, headline, remedy),
                    promotion.location.as_ref(),
                )],
            )
        }
        (Mode::Strict | Mode::Rollback, _) => (Mode::Strict, Vec::new()),
    }
}

fn rollback(promotion: &Promotion, now: Instant) -> (Mode, Vec<Fault>) {
    const REMEDY: &str = "unset CI_GATE_PROMOTION_MODE, or commit a `[promotion.rollback]` record with owner, \
                          rationale, issue, created and expires (at most 72 hours later)";
    let Some(record) = &promotion.rollback else {
        let headline =
            "rollback mode was asked for, and there is no record of who rolled back and why";
        return (Mode::Strict, vec![Fault::new(ROLLBACK_WITHOUT_RECORD, headline, REMEDY)]);
    };
    let at = |fault: Fault| fault.at(record.location.clone());
    let lasts_ms = record.expires.ms_since(record.created);
    if !(1..=ROLLBACK_MAX_MS).contains(&lasts_ms) || now < record.created {
        // The parser refuses such a record; a value built otherwise must not do better.
        let headline =
            "the rollback record does not hold now: it begins later, or lasts longer than 72 hours";
        return (Mode::Strict, vec![at(Fault::new(ROLLBACK_WITHOUT_RECORD, headline, REMEDY))]);
    }
    if now > record.expires {
        let headline = format!("the rollback record ended at {}", record.expires);
        return (Mode::Strict, vec![at(Fault::new(ROLLBACK_EXPIRED, headline, REMEDY))]);
    }
    (Mode::Rollback, Vec::new())
}

fn placed(fault: Fault, location: Option<&Location>) -> Fault {
    match location {
        Some(location) => fault.at(location.clone()),
        None => fault,
    }
}

/// Whether a fault of [`resolve`] blocks by itself.
#[must_use]
pub fn blocks(fault: &Fault) -> bool {
    fault.code() != SHADOW_EXPIRED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(created: &str, expires: &str) -> Promotion {
        let instant = |text| Instant::parse(text).expect("an instant");
        Promotion {
            rollback: Some(Rollback {
                owner: "o".to_owned(),
                rationale: "r".to_owned(),
                issue: "i".to_owned(),
                created: instant(created),
                expires: instant(expires),
                location: Location::file("portcullis.toml"),
            }),
            ..Promotion::default()
        }
    }

    fn shadow(until: Option<&str>) -> Promotion {
        let shadow_until = until.map(|text| Day::parse(text).expect("a day"));
        Promotion { mode: Mode::Shadow, shadow_until, ..Promotion::default() }
    }

    /// Case, policy, requested mode, mode in force, code.
    type Row = (&'static str, Promotion, Option<&'static str>, Mode, Option<&'static str>);

    #[test]
    fn fg62_only_a_valid_record_rolls_back() {
        let (a, b) = ("2026-05-30T12:00:00Z", "2026-06-02T12:00:00Z");
        let plain = Promotion::default();
        let table: Vec<Row> = vec![
            ("nothing asked, nothing stated", plain.clone(), None, Mode::Strict, None),
            ("an empty variable asks for nothing", plain.clone(), Some(""), Mode::Strict, None),
            (
                "rollback without a record",
                plain.clone(),
                Some("rollback"),
                Mode::Strict,
                Some("rollback_without_record"),
            ),
            ("rollback within the record", record(a, b), Some("rollback"), Mode::Rollback, None),
            ("a record alone does nothing", record(a, b), None, Mode::Strict, None),
            (
                "the record ended a second ago",
                record(a, "2026-05-31T11:59:59Z"),
                Some("rollback"),
                Mode::Strict,
                Some("rollback_expired"),
            ),
            (
                "the record ends this very second",
                record(a, "2026-05-31T12:00:00Z"),
                Some("rollback"),
                Mode::Rollback,
                None,
            ),
            (
                "a record of 73 hours",
                record(a, "2026-06-02T13:00:00Z"),
                Some("rollback"),
                Mode::Strict,
                Some("rollback_without_record"),
            ),
            (
                "a record that begins tomorrow",
                record("2026-06-01T12:00:00Z", b),
                Some("rollback"),
                Mode::Strict,
                Some("rollback_without_record"),
            ),
            ("an unknown mode", record(a, b), Some("Rollback"), Mode::Strict, Some("lane_invalid")),
            (
                "shadow by environment alone",
                plain,
                Some("shadow"),
                Mode::Strict,
                Some("lane_invalid"),
            ),
            ("shadow on its last day", shadow(Some("2026-05-31")), None, Mode::Shadow, None),
            (
                "strict asked for while in shadow",
                shadow(Some("2026-05-31")),
                Some("strict"),
                Mode::Strict,
                None,
            ),
            (
                "shadow a day late",
                shadow(Some("2026-05-30")),
                None,
                Mode::Strict,
                Some("shadow_expired"),
            ),
            (
                "shadow without an end",
                shadow(None),
                Some("shadow"),
                Mode::Strict,
                Some("shadow_expired"),
            ),
        ];
        let now = Instant::parse("2026-05-31T12:00:00Z").expect("now");
        for (case, promotion, requested, mode, code) in table {
            let (seen, faults) = resolve(&promotion, requested, now);
            assert_eq!(seen, mode, "{case}");
            assert_eq!(faults.first().map(|fault| fault.code().name()), code, "{case}");
        }
    }
}
