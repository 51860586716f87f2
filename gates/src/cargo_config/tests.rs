//! Tables over the fence.

use super::*;
use portcullis::testing::run;

#[test]
fn every_redirection_is_found_on_every_level() {
    let table: &[(&str, &str, &str, &[&str])] = &[
        (
            "the old file name",
            ".cargo/config",
            "[alias]\nportcullis = 'x'\n",
            &["cargo_alias_shadow"],
        ),
        ("a dotted key", ".cargo/config.toml", "alias.nextest = 'x'\n", &["cargo_alias_shadow"]),
        ("a named folder", "a/b/.cargo/config.toml", "[env]\nCI = '1'\n", &["cargo_env_override"]),
        ("a folder between", "a/.cargo/config.toml", "[env]\nCI = '1'\n", &["cargo_env_override"]),
        ("a folder nobody starts cargo in", "c/.cargo/config.toml", "[env]\nCI = '1'\n", &[]),
        ("fg22 a run id", FILE, "[env]\nPORTCULLIS_RUN_ID = 'x'\n", &["cargo_env_override"]),
        ("fg22 in another case", FILE, "[env]\nportcullis_now = 'x'\n", &["cargo_env_override"]),
        (
            "fg20 a runner by triple",
            FILE,
            "[target.x86_64-unknown-linux-gnu]\nrunner = ['a', 'b']\n",
            &["cargo_runner_override"],
        ),
        (
            "two at once",
            FILE,
            "[alias]\nportcullis = 'x'\n[build]\nrustc = 'y'\n",
            &["cargo_alias_shadow", "cargo_wrapper_override"],
        ),
    ];
    for (case, path, text, expected) in table {
        let seen = run(&CARGO_CONFIG, "folders = ['a/b']", &[(path, text)]);
        assert_eq!(seen.codes, *expected, "{case}");
        assert_eq!(seen.examined, 6, "{case}: two names in each of three folders");
    }
}

#[test]
fn configuration_that_cannot_be_read_is_an_error() {
    for (text, code) in [
        ("[alias\n", "toml_invalid"),
        ("a = 1\na = 2\n", "duplicate_key"),
        ("alias = 1\n", "toml_invalid"),
    ] {
        assert_eq!(run(&CARGO_CONFIG, "", &[(FILE, text)]).code.as_deref(), Some(code), "{text:?}");
    }
}

#[test]
fn a_fence_with_a_hole_is_refused() {
    for config in ["aliases = []", "env = []", "folders = ['../x']", "extra = 1"] {
        let table = GateTable::from_toml("gate", config).expect(config);
        assert!((CARGO_CONFIG.prepare)(&table).is_err(), "{config}");
    }
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&CARGO_CONFIG), Vec::<String>::new());
}
