use super::{WIRING_PARITY, normal};
use portcullis::testing::{run, teeth};

#[test]
fn every_tooth_bites() {
    assert_eq!(teeth(&WIRING_PARITY), [""; 0]);
}

#[test]
fn order_and_idle_flags_are_no_difference() {
    let argv = |text: &str| normal(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    for (a, b) in [
        ("cargo clippy -p a --all-targets", "cargo clippy --locked --all-targets -p a -q"),
        ("cargo clippy --package=a", "cargo clippy --package a"),
        ("cargo fmt --all -- --check", "cargo fmt --all -- --check"),
    ] {
        assert_eq!(argv(a), argv(b), "{a}");
    }
    for (a, b) in [
        ("cargo clippy -p a", "cargo clippy -p b"),
        ("cargo fmt --all -- --check", "cargo fmt --all"),
        ("cargo run -- a", "cargo run a"),
    ] {
        assert_ne!(argv(a), argv(b), "{a}");
    }
}

#[test]
fn every_kind_of_entry_is_followed() {
    let files: &[(&str, &str)] = &[
        ("justfile", "lint:\n    cargo clippy\n"),
        ("Makefile", "lint:\n\tcargo clippy\n"),
        (".cargo/config.toml", "[alias]\nlint = 'clippy'\n"),
        (
            ".github/workflows/ci.yml",
            "on: push\njobs:\n  gates:\n    runs-on: x\n    steps:\n      - run: cargo clippy\n",
        ),
    ];
    let codes = |entry: &str, more: &str| {
        let config = format!(
            "compare = 'commands'\nlocal = [{entry}]\nci = [{{ file = 'ci.yml', job = ['gates'] }}]\n{more}"
        );
        run(&WIRING_PARITY, &config, files).codes
    };
    for entry in [
        "{ kind = 'just', entry = 'lint' }",
        "{ kind = 'make', entry = 'lint' }",
        "{ kind = 'alias', entry = 'lint' }",
        "{ kind = 'command', entry = 'cargo clippy' }",
    ] {
        assert_eq!(codes(entry, ""), [""; 0], "{entry}");
    }
    let other = "{ kind = 'command', entry = 'cargo doc' }";
    assert_eq!(codes(other, ""), ["only_in_ci", "only_local"]);
    let ignore =
        "ignore = [{ command = 'cargo **', reason = 'these are compared somewhere else' }]";
    assert_eq!(codes(other, ignore), [""; 0]);
    for missing in ["{ kind = 'make', entry = 'x' }", "{ kind = 'alias', entry = 'x' }"] {
        assert!(codes(missing, "").contains(&"entry_missing".to_owned()), "{missing}");
    }
}
