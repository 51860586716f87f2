//! One table: what is wrong with an output, and the code that has to come of it.

use super::*;

const BENCHMARK: &str =
    r#"{"group_id":"g","function_id":null,"full_id":"g/a","directory_name":"g"}"#;
const SAMPLE: &str = r#"{"sampling_mode":"Linear","iters":[1.0,2.0],"times":[10.0,22.0]}"#;
const ESTIMATES: &str = r#"{"median":{"confidence_interval":{"confidence_level":0.95,"lower_bound":10.0,"upper_bound":11.0},"point_estimate":10.5,"standard_error":0.1},"slope":null}"#;
const MESSAGES: &str = "{\"reason\":\"benchmark-complete\",\"id\":\"g/a\",\"iteration_count\":[1,2],\"measured_values\":[10.0,22.0],\"unit\":\"ns\"}\n{\"reason\":\"group-complete\",\"group_name\":\"g\",\"benchmarks\":[\"g/a\"]}\n";
const HYPERFINE: &str =
    r#"{"results":[{"command":"a","median":0.5,"times":[0.25,0.75],"exit_codes":[0,0]}]}"#;
const GUNGRAUN: &str = r#"{"version":"6","module_path":"m::b","id":"x","profiles":[{"tool":"Callgrind","summaries":{"total":{"summary":{"Callgrind":{"Ir":{"diffs":{"diff_pct":"0","factor":"1"},"metrics":{"Both":[{"Int":12},{"Int":11}]}},"L1hits":{"metrics":{"Left":{"Int":5}}}}}}}}]}"#;
const GUNGRAUN_7: &str = r#"{"version":"7","module_path":"m::b","profiles":[{"tool":"Callgrind","data":{"total":{"metrics":{"Ir":{"values":{"new":12,"old":11}}}}}}]}"#;
const LIBTEST: &str = "\nrunning 2 tests\ntest a ... bench:       6,775.78 ns/iter (+/- 3,622.89) = 604 MB/s\ntest b ... ignored\n\ntest result: ok. 0 passed; 0 failed; 1 ignored; 1 measured; 0 filtered out; finished in 10.69s\n";
const LIBTEST_JSON: &str = "{\"type\":\"suite\",\"event\":\"started\",\"test_count\":2}\n{\"type\":\"bench\",\"name\":\"a\",\"median\":103.5,\"deviation\":6.5}\n{\"type\":\"test\",\"name\":\"b\",\"event\":\"ignored\"}\n{\"type\":\"suite\",\"event\":\"ok\",\"passed\":0,\"failed\":0,\"ignored\":1,\"measured\":1,\"filtered_out\":0}\n";
const JUNIT: &str = "<?xml version=\"1.0\"?>\n<testsuites name=\"n\" tests=\"2\"><testsuite name=\"s\"><testcase classname=\"s\" name=\"a\" time=\"0.017\"/><testcase classname=\"s\" name=\"b\" time=\"0.000\"><skipped/></testcase></testsuite></testsuites>\n";
const BMF: &str =
    r#"{"a":{"latency":{"value":12.5,"lower_value":-1,"upper_value":14},"file-size":{"value":7}}}"#;
const CUSTOM: &str = r#"[{"name":"a","unit":"ms","value":1.5,"range":"± 3","extra":"x"}]"#;

/// The good output of every adapter, and how it reads.
const GOOD: &[(Adapter, &str, &str)] = &[
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "Candidate Ns `g/a`: 2 samples, first 10, middle 10, Unknown (f, version 1)\n",
    ),
    (
        Adapter::HyperfineJson,
        HYPERFINE,
        "Candidate Ns `a`: 2 samples, first 250000000, middle 500000000, Code(0) (f, version 1)\n",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "Base Count `m::b::x#Callgrind.Ir`: summary 11 None None (f, version 6)\nCandidate Count `m::b::x#Callgrind.Ir`: summary 12 None None (f, version 6)\n",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN_7,
        "Base Count `m::b#Callgrind.Ir`: summary 11 None None (f, version 7)\nCandidate Count `m::b#Callgrind.Ir`: summary 12 None None (f, version 7)\n",
    ),
    (Adapter::LibtestBench, LIBTEST, "Candidate Ns `a`: summary 6776 None None (f, version 1)\n"),
    (
        Adapter::LibtestBench,
        LIBTEST_JSON,
        "Candidate Ns `a`: summary 104 None None (f, version 1)\n",
    ),
    (
        Adapter::TangoCsv,
        "10,20\n30,40\n",
        "Base Ns `f`: 2 samples, first 10, middle 20, Unknown (f, version 1)\nCandidate Ns `f`: 2 samples, first 20, middle 30, Unknown (f, version 1)\n",
    ),
    (
        Adapter::NextestJunit,
        JUNIT,
        "Candidate Ns `s::a`: summary 17000000 None None (f, version 1)\n",
    ),
    (
        Adapter::BmfJson,
        BMF,
        "Candidate Bytes `a#file-size`: summary 7 None None (f, version 1)\nCandidate Ns `a#latency`: summary 12 None Some(14) (f, version 1)\n",
    ),
    (
        Adapter::ActionBenchmarkJson,
        CUSTOM,
        "Candidate Ns `a`: summary 1500000 None None (f, version 1)\n",
    ),
];

/// A good text, what is changed in it, the code, and a part of the place.
type Fault = (Adapter, &'static str, &'static str, &'static str, &'static str, &'static str);

const FAULTS: &[Fault] = &[
    // Numbers that are none, on every path that reads one.
    (Adapter::HyperfineJson, HYPERFINE, "0.25", "null", "value_not_finite", "f#/results/0/times/0"),
    (Adapter::HyperfineJson, HYPERFINE, "0.25", "NaN", "value_not_finite", "f: "),
    (Adapter::HyperfineJson, HYPERFINE, "0.25", "-Infinity", "value_not_finite", "f: "),
    (Adapter::HyperfineJson, HYPERFINE, "0.25", "\"inf\"", "value_not_finite", "/times/0"),
    (Adapter::HyperfineJson, HYPERFINE, "0.25", "-0.25", "value_not_positive", "/times/0"),
    (Adapter::HyperfineJson, HYPERFINE, "0.25", "0.0", "value_not_positive", "/times/0"),
    (Adapter::HyperfineJson, HYPERFINE, "0.25", "1e300", "value_overflow", "/times/0"),
    (Adapter::HyperfineJson, HYPERFINE, "0.25", "1e400", "value_overflow", "f: "),
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "10.0",
        "null",
        "value_not_finite",
        "f#line 1/measured_values/0",
    ),
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "10.0",
        "-1.0",
        "value_not_positive",
        "/measured_values/0",
    ),
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "[1,2]",
        "[0,2]",
        "value_not_positive",
        "/measured_values/0",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "{\"Int\":12}",
        "{\"Float\":null}",
        "value_not_finite",
        "/Both/0/Float",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "{\"Int\":12}",
        "{\"Int\":0}",
        "value_not_positive",
        "/Both/0/Int",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN_7,
        "\"new\":12",
        "\"new\":99999999999999999999",
        "value_overflow",
        "/values/new",
    ),
    (Adapter::LibtestBench, LIBTEST, "6,775.78", "0.00", "value_not_positive", "f#line 3"),
    (
        Adapter::LibtestBench,
        LIBTEST,
        "6,775.78",
        "99,999,999,999,999,999,999.00",
        "value_overflow",
        "line 3",
    ),
    (Adapter::LibtestBench, LIBTEST_JSON, "103.5", "null", "value_not_finite", "f#line 2/median"),
    (Adapter::LibtestBench, LIBTEST_JSON, "103.5", "-3", "value_not_positive", "/median"),
    (Adapter::TangoCsv, "10,20\n30,40\n", "30", "NaN", "value_not_finite", "f#line 2"),
    (Adapter::TangoCsv, "10,20\n30,40\n", "30", "-3", "value_not_positive", "line 2"),
    (Adapter::TangoCsv, "10,20\n30,40\n", "30", "0", "value_not_positive", "line 2"),
    (Adapter::TangoCsv, "10,20\n30,40\n", "30", "99999999999999999999", "value_overflow", "line 2"),
    (Adapter::NextestJunit, JUNIT, "0.017", "NaN", "value_not_finite", "f#testcase 1"),
    (Adapter::NextestJunit, JUNIT, "0.017", "-0.017", "value_not_positive", "testcase 1"),
    (Adapter::NextestJunit, JUNIT, "0.017", "0.000", "value_not_positive", "testcase 1"),
    (Adapter::NextestJunit, JUNIT, "0.017", "18446744074.0", "value_overflow", "testcase 1"),
    (Adapter::BmfJson, BMF, "12.5", "null", "value_not_finite", "f#/a/latency/value"),
    (Adapter::BmfJson, BMF, "12.5", "-2", "value_not_positive", "/a/latency/value"),
    (Adapter::BmfJson, BMF, "12.5", "1e30", "value_overflow", "/a/latency/value"),
    (Adapter::ActionBenchmarkJson, CUSTOM, "1.5", "null", "value_not_finite", "f#/0/value"),
    (Adapter::ActionBenchmarkJson, CUSTOM, "1.5", "-1", "value_not_positive", "/0/value"),
    (Adapter::ActionBenchmarkJson, CUSTOM, "1.5", "1e14", "value_overflow", "/0/value"),
    // Shapes: a member is missing, is another type, or is an unknown variant or version.
    (Adapter::HyperfineJson, HYPERFINE, "\"results\"", "\"Results\"", "unknown_shape", "f: "),
    (Adapter::HyperfineJson, HYPERFINE, "\"command\":\"a\",", "", "unknown_shape", "/results/0"),
    (Adapter::HyperfineJson, HYPERFINE, ",\"exit_codes\":[0,0]", "", "unknown_shape", "/results/0"),
    (Adapter::HyperfineJson, HYPERFINE, "[0,0]", "[0]", "unknown_shape", "/results/0/times"),
    (Adapter::HyperfineJson, HYPERFINE, "[0,0]", "[0,true]", "unknown_shape", "/exit_codes/1"),
    (Adapter::HyperfineJson, HYPERFINE, "0.25", "\"0.25\"", "unknown_shape", "/times/0"),
    (
        Adapter::HyperfineJson,
        HYPERFINE,
        "\"median\":0.5,\"times\":[0.25,0.75],\"exit_codes\":[0,0]",
        "\"exit_codes\":[]",
        "unknown_shape",
        "/results/0",
    ),
    (
        Adapter::HyperfineJson,
        HYPERFINE,
        "\"median\":0.5",
        "\"median\":0.5,\"times\":[1]",
        "unknown_shape",
        "stands twice",
    ),
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "group-complete",
        "group-begins",
        "unknown_shape",
        "line 2/reason",
    ),
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "\"id\":\"g/a\"",
        "\"id\":\"g/a...\"",
        "unknown_shape",
        "line 1/id",
    ),
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "[1,2]",
        "[1]",
        "unknown_shape",
        "line 1/measured_values",
    ),
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "\"reason\":\"group",
        "\"Reason\":\"group",
        "unknown_shape",
        "line 2",
    ),
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "{\"reason\":\"group",
        "warning: group",
        "unknown_shape",
        "line 2",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "\"version\":\"6\"",
        "\"version\":\"8\"",
        "unknown_shape",
        "f#/version",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "\"version\":\"6\"",
        "\"version\":6",
        "unknown_shape",
        "/version",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "\"version\":\"6\"",
        "\"version\":\"06\"",
        "unknown_shape",
        "/version",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "\"version\":\"6\"",
        "\"version\":\"7\"",
        "unknown_shape",
        "/profiles/0",
    ),
    (Adapter::GungraunJson, GUNGRAUN, "\"profiles\"", "\"tool_summaries\"", "unknown_shape", "f: "),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "\"Both\":[{\"Int\":12},{\"Int\":11}]",
        "\"Both\":[{\"Int\":12}]",
        "unknown_shape",
        "/Both",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "\"Both\":[{\"Int\":12},{\"Int\":11}]",
        "\"Neither\":[]",
        "unknown_shape",
        "/metrics",
    ),
    (Adapter::GungraunJson, GUNGRAUN, "{\"Int\":12}", "{\"Big\":12}", "unknown_shape", "/Both/0"),
    (Adapter::GungraunJson, GUNGRAUN, "{\"Int\":12}", "12", "unknown_shape", "/Both/0"),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "\"summary\":{\"Callgrind\"",
        "\"summary\":{\"Cachegrind\"",
        "unknown_shape",
        "/total/summary",
    ),
    (Adapter::LibtestBench, LIBTEST, "6,775.78", "67,75.78", "unknown_shape", "line 3"),
    (Adapter::LibtestBench, LIBTEST, "6,775.78", "6,775.781", "unknown_shape", "line 3"),
    (Adapter::LibtestBench, LIBTEST, "ns/iter", "us/iter", "unknown_shape", "line 3"),
    (Adapter::LibtestBench, LIBTEST, "1 measured", "2 measured", "unknown_shape", "line 6"),
    (Adapter::LibtestBench, LIBTEST, "1 ignored", "0 ignored", "unknown_shape", "line 6"),
    (
        Adapter::LibtestBench,
        LIBTEST,
        "running 2 tests",
        "running 3 tests",
        "unknown_shape",
        "line 6",
    ),
    (Adapter::LibtestBench, LIBTEST, "running 2 tests", "", "unknown_shape", "line 3"),
    (
        Adapter::LibtestBench,
        LIBTEST,
        "test result: ok.",
        "test  result: ok.",
        "unknown_shape",
        "f: ",
    ),
    (
        Adapter::LibtestBench,
        LIBTEST,
        "test a ... bench",
        "test a ... BENCH",
        "unknown_shape",
        "line 6",
    ),
    (
        Adapter::LibtestBench,
        LIBTEST_JSON,
        "\"type\":\"bench\"",
        "\"type\":\"benchmark\"",
        "unknown_shape",
        "line 2/type",
    ),
    (
        Adapter::LibtestBench,
        LIBTEST_JSON,
        "\"measured\":1",
        "\"measured\":0",
        "unknown_shape",
        "line 4",
    ),
    (
        Adapter::LibtestBench,
        LIBTEST_JSON,
        "\"event\":\"ok\"",
        "\"event\":\"done\"",
        "unknown_shape",
        "line 4/event",
    ),
    (Adapter::LibtestBench, LIBTEST_JSON, ",\"deviation\":6.5", "", "unknown_shape", "line 2"),
    (
        Adapter::TangoCsv,
        "10,20\n30,40\n",
        "10,20\n",
        "base_ns,candidate_ns\n",
        "unknown_shape",
        "line 1",
    ),
    (Adapter::TangoCsv, "10,20\n30,40\n", "30,40", "30,40,2", "unknown_shape", "line 2"),
    (Adapter::TangoCsv, "10,20\n30,40\n", "30,40", "30", "unknown_shape", "line 2"),
    (Adapter::TangoCsv, "10,20\n30,40\n", "30,40", "30.5,40", "unknown_shape", "line 2"),
    (Adapter::TangoCsv, "10,20\n30,40\n", "30,40", "3e1,40", "unknown_shape", "line 2"),
    (Adapter::TangoCsv, "10,20\n30,40\n", "30,40", "30, 40", "unknown_shape", "line 2"),
    (Adapter::TangoCsv, "10,20\n30,40\n", "30,40\n", "\n", "unknown_shape", "line 2"),
    (
        Adapter::TangoCsv,
        "10,20\n30,40\n",
        "10,20\n30,40",
        "1,2,3,4\n1,2,3,4",
        "unknown_shape",
        "line 1",
    ),
    (Adapter::NextestJunit, JUNIT, "tests=\"2\"", "tests=\"3\"", "unknown_shape", "f: "),
    (Adapter::NextestJunit, JUNIT, "</testsuites>", "", "unknown_shape", "f: "),
    (Adapter::NextestJunit, JUNIT, "time=\"0.017\"", "", "unknown_shape", "f: "),
    (Adapter::NextestJunit, JUNIT, "0.017", "17ms", "unknown_shape", "testcase 1"),
    (
        Adapter::NextestJunit,
        JUNIT,
        "<testsuites",
        "<!DOCTYPE x><testsuites",
        "unknown_shape",
        "f: ",
    ),
    (
        Adapter::NextestJunit,
        JUNIT,
        "classname=\"s\" name=\"a\"",
        "classname=\"s\" name=\"&evil;\"",
        "unknown_shape",
        "f: ",
    ),
    (Adapter::BmfJson, BMF, "\"value\":12.5", "\"Value\":12.5", "unknown_shape", "/a/latency"),
    (
        Adapter::BmfJson,
        BMF,
        "\"value\":12.5",
        "\"value\":\"12.5\"",
        "unknown_shape",
        "/a/latency/value",
    ),
    (Adapter::BmfJson, BMF, "{\"value\":7}", "7", "unknown_shape", "/a/file-size"),
    (
        Adapter::BmfJson,
        BMF,
        "\"upper_value\":14",
        "\"upper_value\":true",
        "unknown_shape",
        "/a/latency/upper_value",
    ),
    (Adapter::ActionBenchmarkJson, CUSTOM, "\"name\":\"a\",", "", "unknown_shape", "f#/0"),
    (
        Adapter::ActionBenchmarkJson,
        CUSTOM,
        "\"name\":\"a\",",
        "\"name\":\"\",",
        "unknown_shape",
        "/0/value",
    ),
    (Adapter::ActionBenchmarkJson, CUSTOM, "1.5", "\"1.5\"", "unknown_shape", "/0/value"),
    // Runs that failed, metrics that are gone or stand twice, units and directions that are not ours.
    (Adapter::HyperfineJson, HYPERFINE, "[0,0]", "[0,1]", "run_failed", "/exit_codes/1"),
    (Adapter::HyperfineJson, HYPERFINE, "[0,0]", "[null,0]", "run_failed", "/exit_codes/0"),
    (
        Adapter::HyperfineJson,
        HYPERFINE,
        "\"times\":[0.25,0.75],\"exit_codes\":[0,0]",
        "\"exit_codes\":[143]",
        "run_failed",
        "/exit_codes/0",
    ),
    (Adapter::LibtestBench, LIBTEST, "result: ok.", "result: FAILED.", "run_failed", "line 6"),
    (Adapter::LibtestBench, LIBTEST, "b ... ignored", "b ... FAILED", "run_failed", "line 6"),
    (
        Adapter::LibtestBench,
        LIBTEST_JSON,
        "\"event\":\"ok\"",
        "\"event\":\"failed\"",
        "run_failed",
        "line 4",
    ),
    (
        Adapter::NextestJunit,
        JUNIT,
        "<skipped/>",
        "<failure type=\"test timeout\"/>",
        "run_failed",
        "testcase 2",
    ),
    (
        Adapter::NextestJunit,
        JUNIT,
        "<skipped/>",
        "<error type=\"x\">y</error>",
        "run_failed",
        "testcase 2",
    ),
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "[\"g/a\"]",
        "[\"g/a\",\"g/b\"]",
        "metric_missing",
        "line 2/benchmarks/1",
    ),
    (
        Adapter::GungraunJson,
        GUNGRAUN,
        "\"Both\":[{\"Int\":12},{\"Int\":11}]",
        "\"Right\":{\"Int\":11}",
        "metric_missing",
        "/Ir/metrics",
    ),
    (Adapter::GungraunJson, GUNGRAUN_7, "\"new\":12,", "", "metric_missing", "/Ir/values"),
    (
        Adapter::HyperfineJson,
        HYPERFINE,
        "[{",
        "[{\"command\":\"a\",\"times\":[1],\"exit_codes\":[0]},{",
        "duplicate_metric",
        "f: ",
    ),
    (
        Adapter::ActionBenchmarkJson,
        CUSTOM,
        "[{",
        "[{\"name\":\"a\",\"unit\":\"ns\",\"value\":1},{",
        "duplicate_metric",
        "f: ",
    ),
    (Adapter::ActionBenchmarkJson, CUSTOM, "\"ms\"", "\"ops/s\"", "unit_mismatch", "/0/unit"),
    (
        Adapter::CargoCriterionJsonl,
        MESSAGES,
        "\"ns\"",
        "\"cycles\"",
        "unit_mismatch",
        "line 1/unit",
    ),
    (Adapter::BmfJson, BMF, "latency", "throughput", "unit_mismatch", "f#/a/throughput"),
    // Nothing at all.
    (
        Adapter::HyperfineJson,
        HYPERFINE,
        "[{\"command\":\"a\",\"median\":0.5,\"times\":[0.25,0.75],\"exit_codes\":[0,0]}]",
        "[]",
        "empty_measurement",
        "hyperfine_json",
    ),
    (
        Adapter::HyperfineJson,
        HYPERFINE,
        "\"times\":[0.25,0.75],\"exit_codes\":[0,0]",
        "\"times\":[],\"exit_codes\":[]",
        "empty_measurement",
        "/times",
    ),
    (Adapter::CargoCriterionJsonl, MESSAGES, MESSAGES, "", "unknown_shape", "the file is empty"),
    (
        Adapter::TangoCsv,
        "10,20\n30,40\n",
        "10,20\n30,40\n",
        "",
        "unknown_shape",
        "the file is empty",
    ),
    (
        Adapter::NextestJunit,
        JUNIT,
        JUNIT,
        "<testsuites name=\"n\" tests=\"0\"></testsuites>",
        "empty_measurement",
        "nextest_junit",
    ),
    (Adapter::BmfJson, BMF, BMF, "{}", "empty_measurement", "bmf_json"),
    (
        Adapter::LibtestBench,
        LIBTEST,
        LIBTEST,
        "\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out\n",
        "empty_measurement",
        "libtest_bench",
    ),
];

fn read_one(adapter: Adapter, text: &str) -> Reading {
    read(adapter, [input("f", text)], &settings())
}

#[test]
fn good_outputs_read() {
    for (adapter, text, expected) in GOOD {
        assert_eq!(shown(&read_one(*adapter, text)), *expected, "{adapter:?}");
    }
}

#[test]
fn t10_t15_every_fault_has_its_code_and_place() {
    for (adapter, good, part, instead, code, place) in FAULTS {
        let case = format!("{adapter:?}: `{part}` becomes `{instead}`");
        assert!(good.contains(part), "{case}: nothing is changed");
        let reading = read_one(*adapter, &good.replacen(part, instead, 1));
        let problems: Vec<(&str, String)> = reading
            .problems
            .iter()
            .map(|problem| (problem.code.as_str(), problem.to_string()))
            .collect();
        let found = problems.iter().any(|(seen, text)| seen == code && text.contains(place));
        assert!(found, "{case}: expected {code} at {place}, found {problems:?}");
    }
}

#[test]
fn no_number_no_shape_and_no_run_of_a_faulty_output_is_a_metric_without_a_problem() {
    for (adapter, good, part, instead, _code, _place) in FAULTS {
        let reading = read_one(*adapter, &good.replacen(part, instead, 1));
        assert!(!reading.problems.is_empty(), "{adapter:?}: `{part}` becomes `{instead}`");
    }
}

#[test]
fn every_prefix_of_an_output_is_refused() {
    for (adapter, good, _) in GOOD {
        // A line less of these is a whole output; what is missing of it the roster knows.
        let has_records = matches!(adapter, Adapter::TangoCsv | Adapter::CargoCriterionJsonl);
        for at in 0..good.trim_end().len() {
            if !good.is_char_boundary(at) {
                continue;
            }
            let is_line = good[..at].ends_with('\n')
                || (*adapter == Adapter::CargoCriterionJsonl && good[at..].starts_with('\n'));
            if has_records && is_line && at > 0 {
                continue;
            }
            if good[..at].contains(" filtered out") {
                // Whatever follows the counts of a closing line says nothing.
                continue;
            }
            let reading = read_one(*adapter, &good[..at]);
            assert!(!reading.problems.is_empty(), "{adapter:?}: the first {at} bytes");
        }
    }
}

#[test]
fn reordered_outputs_read_alike() {
    let lines: Vec<&str> = MESSAGES.lines().rev().collect();
    assert_eq!(shown(&read_one(Adapter::CargoCriterionJsonl, &lines.join("\n"))), GOOD[0].2);
    let reordered = r#"{"results":[{"exit_codes":[0,0],"times":[0.25,0.75],"more":{},"command":"a"}],"newer":1}"#;
    assert_eq!(shown(&read_one(Adapter::HyperfineJson, reordered)), GOOD[1].2);
}

fn criterion(files: &[(&str, &str)]) -> Reading {
    let files = files.iter().map(|(path, text)| input(path, text));
    read(Adapter::CriterionDir, files, &settings())
}

#[test]
fn the_directory_of_criterion_is_read_whole_or_refused() {
    let (b, s, e) = ("g/new/benchmark.json", "g/new/sample.json", "g/new/estimates.json");
    let good = [(b, BENCHMARK), (s, SAMPLE), (e, ESTIMATES)];
    let base =
        [("g/base/sample.json", "{}"), ("g/change/estimates.json", "{}"), ("report/new.json", "")];
    let whole: Vec<(&str, &str)> = good.into_iter().chain(base).collect();
    let expected = "Candidate Ns `g/a`: 2 samples, first 10, middle 10, Unknown (g/new/sample.json, version 1)\n";
    assert_eq!(shown(&criterion(&whole)), expected, "only `new/` is read");
    let table: &[(&str, usize, &str, &str, &str)] = &[
        ("capitalised keys", 1, "sampling_mode", "Sampling_mode", "unknown_shape"),
        ("another mode", 1, "Linear", "Auto", "unknown_shape"),
        ("another length", 1, "[1.0,2.0]", "[1.0]", "unknown_shape"),
        ("array samples", 1, SAMPLE, "[[1.0,10.0],[2.0,22.0]]", "unknown_shape"),
        ("no number", 1, "22.0", "null", "value_not_finite"),
        ("a negative number", 1, "22.0", "-22.0", "value_not_positive"),
        (
            "no samples",
            1,
            SAMPLE,
            "{\"sampling_mode\":\"Flat\",\"iters\":[],\"times\":[]}",
            "empty_measurement",
        ),
        ("an overflow", 1, "22.0", "1e99", "value_overflow"),
        ("no id", 0, "full_id", "id", "unknown_shape"),
        ("an id of another type", 0, "\"g/a\"", "7", "unknown_shape"),
        ("a null estimate", 2, "10.5", "null", "value_not_finite"),
        ("no interval", 2, "lower_bound", "lower", "unknown_shape"),
        ("a cut file", 2, ESTIMATES, "{\"median\":{", "unknown_shape"),
        ("an empty file", 0, BENCHMARK, "", "unknown_shape"),
    ];
    for (case, at, part, instead, code) in table {
        let mut files = good;
        let changed = files[*at].1.replacen(part, instead, 1);
        assert_ne!(changed, files[*at].1, "{case}");
        files[*at].1 = &changed;
        let reading = criterion(&files);
        let codes: Vec<&str> = reading.problems.iter().map(|p| p.code.as_str()).collect();
        assert_eq!(codes, [*code], "{case}");
        assert!(reading.series.is_empty(), "{case}");
    }
    for missing in 0..3 {
        let rest: Vec<(&str, &str)> =
            good.into_iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, f)| f).collect();
        let reading = criterion(&rest);
        assert_eq!(reading.problems.len(), 1, "without {}", good[missing].0);
        assert_eq!(reading.problems[0].code, FaultCode::UnknownShape);
    }
    let twice = [
        good[0],
        good[1],
        good[2],
        ("h/new/benchmark.json", BENCHMARK),
        ("h/new/sample.json", SAMPLE),
        ("h/new/estimates.json", ESTIMATES),
    ];
    assert_eq!(criterion(&twice).problems[0].code, FaultCode::DuplicateMetric);
    let called_new = [
        ("v/new/new/benchmark.json", BENCHMARK),
        ("v/new/new/sample.json", SAMPLE),
        ("v/new/new/estimates.json", ESTIMATES),
    ];
    assert!(criterion(&called_new).problems.is_empty(), "a bench may be called `new`");
    assert_eq!(criterion(&base).problems[0].code, FaultCode::EmptyMeasurement, "T16");
}

#[test]
fn t04_what_is_not_known_to_be_of_this_run_is_stale() {
    let table = [
        ("a file of an earlier run", Some(999), "measurement_stale"),
        ("a file of unknown age", None, "measurement_stale"),
        ("a file of this run", Some(1_000), ""),
    ];
    let settings = Settings { not_before_ms: Some(1_000), ..settings() };
    for (case, modified_ms, expected) in table {
        let dated = |path: &str, text: &str| Input { modified_ms, ..input(path, text) };
        let tree = [
            dated("g/new/benchmark.json", BENCHMARK),
            Input { modified_ms: Some(2_000), ..input("g/new/sample.json", SAMPLE) },
            dated("g/new/estimates.json", ESTIMATES),
        ];
        let of_tree = read(Adapter::CriterionDir, tree, &settings);
        let of_file = read(Adapter::HyperfineJson, [dated("f", HYPERFINE)], &settings);
        for reading in [of_tree, of_file] {
            let code = reading.problems.first().map_or("", |problem| problem.code.as_str());
            assert_eq!(code, expected, "{case}");
            assert_eq!(reading.series.is_empty(), !expected.is_empty(), "{case}");
        }
    }
}

#[test]
fn t16_no_output_is_not_an_empty_success() {
    for adapter in Adapter::ALL {
        let reading = read(adapter, [], &settings());
        assert_eq!(reading.problems[0].code, FaultCode::MeasurementMissing, "{adapter:?}");
    }
}

#[test]
fn what_is_better_when_higher_or_of_no_unit_is_refused_when_it_is_asked_for() {
    for event in ["L1hits", "LLHitRate", "D1MissRate"] {
        let text = GUNGRAUN.replace("L1hits", event);
        let events = BTreeSet::from([event.to_owned()]);
        let settings = Settings { events, ..settings() };
        let reading = read(Adapter::GungraunJson, [input("f", &text)], &settings);
        assert_eq!(reading.problems[0].code, FaultCode::UnitMismatch, "{event}");
    }
    let settings = Settings { smaller_is_better: false, ..settings() };
    let reading = read(Adapter::ActionBenchmarkJson, [input("f", CUSTOM)], &settings);
    assert_eq!(reading.problems[0].code, FaultCode::UnitMismatch);
    let declared = Settings {
        measures: BTreeMap::from([("allocations".to_owned(), Unit::Count)]),
        ..settings
    };
    let text = BMF.replace("file-size", "allocations");
    let reading = read(Adapter::BmfJson, [input("f", &text)], &declared);
    assert_eq!((reading.problems.len(), reading.series.len()), (0, 2), "a declared measure");
}

#[test]
fn a_flaky_case_counts_with_the_time_of_its_pass() {
    let text = JUNIT.replace(
        "time=\"0.017\"/>",
        "time=\"0.017\"><flakyFailure time=\"9.000\" type=\"t\">x</flakyFailure></testcase>",
    );
    assert_eq!(shown(&read_one(Adapter::NextestJunit, &text)), GOOD[7].2);
}

#[test]
fn a_parameter_tells_commands_of_one_name_apart() {
    let one = |n: u32| {
        format!(
            "{{\"command\":\"a\",\"times\":[1],\"exit_codes\":[0],\"parameters\":{{\"n\":\"{n}\"}}}}"
        )
    };
    let reading =
        read_one(Adapter::HyperfineJson, &format!("{{\"results\":[{},{}]}}", one(1), one(2)));
    let names: Vec<&str> = reading.series.iter().map(|series| series.metric.as_str()).collect();
    assert_eq!(names, ["a [n=1]", "a [n=2]"]);
    assert!(reading.problems.is_empty());
}
