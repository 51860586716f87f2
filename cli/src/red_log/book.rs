//! The failures of a log, put together from lines that may be far apart. Leaves out how a line is read.

use super::{
    clean::{cut, short},
    failure::{Kind, LogFailure, class_of},
    line::{self, Became, Line},
};
use crate::digest;
use std::collections::BTreeMap;

/// How many failures are kept; the rest is counted.
const FAILURES_MAX: usize = 1_000;
const MESSAGE_LINES: usize = 8;
const CODES_MAX: usize = 16;
/// How many lines below a panic belong to it at most, and how many names a list of failures may have.
const AFTER_MAX: usize = 12;

/// What the next lines may belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Nothing,
    /// The message below a panic.
    Message {
        of: usize,
        left: usize,
    },
    /// The names below `failures:`.
    Names,
    /// The place below an error of the compiler or a gate.
    Place {
        of: usize,
        left: usize,
    },
}

/// Whether a failure is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Somebody called it a failure.
    Failed,
    /// Something panicked, and nobody has said yet what became of it.
    Panicked,
    /// It passed in the end.
    Passed,
}

/// Everything that was read so far.
#[derive(Debug)]
pub(super) struct Book {
    failures: Vec<LogFailure>,
    omitted: u64,
    standings: Vec<Standing>,
    by_test: BTreeMap<String, Vec<usize>>,
    /// The test binary that runs.
    suite: Option<String>,
    cargo_kind: Option<&'static str>,
    /// The failure whose output is being shown.
    current: Option<usize>,
    after: After,
    /// The test binary that began and has not ended: its line, its name, how many tests it has.
    began: Option<(u64, Option<String>, u64)>,
    green: u64,
    red: u64,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            failures: Vec::new(),
            omitted: 0,
            standings: Vec::new(),
            by_test: BTreeMap::new(),
            suite: None,
            cargo_kind: None,
            current: None,
            after: After::Nothing,
            began: None,
            green: 0,
            red: 0,
        }
    }
}

impl Book {
    /// Whether the next line is wanted, whatever words it has.
    pub(super) fn wants_next_line(&self) -> bool {
        self.after != After::Nothing
    }

    /// Reads one line.
    pub(super) fn line(&mut self, number: u64, text: &str, patterns: &[usize]) {
        let read = line::read(text);
        if !self.follow(number, text, read.as_ref())
            && let Some(read) = &read
        {
            self.understood(number, read);
        }
        if let Some(failure) = self.current.and_then(|at| self.failures.get_mut(at)) {
            for pattern in patterns {
                if !failure.patterns.contains(pattern) {
                    failure.patterns.push(*pattern);
                }
            }
        }
    }

    /// Gives a line to what asked for it; `true` when it was taken.
    fn follow(&mut self, number: u64, text: &str, read: Option<&Line<'_>>) -> bool {
        match self.after {
            After::Nothing => false,
            After::Message { of, left } => {
                let line = text.trim();
                let over = left == 0
                    || line.is_empty()
                    || line.starts_with("note: ")
                    || line.starts_with("stack backtrace:")
                    || read.is_some();
                if over {
                    self.after = After::Nothing;
                    return false;
                }
                self.after = After::Message { of, left: left - 1 };
                self.say(of, line);
                true
            }
            After::Names => {
                let line = text.trim();
                if line.is_empty() {
                    // The first list is followed by the sections of output, the second by the names.
                    self.after = After::Nothing;
                    return true;
                }
                if matches!(read, Some(Line::Section(..) | Line::Nextest(..) | Line::Result(_)))
                    || !text.starts_with(' ')
                {
                    self.after = After::Nothing;
                    return false;
                }
                let suite = self.suite.clone();
                self.test(number, suite.as_deref(), line);
                true
            }
            After::Place { of, left } => {
                let line = text.trim();
                if let Some(place) = line.strip_prefix("--> ").or_else(|| line.strip_prefix("::: "))
                {
                    if let Some(failure) = self.failures.get_mut(of) {
                        failure.location.get_or_insert_with(|| cut(place));
                    }
                    self.after = After::Nothing;
                    return true;
                }
                self.after =
                    if left == 0 { After::Nothing } else { After::Place { of, left: left - 1 } };
                false
            }
        }
    }

    fn understood(&mut self, number: u64, read: &Line<'_>) {
        match *read {
            Line::Running(kind, target) => {
                self.cargo_kind = Some(kind);
                self.suite = Some(cut(target));
                self.current = None;
            }
            Line::Began(n) => {
                self.unended();
                self.began = Some((number, self.suite.clone(), n.parse().unwrap_or(0)));
            }
            Line::TestFailed(name) => drop(self.of_suite(number, name)),
            Line::Section(name, tells_all) => {
                self.current = self.of_suite(number, name);
                if let Some(of) = self.current.filter(|_| tells_all) {
                    self.after = After::Message { of, left: 3 };
                }
            }
            Line::Failures => self.after = After::Names,
            Line::Panicked(thread, place, message) => self.panicked(number, thread, place, message),
            Line::Result(ok) => self.result(ok),
            Line::Summary(ok) => {
                self.tally(ok);
                self.dismiss(None);
                self.current = None;
            }
            Line::Nextest(became, suite, test) => self.nextest(number, became, suite, test),
            Line::Coded(code, message) => self.coded(number, code, message),
            Line::Error(message) => self.error(number, message),
            Line::TargetFailed(words) => {
                self.red += 1;
                self.current = None;
                let target = words.split_whitespace().last().unwrap_or_default();
                if !target.is_empty() && !target.starts_with('-') {
                    self.suite = Some(cut(target));
                }
            }
            Line::Ended(target, how) => self.ended(number, target, how),
            Line::Aborted(what) => {
                let at = self.current.or_else(|| self.named(what));
                if let Some(at) = at {
                    self.say(at, what);
                    self.set_class(at, "crash");
                }
            }
            Line::Returned(what) => {
                if let Some(at) = self.current.filter(|at| self.failures[*at].message.is_empty()) {
                    self.say(at, &format!("Error: {what}"));
                }
            }
            Line::Unmet(what) => {
                if let Some(at) = self.current {
                    self.say(at, what);
                    self.set_class(at, "assertion_failure");
                }
            }
            Line::Runner(_kind, suite, test, class) => {
                if let Some(at) = self.test(number, Some(suite), test) {
                    self.set_class(at, class);
                    self.current = Some(at);
                    self.after = After::Place { of: at, left: 1 };
                }
            }
            Line::Gate(id, status, code, detail) => self.gate(number, (id, status), code, detail),
            Line::Detail(name, value) => self.detail(name, value),
            Line::StepFailed => self.red += 1,
        }
    }

    fn tally(&mut self, ok: bool) {
        if ok {
            self.green += 1;
        } else {
            self.red += 1;
        }
    }

    /// A test binary came to its end and named what failed in it.
    fn result(&mut self, ok: bool) {
        self.tally(ok);
        if self.current.is_none_or(|at| !self.is_nextest(at)) {
            self.began = None;
        }
        let suite = self.suite.clone();
        if self.current.is_none_or(|at| !self.is_nextest(at)) {
            self.dismiss(Some(suite.as_deref()));
            self.current = None;
        }
    }

    /// Drops panics that nobody called a failure: a test may panic on purpose, and pass.
    fn dismiss(&mut self, suite: Option<Option<&str>>) {
        for (failure, standing) in self.failures.iter().zip(&mut self.standings) {
            let here = suite.is_none_or(|suite| failure.suite.as_deref() == suite);
            if *standing == Standing::Panicked && here {
                *standing = Standing::Passed;
            }
        }
    }

    fn gate(&mut self, number: u64, (id, status): (&str, &str), code: &str, detail: &str) {
        let Some(at) = self.test(number, None, id) else { return };
        self.code(at, code);
        self.say(at, detail);
        let class = match status {
            "missing" => Some("not_run"),
            "crashed" => Some("crash"),
            _ => digest::class_of_code(code),
        };
        self.set_class(at, class.unwrap_or("gate_blocked"));
        self.current = Some(at);
    }

    fn panicked(&mut self, number: u64, thread: &str, place: &str, message: &str) {
        let known = self.by_test.get(thread).and_then(|found| found.last().copied());
        // Threads without a name, and those of helpers, belong to the test whose output is shown.
        let at = match (self.current, known) {
            (Some(at), _) => Some(at),
            (None, Some(at)) => Some(at),
            (None, None) => {
                let suite = self.suite.clone();
                let named = !matches!(thread, "main" | "unnamed" | "") && !thread.contains(' ');
                let at = if named {
                    self.test(number, suite.as_deref(), thread)
                } else {
                    self.push(number, Kind::Command, suite.as_deref(), None, "panic")
                };
                if let Some(at) = at {
                    self.stand(at, Standing::Panicked);
                }
                at
            }
        };
        let Some(at) = at else { return };
        // Only the first panic of a failure is its cause; what follows unwinds from it.
        let fresh = self.failures.get(at).is_some_and(|failure| failure.location.is_none());
        if !fresh {
            return;
        }
        if let Some(failure) = self.failures.get_mut(at) {
            failure.location = Some(cut(place));
        }
        self.set_class(at, "panic");
        if message.is_empty() {
            self.after = After::Message { of: at, left: AFTER_MAX };
        } else {
            self.say(at, message);
        }
    }

    fn nextest(&mut self, number: u64, became: Became, suite: &str, test: &str) {
        let at = self.test(number, Some(suite), test);
        let Some(at) = at else { return };
        match became {
            Became::Passed => {
                self.stand(at, Standing::Passed);
                self.current = None;
                return;
            }
            Became::Failed => {}
            Became::TimedOut => self.set_class(at, "timeout"),
            Became::Crashed => self.set_class(at, "crash"),
        }
        self.current = Some(at);
    }

    fn coded(&mut self, number: u64, code: &str, message: &str) {
        // `PC1301 file_over_budget` is ours, `E0308` the compiler's; gates print the name alone as well.
        let name = code.split_whitespace().last().unwrap_or(code);
        let of_compiler = name.len() == 5
            && name.starts_with('E')
            && name[1..].bytes().all(|b| b.is_ascii_digit());
        if of_compiler {
            let at = self.push(number, Kind::Build, None, None, "build_error");
            if let Some(at) = at {
                self.code(at, name);
                self.say(at, message);
                self.after = After::Place { of: at, left: 2 };
            }
            return;
        }
        let at =
            self.current.or_else(|| self.push(number, Kind::Command, None, None, "gate_blocked"));
        let Some(at) = at else { return };
        self.code(at, name);
        self.say(at, message);
        // A test that panicked may have quoted the words of a gate; the panic is what failed.
        if self.failures.get(at).is_none_or(|failure| failure.class != "panic") {
            self.set_class(at, digest::class_of_code(name).unwrap_or("gate_blocked"));
        }
        self.after = After::Place { of: at, left: 3 };
    }

    fn error(&mut self, number: u64, message: &str) {
        let aside = message.starts_with("test run failed")
            || message.starts_with("aborting due to")
            || message.ends_with("target failed:")
            || message.ends_with("targets failed:");
        if aside {
            self.red += 1;
            return;
        }
        if let Some(at) = self.current {
            if self.failures[at].message.is_empty() {
                self.say(at, message);
            }
            return;
        }
        let build =
            ["could not compile", "failed to run custom build", "linking with", "build failed"];
        if message.starts_with("could not compile")
            && self.failures.iter().any(|f| f.kind == Kind::Build)
        {
            self.red += 1;
            return;
        }
        let (kind, class) = if build.iter().any(|word| message.contains(word)) {
            (Kind::Build, "build_error")
        } else if message.contains("no test target")
            || message.contains("creating test list failed")
        {
            (Kind::Command, "list_error")
        } else {
            (Kind::Command, "unknown")
        };
        if let Some(at) = self.push(number, kind, None, None, class) {
            self.say(at, message);
            self.after = After::Place { of: at, left: 2 };
        }
    }

    /// A test binary that began and never said how its tests went: its process ended, or the log did.
    fn unended(&mut self) {
        let Some((line, suite, n)) = self.began.take() else { return };
        let blamed = self.failures.iter().zip(&self.standings).any(|(failure, standing)| {
            let ended = matches!(failure.class.as_str(), "crash" | "exited");
            failure.suite == suite
                && failure.line >= line
                && (ended || *standing == Standing::Panicked)
        });
        if blamed {
            return;
        }
        if let Some(at) = self.push(line, Kind::Command, suite.as_deref(), None, "exited") {
            self.say(at, &format!("it began with {n} tests and never said how they went"));
        }
    }

    /// A test process that ended otherwise: nobody says which of its tests did it.
    fn ended(&mut self, number: u64, target: &str, how: &str) {
        self.began = self.began.take().filter(|(_, suite, _)| suite.as_deref() != Some(target));
        if how.starts_with("exit status: 101") || how.starts_with("exit code: 101") {
            return;
        }
        let class = if how.starts_with("signal") { "crash" } else { "exited" };
        let blamed = self.failures.iter().rposition(|failure| {
            failure.suite.as_deref() == Some(target)
                && failure.class == "crash"
                && failure.test.is_some()
        });
        let at = blamed.or_else(|| self.push(number, Kind::Command, Some(target), None, class));
        if let Some(at) = at {
            self.set_class(at, class);
            self.say(at, how);
        }
    }

    fn detail(&mut self, name: &str, value: &str) {
        let Some(at) = self.current.or_else(|| self.failures.len().checked_sub(1)) else { return };
        match name {
            "status" => {
                if let Some((_, rest)) = value.split_once('[')
                    && let Some((code, message)) = rest.split_once(']')
                {
                    self.code(at, code);
                    self.say(at, message.trim_start_matches(':').trim());
                }
            }
            "remedy" => {
                let failure = &mut self.failures[at];
                let remedy = cut(value);
                if failure.remedies.len() < MESSAGE_LINES && !failure.remedies.contains(&remedy) {
                    failure.remedies.push(remedy);
                }
            }
            "replay" => {
                let failure = &mut self.failures[at];
                failure.replay.get_or_insert_with(|| cut(value.trim_matches('`')));
            }
            _ => {}
        }
    }

    fn stand(&mut self, at: usize, standing: Standing) {
        if let Some(slot) = self.standings.get_mut(at) {
            *slot = standing;
        }
    }

    /// The failure of a test of the binary that runs.
    fn of_suite(&mut self, number: u64, test: &str) -> Option<usize> {
        let suite = self.suite.clone();
        self.test(number, suite.as_deref(), test)
    }

    /// The failure of a test, which may have been mentioned before.
    fn test(&mut self, number: u64, suite: Option<&str>, test: &str) -> Option<usize> {
        let test = short(test);
        let suite = suite.map(short);
        let same = |known: &Option<String>| match (known.as_deref(), suite.as_deref()) {
            (Some(known), Some(suite)) => {
                known == suite
                    || known.rsplit("::").next() == Some(suite)
                    || suite.rsplit("::").next() == Some(known)
            }
            (None, _) | (_, None) => true,
        };
        let found = self
            .by_test
            .get(&*test)
            .and_then(|found| found.iter().copied().find(|at| same(&self.failures[*at].suite)));
        if let Some(at) = found {
            if self.standings.get(at) == Some(&Standing::Panicked) {
                self.stand(at, Standing::Failed);
            }
            return found;
        }
        let at = self.push(number, Kind::Test, suite.as_deref(), Some(&test), "unknown")?;
        self.by_test.entry(test.into_owned()).or_default().push(at);
        Some(at)
    }

    fn push(
        &mut self,
        line: u64,
        kind: Kind,
        suite: Option<&str>,
        test: Option<&str>,
        class: &str,
    ) -> Option<usize> {
        if self.failures.len() >= FAILURES_MAX {
            self.omitted += 1;
            return None;
        }
        let cargo_kind = self.cargo_kind.filter(|_| self.suite.as_deref() == suite);
        self.failures.push(LogFailure {
            kind,
            suite: suite.map(str::to_owned),
            cargo_kind,
            test: test.map(str::to_owned),
            class: class.to_owned(),
            codes: Vec::new(),
            location: None,
            message: String::new(),
            line,
            remedies: Vec::new(),
            replay: None,
            patterns: Vec::new(),
        });
        self.standings.push(Standing::Failed);
        Some(self.failures.len() - 1)
    }

    /// The failure of the thread that a line names in quotes.
    fn named(&self, text: &str) -> Option<usize> {
        let (_, rest) = text.split_once("thread '")?;
        let (name, _) = rest.split_once('\'')?;
        self.by_test.get(name).and_then(|found| found.last().copied())
    }

    fn is_nextest(&self, at: usize) -> bool {
        self.failures
            .get(at)
            .and_then(|failure| failure.suite.as_deref())
            .is_some_and(|suite| self.suite.as_deref() != Some(suite))
    }

    fn say(&mut self, at: usize, text: &str) {
        let Some(failure) = self.failures.get_mut(at) else { return };
        let text = cut(text);
        let known = failure.message.lines().any(|line| line == text);
        if known || failure.message.lines().count() >= MESSAGE_LINES || text.is_empty() {
            return;
        }
        if !failure.message.is_empty() {
            failure.message.push('\n');
        }
        failure.message.push_str(&text);
    }

    fn code(&mut self, at: usize, code: &str) {
        let Some(failure) = self.failures.get_mut(at) else { return };
        let code = cut(code);
        if failure.codes.len() < CODES_MAX && !failure.codes.contains(&code) {
            failure.codes.push(code);
        }
    }

    /// Gives a class where none was given: structure comes before text, and the first word stands.
    fn set_class(&mut self, at: usize, class: &str) {
        if let Some(failure) = self.failures.get_mut(at)
            && matches!(failure.class.as_str(), "unknown" | "panic" | "gate_blocked")
        {
            failure.class = class.to_owned();
        }
    }

    /// The failures, how many were not kept, and how many results were green and red.
    pub(super) fn finish(mut self) -> (Vec<LogFailure>, u64, u64, u64) {
        self.unended();
        let kept = self
            .failures
            .into_iter()
            .zip(self.standings)
            .filter(|(_, standing)| *standing != Standing::Passed);
        let failures = kept
            .map(|(mut failure, _)| {
                if failure.class == "panic" || failure.class == "unknown" {
                    let panicked = failure.class == "panic";
                    failure.class = class_of(&failure.message, panicked).to_owned();
                }
                failure
            })
            .collect();
        (failures, self.omitted, self.green, self.red)
    }
}
