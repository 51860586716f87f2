//! Flags and variables that make tests pass, be few, or not run at all.

use super::config::Config;
use super::nextest::Profiles;
use super::report::{Report, Whose};
use super::{BUILD_ONLY, NO_TESTS_ALLOWED, RETRIES_HIDE};
use crate::shell::argv::{OPAQUE, shown_all};
use crate::shell::follow::Leaf;
use crate::step_script::{StepScript, file_location};
use portcullis::Location;

/// Judges the commands of a lane that run tests.
pub(super) fn judge(
    config: &Config,
    steps: &[StepScript<'_>],
    nextest: &Profiles,
    report: &mut Report<'_>,
) {
    let all: Vec<(usize, &StepScript<'_>, &Leaf)> = steps
        .iter()
        .flat_map(|step| step.leaves().iter().map(move |leaf| (step, leaf)))
        .enumerate()
        .map(|(index, (step, leaf))| (index, step, leaf))
        .collect();
    for (index, step, leaf) in &all {
        if let Some(run) = Nextest::of(leaf) {
            report.examined();
            no_tests(step, leaf, &run, report);
            if !config.allow_retries {
                retries(step, leaf, &run, nextest, report);
            }
        }
        build_only(step, leaf, &all, *index, report);
    }
}

/// A run of nextest with its own arguments.
struct Nextest<'l> {
    arguments: &'l [String],
    leaf: &'l Leaf,
}

impl<'l> Nextest<'l> {
    fn of(leaf: &'l Leaf) -> Option<Self> {
        let argv = &leaf.argv;
        let program = argv.first()?;
        if program != "cargo" && program != "cargo-nextest" {
            return None;
        }
        let at = argv.iter().position(|word| word == "nextest").unwrap_or(0);
        let is_nextest = at > 0 || program == "cargo-nextest";
        let verb = argv.iter().skip(at + 1).find(|word| !word.starts_with('-'))?;
        let own = argv.get(at + 1..)?.split(|word| word == "--").next()?;
        let runs = matches!(verb.as_str(), "run" | "r" | "bench" | "list" | "archive");
        (is_nextest && runs).then_some(Self { arguments: own, leaf })
    }

    /// The value of a flag, attached or not; of its variable when the flag is absent.
    fn value(&self, flag: &str, variable: Option<&str>) -> Option<String> {
        let mut words = self.arguments.iter();
        let mut found = None;
        while let Some(word) = words.next() {
            if word == flag {
                found = Some(words.clone().next().cloned().unwrap_or_default());
            } else if let Some(value) =
                word.strip_prefix(flag).and_then(|rest| rest.strip_prefix('='))
            {
                found = Some(value.to_owned());
            }
        }
        found.or_else(|| self.leaf.env.get(variable?).cloned())
    }

    fn profile(&self) -> String {
        self.value("--profile", Some("NEXTEST_PROFILE"))
            .or_else(|| {
                let at = self.arguments.iter().position(|word| word.starts_with("-P"))?;
                let word = self.arguments.get(at)?;
                match word.strip_prefix("-P") {
                    Some("") => self.arguments.get(at + 1).cloned(),
                    Some(value) => Some(value.trim_start_matches('=').to_owned()),
                    None => None,
                }
            })
            .unwrap_or_else(|| "default".to_owned())
    }
}

fn no_tests(step: &StepScript<'_>, leaf: &Leaf, run: &Nextest<'_>, report: &mut Report<'_>) {
    let Some(value) = run.value("--no-tests", Some("NEXTEST_NO_TESTS")) else { return };
    if value != "fail" && value != "auto" {
        let argv = shown_all(&leaf.argv);
        let message = format!("`{argv}` passes when it selects no test");
        let remedy = "leave nextest's default, which fails without tests";
        let at = place(step, leaf, "NEXTEST_NO_TESTS");
        report.push(NO_TESTS_ALLOWED, &Whose::step(&step.view), &argv, message, remedy, at);
    }
}

fn retries(
    step: &StepScript<'_>,
    leaf: &Leaf,
    run: &Nextest<'_>,
    nextest: &Profiles,
    report: &mut Report<'_>,
) {
    let whose = Whose::step(&step.view);
    let argv = shown_all(&leaf.argv);
    let remedy = "run tests once, or set `flaky-result = \"fail\"`; quarantine flaky tests by name";
    if run
        .value("--flaky-result", Some("NEXTEST_FLAKY_RESULT"))
        .is_some_and(|value| value == "fail")
    {
        return;
    }
    if let Some(value) = run.value("--retries", Some("NEXTEST_RETRIES")) {
        // A flag or variable is in force over every profile; a profile may still make a flaky test fail.
        let profile = run.profile();
        if value.trim() != "0" && !nextest.fails_flaky(&profile) {
            let message = format!("`{argv}` retries tests: {}", value.replace(OPAQUE, ".."));
            report.push(
                RETRIES_HIDE,
                &whose,
                &argv,
                message,
                remedy,
                place(step, leaf, "NEXTEST_RETRIES"),
            );
        }
        return;
    }
    for hidden in nextest.hidden_retries(&run.profile()) {
        let message = format!("{} retries tests, and `{argv}` uses it", hidden.what);
        let at = file_location(&hidden.path, hidden.line, hidden.column);
        report.push(RETRIES_HIDE, &whose, &hidden.what, message, remedy, at);
    }
}

/// The place of a variable of the step, else of the command.
fn place(step: &StepScript<'_>, leaf: &Leaf, variable: &str) -> Location {
    let in_words = leaf
        .argv
        .iter()
        .any(|word| word.starts_with("--retries") || word.starts_with("--no-tests"));
    match step.view.env().get(variable).filter(|_| !in_words) {
        Some(text) => text.location(),
        None => step.location(&leaf.place),
    }
}

/// Flags that change neither what is built nor what is run.
const NEUTRAL: &[&str] = &[
    "--no-run",
    "--locked",
    "--offline",
    "--frozen",
    "-q",
    "--quiet",
    "-v",
    "--verbose",
    "--no-fail-fast",
    "--all-targets",
    "--timings",
    "--keep-going",
];

/// The words that choose targets, sorted; what follows `--` chooses tests, not targets.
fn targets(argv: &[String]) -> Vec<String> {
    let own = argv.split(|word| word == "--").next().unwrap_or(argv);
    let mut words: Vec<String> = Vec::new();
    let mut rest = own.iter().skip(1).filter(|word| {
        !NEUTRAL.contains(&word.as_str())
            && !matches!(word.as_str(), "nextest" | "run" | "test" | "t" | "r" | "bench")
    });
    while let Some(word) = rest.next() {
        let takes_value = matches!(
            word.as_str(),
            "--test"
                | "--bin"
                | "--bench"
                | "--example"
                | "-p"
                | "--package"
                | "--exclude"
                | "--features"
                | "-F"
                | "--profile"
                | "--target"
                | "--manifest-path"
                | "--cargo-profile"
                | "-E"
                | "--filterset"
                | "-j"
                | "--jobs"
                | "--message-format"
                | "--color"
        );
        if !takes_value {
            words.push(word.clone());
        } else if let Some(value) = rest.next() {
            let is_choice =
                !matches!(word.as_str(), "-j" | "--jobs" | "--message-format" | "--color");
            if is_choice {
                words.push(format!(
                    "{}={value}",
                    word.replace("--package", "-p").replace("--features", "-F")
                ));
            }
        }
    }
    words.sort();
    words
}

fn build_only(
    step: &StepScript<'_>,
    leaf: &Leaf,
    all: &[(usize, &StepScript<'_>, &Leaf)],
    index: usize,
    report: &mut Report<'_>,
) {
    let own = leaf.argv.split(|word| word == "--").next().unwrap_or(&leaf.argv);
    if !leaf.is_verification || !own.iter().any(|word| word == "--no-run") {
        return;
    }
    report.examined();
    let bench = |argv: &[String]| argv.iter().take(3).any(|word| word == "bench");
    let runs = |argv: &[String]| {
        let own = argv.split(|word| word == "--").next().unwrap_or(argv);
        let tests = own
            .iter()
            .take(4)
            .any(|word| matches!(word.as_str(), "test" | "t" | "bench" | "nextest"));
        let only_lists = argv.iter().any(|word| word == "--list" || word == "list");
        tests && !only_lists && !own.iter().any(|word| word == "--no-run")
    };
    let wanted = targets(&leaf.argv);
    let chooses = |words: &[String]| {
        let is_choice = |word: &&String| {
            ["--test", "--bin", "--bench", "--example", "--lib", "--doc", "-p=", "--exclude"]
                .iter()
                .any(|head| word.starts_with(head))
        };
        words.iter().any(|word| is_choice(&word))
    };
    let is_run_later = all.iter().skip(index + 1).any(|(_, _, later)| {
        let found = targets(&later.argv);
        runs(&later.argv)
            && bench(&later.argv) == bench(&leaf.argv)
            && (found == wanted || !chooses(&found))
    });
    if !is_run_later {
        let argv = shown_all(&leaf.argv);
        let message = format!("`{argv}` builds tests that no later command of the lane runs");
        let remedy = "remove `--no-run`, or run the same targets in a later command";
        report.push(
            BUILD_ONLY,
            &Whose::step(&step.view),
            &argv,
            message,
            remedy,
            step.location(&leaf.place),
        );
    }
}
