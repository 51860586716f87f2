use super::*;
use crate::{
    Interval, Method, Proven,
    order::SplitMix64,
    specimen::{degenerate, metric},
};
use Outcome::{CommentOnly, Fail, Invalid, Ok};

const SECOND: u64 = 1_000_000_000;

fn threshold(comment: i64, fail: Option<i64>) -> Threshold {
    Threshold {
        on_suspected: Suspected::Comment,
        p95: P95Policy::Point,
        ..Threshold::new(MilliPct::percent(comment), fail.map(MilliPct::percent), false)
    }
}

fn admitted(evidence: Vec<Evidence>) -> Admitted {
    Admitted { evidence, faults: Vec::new(), on_unbaselined: OnUnbaselined::Comment }
}

fn codes_of(decision: &Decision) -> Vec<&'static str> {
    decision.reasons.iter().map(|reason| reason.code).collect()
}

fn with_p95(mut evidence: Evidence, ns: u64) -> Evidence {
    evidence.p95 = Some(P95 { point: ns, lower: ns });
    evidence
}

#[test]
fn t13_the_nineteen_cases() {
    let gating = Threshold { fail_p95_ns: Some(360 * SECOND), ..threshold(50, Some(100)) };
    // Change in thousandths of a percent, percentile in milliseconds.
    let table: [(&str, i64, u64, Outcome); 18] = [
        ("1", -10_000, 0, Ok),
        ("2", 0, 0, Ok),
        ("3", 49_900, 0, Ok),
        ("4", 50_000, 0, CommentOnly),
        ("5", 99_000, 0, CommentOnly),
        ("6", 99_999, 0, CommentOnly),
        ("7", 100_000, 0, Fail),
        ("8", 101_000, 0, Fail),
        ("9", 500_000, 0, Fail),
        ("10", 0, 0, Ok),
        ("11", 0, 359_000, Ok),
        ("12", 0, 360_000, Ok),
        ("13", 0, 360_001, Fail),
        ("14", 0, 361_000, Fail),
        ("15", 0, 1_000_000, Fail),
        ("16 comment", 50_000, 100_000, CommentOnly),
        ("16 fail", 100_000, 100_000, Fail),
        ("16 cap", 0, 400_000, Fail),
    ];
    for (case, change, p95_ms, expected) in table {
        let now = u64::try_from(100_000 + change).expect("positive");
        let evidence = with_p95(degenerate("m", now, 100_000, &gating), p95_ms * 1_000_000);
        let decision = decide(&admitted(vec![evidence]), &gating, Lane::Gating);
        assert_eq!(decision.outcome, expected, "case {case}");
        assert_eq!(decision.examined, 1, "case {case}");
    }
    let advisory = threshold(10, None);
    let evidence = with_p95(degenerate("m", 1_000, 100, &advisory), 100_000 * SECOND);
    let decision = decide(&admitted(vec![evidence]), &advisory, Lane::Advisory);
    assert_eq!((decision.outcome, codes_of(&decision)), (CommentOnly, vec!["regression_proven"]));
    for (case, code, expected) in [
        ("18", FaultCode::MetricUnbaselined, CommentOnly),
        ("19", FaultCode::BaselineNotPositive, Invalid),
    ] {
        let faults = vec![Fault::of_metric(code, &metric("m"), "as told")];
        let admitted = Admitted { faults, ..admitted(Vec::new()) };
        let decision = decide(&admitted, &gating, Lane::Gating);
        assert_eq!(
            (decision.outcome, codes_of(&decision)),
            (expected, vec![code.as_str()]),
            "{case}"
        );
    }
}

#[test]
fn t12_a_tenth_and_a_half_more_is_exactly_fifty_percent() {
    let gating = threshold(50, Some(100));
    let half = u64::MAX / 3;
    // In floats 0.15 s over 0.10 s is 1.4999999999999998.
    for (now, then, expected) in [
        (150_000_000, 100_000_000, CommentOnly),
        (149_999_999, 100_000_000, Ok),
        (3, 2, CommentOnly),
        (half * 3, half * 2, CommentOnly),
        (half * 3 - 1, half * 2, Ok),
    ] {
        let evidence = degenerate("m", now, then, &gating);
        let decision = decide(&admitted(vec![evidence]), &gating, Lane::Gating);
        assert_eq!(decision.outcome, expected, "{now} {then}");
    }
}

/// The reference rule, in its own words: pct = (m / b - 1) * 100, in exact rational arithmetic.
fn reference_rule(metrics: &[(u64, u64, u64)], threshold: &Threshold, lane: Lane) -> Outcome {
    let reaches = |(now, then, _): &(u64, u64, u64), q: MilliPct| {
        let change = (i128::from(*now) - i128::from(*then)) * 100_000;
        change >= i128::from(*then) * i128::from(q.get())
    };
    let fails = |entry: &(u64, u64, u64)| {
        threshold.fail.is_some_and(|fail| reaches(entry, fail))
            || threshold.fail_p95_ns.is_some_and(|cap| entry.2 > cap)
    };
    if lane.is_gating() && metrics.iter().any(fails) {
        Fail
    } else if metrics.iter().any(|entry| reaches(entry, threshold.comment)) {
        CommentOnly
    } else {
        Ok
    }
}

#[test]
fn the_compatibility_law_holds_on_100_000_inputs() {
    let mut random = SplitMix64::new(2_026);
    let mut counts = [0_usize; 4];
    for round in 0..100_000_u32 {
        let comment = 1 + random.below(200_000);
        let fail = comment + random.below(200_000);
        let lane = if random.below(4) == 0 { Lane::Advisory } else { Lane::Gating };
        let cap = 1_000 + random.below(1_000_000);
        let is_gating = lane.is_gating();
        let percent = |q: u64| MilliPct::new(i64::try_from(q).expect("small"));
        let threshold = Threshold {
            fail_p95_ns: (is_gating && random.below(2) == 0).then_some(cap),
            p95: P95Policy::Point,
            on_suspected: Suspected::Comment,
            ..Threshold::new(percent(comment), is_gating.then(|| percent(fail)), false)
        };
        let metrics: Vec<(u64, u64, u64)> = (0..1 + random.below(4))
            .map(|_| {
                let unit = 1 + random.below(1 << 40);
                let share = match (round % 3, random.below(2)) {
                    // A third of the inputs lies exactly on a boundary.
                    (0, 0) => 100_000 + comment,
                    (0, _) => 100_000 + fail,
                    (1, _) => 100_000 + comment - 1 + random.below(3),
                    (_, _) => 1 + random.below(600_000),
                };
                let p95 = if random.below(3) == 0 { cap } else { cap - 500 + random.below(1_000) };
                let off = if round % 3 == 0 { 0 } else { random.below(3) };
                (unit * share + off, unit * 100_000, p95)
            })
            .collect();
        let evidence: Vec<Evidence> = metrics
            .iter()
            .zip('a'..)
            .map(|((now, then, p95), name)| {
                with_p95(degenerate(&name.to_string(), *now, *then, &threshold), *p95)
            })
            .collect();
        let decision = decide(&admitted(evidence), &threshold, lane);
        let expected = reference_rule(&metrics, &threshold, lane);
        assert_eq!(decision.outcome, expected, "round {round}: {metrics:?} {threshold:?}");
        counts[expected as usize] += 1;
    }
    assert!(counts[0] > 5_000 && counts[1] > 5_000 && counts[2] > 5_000, "{counts:?}");
}

/// One piece of evidence per row of the table, with the severity on an advisory and on a gating lane.
fn row_specimens() -> Vec<(&'static str, Evidence, Outcome, Outcome)> {
    let strict = specimen_threshold();
    let ratio = |percent: u64| Ratio::new(percent, 100).expect("a ratio");
    let with = |lo: u64, point: u64, hi: Option<u64>, proven: (bool, bool), mde: i64| {
        let mut evidence = degenerate("m", point, 100, &strict);
        evidence.interval = Interval { lo: ratio(lo), point: ratio(point), hi: hi.map(ratio) };
        (evidence.proven, evidence.mde) =
            (Proven { comment: proven.0, fail: proven.1 }, MilliPct::percent(mde));
        evidence.method = Method::Paired;
        evidence
    };
    let p95 = |point: u64, lower: u64| {
        let mut evidence = with(95, 100, Some(105), (false, false), 20);
        evidence.p95 = Some(P95 { point, lower });
        evidence
    };
    vec![
        ("regression_over_fail", with(210, 220, Some(230), (true, true), 20), CommentOnly, Fail),
        ("p95_over_cap", p95(2_000, 1_001), CommentOnly, Fail),
        (
            "regression_proven",
            with(151, 160, Some(170), (true, false), 20),
            CommentOnly,
            CommentOnly,
        ),
        ("fail_suspected", with(151, 200, Some(230), (true, false), 20), CommentOnly, CommentOnly),
        (
            "regression_suspected",
            with(120, 150, Some(170), (false, false), 20),
            CommentOnly,
            CommentOnly,
        ),
        ("p95_suspected", p95(1_001, 1_000), CommentOnly, CommentOnly),
        ("cannot_gate", with(90, 100, Some(200), (false, false), 101), CommentOnly, Invalid),
        ("inconclusive", with(90, 100, Some(150), (false, false), 81), CommentOnly, CommentOnly),
        (
            "suspicious_improvement",
            with(5, 8, Some(10), (false, false), 20),
            CommentOnly,
            CommentOnly,
        ),
    ]
}

fn specimen_threshold() -> Threshold {
    Threshold {
        fail_p95_ns: Some(1_000),
        max_mde: MilliPct::percent(80),
        floor: Some(MilliPct::percent(-90)),
        p95: P95Policy::Lower,
        ..threshold(50, Some(100))
    }
}

#[test]
fn each_row_of_the_table_weighs_what_it_says() {
    for (code, evidence, advisory, gating) in row_specimens() {
        for (lane, expected) in
            [(Lane::Advisory, advisory), (Lane::Gating, gating), (Lane::NightlyGating, gating)]
        {
            let decision = decide(&admitted(vec![evidence.clone()]), &specimen_threshold(), lane);
            let own = decision.reasons.iter().find(|reason| reason.code == code);
            assert_eq!(own.map(|reason| reason.severity), Some(expected), "{code} {lane:?}");
            assert_eq!(decision.outcome, expected, "{code} {lane:?}");
        }
    }
}

#[test]
fn each_row_is_silent_one_step_before_its_condition() {
    let ratio = |num: u64| Ratio::new(num, 100_000).expect("a ratio");
    type Step = fn(&mut Evidence, &dyn Fn(u64) -> Ratio);
    let table: [(&str, Step); 9] = [
        ("regression_over_fail", |evidence, _| evidence.proven.fail = false),
        ("p95_over_cap", |evidence, _| evidence.p95 = Some(P95 { point: 2_000, lower: 1_000 })),
        ("regression_proven", |evidence, _| evidence.proven.comment = false),
        ("fail_suspected", |evidence, ratio| evidence.interval.point = ratio(199_999)),
        ("regression_suspected", |evidence, ratio| evidence.interval.point = ratio(149_999)),
        ("p95_suspected", |evidence, _| evidence.p95 = Some(P95 { point: 1_000, lower: 1_000 })),
        ("cannot_gate", |evidence, _| evidence.mde = MilliPct::percent(100)),
        ("inconclusive", |evidence, _| evidence.mde = MilliPct::percent(80)),
        ("suspicious_improvement", |evidence, ratio| evidence.interval.hi = Some(ratio(10_001))),
    ];
    for ((code, step), (named, mut evidence, ..)) in table.into_iter().zip(row_specimens()) {
        assert_eq!(code, named);
        step(&mut evidence, &ratio);
        let decision = decide(&admitted(vec![evidence]), &specimen_threshold(), Lane::Gating);
        assert!(!codes_of(&decision).contains(&code), "{code}: {:?}", decision.reasons);
    }
    for (code, hi) in [("cannot_gate", 199_999), ("inconclusive", 149_999)] {
        let specimen = row_specimens().into_iter().find(|(named, ..)| *named == code);
        let (_, mut evidence, ..) = specimen.expect("a specimen");
        evidence.interval.hi = Some(ratio(hi));
        let decision =
            decide(&admitted(vec![evidence.clone()]), &specimen_threshold(), Lane::Gating);
        assert!(!codes_of(&decision).contains(&code), "the upper bound excludes it: {code}");
        evidence.interval.hi = None;
        let decision = decide(&admitted(vec![evidence]), &specimen_threshold(), Lane::Gating);
        assert!(codes_of(&decision).contains(&code), "an open bound reaches everything: {code}");
    }
}

#[test]
fn no_row_masks_another() {
    let specimens = row_specimens();
    for (left, first, ..) in &specimens {
        for (right, second, ..) in &specimens {
            let (mut first, mut second) = (first.clone(), second.clone());
            (first.metric, second.metric) = (metric("a"), metric("b"));
            let faults = vec![Fault::of_run(FaultCode::RunFailed, "one run failed")];
            let admitted = Admitted { faults, ..admitted(vec![first, second]) };
            let decision = decide(&admitted, &specimen_threshold(), Lane::Gating);
            let has = |code: &str, name: &str| {
                let named = Some(metric(name));
                decision.reasons.iter().any(|reason| reason.code == code && reason.metric == named)
            };
            assert!(has(left, "a") && has(right, "b"), "{left} beside {right}");
            assert_eq!((decision.outcome, decision.examined), (Invalid, 2));
            assert_eq!(decision.reasons[0].code, "run_failed", "the worst comes first");
            let line = &decision.metrics[0];
            assert!(line.codes.contains(left) && !line.note.is_empty(), "{left}");
        }
    }
}

#[test]
fn one_metric_can_have_a_row_of_each_kind() {
    let (_, mut evidence, ..) = row_specimens().remove(0);
    evidence.p95 = Some(P95 { point: 2_000, lower: 1_001 });
    let decision = decide(&admitted(vec![evidence]), &specimen_threshold(), Lane::Gating);
    assert_eq!(codes_of(&decision), ["p95_over_cap", "regression_over_fail", "regression_proven"]);
}

#[test]
fn t39_a_layout_sensitive_metric_is_told_and_never_fails() {
    let (_, mut evidence, ..) = row_specimens().remove(0);
    evidence.labels.push(Label::LayoutSensitive);
    let decision = decide(&admitted(vec![evidence.clone()]), &specimen_threshold(), Lane::Gating);
    assert_eq!(decision.outcome, CommentOnly);
    assert!(codes_of(&decision).contains(&"regression_over_fail"));
    // The cap is about time that passed, wherever the program lies in memory.
    evidence.p95 = Some(P95 { point: 2_000, lower: 1_001 });
    assert_eq!(
        decide(&admitted(vec![evidence]), &specimen_threshold(), Lane::Gating).outcome,
        Fail
    );
}

#[test]
fn a_layout_floor_raises_both_thresholds_to_twice_itself() {
    let gating = threshold(2, Some(5));
    let mut evidence = degenerate("m", 106, 100, &gating);
    evidence.proven = Proven::default();
    for (floor, expected) in [
        (None, vec!["fail_suspected", "regression_suspected"]),
        (Some(2_400), vec!["fail_suspected", "regression_suspected"]),
        (Some(3_000), vec!["fail_suspected", "regression_suspected"]),
        (Some(3_001), vec![]),
    ] {
        evidence.layout_floor = floor.map(MilliPct::new);
        let decision = decide(&admitted(vec![evidence.clone()]), &gating, Lane::Gating);
        assert_eq!(codes_of(&decision), expected, "{floor:?}");
    }
}

#[test]
fn t21_the_kernel_fails_even_where_fail_is_below_comment() {
    let upside_down = threshold(200, Some(100));
    let evidence = degenerate("m", 250, 100, &upside_down);
    assert_eq!(decide(&admitted(vec![evidence]), &upside_down, Lane::Gating).outcome, Fail);
}

#[test]
fn a_suspicion_may_be_a_note_beside_an_ok() {
    let noted = Threshold { on_suspected: Suspected::Note, ..specimen_threshold() };
    let (_, evidence, ..) = row_specimens().remove(4);
    let decision = decide(&admitted(vec![evidence]), &noted, Lane::Gating);
    assert_eq!((decision.outcome, codes_of(&decision)), (Ok, vec!["regression_suspected"]));
}

#[test]
fn row_10_is_ok_and_says_below_what() {
    let mut evidence = degenerate("m", 101, 100, &threshold(50, None));
    evidence.mde = MilliPct::new(2_125);
    let decision = decide(&admitted(vec![evidence]), &threshold(50, None), Lane::Advisory);
    assert_eq!((decision.outcome, decision.reasons.len()), (Ok, 0));
    assert_eq!(decision.metrics[0].note, "below +1.000 %, provable from 2.125 % on");
}

#[test]
fn t16_nothing_admitted_and_nothing_said_is_invalid() {
    for lane in [Lane::Advisory, Lane::Gating] {
        let decision = decide(&admitted(Vec::new()), &threshold(50, Some(100)), lane);
        assert_eq!((decision.outcome, codes_of(&decision)), (Invalid, vec!["empty_measurement"]));
        assert_eq!(decision.examined, 0);
    }
    let faults = vec![Fault::of_run(FaultCode::WorkChanged, "beside nothing")];
    let decision =
        decide(&Admitted { faults, ..admitted(Vec::new()) }, &threshold(50, None), Lane::Advisory);
    assert_eq!(decision.outcome, Invalid);
}

#[test]
fn t17_a_renamed_metric_is_missing_and_unbaselined_and_fails() {
    let faults = vec![
        Fault::of_metric(FaultCode::MetricMissing, &metric("old"), "gone"),
        Fault::of_metric(FaultCode::MetricUnbaselined, &metric("new"), "new"),
    ];
    for (lane, policy, expected) in [
        (Lane::Gating, OnUnbaselined::Comment, Fail),
        (Lane::Advisory, OnUnbaselined::Comment, CommentOnly),
        (Lane::Advisory, OnUnbaselined::Fail, Fail),
    ] {
        let admitted =
            Admitted { faults: faults.clone(), evidence: Vec::new(), on_unbaselined: policy };
        assert_eq!(decide(&admitted, &threshold(50, Some(100)), lane).outcome, expected);
    }
}

#[test]
fn an_added_metric_never_improves_the_outcome() {
    let mut random = SplitMix64::new(31);
    for _ in 0..5_000 {
        let gating = threshold(50, Some(100));
        let mut draw = |name: &str| degenerate(name, 50 + random.below(200), 100, &gating);
        let few = vec![draw("a"), draw("b")];
        let more = vec![few[0].clone(), few[1].clone(), draw("c")];
        let outcome = |evidence| decide(&admitted(evidence), &gating, Lane::Gating).outcome;
        assert!(outcome(more) >= outcome(few));
    }
}

#[test]
fn whatever_is_handed_over_a_decision_comes_back() {
    let mut random = SplitMix64::new(77);
    let extremes = [0, 1, 99_999, 100_000, u64::MAX - 1, u64::MAX];
    for _ in 0..30_000 {
        let mut value = || extremes[usize::try_from(random.below(6)).expect("small")];
        let mut ratio = || Ratio::new(value(), value()).unwrap_or(Ratio::ZERO);
        let (lo, point, hi) = (ratio(), ratio(), ratio());
        let mut value = || extremes[usize::try_from(random.below(6)).expect("small")];
        let mut q = || MilliPct::new(value().cast_signed());
        let any = Threshold {
            comment: q(),
            fail: Some(q()),
            fail_p95_ns: Some(1),
            max_mde: q(),
            floor: Some(q()),
            p95: P95Policy::Lower,
            on_suspected: Suspected::Note,
        };
        let mut evidence = degenerate("m", 1, 1, &any);
        (evidence.mde, evidence.layout_floor) = (q(), Some(q()));
        evidence.interval = Interval { lo, point, hi: Some(hi) };
        evidence.p95 = Some(P95 { point: value(), lower: value() });
        if random.below(2) == 0 {
            evidence.method = Method::Budget;
        }
        let decision = decide(&admitted(vec![evidence]), &any, Lane::Gating);
        assert_eq!(decision.metrics.len(), 1);
    }
}

#[test]
fn a_budget_is_held_against_the_share_itself() {
    let budget = threshold(10, None);
    for (part, expected) in [(99_999, Ok), (100_000, CommentOnly), (900_000, CommentOnly)] {
        let mut evidence = degenerate("m", part, 1_000_000, &budget);
        evidence.method = Method::Budget;
        evidence.proven = Proven { comment: part >= 100_000, fail: false };
        assert_eq!(decide(&admitted(vec![evidence]), &budget, Lane::Advisory).outcome, expected);
    }
}

#[test]
fn a_failure_is_confirmed_by_the_same_row_alone() {
    let gating = specimen_threshold();
    let specimens = row_specimens();
    let of =
        |index: usize| decide(&admitted(vec![specimens[index].1.clone()]), &gating, Lane::Gating);
    let (over_fail, over_cap, proven) = (of(0), of(1), of(2));
    let invalid = decide(&admitted(Vec::new()), &gating, Lane::Gating);
    let table = [
        ("the same again", &over_fail, &over_fail, Fail, false),
        ("another row", &over_fail, &over_cap, CommentOnly, true),
        ("a comment only", &over_fail, &proven, CommentOnly, true),
        ("a second run that nobody can judge", &over_fail, &invalid, Invalid, true),
        ("nothing had failed", &proven, &over_fail, CommentOnly, false),
    ];
    for (case, first, second, expected, is_unconfirmed) in table {
        let decision = confirm(first, second);
        assert_eq!(decision.outcome, expected, "{case}");
        assert_eq!(codes_of(&decision).contains(&"unconfirmed"), is_unconfirmed, "{case}");
        assert!(decision.metrics.iter().all(|line| line.verdict <= decision.outcome), "{case}");
    }
}

#[test]
fn a_cap_in_nanoseconds_says_nothing_about_bytes() {
    for (unit, expected) in [(Unit::Ns, Fail), (Unit::Bytes, Ok), (Unit::Count, Ok)] {
        let mut evidence = with_p95(degenerate("m", 100, 100, &specimen_threshold()), 2_000);
        evidence.unit = unit;
        let decision = decide(&admitted(vec![evidence]), &specimen_threshold(), Lane::Gating);
        assert_eq!(decision.outcome, expected, "{unit:?}");
    }
}
