//! The code of a finding or error: a number to search for and a name for JSON. Neither is ever reused.

use std::fmt;

/// What a finding or an error is about: `PC0403 waiver_expired`, with one sentence of meaning.
///
/// Areas: 00 census, 01 config, 02 evidence, 03 runs, 04 waivers, 10-19 kinds, 20 canary, 30 command line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    number: &'static str,
    name: &'static str,
    meaning: &'static str,
}

impl Code {
    /// Declares a code. The shape of the three parts is checked by the test over the code table.
    #[must_use]
    pub const fn new(number: &'static str, name: &'static str, meaning: &'static str) -> Self {
        Self { number, name, meaning }
    }

    /// The number, `PC` and four digits.
    #[must_use]
    pub const fn number(self) -> &'static str {
        self.number
    }

    /// The `snake_case` name that JSON documents carry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// One sentence that says what the code means, for `cargo portcullis explain`.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.meaning
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.name)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! codes {
    ($($ident:ident = $number:literal, $name:literal, $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $ident: Code = Code::new($number, $name, $meaning);
        )*
        /// Every code that the harness itself can raise, by number.
        pub const HARNESS_CODES: &[Code] = &[$($ident),*];
    };
}

codes! {
    FILTER_MATCHED_NOTHING = "PC0001", "filter_matched_nothing", "A filter on a gate binary selected no trial.";
    REGISTRY_EMPTY = "PC0002", "registry_empty", "No gate and no gate kind is linked into the gate binary.";
    CENSUS_GATE_MISSING = "PC0003", "census_gate_missing", "A gate of the census left no receipt, or is no longer configured.";
    CENSUS_BINARY_MISSING = "PC0004", "census_binary_missing", "No gate of a gate binary in the census left a receipt.";
    DUPLICATE_GATE_ID = "PC0005", "duplicate_gate_id", "Two gates have one id.";
    CENSUS_GATE_EXTRA = "PC0006", "census_gate_extra", "A gate is configured or linked, but not in the census.";
    CENSUS_DIFFERS = "PC0007", "census_differs", "A gate of the census has another policy than the one recorded.";
    CENSUS_INVALID = "PC0008", "census_invalid", "The census file is absent, unsorted or cannot be read.";
    BLESS_REFUSED = "PC0009", "bless_refused", "Accepting output as expected was asked for in CI.";
    GATE_WITHOUT_FIXTURES = "PC0010", "gate_without_fixtures", "A gate kind has no known-bad or no known-good fixture.";
    GATE_BROKEN = "PC0011", "gate_broken", "The gate dropped an error of its own, or failed its own teeth.";
    GATE_IGNORED = "PC0012", "gate_ignored", "The gate is declared with the ignore attribute.";
    POLICY_LOOSENED = "PC0013", "policy_loosened", "This change loosens policy, census or waivers.";
    LIST_EMPTY = "PC0014", "list_empty", "A gate binary lists nothing although the census expects gates in it.";
    LIST_FAILED = "PC0015", "list_failed", "A gate binary could not be built, or its list could not be read.";
    BINARY_FOREIGN = "PC0017", "binary_foreign", "A gate binary was built in another checkout than the one it was started for.";
    VIEW_CONFLICT = "PC0016", "view_conflict", "Two gates of one run write one view.";

    CONFIG_INVALID = "PC0101", "config_invalid", "A configuration file cannot be read as what it should be.";
    CONFIG_UNKNOWN_KEY = "PC0102", "config_unknown_key", "A configuration table has a key that nothing reads.";
    CONFIG_UNKNOWN_KIND = "PC0103", "config_unknown_kind", "A gate names a kind that is not linked.";
    CONFIG_ABSENT = "PC0104", "config_absent", "A configuration file does not exist.";
    FRESHNESS_UNSTATED = "PC0105", "freshness_unstated", "An artifact contract does not say how old the artifact may be.";
    DUPLICATE_KEY = "PC0106", "duplicate_key", "A table or object has one key twice.";
    EXPR_UNKNOWN_NAME = "PC0107", "expr_unknown_name", "An expression names an unknown variable or function.";
    EXPR_INVALID = "PC0108", "expr_invalid", "An expression does not compile or exceeds a limit.";
    USAGE = "PC0109", "usage", "The command line cannot be understood.";
    CPU_COUNT_INVALID = "PC0110", "cpu_count_invalid", "The forced CPU count is not a whole number from 1 to 65535.";
    LANE_INVALID = "PC0111", "lane_invalid", "The lane or promotion mode is not one of the known names.";

    PATH_REFUSED = "PC0201", "path_refused", "A path is absolute, leaves the tree, or has a name no system should be given.";
    LINK_REFUSED = "PC0202", "link_refused", "A path passes through a symbolic link, or names a hard-linked file.";
    NOT_A_FILE = "PC0203", "not_a_file", "A path names something that is not a regular file.";
    INPUT_TOO_LARGE = "PC0204", "input_too_large", "An input exceeds a limit of size, count or depth.";
    NOT_UTF8 = "PC0205", "not_utf8", "A text is not UTF-8, or begins with a byte order mark.";
    INPUT_UNREADABLE = "PC0206", "input_unreadable", "An input could not be opened or read.";
    JSON_INVALID = "PC0207", "json_invalid", "A text is not the JSON it should be.";
    TOML_INVALID = "PC0208", "toml_invalid", "A text is not the TOML it should be.";
    VALUE_NOT_FINITE = "PC0209", "value_not_finite", "A number is missing, null, infinite or beyond 2^53.";
    RECORD_TORN = "PC0210", "record_torn", "A record file has a torn line or a gap in its sequence.";
    NOTHING_EXAMINED = "PC0211", "nothing_examined", "The check looked at nothing.";
    BUDGET_EXCEEDED = "PC0212", "budget_exceeded", "A search or expression exceeded its budget.";
    COMMAND_FAILED = "PC0213", "command_failed", "A command could not be started or was killed.";
    COMMAND_TIMED_OUT = "PC0214", "command_timed_out", "A command ran longer than its timeout.";
    TOOL_MISSING = "PC0215", "tool_missing", "A required tool is not installed.";
    TOOL_PATH_REFUSED = "PC0216", "tool_path_refused", "A tool resolves to a path inside the work tree or to a relative one.";
    GIT_FAILED = "PC0217", "git_failed", "git did not answer.";
    CLOCK_HEAD_IN_FUTURE = "PC0218", "clock_head_in_future", "The commit of HEAD is more than 24 hours ahead of the system clock.";
    CLOCK_OVERRIDE_PAST = "PC0219", "clock_override_past", "The clock override lies in the past.";
    CLOCK_OVERRIDE_INVALID = "PC0220", "clock_override_invalid", "The clock override is not an RFC 3339 time in UTC.";
    ENV_REFUSED = "PC0221", "env_refused", "An environment variable may not be read or recorded.";
    PATTERN_INVALID = "PC0222", "pattern_invalid", "A glob or regular expression cannot be used.";
    BASE_UNRESOLVABLE = "PC0223", "base_unresolvable", "The base revision cannot be resolved.";
    BASE_NOT_ANCESTOR = "PC0228", "base_not_ancestor", "The base revision is no ancestor of the change.";
    OUTPUT_UNWRITABLE = "PC0240", "output_unwritable", "Accepted output, or a file of one attempt, could not be written.";

    RECEIPT_UNSEALED = "PC0301", "receipt_unsealed", "An attempt started and never finished: killed, aborted or exited.";
    RECEIPT_WITHOUT_START = "PC0302", "receipt_without_start", "A verdict has no started record.";
    RECEIPT_FOREIGN = "PC0303", "receipt_foreign", "A receipt belongs to another gate, attempt, run or policy.";
    RECEIPT_UNWRITABLE = "PC0304", "receipt_unwritable", "A receipt could not be written.";
    ATTEMPT_CONFLICT = "PC0305", "attempt_conflict", "Two processes claimed one attempt.";
    ATTEMPT_FAILED = "PC0306", "attempt_failed", "An earlier attempt of a passing gate failed.";
    STATUS_UNKNOWN = "PC0307", "status_unknown", "A verdict states a status that does not exist.";
    DIGEST_MISMATCH = "PC0308", "digest_mismatch", "A file is not the one that was hashed.";
    LATEST_STALE = "PC0309", "latest_stale", "The newest run is not the one that `latest` names.";
    RUN_UNSEALED = "PC0310", "run_unsealed", "A run was never sealed.";
    GATE_PANICKED = "PC0311", "gate_panicked", "The check panicked.";
    STRAY_PANIC = "PC0312", "stray_panic", "A thread that no gate waited for panicked.";
    GATE_TIMED_OUT = "PC0313", "gate_timed_out", "The check ran longer than its timeout.";
    SKIP_NOT_ALLOWED = "PC0314", "skip_not_allowed", "A blocking gate skipped for a reason its policy does not allow.";
    NEED_UNSATISFIED = "PC0315", "need_unsatisfied", "A gate that this one needs did not pass.";
    SCHEMA_UNSUPPORTED = "PC0316", "schema_unsupported", "A document has another major version than this reader.";
    RECEIPT_INVALID = "PC0317", "receipt_invalid", "A receipt cannot be read.";
    RUN_UNREADABLE = "PC0318", "run_unreadable", "A run directory is absent or incomplete.";
    FILE_UNHASHED = "PC0319", "file_unhashed", "A run directory has a file that its manifest does not list.";
    REPLAY_ENV_REFUSED = "PC0323", "replay_env_refused", "A replay would set a variable that changes what is run.";
    SECRET_IN_EVIDENCE = "PC0320", "secret_in_evidence", "A secret stands in a file that was about to be sealed.";
    DECISION_DIFFERS = "PC0321", "decision_differs", "The recorded decision is not the one that the recorded evidence gives.";
    INPUTS_INVALID = "PC0322", "inputs_invalid", "A run does not say, or not readably, what its decision was made from.";

    NOTHING_SELECTED = "PC0330", "nothing_selected", "A run was asked for, and nothing is selected.";
    RESULT_RUN_MISMATCH = "PC0331", "result_run_mismatch", "A result file belongs to another run.";
    RESULT_INCOMPLETE = "PC0332", "result_incomplete", "A planned target has no result.";
    RESULT_INCONSISTENT = "PC0333", "result_inconsistent", "Two results of one run contradict each other.";
    TESTS_FAILED = "PC0334", "tests_failed", "Tests failed.";
    REPLAY_SELECTS_WRONG_COUNT = "PC0335", "replay_selects_wrong_count", "A replay does not select exactly what it should.";
    RERUN_CANNOT_CERTIFY = "PC0336", "rerun_cannot_certify", "A rerun was asked to stand as a certificate.";
    DEADLINE_EXCEEDED = "PC0337", "deadline_exceeded", "A run did not end within its deadline.";
    RUN_INTERRUPTED = "PC0338", "run_interrupted", "A run was interrupted before its end.";
    ENGINE_FAILED = "PC0339", "engine_failed", "The program that runs the tests did not end as it should.";
    BASELINE_UNUSABLE = "PC0344", "baseline_unusable", "A baseline cannot be read, or is not comparable.";
    LOST_COVERAGE = "PC0345", "lost_coverage", "What passed on the baseline was not observed.";
    TARGET_GONE = "PC0346", "target_gone", "A target of an earlier run no longer exists.";
    SHARD_MISSING = "PC0350", "shard_missing", "A shard is not among the runs that are to be merged, or has no sealed run.";
    SHARD_COVER_GAP = "PC0351", "shard_cover_gap", "The shards together are not what the plan selects.";
    SHARD_CONFLICT = "PC0352", "shard_conflict", "Two runs of one shard, or of one target, say different things.";
    SHARD_MISMATCH = "PC0353", "shard_mismatch", "The shards are not of one plan, commit, policy, census and run.";
    STORE_REFUSED = "PC0354", "store_refused", "The address of an object store, or a name in it, cannot be used.";
    STORE_UNAVAILABLE = "PC0355", "store_unavailable", "An object store did not do what it was asked.";
    TREE_DIGEST_MISMATCH = "PC0356", "tree_digest_mismatch", "The work tree has edits that git was told not to show.";
    SUBJECT_MISMATCH = "PC0357", "subject_mismatch", "A verdict is about another commit than the one it is shown for.";

    WAIVER_FILE_INVALID = "PC0401", "waiver_file_invalid", "The waiver file is not valid, so no waiver applies.";
    WAIVER_NOT_WAIVABLE = "PC0402", "waiver_not_waivable", "A waiver stands on something that cannot be waived.";
    WAIVER_EXPIRED = "PC0403", "waiver_expired", "A waiver is past its last valid day.";
    WAIVER_EXPIRING = "PC0404", "waiver_expiring", "A waiver expires within 14 days.";
    WAIVER_STALE = "PC0405", "waiver_stale", "A waiver matches nothing any more.";
    WAIVER_SPAN_EXCEEDED = "PC0406", "waiver_span_exceeded", "A waiver lasts longer than allowed.";
    WAIVER_UNKNOWN_GATE = "PC0407", "waiver_unknown_gate", "A waiver names a gate that does not exist.";
    WAIVER_CLIFF = "PC0408", "waiver_cliff", "More than five waivers expire on one day.";
    WAIVER_NOT_ON_BASE = "PC0409", "waiver_not_on_base", "A waiver exists on the head tree only.";
    FINDING_NOT_WAIVED = "PC0410", "finding_not_waived", "A waiver covers other findings of this gate than this one.";
    WAIVER_NOT_YET_VALID = "PC0411", "waiver_not_yet_valid", "A waiver was created after today.";
    QUARANTINE_EXPIRED = "PC0420", "quarantine_expired", "A quarantine entry is past its last valid day.";
    QUARANTINE_SPAN_EXCEEDED = "PC0421", "quarantine_span_exceeded", "A quarantine entry lasts longer than 14 days.";
    QUARANTINE_INVALID = "PC0422", "quarantine_invalid", "A quarantine entry is not valid.";
    QUARANTINE_EXPIRING = "PC0423", "quarantine_expiring", "A quarantine entry expires soon.";
    BROKEN_NOT_FLAKY = "PC0424", "broken_not_flaky", "A quarantined test fails every time.";
    ROLLBACK_WITHOUT_RECORD = "PC0430", "rollback_without_record", "Rollback mode was asked for without a valid record.";
    ROLLBACK_EXPIRED = "PC0431", "rollback_expired", "The rollback record is past its expiry.";
    SHADOW_EXPIRED = "PC0432", "shadow_expired", "The stated end of shadow mode has passed.";

    RUNBOOK_DRIFT = "PC0380", "runbook_drift", "The runbook is not the one that signatures and gates give.";
    SIGNATURE_NAME_UNKNOWN = "PC0381", "signature_name_unknown", "A signature names a gate or a code that does not exist.";
    NEXTEST_CONFIG_DRIFT = "PC0382", "nextest_config_drift", "The committed configuration of nextest is not the generated one.";

    AUDIT_ABSENT = "PC3060", "audit_absent", "There is no completion audit to check.";
    SELF_TEST_FAILED = "PC3061", "self_test_failed", "A scenario of a checker does not come out as its golden says.";
    NAME_UNKNOWN = "PC3001", "name_unknown", "No gate, kind or code has the name that was asked for.";
    CI_WORKFLOW_DRIFT = "PC3080", "ci_workflow_drift", "A committed workflow is not the one that the policy gives.";
    CI_FILE_FOREIGN = "PC3081", "ci_file_foreign", "A file that was not generated stands where a workflow is written.";
    CI_LANE_INVALID = "PC3082", "ci_lane_invalid", "A lane of the generated workflows contradicts another, or cannot be written down.";
    CI_PIN_INVALID = "PC3083", "ci_pin_invalid", "An action or a tool of the generated workflows is not pinned.";
    SEAL_CONFLICT = "PC3120", "seal_conflict", "A folder cannot be sealed: it has a seal, it is or holds a run, or a name is taken.";
    SEAL_BROKEN = "PC3121", "seal_broken", "The seal of a folder cannot be read, or is not the one of its manifest.";
    FILE_CHANGED = "PC3122", "file_changed", "A file changed while it was read for a seal.";
    DIGEST_NOT_READ = "PC3123", "digest_not_read", "A seal says that it read every file, and took a digest from its cache.";
    APPROVAL_INVALID = "PC3140", "approval_invalid", "An approval is not valid, so no approval counts.";
    APPROVAL_EXPIRED = "PC3141", "approval_expired", "An approval is past its last valid day, or not yet valid.";
    APPROVAL_NOT_ON_BASE = "PC3142", "approval_not_on_base", "An approval stands in the very change that it would approve.";
    APPROVAL_MISMATCH = "PC3143", "approval_mismatch", "An approval names another loosening than the one that this change makes.";
    APPROVER_REFUSED = "PC3144", "approver_refused", "An approver is not named by the policy of the base, or wrote the change.";
    INPUTS_FOREIGN = "PC3145", "inputs_foreign", "A run was decided from other files than those of the commit it is judged for.";
}
