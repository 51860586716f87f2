//! A change on top of a base, and the sealed run that its own gates say they made. A hostile change writes what it likes.

use super::sample::{Sample, ended};
use portcullis::{
    GateId, Lane, Mode, Outcome, RunId,
    evidence::store::{Durability, Ownership, RunDir, Store},
    kernel::{
        census::Census,
        policy,
        receipt::judge,
        recorded::{Facts, INPUTS_SCHEMA, Material, Recorded},
    },
    report::views,
    wire::{
        artifact,
        finding::Finding,
        id::Digest,
        ordered::{VecMap, VecSet},
        receipt::{
            Clock, ClockSource, Envelope, STARTED_SCHEMA, Source, Started, Tool, VERDICT_SCHEMA,
            Verdict,
        },
        time::Instant,
    },
};
use serde_json::Value;
use std::fs;

pub(crate) const POLICY: &str = "portcullis.toml";
pub(crate) const WAIVERS: &str = "suite_classification.toml";

/// The policy of the base: two gates, and who may approve.
pub(crate) const BASE: &str = "\
[policy]
version = 1
owner = \"team\"

[approval]
approvers = [\"rita@example.org\"]

[[gate]]
id = \"first\"
kind = \"threshold\"
max_errors = 3

[[gate]]
id = \"second\"
kind = \"command\"
lanes = [\"pr\", \"main\", \"release\"]
";

/// What a run says of itself.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) lane: Lane,
    pub(crate) mode: Option<&'static str>,
    pub(crate) now: &'static str,
    pub(crate) dirty: bool,
    pub(crate) fails: Vec<&'static str>,
    pub(crate) selected: Option<Vec<&'static str>>,
    pub(crate) commit: Option<String>,
    pub(crate) policy: Option<String>,
    pub(crate) schema: &'static str,
}

impl Story {
    /// An honest run of the lane `pr`, without a base.
    pub(crate) fn honest() -> Self {
        Self {
            lane: Lane::Pr,
            mode: None,
            now: "2026-05-31T12:00:00Z",
            dirty: false,
            fails: Vec::new(),
            selected: None,
            commit: None,
            policy: None,
            schema: INPUTS_SCHEMA,
        }
    }
}

/// A repository with the base as branch `main`, and a branch `change`, checked out.
pub(crate) struct Change {
    pub(crate) sample: Sample,
}

impl Change {
    pub(crate) fn new(waivers: &str) -> Self {
        let sample = Sample::new();
        let change = Self { sample };
        change.write(BASE, waivers);
        change.sample.commit();
        change.sample.git(&["checkout", "--quiet", "-b", "change"]);
        change
    }

    /// Writes policy, census and waivers.
    pub(crate) fn write(&self, policy: &str, waivers: &str) {
        self.sample.put(POLICY, policy);
        self.sample.put(WAIVERS, waivers);
        let tables = policy::parse(POLICY, policy).expect("a policy").gates;
        self.sample.put("portcullis.lock", &Census::of(&tables).render());
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.sample.path(name)).expect("a text")
    }

    pub(crate) fn head(&self) -> String {
        self.text(".git/refs/heads/change").trim().to_owned()
    }

    /// What `verify` says of a run with this story, judged from `main`.
    pub(crate) fn judged(&self, story: &Story) -> (Option<i32>, String, Value) {
        self.seal(story);
        self.verify(&[])
    }

    pub(crate) fn verify(&self, more: &[&str]) -> (Option<i32>, String, Value) {
        let words = ["verify", "run-1", "--base", "main", "--format", "json"];
        let mut command = self.sample.portcullis(&[&words, more].concat());
        let (exit, said) = ended(&mut command);
        let json = said.find('{').map(|start| &said[start..]).unwrap_or_default();
        let document = serde_json::Deserializer::from_str(json).into_iter().next();
        let document = document.and_then(Result::ok).unwrap_or(Value::Null);
        (exit, said, document)
    }

    /// Writes and seals the run, as the gate binary of the change would.
    pub(crate) fn seal(&self, story: &Story) -> RunDir {
        let _earlier = fs::remove_dir_all(self.sample.path("target/portcullis"));
        let store = Store::open(&self.sample.path("target")).expect("a store");
        let header = |schema: &str| self.header(story, schema);
        let id = RunId::parse("run-1").expect("a run id");
        let run = store
            .create_run(&id, Ownership::Owned, Durability::Cached, &header("portcullis.run.v1"))
            .expect("a run");
        let recorded = Recorded {
            lane: story.lane,
            requested_mode: story.mode.map(str::to_owned),
            policy_path: POLICY.to_owned(),
            policy: story.policy.clone().unwrap_or_else(|| self.text(POLICY)),
            classification_path: WAIVERS.to_owned(),
            classification: self.text(WAIVERS),
            rust_gates: VecMap::new(),
            census_faults: Vec::new(),
            planned: None,
        };
        let tables = policy::parse(POLICY, &recorded.policy).expect("a policy").gates;
        let census = Census::parse(&self.text("portcullis.lock")).expect("a census");
        let inputs = views::with_envelope(&header(story.schema), &recorded).expect("inputs");
        let write = |name: &str, text: String| run.write_file(name, text.as_bytes()).expect(name);
        write("expected.json", artifact::document(&census).expect("a census"));
        write("inputs.json", artifact::document(&inputs).expect("inputs"));
        let ids = |ids: &Vec<&str>| -> VecSet<GateId> {
            ids.iter().map(|id| GateId::parse(id).expect("an id")).collect()
        };
        let selected = story.selected.as_ref().map(ids);
        for table in &tables {
            if selected.as_ref().is_some_and(|ids| !ids.contains(&table.common.id)) {
                continue;
            }
            let mut written: Option<(Started, Digest)> = None;
            let dir = run
                .begin_attempt(&table.common.id, |attempt| {
                    let started = self.started(story, table, attempt);
                    let text = artifact::document(&started).expect("a record");
                    written = Some((started, Digest::of(text.as_bytes())));
                    Ok(text)
                })
                .expect("an attempt");
            let (started, digest) = written.expect("a record");
            let fails = story.fails.contains(&table.common.id.as_str());
            let verdict = self.verdict(story, started, digest, fails);
            dir.write_verdict(&artifact::document(&verdict).expect("a verdict")).expect("written");
        }
        let facts = Facts {
            selected,
            touched_waivers: false,
            base: None,
            run_faults: Vec::new(),
            source_dirty: story.dirty,
            tests: 0,
            reserved: Vec::new(),
        };
        let material = Material::read(&recorded, census).expect("material");
        let attempts = run.read_attempts().expect("attempts");
        let receipts: Vec<_> = attempts.iter().filter_map(|raw| judge(raw, &id)).collect();
        let clock = header("x").clock;
        let decision = material.decide(&clock, &facts, &receipts).expect("a decision");
        let document = views::decision(&header(views::DECISION_SCHEMA), &decision, &facts);
        let document = document.expect("a document");
        write("decision.json", artifact::of_sorted(&document).expect("a document"));
        run.seal(&header("portcullis.run.v1")).expect("sealed");
        run
    }

    fn header(&self, story: &Story, schema: &str) -> Envelope {
        let now = Instant::parse(story.now).expect("an instant");
        let commit = Some(story.commit.clone().unwrap_or_else(|| self.head()));
        Envelope {
            schema: schema.to_owned(),
            run_id: RunId::parse("run-1").expect("a run id"),
            generated_at: now,
            source: Source { commit, dirty: Some(story.dirty), ..Source::default() },
            tool: Tool::this(),
            mode: Mode::Strict,
            clock: Clock { now, source: ClockSource::System, past_allowed: false },
        }
    }

    fn started(&self, story: &Story, table: &portcullis::GateTable, attempt: u32) -> Started {
        Started {
            envelope: self.header(story, STARTED_SCHEMA),
            gate_id: table.common.id.clone(),
            kind: table.kind_name().to_owned(),
            binary: table.common.binary.clone(),
            attempt,
            runner_attempt: 1,
            runner_run_id: None,
            pid: 1,
            policy_digest: table.digest(),
        }
    }

    fn verdict(&self, story: &Story, started: Started, digest: Digest, fails: bool) -> Verdict {
        let code = portcullis::wire::code::GATE_BROKEN;
        let finding = Finding::new(code, "a subject", "it is broken", "mend it");
        let findings = if fails { vec![finding] } else { Vec::new() };
        Verdict {
            envelope: self.header(story, VERDICT_SCHEMA),
            gate_id: started.gate_id,
            kind: started.kind,
            binary: started.binary,
            attempt: started.attempt,
            policy_digest: started.policy_digest,
            started_digest: digest,
            outcome: if fails { Outcome::Fail } else { Outcome::Pass },
            examined: 1,
            findings_total: findings.len() as u64,
            findings,
            skip: None,
            error: None,
            evidence: Vec::new(),
            artifacts: Vec::new(),
            output: Vec::new(),
            duration_ms: 1,
        }
    }
}

/// The effective status of a gate, with its code.
pub(crate) fn row(document: &Value, gate: &str) -> String {
    let rows = document["decision"]["gates"].as_array().into_iter().flatten();
    let found = rows.into_iter().find(|row| row["id"] == gate);
    found.map_or_else(
        || "absent".to_owned(),
        |row| {
            let code = row["code"].as_str().unwrap_or("-");
            format!("{} {code}", row["effective"].as_str().unwrap_or("?"))
        },
    )
}

/// The codes of what is wrong with the run itself.
pub(crate) fn faults(document: &Value) -> Vec<String> {
    let own = document["faults"].as_array().into_iter().flatten();
    let decided = document["decision"]["faults"].as_array().into_iter().flatten();
    own.chain(decided).filter_map(|fault| fault["code"].as_str().map(str::to_owned)).collect()
}
