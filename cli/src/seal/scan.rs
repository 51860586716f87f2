//! Secrets in a stream of any length: one window, of which the end of each piece is seen again with the next one.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use portcullis::evidence::redaction::{Redactor, anchors, token_at};

/// What is held together at least: no token is longer that can be told from other text, but for web tokens, of which those
/// of more than this are found only where a piece has them whole.
const TOGETHER_BYTES: usize = 16 * 1024;
/// How much is read at a time: large enough that system calls do not show, small enough to stay in the cache.
const PIECE_BYTES: usize = 256 * 1024;

/// What is searched for, prepared once for all threads.
pub(super) struct Search<'r> {
    redactor: &'r Redactor,
    tokens: Option<AhoCorasick>,
}

/// One thread's memory for reading.
pub(super) struct Window {
    bytes: Vec<u8>,
    kept: usize,
    filled: usize,
}

impl<'r> Search<'r> {
    pub(super) fn new(redactor: &'r Redactor) -> Self {
        // Absent only if the anchors were too many for a search, and then every one is looked for by itself.
        let tokens = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .kind(Some(AhoCorasickKind::DFA))
            .build(anchors())
            .ok();
        Self { redactor, tokens }
    }

    /// A window that holds together whatever may be found.
    pub(super) fn window(&self) -> Window {
        let together = TOGETHER_BYTES.max(self.redactor.longest());
        Window { bytes: vec![0; together + PIECE_BYTES], kept: 0, filled: 0 }
    }

    /// The length of a secret in what the window holds.
    pub(super) fn secret_in(&self, window: &Window) -> Option<usize> {
        let bytes = &window.bytes[..window.filled];
        if !self.redactor.is_empty()
            && let Some(length) = self.redactor.named_in(bytes)
        {
            return Some(length);
        }
        let Some(tokens) = &self.tokens else { return self.redactor.first_in(bytes) };
        tokens.find_iter(bytes).find_map(|found| {
            // What begins a window that is not the first began in the one before, with the byte that stands before it.
            let is_cut = found.start() == 0 && window.kept > 0;
            if is_cut { None } else { token_at(bytes, found.start()).map(|token| token.len()) }
        })
    }
}

impl Window {
    /// Forgets everything: another file begins.
    pub(super) fn clear(&mut self) {
        (self.kept, self.filled) = (0, 0);
    }

    /// Makes room behind the end of what was read last, and returns it.
    pub(super) fn room(&mut self) -> &mut [u8] {
        let together = self.bytes.len() - PIECE_BYTES;
        let from = self.filled.saturating_sub(together);
        self.bytes.copy_within(from..self.filled, 0);
        self.kept = self.filled - from;
        self.filled = self.kept;
        &mut self.bytes[self.kept..]
    }

    /// Says how much of the room was filled, and returns that.
    pub(super) fn fill(&mut self, bytes: usize) -> &[u8] {
        self.filled = self.kept + bytes;
        &self.bytes[self.kept..self.filled]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "correct horse/battery";

    /// Reads a text in pieces as they would come from a disk.
    fn found(redactor: &Redactor, text: &[u8]) -> bool {
        let search = Search::new(redactor);
        let mut window = search.window();
        let mut rest = text;
        while !rest.is_empty() {
            let room = window.room();
            let n = room.len().min(rest.len()).min(PIECE_BYTES);
            room[..n].copy_from_slice(&rest[..n]);
            assert_eq!(window.fill(n), &rest[..n]);
            if search.secret_in(&window).is_some() {
                return true;
            }
            rest = &rest[n..];
        }
        false
    }

    #[test]
    fn t15_a_secret_is_found_wherever_a_piece_ends() {
        let redactor = Redactor::new(&[SECRET]);
        let token = format!(" ghp_{} ", "a1B2".repeat(9));
        let key = "\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n".to_owned();
        let jwt = format!(" eyJ{0}.eyJ{0}.{0} ", "a1B2".repeat(900));
        let url = " https://me:hunter2@host/ ".to_owned();
        for secret in [SECRET.to_owned(), token, key, jwt, url] {
            for end in [PIECE_BYTES, 2 * PIECE_BYTES, PIECE_BYTES + TOGETHER_BYTES] {
                for before in [1, secret.len() / 3, secret.len() / 2, secret.len() - 1] {
                    let mut text = vec![b'.'; end - before];
                    text.extend_from_slice(secret.as_bytes());
                    text.extend_from_slice(&[b'.'; 3000]);
                    assert!(found(&redactor, &text), "{} bytes before {end}: {secret}", before);
                    // Without it, nothing is found.
                    let at = end - before + secret.len() / 2;
                    text[at - 2..at + 2].copy_from_slice(b"\n \n ");
                    assert!(!found(&Redactor::new(&["another one"]), &text[at..]), "{secret}");
                }
            }
        }
    }

    #[test]
    fn a_piece_that_begins_within_a_word_is_no_token() {
        let redactor = Redactor::default();
        let word = format!("xghp_{}", "a".repeat(40));
        for shift in 0..3 {
            let mut text = vec![b'.'; PIECE_BYTES - TOGETHER_BYTES - 1 - shift + 1];
            text.extend_from_slice(word.as_bytes());
            text.extend(vec![b'.'; 2 * PIECE_BYTES]);
            assert!(!found(&redactor, &text), "{shift}");
        }
    }
}
