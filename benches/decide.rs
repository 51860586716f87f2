//! How the decision grows with the number of gates. Measures no I/O: the decision has none.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use portcullis::wire::ordered::VecSet;
use portcullis::{
    Digest, GateId, GateTable, Instant, Lane, Mode, Outcome, RunId,
    kernel::{
        census::Census,
        decide::{Attempts, Inputs, Selection, decide},
        policy::{self, Policy},
        receipt::Receipt,
        waiver::{WaiverFile, WaiverScope},
    },
    wire::receipt::{
        Clock, ClockSource, Envelope, STARTED_SCHEMA, Source, Started, Tool, VERDICT_SCHEMA,
        Verdict,
    },
};
use std::hint::black_box;

const POLICY: &str = "[policy]\nversion = 1\nowner = \"speed\"\nbinary = \"gate\"\n";

/// A run of `n` gates that all pass.
struct Run {
    policy: Policy,
    gates: Vec<GateTable>,
    census: Census,
    receipts: Vec<Receipt>,
    waivers: WaiverFile,
    clock: Clock,
}

impl Run {
    fn of(n: usize) -> Self {
        let policy = policy::parse("portcullis.toml", POLICY).expect("a policy");
        let now = Instant::parse("2026-05-31T12:00:00Z").expect("a time");
        let clock = Clock { now, source: ClockSource::System, past_allowed: false };
        let gates: Vec<GateTable> = (0..n)
            .map(|n| {
                GateTable::for_rust(
                    GateId::parse(&format!("g{n:05}")).expect("an id"),
                    &policy,
                    "gate",
                )
            })
            .collect();
        let receipts = gates.iter().map(|gate| receipt(gate, &clock)).collect();
        let census = Census::of(&gates);
        let waivers =
            WaiverFile::parse("suite_classification.toml", "", &VecSet::new(), &VecSet::new());
        Self { policy, gates, census, receipts, waivers, clock }
    }

    /// Decides and returns how many gates block, so that nothing can be left out as unused.
    fn decide(&self) -> usize {
        let gates: Vec<&GateTable> = self.gates.iter().collect();
        let receipts: Vec<&Receipt> = self.receipts.iter().collect();
        let decision = decide(&Inputs {
            policy: &self.policy,
            gates: &gates,
            census: &self.census,
            census_faults: &[],
            lane: Lane::Local,
            selection: &Selection::all(),
            receipts: &receipts,
            attempts: Attempts::Everybodys,
            waivers: &self.waivers,
            scope: WaiverScope::Full,
            touched_waivers: false,
            base_waivers: None,
            loosened: &[],
            requested_mode: None,
            clock: &self.clock,
            run_faults: &[],
            source_dirty: false,
        });
        decision.gates.iter().filter(|gate| gate.blocks).count()
    }
}

fn receipt(gate: &GateTable, clock: &Clock) -> Receipt {
    let envelope = Envelope {
        schema: STARTED_SCHEMA.to_owned(),
        run_id: RunId::parse("speed").expect("a run id"),
        generated_at: clock.now,
        source: Source::default(),
        tool: Tool::this(),
        mode: Mode::Strict,
        clock: clock.clone(),
    };
    let started = Started {
        envelope: envelope.clone(),
        gate_id: gate.common.id.clone(),
        kind: gate.kind_name().to_owned(),
        binary: gate.common.binary.clone(),
        attempt: 1,
        runner_attempt: 1,
        runner_run_id: None,
        pid: 1,
        policy_digest: gate.digest(),
    };
    let verdict = Verdict {
        envelope: envelope.with_schema(VERDICT_SCHEMA),
        gate_id: gate.common.id.clone(),
        kind: gate.kind_name().to_owned(),
        binary: gate.common.binary.clone(),
        attempt: 1,
        policy_digest: gate.digest(),
        started_digest: Digest::of(b""),
        outcome: Outcome::Pass,
        examined: 1,
        findings: Vec::new(),
        findings_total: 0,
        skip: None,
        error: None,
        evidence: Vec::new(),
        artifacts: Vec::new(),
        output: Vec::new(),
        duration_ms: 0,
    };
    Receipt::complete(started, verdict)
}

fn growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    for n in [10, 100, 1000, 10_000] {
        let run = Run::of(n);
        assert_eq!(run.decide(), 0, "a run in which everything passes");
        group.throughput(Throughput::Elements(n as u64));
        group.sample_size(if n < 10_000 { 50 } else { 10 });
        group.bench_with_input(BenchmarkId::from_parameter(n), &run, |bencher, run| {
            bencher.iter(|| black_box(run).decide());
        });
    }
    group.finish();
}

criterion_group!(benches, growth);
criterion_main!(benches);
