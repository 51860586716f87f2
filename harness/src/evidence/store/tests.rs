use super::*;
use crate::wire::{
    id::GateId,
    outcome::Mode,
    path::RelPath,
    receipt::{Clock, ClockSource, Source, Tool},
    time::Instant,
};
use std::sync::{Arc, atomic::AtomicI64};

const EARLY: &str = "2026-05-31T10:00:00Z";
const LATE: &str = "2026-05-31T11:00:00Z";

fn envelope(run: &str, at: &str) -> Envelope {
    let now = Instant::parse(at).expect("a time");
    Envelope {
        schema: String::new(),
        run_id: RunId::parse(run).expect("a run id"),
        generated_at: now,
        source: Source::default(),
        tool: Tool::this(),
        mode: Mode::Strict,
        clock: Clock { now, source: ClockSource::System, past_allowed: false },
    }
}

fn gate(id: &str) -> GateId {
    GateId::parse(id).expect("a gate id")
}

fn rel(path: &str) -> RelPath {
    RelPath::parse(path).expect("a path")
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(dir.path()).expect("a store");
    (dir, store)
}

fn begin_run(store: &Store, running: &Envelope, ownership: Ownership) -> Result<RunDir, Fault> {
    store.create_run(&running.run_id, ownership, Durability::Cached, running)
}

/// One whole run: two gates, an artifact, a view, the seal.
fn make_run(store: &Store, run: &str, at: &str) -> Result<RunDir, Fault> {
    let envelope = envelope(run, at);
    let dir = begin_run(store, &envelope, Ownership::Owned)?;
    for id in ["alpha", "beta"] {
        let attempt = dir.begin_attempt(&gate(id), |n| Ok(format!("{{\"attempt\": {n}}}\n")))?;
        attempt.append_event("{\"seq\":1}\n")?;
        attempt.write_artifact(&rel("deep/a.txt"), b"artifact")?;
        attempt.append_event("{\"seq\":2}\n")?;
        attempt.write_verdict("{\"outcome\": \"pass\"}\n")?;
    }
    dir.write_file("views/full_suite_verdict.json", b"{}\n")?;
    dir.seal(&envelope)?;
    Ok(dir)
}

fn codes(faults: &[Fault]) -> Vec<&'static str> {
    faults.iter().map(|fault| fault.code().name()).collect()
}

/// Whether anything says that this run is not whole.
fn is_refused(run_dir: &Path) -> bool {
    verify_manifest(run_dir).map_or(true, |faults| !faults.is_empty())
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[test]
fn a_sealed_run_is_whole_and_latest_names_it() {
    let (_dir, store) = store();
    assert_eq!(store.latest().expect("no run yet"), None);
    let run = make_run(&store, "r1", EARLY).expect("a run");
    assert_eq!(codes(&verify_manifest(run.path()).expect("a run")), [""; 0]);
    let latest = store.latest().expect("a latest").expect("a run");
    assert_eq!((latest.envelope.run_id.as_str(), latest.path.as_str()), ("r1", "runs/r1"));
    let attempts = run.read_attempts().expect("attempts");
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].started.as_deref(), Some(b"{\"attempt\": 1}\n".as_slice()));
    assert_eq!(attempts[0].verdict.as_deref(), Some(b"{\"outcome\": \"pass\"}\n".as_slice()));
    #[cfg(unix)]
    assert_eq!(fs::read_link(store.dir().join("latest")).expect("a link"), Path::new("runs/r1"));
}

#[test]
fn fg48_every_prefix_and_every_deletion_is_noticed() {
    let (_dir, store) = store();
    let run = make_run(&store, "r1", EARLY).expect("a run");
    let files = files_below(run.path());
    assert_eq!(files.len(), 11, "run, manifest, view, and four files of each of two attempts");
    for file in files {
        let whole = fs::read(&file).expect("a file");
        for end in 0..whole.len() {
            fs::write(&file, &whole[..end]).expect("a prefix");
            assert!(is_refused(run.path()), "{} cut to {end} bytes", file.display());
        }
        fs::remove_file(&file).expect("a deletion");
        assert!(is_refused(run.path()), "{} deleted", file.display());
        fs::write(&file, &whole).expect("the whole file");
    }
    assert!(!is_refused(run.path()), "the restored run is whole again");
}

#[test]
fn fg48_what_happens_between_a_write_and_the_seal_is_noticed() {
    type Meddle = fn(&Path) -> io::Result<()>;
    let verdict = "gates/alpha/attempt-1/verdict.json";
    let table: &[(&str, &str, Meddle)] = &[
        ("a verdict was changed", "digest_mismatch", |run| {
            fs::write(run.join("gates/alpha/attempt-1/verdict.json"), "{\"outcome\": \"Pass\"}\n")
        }),
        ("an event was added", "digest_mismatch", |run| {
            fs::write(run.join("gates/alpha/attempt-1/events.jsonl"), "{\"seq\":1}\n{\"seq\":9}\n")
        }),
        ("an artifact was changed", "digest_mismatch", |run| {
            fs::write(run.join("gates/alpha/attempt-1/artifacts/a.txt"), "Artifact")
        }),
        ("a start was lost", "digest_mismatch", |run| {
            fs::remove_file(run.join("gates/alpha/attempt-1/started.json"))
        }),
        ("a view was changed", "digest_mismatch", |run| {
            fs::write(run.join("views/a.json"), "[]\n")
        }),
        ("a file was added", "file_unhashed", |run| fs::write(run.join("views/b.json"), "{}\n")),
    ];
    let nothing: Meddle = |_| Ok(());
    for (case, code, meddle) in table.iter().chain(&[("nothing", "", nothing)]) {
        let (_dir, store) = store();
        let header = envelope("r1", EARLY);
        let run = begin_run(&store, &header, Ownership::Owned).expect("a run");
        let attempt =
            run.begin_attempt(&gate("alpha"), |n| Ok(format!("{n}\n"))).expect("an attempt");
        attempt.append_event("{\"seq\":1}\n").expect("an event");
        attempt.append_event("{\"seq\":2}\n").expect("an event");
        attempt.write_artifact(&rel("a.txt"), b"artifact").expect("an artifact");
        attempt.write_verdict("{\"outcome\": \"pass\"}\n").expect("a verdict");
        run.write_file("views/a.json", b"{}\n").expect("a view");
        assert!(run.path().join(verdict).is_file(), "{case}");
        meddle(run.path()).expect(case);
        run.seal(&header).expect("a seal over what was written");
        let seen = codes(&verify_manifest(run.path()).expect("a run"));
        let expected: Vec<&str> = Some(*code).filter(|code| !code.is_empty()).into_iter().collect();
        assert_eq!(seen, expected, "{case}");
    }
}

#[test]
fn fg76_a_disk_that_is_full_at_any_write_leaves_no_green_run() {
    let mut refused = 0;
    for writes in 0.. {
        let (_dir, mut store) = store();
        store.disk.writes_left = Some(Arc::new(AtomicI64::new(writes)));
        match make_run(&store, "r1", EARLY) {
            Ok(run) => {
                assert!(!is_refused(run.path()));
                break;
            }
            Err(fault) => {
                refused += 1;
                assert_eq!(fault.code().name(), "receipt_unwritable", "write {writes}");
                let sealed = !is_refused(&store.run_path(&envelope("r1", EARLY).run_id));
                // Only the swap of `latest` comes after the seal; then the run is whole and `latest` says it is stale.
                assert!(!sealed || store.latest().is_err(), "write {writes}");
            }
        }
    }
    assert!(refused > 20, "only {refused} writes were refused");
}

#[test]
fn a_directory_belongs_to_its_run_alone() {
    let (_dir, store) = store();
    let first = envelope("r1", EARLY);
    let conflict = Err("attempt_conflict");
    let seen =
        |owner| begin_run(&store, &first, owner).map(|_| ()).map_err(|fault| fault.code().name());
    assert_eq!(seen(Ownership::Joined), Ok(()), "the first process creates it");
    assert_eq!(seen(Ownership::Joined), Ok(()), "the second joins");
    assert_eq!(seen(Ownership::Owned), conflict, "nobody takes it over");
    begin_run(&store, &first, Ownership::Joined).expect("a run").seal(&first).expect("a seal");
    assert_eq!(seen(Ownership::Joined), conflict, "a sealed run is never joined");
    let again = store.open_run(&first.run_id).expect("a run").seal(&first);
    assert_eq!(
        again.map(|_| ()).map_err(|fault| fault.code().name()),
        conflict,
        "nor sealed twice"
    );
}

#[test]
fn attempts_are_claimed_once_and_judged_once() {
    let (_dir, store) = store();
    let run = begin_run(&store, &envelope("r1", EARLY), Ownership::Joined).expect("a run");
    let begin = || run.begin_attempt(&gate("alpha"), |n| Ok(format!("{n}\n")));
    let claimed: Vec<u32> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..16).map(|_| scope.spawn(|| begin().expect("an attempt").attempt())).collect();
        let mut all: Vec<u32> =
            threads.into_iter().map(|thread| thread.join().expect("a thread")).collect();
        all.sort_unstable();
        all
    });
    assert_eq!(claimed, (1..=16).collect::<Vec<u32>>());
    let attempt = begin().expect("an attempt");
    attempt.write_verdict("first\n").expect("a verdict");
    let second = attempt.write_verdict("second\n").expect_err("a second verdict");
    assert_eq!(second.code().name(), "attempt_conflict");
    assert_eq!(
        fs::read_to_string(attempt.path().join("verdict.json")).expect("a verdict"),
        "first\n"
    );
    for _ in 17..ATTEMPTS_MAX {
        begin().expect("an attempt");
    }
    assert_eq!(begin().map(|_| ()).map_err(|fault| fault.code().name()), Err("input_too_large"));
    let attempts = run.read_attempts().expect("attempts");
    let numbers: Vec<u32> = attempts.iter().map(|raw| raw.attempt).collect();
    assert_eq!(numbers, (1..=ATTEMPTS_MAX).collect::<Vec<u32>>());
    assert_eq!(attempts[0].verdict, None, "an attempt that never finished has no verdict");
}

#[test]
fn t36_an_event_is_one_line() {
    let (_dir, store) = store();
    let run = begin_run(&store, &envelope("r1", EARLY), Ownership::Owned).expect("a run");
    let attempt = run.begin_attempt(&gate("alpha"), |_| Ok(String::new())).expect("an attempt");
    for bad in ["", "no newline", "two\nlines\n", "\n\n"] {
        assert!(attempt.append_event(bad).is_err(), "{bad:?}");
    }
    attempt.append_event("{}\n").expect("an event");
    assert_eq!(fs::read_to_string(attempt.path().join("events.jsonl")).expect("events"), "{}\n");
}

#[test]
fn records_with_a_writer_of_their_own_are_refused() {
    let (_dir, store) = store();
    let run = begin_run(&store, &envelope("r1", EARLY), Ownership::Owned).expect("a run");
    for name in ["run.json", "manifest.json", "gates/alpha/attempt-1/verdict.json"] {
        assert!(run.write_file(name, b"{}\n").is_err(), "{name}");
    }
}

#[test]
fn what_nobody_of_ours_wrote_is_noticed() {
    let table: &[(&str, &str)] = &[
        ("a file after the seal", "views/late.json"),
        ("an attempt after the seal", "gates/alpha/attempt-2/verdict.json"),
        ("a hidden file", ".hidden"),
    ];
    for (case, path) in table {
        let (_dir, store) = store();
        let run = make_run(&store, "r1", EARLY).expect("a run");
        let full = run.path().join(path);
        fs::create_dir_all(full.parent().expect("a parent")).expect("a folder");
        fs::write(full, "x").expect("a file");
        assert_eq!(
            codes(&verify_manifest(run.path()).expect("a run")),
            ["file_unhashed"],
            "{case}"
        );
    }
    for name in ["Alpha", "alpha/attempt-01", "alpha/attempt-0", "alpha/attempt-65", "alpha/other"]
    {
        let (_dir, store) = store();
        let run = make_run(&store, "r1", EARLY).expect("a run");
        fs::create_dir_all(run.path().join("gates").join(name)).expect("a folder");
        let seen = run.read_attempts().map(|_| ()).map_err(|fault| fault.code().name());
        assert_eq!(seen, Err("receipt_invalid"), "{name}");
    }
}

#[test]
fn fg77_latest_is_stale_when_a_newer_run_lies_beside_it() {
    let (_dir, store) = store();
    make_run(&store, "r1", EARLY).expect("a green run");
    let newer = envelope("r2", LATE);
    let run = begin_run(&store, &newer, Ownership::Owned).expect("a run that is killed here");
    assert_eq!(
        store.latest().map(|_| ()).map_err(|fault| fault.code().name()),
        Err("latest_stale")
    );
    run.seal(&newer).expect("a seal");
    let latest = store.latest().expect("a latest").expect("a run");
    assert_eq!(latest.envelope.run_id.as_str(), "r2");
    begin_run(&store, &envelope("r0", EARLY), Ownership::Owned)
        .expect("an older run that was given up");
    assert!(store.latest().is_ok(), "an older run changes nothing");
    fs::create_dir(store.dir().join("runs/empty")).expect("a run killed before its first record");
    assert!(store.latest().is_err(), "a run without a record could be newer");
}

/// The names below `runs/`.
fn names(store: &Store) -> Vec<String> {
    let entries = fs::read_dir(store.dir().join("runs")).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into()).collect()
}

fn leftovers(store: &Store) -> usize {
    fs::read_dir(store.begun_path()).expect("a folder").count()
}

#[test]
fn fg76_a_run_that_is_killed_while_it_begins_has_no_name_and_the_next_one_clears_it_away() {
    let (_dir, store) = store();
    make_run(&store, "r1", EARLY).expect("a green run");
    let id = |name: &str| RunId::parse(name).expect("an id");
    // Killed right before its name: nothing runs any more, not even a destructor.
    std::mem::forget(store.begin(&id("r2"), "{}\n").expect("begun"));
    // Killed before its record.
    fs::create_dir(store.begun_path().join("r3.x")).expect("a folder");
    fs::write(store.begun_path().join("r4.x"), "").expect("a file");
    assert_eq!((names(&store), leftovers(&store)), (vec!["r1".to_owned()], 3));
    assert_eq!(store.latest().expect("a latest").expect("a run").path, "runs/r1");
    // A lock that was forgotten with its holder is held by this process still, so it is one who is at work.
    make_run(&store, "r2", LATE).expect("the same id, which nobody has");
    assert_eq!(leftovers(&store), 3, "what somebody may be about to name stays");
    let other = Store::open(store.dir().parent().expect("a folder")).expect("a store");
    fs::remove_file(store.dir().join("begun.lock")).expect("the lock of a dead process");
    make_run(&other, "r3", LATE).expect("a run");
    assert_eq!(leftovers(&store), 0);
    assert_eq!(names(&store).len(), 3);
}

#[test]
fn a_directory_has_its_record_from_the_first_moment_and_belongs_to_who_was_first() {
    let (_dir, store) = store();
    let first = envelope("r1", EARLY);
    let watched = store.run_path(&first.run_id);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| begin_run(&store, &first, Ownership::Owned).is_ok()))
            .collect();
        while !watched.exists() {
            std::hint::spin_loop();
        }
        assert_eq!(read_run(&watched).expect("a record").state, RunState::Running);
        let won = threads.into_iter().map(|thread| thread.join().expect("ended"));
        assert_eq!(won.filter(|won| *won).count(), 1);
    });
    assert_eq!(leftovers(&store), 0, "who was second takes back what it began");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let beside = store.dir().join("beside");
        fs::create_dir(&beside).expect("a folder");
        let mode = |path: &Path| fs::metadata(path).expect("a folder").permissions().mode();
        assert_eq!(mode(&watched), mode(&beside), "others may read a run as any other folder");
    }
}

#[test]
fn fg77_a_filtered_run_is_never_sealed_and_makes_latest_stale() {
    let (_dir, store) = store();
    make_run(&store, "r1", EARLY).expect("a green run");
    let newer = envelope("r2", LATE);
    let run = store
        .create_filtered_run(&newer.run_id, Durability::Cached, &newer)
        .expect("a run of some gates");
    assert_eq!(read_run(run.path()).expect("a record").state, RunState::Filtered);
    let stale = store.latest().map(|_| ()).map_err(|fault| fault.code().name());
    assert_eq!(stale, Err("latest_stale"));
    assert_eq!(codes(&verify_manifest(run.path()).expect("a run")), ["run_unsealed"]);
    let sealed = run.seal(&newer).map(|_| ()).map_err(|fault| fault.code().name());
    assert_eq!(sealed, Err("attempt_conflict"));
    assert!(
        run.end_unsealed(&newer, RunState::Interrupted).is_err(),
        "it says what it is for good"
    );
    let joined = begin_run(&store, &newer, Ownership::Joined).map(|_| ());
    assert_eq!(joined.map_err(|fault| fault.code().name()), Err("attempt_conflict"));
}

#[test]
fn latest_must_name_the_seal_it_was_given() {
    let (_dir, store) = store();
    let run = make_run(&store, "r1", EARLY).expect("a run");
    fs::remove_dir_all(run.path()).expect("a deletion");
    assert!(store.latest().is_err(), "a run that is gone");
    fs::remove_file(store.dir().join("latest.json")).expect("a deletion");
    make_run(&store, "r2", EARLY).expect("a run");
    fs::remove_file(store.dir().join("latest.json")).expect("a deletion");
    assert!(store.latest().is_err(), "a run that nothing names");
}

#[cfg(unix)]
#[test]
fn t27_links_in_a_run_directory_are_refused() {
    type Plant = fn(&Path) -> io::Result<()>;
    let table: &[(&str, Plant)] = &[
        ("a hard link to a verdict", |run| {
            fs::hard_link(
                run.join("gates/alpha/attempt-1/verdict.json"),
                run.with_extension("copy"),
            )
        }),
        ("a symbolic link", |run| {
            std::os::unix::fs::symlink("run.json", run.join("views/run.json"))
        }),
        ("a verdict that is a link", |run| {
            let verdict = run.join("gates/alpha/attempt-1/verdict.json");
            fs::rename(&verdict, run.with_extension("moved"))?;
            std::os::unix::fs::symlink(run.with_extension("moved"), verdict)
        }),
    ];
    for (case, plant) in table {
        let (_dir, store) = store();
        let run = make_run(&store, "r1", EARLY).expect("a run");
        plant(run.path()).expect(case);
        let seen = match verify_manifest(run.path()) {
            Ok(faults) => codes(&faults),
            Err(fault) => vec![fault.code().name()],
        };
        assert_eq!(seen, ["link_refused"], "{case}");
    }
}

#[cfg(unix)]
#[test]
fn a2_a_view_replaces_a_link_and_never_follows_one() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(dir.path().join("victim"), "untouched").expect("a file");
    fs::create_dir(dir.path().join("views")).expect("a folder");
    std::os::unix::fs::symlink("../victim", dir.path().join("views/a.json")).expect("a link");
    publish_view(dir.path(), &rel("views"), "a.json", b"new").expect("a view");
    assert_eq!(fs::read_to_string(dir.path().join("victim")).expect("a file"), "untouched");
    assert_eq!(fs::read_to_string(dir.path().join("views/a.json")).expect("a view"), "new");
    std::os::unix::fs::symlink("views", dir.path().join("link")).expect("a link");
    let fault = publish_view(dir.path(), &rel("link/deep"), "a.json", b"new").expect_err("a link");
    assert_eq!(fault.code().name(), "link_refused");
    publish_view(dir.path(), &rel("new/deep"), "bundle/b.json", b"b")
        .expect("a view in new folders");
    assert_eq!(fs::read_to_string(dir.path().join("new/deep/bundle/b.json")).expect("a view"), "b");
}

#[test]
fn a_synced_run_is_written_the_same() {
    let (_dir, store) = store();
    let envelope = envelope("r1", EARLY);
    let run = store
        .create_run(&envelope.run_id, Ownership::Owned, Durability::Synced, &envelope)
        .expect("a run");
    run.write_file("views/a.json", b"{}\n").expect("a view");
    run.seal(&envelope).expect("a seal");
    assert!(!is_refused(run.path()));
}

#[test]
fn a_row_of_a_manifest_has_its_keys_in_order() {
    let file = manifest::ManifestFile { bytes: 1, path: rel("a"), sha256: Digest::of(b"a") };
    crate::wire::artifact::assert_sorted(&file);
}
