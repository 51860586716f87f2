//! Every test target belongs to exactly one suite. It runs no test, and does not judge waivers or quarantine.

pub(crate) mod groups;
mod leak;
pub(crate) mod universe;

use groups::{Entry, Groups};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, Globs, Location,
    RelPath, Tooth, wire::code::CONFIG_INVALID,
};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;
use universe::{Member, Members};

portcullis::gate_kind! {
    /// Puts every test target, or every matched file, into exactly one suite.
    /// ### What it checks
    /// The universe is what `cargo metadata` lists as targets of kind `test` in all workspace members, those with
    /// `test = false` or unmet features included, or what the globs match. Each member stands in exactly one suite
    /// of the groups file, no entry names anything else, and each list is sorted. A leak rule reads the sources of
    /// a suite, the modules they declare included, and forbids names in code and texts in literals.
    /// ### Why it gates
    /// A test that is in no suite runs in no lane, and nobody sees it missing. A unit test that uses a double or a
    /// cassette proves less than its suite says.
    /// ### Example
    /// Refused: `tests/cli.rs` exists and `suite_classification.toml` has `[suite.unit] targets = ["kernel"]`
    /// only. A target is written `cli`, or `package/cli` when two packages have one of that name.
    /// ### Configuration
    /// - `universe`: `"cargo_test_targets"` or `"files"`, required.
    /// - `suites`: the names of all suites, default `["e2e", "unit", "vcr"]`; one without table is empty.
    /// - `files`: globs of the universe `files`. `manifest`: the workspace manifest, default `Cargo.toml`.
    /// - `groups_file`: default `suite_classification.toml`; each `[suite.<name>]` has a list `targets` (or
    ///   `files`), and may have a `description`.
    /// - `leak`: list of `{ suite, deny, forbid, forbid_literals }`; `deny` has any of `"doubles"`, `"cassettes"` and
    ///   `"fixtures"`, with the names, crates and texts that usually mean them; `forbid` has names or paths, a part of
    ///   which may begin or end with `*`; `forbid_literals` has patterns for the text of literals.
    /// ### Remediation
    /// - `unclassified`: add the target to the suite whose rules it keeps.
    /// - `classified_twice`: remove all entries but one.
    /// - `unknown_entry`: remove the entry, correct its name, or declare the suite.
    /// - `unsorted`: sort the list; two changes then rarely touch one line.
    /// - `suite_leak`: move the test to the suite that allows this, or test without it.
    pub static CLASSIFICATION: "classification", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = &[UNCLASSIFIED, CLASSIFIED_TWICE, UNKNOWN_ENTRY, UNSORTED, SUITE_LEAK], teeth = TEETH;
}

const UNCLASSIFIED: Code =
    Code::new("PC1000", "unclassified", "A member of the universe is in no suite.");
const CLASSIFIED_TWICE: Code = Code::new(
    "PC1001",
    "classified_twice",
    "A member of the universe is in two suites, or twice in one.",
);
const UNKNOWN_ENTRY: Code =
    Code::new("PC1002", "unknown_entry", "A suite, or an entry of one, names nothing that exists.");
const UNSORTED: Code = Code::new("PC1003", "unsorted", "The list of a suite is not sorted.");
const SUITE_LEAK: Code =
    Code::new("PC1004", "suite_leak", "A member of a suite uses what its suite forbids.");

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    universe: Spanned<Universe>,
    #[serde(default = "suites")]
    suites: Spanned<BTreeSet<String>>,
    files: Option<Globs>,
    #[serde(default = "manifest")]
    manifest: String,
    #[serde(default = "groups_file")]
    groups_file: String,
    #[serde(default)]
    leak: Vec<Leak>,
}

/// What is classified.
#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Universe {
    CargoTestTargets,
    Files,
}

/// What the members of one suite must not use.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Leak {
    suite: Spanned<String>,
    #[serde(default)]
    deny: BTreeSet<leak::Preset>,
    #[serde(default)]
    forbid: Vec<String>,
    #[serde(default)]
    forbid_literals: Vec<crate::pattern::Pattern>,
}

fn manifest() -> String {
    "Cargo.toml".to_owned()
}

/// The three suites of the house.
fn suites() -> Spanned<BTreeSet<String>> {
    Spanned::new(0..0, ["e2e", "unit", "vcr"].map(str::to_owned).into())
}

fn groups_file() -> String {
    "suite_classification.toml".to_owned()
}

/// Refuses what contradicts itself.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: usize, headline: String, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(table.locate(offset)));
    };
    let at = config.universe.span().start;
    match (config.universe.get_ref(), &config.files) {
        (Universe::Files, None) => {
            refuse(
                at,
                "the universe `files` has no `files`".to_owned(),
                "write `files = [\"tests/**/*.rs\"]`",
            );
        }
        (Universe::CargoTestTargets, Some(_)) => {
            refuse(
                at,
                "`files` means nothing for cargo test targets".to_owned(),
                "remove `files`, or change `universe`",
            );
        }
        (Universe::Files, Some(_)) | (Universe::CargoTestTargets, None) => {}
    }
    for path in [&config.manifest, &config.groups_file] {
        if let Err(source) = RelPath::parse(path) {
            refuse(at, source.to_string(), "name a file of the repository");
        }
    }
    if config.suites.get_ref().is_empty() {
        refuse(
            config.suites.span().start,
            "`suites` is empty".to_owned(),
            "name at least one suite",
        );
    }
    for rule in &config.leak {
        let (suite, at) = (rule.suite.get_ref(), rule.suite.span().start);
        if !config.suites.get_ref().contains(suite) {
            refuse(
                at,
                format!("a leak rule names the suite `{suite}`, which does not exist"),
                "name one of `suites`",
            );
        }
        if rule.deny.is_empty() && rule.forbid.is_empty() && rule.forbid_literals.is_empty() {
            refuse(
                at,
                format!("a leak rule for `{suite}` forbids nothing"),
                "add `deny`, `forbid` or `forbid_literals`",
            );
        }
        for name in rule.forbid.iter().filter(|name| !crate::rust_source::is_name(name)) {
            refuse(
                at,
                format!("`{name}` is not a name or path of Rust"),
                "write `name`, `Prefix*` or `a::b`",
            );
        }
    }
    faults
}

/// Compares universe and groups, and returns how many members were looked at.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let members = match config.universe.get_ref() {
        Universe::CargoTestTargets => universe::cargo_test_targets(cx, &config.manifest)?,
        Universe::Files => universe::files(cx, config.files.as_ref())?,
    };
    let members = match members {
        Members::Known(members) => members,
        Members::Skipped(examined) => return Ok(examined),
    };
    let list = match config.universe.get_ref() {
        Universe::CargoTestTargets => "targets",
        Universe::Files => "files",
    };
    let groups = Groups::read(cx, &config.groups_file, list)?;
    unknown_suites(config, &groups, out);
    order(&groups, out);
    let placed = place(&members, &groups, out);
    cover(config, &members, &groups, &placed, out);
    leak::scan(cx, config, &members, &placed, out)?;
    Ok(Examined::items(members.len()))
}

/// The suites each member stands in, with the place of each entry.
type Placed<'a> = BTreeMap<&'a str, Vec<&'a Entry>>;

fn unknown_suites(config: &Config, groups: &Groups, out: &mut Findings) {
    for (suite, at) in
        groups.suites.iter().filter(|(suite, _at)| !config.suites.get_ref().contains(*suite))
    {
        let known: Vec<&str> = config.suites.get_ref().iter().map(String::as_str).collect();
        out.push(
            Finding::new(
                UNKNOWN_ENTRY,
                suite,
                format!("the suite `{suite}` is not one of this gate's"),
                "rename it, or add it to `suites`",
            )
            .at(at.clone())
            .expected(known.join(", ")),
        );
    }
}

fn order(groups: &Groups, out: &mut Findings) {
    for pair in groups.entries.windows(2) {
        let (before, entry) = (&pair[0], &pair[1]);
        if before.suite == entry.suite && before.name > entry.name {
            out.push(
                Finding::new(
                    UNSORTED,
                    &entry.name,
                    format!(
                        "`{}` stands after `{}` in the suite `{}`",
                        entry.name, before.name, entry.suite
                    ),
                    "sort the list",
                )
                .at(entry.at.clone()),
            );
        }
    }
}

/// Finds the member of each entry; an entry of none is reported.
fn place<'a>(members: &'a [Member], groups: &'a Groups, out: &mut Findings) -> Placed<'a> {
    let mut by_name: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for member in members {
        for name in [Some(member.name.as_str()), member.short.as_deref()].into_iter().flatten() {
            by_name.entry(name).or_default().push(member);
        }
    }
    let mut placed = Placed::new();
    for entry in &groups.entries {
        match by_name.get(entry.name.as_str()).map_or(&[][..], Vec::as_slice) {
            [member] => placed.entry(member.name.as_str()).or_default().push(entry),
            several => out.push(unknown(entry, several, members)),
        }
    }
    placed
}

fn unknown(entry: &Entry, several: &[&Member], members: &[Member]) -> Finding {
    let names: Vec<&str> = if several.is_empty() {
        portcullis::kernel::near::near(&entry.name, members.iter().map(Member::label))
    } else {
        several.iter().map(|member| member.name.as_str()).collect()
    };
    let (what, remedy) = if several.is_empty() {
        ("names nothing that exists", "remove the entry, or correct its name")
    } else {
        ("names more than one target", "write `package/target`")
    };
    let message = format!("`{}` in the suite `{}` {what}", entry.name, entry.suite);
    let finding = Finding::new(UNKNOWN_ENTRY, &entry.name, message, remedy).at(entry.at.clone());
    if names.is_empty() {
        finding
    } else {
        finding.expected(format!("perhaps {}", names.join(" or ")))
    }
}

/// Reports members in no suite, and members with more than one entry.
fn cover(
    config: &Config,
    members: &[Member],
    groups: &Groups,
    placed: &Placed<'_>,
    out: &mut Findings,
) {
    let suites: Vec<&str> = config.suites.get_ref().iter().map(String::as_str).collect();
    for member in members {
        match placed.get(member.name.as_str()).map_or(&[][..], Vec::as_slice) {
            [] => out.push(
                Finding::new(
                    UNCLASSIFIED,
                    member.label(),
                    format!("`{}` is in no suite", member.label()),
                    format!("add it to one of {} in `{}`", suites.join(", "), groups.path),
                )
                .at(Location::file(&groups.path))
                .found(
                    member.source.as_ref().map_or_else(|| member.name.clone(), ToString::to_string),
                ),
            ),
            [_one] => {}
            [first, others @ ..] => {
                for entry in others {
                    out.push(
                        Finding::new(
                            CLASSIFIED_TWICE,
                            member.label(),
                            format!(
                                "`{}` is in `{}` and again in `{}`",
                                member.label(),
                                first.suite,
                                entry.suite
                            ),
                            "remove all entries but one",
                        )
                        .at(entry.at.clone())
                        .found(format!("the first entry is at {}", first.at)),
                    );
                }
            }
        }
    }
}

const CARGO: &str = "universe = 'cargo_test_targets'\nsuites = ['e2e', 'unit']";
const LEAK: &str = "universe = 'files'\nfiles = ['tests/*.rs']\nsuites = ['unit']\n\
                    leak = [{ suite = 'unit', forbid = ['Mock*', 'wiremock'], forbid_literals = ['cassettes/'] }]";
const MANIFEST: (&str, &str) = (
    "Cargo.toml",
    "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
);
const LIB: (&str, &str) = ("src/lib.rs", "");
const CLI: (&str, &str) = ("tests/cli.rs", "fn main() {}\n");
const GROUPS: &str = "suite_classification.toml";

static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "every_target_in_one_suite",
        CARGO,
        &[
            MANIFEST,
            LIB,
            CLI,
            ("tests/kernel.rs", ""),
            (
                GROUPS,
                "[suite.unit]\ntargets = ['kernel']\n[suite.e2e]\ntargets = ['a/cli']\n[waiver.x]\nowner = 'o'\n",
            ),
        ],
    ),
    Tooth::known_good(
        "a_suite_that_keeps_its_rules",
        LEAK,
        &[
            ("tests/cli.rs", "// wiremock\nfn a() { real() }\n"),
            (GROUPS, "[suite.unit]\nfiles = ['tests/cli.rs']\n"),
        ],
    ),
    Tooth::known_bad(
        "a_target_in_no_suite",
        UNCLASSIFIED,
        CARGO,
        &[MANIFEST, LIB, CLI, (GROUPS, "[suite.unit]\ntargets = []\n")],
    ),
    Tooth::known_bad(
        "a_target_in_two_suites",
        CLASSIFIED_TWICE,
        CARGO,
        &[
            MANIFEST,
            LIB,
            CLI,
            (GROUPS, "[suite.unit]\ntargets = ['cli']\n[suite.e2e]\ntargets = ['cli']\n"),
        ],
    ),
    Tooth::known_bad(
        "an_entry_of_a_removed_target",
        UNKNOWN_ENTRY,
        CARGO,
        &[MANIFEST, LIB, CLI, (GROUPS, "[suite.unit]\ntargets = ['cli', 'gone']\n")],
    ),
    Tooth::known_bad(
        "a_list_out_of_order",
        UNSORTED,
        LEAK,
        &[
            ("tests/a.rs", ""),
            ("tests/b.rs", ""),
            (GROUPS, "[suite.unit]\nfiles = ['tests/b.rs', 'tests/a.rs']\n"),
        ],
    ),
    Tooth::known_bad(
        "a_unit_test_with_a_double",
        SUITE_LEAK,
        LEAK,
        &[
            ("tests/cli.rs", "fn a() { let b = MockServer::start(); }\n"),
            (GROUPS, "[suite.unit]\nfiles = ['tests/cli.rs']\n"),
        ],
    ),
];

#[cfg(test)]
mod tests;
