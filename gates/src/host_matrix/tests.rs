//! Tables over the host matrix. What a machine can do is asked of the machine the tests run on.

use super::*;
use portcullis::{
    GateTable, Outcome,
    testing::{Bench, Seen, run},
};

fn seen(config: &str, files: &[(&str, &str)]) -> Seen {
    run(&HOST_MATRIX, config, files)
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&HOST_MATRIX), Vec::<String>::new());
}

#[test]
fn this_host_is_reported_under_its_own_name() {
    let with_git = HOST.replace("'path_separators'", "'path_separators', 'tool_git'");
    let seen = seen(&with_git, &[]);
    let name = report::name(std::env::consts::OS);
    let bytes = seen.artifacts.get(&name).expect("the view");
    let document: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
    assert_eq!(document["schema"], "portcullis.platform_report.v1");
    assert_eq!(document["platform"], std::env::consts::OS);
    assert_eq!(document["generated_at"], "2026-05-31T12:00:00.000Z");
    let checks = document["checks"].as_array().expect("checks");
    let ids: Vec<&str> = checks.iter().filter_map(|check| check["id"].as_str()).collect();
    let expected = [
        "temp_dir",
        "path_separators",
        "case_sensitivity",
        "symlinks",
        "permissions",
        "locale",
        "cpu_count",
        "line_endings",
        "tool_git",
    ];
    assert_eq!(ids, expected);
    assert_eq!(seen.examined, 9);
    for check in checks {
        let blocks = ["temp_dir", "path_separators", "tool_git"]
            .contains(&check["id"].as_str().expect("an id"));
        assert_eq!(check["blocking"], blocks, "{check}");
    }
}

/// What this machine writes is what another one can read.
#[test]
fn a_report_is_read_back() {
    let own =
        seen(HOST, &[]).artifacts.remove(&report::name(std::env::consts::OS)).expect("the view");
    let text = String::from_utf8(own).expect("text");
    // Under the name of another platform it stands for that one.
    let other = if cfg!(windows) { "linux" } else { "windows" };
    let text = text.replace(
        &format!("\"platform\": \"{}\"", std::env::consts::OS),
        &format!("\"platform\": \"{other}\""),
    );
    let config = format!(
        "required = ['host', '{other}']\nmust_pass = {{ default = ['temp_dir', 'tool_git'] }}\nreports = ['r/*.json']\n\
         tools = [{{ name = 'git', probe = ['--version'], must_match = '^git version' }}]\nfreshness = {{ max_age = '1d' }}"
    );
    let seen = seen(&config, &[("r/a.json", &text)]);
    assert_eq!((seen.outcome, seen.examined), (Outcome::Pass, 18), "{:?}", seen.messages);
}

fn other(day: &str, checks: &str) -> String {
    let platform = if cfg!(windows) { "linux" } else { "windows" };
    format!(
        "{{\"schema\": \"portcullis.platform_report.v1\", \"generated_at\": \"{day}T00:00:00Z\", \"run_id\": \"r1\",\n\
         \"source\": {{\"commit\": \"0000000000000000000000000000000000000000\"}}, \"platform\": \"{platform}\", \
         \"checks\": [{checks}]}}\n"
    )
}

fn row(id: &str, status: &str, blocking: bool) -> String {
    format!(
        "{{\"id\": \"{id}\", \"status\": \"{status}\", \"detail\": \"\", \"blocking\": {blocking}}}"
    )
}

#[test]
fn a_report_of_another_platform_is_held_to_the_policy_of_here() {
    let platform = if cfg!(windows) { "linux" } else { "windows" };
    let config = format!(
        "required = ['{platform}']\nmust_pass = {{ default = ['temp_dir'], {platform} = ['symlinks'] }}\n\
         reports = ['r/*.json']\nfreshness = {{ max_age = '7d' }}"
    );
    let good = row("symlinks", "pass", true);
    let today = "2026-05-31";
    type Row<'a> = (&'a str, String, Result<&'a [&'a str], &'a str>);
    let table: &[Row<'_>] = &[
        ("passed", other(today, &good), Ok(&[])),
        ("failed", other(today, &row("symlinks", "fail", true)), Ok(&["platform_check_failed"])),
        (
            "failed, and says that it does not block",
            other(today, &row("symlinks", "fail", false)),
            Ok(&["platform_check_failed"]),
        ),
        (
            "another check failed that blocked there",
            other(today, &format!("{good}, {}", row("locale", "fail", true))),
            Ok(&["platform_check_failed"]),
        ),
        (
            "another check failed that blocked nowhere",
            other(today, &format!("{good}, {}", row("locale", "fail", false))),
            Ok(&[]),
        ),
        ("not tried", other(today, &row("temp_dir", "pass", true)), Ok(&["platform_check_failed"])),
        ("a week and a day old", other("2026-05-23", &good), Ok(&["platform_report_stale"])),
        ("of the future", other("2026-06-02", &good), Ok(&["platform_report_stale"])),
        (
            "old and failed",
            other("2026-05-01", &row("symlinks", "fail", true)),
            Ok(&["platform_report_stale", "platform_check_failed"]),
        ),
        (
            "of another platform",
            other(today, &good).replace(platform, "freebsd"),
            Ok(&["platform_report_missing"]),
        ),
        (
            "an unknown status",
            other(today, &row("symlinks", "ok", true)),
            Err("platform_report_invalid"),
        ),
        ("a check twice", other(today, &format!("{good}, {good}")), Err("platform_report_invalid")),
        ("no checks", other(today, ""), Err("platform_report_invalid")),
        (
            "another schema",
            other(today, &good).replace(".v1", ".v10"),
            Err("platform_report_invalid"),
        ),
        (
            "fg43: a key twice",
            other(today, &good).replace("\"run_id\"", "\"platform\": \"x\", \"run_id\""),
            Err("duplicate_key"),
        ),
        ("torn", other(today, &good)[..80].to_owned(), Err("json_invalid")),
        ("empty", String::new(), Err("json_invalid")),
    ];
    for (case, text, expected) in table {
        let seen = seen(&config, &[("r/a.json", text)]);
        match expected {
            Ok(codes) => assert_eq!(seen.codes, *codes, "{case}: {:?}", seen.messages),
            Err(code) => assert_eq!(
                (seen.outcome, seen.code.as_deref()),
                (Outcome::Error, Some(*code)),
                "{case}: {:?}",
                seen.messages
            ),
        }
    }
}

/// Of several reports the newest counts, whatever order they are read in.
#[test]
fn the_newest_report_of_a_platform_counts() {
    let platform = if cfg!(windows) { "linux" } else { "windows" };
    let config = format!(
        "required = ['{platform}']\nmust_pass = {{ default = ['temp_dir'], {platform} = ['symlinks'] }}\n\
         reports = ['r/*.json']\nfreshness = {{ max_age = '7d' }}"
    );
    let (good, today) = (row("symlinks", "pass", true), "2026-05-31");
    let failed = other("2026-05-29", &row("symlinks", "fail", true));
    for (old, new) in [("r/a.json", "r/b.json"), ("r/b.json", "r/a.json")] {
        assert_eq!(
            seen(&config, &[(old, &failed), (new, &other(today, &good))]).codes,
            Vec::<String>::new()
        );
        let worse = other(today, &row("symlinks", "fail", true));
        let seen = seen(&config, &[(old, &other("2026-05-29", &good)), (new, &worse)]);
        assert_eq!(seen.codes, ["platform_check_failed"]);
    }
    let same = format!("{config}\n").replace("max_age = '7d'", "same_commit = true");
    let bench = Bench::new(&HOST_MATRIX, &same).file("r/a.json", other(today, &good).as_bytes());
    assert_eq!(bench.git().run().codes, ["platform_report_stale"], "of another commit");
}

#[test]
fn a_tool_is_known_by_its_answer() {
    let table: &[(&str, &str, bool)] = &[
        ("its answer", "must_match = '^git version'", true),
        ("another answer", "must_match = '^hg version'", false),
        ("new enough", "must_match = 'version ([0-9.]+)', min_version = '1.5'", true),
        ("too old", "must_match = 'version ([0-9.]+)', min_version = '9999.0'", false),
    ];
    for (case, rest, good) in table {
        let config = format!(
            "required = ['host']\nmust_pass = {{ default = ['tool_git'] }}\ntools = [{{ name = 'git', probe = ['--version'], {rest} }}]"
        );
        let expected: &[&str] = if *good { &[] } else { &["platform_check_failed"] };
        assert_eq!(seen(&config, &[]).codes, *expected, "{case}");
    }
    let fails = "required = ['host']\nmust_pass = { default = ['tool_git'] }\n\
                 tools = [{ name = 'git', probe = ['no-such-verb'], must_match = 'git' }]";
    assert_eq!(seen(fails, &[]).codes, ["platform_check_failed"], "a tool that fails");
}

#[test]
fn a_table_that_nothing_could_satisfy_is_refused() {
    let table: &[(&str, &str, &str)] = &[
        ("no platform", "required = []\nmust_pass = { default = ['temp_dir'] }", "config_invalid"),
        (
            "no such platform",
            "required = ['linus']\nmust_pass = { default = ['temp_dir'] }",
            "config_invalid",
        ),
        (
            "two platforms without reports",
            "required = ['linux', 'macos']\nmust_pass = { default = ['temp_dir'] }",
            "config_invalid",
        ),
        (
            "no default",
            "required = ['host']\nmust_pass = { linux = ['temp_dir'] }",
            "config_invalid",
        ),
        ("nothing blocks", "required = ['host']\nmust_pass = { default = [] }", "config_invalid"),
        (
            "no such check",
            "required = ['host']\nmust_pass = { default = ['temp'] }",
            "config_invalid",
        ),
        (
            "a list for no platform",
            "required = ['host']\nmust_pass = { default = ['temp_dir'], win = ['locale'] }",
            "config_invalid",
        ),
        (
            "reports without freshness",
            "required = ['host']\nmust_pass = { default = ['temp_dir'] }\nreports = ['r/*.json']",
            "freshness_unstated",
        ),
        (
            "freshness that states nothing",
            "required = ['host']\nmust_pass = { default = ['temp_dir'] }\nreports = ['r/*.json']\nfreshness = {}",
            "freshness_unstated",
        ),
        (
            "freshness of nothing",
            "required = ['host']\nmust_pass = { default = ['temp_dir'] }\nfreshness = { max_age = '1d' }",
            "config_invalid",
        ),
        (
            "a tool that is a path",
            "required = ['host']\nmust_pass = { default = ['temp_dir'] }\ntools = [{ name = './a', probe = ['-v'], must_match = 'a' }]",
            "config_invalid",
        ),
        (
            "a tool that is asked nothing",
            "required = ['host']\nmust_pass = { default = ['temp_dir'] }\ntools = [{ name = 'a', probe = [], must_match = 'a' }]",
            "config_invalid",
        ),
        (
            "a version that nothing captures",
            "required = ['host']\nmust_pass = { default = ['temp_dir'] }\ntools = [{ name = 'a', probe = ['-v'], must_match = 'a', min_version = '1' }]",
            "config_invalid",
        ),
    ];
    for (case, config, code) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        let faults = (HOST_MATRIX.prepare)(&table).err().expect(case);
        assert_eq!(faults[0].code().name(), *code, "{case}: {faults:?}");
    }
}
