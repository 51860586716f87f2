use super::*;
use crate::{Kernel, WorkDigest};

fn metric(name: &str) -> MetricId {
    MetricId::new(name).expect("a name")
}

pub(crate) fn baseline() -> Baseline {
    let measured = |value| Measured { unit: Unit::Ns, value, samples: vec![value; 5], s_d: 0.015 };
    Baseline {
        canary: "suite".into(),
        refreshed_at: "2026-05-30T04:00:00Z".into(),
        refreshed_by: "dev".into(),
        reason: "the census became faster, #42".into(),
        commit: "0123456789abcdef0123456789abcdef01234567".into(),
        run_id: "run-7".into(),
        work: Work { digest: WorkDigest::new([3; 32]), count: 12 },
        origin: Origin::Measured,
        host: Host {
            os: "linux".into(),
            arch: "x86_64".into(),
            cpu_model: "a model".into(),
            allowed_cpus: 2,
            forced_cpus: None,
            emulation: Emulation::None,
            rustc: "1.95".into(),
            profile_hash: "0123".into(),
            logical_cpus: 4,
            virt: "kvm".into(),
            kernel: "6.1".into(),
            libc: "glibc 2.36".into(),
        },
        calibration_ns: Calibration(
            Kernel::ALL.into_iter().map(|kernel| (kernel, 1_000)).collect(),
        ),
        aa: Some(AaFigures {
            repeats: 3_000,
            resampled: 0,
            false_comment: 0,
            false_fail: 0,
            q999_milli_pct: 1_250,
            rate_upper95: 0.001,
        }),
        injection: Some(InjectionFigures { milli_pct: 5_000, repeats: 100, detected: 99 }),
        measurements: [(metric("cold"), measured(100)), (metric("warm"), measured(60))].into(),
        retired: [metric("old")].into(),
    }
}

#[test]
fn what_is_written_reads_back_without_a_flaw() {
    let projected = Baseline {
        origin: Origin::Projected { from: "0123456789ab".into(), factor: 1.25 },
        aa: None,
        injection: None,
        retired: BTreeSet::new(),
        ..baseline()
    };
    for baseline in [baseline(), projected] {
        let text = baseline.write();
        let reading = read("b.json", text.as_bytes()).expect("JSON");
        assert_eq!(reading.flaws, []);
        let back = reading.baseline.expect("a baseline");
        assert_eq!(back, baseline);
        assert_eq!(back.write(), text, "one form alone");
        assert_eq!(back.refreshed_ms(), Some(1_780_113_600_000));
    }
    let text = baseline().write();
    assert!(
        text.ends_with("}\n") && text.contains("\n      \"samples\": [100,100,100,100,100],\n")
    );
    let keys: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("  \"")?.split('"').next()).collect();
    assert!(keys.is_sorted(), "{keys:?}");
}

#[test]
fn the_layout_is_no_content_and_every_value_is() {
    let text = baseline().write();
    let compact: String =
        text.lines().map(str::trim).collect::<Vec<_>>().join("").replace("\": ", "\":");
    assert_eq!(read("b.json", compact.as_bytes()).expect("JSON").flaws, []);
    let changed = text.replace("\"virt\": \"kvm\"", "\"virt\": \"xen\"");
    let flaws = read("b.json", changed.as_bytes()).expect("JSON").flaws;
    assert_eq!(flaws.iter().map(|flaw| flaw.code).collect::<Vec<_>>(), [FlawCode::DigestMismatch]);
}

/// The document with a part replaced and the digest put right, so that only the part is wrong.
fn with(part: &str, instead: &str) -> Reading {
    let text = baseline().write();
    assert!(text.contains(part), "nothing is changed: {part}");
    let changed = text.replacen(part, instead, 1);
    let node = crate::json::Node::document("b.json", "", &changed).expect("JSON");
    let digest = canonical::digest(&node);
    let at = changed.find("\"content_digest\": \"").expect("a digest") + 19;
    let whole = format!("{}{digest}{}", &changed[..at], &changed[at + 64..]);
    read("b.json", whole.as_bytes()).expect("JSON")
}

const COLD: &str = "\"samples\": [100,100,100,100,100]";

/// What is replaced by what, the code, and its place.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

const FLAWS: &[Case] = &[
    ("no author", "\"refreshed_by\": \"dev\",", "", "header_incomplete", ""),
    ("a blank author", "\"dev\"", "\" \"", "header_incomplete", "/refreshed_by"),
    ("a reason of two lines", "faster,", "faster\\n", "header_incomplete", "/reason"),
    ("a reason without link", " #42", "", "header_incomplete", "/reason"),
    (
        "a short commit",
        "0123456789abcdef0123456789abcdef01234567",
        "0123456",
        "header_incomplete",
        "/commit",
    ),
    ("a dirty tree", "\"dirty\": false", "\"dirty\": true", "header_incomplete", "/dirty"),
    ("a dirty text", "\"dirty\": false", "\"dirty\": \"no\"", "header_incomplete", "/dirty"),
    ("another schema", "baseline.v1", "baseline.v10", "header_incomplete", "/schema"),
    ("no host field", "\"libc\": \"glibc 2.36\",", "", "header_incomplete", "/host"),
    (
        "no CPU",
        "\"logical_cpus\": 4",
        "\"logical_cpus\": 0",
        "header_incomplete",
        "/host/logical_cpus",
    ),
    (
        "an unknown emulation",
        "\"emulation\": \"none\"",
        "\"emulation\": \"some\"",
        "header_incomplete",
        "/host/emulation",
    ),
    ("an unknown provenance", "\"measured\"", "\"guessed\"", "header_incomplete", "/provenance"),
    ("projected from nowhere", "\"measured\"", "\"projected\"", "header_incomplete", ""),
    (
        "measured with a factor",
        "\"provenance\"",
        "\"factor\": 2, \"provenance\"",
        "header_incomplete",
        "/factor",
    ),
    (
        "no metric",
        "\"measurements\": {",
        "\"measurements\": {}, \"x\": {",
        "header_incomplete",
        "/measurements",
    ),
    ("half of the figures", "\"false_fail\": 0,", "", "header_incomplete", "/aa"),
    (
        "a negative rate",
        "\"rate_upper95\": 0.001",
        "\"rate_upper95\": -0.001",
        "header_incomplete",
        "/aa/rate_upper95",
    ),
    ("an unknown key", "\"run_id\"", "\"note\": 1, \"run_id\"", "unknown_key", "/note"),
    (
        "an unknown key of the host",
        "\"os\"",
        "\"user\": \"x\", \"os\"",
        "unknown_key",
        "/host/user",
    ),
    (
        "an unknown key of a metric",
        "\"s_d\"",
        "\"s_e\": 1, \"s_d\"",
        "unknown_key",
        "/measurements/cold/s_e",
    ),
    (
        "an unknown kernel",
        "\"dram\"",
        "\"disk\": 1, \"dram\"",
        "unknown_key",
        "/calibration_ns/disk",
    ),
    ("a time that is none", "2026-05-30T04:00:00Z", "xyzZ", "time_malformed", "/refreshed_at"),
    ("a local time", "04:00:00Z", "04:00:00+02:00", "time_malformed", "/refreshed_at"),
    (
        "a truth value",
        "\"value\": 100",
        "\"value\": true",
        "value_not_positive",
        "/measurements/cold/value",
    ),
    (
        "a text",
        "\"value\": 100",
        "\"value\": \"100\"",
        "value_not_positive",
        "/measurements/cold/value",
    ),
    (
        "a fraction",
        "\"value\": 100",
        "\"value\": 100.5",
        "value_not_positive",
        "/measurements/cold/value",
    ),
    (
        "a whole fraction",
        "\"value\": 100",
        "\"value\": 100.0",
        "value_not_positive",
        "/measurements/cold/value",
    ),
    ("zero", "\"value\": 100", "\"value\": 0", "value_not_positive", "/measurements/cold/value"),
    (
        "a negative value",
        "\"value\": 100",
        "\"value\": -100",
        "value_not_positive",
        "/measurements/cold/value",
    ),
    ("null", "\"value\": 100", "\"value\": null", "value_not_finite", "/measurements/cold/value"),
    (
        "an infinite text",
        "\"value\": 100",
        "\"value\": \"Infinity\"",
        "value_not_finite",
        "/measurements/cold/value",
    ),
    (
        "a sample of zero",
        COLD,
        "\"samples\": [100,100,0,100,100]",
        "value_not_positive",
        "/measurements/cold/samples/2",
    ),
    (
        "a value above its samples",
        "\"value\": 100",
        "\"value\": 101",
        "value_not_median",
        "/measurements/cold/value",
    ),
    (
        "another statistic",
        "\"stat\": \"median\"",
        "\"stat\": \"mean\"",
        "value_not_median",
        "/measurements/cold/value",
    ),
    (
        "an invented number",
        COLD,
        "\"samples\": []",
        "too_few_samples",
        "/measurements/cold/samples",
    ),
    (
        "four samples",
        COLD,
        "\"samples\": [100,100,100,100]",
        "too_few_samples",
        "/measurements/cold/samples",
    ),
    ("fewer than stated", "\"n\": 5", "\"n\": 17", "too_few_samples", "/measurements/cold/samples"),
    (
        "another machine",
        "\"cpu_model\": \"a model\"",
        "\"cpu_model\": \"b\"",
        "digest_mismatch",
        "/host_class",
    ),
];

#[test]
fn t28_t29_every_flaw_has_its_code_and_place() {
    for (case, part, instead, code, pointer) in FLAWS {
        let flaws = with(part, instead).flaws;
        let seen: Vec<(&str, &str)> =
            flaws.iter().map(|flaw| (flaw.code.as_str(), flaw.pointer.as_str())).collect();
        assert!(seen.contains(&(*code, *pointer)), "{case}: {seen:?}");
        let of_metric = pointer.starts_with("/measurements/cold");
        let named = flaws.iter().all(|flaw| flaw.metric.is_some() == of_metric);
        assert!(named, "{case}: a flaw names its metric: {flaws:?}");
    }
}

#[test]
fn t11_a_flawed_base_is_a_fault_and_never_no_base() {
    let codes = |reading: Reading| match reading.into_base() {
        Base::Read(reference) => {
            reference.faults.iter().map(|fault| fault.code.as_str()).collect::<Vec<_>>()
        }
        Base::Unreadable(_) => vec!["unreadable"],
        Base::Missing | Base::NotNeeded => vec!["nothing"],
    };
    let table: &[(&str, &str, &str, &[&str])] = &[
        ("nothing is wrong", "\"n\": 5", "\"n\": 5", &[]),
        ("zero", "\"value\": 100", "\"value\": 0", &["baseline_not_positive"]),
        ("null", "\"value\": 100", "\"value\": null", &["value_not_finite"]),
        ("no median", "\"value\": 100", "\"value\": 99", &["baseline_unreadable"]),
        ("no header", "\"run_id\": \"run-7\",", "", &["unreadable"]),
    ];
    for (case, part, instead, expected) in table {
        assert_eq!(codes(with(part, instead)), *expected, "{case}");
    }
    let edited = baseline()
        .write()
        .replace("\"n\": 5,\n      \"s_d\": 0.015", "\"n\": 5,\n      \"s_d\": 0.2");
    let reading = read("b.json", edited.as_bytes()).expect("JSON");
    assert_eq!(codes(reading), ["baseline_unreadable"], "edited by hand");
    assert!(read("b.json", b"{").is_err() && read("b.json", b"{\"a\":1,\"a\":2}").is_err());
}

#[test]
fn a_projected_base_says_so() {
    let origin = Origin::Projected { from: "0123456789ab".into(), factor: 2.0 };
    assert_eq!(Baseline { origin, ..baseline() }.reference().provenance, Provenance::Projected);
    let reference = baseline().reference();
    assert_eq!(reference.provenance, Provenance::Measured);
    assert_eq!(reference.metrics[&metric("warm")].value, 60);
}

#[test]
fn mutated_baselines_are_read_or_refused() {
    let text = baseline().write();
    for at in 0..text.len() {
        for instead in ["", "0", "\"", "null", "}", "-"] {
            let changed = format!("{}{instead}{}", &text[..at], &text[at + 1..]);
            if changed != text
                && let Ok(reading) = read("b.json", changed.as_bytes())
            {
                // Spaces between values are the only thing that may go.
                let is_space = text.as_bytes()[at].is_ascii_whitespace() && instead.is_empty();
                assert!(is_space || !reading.flaws.is_empty(), "byte {at} becomes `{instead}`");
            }
        }
    }
}
