//! The end of a run: collects receipts, decides, compares, renders and seals. The decision is made before a word of it.

use super::{PHASES_SCHEMA, Phases, execute::Executed};
use crate::{
    annotation,
    args::Run,
    digest::{self, DIGEST_SCHEMA, FailureDigest},
    exit::{Exit, OrExit, Refused},
    export,
    ground::{self, Ground},
    history::{self, Earlier},
    outcome::{Outcome, Status, Tally},
    plan::{Plan, Target},
    record::Record,
    replays::{self, Features, REPLAY_SCHEMA, Rung},
    signature::{self, Patterns, Traits},
    summary::{self, Account},
    transport::Transport,
    triage::{self, TRIAGE_SCHEMA, Triage},
    verdict::{self, Judged, Seen},
};
use anyhow::Context as _;
use portcullis::{
    Fault, RunVerdict,
    evidence::store::{publish_view, read_attempts},
    kernel::{
        decide::{Decided, Decision},
        policy::{Policy, profile::Kind},
        receipt::{Receipt, judge},
        recorded::{Facts, INPUTS_SCHEMA, Material},
    },
    report::{
        markdown,
        views::{self, DECISION_SCHEMA, ENVIRONMENT_SCHEMA, Replays},
    },
    runner::session::view_text,
    wire::{
        code::{BASELINE_UNUSABLE, LOST_COVERAGE, RESULT_INCONSISTENT},
        receipt::ErrorRecord,
    },
};
use serde_json::json;
use std::{collections::BTreeMap, io::Write as _, path::Path};

/// Schema of `failures/index.json` and of the view `failure_diagnostics_index.json`.
pub(crate) const INDEX_SCHEMA: &str = "portcullis.failure_diagnostics_index.v1";

type SeenByTarget = BTreeMap<(String, String), Seen>;

/// Everything after the last test: it happens after failures and interruptions all the same.
pub(super) fn close(
    ground: &Ground,
    record: &Record<'_>,
    arguments: &Run,
    (plan, executed): (&Plan, &Executed),
    baseline: Option<&Earlier>,
    phases: &mut Phases,
    out: &mut Transport,
) -> Result<Exit, Refused> {
    let lines: Vec<_> = executed.outcomes.iter().flat_map(Outcome::lines).collect();
    let seen = verdict::collect(&lines);
    let today = ground.header.clock.now.day();
    let judged = verdict::judge(plan, &seen, &ground.quarantine, today);
    let decided =
        phases.phase(ground, "decide", || decide(ground, record, plan, executed, &judged))?;
    let (facts, decision) = decided;
    let failures = failures(ground, plan, executed, &decision);
    let compared =
        phases.phase(ground, "analyse", || compare(plan, &seen, &decision, &failures, baseline))?;
    let (facts, decision) = match lost(plan, compared.as_ref()) {
        None => (facts, decision),
        Some(fault) => again(ground, record, plan, facts, &fault)?,
    };
    let mut exit = verdict::exit(&decision);
    if compared.as_ref().is_some_and(|triage| triage.status == triage::Standing::Regression) {
        exit = exit.worse(Exit::Regression);
    }
    let mut tally = Tally::default();
    let nothing = Seen::default();
    for target in plan.assigned() {
        let key = (target.suite.clone(), target.test.clone());
        tally.add(target, seen.get(&key).unwrap_or(&nothing));
    }
    let account = Account {
        header: &ground.header,
        environment: &ground.repository.environment,
        root: ground.repository.root(),
        lane: ground.lane,
        policy: &ground.policy,
        features: &ground.features,
        nextest_version: &ground.nextest_version,
        plan,
        merged: None,
        tally: &tally,
        judged: &judged,
        decision: &decision,
        failures: &failures,
        triage: compared.as_ref(),
        correlation_id: arguments.correlation_id.as_deref(),
        exit,
        dir: record.path(),
    };
    phases.phase(ground, "render", || {
        // Each gate binary wrote these for itself and knows only the gates that are linked into it.
        record.write_text("expected.json", &ground.census.document())?;
        record.write("inputs.json", INPUTS_SCHEMA, &ground.recorded(plan))?;
        record.write_lines("outcomes.jsonl", &lines)?;
        let gates = plan.targets.iter().filter(|target| target.kind == Kind::Gate).cloned();
        documents(record, &account, &gates.collect::<Vec<_>>())?;
        let header = ground.header.envelope(DECISION_SCHEMA);
        let document = views::decision(&header, &decision, &facts).or_exit(Exit::Internal)?;
        record.write_text("decision.json", &view_text(&document).or_exit(Exit::Internal)?)
    })?;
    record.write("phases.json", PHASES_SCHEMA, &json!({ "phases": phases.phases }))?;
    record.seal()?;
    if let Some(dir) = &arguments.out {
        copy(record.path(), dir)
            .with_context(|| format!("the run cannot be copied to {}", dir.display()))?;
    }
    out.document(&account.summary().or_exit(Exit::Internal)?);
    out.text(&account.text());
    if out.is_github() {
        annotate(ground, record, &decision, &failures, out);
        summarise(ground, record, out);
    }
    Ok(exit)
}

/// Decides over every receipt on disk; the tests are faults of the run.
fn decide(
    ground: &Ground,
    record: &Record<'_>,
    plan: &Plan,
    executed: &Executed,
    judged: &Judged,
) -> Result<(Facts, Decision), Refused> {
    let tables = ground.tables(plan);
    let (base, base_faults) = ground.base(&tables);
    let selected = plan.answering(&ground.policy);
    let mut faults: Vec<Fault> = executed.faults.clone();
    faults.extend(base_faults);
    faults.extend(judged.faults.iter().cloned());
    // Who asked for no gate in particular relies on the census to know which ones there are.
    let unfiltered = plan.filters.is_empty() && plan.rerun_of.is_none() && plan.shard.is_none();
    if unfiltered && selected.as_ref().is_some_and(|gates| !gates.is_empty()) {
        faults.extend(ground.census_faults.iter().cloned());
    }
    faults.extend(ground.subject_faults());
    // What all shards together may certify, each of them must have looked at.
    let source_dirty = if selected.is_none() || (plan.shard.is_some() && plan.gates.is_none()) {
        ground.is_dirty().unwrap_or_else(|fault| {
            faults.push(ground::undecided(&fault));
            true
        })
    } else {
        false
    };
    let facts = Facts {
        selected,
        touched_waivers: base.touched,
        base: base.texts.clone(),
        run_faults: faults.iter().map(ErrorRecord::from).collect(),
        source_dirty,
        tests: plan.targets.len() as u64,
        reserved: plan.reserved(),
    };
    let decision = decision(ground, record, plan, &facts)?;
    let contradictions = contradictions(executed, &decision);
    if contradictions.is_empty() {
        return Ok((facts, decision));
    }
    let mut facts = facts;
    facts.run_faults.extend(contradictions.iter().map(ErrorRecord::from));
    let decision = self::decision(ground, record, plan, &facts)?;
    Ok((facts, decision))
}

fn again(
    ground: &Ground,
    record: &Record<'_>,
    plan: &Plan,
    mut facts: Facts,
    fault: &Fault,
) -> Result<(Facts, Decision), Refused> {
    facts.run_faults.push(ErrorRecord::from(fault));
    let decision = decision(ground, record, plan, &facts)?;
    Ok((facts, decision))
}

/// The same call as `verify` makes, over the same material.
fn decision(
    ground: &Ground,
    record: &Record<'_>,
    plan: &Plan,
    facts: &Facts,
) -> Result<Decision, Refused> {
    let material =
        Material::read(&ground.recorded(plan), ground.census.clone()).or_exit(Exit::Usage)?;
    let attempts = read_attempts(record.path()).or_exit(Exit::Invalid)?;
    let run_id = &ground.header.run_id;
    let receipts: Vec<Receipt> =
        attempts.iter().filter_map(|attempt| judge(attempt, run_id)).collect();
    material.decide(&ground.header.clock, facts, &receipts).or_exit(Exit::Invalid)
}

/// Gates that nextest saw fail although their receipts are in order: what only their process knew is lost.
fn contradictions(executed: &Executed, decision: &Decision) -> Vec<Fault> {
    if decision.verdict != RunVerdict::Pass {
        return Vec::new();
    }
    let gates = executed.outcomes.iter().filter(|outcome| outcome.target.kind == Kind::Gate);
    gates
        .filter(|outcome| !matches!(outcome.status(), Status::Passed | Status::NotRun))
        .map(|outcome| {
            let headline = format!(
                "the gate `{}` failed as a test, and its receipt says otherwise",
                outcome.target.test
            );
            let remedy = "run it alone and read what its process says at its end";
            let said = outcome.failure().map(|attempt| attempt.message.clone()).unwrap_or_default();
            Fault::new(RESULT_INCONSISTENT, headline, remedy).found(said)
        })
        .collect()
}

/// One failure with its digest and its replay.
pub(crate) struct Failure {
    /// The digest.
    pub digest: FailureDigest,
    /// The replay.
    pub rung: Rung,
    /// Whether it is why the run is not green.
    pub blocks: bool,
}

fn failures(
    ground: &Ground,
    plan: &Plan,
    executed: &Executed,
    decision: &Decision,
) -> Vec<Failure> {
    let one = |target: &Target, digest: FailureDigest, blocks: bool| Failure {
        rung: Rung::of(&ground.policy, &ground.features, target, &digest),
        digest,
        blocks,
    };
    let mut failures = Vec::new();
    for outcome in executed.outcomes.iter().filter(|outcome| outcome.target.kind != Kind::Gate) {
        if let Some(digest) = digest::of_test(outcome) {
            failures.push(one(&outcome.target, digest, true));
        } else if outcome.is_flaky()
            && let Some(digest) = digest::of_flaky(outcome)
        {
            failures.push(one(&outcome.target, digest, false));
        }
    }
    for gate in decision.gates.iter().filter(|gate| gate.blocks) {
        let listed =
            plan.targets.iter().find(|t| t.kind == Kind::Gate && t.test == gate.id.as_str());
        let target = listed.cloned().unwrap_or_else(|| Target::unlisted(gate));
        failures.push(one(&target, digest::of_gate(&target, gate), true));
    }
    failures
}

fn compare(
    plan: &Plan,
    seen: &SeenByTarget,
    decision: &Decision,
    failures: &[Failure],
    baseline: Option<&Earlier>,
) -> Result<Option<Triage>, Refused> {
    let Some(baseline) = baseline else { return Ok(None) };
    if let Some(why) = triage::incomparable(&baseline.plan, plan) {
        let headline = format!("the run {} is no baseline for this one", baseline.run_id);
        let remedy = "name a run of the same profile and shard that was not a rerun";
        let fault = Fault::new(BASELINE_UNUSABLE, headline, remedy).found(why);
        return Err(Refused::new(Exit::Nothing, fault));
    }
    let rungs: Vec<Rung> = failures.iter().map(|failure| failure.rung.clone()).collect();
    let current = history::states(plan, seen, decision, &rungs);
    Ok(Some(triage::compare(&baseline.states(), &current)))
}

/// Under the wide profiles, what passed before and was not observed makes the run invalid.
fn lost(plan: &Plan, triage: Option<&Triage>) -> Option<Fault> {
    let triage = triage.filter(|_| matches!(plan.profile.as_str(), "ci" | "full"))?;
    let lost = triage::unexplained(triage, plan);
    if lost.is_empty() {
        return None;
    }
    let headline =
        format!("{} passed on the baseline and was not observed", summary::targets(lost.len()));
    let remedy =
        "see why it is no longer planned or run; remove it on purpose in a change of its own";
    let shown: Vec<&str> = lost.iter().take(5).copied().collect();
    Some(Fault::new(LOST_COVERAGE, headline, remedy).found(shown.join(", ")))
}

/// Shows the run where GitHub shows the change. What cannot be counted or written changes no exit code.
fn annotate(
    ground: &Ground,
    record: &Record<'_>,
    decision: &Decision,
    failures: &[Failure],
    out: &mut Transport,
) {
    let environment = &ground.repository.environment;
    let job = [environment.get("GITHUB_RUN_ID"), environment.get("GITHUB_JOB")];
    // Steps of one job share what GitHub shows of it, so they count together.
    let counter = match job {
        [Some(run), Some(job)] => {
            let name = portcullis::Digest::of(format!("{run} {job}").as_bytes()).short();
            Some(ground.target_dir.join("portcullis/annotations").join(format!("{name}.json")))
        }
        _ => None,
    };
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).ok();
    let shown = counter.as_ref().and_then(read).and_then(|text| serde_json::from_str(&text).ok());
    let all = annotation::of_run(decision, failures);
    let place = record.path().strip_prefix(ground.repository.root()).unwrap_or(record.path());
    let place = format!("{}/decision.json", place.display());
    let (lines, shown) = annotation::commands(&all, shown.unwrap_or_default(), &place);
    out.commands(&lines);
    if let (Some(path), Ok(text)) = (counter, serde_json::to_string(&shown)) {
        drop(path.parent().map(std::fs::create_dir_all));
        drop(std::fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())));
    }
}

/// Adds the run to the summary of the step. A file that cannot be written changes no exit code, and is said.
fn summarise(ground: &Ground, record: &Record<'_>, out: &mut Transport) {
    let Some(path) = ground.repository.environment.non_empty("GITHUB_STEP_SUMMARY") else { return };
    // Beyond the limit of the forge everything that the step wrote is lost, so nothing is added there.
    let before = std::fs::metadata(path).map_or(0, |file| file.len());
    let before = usize::try_from(before).unwrap_or(usize::MAX);
    let account = match export::Account::read(record.path()) {
        Ok(account) => account,
        Err(fault) => return out.progress(&format!("portcullis: no step summary: {fault}")),
    };
    let text = export::summary::render(&account, export::summary::BUDGET.saturating_sub(before));
    if before.saturating_add(text.len()) > export::summary::LIMIT {
        return out.progress("portcullis: no step summary: the file is full");
    }
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    if let Err(source) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
        out.progress(&format!("portcullis: no step summary: {source}"));
    }
}

/// Every document but the decision.
pub(crate) fn documents(
    record: &Record<'_>,
    account: &Account<'_>,
    gates: &[Target],
) -> Result<(), Refused> {
    let plan = account.plan;
    for failure in account.failures {
        let pointer = json!({
            "replay_command": failure.rung.targeted.render(),
            "suite_replay_command": failure.rung.whole.render(),
            "targeted_test_replay_command": failure.rung.targeted.render(),
            "runbook": runbook(account, failure),
        });
        let mut body = serde_json::to_value(&failure.digest).context("a digest")?;
        if let Some(body) = body.as_object_mut() {
            body.insert("remediation_pointer".to_owned(), pointer);
        }
        record.write(&failure.rung.digest_path, DIGEST_SCHEMA, &body)?;
    }
    let index = account.diagnostics_index();
    record.write("failures/index.json", INDEX_SCHEMA, &index)?;
    record.write("views/failure_diagnostics_index.json", INDEX_SCHEMA, &index)?;
    let rungs: Vec<&Rung> = account.failures.iter().map(|failure| &failure.rung).collect();
    record.write("replay.json", REPLAY_SCHEMA, &json!({ "rungs": rungs }))?;
    record.write("views/replay_bundle.json", REPLAY_SCHEMA, &account.replay_bundle())?;
    record.write("environment.json", ENVIRONMENT_SCHEMA, &account.environment())?;
    record.write("views/environment.json", ENVIRONMENT_SCHEMA, &account.environment())?;
    if let Some(triage) = account.triage {
        let mut body = serde_json::to_value(triage).context("a triage")?;
        if let Some(body) = body.as_object_mut() {
            body.insert("recommended_commands".to_owned(), account.recommended(triage));
        }
        record.write("triage.json", TRIAGE_SCHEMA, &body)?;
        record.write("views/triage_diff.json", TRIAGE_SCHEMA, &body)?;
    }
    let quarantined = &account.judged.quarantined;
    let body = json!({ "entries": quarantined, "profile": plan.profile });
    record.write("views/quarantine_report.json", "portcullis.quarantine_report.v1", &body)?;
    let audit: Vec<_> = quarantined
        .iter()
        .map(|one| {
            json!({
                "schema": "portcullis.quarantine_audit.v1",
                "run_id": account.header.run_id,
                "ts": account.header.clock.now,
                "entry": one,
            })
        })
        .collect();
    record.write_lines("views/quarantine_audit.jsonl", &audit)?;
    if !account.decision.gates.is_empty() {
        gate_views(record, account, gates)?;
    }
    record.write_value("views/summary.json", &account.summary().or_exit(Exit::Internal)?)
}

/// How each gate runs again, as its replay rung has it.
struct Gates<'a> {
    policy: &'a Policy,
    features: &'a Features,
    targets: BTreeMap<&'a str, &'a Target>,
}

impl Replays for Gates<'_> {
    fn policy(&self) -> &Policy {
        self.policy
    }

    fn argv(&self, gate: &Decided) -> Vec<String> {
        let listed = self.targets.get(gate.id.as_str());
        let target = listed.map_or_else(|| Target::unlisted(gate), |target| (*target).clone());
        replays::targeted(self.policy, self.features, &target).argv
    }
}

/// The documents about gates that the aggregates of a gate binary write, over the gates of all of them.
fn gate_views(record: &Record<'_>, account: &Account<'_>, gates: &[Target]) -> Result<(), Refused> {
    let decision = account.decision;
    let replays = Gates {
        policy: account.policy,
        features: account.features,
        targets: gates.iter().map(|target| (target.test.as_str(), target)).collect(),
    };
    let events = |schema: &str| views::events(&account.header.envelope(schema), decision);
    let report = |title: &str, schema: &str| {
        markdown::report(title, &account.header.envelope(schema), decision, &replays)
    };
    let header = account.header.envelope(views::FULL_SUITE_SCHEMA);
    let document = views::full_suite(&header, decision, &replays).or_exit(Exit::Internal)?;
    let mut texts = vec![
        ("full_suite_verdict.json", view_text(&document).or_exit(Exit::Internal)?),
        ("full_suite_events.jsonl", events(views::FULL_SUITE_SCHEMA).or_exit(Exit::Internal)?),
        ("full_suite_report.md", report("Full-suite gate", views::FULL_SUITE_SCHEMA)),
    ];
    let header = account.header.envelope(views::WAIVER_AUDIT_SCHEMA);
    let audit = views::with_envelope(&header, &decision.waiver_audit).or_exit(Exit::Internal)?;
    texts.push(("waiver_audit.json", view_text(&audit).or_exit(Exit::Internal)?));
    if account.plan.may_certify && account.plan.shard.is_none() {
        let schema = views::CERTIFICATION_SCHEMA;
        let header = account.header.envelope(schema);
        let document = views::certification(&header, decision, &replays).or_exit(Exit::Internal)?;
        texts.extend([
            ("certification_verdict.json", view_text(&document).or_exit(Exit::Internal)?),
            ("certification_events.jsonl", events(schema).or_exit(Exit::Internal)?),
            ("certification_report.md", report("Certification", schema)),
        ]);
    }
    for (name, text) in &texts {
        record.write_text(&format!("views/{name}"), text)?;
    }
    // A part of a run is no answer that scripts should find under the name of the whole.
    let Some(folder) = account.policy.views.as_ref().filter(|_| account.plan.shard.is_none())
    else {
        return Ok(());
    };
    for (name, text) in &texts {
        let text = account.environment.recordable(text);
        publish_view(account.root, folder, name, text.as_bytes()).or_exit(Exit::Invalid)?;
    }
    Ok(())
}

/// The page of the signature that a failure has, where there is one.
fn runbook(account: &Account<'_>, failure: &Failure) -> Option<String> {
    let rung = &failure.rung;
    let gates = account.decision.gates.iter().filter(|_| rung.kind == Kind::Gate);
    let gate = gates.into_iter().find(|gate| gate.id.as_str() == rung.test);
    let codes = gate.into_iter().flat_map(|gate| {
        let of_findings = gate.findings.iter().map(|finding| finding.code.as_str());
        gate.code.as_deref().into_iter().chain(of_findings)
    });
    let traits = Traits {
        test: Some(&rung.test),
        suite: Some(&rung.suite),
        class: &rung.root_cause_class,
        codes: codes.collect(),
        patterns: &[],
    };
    let found = signature::recognise(account.policy, &Patterns::none(), &traits);
    found.first().map(|one| format!("docs/runbook.md#{}", one.signature.id))
}

/// Copies a sealed run. Links were refused when it was sealed, so there are none.
pub(crate) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in from.read_dir()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
