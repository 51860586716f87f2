use super::*;
use portcullis::{
    Outcome,
    testing::{self, Seen},
};

const PATH: &str = ".github/workflows/ci.yml";

/// Judges one workflow under one rule.
fn judged(rule: &str, text: &str) -> Seen {
    let config = format!("[[rule]]\nid = 'one'\n{rule}\n");
    testing::run(&WORKFLOW_POLICY, &config, &[(PATH, text)])
}

/// The codes of one workflow under one rule, each once, or that of the error.
fn codes(rule: &str, text: &str) -> String {
    let seen = judged(rule, text);
    if let Some(error) = seen.error() {
        return format!("error {}", error.code);
    }
    let mut codes = seen.codes;
    codes.sort();
    codes.dedup();
    codes.join(" ")
}

/// A workflow of one job `unit` with these keys.
fn job(keys: &str) -> String {
    format!(
        "on: pull_request\npermissions: {{}}\njobs:\n  unit:\n    runs-on: ubuntu-24.04\n{keys}    steps:\n      - run: cargo test\n"
    )
}

/// A workflow of one job `unit` with these steps.
fn steps(steps: &str) -> String {
    format!(
        "on: pull_request\npermissions: {{}}\njobs:\n  unit:\n    runs-on: ubuntu-24.04\n    steps:\n{steps}"
    )
}

fn check(rule: &str, table: &[(&str, String, &str)]) {
    for (case, text, expected) in table {
        assert_eq!(codes(rule, text), *expected, "{case}\n{text}");
    }
}

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&WORKFLOW_POLICY), Vec::<String>::new());
}

#[test]
fn a_timeout_is_compared_in_every_spelling() {
    let of = |value: &str| job(&format!("    timeout-minutes: {value}\n"));
    check(
        "timeout_minutes_max = 7",
        &[
            ("at the cap", of("7"), ""),
            ("one over", of("8"), "timeout_too_long"),
            ("a fraction over", of("7.5"), "timeout_too_long"),
            ("quoted", of("'7'"), ""),
            ("quoted and over", of("\"60\""), "timeout_too_long"),
            ("lower", of("1"), ""),
            ("octal", of("0o10"), "timeout_too_long"),
            ("an expression that folds", of("${{ 60 }}"), "timeout_too_long"),
            ("a choice that folds", of("${{ false && 60 || 7 }}"), ""),
            ("an expression that does not", of("${{ vars.LIMIT }}"), "not_static"),
            ("nothing", of(""), "timeout_missing"),
            ("absent", job(""), "timeout_missing"),
            (
                "one cell of the matrix",
                job("    timeout-minutes: ${{ matrix.m }}\n    strategy: {matrix: {m: [5, 60]}}\n"),
                "timeout_too_long",
            ),
            ("an alias", job("    env: {A: &a 60}\n    timeout-minutes: *a\n"), "timeout_too_long"),
        ],
    );
}

#[test]
fn permissions_in_force_are_bounded() {
    let of = |top: &str, own: &str| {
        format!("on: push\n{top}jobs:\n  unit:\n    runs-on: a-1\n{own}    steps: [{{run: a}}]\n")
    };
    check(
        "job = ['unit']\npermissions_max = { contents = 'read' }",
        &[
            ("inherited", of("permissions: {contents: read}\n", ""), ""),
            ("nothing at all", of("permissions: {}\n", ""), ""),
            ("a level that is none", of("permissions: {packages: none}\n", ""), ""),
            (
                "inherited and too wide",
                of("permissions: {packages: read}\n", ""),
                "permission_too_wide",
            ),
            ("the job's own wins", of("permissions: write-all\n", "    permissions: {}\n"), ""),
            (
                "widened by the job",
                of("permissions: {}\n", "    permissions: write-all\n"),
                "permission_too_wide",
            ),
            ("everything readable", of("permissions: read-all\n", ""), "permission_too_wide"),
            ("a higher level", of("permissions: {contents: write}\n", ""), "permission_too_wide"),
            ("nothing said", of("", ""), "permissions_unset"),
            ("an unknown scope", of("permissions: {secrets: read}\n", ""), "error unknown_key"),
        ],
    );
    check(
        "job = ['unit']\npermissions_min = { contents = 'read' }",
        &[
            ("enough", of("permissions: {contents: write}\n", ""), ""),
            ("too little", of("permissions: {contents: none}\n", ""), "permission_missing"),
            ("by everything", of("permissions: read-all\n", ""), ""),
        ],
    );
    check(
        "permissions_max = { contents = 'read' }",
        &[
            (
                "the keys of the workflow alone",
                of("permissions: {}\n", "    permissions: write-all\n"),
                "",
            ),
            ("too wide", of("permissions: {issues: write}\n", ""), "permission_too_wide"),
            ("unset above", of("", "    permissions: {}\n"), "permissions_unset"),
        ],
    );
}

#[test]
fn a_reusable_job_is_no_more_than_its_caller() {
    let called = "on: workflow_call\njobs:\n  inner:\n    runs-on: ubuntu-latest\n    permissions: {contents: write}\n    steps: [{run: a, continue-on-error: true}]\n";
    let caller = "on: push\npermissions: {contents: read}\njobs:\n  unit: {uses: ./.github/workflows/inner.yml}\n";
    let run = |rule: &str| {
        let config = format!("[[rule]]\nid = 'one'\nfile = 'ci.yml'\njob = ['unit']\n{rule}\n");
        let files = [(PATH, caller), (".github/workflows/inner.yml", called)];
        testing::run(&WORKFLOW_POLICY, &config, &files)
    };
    let table: &[(&str, &str)] = &[
        ("timeout_required = true", "timeout_missing"),
        ("runner_pinned = true", "runner_not_pinned"),
        ("steps_advisory = []", "advisory_differs"),
        ("permissions_max = { contents = 'read' }", ""),
        ("permissions_max = {}", "permission_too_wide"),
    ];
    for (rule, expected) in table {
        let seen = run(rule);
        assert_eq!(seen.codes.join(" "), *expected, "{rule}: {:?}", seen.messages);
    }
    let place = run("timeout_required = true").looked.findings.remove(0).location;
    assert_eq!(place.expect("a place").path, ".github/workflows/inner.yml");
}

#[test]
fn nesting_ends_somewhere() {
    let level =
        |n: usize| format!("runs:\n  using: composite\n  steps: [{{uses: ./a{}}}]\n", n + 1);
    let run = |levels: usize| {
        let mut files = vec![(PATH.to_owned(), steps("      - uses: ./a1\n"))];
        for n in 1..levels {
            files.push((format!("a{n}/action.yml"), level(n)));
        }
        let last = "runs:\n  using: composite\n  steps: [{run: a, shell: bash, continue-on-error: true}]\n";
        files.push((format!("a{levels}/action.yaml"), last.to_owned()));
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        testing::run(&WORKFLOW_POLICY, "[[rule]]\nid = 'one'\nsteps_advisory = []\n", &files)
    };
    assert_eq!(run(10).codes, ["advisory_differs"], "ten levels are followed");
    assert_eq!(run(11).code.as_deref(), Some("input_too_large"));
    let own = "runs:\n  using: composite\n  steps: [{uses: ./a}]\n";
    let files = [(PATH, &*steps("      - uses: ./a\n")), ("a/action.yml", own)];
    let seen =
        testing::run(&WORKFLOW_POLICY, "[[rule]]\nid = 'one'\nsteps_advisory = []\n", &files);
    assert_eq!(seen.code.as_deref(), Some("workflow_invalid"), "an action that uses itself");
}

#[test]
fn triggers_are_compared_in_every_form() {
    let of = |on: &str| {
        format!("{on}\npermissions: {{}}\njobs: {{a: {{runs-on: a-1, steps: [{{run: a}}]}}}}\n")
    };
    check(
        "triggers_unfiltered = ['pull_request']\ntriggers_deny = ['pull_request_target']",
        &[
            ("a string", of("on: pull_request"), ""),
            ("a list", of("on: [push, pull_request]"), ""),
            ("a map", of("on: {pull_request: }"), ""),
            (
                "the usual types and one more",
                of("on: {pull_request: {types: [opened, reopened, synchronize, labeled]}}"),
                "",
            ),
            ("every branch", of("on: {pull_request: {branches: ['**']}}"), ""),
            ("a type less", of("on: {pull_request: {types: [opened]}}"), "trigger_narrowed"),
            ("a branch", of("on: {pull_request: {branches: main}}"), "trigger_narrowed"),
            ("paths", of("on: {pull_request: {paths: [src/**]}}"), "trigger_narrowed"),
            (
                "paths to ignore",
                of("on: {pull_request: {paths-ignore: ['**.md']}}"),
                "trigger_narrowed",
            ),
            ("absent", of("on: push"), "trigger_missing"),
            ("denied in a list", of("on: [pull_request, pull_request_target]"), "trigger_denied"),
            (
                "denied in a map",
                of("on: {pull_request: , pull_request_target: {branches: [x]}}"),
                "trigger_denied",
            ),
        ],
    );
    check(
        "cron_set = ['0 4 * * *']",
        &[
            ("equal", of("on: {schedule: [{cron: '0 4 * * *'}]}"), ""),
            ("more spaces", of("on: {schedule: [{cron: '0  4 * * *'}]}"), ""),
            (
                "twice the same",
                of("on: {schedule: [{cron: '0 4 * * *'}, {cron: '0 4 * * *'}]}"),
                "",
            ),
            ("another", of("on: {schedule: [{cron: '0 5 * * *'}]}"), "cron_set_differs"),
            (
                "one more",
                of("on: {schedule: [{cron: '0 4 * * *'}, {cron: '1 4 * * *'}]}"),
                "cron_set_differs",
            ),
            (
                "another zone",
                of("on: {schedule: [{cron: '0 4 * * *', timezone: Asia/Tokyo}]}"),
                "cron_set_differs",
            ),
            ("none", of("on: push"), "cron_set_differs"),
        ],
    );
}

#[test]
fn runners_are_compared_label_by_label() {
    let of = |runner: &str| {
        format!(
            "on: push\npermissions: {{}}\njobs: {{a: {{runs-on: {runner}, strategy: {{matrix: {{os: [ubuntu-24.04, macos-15]}}}}, steps: [{{run: a}}]}}}}\n"
        )
    };
    check(
        "runs_on = ['ubuntu-24.04']\nrunner_pinned = true",
        &[
            ("a string", of("ubuntu-24.04"), ""),
            ("a list", of("[ubuntu-24.04]"), ""),
            ("another case", of("Ubuntu-24.04"), ""),
            ("labels", of("{labels: [ubuntu-24.04]}"), ""),
            ("a group", of("{group: big, labels: [ubuntu-24.04]}"), "runner_not_allowed"),
            ("moving", of("ubuntu-latest"), "runner_not_allowed runner_not_pinned"),
            ("one of two labels", of("[ubuntu-24.04, gpu]"), "runner_not_allowed"),
            ("one of the matrix", of("\"${{ matrix.os }}\""), "runner_not_allowed"),
            ("a choice that folds", of("\"${{ false && 'x' || 'ubuntu-24.04' }}\""), ""),
            ("a list that folds", of("\"${{ fromJSON('[\\\"ubuntu-24.04\\\"]') }}\""), ""),
            ("at run time", of("\"${{ vars.RUNNER }}\""), "not_static"),
        ],
    );
}

#[test]
fn pins_are_forty_hex_digits() {
    let sha = "11bd71901bbe5b1630ceea73d27597364c9af683";
    let digest = "0".repeat(64);
    let of = |uses: &str| steps(&format!("      - uses: {uses}\n"));
    check(
        "uses_pinned = true",
        &[
            ("a commit", of(&format!("actions/checkout@{sha}")), ""),
            ("a commit of a folder", of(&format!("o/r/sub/folder@{sha}")), ""),
            ("a tag", of("actions/checkout@v4"), "action_not_pinned"),
            ("a branch", of("actions/checkout@main"), "action_not_pinned"),
            (
                "a short commit",
                of(&format!("actions/checkout@{}", &sha[..39])),
                "action_not_pinned",
            ),
            ("a longer one", of(&format!("actions/checkout@{sha}0")), "action_not_pinned"),
            ("nothing", of("actions/checkout"), "action_not_pinned"),
            (
                "a tag that looks like one",
                of(&format!("actions/checkout@v{}", &sha[..39])),
                "action_not_pinned",
            ),
            ("a local one", of("./.github/actions/x"), ""),
            ("an image by tag", of("docker://alpine:3"), "action_not_pinned"),
            ("an image by commit", of(&format!("docker://alpine@{sha}")), "action_not_pinned"),
            ("an image by digest", of(&format!("docker://alpine@sha256:{digest}")), ""),
            ("a container", job("    container: rust:1.90\n"), "action_not_pinned"),
            (
                "a container by digest",
                job(&format!("    container: {{image: rust@sha256:{digest}}}\n")),
                "",
            ),
            ("a service", job("    services: {db: {image: postgres}}\n"), "action_not_pinned"),
            (
                "a called workflow",
                "on: push\njobs: {a: {uses: o/r/.github/workflows/x.yml@main}}\n".to_owned(),
                "action_not_pinned",
            ),
            (
                "a pinned called workflow",
                format!("on: push\njobs: {{a: {{uses: o/r/.github/workflows/x.yml@{sha}}}}}\n"),
                "",
            ),
        ],
    );
    check(
        "uses_allow = ['actions/*', 'docker://ghcr.io/**']",
        &[
            ("listed", of("actions/checkout@v4"), ""),
            ("of another owner", of("evil/checkout@v4"), "action_not_allowed"),
            ("deeper than the pattern", of("actions/a/b@v4"), "action_not_allowed"),
            ("an image", of("docker://ghcr.io/a/b:1"), ""),
            ("a foreign image", of("docker://alpine:1"), "action_not_allowed"),
            ("local", of("./x"), ""),
        ],
    );
}

#[test]
fn a_pin_in_an_action_is_found_once() {
    let setup = "runs:\n  using: composite\n  steps:\n    - uses: actions/cache@v4\n";
    let text = "on: push\njobs:\n  a: {runs-on: a-1, steps: [{uses: ./setup}]}\n  b: {runs-on: a-1, steps: [{uses: ./setup}]}\n";
    let files = [(PATH, text), ("setup/action.yml", setup)];
    let config =
        "[[rule]]\nid = 'one'\nuses_pinned = true\n[[rule]]\nid = 'two'\nuses_pinned = true\n";
    let seen = testing::run(&WORKFLOW_POLICY, config, &files);
    assert_eq!(seen.codes, ["action_not_pinned"], "{:?}", seen.messages);
    let place = seen.looked.findings[0].location.clone().expect("a place");
    assert_eq!(place.to_string(), "setup/action.yml:4:13");
}

#[test]
fn variables_are_compared_as_printed() {
    let of = |env: &str, step: &str| {
        format!(
            "on: push\nenv: {{N: 1}}\njobs:\n  unit:\n    runs-on: a-1\n    env: {env}\n    steps:\n      - run: a\n{step}"
        )
    };
    check(
        "job = ['unit']\nenv = { N = '2' }",
        &[
            ("quoted", of("{N: '2'}", ""), ""),
            ("a number", of("{N: 2}", ""), ""),
            ("a number with a fraction", of("{N: 2.0}", ""), ""),
            ("an expression that folds", of("{N: \"${{ 2 }}\"}", ""), ""),
            ("inherited", of("{}", ""), "env_differs"),
            ("another", of("{N: '3'}", ""), "env_differs"),
            ("a step that agrees", of("{N: 2}", "      - {run: a, env: {N: '2'}}\n"), ""),
            (
                "a step that overrides",
                of("{N: 2}", "      - {run: a, env: {N: 4}}\n"),
                "env_differs",
            ),
            ("at run time", of("{N: \"${{ vars.N }}\"}", ""), "not_static"),
            ("in front of a command", of("{N: 2}", "      - run: N=4 cargo test\n"), "env_differs"),
            ("by export", of("{N: 2}", "      - run: export N=4; cargo test\n"), "env_differs"),
            (
                "for later steps",
                of("{N: 2}", "      - run: echo N=4 >> \"$GITHUB_ENV\"\n"),
                "env_differs",
            ),
            ("in front, the same", of("{N: 2}", "      - run: N=2 cargo test\n"), ""),
            ("only printed", of("{N: 2}", "      - run: echo N=4\n"), ""),
        ],
    );
}

#[test]
fn denied_variables_are_found_everywhere() {
    let script = |text: &str| steps(&format!("      - run: |\n          {text}\n"));
    check(
        "env_deny = ['PORTCULLIS_BLESS', 'INSTA_*']",
        &[
            ("of the workflow", format!("env: {{INSTA_UPDATE: a}}\n{}", job("")), "env_denied"),
            ("of the job", job("    env: {PORTCULLIS_BLESS: 1}\n"), "env_denied"),
            ("of a container", job("    container: {image: a, env: {INSTA_X: 1}}\n"), "env_denied"),
            ("of a step", steps("      - {run: a, env: {INSTA_X: 1}}\n"), "env_denied"),
            (
                "of a step that uses",
                steps("      - {uses: o/a@v1, env: {INSTA_X: 1}}\n"),
                "env_denied",
            ),
            ("in front of a command", script("PORTCULLIS_BLESS=1 cargo test"), "env_denied"),
            ("behind env", script("env -u A PORTCULLIS_BLESS=1 cargo test"), "env_denied"),
            ("exported", script("export PORTCULLIS_BLESS=1; cargo test"), "env_denied"),
            (
                "written for later",
                script("echo \"INSTA_UPDATE=always\" >> \"$GITHUB_ENV\""),
                "env_denied",
            ),
            ("in a comment", script("# PORTCULLIS_BLESS=1 cargo test"), ""),
            ("in a text", script("echo 'PORTCULLIS_BLESS=1 cargo test'"), ""),
            ("as an argument", script("grep -r PORTCULLIS_BLESS= src"), ""),
            ("a longer name", job("    env: {MY_INSTA_X: 1}\n"), ""),
        ],
    );
}

#[test]
fn commands_are_what_runs_in_the_end() {
    let run = |text: &str| steps(&format!("      - run: |\n          {text}\n"));
    check(
        "run_deny = ['** --bless', '** --bless **']",
        &[
            ("plain", run("cargo xtask schemas --bless"), "run_denied"),
            ("in the middle", run("cargo xtask --bless schemas"), "run_denied"),
            ("behind another", run("true && cargo xtask schemas --bless"), "run_denied"),
            ("when another fails", run("a || cargo xtask schemas --bless"), "run_denied"),
            ("in a substitution", run("x=$(cargo xtask schemas --bless)"), "run_denied"),
            ("in quotes", run("echo 'cargo xtask schemas --bless'"), ""),
            ("in a comment", run("true # cargo xtask schemas --bless"), ""),
            ("another word", run("cargo xtask schemas --blessed"), ""),
        ],
    );
    check(
        "run_require = ['cargo test **']\nrun_allow = ['cargo **', 'echo **']",
        &[
            ("there", run("cargo test --locked"), ""),
            ("behind programs", run("sudo env A=b timeout 60 cargo +stable test --locked"), ""),
            ("another", run("cargo build"), "run_missing"),
            ("nothing else", run("cargo test; curl x"), "run_not_allowed"),
            (
                "not in a shell",
                steps("      - {run: cargo test, shell: pwsh}\n"),
                "opaque run_missing",
            ),
        ],
    );
}

#[test]
fn a_fork_is_kept_out_by_what_folds_to_false() {
    let of = |condition: &str| {
        steps(&format!(
            "      - name: comment\n        if: {condition}\n        run: gh pr comment\n"
        ))
    };
    let fork = "github.event.pull_request.head.repo.fork";
    let name = "github.event.pull_request.head.repo.full_name";
    check(
        "fork_guard = { steps = ['comment'] }",
        &[
            ("equal to false", of(&format!("{fork} == false")), ""),
            ("negated, with braces", of(&format!("${{{{ !{fork} }}}}")), ""),
            ("by name", of(&format!("{name} == github.repository")), ""),
            (
                "by owner",
                of("github.event.pull_request.head.repo.owner.login == github.repository_owner"),
                "",
            ),
            ("never on a pull request", of("github.event_name == 'push'"), ""),
            ("never", of("false"), ""),
            ("with more", of(&format!("github.actor != 'x' && !{fork}")), ""),
            (
                "or something else",
                of(&format!("github.actor == 'x' || !{fork}")),
                "fork_guard_missing",
            ),
            ("for forks alone", of(fork), "fork_guard_missing"),
            ("another question", of("github.event_name == 'pull_request'"), "fork_guard_missing"),
            ("whatever happened", of("always()"), "fork_guard_missing"),
            ("a text", of(&format!("${{{{ !{fork} }}}} == true")), "guard_ineffective"),
            ("a line break", of(&format!("|\n          ${{{{ !{fork} }}}}")), "guard_ineffective"),
            ("nothing", of("''"), "fork_guard_missing"),
            (
                "on the job",
                format!(
                    "on: pull_request\njobs:\n  unit:\n    runs-on: a-1\n    if: '!{fork}'\n    steps: [{{id: comment, run: a}}]\n"
                ),
                "",
            ),
            ("no such step", steps("      - run: a\n"), "error selector_matches_nothing"),
        ],
    );
    let pair = |notice: &str| {
        steps(&format!(
            "      - name: comment\n        if: '!{fork}'\n        run: a\n      - name: notice\n        if: {notice}\n        run: b\n"
        ))
    };
    check(
        "fork_guard = { steps = ['comment'], alternative = 'notice' }",
        &[
            ("exactly then", pair(fork), ""),
            ("always", pair("always()"), "fork_guard_missing"),
            ("never", pair("false"), "fork_guard_missing"),
            ("with an unknown", pair(&format!("{fork} && vars.X")), "fork_guard_missing"),
        ],
    );
}

#[test]
fn uploads_name_what_varies() {
    let of = |matrix: &str, name: &str, more: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: a-1\n    strategy: {{matrix: {matrix}}}\n    steps:\n      - uses: actions/upload-artifact@v4\n        with: {{name: \"{name}\"}}\n{more}"
        )
    };
    let two = "{t: [a, b], os: [x, y]}";
    check(
        "artifact_unique = true",
        &[
            ("both axes", of(two, "${{ matrix.t }}-${{ matrix['os'] }}", ""), ""),
            ("one of two", of(two, "${{ matrix.t }}", ""), "artifact_name_clash"),
            ("an axis with one value", of("{t: [a, b], os: [x]}", "${{ matrix.t }}", ""), ""),
            ("no axis", of("{t: [a, b]}", "log", ""), "artifact_name_clash"),
            ("the number of the job", of(two, "log-${{ strategy.job-index }}", ""), ""),
            ("formatted", of(two, "${{ format('{0}{1}', matrix.t, matrix.os) }}", ""), ""),
            ("one combination", of("{t: [a]}", "log", ""), ""),
            (
                "only an include varies",
                of("{include: [{t: a, n: 1}, {t: b, n: 1}]}", "${{ matrix.n }}", ""),
                "artifact_name_clash",
            ),
            (
                "what an include adds",
                of("{t: [a, b], include: [{t: a, n: 1}, {t: b, n: 2}]}", "${{ matrix.n }}", ""),
                "",
            ),
            ("in one cell only", of("{t: [a, b]}", "log", "        if: matrix.t == 'a'\n"), ""),
            (
                "no name",
                of("{t: [a, b]}", "log", "").replace("        with: {name: \"log\"}\n", ""),
                "artifact_name_clash",
            ),
            ("no upload", job("    strategy: {matrix: {t: [a, b]}}\n"), ""),
        ],
    );
    assert_eq!(
        codes("triggers_superset = ['push']", &of("{t: [a, b]}", "log", "")),
        "artifact_name_clash",
        "by default"
    );
    assert_eq!(
        codes(
            "triggers_superset = ['push']\nartifact_unique = false",
            &of("{t: [a, b]}", "log", "")
        ),
        ""
    );
}

#[test]
fn what_is_harmless_is_silent() {
    let rule = "job = ['unit']\nneeds_superset = ['fence']\ntimeout_minutes_max = 7\npermissions_max = {}\nruns_on = ['ubuntu-24.04']\njobs_superset = ['unit', 'fence']\nmatrix_superset = { t = ['a'] }\nsteps_advisory = []";
    let of = |unit: &str, more: &str| {
        format!(
            "on: push\njobs:\n  fence: {{runs-on: a-1, steps: [{{run: a}}]}}\n{more}  unit:\n{unit}"
        )
    };
    let plain = "    needs: [fence]\n    runs-on: ubuntu-24.04\n    timeout-minutes: 7\n    permissions: {}\n    strategy: {matrix: {t: [a, b]}}\n    steps: [{run: a}]\n";
    let table = [
        ("plain", of(plain, "")),
        ("a further job", of(plain, "  extra: {runs-on: b, steps: [{run: a}]}\n")),
        ("a need as a string", of(&plain.replace("[fence]", "fence"), "")),
        ("labels as a list", of(&plain.replace("ubuntu-24.04", "[ubuntu-24.04]"), "")),
        ("a lower timeout", of(&plain.replace(": 7", ": 3"), "")),
        ("a renamed step", of(&plain.replace("{run: a}", "{name: other, run: a}"), "")),
        (
            "other keys first",
            of(
                "    steps: [{run: a}]\n    strategy: {matrix: {t: [b, a, c]}}\n    permissions: {}\n    timeout-minutes: 7\n    runs-on: ubuntu-24.04\n    needs: [fence]\n",
                "",
            ),
        ),
        ("a comment", of(&format!("{plain}    # continue-on-error: true\n"), "")),
    ];
    for (case, text) in table {
        let seen = judged(rule, &text);
        assert_eq!((seen.outcome, seen.messages), (Outcome::Pass, vec![]), "{case}");
        assert!(seen.examined >= 8, "{case}: {}", seen.examined);
    }
}

#[test]
fn findings_stay_when_another_rule_cannot_look() {
    let rule =
        "timeout_required = true\n[[rule]]\nid = 'two'\njob = ['gone']\nneeds_superset = ['x']";
    assert_eq!(
        codes(rule, &job("")),
        "nothing_examined selector_matches_nothing timeout_missing",
        "an error does not hide what was found"
    );
    assert_eq!(codes(rule, &job("    timeout-minutes: 1\n")), "error selector_matches_nothing");
}

#[test]
fn a_finding_says_where_and_keeps_its_fingerprint() {
    let text = job("    timeout-minutes: 60\n");
    let seen = judged("timeout_minutes_max = 7", &text);
    let finding = &seen.looked.findings[0];
    let place = finding.location.as_ref().expect("a place");
    assert_eq!(place.to_string(), ".github/workflows/ci.yml:6:22");
    assert_eq!(finding.subject, "unit");
    let moved = judged("timeout_minutes_max = 7", &format!("# moved\n\n{text}"));
    assert_eq!(moved.looked.findings[0].fingerprint, finding.fingerprint);
}

#[test]
fn an_exception_is_for_one_file() {
    let config = "[[rule]]\nid = 'one'\ntriggers_deny = ['workflow_run']\nexcept_file = [{ file = 'comment.yml', reason = 'it reads the artifact as foreign text' }]\n";
    let of = |on: &str| format!("on: {on}\njobs: {{a: {{runs-on: a-1, steps: [{{run: a}}]}}}}\n");
    let (push, denied) = (of("push"), of("{workflow_run: {workflows: [ci]}}"));
    let run = |ci: &str| {
        let files = [(PATH, ci), (".github/workflows/comment.yml", denied.as_str())];
        testing::run(&WORKFLOW_POLICY, config, &files)
    };
    assert_eq!(run(&push).codes, Vec::<String>::new());
    assert_eq!(run(&denied).codes, ["trigger_denied"]);
}

#[test]
fn rules_that_say_nothing_or_two_things_are_refused() {
    let table: &[(&str, &str)] = &[
        ("no rule", ""),
        ("no assertion", "[[rule]]\nid = 'a'\n"),
        ("an assertion that is off", "[[rule]]\nid = 'a'\nuses_pinned = false\n"),
        ("only the default", "[[rule]]\nid = 'a'\nartifact_unique = false\n"),
        (
            "two of one id",
            "[[rule]]\nid = 'a'\nuses_pinned = true\n[[rule]]\nid = 'a'\nuses_pinned = true\n",
        ),
        ("a limit of 0", "[[rule]]\nid = 'a'\ntimeout_minutes_max = 0\n"),
        (
            "a cap without timeout",
            "[[rule]]\nid = 'a'\ntimeout_minutes_max = 1\ntimeout_required = false\n",
        ),
        ("an empty list", "[[rule]]\nid = 'a'\njobs_superset = []\n"),
        (
            "a minimum above its maximum",
            "[[rule]]\nid = 'a'\npermissions_max = {}\npermissions_min = { contents = 'read' }\n",
        ),
        (
            "wanted and denied",
            "[[rule]]\nid = 'a'\ntriggers_superset = ['push']\ntriggers_deny = ['push']\n",
        ),
        ("an unknown scope", "[[rule]]\nid = 'a'\npermissions_max = { content = 'read' }\n"),
        ("an unknown level", "[[rule]]\nid = 'a'\npermissions_max = { contents = 'all' }\n"),
        ("a condition that does not parse", "[[rule]]\nid = 'a'\ncondition = 'a =='\n"),
        ("a condition that is a text", "[[rule]]\nid = 'a'\ncondition = '${{ a }} && b'\n"),
        ("a pattern without word", "[[rule]]\nid = 'a'\nrun_deny = ['  ']\n"),
        (
            "an exception without reason",
            "[[rule]]\nid = 'a'\nuses_pinned = true\nexcept_file = [{ file = 'x.yml', reason = 'x' }]\n",
        ),
        ("an unknown key", "[[rule]]\nid = 'a'\nuses_pined = true\n"),
        ("an empty set of globs", "[[rule]]\nid = 'a'\nuses_pinned = true\njob = ['[']\n"),
    ];
    for (case, config) in table {
        let seen = testing::run(&WORKFLOW_POLICY, config, &[(PATH, &job(""))]);
        let code = seen.error().map(|error| error.code.clone()).unwrap_or_default();
        assert!(code.starts_with("config_"), "{case}: {code} {:?}", seen.messages);
    }
}
