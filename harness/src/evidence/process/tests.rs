use super::*;

/// A shell in a folder of its own; the shell is what is tested with, never what is tested.
fn shell(script: &str, timeout_ms: u64) -> Request {
    Request {
        argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        cwd: PathBuf::from("/"),
        env: BTreeMap::from([
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            ("ONE".to_owned(), "1".to_owned()),
        ]),
        timeout: Duration::from_millis(timeout_ms),
        capture_bytes: 1024 * 1024,
    }
}

#[test]
fn exit_output_and_environment_are_as_asked() {
    let table: &[(&str, &str, Exit, &str, &str)] = &[
        ("success", "echo out; echo err >&2", Exit::Code(0), "out\n", "err\n"),
        ("a code", "exit 7", Exit::Code(7), "", ""),
        ("a signal", "kill -9 $$", Exit::Signal(9), "", ""),
        ("standard input is empty", "cat; echo end", Exit::Code(0), "end\n", ""),
        (
            "the environment is complete",
            "echo $ONE${HOME-unset}${CARGO-unset}",
            Exit::Code(0),
            "1unsetunset\n",
            "",
        ),
        ("the folder is as asked", "pwd", Exit::Code(0), "/\n", ""),
        ("not UTF-8", "printf 'a\\377b'", Exit::Code(0), "a\u{fffd}b", ""),
    ];
    for (case, script, exit, stdout, stderr) in table {
        let seen = run(&shell(script, 60_000)).expect(case);
        assert_eq!((seen.exit, seen.timed_out), (*exit, false), "{case}");
        assert_eq!(
            (seen.stdout.text().as_str(), seen.stderr.text().as_str()),
            (*stdout, *stderr),
            "{case}"
        );
        assert_eq!(seen.is_success(), *exit == Exit::Code(0), "{case}");
    }
}

#[test]
fn t12_output_is_bounded_and_both_streams_flow() {
    let script = "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; \
                  echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done; echo last";
    let request = Request { capture_bytes: 1000, ..shell(script, 60_000) };
    let seen = run(&request).expect("a process");
    assert_eq!((seen.stdout.head.len(), seen.stdout.tail.len()), (500, 500));
    assert_eq!(seen.stdout.cut, 3000 * 41 + 5 - 1000);
    assert!(seen.stdout.text().ends_with("last\n"));
}

#[test]
fn t07_what_cannot_be_started_is_an_error() {
    let table: &[(&str, &[&str], &str)] = &[
        ("no words", &[], "/"),
        ("a relative program", &["sh"], "/"),
        ("a program that does not exist", &["/nowhere/sh"], "/"),
        ("a program that is a folder", &["/bin"], "/"),
        ("a folder that does not exist", &["/bin/sh"], "/nowhere"),
    ];
    for (case, argv, cwd) in table {
        let argv = argv.iter().map(ToString::to_string).collect();
        let request = Request { argv, cwd: PathBuf::from(cwd), ..shell("", 1000) };
        let seen = run(&request).map(|_| ()).map_err(|fault| fault.code());
        assert_eq!(seen, Err(COMMAND_FAILED), "{case}");
    }
}

/// Whether a process runs; one that ended and was not yet awaited by its parent counts as gone.
fn is_alive(pid: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    state.is_ok_and(|text| {
        !text.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z')
    })
}

/// Waits for another process's end, with a limit; the end itself is what the caller asserts.
fn gone(pid: &str) -> bool {
    let watch = Stopwatch::start();
    while is_alive(pid) && watch.elapsed_ms() < 5_000 {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    !is_alive(pid)
}

#[cfg(target_os = "linux")]
#[test]
fn a_timeout_ends_the_whole_group() {
    let table: &[(&str, &str)] = &[
        ("a grandchild in the background", "sleep 600 & echo $!; wait"),
        (
            "a grandchild that ignores the request to end",
            "(trap '' TERM; exec sleep 600) & echo $!; wait",
        ),
        (
            "a grandchild that ignores it and holds no pipe",
            "(trap '' TERM; exec sleep 600 >/dev/null 2>&1) & echo $!; wait",
        ),
        (
            "a child that ignores it, too",
            "trap '' TERM; sleep 600 & echo $!; while :; do wait; done",
        ),
    ];
    for (case, script) in table {
        let watch = Stopwatch::start();
        let seen = run(&shell(script, 300)).expect(case);
        assert!(seen.timed_out && !seen.is_success(), "{case}");
        let text = seen.stdout.text();
        let pid = text.trim();
        assert!(!pid.is_empty() && gone(pid), "{case}: process {pid} is still there");
        assert!(watch.elapsed_ms() < 30_000, "{case}: took {} ms", watch.elapsed_ms());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_grandchild_that_holds_the_pipe_does_not_hold_the_run() {
    let watch = Stopwatch::start();
    let seen = run(&shell("sleep 600 & echo $!", 60_000)).expect("a process");
    assert!(seen.is_success() && watch.elapsed_ms() < 20_000, "took {} ms", watch.elapsed_ms());
    assert!(gone(seen.stdout.text().trim()), "what held the pipe was ended");
}
