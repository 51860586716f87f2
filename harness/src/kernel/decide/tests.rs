//! The rules of the decision, one sentence per row, named after the false green where there is one.

use super::{
    bench::{Said, World, id, print, row, waiver},
    *,
};
use crate::{
    kernel::{approval::Consent, receipt::ReceiptState},
    wire::{
        code::{BASE_UNRESOLVABLE, CENSUS_INVALID, STRAY_PANIC},
        id::Digest,
        ordered::VecSet,
        outcome::{Outcome, SkipReason},
        time::Instant,
    },
};

const A: &str = "[[gate]]\nid = 'a'\n";

/// A change of a world.
type Change = Box<dyn Fn(&mut World)>;
/// Case, world, and the row of `a`: effective status, exit code, code.
type Row = (&'static str, World, &'static str, u8, Option<&'static str>);

fn check(table: Vec<Row>) {
    for (case, world, effective, exit, code) in table {
        let decision = world.decide();
        let seen = row(&decision, "a");
        assert_eq!(seen.effective.name(), effective, "{case}: {seen:?}");
        assert_eq!(seen.code.as_deref(), code, "{case}: {seen:?}");
        assert_eq!(decision.exit, exit, "{case}: {:?} {:?}", decision.faults, decision.gates);
        assert_eq!(decision.exit == 0, decision.verdict == RunVerdict::Pass, "{case}");
    }
}

#[expect(clippy::too_many_lines, reason = "one table, one sentence per row")]
#[test]
fn outcomes_become_effective_statuses() {
    let of = |body: &str, said: Said| World::new(&format!("{A}{body}")).says("a", &[said]);
    check(vec![
        ("a pass", of("", Said::Pass), "pass", 0, None),
        ("a warning", of("", Said::Warn), "warn", 0, Some("gate_broken")),
        ("a failure", of("", Said::Fail('a')), "fail", 11, Some("gate_broken")),
        (
            "a failure that does not block",
            of("blocking = false", Said::Fail('a')),
            "fail",
            0,
            Some("gate_broken"),
        ),
        (
            "a failure in another lane",
            of("lanes = ['pr']", Said::Fail('a')),
            "fail",
            0,
            Some("gate_broken"),
        ),
        (
            "a failure before its first day",
            of("enforce_from = 2026-06-01", Said::Fail('a')),
            "fail",
            0,
            Some("gate_broken"),
        ),
        (
            "a failure on its first day",
            of("enforce_from = 2026-05-31", Said::Fail('a')),
            "fail",
            11,
            Some("gate_broken"),
        ),
        ("an error", of("", Said::Error), "error", 11, Some("git_failed")),
        (
            "an error of a gate that does not block",
            of("blocking = false", Said::Error),
            "error",
            11,
            Some("git_failed"),
        ),
        (
            "fg06_ exit(0) before the assertion",
            of("", Said::Crash),
            "crashed",
            12,
            Some("receipt_unsealed"),
        ),
        (
            "a crash of a gate that does not block",
            of("blocking = false", Said::Crash),
            "crashed",
            12,
            Some("receipt_unsealed"),
        ),
        (
            "fg10_ an ignored gate",
            of("", Said::Skip(SkipReason::Ignored)),
            "skip",
            11,
            Some("gate_ignored"),
        ),
        (
            "fg11_ a skip that is not allowed",
            of("", Said::Skip(SkipReason::Platform)),
            "skip",
            11,
            Some("skip_not_allowed"),
        ),
        (
            "a skip that is allowed",
            of("allow_skip = ['platform']", Said::Skip(SkipReason::Platform)),
            "skip",
            0,
            None,
        ),
        (
            "a skip for another reason than the allowed one",
            of("allow_skip = ['phase']", Said::Skip(SkipReason::Platform)),
            "skip",
            11,
            Some("skip_not_allowed"),
        ),
        (
            "a skip of a gate that does not block",
            of("blocking = false", Said::Skip(SkipReason::Platform)),
            "skip",
            0,
            Some("skip_not_allowed"),
        ),
        ("fg13_ nothing examined", of("", Said::Nothing), "error", 11, Some("nothing_examined")),
        (
            "nothing to examine, for a reason",
            of("allow_empty = 'new'", Said::Nothing),
            "pass",
            0,
            None,
        ),
    ]);
}

#[test]
fn every_attempt_counts_and_the_worst_wins() {
    use Said::{Crash, Error, Fail, Pass};
    let of = |attempts: &[Said]| World::new(A).says("a", attempts);
    let mut gap = of(&[Fail('a'), Pass]);
    gap.receipts.remove(0);
    let mut twice = of(&[Pass]);
    twice.receipts.push(twice.receipts[0].clone());
    let zero = |mut world: World| {
        world.receipts[0].attempt = 0;
        world
    };
    check(vec![
        ("fg25_ fails, then passes", of(&[Fail('a'), Pass]), "fail", 11, Some("attempt_failed")),
        ("passes, then fails", of(&[Pass, Fail('a')]), "fail", 11, Some("gate_broken")),
        ("crashes, then passes", of(&[Crash, Pass]), "crashed", 12, Some("receipt_unsealed")),
        ("fails, then errs", of(&[Fail('a'), Error]), "error", 11, Some("git_failed")),
        ("the first attempt was deleted", gap, "missing", 12, Some("census_gate_missing")),
        ("one attempt twice", twice, "error", 12, Some("attempt_conflict")),
        ("an attempt that is none", zero(of(&[Pass])), "error", 12, Some("attempt_conflict")),
    ]);
}

#[test]
fn an_error_that_a_check_reports_hides_no_broken_evidence() {
    use Said::{Crash, Error, Pass};
    let of = |attempts: &[Said]| World::new(A).says("a", attempts);
    let mut gap = of(&[Pass, Error]);
    gap.receipts.remove(0);
    let broken = |attempts: &[Said], n: usize| {
        let mut world = of(attempts);
        let detail = "given".to_owned();
        world.receipts[n].state = ReceiptState::Broken { code: DIGEST_MISMATCH, detail };
        world
    };
    let mut unwritten = of(&[Error, Error]);
    if let ReceiptState::Complete(_, verdict) = &mut unwritten.receipts[0].state
        && let Some(error) = &mut verdict.error
    {
        RECEIPT_UNWRITABLE.name().clone_into(&mut error.code);
    }
    check(vec![
        ("a crash, then an error", of(&[Crash, Error]), "error", 12, Some("git_failed")),
        ("an error, then a crash", of(&[Error, Crash]), "error", 12, Some("git_failed")),
        ("a gap, then an error", gap, "error", 12, Some("git_failed")),
        ("broken, then an error", broken(&[Pass, Error], 0), "error", 12, Some("digest_mismatch")),
        ("an error, then broken", broken(&[Error, Pass], 1), "error", 12, Some("digest_mismatch")),
        ("unwritten, then an error", unwritten, "error", 12, Some("receipt_unwritable")),
    ]);
}

#[test]
fn whoever_left_nothing_is_missing() {
    let two = "[[gate]]\nid = 'a'\nbinary = 'x'\n[[gate]]\nid = 'b'\nbinary = 'x'\n[[gate]]\nid = 'c'\nbinary = 'y'\n";
    let without = |names: &[&str]| {
        let mut world = World::new(two);
        world.receipts.retain(|receipt| !names.contains(&receipt.gate_id.as_str()));
        world
    };
    let mut unlinked = World::new(two);
    unlinked.policy.gates.retain(|gate| gate.common.id.as_str() != "a");
    unlinked.receipts.retain(|receipt| receipt.gate_id.as_str() != "a");
    let mut filtered = without(&["a"]);
    filtered.selection.selected = Some([id("b"), id("c")].into());
    check(vec![
        ("fg18_ one gate of a binary", without(&["a"]), "missing", 12, Some("census_gate_missing")),
        (
            "fg16_ fg17_ a whole binary",
            without(&["a", "b"]),
            "missing",
            12,
            Some("census_binary_missing"),
        ),
        ("nobody at all", without(&["a", "b", "c"]), "missing", 12, Some("census_gate_missing")),
        (
            "fg04_ a gate that is no longer linked",
            unlinked,
            "missing",
            12,
            Some("census_gate_missing"),
        ),
        (
            "fg23_ filtered out of a full run",
            filtered.clone(),
            "missing",
            12,
            Some("census_gate_missing"),
        ),
    ]);
    filtered.selection.require_full = false;
    let decision = filtered.decide();
    assert_eq!(
        (decision.exit, decision.certifiable),
        (0, false),
        "a filtered run may pass and never certifies"
    );
    assert_eq!(decision.not_selected, [id("a")]);
    assert_eq!(World::new("").decide().exit, 12, "fg03_ nothing to decide on is no pass");
}

#[test]
fn receipts_that_prove_nothing_break_the_run() {
    let broken = |change: fn(&mut crate::wire::receipt::Verdict)| {
        let mut world = World::new(A);
        if let ReceiptState::Complete(_, verdict) = &mut world.receipts[0].state {
            change(verdict);
        }
        world
    };
    let mut stranger = World::plain();
    stranger.policy.gates.remove(2);
    stranger.census = Census::of(&stranger.policy.gates);
    check(vec![
        (
            "fg50_ of another policy",
            broken(|v| v.policy_digest = v.started_digest),
            "error",
            12,
            Some("receipt_foreign"),
        ),
        (
            "of another kind",
            broken(|v| "command".clone_into(&mut v.kind)),
            "error",
            12,
            Some("receipt_foreign"),
        ),
        (
            "of another binary",
            broken(|v| "x".clone_into(&mut v.binary)),
            "error",
            12,
            Some("receipt_foreign"),
        ),
        ("of another gate", broken(|v| v.gate_id = id("z")), "error", 12, Some("receipt_foreign")),
        (
            "a pass that counts findings",
            broken(|v| v.findings_total = 1),
            "error",
            12,
            Some("receipt_invalid"),
        ),
        (
            "a pass with an outcome of failure",
            broken(|v| v.outcome = Outcome::Fail),
            "error",
            12,
            Some("receipt_invalid"),
        ),
        ("a receipt of a gate that is none", stranger, "pass", 12, None),
    ]);
}

#[test]
fn a_gate_that_needs_another_stays_shut_with_it() {
    let body = "[[gate]]\nid = 'a'\nneeds = ['b']\n[[gate]]\nid = 'b'\nneeds = ['c']\n[[gate]]\nid = 'c'\nblocking = false\nallow_skip = ['phase']\n";
    let of = |said: Said| World::new(body).says("c", &[said]);
    let worse = of(Said::Fail('c')).says("a", &[Said::Error]);
    let better = of(Said::Fail('c')).says("a", &[Said::Fail('a')]);
    check(vec![
        ("the need passes", of(Said::Pass), "pass", 0, None),
        ("the need warns", of(Said::Warn), "pass", 0, None),
        (
            "the need of the need fails",
            of(Said::Fail('c')),
            "precluded",
            11,
            Some("need_unsatisfied"),
        ),
        (
            "it skips, as it may",
            of(Said::Skip(SkipReason::Phase)),
            "precluded",
            11,
            Some("need_unsatisfied"),
        ),
        ("it crashes", of(Said::Crash), "precluded", 12, Some("need_unsatisfied")),
        ("an error is worse than being precluded", worse, "error", 11, Some("git_failed")),
        ("a failure is not", better, "precluded", 11, Some("need_unsatisfied")),
        (
            "it is waived",
            of(Said::Fail('c')).waived(&waiver("c", "2026-06-10", "")),
            "pass",
            0,
            None,
        ),
        (
            "a need that does not exist",
            World::new("[[gate]]\nid = 'a'\nneeds = ['zz']\n"),
            "precluded",
            11,
            Some("need_unsatisfied"),
        ),
    ]);
}

#[test]
fn a_waiver_covers_findings_and_nothing_else() {
    let of = |said: Said, more: &str| {
        World::new(A).says("a", &[said]).waived(&waiver("a", "2026-06-18", more))
    };
    let prints = |letters: &str| {
        let list: Vec<String> = letters.chars().map(|c| format!("'{}'", print(c))).collect();
        format!("fingerprints = [{}]", list.join(", "))
    };
    let based = |base: &[&str]| {
        let mut world = of(Said::Fail('a'), "");
        world.base = Some(base.iter().map(|name| id(name)).collect());
        world
    };
    let retried = World::new(A).says("a", &[Said::Fail('b'), Said::Fail('a')]).waived(&waiver(
        "a",
        "2026-06-18",
        &prints("a"),
    ));
    let mut hidden = of(Said::Fail('a'), &prints("a"));
    if let ReceiptState::Complete(_, verdict) = &mut hidden.receipts[0].state {
        verdict.findings = vec![verdict.findings[0].clone(); 1_000];
        verdict.findings_total = 1_001;
    }
    let mut unneeded = of(Said::Pass, "");
    unneeded.base = Some(VecSet::new());
    let mut preflight = of(Said::Fail('a'), "");
    preflight.scope = WaiverScope::Preflight;
    check(vec![
        ("a failure", of(Said::Fail('a'), ""), "waived", 0, Some("gate_broken")),
        ("fg57_ an error", of(Said::Error, ""), "error", 11, Some("git_failed")),
        ("fg57_ a crash", of(Said::Crash, ""), "crashed", 12, Some("receipt_unsealed")),
        ("a skip", of(Said::Skip(SkipReason::Phase), ""), "skip", 11, Some("skip_not_allowed")),
        ("the named finding", of(Said::Fail('a'), &prints("ab")), "waived", 0, Some("gate_broken")),
        (
            "fg58_ another finding",
            of(Said::Fail('b'), &prints("a")),
            "fail",
            11,
            Some("finding_not_waived"),
        ),
        ("another finding in an earlier attempt", retried, "fail", 11, Some("finding_not_waived")),
        ("a finding that was not kept", hidden, "fail", 11, Some("finding_not_waived")),
        ("a run of another scope", preflight, "fail", 11, Some("gate_broken")),
        ("a waiver that the base has", based(&["a"]), "waived", 0, Some("gate_broken")),
        (
            "t02_ a waiver that only this change has",
            based(&[]),
            "pending_approval",
            11,
            Some("waiver_not_on_base"),
        ),
        ("fg59_ a gate that passes, on main", of(Said::Pass, ""), "pass", 11, None),
        ("a new waiver of a gate that passes, on main", unneeded, "pass", 11, None),
        (
            "fg56_ a file with a misspelt key",
            of(Said::Fail('a'), "expire = 1"),
            "fail",
            11,
            Some("gate_broken"),
        ),
    ]);
    let decision = of(Said::Fail('a'), "").decide();
    assert_eq!(
        (row(&decision, "a").findings.len(), row(&decision, "a").outcome),
        (1, Some(Outcome::Fail))
    );
    assert_eq!(
        (decision.summary.passed, decision.summary.waived),
        (0, 1),
        "a waived failure is no pass"
    );
}

#[test]
fn faults_of_waivers_carry_their_codes() {
    let of = |said: Said, expires: &str, more: &str| {
        World::new(A).says("a", &[said]).waived(&waiver("a", expires, more)).decide()
    };
    let table = [
        ("fg57_", of(Said::Error, "2026-06-18", ""), "waiver_not_waivable"),
        ("fg59_ stale", of(Said::Pass, "2026-06-18", ""), "waiver_stale"),
        ("fg59_ too long", of(Said::Fail('a'), "2026-06-20", ""), "waiver_span_exceeded"),
        ("fg56_ misspelt", of(Said::Fail('a'), "2026-06-18", "expire = 1"), "waiver_file_invalid"),
        ("fg56_ no such day", of(Said::Fail('a'), "2026-02-30", ""), "waiver_file_invalid"),
    ];
    for (case, decision, code) in table {
        let codes: Vec<&str> = decision.faults.iter().map(|fault| fault.code.as_str()).collect();
        assert!(codes.contains(&code), "{case}: {codes:?}");
        assert_eq!(decision.exit, 11, "{case}");
    }
}

#[test]
fn fg60_the_calendar_by_lane_and_day() {
    // Ends on 2026-05-31; `touched` says whether the change touches the waiver file.
    let table: &[(&str, Lane, bool, &str, u8)] = &[
        ("2026-05-16", Lane::Main, true, "fail", 11),
        ("2026-05-20", Lane::Main, true, "waived", 0),
        ("2026-05-31", Lane::Main, true, "waived", 0),
        ("2026-05-31", Lane::Pr, true, "waived", 0),
        ("2026-06-01", Lane::Main, false, "fail", 11),
        ("2026-06-01", Lane::Release, false, "fail", 11),
        ("2026-06-01", Lane::Pr, true, "fail", 11),
        ("2026-06-01", Lane::Pr, false, "waived", 0),
        ("2026-06-07", Lane::Pr, false, "waived", 0),
        ("2026-06-08", Lane::Pr, false, "fail", 11),
        ("2026-06-08", Lane::Local, true, "waived", 0),
        ("2027-06-08", Lane::Local, true, "waived", 0),
    ];
    for (day, lane, touched, effective, exit) in table {
        for second in ["00:00:00", "23:59:59"] {
            let mut world =
                World::new(A).says("a", &[Said::Fail('a')]).waived(&waiver("a", "2026-05-31", ""));
            world.clock.now = Instant::parse(&format!("{day}T{second}Z")).expect("an instant");
            (world.lane, world.touched) = (*lane, *touched);
            let decision = world.decide();
            let seen = (row(&decision, "a").effective.name(), decision.exit);
            assert_eq!(seen, (*effective, *exit), "{day} {second} {lane} touched={touched}");
        }
    }
}

#[test]
fn fg62_modes_soften_failures_and_nothing_else() {
    let rollback = "[promotion.rollback]\nowner='o'\nrationale='r'\nissue='i'\ncreated=2026-05-31T00:00:00Z\nexpires=2026-06-02T00:00:00Z\n";
    let shadow = "[promotion]\nmode = 'shadow'\nshadow_until = 2026-06-01\n";
    let of = |head: &str, mode: Option<&'static str>, said: Said| {
        let mut world = World::new(&format!("{head}{A}")).says("a", &[said]);
        world.mode = mode;
        world
    };
    let fail = Said::Fail('a');
    check(vec![
        (
            "rollback without a record",
            of("", Some("rollback"), fail),
            "fail",
            11,
            Some("gate_broken"),
        ),
        (
            "rollback without a record, and nothing fails",
            of("", Some("rollback"), Said::Pass),
            "pass",
            11,
            None,
        ),
        (
            "rollback with a record",
            of(rollback, Some("rollback"), fail),
            "fail",
            0,
            Some("gate_broken"),
        ),
        (
            "an error under rollback",
            of(rollback, Some("rollback"), Said::Error),
            "error",
            11,
            Some("git_failed"),
        ),
        (
            "a skip under rollback",
            of(rollback, Some("rollback"), Said::Skip(SkipReason::Phase)),
            "skip",
            11,
            Some("skip_not_allowed"),
        ),
        ("a failure in shadow", of(shadow, None, fail), "fail", 0, Some("gate_broken")),
        (
            "a crash in shadow",
            of(shadow, None, Said::Crash),
            "crashed",
            12,
            Some("receipt_unsealed"),
        ),
    ]);
    let decision = of(rollback, Some("rollback"), fail).decide();
    assert!(row(&decision, "a").rollback_warning && !decision.certifiable);
    assert!(!of(shadow, None, Said::Pass).decide().certifiable);
}

#[test]
fn only_a_clean_whole_strict_run_certifies() {
    let good = World::plain();
    assert!(good.decide().certifiable, "{:?}", good.decide().why_not_certifiable);
    type Plain = fn(&mut World);
    let changes: [(&str, Plain); 5] = [
        ("filtered", |world| world.selection.selected = Some([id("a"), id("b"), id("c")].into())),
        ("dirty", |world| world.dirty = true),
        ("a clock set back", |world| world.clock.past_allowed = true),
        ("a gate fails", |world| {
            *world = world.clone().says("a", &[Said::Fail('a')]);
        }),
        ("a gate is missing", |world| drop(world.receipts.remove(0))),
    ];
    for (case, change) in changes {
        let mut world = good.clone();
        change(&mut world);
        let decision = world.decide();
        assert!(!decision.certifiable && !decision.why_not_certifiable.is_empty(), "{case}");
    }
}

#[test]
fn faults_of_the_run_and_the_census_are_never_a_pass() {
    let fault = |code| Fault::new(code, "h", "r");
    let changes: Vec<(&str, Change, u8)> = vec![
        (
            "fg52_ the base is unknown",
            Box::new(move |world| world.run_faults = vec![fault(BASE_UNRESOLVABLE)]),
            11,
        ),
        (
            "fg08_ a panic of nobody",
            Box::new(move |world| world.run_faults = vec![fault(STRAY_PANIC)]),
            12,
        ),
        (
            "the census cannot be read",
            Box::new(move |world| world.census_faults = vec![fault(CENSUS_INVALID)]),
            11,
        ),
        ("a gate too many", Box::new(|world| drop(world.census.rows.remove(0))), 11),
        ("a weaker gate", Box::new(|world| world.census.rows[0].blocking = false), 11),
    ];
    for (case, change, exit) in changes {
        let mut world = World::plain();
        change(&mut world);
        assert_eq!(world.decide().exit, exit, "{case}");
    }
}

#[test]
fn a_long_chain_of_needs_takes_linear_time() {
    let mut body = "[[gate]]\nid = 'g0'\n".to_owned();
    for n in 1..3_000 {
        body.push_str(&format!("[[gate]]\nid = 'g{n}'\nneeds = ['g{}']\n", n - 1));
    }
    let decision = World::new(&body).says("g0", &[Said::Fail('a')]).decide();
    let precluded =
        decision.gates.iter().filter(|gate| gate.effective == Effective::Precluded).count();
    assert_eq!(precluded, 2_999);
}

/// What a change loosens waits for approval, whatever the gate says of itself, and hides nothing that is worse.
#[test]
fn t01_what_a_change_loosens_waits_for_approval() {
    let loosening = |gate: Option<&str>| Loosening {
        gate: gate.map(id),
        subject: "`floors.rate`".to_owned(),
        before: "90".to_owned(),
        after: "80".to_owned(),
        blocking: true,
        lanes: Lane::ALL.to_vec(),
        digest: Digest::of(b"a loosening"),
        consent: None,
    };
    let loosened = |said: Said| {
        let mut world = World::new(A).says("a", &[said]);
        world.loosened = vec![loosening(Some("a"))];
        world
    };
    let waived = {
        let world = World::new(A).says("a", &[Said::Fail('a')]);
        let mut world = world.waived(&waiver("a", "2026-06-18", ""));
        world.loosened = vec![loosening(Some("a"))];
        world
    };
    let pending = Some("policy_loosened");
    check(vec![
        ("a pass", loosened(Said::Pass), "pending_approval", 11, pending),
        ("a warning", loosened(Said::Warn), "pending_approval", 11, pending),
        ("a waived failure", waived, "pending_approval", 11, pending),
        ("a failure", loosened(Said::Fail('a')), "fail", 11, Some("gate_broken")),
        ("an error", loosened(Said::Error), "error", 11, Some("git_failed")),
        ("a crash", loosened(Said::Crash), "crashed", 12, Some("receipt_unsealed")),
    ]);

    // The stricter of the two trees says whether it blocks.
    let mut advisory = World::new("[[gate]]\nid = 'a'\nblocking = false\n");
    advisory.loosened = vec![loosening(Some("a"))];
    assert_eq!(advisory.decide().exit, 11, "it blocked on the base");
    advisory.loosened[0].blocking = false;
    assert_eq!(advisory.decide().exit, 0, "it blocked on neither");
    advisory.loosened[0].blocking = true;
    advisory.loosened[0].lanes = vec![Lane::Release];
    assert_eq!(advisory.decide().exit, 0, "it blocked on the base, in another lane");

    let mut everybodys = World::plain();
    everybodys.loosened = vec![loosening(None)];
    let decision = everybodys.decide();
    assert_eq!((decision.exit, decision.faults[0].code.as_str()), (11, "policy_loosened"));
    assert!(!decision.certifiable);
}

/// What was approved counts as standing on the base: it is listed, and nothing waits.
#[test]
fn an_approved_loosening_is_listed_and_does_not_block() {
    let consent = |refused: Option<&str>| Consent {
        name: "parser".to_owned(),
        approver: "rita@example.org".to_owned(),
        issue: "T-1".to_owned(),
        expires: None,
        refused: refused.map(str::to_owned),
        detail: "a clause".to_owned(),
    };
    let loosening = |gate: Option<&str>, refused: Option<&str>| Loosening {
        gate: gate.map(id),
        subject: "`floors.rate`".to_owned(),
        before: "90".to_owned(),
        after: "80".to_owned(),
        blocking: true,
        lanes: Lane::ALL.to_vec(),
        digest: Digest::of(b"a loosening"),
        consent: Some(consent(refused)),
    };
    for gate in [Some("a"), Some("gone"), None] {
        let mut world = World::plain();
        world.loosened = vec![loosening(gate, None)];
        let decision = world.decide();
        assert_eq!((decision.exit, decision.gates.len(), decision.loosened.len()), (0, 3, 1));
        assert!(decision.faults.is_empty());
        world.loosened.push(loosening(gate, Some("approval_expired")));
        let decision = world.decide();
        assert_eq!((decision.exit, decision.loosened.len()), (11, 2), "one of two is not approved");
        let said = decision.gates.iter().map(|row| row.detail.clone());
        let said: Vec<String> =
            said.chain(decision.faults.iter().map(|fault| fault.message.clone())).collect();
        let named = said.iter().any(|text| text.contains("approval_expired of `parser`: a clause"));
        assert!(named, "{said:?}");
    }
}

#[test]
fn fg05_a_gate_deleted_with_its_census_row_waits_for_approval() {
    let mut world = World::plain();
    let gone = |name: &str| Loosening {
        gate: Some(id(name)),
        subject: "the gate".to_owned(),
        before: "there".to_owned(),
        after: "removed".to_owned(),
        blocking: true,
        lanes: Lane::ALL.to_vec(),
        digest: Digest::of(b"a loosening"),
        consent: None,
    };
    world.loosened = vec![gone("bb")];
    let decision = world.decide();
    let ids: Vec<&str> = decision.gates.iter().map(|gate| gate.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "bb", "c"], "it is a row, in its place");
    let row = row(&decision, "bb");
    assert_eq!((row.effective, row.blocks), (Effective::PendingApproval, true));
    assert_eq!(row.code.as_deref(), Some("policy_loosened"));
    assert_eq!((decision.exit, decision.verdict), (11, RunVerdict::Blocked));
    // A run that selects another gate answers for that one alone.
    world.selection = Selection {
        selected: Some(VecSet::from([id("a")])),
        require_full: false,
        ..Selection::default()
    };
    assert_eq!(world.decide().exit, 0);
}
