use super::*;
use crate::wire::ordered::VecSet;

const HEAD: &str = "[policy]\nversion = 1\nowner = 'team'\n";

/// What a change from one policy to another loosens: subject, before, after.
fn policy(before: &str, after: &str) -> Vec<(String, String, String)> {
    let base = Texts { policy: Some(format!("{HEAD}{before}")), ..Texts::default() };
    let text = format!("{HEAD}{after}");
    let head = Head { policy: &text, ..head() };
    let found = against(&base, &head, today()).expect("readable").loosened;
    found.into_iter().map(|one| (one.subject, one.before, one.after)).collect()
}

fn today() -> Day {
    Day::parse("2026-05-31").expect("a day")
}

fn head() -> Head<'static> {
    static NONE: std::sync::LazyLock<WaiverFile> = std::sync::LazyLock::new(WaiverFile::default);
    Head { policy: "", classification: "", census: None, waivers: &NONE }
}

/// The body of the one gate `a`.
fn gate(before: &str, after: &str) -> Vec<(String, String, String)> {
    let table = |body: &str| format!("[[gate]]\nid = 'a'\n{body}\n");
    policy(&table(before), &table(after))
}

#[expect(clippy::too_many_lines, reason = "one table, one turn of a key per row")]
#[test]
fn each_turn_of_a_key_is_looser_or_is_not() {
    let cases: &[(&str, &str, &str, bool)] = &[
        ("blocking by default", "", "blocking = false", true),
        ("advisory to blocking", "blocking = false", "", false),
        ("said what holds anyway", "", "blocking = true", false),
        ("a lane less", "lanes = ['pr', 'main']", "lanes = ['pr']", true),
        ("a lane more", "lanes = ['pr']", "lanes = ['pr', 'main']", false),
        ("all lanes before", "", "lanes = ['pr']", true),
        ("all lanes now", "lanes = ['pr']", "", false),
        ("enforced later", "enforce_from = 2026-01-01", "enforce_from = 2026-02-01", true),
        ("enforced earlier", "enforce_from = 2026-02-01", "enforce_from = 2026-01-01", false),
        ("enforced at some time only", "", "enforce_from = 2026-02-01", true),
        ("another kind", "kind = 'x'", "kind = 'y'", true),
        ("another title", "title = 'x'", "title = 'y'", false),
        ("another owner", "owner = 'x'", "owner = 'y'", false),
        ("a need less", "needs = ['b']", "needs = []", true),
        ("a need more", "", "needs = ['b']", false),
        ("may skip now", "", "allow_skip = ['platform']", true),
        ("may skip no more", "allow_skip = ['platform']", "", false),
        ("may be empty now", "", "allow_empty = 'why'", true),
        ("other words", "allow_empty = 'why'", "allow_empty = 'because'", false),
        ("a lower floor", "floors = { rate = 90 }", "floors = { rate = 80 }", true),
        ("a higher floor", "floors = { rate = 80 }", "floors = { rate = 90 }", false),
        ("a floor less", "floors = { rate = 80, n = 3 }", "floors = { rate = 80 }", true),
        ("a floor more", "floors = { rate = 80 }", "floors = { rate = 80, n = 3 }", false),
        ("a floor in other words", "min_line_pct = 84", "min_line_pct = 84.0", true),
        ("a higher ceiling", "max_regression_pct = 5.0", "max_regression_pct = 15.0", true),
        ("a lower ceiling", "max_regression_pct = 5.0", "max_regression_pct = 4.5", false),
        ("a ceiling less", "max_regression_pct = 5.0", "", true),
        ("a ceiling more", "", "max_regression_pct = 5.0", false),
        ("fewer samples", "min_samples = 50", "min_samples = 5", true),
        (
            "older artifacts",
            "freshness = { max_age = '7d' }",
            "freshness = { max_age = '2h' }",
            false,
        ),
        (
            "younger ones before",
            "freshness = { max_age = '2h' }",
            "freshness = { max_age = '7d' }",
            true,
        ),
        ("an exception more", "allow = ['x']", "allow = ['x', 'y']", true),
        ("an exception less", "allow = ['x', 'y']", "allow = ['y']", false),
        ("exceptions in another order", "allow = ['x', 'y']", "allow = ['y', 'x']", false),
        ("a required thing less", "required = ['x', 'y']", "required = ['x']", true),
        ("a required thing more", "required = ['x']", "required = ['x', 'y']", false),
        ("another file", "path = 'a.json'", "path = 'b.json'", true),
        ("a file more", "files = ['a']", "files = ['a', 'b']", false),
        (
            "a longer exception",
            "allow = [{ path = 'x', expires = 2026-01-01 }]",
            "allow = [{ path = 'x', expires = 2026-03-01 }]",
            true,
        ),
        (
            "a shorter exception",
            "allow = [{ path = 'x', expires = 2026-03-01 }]",
            "allow = [{ path = 'x', expires = 2026-01-01 }]",
            false,
        ),
        ("a rule less", "rules = [{ path = '/a', exists = true }]", "rules = []", true),
        (
            "a weaker rule",
            "rules = [{ path = '/a', min = 3 }]",
            "rules = [{ path = '/a', min = 2 }]",
            true,
        ),
        ("a rule more", "rules = []", "rules = [{ path = '/a', min = 2 }]", false),
        ("a word that nobody knows", "flavour = 1", "flavour = 2", true),
        ("an unknown key less", "flavour = 1", "", true),
        (
            "an unknown list in another order",
            "paths_in_order = ['x', 'y']",
            "paths_in_order = ['y', 'x']",
            true,
        ),
        ("a list in which order may count", "order = ['x', 'y']", "order = ['y', 'x']", true),
        ("a shorter timeout", "timeout = '5m'", "timeout = '1m'", false),
        ("a longer timeout", "timeout = '1m'", "timeout = '5m'", true),
        ("a switch of an exception", "allow_retries = false", "allow_retries = true", true),
        ("a switch of a demand", "require_tag = true", "require_tag = false", true),
        // Authors choose names, and a name proves nothing.
        ("a metric called `min`", "ceilings = { min_ms = 5 }", "ceilings = { min_ms = 9 }", true),
        ("a metric called `max`", "floors = { max_rate = 9 }", "floors = { max_rate = 5 }", true),
        ("a metric called `cost`", "floors = { cost = 9 }", "floors = { cost = 5 }", true),
        (
            "a rule called `min`",
            "rules = [{ id = 'a_min_b', v = 5 }]",
            "rules = [{ id = 'a_min_b', v = 9 }]",
            true,
        ),
        (
            "one of two rules of one path",
            "rules = [{ path = '/a', min = 3 }, { path = '/a', max = 9 }]",
            "rules = [{ path = '/a', max = 9 }]",
            true,
        ),
        (
            "the weaker of two rules of one path",
            "rules = [{ path = '/a', min = 3 }, { path = '/a', max = 9 }]",
            "rules = [{ path = '/a', min = 2 }, { path = '/a', max = 9 }]",
            true,
        ),
        ("a glob that takes away", "files = ['**']", "files = ['**', '!src/kernel/**']", true),
        (
            "a glob that no longer takes away",
            "files = ['**', '!src/kernel/**']",
            "files = ['**']",
            false,
        ),
        ("another fallback", "paths = ['a']", "paths = ['a', 'b']", true),
        ("another machine", "runs_on = ['x']", "runs_on = ['x', 'y']", true),
        ("a lane that may skip now", "must_not_skip = ['pr']", "must_not_skip = []", true),
        ("a budget of skips", "", "skip_budget = { pr = 3 }", true),
        ("a cap less", "max_allowed = 3", "", true),
        ("a switch with a word of a bound", "no_fail_fast = true", "no_fail_fast = false", true),
        (
            "expected in another order",
            "expected_order = ['x', 'y']",
            "expected_order = ['y', 'x']",
            true,
        ),
        (
            "a switch of a gate's own words",
            "title = 'x'\nowner = 'a'",
            "title = 'y'\nowner = 'b'",
            false,
        ),
        (
            "only other spelling",
            "floors = { rate = 80 }",
            "[gate.floors]\nrate = 80 # the same",
            false,
        ),
    ];
    for (case, before, after, looser) in cases {
        let found = gate(before, after);
        assert_eq!(!found.is_empty(), *looser, "{case}: {found:?}");
    }
}

#[test]
fn fg05_a_gate_that_a_change_removes_is_told_whatever_else_the_change_removes() {
    let found = policy("[[gate]]\nid = 'a'\n[[gate]]\nid = 'b'\n", "[[gate]]\nid = 'b'\n");
    assert_eq!(found, [(GATE.to_owned(), "there".to_owned(), "removed".to_owned())]);
    let renamed = policy("[[gate]]\nid = 'a'\n", "[[gate]]\nid = 'z'\n");
    assert_eq!(renamed.len(), 1, "a renamed gate is a gate less: {renamed:?}");
    assert_eq!(policy("[[gate]]\nid = 'a'\n", "[[gate]]\nid = 'a'\n[[gate]]\nid = 'b'\n"), []);
}

#[test]
fn the_census_speaks_for_gates_without_a_table() {
    let row = |id: &str, blocking: &str, lanes: &str| {
        format!(
            "{id} kind=rust binary=g lanes={lanes} blocking={blocking} owner=t digest={:064}\n",
            0
        )
    };
    let lock = |rows: &str| {
        format!(
            "# portcullis census v1: every gate that must leave a receipt.\n# Written by `cargo portcullis census --bless`; its diff is the review.\n{rows}"
        )
    };
    let subjects = |before: &str, after: &str| -> Vec<String> {
        let base = Texts { census: Some(lock(before)), ..Texts::default() };
        let census = Census::parse(&lock(after)).expect("a census");
        let head = Head { census: Some(&census), ..head() };
        let found = against(&base, &head, today()).expect("readable").loosened;
        found.into_iter().map(|one| one.subject).collect()
    };
    let whole = row("a", "yes", "pr,main");
    assert_eq!(subjects(&whole, &whole), [""; 0]);
    assert_eq!(subjects(&whole, ""), [GATE]);
    assert_eq!(subjects(&whole, &row("a", "no", "pr,main")), ["`blocking`"]);
    assert_eq!(subjects(&whole, &row("a", "yes", "pr")), ["`lanes`"]);
    assert_eq!(subjects(&row("a", "no", "pr"), &whole), [""; 0], "stricter");
    // A census of the head that cannot be read is a fault of its own.
    let base = Texts { census: Some(lock(&whole)), ..Texts::default() };
    assert_eq!(against(&base, &head(), today()).expect("readable").loosened, []);
}

#[test]
fn rules_for_all_gates_are_loosened_for_all() {
    let cases: &[(&str, &str, &str, bool)] = &[
        ("shadow", "", "[promotion]\nmode = 'shadow'\nshadow_until = 2026-06-01", true),
        ("strict, said", "", "[promotion]\nmode = 'strict'", false),
        ("strict again", "[promotion]\nmode = 'shadow'\nshadow_until = 2026-06-01", "", false),
        (
            "shadow for longer",
            "[promotion]\nmode = 'shadow'\nshadow_until = 2026-06-01",
            "[promotion]\nmode = 'shadow'\nshadow_until = 2026-07-01",
            true,
        ),
        ("a record that allows rollback", "", "[promotion.rollback]\nowner = 'x'", true),
        ("a variable more", "", "[environment]\nallow = ['X']", true),
        ("a variable less", "[environment]\nallow = ['X']", "", false),
        ("a profile of a new name", "", "[profile.mine]\nkinds = ['unit']", false),
        ("a profile that exists anyway", "", "[profile.full]\nselect = ['test(x)']", true),
        ("a canary more", "", "[canary.a]\ncomment_pct = 50", false),
        ("a canary less", "[canary.a]\ncomment_pct = 50", "", true),
        ("a blunter canary", "[canary.a]\ncomment_pct = 50", "[canary.a]\ncomment_pct = 90", true),
        (
            "a longer deadline",
            "[profile.ci]\ndeadline = '5m'",
            "[profile.ci]\ndeadline = '9m'",
            false,
        ),
        ("fewer gates", "[profile.ci]\ngates = ['a', 'b']", "[profile.ci]\ngates = ['a']", true),
        ("more retries", "[profile.ci]\nretries = 1", "[profile.ci]\nretries = 3", true),
        ("another owner", "", "[artifacts]\nviews = 'out'", false),
    ];
    for (case, before, after, looser) in cases {
        let found = policy(before, after);
        assert_eq!(!found.is_empty(), *looser, "{case}: {found:?}");
    }
}

#[test]
fn quarantine_and_waivers_are_compared_with_what_the_base_grants() {
    let entry =
        |expires: &str| format!("[quarantine.'t']\ncategory = 'FLAKE-NET'\nexpires = {expires}\n");
    let subjects = |before: &str, after: &str| -> usize {
        let base = Texts { classification: Some(before.to_owned()), ..Texts::default() };
        let head = Head { classification: after, ..head() };
        against(&base, &head, today()).expect("readable").loosened.len()
    };
    assert_eq!(subjects("", &entry("2026-01-09")), 1, "new");
    assert_eq!(subjects(&entry("2026-01-09"), &entry("2026-01-10")), 1, "longer");
    assert_eq!(subjects(&entry("2026-01-09"), &entry("2026-01-08")), 0, "shorter");
    assert_eq!(subjects(&entry("2026-01-09"), ""), 0, "gone");

    let waiver = |more: &str, expires: &str| {
        format!(
            "[waiver.a]\nowner = 'o'\ncreated = 2026-01-01\nexpires = {expires}\nissue = 'X-1'\nreason = 'a reason of more than twenty letters'\nscope = 'full'\nremove_when = 'done'\n{more}"
        )
    };
    let ids: VecSet<GateId> = [GateId::parse("a").expect("an id")].into();
    let stands = |before: &str, after: &str| {
        let file = WaiverFile::parse("f", after, &ids, &VecSet::new());
        assert!(file.is_valid(), "{:?}", file.faults);
        waiver::standing(before, &file).len() == 1
    };
    let print = "fingerprints = ['0123456789abcdef']";
    let plain = waiver("", "2026-01-20");
    assert!(stands(&plain, &plain));
    assert!(!stands("", &plain), "only here");
    assert!(!stands(&plain, &waiver("", "2026-01-21")), "longer");
    assert!(stands(&plain, &waiver("", "2026-01-19")), "shorter");
    assert!(stands(&plain, &waiver(print, "2026-01-20")), "narrower");
    assert!(!stands(&waiver(print, "2026-01-20"), &plain), "wider");
    assert!(!stands(&plain, &plain.replace("'full'", "'both'")), "in more places");
    // Another waiver of the base that names a gate which is gone here does not void the rest.
    let other = plain.replace("[waiver.a]", "[waiver.gone]");
    assert!(stands(&format!("{plain}{other}"), &plain));
}

#[test]
fn a_base_that_cannot_be_read_is_never_a_base_without_rules() {
    for base in [
        Texts { policy: Some("a = ".to_owned()), ..Texts::default() },
        Texts { classification: Some("a = ".to_owned()), ..Texts::default() },
        Texts { census: Some("rows".to_owned()), ..Texts::default() },
    ] {
        let fault = against(&base, &head(), today()).expect_err("refused");
        assert_eq!(fault.code(), BASE_UNRESOLVABLE);
    }
    let nothing = against(&Texts::default(), &head(), today()).expect("nothing to loosen");
    assert_eq!(nothing, Against::default());
}
