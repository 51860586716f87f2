//! Secrets in texts and bytes: those this environment names, in every spelling that programs give them, and texts with the
//! precise shape of a token. It guesses nothing from randomness, and it looks into no compression.

use crate::wire::ordered;
use memchr::memmem;
use std::{borrow::Cow, ops::Range};

/// A shorter needle would be found in innocent text.
const NEEDLE_MIN_BYTES: usize = 8;
/// A shorter password in an address is an example.
const PASSWORD_MIN_BYTES: usize = 4;
const MARK: &str = "[redacted:";

/// What is searched for: prepared once, asked for every text.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Sorted by their first two bytes, then the longest first.
    needles: Vec<Needle>,
    /// Which pairs of first bytes any needle has: one bit each.
    pairs: Vec<u64>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Needle {
    bytes: Vec<u8>,
    secret_bytes: usize,
}

impl std::fmt::Debug for Redactor {
    /// Deliberately says how many, never what.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("needles", &self.needles.len()).finish()
    }
}

impl Redactor {
    /// Prepares the search for these secrets; those of fewer than 8 bytes are left out.
    #[must_use]
    pub fn new<S: AsRef<str>>(secrets: &[S]) -> Self {
        let mut needles = Vec::new();
        for secret in secrets.iter().map(AsRef::as_ref) {
            spellings(secret, &mut needles);
            // Output comes line by line, so every line of a key counts by itself.
            if secret.contains('\n') {
                secret.lines().for_each(|line| spellings(line.trim(), &mut needles));
            }
        }
        needles.retain(|needle| needle.bytes.len() >= NEEDLE_MIN_BYTES);
        ordered::sort_by(&mut needles, |a, b| {
            let pair = |needle: &Needle| pair(&needle.bytes).unwrap_or(0);
            let longest = b.bytes.len().cmp(&a.bytes.len());
            pair(a).cmp(&pair(b)).then(longest).then_with(|| a.bytes.cmp(&b.bytes))
        });
        needles.dedup_by(|a, b| a.bytes == b.bytes);
        let mut pairs = if needles.is_empty() { Vec::new() } else { vec![0u64; 1024] };
        for pair in needles.iter().filter_map(|needle| pair(&needle.bytes)) {
            pairs[usize::from(pair >> 6)] |= 1 << (pair & 63);
        }
        Self { needles, pairs }
    }

    /// How many bytes of a text must be held together, so that nothing is found only by halves.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.needles.iter().map(|needle| needle.bytes.len()).max().unwrap_or(0)
    }

    /// The text with every secret replaced by `[redacted:<length>]`.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found = self.found(text.as_bytes());
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        ordered::sort_by(&mut found, |a, b| a.0.start.cmp(&b.0.start).then(b.0.end.cmp(&a.0.end)));
        let (mut redacted, mut end) = (String::with_capacity(text.len()), 0);
        for (range, length) in found {
            if range.end <= end {
                continue;
            }
            // Of two that overlap, what the first left of the second goes with it.
            let start = range.start.max(end);
            redacted.push_str(text.get(end..start).unwrap_or_default());
            redacted.push_str(&format!("{MARK}{length}]"));
            end = range.end;
            while !text.is_char_boundary(end) {
                end += 1;
            }
        }
        redacted.push_str(text.get(end..).unwrap_or_default());
        Cow::Owned(redacted)
    }

    /// The length of the first secret in these bytes; nothing where there is none.
    #[must_use]
    pub fn first_in(&self, bytes: &[u8]) -> Option<usize> {
        let found = self.found(bytes);
        found.into_iter().min_by_key(|(range, _)| range.start).map(|(_, length)| length)
    }

    /// The length of a secret that the environment names and these bytes hold, in any spelling; shapes are not asked for.
    #[must_use]
    pub fn named_in(&self, bytes: &[u8]) -> Option<usize> {
        let mut found = Vec::new();
        self.named(bytes, &mut found);
        found.first().map(|(_, length)| *length)
    }

    /// Whether the environment names no secret at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    fn found(&self, bytes: &[u8]) -> Vec<(Range<usize>, usize)> {
        let mut found = Vec::new();
        self.named(bytes, &mut found);
        shapes(bytes, &mut found);
        found
    }

    /// Every needle in these bytes.
    fn named(&self, bytes: &[u8], found: &mut Vec<(Range<usize>, usize)>) {
        if self.needles.is_empty() {
            return;
        }
        let mut at = 0;
        while at + NEEDLE_MIN_BYTES <= bytes.len() {
            let pair = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
            if self.pairs[usize::from(pair >> 6)] >> (pair & 63) & 1 == 1
                && let Some(needle) = self.needle_at(&bytes[at..], pair)
            {
                found.push((at..at + needle.bytes.len(), needle.secret_bytes));
                at += needle.bytes.len();
                continue;
            }
            at += 1;
        }
    }

    /// The longest needle that stands at the beginning.
    fn needle_at(&self, bytes: &[u8], first: u16) -> Option<&Needle> {
        let of = |needle: &Needle| pair(&needle.bytes).unwrap_or(0);
        let from = self.needles.partition_point(|needle| of(needle) < first);
        let same = self.needles.get(from..)?.iter().take_while(|needle| of(needle) == first);
        same.into_iter().find(|needle| bytes.starts_with(&needle.bytes))
    }
}

fn pair(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]))
}

/// Every way in which a program may write a secret.
fn spellings(secret: &str, needles: &mut Vec<Needle>) {
    let bytes = secret.as_bytes();
    if bytes.len() < NEEDLE_MIN_BYTES {
        return;
    }
    let mut add = |bytes: Vec<u8>| needles.push(Needle { bytes, secret_bytes: secret.len() });
    add(bytes.to_vec());
    for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
        add(spelled(bytes, &|byte, text| text.extend(hex(byte, digits))));
        let escape = |byte: u8, text: &mut Vec<u8>| {
            text.push(b'%');
            text.extend(hex(byte, digits));
        };
        let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        // What a URL needs, what a form needs, and what a careful program does to every byte.
        add(spelled(bytes, &|b, text| if kept(b) { text.push(b) } else { escape(b, text) }));
        add(spelled(bytes, &|b, text| match b {
            b' ' => text.push(b'+'),
            b if kept(b) => text.push(b),
            b => escape(b, text),
        }));
        add(spelled(bytes, &escape));
    }
    if let Ok(quoted) = serde_json::to_string(secret) {
        add(quoted.trim_matches('"').as_bytes().to_vec());
        add(quoted.trim_matches('"').replace('/', "\\/").into_bytes());
    }
    for alphabet in [BASE64, BASE64_URL] {
        (0..3).for_each(|offset| add(base64_within(bytes, offset, alphabet)));
    }
}

fn spelled(bytes: &[u8], spell: &dyn Fn(u8, &mut Vec<u8>)) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() * 3);
    bytes.iter().for_each(|byte| spell(*byte, &mut text));
    text
}

fn hex(byte: u8, digits: &[u8; 16]) -> [u8; 2] {
    [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The digits of base64 that these bytes alone decide where `offset` other bytes stand before them.
fn base64_within(bytes: &[u8], offset: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    // Six bits a digit; the first whole one begins at the first multiple of six bits that is ours.
    let skipped = (6 - (offset * 8) % 6) % 6;
    let mut digits = Vec::new();
    let mut bit = skipped;
    while bit + 6 <= bytes.len() * 8 {
        let at = bit / 8;
        let two = u16::from(bytes[at]) << 8 | bytes.get(at + 1).map_or(0, |byte| u16::from(*byte));
        let digit = two >> (10 - bit % 8) & 63;
        digits.push(alphabet[usize::from(digit)]);
        bit += 6;
    }
    digits
}

/// A text with the shape of a token: what it begins with, what follows, how much of that at least.
struct Shape {
    prefix: &'static [u8],
    body: fn(u8) -> bool,
    min: usize,
}

const fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

const fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

const SHAPES: &[Shape] = &[
    Shape { prefix: b"ghp_", body: word, min: 20 },
    Shape { prefix: b"gho_", body: word, min: 20 },
    Shape { prefix: b"ghu_", body: word, min: 20 },
    Shape { prefix: b"ghs_", body: word, min: 20 },
    Shape { prefix: b"ghr_", body: word, min: 20 },
    Shape { prefix: b"github_pat_", body: word, min: 20 },
    Shape { prefix: b"glpat-", body: word, min: 20 },
    Shape { prefix: b"xoxb-", body: word, min: 20 },
    Shape { prefix: b"xoxp-", body: word, min: 20 },
    Shape { prefix: b"AKIA", body: upper, min: 16 },
    Shape { prefix: b"ASIA", body: upper, min: 16 },
];

/// What begins the shapes that are more than a prefix and a run.
const JWT: &[u8] = b"eyJ";
const URL: &[u8] = b"://";
const KEY: &[u8] = b"-----BEGIN ";

/// What a text with the shape of a token begins with: every other place need not be asked for one.
pub fn anchors() -> impl Iterator<Item = &'static [u8]> {
    SHAPES.iter().map(|shape| shape.prefix).chain([JWT, URL, KEY])
}

/// The token that an anchor at this place begins; nothing where the place only looks like one.
///
/// A token that does not end within the bytes is found by what there is of it, except for a web token, which has to be
/// there up to its second dot, and a password in an address, which has to be there up to its `@`.
#[must_use]
pub fn token_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = bytes.get(at..)?;
    if rest.starts_with(JWT) {
        return jwt(bytes, at);
    }
    if rest.starts_with(URL) {
        return password(bytes, at + URL.len());
    }
    if rest.starts_with(KEY) {
        return key(bytes, at);
    }
    let shape = SHAPES.iter().find(|shape| rest.starts_with(shape.prefix))?;
    let is_word = at.checked_sub(1).is_none_or(|before| !bytes[before].is_ascii_alphanumeric());
    let end = run_end(bytes, at + shape.prefix.len(), shape.body);
    (is_word && end - at >= shape.prefix.len() + shape.min).then_some(at..end)
}

/// Which pairs of bytes any anchor begins with: one bit each. Every anchor has two.
static PAIRS: [u64; 1024] = {
    let mut pairs = [0; 1024];
    let mut n = 0;
    while n < SHAPES.len() + 3 {
        let anchor = match n {
            0 => JWT,
            1 => URL,
            2 => KEY,
            n => SHAPES[n - 3].prefix,
        };
        let pair = (anchor[0] as usize) << 8 | anchor[1] as usize;
        pairs[pair >> 6] |= 1 << (pair & 63);
        n += 1;
    }
    pairs
};

fn shapes(bytes: &[u8], found: &mut Vec<(Range<usize>, usize)>) {
    // One look at each place, and a closer one where an anchor may begin: a search for each of them would go over the views
    // of a large run fourteen times, in builds without optimisation.
    let mut at = 0;
    while at + 1 < bytes.len() {
        let pair = (bytes[at] as usize) << 8 | bytes[at + 1] as usize;
        if PAIRS[pair >> 6] >> (pair & 63) & 1 == 1
            && let Some(range) = token_at(bytes, at)
        {
            found.push((range.clone(), range.len()));
        }
        at += 1;
    }
}

fn run_end(bytes: &[u8], start: usize, body: fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().take_while(|byte| body(**byte)).count()
}

/// Three parts of base64url, of which two are objects.
fn jwt(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let first = run_end(bytes, start, word);
    let second = run_end(bytes, first + 1, word);
    let third = run_end(bytes, second + 1, word);
    let dots = bytes.get(first) == Some(&b'.') && bytes.get(second) == Some(&b'.');
    let objects = bytes.get(first + 1..).is_some_and(|rest| rest.starts_with(b"eyJ"));
    let long = first - start >= 12 && second.saturating_sub(first) >= 12;
    (dots && objects && long).then_some(start..third)
}

/// The password in `://user:password@host`.
fn password(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    const ENDS: &[u8] = b"/?#\"'`<>[]{}()|\\,; \t\r\n";
    let rest = bytes.get(start..)?;
    let rest = &rest[..rest.len().min(1024)];
    let authority = &rest[..rest.iter().position(|byte| ENDS.contains(byte)).unwrap_or(rest.len())];
    let at = authority.iter().rposition(|byte| *byte == b'@')?;
    let colon = authority[..at].iter().position(|byte| *byte == b':')?;
    let password = &authority[colon + 1..at];
    // A variable that stands for a password, or stars in its place, is none; neither is a letter or two, as examples of
    // addresses have them.
    let is_none = password.len() < PASSWORD_MIN_BYTES
        || password[0] == b'$'
        || password.iter().all(|b| *b == b'*');
    (!is_none).then_some(start + colon + 1..start + at)
}

/// A private key between its two lines; to the end of the text where the second is missing.
fn key(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let rest = bytes.get(start..)?;
    let head = &rest[..rest.len().min(80)];
    memmem::find(head, b"PRIVATE KEY")?;
    let end = memmem::find(rest, b"-----END ").map_or(rest.len(), |end| {
        let tail = &rest[end + 9..];
        memmem::find(tail, b"-----").map_or(rest.len(), |close| end + 9 + close + 5)
    });
    Some(start..start + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr3t/wörd+ &\"x";

    fn redactor() -> Redactor {
        Redactor::new(&[
            SECRET,
            "short",
            "12345678",
            "12345678abc",
            "-----BEGIN X-----\nabcdefghij\nzz\n",
        ])
    }

    /// The plain way to write base64, as other programs do.
    fn base64(bytes: &[u8], alphabet: &[u8; 64], pad: bool) -> String {
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let word = chunk
                .iter()
                .enumerate()
                .fold(0u32, |word, (n, byte)| word | u32::from(*byte) << (16 - 8 * n));
            for n in 0..=chunk.len() {
                text.push(char::from(alphabet[(word >> (18 - 6 * n) & 63) as usize]));
            }
            (chunk.len()..3).filter(|_| pad).for_each(|_| text.push('='));
        }
        text
    }

    #[test]
    fn t15_a_secret_is_found_in_every_spelling() {
        assert_eq!(base64(b"any carnal pleas", BASE64, true), "YW55IGNhcm5hbCBwbGVhcw==");
        let mut texts = vec![
            SECRET.to_owned(),
            "s3cr3t%2Fw%C3%B6rd%2B%20%26%22x".to_owned(),
            "s3cr3t%2fw%c3%b6rd%2b%20%26%22x".to_owned(),
            "s3cr3t%2Fw%C3%B6rd%2B+%26%22x".to_owned(),
            "s3cr3t/wörd+ &\\\"x".to_owned(),
            "s3cr3t\\/wörd+ &\\\"x".to_owned(),
            SECRET.bytes().map(|byte| format!("{byte:02x}")).collect(),
            SECRET.bytes().map(|byte| format!("{byte:02X}")).collect(),
            SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        ];
        for before in ["", "x", "xy", "xyz", "user:"] {
            for after in ["", "1", "22", "@host"] {
                let whole = format!("{before}{SECRET}{after}");
                texts.extend([BASE64, BASE64_URL].into_iter().flat_map(|alphabet| {
                    [true, false].map(|pad| base64(whole.as_bytes(), alphabet, pad))
                }));
            }
        }
        let redactor = redactor();
        for text in texts {
            for around in [text.clone(), format!("a={text};"), format!("ü{text}ü{text}")] {
                let seen = redactor.redact(&around);
                assert!(seen.contains(MARK), "{around}");
                assert!(!seen.contains(&text), "{around}: {seen}");
                assert!(redactor.first_in(around.as_bytes()).is_some(), "{around}");
            }
        }
    }

    #[test]
    fn t15_a_token_of_every_shape_is_found_at_every_place() {
        let mut tokens: Vec<String> = SHAPES
            .iter()
            .map(|shape| String::from_utf8_lossy(shape.prefix).into_owned() + &"A1".repeat(10))
            .collect();
        tokens.push(format!("eyJ{0}.eyJ{0}.{0}", "a1".repeat(9)));
        tokens.push("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----".to_owned());
        for token in &tokens {
            for (before, after) in [("", ""), ("x ", ""), ("", " x"), ("g-:e ", "\"")] {
                let text = format!("{before}{token}{after}");
                let expected = format!("{before}[redacted:{}]{after}", token.len());
                assert_eq!(redactor().redact(&text), expected, "{text}");
            }
        }
        let anchors: Vec<&[u8]> = anchors().collect();
        assert!(anchors.iter().all(|anchor| anchor.len() >= 2), "a pair is what is looked for");
        assert_eq!(anchors.len(), SHAPES.len() + 3, "the table of pairs counts them");
    }

    #[test]
    fn t15_shapes_of_tokens_are_found_and_nothing_else() {
        let token = "a1B2".repeat(9);
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
        let table = [
            (format!("x ghp_{token} y"), "x [redacted:40] y".to_owned()),
            (format!("github_pat_{token}"), "[redacted:47]".to_owned()),
            ("AKIAIOSFODNN7EXAMPLE,".to_owned(), "[redacted:20],".to_owned()),
            (format!("eyJ{token}.eyJ{token}.{token}"), "[redacted:116]".to_owned()),
            ("https://me:hunter2@host/x".to_owned(), "https://me:[redacted:7]@host/x".to_owned()),
            (format!("a\n{key}\nb"), format!("a\n[redacted:{}]\nb", key.len())),
            ("-----BEGIN RSA PRIVATE KEY-----\nAAAA".to_owned(), "[redacted:36]".to_owned()),
            (
                "12345678abc 12345678 short".to_owned(),
                "[redacted:11] [redacted:8] short".to_owned(),
            ),
            ("abcdefghij".to_owned(), "[redacted:10]".to_owned()),
        ];
        for (text, expected) in table {
            assert_eq!(redactor().redact(&text), expected, "{text}");
        }
        for text in [
            "",
            "ghp_short",
            "AKIA lower",
            "XAKIAIOSFODNN7EXAMPLE",
            "eyJ.eyJ.x",
            "https://host:80/@x",
            "https://me:$PASS@host",
            "https://me:***@host",
            "https://u:p@host",
            "https://u:pwd@host",
            "-----BEGIN CERTIFICATE-----\nx",
            "1234567",
            "git@github.com:a/b.git",
            "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert_eq!(redactor().redact(text), text);
        }
        assert_eq!(format!("{:?}", Redactor::new(&["hunter2hunter2"])).find("hunter"), None);
    }
}
