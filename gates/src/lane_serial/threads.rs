//! How many threads a command has, and the spellings that ask for another number than one.

use super::{PARALLEL_ENV, PARALLEL_FLAG, Proof, Report};
use crate::{
    filterset::{Filter, Subject, Truth},
    nextest_profiles::Profiles,
    selection::{Runner, TestCommand},
    shell::{
        argv::{shown, shown_all},
        follow::Leaf,
    },
    step_script::{StepScript, known},
    workflow::{Env, Lane, Workflow},
};
use portcullis::{Fault, Location};

/// The variables that set the threads of tests.
pub(super) const VARIABLES: &[&str] = &["NEXTEST_TEST_THREADS", "RUST_TEST_THREADS"];

/// Why a command is not shown to run one test at a time; nothing when it is.
pub(super) fn not_serial(
    command: &TestCommand,
    leaf: &Leaf,
    profiles: Option<&Profiles>,
    proof: &mut Proof<'_, '_>,
) -> Result<Option<String>, Fault> {
    let decided = match command.runner {
        Runner::Nextest => by_nextest(command, leaf, profiles),
        Runner::Cargo => by_libtest(command, leaf),
    };
    let why = match decided {
        Decided::One => return Ok(None),
        Decided::Other(why) => return Ok(Some(why)),
        Decided::Default(why) => why,
    };
    let tests = proof.tests(command, leaf)?;
    if tests.as_ref().is_some_and(|tests| tests.len() <= 1) {
        return Ok(None);
    }
    if command.runner == Runner::Nextest
        && let Some(profiles) = profiles
        && in_serial_group(command, profiles, tests.as_ref())
    {
        return Ok(None);
    }
    Ok(Some(why))
}

enum Decided {
    One,
    Other(String),
    /// Nothing says anything, so the tool takes all processors.
    Default(String),
}

fn value(text: &str, from: &str) -> Decided {
    match text.trim() {
        "1" => Decided::One,
        other => Decided::Other(format!("{from} says {}", shown(other))),
    }
}

fn by_nextest(command: &TestCommand, leaf: &Leaf, profiles: Option<&Profiles>) -> Decided {
    if command.shows_output {
        return Decided::One;
    }
    if let Some(text) = command.runner_threads.last() {
        return value(text, "the flag");
    }
    if let Some(text) = leaf.env.get("NEXTEST_TEST_THREADS") {
        return value(text, "`NEXTEST_TEST_THREADS`");
    }
    let profile = command.profile.as_deref().unwrap_or("default");
    let chain = profiles.map(|file| file.chain(profile)).unwrap_or_default();
    match chain.iter().find_map(|one| one.test_threads.as_ref()) {
        Some((Some(1), _)) => Decided::One,
        // A group may still hold every test of it.
        Some(_) | None => Decided::Default(format!(
            "neither flag, variable nor profile `{profile}` says one thread"
        )),
    }
}

fn by_libtest(command: &TestCommand, leaf: &Leaf) -> Decided {
    if let Some(text) = command.test_threads.last() {
        return value(text, "the flag");
    }
    if let Some(text) = leaf.env.get("RUST_TEST_THREADS") {
        return value(text, "`RUST_TEST_THREADS`");
    }
    Decided::Default("neither flag nor variable says one thread".to_owned())
}

/// Whether every selected test is in one group of one thread.
fn in_serial_group(
    command: &TestCommand,
    profiles: &Profiles,
    tests: Option<&std::collections::BTreeSet<String>>,
) -> bool {
    let profile = command.profile.as_deref().unwrap_or("default");
    let chain = profiles.chain(profile);
    let overrides =
        chain.iter().flat_map(|one| &one.overrides).filter(|one| one.test_group.is_some());
    let overrides: Vec<_> = overrides.collect();
    let mut groups = std::collections::BTreeSet::new();
    // The first override that fits a test decides its group; one for a platform may not fit at all.
    let fits = |text: &str, id: &str| -> Truth {
        let Ok(filter) = Filter::parse(text) else { return Truth::Maybe };
        let (binary_id, test) = id.split_once('$').map_or((id, None), |(a, b)| (a, Some(b)));
        let (package, binary) = binary_id.split_once("::").unwrap_or((binary_id, binary_id));
        let kind = match binary.split_once('/') {
            Some((kind, _)) => kind,
            None if binary_id.contains("::") => "test",
            None => "lib",
        };
        let binary = binary.rsplit('/').next().unwrap_or(binary);
        filter.holds(&Subject { package, binary, binary_id, kind, test })
    };
    let Some(tests) = tests else {
        // Without a roster only an override for all tests says something.
        let all = overrides.first().filter(|one| {
            !one.platform && one.filter.as_ref().is_some_and(|(text, _)| text.trim() == "all()")
        });
        return all.is_some_and(|one| is_serial_group(profiles, one.test_group.as_deref()));
    };
    for id in tests {
        let mut group = None;
        for one in &overrides {
            let truth = match (&one.filter, one.platform) {
                (_, true) => Truth::Maybe,
                (None, false) => Truth::Yes,
                (Some((text, _)), false) => fits(text, id),
            };
            match truth {
                Truth::Yes => {
                    group = one.test_group.as_deref();
                    break;
                }
                Truth::Maybe => return false,
                Truth::No => {}
            }
        }
        let Some(group) = group else { return false };
        groups.insert(group);
    }
    groups.len() <= 1 && groups.iter().all(|group| is_serial_group(profiles, Some(group)))
}

fn is_serial_group(profiles: &Profiles, group: Option<&str>) -> bool {
    group.and_then(|name| profiles.groups.get(name)).is_some_and(|(most, _)| *most == Some(1))
}

/// Looks for vetoed spellings in the variables and scripts of a lane.
pub(super) fn veto(lane: &Lane<'_>, steps: &[StepScript<'_>], report: &mut Report<'_>) {
    let workflow: &Workflow = lane.workflow;
    let whose = format!("{}:{}", workflow.path, lane.id());
    variables(&workflow.env, workflow.path.as_str(), report);
    variables(&lane.job.env, &whose, report);
    for env in &lane.job.images_env {
        variables(env, &whose, report);
    }
    for step in steps {
        let subject = format!("{}:{}", workflow.path, step.view.subject());
        variables(&step.view.step.env, &subject, report);
        let own: Vec<String> = step
            .view
            .levels()
            .flat_map(|env| &env.entries)
            .map(|(name, value)| format!("{}={}", name.as_str(), known(value, None)))
            .collect();
        if let crate::step_script::Script::Followed(followed) = &step.script {
            for (name, value, place) in &followed.later_env {
                one_variable(name, value, &subject, step.location(place), report);
            }
        }
        for leaf in step.leaves() {
            report.examined += usize::from(TestCommand::of(leaf).is_some());
            flags(leaf, &subject, step.location(&leaf.place), report);
            for name in VARIABLES {
                let Some(value) = leaf.env.get(*name) else { continue };
                // What the workflow itself sets is reported where it stands.
                if !own.contains(&format!("{name}={value}")) {
                    one_variable(name, value, &subject, step.location(&leaf.place), report);
                }
            }
        }
    }
}

fn variables(env: &Env, subject: &str, report: &mut Report<'_>) {
    for (name, value) in &env.entries {
        one_variable(name.as_str(), &known(value, None), subject, value.location(), report);
    }
}

/// Reports a variable that asks for another number than one.
pub(super) fn one_variable(
    name: &str,
    value: &str,
    subject: &str,
    at: Location,
    report: &mut Report<'_>,
) {
    if VARIABLES.contains(&name) && value.trim() != "1" {
        let message = format!("`{name}` is {}", shown(value));
        report.push(
            PARALLEL_ENV,
            &format!("{subject}: {name}"),
            message,
            "remove it, or set it to 1",
            at,
        );
    }
}

/// Programs that only print their words.
const PRINTS: &[&str] =
    &["echo", "printf", "grep", "egrep", "sed", "awk", ":", "true", "rg", "test", "["];

/// Reports flags of a command that ask for another number than one.
pub(super) fn flags(leaf: &Leaf, subject: &str, at: Location, report: &mut Report<'_>) {
    if leaf.argv.first().is_none_or(|program| PRINTS.contains(&program.as_str())) {
        return;
    }
    let mut values: Vec<String> = Vec::new();
    match TestCommand::of(leaf) {
        Some(command) => {
            values.extend(command.runner_threads);
            values.extend(command.test_threads);
        }
        // A test binary that is started by itself, or through a program that nobody knows here.
        None => {
            let mut words = leaf.argv.iter();
            while let Some(word) = words.next() {
                if word == "--test-threads" {
                    values.extend(words.clone().next().cloned());
                } else if let Some(value) = word.strip_prefix("--test-threads=") {
                    values.push(value.to_owned());
                }
            }
        }
    }
    for value in values.iter().filter(|value| value.trim() != "1") {
        let argv = shown_all(&leaf.argv);
        let message = format!("`{argv}` asks for {} test threads", shown(value));
        report.push(
            PARALLEL_FLAG,
            &format!("{subject}: {argv}"),
            message,
            "remove the flag, or set it to 1",
            at.clone(),
        );
    }
}
