//! Faults that are planted into workflows: who finds them, and that nobody finds fault with what is harmless.

use super::{CHANGES, COMMENT, FILES, FOLDER, NIGHTLY, Repo, ci, repo};
use serde_json::Value;
use std::{collections::BTreeMap, fs, io::Write as _};

/// An edit of one file: in the text of a job, or anywhere where `job` is empty. What it replaces stands there once.
pub(super) struct Edit {
    pub(super) id: &'static str,
    pub(super) file: &'static str,
    pub(super) job: &'static str,
    pub(super) find: &'static str,
    pub(super) replace: &'static str,
}

/// An edit that has to be found, and by whom: `kind/code`.
pub(super) struct Fault {
    edit: Edit,
    expected: &'static str,
}

pub(super) const fn harmless(
    id: &'static str,
    (file, job): (&'static str, &'static str),
    find: &'static str,
    replace: &'static str,
) -> Edit {
    Edit { id, file, job, find, replace }
}

pub(super) const fn fault(
    id: &'static str,
    place: (&'static str, &'static str),
    find: &'static str,
    replace: &'static str,
    expected: &'static str,
) -> Fault {
    Fault { edit: harmless(id, place, find, replace), expected }
}

/// A policy and the files that its gates look at.
pub(super) struct Tree {
    pub(super) policy: String,
    pub(super) files: BTreeMap<String, String>,
}

impl Tree {
    /// Holds that every fault is found as expected, and that neither the tree nor a harmless edit has a finding.
    #[track_caller]
    pub(super) fn holds(&self, faults: &[Fault], benign: &[Edit]) {
        let (code, said) = self.judged(faults, benign);
        assert_eq!(code, Some(0), "{said}");
        let (n_faults, n_benign) = (faults.len(), benign.len());
        let expected =
            format!("caught {n_faults} of {n_faults}, benign silent {n_benign} of {n_benign}");
        assert!(said.contains(&expected), "{said}");
    }

    /// What `ci mutate` says about all of them, and how it ends.
    pub(super) fn judged(&self, faults: &[Fault], benign: &[Edit]) -> (Option<i32>, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = fs::File::create(folder.path().join("corpus.toml")).expect("a file");
        file.write_all(self.corpus(faults, benign).as_bytes()).expect("written");
        let output = ci(folder.path(), &["mutate", "--corpus", "corpus.toml"]);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), said)
    }

    fn corpus(&self, faults: &[Fault], benign: &[Edit]) -> String {
        // A JSON text is a TOML text.
        let json = |text: &str| Value::String(text.to_owned()).to_string();
        let edits: Vec<&Edit> = faults.iter().map(|fault| &fault.edit).chain(benign).collect();
        let key = |path: &str| format!("base_{}", path.replace(['/', '-', '.'], "_"));
        let mut text = "schema = 'portcullis.lane_mutations.v1'\n".to_owned();
        text.push_str(&format!("base_policy_toml = {}\n", json(&self.policy)));
        let mut paths = "[paths]\nbase_policy_toml = 'portcullis.toml'\n".to_owned();
        let mut stubs = "[stubs]\n".to_owned();
        for (path, file) in &self.files {
            if edits.iter().any(|edit| path_of(edit.file) == *path) {
                text.push_str(&format!("{} = {}\n", key(path), json(file)));
                paths.push_str(&format!("{} = '{path}'\n", key(path)));
            } else {
                stubs.push_str(&format!("{} = {}\n", json(path), json(file)));
            }
        }
        text.push_str(&paths);
        text.push_str(&stubs);
        let mut row = |table: &str, edit: &Edit, more: &str| {
            let path = path_of(edit.file);
            let base =
                if path == "portcullis.toml" { "base_policy_toml".into() } else { key(&path) };
            let (find, replace) = self.exact(edit);
            text.push_str(&format!(
                "[[{table}]]\nid = '{}'\nbase = '{base}'\nfind = {}\nreplace = {}\n{more}",
                edit.id,
                json(&find),
                json(&replace)
            ));
        };
        for fault in faults {
            let (kind, code) = fault.expected.split_once('/').expect("a kind and a code");
            let more = format!("expect_gate = '{kind}'\nexpect_code = '{code}'\n");
            row("mutation", &fault.edit, &more);
        }
        for edit in benign {
            row("benign", edit, "");
        }
        text
    }

    /// The edit with so much around it that it names one place of the file.
    fn exact(&self, edit: &Edit) -> (String, String) {
        let path = path_of(edit.file);
        let text =
            if path == "portcullis.toml" { &self.policy } else { &self.files[path.as_str()] };
        let scope = if edit.job.is_empty() { text } else { job(text, edit.job) };
        let n = scope.matches(edit.find).count();
        assert_eq!(n, 1, "`{}` of {}: {:?} in\n{scope}", edit.id, edit.file, edit.find);
        let edited = scope.replacen(edit.find, edit.replace, 1);
        if edit.job.is_empty() {
            (edit.find.to_owned(), edit.replace.to_owned())
        } else {
            (scope.to_owned(), edited)
        }
    }
}

/// A workflow goes by its name.
fn path_of(file: &str) -> String {
    if file.contains('/') || !file.ends_with(".yml") {
        file.to_owned()
    } else {
        format!("{FOLDER}/{file}")
    }
}

/// The lines of a job, as the generator writes them.
#[track_caller]
pub(super) fn job<'t>(workflow: &'t str, id: &str) -> &'t str {
    let head = format!("\n  {id}:\n");
    let begin = workflow.find(&head).map(|at| at + 1).unwrap_or_else(|| panic!("no job `{id}`"));
    let inner = begin + head.len() - 1;
    let mut end = inner;
    for line in workflow[inner..].split_inclusive('\n') {
        let indented = line.starts_with("   ") || line.trim().is_empty();
        if !indented {
            break;
        }
        end += line.len();
    }
    &workflow[begin..end]
}

const CLOCK: &str = "          cargo test --locked --no-fail-fast --test load_bearing_clock\n";
const CLIPPY: &str = "          cargo clippy --locked --workspace --all-targets -- -D warnings\n";
const NEEDS_FENCE: &str = "    needs: [fence]\n";

/// The faults of the corpus that a workflow can have, and what else the generator promises.
#[rustfmt::skip]
const FAULTS: [Fault; 35] = [
    fault("job_may_fail", (CHANGES, "load_bearing"), "    timeout-minutes: 10\n", "    timeout-minutes: 10\n    continue-on-error: true\n", "workflow_no_swallow/continue_on_error_job"),
    fault("step_may_fail", (CHANGES, "integration"), "        run: |\n          cargo test", "        continue-on-error: true\n        run: |\n          cargo test", "workflow_no_swallow/continue_on_error_step"),
    fault("or_true", (CHANGES, ""), CLOCK, "          cargo test --locked --no-fail-fast --test load_bearing_clock || true\n", "workflow_no_swallow/or_true"),
    fault("errexit_off", (CHANGES, ""), CLOCK, "          set +e\n          cargo test --locked --no-fail-fast --test load_bearing_clock\n          exit 0\n", "workflow_no_swallow/errexit_off"),
    fault("never_runs", (CHANGES, "load_bearing"), "        run: |\n          cargo test", "        if: ${{ false }}\n        run: |\n          cargo test", "workflow_no_swallow/never_runs"),
    fault("other_tests", (CHANGES, ""), CLOCK, "          cargo test --locked --no-fail-fast --test smoke --test gates\n", "workflow_runs_gate/gate_command_missing"),
    fault("lint_says_ok", (CHANGES, ""), CLIPPY, "          echo ok\n", "workflow_runs_gate/gate_command_missing"),
    fault("attached_flag", (CHANGES, "unit"), "          cargo nextest run", "          cargo nextest run -jnum-cpus", "lane_serial/parallel_flag"),
    fault("parallel_flag", (CHANGES, "unit"), "          cargo nextest run", "          cargo nextest run -j 4", "lane_serial/parallel_flag"),
    fault("timeout_raised", (CHANGES, "unit"), "timeout-minutes: 7\n", "timeout-minutes: 60\n", "workflow_policy/timeout_too_long"),
    fault("timeout_gone", (CHANGES, "unit"), "    timeout-minutes: 7\n", "", "workflow_policy/timeout_missing"),
    fault("more_scopes", (CHANGES, "bench"), "    timeout-minutes: 15\n", "    timeout-minutes: 15\n    permissions:\n      contents: read\n      pull-requests: write\n", "workflow_policy/permission_too_wide"),
    fault("everything_writes", (CHANGES, ""), "permissions:\n  contents: read\n", "permissions: write-all\n", "workflow_policy/permission_too_wide"),
    fault("does_not_wait", (CHANGES, "lint"), NEEDS_FENCE, "", "workflow_policy/needs_missing"),
    fault("foreign_code", (CHANGES, ""), "  pull_request:\n", "  pull_request:\n  pull_request_target:\n", "workflow_policy/trigger_denied"),
    fault("narrowed", (CHANGES, ""), "  pull_request:\n", "  pull_request:\n    paths: [src/**]\n", "workflow_policy/trigger_narrowed"),
    fault("gate_misspelt", (CHANGES, ""), "          cargo test --locked --test gates -- frozen_contracts --exact\n", "          cargo test --locked --test gates -- frozen_contract --exact\n", "workflow_runs_gate/gate_command_missing"),
    fault("an_old_toolchain_less", (CHANGES, "lint"), "toolchain: [\"1.89\", \"stable\"]", "toolchain: [\"stable\"]", "workflow_policy/matrix_value_missing"),
    fault("newest_image", (CHANGES, "aggregate"), "runs-on: ubuntu-24.04", "runs-on: ubuntu-latest", "workflow_policy/runner_not_pinned"),
    fault("aggregate_forgets_a_lane", (CHANGES, ""), "bench, contract_freeze, gates]", "bench, gates]", "workflow_aggregate/aggregate_needs_missing"),
    fault("aggregate_takes_skipped", (CHANGES, ""), " || contains(needs.*.result, 'skipped')", "", "workflow_aggregate/aggregate_accepts_skipped"),
    fault("aggregate_not_always", (CHANGES, "aggregate"), "    if: ${{ always() }}\n", "    if: ${{ !cancelled() }}\n", "workflow_aggregate/aggregate_not_always"),
    fault("drift_unchecked", (CHANGES, ""), "          cargo-portcullis ci check\n", "          cargo-portcullis ci check || true\n", "workflow_no_swallow/or_true"),
    fault("gates_not_run", (CHANGES, ""), " run --profile ci --locked", " plan --profile ci --locked", "workflow_runs_gate/gate_command_missing"),
    fault("no_tests_is_fine", (CHANGES, "unit"), "          cargo nextest run", "          cargo nextest run --no-tests=pass", "workflow_no_swallow/no_tests_allowed"),
    fault("blessed_in_ci", (CHANGES, "gates"), "    env:\n", "    env:\n      PORTCULLIS_BLESS: \"1\"\n", "workflow_policy/env_denied"),
    fault("a_job_more", (CHANGES, ""), "  # The one check", "  other:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n    steps: [{run: echo}]\n\n  # The one check", "workflow_policy/job_unexpected"),
    fault("twice_a_night", (NIGHTLY, ""), "    - cron: \"0 4 * * *\"\n", "    - cron: \"0 4 * * *\"\n    - cron: \"*/5 * * * *\"\n", "workflow_policy/cron_set_differs"),
    fault("nightly_or_true", (NIGHTLY, ""), "          cargo-portcullis canary measure nightly\n", "          cargo-portcullis canary measure nightly || true\n", "workflow_no_swallow/or_true"),
    fault("more_processors", (NIGHTLY, ""), "PORTCULLIS_FORCE_CPU_COUNT: \"2\"", "PORTCULLIS_FORCE_CPU_COUNT: \"8\"", "workflow_policy/env_differs"),
    fault("measures_with_rights", (NIGHTLY, "measure"), "      contents: read\n", "      contents: write\n", "workflow_policy/permission_too_wide"),
    fault("comment_unguarded", (COMMENT, ""), "    if: ${{ github.event.workflow_run.event == 'pull_request' }}\n", "", "workflow_policy/condition_differs"),
    fault("comment_checks_out", (COMMENT, ""), "    steps:\n", "    steps:\n      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8\n", "workflow_policy/action_not_allowed"),
    fault("comment_executes", (COMMENT, ""), "          done < ids\n", "            bash \"decisions/$id.json\"\n          done < ids\n", "workflow_policy/run_not_allowed"),
    fault("comment_may_write_code", (COMMENT, ""), "      pull-requests: write #", "      contents: write\n      pull-requests: write #", "workflow_policy/permission_too_wide"),
];

#[rustfmt::skip]
const SHARD_FAULTS: [Fault; 8] = [
    fault("a_shard_less", (CHANGES, ""), "shard: [\"1\", \"2\", \"3\"]", "shard: [\"1\", \"2\"]", "workflow_policy/matrix_value_missing"),
    fault("a_shard_excluded", (CHANGES, ""), "        shard: [\"1\", \"2\", \"3\"]\n", "        shard: [\"1\", \"2\", \"3\"]\n        exclude: [{shard: \"3\"}]\n", "workflow_policy/matrix_value_missing"),
    fault("one_name_for_all", (CHANGES, ""), "\"portcullis-shard-${{ matrix.shard }}\"", "portcullis-shard", "workflow_policy/artifact_name_clash"),
    fault("parts_not_joined", (CHANGES, "gates"), "          cargo-portcullis --format github merge target/portcullis/shards --out target/portcullis/merged\n", "          echo merged\n", "workflow_runs_gate/gate_command_missing"),
    fault("merge_or_true", (CHANGES, ""), "--out target/portcullis/merged\n", "--out target/portcullis/merged || true\n", "workflow_no_swallow/or_true"),
    fault("any_archive", (CHANGES, ""), "--strict tests.tar.zst.sha256\n", "--strict tests.tar.zst.sha256 || true\n", "workflow_no_swallow/or_true"),
    fault("shard_may_fail", (CHANGES, "shard"), "    timeout-minutes: 90\n", "    timeout-minutes: 90\n    continue-on-error: true\n", "workflow_no_swallow/continue_on_error_job"),
    fault("does_not_wait_for_shards", (CHANGES, ""), "    needs: [fence, archive, shard]\n", "    needs: [fence, archive]\n", "workflow_policy/needs_missing"),
];

/// Edits of form that change nothing.
#[rustfmt::skip]
const BENIGN: [Edit; 4] = [
    harmless("needs_as_string", (CHANGES, "lint"), NEEDS_FENCE, "    needs: fence\n"),
    harmless("a_shorter_timeout", (CHANGES, "unit"), "timeout-minutes: 7\n", "timeout-minutes: 6\n"),
    harmless("a_comment", (CHANGES, ""), "  # The one check", "  # continue-on-error: true || true\n  # The one check"),
    harmless("an_explicit_false", (NIGHTLY, "measure"), "    timeout-minutes: 180\n", "    timeout-minutes: 180\n    continue-on-error: false\n"),
];

/// The generated files with the gates that are printed for them.
fn generated(repo: &Repo, more: &[&str]) -> Tree {
    let words = [&["generate", "--provider", "github", "--policy"], more].concat();
    let output = repo.ci(&words);
    assert_eq!(output.status.code(), Some(0));
    let policy = String::from_utf8(output.stdout).expect("UTF-8");
    repo.generate(more);
    let workflows = [CHANGES, NIGHTLY, COMMENT].map(|name| (path_of(name), repo.text(name)));
    let others = FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Tree { policy, files: workflows.into_iter().chain(others).collect() }
}

#[test]
fn every_gate_is_silent_on_the_result_and_every_planted_fault_is_found() {
    for (shards, faults) in [("1", &FAULTS[..]), ("3", &SHARD_FAULTS[..])] {
        generated(&repo(), &["--shards", shards]).holds(faults, &BENIGN);
    }
}
