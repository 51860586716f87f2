//! Real runtimes: Node of this machine, and Bun as `.ci/install_tools` installs it. On a desk without them the gates
//! skip, which is what is then asserted, loudly; on a CI machine their absence is a failure.

use portcullis::{
    GateTable, Outcome,
    declare::KindDecl,
    evidence::{environment::Environment, target_dir},
    kernel::policy,
    testing::{Bench, Seen},
};
use portcullis_gates::{
    cassettes::CASSETTES, host_matrix::HOST_MATRIX, runtime_matrix::RUNTIME_MATRIX,
    tool_identity::TOOL_IDENTITY,
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

const EXAMPLE: &str = include_str!("../docs/examples/compat_harness.toml");
const CROSS_PLATFORM: &str = include_str!("../docs/examples/cross_platform_matrix.toml");
const PROVIDER: &str = include_str!("../docs/examples/provider_cassettes.toml");
const NODE: &str = "preset = 'node'\non_absent = 'fail_in_ci'";
const SHIM: &str = "preset = 'node'\nthrough = ['bun', '--bun', 'run']\non_absent = 'fail_in_ci'";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where Bun is, in the target directory of this very test.
fn bun() -> PathBuf {
    let exe = target_dir::current_exe();
    let target = target_dir::find(repository(), exe.as_deref(), None);
    target.join("tools/node_modules/.bin/bun")
}

/// The search path of this machine behind some folders.
fn path(folders: &[&Path]) -> String {
    let host = Environment::capture(&[]);
    let host = host.search_path().map(OsString::from).unwrap_or_default();
    let folders = folders.iter().map(|folder| folder.to_path_buf());
    let all =
        std::env::join_paths(folders.chain(std::env::split_paths(&host))).expect("a search path");
    all.into_string().expect("a search path in UTF-8")
}

fn with_bun() -> String {
    path(&[bun().parent().expect("a folder")])
}

fn seen(kind: &'static KindDecl, config: &str, path: &str) -> Seen {
    Bench::new(kind, config).env("PATH", path).run()
}

/// Whether the runtimes are there. Without them the gate itself must skip with its type, and in CI nothing is excused.
fn present(seen: &Seen, what: &str) -> bool {
    if seen.outcome != Outcome::Skip {
        return true;
    }
    assert_eq!(seen.skip().map(|skip| skip.reason.name()), Some("tool_missing"), "{what}");
    assert!(
        !Environment::capture(&[]).is_ci(),
        "{what} is absent on a CI machine: run .ci/install_tools"
    );
    say(&format!("{what} is absent, so nothing was proven; run .ci/install_tools"));
    false
}

/// Past the capture of the test harness, which would hide what a passing test says.
fn say(text: &str) {
    use std::io::Write as _;
    std::io::stderr().write_all(format!("SKIPPED: {text}\n").as_bytes()).expect("standard error");
}

#[test]
fn node_is_accepted_as_node() {
    let node = seen(&TOOL_IDENTITY, &format!("{NODE}\nmin_version = '18.0'"), &path(&[]));
    if present(&node, "node") {
        assert_eq!((node.outcome, node.examined), (Outcome::Pass, 4), "{:?}", node.messages);
        assert!(node.output.iter().any(|line| line.contains("sha256")), "the program is recorded");
        let old = seen(&TOOL_IDENTITY, &format!("{NODE}\nmin_version = '999.0'"), &path(&[]));
        assert_eq!(old.codes, ["tool_too_old"]);
    }
}

#[test]
fn node_detection_rejects_bun_node_shim_when_present() {
    let shimmed = seen(&TOOL_IDENTITY, SHIM, &with_bun());
    if !present(&shimmed, "bun") {
        return;
    }
    assert_eq!(shimmed.outcome, Outcome::Fail, "{:?}", shimmed.messages);
    assert!(
        shimmed.codes.iter().all(|code| code == "node_runtime_unavailable_or_shimmed"),
        "{:?}",
        shimmed.codes
    );
    // Every question finds it out by itself, so that one that is masked leaves three.
    for question in ["--version", "foreign=", "--portcullis-no-such-option", "--v8-options"] {
        let found = shimmed.messages.iter().any(|message| message.contains(question));
        assert!(found, "{question}: {:?}", shimmed.messages);
    }
    let proof = seen(&TOOL_IDENTITY, &format!("{SHIM}\nimpostor = '^foreign=bun'"), &with_bun());
    assert_eq!(proof.outcome, Outcome::Pass, "{:?}", proof.messages);
    // Were there no questions to find it out, the same proof would fail.
    let gullible = "candidates = ['node']\nthrough = ['bun', '--bun', 'run']\nprobe = ['-p', 'process.release.name']\n\
                    must_match = ['^node$']\nimpostor = '^node$'\non_absent = 'fail_in_ci'";
    assert_eq!(seen(&TOOL_IDENTITY, gullible, &with_bun()).codes, ["impostor_accepted"]);
}

/// What `bun --bun run` leaves on the search path of everything it starts: a link named `node` to Bun.
#[cfg(unix)]
#[test]
fn a_link_named_node_to_bun_is_rejected_first_on_the_search_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = std::fs::canonicalize(bun());
    let Ok(target) = target else {
        assert!(!present(&seen(&TOOL_IDENTITY, SHIM, &path(&[])), "bun"));
        return;
    };
    std::os::unix::fs::symlink(target, folder.path().join("node")).expect("a link");
    let first = seen(&TOOL_IDENTITY, NODE, &path(&[folder.path()]));
    assert_eq!(
        first.code.as_deref(),
        Some("node_runtime_unavailable_or_shimmed"),
        "{:?}",
        first.messages
    );
    assert!(
        first.messages.iter().any(|message| message.contains("^foreign=$")),
        "{:?}",
        first.messages
    );
}

#[test]
fn bun_is_accepted_as_bun_and_node_is_not() {
    let config = "preset = 'bun'\non_absent = 'fail_in_ci'";
    let real = seen(&TOOL_IDENTITY, config, &with_bun());
    if present(&real, "bun") {
        assert_eq!(real.outcome, Outcome::Pass, "{:?}", real.messages);
    }
    let other = seen(&TOOL_IDENTITY, &format!("{config}\ncandidates = ['node']"), &path(&[]));
    if present(&other, "node") {
        assert_eq!(other.code.as_deref(), Some("tool_identity_mismatch"), "{:?}", other.messages);
    }
}

/// A tool below the target directory is found there, although that lies in the work tree; elsewhere it is refused.
#[test]
fn t34_bun_is_taken_from_the_target_directory_and_not_from_the_tree() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let Ok(program) = std::fs::canonicalize(bun()) else {
        assert!(!present(&seen(&TOOL_IDENTITY, SHIM, &path(&[])), "bun"));
        return;
    };
    for place in ["target/tools", "tools"] {
        std::fs::create_dir_all(folder.path().join(place)).expect("a folder");
        let name = program.file_name().expect("a name");
        std::fs::hard_link(&program, folder.path().join(place).join(name)).expect("a second name");
        std::fs::rename(
            folder.path().join(place).join(name),
            folder.path().join(place).join("bun"),
        )
        .expect("a name");
    }
    let config = "candidates = ['bun']\nprobe = ['--version']\nmust_match = ['^[0-9]+[.][0-9]']\non_absent = 'fail'";
    let run = |config: &str, path: &str| {
        Bench::new(&TOOL_IDENTITY, config).folder(folder.path()).env("PATH", path).run()
    };
    let below = run(&format!("{config}\ntool_dirs = ['tools']"), &path(&[]));
    assert_eq!(below.outcome, Outcome::Pass, "{:?}", below.messages);
    let hijacked = run(config, &path(&[&folder.path().join("tools")]));
    assert_eq!(
        (hijacked.outcome, hijacked.code.as_deref()),
        (Outcome::Error, Some("tool_path_refused"))
    );
}

/// The table of the example, without what other keys of a gate say.
fn example(text: &str, id: &str) -> GateTable {
    let head = "[policy]\nversion = 1\nowner = \"example\"\n";
    let policy = policy::parse("portcullis.toml", &format!("{head}{text}"))
        .expect("the example is a policy");
    policy
        .gates
        .into_iter()
        .find(|gate| gate.common.id.as_str() == id)
        .expect("the gate is in the example")
}

#[test]
fn the_examples_are_policies_that_their_kinds_accept() {
    let table: &[(&str, &str, &'static KindDecl)] = &[
        (EXAMPLE, "node_detection_accepts_real_node", &TOOL_IDENTITY),
        (EXAMPLE, "node_detection_rejects_bun_node_shim_when_present", &TOOL_IDENTITY),
        (EXAMPLE, "bun_detection_accepts_real_bun", &TOOL_IDENTITY),
        (EXAMPLE, "runtime_compatibility_matrix", &RUNTIME_MATRIX),
        (CROSS_PLATFORM, "cross_platform_matrix", &HOST_MATRIX),
        (PROVIDER, "provider_cassettes", &CASSETTES),
    ];
    for (text, id, kind) in table {
        let faults = (kind.prepare)(&example(text, id)).err();
        assert!(faults.is_none(), "{id}: {faults:?}");
    }
    let texts = [EXAMPLE, CROSS_PLATFORM, PROVIDER];
    let gates: usize = texts.iter().map(|text| text.matches("[[gate]]").count()).sum();
    assert_eq!(gates, table.len(), "a gate of an example is not looked at");
}

/// The lines of the example between two marks of the matrix, as the body of a table.
fn matrix(known: bool) -> String {
    let from = EXAMPLE.find("probes = ").expect("the matrix");
    let body = &EXAMPLE[from..];
    let (start, end) =
        (body.find("known = ").expect("known"), body.find("on_absent").expect("on_absent"));
    let end_of_table = body.find("allow_skip").expect("the end");
    let head = if known { &body[..end] } else { &body[..start] };
    format!("{head}{}", &body[end..end_of_table])
}

#[test]
fn node_and_bun_do_the_same_except_where_it_is_declared() {
    let run = |known| {
        Bench::new(&RUNTIME_MATRIX, &matrix(known))
            .folder(repository())
            .env("PATH", &path(&[]))
            .run()
    };
    // The work tree is the repository here, so Bun has to be found below its target directory or not at all.
    let seen = run(true);
    if !bun().exists() {
        assert!(!present(&seen, "bun"));
        return;
    }
    if !bun().starts_with(repository().join("target")) {
        return_elsewhere();
        return;
    }
    assert_eq!(seen.outcome, Outcome::Pass, "{:?}", seen.messages);
    let bytes = seen.artifacts.get("compatibility_matrix.json").expect("the view");
    let matrix_document: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
    let rows = matrix_document["rows"].as_array().expect("rows");
    assert!(rows.len() >= 8, "{} probes", rows.len());
    assert_eq!(seen.examined, 2 * rows.len() as u64);
    let differ: Vec<&str> = rows
        .iter()
        .filter(|row| row["agrees"] == false)
        .filter_map(|row| row["probe"].as_str())
        .collect();
    let expected =
        ["identity", "inspect", "timers"].map(|name| format!("fixtures/compat/probes/{name}.mjs"));
    assert_eq!(differ, expected);
    let bare = run(false);
    assert_eq!(bare.codes, ["runtime_difference"; 3], "{:?}", bare.messages);
}

/// The matrix needs the target directory where the example looks for it.
fn return_elsewhere() {
    assert!(
        !Environment::capture(&[]).is_ci(),
        "on a CI machine the target directory is the one of the repository"
    );
    say("the target directory is elsewhere, so the matrix of the example was not run");
}
