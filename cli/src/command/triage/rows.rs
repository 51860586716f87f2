//! A failure as triage shows it, from a log or from a run: what is known of it, and its way out.

use crate::{
    digest,
    exit::Exit,
    history::Sealed,
    plan::Target,
    red_log::{Kind as Source, LogFailure},
    replays::{self, Features},
    signature::{self, By, Patterns, Traits},
};
use portcullis::{
    kernel::{
        decide::Decided,
        policy::{Policy, profile::Kind},
        replay::Replay,
    },
    report::human::plain,
    runner::roster::AGGREGATES,
};
use serde_json::{Value, json};
use std::fmt::Write as _;

const MESSAGE_LINES: usize = 4;

/// One failure.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    kind: &'static str,
    suite: Option<String>,
    test: Option<String>,
    class: String,
    codes: Vec<String>,
    location: Option<String>,
    message: String,
    line: Option<u64>,
    fingerprint: String,
    replay: Option<String>,
    remedies: Vec<String>,
    artifact: Option<String>,
    owner: Option<String>,
    digest_path: Option<String>,
    patterns: Vec<usize>,
    signatures: Vec<(String, By)>,
}

/// A failure of a log.
pub(super) fn of_log(failure: &LogFailure, policy: Option<&Policy>) -> Row {
    let gate = policy.zip(failure.test.as_deref()).and_then(|(policy, test)| {
        policy.gates.iter().find(|gate| gate.common.id.as_str() == test).map(|gate| (policy, gate))
    });
    let is_aggregate = failure.test.as_deref().is_some_and(|test| AGGREGATES.contains(&test));
    // A gate written in Rust needs no table; a test that panics over the words of a gate is none.
    let is_untabled = !failure.codes.is_empty()
        && !matches!(failure.class.as_str(), "panic" | "assertion_failure" | "test_error");
    let kind = match (failure.kind, gate) {
        (Source::Test, Some(_)) => "gate",
        (Source::Test, None) if is_aggregate || is_untabled => "gate",
        (Source::Test, None) => "test",
        (Source::Build, _) => "build",
        (Source::Command, _) if failure.codes.is_empty() => "command",
        (Source::Command, _) => "gate",
    };
    let class = match (kind, failure.class.as_str()) {
        ("gate", "unknown") => "gate_blocked",
        (_, class) => class,
    };
    let name = format!(
        "{} {}",
        failure.suite.as_deref().unwrap_or_default(),
        failure.test.as_deref().unwrap_or_default()
    );
    let mut row = Row {
        kind,
        suite: failure.suite.clone(),
        test: failure.test.clone(),
        class: class.to_owned(),
        codes: failure.codes.clone(),
        location: failure.location.clone(),
        message: failure.message.clone(),
        line: Some(failure.line),
        fingerprint: digest::fingerprint(
            &name,
            class,
            failure.location.as_deref(),
            &failure.message,
        ),
        replay: failure.replay.clone(),
        remedies: failure.remedies.clone(),
        patterns: failure.patterns.clone(),
        ..Row::default()
    };
    if let Some((policy, table)) = gate {
        let common = &table.common;
        row.owner = Some(common.owner.clone());
        row.artifact = common.artifact_path.as_ref().map(ToString::to_string);
        row.remedies.extend(common.remediation.clone());
        row.replay.get_or_insert_with(|| {
            let own = common.replay.clone().map(|argv| Replay { argv, ..Replay::default() });
            let id = common.id.as_str();
            own.unwrap_or_else(|| Replay::gate(&common.binary, id, &policy.replay_prefix)).render()
        });
    }
    if let (Some(policy), Some(test), true) = (policy, &failure.test, is_aggregate) {
        row.replay = Some(Replay::gate(&policy.binary, test, &policy.replay_prefix).render());
    }
    if row.replay.is_none() {
        let prefix = policy.map(|policy| policy.replay_prefix.clone()).unwrap_or_default();
        row.replay = guessed(failure, prefix);
    }
    row
}

/// The command that runs a test of a log again, as far as the log says where it lies. Nobody resolved it.
fn guessed(failure: &LogFailure, prefix: Vec<String>) -> Option<String> {
    let test = failure.test.as_deref()?;
    let mut argv = prefix;
    argv.extend(["cargo", "test"].map(str::to_owned));
    let suite = failure.suite.as_deref();
    match (failure.cargo_kind, suite) {
        (Some("doc"), _) => argv.push("--doc".to_owned()),
        (Some("lib"), _) => argv.push("--lib".to_owned()),
        (Some("bin"), Some(name)) => argv.extend(["--bin".to_owned(), name.to_owned()]),
        (Some(_), Some(name)) => argv.extend(["--test".to_owned(), name.to_owned()]),
        // nextest names `package::target`, `package::bin/target`, and the package alone for its library.
        (None, Some(name)) => match name.split_once("::") {
            Some((package, target)) => {
                argv.extend(["--package".to_owned(), package.to_owned()]);
                let (kind, target) = target.split_once('/').unwrap_or(("test", target));
                argv.extend([format!("--{kind}"), target.to_owned()]);
            }
            None => argv.extend(["--package".to_owned(), name.to_owned(), "--lib".to_owned()]),
        },
        (_, None) => argv.push("--workspace".to_owned()),
    }
    argv.extend(["--".to_owned(), test.to_owned(), "--exact".to_owned()]);
    Some(portcullis::kernel::replay::render_argv(&argv))
}

/// The failures of a sealed run: its tests and gates, and what is wrong with the run itself.
pub(super) fn of_run(sealed: &Sealed, policy: Option<&Policy>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut seen = Vec::new();
    for (rung, digest) in &sealed.failures {
        let gate = sealed.decision.gates.iter().find(|gate| gate.id.as_str() == rung.test);
        let gate = gate.filter(|_| rung.kind == Kind::Gate);
        let mut row = Row {
            kind: if gate.is_some() { "gate" } else { "test" },
            suite: Some(rung.suite.clone()),
            test: Some(rung.test.clone()),
            class: rung.root_cause_class.clone(),
            fingerprint: rung.fingerprint.clone(),
            digest_path: Some(rung.digest_path.clone()),
            location: digest.first_failing_assertion.location.clone(),
            message: digest.first_failing_assertion.message.clone(),
            ..Row::default()
        };
        // A record must not be able to say how something is run.
        match rung.targeted.clone().checked() {
            Ok(replay) => row.replay = Some(replay.render()),
            Err(fault) => row.remedies.push(fault.headline().to_owned()),
        }
        if let Some(gate) = gate {
            seen.push(gate.id.clone());
            row.of_gate(gate);
        }
        rows.push(row);
    }
    for gate in sealed.decision.gates.iter().filter(|gate| gate.blocks && !seen.contains(&gate.id))
    {
        let target = Target {
            suite: gate.binary.clone(),
            test: gate.id.to_string(),
            kind: Kind::Gate,
            package: String::new(),
            binary: gate.binary.clone(),
            cargo_kind: "test".to_owned(),
            quarantine: None,
        };
        let digest = digest::of_gate(&target, gate);
        let replay = policy.map(|policy| replays::targeted(policy, &Features::new(), &target));
        let mut row = Row {
            kind: "gate",
            suite: Some(gate.binary.clone()),
            test: Some(gate.id.to_string()),
            class: digest.root_cause_class,
            fingerprint: digest.fingerprint,
            location: digest.first_failing_assertion.location,
            message: digest.first_failing_assertion.message,
            replay: replay.map(|replay| replay.render()),
            ..Row::default()
        };
        row.of_gate(gate);
        rows.push(row);
    }
    for fault in &sealed.decision.faults {
        // The tests that failed have rows of their own.
        if fault.code == "tests_failed" && !rows.is_empty() {
            continue;
        }
        rows.push(Row {
            kind: "run",
            class: digest::class_of_code(&fault.code).unwrap_or("unknown").to_owned(),
            codes: vec![fault.code.clone()],
            location: fault.location.as_ref().map(ToString::to_string),
            message: fault.message.clone(),
            fingerprint: digest::fingerprint("run", &fault.code, None, &fault.message),
            remedies: vec![fault.remedy.clone()],
            ..Row::default()
        });
    }
    rows
}

impl Row {
    fn of_gate(&mut self, gate: &Decided) {
        self.codes.extend(gate.code.clone());
        for finding in &gate.findings {
            if !self.codes.contains(&finding.code) {
                self.codes.push(finding.code.clone());
            }
            if !self.remedies.contains(&finding.remedy) && self.remedies.len() < MESSAGE_LINES {
                self.remedies.push(finding.remedy.clone());
            }
        }
        if let Some(error) = &gate.error {
            self.remedies.push(error.remedy.clone());
        }
        self.owner = Some(gate.owner.clone());
        self.artifact = gate.artifact_path.as_ref().map(ToString::to_string);
        if self.message.is_empty() {
            self.message.clone_from(&gate.detail);
        }
    }

    /// Notes the signatures that it has.
    pub(super) fn recognise(&mut self, policy: &Policy, patterns: &Patterns) {
        let traits = Traits {
            test: self.test.as_deref(),
            suite: self.suite.as_deref(),
            class: &self.class,
            codes: self.codes.iter().map(String::as_str).collect(),
            patterns: &self.patterns,
        };
        let found = signature::recognise(policy, patterns, &traits);
        self.signatures = found.iter().map(|one| (one.signature.id.to_string(), one.by)).collect();
    }

    /// The signature that says most about it.
    pub(super) fn first_signature(&self) -> Option<&str> {
        self.signatures.first().map(|(id, _)| id.as_str())
    }

    /// What a run that failed so would exit with.
    pub(super) fn exit(&self) -> Exit {
        match self.kind {
            "build" => Exit::ListFailed,
            "gate" if matches!(self.class.as_str(), "not_run" | "crash") => Exit::Invalid,
            "gate" => Exit::Blocked,
            "run" => Exit::Invalid,
            _ => match self.class.as_str() {
                "list_error" => Exit::ListFailed,
                _ => Exit::TestsFailed,
            },
        }
    }

    pub(super) fn document(&self) -> Value {
        let signatures: Vec<Value> =
            self.signatures.iter().map(|(id, by)| json!({ "id": id, "by": by })).collect();
        json!({
            "kind": self.kind,
            "suite": self.suite,
            "test": self.test,
            "root_cause_class": self.class,
            "codes": self.codes,
            "location": self.location,
            "message": self.message,
            "line": self.line,
            "fingerprint": self.fingerprint,
            "replay": self.replay,
            "remediation": self.remedies,
            "artifact_path": self.artifact,
            "digest_path": self.digest_path,
            "owner": self.owner,
            "signature": self.first_signature(),
            "signatures": signatures,
        })
    }

    /// Its lines on a terminal.
    pub(super) fn show(&self, text: &mut String) {
        let line = self.line.map_or_else(String::new, |line| format!("line {line}: "));
        let name: Vec<&str> =
            [&self.suite, &self.test].into_iter().flatten().map(String::as_str).collect();
        let codes = if self.codes.is_empty() {
            String::new()
        } else {
            format!(" [{}]", self.codes.join(", "))
        };
        let _ok = writeln!(text, "  {line}{} {}: {}{codes}", self.kind, name.join(" "), self.class);
        if let Some(place) = &self.location {
            let _ok = writeln!(text, "    --> {place}");
        }
        for line in plain(&self.message).lines().take(MESSAGE_LINES) {
            let _ok = writeln!(text, "     | {line}");
        }
    }

    /// What helps where no signature is known.
    pub(super) fn show_way_out(&self, text: &mut String) {
        for remedy in &self.remedies {
            let _ok = writeln!(text, "     = do:     {remedy}");
        }
        if let Some(replay) = &self.replay {
            let _ok = writeln!(text, "     = replay: {replay}");
        }
    }
}
