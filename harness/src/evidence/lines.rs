//! Lines of a record file, streamed in bounded memory. Leaves out what the records say.

use crate::wire::{
    code::{INPUT_TOO_LARGE, INPUT_UNREADABLE, NOT_UTF8, RECORD_TORN},
    fault::{Fault, Location},
};
use std::io::{self, BufRead};

/// The longest line and the largest file (`security.md`, section 4).
const LINE_MAX_BYTES: usize = 64 * 1024;
const TOTAL_MAX_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// What a last line without newline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TornTail {
    /// A record that was cut: `record_torn`.
    Refuse,
    /// The trace of a killed writer, left out. For `events.jsonl` only.
    Tolerate,
}

/// What a byte order mark at the beginning of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The trace of a program that did not mean this format: `not_utf8`.
    Refuse,
    /// Passed over. For files that other programs export.
    Strip,
}

/// One line without its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// From 1.
    pub number: u64,
    /// The text.
    pub text: &'a str,
}

/// The lines of a reader.
pub struct Lines<R> {
    reader: R,
    path: String,
    torn_tail: TornTail,
    mark: Mark,
    buffer: Vec<u8>,
    /// How much of the reader's buffer the line before occupies.
    lent: usize,
    number: u64,
    total: u64,
    limits: Limits,
}

#[derive(Clone, Copy)]
struct Limits {
    line: usize,
    total: u64,
}

impl<R: BufRead> Lines<R> {
    /// Begins to read; `path` is only for messages.
    #[must_use]
    pub fn new(reader: R, path: &str, torn_tail: TornTail) -> Self {
        let limits = Limits { line: LINE_MAX_BYTES, total: TOTAL_MAX_BYTES };
        Self {
            reader,
            path: path.to_owned(),
            torn_tail,
            mark: Mark::Refuse,
            buffer: Vec::new(),
            lent: 0,
            number: 0,
            total: 0,
            limits,
        }
    }

    /// Says what a byte order mark is; by default it is refused.
    #[must_use]
    pub fn mark(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self
    }

    /// Returns the next line, or nothing at the end. LF and CRLF both end a line.
    ///
    /// # Errors
    /// `record_torn` for a last line without newline, `not_utf8`, `input_too_large` beyond 64 KiB per line or 4 GiB
    /// in all, `input_unreadable`. Each with the line.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, Fault> {
        self.reader.consume(std::mem::take(&mut self.lent));
        self.buffer.clear();
        self.number += 1;
        let ended = fill(&mut self.reader, &mut self.buffer, self.limits.line)
            .map_err(|source| unread(&self.path, self.number, &source))?;
        if let End::Buffered(bytes) = ended {
            self.lent = bytes;
        }
        self.total += (self.buffer.len() + self.lent) as u64;
        if self.total > self.limits.total {
            return Err(self.too_large("a record file is too large", self.limits.total));
        }
        match ended {
            End::Nothing => return Ok(None),
            End::TooLong => {
                return Err(self.too_large("a line is too long", self.limits.line as u64));
            }
            End::Torn if self.torn_tail == TornTail::Tolerate => return Ok(None),
            End::Torn => {
                return Err(Fault::new(
                    RECORD_TORN,
                    "the last line of a record file has no newline",
                    "write the file again; its writer was killed",
                )
                .at(self.place())
                .found(format!("{} bytes without a newline", self.buffer.len())));
            }
            End::Buffered(_) | End::Newline => {}
        }
        let (number, mark, path) = (self.number, self.mark, self.path.as_str());
        let whole = if self.lent > 0 {
            // What was just seen in the buffer is still there: asking again reads nothing.
            let buffered =
                self.reader.fill_buf().map_err(|source| unread(path, number, &source))?;
            buffered.get(..self.lent).unwrap_or(buffered)
        } else {
            &self.buffer
        };
        let end = whole.len().saturating_sub(if whole.ends_with(b"\r\n") { 2 } else { 1 });
        let Ok(text) = std::str::from_utf8(&whole[..end]) else {
            return Err(not_text(path, number, "a record file is not UTF-8"));
        };
        match (number, text.strip_prefix('\u{feff}'), mark) {
            (1, Some(text), Mark::Strip) => Ok(Some(Line { number, text })),
            (1, Some(_), Mark::Refuse) => {
                Err(not_text(path, number, "a record file begins with a byte order mark"))
            }
            (_, _, Mark::Strip | Mark::Refuse) => Ok(Some(Line { number, text })),
        }
    }

    fn place(&self) -> Location {
        place(&self.path, self.number)
    }

    fn too_large(&self, headline: &str, limit: u64) -> Fault {
        Fault::new(
            INPUT_TOO_LARGE,
            headline,
            "split the record, or move bulk text into a file of its own",
        )
        .at(self.place())
        .expected(format!("at most {limit} bytes"))
    }
}

// Built only for a fault: a place for every line of a long file would cost more than the line.
fn place(path: &str, number: u64) -> Location {
    Location::at(path, u32::try_from(number).unwrap_or(u32::MAX), 0)
}

fn unread(path: &str, number: u64, source: &io::Error) -> Fault {
    Fault::new(INPUT_UNREADABLE, "a record file cannot be read", "check the disk, then run again")
        .at(place(path, number))
        .because(source)
}

fn not_text(path: &str, number: u64, headline: &str) -> Fault {
    Fault::new(NOT_UTF8, headline, "save the file as UTF-8 without a byte order mark")
        .at(place(path, number))
}

enum End {
    Nothing,
    /// A line of so many bytes, its newline counted, that was not yet taken from the reader.
    Buffered(usize),
    Newline,
    Torn,
    TooLong,
}

/// Reads up to and with the next newline into `line`, and never keeps more than the limit.
///
/// A line that is whole in the reader's buffer stays there: the answer says how long it is, and `line` stays empty. Not
/// generic, for speed in dev builds.
fn fill(reader: &mut dyn BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<End> {
    loop {
        let available = match reader.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(if line.is_empty() { End::Nothing } else { End::Torn });
        }
        let newline = memchr::memchr(b'\n', available);
        let taken = newline.map_or(available.len(), |at| at + 1);
        if line.len() + taken > limit + 1 {
            return Ok(End::TooLong);
        }
        if newline.is_some() && line.is_empty() {
            return Ok(End::Buffered(taken));
        }
        line.extend_from_slice(&available[..taken]);
        reader.consume(taken);
        if newline.is_some() {
            return Ok(End::Newline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn read(
        bytes: &[u8],
        torn_tail: TornTail,
        limits: Limits,
    ) -> Result<Vec<(u64, String)>, &'static str> {
        // A small buffer makes lines span several fills.
        let mut lines =
            Lines { limits, ..Lines::new(BufReader::with_capacity(3, bytes), "f", torn_tail) };
        let mut seen = Vec::new();
        while let Some(line) = lines.next_line().map_err(|fault| fault.code().name())? {
            seen.push((line.number, line.text.to_owned()));
        }
        Ok(seen)
    }

    const WIDE: Limits = Limits { line: 100, total: 1000 };

    #[test]
    fn fg47_lines_are_whole_or_refused() {
        type Row<'a> = (&'a str, &'a [u8], TornTail, Result<&'a [&'a str], &'a str>);
        let table: &[Row<'_>] = &[
            ("no line", b"", TornTail::Refuse, Ok(&[])),
            ("two lines", b"ab\ncdefgh\n", TornTail::Refuse, Ok(&["ab", "cdefgh"])),
            ("CRLF", b"a\r\nb\r\n", TornTail::Refuse, Ok(&["a", "b"])),
            ("an empty line is a line", b"\n\n", TornTail::Refuse, Ok(&["", ""])),
            ("fg47: a torn last line", b"a\nb", TornTail::Refuse, Err("record_torn")),
            ("a torn last line of events", b"a\nb", TornTail::Tolerate, Ok(&["a"])),
            ("torn within a character", b"a\n\xc3", TornTail::Tolerate, Ok(&["a"])),
            ("not UTF-8", b"a\n\xff\n", TornTail::Tolerate, Err("not_utf8")),
            ("a byte order mark", b"\xef\xbb\xbfa\n", TornTail::Refuse, Err("not_utf8")),
        ];
        for (case, bytes, torn_tail, expected) in table {
            let seen = read(bytes, *torn_tail, WIDE);
            let texts =
                seen.map(|lines| lines.into_iter().map(|(_, text)| text).collect::<Vec<String>>());
            assert_eq!(
                texts,
                expected.map(|lines| lines.iter().map(ToString::to_string).collect()),
                "{case}"
            );
        }
        assert_eq!(
            read(b"a\nb\n", TornTail::Refuse, WIDE).expect("lines")[1].0,
            2,
            "lines count from 1"
        );
    }

    #[test]
    fn a_mark_is_passed_over_only_where_it_may_stand() {
        let mut lines = Lines::new(&b"\xef\xbb\xbfa\r\n\xef\xbb\xbfb\n"[..], "f", TornTail::Refuse)
            .mark(Mark::Strip);
        let mut seen = Vec::new();
        while let Some(line) = lines.next_line().expect("lines") {
            seen.push(line.text.to_owned());
        }
        assert_eq!(seen, ["a", "\u{feff}b"], "only the first line of a file has a mark");
    }

    #[test]
    fn t12_lines_and_files_are_limited() {
        let small = Limits { line: 4, total: 12 };
        let table: &[(&str, &[u8], Result<usize, &str>)] = &[
            ("lines of just the limit", b"abcd\nabcd\n", Ok(2)),
            ("a line one byte too long", b"abcde\n", Err("input_too_large")),
            ("a line without end", &[b'a'; 1000], Err("input_too_large")),
            ("a file one byte too long", b"abcd\nabcd\nab\n", Err("input_too_large")),
        ];
        for (case, bytes, expected) in table {
            let seen = read(bytes, TornTail::Tolerate, small).map(|lines| lines.len());
            assert_eq!(seen, *expected, "{case}");
        }
    }
}
