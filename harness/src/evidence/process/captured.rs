//! What a process wrote, kept within a bound: the beginning, the end, and how much lay between.

use std::{
    collections::VecDeque,
    io::{self, Read},
    mem,
    sync::{Arc, Mutex, PoisonError, mpsc::Sender},
};

/// One stream of a finished process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The beginning.
    pub head: Vec<u8>,
    /// What followed it, or the end when bytes were cut.
    pub tail: Vec<u8>,
    /// How many bytes between the two were not kept.
    pub cut: u64,
}

impl Captured {
    /// The text, with `U+FFFD` for what is not UTF-8 and a line of its own where bytes were cut.
    #[must_use]
    pub fn text(&self) -> String {
        if self.cut == 0 {
            return String::from_utf8_lossy(&self.bytes()).into_owned();
        }
        let (head, tail) =
            (String::from_utf8_lossy(&self.head), String::from_utf8_lossy(&self.tail));
        format!("{head}\n[{} bytes cut]\n{tail}", self.cut)
    }

    /// The bytes that were kept, without a mark.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        [self.head.as_slice(), self.tail.as_slice()].concat()
    }
}

/// The stream while it is read; it can be taken although its reader still waits.
pub(super) struct Shared(Arc<Mutex<Stream>>);

#[derive(Default)]
struct Stream {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    cut: u64,
}

impl Stream {
    fn add(&mut self, mut bytes: &[u8], half: usize) {
        let room = half.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        bytes = &bytes[room..];
        self.tail.extend(bytes);
        let excess = self.tail.len().saturating_sub(half);
        self.tail.drain(..excess);
        self.cut += excess as u64;
    }
}

impl Shared {
    pub(super) fn take(&self) -> Captured {
        let stream = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Captured { head: stream.head, tail: stream.tail.into(), cut: stream.cut }
    }
}

/// Reads a stream on a thread of its own and reports its end.
pub(super) fn read(mut pipe: Box<dyn Read + Send>, half: usize, report: Sender<()>) -> Shared {
    let shared = Arc::new(Mutex::new(Stream::default()));
    let stream = Arc::clone(&shared);
    std::thread::spawn(move || {
        copy(&mut *pipe, &stream, half);
        // Nobody listens any more when the process was given up; then there is nothing to say.
        let _heard = report.send(());
    });
    Shared(shared)
}

fn copy(pipe: &mut dyn Read, stream: &Mutex<Stream>, half: usize) {
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => stream.lock().unwrap_or_else(PoisonError::into_inner).add(&buffer[..n], half),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A pipe that breaks has given all it will.
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_and_end_are_kept_and_the_cut_is_counted() {
        let table: &[(&str, &[u8], &str, u64)] = &[
            ("nothing", b"", "", 0),
            ("less than the head", b"ab", "ab", 0),
            ("a character across both halves", "abc\u{e4}fg".as_bytes(), "abc\u{e4}fg", 0),
            ("exactly both halves", b"abcdefgh", "abcdefgh", 0),
            ("one byte more", b"abcdefghi", "abcd\n[1 bytes cut]\nfghi", 1),
            ("much more", b"abcdefghijklmnop", "abcd\n[8 bytes cut]\nmnop", 8),
        ];
        for (case, bytes, text, cut) in table {
            for piece in [1, 3, 100] {
                let mut stream = Stream::default();
                bytes.chunks(piece).for_each(|chunk| stream.add(chunk, 4));
                let seen = Shared(Arc::new(Mutex::new(stream))).take();
                assert_eq!(
                    (seen.text().as_str(), seen.cut),
                    (*text, *cut),
                    "{case}, {piece} at a time"
                );
            }
        }
    }
}
