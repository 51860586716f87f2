//! What spoils a measurement: each way by its code, on either lane.

use super::*;

type Spoil = fn(&mut Measurement);

/// What spoils a sound paired measurement, the code, and the outcome on an advisory lane; on a gating one it is invalid.
static SPOILED: [(&str, Spoil, &str, Outcome); 21] = [
    (
        "a limit that nobody enforced",
        |m| {
            let sample = &mut samples_of(m, Arm::Candidate)[3];
            (sample.censored, sample.exit) = (true, Exit::Code(1));
        },
        "run_failed",
        Outcome::Invalid,
    ),
    (
        "t01_a_crash_timed_as_work",
        |m| samples_of(m, Arm::Candidate)[3].exit = Exit::Code(101),
        "run_failed",
        Outcome::Invalid,
    ),
    (
        "t01_a_usage_error",
        |m| samples_of(m, Arm::Base)[3].exit = Exit::Code(2),
        "run_failed",
        Outcome::Invalid,
    ),
    (
        "t09_a_signal",
        |m| samples_of(m, Arm::Candidate)[3].exit = Exit::Signal(11),
        "run_failed",
        Outcome::Invalid,
    ),
    (
        "nobody recorded the exit",
        |m| samples_of(m, Arm::Candidate)[3].exit = Exit::Unknown,
        "run_failed",
        Outcome::Invalid,
    ),
    (
        "t02_a_no_op_that_exits_0",
        |m| samples_of(m, Arm::Candidate)[29].proof.clear(),
        "proof_missing",
        Outcome::Invalid,
    ),
    (
        "t03_an_exception_read_as_0",
        |m| samples_of(m, Arm::Candidate)[0].value = 0,
        "value_not_positive",
        Outcome::Invalid,
    ),
    (
        "t11_a_base_of_0",
        |m| samples_of(m, Arm::Base)[0].value = 0,
        "baseline_not_positive",
        Outcome::Invalid,
    ),
    (
        "t07_less_work",
        |m| samples_of(m, Arm::Candidate).iter_mut().for_each(|s| s.work.count = 11),
        "work_shrunk",
        Outcome::Invalid,
    ),
    (
        "work that differs within an arm",
        |m| samples_of(m, Arm::Candidate)[9].work.count = 13,
        "work_unstable",
        Outcome::Invalid,
    ),
    ("t16_no_metric", |m| m.series.clear(), "empty_measurement", Outcome::Invalid),
    (
        "t16_no_sample",
        |m| samples_of(m, Arm::Candidate).clear(),
        "empty_measurement",
        Outcome::Invalid,
    ),
    (
        "a pair is missing",
        |m| {
            samples_of(m, Arm::Base).pop();
        },
        "unknown_shape",
        Outcome::Invalid,
    ),
    (
        "a metric twice",
        |m| {
            let again = m.series[1].clone();
            m.series.push(again);
        },
        "duplicate_metric",
        Outcome::Invalid,
    ),
    ("two units", |m| m.series[0].unit = Unit::Bytes, "unit_mismatch", Outcome::Invalid),
    ("another schema", |m| m.schema.push('2'), "unknown_shape", Outcome::Invalid),
    (
        "no base arm",
        |m| {
            m.series.remove(0);
        },
        "measurement_missing",
        Outcome::Invalid,
    ),
    (
        "t38_one_file_for_both_arms",
        |m| m.faults.push(Fault::of_run(FaultCode::ArmsAreOneFile, "inode 7")),
        "arms_are_one_file",
        Outcome::Invalid,
    ),
    (
        "t36_a_hidden_look",
        |m| m.looks = Some(Looks { planned: 3, taken: vec![Look { number: 2, n: 30 }] }),
        "look_hidden",
        Outcome::Invalid,
    ),
    (
        "a stolen machine",
        |m| m.noise.steal = Some(MilliPct::new(5_001)),
        "noisy_run",
        Outcome::CommentOnly,
    ),
    (
        "too many forced CPUs",
        |m| (m.host.forced_cpus, m.host.logical_cpus) = (Some(3), 8),
        "forced_above_host",
        Outcome::Invalid,
    ),
];

/// Spoils a sound measurement by each entry whose name starts so, and looks at both lanes.
fn spoiled(prefix: &str) {
    let mut n_tried = 0;
    for (case, spoil, code, advisory) in SPOILED.iter().filter(|row| row.0.starts_with(prefix)) {
        let mut measurement = paired_measurement(&pairs(30, 0));
        let sound = judged(&measurement, &Base::NotNeeded, &paired_config());
        assert_eq!(sound, (Outcome::Ok, vec![]), "the control of: {case}");
        spoil(&mut measurement);
        let (outcome, codes) = judged(&measurement, &Base::NotNeeded, &paired_config());
        assert!(codes.contains(code), "{case}: {codes:?}");
        assert_eq!(outcome, Outcome::Invalid, "{case}");
        let mut config = paired_config();
        (config.lane, config.threshold.fail) = (Lane::Advisory, None);
        assert_eq!(judged(&measurement, &Base::NotNeeded, &config).0, *advisory, "{case}");
        n_tried += 1;
    }
    assert!(n_tried > 0, "no entry starts with {prefix}");
}

#[test]
fn what_spoils_a_measurement_is_named() {
    spoiled("");
}

#[test]
fn t01_a_crash_or_a_usage_error_is_not_timed_as_work() {
    spoiled("t01");
}

#[test]
fn t02_a_no_op_that_exits_0_has_no_proof() {
    spoiled("t02");
}

#[test]
fn t03_an_exception_read_as_0_is_not_a_value() {
    spoiled("t03");
}

#[test]
fn t07_less_work_is_not_less_time() {
    spoiled("t07");
}

#[test]
fn t09_a_crash_is_invalid_on_an_advisory_lane_too() {
    spoiled("t09");
}

#[test]
fn t11_a_base_of_0_divides_nothing() {
    spoiled("t11");
}

#[test]
fn t16_no_metric_and_no_sample_are_empty() {
    spoiled("t16");
}

#[test]
fn t36_looks_until_one_is_pleasant_are_hidden_looks() {
    spoiled("t36");
}

#[test]
fn t38_one_file_for_both_arms_compares_nothing() {
    spoiled("t38");
}

#[test]
fn t10_a_fault_of_an_adapter_is_not_lost() {
    for code in FaultCode::ALL {
        let mut measurement = paired_measurement(&pairs(30, 0));
        measurement.faults.push(Fault::of_metric(code, &metric("m"), "an adapter said so"));
        let (outcome, codes) = judged(&measurement, &Base::NotNeeded, &paired_config());
        assert_eq!((outcome, codes), (code.severity(Lane::Gating), vec![code.as_str()]));
    }
    let mut base = reference(&[("m", &[1_000; 17])]);
    let detail = "the document says NaN";
    base.faults = vec![Fault::of_metric(FaultCode::ValueNotFinite, &metric("m"), detail)];
    let measurement = measurement(Order::OneArm, vec![one_arm("m", [1_000; 17])]);
    let seen = judged(&measurement, &read(base), &suite_config(Lane::Advisory));
    assert_eq!(seen, (Outcome::Invalid, vec!["value_not_finite"]));
}
