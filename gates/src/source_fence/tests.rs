//! Tables over the source fence.

use super::{teeth::EXIT, *};
use portcullis::testing::run;

type Files<'a> = &'a [(&'a str, &'a str)];

#[test]
fn a_path_is_found_however_it_is_written() {
    let table: &[(&str, &str, bool)] = &[
        ("in full", "fn a() { std::process::exit(0) }", true),
        ("from the root", "fn a() { ::std::process::exit(0) }", true),
        ("imported", "use std::process::exit;\nfn a() { exit(0) }", true),
        ("a tree with self", "use std::{fs, process::{self}}; fn a() { process::exit(0) }", true),
        ("renamed", "use std::process::{ExitCode as C}; fn a() -> C { C::SUCCESS }", true),
        (
            "renamed twice",
            "use std::process as p; use p::ExitCode as C; fn a() -> C { C::SUCCESS }",
            true,
        ),
        ("a glob", "use std::process::*; fn a() { exit(0) }", true),
        ("a glob of the library", "use std::*; fn a() { process::exit(0) }", true),
        (
            "through an outer module",
            "use std::process::ExitCode; mod m { fn a() { super::ExitCode::SUCCESS; } }",
            true,
        ),
        ("through self", "use std::process::ExitCode; fn a() { self::ExitCode::SUCCESS; }", true),
        (
            "through a renamed library",
            "extern crate std as s; fn a() { s::process::exit(0) }",
            true,
        ),
        (
            "through a type alias",
            "type Done = std::process::ExitCode; fn a() -> Done { Done::SUCCESS }",
            true,
        ),
        ("qualified", "fn a() { <std::process::ExitCode>::SUCCESS; }", true),
        (
            "qualified by an import",
            "use std::process::ExitCode; fn a() { <ExitCode>::SUCCESS; }",
            true,
        ),
        ("as a value", "fn a() { let quit = std::process::exit; quit(0) }", true),
        ("in a macro call", "fn a() { assert!(true, \"{}\", std::process::exit(0)); }", true),
        ("in a macro definition", "macro_rules! m { () => { ::std::process::exit(0) } }", true),
        ("over two lines", "fn a() { std::\n  process::\n  exit(0) }", true),
        ("in a closure", "fn a() { || std::process::exit(0); }", true),
        ("raw names", "fn a() { r#std::process::r#exit(0) }", true),
        ("a comment", "// std::process::exit(0)\nfn a() {}", false),
        ("a doc comment", "/// std::process::exit(0)\nfn a() {}", false),
        ("a doc attribute", "#[doc = \"std::process::exit\"] fn a() {}", false),
        ("a text", "const A: &str = \"std::process::exit(0)\";", false),
        ("a raw text", "const A: &str = r##\"std::process::exit(0)\"##;", false),
        ("bytes", "const A: &[u8] = b\"std::process::exit(0)\";", false),
        ("a longer name", "fn a() { std::process::exit_all(0) }", false),
        ("a name that ends so", "use std::process::ExitCode; fn a() { ExitCode::FAILURE; }", false),
        ("another library", "use mine::process; fn a() { process::exit(0) }", false),
        ("a method", "fn a(p: P) { p.exit(0) }", false),
        ("a function of that name", "fn exit() {} fn a() { exit() }", false),
        ("below another path", "fn a() { mine::std::process::exit(0) }", false),
        ("imports in a circle", "use a::b; use b::a; fn c() { a::b::a::b() }", false),
    ];
    for (case, text, expected) in table {
        let seen = run(&SOURCE_FENCE, EXIT, &[("a.rs", text)]);
        assert_eq!(seen.codes.iter().any(|code| code == "forbidden_path"), *expected, "{case}");
        assert!(seen.codes.iter().all(|code| code == "forbidden_path"), "{case}: {:?}", seen.codes);
    }
}

#[test]
fn the_parts_of_the_library_are_one() {
    let config = EXIT.replace("std::process::exit", "std::mem::forget");
    for (text, expected) in [("core::mem::forget(a)", true), ("other::mem::forget(a)", false)] {
        let seen = run(&SOURCE_FENCE, &config, &[("a.rs", &format!("fn f() {{ {text} }}"))]);
        assert_eq!(!seen.codes.is_empty(), expected, "{text}");
    }
}

#[test]
fn what_a_file_brings_in_belongs_to_the_rule() {
    let config = EXIT.replace("**/*.rs", "src/**/*.rs");
    let bad = "fn a() { std::process::exit(0) }";
    let table: &[(&str, &str, Files<'_>, Option<&str>)] = &[
        (
            "a path",
            "#[path = \"../hidden/x.rs\"]\nmod x;",
            &[("hidden/x.rs", bad)],
            Some("forbidden_path"),
        ),
        (
            "a path behind a condition",
            "#[cfg_attr(unix, path = \"../hidden/x.rs\")]\nmod x;",
            &[("hidden/x.rs", bad)],
            Some("forbidden_path"),
        ),
        (
            "a path below an inline module",
            "mod m { #[path = \"../../hidden/x.rs\"] mod x; }",
            &[("hidden/x.rs", bad)],
            Some("forbidden_path"),
        ),
        (
            "an include",
            "include!(\"../hidden/x.rs\");",
            &[("hidden/x.rs", bad)],
            Some("forbidden_path"),
        ),
        (
            "a file that is not there",
            "#[path = \"../hidden/x.rs\"]\nmod x;",
            &[],
            Some("file_unparsed"),
        ),
        ("outside", "#[path = \"../../hidden/x.rs\"]\nmod x;", &[], Some("file_unparsed")),
        ("a file nobody brings in", "fn a() {}", &[("hidden/x.rs", bad)], None),
    ];
    for (case, text, others, expected) in table {
        let files: Vec<(&str, &str)> =
            [("src/lib.rs", *text)].into_iter().chain(others.iter().copied()).collect();
        let seen = run(&SOURCE_FENCE, &config, &files);
        assert_eq!(seen.code.as_deref(), *expected, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn tests_may_be_left_out_and_nothing_else() {
    let table: &[(&str, Files<'_>, bool)] = &[
        (
            "a test module",
            &[(
                "src/lib.rs",
                "fn b() {}\n#[cfg(test)]\nmod tests { fn a() { std::process::exit(0) } }",
            )],
            false,
        ),
        (
            "a test",
            &[("src/lib.rs", "fn b() {}\n#[test]\nfn a() { std::process::exit(0) }")],
            false,
        ),
        (
            "a test module in its own file",
            &[
                ("src/lib.rs", "#[cfg(test)]\nmod tests;\nfn b() {}"),
                ("src/tests.rs", "fn a() { std::process::exit(0) }"),
                ("src/tests/deep.rs", "fn a() { std::process::exit(0) }"),
            ],
            false,
        ),
        (
            "after a test module",
            &[("src/lib.rs", "#[cfg(test)]\nmod tests { }\nfn a() { std::process::exit(0) }")],
            true,
        ),
        (
            "not in tests",
            &[("src/lib.rs", "#[cfg(not(test))]\nfn a() { std::process::exit(0) }")],
            true,
        ),
        (
            "perhaps in tests",
            &[("src/lib.rs", "#[cfg(any(test, unix))]\nfn a() { std::process::exit(0) }")],
            true,
        ),
    ];
    for (case, files, expected) in table {
        let excluded = run(&SOURCE_FENCE, &format!("{EXIT}\ntests = 'exclude'"), files);
        assert_eq!(!excluded.codes.is_empty(), *expected, "{case}: {:?}", excluded.messages);
        assert!(!run(&SOURCE_FENCE, EXIT, files).codes.is_empty(), "{case}, included");
    }
}

#[test]
fn text_rules_are_for_files_that_are_not_rust() {
    let config = "[[rule]]\nid = 'r'\nfiles = ['*']\ntext = ['exit 0']\nadvice = 'let it fail'";
    let seen = run(&SOURCE_FENCE, config, &[("a.sh", "true\nexit 0\n"), ("a.rs", "// exit 0\n")]);
    assert_eq!(seen.codes, ["forbidden_text"]);
    assert_eq!(seen.looked.findings[0].location.as_ref().map(|at| at.line), Some(2));
    assert_eq!(seen.looked.findings[0].remedy, "let it fail");
    assert_eq!(
        run(&SOURCE_FENCE, config, &[("a.rs", "// exit 0\n")]).code.as_deref(),
        Some("nothing_examined")
    );
}

#[test]
fn a_rule_that_looks_at_nothing_is_an_error_beside_one_that_does() {
    let two = format!(
        "{EXIT}\n[[rule]]\nid = 'other'\nfiles = ['*.sh']\npaths = ['std::fs']\nadvice = 'no'"
    );
    let seen = run(&SOURCE_FENCE, &two, &[("a.rs", "fn a() {}"), ("a.sh", "true\n")]);
    assert_eq!(seen.code.as_deref(), Some("nothing_examined"));
    let one_glob = EXIT.replace("['**/*.rs']", "['**/*.rs', 'gone/*.rs']");
    let seen = run(&SOURCE_FENCE, &one_glob, &[("a.rs", "fn a() {}")]);
    assert_eq!(seen.code.as_deref(), Some("selector_matches_nothing"));
}

#[test]
fn an_exception_ends_on_its_day_and_holds_for_its_file_only() {
    use portcullis::testing::Bench;
    let bench = |now: &str| {
        Bench::new(&SOURCE_FENCE, super::teeth::EXCEPT)
            .file("env.rs", b"fn a() { std::env::var(\"A\"); }")
            .now(now)
            .run()
    };
    assert!(bench("2026-05-01T00:00:00Z").codes.is_empty());
    assert_eq!(bench("2026-06-30T23:59:59Z").codes, ["admission_expired"], "announced");
    assert_eq!(bench("2026-07-01T00:00:00Z").codes, ["forbidden_path", "admission_expired"]);
    let other = [
        ("env.rs", "fn a() { std::env::var(\"A\"); }"),
        ("b.rs", "fn a() { std::env::var(\"A\"); }"),
    ];
    assert_eq!(run(&SOURCE_FENCE, super::teeth::EXCEPT, &other).codes, ["forbidden_path"]);
}

#[test]
fn a_configuration_that_keeps_nothing_out_is_refused() {
    let table: &[(&str, &str)] = &[
        ("no rule", "rule = []"),
        ("nothing forbidden", "[[rule]]\nid = 'a'\nfiles = ['*.rs']\nadvice = 'x'"),
        ("no advice", "[[rule]]\nid = 'a'\nfiles = ['*.rs']\npaths = ['x']\nadvice = ' '"),
        ("not a path", "[[rule]]\nid = 'a'\nfiles = ['*.rs']\npaths = ['x.y']\nadvice = 'x'"),
        (
            "one id twice",
            "[[rule]]\nid = 'a'\nfiles = ['*.rs']\npaths = ['x']\nadvice = 'x'\n[[rule]]\nid = 'a'\nfiles = ['*.rs']\npaths = ['x']\nadvice = 'x'",
        ),
        (
            "a short reason",
            "[[rule]]\nid = 'a'\nfiles = ['*.rs']\npaths = ['x']\nadvice = 'x'\nexcept = [{ path = 'a', reason = 'why', expires = 2026-06-30 }]",
        ),
        (
            "no end",
            "[[rule]]\nid = 'a'\nfiles = ['*.rs']\npaths = ['x']\nadvice = 'x'\nexcept = [{ path = 'a', reason = 'twenty characters long' }]",
        ),
    ];
    for (case, config) in table {
        let table = GateTable::from_toml("gate", config).expect(case);
        assert!((SOURCE_FENCE.prepare)(&table).is_err(), "{case}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&SOURCE_FENCE), Vec::<String>::new());
}
