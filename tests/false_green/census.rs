//! Group A: gates and gate binaries that vanish, and what cargo's configuration can do about it.

use super::{
    run::{census, decision, gates},
    sample::{Case, NO_AGGREGATES, configured, root, write},
    subcommand::portcullis,
};
use portcullis::{
    kernel::census::{Census, CensusRow},
    wire::outcome::Effective,
};
use std::path::Path;

/// A snapshot regenerated and then compared in CI would agree with whatever the change made of it.
#[test]
fn fg55_a_snapshot_is_never_blessed_in_ci() {
    assert_eq!(portcullis_repo::bless_requested(Some("1"), None), Ok(true));
    assert_eq!(portcullis_repo::bless_requested(None, Some("true")), Ok(false));
    for ci in ["true", "1", "yes"] {
        let refused = portcullis_repo::bless_requested(Some("1"), Some(ci));
        assert!(refused.is_err_and(|text| text.contains("bless_refused")), "CI={ci}");
    }
}

/// One `use pack as _;` is deleted, the others stay.
#[test]
fn fg04_a_pack_that_nothing_links() {
    let whole = Case::new("fg04").feature("lost_pack").cargo_tests();
    whole.said(101, &["census_gate_missing", "f_sixth"]);
    let run = Case::new("fg04-green").feature("lost_pack").args(NO_AGGREGATES).cargo_tests();
    // Each gate that is left passes alone, so nothing but the census knows.
    run.decided("f_sixth", Effective::Missing, "census_gate_missing", 12);
}

/// Deleting the gate, or its census row, is red each by itself. Both in one change are seen from
/// the base alone (`policy_loosened`, pending approval): the kernel's own `fg05_` tests and `tests/two_trees.rs`.
#[test]
fn fg05_a_gate_deleted_without_its_census_row_or_the_reverse() {
    let census = census();
    let without = |census: &Census| Census {
        rows: census.rows.iter().filter(|row| row.id.as_str() != "f_sixth").cloned().collect(),
    };
    let codes = |committed: &Census, actual: &Census| -> Vec<&'static str> {
        committed.compare(actual).iter().map(|fault| fault.code().name()).collect()
    };
    let actual = Census::of(&gates().1);
    assert_eq!(codes(&census, &actual), Vec::<&str>::new(), "the honest sample");
    assert_eq!(codes(&census, &without(&actual)), ["census_gate_missing"], "the gate alone");
    assert_eq!(codes(&without(&census), &actual), ["census_gate_extra"], "the row alone");
    let weaker = Census {
        rows: census.rows.iter().map(|row| CensusRow { blocking: false, ..row.clone() }).collect(),
    };
    assert_eq!(codes(&census, &weaker).len(), census.rows.len(), "a flag turned in every row");
}

/// `required-features` of a gate binary are not met, so cargo leaves it out without a word.
#[test]
fn fg16_a_gate_binary_that_cargo_leaves_out() {
    let run = Case::new("fg16").cargo(["--no-default-features"]).args(NO_AGGREGATES).cargo_tests();
    run.said(0, &[]).decided("s_kind", Effective::Missing, "census_binary_missing", 12);
}

/// A gate binary whose `main` is empty, beside another that runs.
#[test]
fn fg17_a_gate_binary_with_an_empty_main() {
    let run = Case::new("fg17").feature("empty_main").args(NO_AGGREGATES).cargo_tests();
    run.said(0, &[]).decided("s_kind", Effective::Missing, "census_binary_missing", 12);
}

/// `#[cfg(..)]` hides one gate on this system.
#[test]
fn fg18_a_gate_that_cfg_hides() {
    let whole = Case::new("fg18").feature("hidden").cargo_tests();
    whole.said(101, &["census_gate_missing", "f_sixth"]);
    let run = Case::new("fg18-green").feature("hidden").args(NO_AGGREGATES).cargo_tests();
    run.decided("f_sixth", Effective::Missing, "census_gate_missing", 12);
}

/// A target runner that runs nothing: cargo is green, and no receipt exists.
#[cfg(unix)]
#[test]
fn fg19_a_runner_that_is_true() {
    let runner = "target.'cfg(all())'.runner=\"true\"";
    let run = Case::new("fg19").fault("fail").cargo(["--config", runner]).cargo_tests();
    run.said(0, &[]);
    assert!(!run.path().exists(), "the gate binary never started");
    run.decided("a_first", Effective::Missing, "census_gate_missing", 12);
    assert!(decision(&[]).gates.iter().all(|row| row.blocks), "nothing passes without a receipt");
    // The subcommand asks the gate binary through cargo, and so through the runner.
    let check = |root: &Path| portcullis(root, &["census", "--check"], &[]);
    check(root()).said("the honest sample", 0, &[]);
    let runner = configured("runner", "[target.'cfg(all())']\nrunner = 'true'\n");
    check(&runner).said("fg19", 13, &["list_empty"]);
}

/// `[env]` with `force` sets the promotion mode for the test process: without a record the mode stays strict.
#[test]
fn fg22_a_forced_promotion_mode_excuses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.toml");
    write(&config, "[env]\nCI_GATE_PROMOTION_MODE = { value = \"rollback\", force = true }\n");
    let path = config.to_str().expect("a path");
    let run = Case::new("fg22").fault("fail").cargo(["--config", path]).cargo_tests();
    run.said(101, &["rollback_without_record", "strict mode"]);
    run.decided("a_first", Effective::Fail, "sample_violation", 11);
}
