//! What every start of a gate binary reads: the policy, the census, and strict JSON beside serde_json.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use portcullis::{
    GateTable,
    evidence::json,
    kernel::{census::Census, policy},
};
use std::{fmt::Write as _, hint::black_box};

fn policy_text(n: usize) -> String {
    let mut text = "[policy]\nversion = 1\nowner = \"speed\"\n".to_owned();
    for n in 0..n {
        // Writing to a String cannot fail.
        let _ok = write!(
            text,
            "\n[[gate]]\nid = \"g{n:05}\"\nkind = \"trivial\"\ntitle = \"gate {n}\"\nvalue = {n}\n"
        );
    }
    text
}

fn gates(n: usize) -> Vec<GateTable> {
    policy::parse("portcullis.toml", &policy_text(n)).expect("a policy").gates
}

fn policies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("policy_parse");
    for n in [10, 100, 1000] {
        let text = policy_text(n);
        group.throughput(Throughput::Elements(n as u64));
        group.sample_size(30);
        group.bench_with_input(BenchmarkId::from_parameter(n), &text, |bencher, text| {
            bencher
                .iter(|| policy::parse("portcullis.toml", black_box(text)).map(|p| p.gates.len()));
        });
    }
    group.finish();
}

fn censuses(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("census");
    for n in [100, 1000] {
        let census = Census::of(&gates(n));
        let text = census.render();
        group.throughput(Throughput::Elements(n as u64));
        group.bench_with_input(BenchmarkId::new("render", n), &census, |bencher, census| {
            bencher.iter(|| black_box(census).render().len());
        });
        group.bench_with_input(BenchmarkId::new("parse", n), &text, |bencher, text| {
            bencher.iter(|| Census::parse(black_box(text)).map(|census| census.rows.len()));
        });
    }
    group.finish();
}

/// A document like the ones that gates read, about 1 MB.
fn document() -> String {
    let rows: Vec<_> = (0..6000)
        .map(|n| {
            serde_json::json!({
                "id": format!("row_{n}"),
                "status": if n % 7 == 0 { "skip" } else { "pass" },
                "duration_ms": n * 13,
                "tags": ["one", "two", "three"],
                "place": { "file": "src/a/module.rs", "line": n, "note": "caf\u{e9} \"quoted\"" },
            })
        })
        .collect();
    serde_json::json!({ "schema": "speed.v1", "rows": rows }).to_string()
}

fn documents(criterion: &mut Criterion) {
    let text = document();
    let mut group = criterion.benchmark_group("json");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.sample_size(20);
    group.bench_function("strict", |bencher| {
        bencher.iter(|| json::parse(black_box(text.as_bytes()), "speed.json").is_ok());
    });
    group.bench_function("serde_json_value", |bencher| {
        bencher.iter(|| {
            serde_json::from_slice::<serde_json::Value>(black_box(text.as_bytes())).is_ok()
        });
    });
    group.finish();
}

criterion_group!(benches, policies, censuses, documents);
criterion_main!(benches);
