//! The decision as tables over facts.

use super::*;

fn facts() -> Facts {
    let now = Instant::parse("2026-05-29T12:00:00Z").expect("a time");
    Facts {
        run_id: "r7".to_owned(),
        triage: Triage::NoRegression,
        verdict: "pass".to_owned(),
        failed_gates: Vec::new(),
        failed_parity: Vec::new(),
        has_parity: true,
        drift_gates: vec!["docs".to_owned()],
        certification: Some("CERTIFIED".to_owned()),
        strict_wording: true,
        context: Context::Main,
        opened_at: now,
        now,
    }
}

const ALL: [Context; 4] = [Context::Main, Context::Release, Context::Branch, Context::Unknown];

#[test]
fn severity_is_of_cause_and_context() {
    let gates = |gates: &[&str]| Facts {
        verdict: "blocked".to_owned(),
        failed_gates: gates.iter().map(|gate| (*gate).to_owned()).collect(),
        ..facts()
    };
    let uncertified = Facts { certification: None, ..facts() };
    /// The case, the facts; the severity on main, on a release, on a branch, and where nobody knows.
    type Row = (&'static str, Facts, [Option<&'static str>; 4]);
    let [one, two, three] = [Some("SEV-1"), Some("SEV-2"), Some("SEV-3")];
    let table: Vec<Row> = vec![
        ("nothing", facts(), [None; 4]),
        ("a regression", Facts { triage: Triage::Regression(1), ..facts() }, [one, one, two, one]),
        ("a blocking gate", gates(&["unit"]), [one, one, two, one]),
        ("drift alone", gates(&["docs"]), [three, three, three, two]),
        ("drift beside a blocking gate", gates(&["docs", "unit"]), [one, one, two, one]),
        (
            "an invalid run",
            Facts { verdict: "invalid".to_owned(), ..facts() },
            [one, one, two, one],
        ),
        (
            "an invalid run with drift",
            Facts { verdict: "invalid".to_owned(), ..gates(&["docs"]) },
            [one, one, two, one],
        ),
        (
            "parity",
            Facts { failed_parity: vec![("p".to_owned(), "skip".to_owned())], ..facts() },
            [one, one, two, one],
        ),
        ("no certificate", uncertified.clone(), [three, one, three, one]),
        (
            "not certified",
            Facts { certification: Some("NOT_CERTIFIED".to_owned()), ..facts() },
            [three, one, three, one],
        ),
        (
            "no certificate, none needed",
            Facts { strict_wording: false, ..uncertified.clone() },
            [None; 4],
        ),
        ("no baseline", Facts { triage: Triage::NoBaseline, ..facts() }, [None; 4]),
        (
            "no certificate and a regression",
            Facts { triage: Triage::Regression(0), ..uncertified },
            [one, one, two, one],
        ),
    ];
    for (case, facts, expected) in table {
        for (context, expected) in ALL.into_iter().zip(expected) {
            let incident = decide(&Facts { context, ..facts.clone() });
            assert_eq!(incident.severity.map(Severity::name), expected, "{case}, {context:?}");
            assert_eq!(incident.is_open(), expected.is_some(), "{case}, {context:?}");
            assert_eq!(incident.triggers.len(), 4, "{case}");
        }
    }
}

#[test]
fn deadlines_count_from_the_verdict() {
    let at = |text: &str| Instant::parse(text).expect("a time");
    /// The case, severity, when it opened, now; the deadline and whether it has passed.
    type Row = (&'static str, Severity, &'static str, &'static str, &'static str, bool);
    let table: &[Row] = &[
        (
            "half an hour",
            Severity::Sev1,
            "2026-05-29T12:00:00Z",
            "2026-05-29T12:30:00Z",
            "2026-05-29T12:30:00.000Z",
            false,
        ),
        (
            "one minute late",
            Severity::Sev1,
            "2026-05-29T12:00:00Z",
            "2026-05-29T12:31:00Z",
            "2026-05-29T12:30:00.000Z",
            true,
        ),
        (
            "four hours",
            Severity::Sev2,
            "2026-05-29T22:00:00Z",
            "2026-05-29T22:00:00Z",
            "2026-05-30T02:00:00.000Z",
            false,
        ),
        (
            "Thursday to Friday",
            Severity::Sev3,
            "2026-05-28T15:00:00Z",
            "2026-05-28T15:00:00Z",
            "2026-05-29T15:00:00.000Z",
            false,
        ),
        (
            "Friday to Monday",
            Severity::Sev3,
            "2026-05-29T15:00:00Z",
            "2026-06-01T15:00:00Z",
            "2026-06-01T15:00:00.000Z",
            false,
        ),
        (
            "Saturday to Monday",
            Severity::Sev3,
            "2026-05-30T15:00:00Z",
            "2026-06-02T15:00:00Z",
            "2026-06-01T15:00:00.000Z",
            true,
        ),
        (
            "from the future",
            Severity::Sev1,
            "2026-06-30T12:00:00Z",
            "2026-05-29T12:00:00Z",
            "2026-05-29T12:30:00.000Z",
            false,
        ),
    ];
    for (case, severity, opened, now, deadline, is_overdue) in table {
        let facts = Facts { opened_at: at(opened), now: at(now), ..facts() };
        let facts = match severity {
            Severity::Sev1 => Facts { triage: Triage::Regression(1), ..facts },
            Severity::Sev2 => {
                Facts { triage: Triage::Regression(1), context: Context::Branch, ..facts }
            }
            Severity::Sev3 => Facts { certification: None, ..facts },
        };
        let incident = decide(&facts);
        assert_eq!(incident.severity, Some(*severity), "{case}");
        assert_eq!(
            incident.deadline.map(|at| at.to_string()).as_deref(),
            Some(*deadline),
            "{case}"
        );
        assert_eq!(incident.is_overdue, *is_overdue, "{case}");
    }
}

#[test]
fn exit_criteria_are_what_is_not_met() {
    let states = |facts: &Facts| -> Vec<CriterionState> {
        decide(facts).exit_criteria.iter().map(|criterion| criterion.state).collect()
    };
    use CriterionState::{NotApplicable, Open, Satisfied};
    assert_eq!(states(&facts()), [Satisfied, Satisfied, Satisfied, NotApplicable]);
    let parity = Facts { failed_parity: vec![("p".to_owned(), "fail".to_owned())], ..facts() };
    assert_eq!(states(&parity), [Satisfied, Open, Satisfied, Open]);
    let wording = Facts { certification: None, triage: Triage::NoBaseline, ..facts() };
    assert_eq!(states(&wording), [NotApplicable, Satisfied, Open, Open]);
    assert!(decide(&Facts { context: Context::Release, ..wording }).freezes_wording);
}
