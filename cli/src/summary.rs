//! What a run says at its end, to people and to scripts. It words a decision and changes nothing of it.

use crate::{
    command::Failure,
    exit::Exit,
    outcome::Tally,
    plan::Plan,
    record::Header,
    replays::{self, Features},
    triage::{Change, Triage},
    verdict::Judged,
};
use portcullis::{
    Effective, Fault, Lane,
    evidence::environment::Environment,
    kernel::{
        decide::Decision,
        policy::{Policy, profile::Kind},
    },
    report::{
        human::{self, count},
        views,
    },
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

/// Schema of `summary.json`.
pub(crate) const SUMMARY_SCHEMA: &str = "portcullis.summary.v1";
const SHOWN: usize = 20;
const MESSAGE_LINES: usize = 6;

/// `1 target`, `2 targets`.
pub(crate) fn targets(n: usize) -> String {
    count(n, "target")
}

/// Everything that is worded at the end of a run.
pub(crate) struct Account<'a> {
    /// The header of its documents.
    pub header: &'a Header,
    /// The environment, by allow-list.
    pub environment: &'a Environment,
    /// The root of the repository.
    pub root: &'a Path,
    /// Where the decision holds.
    pub lane: Lane,
    /// The policy.
    pub policy: &'a Policy,
    /// What gate binaries need turned on.
    pub features: &'a Features,
    /// The version of nextest.
    pub nextest_version: &'a str,
    /// Its plan.
    pub plan: &'a Plan,
    /// How many shards it was merged from, if it was.
    pub merged: Option<u32>,
    /// What became of its targets.
    pub tally: &'a Tally,
    /// What its tests come to.
    pub judged: &'a Judged,
    /// The decision.
    pub decision: &'a Decision,
    /// Its failures.
    pub failures: &'a [Failure],
    /// The comparison with a baseline, where there is one.
    pub triage: Option<&'a Triage>,
    /// What ties it to other runs.
    pub correlation_id: Option<&'a str>,
    /// What it exits with.
    pub exit: Exit,
    /// Its directory.
    pub dir: &'a Path,
}

impl Account<'_> {
    fn word(&self) -> &'static str {
        match self.exit {
            Exit::Pass => "pass",
            Exit::TestsFailed | Exit::Blocked | Exit::Regression => "blocked",
            Exit::Internal
            | Exit::Usage
            | Exit::Nothing
            | Exit::Invalid
            | Exit::ListFailed
            | Exit::NothingSelected => "invalid",
        }
    }

    fn shard(&self) -> Value {
        match (&self.plan.shard, self.merged) {
            (None, None) => json!({ "kind": Value::Null, "index": 0, "total": 1 }),
            (None, Some(total)) => json!({ "kind": "merged", "index": 0, "total": total }),
            (Some(shard), _) => {
                json!({ "kind": shard.by, "index": shard.index, "total": shard.total })
            }
        }
    }

    /// The one command that shows what is wrong again.
    fn one_command_replay(&self) -> String {
        let blocking = self.failures.iter().filter(|failure| failure.blocks).count();
        if blocking == 0 {
            return format!("cargo portcullis run --profile {}", self.plan.profile);
        }
        format!("cargo portcullis replay {}", self.header.run_id)
    }

    /// `environment.json`, without its header.
    pub(crate) fn environment(&self) -> Value {
        let environment = self.environment;
        json!({
            "profile": self.plan.profile,
            "vcr_mode": environment.get("VCR_MODE"),
            "git_sha": self.header.source.commit,
            "lane": self.lane,
            "shard": self.shard(),
            "engine": self.plan.engine,
            "nextest": self.nextest_version,
            "host": { "os": std::env::consts::OS, "arch": std::env::consts::ARCH },
            "variables": environment.recorded(),
        })
    }

    /// `failures/index.json`, without its header.
    pub(crate) fn diagnostics_index(&self) -> Value {
        let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
        let digests: Vec<Value> = self
            .failures
            .iter()
            .map(|failure| {
                *classes.entry(&failure.digest.root_cause_class).or_default() += 1;
                json!({
                    "suite": failure.digest.suite,
                    "test": failure.digest.test,
                    "root_cause_class": failure.digest.root_cause_class,
                    "path": failure.rung.digest_path,
                    "fingerprint": failure.digest.fingerprint,
                    "blocks": failure.blocks,
                })
            })
            .collect();
        json!({ "digests": digests, "classes": classes })
    }

    /// `replay_bundle.json`, without its header.
    pub(crate) fn replay_bundle(&self) -> Value {
        let row = |failure: &Failure| {
            json!({
                "suite": failure.rung.suite,
                "test": failure.rung.test,
                "cargo_replay": failure.rung.whole.render(),
                "targeted_replay": failure.rung.targeted.render(),
                "ladder": replays::ladder(self.header.run_id.as_str(), &failure.rung),
                "digest_path": failure.rung.digest_path,
            })
        };
        let of = |gate: bool| -> Vec<Value> {
            let wanted = |failure: &&Failure| (failure.rung.kind == Kind::Gate) == gate;
            self.failures.iter().filter(wanted).map(row).collect()
        };
        let shard = self.plan.shard.as_ref();
        json!({
            "one_command_replay": self.one_command_replay(),
            "environment": {
                "profile": self.plan.profile,
                "vcr_mode": self.environment.get("VCR_MODE"),
                "git_sha": self.header.source.commit,
                "shard_kind": shard.map(|shard| shard.by),
                "shard_index": shard.map_or(0, |shard| shard.index),
                "shard_total": shard.map_or(1, |shard| shard.total),
            },
            "failed_suites": of(false),
            "failed_gates": of(true),
        })
    }

    /// What to run first after a comparison.
    pub(crate) fn recommended(&self, triage: &Triage) -> Value {
        let commands: Vec<String> = triage
            .ranked_diagnostics
            .iter()
            .filter(|row| {
                matches!(row.change, Change::Regression | Change::NewFailure | Change::KnownFailure)
            })
            .filter_map(|row| {
                let of = |failure: &&Failure| {
                    format!("{} {}", failure.rung.suite, failure.rung.test) == row.target
                };
                self.failures.iter().find(of).map(|failure| failure.rung.targeted.render())
            })
            .collect();
        json!({
            "runner_repro_command": format!("cargo portcullis rerun {}", self.header.run_id),
            "ranked_repro_commands": commands,
        })
    }

    /// `summary.json`.
    ///
    /// # Errors
    /// Never for documents of ours.
    pub(crate) fn summary(&self) -> Result<Value, Fault> {
        let failed: Vec<String> = self
            .failures
            .iter()
            .filter(|failure| failure.blocks)
            .map(|failure| format!("{} {}", failure.rung.suite, failure.rung.test))
            .collect();
        let unit: Vec<String> = self
            .failures
            .iter()
            .filter(|failure| failure.blocks && failure.rung.kind == Kind::Unit)
            .map(|failure| format!("{} {}", failure.rung.suite, failure.rung.test))
            .collect();
        let all: BTreeSet<&str> = self.tally.suites.iter().map(String::as_str).collect();
        let red: BTreeSet<&str> = self
            .failures
            .iter()
            .filter(|failure| failure.blocks)
            .map(|failure| failure.rung.suite.as_str())
            .collect();
        let body = json!({
            "verdict": self.word(),
            "exit": self.exit.code(),
            "certifiable": self.decision.certifiable,
            "profile": self.plan.profile,
            "engine": self.plan.engine,
            "lane": self.lane,
            "shard": self.shard(),
            "correlation_id": self.correlation_id,
            "rerun_of": self.plan.rerun_of,
            "plan_hash": self.plan.hash,
            "planned": self.tally.planned,
            "outcomes": self.tally.by_status,
            "failed_names": failed,
            "failed_unit_names": unit,
            "passed_suites": all.difference(&red).count(),
            "total_suites": all.len(),
            "gates": self.decision.summary,
            "faults": self.decision.faults,
            "quarantined": self.judged.quarantined,
            "replay_bundle": { "one_command_replay": self.one_command_replay() },
            "triage_diff": self.triage,
        });
        views::with_envelope(&self.header.envelope(SUMMARY_SCHEMA), &body)
    }

    /// The verdict, what blocks, the ways out, and where it all lies.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let seconds = self.header.stopwatch.elapsed_ms() / 100;
        let _ok = writeln!(
            text,
            "portcullis: {} after {}.{} s; profile `{}`, lane `{}`, {} mode; exit {}",
            self.word().to_uppercase(),
            seconds / 10,
            seconds % 10,
            self.plan.profile,
            self.lane,
            self.decision.mode,
            self.exit.code(),
        );
        self.counts(&mut text);
        for fault in &self.decision.faults {
            let place =
                fault.location.as_ref().map_or_else(String::new, |at| format!("\n  --> {at}"));
            let found =
                fault.found.as_ref().map_or_else(String::new, |f| format!("\n   = found:  {f}"));
            let _ok = writeln!(
                text,
                "\nerror[{}]: {}{place}{found}\n   = remedy: {}",
                fault.code, fault.message, fault.remedy
            );
        }
        self.show_failures(&mut text);
        self.show_triage(&mut text);
        self.ways_out(&mut text);
        human::plain(&text)
    }

    fn counts(&self, text: &mut String) {
        let tests = &self.tally.by_status;
        let planned: usize = tests.values().sum();
        if planned > 0 {
            let parts: Vec<String> = tests.iter().map(|(word, n)| format!("{n} {word}")).collect();
            let mut notes = String::new();
            for (n, word) in [(self.tally.flaky, "flaky"), (self.tally.leaky, "leaky")] {
                if n > 0 {
                    let _ok = write!(notes, "; {n} {word}");
                }
            }
            let _ok = writeln!(text, "  tests    {planned} planned: {}{notes}", parts.join(", "));
        }
        if !self.decision.gates.is_empty() {
            let _ok = writeln!(text, "  gates    {}", human::counts(self.decision));
        }
        let left_out = self.plan.excluded.len();
        if left_out > 0 {
            let _ok = writeln!(
                text,
                "  left out {left_out}; `cargo portcullis plan --profile {}` says why",
                self.plan.profile
            );
        }
        for one in self.judged.quarantined.iter().filter(|one| !one.blocks) {
            let _ok = writeln!(
                text,
                "  quarantine `{}`: {:?}, until {} ({}, {})",
                one.entry, one.verdict, one.expires, one.owner, one.issue
            );
        }
        for gate in &self.decision.gates {
            let shown = match gate.effective {
                Effective::Pass => false,
                Effective::Warn
                | Effective::Waived
                | Effective::Skip
                | Effective::PendingApproval
                | Effective::Fail
                | Effective::Precluded
                | Effective::Missing
                | Effective::Crashed
                | Effective::Error => !gate.blocks,
            };
            if shown {
                let _ok =
                    writeln!(text, "  {:<8} {}: {}", gate.effective.name(), gate.id, gate.detail);
            }
        }
    }

    fn show_failures(&self, text: &mut String) {
        let blocking = || self.failures.iter().filter(|failure| failure.blocks);
        for failure in blocking().take(SHOWN) {
            let (digest, rung) = (&failure.digest, &failure.rung);
            let _ok = writeln!(
                text,
                "\n{} {} {}: {}",
                rung.kind, rung.suite, rung.test, digest.root_cause_class
            );
            let assertion = &digest.first_failing_assertion;
            if let Some(place) = &assertion.location {
                let _ok = writeln!(text, "  --> {place}");
            }
            for line in assertion.message.lines().take(MESSAGE_LINES) {
                let _ok = writeln!(text, "   | {line}");
            }
            if rung.kind == Kind::Gate
                && let Some(gate) = self.decision.gates.iter().find(|g| g.id.as_str() == rung.test)
            {
                let code = gate.code.as_deref().unwrap_or_default();
                let _ok =
                    writeln!(text, "   = status: {} [{code}]: {}", gate.effective, gate.detail);
                let remedy = gate.findings.first().map(|finding| finding.remedy.clone());
                let remedy =
                    remedy.or_else(|| gate.error.as_ref().map(|error| error.remedy.clone()));
                if let Some(remedy) = remedy {
                    let _ok = writeln!(text, "   = remedy: {remedy}");
                }
                let _ok = writeln!(text, "   = owner:  {}", gate.owner);
            }
            let _ok = writeln!(text, "   = replay: {}", rung.targeted.render());
        }
        let hidden = blocking().count().saturating_sub(SHOWN);
        if hidden > 0 {
            let _ok = writeln!(text, "\nand {hidden} more, in failures/index.json");
        }
    }

    fn show_triage(&self, text: &mut String) {
        let Some(triage) = self.triage else { return };
        let summary = &triage.summary;
        let _ok = writeln!(
            text,
            "\nagainst the baseline: {} ({} new), {} known, {} fixed, {} lost",
            count(summary.regression_count, "regression"),
            summary.new_failure_count,
            summary.known_failure_count,
            summary.fixed_count,
            summary.lost_coverage_count,
        );
        for row in triage.ranked_diagnostics.iter().take(SHOWN) {
            let _ok = writeln!(text, "  {:>3} {:?} {}", row.rank, row.change, row.target);
        }
    }

    fn ways_out(&self, text: &mut String) {
        let run = &self.header.run_id;
        if self.exit != Exit::Pass {
            let _ok = writeln!(
                text,
                "\nways out\n  mend what is named above, then `cargo portcullis rerun {run}`\n  see one failure again: `cargo portcullis replay {run} --test <name>`\n  all commands, from the failed set down: `cargo portcullis replay {run} --ladder`\n  what it means and who is asked: `cargo portcullis triage {run}`, `cargo portcullis incident {run}`"
            );
        }
        if self.plan.shard.is_some() {
            let _ok = writeln!(text, "  this is one shard; it certifies nothing alone");
        }
        let path = self.dir.strip_prefix(self.root).unwrap_or(self.dir);
        let _ok = writeln!(text, "  run      {}", path.display());
    }
}
