//! Tables over frozen surfaces: what drifts, what does not, and who may accept it.

#![expect(clippy::disallowed_methods, reason = "tests build their files in place")]

use super::{teeth::LIMITS, *};
use portcullis::{
    GateTable,
    testing::{Bench, Seen, run},
};
use std::{fs, path::Path};

/// A tree in a folder of its own, so that what is blessed stays.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            tree.put(name, text);
        }
        tree
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn get(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("a file")
    }

    fn check(&self, config: &str) -> Seen {
        Bench::new(&CONTRACT_FREEZE, config).folder(self.path()).run()
    }

    fn bless(&self, config: &str) -> Seen {
        Bench::new(&CONTRACT_FREEZE, config).folder(self.path()).env("PORTCULLIS_BLESS", "1").run()
    }
}

const API: &str = "[[surface]]\nid = 'api'\nprovider = 'public_items'\nsource = 'a.rs'\nsnapshot = 'contracts/a.json'";
const SOURCE: &str = "/// Limits.\n#[derive(Clone, Debug)]\npub struct Limits { pub low: u32, pub high: u64, secret: bool }\n\
    pub enum Verdict { Quiet, Fail }\n\
    impl Limits { pub fn judge(&self, value: u64) -> Verdict { if value > self.high { Verdict::Fail } else { Verdict::Quiet } } fn hidden(&self) {} }\n\
    pub trait Reader { fn read(&self) -> u8; fn twice(&self) -> u8 { 2 } }\n\
    pub const MAX: usize = 64;\nfn private() {}\n";

#[test]
fn public_items_drift_with_what_others_see_and_with_nothing_else() {
    let table: &[(&str, &str, &str, bool)] = &[
        ("a type", "low: u32", "low: u64", true),
        ("the order of fields", "pub low: u32, pub high: u64", "pub high: u64, pub low: u32", true),
        ("a field removed", "pub low: u32, ", "", true),
        ("a field made private", "pub low", "low", true),
        ("a variant removed", "Quiet, Fail", "Fail", true),
        ("the order of variants", "Quiet, Fail", "Fail, Quiet", true),
        ("non-exhaustive", "pub enum", "#[non_exhaustive] pub enum", true),
        ("a signature", "value: u64", "value: u32", true),
        ("a returned type", "-> Verdict", "-> Option<Verdict>", true),
        ("a bound", "pub trait Reader", "pub trait Reader: Send", true),
        ("a provided method", "{ 2 }", ";", true),
        ("a limit", "= 64", "= 65", true),
        ("a derived trait", "Clone, Debug", "Debug", true),
        ("a public item made private", "pub const", "const", true),
        ("the order of derived traits", "Clone, Debug", "Debug, Clone", false),
        ("a private field", "secret: bool", "secret: u8", false),
        ("a private function", "fn private() {}", "fn private(a: u8) {}", false),
        ("a private method", "fn hidden(&self)", "fn hidden(&mut self)", false),
        ("a body", "value > self.high", "value >= self.high", false),
        ("a provided body", "{ 2 }", "{ 3 }", false),
        ("a comment", "/// Limits.", "/// What is allowed. pub fn x()", false),
        ("formatting", "value: u64)", "\n    value: u64,\n)", false),
    ];
    for (case, from, to, expected) in table {
        let tree = Tree::new(&[("a.rs", SOURCE)]);
        assert!(tree.bless(API).codes.is_empty(), "{case}");
        assert!(tree.check(API).codes.is_empty(), "{case}: in sync");
        let changed = SOURCE.replacen(from, to, 1);
        assert_ne!(changed, SOURCE, "{case}");
        tree.put("a.rs", &changed);
        let seen = tree.check(API);
        assert_eq!(
            seen.codes.iter().any(|code| code == "contract_drift"),
            *expected,
            "{case}: {:?}",
            seen.messages
        );
        assert!(seen.error().is_none(), "{case}: {:?}", seen.messages);
        // Differential: the same source is green once somebody has accepted it.
        if *expected && !seen.codes.iter().any(|code| code == "growth_not_listed") {
            assert!(tree.bless(API).codes.is_empty(), "{case}");
            assert!(tree.check(API).codes.is_empty(), "{case}: accepted");
        }
    }
}

#[test]
fn a_new_name_needs_its_decision_in_both_modes() {
    let table: &[(&str, &str)] = &[
        ("a method", "impl Limits { pub fn other(&self) {}"),
        ("a field", ""),
        ("a function", ""),
    ];
    let grown = [
        SOURCE.replacen("impl Limits {", table[0].1, 1),
        SOURCE.replacen("pub low: u32", "pub low: u32, pub middle: u32", 1),
        format!("{SOURCE}pub fn new() {{}}\n"),
    ];
    let names = ["a.rs#Limits::other", "a.rs#Limits.middle", "a.rs#new"];
    for ((text, name), (case, _)) in grown.iter().zip(names).zip(table) {
        let tree = Tree::new(&[("a.rs", SOURCE)]);
        assert!(tree.bless(API).codes.is_empty(), "{case}");
        let before = tree.get("contracts/a.json");
        tree.put("a.rs", text);
        for (mode, seen) in [("check", tree.check(API)), ("bless", tree.bless(API))] {
            assert!(
                seen.codes.contains(&"growth_not_listed".to_owned()),
                "{case}, {mode}: {:?}",
                seen.codes
            );
            let finding = seen
                .looked
                .findings
                .iter()
                .find(|one| one.code == "growth_not_listed")
                .expect("one");
            assert!(finding.subject.ends_with(name), "{case}, {mode}: {}", finding.subject);
            assert!(
                finding.remedy.contains("docs/decisions/api_"),
                "{case}, {mode}: {}",
                finding.remedy
            );
        }
        assert_eq!(tree.get("contracts/a.json"), before, "{case}: nothing was written");
        let listed =
            format!("{API}\nallow = [{{ name = '{name}', decision = 'docs/decisions/1.md' }}]");
        for (mode, seen) in [("check", tree.check(&listed)), ("bless", tree.bless(&listed))] {
            assert!(
                seen.codes.contains(&"decision_missing".to_owned()),
                "{case}, {mode}: {:?}",
                seen.codes
            );
        }
        assert_eq!(
            tree.get("contracts/a.json"),
            before,
            "{case}: nothing was written without the record"
        );
        tree.put("docs/decisions/1.md", "# Why\n");
        assert!(tree.bless(&listed).codes.is_empty(), "{case}");
        assert!(tree.check(&listed).codes.is_empty(), "{case}");
        // The entry cannot be taken away again: the snapshot remembers which names were added.
        assert!(tree.check(API).codes.contains(&"growth_not_listed".to_owned()), "{case}");
    }
}

#[test]
fn growth_may_be_free_or_ruled_out() {
    let tree = Tree::new(&[("a.rs", SOURCE)]);
    assert!(tree.bless(API).codes.is_empty());
    tree.put("a.rs", &format!("{SOURCE}pub fn new() {{}}\n"));
    let none = format!("{API}\ngrowth = 'none'");
    assert!(tree.check(&none).codes.contains(&"growth_not_listed".to_owned()));
    assert!(tree.bless(&none).codes.contains(&"growth_not_listed".to_owned()));
    let free = format!("{API}\ngrowth = 'free'");
    assert_eq!(tree.check(&free).codes, ["contract_drift"]);
    assert!(tree.bless(&free).codes.is_empty());
    assert!(tree.check(&free).codes.is_empty());
}

#[test]
fn fg55_a_snapshot_is_never_accepted_in_ci() {
    for ci in ["true", "1", "0", "false", ""] {
        let tree = Tree::new(&[("limits.toml", "[hosted]\nfail_pct = 1.0\n")]);
        let bench = || Bench::new(&CONTRACT_FREEZE, LIMITS).folder(tree.path()).env("CI", ci);
        let seen = bench().env("PORTCULLIS_BLESS", "1").run();
        assert_eq!(seen.error().map(|error| error.code.as_str()), Some("bless_refused"), "CI={ci}");
        assert!(!tree.path().join("limits.json").exists(), "CI={ci}");
        assert_eq!(bench().run().codes, ["snapshot_missing"], "CI={ci}");
    }
    let tree = Tree::new(&[("limits.toml", "[hosted]\nfail_pct = 1.0\n")]);
    for value in ["0", "", "yes"] {
        let seen = Bench::new(&CONTRACT_FREEZE, LIMITS)
            .folder(tree.path())
            .env("PORTCULLIS_BLESS", value)
            .run();
        assert_eq!(seen.codes, ["snapshot_missing"], "PORTCULLIS_BLESS={value}");
    }
}

#[test]
fn check_mode_never_writes_and_bless_writes_only_what_differs() {
    let tree = Tree::new(&[("limits.toml", "[hosted]\nfail_pct = 1.0\n")]);
    tree.check(LIMITS);
    assert!(!tree.path().join("limits.json").exists());
    assert!(tree.bless(LIMITS).codes.is_empty());
    let text = tree.get("limits.json");
    assert_eq!(
        text,
        "{\n  \"schema\": \"portcullis.contract.v1\",\n  \"surface\": \"limits\",\n  \"provider\": \"config_values\",\n  \"items\": [\n    { \"name\": \"limits.toml#/hosted/fail_pct\", \"is\": \"1.0\" }\n  ]\n}\n"
    );
    tree.put("limits.json", &text.replace("  \"items\"", "    \"items\""));
    assert_eq!(tree.check(LIMITS).codes, ["contract_drift"], "bytes are compared");
    tree.put("limits.toml", "[hosted]\nfail_pct = 2.0\n");
    tree.put("limits.json", &text);
    let seen = tree.check(LIMITS);
    let diff = seen.output.join("\n");
    assert!(diff.contains("--- limits.json") && diff.contains("@@ -6,1 +6,1 @@"), "{diff}");
    assert!(diff.contains("-    { \"name\"") && diff.contains("\"is\": \"2.0\""), "{diff}");
    assert_eq!(tree.get("limits.json"), text);
}

#[test]
fn values_drift_by_value_and_type_and_not_by_how_they_are_written() {
    let source =
        "# limits\n[hosted]\nfail_pct = 100.0\nlane = \"nightly\"\nlist = [1, 2]\n[other]\na = 1\n";
    let table: &[(&str, &str, &str, bool)] = &[
        ("a value", "100.0", "1000.0", true),
        ("a type", "100.0", "100", true),
        ("a value removed", "fail_pct = 100.0\n", "", true),
        ("the order of a list", "[1, 2]", "[2, 1]", true),
        ("a list cut", "[1, 2]", "[1]", true),
        ("the table renamed", "[hosted]", "[hostd]", true),
        ("a comment", "# limits", "# fail_pct = 1", false),
        ("spaces", "fail_pct = 100.0", "fail_pct    =   100.0", false),
        ("the same number", "100.0", "1e2", false),
        ("what is not selected", "a = 1", "a = 2", false),
        (
            "the order of keys",
            "fail_pct = 100.0\nlane = \"nightly\"",
            "lane = \"nightly\"\nfail_pct = 100.0",
            false,
        ),
    ];
    for (case, from, to, expected) in table {
        let tree = Tree::new(&[("limits.toml", source)]);
        assert!(tree.bless(LIMITS).codes.is_empty(), "{case}");
        let changed = source.replacen(from, to, 1);
        assert_ne!(changed, source, "{case}");
        tree.put("limits.toml", &changed);
        let seen = tree.check(LIMITS);
        assert_eq!(
            seen.codes.iter().any(|code| code == "contract_drift"),
            *expected,
            "{case}: {:?}",
            seen.messages
        );
        assert_eq!(seen.codes.is_empty(), !*expected, "{case}: {:?}", seen.messages);
    }
    let json = LIMITS.replace("limits.toml", "l.json").replace("limits.json", "s.json");
    let tree = Tree::new(&[("l.json", "{\"hosted\":{\"a/b\":1}}")]);
    assert!(tree.bless(&json).codes.is_empty());
    assert!(tree.get("s.json").contains("l.json#/hosted/a~1b"));
}

#[test]
fn sections_are_frozen_by_their_words() {
    let config = "[[surface]]\nid = 'policy'\nprovider = 'doc_section'\nsource = 'a.md'\nselect = ['Limits']\nsnapshot = 'a.json'";
    let source = "# Top\n## Limits\nAt most 5.\n### Why\nBecause.\n## Next\nOther.\n";
    let table: &[(&str, &str, &str, Option<&str>)] = &[
        ("a word", "At most 5", "At most 6", Some("contract_drift")),
        ("a word of a section inside", "Because", "So", Some("contract_drift")),
        ("a line break", "At most 5.", "At\nmost   5.", None),
        ("the section after", "Other", "Another", None),
        ("renamed", "## Limits", "## Limit", Some("section_missing")),
        ("twice", "## Next", "## Limits", Some("section_duplicate")),
        ("twice on another level", "### Why", "### Limits", Some("section_duplicate")),
        ("in a code block", "Other.", "```\n## Limits\n```", None),
    ];
    for (case, from, to, expected) in table {
        let tree = Tree::new(&[("a.md", source)]);
        assert!(tree.bless(config).codes.is_empty(), "{case}");
        tree.put("a.md", &source.replacen(from, to, 1));
        let seen = tree.check(config);
        assert_eq!(
            seen.codes.first().map(String::as_str),
            *expected,
            "{case}: {:?}",
            seen.messages
        );
    }
}

#[test]
fn schemas_are_frozen_without_their_prose() {
    let config = "[[surface]]\nid = 'schemas'\nprovider = 'json_schema'\nsource = ['s.schema.json']\nsnapshot = 's.json'";
    let source = r#"{"title":"T","properties":{"title":{"type":"string","description":"d","maxLength":5},"b":{"enum":["x","y"]}},"required":["title","b"]}"#;
    let table: &[(&str, &str, &str, bool)] = &[
        ("a limit", "\"maxLength\":5", "\"maxLength\":6", true),
        ("a type", "\"type\":\"string\"", "\"type\":\"number\"", true),
        ("a property renamed", "\"b\":{", "\"c\":{", true),
        (
            "a property called title removed",
            "\"title\":{\"type\":\"string\",\"description\":\"d\",\"maxLength\":5},",
            "",
            true,
        ),
        ("a value of an enumeration", "[\"x\",\"y\"]", "[\"x\"]", true),
        ("no longer required", "[\"title\",\"b\"]", "[\"title\"]", true),
        ("a description", "\"d\"", "\"other words\"", false),
        ("the title", "\"T\"", "\"U\"", false),
        ("the order of required", "[\"title\",\"b\"]", "[\"b\",\"title\"]", false),
        ("spaces", "{\"title\"", "{ \"title\"", false),
    ];
    for (case, from, to, expected) in table {
        let tree = Tree::new(&[("s.schema.json", source)]);
        assert!(tree.bless(config).codes.is_empty(), "{case}");
        let changed = source.replacen(from, to, 1);
        assert_ne!(changed, source, "{case}");
        tree.put("s.schema.json", &changed);
        let seen = tree.check(config);
        assert_eq!(
            seen.codes.iter().any(|code| code == "contract_drift"),
            *expected,
            "{case}: {:?}",
            seen.messages
        );
    }
}

#[test]
fn help_texts_are_frozen() {
    let main = |text: &str| format!("fn main() {{ println!(\"{{}}\", {text:?}); }}\n");
    let manifest =
        "[package]\nname = \"tool\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    let tree = Tree::new(&[
        ("Cargo.toml", manifest),
        ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"tool\"\nversion = \"0.1.0\"\n"),
        ("src/main.rs", &main("Usage: tool\n\nOptions:\n  --jobs <N>  How many [default: 1]\n")),
    ]);
    let config = "[[surface]]\nid = 'cli'\nprovider = 'cli_help'\nsource = 'Cargo.toml'\nsnapshot = 'cli.json'";
    let seen = tree.bless(config);
    assert!(seen.codes.is_empty() && seen.examined == 2, "{:?}", seen.messages);
    assert!(tree.get("cli.json").contains("Cargo.toml# --jobs"));
    tree.put(
        "src/main.rs",
        &main("Usage: tool\n\nOptions:\n  --jobs <N>  How many [default: 4]\n"),
    );
    assert_eq!(tree.check(config).codes, ["contract_drift"]);
    tree.put("src/main.rs", "fn main() { std::process::exit(1) }");
    assert_eq!(tree.check(config).code.as_deref(), Some("input_unreadable"));
}

#[test]
fn items_can_be_selected_by_name() {
    let config = format!("{API}\nselect = ['Limits']");
    let source = format!(
        "{SOURCE}impl Clone for Verdict {{ fn clone(&self) -> Self {{ todo!() }} }}\nimpl Copy for Limits {{}}\npub struct LimitsOther;\n"
    );
    let tree = Tree::new(&[("a.rs", &source)]);
    let seen = tree.bless(&config);
    assert!(seen.codes.is_empty(), "{:?}", seen.messages);
    let text = tree.get("contracts/a.json");
    let names: Vec<&str> = text.lines().filter_map(|line| line.split('"').nth(3)).skip(3).collect();
    assert_eq!(
        names,
        [
            "a.rs#Limits",
            "a.rs#Limits.high",
            "a.rs#Limits.low",
            "a.rs#Limits::judge",
            "a.rs#impl Copy for Limits"
        ]
    );
    let gone = tree.check(&format!("{API}\nselect = ['Limits', 'Gone']"));
    assert_eq!(gone.codes, ["selector_matches_nothing"]);
}

#[test]
fn what_cannot_be_read_never_passes() {
    type Files = &'static [(&'static str, &'static str)];
    let table: &[(&str, &str, Files, &str)] = &[
        ("no source", LIMITS, &[], "input_unreadable"),
        ("a source that is no TOML", LIMITS, &[("limits.toml", "a =")], "toml_invalid"),
        (
            "a snapshot that is none",
            LIMITS,
            &[("limits.toml", "[hosted]\na = 1\n"), ("limits.json", "{}")],
            "input_unreadable",
        ),
        (
            "a snapshot with a name twice",
            LIMITS,
            &[
                ("limits.toml", "[hosted]\na = 1\n"),
                (
                    "limits.json",
                    "{\"schema\":\"portcullis.contract.v1\",\"surface\":\"limits\",\"provider\":\"config_values\",\"items\":[{\"name\":\"a\",\"is\":\"1\"},{\"name\":\"a\",\"is\":\"1\"}]}",
                ),
            ],
            "input_unreadable",
        ),
        ("a source that is no Rust", API, &[("a.rs", "pub fn a( {}")], "input_unreadable"),
        ("items that are none", API, &[("a.rs", "pub fn 1() {}")], "input_unreadable"),
    ];
    for (case, config, files, code) in table {
        assert_eq!(
            run(&CONTRACT_FREEZE, config, files).error().map(|error| error.code.as_str()),
            Some(*code),
            "{case}"
        );
    }
}

#[test]
fn t12_nesting_is_no_bomb() {
    let table = [
        format!("pub const A: u8 = {}1{};", "(".repeat(50_000), ")".repeat(50_000)),
        format!("pub const A: bool = {}true;", "!".repeat(50_000)),
        format!("pub type A = {}u8{};", "A<".repeat(50_000), ">".repeat(50_000)),
    ];
    for text in &table {
        assert_eq!(
            run(&CONTRACT_FREEZE, API, &[("a.rs", text)]).code.as_deref(),
            Some("input_too_large")
        );
    }
}

#[test]
fn a_configuration_that_freezes_nothing_is_refused() {
    let table: &[(&str, String)] = &[
        ("no surface", "surface = []".to_owned()),
        ("an unknown provider", LIMITS.replace("config_values", "values")),
        ("no source", LIMITS.replace("'limits.toml'", "[]")),
        ("the snapshot as source", LIMITS.replace("limits.toml", "limits.json")),
        ("not a pointer", LIMITS.replace("/hosted", "hosted")),
        (
            "no section",
            LIMITS.replace("config_values", "doc_section").replace("select = ['/hosted']", ""),
        ),
        (
            "a decision that has no effect",
            format!("{LIMITS}\ngrowth = 'free'\nallow = [{{ name = 'a', decision = 'b' }}]"),
        ),
        (
            "a name twice",
            format!(
                "{LIMITS}\nallow = [{{ name = 'a', decision = 'b' }}, {{ name = 'a', decision = 'c' }}]"
            ),
        ),
        ("one id twice", format!("{LIMITS}\n{}", LIMITS.replace("limits.json", "x.json"))),
        (
            "one snapshot twice",
            format!("{LIMITS}\n{}", LIMITS.replace("id = 'limits'", "id = 'x'")),
        ),
        ("an unknown key", format!("{LIMITS}\ngrow = 'free'")),
    ];
    for (case, config) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((CONTRACT_FREEZE.prepare)(&table).is_err(), "{case}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&CONTRACT_FREEZE), Vec::<String>::new());
}
