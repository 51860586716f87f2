//! Ledgers as tables, and the committed ledgers of `fixtures/issue_ledger`.

use super::ISSUE_LEDGER;
use portcullis::{
    Lane, Outcome,
    testing::{self, Bench, Seen},
};
use serde_json::Value;

const RULES: &str = "sources = [{ path = 'l.jsonl', role = 'authoritative' }, { path = 'f.jsonl', role = 'fallback' }]
terminal = ['closed']
technical_types = ['bug', 'task', 'epic', 'feature', 'chore']
docs_types = ['docs']
allowed_residuals = ['docs']";

fn fixture(name: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/issue_ledger/");
    std::fs::read(format!("{path}{name}")).expect("a committed ledger")
}

fn checkpoint(seen: &Seen) -> Value {
    let bytes = &seen.artifacts["practical_finish_checkpoint.json"];
    serde_json::from_slice(bytes).expect("the checkpoint is written whatever came out")
}

fn issue(id: &str, status: &str, kind: &str, time: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"status\":\"{status}\",\"issue_type\":\"{kind}\",\"updated_at\":\"{time}\"}}\n"
    )
}

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&ISSUE_LEDGER), Vec::<String>::new());
}

#[test]
fn two_hundred_issues_are_separated_by_type_alone() {
    let seen = Bench::new(&ISSUE_LEDGER, RULES).file("l.jsonl", &fixture("issues_200.jsonl")).run();
    assert_eq!((seen.outcome, seen.examined), (Outcome::Fail, 200));
    assert!(seen.codes.iter().all(|code| code == "open_technical_work"), "{:?}", seen.codes);
    let checkpoint = checkpoint(&seen);
    let open = |name: &str| checkpoint[name].as_u64().expect("a count");
    let (technical, docs) = (open("technical_open_count"), open("docs_or_report_open_count"));
    assert_eq!((technical, docs, open("open_count")), (91, 11, 102));
    assert_eq!(technical, seen.codes.len() as u64);
    assert_eq!(checkpoint["status"], "fail");
    assert_eq!(checkpoint["technical_completion_reached"], false);
    assert_eq!(checkpoint["schema"], "portcullis.practical_finish_checkpoint.v1");
    assert_eq!(checkpoint["source"]["path"], "l.jsonl");
}

#[test]
fn the_committed_ledgers_are_read_or_refused() {
    let table: &[(&str, &str, Outcome, Option<&str>)] = &[
        (
            "a byte order mark and CRLF",
            "issues_crlf_bom.jsonl",
            Outcome::Fail,
            Some("open_technical_work"),
        ),
        (
            "two titles at one time",
            "issues_duplicate_ids.jsonl",
            Outcome::Error,
            Some("ledger_conflict"),
        ),
        ("a last line that was cut", "issues_truncated.jsonl", Outcome::Error, Some("record_torn")),
    ];
    for (case, name, outcome, code) in table {
        let seen = Bench::new(&ISSUE_LEDGER, RULES).file("l.jsonl", &fixture(name)).run();
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (*outcome, *code),
            "{case}: {:?}",
            seen.messages
        );
        let checkpoint = checkpoint(&seen);
        let unknown = *outcome == Outcome::Error;
        assert_eq!(
            checkpoint["open_count"].is_null(),
            unknown,
            "{case}: an unread ledger has no count"
        );
        assert_eq!(checkpoint["technical_completion_reached"], false, "{case}");
    }
}

#[test]
fn lines_of_one_issue_fold_in_any_order() {
    let (old, new) = ("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z");
    let open = issue("1", "open", "bug", old);
    let closed = issue("1", "closed", "bug", new);
    let rival = issue("1", "closed", "bug", old);
    let table: &[(&str, Vec<&String>, &str)] = &[
        ("the newest wins", vec![&open, &closed], "pass"),
        ("the newest wins in the other order", vec![&closed, &open], "pass"),
        ("an exact copy folds", vec![&closed, &closed], "pass"),
        ("two contents at one time", vec![&open, &rival], "ledger_conflict"),
        ("a newer line settles the conflict", vec![&open, &rival, &closed], "pass"),
        ("a newer line settles it in any order", vec![&closed, &open, &rival], "pass"),
    ];
    for (case, lines, expected) in table {
        let text: String = lines.iter().map(|line| line.as_str()).collect();
        let seen = testing::run(&ISSUE_LEDGER, RULES, &[("l.jsonl", &text)]);
        assert_eq!(
            seen.code.as_deref().unwrap_or("pass"),
            *expected,
            "{case}: {:?}",
            seen.messages
        );
    }
    let timeless = "{\"id\":\"1\",\"status\":\"open\",\"issue_type\":\"bug\"}\n";
    let seen = testing::run(&ISSUE_LEDGER, RULES, &[("l.jsonl", &format!("{timeless}{closed}"))]);
    assert_eq!(seen.code.as_deref(), Some("ledger_conflict"), "nobody knows which is newer");
}

#[test]
fn statuses_and_types_that_nobody_knows_block() {
    let time = "2026-05-01T00:00:00Z";
    let table: &[(&str, String, Outcome, Option<&str>)] = &[
        (
            "a misspelt status is open",
            issue("1", "clsoed", "bug", time),
            Outcome::Fail,
            Some("open_technical_work"),
        ),
        (
            "an unknown type is technical",
            issue("1", "open", "docz", time),
            Outcome::Fail,
            Some("open_technical_work"),
        ),
        (
            "a closed issue of an unknown type is listed",
            issue("1", "closed", "docz", time),
            Outcome::Warn,
            Some("unknown_issue_type"),
        ),
        ("an allowed residual", issue("1", "open", "docs", time), Outcome::Pass, None),
        ("an empty ledger", String::new(), Outcome::Error, Some("nothing_examined")),
        ("a line that is no object", "[1]\n".to_owned(), Outcome::Error, Some("issue_invalid")),
        (
            "a status of null",
            "{\"id\":\"1\",\"status\":null,\"issue_type\":\"bug\"}\n".to_owned(),
            Outcome::Error,
            Some("issue_invalid"),
        ),
        (
            "fg43: two statuses in one line",
            "{\"id\":\"1\",\"status\":\"open\",\"status\":\"closed\",\"issue_type\":\"bug\"}\n"
                .to_owned(),
            Outcome::Error,
            Some("duplicate_key"),
        ),
    ];
    for (case, text, outcome, code) in table {
        let seen = testing::run(&ISSUE_LEDGER, RULES, &[("l.jsonl", text)]);
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (*outcome, *code),
            "{case}: {:?}",
            seen.messages
        );
        assert_eq!(
            checkpoint(&seen)["status"] == "pass",
            *outcome == Outcome::Pass || *outcome == Outcome::Warn,
            "{case}"
        );
    }
}

#[test]
fn a_fallback_is_visible_and_never_certifies() {
    let good = issue("1", "closed", "bug", "2026-05-01T00:00:00Z");
    let table: &[(&str, Lane, Outcome)] = &[
        ("a developer is told", Lane::Local, Outcome::Warn),
        ("a reviewer is told", Lane::Pr, Outcome::Warn),
        ("the default branch is shut", Lane::Main, Outcome::Fail),
        ("a release is shut", Lane::Release, Outcome::Fail),
    ];
    for (case, lane, outcome) in table {
        let seen =
            Bench::new(&ISSUE_LEDGER, RULES).file("f.jsonl", good.as_bytes()).lane(*lane).run();
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (*outcome, Some("ledger_fallback_used")),
            "{case}"
        );
        let checkpoint = checkpoint(&seen);
        assert_eq!(checkpoint["fallback_used"], true, "{case}");
        assert_eq!(checkpoint["technical_completion_reached"], false, "{case}");
    }
    let seen = testing::run(&ISSUE_LEDGER, RULES, &[("l.jsonl", "{\"id\""), ("f.jsonl", &good)]);
    assert_eq!(seen.code.as_deref(), Some("record_torn"), "a broken ledger is not passed over");
}

#[test]
fn a_selection_that_selects_nothing_is_an_error() {
    let text = "{\"key\":7,\"state\":\"done\",\"kind\":\"bug\",\"milestone\":\"1.0\",\"tags\":[\"a\",\"b\"]}\n";
    let mapped = "sources = [{ path = 'l.jsonl', role = 'authoritative' }]
terminal = ['done']
technical_types = ['bug']
docs_types = []
fields = { id = 'key', status = 'state', type = 'kind' }";
    let table: &[(&str, &str, Outcome)] = &[
        ("everything", "", Outcome::Pass),
        ("a text", "select = { milestone = '1.0' }", Outcome::Pass),
        ("a member of a list", "select = { tags = 'b' }", Outcome::Pass),
        ("another text", "select = { milestone = '2.0' }", Outcome::Error),
        ("a field that does not exist", "select = { milestnoe = '1.0' }", Outcome::Error),
    ];
    for (case, select, outcome) in table {
        let seen =
            testing::run(&ISSUE_LEDGER, &format!("{mapped}\n{select}"), &[("l.jsonl", text)]);
        assert_eq!(seen.outcome, *outcome, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn contradictory_configuration_is_refused() {
    let table: &[(&str, &str)] = &[
        ("no source", "sources = []\nterminal = ['x']\ntechnical_types = []\ndocs_types = []"),
        (
            "no authority",
            "sources = [{ path = 'a', role = 'fallback' }]\nterminal = ['x']\ntechnical_types = []\ndocs_types = []",
        ),
        (
            "authority after a fallback",
            "sources = [{ path = 'a', role = 'fallback' }, { path = 'b', role = 'authoritative' }]\nterminal = ['x']\ntechnical_types = []\ndocs_types = []",
        ),
        (
            "a source twice",
            "sources = [{ path = 'a', role = 'authoritative' }, { path = 'a', role = 'authoritative' }]\nterminal = ['x']\ntechnical_types = []\ndocs_types = []",
        ),
        (
            "no terminal status",
            "sources = [{ path = 'a', role = 'authoritative' }]\nterminal = []\ntechnical_types = []\ndocs_types = []",
        ),
        (
            "a type of two classes",
            "sources = [{ path = 'a', role = 'authoritative' }]\nterminal = ['x']\ntechnical_types = ['t']\ndocs_types = ['t']",
        ),
        (
            "technical residuals",
            "sources = [{ path = 'a', role = 'authoritative' }]\nterminal = ['x']\ntechnical_types = ['t']\ndocs_types = []\nallowed_residuals = ['t']",
        ),
    ];
    for (case, config) in table {
        let seen = testing::run(&ISSUE_LEDGER, config, &[("a", "")]);
        assert_eq!(seen.code.as_deref(), Some("config_invalid"), "{case}: {:?}", seen.messages);
    }
}
