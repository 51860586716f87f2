//! The known-good and known-bad trees of the kind.

use super::{
    ADMISSION_EXPIRED, ADMISSION_UNUSED, FILE_UNPARSED, FORBIDDEN_ATTRIBUTE, FORBIDDEN_MACRO,
    FORBIDDEN_PATH, FORBIDDEN_TEXT, SELECTOR_MATCHES_NOTHING,
};
use portcullis::Tooth;

pub(super) const EXIT: &str = "[[rule]]\nid = 'verdict_is_returned'\nfiles = ['**/*.rs']\n\
    paths = ['std::process::exit', 'std::process::ExitCode::SUCCESS']\n\
    advice = 'end the process with the verdict'";
pub(super) const EXCEPT: &str = "[[rule]]\nid = 'one_reader'\nfiles = ['**/*.rs']\npaths = ['std::env::var']\n\
    except = [{ path = 'env.rs', reason = 'the one reader of the environment', expires = 2026-06-30 }]\n\
    advice = 'ask the environment snapshot'";
const MACROS: &str = "[[rule]]\nid = 'r'\nfiles = ['**/*.rs']\nmacros = ['dbg']\nattributes = ['ignore']\nadvice = 'remove it'";
const TEXT: &str =
    "[[rule]]\nid = 'r'\nfiles = ['*.sh']\ntext = ['\\|\\| true']\nadvice = 'let it fail'";
const READER: &[(&str, &str)] =
    &[("env.rs", "fn a() { std::env::var(\"A\"); }\n"), ("a.rs", "fn a() {}\n")];

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "the_name_is_only_talked_about",
        EXIT,
        &[(
            "a.rs",
            "//! std::process::exit(0)\n/* std::process::exit(0) */\n\
             fn a() { r#\"std::process::exit(0)\"#; std::process::exit_code(); std::process::id(); }\n",
        )],
    ),
    Tooth::known_good("the_one_file_that_may", EXCEPT, READER),
    Tooth::known_bad(
        "a_renamed_module",
        FORBIDDEN_PATH,
        EXIT,
        &[("a.rs", "use std::process as p;\nfn a() { p::exit(0) }\n")],
    ),
    Tooth::known_bad(
        "an_imported_type",
        FORBIDDEN_PATH,
        EXIT,
        &[("a.rs", "use std::process::ExitCode;\nfn a() -> ExitCode { ExitCode::SUCCESS }\n")],
    ),
    Tooth::known_bad(
        "inside_a_macro_call",
        FORBIDDEN_PATH,
        EXIT,
        &[("a.rs", "fn a() { vec![std::process::exit(0)]; }\n")],
    ),
    Tooth::known_bad("a_macro_call", FORBIDDEN_MACRO, MACROS, &[("a.rs", "fn a() { dbg!(1); }\n")]),
    Tooth::known_bad(
        "an_attribute_behind_a_condition",
        FORBIDDEN_ATTRIBUTE,
        MACROS,
        &[("a.rs", "#[cfg_attr(unix, ignore)]\nfn a() {}\n")],
    ),
    Tooth::known_bad("a_line_of_a_script", FORBIDDEN_TEXT, TEXT, &[("a.sh", "make || true\n")]),
    Tooth::known_bad("not_rust", FILE_UNPARSED, EXIT, &[("a.rs", "fn a() {\n")]),
    Tooth::known_bad(
        "a_glob_without_files",
        SELECTOR_MATCHES_NOTHING,
        TEXT,
        &[("a.rs", "fn a() {}\n")],
    ),
    Tooth::known_bad(
        "an_exception_for_nothing",
        ADMISSION_UNUSED,
        EXCEPT,
        &[("env.rs", "fn a() {}\n")],
    ),
    Tooth::known_bad("an_exception_past_its_day", ADMISSION_EXPIRED, EXCEPT, READER)
        .at("2026-07-01T00:00:00Z"),
];
