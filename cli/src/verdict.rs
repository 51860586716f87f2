//! What the tests of a run come to, beside its gates, and what the run exits with. Pure; `verify` asks it again.

use crate::{
    exit::Exit,
    outcome::{Line, Status},
    plan::{Plan, Target},
};
use portcullis::{
    Fault, RunVerdict,
    kernel::{
        decide::Decision,
        policy::profile::Kind,
        quarantine::{self, Entry, QuarantineFile, QuarantineVerdict},
    },
    report::human::count,
    wire::{
        code::{
            BROKEN_NOT_FLAKY, QUARANTINE_EXPIRED, QUARANTINE_INVALID, RESULT_INCOMPLETE,
            TESTS_FAILED,
        },
        time::Day,
    },
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const NAMED: usize = 5;

/// What became of one quarantined test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quarantined {
    /// The entry.
    pub entry: String,
    /// The target that it names, where there is one.
    pub target: Option<String>,
    /// What it amounts to.
    pub verdict: QuarantineVerdict,
    /// Whether it blocks.
    pub blocks: bool,
    /// Its attempts; `true` is a pass.
    pub attempts: Vec<bool>,
    /// Who answers for it.
    pub owner: String,
    /// Where it is discussed.
    pub issue: String,
    /// Its last valid day.
    pub expires: Day,
}

/// What the tests come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    /// Each of them blocks.
    pub faults: Vec<Fault>,
    /// The quarantined tests.
    pub quarantined: Vec<Quarantined>,
    /// The targets that failed and count.
    pub failed: Names,
    /// The targets without a result.
    pub not_run: Names,
}

/// One target with its attempts, as the lines of `outcomes.jsonl` have them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    attempts: BTreeMap<u32, Status>,
    last: u32,
    leaked: bool,
}

/// Collects lines by target; their order does not matter.
pub(crate) fn collect<'a>(
    lines: impl IntoIterator<Item = &'a Line>,
) -> BTreeMap<(String, String), Seen> {
    let mut seen: BTreeMap<(String, String), Seen> = BTreeMap::new();
    for line in lines {
        seen.entry((line.suite.clone(), line.test.clone())).or_default().add(line);
    }
    seen
}

impl Seen {
    /// Adds a line of this target.
    pub(crate) fn add(&mut self, line: &Line) {
        // Of two lines for one attempt the worse counts, so that a line that was added never mends one.
        let status = self.attempts.entry(line.attempt).or_insert(line.status);
        *status = line.status.max(*status);
        if line.last {
            self.last = self.last.max(line.attempt);
            self.leaked = line.leaked;
        }
    }

    /// Whether its last attempt left a process behind.
    pub(crate) fn is_leaky(&self) -> bool {
        self.leaked
    }

    /// How it ended. A gap in the attempts, or a last line that is gone, is no end.
    pub(crate) fn status(&self) -> Status {
        let n = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        let whole = n == self.last && self.attempts.keys().copied().eq(1..=n);
        match self.attempts.get(&self.last) {
            Some(status) if whole => *status,
            Some(_) | None => Status::NotRun,
        }
    }

    /// Whether it failed before it passed.
    pub(crate) fn is_flaky(&self) -> bool {
        self.status() == Status::Passed
            && self.attempts.values().any(|status| *status != Status::Passed)
    }

    fn passes(&self) -> Vec<bool> {
        let ran = self.attempts.values().filter(|status| **status != Status::NotRun);
        ran.map(|status| *status == Status::Passed).collect()
    }
}

/// Judges the tests of a run: gates are decided from their receipts, elsewhere.
pub(crate) fn judge(
    plan: &Plan,
    seen: &BTreeMap<(String, String), Seen>,
    quarantine: &QuarantineFile,
    today: Day,
) -> Judged {
    let nothing = Seen::default();
    let mut judging = Judging::new(quarantine, today);
    for target in plan.assigned() {
        let key = (target.suite.clone(), target.test.clone());
        judging.target(target, seen.get(&key).unwrap_or(&nothing));
    }
    judging.finish(plan)
}

/// A judgement whose targets come one by one, in the order of the plan.
pub(crate) struct Judging<'a> {
    judged: Judged,
    quarantine: &'a QuarantineFile,
    today: Day,
    named: BTreeSet<String>,
}

impl<'a> Judging<'a> {
    /// Begins.
    pub(crate) fn new(quarantine: &'a QuarantineFile, today: Day) -> Self {
        Self { judged: Judged::default(), quarantine, today, named: BTreeSet::new() }
    }

    /// Judges the next target.
    pub(crate) fn target(&mut self, target: &Target, seen: &Seen) {
        let status = seen.status();
        if status == Status::NotRun {
            self.judged.not_run.push(target);
        }
        if target.kind == Kind::Gate {
            return;
        }
        let name = target.quarantine.as_ref();
        match name.and_then(|name| Some((name, self.quarantine.entries.get(name)?))) {
            Some((name, entry)) => {
                self.named.insert(name.clone());
                let attempts = if status == Status::NotRun { Vec::new() } else { seen.passes() };
                let verdict = quarantine::judge(entry, &attempts, false, self.today);
                self.judged.push(entry, Some(target.id()), verdict, attempts);
            }
            None => match status {
                Status::Passed | Status::NotRun => {}
                Status::Failed | Status::TimedOut | Status::Crashed | Status::Exited => {
                    self.judged.failed.push(target);
                }
            },
        }
    }

    /// What all of them come to.
    pub(crate) fn finish(self, plan: &Plan) -> Judged {
        let Self { mut judged, quarantine, today, named } = self;
        absent(plan, quarantine, &named, today, &mut judged);
        judged.conclude(quarantine);
        judged
    }
}

/// Targets of which the first few are named and the others counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    first: Vec<String>,
    count: usize,
}

impl Names {
    fn push(&mut self, target: &Target) {
        if self.first.len() < NAMED {
            self.first.push(target.id());
        }
        self.count += 1;
    }

    fn shown(&self) -> String {
        let shown: Vec<String> = self.first.iter().map(|name| format!("`{name}`")).collect();
        match self.count.saturating_sub(self.first.len()) {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

/// Entries that name nothing of a whole run: what is quarantined still exists, or the entry is to go.
fn absent(
    plan: &Plan,
    quarantine: &QuarantineFile,
    named: &BTreeSet<String>,
    today: Day,
    judged: &mut Judged,
) {
    let whole = plan.shard.is_none() && plan.rerun_of.is_none() && plan.filters.is_empty();
    let all_kinds = Kind::ALL.iter().all(|kind| plan.kinds.contains(kind));
    for entry in quarantine.entries.values() {
        if whole && all_kinds && !named.contains(&entry.name()) {
            let verdict = quarantine::judge(entry, &[], false, today);
            judged.push(entry, None, verdict, Vec::new());
        }
    }
}

impl Judged {
    fn push(
        &mut self,
        entry: &Entry,
        target: Option<String>,
        verdict: QuarantineVerdict,
        attempts: Vec<bool>,
    ) {
        let name = entry.name();
        if let Some(code) = verdict.code() {
            let (headline, remedy) = match verdict {
                QuarantineVerdict::QuarantineExpired => (
                    format!(
                        "the quarantine of `{name}` does not hold today: it ends on {}",
                        entry.expires
                    ),
                    "mend the test and remove its entry, or renew the entry with new evidence",
                ),
                QuarantineVerdict::BrokenNotFlaky => (
                    format!("`{name}` is quarantined as flaky and failed every time"),
                    "mend the test: it is broken, and quarantine is for what passes sometimes",
                ),
                QuarantineVerdict::NotRun
                | QuarantineVerdict::Passed
                | QuarantineVerdict::FlakyTolerated => (
                    format!("`{name}` is quarantined and did not run"),
                    "remove the entry, or correct the name; quarantined tests still run",
                ),
            };
            self.faults.push(
                Fault::new(code, headline, remedy)
                    .at(entry.location.clone())
                    .found(format!("owner {}, issue {}", entry.owner, entry.issue)),
            );
        }
        self.quarantined.push(Quarantined {
            entry: name,
            target,
            verdict,
            blocks: verdict.blocks(),
            attempts,
            owner: entry.owner.clone(),
            issue: entry.issue.clone(),
            expires: entry.expires,
        });
    }

    fn conclude(&mut self, quarantine: &QuarantineFile) {
        // A file with one fault is void as a whole, so whoever relies on it must learn that.
        self.faults.extend(quarantine.faults.iter().cloned());
        if self.failed.count > 0 {
            let headline = format!("{} failed", count(self.failed.count, "test"));
            let remedy = "mend them; each has its replay in the replay bundle";
            self.faults.push(Fault::new(TESTS_FAILED, headline, remedy).found(self.failed.shown()));
        }
        if self.not_run.count > 0 {
            let headline =
                format!("{} planned and without a result", count(self.not_run.count, "target"));
            let remedy = "run again to the end; what did not run may fail";
            self.faults
                .push(Fault::new(RESULT_INCOMPLETE, headline, remedy).found(self.not_run.shown()));
        }
    }
}

/// What a run exits with. Its tests are faults of the decision, so that no reader of it can miss them.
pub(crate) fn exit(decision: &Decision) -> Exit {
    let tests = [
        TESTS_FAILED,
        QUARANTINE_EXPIRED,
        BROKEN_NOT_FLAKY,
        QUARANTINE_INVALID,
        portcullis::wire::code::QUARANTINE_SPAN_EXCEEDED,
    ];
    let is_test = |code: &str| tests.iter().any(|test| test.name() == code);
    match decision.verdict {
        RunVerdict::Pass => Exit::Pass,
        RunVerdict::Invalid => Exit::Invalid,
        RunVerdict::Blocked if decision.faults.iter().any(|fault| is_test(&fault.code)) => {
            Exit::TestsFailed
        }
        RunVerdict::Blocked => Exit::Blocked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::OUTCOME_SCHEMA;
    use portcullis::Digest;

    const ENTRY: &str = "[quarantine.api.t]\ncategory = 'FLAKE-NET'\nowner = 'o'\nquarantined = 2026-05-20\nexpires = 2026-06-03\nissue = '#1'\nevidence = 'e'\nrepro = 'r'\nreason = 'r'\nremove_when = 'm'\n";

    fn target(test: &str, quarantine: bool) -> Target {
        Target {
            suite: "p::api".to_owned(),
            test: test.to_owned(),
            kind: Kind::Unit,
            package: "p".to_owned(),
            binary: "api".to_owned(),
            cargo_kind: "test".to_owned(),
            quarantine: quarantine.then(|| "api::t".to_owned()),
        }
    }

    fn plan(targets: Vec<Target>) -> Plan {
        Plan {
            engine: crate::plan::Engine::Nextest,
            profile: "full".to_owned(),
            may_certify: true,
            kinds: Kind::ALL.into(),
            filters: Vec::new(),
            rerun_of: None,
            targets,
            excluded: Vec::new(),
            gates: None,
            rust_gates: portcullis::wire::ordered::VecMap::new(),
            shard: None,
            archive: None,
            weights: crate::shard::Weights::new(),
            hash: Digest::of(b""),
        }
    }

    fn line(test: &str, attempt: u32, last: bool, status: Status) -> Line {
        Line {
            schema: OUTCOME_SCHEMA.to_owned(),
            suite: "p::api".to_owned(),
            test: test.to_owned(),
            kind: Kind::Unit,
            attempt,
            last,
            status,
            leaked: false,
            quarantine: None,
            duration_ms: 1,
            exit_code: None,
            signal: None,
            message: String::new(),
        }
    }

    fn codes(targets: Vec<Target>, lines: &[Line], file: &str, day: &str) -> Vec<&'static str> {
        let file = QuarantineFile::parse("suite_classification.toml", file);
        let day = Day::parse(day).expect("a day");
        let judged = judge(&plan(targets), &collect(lines), &file, day);
        judged.faults.iter().map(|fault| fault.code().name()).collect()
    }

    #[test]
    fn fg63_quarantine_excuses_flickering_and_nothing_else() {
        use Status::{Failed, Passed};
        type Row<'a> = (&'a str, Vec<Line>, &'a str, &'a [&'a str]);
        let table: &[Row<'_>] = &[
            (
                "fails, then passes",
                vec![line("t", 1, false, Failed), line("t", 2, true, Passed)],
                "2026-06-03",
                &[],
            ),
            (
                "the same, a day too late",
                vec![line("t", 1, false, Failed), line("t", 2, true, Passed)],
                "2026-06-04",
                &["quarantine_expired"],
            ),
            (
                "fails twice",
                vec![line("t", 1, false, Failed), line("t", 2, true, Failed)],
                "2026-06-03",
                &["broken_not_flaky"],
            ),
            ("passes", vec![line("t", 1, true, Passed)], "2026-06-03", &[]),
            ("has no result", vec![], "2026-06-03", &["quarantine_invalid", "result_incomplete"]),
        ];
        for (case, lines, day, expected) in table {
            assert_eq!(codes(vec![target("t", true)], lines, ENTRY, day), *expected, "{case}");
        }
        let void = ENTRY.replace("owner", "owners");
        let lines = [line("t", 1, false, Failed), line("t", 2, true, Failed)];
        let seen = codes(vec![target("t", true)], &lines, &void, "2026-06-03");
        assert!(seen.contains(&"tests_failed") && seen.contains(&"quarantine_invalid"), "{seen:?}");
    }

    #[test]
    fn a_line_that_is_taken_away_never_mends_a_run() {
        let table: &[(&str, Vec<Line>)] = &[
            ("no line", vec![]),
            ("the first attempt is gone", vec![line("a", 2, true, Status::Passed)]),
            ("the last attempt is gone", vec![line("a", 1, false, Status::Failed)]),
            ("the mark of the last is gone", vec![line("a", 1, false, Status::Passed)]),
        ];
        for (case, lines) in table {
            let seen = codes(vec![target("a", false)], lines, "", "2026-06-03");
            assert_eq!(seen, ["result_incomplete"], "{case}");
        }
        let both = [line("a", 1, true, Status::Passed), line("a", 1, true, Status::Failed)];
        assert_eq!(codes(vec![target("a", false)], &both, "", "2026-06-03"), ["tests_failed"]);
    }

    #[test]
    fn an_entry_that_names_nothing_blocks_a_whole_run() {
        let lines = [line("a", 1, true, Status::Passed)];
        let seen = codes(vec![target("a", false)], &lines, ENTRY, "2026-06-03");
        assert_eq!(seen, ["quarantine_invalid"]);
    }

    #[test]
    fn every_way_to_fail_counts() {
        for status in [Status::Failed, Status::TimedOut, Status::Crashed, Status::Exited] {
            let lines = [line("a", 1, true, status)];
            assert_eq!(codes(vec![target("a", false)], &lines, "", "2026-06-03"), ["tests_failed"]);
        }
    }
}
