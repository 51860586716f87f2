//! The fixtures of `artifact_contract`: each code bites, and a good artifact passes. They hold no logic.

use super::{
    ARTIFACT_MISSING, ARTIFACT_STALE, FIELD_MISSING, IMPLICATION_BROKEN, LINEAGE_MISMATCH,
    RULE_BROKEN, SCHEMA_MISMATCH,
};
#[cfg(feature = "cel")]
use super::{EXPR_FAILED, EXPR_FALSE, EXPR_NOT_BOOL};
use portcullis::{
    Tooth,
    wire::code::{
        DUPLICATE_KEY, FRESHNESS_UNSTATED, NOTHING_EXAMINED, RECORD_TORN, VALUE_NOT_FINITE,
    },
};

const PLAIN: &str = "path = 'a.json'
schema = 'x.v1'
required = ['/n']
freshness = { max_age = '7d' }
rules = [
    { path = '/n', min = 1 },
    { path = '', implies = { when = { path = '/status', equals = 'ready' }, then = { path = '/blocking', empty = true } } },
]";
const OF_RUN: &str = "path = 'a.json'\nfreshness = { same_run = true }";
const OF_COMMIT: &str = "path = 'a.json'\nfreshness = { same_commit = true }";
const STREAM: &str =
    "path = 'a.jsonl'\nfreshness = { same_run = true }\nrules = [{ path = '/ok', equals = true }]";
const EACH: &str = "path = 'a.json'\nfreshness = { max_age = '7d' }\nrules = [{ path = '/items/*/id', positive_int = true }]";

const GOOD: &str = "{\"schema\":\"x.v1\",\"generated_at\":\"2026-05-30T12:00:00Z\",\"n\":3,\"status\":\"ready\",\"blocking\":[]}";

macro_rules! tooth {
    (bad $name:ident, $code:expr, $config:expr, $path:literal, $text:expr) => {
        Tooth::known_bad(stringify!($name), $code, $config, &[($path, $text)])
    };
    (good $name:ident, $config:expr, $path:literal, $text:expr) => {
        Tooth::known_good(stringify!($name), $config, &[($path, $text)])
    };
}

#[cfg(feature = "cel")]
const CEL: &str = "path = 'a.json'\nfreshness = { max_age = '7d' }\ncel = ['doc.status != \"ready\" || doc.n > 2']";
#[cfg(feature = "cel")]
const CEL_INT: &str = "path = 'a.json'\nfreshness = { max_age = '7d' }\ncel = ['doc.n']";

pub(super) static TEETH: &[Tooth] = &[
    tooth!(good a_fresh_artifact_that_is_true_to_its_rules, PLAIN, "a.json", GOOD),
    tooth!(good a_stream_of_this_run, STREAM, "a.jsonl",
        "{\"run_id\":\"bench\",\"seq\":0,\"ok\":true}\n{\"run_id\":\"bench\",\"seq\":1,\"ok\":true}\n"),
    tooth!(bad fg37_only_a_sibling_exists, ARTIFACT_MISSING, PLAIN, "b.json", GOOD),
    tooth!(bad fg38_older_than_a_week, ARTIFACT_STALE, PLAIN, "a.json",
        "{\"schema\":\"x.v1\",\"generated_at\":\"2026-05-24T11:59:59Z\",\"n\":3,\"status\":\"x\",\"blocking\":[]}"),
    tooth!(bad fg38_made_from_another_commit, ARTIFACT_STALE, OF_COMMIT, "a.json",
        "{\"git_sha\":\"0123456789012345678901234567890123456789\"}")
    .in_git(),
    tooth!(bad fg39_no_freshness_is_stated, FRESHNESS_UNSTATED, "path = 'a.json'", "a.json", GOOD),
    tooth!(bad fg40_of_another_run, LINEAGE_MISMATCH, OF_RUN, "a.json", "{\"run_id\":\"yesterday\"}"),
    tooth!(bad fg41_a_prefix_is_not_the_schema, SCHEMA_MISMATCH, PLAIN, "a.json",
        "{\"schema\":\"x.v10\",\"generated_at\":\"2026-05-30T12:00:00Z\",\"n\":3,\"status\":\"x\",\"blocking\":[]}"),
    tooth!(bad fg42_ready_beside_a_blocking_reason, IMPLICATION_BROKEN, PLAIN, "a.json",
        "{\"schema\":\"x.v1\",\"generated_at\":\"2026-05-30T12:00:00Z\",\"n\":3,\"status\":\"ready\",\"blocking\":[\"x\"]}"),
    tooth!(bad fg43_one_key_twice, DUPLICATE_KEY, PLAIN, "a.json", "{\"status\":\"fail\",\"status\":\"pass\"}"),
    tooth!(bad fg44_a_measurement_of_null, VALUE_NOT_FINITE, PLAIN, "a.json",
        "{\"schema\":\"x.v1\",\"generated_at\":\"2026-05-30T12:00:00Z\",\"n\":null,\"status\":\"x\",\"blocking\":[]}"),
    tooth!(bad fg46_a_rule_over_an_empty_list, NOTHING_EXAMINED, EACH, "a.json",
        "{\"generated_at\":\"2026-05-30T12:00:00Z\",\"items\":[]}"),
    tooth!(bad fg47_a_gap_in_the_sequence, RECORD_TORN, STREAM, "a.jsonl",
        "{\"run_id\":\"bench\",\"seq\":0,\"ok\":true}\n{\"run_id\":\"bench\",\"seq\":2,\"ok\":true}\n"),
    tooth!(bad a_required_field_is_not_there, FIELD_MISSING, PLAIN, "a.json",
        "{\"schema\":\"x.v1\",\"generated_at\":\"2026-05-30T12:00:00Z\",\"m\":3,\"status\":\"x\",\"blocking\":[]}"),
    tooth!(bad a_number_below_its_floor, RULE_BROKEN, PLAIN, "a.json",
        "{\"schema\":\"x.v1\",\"generated_at\":\"2026-05-30T12:00:00Z\",\"n\":0,\"status\":\"x\",\"blocking\":[]}"),
    #[cfg(feature = "cel")]
    tooth!(good an_expression_that_holds, CEL, "a.json", GOOD),
    #[cfg(feature = "cel")]
    tooth!(bad an_expression_that_does_not_hold, EXPR_FALSE, CEL, "a.json",
        "{\"generated_at\":\"2026-05-30T12:00:00Z\",\"n\":1,\"status\":\"ready\"}"),
    #[cfg(feature = "cel")]
    tooth!(bad fg45_a_field_that_is_not_there_beside_true, EXPR_FAILED, CEL, "a.json",
        "{\"generated_at\":\"2026-05-30T12:00:00Z\",\"status\":\"blocked\"}"),
    #[cfg(feature = "cel")]
    tooth!(bad fg46_an_expression_that_yields_one, EXPR_NOT_BOOL, CEL_INT, "a.json",
        "{\"generated_at\":\"2026-05-30T12:00:00Z\",\"n\":1}"),
];
