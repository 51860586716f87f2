//! A red log, read as a stream: what failed in it, by the words of libtest, nextest, cargo, panics and our own gates.
//!
//! Memory is bounded by one block and the failures that are kept. Leaves out what a failure means: see `signature`.

mod book;
mod clean;
mod failure;
mod line;
#[cfg(test)]
mod tests;

pub(crate) use failure::{Kind, LogFailure};

use crate::signature::Patterns;
use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use anyhow::Context as _;
use book::Book;
use memchr::{memchr, memchr_iter, memrchr};
use std::{borrow::Cow, collections::BTreeMap, io::Read};

/// How much of the log is looked at together.
const BLOCK_BYTES: usize = 1024 * 1024;
/// No line is read further (`security.md`, threat T23).
const LINE_MAX_BYTES: usize = 64 * 1024;

/// Words that stand on every line that this reader understands. A line without any of them is never looked at.
const WORDS: &[&str] = &[
    "running ",
    "... FAILED",
    "--- FAILED",
    "---- ",
    "failures:",
    "panicked at ",
    "test result: ",
    "Running ",
    "Doc-tests ",
    "FAIL [",
    "FAIL + LEAK [",
    "LEAK FAIL [",
    "FLKY-FL",
    "TIMEOUT [",
    "ABORT [",
    "SIGABRT [",
    "SIGSEGV [",
    "SIGKILL [",
    "SIGTERM [",
    "SIGINT [",
    "SIGQUIT [",
    "SIGHUP [",
    "SIGPIPE [",
    "SIGTRAP [",
    "SIGSYS [",
    "SIGBUS [",
    "SIGILL [",
    "SIGFPE [",
    "FLAKY ",
    "TRY ",
    "Summary [",
    "error: ",
    "error[",
    "Error: ",
    "didn't exit successfully",
    "has overflowed its stack",
    "fatal runtime error",
    "memory allocation of ",
    "test did not panic as expected",
    "panic did not contain expected string",
    ": gate_blocked",
    ": assertion_failure",
    ": panic",
    ": timeout",
    ": crash",
    ": exited",
    ": not_run",
    ": test_error",
    ": missing_artifact",
    ": stale_artifact",
    ": schema_mismatch",
    ": cassette_mismatch",
    ": waiver_expired",
    ": environment",
    ": unknown",
    ": fail [",
    ": error [",
    ": missing [",
    ": crashed [",
    ": precluded [",
    ": pending_approval [",
    ": skip [",
    "= status: ",
    "= remedy:",
    "= replay:",
    "= owner:",
    "The operation was canceled",
    "has exceeded the maximum execution time",
    "Process completed with exit code",
    "[exit code: ",
];

/// A pattern of the policy that a line matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The first line that did, from 1.
    pub line: u64,
    /// How many did.
    pub count: u64,
    /// The first one, cut.
    pub text: String,
}

/// What a log says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// How long it is.
    pub bytes: u64,
    /// How many lines it has.
    pub lines: u64,
    /// Lines that were longer than this reader reads.
    pub cut_lines: u64,
    /// What failed, in the order of its first mention.
    pub failures: Vec<LogFailure>,
    /// Failures beyond those that are kept.
    pub omitted: u64,
    /// Which patterns of the policy matched, by their number.
    pub hits: BTreeMap<usize, Hit>,
    /// Test results that say that all is well.
    pub green_results: u64,
    /// Marks that the whole thing was red: a failed result, a failed step.
    pub red_marks: u64,
}

/// Reads a log to its end.
///
/// # Errors
/// What the reader says.
pub(crate) fn read(mut input: impl Read, patterns: &Patterns) -> anyhow::Result<Log> {
    let words: Vec<&str> =
        WORDS.iter().copied().chain(patterns.literals.iter().map(String::as_str)).collect();
    let finder = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words)
        .context("the words of the log reader")?;
    let mut reader = Reader { finder, patterns, book: Book::default(), log: Log::default() };
    let mut block = vec![0_u8; BLOCK_BYTES];
    let mut scratch = Vec::new();
    let (mut filled, mut within_line, mut ended) = (0, false, true);
    loop {
        let n = input.read(&mut block[filled..]).context("the log cannot be read")?;
        filled += n;
        reader.log.bytes += n as u64;
        if n > 0 {
            ended = block[filled - 1] == b'\n';
        }
        let end = match memrchr(b'\n', &block[..filled]) {
            _ if n == 0 => filled,
            Some(at) => at + 1,
            // A line longer than a block: its beginning is looked at, its rest is counted as cut.
            None if filled == block.len() => filled,
            None => continue,
        };
        let mut part = &block[..end];
        let whole = n == 0 || part.ends_with(b"\n");
        if within_line {
            let rest = memchr(b'\n', part).map_or(part.len(), |at| at + 1);
            within_line = !part[..rest].ends_with(b"\n");
            reader.log.lines += u64::from(!within_line);
            part = &part[rest..];
        }
        if !part.is_empty() {
            reader.block(clean::escapes(part, &mut scratch));
            within_line = !whole;
            if within_line {
                reader.log.cut_lines += 1;
            }
        }
        block.copy_within(end..filled, 0);
        filled -= end;
        if n == 0 {
            break;
        }
    }
    // A last line without an end is a line.
    reader.log.lines += u64::from(!ended);
    Ok(reader.finish())
}

struct Reader<'a> {
    finder: AhoCorasick,
    patterns: &'a Patterns,
    book: Book,
    log: Log,
}

impl Reader<'_> {
    /// Looks at the lines of a block that have one of the words, and at those that a failure asked for.
    fn block(&mut self, block: &[u8]) {
        let every_line = self.patterns.needs_every_line();
        let (mut at, mut counted) = (0, 0);
        while at < block.len() {
            let (start, word) = if every_line || self.book.wants_next_line() {
                (at, at)
            } else {
                match self.finder.find(Input::new(block).range(at..)) {
                    Some(found) => {
                        let line = memrchr(b'\n', &block[at..found.start()]);
                        (line.map_or(at, |n| at + n + 1), found.start())
                    }
                    None => break,
                }
            };
            let end = memchr(b'\n', &block[start..]).map_or(block.len(), |n| start + n);
            self.log.lines += memchr_iter(b'\n', &block[counted..start]).count() as u64;
            counted = start;
            self.line(&block[start..end], word - start);
            at = end + 1;
        }
        self.log.lines += memchr_iter(b'\n', &block[counted..]).count() as u64;
    }

    /// Reads a line, whose first word of ours begins at `word`.
    fn line(&mut self, bytes: &[u8], word: usize) {
        let number = self.log.lines + 1;
        let mut bytes = bytes;
        if bytes.len() > LINE_MAX_BYTES {
            self.log.cut_lines += 1;
            bytes = &bytes[..LINE_MAX_BYTES];
        }
        let text = std::str::from_utf8(bytes)
            .map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        let is_mended = matches!(text, Cow::Owned(_));
        let text = clean::prefix(text.trim_end_matches(['\r', '\n']));
        let may_match = is_mended || self.patterns.may_match(bytes, word);
        let matched = if may_match { self.patterns.matches(text) } else { Vec::new() };
        for pattern in &matched {
            let hit = self.log.hits.entry(*pattern).or_insert_with(|| Hit {
                line: number,
                count: 0,
                text: clean::cut(text),
            });
            hit.count += 1;
        }
        self.book.line(number, text, &matched);
    }

    fn finish(self) -> Log {
        let mut log = self.log;
        let (failures, omitted, green, red) = self.book.finish();
        log.failures = failures;
        log.omitted = omitted;
        log.green_results = green;
        log.red_marks = red;
        log
    }
}
