//! What a run left behind to show that it did its work. A run that left nothing has proven nothing.

use portcullis::Digest;
use portcullis_canary::{Proof, Work, WorkDigest};
use portcullis_gates::canary::ProofTable;
use serde_json::Value;
use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

/// A result is small; what is larger is no result.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The proof of a canary in one arm.
pub(crate) struct Proving<'a> {
    table: &'a ProofTable,
    file: Option<PathBuf>,
    pattern: Option<regex::Regex>,
}

/// A line of a journal: one child that the measured program ran.
struct Line {
    metric: Option<String>,
    work: Work,
}

impl<'a> Proving<'a> {
    /// The proof of the runs in a checkout.
    ///
    /// # Errors
    /// When the pattern is none, which the policy refused before.
    pub(crate) fn new(table: &'a ProofTable, checkout: &Path) -> anyhow::Result<Self> {
        let file = table.file.as_ref().or(table.journal.as_ref());
        let pattern = table.stdout.as_deref().map(regex::Regex::new).transpose()?;
        Ok(Self { table, file: file.map(|file| checkout.join(file.as_str())), pattern })
    }

    /// Removes what an earlier run left, so that only this one can have made what is found.
    pub(crate) fn clear(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        match fs::remove_file(file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(source),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Returns what one process has proven, and the work that it states.
    pub(crate) fn of_run(&self, nonce: &str, stdout: &Path) -> (Vec<Proof>, Work) {
        if self.table.journal.is_some() {
            return match self.journal(nonce).as_deref() {
                Some([only]) => (vec![Proof::Journal], only.work),
                Some([first, rest @ ..]) if rest.iter().all(|line| line.work == first.work) => {
                    (vec![Proof::Journal], first.work)
                }
                Some(_) | None => nothing(),
            };
        }
        let Some(text) = text(self.file.as_deref().unwrap_or(stdout)) else { return nothing() };
        let document: Option<Value> = serde_json::from_str(&text).ok();
        let work = document.as_ref().map_or(Work::UNSTATED, stated);
        let proof = match (&self.table.pointer, &self.pattern) {
            (Some(pointer), _) => {
                let found = document.as_ref().and_then(|document| document.pointer(pointer));
                let expected =
                    self.table.equals.as_ref().and_then(|value| serde_json::to_value(value).ok());
                (found.is_some() && found == expected.as_ref()).then_some(Proof::Pointer)
            }
            (None, Some(pattern)) => pattern.is_match(&text).then_some(Proof::Pattern),
            (None, None) => text.contains(nonce).then_some(Proof::ResultFile),
        };
        proof.map_or_else(nothing, |proof| (vec![proof], work))
    }

    /// Proves the samples of one metric that a tool took in one process: the journal has a line for each of them, and the
    /// newest lines are theirs. Without a journal the proof of the process is that of its samples.
    pub(crate) fn of_samples(
        &self,
        nonce: &str,
        stdout: &Path,
        metric: &str,
        samples: usize,
    ) -> Vec<(Vec<Proof>, Work)> {
        if self.table.journal.is_none() {
            return vec![self.of_run(nonce, stdout); samples];
        }
        let lines = self.journal(nonce).unwrap_or_default();
        let is_named = lines.iter().any(|line| line.metric.is_some());
        let of_metric = |line: &&Line| !is_named || line.metric.as_deref() == Some(metric);
        let works: Vec<Work> = lines.iter().filter(of_metric).map(|line| line.work).collect();
        let Some(skipped) = works.len().checked_sub(samples) else {
            return vec![nothing(); samples];
        };
        works.into_iter().skip(skipped).map(|work| (vec![Proof::Journal], work)).collect()
    }

    /// The lines of the journal; nothing unless every line is of this run and of a child that succeeded.
    fn journal(&self, nonce: &str) -> Option<Vec<Line>> {
        let text = text(self.file.as_deref()?)?;
        let whole = text.ends_with('\n');
        let lines: Option<Vec<Line>> = text
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).ok()?;
                let is_ours = line.get("nonce").and_then(Value::as_str) == Some(nonce);
                let succeeded = line.get("exit").and_then(Value::as_i64) == Some(0);
                let metric = line.get("metric").and_then(Value::as_str).map(str::to_owned);
                (is_ours && succeeded).then(|| Line { metric, work: stated(&line) })
            })
            .collect();
        lines.filter(|lines| whole && !lines.is_empty())
    }
}

const fn nothing() -> (Vec<Proof>, Work) {
    (Vec::new(), Work::UNSTATED)
}

/// The work that a document states in `work` (any value) and `count`.
fn stated(document: &Value) -> Work {
    let count = document.get("count").and_then(Value::as_u64);
    let work = document.get("work");
    if work.is_none() && count.is_none() {
        return Work::UNSTATED;
    }
    let text = work.map_or(String::new(), Value::to_string);
    let digest = Digest::of(text.as_bytes()).to_string();
    let digest = WorkDigest::try_from(digest).unwrap_or(WorkDigest::new([0; 32]));
    Work { digest, count: count.unwrap_or(0) }
}

/// A text of bounded length; one that cannot be read proves nothing.
fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    let read = fs::File::open(path).ok()?.take(BYTES_MAX + 1).read_to_string(&mut text).ok()?;
    (u64::try_from(read).ok()? <= BYTES_MAX).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Head {
        proof: ProofTable,
    }

    #[test]
    fn t2_samples_of_one_process_are_proven_by_the_newest_lines_of_their_own_metric() {
        let folder = tempfile::tempdir().expect("a folder");
        let head: Head = toml::from_str("proof = { journal = 'r' }").expect("a table");
        let proving = Proving::new(&head.proof, folder.path()).expect("a proof");
        let proven = |lines: &[(&str, u64)], samples: usize| -> Vec<Option<u64>> {
            let mut file = fs::File::create(folder.path().join("r")).expect("a file");
            for (metric, count) in lines {
                let line = serde_json::json!({ "nonce": "n1", "exit": 0, "metric": metric, "count": count });
                let mut line: Value = line;
                if metric.is_empty() {
                    line.as_object_mut().expect("a line").remove("metric");
                }
                io::Write::write_all(&mut file, format!("{line}\n").as_bytes()).expect("written");
            }
            drop(file);
            let all = proving.of_samples("n1", &folder.path().join("out"), "a", samples);
            assert_eq!(all.len(), samples, "an answer for each sample");
            all.into_iter().map(|(proof, work)| (!proof.is_empty()).then_some(work.count)).collect()
        };
        // The first line is that of a warm-up.
        assert_eq!(proven(&[("", 9), ("", 1), ("", 2)], 2), [Some(1), Some(2)]);
        assert_eq!(proven(&[("a", 9), ("b", 8), ("a", 1), ("b", 7)], 2), [Some(9), Some(1)]);
        assert_eq!(proven(&[("a", 1), ("b", 2), ("b", 3)], 2), [None, None], "one of two");
        assert_eq!(proven(&[("", 1)], 2), [None, None], "one of two, without names");
        assert_eq!(proven(&[], 1), [None], "an empty journal");
    }

    fn of_run(proof: &str, output: &str) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        let head: Head = toml::from_str(&format!("proof = {proof}")).expect("a table");
        let proving = Proving::new(&head.proof, folder.path()).expect("a proof");
        let stdout = folder.path().join("out");
        for name in ["out", "r"] {
            let mut file = fs::File::create(folder.path().join(name)).expect("a file");
            io::Write::write_all(&mut file, output.as_bytes()).expect("written");
        }
        !proving.of_run("n1", &stdout).0.is_empty()
    }

    #[test]
    fn t2_only_what_was_asked_for_is_a_proof() {
        let table = [
            ("the nonce", "{ file = 'r' }", "made for n1", true),
            ("another nonce", "{ file = 'r' }", "made for n2", false),
            ("no file", "{ file = 'absent' }", "n1", false),
            ("a value", "{ pointer = '/a', equals = 1 }", "{\"a\":1}", true),
            ("another value", "{ pointer = '/a', equals = 1 }", "{\"a\":2}", false),
            ("no value", "{ pointer = '/a', equals = 1 }", "{}", false),
            ("no document", "{ pointer = '/a', equals = 1 }", "a = 1", false),
            ("a pattern", "{ stdout = 'ok [0-9]' }", "ok 7", true),
            ("no match", "{ stdout = 'ok [0-9]' }", "ok", false),
            ("a journal", "{ journal = 'r' }", "{\"nonce\":\"n1\",\"exit\":0}\n", true),
            ("an empty journal", "{ journal = 'r' }", "", false),
            ("a failed child", "{ journal = 'r' }", "{\"nonce\":\"n1\",\"exit\":1}\n", false),
            ("an old journal", "{ journal = 'r' }", "{\"nonce\":\"n0\",\"exit\":0}\n", false),
            ("a cut journal", "{ journal = 'r' }", "{\"nonce\":\"n1\",\"exit\":0}", false),
            (
                "one child of two failed",
                "{ journal = 'r' }",
                "{\"nonce\":\"n1\",\"exit\":0}\n{\"nonce\":\"n1\",\"exit\":2}\n",
                false,
            ),
        ];
        for (case, proof, output, expected) in table {
            assert_eq!(of_run(proof, output), expected, "{case}");
        }
    }
}
