//! Reads files once: digest, size and secrets in one pass, shared among threads. Leaves out what the results are for.

use super::{
    Cache, From, Row,
    scan::{Search, Window},
    temporary, unreadable,
};
use portcullis::{
    Digest, Fault, Location, RelPath,
    evidence::{
        digest::Hasher,
        redaction::Redactor,
        tree::{Pass, Stamp, Tree},
    },
    wire::code::{FILE_CHANGED, INPUT_UNREADABLE, SECRET_IN_EVIDENCE},
};
use std::{
    fs::File,
    io::{self, Read as _},
    num::NonZeroUsize,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// The coarsest clock that a file system keeps, so that a change within one tick of it is never taken for none.
const TICK_NS: i128 = 2_000_000_000;
/// How many neighbours a thread takes at a time: they share the handle of their folder.
const SHARE: usize = 16;
/// Files above this size are read first, so that no thread is left alone with the last of them.
const LARGE_BYTES: u64 = 4 * 1024 * 1024;

/// A file and what was read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// Its row of the manifest.
    pub row: Row,
    /// By what the next seal knows that it did not change; absent where nobody could tell.
    pub mark: Option<String>,
}

/// When reading began, by the clock of the file system itself.
pub(crate) struct Begun {
    settled_before_ns: Option<i128>,
}

impl Begun {
    /// Asks the file system for its time, and finds out whether the folder can be written.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn now(folder: &Path) -> io::Result<Self> {
        let stamp = Stamp::of(temporary(folder)?.as_file())?;
        Ok(Self { settled_before_ns: stamp.changed_ns.map(|now| now - TICK_NS) })
    }

    /// What shows later that a file did not change. Nothing for one that changed just now: another change within the
    /// same tick of the clock would leave no trace.
    fn mark(&self, stamp: Stamp) -> Option<String> {
        let (changed, settled) = (stamp.changed_ns?, self.settled_before_ns?);
        (changed < settled).then_some(stamp.mark)
    }
}

/// What is asked of all files alike.
pub(crate) struct Asked<'a> {
    /// What may not stand in them; nothing where they are only compared.
    pub redactor: Option<&'a Redactor>,
    /// What earlier seals read; nothing where everything is read anew.
    pub cache: Option<&'a Cache>,
    /// When reading began; nothing where no cache is written.
    pub begun: Option<&'a Begun>,
    /// How many threads share the work.
    pub threads: NonZeroUsize,
}

/// Reads every file, or knows it from the cache; in the order of the paths, each with its fault where it has one.
pub(crate) fn read(tree: &Tree, paths: &[RelPath], asked: &Asked<'_>) -> Vec<Result<Read, Fault>> {
    let stamps = shared(paths.len(), asked.threads, |jobs, done| {
        let mut pass = tree.pass();
        for n in jobs {
            done.extend(paths.get(n).map(|path| (n, pass.stamp(path))));
        }
    });
    let mut answers: Vec<Option<Result<Read, Fault>>> = Vec::with_capacity(paths.len());
    let (mut large, mut small) = (Vec::new(), Vec::new());
    for (n, (path, stamp)) in paths.iter().zip(stamps).enumerate() {
        answers.push(match stamp {
            None => Some(Err(lost(path))),
            Some(Err(fault)) => Some(Err(fault)),
            Some(Ok(stamp)) => {
                let known = asked.cache.and_then(|cache| cache.get(path, &stamp.mark));
                if known.is_none() {
                    let list = if stamp.bytes > LARGE_BYTES { &mut large } else { &mut small };
                    list.push(n);
                }
                known.map(|sha256| {
                    let row = row(path, sha256, stamp.bytes, From::Cache);
                    Ok(Read { row, mark: asked.begun.and_then(|begun| begun.mark(stamp)) })
                })
            }
        });
    }
    let search = asked.redactor.map(Search::new);
    // Without a search the window is a buffer and nothing else.
    let none = Redactor::default();
    let plain = Search::new(&none);
    let order: Vec<usize> = large.into_iter().chain(small).collect();
    let read = shared(order.len(), asked.threads, |jobs, done| {
        let mut pass = tree.pass();
        let mut window = search.as_ref().unwrap_or(&plain).window();
        for job in jobs {
            let path = order.get(job).and_then(|n| paths.get(*n));
            done.extend(path.map(|path| {
                (job, one(&mut pass, path, search.as_ref(), asked.begun, &mut window))
            }));
        }
    });
    for (n, read) in order.iter().zip(read) {
        if let (Some(answer), Some(read)) = (answers.get_mut(*n), read) {
            *answer = Some(read);
        }
    }
    let whole = answers.into_iter().zip(paths);
    whole.map(|(answer, path)| answer.unwrap_or_else(|| Err(lost(path)))).collect()
}

/// Does numbered jobs on several threads, a share at a time. What a thread that panicked had done is absent.
fn shared<T: Send>(
    jobs: usize,
    threads: NonZeroUsize,
    work: impl Fn(&mut dyn Iterator<Item = usize>, &mut Vec<(usize, T)>) + Sync,
) -> Vec<Option<T>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        let mut mine = std::iter::from_fn(|| {
            let from = next.fetch_add(SHARE, Ordering::Relaxed);
            (from < jobs).then(|| from..jobs.min(from + SHARE))
        })
        .flatten();
        work(&mut mine, &mut done);
        done
    };
    let mut answers: Vec<Option<T>> = (0..jobs).map(|_| None).collect();
    thread::scope(|scope| {
        let most = threads.get().min(jobs.div_ceil(SHARE)).max(1);
        let others: Vec<_> = (1..most).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        done.extend(others.into_iter().filter_map(|other| other.join().ok()).flatten());
        for (n, answer) in done {
            if let Some(place) = answers.get_mut(n) {
                *place = Some(answer);
            }
        }
    });
    answers
}

fn one(
    pass: &mut Pass<'_>,
    path: &RelPath,
    search: Option<&Search<'_>>,
    begun: Option<&Begun>,
    window: &mut Window,
) -> Result<Read, Fault> {
    let io = |source: io::Error| unreadable(path.as_str(), &source);
    let mut file = pass.open(path)?;
    let before = Stamp::of(&file).map_err(io)?;
    let (sha256, bytes) = through(&mut file, path, search, window)?;
    let after = Stamp::of(&file).map_err(io)?;
    if before != after || bytes != before.bytes {
        return Err(changed(path, before.bytes, bytes.max(after.bytes)));
    }
    Ok(Read {
        row: row(path, sha256, bytes, From::Read),
        mark: begun.and_then(|begun| begun.mark(after)),
    })
}

/// Reads a file to its end.
fn through(
    file: &mut File,
    path: &RelPath,
    search: Option<&Search<'_>>,
    window: &mut Window,
) -> Result<(Digest, u64), Fault> {
    let (mut hasher, mut bytes) = (Hasher::new(), 0u64);
    window.clear();
    loop {
        let filled =
            fill(file, window.room()).map_err(|source| unreadable(path.as_str(), &source))?;
        if filled == 0 {
            return Ok((hasher.finish(), bytes));
        }
        hasher.update(window.fill(filled));
        bytes = bytes.saturating_add(filled as u64);
        if let Some(length) = search.and_then(|search| search.secret_in(window)) {
            return Err(secret(path, length));
        }
    }
}

/// Fills a buffer as far as the file goes, so that what is held together is looked at as seldom as can be.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(source),
        }
    }
    Ok(filled)
}

fn row(path: &RelPath, sha256: Digest, bytes: u64, digest_from: From) -> Row {
    Row { path: path.to_string(), sha256, bytes, digest_from }
}

fn secret(path: &RelPath, length: usize) -> Fault {
    let headline = format!("a secret stands in `{path}`");
    let remedy =
        "write the file without it, and replace the secret: whoever could read the file knows it";
    Fault::new(SECRET_IN_EVIDENCE, headline, remedy)
        .at(Location::file(path))
        .expected(
            "no value of a secret variable, in any spelling, and no text with the shape of a token",
        )
        .found(format!("[redacted:{length}]"))
}

fn changed(path: &RelPath, before: u64, after: u64) -> Fault {
    let headline = format!("`{path}` changed while it was read");
    Fault::new(FILE_CHANGED, headline, "wait until nothing writes into the folder, then try again")
        .at(Location::file(path))
        .expected(format!("{before} bytes, as they were"))
        .found(format!("{after} bytes, or other times"))
}

fn lost(path: &RelPath) -> Fault {
    Fault::new(INPUT_UNREADABLE, format!("nobody read `{path}`"), "report this as a bug")
        .at(Location::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Write as _, sync::atomic::AtomicBool};

    fn read_all(folder: &Path) -> Vec<Result<Read, Fault>> {
        let tree = Tree::new(folder).expect("a tree");
        let paths = [RelPath::parse("a").expect("a path")];
        let threads = NonZeroUsize::MIN;
        read(&tree, &paths, &Asked { redactor: None, cache: None, begun: None, threads })
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_written_while_it_is_read_has_no_digest() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::create(folder.path().join("a")).expect("a file");
        file.set_len(64 * 1024 * 1024).expect("a length");
        assert!(matches!(read_all(folder.path()).as_slice(), [Ok(_)]), "the control");
        let over = AtomicBool::new(false);
        let seen = thread::scope(|scope| {
            scope.spawn(|| {
                // The length stays, and what is written is what was there: only the system's own time tells.
                while !over.load(Ordering::Relaxed) {
                    file.set_len(64 * 1024 * 1024).expect("a length");
                    thread::yield_now();
                }
            });
            let seen = (0..50).find_map(|_| read_all(folder.path()).remove(0).err());
            over.store(true, Ordering::Relaxed);
            seen
        });
        assert_eq!(seen.map(|fault| fault.code()), Some(FILE_CHANGED));
    }

    #[test]
    fn what_changed_within_one_tick_is_never_kept() {
        let stamp = |changed_ns| Stamp { bytes: 1, names: 1, changed_ns, mark: "m".to_owned() };
        let begun = Begun { settled_before_ns: Some(1_000) };
        let table = [
            ("settled", Some(999), Some("m")),
            ("at the very moment", Some(1_000), None),
            ("after it", Some(1_001), None),
            ("at a time that nobody tells", None, None),
        ];
        for (case, changed, expected) in table {
            assert_eq!(begun.mark(stamp(changed)).as_deref(), expected, "{case}");
        }
        let unknown = Begun { settled_before_ns: None };
        assert_eq!(unknown.mark(stamp(Some(0))), None);
        let folder = tempfile::tempdir().expect("a folder");
        let before = Begun::now(folder.path()).expect("a time");
        let mut file = File::create(folder.path().join("a")).expect("a file");
        file.write_all(b"x").expect("written");
        assert_eq!(before.mark(Stamp::of(&file).expect("a stamp")), None, "it is younger");
    }

    #[test]
    fn every_job_is_done_once_however_many_threads_there_are() {
        for threads in [1, 2, 5, 64] {
            for jobs in [0, 1, SHARE - 1, SHARE, SHARE + 1, 10 * SHARE + 3] {
                let threads = NonZeroUsize::new(threads).expect("some");
                let seen = shared(jobs, threads, |mine, done| done.extend(mine.map(|n| (n, n))));
                assert_eq!(seen, (0..jobs).map(Some).collect::<Vec<_>>(), "{threads} {jobs}");
            }
        }
    }
}
