//! Logs of real tools, and logs that were made to mislead.

use super::*;

fn read_text(text: &str) -> Log {
    read(text.as_bytes(), &Patterns::none()).expect("it is read")
}

fn rows(log: &Log) -> Vec<(String, &str)> {
    log.failures
        .iter()
        .map(|failure| {
            let name = failure.test.clone().or_else(|| failure.suite.clone()).unwrap_or_default();
            (name, failure.class.as_str())
        })
        .collect()
}

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../../fixtures/red_logs/", $name))
    };
}

#[test]
fn real_logs_are_read_for_what_failed() {
    type Row<'a> = (&'a str, &'a [u8], &'a [(&'a str, &'a str)]);
    let table: &[Row<'_>] = &[
        (
            "libtest, with binary noise",
            sample!("libtest.txt"),
            &[
                ("arithmetic_overflow", "panic"),
                ("assertion_fails", "assertion_failure"),
                ("returns_err", "test_error"),
                ("should_panic_but_does_not", "assertion_failure"),
                ("should_panic_with_other_text", "assertion_failure"),
                ("noisy_non_utf8_and_ansi", "panic"),
            ],
        ),
        (
            "libtest, quiet",
            sample!("libtest_quiet.txt"),
            &[("assertion_fails", "assertion_failure"), ("flaky_sensor", "panic")],
        ),
        ("an abort", sample!("libtest_abort.txt"), &[("gate", "crash")]),
        ("an overflow", sample!("libtest_overflow.txt"), &[("gate", "crash")]),
        ("an exit of its own", sample!("libtest_exit_seven.txt"), &[("gate", "exited")]),
        (
            "a process that ends well before its tests do",
            sample!("libtest_exit_zero.txt"),
            &[("gate", "exited")],
        ),
        ("a log that was cut off", sample!("libtest_killed.txt"), &[("gate", "exited")]),
        ("a build error", sample!("build_error.txt"), &[("", "build_error")]),
        (
            "an example of the documentation",
            sample!("libtest_doc.txt"),
            &[("tollbooth-fmt/src/lib.rs - percent (line 12)", "assertion_failure")],
        ),
        (
            "nextest, signals",
            sample!("nextest_signals.txt"),
            &[("aborts", "crash"), ("segfaults", "crash"), ("stack_overflow", "crash")],
        ),
        (
            "nextest, a timeout",
            sample!("nextest_timeout.txt"),
            &[("barrier_never_lifts", "timeout")],
        ),
        ("nextest, flaky and passed in the end", sample!("nextest_flaky.txt"), &[]),
    ];
    for (case, text, expected) in table {
        let log = read(*text, &Patterns::none()).expect("it is read");
        let expected: Vec<(String, &str)> =
            expected.iter().map(|(name, class)| ((*name).to_owned(), *class)).collect();
        assert_eq!(rows(&log), expected, "{case}");
        // The same through a forge, in colours, with the line ends of another system.
        let forged: String = String::from_utf8_lossy(text)
            .lines()
            .map(|line| format!("2026-11-21T15:21:10.1234567Z \u{1b}[0m{line}\u{1b}[0m\r\n"))
            .collect();
        assert_eq!(rows(&read_text(&forged)), expected, "{case}, through a forge");
    }
}

#[test]
fn a_failure_says_where_what_and_how() {
    let log = read(&sample!("libtest.txt")[..], &Patterns::none()).expect("it is read");
    let failure = &log.failures[1];
    assert_eq!(failure.suite.as_deref(), Some("gate"));
    assert_eq!(failure.location.as_deref(), Some("tollbooth/tests/gate.rs:9:5"));
    assert!(
        failure.message.starts_with("assertion `left == right` failed: receipt"),
        "{}",
        failure.message
    );
    assert_eq!(failure.message.lines().count(), 3);
    assert_eq!(failure.line, 7);
    assert_eq!((log.green_results, log.red_marks > 0), (0, true));
}

#[test]
fn our_own_words_are_read() {
    let text = "\
gate p::api file_lengths: gate_blocked
  --> src/lib.rs:3:1
   | 700 lines, budget 600
   = status: fail [file_over_budget]: 1 finding
   = remedy: split the file
   = owner:  team
   = replay: cargo test --package p --test api -- file_lengths --exact

error[PC0403 waiver_expired]: waiver for `build` ended on 2026-05-31
  --> suite_classification.toml:48:11
   = remedy: fix the gate, or renew the waiver
";
    let log = read_text(text);
    let failure = &log.failures[0];
    assert_eq!(
        (failure.suite.as_deref(), failure.test.as_deref()),
        (Some("p::api"), Some("file_lengths"))
    );
    assert_eq!(failure.codes, ["file_over_budget", "waiver_expired"]);
    assert_eq!(failure.location.as_deref(), Some("src/lib.rs:3:1"));
    assert!(
        failure.replay.as_deref().is_some_and(|replay| replay.ends_with("file_lengths --exact"))
    );
    let alone = read_text(text.split_once("\n\n").expect("two parts").1);
    assert_eq!(alone.failures[0].class, "waiver_expired");
    assert_eq!(alone.failures[0].remedies, ["fix the gate, or renew the waiver"]);
}

#[test]
fn an_aggregate_names_the_gates_in_its_way() {
    let log = read(&sample!("aggregate.txt")[..], &Patterns::none()).expect("it is read");
    let gate = "parameter_sweeps_contract_links_phase1_matrix_and_readiness";
    let expected =
        [("preflight_fast_fail".to_owned(), "unknown"), (gate.to_owned(), "stale_artifact")];
    assert_eq!(rows(&log), expected);
    let (aggregate, gate) = (&log.failures[0], &log.failures[1]);
    assert!(aggregate.message.starts_with("stopped at `parameter_sweeps"), "{}", aggregate.message);
    assert_eq!(gate.codes, ["artifact_stale"]);
    assert_eq!(gate.location.as_deref(), Some("evidence/parameter_sweeps.json"));
    assert!(
        gate.replay
            .as_deref()
            .is_some_and(|replay| replay.starts_with("cargo test --test release_evidence_gate"))
    );
    assert_eq!(gate.remedies, ["produce the artifact again from this commit, in this run"]);
}

#[test]
fn green_prose_is_no_failure() {
    for text in [
        "test a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n",
        "we fixed the test that said panicked\nINFO errors: 0, error rate: 0\n",
        "        PASS [   0.005s] (1/1) p::api opens\n     Summary [   0.006s] 1 test run: 1 passed, 22 skipped\n",
        "thread 'a' (1) panicked at src/a.rs:1:1:\non purpose\ntest a - should panic ... ok\ntest result: ok. 1 passed; 0 failed\n",
        "the docs explain `test x ... FAILED` at length\n",
    ] {
        assert_eq!(rows(&read_text(text)), [], "{text}");
    }
}

#[test]
fn a_panic_is_a_failure_unless_its_binary_says_otherwise() {
    let panic = "thread 'a' (1) panicked at src/a.rs:1:1:\nboo\n\n";
    let cut_off = read_text(&format!("running 2 tests\n{panic}"));
    assert_eq!(rows(&cut_off), [("a".to_owned(), "panic")]);
    let called =
        read_text(&format!("{panic}test a ... FAILED\ntest result: FAILED. 0 passed; 1 failed\n"));
    assert_eq!(rows(&called), [("a".to_owned(), "panic")]);
    let other =
        read_text(&format!("{panic}test b ... FAILED\ntest result: FAILED. 1 passed; 1 failed\n"));
    assert_eq!(rows(&other), [("b".to_owned(), "unknown")]);
}

#[test]
fn fg06_a_test_binary_that_never_says_how_it_went_is_a_failure() {
    let one = "     Running tests/a.rs (target/debug/deps/a-0123456789abcdef)\n\nrunning 1 test\ntest x ... ok\n\ntest result: ok. 1 passed; 0 failed\n";
    let silent = "     Running tests/b.rs (target/debug/deps/b-0123456789abcdef)\n\nrunning 2 tests\ntest y ... ";
    let table = [
        (
            "the first one ends without a word",
            format!("{silent}\n{one}"),
            vec![("b".to_owned(), "exited")],
        ),
        ("the last one does", format!("{one}{silent}"), vec![("b".to_owned(), "exited")]),
        ("all of them say it", format!("{one}{one}"), vec![]),
    ];
    for (case, text, expected) in table {
        let log = read_text(&text);
        assert_eq!(rows(&log), expected, "{case}");
        assert!(log.green_results > 0, "{case}");
    }
    let stopped = read_text(
        "        PASS [   0.005s] (1/2) p::a x\n     Summary [   0.0s] 1/2 tests run: 1 passed, 0 skipped\n",
    );
    assert_eq!((stopped.green_results, stopped.red_marks), (0, 1), "half a run is no green one");
}

#[test]
fn a_line_without_end_and_a_flood_of_failures_stay_bounded() {
    let mut text = "x".repeat(3 * 1024 * 1024);
    text.push_str(" test hidden ... FAILED\ntest seen ... FAILED\n");
    let log = read_text(&text);
    assert_eq!(rows(&log), [("seen".to_owned(), "unknown")]);
    assert_eq!((log.cut_lines, log.lines), (1, 2));
    let flood: String = (0..3_000).map(|n| format!("test t{n} ... FAILED\n")).collect();
    let log = read_text(&flood);
    assert_eq!((log.failures.len(), log.omitted, log.lines), (1_000, 2_000, 3_000));
    let name = "n".repeat(60_000);
    let long = read_text(&format!("test {name} ... FAILED\n"));
    assert!(long.failures[0].test.as_deref().is_some_and(|name| name.len() < 1_000));
}

#[test]
fn blocks_may_be_cut_anywhere() {
    struct Drip<'a>(&'a [u8], usize);
    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len()).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }
    let text = sample!("libtest.txt");
    let whole = read(&text[..], &Patterns::none()).expect("it is read");
    for size in [1, 2, 7, 64, 4_096] {
        let log = read(Drip(text, size), &Patterns::none()).expect("it is read");
        assert_eq!((&log.failures, log.lines), (&whole.failures, whole.lines), "{size}");
    }
    let mut padded = "filler line of no interest\n".repeat(60_000).into_bytes();
    padded.extend_from_slice(text);
    let log = read(&padded[..], &Patterns::none()).expect("it is read");
    assert_eq!(log.failures.len(), whole.failures.len());
    assert_eq!(log.failures[0].line, whole.failures[0].line + 60_000);
}

#[test]
fn t25_what_a_terminal_obeys_never_leaves_a_log() {
    let text = "test a\u{1b}]8;;http://evil\u{7}b\u{202e}c ... FAILED\n---- abc stdout ----\nthread 'abc' panicked at x.rs:1:1:\nboo\u{9b}31m\u{8}\u{0}!\n\n";
    let log = read_text(text);
    let all = format!("{log:?}");
    assert!(
        !all.contains("\\u{1b}") && !all.contains("evil") && !all.contains("\\u{202e}"),
        "{all}"
    );
    assert_eq!(rows(&log)[0].0, "abc");
}

/// What a signature looks for may stand before, behind, around and across the words of this reader; each line is held to
/// the expressions themselves.
#[test]
fn a_pattern_is_found_wherever_it_stands_on_a_line() {
    const SOURCES: [&str; 5] =
        ["alpha", "FAILED to (bind|start)", "^omega", "b{4}eta", "[0-9]+ error: \u{e9}"];
    const PIECES: [&[u8]; 8] = [
        b"alpha",
        b"... FAILED",
        b" to bind",
        b"omega",
        b"bbbbeta ",
        b"7 error: \xc3\xa9",
        b"\xff",
        b" x ",
    ];
    let tables: Vec<String> = SOURCES
        .iter()
        .enumerate()
        .map(|(n, source)| {
            format!(
                "[[signature]]\nid = \"s{n}\"\ntitle = \"t\"\nseverity = \"sev-2\"\nmatch = {{ log = ['{source}'] }}\nartifacts = [\"a\"]\nreplay = [\"r\"]\nremediation = [\"r\"]\n"
            )
        })
        .collect();
    let text = format!("[policy]\nversion = 1\nowner = \"o\"\n{}", tables.join(""));
    let policy = portcullis::kernel::policy::parse("p", &text).expect("a policy");
    let patterns = Patterns::of(&policy).expect("patterns");
    assert!(!patterns.needs_every_line(), "the search for texts is what is tried");
    let set = regex::RegexSet::new(SOURCES).expect("expressions");
    let (mut lines, mut wanted) = (0, [0_u64; SOURCES.len()]);
    let mut log = Vec::new();
    for n in 0..PIECES.len().pow(4) {
        let mut rest = n;
        let mut line = Vec::new();
        for _piece in 0..4 {
            line.extend_from_slice(PIECES[rest % PIECES.len()]);
            rest /= PIECES.len();
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        for hit in &set.matches(&text) {
            wanted[hit] += 1;
        }
        line.push(b'\n');
        log.extend_from_slice(&line);
        lines += 1;
    }
    let log = read(&*log, &patterns).expect("it is read");
    assert_eq!(log.lines, lines);
    let found = [0, 1, 2, 3, 4].map(|n| log.hits.get(&n).map_or(0, |hit| hit.count));
    assert_eq!(found, wanted);
    assert!(wanted.iter().all(|count| *count > 0), "{wanted:?}");
}
