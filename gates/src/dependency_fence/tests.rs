//! Tables over the dependency fence.

use super::{
    teeth::{ADMIT, TREE},
    *,
};
use portcullis::{GateTable, testing::run};

/// The tree of the teeth with one file changed.
fn with(path: &str, from: &str, to: &str) -> Vec<(&'static str, String)> {
    let mut is_changed = false;
    let change = |(name, text): &(&'static str, &'static str)| {
        let text = if *name == path {
            is_changed = text.contains(from);
            text.replacen(from, to, 1)
        } else {
            (*text).to_owned()
        };
        (*name, text)
    };
    let tree = TREE.iter().map(change).collect();
    assert!(is_changed, "`{path}` has no `{from}`");
    tree
}

fn look(config: &str, tree: &[(&'static str, String)]) -> portcullis::testing::Seen {
    let tree: Vec<(&str, &str)> = tree.iter().map(|(name, text)| (*name, text.as_str())).collect();
    run(&DEPENDENCY_FENCE, config, &tree)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row per spelling")]
fn an_edge_is_found_wherever_and_however_it_is_declared() {
    let deny = "resolve = 'manifest'\n[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['reqwest', 'openssl-sys']";
    let table: &[(&str, &str, &str, bool)] = &[
        ("plain", "[dependencies]", "[dependencies]\nreqwest = \"0.12\"", true),
        (
            "renamed",
            "[dependencies]",
            "[dependencies]\nhttp = { package = \"reqwest\", version = \"0.12\" }",
            true,
        ),
        (
            "optional",
            "[dependencies]",
            "[dependencies]\nreqwest = { version = \"0.12\", optional = true }",
            true,
        ),
        (
            "for one target",
            "[workspace]",
            "[target.'cfg(windows)'.dependencies]\nreqwest = \"0.12\"\n[workspace]",
            true,
        ),
        (
            "of the build script",
            "[workspace]",
            "[build-dependencies]\nreqwest = \"0.12\"\n[workspace]",
            true,
        ),
        (
            "inherited",
            "[workspace]",
            "[build-dependencies]\nreqwest = { workspace = true }\n[workspace]\n[workspace.dependencies]\nreqwest = \"0.12\"",
            true,
        ),
        (
            "as a table",
            "[workspace]",
            "[dependencies.reqwest]\nversion = \"0.12\"\n[workspace]",
            true,
        ),
        (
            "with an underscore",
            "[dependencies]",
            "[dependencies]\nopenssl_sys = { package = \"openssl-sys\", version = \"0.9\" }",
            true,
        ),
        ("for tests only", "[dev-dependencies]", "[dev-dependencies]\nreqwest = \"0.12\"", false),
        ("in a comment", "[dependencies]", "# reqwest = \"0.12\"\n[dependencies]", false),
        (
            "as part of a longer name",
            "[dependencies]",
            "[dependencies]\nreqwest-middleware = \"0.4\"",
            false,
        ),
        (
            "as an alias of another",
            "[dependencies]",
            "[dependencies]\nreqwest = { package = \"tiny-http\", version = \"0.12\" }",
            false,
        ),
        (
            "only known to the workspace",
            "[workspace]",
            "[workspace]\n[workspace.dependencies]\nreqwest = \"0.12\"",
            false,
        ),
    ];
    for (case, from, to, expected) in table {
        let seen = look(deny, &with("Cargo.toml", from, to));
        assert_eq!(
            seen.codes.iter().any(|code| code == "denied_dependency"),
            *expected,
            "{case}: {:?} {:?}",
            seen.code,
            seen.messages
        );
        if *expected {
            let at = seen.looked.findings[0].location.clone().expect("a place");
            assert!(at.path == "Cargo.toml" && at.line > 1, "{case}: {at:?}");
        }
    }
    let behind = with("middle/Cargo.toml", "[dependencies]", "[dependencies]\nreqwest = \"0.12\"");
    let seen = look(deny, &behind);
    assert_eq!(seen.looked.findings[0].found.as_deref(), Some("app -> middle -> reqwest"));
}

#[test]
fn kinds_say_which_edges_count() {
    let table: &[(&str, &str, &str, bool)] = &[
        ("a normal edge", "['normal']", "net-stack", true),
        ("a normal edge, asked for build", "['build']", "net-stack", false),
        ("a helper of tests", "['normal', 'build']", "helper", false),
        ("a helper of tests, asked for", "['dev']", "helper", true),
        ("a normal edge, asked for dev", "['dev']", "middle", false),
    ];
    for resolve in ["graph", "manifest"] {
        for (case, kinds, deny, expected) in table {
            let config = format!(
                "resolve = '{resolve}'\n[[fence]]\nid = 'f'\nroots = ['app']\nkinds = {kinds}\ndeny = ['{deny}']"
            );
            let seen = run(&DEPENDENCY_FENCE, &config, TREE);
            assert_eq!(!seen.codes.is_empty(), *expected, "{resolve}, {case}: {:?}", seen.messages);
        }
    }
}

#[test]
fn what_a_helper_of_tests_brings_counts_under_dev_and_its_own_helpers_never() {
    let chained = |table: &str| {
        let mut tree = with(
            "helper/Cargo.toml",
            "edition = \"2021\"\n",
            &format!("edition = \"2021\"\n[{table}]\nnet-stack = {{ path = \"../net\" }}\n"),
        );
        for (name, text) in &mut tree {
            if *name == "Cargo.lock" {
                let old = "name = \"helper\"\nversion = \"0.1.0\"\n";
                *text = text.replace(old, &format!("{old}dependencies = [\n \"net-stack\",\n]\n"));
            }
        }
        tree
    };
    let config = "[[fence]]\nid = 'f'\nroots = ['app']\nkinds = ['dev']\ndeny = ['net-stack']";
    assert_eq!(look(config, &chained("dependencies")).codes, ["denied_dependency"]);
    let inner = look(config, &chained("dev-dependencies"));
    assert!(inner.codes.is_empty(), "{:?}", inner.messages);
}

#[test]
fn features_and_targets_narrow_the_walk() {
    let optional = with(
        "Cargo.toml",
        "middle = { path = \"middle\" }",
        "middle = { path = \"middle\", optional = true }",
    );
    let table: &[(&str, &str, bool)] = &[
        ("all features", "", true),
        ("default features", "features = 'default'", false),
        ("a list without it", "features = []", false),
        ("a list with it", "features = ['middle']", true),
    ];
    for resolve in ["graph", "manifest"] {
        for (case, line, expected) in table {
            let config = format!(
                "resolve = '{resolve}'\n[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['net-stack', 'middle']\n{line}"
            );
            let seen = look(&config, &optional);
            assert_eq!(!seen.codes.is_empty(), *expected, "{resolve}, {case}: {:?}", seen.messages);
        }
    }
    let windows = with("Cargo.toml", "[dependencies]", "[target.'cfg(windows)'.dependencies]");
    for (target, expected) in
        [("x86_64-pc-windows-msvc", true), ("x86_64-unknown-linux-gnu", false)]
    {
        let config = format!(
            "[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['net-stack']\ntargets = ['{target}']"
        );
        let seen = look(&config, &windows);
        assert_eq!(!seen.codes.is_empty(), expected, "{target}: {:?}", seen.messages);
    }
}

#[test]
fn the_number_of_packages_may_be_reached_and_not_passed() {
    for (max, expected) in [(3, false), (2, true)] {
        let config = format!("[[fence]]\nid = 'f'\nroots = ['app']\nmax_crates = {max}");
        let seen = run(&DEPENDENCY_FENCE, &config, TREE);
        assert_eq!(seen.codes.contains(&"too_many_crates".to_owned()), expected, "{max}");
        assert_eq!(
            seen.looked.findings.first().and_then(|one| one.found.clone()),
            expected.then(|| "3".to_owned())
        );
    }
}

#[test]
fn a_finding_shows_the_way_to_the_package() {
    let seen =
        run(&DEPENDENCY_FENCE, "[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['net-stack']", TREE);
    assert_eq!(seen.looked.findings.len(), 1, "one edge, one finding: {:?}", seen.messages);
    assert_eq!(seen.looked.findings[0].found.as_deref(), Some("app -> middle -> net-stack"));
    assert_eq!(
        seen.looked.findings[0].location.as_ref().map(|at| at.path.as_str()),
        Some("middle/Cargo.toml")
    );
}

#[test]
fn a_build_dependency_that_compiles_c_is_native() {
    let mut tree = with(
        "net/Cargo.toml",
        "links = \"net\"\nbuild = \"build.rs\"\n",
        "build = \"build.rs\"\n[build-dependencies]\ncc = { path = \"../helper\", package = \"cc\" }\n",
    );
    for (name, text) in &mut tree {
        *text = match *name {
            "helper/Cargo.toml" => text.replace("\"helper\"", "\"cc\""),
            "Cargo.toml" => text.replace("helper = {", "cc = {"),
            "Cargo.lock" => "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"cc\",\n \"middle\",\n]\n\n[[package]]\nname = \"cc\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"middle\"\nversion = \"0.1.0\"\ndependencies = [\n \"net-stack\",\n]\n\n[[package]]\nname = \"net-stack\"\nversion = \"0.1.0\"\ndependencies = [\n \"cc\",\n]\n".to_owned(),
            _ => continue,
        };
    }
    let seen = look("[[fence]]\nid = 'f'\nroots = ['app']\nforbid_native = true", &tree);
    assert_eq!(seen.codes, ["native_code"], "{:?}", seen.messages);
    let pure = with("net/Cargo.toml", "links = \"net\"\n", "");
    let seen = look("[[fence]]\nid = 'f'\nroots = ['app']\nforbid_native = true", &pure);
    assert!(seen.codes.is_empty(), "{:?}", seen.messages);
}

#[test]
fn an_admission_lets_one_edge_through() {
    let at = |via: &str| {
        ADMIT
            .replace("via = 'middle'", &format!("via = '{via}'"))
            .replace("2026-06-30", "2026-09-30")
    };
    assert!(run(&DEPENDENCY_FENCE, &at("middle"), TREE).codes.is_empty());
    assert_eq!(
        run(&DEPENDENCY_FENCE, &at("app"), TREE).codes,
        ["denied_dependency", "admission_unused"]
    );
}

#[test]
fn a_denied_requirement_is_found_although_cargo_resolves_nothing() {
    let tree = with("Cargo.toml", "[dependencies]", "[dependencies]\nreqwest = \"0.12\"");
    let seen = look("[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['reqwest']", &tree);
    assert_eq!(seen.codes, ["denied_dependency", "metadata_failed"]);
    // Whichever fence denies it: the one before has no graph for the same reason, and it is said once.
    let behind = "[[fence]]\nid = 'e'\nroots = ['app']\ndeny = ['ureq']\n[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['reqwest']\nfeatures = 'default'\n";
    assert_eq!(look(behind, &tree).codes, ["denied_dependency", "metadata_failed"]);
    let seen = look("[[fence]]\nid = 'f'\nroots = ['app']\ndeny = ['ureq']", &tree);
    assert_eq!(seen.error().map(|error| error.code.as_str()), Some("metadata_failed"));
}

#[test]
fn a_configuration_that_keeps_nothing_out_is_refused() {
    let table: &[(&str, &str)] = &[
        ("no fence", "fence = []"),
        ("nothing denied", "[[fence]]\nid = 'a'"),
        ("a limit of 0", "[[fence]]\nid = 'a'\nmax_crates = 0"),
        ("no kind", "[[fence]]\nid = 'a'\ndeny = ['x']\nkinds = []"),
        ("no root", "[[fence]]\nid = 'a'\ndeny = ['x']\nroots = []"),
        ("one id twice", "[[fence]]\nid = 'a'\ndeny = ['x']\n[[fence]]\nid = 'a'\ndeny = ['y']"),
        ("one name twice", "[[fence]]\nid = 'a'\ndeny = ['x-y', 'x_y']"),
        ("no target", "[[fence]]\nid = 'a'\ndeny = ['x']\ntargets = []"),
        ("an unknown word", "[[fence]]\nid = 'a'\ndeny = ['x']\nfeatures = 'some'"),
        ("a count without a graph", "resolve = 'manifest'\n[[fence]]\nid = 'a'\nmax_crates = 3"),
        ("an unknown key", "[[fence]]\nid = 'a'\ndeny = ['x']\nroot = ['a']"),
        (
            "a short reason",
            "[[fence]]\nid = 'a'\ndeny = ['x']\nadmit = [{ crate = 'x', via = 'y', reason = 'why', expires = 2026-06-30 }]",
        ),
    ];
    for (case, config) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((DEPENDENCY_FENCE.prepare)(&table).is_err(), "{case}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&DEPENDENCY_FENCE), Vec::<String>::new());
}
