//! Snapshots that CI never blesses. It compares text; what the text says is the test's affair.

use std::{env, fmt::Write as _, fs, path::Path};

/// Compares `text` with the committed snapshot `tests/snapshots/<name>`, or blesses it.
///
/// Blessing needs `PORTCULLIS_BLESS=1` and is refused when `CI` is set (false green 55): a snapshot that is
/// regenerated and then compared is always equal.
///
/// # Errors
/// The first differing line with both sides, or why blessing was refused.
pub fn snapshot(name: &str, text: &str) -> Result<(), String> {
    generated(&format!("tests/snapshots/{name}"), text)
}

/// As [`snapshot`], for a generated file that is committed at `path` below the root of the repository.
///
/// # Errors
/// As [`snapshot`].
pub fn generated(path: &str, text: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    match bless_requested(variable("PORTCULLIS_BLESS").as_deref(), variable("CI").as_deref())? {
        true => write(&path, text).map_err(|error| format!("{}: {error}", path.display())),
        false => compare(&path, text),
    }
}

/// Whether blessing is asked for; refused in CI.
///
/// # Errors
/// `bless_refused` when both variables are set.
pub fn bless_requested(bless: Option<&str>, ci: Option<&str>) -> Result<bool, String> {
    let ci = ci.is_some_and(|value| !value.is_empty() && value != "false");
    match (bless, ci) {
        (Some("1"), true) => {
            Err("bless_refused: CI compares, it never accepts; bless locally and commit the diff"
                .to_owned())
        }
        (Some("1"), false) => Ok(true),
        (Some(_) | None, _) => Ok(false),
    }
}

fn compare(path: &Path, text: &str) -> Result<(), String> {
    let expected = fs::read_to_string(path)
        .map_err(|error| format!("{}: {error}; bless it with PORTCULLIS_BLESS=1", path.display()))?
        .replace("\r\n", "\n");
    if expected == text {
        return Ok(());
    }
    let mut report =
        format!("{} differs; look at it, then bless it with PORTCULLIS_BLESS=1\n", path.display());
    let (mut left, mut right) = (expected.lines(), text.lines());
    for number in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                // Writing to a String cannot fail.
                let _ok = writeln!(
                    report,
                    "line {number}\n  committed: {}\n  now:       {}",
                    a.unwrap_or("(end)"),
                    b.unwrap_or("(end)")
                );
                break;
            }
        }
    }
    Err(report)
}

#[expect(clippy::disallowed_methods, reason = "tests read their own switches")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a snapshot is a tracked file that its author reviews"
)]
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
