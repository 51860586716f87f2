//! Floors, spellings of paths, origins, and exports that are none.

use super::*;
use portcullis::{Digest, Outcome, testing::Bench};
use serde_json::{Value, json};

const RULES: &str = "source = 'cov.json'\nfreshness = { same_run = true }\nfiles = ['src/*.rs']\nline_min = 80\ncarve_count = 0\n";

/// The case, a part of the table, the lines of both files, and the codes.
type Row<'r> = (&'r str, &'r str, (u64, u64), (u64, u64), &'r str);

fn entry(name: &str, covered: u64, count: u64, branches: Option<(u64, u64)>) -> Value {
    let mut summary = json!({ "lines": { "count": count, "covered": covered, "percent": 12.5 } });
    if let Some((covered, count)) = branches {
        summary["branches"] = json!({ "count": count, "covered": covered });
    }
    json!({ "filename": name, "summary": summary, "segments": [] })
}

fn export(entries: &[Value]) -> Value {
    json!({
        "type": "llvm.coverage.json.export",
        "version": "2.0.1",
        "run_id": "bench",
        "cargo_llvm_cov": { "version": "0.6.0" },
        "data": [{ "files": entries, "functions": [], "totals": {} }],
    })
}

fn bench(config: &str, document: &Value) -> Bench {
    Bench::new(&COVERAGE_FLOOR, config)
        .file("src/a.rs", b"")
        .file("src/b.rs", b"")
        .file("cov.json", document.to_string().as_bytes())
}

fn codes(config: &str, document: &Value) -> String {
    let seen = bench(config, document).run();
    match seen.error() {
        Some(error) => format!("error {}", error.code),
        None => seen.codes.join(" "),
    }
}

fn two(a: (u64, u64), b: (u64, u64)) -> Value {
    export(&[entry("src/a.rs", a.0, a.1, None), entry("src/b.rs", b.0, b.1, None)])
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&COVERAGE_FLOOR), Vec::<String>::new());
}

#[test]
fn floors_are_inclusive_and_exact() {
    let big = 9_000_000_000_000_000;
    let table: &[Row<'_>] = &[
        ("80.00 at 80", "80", (4000, 5000), (4000, 5000), ""),
        ("79.99 at 80", "80", (4000, 5000), (3999, 5000), "coverage_below"),
        ("79.99 at 79.99", "79.99", (4000, 5000), (3999, 5000), ""),
        ("one of two at 66.66", "66.66", (1, 1), (1, 2), ""),
        ("one of two at 66.67", "66.67", (1, 1), (1, 2), "coverage_below"),
        ("all at 100", "100", (1, 1), (2, 2), ""),
        ("all but one of very many", "100", (big, big), (big - 1, big), "coverage_below"),
        ("the sum counts, not the mean", "80", (96, 100), (0, 20), ""),
    ];
    for (case, floor, a, b, expected) in table {
        let config = RULES.replace("line_min = 80", &format!("line_min = {floor}"));
        assert_eq!(codes(&config, &two(*a, *b)), *expected, "{case}");
    }
}

#[test]
fn examined_counts_lines_and_a_shown_percentage_is_never_rounded_up() {
    let seen = bench(RULES, &two((4000, 5000), (79_995, 100_000))).run();
    assert_eq!((seen.outcome, seen.examined), (Outcome::Fail, 105_000));
    assert_eq!(seen.looked.findings[0].found.as_deref(), Some("79.99 %"));
}

#[test]
fn a_carved_file_leaves_the_sum_and_keeps_its_own_floor() {
    let carve = |more: &str| {
        let table = format!(
            "carve = [{{ path = 'src/b.rs', line_min = 10, reason = 'needs a terminal that no lane has', ref = '#7', expires = 2026-12-31{more} }}]"
        );
        RULES.replace("carve_count = 0", &format!("carve_count = 1\nper_file_min = 75\n{table}"))
    };
    let table: &[Row<'_>] = &[
        ("on its floor, and not in the sum", "", (80, 100), (10, 100), ""),
        ("below its floor", "", (80, 100), (9, 100), "coverage_below"),
        ("it does not lift the sum either", "", (79, 100), (100, 100), "coverage_below"),
        (
            "a floor for branches nobody measured",
            ", branch_min = 5",
            (80, 100),
            (10, 100),
            "error source_unreadable",
        ),
    ];
    for (case, more, a, b, expected) in table {
        assert_eq!(codes(&carve(more), &two(*a, *b)), *expected, "{case}");
    }
}

#[test]
fn branches_have_a_floor_of_their_own() {
    let config = format!("{RULES}branch_min = 50\n");
    let of = |a: (u64, u64), b: (u64, u64)| {
        export(&[entry("src/a.rs", 1, 1, Some(a)), entry("src/b.rs", 1, 1, Some(b))])
    };
    let table: &[(&str, Value, &str)] = &[
        ("exactly", of((1, 2), (0, 0)), ""),
        ("one below", of((1, 2), (0, 1)), "coverage_below"),
        ("none at all", of((0, 0), (0, 0)), "error source_unreadable"),
        ("not stated", two((1, 1), (1, 1)), "error source_unreadable"),
    ];
    for (case, document, expected) in table {
        assert_eq!(codes(&config, document), *expected, "{case}");
    }
}

#[test]
fn a_file_is_found_in_every_spelling_of_its_path_and_in_no_other() {
    let prefixed = format!("{RULES}prefix = '/build/acme/'\n");
    let windows = format!("{RULES}prefix = 'D:\\a\\acme'\n");
    let table: &[(&str, &str, &str, &str)] = &[
        ("relative", RULES, "src/b.rs", ""),
        ("relative with a dot", RULES, "./src/b.rs", ""),
        ("below the stated prefix", &prefixed, "/build/acme/src/b.rs", ""),
        ("of Windows", &windows, "D:\\a\\acme\\src\\b.rs", ""),
        ("of another folder", &prefixed, "/build/other/src/b.rs", "coverage_missing"),
        ("the prefix is a whole folder", &prefixed, "/build/acme2/src/b.rs", "coverage_missing"),
        ("the same name elsewhere", &prefixed, "/build/acme/vendor/src/b.rs", "coverage_missing"),
    ];
    for (case, config, name, expected) in table {
        let document = export(&[entry("src/a.rs", 9, 10, None), entry(name, 9, 10, None)]);
        assert_eq!(codes(config, &document), *expected, "{case}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("a path");
    let name = |file: &str| root.join("src").join(file).to_string_lossy().into_owned();
    let document = export(&[entry(&name("a.rs"), 9, 10, None), entry(&name("b.rs"), 9, 10, None)]);
    let seen = bench(RULES, &document).folder(&root).run();
    assert_eq!(seen.outcome, Outcome::Pass, "{:?}", seen.messages);
}

#[test]
fn what_is_no_whole_export_is_an_error() {
    let good = two((9, 10), (9, 10));
    let with = |pointer: &str, value: Value| {
        let mut document = good.clone();
        *document.pointer_mut(pointer).expect("a place") = value;
        document
    };
    let lines = "/data/0/files/0/summary/lines";
    let table: &[(&str, Value)] = &[
        ("another type", with("/type", json!("coverage.py"))),
        ("an unknown version", with("/version", json!("4.0.0"))),
        ("no version", with("/version", Value::Null)),
        ("no data", with("/data", json!([]))),
        ("two exports", with("/data", json!([good["data"][0], good["data"][0]]))),
        ("no files", with("/data/0/files", Value::Null)),
        ("no name", with("/data/0/files/0/filename", json!(7))),
        ("a file twice", with("/data/0/files/0/filename", json!("src/b.rs"))),
        ("no lines", with(lines, Value::Null)),
        ("a negative count", with(lines, json!({ "count": -1, "covered": -2 }))),
        ("a fraction", with(lines, json!({ "count": 10.0, "covered": 9.5 }))),
        ("more covered than there is", with(lines, json!({ "count": 1, "covered": 2 }))),
        ("a text", with(lines, json!({ "count": "10", "covered": "9" }))),
    ];
    for (case, document) in table {
        assert_eq!(codes(RULES, document), "error source_unreadable", "{case}");
    }
    assert_eq!(codes(RULES, &good), "");
    assert_eq!(codes(RULES, &with("/version", json!("3.1.0"))), "");
}

#[test]
fn an_export_nobody_dated_is_stale_and_a_record_is_of_one_export_only() {
    let mut undated = two((9, 10), (9, 10));
    undated.as_object_mut().expect("a map").remove("run_id");
    assert_eq!(codes(RULES, &undated), "error source_stale");
    let digest = Digest::of(undated.to_string().as_bytes()).to_string();
    let record = |run: &str, digest: &str| json!({ "run_id": run, "generated_at": "2026-05-31T11:00:00Z", "export_sha256": digest });
    let recorded = format!("{RULES}record = 'cov.record.json'\n");
    let aged = recorded.replace("same_run = true", "max_age = '1h'");
    let table: &[(&str, &str, Value, &str)] = &[
        ("of this run and export", &recorded, record("bench", &digest), ""),
        (
            "with the name of the digest",
            &recorded,
            record("bench", &format!("sha256:{digest}")),
            "",
        ),
        ("of another run", &recorded, record("other", &digest), "source_stale"),
        ("of another export", &recorded, record("bench", &"0".repeat(64)), "source_stale"),
        ("of no export", &recorded, json!({ "run_id": "bench" }), "source_stale"),
        ("as old as allowed", &aged, record("other", &digest), ""),
        ("too old", &aged.replace("1h", "59m"), record("bench", &digest), "source_stale"),
    ];
    for (case, config, record, expected) in table {
        let bench = bench(config, &undated).file("cov.record.json", record.to_string().as_bytes());
        let seen = bench.run();
        assert_eq!(seen.error().map_or("", |error| &error.code), *expected, "{case}");
    }
    assert_eq!(codes(&recorded, &undated), "error source_unreadable", "no record at all");
}

#[test]
fn a_table_that_holds_nothing_is_refused() {
    let carve = "carve = [{ path = 'src/b.rs', line_min = 10, reason = 'needs a terminal that no lane has', ref = '#7', expires = 2026-12-31 }]";
    let refused = |config: &str| codes(config, &two((9, 10), (9, 10)));
    let table: &[(&str, String)] = &[
        ("a floor of nothing", RULES.replace("= 80", "= 0")),
        ("a floor beyond everything", RULES.replace("= 80", "= 100.01")),
        ("more digits than are compared", RULES.replace("= 80", "= 80.001")),
        ("a floor that is no number", RULES.replace("= 80", "= nan")),
        ("a branch floor of nothing", format!("{RULES}branch_min = 0\n")),
        ("no freshness", RULES.replace("{ same_run = true }", "{}")),
        ("no count of carvings", RULES.replace("carve_count = 0", "")),
        ("a carving without reference", format!("{RULES}{}", carve.replace("#7", " "))),
        (
            "a carving without reason",
            format!("{RULES}{}", carve.replace("needs a terminal that no lane has", "flaky")),
        ),
        (
            "a carving without end",
            format!("{RULES}{}", carve.replace(", expires = 2026-12-31", "")),
        ),
        ("a carving that holds nothing", format!("{RULES}{}", carve.replace("= 10", "= 0"))),
        ("the export records itself", format!("{RULES}record = 'cov.json'\n")),
    ];
    for (case, config) in table {
        let code = refused(config);
        assert!(
            code == "error config_invalid" || code == "error freshness_unstated",
            "{case}: {code}"
        );
    }
}
