//! The known-good and known-bad trees: each is an uncommitted change of one commit.

use super::{
    ADMISSION_EXPIRED, ADMISSION_UNUSED, BASE_IS_HEAD, BASE_UNRESOLVABLE, FROZEN_CHANGED,
    KEYS_LOST, SELECTOR_MATCHES_NOTHING, SIDECAR_MISSING, VALUES_CHANGED_HEADER_SAME,
};
use portcullis::{Lane, Tooth};

type Files = &'static [(&'static str, &'static str)];

const RULES: &str = "frozen = [{ paths = ['src/kernel.rs'] }]
sidecar = [{ when = 'golden/*.txt', require = 'notes/*.md', same_stem = true }]
stamp = [{ path = 'baselines/*.json', body = ['/measurements'], header = ['/at', '/reason'] }]";

const ADMITTED: &str = "frozen = [{ paths = ['src/kernel.rs'], allow = [{ path = 'src/kernel.rs', reason = 'the ceiling became inclusive in decision 12', expires = 2026-06-30 }] }]";

const BASE: Files = &[
    ("src/kernel.rs", "pub fn over(a: u64) -> bool { a >= 100 }\n"),
    ("src/other.rs", "// free\n"),
    ("golden/plan.txt", "one\n"),
    ("notes/plan.md", "first recording\n"),
    (
        "baselines/p.json",
        "{\"at\":\"2026-05-18\",\"reason\":\"first\",\"measurements\":{\"a\":1,\"b\":2}}\n",
    ),
];

const KERNEL: (&str, &str) = BASE[0];
const NOTE: (&str, &str) = BASE[3];
const GOLDEN: (&str, &str) = BASE[2];
const BASELINE: (&str, &str) = BASE[4];

const fn pr(tooth: Tooth) -> Tooth {
    tooth.lane(Lane::Pr).over(BASE)
}

pub(super) static TEETH: &[Tooth] = &[
    pr(Tooth::known_good("nothing_changed", RULES, BASE)),
    pr(Tooth::known_good(
        "a_refresh_with_header_and_companion",
        RULES,
        &[
            KERNEL,
            ("src/other.rs", "// edited\n"),
            ("golden/plan.txt", "two\n"),
            ("notes/plan.md", "recorded again\n"),
            (
                "baselines/p.json",
                "{\"at\":\"2026-05-20\",\"reason\":\"new host\",\"measurements\":{\"a\":3,\"b\":2}}\n",
            ),
        ],
    )),
    pr(Tooth::known_good(
        "an_admitted_change",
        ADMITTED,
        &[("src/kernel.rs", "pub fn over(a: u64) -> bool { a > 100 }\n")],
    )),
    pr(Tooth::known_bad(
        "a_flipped_operator",
        FROZEN_CHANGED,
        RULES,
        &[("src/kernel.rs", "pub fn over(a: u64) -> bool { a > 100 }\n"), GOLDEN, NOTE, BASELINE],
    )),
    pr(Tooth::known_bad(
        "a_golden_file_without_its_note",
        SIDECAR_MISSING,
        RULES,
        &[KERNEL, ("golden/plan.txt", "two\n"), NOTE, BASELINE],
    )),
    pr(Tooth::known_bad(
        "values_scaled_under_the_old_header",
        VALUES_CHANGED_HEADER_SAME,
        RULES,
        &[
            KERNEL,
            GOLDEN,
            NOTE,
            (
                "baselines/p.json",
                "{\"at\":\"2026-05-18\",\"reason\":\"first\",\"measurements\":{\"a\":1000,\"b\":2000}}\n",
            ),
        ],
    )),
    pr(Tooth::known_bad(
        "a_measurement_removed_under_a_new_header",
        KEYS_LOST,
        RULES,
        &[
            KERNEL,
            GOLDEN,
            NOTE,
            (
                "baselines/p.json",
                "{\"at\":\"2026-05-20\",\"reason\":\"new host\",\"measurements\":{\"a\":1}}\n",
            ),
        ],
    )),
    pr(Tooth::known_bad("an_admission_that_nothing_needs", ADMISSION_UNUSED, ADMITTED, BASE)),
    pr(Tooth::known_bad(
        "an_admission_past_its_day",
        ADMISSION_EXPIRED,
        ADMITTED,
        &[("src/kernel.rs", "pub fn over(a: u64) -> bool { a > 100 }\n")],
    ))
    .at("2026-07-31T12:00:00Z"),
    pr(Tooth::known_bad(
        "a_frozen_file_that_never_was",
        SELECTOR_MATCHES_NOTHING,
        "frozen = [{ paths = ['src/kernal.rs'] }]",
        BASE,
    )),
    pr(Tooth::known_bad(
        "a_base_that_this_clone_has_not",
        BASE_UNRESOLVABLE,
        "base = 'origin/release'\nfrozen = [{ paths = ['src/kernel.rs'] }]",
        BASE,
    )),
    pr(Tooth::known_bad(
        "a_base_that_is_the_change_itself",
        BASE_IS_HEAD,
        "base = 'HEAD'\nfrozen = [{ paths = ['src/kernel.rs'] }]",
        BASE,
    )),
];
