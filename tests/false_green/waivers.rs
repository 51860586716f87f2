//! Group D: waivers, modes and clocks. The texts are fixtures; the decision is the real one.

use super::{
    run::{GATE, Rules, alone, row},
    sample::{Case, fixture},
};
use portcullis::{
    Code, Examined, Finding, Findings, GateContext, GateError, Instant, Lane,
    evidence::clock,
    kernel::{
        decide::Decision,
        quarantine::{QuarantineFile, QuarantineVerdict, judge},
    },
    runner::attempt::Looked,
    testing::Bench,
    wire::{outcome::Effective, time::Day},
};
use std::fs;

const VIOLATION: Code = Code::new("PC9903", "sample_violation", "A fixture was told to fail.");

fn text(path: &str) -> String {
    fs::read_to_string(fixture(path)).expect("a fixture")
}

fn one(_cx: &GateContext<'_>, out: &mut Findings) -> Result<Examined, GateError> {
    out.push(Finding::new(VIOLATION, "one", "the first finding", "none"));
    Ok(Examined::items(1))
}

fn two(cx: &GateContext<'_>, out: &mut Findings) -> Result<Examined, GateError> {
    one(cx, out)?;
    out.push(Finding::new(VIOLATION, "two", "the second finding", "none"));
    Ok(Examined::items(1))
}

fn fine(_cx: &GateContext<'_>, _out: &mut Findings) -> Result<Examined, GateError> {
    Ok(Examined::items(1))
}

fn nothing(_cx: &GateContext<'_>, _out: &mut Findings) -> Result<Examined, GateError> {
    Ok(Examined::items(0))
}

/// What a check leaves.
fn looked(check: fn(&GateContext<'_>, &mut Findings) -> Result<Examined, GateError>) -> Looked {
    Bench::rust(check).run().looked
}

fn with_waivers(looked: &Looked, waivers: &str) -> Decision {
    alone(looked, &Rules { waivers, ..Rules::default() })
}

/// Status and code of the gate, and the exit code of the run.
fn seen(decision: &Decision) -> (Effective, Option<&str>, u8) {
    let gate = row(decision, GATE);
    (gate.effective, gate.code.as_deref(), decision.exit)
}

fn has_fault(decision: &Decision, code: &str) -> bool {
    decision.faults.iter().any(|fault| fault.code == code)
}

/// A date that is none, a misspelt key, a table twice: the file is void, and no waiver of it applies.
#[test]
fn fg56_a_waiver_file_with_one_fault_is_void() {
    let fails = looked(one);
    let control = with_waivers(&fails, &text("fg56/good.toml"));
    assert_eq!(seen(&control), (Effective::Waived, Some("sample_violation"), 0));
    for bad in ["bad_date", "misspelt_key", "date_is_text", "table_twice", "another_entry_is_bad"] {
        let decision = with_waivers(&fails, &text(&format!("fg56/{bad}.toml")));
        assert_eq!(seen(&decision), (Effective::Fail, Some("sample_violation"), 11), "{bad}");
        assert!(has_fault(&decision, "waiver_file_invalid"), "{bad}: {:?}", decision.faults);
        assert!(row(&decision, GATE).waiver.is_none(), "{bad}: a waiver applies");
    }
}

/// A waiver on the gate that guards the waivers, and one on a gate that could not look.
#[test]
fn fg57_what_cannot_be_waived() {
    let guard = with_waivers(&looked(fine), &text("fg57/guard.toml"));
    assert_eq!(guard.exit, 11);
    assert!(has_fault(&guard, "waiver_not_waivable"), "{:?}", guard.faults);
    let error = with_waivers(&looked(nothing), &text("fg57/gate.toml"));
    assert_eq!(seen(&error), (Effective::Error, Some("nothing_examined"), 11));
    assert!(has_fault(&error, "waiver_not_waivable"), "{:?}", error.faults);
}

/// A waiver that names one finding, and then a second one appears.
#[test]
fn fg58_a_second_finding_is_not_waived() {
    let first = looked(one);
    let print = first.findings[0].fingerprint.clone();
    let waiver = text("fg58/waiver.toml").replace("@FINGERPRINT@", &print);
    assert_eq!(seen(&with_waivers(&first, &waiver)).0, Effective::Waived, "the control");
    let decision = with_waivers(&looked(two), &waiver);
    assert_eq!(seen(&decision), (Effective::Fail, Some("finding_not_waived"), 11));
    assert_eq!(row(&decision, GATE).findings_total, 2, "both findings are kept");
}

/// On main: a waiver that matches nothing, and one of 31 days.
#[test]
fn fg59_a_waiver_that_matches_nothing_or_lasts_too_long() {
    let passes = looked(fine);
    let waiver = text("fg59/waiver.toml");
    let stale = with_waivers(&passes, &waiver);
    assert_eq!((stale.exit, has_fault(&stale, "waiver_stale")), (11, true), "{:?}", stale.faults);
    let none = with_waivers(&passes, "");
    assert_eq!((none.exit, none.faults.len()), (0, 0), "the control");
    let fails = looked(one);
    let thirty = with_waivers(&fails, &text("fg59/thirty_days.toml"));
    assert_eq!(seen(&thirty).0, Effective::Waived, "30 days are allowed: {:?}", thirty.faults);
    let longer = with_waivers(&fails, &text("fg59/thirty_one_days.toml"));
    assert_eq!(seen(&longer), (Effective::Fail, Some("sample_violation"), 11));
    assert!(has_fault(&longer, "waiver_span_exceeded"), "{:?}", longer.faults);
}

/// On main, one second after the last valid day in UTC; a clock a year back is behind `HEAD` and refused.
#[test]
fn fg60_a_clock_that_is_late_or_set_back() {
    let fails = looked(one);
    let waiver = text("fg60/waiver.toml");
    for (now, expected) in [
        ("2026-05-31T23:59:59Z", (Effective::Waived, Some("sample_violation"), 0)),
        ("2026-06-01T00:00:00Z", (Effective::Fail, Some("waiver_expired"), 11)),
    ] {
        let rules = Rules { now, waivers: &waiver, ..Rules::default() };
        assert_eq!(seen(&alone(&fails, &rules)), expected, "{now}");
    }
    let at = |text: &str| Instant::parse(text).expect("a time");
    let head = Some(at("2026-06-01T00:00:00Z"));
    let back = clock::resolve(at("2025-06-01T00:00:00Z"), head, None, false);
    assert_eq!(back.expect_err("refused").code().name(), "clock_head_in_future");
    let late = clock::resolve(at("2026-05-31T12:00:00Z"), head, None, false).expect("a clock");
    assert_eq!(late.now, at("2026-06-01T00:00:00Z"), "the later of the two");
}

/// The same waiver in a real gate binary, in zones behind and ahead of UTC.
#[test]
fn fg60_a_zone_behind_utc_moves_nothing() {
    for zone in ["UTC", "America/Los_Angeles", "Pacific/Kiritimati", "XYZ+23"] {
        for (name, now, code, said) in [
            ("fg60-valid", "2099-05-31T23:59:59Z", 0, "waived"),
            ("fg60-over", "2099-06-01T00:00:00Z", 101, "waiver_expired"),
        ] {
            let case = Case::new(name).fault("second_fails").args(["b_second", "--exact"]);
            let (mut command, run) = case.bare();
            command.envs([("TZ", zone), ("PORTCULLIS_NOW", now), ("PORTCULLIS_LANE", "main")]);
            let run = run.ended(&command.output().expect("the gate binary starts"));
            run.said(code, &[said]);
        }
    }
}

/// An override into the past is refused before anything runs; allowed, it can never certify.
#[test]
fn fg61_a_clock_override_into_the_past() {
    let past = "2020-01-01T00:00:00Z";
    let run = |name, allow: &str, args: [&'static str; 2], code, said| {
        let (mut command, run) = Case::new(name).args(args).bare();
        command.envs([("PORTCULLIS_NOW", past), ("PORTCULLIS_LANE", "main")]);
        command.env("PORTCULLIS_ALLOW_PAST", allow);
        run.ended(&command.output().expect("the gate binary starts")).said(code, &[said]);
    };
    run("fg61", "", ["a_first", "--exact"], 2, "clock_override_past");
    run("fg61-allowed", "1", ["a_first", "--exact"], 0, "1 passed");
    let refused = "the clock may have been set into the past";
    run("fg61-certify", "1", ["full_certification", "--exact"], 101, refused);
}

/// Rollback is asked for without a record, or with one that has expired: the failure blocks, and it is said why.
#[test]
fn fg62_rollback_without_a_valid_record() {
    let fails = looked(one);
    for (record, exit, code) in [
        ("none", 11, Some("rollback_without_record")),
        ("expired", 11, Some("rollback_expired")),
        ("valid", 0, None),
    ] {
        let policy = text(&format!("fg62/{record}.toml"));
        let rules = Rules { policy: &policy, requested_mode: Some("rollback"), ..Rules::default() };
        let decision = alone(&fails, &rules);
        let expected = (Effective::Fail, Some("sample_violation"), exit);
        assert_eq!(seen(&decision), expected, "{record}");
        assert_eq!(row(&decision, GATE).rollback_warning, code.is_none(), "{record}");
        assert!(!decision.certifiable, "{record}: a run in rollback certifies");
        if let Some(code) = code {
            assert!(has_fault(&decision, code), "{record}: {:?}", decision.faults);
        }
    }
}

/// A quarantine that ended yesterday excuses no failure, even of a test that then passes. Exit code 10 is that of
/// `cargo portcullis run`, which waits.
#[test]
fn fg63_a_quarantine_that_ended_yesterday() {
    let file = QuarantineFile::parse("suite_classification.toml", &text("fg63/quarantine.toml"));
    assert!(file.valid, "{:?}", file.faults);
    let entry = &file.entries["flaky_test"];
    let day = |text: &str| Day::parse(text).expect("a day");
    let judged = |today| judge(entry, &[false, true], false, day(today));
    let (over, held) = (judged("2026-05-31"), judged("2026-05-30"));
    assert_eq!(over, QuarantineVerdict::QuarantineExpired);
    let code = over.code().map(Code::name);
    assert_eq!((over.blocks(), code), (true, Some("quarantine_expired")));
    assert_eq!((held, held.blocks()), (QuarantineVerdict::FlakyTolerated, false), "the control");
    let notices = file.notices(day("2026-05-31"), Lane::Main);
    let notices: Vec<(&str, bool)> =
        notices.iter().map(|(fault, fails)| (fault.code().name(), *fails)).collect();
    assert_eq!(notices, [("quarantine_expired", true)]);
}
