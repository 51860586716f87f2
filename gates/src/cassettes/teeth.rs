//! Small recordings that the kind must accept or refuse. Secrets in them are invented and of no service.

use super::{
    CASSETTE_DANGLING, CASSETTE_EMPTY, CASSETTE_INVALID, CASSETTE_MODEL_MISMATCH,
    CASSETTE_ORPHANED, CASSETTE_STALE, CASSETTE_UNDATED, CASSETTE_URL_REFUSED,
    CREDENTIAL_NOT_PLACEHOLDER, PLAYBACK_NOT_ENFORCED, SECRET_IN_CASSETTE,
};
use portcullis::{
    Lane, Tooth,
    wire::code::{DUPLICATE_KEY, NOTHING_EXAMINED},
};

/// The configuration of all of them but one; `main` does not play back here, because a tooth sets no variables.
macro_rules! config {
    ($playback:literal) => {
        concat!(
            "files = ['cassettes/*']\nhosts = ['api.example.com']\n",
            "urls = ['https://api\\.example\\.com/v1/[a-z/]+(\\?.*)?']\n",
            "models = { allowed = ['small-1', 'large-2'], response = ['/model', '/message/model'], ",
            "aliases = { 'large-2' = ['large-2-2026'] } }\n",
            "placeholders = ['REDACTED']\nfreshness = { max_age = '90d' }\n",
            "references = { files = ['tests/*.rs'], pattern = 'cassettes/([a-z_.]+)', names = 'file_name' }\n",
            "playback_lanes = [",
            $playback,
            "]"
        )
    };
}

pub(super) const CONFIG: &str = config!("'release'");
const PLAYBACK: &str = config!("'main'");

pub(super) const TEST: (&str, &str) =
    ("tests/chat.rs", "fn chat() { play(\"cassettes/chat.json\"); }\n");

/// A whole cassette with the parts that differ.
macro_rules! cassette {
    (at $at:literal, url $url:literal, header $header:literal, asked $asked:literal, answer $answer:literal) => {
        concat!(
            "{\"schema\": \"portcullis.cassette.v1\", \"recorded_at\": \"",
            $at,
            "\", \"scenario\": \"chat\",\n \"interactions\": [{\"request\": {\"method\": \"POST\", \"url\": \"",
            $url,
            "\",\n \"headers\": {\"authorization\": \"",
            $header,
            "\", \"accept\": [\"text/event-stream\"]}, \"body\": {\"model\": \"",
            $asked,
            "\"}},\n \"response\": {\"status\": 200, \"headers\": {}, \"body\": ",
            $answer,
            "}}]}\n"
        )
    };
}

pub(super) const GOOD: &str = cassette!(
    at "2026-05-01T10:00:00Z", url "https://api.example.com/v1/chat?a=1&b=2", header "Bearer REDACTED",
    asked "large-2", answer "\"event: start\\ndata: {\\\"message\\\": {\\\"model\\\": \\\"large-2-2026\\\"}}\\n\\ndata: [DONE]\\n\""
);
const STALE: &str = cassette!(
    at "2026-01-01T10:00:00Z", url "https://api.example.com/v1/chat", header "REDACTED", asked "small-1",
    answer "{\"model\": \"small-1\"}"
);
const UNDATED: &str = cassette!(
    at "last week", url "https://api.example.com/v1/chat", header "REDACTED", asked "small-1",
    answer "{\"model\": \"small-1\"}"
);
const OTHER_HOST: &str = cassette!(
    at "2026-05-01T10:00:00Z", url "https://api.example.com.evil.example/v1/chat", header "REDACTED",
    asked "small-1", answer "{\"model\": \"small-1\"}"
);
const UNSORTED: &str = cassette!(
    at "2026-05-01T10:00:00Z", url "https://api.example.com/v1/chat?b=2&a=1", header "REDACTED", asked "small-1",
    answer "{\"model\": \"small-1\"}"
);
const OTHER_MODEL: &str = cassette!(
    at "2026-05-01T10:00:00Z", url "https://api.example.com/v1/chat", header "REDACTED", asked "small-1",
    answer "{\"model\": \"large-2\"}"
);
const REAL_CREDENTIAL: &str = cassette!(
    at "2026-05-01T10:00:00Z", url "https://api.example.com/v1/chat", header "Basic abcdefgh", asked "small-1",
    answer "{\"model\": \"small-1\"}"
);
const SECRET: &str = cassette!(
    at "2026-05-01T10:00:00Z", url "https://api.example.com/v1/chat", header "REDACTED", asked "small-1",
    answer "{\"model\": \"small-1\", \"echo\": \"ghp_0123456789abcdefghijABCDEFGHIJ012345\"}"
);
const EMPTY: &str = "{\"schema\": \"portcullis.cassette.v1\", \"recorded_at\": \"2026-05-01T10:00:00Z\", \"interactions\": []}\n";
const TWICE: &str = "{\"schema\": \"portcullis.cassette.v1\", \"schema\": \"portcullis.cassette.v1\", \"interactions\": []}\n";
const ARCHIVE: &str = "{\"log\": {\"version\": \"1.2\", \"entries\": [{\"startedDateTime\": \"2026-05-01T12:00:00.000+02:00\",\n\
    \"request\": {\"method\": \"POST\", \"url\": \"https://api.example.com/v1/chat\", \"headers\": [{\"name\": \"Authorization\", \
    \"value\": \"Bearer REDACTED\"}], \"queryString\": [], \"cookies\": [], \"postData\": {\"mimeType\": \"application/json\", \
    \"text\": \"{\\\"model\\\": \\\"small-1\\\"}\"}},\n\"response\": {\"status\": 200, \"headers\": [], \"cookies\": [], \"content\": \
    {\"text\": \"eyJtb2RlbCI6InNtYWxsLTEifQ==\", \"encoding\": \"base64\"}}}]}}\n";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "a_stream_recorded_last_month",
        CONFIG,
        &[("cassettes/chat.json", GOOD), TEST],
    ),
    Tooth::known_good(
        "an_http_archive",
        CONFIG,
        &[("cassettes/chat.har", ARCHIVE), ("tests/chat.rs", "play(\"cassettes/chat.har\");\n")],
    ),
    Tooth::known_bad(
        "a_token_in_a_body",
        SECRET_IN_CASSETTE,
        CONFIG,
        &[("cassettes/chat.json", SECRET), TEST],
    ),
    Tooth::known_bad(
        "a_host_that_begins_like_the_right_one",
        CASSETTE_URL_REFUSED,
        CONFIG,
        &[("cassettes/chat.json", OTHER_HOST), TEST],
    ),
    Tooth::known_bad(
        "a_query_in_another_order",
        CASSETTE_URL_REFUSED,
        CONFIG,
        &[("cassettes/chat.json", UNSORTED), TEST],
    ),
    Tooth::known_bad(
        "another_model_answered",
        CASSETTE_MODEL_MISMATCH,
        CONFIG,
        &[("cassettes/chat.json", OTHER_MODEL), TEST],
    ),
    Tooth::known_bad(
        "a_credential_that_is_no_placeholder",
        CREDENTIAL_NOT_PLACEHOLDER,
        CONFIG,
        &[("cassettes/chat.json", REAL_CREDENTIAL), TEST],
    ),
    Tooth::known_bad(
        "a_recording_of_january",
        CASSETTE_STALE,
        CONFIG,
        &[("cassettes/chat.json", STALE), TEST],
    ),
    Tooth::known_bad(
        "a_recording_without_a_time",
        CASSETTE_UNDATED,
        CONFIG,
        &[("cassettes/chat.json", UNDATED), TEST],
    ),
    Tooth::known_bad(
        "a_cassette_that_no_test_names",
        CASSETTE_ORPHANED,
        CONFIG,
        &[("cassettes/chat.json", GOOD), ("cassettes/old.json", GOOD), TEST],
    ),
    Tooth::known_bad(
        "a_test_that_names_a_lost_cassette",
        CASSETTE_DANGLING,
        CONFIG,
        &[
            ("cassettes/chat.json", GOOD),
            ("tests/chat.rs", "play(\"cassettes/chat.json\"); play(\"cassettes/lost.json\");\n"),
        ],
    ),
    Tooth::known_bad(
        "a_cassette_without_interactions",
        CASSETTE_EMPTY,
        CONFIG,
        &[("cassettes/chat.json", EMPTY), TEST],
    ),
    Tooth::known_bad(
        "a_lane_that_would_talk_to_the_service",
        PLAYBACK_NOT_ENFORCED,
        PLAYBACK,
        &[("cassettes/chat.json", GOOD), TEST],
    ),
    Tooth::known_bad(
        "a_document_of_another_kind",
        CASSETTE_INVALID,
        CONFIG,
        &[("cassettes/chat.json", "{}\n"), TEST],
    ),
    Tooth::known_bad(
        "fg43_a_key_that_stands_twice",
        DUPLICATE_KEY,
        CONFIG,
        &[("cassettes/chat.json", TWICE), TEST],
    ),
    Tooth::known_bad("fg13_no_cassette_at_all", NOTHING_EXAMINED, CONFIG, &[TEST])
        .lane(Lane::Local),
];
