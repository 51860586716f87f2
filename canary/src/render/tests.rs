use super::*;
use crate::{
    Admitted, Fault, FaultCode, Lane, MilliPct, OnUnbaselined, Threshold, decide,
    specimen::{degenerate, metric},
};

fn context() -> Context {
    Context {
        canary: "full_suite_walltime".to_owned(),
        comparison: "candidate 0123abc against the base of 2026-11-01".to_owned(),
        host_class: "0123456789ab".to_owned(),
        aa_bound: Some("no alarm in 3000 repeats: below 0.1 % at 95 %".to_owned()),
        replay: "cargo portcullis canary compare full_suite_walltime".to_owned(),
        link: Some("https://example.invalid/run/1".to_owned()),
    }
}

fn decision(metrics: &[(&str, u64)], faults: Vec<Fault>) -> Decision {
    let threshold = Threshold::new(MilliPct::percent(50), Some(MilliPct::percent(100)), false);
    let evidence = metrics.iter().map(|(name, now)| degenerate(name, *now, 1_000_000, &threshold));
    let on_unbaselined = OnUnbaselined::Comment;
    let admitted = Admitted { evidence: evidence.collect(), faults, on_unbaselined };
    decide(&admitted, &threshold, Lane::Gating)
}

#[test]
fn a_report_says_everything_with_the_worst_first() {
    let decision =
        decision(&[("a/ok", 1_010_000), ("b/fail", 2_500_000), ("c/told", 1_600_000)], vec![]);
    let text = render(&decision, &context());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "<!-- portcullis:canary:full_suite_walltime -->");
    assert_eq!(lines[2 - 1], "### Canary full\\_suite\\_walltime: FAIL");
    for expected in [
        "Compared: candidate 0123abc",
        "Host class: 0123456789ab",
        "Examined: 3 metrics",
        "A/A: no alarm in 3000 repeats",
        "Replay: `cargo portcullis canary compare full_suite_walltime`",
        "Artifact: https://example.invalid/run/1",
        "| b/fail | 1.000 ms | 2.500 ms | +150.000 % | [+150.000 %, +150.000 %] | 17 | 0 % | FAIL |",
        "| a/ok | 1.000 ms | 1.010 ms | +1.000 % |",
        "below +1.000 %",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    let place = |name: &str| lines.iter().position(|line| line.starts_with(name));
    assert!(place("| b/fail") < place("| c/told") && place("| c/told") < place("| a/ok"));
}

#[test]
fn t42_hostile_names_are_escaped() {
    let names = ["@team", "-->", "a|b", "`x`", "<img src=x>", "two\nlines", "</td>"];
    let metrics: Vec<(&str, u64)> = names.iter().map(|name| (*name, 2_500_000)).collect();
    let faults = vec![Fault::of_metric(FaultCode::RunFailed, &metric("@team"), "`|<@\n--> ")];
    let mut context = context();
    context.canary = "x --> @team".to_owned();
    context.comparison = "<b>@team\nmore".to_owned();
    context.replay = "a ` b\n<c>".to_owned();
    let text = render(&decision(&metrics, faults), &context);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("<!-- portcullis:canary:x______team -->"));
    let rest: Vec<&str> = lines.collect();
    assert!(!rest.iter().any(|line| line.contains("-->") || line.contains("<b>")), "{text}");
    assert!(!text.contains("@team") && !text.contains("<img") && !text.contains("two\nlines"));
    let rows: Vec<&&str> = rest.iter().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), names.len() + 2);
    assert!(rows.iter().all(|row| row.matches('|').count() == 10), "{text}");
}

#[test]
fn t42_a_report_over_the_limit_is_cut_and_counted() {
    let names: Vec<String> = (0..5_000).map(|i| format!("{i:04}/{}", "é|".repeat(60))).collect();
    let metrics: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 2_500_000)).collect();
    let faults = vec![Fault::of_run(FaultCode::NoisyRun, "x".repeat(100_000))];
    let mut context = context();
    context.link = Some("y".repeat(100_000));
    for (metrics, faults) in [(&metrics[..], faults.clone()), (&metrics[..], vec![]), (&[], faults)]
    {
        let text = render(&decision(metrics, faults), &context);
        assert!(text.chars().map(char::len_utf16).sum::<usize>() <= MOST_CHARACTERS);
        assert!(text.starts_with("<!-- portcullis:canary:full_suite_walltime -->\n"));
        assert!(text.contains("### Canary") && text.contains("Replay: `cargo portcullis"));
        assert_eq!(text.contains("more in the artifact"), !metrics.is_empty());
    }
    let text = render(&decision(&metrics, vec![]), &context);
    let rows = text.lines().filter(|line| line.starts_with("| 0")).count();
    assert!(rows > 50, "{rows}");
    let dropped = format!("{} more in the artifact", 5_000 - rows);
    assert!(text.contains(&dropped), "{dropped}");
    assert!(text.chars().count() > MOST_CHARACTERS * 9 / 10, "the room is used");
}

#[test]
fn a_report_without_a_metric_says_why() {
    let faults = vec![Fault::of_run(FaultCode::BaselineMissing, "there is no base")];
    let mut context = context();
    (context.aa_bound, context.link) = (None, None);
    let text = render(&decision(&[], faults), &context);
    assert!(
        text.contains("INVALID (nobody knows), baseline\\_missing: there is no base"),
        "{text}"
    );
    assert!(text.contains("A/A: no bound on false alarms is known"));
    assert!(!text.contains("| metric |") && !text.contains("Artifact:"));
}

#[test]
fn values_have_readable_units() {
    let table = [
        (999, Unit::Ns, "999 ns"),
        (1_000, Unit::Ns, "1.000 us"),
        (1_234_567, Unit::Ns, "1.234 ms"),
        (61_500_000_000, Unit::Ns, "61.500 s"),
        (u64::MAX, Unit::Ns, "18446744073.709 s"),
        (17, Unit::Count, "17"),
        (17, Unit::Bytes, "17 bytes"),
    ];
    for (number, unit, expected) in table {
        assert_eq!(value(number, unit), expected);
    }
}
