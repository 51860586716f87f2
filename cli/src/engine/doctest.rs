//! The examples of a documentation, which `cargo test --doc` alone runs: list and results. Leaves out what they come to.
//!
//! An example is named after what it documents, and numbered where there are several: a line that moves makes no other
//! example of it. Each runs in a process of its own; one that ends it with 0 cannot be told from one that passed.

use super::{
    cargo_test::Cargo,
    child::{self, Ended},
    nextest::junit::{Attempt, Case, Said},
};
use crate::{
    exit::{Exit, Refused},
    plan::Listed,
};
use anyhow::Context as _;
use portcullis::{Fault, evidence::process, wire::code::LIST_FAILED};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read as _,
    path::Path,
};

/// What cargo calls them, as a kind of target.
pub(crate) const CARGO_KIND: &str = "doc";
/// What the examples of one package say is shorter.
const OUTPUT_BYTES_MAX: u64 = 64 * 1024 * 1024;
const SHOWN_LINES: usize = 30;
/// What libtest exits with when a test failed.
const TESTS_FAILED: i32 = 101;
/// How much of the words of one example is kept.
const KEPT: usize = 8 * 1024;

/// The suite that the examples of a package are.
pub(crate) fn suite(package: &str) -> String {
    format!("{package} (doctests)")
}

/// Lists the examples of these packages.
///
/// # Errors
/// `list_failed` where a package does not build or its answer is no list.
pub(crate) fn list(
    cargo: &Cargo,
    packages: &[String],
    scratch: &Path,
    limit_ms: u64,
    on_line: &mut dyn FnMut(&str),
) -> Result<Vec<Listed>, Refused> {
    let mut listed = Vec::new();
    for package in packages {
        let all = names(cargo, package, &[], scratch, limit_ms, on_line)?;
        let ignored: BTreeSet<String> =
            names(cargo, package, &["--ignored"], scratch, limit_ms, on_line)?
                .into_iter()
                .collect();
        let stable = stable(all.iter().map(String::as_str));
        listed.extend(all.iter().zip(stable).map(|(raw, name)| Listed {
            suite: suite(package),
            package: package.clone(),
            binary: package.clone(),
            cargo_kind: CARGO_KIND.to_owned(),
            test: name,
            ignored: ignored.contains(raw),
            matches: true,
        }));
    }
    Ok(listed)
}

fn names(
    cargo: &Cargo,
    package: &str,
    more: &[&str],
    scratch: &Path,
    limit_ms: u64,
    on_line: &mut dyn FnMut(&str),
) -> Result<Vec<String>, Refused> {
    let mut words = ["--list", "--format", "terse"].to_vec();
    words.extend(more);
    let (ended, text) = asked(cargo, package, &words, &[], scratch, limit_ms, on_line)?;
    let refused = |found: String| {
        let headline = format!("the examples in the documentation of `{package}` cannot be listed");
        let fault = Fault::new(LIST_FAILED, headline, "mend what cargo reports, then run again");
        Refused::new(Exit::ListFailed, fault.found(found))
    };
    if !ended.is_success() {
        let how = format!("{:?}, {:?}", ended.exit, ended.cut).to_lowercase();
        return Err(refused(format!("{how}{}", ended.tail(SHOWN_LINES))));
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| match line.strip_suffix(": test") {
            Some(name) => Ok(name.to_owned()),
            None => Err(refused(format!("`{}`", line.escape_debug()))),
        })
        .collect()
}

/// What came of the examples of one package.
pub(crate) struct Ran {
    /// Each example that has a result, by its stable name.
    pub cases: Vec<Case>,
    /// How cargo ended.
    pub ended: Ended,
}

/// Runs the examples of a package. All of them run, since rustdoc takes no name with a space in it.
///
/// # Errors
/// When cargo cannot be started. What it says is judged where it is joined with the plan.
pub(crate) fn run(
    cargo: &Cargo,
    package: &str,
    env: &[(&'static str, String)],
    scratch: &Path,
    limit_ms: u64,
    on_line: &mut dyn FnMut(&str),
) -> Result<Ran, Refused> {
    let (mut ended, text) = asked(cargo, package, &[], env, scratch, limit_ms, on_line)?;
    let cases = read(&suite(package), &text);
    let failed = cases.iter().any(|case| case.attempts.iter().any(|one| one.fault.is_some()));
    // cargo exits alike for a failed example and for one crate that does not build; the results tell them apart.
    if failed && ended.exit == process::Exit::Code(TESTS_FAILED) {
        ended.exit = process::Exit::Code(crate::reconcile::TESTS_FAILED);
    }
    Ok(Ran { cases, ended })
}

fn asked(
    cargo: &Cargo,
    package: &str,
    rest: &[&str],
    env: &[(&'static str, String)],
    scratch: &Path,
    limit_ms: u64,
    on_line: &mut dyn FnMut(&str),
) -> Result<(Ended, String), Refused> {
    let mut job = cargo.job_of_package(package, &["--doc"], rest, limit_ms);
    job.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let file = scratch.join("doctests.out");
    job.stdout = Some(file.clone());
    let ended = child::run(&job, on_line)?;
    let mut bytes = Vec::new();
    File::open(&file)
        .and_then(|file| file.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes))
        .context("the answer of cargo cannot be read")?;
    std::fs::remove_file(&file).context("the answer of cargo cannot be removed")?;
    Ok((ended, String::from_utf8_lossy(&bytes).into_owned()))
}

/// The names under which examples are planned: file, item, and a number from the second of an item on.
fn stable<'a>(raw: impl Iterator<Item = &'a str>) -> Vec<String> {
    let raw: Vec<(&str, u32)> = raw.map(|name| split(name).unwrap_or((name, 0))).collect();
    let mut lines: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (item, line) in &raw {
        lines.entry(item).or_default().insert(*line);
    }
    raw.iter()
        .map(|(item, line)| {
            let before = lines.get(item).map_or(0, |lines| lines.range(..line).count());
            let item = item.trim_end_matches([' ', '-']);
            if before == 0 { item.to_owned() } else { format!("{item} #{}", before + 1) }
        })
        .collect()
}

/// `src/lib.rs - double (line 5)`, with or without ` - compile` behind it: file and item, and the line.
fn split(name: &str) -> Option<(&str, u32)> {
    let at = name.rfind(" (line ")?;
    let (item, rest) = name.split_at_checked(at)?;
    let digits = rest.strip_prefix(" (line ")?.split_once(')')?.0;
    Some((item, digits.parse().ok()?))
}

/// Reads what libtest says of the examples of one package. A result that it cannot read is no result.
fn read(suite: &str, text: &str) -> Vec<Case> {
    let mut results: BTreeMap<String, Option<bool>> = BTreeMap::new();
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        if let Some(name) =
            line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            open = Some(bare(name));
        } else if line == "failures:" || line.starts_with("test result: ") {
            open = None;
        } else if let Some(name) = &open {
            let kept = said.entry(name.clone()).or_default();
            if kept.len() < KEPT {
                kept.push_str(line);
                kept.push('\n');
            }
        } else if let Some((name, result)) =
            line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... "))
            && split(name).is_some()
        {
            let came = match result {
                "ok" => Some(false),
                "FAILED" => Some(true),
                // An ignored example was not run, and so has no result.
                _ => None,
            };
            // Results come before what failures say, so nothing that is printed there replaces one.
            results.entry(bare(name)).or_insert(came);
        }
    }
    // Numbers come from all examples that are named here, those that were ignored included.
    let stable = stable(results.keys().map(String::as_str));
    results
        .iter()
        .zip(stable)
        .filter_map(|((raw, failed), test)| {
            let fault = (*failed)?.then(|| failure(said.get(raw)));
            let stdout = said.remove(raw).unwrap_or_default();
            let attempt = Attempt { fault, stdout, ..Attempt::default() };
            Some(Case { suite: suite.to_owned(), test, attempts: vec![attempt] })
        })
        .collect()
}

/// A name without what libtest adds to it in results: ` - compile`, ` - compile fail`, ` - should panic`.
fn bare(name: &str) -> String {
    let end = name.rfind(" (line ").and_then(|at| Some(at + name.get(at..)?.find(')')? + 1));
    end.and_then(|end| name.get(..end)).unwrap_or(name).to_owned()
}

/// What a failed example said, in the words that nextest has for a test.
fn failure(said: Option<&String>) -> Said {
    let text = said.map_or("", String::as_str).trim();
    let head = text.lines().next().unwrap_or_default();
    let within = |start: &str| head.split_once(start)?.1.split(')').next().map(str::to_owned);
    let (kind, mut message) = if let Some(signal) = within("Test executable failed (signal: ") {
        // `6 (SIGABRT`, whose last parenthesis was cut with the sentence's.
        let number = signal.split(' ').next().unwrap_or_default();
        ("test abort".to_owned(), format!("process aborted with signal {number}"))
    } else if head.contains("(terminated by signal)") {
        ("test abort".to_owned(), "process aborted with a signal".to_owned())
    } else if let Some(code) = within("Test executable failed (exit status: ") {
        (format!("test failure with exit code {code}"), String::new())
    } else {
        (format!("test failure with exit code {TESTS_FAILED}"), head.to_owned())
    };
    let panic = text.find("panicked at ").map(|at| text[..at].rfind('\n').map_or(0, |n| n + 1));
    let text = panic.and_then(|at| text.get(at..)).unwrap_or(text).to_owned();
    if message.is_empty() {
        text.lines().next().unwrap_or_default().clone_into(&mut message);
    }
    Said { kind, message, text }
}

/// Whether the example of this name failed, if it has a result.
pub(crate) fn came(suite: &str, test: &str, text: &str) -> Option<bool> {
    let cases = read(suite, text);
    let case = cases.iter().find(|case| case.test == test)?;
    Some(case.attempts.iter().any(|attempt| attempt.fault.is_some()))
}

/// The examples that a list of `cargo test --doc -- --list` names, by their stable names.
pub(crate) fn listed(text: &str) -> Vec<String> {
    stable(text.lines().filter_map(|line| line.strip_suffix(": test")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\nrunning 7 tests\ntest src/lib.rs - (line 1) ... ok\ntest src/lib.rs - b (line 14) - compile ... ok\ntest src/lib.rs - b (line 17) - compile fail ... ok\ntest src/lib.rs - b (line 20) ... ignored\ntest src/lib.rs - a (line 9) ... FAILED\ntest src/lib.rs - b (line 9) - should panic ... FAILED\ntest src/lib.rs - a (line 100) ... FAILED\n\nfailures:\n\n---- src/lib.rs - a (line 9) stdout ----\nTest executable failed (exit status: 101).\n\nstderr:\n\nthread 'main' (1) panicked at src/lib.rs:3:1:\nassertion `left == right` failed\n  left: 2\ntest src/lib.rs - a (line 100) ... ok\n\n---- src/lib.rs - a (line 100) stdout ----\nTest executable failed (signal: 6 (SIGABRT)).\n\n---- src/lib.rs - b (line 9) stdout ----\nerror[E0308]: mismatched types\nCouldn't compile the test.\n\nfailures:\n    src/lib.rs - a (line 9)\n\ntest result: FAILED. 3 passed; 3 failed; 1 ignored\n";

    #[test]
    fn results_of_examples_are_read_by_name_and_kind_of_end() {
        let cases = read("p (doctests)", SAID);
        let seen: Vec<(&str, Option<(&str, &str)>)> = cases
            .iter()
            .map(|case| {
                let fault = case.attempts[0].fault.as_ref();
                (case.test.as_str(), fault.map(|said| (said.kind.as_str(), said.message.as_str())))
            })
            .collect();
        let expected = [
            ("src/lib.rs", None),
            ("src/lib.rs - a #2", Some(("test abort", "process aborted with signal 6"))),
            (
                "src/lib.rs - a",
                Some((
                    "test failure with exit code 101",
                    "thread 'main' (1) panicked at src/lib.rs:3:1:",
                )),
            ),
            ("src/lib.rs - b #2", None),
            ("src/lib.rs - b #3", None),
            (
                "src/lib.rs - b",
                Some(("test failure with exit code 101", "error[E0308]: mismatched types")),
            ),
        ];
        assert_eq!(seen, expected);
        assert_eq!(
            came("p", "src/lib.rs - a", SAID),
            Some(true),
            "what a failure prints is no result"
        );
        assert_eq!(came("p", "src/lib.rs - b #4", SAID), None, "an ignored one has none");
    }

    #[test]
    fn a_list_and_a_result_have_the_same_names() {
        let list = "src/lib.rs - (line 1): test\nsrc/lib.rs - a (line 100): test\nsrc/lib.rs - a (line 9): test\nsrc/lib.rs - b (line 14): test\nsrc/lib.rs - b (line 17): test\nsrc/lib.rs - b (line 20): test\nsrc/lib.rs - b (line 9): test\n";
        let listed = listed(list);
        let by_number = ["src/lib.rs", "src/lib.rs - a #2", "src/lib.rs - a"];
        assert_eq!(listed[..3], by_number);
        let read: BTreeSet<String> = read("p", SAID).into_iter().map(|case| case.test).collect();
        let ignored: Vec<&String> = listed.iter().filter(|name| !read.contains(*name)).collect();
        assert_eq!(ignored, ["src/lib.rs - b #4"]);
        let moved = self::listed(&list.replace("line 9", "line 10").replace("line 1)", "line 2)"));
        assert_eq!(moved, listed, "lines that move make no other example");
        assert!(read.iter().all(|name| listed.contains(name)));
    }

    #[test]
    fn a_signal_is_an_abort_however_rustdoc_words_it() {
        for (head, message) in [
            ("Test executable failed (terminated by signal).", "process aborted with a signal"),
            ("Test executable failed (signal: 11 (SIGSEGV)).", "process aborted with signal 11"),
        ] {
            let said = failure(Some(&format!("{head}\n\nstderr:\n")));
            assert_eq!((said.kind.as_str(), said.message.as_str()), ("test abort", message));
        }
    }

    #[test]
    fn what_is_cut_short_has_no_result() {
        let cut =
            "running 2 tests\ntest src/lib.rs - a (line 9) ... ok\ntest src/lib.rs - b (line 1";
        assert_eq!(read("p", cut).len(), 1);
        assert!(read("p", "error: could not compile `p`\n").is_empty());
    }
}
