//! The known-good and known-bad trees: each is a change of one commit that holds an earlier baseline.

use super::{
    BASE_IS_HEAD, BASE_UNRESOLVABLE, BASELINE_MISSING, BASELINE_UNREADABLE, COMMIT_UNKNOWN,
    DIGEST_MISMATCH, HEADER_INCOMPLETE, HOST_CLASS_UNUSED, MIXED_CHANGE, OLD, PROJECTED_IN_GATING,
    RATE_NOT_STATED, RELAXED_TOO_FAR, ROSTER_DIFFERS, SUBJECT_WRONG, TIME_IN_FUTURE,
    TIME_MALFORMED, TOO_FEW_SAMPLES, UNKNOWN_KEY, VALUE_NOT_FINITE, VALUE_NOT_MEDIAN,
    VALUE_NOT_POSITIVE, VALUES_CHANGED_HEADER_SAME,
};
use portcullis::{Lane, Tooth};

type Files = &'static [(&'static str, &'static str)];

pub(super) const RULES: &str = "baselines = ['benches/baselines/*.json']";
const FILE: &str = "benches/baselines/suite.json";

macro_rules! policy {
    ($lane:literal, $more:literal) => {
        concat!(
            "[policy]\nversion = 1\nowner = 'bench'\n[canary.suite]\nlane = '",
            $lane,
            "'\nmethod = 'two_sample'\nadapter = 'criterion_dir'\nroster = ['cold', 'warm']\n",
            "baseline = 'benches/baselines/suite.json'\ncomment_pct = 50\nruns = 5\n",
            "proof = { journal = 'target/suite.jsonl' }\n",
            $more
        )
    };
}

pub(super) const POLICY: (&str, &str) = ("portcullis.toml", policy!("advisory", ""));
const GATING: (&str, &str) = ("portcullis.toml", policy!("gating", "fail_pct = 100\n"));
const PROMISING: (&str, &str) = ("portcullis.toml", policy!("advisory", "max_false_rate = 0.01\n"));
const SOURCE: (&str, &str) = ("src/lib.rs", "// fast\n");

/// A baseline of five runs of two metrics: time, header of the measurement, provenance, the first metric, what else
/// it says, and its digest.
macro_rules! baseline {
    ($at:expr, $header:expr, $provenance:expr, $cold:expr, $more:expr, $digest:expr) => {
        concat!(
            "{\"schema\":\"portcullis.canary_baseline.v1\",\"canary\":\"suite\",\"refreshed_at\":\"",
            $at,
            "\",\"refreshed_by\":\"dev\",",
            $header,
            ",\"dirty\":false,\"work\":{\"digest\":\"0303030303030303030303030303030303030303030303030303030303030303\",\"count\":12},",
            $provenance,
            ",\"host_class\":\"8c64cbcc97fe\",\"host\":{\"os\":\"linux\",\"arch\":\"x86_64\",\"cpu_model\":\"a model\",\"allowed_cpus\":2,\"forced_cpus\":null,\"emulation\":\"none\",\"rustc\":\"1.95\",\"profile_hash\":\"0123\",\"logical_cpus\":4,\"virt\":\"kvm\",\"kernel\":\"6.1\",\"libc\":\"glibc 2.36\"},",
            "\"calibration_ns\":{\"alu\":1000,\"l2\":1000,\"dram\":1000,\"alloc_sort\":1000,\"spawn\":1000},",
            "\"measurements\":{\"cold\":{\"unit\":\"ns\",\"stat\":\"median\",",
            $cold,
            ",\"s_d\":0.01},\"warm\":{\"unit\":\"ns\",\"stat\":\"median\",\"value\":60,\"n\":5,\"samples\":[60,58,61,60,62],\"s_d\":0.01}},",
            $more,
            "\"retired\":[],\"content_digest\":\"",
            $digest,
            "\"}\n"
        )
    };
}

macro_rules! earlier {
    () => {
        "\"reason\":\"first, #1\",\"commit\":\"1111111111111111111111111111111111111111\",\"run_id\":\"run-1\""
    };
}

/// The commit of the base tree, which the same files make on every machine.
macro_rules! refreshed {
    () => {
        "\"reason\":\"a faster census, #2\",\"commit\":\"7d9f4d32eed76d589423e09c747ff13d871a0c4f\",\"run_id\":\"run-2\""
    };
}

macro_rules! measured {
    () => {
        "\"provenance\":\"measured\""
    };
}

macro_rules! earlier_time {
    () => {
        "2026-05-01T04:00:00Z"
    };
}

macro_rules! time {
    () => {
        "2026-05-30T04:00:00Z"
    };
}

macro_rules! cold {
    () => {
        "\"value\":100,\"n\":5,\"samples\":[100,99,101,100,102]"
    };
}

macro_rules! slower {
    () => {
        "\"value\":110,\"n\":5,\"samples\":[110,99,112,110,113]"
    };
}

const EARLIER: (&str, &str) = (
    FILE,
    baseline!(
        earlier_time!(),
        earlier!(),
        measured!(),
        cold!(),
        "",
        "daef8fa87164bab5f89dcdbd836ef107732f9cd9d8190f045794737439685a7a"
    ),
);
const REFRESHED: (&str, &str) = (
    FILE,
    baseline!(
        time!(),
        refreshed!(),
        measured!(),
        slower!(),
        "",
        "64eb06c36c7f993f193bccb9a40176ea1ee2c98e10d599e16eb94433587d10d6"
    ),
);
/// A measurement of this run on another machine.
const MEASUREMENT: &str = "{\"schema\":\"portcullis.canary_measurement.v1\",\"canary\":\"suite\",\"run_id\":\"bench\",\"commit\":\"0000000000000000000000000000000000000000\",\"order\":\"one_arm\",\"host\":{\"os\":\"linux\",\"arch\":\"x86_64\",\"cpu_model\":\"another model\",\"allowed_cpus\":2,\"forced_cpus\":null,\"emulation\":\"none\",\"rustc\":\"1.95\",\"profile_hash\":\"0123\",\"logical_cpus\":4,\"virt\":\"kvm\",\"kernel\":\"6.1\",\"libc\":\"glibc 2.36\"},\"calibration\":null,\"noise\":{\"load_milli\":null,\"steal\":null,\"involuntary_switches\":null},\"looks\":null,\"identical_binaries\":false,\"series\":[],\"faults\":[]}";

pub(super) const BASE: Files = &[POLICY, SOURCE, EARLIER];
const GATING_BASE: Files = &[GATING, SOURCE, EARLIER];
const PROMISING_BASE: Files = &[PROMISING, SOURCE, EARLIER];
/// A policy whose roster has one metric more.
const WIDER: (&str, &str) = (
    "portcullis.toml",
    concat!(
        "[policy]\nversion = 1\nowner = 'bench'\n[canary.suite]\nlane = 'advisory'\n",
        "method = 'two_sample'\nadapter = 'criterion_dir'\nroster = ['cold', 'warm', 'hot']\n",
        "baseline = 'benches/baselines/suite.json'\ncomment_pct = 50\nruns = 5\n",
        "proof = { journal = 'target/suite.jsonl' }\n"
    ),
);

const fn pr(tooth: Tooth, base: Files) -> Tooth {
    tooth.lane(Lane::Pr).over(base)
}

pub(super) static TEETH: &[Tooth] = &[
    pr(
        Tooth::known_good(
            "a_refresh_alone",
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        slower!(),
                        "",
                        "64eb06c36c7f993f193bccb9a40176ea1ee2c98e10d599e16eb94433587d10d6"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_good(
            "a_promise_that_is_kept",
            RULES,
            &[
                PROMISING,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        "\"reason\":\"a faster census, #2\",\"commit\":\"f9db68b86dcc91ffd53ea9a54816e2c9cf254eb0\",\"run_id\":\"run-2\"",
                        measured!(),
                        slower!(),
                        "\"aa\":{\"repeats\":300,\"resampled\":0,\"false_comment\":0,\"false_fail\":0,\"q999_milli_pct\":900,\"rate_upper95\":0.01},",
                        "f34786ac6e38836cf657f22ed67acd34dfaba25f533bfe420750e1e5cf0c613e"
                    ),
                ),
            ],
        ),
        PROMISING_BASE,
    ),
    pr(
        Tooth::known_bad(
            "no_commit",
            HEADER_INCOMPLETE,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        "\"reason\":\"a faster census, #2\",\"commit\":\"main\",\"run_id\":\"run-2\"",
                        measured!(),
                        slower!(),
                        "",
                        "28a2ab5384c6f7db0fafb7be4634ca81f3179e3f9333a4ddf83f062c5c1ab84c"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_note_of_a_person",
            UNKNOWN_KEY,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        slower!(),
                        "\"note\":\"trust me\",",
                        "a8d4fab8dc2e3c946c41d9b5176317118f2785b4493b50516c09cb187d64ea4d"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_time_that_is_none",
            TIME_MALFORMED,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        "xyzZ",
                        refreshed!(),
                        measured!(),
                        slower!(),
                        "",
                        "f2fa944a24e3620355635e362371e0cbcb021488c34f8ccbb7d130b0f93222d3"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_time_to_come",
            TIME_IN_FUTURE,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        "2026-06-30T04:00:00Z",
                        refreshed!(),
                        measured!(),
                        slower!(),
                        "",
                        "e7ef524e235dc7afb785a0988b87ffeb6bd8b7094427df86b2e9e940763af38a"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_truth_value",
            VALUE_NOT_POSITIVE,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        "\"value\":true,\"n\":5,\"samples\":[110,99,112,110,113]",
                        "",
                        "b87f54a5b479591e342018b55ead6c1509ee003e0a1912caac13b9d3e5d47a99"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_null",
            VALUE_NOT_FINITE,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        "\"value\":null,\"n\":5,\"samples\":[110,99,112,110,113]",
                        "",
                        "51dcdd46fe583e5ad082808d192a537ecf8d602a1901d7bc9eaabc2142001178"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_value_that_is_no_median",
            VALUE_NOT_MEDIAN,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        "\"value\":109,\"n\":5,\"samples\":[110,99,112,110,113]",
                        "",
                        "202578787209a331a8f2f6600c996e5fdb27752fd6194942604be40fca0fd4bb"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "an_invented_number",
            TOO_FEW_SAMPLES,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        "\"value\":110,\"n\":1,\"samples\":[110]",
                        "",
                        "23c3b4c36ac305accda8e0f813e33605ca143aefd254686dc858f00124cf803e"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "edited_by_hand",
            DIGEST_MISMATCH,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        slower!(),
                        "",
                        "daef8fa87164bab5f89dcdbd836ef107732f9cd9d8190f045794737439685a7a"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "times_ten_under_the_same_header",
            VALUES_CHANGED_HEADER_SAME,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        earlier_time!(),
                        earlier!(),
                        measured!(),
                        "\"value\":1000,\"n\":5,\"samples\":[1000,990,1010,1000,1020]",
                        "",
                        "618240ff7eeb60e50aa3a960d0fc899354bd050e7600555eeb9b7ca54cf811a2"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_commit_of_nowhere",
            COMMIT_UNKNOWN,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        "\"reason\":\"a faster census, #2\",\"commit\":\"2222222222222222222222222222222222222222\",\"run_id\":\"run-2\"",
                        measured!(),
                        slower!(),
                        "",
                        "43b97e2d820b894a8ef283ca2515420d20839281c79c884348ad3953f695bc00"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_value_that_rises_by_a_half",
            RELAXED_TOO_FAR,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        "\"value\":150,\"n\":5,\"samples\":[150,149,151,150,152]",
                        "",
                        "e90260269b308be9afd047f610f72529c4b2eeb528a6138137ea12092272d198"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "refreshed_with_the_slow_change",
            MIXED_CHANGE,
            RULES,
            &[
                POLICY,
                ("src/lib.rs", "// slow\n"),
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        slower!(),
                        "",
                        "64eb06c36c7f993f193bccb9a40176ea1ee2c98e10d599e16eb94433587d10d6"
                    ),
                ),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "computed_under_a_canary_that_blocks",
            PROJECTED_IN_GATING,
            RULES,
            &[
                GATING,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        "\"reason\":\"a faster census, #2\",\"commit\":\"0ad0889b45095f3f3e8c734ecb67b73b91afcad4\",\"run_id\":\"run-2\"",
                        "\"provenance\":\"projected\",\"projected_from\":\"0123456789ab\",\"factor\":2",
                        slower!(),
                        "",
                        "0462fb630c8b30def61c83c1a574b8cab430ffb1b84e21c41a0481be1a0d8ac7"
                    ),
                ),
            ],
        ),
        GATING_BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_promise_by_repeats_that_were_drawn",
            RATE_NOT_STATED,
            RULES,
            &[
                PROMISING,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        "\"reason\":\"a faster census, #2\",\"commit\":\"f9db68b86dcc91ffd53ea9a54816e2c9cf254eb0\",\"run_id\":\"run-2\"",
                        measured!(),
                        slower!(),
                        "\"aa\":{\"repeats\":299,\"resampled\":30000,\"false_comment\":0,\"false_fail\":0,\"q999_milli_pct\":900,\"rate_upper95\":0.01},",
                        "fa26b32cf8e71529c46debcbff0903893874c85b9b8a2d4892d8fe744507049f"
                    ),
                ),
            ],
        ),
        PROMISING_BASE,
    ),
    pr(
        Tooth::known_bad(
            "refreshed_long_ago",
            OLD,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        slower!(),
                        "",
                        "64eb06c36c7f993f193bccb9a40176ea1ee2c98e10d599e16eb94433587d10d6"
                    ),
                ),
            ],
        ),
        BASE,
    )
    .at("2026-12-31T12:00:00Z"),
    pr(
        Tooth::known_bad(
            "another_machine_measures",
            HOST_CLASS_UNUSED,
            RULES,
            &[
                POLICY,
                SOURCE,
                (
                    FILE,
                    baseline!(
                        time!(),
                        refreshed!(),
                        measured!(),
                        slower!(),
                        "",
                        "64eb06c36c7f993f193bccb9a40176ea1ee2c98e10d599e16eb94433587d10d6"
                    ),
                ),
                ("target/portcullis/runs/bench/canary/suite/measurement.json", MEASUREMENT),
            ],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_metric_that_nobody_measured",
            ROSTER_DIFFERS,
            RULES,
            &[WIDER, SOURCE, REFRESHED],
        ),
        &[WIDER, SOURCE, EARLIER],
    ),
    pr(
        Tooth::known_bad(
            "a_commit_that_says_something_else",
            SUBJECT_WRONG,
            "baselines = ['benches/baselines/*.json']\nbase_ref = 'HEAD~1'",
            &[POLICY, SOURCE, REFRESHED],
        ),
        BASE,
    )
    .committed(),
    pr(Tooth::known_bad("no_baseline", BASELINE_MISSING, RULES, &[POLICY, SOURCE]), BASE),
    pr(
        Tooth::known_bad(
            "a_baseline_that_is_cut",
            BASELINE_UNREADABLE,
            RULES,
            &[POLICY, SOURCE, (FILE, "{\"schema\":")],
        ),
        BASE,
    ),
    pr(
        Tooth::known_bad(
            "a_base_that_nobody_has",
            BASE_UNRESOLVABLE,
            "baselines = ['benches/baselines/*.json']\nbase_ref = 'origin/gone'",
            &[POLICY, SOURCE, REFRESHED],
        ),
        BASE,
    ),
    Tooth::known_bad(
        "a_base_that_hides_the_change",
        BASE_IS_HEAD,
        RULES,
        &[POLICY, SOURCE, REFRESHED],
    )
    .over(BASE),
];
