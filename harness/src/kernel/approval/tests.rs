use super::*;
use crate::kernel::{
    loosening::{Against, against},
    waiver::WaiverFile,
};
use crate::wire::ordered::VecSet;

const POLICY: &str = "[policy]\nversion = 1\nowner = 'team'\n\n[approval]\napprovers = ['Rita@example.org', 'omar@example.org']\n";
const TODAY: &str = "2026-05-31";

fn day(text: &str) -> Day {
    Day::parse(text).expect("a day")
}

fn policy(gates: &str) -> String {
    format!("{POLICY}\n{gates}")
}

fn gate(max: u32, allow: &str) -> String {
    format!("[[gate]]\nid = 'a'\nkind = 'threshold'\nmax_errors = {max}\nallow = [{allow}]\n")
}

/// One record, with lines to put in the place of those of the same key.
fn record(loosenings: &[Digest], other: &[(&str, &str)]) -> String {
    let list: Vec<String> = loosenings.iter().map(|digest| format!("'{digest}'")).collect();
    let fields = [
        ("gate", "'a'".to_owned()),
        ("approver", "'rita@example.org'".to_owned()),
        ("created", "2026-05-25".to_owned()),
        ("expires", "2026-06-08".to_owned()),
        ("issue", "'T-1'".to_owned()),
        ("reason", "'the new parser needs some more room'".to_owned()),
        ("loosenings", format!("[{}]", list.join(", "))),
    ];
    let mut text = "[approval.parser]\n".to_owned();
    for (key, value) in &fields {
        match other.iter().find(|(name, _)| name == key) {
            Some((_, "")) => {}
            Some((_, value)) => text.push_str(&format!("{key} = {value}\n")),
            None => text.push_str(&format!("{key} = {value}\n")),
        }
    }
    for (key, value) in other.iter().filter(|(key, _)| fields.iter().all(|(name, _)| name != key)) {
        text.push_str(&format!("{key} = {value}\n"));
    }
    text
}

struct Change {
    before: String,
    after: String,
    on_base: String,
    on_head: String,
    authors: Option<Vec<&'static str>>,
    today: &'static str,
}

impl Change {
    fn of(before: String, after: String) -> Self {
        let authors = Some(vec!["dev@example.org"]);
        let empty = String::new;
        Self {
            before: policy(&before),
            after: policy(&after),
            on_base: empty(),
            on_head: empty(),
            authors,
            today: TODAY,
        }
    }

    /// Five errors instead of three.
    fn looser() -> Self {
        Self::of(gate(3, ""), gate(5, ""))
    }

    fn against(&self) -> Against {
        let base = Texts {
            policy: Some(self.before.clone()),
            classification: Some(self.on_base.clone()),
            census: None,
            authors: self
                .authors
                .as_ref()
                .map(|list| list.iter().map(|one| (*one).to_owned()).collect()),
        };
        let waivers = WaiverFile::default();
        let head = Head {
            policy: &self.after,
            classification: &self.on_head,
            census: None,
            waivers: &waivers,
        };
        against(&base, &head, day(self.today)).expect("readable")
    }

    fn digests(&self) -> Vec<Digest> {
        self.against().loosened.iter().map(|one| one.digest).collect()
    }

    /// Of each loosening, whether it waits and which code its approval was refused with.
    fn pending(&self) -> Vec<(bool, Option<String>)> {
        let loosened = self.against().loosened;
        let refused = |one: &Loosening| one.consent.as_ref().and_then(|said| said.refused.clone());
        loosened.iter().map(|one| (one.is_pending(), refused(one))).collect()
    }
}

type Edit = fn(&mut Change, &[Digest]);

/// What becomes of a change: its name, the edit, and the code that refuses the approval, empty where none speaks for it.
fn approvals() -> Vec<(&'static str, Edit, Option<&'static str>)> {
    vec![
        ("approved", |c, d| c.on_base = record(d, &[]), None),
        ("on its first day", |c, d| (c.on_base, c.today) = (record(d, &[]), "2026-05-25"), None),
        ("on its last day", |c, d| (c.on_base, c.today) = (record(d, &[]), "2026-06-08"), None),
        (
            "the day before",
            |c, d| (c.on_base, c.today) = (record(d, &[]), "2026-05-24"),
            Some("approval_expired"),
        ),
        (
            "the day after",
            |c, d| (c.on_base, c.today) = (record(d, &[]), "2026-06-09"),
            Some("approval_expired"),
        ),
        ("in the change itself", |c, d| c.on_head = record(d, &[]), Some("approval_not_on_base")),
        (
            "another digest",
            |c, _| c.on_base = record(&[Digest::of(b"x")], &[]),
            Some("approval_mismatch"),
        ),
        ("another gate", |c, d| c.on_base = record(d, &[("gate", "'b'")]), Some("")),
        ("the run instead of the gate", |c, d| c.on_base = record(d, &[("gate", "")]), Some("")),
        (
            "nobody's approver",
            |c, d| c.on_base = record(d, &[("approver", "'eve@example.org'")]),
            Some("approver_refused"),
        ),
        (
            "an approver of the head alone",
            |c, d| {
                c.on_base = record(d, &[("approver", "'eve@example.org'")]);
                c.after = c.after.replace("omar@", "eve@");
            },
            Some("approver_refused"),
        ),
        (
            "the author",
            |c, d| {
                c.on_base = record(d, &[]);
                c.authors = Some(vec!["dev@example.org", "RITA@example.org"]);
            },
            Some("approver_refused"),
        ),
        (
            "unknown authors",
            |c, d| (c.on_base, c.authors) = (record(d, &[]), None),
            Some("approver_refused"),
        ),
        (
            "a base without approvers",
            |c, d| {
                c.on_base = record(d, &[]);
                for side in [&mut c.before, &mut c.after] {
                    *side = side.replace("[approval]", "").replace("approvers", "# approvers");
                }
            },
            Some("approver_refused"),
        ),
        (
            "another base",
            |c, d| {
                c.on_base = record(d, &[]);
                c.before = policy(&gate(4, ""));
            },
            Some("approval_mismatch"),
        ),
        (
            "looser still",
            |c, d| {
                c.on_base = record(d, &[]);
                c.after = policy(&gate(6, ""));
            },
            Some("approval_mismatch"),
        ),
    ]
}

#[test]
fn t01_t02_only_a_named_outsider_on_the_base_approves_exactly_this_and_for_now() {
    for (case, edit, expected) in approvals() {
        let mut change = Change::looser();
        let digests = change.digests();
        edit(&mut change, &digests);
        let first = change.pending().into_iter().next_back().expect("a loosening");
        let code = expected.filter(|code| !code.is_empty()).map(str::to_owned);
        assert_eq!(first, (expected.is_some(), code), "{case}");
    }
}

/// A field that is absent, misspelt or out of bounds: then no approval counts, and the head's own file is void.
#[test]
fn t04_an_approval_that_is_not_valid_voids_them_all() {
    let digests = Change::looser().digests();
    let missing = ["approver", "created", "expires", "issue", "reason", "loosenings"];
    let mut wrong: Vec<Vec<(&str, &str)>> = missing.iter().map(|key| vec![(*key, "")]).collect();
    wrong.extend([
        vec![("aprover", "'rita@example.org'")],
        vec![("approver", "'rita'")],
        vec![("approver", "''")],
        vec![("approver", "['rita@example.org']")],
        vec![("gate", "'*'")],
        vec![("expires", "2026-06-09")],
        vec![("expires", "2026-05-24")],
        vec![("expires", "'2026-06-01'")],
        vec![("reason", "'short'")],
        vec![("loosenings", "[]")],
        vec![("loosenings", "['*']")],
        vec![("loosenings", "'*'")],
    ]);
    for other in wrong {
        let text = record(&digests, &other);
        let sound = record(&digests, &[]).replace("approval.parser", "approval.other");
        let mut change = Change::looser();
        change.on_base = format!("{sound}{text}");
        let pending = change.pending();
        assert!(pending[0].0, "{other:?}");
        assert_eq!(pending[0].1.as_deref(), Some("approval_invalid"), "{other:?}");
        let none = VecSet::new();
        let head = WaiverFile::parse("f", &change.on_base, &none, &none);
        assert!(!head.is_valid(), "{other:?}");
    }
    let none = VecSet::new();
    let sound = WaiverFile::parse("f", &record(&digests, &[]), &none, &none);
    assert_eq!(sound.faults, Vec::new());
}

/// What somebody agrees to is all of it: a value beyond what a message shows, and each loosening for itself.
#[test]
fn an_approval_covers_what_it_names_and_nothing_beside_it() {
    let long = |last: &str| {
        let names: Vec<String> = (0..40).map(|n| format!("'name{n:03}'")).collect();
        gate(3, "").replace("allow = []", &format!("extra = [[{}, '{last}']]", names.join(", ")))
    };
    let (one, other) = (Change::of(gate(3, ""), long("a")), Change::of(gate(3, ""), long("b")));
    let (seen, hidden) = (one.against().loosened, other.against().loosened);
    assert_eq!(seen[0].after, hidden[0].after, "messages are cut alike");
    assert_ne!(seen[0].digest, hidden[0].digest);

    let mut two = Change::of(gate(3, ""), gate(5, "'x'"));
    let digests = two.digests();
    assert_eq!(digests.len(), 2);
    two.on_base = record(&digests[..1], &[]);
    let waiting: Vec<bool> = two.pending().into_iter().map(|(pending, _)| pending).collect();
    assert_eq!(waiting, [false, true]);
    two.on_base = record(&digests, &[]);
    assert!(two.pending().iter().all(|(pending, _)| !pending));
}

/// Who may approve is itself a rule of the base.
#[test]
fn more_approvers_are_looser_and_fewer_are_not() {
    let change = |from: &str, to: &str| {
        let mut change = Change::of(String::new(), String::new());
        change.before = change.before.replace("'omar@example.org'", from);
        change.after = change.after.replace("'omar@example.org'", to);
        change.against().loosened
    };
    assert_eq!(change("", "'eve@example.org'").len(), 1);
    assert_eq!(change("'eve@example.org'", "").len(), 0);
    let mut first = Change::of(String::new(), String::new());
    first.before = "[policy]\nversion = 1\nowner = 'team'\n".to_owned();
    assert_eq!(first.against().loosened.len(), 1, "the first list is looser than none");
    for wrong in ["approvers = []", "approvers = ['x']", "", "approver = ['a@b']"] {
        let text = format!("[policy]\nversion = 1\nowner = 'team'\n[approval]\n{wrong}\n");
        assert!(crate::kernel::policy::parse("p", &text).is_err(), "{wrong}");
    }
    assert!(crate::kernel::policy::parse("p", POLICY).is_ok());
}

/// Taking anything away from what approves never leaves less waiting.
#[test]
fn removal_never_improves_an_approval() {
    let mut change = Change::of(gate(3, ""), gate(5, "'x'"));
    let digests = change.digests();
    let second = record(&digests[1..], &[]).replace("approval.parser", "approval.other");
    let whole = format!("{}{second}", record(&digests[..1], &[]));
    change.on_base = whole.clone();
    let waiting = |change: &Change| change.pending().iter().filter(|(pending, _)| *pending).count();
    assert_eq!(waiting(&change), 0);
    let lines: Vec<&str> = whole.lines().collect();
    let mut worse = 0;
    for n in 0..lines.len() {
        for end in n + 1..=lines.len() {
            let kept = lines[..n].iter().chain(&lines[end..]);
            change.on_base = kept.map(|line| format!("{line}\n")).collect();
            let readable = toml::from_str::<toml::Table>(&change.on_base).is_ok();
            // What cannot be read is no base at all, and an error.
            if readable {
                worse += usize::from(waiting(&change) > 0);
            }
        }
    }
    assert!(worse > 50, "{worse} removals took an approval away");
    change.on_base = whole;
    change.authors = None;
    assert_eq!(waiting(&change), 2);
}
