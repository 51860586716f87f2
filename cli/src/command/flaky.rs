//! `flaky`: repeats one test on this commit and says whether it is stable, flaky or broken. It quarantines nothing.

use super::replay;
use crate::{
    args::Flaky as Arguments,
    dates, digest,
    engine::{
        cargo_test::{Cargo, crate_name},
        child::Cut,
    },
    exit::{Exit, OrExit, Refused},
    flaky::{self, Attempt, Diagnosis, Entry, Nature},
    interrupt, locate, red_log,
    replays::Rung,
    repository::Repository,
    signature::Patterns,
    transport::Transport,
};
use portcullis::{
    Fault,
    evidence::{clock::Stopwatch, git::Git, process},
    kernel::{near::near, policy::profile::Kind, quarantine::SPAN_MAX_DAYS, replay::Replay},
    wire::{
        code::{NAME_UNKNOWN, RUN_INTERRUPTED, USAGE},
        time::Day,
    },
};
use serde_json::json;

const SCHEMA: &str = "portcullis.flaky.v1";
const MESSAGE_CHARS: usize = 200;
const NO_ISSUE: &str = "none yet: open one, and name it here";

/// Runs `flaky`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    interrupt::listen();
    let [suite, test] = arguments.test.as_slice() else {
        let remedy = "write `--test <suite> <test>`";
        return Err(Refused::new(
            Exit::Usage,
            Fault::new(USAGE, "a suite and a test are asked for", remedy),
        ));
    };
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    let cargo = Cargo::find(&repository, arguments.cargo)?;
    let replay = target(&cargo, suite, test, &policy.replay_prefix)?;
    let rung = Rung {
        suite: suite.clone(),
        test: test.clone(),
        kind: Kind::Unit,
        fingerprint: String::new(),
        root_cause_class: String::new(),
        targeted: replay.clone(),
        whole: replay.clone(),
        digest_path: String::new(),
    };
    out.progress(&format!(
        "portcullis: building, then {} times `{}`",
        arguments.runs,
        replay.render()
    ));
    replay::resolve(&repository, &cargo, &replay, &rung, out)?;
    let mut attempts = Vec::new();
    for n in 1..=arguments.runs {
        let attempt = attempt(&repository, &cargo, &replay, (suite, test))?;
        let word = if attempt.passed {
            "passed".to_owned()
        } else {
            format!("failed ({})", attempt.class)
        };
        out.progress(&format!(
            "portcullis: {n}/{} {word} in {} ms",
            arguments.runs, attempt.duration_ms
        ));
        attempts.push(attempt);
    }
    let diagnosis = flaky::diagnose(&attempts);
    let commit = Git::new(repository.root(), None).head().or_exit(Exit::Nothing)?;
    let commit = commit.map_or_else(|| "no commit".to_owned(), |head| head.commit.to_string());
    let today = repository.clock()?.now.day();
    let owner = arguments.owner.as_deref().unwrap_or(&policy.owner);
    let entry = match diagnosis.nature {
        Nature::Flaky => {
            let issue = arguments.issue.as_deref().unwrap_or(NO_ISSUE);
            let found = (&diagnosis, attempts.as_slice(), commit.as_str());
            Some(entry((suite, test), (owner, issue), found, &replay, today)?)
        }
        Nature::Stable | Nature::Broken => None,
    };
    let exit = if diagnosis.nature == Nature::Stable { Exit::Pass } else { Exit::TestsFailed };
    out.document(&json!({
        "schema": SCHEMA,
        "suite": suite,
        "test": test,
        "commit": commit,
        "command": replay.render(),
        "diagnosis": diagnosis,
        "attempts": attempts,
        "quarantine_entry": entry,
        "exit": exit.code(),
    }));
    out.text(&text(&diagnosis, (suite, test), entry.as_deref(), arguments.issue.is_some()));
    Ok(exit)
}

/// The quarantine entry of a flaky test, from today on.
fn entry(
    (suite, test): (&str, &str),
    (owner, issue): (&str, &str),
    (diagnosis, attempts, commit): (&Diagnosis, &[Attempt], &str),
    replay: &Replay,
    today: Day,
) -> Result<String, Refused> {
    let failure = attempts.iter().find(|attempt| !attempt.passed);
    let message = failure.and_then(|failure| failure.message.lines().next()).unwrap_or_default();
    let message: String = message.chars().take(MESSAGE_CHARS).collect();
    let because = diagnosis.because.as_deref().unwrap_or_default();
    let (failed, runs) = (diagnosis.failed, diagnosis.runs);
    let again = [suite, test].map(portcullis::kernel::replay::quote).join(" ");
    let entry = Entry {
        suite: &crate_or_target(suite),
        test,
        category: diagnosis.category.unwrap_or("FLAKE-LOGIC"),
        owner,
        quarantined: dates::edited(today)?,
        expires: dates::edited(dates::plus(today, SPAN_MAX_DAYS)?)?,
        issue,
        evidence: &format!("{failed} of {runs} attempts failed on {commit}, {today}; {because}"),
        repro: &replay.render(),
        reason: &format!("it fails now and then: {message}"),
        remove_when: &format!("`cargo portcullis flaky --test {again} --runs 20` is stable"),
    };
    Ok(entry.render())
}

fn text(
    diagnosis: &Diagnosis,
    (suite, test): (&str, &str),
    entry: Option<&str>,
    has_issue: bool,
) -> String {
    let counts = format!("{} of {} attempts failed", diagnosis.failed, diagnosis.runs);
    match diagnosis.nature {
        Nature::Stable => format!(
            "flaky: {suite} {test}: stable: {counts}\nA test that fails once in a hundred passes this often, too; `--runs` repeats it more."
        ),
        Nature::Broken => format!(
            "flaky: {suite} {test}: broken, not flaky: {counts}\nQuarantine is for what passes sometimes: mend it."
        ),
        Nature::Flaky => {
            let issue = if has_issue {
                ""
            } else {
                "\nName an issue before it is committed: `--issue`, or edit the line."
            };
            format!(
                "flaky: {suite} {test}: {}: {counts}; {}\n\nFor `suite_classification.toml`:\n\n{}{issue}",
                diagnosis.category.unwrap_or_default(),
                diagnosis.because.as_deref().unwrap_or_default(),
                entry.unwrap_or_default(),
            )
        }
    }
}

/// The target as the quarantine names it, without its package.
fn crate_or_target(suite: &str) -> String {
    suite.rsplit("::").next().unwrap_or(suite).to_owned()
}

/// The words that run one test of a suite: `target`, `package::target`, or a package for its library.
fn target(cargo: &Cargo, suite: &str, test: &str, prefix: &[String]) -> Result<Replay, Refused> {
    let metadata = cargo.metadata()?;
    let tests = metadata.tests();
    let named = |name: &str| crate_name(name) == crate_name(crate_or_target(suite).as_str());
    let of_package =
        |package: &str| suite.split_once("::").is_none_or(|(wanted, _)| wanted == package);
    let found: Vec<_> =
        tests.iter().filter(|target| named(&target.name) && of_package(&target.package)).collect();
    let packages: Vec<&str> = metadata.manifests().map(|(name, _)| name).collect();
    let mut argv = prefix.to_vec();
    argv.extend(["cargo", "test", "--package"].map(str::to_owned));
    let mut features = Vec::new();
    match found.as_slice() {
        [one] => {
            argv.extend([one.package.clone(), "--test".to_owned(), one.name.clone()]);
            features.clone_from(&one.features);
        }
        [] if packages.iter().any(|package| crate_name(package) == crate_name(suite)) => {
            let package = packages.iter().find(|package| crate_name(package) == crate_name(suite));
            argv.extend([package.copied().unwrap_or(suite).to_owned(), "--lib".to_owned()]);
        }
        several => {
            let labels: Vec<String> =
                tests.iter().map(|target| format!("{}::{}", target.package, target.name)).collect();
            let close = near(suite, tests.iter().map(|target| target.name.as_str()));
            let (headline, remedy) = if several.is_empty() {
                let hint = close.first().map_or_else(
                    || "name a test target or a package of the workspace".to_owned(),
                    |name| format!("did you mean `{name}`?"),
                );
                (format!("there is no test target `{}`", suite.escape_debug()), hint)
            } else {
                (
                    format!("`{}` is a test target of several packages", suite.escape_debug()),
                    "write `<package>::<target>`".to_owned(),
                )
            };
            let fault = Fault::new(NAME_UNKNOWN, headline, remedy).found(labels.join(", "));
            return Err(Refused::new(Exit::Usage, fault));
        }
    }
    if !features.is_empty() {
        argv.extend(["--features".to_owned(), features.join(",")]);
    }
    argv.extend(["--".to_owned(), test.to_owned(), "--exact".to_owned()]);
    Ok(Replay { argv, features, ..Replay::default() })
}

fn attempt(
    repository: &Repository,
    cargo: &Cargo,
    replay: &Replay,
    (suite, test): (&str, &str),
) -> Result<Attempt, Refused> {
    let folder = super::scratch(&locate::target_dir(repository)?)?;
    let file = folder.path().join("stdout");
    let watch = Stopwatch::start();
    let ended =
        replay::start(repository, cargo, replay, Some(file.clone()), false, &mut |_line| {})?;
    let duration_ms = watch.elapsed_ms();
    if matches!(ended.cut, Cut::Stop | Cut::Kill) {
        let fault =
            Fault::new(RUN_INTERRUPTED, "the attempts were interrupted", "run it again to its end");
        return Err(Refused::new(Exit::Nothing, fault));
    }
    if ended.exit == process::Exit::Code(0) && ended.cut == Cut::Nothing {
        let said = std::fs::read_to_string(&file).unwrap_or_default();
        // A process that ends in its test never says how the test went.
        if said.lines().any(|line| line.starts_with("test result: ok. 1 passed")) {
            return Ok(Attempt {
                passed: true,
                duration_ms,
                class: String::new(),
                location: None,
                message: String::new(),
                fingerprint: String::new(),
            });
        }
    }
    let mut said = std::fs::read(&file).unwrap_or_default();
    said.extend_from_slice(b"\n");
    said.extend_from_slice(ended.log.join("\n").as_bytes());
    let log = red_log::read(said.as_slice(), &Patterns::none())?;
    let failure = log.failures.iter().find(|failure| failure.test.as_deref() == Some(test));
    let failure = failure.or_else(|| log.failures.first());
    let (mut class, location, message) = failure.map_or_else(
        || ("exited".to_owned(), None, format!("{:?}", ended.exit).to_lowercase()),
        |failure| (failure.class.clone(), failure.location.clone(), failure.message.clone()),
    );
    if ended.cut == Cut::Deadline {
        "timeout".clone_into(&mut class);
    }
    let name = format!("{suite} {test}");
    let fingerprint = digest::fingerprint(&name, &class, location.as_deref(), &message);
    Ok(Attempt { passed: false, duration_ms, class, location, message, fingerprint })
}
