//! Texts with the precise shape of a secret. It guesses nothing from randomness, and it looks into no compression.
//!
//! Written by hand instead of as patterns: a body is one long line, and a search over it must stay linear.

use super::url::percent_decoded;
use serde_json::Value;

/// A text with the shape of a secret. Only its length may ever be shown.
pub(super) struct Hit {
    pub(super) shape: &'static str,
    /// The secret itself, to find its line and to tell copies apart.
    pub(super) text: String,
    offset: usize,
}

/// A shape that begins with a literal and goes on with enough of certain characters.
struct Shape {
    name: &'static str,
    prefix: &'static str,
    body: fn(u8) -> bool,
    min: usize,
}

const SHAPES: &[Shape] = &[
    Shape { name: "GitHub token", prefix: "ghp_", body: word, min: 20 },
    Shape { name: "GitHub token", prefix: "gho_", body: word, min: 20 },
    Shape { name: "GitHub token", prefix: "ghu_", body: word, min: 20 },
    Shape { name: "GitHub token", prefix: "ghs_", body: word, min: 20 },
    Shape { name: "GitHub token", prefix: "ghr_", body: word, min: 20 },
    Shape { name: "GitHub token", prefix: "github_pat_", body: name, min: 20 },
    Shape { name: "GitLab token", prefix: "glpat-", body: name, min: 16 },
    Shape { name: "AWS access key", prefix: "AKIA", body: upper, min: 16 },
    Shape { name: "AWS access key", prefix: "ASIA", body: upper, min: 16 },
    Shape { name: "Google API key", prefix: "AIza", body: name, min: 30 },
    Shape { name: "Slack token", prefix: "xoxa-", body: name, min: 10 },
    Shape { name: "Slack token", prefix: "xoxb-", body: name, min: 10 },
    Shape { name: "Slack token", prefix: "xoxp-", body: name, min: 10 },
    Shape { name: "Slack token", prefix: "xoxs-", body: name, min: 10 },
    Shape { name: "npm token", prefix: "npm_", body: word, min: 30 },
    Shape { name: "Stripe key", prefix: "sk_live_", body: word, min: 16 },
    Shape { name: "Stripe key", prefix: "rk_live_", body: word, min: 16 },
    Shape { name: "secret key", prefix: "sk-", body: name, min: 20 },
];

/// A credential of a URL or of a bearer header must be this long to be told from prose.
const BEARER_MIN: usize = 8;
/// After this many hits a text is refused often enough; each further one would only cost time.
pub(super) const HITS_MAX: usize = 200;
/// How much of a private key is taken along; a key that was cut has no end.
const PRIVATE_KEY_MAX: usize = 8 * 1024;

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'-')
}

/// The hits of a text as it stands.
pub(super) fn scan(text: &str, placeholders: &[String]) -> Vec<Hit> {
    let mut hits = Vec::new();
    for shape in SHAPES {
        for (at, _) in text.match_indices(shape.prefix) {
            let run = run(text, at + shape.prefix.len(), shape.body);
            // A run is looked at from its beginning only, which also keeps the search linear.
            if begins(text, at, name) && run.len() >= shape.min {
                push(&mut hits, shape.name, text, at, shape.prefix.len() + run.len());
            }
        }
    }
    web_tokens(text, &mut hits);
    private_keys(text, &mut hits);
    bearers(text, placeholders, &mut hits);
    passwords(text, placeholders, &mut hits);
    hits.sort_by_key(|hit| hit.offset);
    hits
}

/// The hits of a text, and of what it becomes when base64 or percent encoding is undone.
pub(super) fn scan_encoded(text: &str, placeholders: &[String]) -> Vec<Hit> {
    let mut hits = scan(text, placeholders);
    if text.contains('%') {
        merge(&mut hits, scan(&percent_decoded(text), placeholders));
    }
    if let Some(decoded) = base64(text) {
        merge(&mut hits, scan(&String::from_utf8_lossy(&decoded), placeholders));
    }
    // `Basic` credentials and texts of one encoded word among others.
    for word in text.split([' ', ',', ';', '"', '\'', '\n']).filter(|word| word.len() >= 24) {
        if word.len() < text.len()
            && let Some(decoded) = base64(word)
        {
            merge(&mut hits, scan(&String::from_utf8_lossy(&decoded), placeholders));
        }
    }
    // A body that is JSON in a text hides escapes of its own.
    if text.contains('\\')
        && let Ok(inner) = serde_json::from_str::<Value>(text)
    {
        each_text(&inner, "", &mut |_place, text| merge(&mut hits, scan(text, placeholders)));
    }
    hits
}

fn merge(hits: &mut Vec<Hit>, more: Vec<Hit>) {
    for hit in more {
        if hits.len() < HITS_MAX && !hits.iter().any(|known| known.text == hit.text) {
            hits.push(hit);
        }
    }
}

/// Replaces every hit by its length.
pub(super) fn redact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for hit in scan(text, &[]) {
        if hit.offset < at {
            continue;
        }
        shown.push_str(&text[at..hit.offset]);
        shown.push_str(&format!("[redacted:{}]", hit.text.len()));
        at = hit.offset + hit.text.len();
    }
    shown.push_str(&text[at..]);
    shown
}

/// Hands out every text of a document with its JSON Pointer, keys included.
pub(super) fn each_text(value: &Value, place: &str, each: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => each(place, text),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                each_text(item, &format!("{place}/{n}"), each);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let below = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
                each(&below, name);
                each_text(member, &below, each);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn run(text: &str, from: usize, body: fn(u8) -> bool) -> &str {
    let rest = text.get(from..).unwrap_or_default();
    let end = rest.bytes().position(|byte| !body(byte)).unwrap_or(rest.len());
    &rest[..end]
}

/// Whether nothing before `at` belongs to the same word.
fn begins(text: &str, at: usize, body: fn(u8) -> bool) -> bool {
    at == 0 || text.as_bytes().get(at - 1).is_none_or(|byte| !body(*byte))
}

fn push(hits: &mut Vec<Hit>, shape: &'static str, text: &str, offset: usize, len: usize) {
    if hits.len() < HITS_MAX
        && let Some(found) = text.get(offset..offset + len)
    {
        hits.push(Hit { shape, text: found.to_owned(), offset });
    }
}

/// Three base64url parts of which the first two are objects.
fn web_tokens(text: &str, hits: &mut Vec<Hit>) {
    for (at, _) in text.match_indices("eyJ").filter(|(at, _)| begins(text, *at, name)) {
        let header = run(text, at, name);
        let after = at + header.len();
        if !text[after..].starts_with(".eyJ") {
            continue;
        }
        let payload = run(text, after + 1, name);
        let end = after + 1 + payload.len();
        if text[end..].starts_with('.') {
            let signature = run(text, end + 1, name);
            push(hits, "JSON web token", text, at, end + 1 + signature.len() - at);
        }
    }
}

fn private_keys(text: &str, hits: &mut Vec<Hit>) {
    const BEGIN: &str = "-----BEGIN ";
    for (at, _) in text.match_indices(BEGIN) {
        let title = run(text, at + BEGIN.len(), |byte| byte == b' ' || upper(byte));
        if title.ends_with("PRIVATE KEY") || title.ends_with("PRIVATE KEY BLOCK") {
            // To the end of the block, or of the text when it was cut.
            let mut end = text.len().min(at + PRIVATE_KEY_MAX);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let len = text[at..end].find("-----END").unwrap_or(end - at);
            push(hits, "private key", text, at, len);
        }
    }
}

fn bearers(text: &str, placeholders: &[String], hits: &mut Vec<Hit>) {
    let lower = text.to_ascii_lowercase();
    for (at, word) in lower.match_indices("bearer") {
        if !begins(text, at, name) {
            continue;
        }
        let after = at + word.len();
        let gap = run(text, after, |byte| byte == b' ' || byte == b'\t').len();
        let secret = run(text, after + gap, token);
        let known = placeholders.iter().any(|placeholder| placeholder == secret);
        // Prose goes on with a plain word; a token has a digit or is long.
        let plain = secret.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.');
        let shaped = secret.len() >= BEARER_MIN && (!plain || secret.len() >= 24);
        if gap > 0 && !known && shaped {
            push(hits, "bearer token", text, after + gap, secret.len());
        }
    }
}

/// `scheme://user:password@host`.
fn passwords(text: &str, placeholders: &[String], hits: &mut Vec<Hit>) {
    let part =
        |byte: u8| !matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>') && byte > b' ';
    for (at, _) in text.match_indices("://") {
        let authority = run(text, at + 3, part);
        let Some((userinfo, _host)) = authority.rsplit_once('@') else { continue };
        let Some((user, password)) = userinfo.split_once(':') else { continue };
        if !password.is_empty() && !placeholders.iter().any(|placeholder| placeholder == password) {
            push(hits, "password in a URL", text, at + 3 + user.len() + 1, password.len());
        }
    }
}

/// Decodes base64 and base64url, padded or not; nothing when the text is something else.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut n_bits) = (0_u32, 0_u32);
    let mut digits = 0_usize;
    for byte in text.trim_end_matches('=').bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\n' | b'\r' => continue,
            _ => return None,
        };
        digits += 1;
        bits = (bits << 6 | u32::from(digit)) & 0xff_ffff;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.extend(u8::try_from(bits >> n_bits & 0xff));
        }
    }
    (digits >= 2 && digits % 4 != 1).then_some(bytes)
}
