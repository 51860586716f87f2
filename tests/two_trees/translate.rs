//! The files of the bundle in the words of portcullis. What a branch changes there changes here, and nothing else.

use portcullis::kernel::{
    census::{Census, CensusRow},
    policy,
};
use std::{collections::BTreeMap, path::Path};
use toml::Table;

/// The day on which the branches are judged.
pub(super) const TODAY: &str = "2026-03-20T09:00:00Z";

/// Every file of one commit of the bundle, by path.
pub(super) type Files = BTreeMap<String, String>;

/// Writes one commit of the bundle as a repository that portcullis gates.
pub(super) fn files(theirs: &Files, without: Option<&str>) -> Files {
    let table =
        |name: &str| -> Table { theirs[name].parse().unwrap_or_else(|e| panic!("{name}: {e}")) };
    let policy = policy_of(&table("portcullis.toml"), without);
    let mut ours = Files::new();
    for name in ["README.md", "src/lib.rs", "baselines/perf.json"] {
        ours.insert(name.to_owned(), theirs[name].clone());
    }
    let tests = tests_of(&theirs["tests/gate.rs"]);
    ours.insert("Cargo.toml".to_owned(), manifest());
    ours.insert(
        "tests/ci_full_suite_gate.rs".to_owned(),
        "//! The gate binary.\n\nportcullis::main! { crates: [portcullis_gates] }\n".to_owned(),
    );
    for (name, text) in &tests {
        ours.insert(format!("tests/{name}.rs"), text.clone());
    }
    ours.insert(".gitignore".to_owned(), "/target\n".to_owned());
    let classification = table("suite_classification.toml");
    ours.insert("suite_classification.toml".to_owned(), classification_of(&classification));
    ours.insert("portcullis.lock".to_owned(), lock(&policy, &table("portcullis.lock"), without));
    ours.insert("portcullis.toml".to_owned(), policy);
    // What the last run measured, the same on every branch: the opening test is red since the tariff changed.
    ours.insert(
        "reports/now.json".to_owned(),
        r#"{"line_pct": 84.5, "retries": 1, "flaky": 0, "wall_seconds": 480, "printer": 0, "opens": OPENS}"#
            .replace("OPENS", if theirs["suite_classification.toml"].contains("W-2") { "0" } else { "1" }),
    );
    ours.insert(
        "reports/perf.json".to_owned(),
        r#"{"benches": {"parse/header_line": {"median_ns": 2225.0}, "checksum": {"median_ns": 431.0}}}"#
            .to_owned(),
    );
    ours
}

fn manifest() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).display().to_string().replace('\\', "/");
    format!(
        "[workspace]\n\n[package]\nname = \"tollbooth\"\nversion = \"0.3.0\"\nedition = \"2024\"\npublish = false\n\n\
         [dev-dependencies]\nportcullis = {{ path = \"{here}/harness\" }}\nportcullis-gates = {{ path = \"{here}/gates\" }}\n\n\
         [[test]]\nname = \"ci_full_suite_gate\"\nharness = false\n\n[profile.dev]\ndebug = 0\n"
    )
}

/// One test target for each test function: suites have targets.
fn tests_of(text: &str) -> Files {
    let pieces = text.split("#[test]\n").skip(1);
    pieces
        .map(|piece| {
            let name = piece.trim_start_matches("fn ").split('(').next().expect("a name");
            (name.to_owned(), format!("//! One test of the barrier.\n\n#[test]\n{piece}"))
        })
        .collect()
}

fn policy_of(theirs: &Table, without: Option<&str>) -> String {
    let gates = theirs["gates"].as_table().expect("gates");
    let value = |gate: &str, key: &str| {
        let value = &gates[gate][key];
        match value.as_integer() {
            Some(number) => number.to_string(),
            None => format!("{:?}", value.as_float().expect("a number")),
        }
    };
    let threshold = |id: &str, bounds: &str| {
        format!("[[gate]]\nid = \"{id}\"\nkind = \"threshold\"\n{bounds}\n\n")
    };
    let now = "source = { path = \"reports/now.json\" }\n";
    let metric = |name: &str| format!("metrics = {{ {name} = \"/{name}\" }}\n");
    let mut text = "[policy]\nversion = 1\nowner = \"tariffs\"\n\n".to_owned();
    let mut add = |id: &str, bounds: String| {
        if gates.contains_key(id) && without != Some(id) {
            text.push_str(&threshold(id, &bounds));
        }
    };
    add(
        "perf",
        format!(
            "source = {{ path = \"reports/perf.json\", items = \"/benches\" }}\nvalue = \"/median_ns\"\nceilings = {{ \"*\" = 9000 }}\n\
             baseline = {{ path = \"baselines/perf.json\", better = {{ \"*\" = \"lower\" }}, allowed_delta = {{ \"*\" = {} }} }}",
            value("perf", "max_regression_pct")
        ),
    );
    add(
        "coverage",
        format!(
            "{now}{}floors = {{ line_pct = {} }}",
            metric("line_pct"),
            value("coverage", "min_line_pct")
        ),
    );
    add(
        "flaky",
        format!(
            "{now}metrics = {{ flaky = \"/flaky\", retries = \"/retries\" }}\nceilings = {{ flaky = {}, retries = {} }}",
            value("flaky", "max_flaky"),
            value("flaky", "max_retries")
        ),
    );
    add(
        "budget",
        format!(
            "{now}{}ceilings = {{ wall_seconds = {} }}",
            metric("wall_seconds"),
            value("budget", "wall_seconds")
        ),
    );
    for suite in ["opens", "printer"] {
        let floor = format!("{now}{}floors = {{ {suite} = 1 }}", metric(suite));
        text.push_str(&threshold(suite, &floor));
    }
    text.push_str(
        "[[gate]]\nid = \"suites\"\nkind = \"classification\"\nuniverse = \"cargo_test_targets\"\nsuites = [\"e2e\", \"unit\"]\n\n\
         [[gate]]\nid = \"baselines\"\nkind = \"diff_guard\"\n\n[[gate.stamp]]\npath = \"baselines/*.json\"\n\
         body = [\"/benches\"]\nheader = [\"/header/recorded_at\"]\n",
    );
    text
}

/// Their waivers are for tests; here the gate of that name has them. A waiver lasts 30 days at most.
fn classification_of(theirs: &Table) -> String {
    let mut text = String::from(
        "[suite.e2e]\ntargets = [\"ci_full_suite_gate\", \"opens\"]\n\n[suite.unit]\ntargets = []\n",
    );
    for waiver in theirs["waiver"].as_array().expect("waivers") {
        let field = |key: &str| waiver[key].as_str().expect("a text").to_owned();
        let gate = field("scope").rsplit("::").next().expect("a name").to_owned();
        let quoted = |key: &str| format!("{key} = {:?}\n", field(key));
        text.push_str(&format!(
            "\n[waiver.{gate}]\n{}created = 2026-03-10\nexpires = 2026-04-05\n{}{}scope = \"full\"\n{}",
            quoted("owner"),
            quoted("issue"),
            quoted("reason"),
            quoted("remove_when")
        ));
    }
    text
}

/// The census of the policy, without the rows that the branch took out of its lock.
fn lock(text: &str, theirs: &Table, without: Option<&str>) -> String {
    let policy = policy::parse("portcullis.toml", text).expect("a policy");
    let known = ["budget", "coverage", "flaky", "perf"];
    let kept = theirs["gate"].as_array().expect("rows");
    let stands =
        |id: &str| !known.contains(&id) || kept.iter().any(|row| row["id"].as_str() == Some(id));
    let rows: Vec<CensusRow> = Census::of(&policy.gates)
        .rows
        .into_iter()
        .filter(|row| stands(row.id.as_str()) && without != Some(row.id.as_str()))
        .collect();
    Census { rows }.render()
}
