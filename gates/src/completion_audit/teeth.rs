//! Known-good and known-bad audits, over the one commit of an otherwise empty repository. The documents are those that
//! `cargo portcullis audit` writes.

use super::{
    AUDIT_INVALID, AUDIT_MISSING, CONTRADICTORY_EVIDENCE, FAILED_COMMAND, MISSING_ARTIFACT,
    MISSING_EVIDENCE, MISSING_PUSH, PROXY_ONLY_EVIDENCE, REQUIREMENTS_INVALID, SOURCE_MISSING,
    UNRESOLVED_GAP,
};
use portcullis::Tooth;

const CONFIG: &str = "audit = 'audit/completion_audit.json'\nrequirements = 'requirements.toml'";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "shown_by_command_artifact_and_ledger",
        CONFIG,
        &[
            ("audit/completion_audit.json", SHOWN_AUDIT),
            ("audit/transcripts/1.json", PASSED_RUN),
            ("issues.jsonl", SHOWN_LEDGER),
            ("out.json", SHOWN_OUT),
            ("requirements.toml", SHOWN_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "not_pushed",
        MISSING_PUSH,
        CONFIG,
        &[
            ("audit/completion_audit.json", NOT_PUSHED_AUDIT),
            ("audit/transcripts/1.json", PASSED_RUN),
            ("requirements.toml", COMMAND_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "the_suite_fails",
        FAILED_COMMAND,
        CONFIG,
        &[
            ("audit/completion_audit.json", THE_SUITE_FAILS_AUDIT),
            ("audit/transcripts/1.json", FAILED_RUN),
            ("requirements.toml", COMMAND_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "only_said",
        PROXY_ONLY_EVIDENCE,
        CONFIG,
        &[("audit/completion_audit.json", ONLY_SAID_AUDIT), ("requirements.toml", ONLY_SAID_LIST)],
    )
    .over(&[]),
    Tooth::known_bad(
        "never_written",
        MISSING_ARTIFACT,
        CONFIG,
        &[
            ("audit/completion_audit.json", NEVER_WRITTEN_AUDIT),
            ("audit/transcripts/1.json", PASSED_RUN),
            ("requirements.toml", NEVER_WRITTEN_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "never_run",
        MISSING_EVIDENCE,
        CONFIG,
        &[("audit/completion_audit.json", NEVER_RUN_AUDIT), ("requirements.toml", COMMAND_LIST)],
    )
    .over(&[]),
    Tooth::known_bad(
        "another_schema",
        CONTRADICTORY_EVIDENCE,
        CONFIG,
        &[
            ("audit/completion_audit.json", ANOTHER_SCHEMA_AUDIT),
            ("out.json", ANOTHER_SCHEMA_OUT),
            ("requirements.toml", ANOTHER_SCHEMA_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "still_open",
        UNRESOLVED_GAP,
        CONFIG,
        &[
            ("audit/completion_audit.json", STILL_OPEN_AUDIT),
            ("issues.jsonl", STILL_OPEN_LEDGER),
            ("requirements.toml", LEDGER_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "no_ledger",
        SOURCE_MISSING,
        CONFIG,
        &[("audit/completion_audit.json", NO_LEDGER_AUDIT), ("requirements.toml", LEDGER_LIST)],
    )
    .over(&[]),
    Tooth::known_bad(
        "no_audit",
        AUDIT_MISSING,
        CONFIG,
        &[("audit/transcripts/1.json", PASSED_RUN), ("requirements.toml", COMMAND_LIST)],
    )
    .over(&[]),
    Tooth::known_bad(
        "audit_of_another_schema",
        AUDIT_INVALID,
        CONFIG,
        &[
            ("audit/completion_audit.json", AUDIT_OF_ANOTHER_SCHEMA_AUDIT),
            ("audit/transcripts/1.json", PASSED_RUN),
            ("requirements.toml", COMMAND_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "list_without_title",
        REQUIREMENTS_INVALID,
        CONFIG,
        &[
            ("audit/completion_audit.json", LIST_WITHOUT_TITLE_AUDIT),
            ("audit/transcripts/1.json", PASSED_RUN),
            ("requirements.toml", LIST_WITHOUT_TITLE_LIST),
        ],
    )
    .over(&[]),
];

/// An audit of the requirement `suite`: whether it is pushed, what was seen of its evidence, the digest of its list, its transcripts.
macro_rules! audit {
    ($pushed:literal, $seen:expr, $list:literal, $transcripts:expr) => {
        audit!($pushed, $seen, $list, $transcripts, "v1")
    };
    ($pushed:literal, $seen:expr, $list:literal, $transcripts:expr, $version:literal) => {
        concat!(
            r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":"#,
            $pushed,
            r#"},"requirements":[{"evidence":["#,
            $seen,
            r#"],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":""#,
            $list,
            r#""},"run_id":"audit-1","schema":"portcullis.completion_audit."#,
            $version,
            r#"","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":["#,
            $transcripts,
            "]}\n"
        )
    };
}

/// The evidence `make test`, with the transcripts that were seen of it.
macro_rules! command {
    ($seen:expr) => {
        concat!(
            r#"{"seen":{"kind":"transcripts","transcripts":["#,
            $seen,
            r#"]},"wanted":{"argv":["make","test"],"kind":"command"}}"#
        )
    };
}

/// One transcript as an audit sees it.
macro_rules! ran {
    ($exit:literal) => {
        concat!(
            r#"{"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","exit":{"code":"#,
            $exit,
            r#"},"path":"transcripts/1.json"}"#
        )
    };
}

/// The evidence `out.json`, as it was seen.
macro_rules! artifact {
    ($seen:expr) => {
        concat!(
            r#"{"seen":{"artifact":"#,
            $seen,
            r#","kind":"artifact"},"wanted":{"kind":"artifact","path":"out.json","schema":"out.v1"}}"#
        )
    };
}

/// The artifact itself: its schema and its digest.
macro_rules! out {
    ($schema:literal, $digest:literal) => {
        concat!(
            r#"{"against":[],"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","schema":""#,
            $schema,
            r#"","sha256":""#,
            $digest,
            r#""}"#
        )
    };
}

/// The evidence of the ledger: whether it exists, and the statuses of the entry.
macro_rules! ledger {
    ($exists:literal, $statuses:literal) => {
        concat!(
            r#"{"seen":{"exists":"#,
            $exists,
            r#","kind":"ledger","statuses":"#,
            $statuses,
            r#"},"wanted":{"id":"7","kind":"ledger","path":"issues.jsonl","terminal":["closed"]}}"#
        )
    };
}

/// The transcript of `make test` with this exit code and seal.
macro_rules! transcript {
    ($exit:literal, $seal:literal) => {
        concat!(
            r#"{
  "after": {
    "base": null,
    "commit": "3ccf0c0274e6452f42b261e5680f2fe3e16821ac",
    "dirty": false,
    "tree": "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
  },
  "argv": [
    "make",
    "test"
  ],
  "before": {
    "base": null,
    "commit": "3ccf0c0274e6452f42b261e5680f2fe3e16821ac",
    "dirty": false,
    "tree": "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
  },
  "cwd": ".",
  "duration_ms": 4000,
  "ended_at": "2026-05-30T09:00:04.000Z",
  "exit": {
    "code": "#,
            $exit,
            r#"
  },
  "id": "1",
  "schema": "portcullis.transcript.v1",
  "seal": ""#,
            $seal,
            r#"",
  "started_at": "2026-05-30T09:00:00.000Z",
  "stderr": {
    "bytes": 0,
    "cut_bytes": 0,
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "text": ""
  },
  "stdout": {
    "bytes": 3,
    "cut_bytes": 0,
    "sha256": "dc51b8c96c2d745df3bd5590d990230a482fd247123599548e0632fdbf97fc22",
    "text": "ok\n"
  },
  "tool": {
    "name": "portcullis",
    "version": "0.1.0"
  }
}
"#
        )
    };
}

/// A list of the requirement `suite` with this evidence.
macro_rules! list {
    ($($evidence:literal),*) => {
        concat!(
            r#"version = 1

[[requirement]]
id = "suite"
title = "the suite passes"
status = "done"
evidence = [
"#,
            $("    ", $evidence, ",\n",)*
            "]\n"
        )
    };
}

/// The transcript of an audit, with its digest.
macro_rules! seen {
    ($digest:literal) => {
        concat!(r#"{"path":"transcripts/1.json","sha256":""#, $digest, r#""}"#)
    };
}

const SHOWN_AUDIT: &str = audit!(
    r#"true,"upstream":"origin/main""#,
    concat!(
        command!(ran!(0)),
        ",",
        artifact!(out!(
            "out.v1",
            "cf7af50cac4d208544c3682dcabc7bbb4ad4286ab6e97959eccb279a21afc051"
        )),
        ",",
        ledger!(true, r#"["closed"]"#)
    ),
    "6a0f17d08925809b24d52777cb33d2e8ea481ddbb2652471d793e11416f5dfb5",
    seen!("61ccf45ce7c1d801c9b0e3e488e9ae395c34a98cbac0df045ae740422b3257e2")
);
const NOT_PUSHED_AUDIT: &str = audit!(
    r#"false,"upstream":null"#,
    command!(ran!(0)),
    "81ed63fa2b5f57205bbd5d1a48d6e0af174210acb840b64fbfebaca0d0bb6b4a",
    seen!("61ccf45ce7c1d801c9b0e3e488e9ae395c34a98cbac0df045ae740422b3257e2")
);
const THE_SUITE_FAILS_AUDIT: &str = audit!(
    r#"true,"upstream":"origin/main""#,
    command!(ran!(2)),
    "81ed63fa2b5f57205bbd5d1a48d6e0af174210acb840b64fbfebaca0d0bb6b4a",
    seen!("3ab331ec8f18295707e919656d0941b81bafcf357ec7ce832970cfe07d76b2ca")
);
const ONLY_SAID_AUDIT: &str = audit!(
    r#"true,"upstream":"origin/main""#,
    r#"{"seen":{"exists":true,"kind":"bare"},"wanted":{"kind":"prose","text":"it is green"}}"#,
    "0f92e019fcb196b66f46984fc09ea459dddcc9a78883cddb79406eac204a6840",
    ""
);
const NEVER_WRITTEN_AUDIT: &str = audit!(
    r#"true,"upstream":"origin/main""#,
    concat!(command!(ran!(0)), ",", artifact!("null")),
    "5f8e1a1239cb8460e5c1451a99bf96654be33ec3631bafb078f8de10aec91a76",
    seen!("61ccf45ce7c1d801c9b0e3e488e9ae395c34a98cbac0df045ae740422b3257e2")
);
const NEVER_RUN_AUDIT: &str = audit!(
    r#"true,"upstream":"origin/main""#,
    command!(""),
    "81ed63fa2b5f57205bbd5d1a48d6e0af174210acb840b64fbfebaca0d0bb6b4a",
    ""
);
const ANOTHER_SCHEMA_AUDIT: &str = audit!(
    r#"true,"upstream":"origin/main""#,
    artifact!(out!("out.v10", "75d3cb3310fc7dae122619617963335fd6d961145b7cfd20c8e6075fede09799")),
    "78bc975eb2bfb2491913d186ea2f12c2a86e600ae9ca7a70ebec247a6f9cbd79",
    ""
);
const STILL_OPEN_AUDIT: &str = audit!(
    r#"true,"upstream":"origin/main""#,
    ledger!(true, r#"["open"]"#),
    "391e02a2dfd653810611ec01d19f386b6e37927850ebb938668a988edb20a6cb",
    ""
);
const NO_LEDGER_AUDIT: &str = audit!(
    r#"true,"upstream":"origin/main""#,
    ledger!(false, "[]"),
    "391e02a2dfd653810611ec01d19f386b6e37927850ebb938668a988edb20a6cb",
    ""
);
const AUDIT_OF_ANOTHER_SCHEMA_AUDIT: &str = audit!(
    r#"true,"upstream":"origin/main""#,
    command!(ran!(0)),
    "81ed63fa2b5f57205bbd5d1a48d6e0af174210acb840b64fbfebaca0d0bb6b4a",
    seen!("61ccf45ce7c1d801c9b0e3e488e9ae395c34a98cbac0df045ae740422b3257e2"),
    "v2"
);
const LIST_WITHOUT_TITLE_AUDIT: &str = audit!(
    r#"true,"upstream":"origin/main""#,
    command!(ran!(0)),
    "81ed63fa2b5f57205bbd5d1a48d6e0af174210acb840b64fbfebaca0d0bb6b4a",
    seen!("61ccf45ce7c1d801c9b0e3e488e9ae395c34a98cbac0df045ae740422b3257e2")
);

const PASSED_RUN: &str =
    transcript!(0, "1cf2e7192fecd27e5bcfb1787a62f9ded6843324792df7938dc32b8b66f70e38");
const FAILED_RUN: &str =
    transcript!(2, "1259841eade929237936fe6ee05f99716b0bfa80afa5acc9431ad70cac19c4a2");

const SHOWN_LIST: &str = list!(
    r#"{ kind = "command", argv = ["make", "test"] }"#,
    r#"{ kind = "artifact", path = "out.json", schema = "out.v1" }"#,
    r#"{ kind = "ledger", path = "issues.jsonl", id = "7", terminal = ["closed"] }"#
);
const COMMAND_LIST: &str = list!(r#"{ kind = "command", argv = ["make", "test"] }"#);
const ONLY_SAID_LIST: &str = list!(r#"{ kind = "prose", text = "it is green" }"#);
const NEVER_WRITTEN_LIST: &str = list!(
    r#"{ kind = "command", argv = ["make", "test"] }"#,
    r#"{ kind = "artifact", path = "out.json", schema = "out.v1" }"#
);
const ANOTHER_SCHEMA_LIST: &str =
    list!(r#"{ kind = "artifact", path = "out.json", schema = "out.v1" }"#);
const LEDGER_LIST: &str =
    list!(r#"{ kind = "ledger", path = "issues.jsonl", id = "7", terminal = ["closed"] }"#);
const LIST_WITHOUT_TITLE_LIST: &str = r#"version = 1
[[requirement]]
id = "suite"
status = "done"
"#;

const SHOWN_LEDGER: &str = r#"{"id":"7","status":"closed"}
"#;
const SHOWN_OUT: &str = r#"{
  "schema": "out.v1",
  "source": {
    "commit": "3ccf0c0274e6452f42b261e5680f2fe3e16821ac"
  }
}
"#;
const ANOTHER_SCHEMA_OUT: &str = r#"{
  "schema": "out.v10",
  "source": {
    "commit": "3ccf0c0274e6452f42b261e5680f2fe3e16821ac"
  }
}
"#;
const STILL_OPEN_LEDGER: &str = r#"{"id":"7","status":"open"}
"#;
