//! SHA-256 over bytes, pieces and readers. Leaves out what a digest is compared with.

use crate::wire::{id::Digest, sha256::Sha256};
use std::io::{self, Read};

/// How many bytes are read at first: most files of a run are smaller, and a run of thousands of gates has tens of
/// thousands of them.
const FIRST_BYTES: usize = 8 * 1024;
/// How many bytes are read at a time after that: large enough that system calls do not show, small enough to stay in cache.
const BUFFER_BYTES: usize = 256 * 1024;

/// Returns the digest of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest::of(bytes)
}

/// A digest that grows piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// A digest of nothing so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of everything that was added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest::from_bytes(self.0.finish())
    }
}

/// Returns the digest and the length of everything a reader gives.
///
/// # Errors
/// The first error of the reader; an interrupted read is repeated.
pub fn of_reader(mut reader: impl Read) -> io::Result<(Digest, u64)> {
    of_dyn_reader(&mut reader)
}

/// Not generic, so that the build profile of this crate decides how fast the loop is.
fn of_dyn_reader(reader: &mut dyn Read) -> io::Result<(Digest, u64)> {
    let (mut first, mut rest) = ([0u8; FIRST_BYTES], Vec::new());
    let (mut hasher, mut bytes) = (Hasher::new(), 0u64);
    loop {
        if bytes >= FIRST_BYTES as u64 && rest.is_empty() {
            rest = vec![0u8; BUFFER_BYTES];
        }
        let buffer = if rest.is_empty() { &mut first[..] } else { &mut rest[..] };
        match reader.read(buffer) {
            Ok(0) => return Ok((hasher.finish(), bytes)),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn bytes_pieces_and_readers_agree() {
        assert_eq!(sha256(b"").to_string(), EMPTY);
        for size in
            [0, 1, FIRST_BYTES, FIRST_BYTES + 1, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 1]
        {
            let bytes: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap_or(0)).collect();
            let mut pieces = Hasher::new();
            bytes.chunks(1000).for_each(|piece| pieces.update(piece));
            assert_eq!(pieces.finish(), sha256(&bytes), "{size} bytes in pieces");
            let seen = of_reader(bytes.as_slice()).expect("a slice cannot fail");
            assert_eq!(seen, (sha256(&bytes), size as u64), "{size} bytes from a reader");
        }
    }

    #[test]
    fn an_error_of_the_reader_is_not_an_early_end() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("EIO"))
            }
        }
        assert!(of_reader(b"abc".chain(Broken)).is_err());
    }
}
