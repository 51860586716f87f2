//! What a terminal or a forge put around a line, taken off again. Leaves out what the line says.

use memchr::memchr;
use std::borrow::Cow;

const ESC: u8 = 0x1b;
const TEXT_MAX: usize = 400;

/// The block without escape sequences; the block itself where there is none. A sequence never reaches over its line.
pub(super) fn escapes<'a>(block: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    if memchr(ESC, block).is_none() {
        return block;
    }
    scratch.clear();
    let mut rest = block;
    while let Some(at) = memchr(ESC, rest) {
        scratch.extend_from_slice(&rest[..at]);
        rest = &rest[at + sequence(&rest[at..])..];
    }
    scratch.extend_from_slice(rest);
    scratch
}

/// How long the escape sequence is that `bytes` begin with.
fn sequence(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'[') => {
            for (n, byte) in bytes.iter().enumerate().skip(2) {
                match byte {
                    b'\n' => return n,
                    0x40..=0x7e => return n + 1,
                    _ => {}
                }
            }
            bytes.len()
        }
        Some(b']' | b'P' | b'^' | b'_' | b'X') => {
            for (n, byte) in bytes.iter().enumerate().skip(2) {
                match byte {
                    b'\n' => return n,
                    0x07 => return n + 1,
                    &ESC => return if bytes.get(n + 1) == Some(&b'\\') { n + 2 } else { n },
                    _ => {}
                }
            }
            bytes.len()
        }
        Some(b'\n') | None => 1,
        Some(_) => 2,
    }
}

/// The line without what a forge writes before it: a time, or job, step and time between tabulators.
pub(super) fn prefix(line: &str) -> &str {
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    let mut rest = line;
    for _column in 0..3 {
        if let Some(after) = timestamp(rest) {
            return after;
        }
        match rest.split_once('\t') {
            Some((_, after)) => rest = after.strip_prefix('\u{feff}').unwrap_or(after),
            None => break,
        }
    }
    line
}

/// What stands behind `2026-11-21T15:21:10.1234567Z `, in brackets or not.
fn timestamp(text: &str) -> Option<&str> {
    let (text, bracketed) = text.strip_prefix('[').map_or((text, false), |rest| (rest, true));
    let bytes = text.as_bytes();
    let shape = bytes.len() >= 19
        && bytes[..19].iter().zip(b"0000-00-00T00:00:00").all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b' '),
            other => byte == other,
        });
    if !shape {
        return None;
    }
    let fraction = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'Z' | b'+' | b':');
    let end = bytes[19..].iter().position(|byte| !fraction(*byte)).map_or(bytes.len(), |n| 19 + n);
    let rest = &text[end..];
    let rest = if bracketed { rest.strip_prefix(']')? } else { rest };
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// A text for a document: what a terminal would obey is gone, and it is short.
pub(super) fn cut(text: &str) -> String {
    short(text).into_owned()
}

/// The same, and nothing is copied where the text is short and plain already, as most are.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    if text.len() <= TEXT_MAX && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text.trim());
    }
    let plain: String = portcullis::report::human::plain(text).chars().take(TEXT_MAX).collect();
    Cow::Owned(plain.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_for_a_document_is_plain_and_short_whatever_it_is_made_of() {
        let long = "x".repeat(TEXT_MAX + 1);
        let table = [
            ("plain", " a text ", "a text"),
            ("a colour", "a \u{1b}[31mred\u{1b}[0m text", "a red text"),
            ("a tabulator inside, and at the end", "a\tb\t", "a\tb"),
            ("a bell", "a\u{7}b", "ab"),
            ("delete", "a\u{7f}b", "ab"),
            ("a mark that turns the line", "a\u{202e}b", "ab"),
            ("too long", long.as_str(), &long[1..]),
        ];
        for (case, text, expected) in table {
            assert_eq!(cut(text), expected, "{case}");
        }
    }

    #[test]
    fn escape_sequences_go_and_lines_stay() {
        let table: &[(&str, &[u8], &[u8])] = &[
            ("nothing to do", b"plain\n", b"plain\n"),
            ("a colour", b"\x1b[31;1mFAIL\x1b[0m [\n", b"FAIL [\n"),
            ("a link", b"\x1b]8;;http://x\x07text\x1b]8;;\x1b\\\n", b"text\n"),
            ("a clipboard", b"a\x1b]52;c;aGk=\x07b\n", b"ab\n"),
            ("one without end keeps the next line", b"a\x1b]8;;x\nFAILED\n", b"a\nFAILED\n"),
            ("a colour without end, too", b"a\x1b[31\nFAILED\n", b"a\nFAILED\n"),
            ("an escape at the end", b"a\x1b", b"a"),
        ];
        for (case, text, expected) in table {
            assert_eq!(escapes(text, &mut Vec::new()), *expected, "{case}");
        }
    }

    #[test]
    fn what_a_forge_writes_before_a_line_goes() {
        let table = [
            ("nothing", "test a ... FAILED", "test a ... FAILED"),
            ("a time", "2026-11-21T15:21:10.1234567Z test a", "test a"),
            (
                "a time with indentation behind it",
                "2026-11-21T15:21:10.1Z     left: 1",
                "    left: 1",
            ),
            ("job, step and time", "ci\tRun tests\t2026-11-21T15:21:10.1Z test a", "test a"),
            ("a time in brackets", "[2026-11-21 15:21:10] test a", "test a"),
            ("a tabulator of the line's own", "a\tb", "a\tb"),
            ("a date is no time", "2026-11-21 test a", "2026-11-21 test a"),
        ];
        for (case, line, expected) in table {
            assert_eq!(prefix(line), expected, "{case}");
        }
    }
}
