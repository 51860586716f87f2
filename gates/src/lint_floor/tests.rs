//! Tables over the lint floor.

use super::{teeth::ROOT, *};
use portcullis::{GateTable, testing::run};

const FLOOR: &str =
    "floor = { unused_must_use = 'deny', unsafe_code = 'forbid', 'clippy::exit' = 'deny' }";
const LEVELS: &str = "[workspace]\n\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\nunused_must_use = \"deny\"\n\n\
    [workspace.lints.clippy]\nexit = \"deny\"\n\n[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
    [lints]\nworkspace = true\n";

#[test]
fn levels_of_the_workspace_are_held_against_the_floor() {
    let table: &[(&str, &str, &str, &[&str])] = &[
        ("as it should be", "", "", &[]),
        ("a higher level", "unused_must_use = \"deny\"", "unused_must_use = \"forbid\"", &[]),
        (
            "the long form",
            "\"deny\"\n\n[workspace.lints.clippy]",
            "{ level = \"deny\", priority = 2 }\n\n[workspace.lints.clippy]",
            &[],
        ),
        (
            "a lower level",
            "unused_must_use = \"deny\"",
            "unused_must_use = \"warn\"",
            &["floor_lowered"],
        ),
        (
            "a lower level in the long form",
            "exit = \"deny\"",
            "exit = { level = \"allow\" }",
            &["floor_lowered"],
        ),
        ("deny for forbid", "\"forbid\"", "\"deny\"", &["floor_lowered"]),
        ("no level", "exit = \"deny\"", "", &["floor_missing"]),
        ("in a comment only", "exit = \"deny\"", "# exit = \"deny\"", &["floor_missing"]),
        (
            "a group above",
            "unsafe_code",
            "unused = { level = \"warn\", priority = 1 }\nunsafe_code",
            &["group_overrides_floor"],
        ),
        (
            "a group beside, which cargo hands over last",
            "unsafe_code",
            "unused = \"warn\"\nunsafe_code",
            &["group_overrides_floor"],
        ),
        (
            "a group below",
            "unsafe_code",
            "unused = { level = \"warn\", priority = -1 }\nunsafe_code",
            &[],
        ),
        (
            "a group above with the level",
            "unsafe_code",
            "unused = { level = \"deny\", priority = 1 }\nunsafe_code",
            &[],
        ),
        (
            "another group above",
            "unsafe_code",
            "nonstandard_style = { level = \"allow\", priority = 1 }\nunsafe_code",
            &[],
        ),
        (
            "a group of clippy above",
            "exit",
            "restriction = { level = \"allow\", priority = 1 }\nexit",
            &["group_overrides_floor"],
        ),
        (
            "another group of clippy",
            "exit",
            "pedantic = { level = \"allow\", priority = 1 }\nexit",
            &[],
        ),
    ];
    for (case, from, to, expected) in table {
        let manifest = LEVELS.replacen(from, to, usize::from(!from.is_empty()));
        let seen = run(&LINT_FLOOR, FLOOR, &[("Cargo.toml", &manifest), ("src/lib.rs", "")]);
        assert_eq!(seen.codes, *expected, "{case}: {:?}", seen.messages);
        assert!(seen.error().is_none(), "{case}: {:?}", seen.messages);
    }
}

#[test]
fn every_member_inherits() {
    let table: &[(&str, &str, bool)] = &[
        ("a table", "[lints]\nworkspace = true\n", false),
        ("inline", "lints = { workspace = true }\n", false),
        ("dotted", "lints.workspace = true\n", false),
        ("nothing", "", true),
        ("a comment", "# [lints]\n# workspace = true\n", true),
        ("levels of its own", "[lints.rust]\nunused_must_use = \"deny\"\n", true),
    ];
    for (case, lints, expected) in table {
        let (before, after) = if lints.starts_with('[') || lints.starts_with('#') {
            ("", *lints)
        } else {
            (*lints, "")
        };
        let member = format!(
            "{before}[package]\nname = \"inner\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{after}"
        );
        let root = LEVELS.replacen("[workspace]", "[workspace]\nmembers = [\"inner\"]", 1);
        let tree = [
            ("Cargo.toml", root.as_str()),
            ("src/lib.rs", ""),
            ("inner/Cargo.toml", &member),
            ("inner/src/lib.rs", ""),
        ];
        let seen = run(&LINT_FLOOR, FLOOR, &tree);
        assert_eq!(
            seen.codes.contains(&"member_not_inheriting".to_owned()),
            *expected,
            "{case}: {:?}",
            seen.messages
        );
        let exempt = format!(
            "{FLOOR}\nexempt_members = [{{ name = 'inner', reason = 'a generated crate of bindings', expires = 2026-09-30 }}]"
        );
        let seen = run(&LINT_FLOOR, &exempt, &tree);
        let code = if *expected { Vec::new() } else { vec!["admission_unused".to_owned()] };
        assert_eq!(seen.codes, code, "{case}, exempt");
    }
}

#[test]
fn no_source_lowers_a_lint_however_it_says_so() {
    let table: &[(&str, &str, bool)] = &[
        ("allow", "#[allow(unused_must_use)]\nfn a() {}", true),
        ("warn", "#[warn(unused_must_use)]\nfn a() {}", true),
        ("expect", "#[expect(unused_must_use, reason = \"x\")]\nfn a() {}", true),
        ("inner", "#![allow(unused_must_use)]", true),
        ("second of two", "#[allow(dead_code, unused_must_use)]\nfn a() {}", true),
        ("conditional", "#[cfg_attr(any(test, unix), allow(unused_must_use))]\nfn a() {}", true),
        (
            "twice conditional",
            "#[cfg_attr(unix, cfg_attr(test, expect(unused_must_use)))]\nfn a() {}",
            true,
        ),
        ("a group", "#[allow(unused)]\nfn a() {}", true),
        ("on a statement", "fn a() { #[allow(unused_must_use)] b(); }", true),
        ("in a macro", "macro_rules! m { () => { #[allow(unused_must_use)] fn a() {} } }", true),
        ("clippy", "#[allow(clippy::exit)]\nfn a() {}", true),
        ("a group of clippy", "#[allow(clippy::restriction)]\nfn a() {}", true),
        ("over lines", "#[allow(\n    unused_must_use,\n)]\nfn a() {}", true),
        ("deny", "#[deny(unused_must_use)]\nfn a() {}", false),
        ("another lint", "#[allow(dead_code)]\nfn a() {}", false),
        ("another group", "#[allow(clippy::pedantic)]\nfn a() {}", false),
        ("another group of rustc", "#[allow(nonstandard_style)]\nfn a() {}", false),
        ("warnings, which are no errors", "#[allow(warnings)]\nfn a() {}", false),
        ("a longer name", "#[allow(clippy::exit_code)]\nfn a() {}", false),
        ("a comment", "// #[allow(unused_must_use)]\nfn a() {}", false),
        ("a doc comment", "/// #[allow(unused_must_use)]\nfn a() {}", false),
        ("a text", "const A: &str = \"#[allow(unused_must_use)]\";", false),
        (
            "a reason that names it",
            "#[allow(dead_code, reason = \"unused_must_use\")]\nfn a() {}",
            false,
        ),
    ];
    for (case, text, expected) in table {
        let seen = run(&LINT_FLOOR, FLOOR, &[("Cargo.toml", LEVELS), ("src/lib.rs", text)]);
        assert_eq!(
            seen.codes.contains(&"lint_suppressed".to_owned()),
            *expected,
            "{case}: {:?}",
            seen.messages
        );
        assert!(seen.error().is_none(), "{case}: {:?}", seen.messages);
    }
    let warned = run(
        &LINT_FLOOR,
        "floor = { unused_must_use = 'warn' }",
        &[("Cargo.toml", ROOT), ("src/lib.rs", "#![allow(warnings)]")],
    );
    assert_eq!(warned.codes, ["lint_suppressed"], "a floor of warnings falls with them");
}

#[test]
fn every_target_of_a_member_is_read() {
    let bad = "#[allow(unused_must_use)]\nfn main() {}\n";
    for path in
        ["tests/a.rs", "benches/a.rs", "examples/a.rs", "build.rs", "src/main.rs", "src/bin/b.rs"]
    {
        let seen =
            run(&LINT_FLOOR, FLOOR, &[("Cargo.toml", LEVELS), ("src/lib.rs", ""), (path, bad)]);
        assert_eq!(seen.codes, ["lint_suppressed"], "{path}");
    }
    let deep: &[(&str, &[(&str, &str)])] = &[
        ("a module", &[("src/lib.rs", "mod a;"), ("src/a.rs", bad)]),
        (
            "a module elsewhere",
            &[("src/lib.rs", "#[path = \"../x/a.rs\"] mod a;"), ("x/a.rs", bad)],
        ),
        ("an include", &[("src/lib.rs", "include!(\"../x/a.rs\");"), ("x/a.rs", bad)]),
    ];
    for (case, files) in deep {
        let tree: Vec<(&str, &str)> =
            [("Cargo.toml", LEVELS)].into_iter().chain(files.iter().copied()).collect();
        assert_eq!(run(&LINT_FLOOR, FLOOR, &tree).codes, ["lint_suppressed"], "{case}");
    }
    let outside = run(
        &LINT_FLOOR,
        FLOOR,
        &[("Cargo.toml", LEVELS), ("src/lib.rs", ""), ("fixtures/a.rs", bad)],
    );
    assert!(outside.codes.is_empty(), "nothing is built from it");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row per spelling")]
fn no_flag_lowers_a_lint_wherever_it_stands() {
    let step = |run: &str| {
        format!(
            "on: push\njobs:\n  lint:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          {}\n",
            run.replace('\n', "\n          ")
        )
    };
    let ci = ".github/workflows/ci.yml";
    let env = |at: &str, value: &str| {
        let text = "on: push\nENV0jobs:\n  lint:\n    runs-on: ubuntu-24.04\nENV1    steps:\n      - run: cargo build\nENV2";
        let indent = match at {
            "ENV0" => "",
            "ENV1" => "    ",
            _ => "        ",
        };
        let with = text.replace(at, &format!("{indent}env:\n{indent}  {value}\n"));
        with.replace("ENV0", "").replace("ENV1", "").replace("ENV2", "")
    };
    let table: &[(&str, &str, String, Option<&str>)] = &[
        (
            "of the workflow",
            ci,
            env("ENV0", "RUSTFLAGS: -A unused_must_use"),
            Some("command_line_lower"),
        ),
        (
            "of the job",
            ci,
            env("ENV1", "CARGO_BUILD_RUSTFLAGS: --allow=unused-must-use"),
            Some("command_line_lower"),
        ),
        (
            "of the step",
            ci,
            env("ENV2", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS: --cap-lints warn"),
            Some("cap_lints"),
        ),
        ("capped", ci, env("ENV1", "RUSTFLAGS: -D warnings --cap-lints=allow"), Some("cap_lints")),
        ("denied warnings", ci, env("ENV0", "RUSTFLAGS: -D warnings"), None),
        ("another lint", ci, env("ENV0", "RUSTFLAGS: -A dead_code"), None),
        ("another variable", ci, env("ENV0", "NOTE: -A unused_must_use"), None),
        (
            "behind the dashes",
            ci,
            step("cargo clippy --all-targets -- -A clippy::exit"),
            Some("command_line_lower"),
        ),
        ("attached", ci, step("cargo clippy -- -Aclippy::exit"), Some("command_line_lower")),
        (
            "warn of a denied lint",
            ci,
            step("cargo clippy -- -W clippy::exit"),
            Some("command_line_lower"),
        ),
        (
            "forced to warn",
            ci,
            step("cargo clippy -- --force-warn unused_must_use"),
            Some("command_line_lower"),
        ),
        (
            "a group",
            ci,
            step("cargo clippy -- -D warnings --allow unused"),
            Some("command_line_lower"),
        ),
        (
            "before the command",
            ci,
            step("RUSTFLAGS='-A unused_must_use' cargo build"),
            Some("command_line_lower"),
        ),
        ("exported", ci, step("export RUSTFLAGS=--cap-lints=warn\ncargo build"), Some("cap_lints")),
        (
            "for later steps",
            ci,
            step("echo \"RUSTFLAGS=-A unused_must_use\" >> \"$GITHUB_ENV\""),
            Some("command_line_lower"),
        ),
        (
            "through env",
            ci,
            step("env RUSTFLAGS='-A unsafe_code' cargo build"),
            Some("command_line_lower"),
        ),
        (
            "in another shell",
            ci,
            step("bash -c 'cargo rustc -- -A unused_must_use'"),
            Some("command_line_lower"),
        ),
        (
            "a toolchain named",
            ci,
            step("cargo +nightly clippy -- -A unused_must_use"),
            Some("command_line_lower"),
        ),
        ("the compiler itself", ci, step("rustc --cap-lints allow a.rs"), Some("cap_lints")),
        (
            "configured",
            ci,
            step("cargo --config 'build.rustflags=[\"-A\", \"unused_must_use\"]' build"),
            Some("command_line_lower"),
        ),
        (
            "configured with a sign",
            ci,
            step("cargo build --config='target.x.rustflags=[\"-Aunused_must_use\"]'"),
            Some("command_line_lower"),
        ),
        ("for the tests themselves", ci, step("cargo test -- -A unused_must_use"), None),
        ("said only", ci, step("echo cargo clippy -- -A unused_must_use"), None),
        ("in a comment", ci, step("# cargo clippy -- -A unused_must_use\ncargo clippy"), None),
        ("denied", ci, step("cargo clippy -- -D unused_must_use -F unsafe_code"), None),
        (
            "of the configuration",
            ".cargo/config.toml",
            "[target.'cfg(unix)']\nrustflags = \"-A unused_must_use\"\n".to_owned(),
            Some("command_line_lower"),
        ),
        (
            "of the build table",
            ".cargo/config.toml",
            "[build]\nrustflags = [\"-Aunused_must_use\"]\n".to_owned(),
            Some("command_line_lower"),
        ),
        (
            "of a variable",
            ".cargo/config.toml",
            "[env]\nRUSTFLAGS = { value = \"--cap-lints warn\", force = true }\n".to_owned(),
            Some("cap_lints"),
        ),
        (
            "of an alias",
            ".cargo/config.toml",
            "[alias]\nlint = \"clippy -- -A clippy::exit\"\n".to_owned(),
            Some("command_line_lower"),
        ),
        (
            "of an alias as a list",
            ".cargo/config.toml",
            "[alias]\nlint = [\"clippy\", \"--\", \"-A\", \"clippy::exit\"]\n".to_owned(),
            Some("command_line_lower"),
        ),
        (
            "a comment of the configuration",
            ".cargo/config.toml",
            "# rustflags = [\"--cap-lints\", \"warn\"]\n[alias]\na = \"run\"\n".to_owned(),
            None,
        ),
        (
            "a recipe",
            "justfile",
            "lint:\n    cargo clippy \\\n      -- -A clippy::exit\n".to_owned(),
            Some("command_line_lower"),
        ),
        (
            "a quiet recipe",
            "justfile",
            "lint:\n    @cargo clippy -- -A clippy::exit\n".to_owned(),
            Some("command_line_lower"),
        ),
        (
            "a variable of recipes",
            "justfile",
            "export RUSTFLAGS := \"-A unused_must_use\"\n".to_owned(),
            Some("command_line_lower"),
        ),
        (
            "a makefile",
            "Makefile",
            "lint:\n\tRUSTFLAGS=\"--cap-lints warn\" cargo build && cargo test\n".to_owned(),
            Some("cap_lints"),
        ),
        (
            "a variable of a makefile",
            "Makefile",
            "export RUSTFLAGS = -A unused_must_use\n".to_owned(),
            Some("command_line_lower"),
        ),
        (
            "a harmless recipe",
            "justfile",
            "# -A unused_must_use\nlint:\n    cargo clippy -- -D warnings\n".to_owned(),
            None,
        ),
    ];
    for (case, path, text, expected) in table {
        let seen =
            run(&LINT_FLOOR, FLOOR, &[("Cargo.toml", LEVELS), ("src/lib.rs", ""), (path, text)]);
        assert_eq!(
            seen.codes.first().map(String::as_str),
            *expected,
            "{case}: {:?} in\n{text}",
            seen.messages
        );
        assert_eq!(
            seen.codes.len(),
            usize::from(expected.is_some()),
            "{case}: {:?}",
            seen.messages
        );
        assert!(seen.error().is_none(), "{case}: {:?}", seen.messages);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row per spelling")]
fn a_plant_proves_the_level_differentially() {
    let plant = |lint: &str, level: &str| {
        format!(
            "floor = {{ '{lint}' = '{level}' }}\nplants = [{{ lint = '{lint}', source = 'plant.rs' }}]"
        )
    };
    let must_use = "pub fn a() { b(); }\nfn b() -> Result<(), ()> { Ok(()) }\n";
    let table: &[(&str, String, String, &str, Option<&str>)] = &[
        ("denied", plant("unused_must_use", "deny"), LEVELS.to_owned(), must_use, None),
        (
            "forbidden",
            plant("unsafe_code", "forbid"),
            LEVELS.to_owned(),
            "pub fn a() { unsafe {} }\n",
            None,
        ),
        (
            "clippy",
            plant("clippy::exit", "deny"),
            LEVELS.to_owned(),
            "pub fn a() { std::process::exit(1) }\n",
            None,
        ),
        (
            "a hard error",
            plant("unused_must_use", "deny"),
            LEVELS.to_owned(),
            "pub fn a(b: bool) { match b { true => {} } }\n",
            Some("plant_not_red"),
        ),
        (
            "a hard error beside it",
            plant("unused_must_use", "deny"),
            LEVELS.to_owned(),
            &format!("{must_use}pub fn c() {{ d(); }}\n"),
            Some("plant_not_red"),
        ),
        (
            "no fault",
            plant("unused_must_use", "deny"),
            LEVELS.to_owned(),
            "pub fn a() {}\n",
            Some("plant_not_red"),
        ),
        (
            "not Rust",
            plant("unused_must_use", "deny"),
            LEVELS.to_owned(),
            "pub fn",
            Some("plant_not_red"),
        ),
        (
            "the control off",
            plant("unused_must_use", "deny"),
            LEVELS.replace("unused_must_use = \"deny\"", "unused_must_use = \"allow\""),
            must_use,
            Some("floor_lowered"),
        ),
    ]
    .map(|(case, config, manifest, source, expected)| {
        (case, config, manifest, source.to_owned().leak() as &str, expected)
    });
    for (case, config, manifest, source, expected) in table {
        let seen = run(
            &LINT_FLOOR,
            config,
            &[("Cargo.toml", manifest), ("src/lib.rs", ""), ("plant.rs", source)],
        );
        assert_eq!(seen.codes.first().map(String::as_str), *expected, "{case}: {:?}", seen.looked);
        if *case == "the control off" {
            assert_eq!(
                seen.codes,
                ["floor_lowered", "plant_not_red"],
                "green with the control off"
            );
        }
    }
    let by_config = run(
        &LINT_FLOOR,
        &plant("unused_must_use", "deny"),
        &[
            ("Cargo.toml", LEVELS),
            ("src/lib.rs", ""),
            ("plant.rs", must_use),
            (".cargo/config.toml", "[build]\nrustflags = [\"-Aunused_must_use\"]\n"),
        ],
    );
    assert_eq!(
        by_config.codes,
        ["command_line_lower", "plant_not_red"],
        "cargo's configuration holds for plants"
    );
}

#[test]
fn what_is_named_must_exist() {
    let seen = run(
        &LINT_FLOOR,
        &format!("{FLOOR}\nenv_files = ['justfile']"),
        &[("Cargo.toml", LEVELS), ("src/lib.rs", "")],
    );
    assert_eq!(seen.codes, ["selector_matches_nothing"]);
    let seen = run(&LINT_FLOOR, FLOOR, &[("src/lib.rs", "")]);
    assert_eq!(seen.error().map(|error| error.code.as_str()), Some("command_failed"));
}

#[test]
fn a_configuration_that_holds_nothing_is_refused() {
    let table: &[(&str, &str)] = &[
        ("no lint", "floor = {}"),
        ("a level below", "floor = { dead_code = 'allow' }"),
        ("no level", "floor = { dead_code = 'no' }"),
        ("no name", "floor = { 'dead code' = 'deny' }"),
        (
            "a plant for another lint",
            "floor = { dead_code = 'deny' }\nplants = [{ lint = 'unsafe_code', source = 'a.rs' }]",
        ),
        (
            "a site for another lint",
            "floor = { dead_code = 'deny' }\nsites = [{ path = 'a.rs', lint = 'x', reason = 'twenty characters long', expires = 2026-06-30 }]",
        ),
        (
            "a short reason",
            "floor = { dead_code = 'deny' }\nsites = [{ path = 'a.rs', lint = 'dead_code', reason = 'why', expires = 2026-06-30 }]",
        ),
        ("an unknown key", "floor = { dead_code = 'deny' }\nfloors = 1"),
    ];
    for (case, config) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((LINT_FLOOR.prepare)(&table).is_err(), "{case}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&LINT_FLOOR), Vec::<String>::new());
}
