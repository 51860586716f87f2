//! The fixtures of `lineage`: each code bites, and artifacts of one origin pass. They hold no logic.

use super::{SOURCE_DIGEST_DIFFERS, TIME_INVALID, TIME_ORDER_BROKEN};
use crate::artifact_contract::{ARTIFACT_MISSING, LINEAGE_MISMATCH};
use portcullis::Tooth;

pub(super) const TWO: &str = "artifact = [{ name = 'summary', path = 'a.json' }, { name = 'events', path = 'b.jsonl' }]
equal = [{ what = 'run', field = '/run_id' }]
order = [{ what = 'events before summary', times = [{ artifact = 'events', field = '/ts' }, { artifact = 'summary', field = '/generated_at' }] }]
source_digest = [{ artifact = 'summary', field = '/inputs/src', file = 'src.txt' }]";
/// The digest is that of `x` and a newline.
pub(super) const SUMMARY: &str = "{\"run_id\":\"r7\",\"generated_at\":\"2026-05-31T10:00:00Z\",\"inputs\":{\"src\":\"sha256:73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac\"}}";
pub(super) const EVENTS: &str = "{\"seq\":0,\"run_id\":\"r7\",\"ts\":\"2026-05-31T09:00:00Z\"}\n{\"seq\":1,\"run_id\":\"r7\",\"ts\":\"2026-05-31T10:00:00Z\"}\n";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "two_artifacts_of_one_origin",
        TWO,
        &[("a.json", SUMMARY), ("b.jsonl", EVENTS), ("src.txt", "x\n")],
    ),
    Tooth::known_bad(
        "fg40_a_record_of_another_run",
        LINEAGE_MISMATCH,
        TWO,
        &[
            ("a.json", SUMMARY),
            (
                "b.jsonl",
                "{\"run_id\":\"r7\",\"ts\":\"2026-05-31T09:00:00Z\"}\n{\"run_id\":\"r6\",\"ts\":\"2026-05-31T10:00:00Z\"}\n",
            ),
            ("src.txt", "x\n"),
        ],
    ),
    Tooth::known_bad(
        "the_summary_is_older_than_its_events",
        TIME_ORDER_BROKEN,
        TWO,
        &[
            ("a.json", SUMMARY),
            ("b.jsonl", "{\"run_id\":\"r7\",\"ts\":\"2026-05-31T10:00:01Z\"}\n"),
            ("src.txt", "x\n"),
        ],
    ),
    Tooth::known_bad(
        "a_time_without_zone",
        TIME_INVALID,
        TWO,
        &[
            ("a.json", SUMMARY),
            ("b.jsonl", "{\"run_id\":\"r7\",\"ts\":\"2026-05-31 09:00\"}\n"),
            ("src.txt", "x\n"),
        ],
    ),
    Tooth::known_bad(
        "the_source_has_changed_since",
        SOURCE_DIGEST_DIFFERS,
        TWO,
        &[("a.json", SUMMARY), ("b.jsonl", EVENTS), ("src.txt", "y\n")],
    ),
    Tooth::known_bad(
        "fg37_one_of_two_does_not_exist",
        ARTIFACT_MISSING,
        TWO,
        &[("a.json", SUMMARY), ("c.jsonl", EVENTS), ("src.txt", "x\n")],
    ),
];
