//! Commands, workspaces and lanes.

use super::{lanes::benches_of, *};
use portcullis::{
    Outcome,
    testing::{Seen, run},
};

const MANIFEST: &str = "[package]\nname = \"acme\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

fn seen(config: &str, manifest: &str, more: &[(&str, &str)]) -> Seen {
    let mut files = vec![
        ("Cargo.toml", manifest),
        ("src/lib.rs", ""),
        ("benches/night.rs", ""),
        ("benches/portfolio.rs", ""),
    ];
    files.extend(more);
    run(&BENCH_COLLECTION, config, &files)
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&BENCH_COLLECTION), Vec::<String>::new());
}

#[test]
fn a_command_runs_the_benches_it_names() {
    let benches = BTreeSet::from(["night", "portfolio"]);
    let table: &[(&str, Option<&[&str]>)] = &[
        ("cargo bench", Some(&["night", "portfolio"])),
        ("cargo bench --locked --bench portfolio", Some(&["portfolio"])),
        ("cargo bench --bench=portfolio --bench night", Some(&["night", "portfolio"])),
        ("cargo bench --bench port*", Some(&["portfolio"])),
        ("cargo bench --benches", Some(&["night", "portfolio"])),
        ("cargo bench --lib", Some(&[])),
        ("cargo bench --features bench --lib", Some(&[])),
        ("cargo bench -p acme -- --bench night", Some(&["night", "portfolio"])),
        ("cargo bench --bench portfolio --no-run", Some(&[])),
        ("cargo bench --bench portfolio -- --no-run", Some(&["portfolio"])),
        ("cargo --config net.offline=true bench --bench night", Some(&["night"])),
        ("cargo --offline bench --bench night", Some(&["night"])),
        ("cargo build --benches", Some(&[])),
        ("cargo test --bench night", Some(&[])),
        ("echo cargo bench", Some(&[])),
        ("cargo bench --bench gone", Some(&["gone"])),
        ("cargo bench --bench \u{fffc}", None),
        ("cargo bench \u{fffc}", None),
        ("cargo portcullis canary measure night", Some(&["night"])),
        ("cargo run --quiet --package cargo-portcullis -- canary measure night", Some(&["night"])),
        ("./target/debug/cargo-portcullis canary measure --runs 5 night", Some(&["night"])),
        ("cargo portcullis canary measure --base-ref=main portfolio", Some(&["portfolio"])),
        ("cargo portcullis canary measure of_its_own_program", Some(&[])),
        ("cargo portcullis canary compare night", Some(&[])),
        ("cargo portcullis canary measure", Some(&[])),
        ("echo cargo portcullis canary measure night", Some(&[])),
        ("cargo portcullis canary measure \u{fffc}", None),
    ];
    for (command, expected) in table {
        let argv: Vec<String> = command.split(' ').map(str::to_owned).collect();
        match (benches_of(&argv, &benches), expected) {
            (Ok(found), Some(expected)) => assert_eq!(found, *expected, "{command}"),
            (Err(_), None) => {}
            (found, _) => panic!("{command}: {found:?}"),
        }
    }
}

#[test]
fn a_bench_counts_when_cargo_bench_runs_it() {
    const NAMES: &str = "targets = ['portfolio', 'night']";
    let off = format!("{MANIFEST}[[bench]]\nname = \"night\"\nbench = false\n");
    let feature = format!(
        "{MANIFEST}[features]\nx = []\n[[bench]]\nname = \"night\"\nrequired-features = [\"x\"]\n"
    );
    let no_auto = format!("{MANIFEST}autobenches = false\n[[bench]]\nname = \"portfolio\"\n");
    let table: &[(&str, &str, &str, &[&str])] = &[
        ("both", NAMES, MANIFEST, &[]),
        ("switched off", NAMES, &off, &["bench_missing"]),
        ("behind a feature", NAMES, &feature, &["bench_missing"]),
        ("not listed", NAMES, &no_auto, &["bench_missing"]),
        (
            "one swapped",
            "targets = ['portfolio', 'day']",
            MANIFEST,
            &["bench_missing", "bench_extra"],
        ),
        ("more are welcome", "op = 'superset'\ntargets = ['portfolio']", MANIFEST, &[]),
        (
            "fewer are not",
            "op = 'superset'\ntargets = ['portfolio', 'day']",
            MANIFEST,
            &["bench_missing"],
        ),
    ];
    for (case, config, manifest, expected) in table {
        let seen = seen(config, manifest, &[]);
        assert_eq!(seen.codes, *expected, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn ids_are_what_the_targets_list() {
    let manifest = format!(
        "{MANIFEST}[[bench]]\nname = \"night\"\nharness = false\n[[bench]]\nname = \"portfolio\"\nharness = false\n"
    );
    let lock = "version = 4\n\n[[package]]\nname = \"acme\"\nversion = \"0.1.0\"\n";
    let lists = |id: &str| format!("fn main() {{ println!(\"{id}: benchmark\"); }}\n");
    let (a, b, none) = (lists("group/a"), lists("b"), "fn main() {}\n".to_owned());
    let table: &[(&str, &str, [&String; 2], &[&str])] = &[
        ("both", "expected = ['b', 'group/a']", [&a, &b], &[]),
        ("one swapped", "expected = ['c', 'group/a']", [&a, &b], &["bench_missing", "bench_extra"]),
        ("one id twice", "expected = ['b']", [&b, &b], &["bench_duplicate"]),
        ("a target that lists nothing", "expected = ['b']", [&b, &none], &["bench_list_failed"]),
    ];
    for (case, config, [night, portfolio], expected) in table {
        let files = [
            ("Cargo.lock", lock),
            ("benches/night.rs", night.as_str()),
            ("benches/portfolio.rs", portfolio.as_str()),
        ];
        let seen = seen(config, &manifest, &files);
        let codes = seen.error().map_or(seen.codes.clone(), |error| vec![error.code.clone()]);
        assert_eq!(codes, *expected, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn a_lane_runs_its_benches_on_whatever_way() {
    const RULES: &str = "targets = ['night', 'portfolio']\nrun_in = [{ file = 'ci.yml', job = 'bench', targets = ['portfolio'] }]";
    let table: &[(&str, &str, &[&str])] = &[
        ("through just", "- run: just bench", &[]),
        ("through an alias", "- run: cargo measure", &[]),
        ("through a script", "- run: bash ci/bench.sh", &[]),
        ("behind a variable", "- run: RUSTFLAGS=-g cargo bench --bench portfolio", &[]),
        ("in a composite action", "- uses: ./.github/actions/bench", &[]),
        ("in another order", "- run: cargo bench --bench=portfolio --locked", &[]),
        ("only said", "- run: echo cargo bench --bench portfolio", &["bench_not_run_by_lane"]),
        (
            "in a comment",
            "- run: 'true # cargo bench --bench portfolio'",
            &["bench_not_run_by_lane"],
        ),
        ("all of them", "- run: cargo bench", &["bench_run_by_wrong_lane"]),
        (
            "another one",
            "- run: cargo bench --bench night",
            &["bench_not_run_by_lane", "bench_run_by_wrong_lane"],
        ),
    ];
    for (case, step, expected) in table {
        let ci = format!(
            "on: pull_request\njobs:\n  bench:\n    runs-on: ubuntu-24.04\n    steps:\n      {step}\n"
        );
        let seen = seen(
            RULES,
            MANIFEST,
            &[
                (".github/workflows/ci.yml", &ci),
                ("justfile", "bench:\n    cargo bench --bench portfolio\n"),
                (".cargo/config.toml", "[alias]\nmeasure = \"bench --bench portfolio\"\n"),
                ("ci/bench.sh", "cargo bench --bench portfolio\n"),
                (
                    ".github/actions/bench/action.yml",
                    "name: b\ndescription: d\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      run: cargo bench --bench portfolio\n",
                ),
            ],
        );
        assert_eq!(seen.codes, *expected, "{case}: {:?}", seen.messages);
        assert_ne!(seen.outcome, Outcome::Error, "{case}: {:?}", seen.messages);
    }
    let matrix = "on: pull_request\njobs:\n  bench:\n    runs-on: ubuntu-24.04\n    strategy:\n      matrix:\n        bench: [night, portfolio]\n    steps:\n      - run: cargo bench --bench ${{ matrix.bench }}\n";
    let both = seen(RULES, MANIFEST, &[(".github/workflows/ci.yml", matrix)]);
    assert_eq!(both.codes, ["bench_run_by_wrong_lane"], "{:?}", both.messages);
}

#[test]
fn a_table_that_names_nothing_is_refused() {
    let table: &[(&str, &str)] = &[
        ("no list", ""),
        ("an empty list", "targets = []"),
        ("a name twice", "targets = ['night', 'night']"),
        (
            "a lane twice",
            "targets = ['night']\nrun_in = [{ file = 'a', job = 'b', targets = [] }, { file = 'a', job = 'b', targets = [] }]",
        ),
        (
            "a lane of another bench",
            "targets = ['night']\nrun_in = [{ file = 'a', job = 'b', targets = ['nihgt'] }]",
        ),
    ];
    for (case, config) in table {
        assert_eq!(seen(config, MANIFEST, &[]).code.as_deref(), Some("config_invalid"), "{case}");
    }
}
