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
            ("audit/completion_audit.json", SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_AUDIT),
            ("audit/transcripts/1.json", SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_RUN),
            ("issues.jsonl", SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_LEDGER),
            ("out.json", SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_OUT),
            ("requirements.toml", SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "not_pushed",
        MISSING_PUSH,
        CONFIG,
        &[
            ("audit/completion_audit.json", NOT_PUSHED_AUDIT),
            ("audit/transcripts/1.json", SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_RUN),
            ("requirements.toml", NOT_PUSHED_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "the_suite_fails",
        FAILED_COMMAND,
        CONFIG,
        &[
            ("audit/completion_audit.json", THE_SUITE_FAILS_AUDIT),
            ("audit/transcripts/1.json", THE_SUITE_FAILS_RUN),
            ("requirements.toml", NOT_PUSHED_LIST),
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
            ("audit/transcripts/1.json", SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_RUN),
            ("requirements.toml", NEVER_WRITTEN_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "never_run",
        MISSING_EVIDENCE,
        CONFIG,
        &[("audit/completion_audit.json", NEVER_RUN_AUDIT), ("requirements.toml", NOT_PUSHED_LIST)],
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
            ("requirements.toml", STILL_OPEN_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "no_ledger",
        SOURCE_MISSING,
        CONFIG,
        &[("audit/completion_audit.json", NO_LEDGER_AUDIT), ("requirements.toml", STILL_OPEN_LIST)],
    )
    .over(&[]),
    Tooth::known_bad(
        "no_audit",
        AUDIT_MISSING,
        CONFIG,
        &[
            ("audit/transcripts/1.json", SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_RUN),
            ("requirements.toml", NOT_PUSHED_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "audit_of_another_schema",
        AUDIT_INVALID,
        CONFIG,
        &[
            ("audit/completion_audit.json", AUDIT_OF_ANOTHER_SCHEMA_AUDIT),
            ("audit/transcripts/1.json", SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_RUN),
            ("requirements.toml", NOT_PUSHED_LIST),
        ],
    )
    .over(&[]),
    Tooth::known_bad(
        "list_without_title",
        REQUIREMENTS_INVALID,
        CONFIG,
        &[
            ("audit/completion_audit.json", LIST_WITHOUT_TITLE_AUDIT),
            ("audit/transcripts/1.json", SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_RUN),
            ("requirements.toml", LIST_WITHOUT_TITLE_LIST),
        ],
    )
    .over(&[]),
];

const SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":true,"upstream":"origin/main"},"requirements":[{"evidence":[{"seen":{"kind":"transcripts","transcripts":[{"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","exit":{"code":0},"path":"transcripts/1.json"}]},"wanted":{"argv":["make","test"],"kind":"command"}},{"seen":{"artifact":{"against":[],"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","schema":"out.v1","sha256":"cf7af50cac4d208544c3682dcabc7bbb4ad4286ab6e97959eccb279a21afc051"},"kind":"artifact"},"wanted":{"kind":"artifact","path":"out.json","schema":"out.v1"}},{"seen":{"exists":true,"kind":"ledger","statuses":["closed"]},"wanted":{"id":"7","kind":"ledger","path":"issues.jsonl","terminal":["closed"]}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"6a0f17d08925809b24d52777cb33d2e8ea481ddbb2652471d793e11416f5dfb5"},"run_id":"audit-1","schema":"portcullis.completion_audit.v1","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[{"path":"transcripts/1.json","sha256":"61ccf45ce7c1d801c9b0e3e488e9ae395c34a98cbac0df045ae740422b3257e2"}]}
"#;

const SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_RUN: &str = r#"{
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
    "code": 0
  },
  "id": "1",
  "schema": "portcullis.transcript.v1",
  "seal": "1cf2e7192fecd27e5bcfb1787a62f9ded6843324792df7938dc32b8b66f70e38",
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
"#;

const SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_LEDGER: &str = r#"{"id":"7","status":"closed"}
"#;

const SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_OUT: &str = r#"{
  "schema": "out.v1",
  "source": {
    "commit": "3ccf0c0274e6452f42b261e5680f2fe3e16821ac"
  }
}
"#;

const SHOWN_BY_COMMAND_ARTIFACT_AND_LEDGER_LIST: &str = r#"version = 1

[[requirement]]
id = "suite"
title = "the suite passes"
status = "done"
evidence = [
    { kind = "command", argv = ["make", "test"] },
    { kind = "artifact", path = "out.json", schema = "out.v1" },
    { kind = "ledger", path = "issues.jsonl", id = "7", terminal = ["closed"] },
]
"#;

const NOT_PUSHED_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":false,"upstream":null},"requirements":[{"evidence":[{"seen":{"kind":"transcripts","transcripts":[{"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","exit":{"code":0},"path":"transcripts/1.json"}]},"wanted":{"argv":["make","test"],"kind":"command"}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"81ed63fa2b5f57205bbd5d1a48d6e0af174210acb840b64fbfebaca0d0bb6b4a"},"run_id":"audit-1","schema":"portcullis.completion_audit.v1","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[{"path":"transcripts/1.json","sha256":"61ccf45ce7c1d801c9b0e3e488e9ae395c34a98cbac0df045ae740422b3257e2"}]}
"#;

const NOT_PUSHED_LIST: &str = r#"version = 1

[[requirement]]
id = "suite"
title = "the suite passes"
status = "done"
evidence = [
    { kind = "command", argv = ["make", "test"] },
]
"#;

const THE_SUITE_FAILS_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":true,"upstream":"origin/main"},"requirements":[{"evidence":[{"seen":{"kind":"transcripts","transcripts":[{"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","exit":{"code":2},"path":"transcripts/1.json"}]},"wanted":{"argv":["make","test"],"kind":"command"}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"81ed63fa2b5f57205bbd5d1a48d6e0af174210acb840b64fbfebaca0d0bb6b4a"},"run_id":"audit-1","schema":"portcullis.completion_audit.v1","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[{"path":"transcripts/1.json","sha256":"3ab331ec8f18295707e919656d0941b81bafcf357ec7ce832970cfe07d76b2ca"}]}
"#;

const THE_SUITE_FAILS_RUN: &str = r#"{
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
    "code": 2
  },
  "id": "1",
  "schema": "portcullis.transcript.v1",
  "seal": "1259841eade929237936fe6ee05f99716b0bfa80afa5acc9431ad70cac19c4a2",
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
"#;

const ONLY_SAID_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":true,"upstream":"origin/main"},"requirements":[{"evidence":[{"seen":{"exists":true,"kind":"bare"},"wanted":{"kind":"prose","text":"it is green"}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"0f92e019fcb196b66f46984fc09ea459dddcc9a78883cddb79406eac204a6840"},"run_id":"audit-1","schema":"portcullis.completion_audit.v1","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[]}
"#;

const ONLY_SAID_LIST: &str = r#"version = 1

[[requirement]]
id = "suite"
title = "the suite passes"
status = "done"
evidence = [
    { kind = "prose", text = "it is green" },
]
"#;

const NEVER_WRITTEN_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":true,"upstream":"origin/main"},"requirements":[{"evidence":[{"seen":{"kind":"transcripts","transcripts":[{"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","exit":{"code":0},"path":"transcripts/1.json"}]},"wanted":{"argv":["make","test"],"kind":"command"}},{"seen":{"artifact":null,"kind":"artifact"},"wanted":{"kind":"artifact","path":"out.json","schema":"out.v1"}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"5f8e1a1239cb8460e5c1451a99bf96654be33ec3631bafb078f8de10aec91a76"},"run_id":"audit-1","schema":"portcullis.completion_audit.v1","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[{"path":"transcripts/1.json","sha256":"61ccf45ce7c1d801c9b0e3e488e9ae395c34a98cbac0df045ae740422b3257e2"}]}
"#;

const NEVER_WRITTEN_LIST: &str = r#"version = 1

[[requirement]]
id = "suite"
title = "the suite passes"
status = "done"
evidence = [
    { kind = "command", argv = ["make", "test"] },
    { kind = "artifact", path = "out.json", schema = "out.v1" },
]
"#;

const NEVER_RUN_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":true,"upstream":"origin/main"},"requirements":[{"evidence":[{"seen":{"kind":"transcripts","transcripts":[]},"wanted":{"argv":["make","test"],"kind":"command"}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"81ed63fa2b5f57205bbd5d1a48d6e0af174210acb840b64fbfebaca0d0bb6b4a"},"run_id":"audit-1","schema":"portcullis.completion_audit.v1","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[]}
"#;

const ANOTHER_SCHEMA_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":true,"upstream":"origin/main"},"requirements":[{"evidence":[{"seen":{"artifact":{"against":[],"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","schema":"out.v10","sha256":"75d3cb3310fc7dae122619617963335fd6d961145b7cfd20c8e6075fede09799"},"kind":"artifact"},"wanted":{"kind":"artifact","path":"out.json","schema":"out.v1"}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"78bc975eb2bfb2491913d186ea2f12c2a86e600ae9ca7a70ebec247a6f9cbd79"},"run_id":"audit-1","schema":"portcullis.completion_audit.v1","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[]}
"#;

const ANOTHER_SCHEMA_OUT: &str = r#"{
  "schema": "out.v10",
  "source": {
    "commit": "3ccf0c0274e6452f42b261e5680f2fe3e16821ac"
  }
}
"#;

const ANOTHER_SCHEMA_LIST: &str = r#"version = 1

[[requirement]]
id = "suite"
title = "the suite passes"
status = "done"
evidence = [
    { kind = "artifact", path = "out.json", schema = "out.v1" },
]
"#;

const STILL_OPEN_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":true,"upstream":"origin/main"},"requirements":[{"evidence":[{"seen":{"exists":true,"kind":"ledger","statuses":["open"]},"wanted":{"id":"7","kind":"ledger","path":"issues.jsonl","terminal":["closed"]}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"391e02a2dfd653810611ec01d19f386b6e37927850ebb938668a988edb20a6cb"},"run_id":"audit-1","schema":"portcullis.completion_audit.v1","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[]}
"#;

const STILL_OPEN_LEDGER: &str = r#"{"id":"7","status":"open"}
"#;

const STILL_OPEN_LIST: &str = r#"version = 1

[[requirement]]
id = "suite"
title = "the suite passes"
status = "done"
evidence = [
    { kind = "ledger", path = "issues.jsonl", id = "7", terminal = ["closed"] },
]
"#;

const NO_LEDGER_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":true,"upstream":"origin/main"},"requirements":[{"evidence":[{"seen":{"exists":false,"kind":"ledger","statuses":[]},"wanted":{"id":"7","kind":"ledger","path":"issues.jsonl","terminal":["closed"]}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"391e02a2dfd653810611ec01d19f386b6e37927850ebb938668a988edb20a6cb"},"run_id":"audit-1","schema":"portcullis.completion_audit.v1","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[]}
"#;

const AUDIT_OF_ANOTHER_SCHEMA_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":true,"upstream":"origin/main"},"requirements":[{"evidence":[{"seen":{"kind":"transcripts","transcripts":[{"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","exit":{"code":0},"path":"transcripts/1.json"}]},"wanted":{"argv":["make","test"],"kind":"command"}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"81ed63fa2b5f57205bbd5d1a48d6e0af174210acb840b64fbfebaca0d0bb6b4a"},"run_id":"audit-1","schema":"portcullis.completion_audit.v2","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[{"path":"transcripts/1.json","sha256":"61ccf45ce7c1d801c9b0e3e488e9ae395c34a98cbac0df045ae740422b3257e2"}]}
"#;

const LIST_WITHOUT_TITLE_AUDIT: &str = r#"{"clock":{"now":"2026-05-30T10:00:00.000Z","past_allowed":false,"source":"system"},"generated_at":"2026-05-30T10:00:00.000Z","mode":"strict","repository":{"changed":[],"changed_total":0,"pushed":true,"upstream":"origin/main"},"requirements":[{"evidence":[{"seen":{"kind":"transcripts","transcripts":[{"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","exit":{"code":0},"path":"transcripts/1.json"}]},"wanted":{"argv":["make","test"],"kind":"command"}}],"id":"suite","status":"done","title":"the suite passes"}],"requirements_source":{"path":"requirements.toml","sha256":"81ed63fa2b5f57205bbd5d1a48d6e0af174210acb840b64fbfebaca0d0bb6b4a"},"run_id":"audit-1","schema":"portcullis.completion_audit.v1","source":{"base":null,"commit":"3ccf0c0274e6452f42b261e5680f2fe3e16821ac","dirty":false,"tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},"tool":{"name":"portcullis","version":"0.1.0"},"transcripts":[{"path":"transcripts/1.json","sha256":"61ccf45ce7c1d801c9b0e3e488e9ae395c34a98cbac0df045ae740422b3257e2"}]}
"#;

const LIST_WITHOUT_TITLE_LIST: &str = r#"version = 1
[[requirement]]
id = "suite"
status = "done"
"#;
