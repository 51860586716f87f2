//! SHA-256 by one of two libraries that give the same bytes. Leaves out what is digested, and how a digest is written.
//!
//! `hmac-sha256` is what a gate binary is built with: a test build, which is not optimised, hashes with it as fast as
//! with `sha2`, and compiles one small crate instead of eight. An optimised program that reads whole runs turns the
//! feature `hardware-sha256` on; `sha2` then uses the instructions that most processors have for it.

#[cfg(feature = "hardware-sha256")]
use sha2::Digest as _;

/// A digest that grows piece by piece.
#[derive(Clone)]
pub struct Sha256(Library);

#[cfg(feature = "hardware-sha256")]
type Library = sha2::Sha256;
#[cfg(not(feature = "hardware-sha256"))]
type Library = hmac_sha256::Hash;

impl Sha256 {
    /// A digest of nothing so far.
    #[must_use]
    pub fn new() -> Self {
        Self(Library::new())
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The 32 bytes of everything that was added.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        let digest = self.0.finalize();
        #[cfg(feature = "hardware-sha256")]
        let digest = digest.0;
        digest
    }

    /// The 32 bytes of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> [u8; 32] {
        let mut hasher = Self::new();
        hasher.update(bytes);
        hasher.finish()
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of FIPS 180-4, and the digest of nothing.
    #[test]
    fn the_published_examples_come_out() {
        let long = "a".repeat(1_000_000);
        let table = [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (&long, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ];
        for (text, expected) in table {
            let found: String =
                Sha256::of(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, expected, "{} bytes", text.len());
        }
    }

    /// What one program sealed, the other verifies.
    #[cfg(feature = "hardware-sha256")]
    #[test]
    fn both_libraries_give_the_same_bytes() {
        let bytes: Vec<u8> = (0..4096u32).map(|n| (n * 31 % 251) as u8).collect();
        for size in (0..300).chain([511, 512, 513, 4095, 4096]) {
            let mut pieces = hmac_sha256::Hash::new();
            bytes[..size].chunks(37).for_each(|piece| pieces.update(piece));
            assert_eq!(Sha256::of(&bytes[..size]), pieces.finalize(), "{size} bytes");
        }
    }
}
