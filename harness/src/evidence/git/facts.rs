//! What a commit object says of itself, and the cache of it. Commit objects never change.

use crate::wire::{code::GIT_FAILED, fault::Fault, id::Digest, time::Instant};
use std::{fs, io::Write, path::Path};

/// The commit of `HEAD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its id, 40 or 64 hex digits.
    pub commit: String,
    /// The id of its tree.
    pub tree: String,
    /// The committer time.
    pub committed_at: Instant,
}

pub(super) fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

pub(super) fn commit_id(text: &str) -> Result<String, Fault> {
    if is_object_id(text) {
        Ok(text.to_owned())
    } else {
        Err(super::run::unexpected("rev-parse", text))
    }
}

/// Reads a commit object as `git cat-file commit` prints it.
pub(super) fn parse(commit: &str, object: &[u8]) -> Result<Head, Fault> {
    let refused = |why: &str| {
        Fault::new(
            GIT_FAILED,
            format!("the commit {commit} has {why}"),
            "commit again with a sound git, then run again",
        )
    };
    // The message may be in any encoding; the header above the first empty line is what counts.
    let header = object.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let (mut tree, mut committed_at) = (None, None);
    for line in header {
        if let Some(rest) = line.strip_prefix(b"tree ") {
            tree =
                std::str::from_utf8(rest).ok().filter(|text| is_object_id(text)).map(str::to_owned);
        } else if let Some(rest) = line.strip_prefix(b"committer ") {
            let mut words = rest.rsplit(|byte| *byte == b' ');
            let seconds = words.nth(1).and_then(|word| std::str::from_utf8(word).ok());
            let ms = seconds
                .and_then(|text| text.parse::<i64>().ok())
                .and_then(|seconds| seconds.checked_mul(1000));
            committed_at = ms.and_then(|ms| Instant::from_unix_ms(ms).ok());
        }
    }
    Ok(Head {
        commit: commit.to_owned(),
        tree: tree.ok_or_else(|| refused("no tree"))?,
        committed_at: committed_at
            .ok_or_else(|| refused("no committer time within the years 2000 to 9998"))?,
    })
}

/// The remembered facts of a commit; a file that is not exactly what was written reads as nothing.
pub(super) fn cached(cache: &Path, commit: &str) -> Option<Head> {
    let text = fs::read_to_string(cache.join(format!("head-{commit}"))).ok()?;
    let mut lines = text.lines();
    let tree = lines.next()?.strip_prefix("tree ")?;
    let ms: i64 = lines.next()?.strip_prefix("committed_ms ")?.parse().ok()?;
    let head = Head {
        commit: commit.to_owned(),
        tree: tree.to_owned(),
        committed_at: Instant::from_unix_ms(ms).ok()?,
    };
    (is_object_id(tree) && text == render(&head)).then_some(head)
}

/// Remembers the facts of a commit. A cache that cannot be written is only a slower next time.
pub(super) fn remember(cache: &Path, head: &Head) {
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(cache)?;
        let mut file = tempfile::Builder::new().prefix(".portcullis-tmp-").tempfile_in(cache)?;
        file.write_all(render(head).as_bytes())?;
        file.persist(cache.join(format!("head-{}", head.commit)))
            .map_err(|refused| refused.error)?;
        Ok(())
    };
    let _best_effort = write();
}

fn render(head: &Head) -> String {
    let facts = format!("tree {}\ncommitted_ms {}\n", head.tree, head.committed_at.unix_ms());
    let check = Digest::of(format!("{}\n{facts}", head.commit).as_bytes());
    format!("{facts}check {check}\n")
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests build their files in place")]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    const TREE: &str = "89abcdef0123456789abcdef0123456789abcdef";

    fn object(committer: &str) -> Vec<u8> {
        let mut bytes = format!(
            "tree {TREE}\nparent {COMMIT}\nauthor A <a> 1 +0000\n{committer}\n\ntree evil\n"
        )
        .into_bytes();
        bytes.push(0xff);
        bytes
    }

    #[test]
    fn a_commit_object_is_read_by_its_header() {
        let table: &[(&str, &str, Option<i64>)] = &[
            ("plain", "committer A B <a@b> 1780221600 +0200", Some(1_780_221_600_000)),
            (
                "a name full of digits",
                "committer 1 2 <3> 1780221600 -0000",
                Some(1_780_221_600_000),
            ),
            ("before the year 2000", "committer A <a> 1 +0000", None),
            ("after every year", "committer A <a> 9223372036854775807 +0000", None),
            ("not a number", "committer A <a> soon +0000", None),
            ("no committer", "author B <b> 1780221600 +0000", None),
        ];
        for (case, committer, ms) in table {
            let seen = parse(COMMIT, &object(committer)).ok();
            assert_eq!(seen.as_ref().map(|head| head.committed_at.unix_ms()), *ms, "{case}");
            assert!(seen.is_none_or(|head| head.tree == TREE), "{case}");
        }
        assert!(parse(COMMIT, b"tree short\ncommitter A <a> 1780221600 +0000\n\n").is_err());
    }

    #[test]
    fn a_cache_file_is_whole_or_nothing() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let head = parse(COMMIT, &object("committer A <a> 1780221600 +0000")).expect("a commit");
        assert_eq!(cached(dir.path(), COMMIT), None);
        remember(dir.path(), &head);
        assert_eq!(cached(dir.path(), COMMIT), Some(head));
        let path = dir.path().join(format!("head-{COMMIT}"));
        let text = fs::read_to_string(&path).expect("a file");
        for end in 0..text.len() {
            fs::write(&path, &text[..end]).expect("a prefix");
            assert_eq!(cached(dir.path(), COMMIT), None, "cut to {end} bytes");
        }
        fs::write(&path, text.replace("committed_ms 1", "committed_ms 2")).expect("another time");
        assert_eq!(cached(dir.path(), COMMIT), None, "another time under the old check");
    }
}
