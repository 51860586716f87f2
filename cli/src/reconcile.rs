//! Joins the plan with what nextest reports. What was planned and is in no result is `not_run`, and never lost. It judges nothing.

use crate::{
    engine::{
        child::{Cut, Ended},
        nextest::junit::{self, Report},
    },
    outcome::{Attempt, Outcome, Status},
    plan::Target,
};
use portcullis::{
    Fault, RunId,
    evidence::process::Exit,
    report::human::count,
    wire::code::{
        DEADLINE_EXCEEDED, ENGINE_FAILED, RESULT_INCONSISTENT, RESULT_RUN_MISMATCH, RUN_INTERRUPTED,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// What nextest exits with when tests failed (fact N12).
pub(crate) const TESTS_FAILED: i32 = 100;
const SIGTERM: i32 = 15;
/// What libtest writes when it came to its end.
const CLOSING: &str = "test result: ";
/// What libtest exits with when a test failed.
const LIBTEST_FAILED: i32 = 101;

/// How the tests were run.
pub(crate) struct Ran<'a> {
    /// What ran them.
    pub engine: &'static str,
    /// The run.
    pub run_id: &'a RunId,
    /// How nextest ended.
    pub ended: &'a Ended,
    /// Its result file, or why there is none.
    pub report: Result<Report, Fault>,
    /// Test binaries whose harness is not libtest, so that it need not say how a test went.
    pub without_harness: &'a BTreeSet<String>,
}

/// Joins what was planned with what was reported.
pub(crate) fn join(planned: &[&Target], ran: &Ran<'_>) -> (Vec<Outcome>, Vec<Fault>) {
    let mut faults = Vec::new();
    let report = believed(ran, &mut faults);
    let cut = ran.ended.cut;
    let mut cases: BTreeMap<(&str, &str), &junit::Case> = BTreeMap::new();
    let planned_names: BTreeSet<(&str, &str)> =
        planned.iter().map(|target| (target.suite.as_str(), target.test.as_str())).collect();
    for case in report.iter().flat_map(|report| &report.cases) {
        let key = (case.suite.as_str(), case.test.as_str());
        if !planned_names.contains(&key) {
            faults.push(inconsistent(&format!("`{} {}`, which was not planned", key.0, key.1)));
        } else if cases.insert(key, case).is_some() {
            faults.push(inconsistent(&format!("`{} {}` twice", key.0, key.1)));
        }
    }
    let outcomes: Vec<Outcome> = planned
        .iter()
        .map(|target| {
            let case = cases.get(&(target.suite.as_str(), target.test.as_str()));
            let attempts = case.map_or_else(
                || vec![Attempt::not_run()],
                |case| {
                    let libtest = !ran.without_harness.contains(&target.suite);
                    case.attempts.iter().map(|attempt| read(attempt, libtest, cut)).collect()
                },
            );
            Outcome { target: (*target).clone(), attempts }
        })
        .collect();
    faults.extend(ended(ran, report.as_ref()));
    (outcomes, faults)
}

/// The report, if it is this run's.
fn believed(ran: &Ran<'_>, faults: &mut Vec<Fault>) -> Option<Report> {
    match &ran.report {
        Ok(report) if report.name == ran.run_id.as_str() => Some(report.clone()),
        Ok(report) => {
            let remedy = "run again; a result file that an earlier or parallel run left says nothing about this one";
            let fault = Fault::new(
                RESULT_RUN_MISMATCH,
                format!("the result file of {} belongs to another run", ran.engine),
                remedy,
            );
            faults.push(fault.expected(ran.run_id.to_string()).found(report.name.clone()));
            None
        }
        Err(fault) => {
            faults.push(fault.clone());
            None
        }
    }
}

fn inconsistent(found: &str) -> Fault {
    let remedy = "run again; if it comes back, report it as a bug with both results";
    Fault::new(RESULT_INCONSISTENT, "the results of the tests contradict each other", remedy)
        .found(found)
}

/// Cross-checks the exit code, which says only whether anything failed.
fn ended(ran: &Ran<'_>, report: Option<&Report>) -> Vec<Fault> {
    let mut faults = Vec::new();
    match ran.ended.cut {
        Cut::Nothing => {}
        Cut::Deadline => faults.push(Fault::new(
            DEADLINE_EXCEEDED,
            "the run did not end within its deadline",
            "see which tests took long, then split the run or raise `deadline` of the profile",
        )),
        Cut::Stop | Cut::Kill => faults.push(Fault::new(
            RUN_INTERRUPTED,
            "the run was interrupted",
            "run again to its end",
        )),
    }
    let failed = report.map(|report| {
        let last = |case: &junit::Case| case.attempts.last().is_some_and(|a| a.fault.is_some());
        report.cases.iter().filter(|case| last(case)).count()
    });
    match (ran.ended.exit, failed, ran.ended.cut) {
        (Exit::Code(0), Some(0) | None, _) => {}
        (Exit::Code(TESTS_FAILED), Some(failed), _) if failed > 0 => {}
        // A report that was refused is a fault of its own; the exit code adds nothing to it.
        (Exit::Code(TESTS_FAILED), None, _) => {}
        (Exit::Code(0), Some(failed), _) => faults.push(inconsistent(&format!(
            "exit code 0 beside {} in the result file",
            count(failed, "failure")
        ))),
        // Told to stop, it exits as if tests had failed.
        (_, _, Cut::Deadline | Cut::Stop | Cut::Kill) => {}
        (Exit::Code(TESTS_FAILED), Some(_), Cut::Nothing) => faults.push(inconsistent(
            "an exit code that says that tests failed, and none in the result file",
        )),
        (Exit::Code(code), _, Cut::Nothing) => {
            faults.push(engine(&format!("exit code {code}"), ran))
        }
        (Exit::Signal(signal), _, Cut::Nothing) => {
            faults.push(engine(&format!("signal {signal}"), ran));
        }
    }
    faults
}

fn engine(how: &str, ran: &Ran<'_>) -> Fault {
    let engine = ran.engine;
    let remedy = format!("mend what {engine} reports, then run again");
    Fault::new(ENGINE_FAILED, format!("{engine} did not end as it does after a run"), remedy)
        .expected("exit code 0 or 100")
        .found(format!("{how}{}", ran.ended.tail(10)))
}

/// Reads one attempt: structure before text.
fn read(attempt: &junit::Attempt, libtest: bool, cut: Cut) -> Attempt {
    let mut read = Attempt {
        status: Status::Passed,
        leaked: false,
        duration_ms: attempt.duration_ms,
        exit_code: None,
        signal: None,
        message: String::new(),
        text: String::new(),
    };
    let closed = attempt.stdout.lines().any(|line| line.starts_with(CLOSING));
    let leaked = attempt.fault.as_ref().is_some_and(|said| {
        said.kind.contains("exited with code 0") && said.kind.contains("leaked")
    });
    match attempt.fault.as_ref().filter(|_| !leaked) {
        None => {
            read.leaked = leaked;
            if libtest && !closed {
                read.status = Status::Exited;
                read.exit_code = Some(0);
                "the process exited with 0 before the test came to its end"
                    .clone_into(&mut read.message);
            }
        }
        Some(said) => {
            read.message = first_line(said);
            read.text.clone_from(&said.text);
            read.signal = signal(&said.message);
            read.exit_code = exit_code(&said.kind);
            read.status = if said.kind == "test timeout" {
                "the time for one test was over".clone_into(&mut read.message);
                Status::TimedOut
            } else if read.signal == Some(SIGTERM) && cut == Cut::Deadline {
                "the time for the whole run was over".clone_into(&mut read.message);
                Status::TimedOut
            } else if read.signal.is_some() || said.kind == "test abort" {
                Status::Crashed
            } else if libtest
                && !closed
                && read.exit_code.is_some_and(|code| code != LIBTEST_FAILED)
            {
                Status::Exited
            } else {
                Status::Failed
            };
        }
    }
    read
}

fn first_line(said: &junit::Said) -> String {
    let text = if said.message.is_empty() { &said.text } else { &said.message };
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or(&said.kind);
    line.chars().take(1_000).collect()
}

/// `process aborted with signal 6 (SIGABRT)`.
fn signal(message: &str) -> Option<i32> {
    let rest = message.split_once("with signal ")?.1;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// `test failure with exit code 101`.
fn exit_code(kind: &str) -> Option<i32> {
    kind.rsplit_once("exit code ")?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::listed;
    use portcullis::{kernel::policy::profile::Kind, wire::code::RESULT_INCOMPLETE};

    fn target(test: &str) -> Target {
        let listed = listed("p::api", test);
        Target {
            suite: listed.suite,
            test: listed.test,
            kind: Kind::Unit,
            package: listed.package,
            binary: listed.binary,
            cargo_kind: listed.cargo_kind,
            quarantine: None,
        }
    }

    fn passed() -> junit::Attempt {
        junit::Attempt { stdout: "test result: ok. 1 passed".to_owned(), ..Default::default() }
    }

    fn failed(kind: &str, message: &str) -> junit::Attempt {
        let said =
            junit::Said { kind: kind.to_owned(), message: message.to_owned(), text: String::new() };
        junit::Attempt { fault: Some(said), ..Default::default() }
    }

    fn report(cases: &[(&str, &[junit::Attempt])]) -> Report {
        let cases = cases.iter().map(|(test, attempts)| junit::Case {
            suite: "p::api".to_owned(),
            test: (*test).to_owned(),
            attempts: attempts.to_vec(),
        });
        Report { name: "run-1".to_owned(), cases: cases.collect() }
    }

    /// Joins two planned tests, `a` and `b`, with a report.
    fn joined(report: Result<Report, Fault>, exit: Exit, cut: Cut) -> (Vec<Status>, Vec<String>) {
        let run_id = RunId::parse("run-1").expect("an id");
        let ended = Ended { exit, cut, log: Vec::new(), leaked: false };
        let without_harness = BTreeSet::new();
        let (engine, without_harness) = ("nextest", &without_harness);
        let ran = Ran { engine, run_id: &run_id, ended: &ended, report, without_harness };
        let (a, b) = (target("a"), target("b"));
        let (outcomes, faults) = join(&[&a, &b], &ran);
        let codes = faults.iter().map(|fault| fault.code().name().to_owned()).collect();
        (outcomes.iter().map(Outcome::status).collect(), codes)
    }

    #[test]
    fn fg28_what_is_in_no_result_is_not_run() {
        let (statuses, codes) =
            joined(Ok(report(&[("a", &[passed()])])), Exit::Code(0), Cut::Nothing);
        assert_eq!(statuses, [Status::Passed, Status::NotRun]);
        assert!(codes.is_empty(), "{codes:?}");
    }

    #[test]
    fn fg31_a_report_of_another_run_says_nothing() {
        let other = Report {
            name: "run-0".to_owned(),
            ..report(&[("a", &[passed()]), ("b", &[passed()])])
        };
        let (statuses, codes) = joined(Ok(other), Exit::Code(0), Cut::Nothing);
        assert_eq!(statuses, [Status::NotRun, Status::NotRun]);
        assert_eq!(codes, ["result_run_mismatch"]);
    }

    #[test]
    fn fg32_no_report_is_no_result() {
        let lost = Err(Fault::new(RESULT_INCOMPLETE, "no file", "run again"));
        let (statuses, codes) = joined(lost, Exit::Signal(9), Cut::Nothing);
        assert_eq!(statuses, [Status::NotRun, Status::NotRun]);
        assert_eq!(codes, ["result_incomplete", "engine_failed"]);
    }

    #[test]
    fn fg35_exit_code_and_results_must_agree() {
        let bad = || failed("test failure with exit code 101", "panicked");
        let table: &[(&str, [junit::Attempt; 2], Exit, &[&str])] = &[
            ("all passed and 0", [passed(), passed()], Exit::Code(0), &[]),
            ("one failed and 100", [passed(), bad()], Exit::Code(100), &[]),
            ("one failed and 0", [passed(), bad()], Exit::Code(0), &["result_inconsistent"]),
            ("all passed and 100", [passed(), passed()], Exit::Code(100), &["result_inconsistent"]),
            ("another code", [passed(), passed()], Exit::Code(96), &["engine_failed"]),
            ("a signal", [passed(), passed()], Exit::Signal(9), &["engine_failed"]),
        ];
        for (case, [a, b], exit, codes) in table {
            let report = report(&[("a", std::slice::from_ref(a)), ("b", std::slice::from_ref(b))]);
            assert_eq!(joined(Ok(report), *exit, Cut::Nothing).1, *codes, "{case}");
        }
    }

    #[test]
    fn a_stranger_or_a_double_is_a_contradiction() {
        for cases in [["a", "b", "c"], ["a", "b", "b"]] {
            let passed = [passed()];
            let cases = cases.map(|test| (test, &passed[..]));
            let (_, codes) = joined(Ok(report(&cases)), Exit::Code(0), Cut::Nothing);
            assert_eq!(codes, ["result_inconsistent"]);
        }
    }

    #[test]
    fn each_end_has_its_word() {
        let out = |text: &str| junit::Attempt { stdout: text.to_owned(), ..Default::default() };
        let abort = failed("test abort", "process aborted with signal 6 (SIGABRT)");
        let term = failed("test abort", "process aborted with signal 15 (SIGTERM)");
        let leak = junit::Attempt {
            stdout: passed().stdout,
            ..failed("test exited with code 0, but leaked handles so was marked failed", "")
        };
        let table: &[(&str, junit::Attempt, Cut, Status)] = &[
            ("a pass", passed(), Cut::Nothing, Status::Passed),
            ("exit(0)", out("running 1 test\n"), Cut::Nothing, Status::Exited),
            ("exit(3)", failed("test failure with exit code 3", ""), Cut::Nothing, Status::Exited),
            (
                "a panic",
                failed("test failure with exit code 101", "panicked"),
                Cut::Nothing,
                Status::Failed,
            ),
            ("an abort", abort, Cut::Nothing, Status::Crashed),
            ("a hang", failed("test timeout", ""), Cut::Nothing, Status::TimedOut),
            ("the deadline", term.clone(), Cut::Deadline, Status::TimedOut),
            ("a signal from outside", term, Cut::Nothing, Status::Crashed),
            ("a leak", leak.clone(), Cut::Nothing, Status::Passed),
            (
                "another failure",
                failed("execution failure", "no such file"),
                Cut::Nothing,
                Status::Failed,
            ),
        ];
        for (case, attempt, cut, expected) in table {
            assert_eq!(read(attempt, true, *cut).status, *expected, "{case}");
        }
        assert!(read(&leak, true, Cut::Nothing).leaked);
        assert_eq!(read(&out(""), false, Cut::Nothing).status, Status::Passed, "another harness");
    }

    #[test]
    fn an_interrupted_run_says_so() {
        let (_, codes) = joined(Ok(report(&[("a", &[passed()])])), Exit::Code(100), Cut::Stop);
        assert_eq!(codes, ["run_interrupted"]);
    }
}
