//! The known-good and known-bad measurements: seven runs of one metric against seven of its baseline.

use crate::canary::code::{
    AFFINITY_UNAVAILABLE, ARMS_ARE_ONE_FILE, BASELINE_MISSING, BASELINE_NOT_POSITIVE,
    BASELINE_PROJECTED, BASELINE_UNREADABLE, CANNOT_GATE, DEADLINE, DUPLICATE_METRIC,
    EMPTY_MEASUREMENT, FAIL_SUSPECTED, FORCED_ABOVE_HOST, HOST_INCOMPARABLE, IMPLAUSIBLY_FAST,
    INCONCLUSIVE, INVARIANT_BROKEN, INVARIANT_SUSPECTED, LOOK_HIDDEN, MEASUREMENT_MISSING,
    MEASUREMENT_STALE, METRIC_MISSING, METRIC_UNBASELINED, NOISY_RUN, P95_OVER_CAP, P95_SUSPECTED,
    PROOF_MISSING, REGRESSION_OVER_FAIL, REGRESSION_PROVEN, REGRESSION_SUSPECTED, RUN_FAILED,
    SAMPLES_BELOW_MINIMUM, SUSPICIOUS_IMPROVEMENT, UNCONFIRMED, UNIT_MISMATCH, UNKNOWN_SHAPE,
    VALUE_NOT_FINITE, VALUE_NOT_POSITIVE, VALUE_OVERFLOW, WORK_CHANGED, WORK_SHRUNK, WORK_UNSTABLE,
};
use portcullis::Tooth;

const RULES: &str = "canary = 'suite'\nfreshness = { same_run = true }";
const FILE: &str = "benches/baselines/suite.json";
const MEASUREMENT: &str = "target/portcullis/runs/bench/canary/suite/measurement.json";

macro_rules! policy {
    ($lane:literal, $roster:literal, $more:literal) => {
        (
            "portcullis.toml",
            concat!(
                "[policy]\nversion = 1\nowner = 'bench'\n[canary.suite]\nlane = '",
                $lane,
                "'\nmethod = 'two_sample'\nadapter = 'criterion_dir'\nroster = [",
                $roster,
                "]\nbaseline = 'benches/baselines/suite.json'\ncomment_pct = 50\nruns = 7\n",
                "alpha = 0.1\nproof = { journal = 'target/suite.jsonl' }\n",
                $more
            ),
        )
    };
}

const GATING: (&str, &str) = policy!("gating", "'cold'", "fail_pct = 100\n");
const GATING_TWO: (&str, &str) = policy!("gating", "'cold', 'warm'", "fail_pct = 100\n");
const CAPPED: (&str, &str) = policy!("gating", "'cold'", "fail_p95_s = 0.00000011\n");
const ADVISORY: (&str, &str) = policy!("advisory", "'cold'", "");
const FLOORED: (&str, &str) = policy!("advisory", "'cold'", "floor_pct = -50\n");

/// A run of so many nanoseconds that ended so.
macro_rules! run {
    ($exit:literal, $value:literal) => {
        concat!(
            "{\"value\":",
            $value,
            ",\"censored\":false,\"exit\":",
            $exit,
            ",\"proof\":[\"journal\"],\"position\":0,\"work\":{\"digest\":\"0303030303030303030303030303030303030303030303030303030303030303\",\"count\":12}}"
        )
    };
}

macro_rules! seven {
    ($exit:literal: $first:literal $(, $value:literal)*) => {
        series!("cold", concat!(run!($exit, $first) $(, ",", run!($exit, $value))*))
    };
    ($($value:literal),*) => {
        seven!("{\"code\":0}": $($value),*)
    };
}

macro_rules! series {
    ($metric:literal, $runs:expr) => {
        concat!(
            "{\"metric\":\"",
            $metric,
            "\",\"unit\":\"ns\",\"arm\":\"candidate\",\"body\":{\"samples\":[",
            $runs,
            "]},\"source\":\"sample.json\",\"schema_version\":\"1\"}"
        )
    };
}

macro_rules! measurement {
    ($series:expr, $faults:expr) => {
        measurement!("bench", $series, $faults)
    };
    ($run:literal, $series:expr, $faults:expr) => {
        concat!(
            "{\"schema\":\"portcullis.canary_measurement.v1\",\"canary\":\"suite\",\"run_id\":\"",
            $run,
            "\",\"commit\":\"0000000000000000000000000000000000000000\",\"order\":\"one_arm\",\"host\":{\"os\":\"linux\",\"arch\":\"x86_64\",\"cpu_model\":\"a model\",\"allowed_cpus\":2,\"forced_cpus\":null,\"emulation\":\"none\",\"rustc\":\"1.95\",\"profile_hash\":\"0123\",\"logical_cpus\":4,\"virt\":\"kvm\",\"kernel\":\"6.1\",\"libc\":\"glibc 2.36\"},\"calibration\":{\"alu\":1000,\"l2\":1000,\"dram\":1000,\"alloc_sort\":1000,\"spawn\":1000},\"noise\":{\"load_milli\":null,\"steal\":null,\"involuntary_switches\":null},\"looks\":null,\"identical_binaries\":false,\"series\":[",
            $series,
            "],\"faults\":[",
            $faults,
            "]}"
        )
    };
}

/// Baselines as the tools write them, and spoiled in one place each.
const BASE: &str = "{\"schema\":\"portcullis.canary_baseline.v1\",\"canary\":\"suite\",\"refreshed_at\":\"2026-05-01T04:00:00Z\",\"refreshed_by\":\"dev\",\"reason\":\"first, #1\",\"commit\":\"1111111111111111111111111111111111111111\",\"run_id\":\"run-1\",\"dirty\":false,\"work\":{\"digest\":\"0303030303030303030303030303030303030303030303030303030303030303\",\"count\":12},\"provenance\":\"measured\",\"host_class\":\"8c64cbcc97fe\",\"host\":{\"os\":\"linux\",\"arch\":\"x86_64\",\"cpu_model\":\"a model\",\"allowed_cpus\":2,\"forced_cpus\":null,\"emulation\":\"none\",\"rustc\":\"1.95\",\"profile_hash\":\"0123\",\"logical_cpus\":4,\"virt\":\"kvm\",\"kernel\":\"6.1\",\"libc\":\"glibc 2.36\"},\"calibration_ns\":{\"alu\":1000,\"l2\":1000,\"dram\":1000,\"alloc_sort\":1000,\"spawn\":1000},\"measurements\":{\"cold\":{\"unit\":\"ns\",\"stat\":\"median\",\"value\":100,\"n\":7,\"samples\":[100,98,101,100,99,102,100],\"s_d\":0.01}},\"retired\":[],\"content_digest\":\"0a97a384db7181d266dd1520545a69afd91513be08d68f229668814f91bfdb24\"}\n";
const TWO: &str = "{\"schema\":\"portcullis.canary_baseline.v1\",\"canary\":\"suite\",\"refreshed_at\":\"2026-05-01T04:00:00Z\",\"refreshed_by\":\"dev\",\"reason\":\"first, #1\",\"commit\":\"1111111111111111111111111111111111111111\",\"run_id\":\"run-1\",\"dirty\":false,\"work\":{\"digest\":\"0303030303030303030303030303030303030303030303030303030303030303\",\"count\":12},\"provenance\":\"measured\",\"host_class\":\"8c64cbcc97fe\",\"host\":{\"os\":\"linux\",\"arch\":\"x86_64\",\"cpu_model\":\"a model\",\"allowed_cpus\":2,\"forced_cpus\":null,\"emulation\":\"none\",\"rustc\":\"1.95\",\"profile_hash\":\"0123\",\"logical_cpus\":4,\"virt\":\"kvm\",\"kernel\":\"6.1\",\"libc\":\"glibc 2.36\"},\"calibration_ns\":{\"alu\":1000,\"l2\":1000,\"dram\":1000,\"alloc_sort\":1000,\"spawn\":1000},\"measurements\":{\"cold\":{\"unit\":\"ns\",\"stat\":\"median\",\"value\":100,\"n\":7,\"samples\":[100,98,101,100,99,102,100],\"s_d\":0.01},\"warm\":{\"unit\":\"ns\",\"stat\":\"median\",\"value\":100,\"n\":7,\"samples\":[100,98,101,100,99,102,100],\"s_d\":0.01}},\"retired\":[],\"content_digest\":\"af923685736764531f5fde23311ba2876cb6ae2c0f807ad1c280ebafbaec84ae\"}\n";
const ZERO: &str = "{\"schema\":\"portcullis.canary_baseline.v1\",\"canary\":\"suite\",\"refreshed_at\":\"2026-05-01T04:00:00Z\",\"refreshed_by\":\"dev\",\"reason\":\"first, #1\",\"commit\":\"1111111111111111111111111111111111111111\",\"run_id\":\"run-1\",\"dirty\":false,\"work\":{\"digest\":\"0303030303030303030303030303030303030303030303030303030303030303\",\"count\":12},\"provenance\":\"measured\",\"host_class\":\"8c64cbcc97fe\",\"host\":{\"os\":\"linux\",\"arch\":\"x86_64\",\"cpu_model\":\"a model\",\"allowed_cpus\":2,\"forced_cpus\":null,\"emulation\":\"none\",\"rustc\":\"1.95\",\"profile_hash\":\"0123\",\"logical_cpus\":4,\"virt\":\"kvm\",\"kernel\":\"6.1\",\"libc\":\"glibc 2.36\"},\"calibration_ns\":{\"alu\":1000,\"l2\":1000,\"dram\":1000,\"alloc_sort\":1000,\"spawn\":1000},\"measurements\":{\"cold\":{\"unit\":\"ns\",\"stat\":\"median\",\"value\":0,\"n\":7,\"samples\":[100,98,101,100,99,102,100],\"s_d\":0.01}},\"retired\":[],\"content_digest\":\"3526050ec739012486f87cda227f64e3b52aa73fac65a281f41104483a30e7ce\"}\n";
const NULL: &str = "{\"schema\":\"portcullis.canary_baseline.v1\",\"canary\":\"suite\",\"refreshed_at\":\"2026-05-01T04:00:00Z\",\"refreshed_by\":\"dev\",\"reason\":\"first, #1\",\"commit\":\"1111111111111111111111111111111111111111\",\"run_id\":\"run-1\",\"dirty\":false,\"work\":{\"digest\":\"0303030303030303030303030303030303030303030303030303030303030303\",\"count\":12},\"provenance\":\"measured\",\"host_class\":\"8c64cbcc97fe\",\"host\":{\"os\":\"linux\",\"arch\":\"x86_64\",\"cpu_model\":\"a model\",\"allowed_cpus\":2,\"forced_cpus\":null,\"emulation\":\"none\",\"rustc\":\"1.95\",\"profile_hash\":\"0123\",\"logical_cpus\":4,\"virt\":\"kvm\",\"kernel\":\"6.1\",\"libc\":\"glibc 2.36\"},\"calibration_ns\":{\"alu\":1000,\"l2\":1000,\"dram\":1000,\"alloc_sort\":1000,\"spawn\":1000},\"measurements\":{\"cold\":{\"unit\":\"ns\",\"stat\":\"median\",\"value\":null,\"n\":7,\"samples\":[100,98,101,100,99,102,100],\"s_d\":0.01}},\"retired\":[],\"content_digest\":\"b5c1751072b303c18bdd7d37c8a715e53a4b76435c3238c1e6ed8eb3f753a715\"}\n";
const EDITED: &str = "{\"schema\":\"portcullis.canary_baseline.v1\",\"canary\":\"suite\",\"refreshed_at\":\"2026-05-01T04:00:00Z\",\"refreshed_by\":\"dev\",\"reason\":\"first, #1\",\"commit\":\"1111111111111111111111111111111111111111\",\"run_id\":\"run-1\",\"dirty\":false,\"work\":{\"digest\":\"0303030303030303030303030303030303030303030303030303030303030303\",\"count\":12},\"provenance\":\"measured\",\"host_class\":\"8c64cbcc97fe\",\"host\":{\"os\":\"linux\",\"arch\":\"x86_64\",\"cpu_model\":\"a model\",\"allowed_cpus\":2,\"forced_cpus\":null,\"emulation\":\"none\",\"rustc\":\"1.95\",\"profile_hash\":\"0123\",\"logical_cpus\":4,\"virt\":\"kvm\",\"kernel\":\"6.1\",\"libc\":\"glibc 2.36\"},\"calibration_ns\":{\"alu\":1000,\"l2\":1000,\"dram\":1000,\"alloc_sort\":1000,\"spawn\":1000},\"measurements\":{\"cold\":{\"unit\":\"ns\",\"stat\":\"median\",\"value\":100,\"n\":7,\"samples\":[100,98,101,100,99,102,100],\"s_d\":0.01}},\"retired\":[],\"content_digest\":\"0000000000000000000000000000000000000000000000000000000000000000\"}\n";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "as_fast_as_before",
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!(102, 99, 101, 100, 103, 100, 98), "")),
        ],
    ),
    Tooth::known_bad(
        "three_times_slower",
        REGRESSION_OVER_FAIL,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!(300, 299, 301, 300, 303, 298, 302), "")),
        ],
    ),
    Tooth::known_bad(
        "slower_by_seventy_percent",
        REGRESSION_PROVEN,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!(170, 169, 171, 170, 172, 168, 173), "")),
        ],
    ),
    Tooth::known_bad(
        "the_middle_is_twice_as_slow",
        FAIL_SUSPECTED,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!(140, 210, 211, 212, 213, 210, 214), "")),
        ],
    ),
    Tooth::known_bad(
        "the_middle_is_slower_by_sixty_percent",
        REGRESSION_SUSPECTED,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!(120, 160, 161, 162, 163, 160, 164), "")),
        ],
    ),
    Tooth::known_bad(
        "above_the_cap",
        P95_OVER_CAP,
        RULES,
        &[
            CAPPED,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!(120, 121, 120, 122, 120, 121, 120), "")),
        ],
    ),
    Tooth::known_bad(
        "one_stall_above_the_cap",
        P95_SUSPECTED,
        RULES,
        &[
            CAPPED,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!(100, 101, 100, 99, 100, 102, 120), "")),
        ],
    ),
    Tooth::known_bad(
        "too_noisy_to_block",
        CANNOT_GATE,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!(40, 90, 190, 60, 400, 70, 300), "")),
        ],
    ),
    Tooth::known_bad(
        "too_noisy_to_tell",
        INCONCLUSIVE,
        RULES,
        &[
            ADVISORY,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!(40, 90, 190, 60, 400, 70, 300), "")),
        ],
    ),
    Tooth::known_bad(
        "ten_times_faster",
        SUSPICIOUS_IMPROVEMENT,
        RULES,
        &[
            FLOORED,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!(10, 10, 11, 10, 9, 10, 10), "")),
        ],
    ),
    Tooth::known_bad(
        "recorded_proof_missing",
        PROOF_MISSING,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"proof_missing\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_value_overflow",
        VALUE_OVERFLOW,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"value_overflow\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_duplicate_metric",
        DUPLICATE_METRIC,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"duplicate_metric\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_unit_mismatch",
        UNIT_MISMATCH,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"unit_mismatch\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_implausibly_fast",
        IMPLAUSIBLY_FAST,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"implausibly_fast\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_invariant_broken",
        INVARIANT_BROKEN,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"invariant_broken\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_arms_are_one_file",
        ARMS_ARE_ONE_FILE,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"arms_are_one_file\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_work_unstable",
        WORK_UNSTABLE,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"work_unstable\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_work_shrunk",
        WORK_SHRUNK,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"work_shrunk\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_look_hidden",
        LOOK_HIDDEN,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"look_hidden\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_deadline",
        DEADLINE,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"deadline\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_forced_above_host",
        FORCED_ABOVE_HOST,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"forced_above_host\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_baseline_projected",
        BASELINE_PROJECTED,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"baseline_projected\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_host_incomparable",
        HOST_INCOMPARABLE,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"host_incomparable\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_samples_below_minimum",
        SAMPLES_BELOW_MINIMUM,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"samples_below_minimum\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_noisy_run",
        NOISY_RUN,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"noisy_run\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_affinity_unavailable",
        AFFINITY_UNAVAILABLE,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"affinity_unavailable\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_work_changed",
        WORK_CHANGED,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"work_changed\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_invariant_suspected",
        INVARIANT_SUSPECTED,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"invariant_suspected\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_unconfirmed",
        UNCONFIRMED,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"unconfirmed\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad(
        "recorded_value_not_positive",
        VALUE_NOT_POSITIVE,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    seven!(102, 99, 101, 100, 103, 100, 98),
                    "{\"code\":\"value_not_positive\",\"metric\":null,\"detail\":\"as recorded\"}"
                ),
            ),
        ],
    ),
    Tooth::known_bad("nothing_was_measured", MEASUREMENT_MISSING, RULES, &[GATING, (FILE, BASE)]),
    Tooth::known_bad(
        "no_series",
        EMPTY_MEASUREMENT,
        RULES,
        &[GATING, (FILE, BASE), (MEASUREMENT, measurement!("", ""))],
    ),
    Tooth::known_bad(
        "a_measurement_that_is_cut",
        UNKNOWN_SHAPE,
        RULES,
        &[GATING, (FILE, BASE), (MEASUREMENT, "{\"schema\":")],
    ),
    Tooth::known_bad(
        "a_measurement_of_another_run",
        MEASUREMENT_STALE,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (MEASUREMENT, measurement!("run-0", seven!(102, 99, 101, 100, 103, 100, 98), "")),
        ],
    ),
    Tooth::known_bad(
        "a_run_that_failed_fast",
        RUN_FAILED,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (MEASUREMENT, measurement!(seven!("{\"code\":1}": 2, 2, 2, 2, 2, 2, 2), "")),
        ],
    ),
    Tooth::known_bad(
        "no_baseline",
        BASELINE_MISSING,
        RULES,
        &[GATING, (MEASUREMENT, measurement!(seven!(102, 99, 101, 100, 103, 100, 98), ""))],
    ),
    Tooth::known_bad(
        "a_baseline_edited_by_hand",
        BASELINE_UNREADABLE,
        RULES,
        &[
            GATING,
            (FILE, EDITED),
            (MEASUREMENT, measurement!(seven!(102, 99, 101, 100, 103, 100, 98), "")),
        ],
    ),
    Tooth::known_bad(
        "a_baseline_of_zero",
        BASELINE_NOT_POSITIVE,
        RULES,
        &[
            GATING,
            (FILE, ZERO),
            (MEASUREMENT, measurement!(seven!(102, 99, 101, 100, 103, 100, 98), "")),
        ],
    ),
    Tooth::known_bad(
        "a_baseline_of_null",
        VALUE_NOT_FINITE,
        RULES,
        &[
            GATING,
            (FILE, NULL),
            (MEASUREMENT, measurement!(seven!(102, 99, 101, 100, 103, 100, 98), "")),
        ],
    ),
    Tooth::known_bad(
        "a_metric_is_gone",
        METRIC_MISSING,
        RULES,
        &[
            GATING_TWO,
            (FILE, TWO),
            (MEASUREMENT, measurement!(seven!(102, 99, 101, 100, 103, 100, 98), "")),
        ],
    ),
    Tooth::known_bad(
        "a_metric_is_new",
        METRIC_UNBASELINED,
        RULES,
        &[
            GATING,
            (FILE, BASE),
            (
                MEASUREMENT,
                measurement!(
                    concat!(
                        seven!(102, 99, 101, 100, 103, 100, 98),
                        ",",
                        series!(
                            "hot",
                            concat!(run!("{\"code\":0}", 5), ",", run!("{\"code\":0}", 6))
                        )
                    ),
                    ""
                ),
            ),
        ],
    ),
];
