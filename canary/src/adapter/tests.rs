//! Every adapter over real outputs, over one table of faults, and over whatever mutation makes of them.

mod faults;
mod mutation;

use super::*;
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/canary/adapters")
}

/// The files below a folder, by path; what was expected of them is not one of them.
fn files(folder: &Path, prefix: &str, found: &mut Vec<Input>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().expect("a name");
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if entry.path().is_dir() {
            files(&entry.path(), &path, found);
        } else if name != "golden.txt" {
            let bytes = fs::read(entry.path()).expect("a file");
            found.push(Input { path, bytes, modified_ms: Some(1_000) });
        }
    }
}

fn inputs(release: &str) -> Vec<Input> {
    let mut found = Vec::new();
    files(&fixtures().join(release), "", &mut found);
    found
}

fn input(path: &str, text: &str) -> Input {
    Input { path: path.to_owned(), bytes: text.as_bytes().to_vec(), modified_ms: None }
}

fn settings() -> Settings {
    Settings { smaller_is_better: true, ..Settings::of(Arm::Candidate) }
}

/// A reading as text: one line per series and per problem.
fn shown(reading: &Reading) -> String {
    let mut text = String::new();
    for series in &reading.series {
        let body = match &series.body {
            Body::Samples(samples) => {
                let values: Vec<u64> = samples.iter().map(|sample| sample.value).collect();
                format!(
                    "{} samples, first {}, middle {}, {:?}",
                    values.len(),
                    values[0],
                    median(&values).expect("a middle"),
                    samples[0].exit
                )
            }
            Body::Summary(Summary { value, lower, upper }) => {
                format!("summary {value} {lower:?} {upper:?}")
            }
        };
        writeln!(
            text,
            "{:?} {:?} `{}`: {body} ({}, version {})",
            series.arm, series.unit, series.metric, series.source, series.schema_version
        )
        .expect("text");
    }
    for problem in &reading.problems {
        let metric = problem.metric.as_ref().map_or("", MetricId::as_str);
        writeln!(text, "{} `{metric}`: {problem}", problem.code.as_str()).expect("text");
    }
    text
}

/// The releases whose outputs were recorded, each with its adapter.
const RELEASES: &[(&str, Adapter)] = &[
    ("criterion/0.5.1", Adapter::CriterionDir),
    ("criterion/0.8.2", Adapter::CriterionDir),
    ("gungraun/0.20.0", Adapter::GungraunJson),
    ("hyperfine/1.15.0", Adapter::HyperfineJson),
    ("libtest/1.95.0", Adapter::LibtestBench),
    ("nextest/0.9.143", Adapter::NextestJunit),
    ("tango/0.9.0", Adapter::TangoCsv),
];

#[test]
fn recorded_outputs_read_as_they_did_when_a_person_looked() {
    for (release, adapter) in RELEASES {
        let mut text = String::new();
        let files = inputs(release);
        if *adapter == Adapter::CriterionDir {
            text = shown(&read(*adapter, files, &settings()));
        } else {
            for file in files {
                writeln!(text, "# {}", file.path).expect("text");
                text.push_str(&shown(&read(*adapter, [file], &settings())));
            }
        }
        let golden = fixtures().join(release).join("golden.txt");
        let expected = fs::read_to_string(golden).unwrap_or_default();
        assert!(text == expected, "{release} reads as\n{text}");
    }
}

#[test]
fn t15_names_and_values_are_those_of_the_tool() {
    let reading = read(Adapter::CriterionDir, inputs("criterion/0.8.2"), &settings());
    let names: Vec<&str> = reading.series.iter().map(|series| series.metric.as_str()).collect();
    assert!(names.iter().any(|name| name.len() > 64), "a name is not cut as its folder is");
    assert!(
        names.iter().any(|name| name.contains("a/b")),
        "characters are not rewritten: {names:?}"
    );
    let estimates = fixtures().join("criterion/0.8.2/tree/sort_flat/merge/1024/new/estimates.json");
    let estimates = fs::read_to_string(estimates).expect("estimates");
    assert!(estimates.contains("\"slope\":null"), "the fixture of a flat run has no slope");
}

#[test]
fn every_adapter_has_one_name() {
    for adapter in Adapter::ALL {
        assert_eq!(Adapter::parse(adapter.name()), Some(adapter));
    }
    assert!(Adapter::ALL.is_sorted_by_key(|adapter| adapter.name()));
    assert_eq!(Adapter::parse("criterion"), None);
}

#[test]
fn what_the_runner_knows_is_added_and_overwrites_nothing() {
    let text = "{\"results\":[{\"command\":\"a\",\"times\":[1],\"exit_codes\":[0]}]}";
    let mut of_hyperfine = read(Adapter::HyperfineJson, [input("a", text)], &settings());
    let mut of_tango = read(Adapter::TangoCsv, [input("b.csv", "1,2\n")], &settings());
    let work = Work { digest: crate::WorkDigest::new([7; 32]), count: 3 };
    let mut seen = Vec::new();
    for reading in [&mut of_hyperfine, &mut of_tango] {
        reading.attest(Exit::Signal(9), &[Proof::ResultFile], work);
        let Body::Samples(samples) = &reading.series[0].body else { panic!("samples") };
        seen.push((samples[0].exit, samples[0].proof.clone(), samples[0].work));
    }
    let proof = vec![Proof::ResultFile];
    assert_eq!(seen[0], (Exit::Code(0), proof.clone(), work), "the tool saw the exit itself");
    assert_eq!(seen[1], (Exit::Signal(9), proof, work));
}

#[test]
fn what_is_written_reads_back() {
    let values = "100,200\n300,250\n200,300\n";
    let of_tango = read(Adapter::TangoCsv, [input("d/a.csv", values)], &settings());
    let candidate: Vec<Series> =
        of_tango.series.into_iter().filter(|series| series.arm == Arm::Candidate).collect();
    let bmf = write_bmf_json(&candidate);
    let bmf_again =
        "{\"a\":{\"latency\":{\"lower_value\":200,\"upper_value\":300,\"value\":250}}}\n";
    assert_eq!(bmf, bmf_again);
    let back = read(Adapter::BmfJson, [input("b.json", &bmf)], &settings());
    assert_eq!(write_bmf_json(&back.series), bmf, "the measure is part of the name");
    let custom = write_action_benchmark_json(&candidate);
    let back = read(Adapter::ActionBenchmarkJson, [input("c.json", &custom)], &settings());
    assert_eq!(shown(&back), "Candidate Ns `a`: summary 250 None None (c.json, version 1)\n");
}
