//! The fixtures of `remediation_backlog`: each code bites, and a good backlog passes. They hold no logic.

use super::{BACKLOG_CONTRADICTS, BACKLOG_STALE, FAILURE_UNMAPPED};
use crate::artifact_contract::{ARTIFACT_MISSING, FIELD_MISSING};
use portcullis::{Tooth, wire::code::NOTHING_EXAMINED};

const PLAIN: &str = "source = { path = 'summary.json', items = '/tests' }
status = { field = '/status', passing = ['pass'], not_applicable = ['n/a'] }
route = [{ match = '^net_', owner = 'net_team', priority = 'p1', next_step = 'rerun with the recorded cassette' }]";
const OUTPUTS: &str = "source = { path = 'summary.json', items = '/tests' }
status = { field = '/status', passing = ['pass'] }
outputs = { folder = 'docs' }";

const PLANNED: &str = "{\"tests\":{\"net_tls\":{\"status\":\"fail\"},\"fs\":{\"status\":\"pass\"},\"gpu\":{\"status\":\"n/a\"}}}";
const CLEAN: &str = "{\"tests\":{\"fs\":{\"status\":\"pass\"}}}";
const DOSSIER: &str = "{\"schema\":\"portcullis.certification_dossier.v1\",\"run_id\":\"r7\",\"source_artifact\":{\"path\":\"summary.json\",\"sha256\":\"a232c6fcb40eb5f0aa480c30d710d3b8b5cd6324198487a20bef2daa7153283d\"},\"failing\":[]}";
const DOSSIER_TEXT: &str = "# T\n\n- run_id: `r7`\n- json_sha256: `595c529657c1e1004b8dda5ab1d5ffa346615b66d752bce99580533a44159395`\n";
const BACKLOG: &str = "{\"schema\":\"portcullis.remediation_backlog.v1\",\"run_id\":\"r7\",\"source_artifact\":{\"path\":\"summary.json\",\"sha256\":\"a232c6fcb40eb5f0aa480c30d710d3b8b5cd6324198487a20bef2daa7153283d\"},\"entries\":[]}";
const BACKLOG_TEXT: &str = "# T\n\n- run_id: `r7`\n- json_sha256: `2f43d9dd298ba4aefff0ac7a2381362fbed154fee70927336cadfb5b5ab6e70e`\n";
const FOREIGN: &str = "{\"schema\":\"portcullis.remediation_backlog.v1\",\"run_id\":\"r6\",\"source_artifact\":{\"path\":\"summary.json\",\"sha256\":\"a232c6fcb40eb5f0aa480c30d710d3b8b5cd6324198487a20bef2daa7153283d\"},\"entries\":[]}";
const FOREIGN_TEXT: &str = "# T\n\n- run_id: `r6`\n- json_sha256: `cecc243959b187286112ef0e903534a2426584804201d7769c097b23e64d9d2c`\n";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good("a_failure_that_is_planned", PLAIN, &[("summary.json", PLANNED)]),
    Tooth::known_good(
        "outputs_of_one_run_and_of_this_summary",
        OUTPUTS,
        &[
            ("summary.json", CLEAN),
            ("docs/certification_dossier.json", DOSSIER),
            ("docs/certification_dossier.md", DOSSIER_TEXT),
            ("docs/remediation_backlog.json", BACKLOG),
            ("docs/remediation_backlog.md", BACKLOG_TEXT),
        ],
    ),
    Tooth::known_bad(
        "a_failure_that_nobody_took_on",
        FAILURE_UNMAPPED,
        PLAIN,
        &[("summary.json", "{\"tests\":{\"fs\":{\"status\":\"fail\"}}}")],
    ),
    Tooth::known_bad(
        "a_misspelt_status_is_a_failure",
        FAILURE_UNMAPPED,
        PLAIN,
        &[("summary.json", "{\"tests\":{\"fs\":{\"status\":\"passed\"}}}")],
    ),
    Tooth::known_bad(
        "an_empty_backlog_beside_a_failure",
        BACKLOG_CONTRADICTS,
        OUTPUTS,
        &[
            ("summary.json", "{\"tests\":{\"fs\":{\"status\":\"fail\"}}}"),
            ("docs/certification_dossier.json", DOSSIER),
            ("docs/certification_dossier.md", DOSSIER_TEXT),
            ("docs/remediation_backlog.json", BACKLOG),
            ("docs/remediation_backlog.md", BACKLOG_TEXT),
        ],
    ),
    Tooth::known_bad(
        "fg40_a_backlog_of_another_run",
        BACKLOG_STALE,
        OUTPUTS,
        &[
            ("summary.json", CLEAN),
            ("docs/certification_dossier.json", DOSSIER),
            ("docs/certification_dossier.md", DOSSIER_TEXT),
            ("docs/remediation_backlog.json", FOREIGN),
            ("docs/remediation_backlog.md", FOREIGN_TEXT),
        ],
    ),
    Tooth::known_bad(
        "an_item_without_status",
        FIELD_MISSING,
        PLAIN,
        &[("summary.json", "{\"tests\":{\"fs\":{}}}")],
    ),
    Tooth::known_bad(
        "fg46_a_summary_of_nothing",
        NOTHING_EXAMINED,
        PLAIN,
        &[("summary.json", "{\"tests\":{}}")],
    ),
    Tooth::known_bad(
        "fg37_the_summary_does_not_exist",
        ARTIFACT_MISSING,
        PLAIN,
        &[("other.json", CLEAN)],
    ),
];
