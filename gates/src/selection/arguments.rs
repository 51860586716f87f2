//! The arguments of `cargo test` and `cargo nextest run`: what they choose, as far as it stands in the command.

use crate::shell::{argv::OPAQUE, follow::Leaf};
use portcullis::Globs;

/// Who runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    Cargo,
    Nextest,
}

/// A command that runs tests.
#[derive(Clone, Debug)]
pub(crate) struct TestCommand {
    pub(crate) runner: Runner,
    pub(crate) packages: Vec<String>,
    pub(crate) excluded: Vec<String>,
    pub(crate) is_workspace: bool,
    /// The folder of `--manifest-path`.
    pub(crate) manifest_folder: Option<String>,
    /// Kinds and patterns of targets; none stands for the usual ones.
    targets: Vec<(&'static str, String)>,
    /// Filters of names, of which one has to fit.
    filters: Vec<String>,
    skips: Vec<String>,
    is_exact: bool,
    ignored: Ignored,
    pub(crate) expressions: Vec<String>,
    pub(crate) profile: Option<String>,
    pub(crate) ignores_default_filter: bool,
    pub(crate) no_fail_fast: bool,
    /// The values of thread flags of the runner, in order, each as written.
    pub(crate) runner_threads: Vec<String>,
    /// Those of libtest.
    pub(crate) test_threads: Vec<String>,
    /// Whether nextest shows output as it comes, one test at a time.
    pub(crate) shows_output: bool,
    /// The flag that keeps every test from running.
    pub(crate) runs_nothing: Option<String>,
    /// What about it is not known.
    pub(crate) unknown: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ignored {
    Left,
    Only,
    Too,
}

/// Flags with a value that chooses no tests.
const WITH_VALUE: &[&str] = &[
    "--features",
    "-F",
    "--target",
    "--target-dir",
    "--message-format",
    "--color",
    "--config",
    "-Z",
    "--cargo-profile",
    "--build-jobs",
    "--timings",
    "--lockfile-path",
    "--artifact-dir",
    "--retries",
    "--flaky-result",
    "--no-tests",
    "--failure-output",
    "--success-output",
    "--status-level",
    "--final-status-level",
    "--show-progress",
    "--config-file",
    "--tool-config-file",
    "--tool-config",
    "--cargo-message-format",
    "--message-format-version",
    "--user-config-file",
    "--max-progress-running",
];

impl TestCommand {
    /// Reads a command; nothing when it runs no tests.
    pub(crate) fn of(leaf: &Leaf) -> Option<Self> {
        let argv = &leaf.argv;
        let program = argv.first().map(String::as_str)?;
        let mut rest = argv.get(1..)?;
        let mut manifest_folder = None;
        // Options of cargo itself stand before the subcommand.
        loop {
            let word = rest.first()?;
            if !word.starts_with(['-', '+']) {
                break;
            }
            let n = if matches!(
                word.as_str(),
                "--config" | "-Z" | "-C" | "--color" | "--manifest-path"
            ) {
                2
            } else {
                1
            };
            if word == "--manifest-path" {
                manifest_folder = rest.get(1).map(|path| folder_of(path));
            }
            rest = rest.get(n..)?;
        }
        let runner = match (program, rest.first().map(String::as_str)?) {
            ("cargo", "test" | "t") => Runner::Cargo,
            ("cargo" | "cargo-nextest", "nextest") => {
                rest = rest.get(1..)?;
                if !matches!(rest.first().map(String::as_str), Some("run" | "r")) {
                    return None;
                }
                Runner::Nextest
            }
            ("cargo-nextest", "run" | "r") => Runner::Nextest,
            _ => return None,
        };
        let profile = leaf.env.get("NEXTEST_PROFILE").cloned();
        let mut command = Self {
            runner,
            packages: Vec::new(),
            excluded: Vec::new(),
            is_workspace: false,
            manifest_folder,
            targets: Vec::new(),
            filters: Vec::new(),
            skips: Vec::new(),
            is_exact: false,
            ignored: Ignored::Left,
            expressions: Vec::new(),
            profile: profile.filter(|_| runner == Runner::Nextest),
            ignores_default_filter: false,
            no_fail_fast: false,
            runner_threads: Vec::new(),
            test_threads: Vec::new(),
            shows_output: false,
            runs_nothing: None,
            unknown: None,
        };
        let rest = rest.get(1..).unwrap_or_default();
        let split = rest.iter().position(|word| word == "--").unwrap_or(rest.len());
        command.own(rest.get(..split).unwrap_or_default());
        command.behind(rest.get(split + 1..).unwrap_or_default());
        Some(command)
    }

    fn doubt(&mut self, what: &str) {
        let what = crate::shell::argv::shown(what);
        self.unknown.get_or_insert(what);
    }

    /// Arguments of the runner.
    fn own(&mut self, words: &[String]) {
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            let (flag, attached) = match word.split_once('=') {
                Some((flag, value)) if flag.starts_with('-') => (flag, Some(value.to_owned())),
                _ => short(word),
            };
            if !flag.starts_with('-') {
                if word.contains(OPAQUE) {
                    self.doubt(&format!("the argument `{word}`"));
                } else {
                    self.filters.push(word.clone());
                }
                continue;
            }
            let takes_value = self.takes_value(flag);
            let value = match attached {
                Some(value) => value,
                None if takes_value => words.next().cloned().unwrap_or_default(),
                None => String::new(),
            };
            self.flag(flag, &value, words.peek().map(|word| word.as_str()));
        }
    }

    fn takes_value(&self, flag: &str) -> bool {
        WITH_VALUE.contains(&flag)
            || matches!(
                flag,
                "-p" | "--package"
                    | "--exclude"
                    | "--test"
                    | "--bin"
                    | "--bench"
                    | "--example"
                    | "--manifest-path"
                    | "-j"
                    | "--jobs"
                    | "--profile"
                    | "-E"
                    | "--filterset"
                    | "--filter-expr"
                    | "--run-ignored"
                    | "--partition"
                    | "--archive-file"
                    | "--test-threads"
                    | "--max-fail"
            )
            || (self.runner == Runner::Nextest && flag == "-P")
    }

    fn flag(&mut self, flag: &str, value: &str, _next: Option<&str>) {
        let is_nextest = self.runner == Runner::Nextest;
        let decides = matches!(
            flag,
            "-p" | "--package"
                | "--exclude"
                | "--test"
                | "--bin"
                | "--bench"
                | "--example"
                | "--manifest-path"
                | "-E"
                | "--filterset"
                | "--filter-expr"
                | "--run-ignored"
                | "-P"
        ) || (is_nextest && flag == "--profile");
        if decides && value.contains(OPAQUE) {
            self.doubt(&format!("`{flag} {value}`"));
            return;
        }
        match flag {
            "-p" | "--package" => self.packages.push(value.to_owned()),
            "--exclude" => self.excluded.push(value.to_owned()),
            "--workspace" | "--all" => self.is_workspace = true,
            "--manifest-path" => self.manifest_folder = Some(folder_of(value)),
            "--lib" => self.targets.push(("lib", "*".to_owned())),
            "--bins" => self.targets.push(("bin", "*".to_owned())),
            "--examples" => self.targets.push(("example", "*".to_owned())),
            "--benches" => self.targets.push(("bench", "*".to_owned())),
            // Everything whose manifest says that it is tested, libraries and programs included.
            "--tests" | "--all-targets" => self.targets.push(("", "*".to_owned())),
            "--test" => self.targets.push(("test", value.to_owned())),
            "--bin" => self.targets.push(("bin", value.to_owned())),
            "--bench" => self.targets.push(("bench", value.to_owned())),
            "--example" => self.targets.push(("example", value.to_owned())),
            "--doc" => self.doubt("the documentation tests of `--doc`"),
            "--no-default-features" => self.doubt("`--no-default-features`"),
            "--no-run" => self.runs_nothing = Some("--no-run".to_owned()),
            "--no-fail-fast" | "--nff" => self.no_fail_fast = true,
            "--max-fail" => self.no_fail_fast = value == "all",
            "--fail-fast" | "--ff" => self.no_fail_fast = false,
            "--help" | "-h" | "--version" | "-V" => self.runs_nothing = Some(flag.to_owned()),
            "-j" | "--jobs" | "--test-threads" if is_nextest => {
                self.runner_threads.push(value.to_owned());
            }
            "--no-capture" | "--nocapture" if is_nextest => self.shows_output = true,
            "-E" | "--filterset" | "--filter-expr" => self.expressions.push(value.to_owned()),
            "--ignore-default-filter" => self.ignores_default_filter = true,
            "-P" | "--profile" if is_nextest => self.profile = Some(value.to_owned()),
            "--run-ignored" => {
                self.ignored = match value {
                    "only" | "ignored-only" => Ignored::Only,
                    "all" => Ignored::Too,
                    _ => Ignored::Left,
                };
            }
            "--partition" | "--archive-file" => self.doubt(&format!("`{flag}`")),
            _ if flag.contains(OPAQUE) => self.doubt(&format!("the argument `{flag}`")),
            _ => {}
        }
    }

    /// Arguments of the test binaries.
    fn behind(&mut self, words: &[String]) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (flag, attached) = match word.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            let takes_value = matches!(
                flag,
                "--skip"
                    | "--test-threads"
                    | "--format"
                    | "--logfile"
                    | "--color"
                    | "-Z"
                    | "--shuffle-seed"
            );
            let value = match attached {
                Some(value) => value,
                None if takes_value => words.next().cloned().unwrap_or_default(),
                None => String::new(),
            };
            match flag {
                "--skip" if value.contains(OPAQUE) => self.doubt(&format!("`--skip {value}`")),
                "--skip" => self.skips.push(value),
                "--exact" => self.is_exact = true,
                "--ignored" => self.ignored = Ignored::Only,
                "--include-ignored" => self.ignored = Ignored::Too,
                "--list" | "--help" | "-h" => self.runs_nothing = Some(flag.to_owned()),
                "--test-threads" => self.test_threads.push(value),
                "--" => {}
                _ if word.contains(OPAQUE) => self.doubt(&format!("the argument `{word}`")),
                _ if flag.starts_with('-') => {}
                _ => self.filters.push(word.clone()),
            }
        }
    }

    /// Whether it leaves out tests by name.
    pub(crate) fn filters_tests(&self) -> bool {
        !self.filters.is_empty() || !self.skips.is_empty() || self.ignored == Ignored::Only
    }

    /// Whether a target is taken.
    ///
    /// # Errors
    /// What leaves it out.
    pub(crate) fn takes_target(&self, kind: &str, name: &str) -> Result<(), String> {
        let kind = if kind == "proc-macro" { "lib" } else { kind };
        let fits = |(wanted, pattern): &(&'static str, String)| {
            (wanted.is_empty() || *wanted == kind) && glob(pattern, name)
        };
        if self.targets.is_empty() || self.targets.iter().any(fits) {
            return Ok(());
        }
        let shown = self.targets.iter().map(|(kind, name)| match (*kind, name.as_str()) {
            ("", _) => "--tests".to_owned(),
            (kind, "*") => format!("--{kind}"),
            (kind, name) => format!("--{kind} {name}"),
        });
        Err(format!("`{}`", shown.collect::<Vec<_>>().join(" ")))
    }

    /// Whether a test is taken.
    ///
    /// # Errors
    /// What leaves it out.
    pub(crate) fn takes_test(&self, test: &str, is_active: bool) -> Result<(), String> {
        let fits = |pattern: &String| match self.is_exact {
            true => test == pattern,
            false => test.contains(pattern.as_str()),
        };
        if !self.filters.is_empty() && !self.filters.iter().any(fits) {
            let exact = if self.is_exact { " --exact" } else { "" };
            return Err(format!("`{}{exact}`", self.filters.join(" ")));
        }
        if let Some(skip) = self.skips.iter().find(|skip| fits(skip)) {
            return Err(format!("`--skip {skip}`"));
        }
        match (self.ignored, is_active) {
            (Ignored::Left, false) => Err("its `#[ignore]`".to_owned()),
            (Ignored::Only, true) => Err("`--ignored`".to_owned()),
            (Ignored::Left | Ignored::Too, true) | (Ignored::Only | Ignored::Too, false) => Ok(()),
        }
    }
}

/// A short flag with its value attached: `-j4`, `-pname`, `-Pci`.
fn short(word: &str) -> (&str, Option<String>) {
    let is_short = word.starts_with('-') && !word.starts_with("--") && word.len() > 2;
    match word.get(..2) {
        Some(flag @ ("-j" | "-p" | "-P" | "-E" | "-F" | "-Z")) if is_short => {
            (flag, word.get(2..).map(str::to_owned))
        }
        Some(_) | None => (word, None),
    }
}

fn folder_of(path: &str) -> String {
    let path = path.trim_start_matches("./");
    path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()
}

/// Whether a name fits a pattern with the wildcards of cargo.
pub(super) fn glob(pattern: &str, name: &str) -> bool {
    if !pattern.contains(['*', '?', '[']) {
        return pattern == name;
    }
    Globs::new(&[pattern]).is_ok_and(|globs| globs.matches(name))
}
