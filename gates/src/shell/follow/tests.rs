use super::*;
use crate::shell::argv::{ArgvPattern, shown_all};
use crate::shell::options::Shell;

/// Follows a script under a shell of the provider, with some files of the repository.
fn followed(script: &str, shell: Option<&str>, files: &[(&str, &str)], mode: Mode) -> Followed {
    let reader = |path: &str| -> Result<Option<String>, Fault> {
        Ok(files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned()))
    };
    let project = Project::new(&reader);
    let Shell::Posix(options) = Options::of_shell(shell) else { panic!("a shell that is read") };
    let env = BTreeMap::new();
    let start = Start { text: script, options, folder: "", env: &env };
    let patterns: Vec<ArgvPattern> =
        ["cargo **", "just **", "make **"].into_iter().filter_map(ArgvPattern::parse).collect();
    let verify = |argv: &[String]| patterns.iter().any(|pattern| pattern.matches(argv));
    follow(&start, &project, &verify, mode).expect("every file can be read")
}

/// The losses of a script, one word each.
fn losses(script: &str, shell: Option<&str>, files: &[(&str, &str)]) -> Vec<String> {
    let seen = followed(script, shell, files, Mode::Failures);
    assert_eq!(seen.troubles, BTreeSet::new(), "{script}");
    let words = seen.swallowed.iter().flat_map(|swallowed| {
        let loss = match swallowed.loss {
            _ if swallowed.is_retried => "retry",
            Some(Loss::Or) => "or",
            Some(Loss::ErrexitOff) => "off",
            Some(Loss::NoErrexit) => "never",
            Some(Loss::Pipe) => "pipe",
            Some(Loss::Status) => "status",
            None => "none",
        };
        [Some(loss), swallowed.exits_zero.then_some("zero")].into_iter().flatten()
    });
    let unique: BTreeSet<&str> = words.collect();
    unique.into_iter().map(str::to_owned).collect()
}

#[expect(clippy::too_many_lines, reason = "one table, one case per row")]
#[test]
fn a_failure_that_is_let_go_of_is_found_in_every_spelling() {
    let table: &[(&str, &[&str])] = &[
        ("cargo test || true", &["or"]),
        ("cargo test || :", &["or"]),
        ("cargo test||true", &["or"]),
        ("cargo test \\\n  --all || \\\n  true", &["or"]),
        ("cargo test || echo failed", &["or"]),
        ("cargo test || exit 0", &["or", "zero"]),
        ("cargo test || { echo failed; }", &["or"]),
        ("cargo test || (echo failed; exit 0)", &["or", "zero"]),
        ("cargo test || cat log", &["or"]),
        ("cargo test || cargo test", &["or"]),
        ("cargo test || exit $UNKNOWN", &["or"]),
        ("cargo test || status=$?\necho $status", &["or"]),
        ("cargo test || /bin/true", &["or"]),
        ("{ cargo test; cargo clippy; } || true", &["or", "status"]),
        ("(cargo test) || true", &["or"]),
        ("cargo build && cargo test || true", &["or"]),
        ("env A=b timeout 60 cargo +stable test || true", &["or"]),
        ("set +e\ncargo test\necho done", &["off"]),
        ("set +e\ncargo test\nexit 0", &["off", "zero"]),
        ("set +o errexit; cargo test; echo done", &["off"]),
        ("set +eu\ncargo test\ncargo clippy", &["off"]),
        ("shopt -uo errexit\ncargo test\necho done", &["off"]),
        ("set +e\ncargo test\nstatus=$?\necho $status\nexit 0", &["off", "zero"]),
        ("set +e\ncargo test\nstatus=$?\nset -e\necho $status", &["off"]),
        ("set +e; cargo test; set -e; echo done", &["off"]),
        ("cargo test; exit 0", &[]),
        ("cargo test & \nexit 0", &["status", "zero"]),
        ("cargo test &\nwait", &["status"]),
        ("cargo test & sleep 1", &["status"]),
        ("echo \"$(cargo test)\"", &["status"]),
        ("export OUT=$(cargo test)", &["status"]),
        ("f() { local out=$(cargo test); }; f", &["status"]),
        ("A=$(cargo test) echo done", &["status"]),
        ("out=$(cargo test; echo done)", &["status"]),
        ("echo `cargo test`", &["status"]),
        ("cat <(cargo test)", &["status"]),
        ("cat <<X\n$(cargo test)\nX", &["status"]),
        ("for x in $(cargo test); do echo; done", &["status"]),
        ("[ -n \"$(cargo test)\" ]", &["status"]),
        ("! cargo test", &["status"]),
        ("! cargo test | cat", &["status"]),
        ("if cargo test; then echo good; fi", &["status"]),
        ("if ! cargo test; then echo bad; fi", &["status"]),
        ("if cargo test; then echo good; else echo bad; fi", &["status"]),
        ("if cargo test | tee log; then echo good; fi", &["status"]),
        ("cargo test && echo good\necho next", &["status"]),
        ("cargo test && cargo clippy\ntrue", &["status"]),
        ("f() { cargo test; echo done; }\nif f; then echo; fi", &["status"]),
        ("f() { cargo test; echo done; }\nf || exit 1", &["status"]),
        ("trap 'exit 0' EXIT\ncargo test", &["status", "zero"]),
        ("trap 'echo bye; exit 0' ERR\ncargo test", &["status", "zero"]),
        ("trap \"exit 0\" 0\ncargo test", &["status", "zero"]),
        ("for i in 1 2 3; do cargo test && break; done", &["retry"]),
        ("for i in 1 2 3; do if cargo test; then break; fi; done", &["retry", "status"]),
        ("until cargo test; do sleep 1; done", &["retry"]),
        ("while ! cargo test; do sleep 1; done", &["retry"]),
        ("while true; do cargo test && exit 0; done", &["retry"]),
        (
            "n=0; until [ $n -ge 3 ]; do cargo test && break; n=$((n+1)); sleep 1; done",
            &["retry", "status"],
        ),
        (
            "retry() { for i in 1 2 3; do \"$@\" && return 0; done; return 1; }\nretry cargo test",
            &["retry"],
        ),
        (
            "retry() { n=$1; shift; until \"$@\"; do n=$((n-1)); done; }\nretry 3 cargo test",
            &["retry", "status"],
        ),
        ("eval 'cargo test || true'", &["or"]),
        ("bash -c 'cargo test || true'", &["or"]),
        ("bash -c 'cargo test; echo done'", &["never"]),
        ("bash -ec 'set +e; cargo test; echo done'", &["off"]),
        ("sh -c \"cargo test | tee log\"", &["pipe"]),
        ("bash <<'X'\ncargo test\necho done\nX", &["never"]),
        ("cmd='cargo test'; $cmd || true", &["or"]),
        ("run=cargo; $run test || true", &["or"]),
        ("{ cargo test || true; } && echo done", &["or"]),
        ("(set +e; cargo test; exit 0)", &["off", "zero"]),
        ("( cargo test; true ) || exit 1", &["status"]),
        ("case $X in a) cargo test || true;; esac", &["or"]),
        ("cargo test |& tee log || true", &["or"]),
        ("set +o pipefail\ncargo test | tee log", &["pipe"]),
        ("time cargo test || true", &["or"]),
        ("xargs -n 1 cargo test < list || true", &["or"]),
    ];
    for (script, expected) in table {
        assert_eq!(losses(script, Some("bash"), &[]), *expected, "{script}");
    }
}

#[test]
fn shells_lose_what_they_were_not_told_to_keep() {
    let table: &[(Option<&str>, &str, &[&str])] = &[
        (None, "cargo test | tee log", &["pipe"]),
        (Some("sh"), "cargo test | tee log", &["pipe"]),
        (Some("bash"), "cargo test | tee log", &[]),
        (None, "set -o pipefail\ncargo test | tee log", &[]),
        (None, "set -euo pipefail; cargo test 2>&1 | tee log", &[]),
        (None, "cargo test | tee log\nexit ${PIPESTATUS[0]}", &[]),
        (None, "cargo test | tee log; [ \"${PIPESTATUS[0]}\" -eq 0 ]", &[]),
        (None, "cat list | cargo test", &[]),
        (Some("bash {0}"), "cargo test\necho done", &["never"]),
        (Some("bash {0}"), "cargo test\ncargo clippy", &["never"]),
        (Some("bash {0}"), "echo begin\ncargo test", &[]),
        (Some("bash {0}"), "set -e\ncargo test\necho done", &[]),
        (Some("bash -e {0}"), "cargo test\necho done", &[]),
        (Some("bash {0}"), "cargo test && echo done", &[]),
        (Some("bash {0}"), "cargo test || exit 1\necho done", &[]),
        (Some("sh"), "out=$(cargo test; echo done)", &[]),
    ];
    for (shell, script, expected) in table {
        assert_eq!(losses(script, *shell, &[]), *expected, "{shell:?}: {script}");
    }
}

#[test]
fn honest_scripts_are_silent() {
    let table: &[&str] = &[
        "cargo test",
        "rm -f x || true\ncargo test",
        "cargo test\nrm -f x || true",
        "docker ps | grep x || true",
        "cargo test || exit 1",
        "cargo test || { echo 'use || true'; exit 1; }",
        "cargo test || (echo bad; exit 1)",
        "cargo test || false",
        "cargo test || exit $?",
        "cargo test || { code=$?; echo bad; exit $code; }",
        "set +e\ncargo test\nstatus=$?\nset -e\necho report\nexit \"$status\"",
        "set +e; cargo test; status=$?; echo; exit ${status}",
        "set +e\ncargo test\nif [ $? -ne 0 ]; then echo bad; exit 1; fi\necho good",
        "set +e\ncargo test\nrc=$?\n[ \"$rc\" = 0 ] || exit 1\ntrue",
        "set +e\ncargo test\nrc=$?\n[[ $rc == 0 ]] || exit $rc\ntrue",
        "set +e\ncargo test\nrc=$?\nif (( rc != 0 )); then exit 1; fi\ntrue",
        "set +e\ncargo test; a=$?\ncargo clippy; b=$?\nexit $((a + b))",
        "set +e\ncargo test; a=$?\ncargo clippy; b=$?\n[ $a -eq 0 ] && [ $b -eq 0 ]",
        "failed=0\ncargo test || failed=1\ncargo clippy || failed=1\nexit $failed",
        "failed=0\ncargo test || failed=1\n[ $failed -eq 0 ]",
        "ok=true\ncargo test || ok=false\n$ok",
        "bad=()\ncargo test || bad+=(test)\nif [ ${#bad[@]} -gt 0 ]; then exit 1; fi",
        "n=0\ncargo test || n=$((n+1))\nif [ $n -gt 0 ]; then exit 1; fi",
        "set +e; rm x; set -e; cargo test",
        "(set +e; rm x; true)\ncargo test\necho done",
        "if ! cargo test; then echo bad; exit 1; fi",
        "if cargo test; then echo good; else echo bad; exit 1; fi",
        "cargo test && echo good",
        "cargo build && cargo test",
        "cargo test & pid=$!\necho wait\nwait $pid",
        "cargo test &\nwait $!",
        "cargo test &\npids=$!\ncargo clippy &\npids=\"$pids $!\"\nfor pid in $pids; do wait $pid; done",
        "out=$(cargo test)\necho \"$out\"",
        "local_out=`cargo test`",
        "cargo test | tee log",
        "trap 'rm -rf tmp' EXIT\ncargo test",
        "trap cleanup EXIT\ncleanup() { rm -rf tmp; }\ncargo test",
        "trap 'code=$?; rm x; exit $code' EXIT\ncargo test",
        "for f in a b; do cargo test --features $f; done",
        "while read -r f; do cargo test --features $f; done < list",
        "for i in 1 2 3; do curl x && break; sleep 1; done\ncargo test",
        "until curl x; do sleep 1; done\ncargo test",
        "bash -ec 'cargo test; echo done'",
        "bash -c 'cargo test'",
        "bash -c 'set -e; cargo test; echo done'",
        "bash -eo pipefail <<'X'\ncargo test | tee log\nX",
        "# cargo test || true\ncargo test",
        "echo 'cargo test || true'",
        "echo \"cargo test || true\"",
        "cat <<X\ncargo test || true\nX",
        "f() { cargo test || true; }",
        "if [ -n \"$X\" ]; then exit 0; fi\ncargo test",
        "cargo test; exit",
        "! grep x y\ncargo test",
        "{ cargo test; cargo clippy; }",
        "(cargo test)\necho done",
        "exec cargo test",
        "[ \"$X\" ] && cargo test\nif true; then cargo test; fi",
        "case $X in a) cargo test;; *) cargo clippy;; esac",
        "cargo test || return 1 2>/dev/null || exit 1",
        "for i in 1 2 3; do rm x && break; done",
        "x=$(rm y || true)\ncargo test",
    ];
    for script in table {
        let none: &[String] = &[];
        assert_eq!(losses(script, Some("bash"), &[]), none, "{script}");
    }
}

#[test]
fn what_a_command_opens_is_followed_too() {
    let files: &[(&str, &str)] = &[
        ("ci/test.sh", "#!/usr/bin/env bash\ncargo test\necho done\n"),
        ("ci/strict.sh", "#!/bin/bash -e\ncargo test\necho done\n"),
        ("ci/lenient.sh", "cargo test || true\n"),
        ("ci/tool.py", "#!/usr/bin/env python3\nprint('cargo test || true')\n"),
        ("ci/env.sh", "set +e\n"),
        (
            "justfile",
            "set shell := [\"bash\", \"-euo\", \"pipefail\", \"-c\"]\nflags := \"--locked\"\n\nall: soft\n\n\
             soft:\n    -cargo test\n\nhard: (with \"lib\")\n    cargo clippy {{flags}} | tee log\n\n\
             with kind:\n    cargo test --{{ kind }}\n\nscript:\n    #!/usr/bin/env bash\n    cargo test\n    echo done\n\n\
             lost:\n    cargo test || true\n\nalias l := lost\n",
        ),
        (
            "Makefile",
            ".PHONY: test\nFLAGS := --locked\ntest: build\n\tcargo test $(FLAGS)\n\nbuild:\n\t@echo build\n\nsoft:\n\t-cargo test\n\nlost:\n\tcargo test || true\n\npiped:\n\tcargo test | tee log\n",
        ),
        (".cargo/config.toml", "[alias]\nci = [\"test\", \"--locked\"]\nhop = \"ci --all\"\n"),
    ];
    let table: &[(&str, &[&str])] = &[
        ("./ci/test.sh", &["never"]),
        ("bash ci/test.sh", &["never"]),
        ("bash -e ci/test.sh", &[]),
        ("./ci/strict.sh", &[]),
        ("cd ci && ./strict.sh\n", &[]),
        ("cd ci; bash lenient.sh", &["or"]),
        ("source ci/env.sh\ncargo test\necho done", &["off"]),
        (". ./ci/env.sh\ncargo test\nexit $?", &[]),
        ("./ci/strict.sh || true", &["or"]),
        ("./ci/tool.py || true", &[]),
        ("just", &["status"]),
        ("just hard", &[]),
        ("just hard || true", &["or"]),
        ("just script", &["never"]),
        ("just lost", &["or"]),
        ("just l", &["or"]),
        ("just -f justfile lost", &["or"]),
        ("make", &[]),
        ("make test || true", &["or"]),
        ("make -i test", &["status"]),
        ("make soft", &["status"]),
        ("make lost", &["or"]),
        ("make piped", &["pipe"]),
        ("make unheard || true", &["or"]),
        ("cargo ci || true", &["or"]),
        ("cargo hop || true", &["or"]),
        ("just with lib || true", &["or"]),
    ];
    for (script, expected) in table {
        assert_eq!(losses(script, Some("bash"), files), *expected, "{script}");
    }
    let argvs = |script: &str| -> Vec<String> {
        let seen = followed(script, None, files, Mode::Green);
        seen.leaves.iter().map(|leaf| shown_all(&leaf.argv)).collect()
    };
    assert_eq!(argvs("cargo hop -p x"), ["cargo test --locked --all -p x"]);
    assert_eq!(argvs("just hard"), ["cargo test --lib", "cargo clippy --locked", "tee log"]);
    assert_eq!(argvs("make test"), ["echo build", "cargo test --locked"]);
    assert_eq!(argvs("cargo t; cargo run --x"), ["cargo test", "cargo run --x"]);
}

#[test]
fn what_is_reached_without_a_condition_is_known() {
    let table: &[(&str, bool)] = &[
        ("cargo test", true),
        ("cd x && cargo test", true),
        ("cargo build && cargo test", true),
        ("true && cargo test", true),
        ("if true; then cargo test; fi", true),
        ("for f in a b; do cargo test; done", true),
        ("f() { cargo test; }; f", true),
        ("bash -c 'cargo test'", true),
        ("cargo test || true", true),
        ("if cargo test; then :; fi", true),
        ("rm -f x || true; cargo test", true),
        ("command -v x || exit 1; cargo test", true),
        ("[ \"$X\" = y ] && cargo test", false),
        ("[[ $X ]] && cargo test", false),
        ("grep -q x y && cargo test", false),
        ("if [ \"$X\" ]; then cargo test; fi", false),
        ("if [ \"$X\" ]; then echo; else cargo test; fi", false),
        ("cargo build || cargo test", false),
        ("case $X in y) cargo test;; esac", false),
        ("for f in $(ls); do cargo test; done", false),
        ("while read -r f; do cargo test; done < list", false),
        ("[ \"$X\" ] && exit 0; cargo test", false),
        ("if [ \"$X\" ]; then exit 0; fi\ncargo test", false),
        ("$SKIP || cargo test", false),
        ("$RUN && cargo test", false),
    ];
    for (script, expected) in table {
        let seen = followed(script, Some("bash"), &[], Mode::Green);
        let leaf =
            seen.leaves.iter().find(|leaf| leaf.argv.get(1).is_some_and(|word| word == "test"));
        let reached = leaf.is_some_and(|leaf| leaf.argv[0] == "cargo" && !leaf.is_conditional);
        assert_eq!(reached, *expected, "{script}");
    }
    for script in ["exit 0; cargo test", "false && cargo test", "f() { cargo test; }"] {
        let seen = followed(script, Some("bash"), &[], Mode::Green);
        assert!(!seen.leaves.iter().any(|leaf| leaf.argv[0] == "cargo"), "{script}");
    }
}

#[test]
fn commands_carry_their_environment_and_folder() {
    let script = "export A=1\nB=2 cargo test\ncd sub/../crates\nenv C=3 cargo bench\n(cd x; cargo run)\ncargo doc";
    let seen = followed(script, None, &[], Mode::Green);
    let shown: Vec<String> = seen
        .leaves
        .iter()
        .map(|leaf| format!("{} {:?} in {:?}", shown_all(&leaf.argv), leaf.env, leaf.folder))
        .collect();
    assert_eq!(
        shown,
        [
            "cargo test {\"A\": \"1\", \"B\": \"2\"} in \"\"",
            "cargo bench {\"A\": \"1\", \"C\": \"3\"} in \"crates\"",
            "cargo run {\"A\": \"1\"} in \"crates/x\"",
            "cargo doc {\"A\": \"1\"} in \"crates\"",
        ]
    );
}

#[test]
fn variables_for_later_steps_are_seen() {
    let script = "echo \"A=1\" >> \"$GITHUB_ENV\"\n{ echo B=2; printf 'C=3\\nD=4\\n'; } >> $GITHUB_ENV\n\
                  echo E=5 | tee -a $GITHUB_ENV\ncat >> $GITHUB_ENV <<X\nF=6\nX\necho G=7 >> ${{ github.env }}\necho H=8";
    let seen = followed(script, None, &[], Mode::Green);
    let set: Vec<String> = seen.later_env.iter().map(|(a, b, _)| format!("{a}={b}")).collect();
    assert_eq!(set, ["A=1", "B=2", "C=3", "D=4", "E=5", "F=6", "G=7"]);
}

#[test]
fn how_a_script_may_end_is_known() {
    let table: &[(&str, bool, bool)] = &[
        ("echo a\nexit 1", false, true),
        ("exit 0", true, false),
        ("cargo test", true, true),
        ("false", false, true),
        ("true", true, false),
        ("if [ \"$X\" ]; then exit 1; fi", true, true),
        ("echo '{}' | jq -e .", true, true),
        ("echo a && exit 2", false, true),
    ];
    for (script, may_succeed, may_fail) in table {
        let seen = followed(script, Some("bash"), &[], Mode::Failures);
        assert_eq!((seen.may_succeed, seen.may_fail), (*may_succeed, *may_fail), "{script}");
    }
}

#[test]
fn what_cannot_be_followed_is_said() {
    let wide: String = (0..12).fold(String::new(), |text, n| {
        text + &format!("if [ \"$X{n}\" ]; then V{n}=1; else V{n}=2; fi\n")
    });
    let seen = followed(&wide, None, &[], Mode::Failures);
    assert_eq!(seen.troubles.len(), 1, "4,096 paths are too many");
    assert!(!seen.troubles.iter().any(|trouble| trouble.is_unparsed));
    let seen = followed("if true", None, &[], Mode::Failures);
    assert!(seen.troubles.iter().any(|trouble| trouble.is_unparsed));
    let seen = followed("bash -c 'if true'", None, &[], Mode::Failures);
    assert!(seen.troubles.iter().any(|trouble| trouble.is_unparsed), "also inside");
    let seen = followed("f() { f; }; f", None, &[], Mode::Failures);
    assert!(!seen.troubles.is_empty(), "a function without end");
    // Ten thousand commands of a straight script have one path.
    let long = "cargo test\nrm -f x || true\n".repeat(5_000);
    let seen = followed(&long, None, &[], Mode::Failures);
    assert_eq!((seen.troubles.len(), seen.swallowed.len()), (0, 0));
}
