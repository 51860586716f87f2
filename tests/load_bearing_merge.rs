//! Load-bearing: what is no complete set of shards is never joined. Real gate binary, real subcommand.

#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/run.rs"]
mod run;
#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/sample.rs"]
mod sample;
#[path = "false_green/subcommand.rs"]
mod subcommand;

use sample::{Case, root};
use subcommand::portcullis;

#[test]
fn a_run_that_was_never_split_is_no_shard() {
    let run = Case::new("lb-merge").sealed();
    let path = run.path().display().to_string();
    portcullis(root(), &["merge", &path], &[]).said("one whole run", 12, &["plan.json"]);
}

#[test]
fn the_same_run_twice_is_no_set() {
    let run = Case::new("lb-merge-twice").sealed();
    let path = run.path().display().to_string();
    portcullis(root(), &["merge", &path, &path], &[]).said("twice", 12, &[]);
}

#[test]
fn nothing_is_never_joined() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display().to_string();
    portcullis(root(), &["merge", &path], &[]).said("an empty folder", 12, &[]);
    let absent = folder.path().join("absent").display().to_string();
    portcullis(root(), &["merge", &absent], &[]).said("no folder", 12, &[]);
}
