//! What one line of a log says, by its shape. Pure; leaves out what the lines around it say.

/// A line that is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// cargo starts a test binary: the kind of its target, and its name.
    Running(&'static str, &'a str),
    /// A test binary begins, and will say how it went.
    Began(&'a str),
    /// A test failed, as libtest says it.
    TestFailed(&'a str),
    /// The section with the output of a failed test begins; whether it is all that the test says about its failure.
    Section(&'a str, bool),
    /// The list of what failed begins.
    Failures,
    /// A thread panicked: its name, the place, and the message where it stands on the same line.
    Panicked(&'a str, &'a str, &'a str),
    /// The result of a test binary.
    Result(bool),
    /// nextest: what became of a test of a binary.
    Nextest(Became, &'a str, &'a str),
    /// The summary of nextest, and whether all is well.
    Summary(bool),
    /// An error with a code: of the compiler, or of a gate.
    Coded(&'a str, &'a str),
    /// An error of cargo or of another program, at the beginning of a line.
    Error(&'a str),
    /// cargo says which target failed.
    TargetFailed(&'a str),
    /// A test process ended in another way than by a failed test: the binary, and how.
    Ended(&'a str, &'a str),
    /// A runtime gave up.
    Aborted(&'a str),
    /// A test returned an error.
    Returned(&'a str),
    /// `should_panic` was not met.
    Unmet(&'a str),
    /// A failure as the runner words it: what it is, its suite, its name, its class.
    Runner(&'a str, &'a str, &'a str, &'a str),
    /// A gate within an aggregate: its id, its status, its code, one sentence.
    Gate(&'a str, &'a str, &'a str, &'a str),
    /// A detail under a failure of ours: `status`, `remedy`, `replay`, `owner`.
    Detail(&'a str, &'a str),
    /// A step of the forge failed.
    StepFailed,
}

/// What nextest says of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// It failed.
    Failed,
    /// It was killed for its time.
    TimedOut,
    /// A signal ended it.
    Crashed,
    /// It passed in the end.
    Passed,
}

/// The classes that the runner words (`runner.md`, Digests), which tell its lines from prose.
const KINDS: [&str; 5] = ["unit", "vcr", "e2e", "doc", "gate"];

/// The effective statuses that may block.
const STATUSES: [&str; 7] =
    ["error", "crashed", "missing", "precluded", "fail", "pending_approval", "skip"];

/// Understands a line.
pub(super) fn read(text: &str) -> Option<Line<'_>> {
    let line = text.trim();
    libtest(text, line)
        .or_else(|| panicked(line))
        .or_else(|| nextest(line))
        .or_else(|| cargo(text))
        .or_else(|| ours(line))
        .or_else(|| forge(line))
}

fn libtest<'a>(text: &str, line: &'a str) -> Option<Line<'a>> {
    if let Some(rest) = line.strip_prefix("test result: ") {
        return Some(Line::Result(rest.starts_with("ok")));
    }
    // nextest indents what a test binary says below a failure; what stands there is told by nextest itself.
    if text.starts_with("running ")
        && let Some(n) = line.strip_prefix("running ").and_then(|rest| rest.split_once(' '))
        && matches!(n.1, "test" | "tests")
        && n.0.bytes().all(|b| b.is_ascii_digit())
    {
        return Some(Line::Began(n.0));
    }
    if line == "failures:" {
        return Some(Line::Failures);
    }
    if let Some(name) = line.strip_suffix(" --- FAILED") {
        return Some(Line::TestFailed(bare(name)));
    }
    if let Some(rest) = line.strip_prefix("test ") {
        if let Some(name) = rest.strip_suffix(" ... FAILED") {
            return Some(Line::TestFailed(bare(name)));
        }
        // `... FAILED <0.005s>` where times are shown.
        if let Some((name, status)) = rest.rsplit_once(" ... ")
            && status.starts_with("FAILED ")
        {
            return Some(Line::TestFailed(bare(name)));
        }
    }
    if let Some(rest) = line.strip_prefix("---- ")
        && let Some(name) = rest.strip_suffix(" ----")
    {
        let captured = name.strip_suffix(" stdout").or_else(|| name.strip_suffix(" stderr"));
        let name = bare(captured.unwrap_or(name));
        return (!name.is_empty()).then(|| Line::Section(name, captured.is_none()));
    }
    if line.contains("test did not panic as expected")
        || line.contains("panic did not contain expected string")
    {
        return Some(Line::Unmet(line.strip_prefix("note: ").unwrap_or(line)));
    }
    line.strip_prefix("Error: ").map(Line::Returned)
}

/// The name of a test without what libtest says about it.
fn bare(name: &str) -> &str {
    let name = name.trim();
    [" - should panic", " - compile fail", " - compile"]
        .iter()
        .find_map(|mark| name.strip_suffix(mark))
        .unwrap_or(name)
}

fn panicked(line: &str) -> Option<Line<'_>> {
    if let Some((thread, rest)) = line.split_once(" panicked at ") {
        let thread = thread.strip_prefix("thread ").unwrap_or(thread).trim_start();
        // `'name' (42)`: the number came with Rust 1.91. A name may hold quotes of its own.
        let thread = thread.trim_end_matches(|c: char| c.is_ascii_digit() || "() ".contains(c));
        let name = thread.trim_matches('\'').trim_matches(['<', '>']);
        // Until Rust 1.72: `panicked at 'message', place`.
        if let Some(old) = rest.strip_prefix('\'')
            && let Some((message, place)) = old.rsplit_once("', ")
        {
            return Some(Line::Panicked(name, place.trim_end_matches(':'), message));
        }
        return Some(Line::Panicked(name, rest.trim_end_matches(':'), ""));
    }
    let aborted = line.starts_with("fatal runtime error")
        || line.contains(" has overflowed its stack")
        || (line.starts_with("memory allocation of ") && line.contains("failed"));
    aborted.then_some(Line::Aborted(line))
}

fn nextest(line: &str) -> Option<Line<'_>> {
    let (status, rest) = line.split_once(" [")?;
    let (time, rest) = rest.split_once(']')?;
    let timed = time.trim().trim_start_matches('>').trim_end_matches('s').trim();
    let is_time = timed.is_empty() || timed.parse::<f64>().is_ok();
    if !is_time {
        return None;
    }
    if status == "Summary" {
        let whole = rest.split_once(" test").is_some_and(|(counts, _)| !counts.contains('/'));
        let fine = ["failed", "timed out", "exec failed"].iter().all(|word| !rest.contains(word));
        let green = whole && fine;
        return Some(Line::Summary(green));
    }
    let mut words = status.split_whitespace();
    let became = match (words.next()?, words.next(), words.next(), words.next()) {
        ("FAIL" | "XFAIL" | "EXECFAIL" | "LEAK-FAIL" | "FLKY-FL", None, ..) => Became::Failed,
        ("FAIL", Some("+"), Some("LEAK"), None) => Became::Failed,
        ("LEAK" | "FLAKY" | "FLKY", Some("FAIL"), ..) => Became::Failed,
        ("TIMEOUT" | "TMT", None, ..) => Became::TimedOut,
        ("ABORT", None, ..) => Became::Crashed,
        (word, None, ..) if word.len() > 3 && word.starts_with("SIG") => Became::Crashed,
        ("FLAKY", Some(_), None, ..) => Became::Passed,
        ("TRY", Some(_), Some(word), None) => match word {
            "PASS" | "LEAK" => Became::Passed,
            "FAIL" | "XFAIL" | "LKFAIL" | "FL+LK" => Became::Failed,
            "TMT" => Became::TimedOut,
            _ => Became::Crashed,
        },
        _ => return None,
    };
    let mut rest = rest.trim_start();
    if let Some(counter) = rest.strip_prefix('(') {
        rest = counter.split_once(')')?.1.trim_start();
    }
    let (suite, test) = rest.split_once(' ')?;
    Some(Line::Nextest(became, suite, test.trim()))
}

fn cargo(text: &str) -> Option<Line<'_>> {
    let line = text.trim();
    if let Some(rest) = line.strip_prefix("Running ") {
        let (what, path) = rest.rsplit_once(" (")?;
        let kind = match what.strip_prefix("unittests ") {
            Some(source) if source.ends_with("lib.rs") => "lib",
            Some(_) => "bin",
            None => "test",
        };
        return Some(Line::Running(kind, target(path.strip_suffix(')')?)));
    }
    if let Some(rest) = line.strip_prefix("Doc-tests ") {
        return Some(Line::Running("doc", rest));
    }
    if let Some(rest) = line.strip_prefix("process didn't exit successfully: `") {
        let (command, how) = rest.rsplit_once("` (")?;
        return Some(Line::Ended(target(command.split(' ').next()?), how.trim_end_matches(')')));
    }
    // In one-CPU runs cargo's error follows the name of the test on its line.
    let error = line
        .find("error: ")
        .filter(|at| *at == 0 || (line.starts_with("test ") && line[..*at].ends_with(" ... ")));
    if let Some(at) = error {
        let message = &line[at + "error: ".len()..];
        for opening in ["test failed, to rerun pass `", "doctest failed, to rerun pass `"] {
            if let Some(words) = message.strip_prefix(opening) {
                return Some(Line::TargetFailed(words.trim_end_matches('`')));
            }
        }
        return Some(Line::Error(message));
    }
    let rest = line.strip_prefix("error[")?;
    let (code, message) = rest.split_once("]: ").or_else(|| rest.split_once(']'))?;
    Some(Line::Coded(code, message))
}

/// The name of a target by the path of its binary: `target/debug/deps/gate-1a25a708409789a7`.
fn target(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).trim_end_matches(".exe");
    match name.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            name
        }
        _ => name,
    }
}

fn ours(line: &str) -> Option<Line<'_>> {
    if let Some(rest) = line.strip_prefix("= ") {
        let (name, value) = rest.split_once(':')?;
        let known = ["status", "remedy", "replay", "owner", "found", "expected"];
        return known.contains(&name).then(|| Line::Detail(name, value.trim()));
    }
    if let Some(gate) = verdict(line) {
        return Some(gate);
    }
    let (words, class) = line.rsplit_once(": ")?;
    let mut words = words.splitn(3, ' ');
    let (kind, suite, test) = (words.next()?, words.next()?, words.next()?);
    let shape = KINDS.contains(&kind)
        && !class.is_empty()
        && class.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    shape.then_some(Line::Runner(kind, suite, test, class))
}

/// `file_lengths: fail [file_over_budget]: 1 finding`, as an aggregate words the gates that are in its way.
fn verdict(line: &str) -> Option<Line<'_>> {
    let (id, rest) = line.split_once(": ")?;
    let (status, rest) = rest.split_once(" [")?;
    let (code, detail) = rest.split_once(']')?;
    let is_id = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    (is_id(id) && STATUSES.contains(&status) && is_id(code))
        .then(|| Line::Gate(id, status, code, detail.trim_start_matches(':').trim()))
}

fn forge(line: &str) -> Option<Line<'_>> {
    let failed =
        line.contains("Process completed with exit code") && !line.ends_with("exit code 0.");
    let ended = line.contains("The operation was canceled")
        || line.contains("has exceeded the maximum execution time");
    if failed || ended {
        return Some(Line::StepFailed);
    }
    let (_, rest) = line.rsplit_once("[exit code: ")?;
    let code = rest.strip_suffix(']')?;
    (code != "0").then_some(Line::StepFailed)
}
