//! T02: a change waives or approves itself. A waiver holds once the base has it, and an approver is not the author.

use super::change::{BASE, Change, Story, WAIVERS, row};

const WAIVER: &str = "[waiver.second]\nowner = \"o\"\ncreated = CREATED\nexpires = EXPIRES\nissue = \"T-1\"\n\
                      reason = \"the second gate is being mended\"\nscope = \"full\"\nremove_when = \"it is mended\"\n";

/// A text with days around today; the commits of these repositories are of today.
fn dated(text: &str, change: &Change) -> String {
    let shown = |change: &Change, days: i64| {
        let head = change.sample.path(".git/logs/HEAD");
        let log = std::fs::read_to_string(head).expect("a log of HEAD");
        let stamp = log.split('\t').next().and_then(|line| line.split(' ').nth_back(1));
        let seconds: i64 = stamp.and_then(|text| text.parse().ok()).expect("a time");
        let there = (seconds + days * 86_400) * 1000;
        portcullis::Instant::from_unix_ms(there).expect("a time").day().to_string()
    };
    text.replace("CREATED", &shown(change, -5)).replace("EXPIRES", &shown(change, 5))
}

#[test]
fn t02_a_waiver_of_the_change_itself_waits_and_the_same_one_on_the_base_holds() {
    let red = Story { fails: vec!["second"], ..Story::honest() };
    let change = Change::new("");
    change.write(BASE, &dated(WAIVER, &change));
    change.sample.commit();
    let (exit, said, document) = change.judged(&red);
    let waits = "pending_approval waiver_not_on_base";
    assert_eq!((exit, row(&document, "second").as_str()), (Some(11), waits), "{said}");

    change.sample.git(&["checkout", "--quiet", "main"]);
    change.write(BASE, &dated(WAIVER, &change));
    change.sample.commit();
    change.sample.git(&["checkout", "--quiet", "-B", "change", "main"]);
    change.sample.put("README.md", "harmless\n");
    change.sample.commit();
    let (exit, said, document) = change.judged(&red);
    assert_eq!(exit, Some(0), "{said}");
    assert!(row(&document, "second").starts_with("waived"), "{said}");

    // A change that stretches it has another waiver than the base.
    let text = change.text(WAIVERS);
    change.write(BASE, &text.replace("scope = \"full\"", "scope = \"both\""));
    change.sample.commit();
    let (exit, said, document) = change.judged(&red);
    assert_eq!((exit, row(&document, "second").as_str()), (Some(11), waits), "{said}");
}

const APPROVAL: &str = "[approval.parser]\ngate = \"first\"\napprover = \"rita@example.org\"\ncreated = CREATED\n\
                        expires = EXPIRES\nissue = \"T-2\"\nreason = \"the new parser needs some more room\"\n\
                        loosenings = [\"DIGEST\"]\n";

fn looser() -> String {
    BASE.replace("max_errors = 3", "max_errors = 9")
}

/// The exit code of `verify`, and what it said.
type Verdict = (Option<i32>, String);

/// A change that raises a ceiling, with the record that approves it on the base, in the change, or nowhere.
fn approved(
    on_base: bool,
    in_change: bool,
    edit: impl Fn(&str) -> String,
    author: &str,
) -> Verdict {
    let plain = Change::new("");
    plain.write(&looser(), "");
    plain.sample.commit();
    let (_, _, document) = plain.judged(&Story::honest());
    let digest = document["decision"]["loosened"][0]["digest"].as_str().expect("a digest");
    let record = edit(&dated(APPROVAL, &plain).replace("DIGEST", digest));

    let change = Change::new(if on_base { &record } else { "" });
    change.write(&looser(), if on_base || in_change { &record } else { "" });
    change.sample.git(&["add", "--all"]);
    change.sample.git(&["commit", "--quiet", "--message", "looser", "--author", author]);
    let (exit, said, document) = change.judged(&Story::honest());
    let listed = document["decision"]["loosened"].as_array().map_or(0, Vec::len);
    assert_eq!(listed, 1, "what is loosened is listed, approved or not: {said}");
    let expected = if exit == Some(0) { "pass -" } else { "pending_approval policy_loosened" };
    assert_eq!(row(&document, "first"), expected, "{said}");
    (exit, said)
}

#[test]
fn t02_an_approval_counts_from_the_base_and_by_somebody_else() {
    let same = str::to_owned;
    let dev = "Dev <dev@example.org>";
    let (exit, said) = approved(true, false, same, dev);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("approved by rita@example.org"), "{said}");
    let cases: &[(&str, Verdict, &str)] = &[
        ("no approval", approved(false, false, same, dev), "policy_loosened"),
        ("its own", approved(false, true, same, dev), "approval_not_on_base"),
        ("the author", approved(true, false, same, "R <Rita@Example.org>"), "approver_refused"),
        (
            "a stranger",
            approved(true, false, |text| text.replace("rita@", "eve@"), dev),
            "approver_refused",
        ),
        (
            "another loosening",
            approved(
                true,
                false,
                |text| text.replace("loosenings = [\"", "loosenings = [\"0000"),
                dev,
            ),
            "approval_invalid",
        ),
    ];
    for (case, (exit, said), code) in cases {
        assert_eq!(*exit, Some(11), "{case}: {said}");
        assert!(said.contains(code), "{case}: {said}");
    }
}
