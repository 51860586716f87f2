//! The gates that hold the generated workflows, as tables for `portcullis.toml`: everything the generator promises.

use super::{COMMENT, NIGHTLY, PULL_REQUEST, Wish};
use crate::ci::{
    lanes::{self, FENCE, Lanes},
    pins,
    roster::Roster,
};
use std::{collections::BTreeMap, fmt::Write as _};

/// The tables, each gate with ids that begin with `lanes_`.
pub(crate) fn text(lanes: &Lanes, roster: &Roster, wish: Wish) -> String {
    let mut text = format!(
        "# The gates over the generated workflows, from `cargo portcullis ci generate {} --policy`.\n",
        wish.words()
    );
    text.push_str(&shape(lanes, wish));
    text.push_str(SWALLOW);
    text.push_str(&commands(lanes, roster, wish));
    let _ok = write!(
        text,
        "\n[[gate]]\nid = \"lanes_aggregate\"\nkind = \"workflow_aggregate\"\ntitle = \"one check says whether every lane succeeded\"\nfile = [\"{PULL_REQUEST}\"]\n"
    );
    let serial: Vec<&str> =
        lanes.lanes.iter().filter(|lane| lane.serial).map(|lane| lane.id.as_str()).collect();
    if !serial.is_empty() {
        text.push_str("\n[[gate]]\nid = \"lanes_serial\"\nkind = \"lane_serial\"\ntitle = \"serial lanes are serial\"\n");
        for id in serial {
            let _ok =
                write!(text, "\n[[gate.serial]]\nfile = \"{PULL_REQUEST}\"\njob = \"{id}\"\n");
        }
    }
    text
}

const SWALLOW: &str = r#"
[[gate]]
id = "lanes_no_swallow"
kind = "workflow_no_swallow"
title = "no lane hides a failure"
verify = ["cargo **", "cargo-nextest **", "cargo-portcullis **", "just **", "make **", "sha256sum **"]
"#;

/// Jobs, needs, limits, rights, triggers and pins.
fn shape(lanes: &Lanes, wish: Wish) -> String {
    let mut rules = Rules(String::from(
        "\n[[gate]]\nid = \"lanes_policy\"\nkind = \"workflow_policy\"\ntitle = \"the generated workflows keep their shape\"\n",
    ));
    rules.everywhere(lanes, wish);
    rules.changes(lanes, wish);
    rules.each_lane(lanes, wish);
    rules.night();
    if wish.comments {
        rules.comment();
    }
    rules.0
}

/// The rules of the one gate over the shape of workflows.
struct Rules(String);

impl Rules {
    fn rule(&mut self, id: &str, file: &str, rest: &str) {
        let _ok = write!(self.0, "\n[[gate.rule]]\nid = \"{id}\"\nfile = [\"{file}\"]\n{rest}");
    }

    fn everywhere(&mut self, lanes: &Lanes, wish: Wish) {
        let actions = [pins::CHECKOUT, pins::DOWNLOAD, pins::UPLOAD]
            .map(|name| lanes.pins.uses(name))
            .map(|uses| uses.split(' ').next().unwrap_or_default().to_owned());
        let except = if wish.comments {
            format!(
                "except_file = [{{ file = \"{COMMENT}\", reason = \"it words a decision again from the default branch, and takes the artifact as untrusted\" }}]\n"
            )
        } else {
            String::new()
        };
        self.rule(
            "no_foreign_trigger",
            "portcullis*.yml",
            &format!("{except}triggers_deny = [\"issue_comment\", \"pull_request_target\", \"workflow_run\"]\n"),
        );
        self.rule(
        "every_generated_file",
        "portcullis*.yml",
        &format!(
            "uses_pinned = true\nuses_allow = {}\nrunner_pinned = true\nruns_on = [\"ubuntu-24.04\"]\ntimeout_required = true\nsteps_advisory = []\nenv_deny = [\"PORTCULLIS_BLESS\", \"PORTCULLIS_NOW\", \"PORTCULLIS_ALLOW_PAST\", \"INSTA_UPDATE\", \"TRYBUILD\", \"NEXTEST_NO_TESTS\", \"NEXTEST_RETRIES\"]\nrun_deny = [\"** --bless\", \"** --bless **\", \"cargo-portcullis ci generate **\"]\n",
            list(&actions)
        ),
    );
    }

    fn changes(&mut self, lanes: &Lanes, wish: Wish) {
        let ids = job_ids(lanes, wish);
        self.rule(
        "changes",
        PULL_REQUEST,
        &format!(
            "jobs_exact = {}\ntriggers_superset = [\"merge_group\", \"pull_request\", \"push\", \"workflow_dispatch\"]\ntriggers_unfiltered = [\"merge_group\", \"pull_request\"]\npermissions_max = {{ contents = \"read\" }}\nconcurrency = {{ group = \"${{{{ github.workflow }}}}-${{{{ github.ref }}}}\", cancel_in_progress = \"${{{{ github.event_name == 'pull_request' }}}}\" }}\n",
            list(&ids)
        ),
    );
        let jobs_rights = |ids: &[String]| {
            format!("job = {}\npermissions_max = {{ contents = \"read\" }}\n", list(ids))
        };
        self.rule("no_write_scope", PULL_REQUEST, &jobs_rights(&ids));
        self.rule(
            "aggregate_has_no_rights",
            PULL_REQUEST,
            "job = [\"aggregate\"]\npermissions_max = {}\n",
        );
        let mut limits: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (id, minutes) in timeouts(lanes, wish) {
            limits.entry(minutes).or_default().push(id);
        }
        for (minutes, ids) in &limits {
            let rest = format!("job = {}\ntimeout_minutes_max = {minutes}\n", list(ids));
            self.rule(&format!("at_most_{minutes}_minutes"), PULL_REQUEST, &rest);
        }
    }

    fn each_lane(&mut self, lanes: &Lanes, wish: Wish) {
        for lane in &lanes.lanes {
            let mut rest = format!(
                "job = [\"{}\"]\nmatrix_superset = {{ toolchain = {} }}\n",
                lane.id,
                list(&lane.toolchains)
            );
            if !lane.needs.is_empty() {
                let _ok = writeln!(rest, "needs_superset = {}", list(&lane.needs));
            }
            self.rule(&lanes::rule_id(&lane.id), PULL_REQUEST, &rest);
        }
        if wish.shards > 1 {
            let parts: Vec<String> = (1..=wish.shards).map(|part| part.to_string()).collect();
            self.rule(
            "every_shard",
            PULL_REQUEST,
            &format!(
                "job = [\"shard\"]\nneeds_superset = [\"archive\"]\nmatrix_superset = {{ shard = {} }}\n",
                list(&parts)
            ),
        );
            self.rule(
                "the_parts_are_joined",
                PULL_REQUEST,
                "job = [\"gates\"]\nneeds_superset = [\"shard\"]\ncondition = \"!cancelled()\"\n",
            );
        }
    }

    fn night(&mut self) {
        self.rule(
        "nightly",
        NIGHTLY,
        "jobs_exact = [\"measure\", \"report\"]\ncron_set = [\"0 4 * * *\"]\ntriggers_superset = [\"schedule\", \"workflow_dispatch\"]\npermissions_max = { contents = \"read\" }\n",
    );
        self.rule(
        "nightly_measures",
        NIGHTLY,
        "job = [\"measure\"]\nenv = { PORTCULLIS_FORCE_CPU_COUNT = \"2\" }\npermissions_max = { contents = \"read\" }\ntimeout_minutes_max = 180\n",
    );
        self.rule(
        "nightly_reports",
        NIGHTLY,
        "job = [\"report\"]\nneeds_superset = [\"measure\"]\npermissions_max = { issues = \"write\" }\ntimeout_minutes_max = 10\n",
    );
    }

    fn comment(&mut self) {
        self.rule("comment", COMMENT, "jobs_exact = [\"comment\"]\npermissions_max = {}\n");
        self.rule(
            "comment_is_fenced",
            COMMENT,
            "job = [\"comment\"]\npermissions_max = { pull-requests = \"write\" }\ntimeout_minutes_max = 5\nuses_allow = [\"no-action-at-all\"]\nrun_allow = [\"echo **\", \"exit 0\", \"gh api **\", \"head **\", \"jq **\", \"mkdir -p decisions\", \"printf **\", \"sed -n 1p\", \"stat **\", \"unzip -p artifact.zip decisions.json\", \"[ **\", \"read -r id\", \"continue\"]\ncondition = \"github.event.workflow_run.event == 'pull_request'\"\n",
        );
    }
}

/// Every command of every lane, word by word, reached whatever the event.
fn commands(lanes: &Lanes, roster: &Roster, wish: Wish) -> String {
    let mut text = String::from(
        "\n[[gate]]\nid = \"lanes_run_their_gates\"\nkind = \"workflow_runs_gate\"\ntitle = \"each lane runs what it is there for\"\nresolve = \"static\"\n",
    );
    let mut runs = |file: &str, job: &str, pattern: Option<String>| {
        let Some(pattern) = pattern.as_deref().map(quoted) else { return };
        let _ok = write!(
            text,
            "\n[[gate.runs]]\nfile = \"{file}\"\njob = \"{job}\"\ncommand = {pattern}\n"
        );
    };
    for argv in roster.fence() {
        runs(PULL_REQUEST, FENCE, pattern(&argv));
    }
    for lane in &lanes.lanes {
        for argv in &lane.run {
            runs(PULL_REQUEST, &lane.id, pattern(argv));
        }
        if lane.id == crate::ci::lanes::BENCH {
            for id in &roster.advisory {
                runs(
                    PULL_REQUEST,
                    &lane.id,
                    Some(format!("cargo-portcullis --format json canary compare {id}")),
                );
            }
        }
    }
    runs(PULL_REQUEST, "gates", Some("cargo-portcullis ci check".to_owned()));
    let running = if wish.shards > 1 { "shard" } else { "gates" };
    for argv in &lanes.prepare {
        runs(PULL_REQUEST, running, pattern(argv));
    }
    if wish.shards > 1 {
        runs(
            PULL_REQUEST,
            "archive",
            Some("cargo nextest archive --locked --workspace **".to_owned()),
        );
        runs(
            PULL_REQUEST,
            "shard",
            Some("cargo-portcullis ** run --profile ci --archive ** --shard **".to_owned()),
        );
        runs(PULL_REQUEST, "gates", Some("cargo-portcullis ** merge **".to_owned()));
    } else {
        runs(PULL_REQUEST, "gates", Some("cargo-portcullis ** run --profile ci **".to_owned()));
    }
    for argv in roster.night() {
        runs(NIGHTLY, "measure", pattern(&argv));
    }
    text
}

/// A pattern of the command that these words come to, as the gate sees it: without `env`, assignments and toolchain.
/// Nothing for what is opened into other commands: scripts, recipes and aliases.
fn pattern(argv: &[String]) -> Option<String> {
    const OWN: [&str; 14] = [
        "bench", "build", "check", "clippy", "deny", "doc", "fetch", "fmt", "metadata", "nextest",
        "run", "test", "tree", "update",
    ];
    const OPENED: [&str; 6] = ["bash", "dash", "just", "make", "sh", "zsh"];
    let is_prefix =
        |word: &&String| *word == "env" || (word.contains('=') && !word.starts_with('-'));
    let mut words: Vec<&String> = argv.iter().skip_while(is_prefix).collect();
    let program = words.first()?.as_str();
    if program == "cargo" {
        if words.get(1).is_some_and(|word| word.starts_with('+')) {
            words.remove(1);
        }
        words.get(1).filter(|word| OWN.contains(&word.as_str()))?;
    }
    if OPENED.contains(&program) || program.contains('/') {
        return None;
    }
    let star = |word: &&String| {
        if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c == '*') {
            "*"
        } else {
            word.as_str()
        }
        .to_owned()
    };
    Some(words.iter().map(star).collect::<Vec<_>>().join(" "))
}

fn job_ids(lanes: &Lanes, wish: Wish) -> Vec<String> {
    timeouts(lanes, wish).into_iter().map(|(id, _)| id).collect()
}

/// Every job of the workflow of changes with its limit, as `pull_request` writes them.
fn timeouts(lanes: &Lanes, wish: Wish) -> Vec<(String, u32)> {
    let mut all = vec![(FENCE.to_owned(), super::pull_request::FENCE_MINUTES)];
    all.extend(lanes.lanes.iter().map(|lane| (lane.id.clone(), lane.timeout_minutes)));
    let own: &[(&str, u32)] = if wish.shards > 1 {
        &[("archive", 60), ("shard", 90), ("gates", 30), ("aggregate", 5)]
    } else {
        &[("gates", 90), ("aggregate", 5)]
    };
    all.extend(own.iter().map(|(id, minutes)| ((*id).to_owned(), *minutes)));
    all
}

fn list<S: AsRef<str>>(texts: &[S]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// A TOML text. None of ours has a control character, so a JSON text is one.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}
