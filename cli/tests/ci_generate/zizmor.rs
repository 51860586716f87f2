//! The peer that audits workflows: over the generated files, and beside our own gate over every workflow of the fixtures.

use super::{CHANGES, FOLDER, checkout, repo};
use portcullis::testing::Bench;
use portcullis_gates::workflow_policy::WORKFLOW_POLICY;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The tool, where `.ci/install_tools` put it. Its absence is told, and fails where CI runs this.
#[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
fn zizmor() -> Option<PathBuf> {
    let target =
        Path::new(env!("CARGO_BIN_EXE_cargo-portcullis")).ancestors().nth(2).expect("target");
    let program = target.join("tools/zizmor/bin/zizmor");
    #[expect(clippy::disallowed_methods, reason = "what CI has to prove is asked of CI")]
    let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(program.is_file() || !ci, "CI must prove this: run `.ci/install_tools`");
    if !program.is_file() {
        eprintln!("zizmor not on PATH — SKIPPED LOUD");
        return None;
    }
    Some(program)
}

/// What it finds in a folder.
fn audit(program: &Path, folder: &Path, more: &[&str]) -> Vec<Value> {
    #[expect(clippy::disallowed_methods, reason = "the test starts the tool")]
    let output = Command::new(program)
        .args(["--offline", "--no-progress", "--no-exit-codes", "--format", "json"])
        .args(more)
        .arg(folder)
        .output()
        .expect("zizmor starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).expect("findings")
}

#[test]
fn zizmor_has_nothing_to_say_about_the_generated_files() {
    let Some(program) = zizmor() else { return };
    for shards in ["1", "3"] {
        let repo = repo();
        repo.generate(&["--shards", shards]);
        let loud: Vec<String> = audit(&program, &repo.path(""), &[])
            .iter()
            .filter(|finding| finding["determinations"]["severity"] != "Informational")
            .map(|finding| format!("{} {}", finding["ident"], finding["determinations"]))
            .collect();
        assert!(loud.is_empty(), "{}", loud.join("\n"));
        // The tool looks: the same file with an action by its tag is not clean.
        let text = repo.text(CHANGES).replacen(
            "@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0",
            "@v5",
            1,
        );
        repo.put(&format!("{FOLDER}/{CHANGES}"), &text);
        let found = audit(&program, &repo.path(""), &[]);
        assert!(found.iter().any(|finding| finding["ident"] == "unpinned-uses"));
    }
}

/// The page with the comparison.
const PAGE: &str = "docs/zizmor.md";
/// What both can find, and what each calls it.
const RULES: [(&str, &[&str], &[&str]); 3] = [
    ("pins", &["action_not_pinned", "not_static"], &["unpinned-images", "unpinned-uses"]),
    ("triggers", &["trigger_denied"], &["dangerous-triggers"]),
    ("rights", &["permission_too_wide", "permissions_unset"], &["excessive-permissions"]),
];
/// The rules as a policy states them.
const POLICY: &str = "
[[rule]]
id = 'triggers'
triggers_deny = ['issue_comment', 'pull_request_target', 'workflow_run']
[[rule]]
id = 'pins'
job = ['*']
uses_pinned = true
[[rule]]
id = 'rights'
permissions_max = { contents = 'read' }
[[rule]]
id = 'rights_of_jobs'
job = ['*']
permissions_max = { contents = 'read' }
";

/// Files by name, and what is wrong with them by rule.
type Found = BTreeSet<(String, &'static str)>;

/// Copies every workflow of the fixtures into one folder, each under a name of its own; returns the names.
fn gathered(into: &Path) -> Vec<String> {
    let fixtures = checkout().join("fixtures");
    let mut folders = vec![fixtures.clone()];
    let mut names = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let relative = path.strip_prefix(&fixtures).expect("below").to_str().expect("UTF-8");
            let is_workflow = relative.contains(".github/workflows/")
                || relative.starts_with("lanes/workflows/")
                || relative.starts_with("lanes/zizmor/");
            if path.is_dir() {
                folders.push(path);
            } else if is_workflow && is_alone(&path) {
                let name = relative
                    .replace("false_green/", "")
                    .replace(".github/workflows/", "")
                    .replace("lanes/workflows/", "")
                    .replace("lanes/zizmor/", "")
                    .replace('/', "_");
                fs::copy(&path, into.join(&name)).expect("copied");
                names.push(name);
            }
        }
    }
    names
}

/// Whether it calls no file of its own tree, which would not stand beside the copy.
fn is_alone(workflow: &Path) -> bool {
    let text = fs::read_to_string(workflow).expect("a workflow");
    !text.contains("uses: ./")
}

/// A file that our reader refuses, whatever the rules say.
const REFUSED: &str = "the file";

fn ours(workflows: &Path, names: &[String]) -> Found {
    let of = |code: &str| RULES.iter().find(|(_, ours, _)| ours.contains(&code)).map(|one| one.0);
    let mut found = Found::new();
    for name in names {
        let bytes = fs::read(workflows.join(name)).expect("a workflow");
        let bench = Bench::new(&WORKFLOW_POLICY, POLICY).file(&format!("{FOLDER}/{name}"), &bytes);
        let looked = bench.run().looked;
        // A file without any action leaves a rule with nothing to look at; here that is no finding.
        if looked.error.is_some_and(|error| error.code != "nothing_examined") {
            found.insert((name.clone(), REFUSED));
            continue;
        }
        let rules = looked.findings.iter().filter_map(|finding| of(&finding.code));
        found.extend(rules.map(|rule| (name.clone(), rule)));
    }
    found
}

fn theirs(findings: &[Value]) -> Found {
    let of = |ident: &str| RULES.iter().find(|(_, _, all)| all.contains(&ident)).map(|one| one.0);
    let mut found = Found::new();
    for finding in findings {
        let Some(rule) = of(finding["ident"].as_str().expect("a name")) else { continue };
        let places = finding["locations"].as_array().expect("places");
        for place in places.iter().filter(|place| place["symbolic"]["kind"] == "Primary") {
            let path = place["symbolic"]["key"]["Local"]["verbatim_path"].as_str().expect("a path");
            found.insert((path.rsplit('/').next().expect("a name").to_owned(), rule));
        }
    }
    found
}

/// The table of a rule, and the rows of what only one of the two finds, as the page has them.
fn rows(names: &[String], ours: &Found, theirs: &Found) -> (Vec<String>, BTreeSet<String>) {
    let mut counts = Vec::new();
    let refused = |name: &&String| ours.contains(&((*name).clone(), REFUSED));
    let row = |name: &String| format!("| `{name}` | {REFUSED} | portcullis |");
    let mut differ: BTreeSet<String> = names.iter().filter(refused).map(row).collect();
    for (rule, _, _) in RULES {
        let (mut both, mut us, mut peer) = (0, 0, 0);
        for name in names.iter().filter(|name| !refused(name)) {
            let key = (name.clone(), rule);
            let only = match (ours.contains(&key), theirs.contains(&key)) {
                (true, true) => {
                    both += 1;
                    continue;
                }
                (false, false) => continue,
                (true, false) => {
                    us += 1;
                    "portcullis"
                }
                (false, true) => {
                    peer += 1;
                    "zizmor"
                }
            };
            differ.insert(format!("| `{name}` | {rule} | {only} |"));
        }
        let neither = names.iter().filter(|name| !refused(name)).count() - both - us - peer;
        counts.push(format!("| {rule} | {both} | {us} | {peer} | {neither} |"));
    }
    (counts, differ)
}

#[test]
fn the_comparison_with_zizmor_is_what_the_page_says() {
    let page = fs::read_to_string(checkout().join(PAGE)).expect("the page");
    let folder = tempfile::tempdir().expect("a folder");
    let workflows = folder.path().join(FOLDER);
    fs::create_dir_all(&workflows).expect("folders");
    let names = gathered(&workflows);
    assert!(page.contains(&format!("over {} workflow files", names.len())), "{}", names.len());
    let Some(program) = zizmor() else { return };
    let found = audit(&program, folder.path(), &["--persona", "auditor"]);
    let (counts, differ) = rows(&names, &ours(&workflows, &names), &theirs(&found));
    let differ_shown = differ.iter().cloned().collect::<Vec<_>>().join("\n");
    for row in counts {
        assert!(page.contains(&row), "{row}\n{differ_shown}");
    }
    let stated: BTreeSet<String> = page
        .lines()
        .filter(|line| line.contains("| portcullis |") || line.contains("| zizmor |"))
        .filter_map(|line| {
            let (row, reason) = line.trim_end_matches(" |").rsplit_once(" | ")?;
            assert!(reason.len() > 20, "a reason: {line}");
            Some(format!("{row} |"))
        })
        .collect();
    assert_eq!(stated, differ, "{differ_shown}");
}

#[test]
fn the_page_states_the_time_that_was_measured() {
    let text = fs::read_to_string(checkout().join("evidence/zizmor_time.json")).expect("evidence");
    let evidence: Value = serde_json::from_str(&text).expect("JSON");
    let times = |key: &str| -> Vec<u64> {
        let all = evidence[key].as_array().expect("times");
        all.iter().map(|time| time.as_u64().expect("a time")).collect()
    };
    let (ours, theirs) = (times("ours_ns"), times("zizmor_ns"));
    assert_eq!((ours.len(), theirs.len()), (21, 21));
    let mut ratios: Vec<u64> =
        ours.iter().zip(&theirs).map(|(us, peer)| us * 1_000 / peer).collect();
    ratios.sort_unstable();
    assert_eq!(evidence["median_ratio_permille"], ratios[10]);
    // Hundredths, rounded.
    let shown = |permille: u64| format!("0.{:02}", (permille + 5) / 10);
    let page = fs::read_to_string(checkout().join(PAGE)).expect("the page");
    let page = page.replace('\n', " ");
    assert!(page.contains(&format!("a median of {} of the time", shown(ratios[10]))), "{ratios:?}");
    let middle = format!("from {} to {}", shown(ratios[5]), shown(ratios[15]));
    assert!(page.contains(&middle), "{middle}: {ratios:?}");
    let files = format!("Over {} workflow files", evidence["files"]);
    assert!(page.contains(&files), "{files}");
}
