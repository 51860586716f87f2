//! The configuration that nextest is given for one run: its own store, no fail-fast, retries for quarantine alone.

use portcullis::RunId;
use std::{fmt::Write as _, path::Path};

/// The profile; the store of a run is its own, so one name will do. Colons would become folders (fact P3).
pub(crate) const PROFILE: &str = "portcullis-run";
/// What nextest calls the tool whose configuration this is.
pub(crate) const TOOL: &str = "portcullis";
const SECOND_MS: u64 = 1_000;
/// The pause before a quarantined test is tried again (`semantics.md`, section 7).
const RETRY_DELAY: &str = "5s";

/// What the configuration of a run depends on.
pub(crate) struct Settings<'a> {
    /// The folder that nextest writes into.
    pub store: &'a Path,
    /// The run, which its result file is named after.
    pub run_id: &'a RunId,
    /// The filterset of everything that is to run.
    pub filter: &'a str,
    /// How long one test may take.
    pub test_timeout_ms: u64,
    /// Gates with a time of their own: filterset and milliseconds.
    pub timeouts: &'a [(String, u64)],
    /// Quarantined tests as filtersets.
    pub quarantined: &'a [String],
    /// How often each of them is tried again.
    pub retries: u32,
}

/// The text of the configuration.
pub(crate) fn render(settings: &Settings<'_>) -> String {
    let mut text = String::from("nextest-version = \"0.9.100\"\n\n");
    let profile = format!("profile.{PROFILE}");
    let line = |text: &mut String, line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(&mut text, format!("[store]\ndir = {}\n", quoted(&settings.store.display().to_string())));
    line(&mut text, format!("[{profile}]\nretries = 0\nfail-fast = false"));
    line(&mut text, format!("default-filter = {}", quoted(settings.filter)));
    line(&mut text, format!("slow-timeout = {}", timeout(settings.test_timeout_ms)));
    // A leak is seen only as a failure; the runner puts it back to a pass with a mark.
    line(&mut text, "leak-timeout = { period = \"100ms\", result = \"fail\" }\n".to_owned());
    line(&mut text, format!("[{profile}.junit]\npath = \"junit.xml\""));
    line(&mut text, format!("report-name = {}", quoted(settings.run_id.as_str())));
    line(&mut text, "store-success-output = true\nstore-failure-output = true\n".to_owned());
    // An override of this profile wins over those of the repository's, whatever they say about retries and timeouts.
    for filter in settings.quarantined {
        let retries = format!(
            "{{ backoff = \"fixed\", count = {}, delay = \"{RETRY_DELAY}\" }}",
            settings.retries
        );
        let retries = if settings.retries == 0 { "0".to_owned() } else { retries };
        line(&mut text, format!("[[{profile}.overrides]]\nfilter = {}", quoted(filter)));
        line(&mut text, format!("retries = {retries}\nflaky-result = \"pass\""));
        line(&mut text, format!("slow-timeout = {}\n", timeout(settings.test_timeout_ms)));
    }
    for (filter, timeout_ms) in settings.timeouts {
        line(&mut text, format!("[[{profile}.overrides]]\nfilter = {}", quoted(filter)));
        line(&mut text, format!("retries = 0\nslow-timeout = {}\n", timeout(*timeout_ms)));
    }
    line(&mut text, format!("[[{profile}.overrides]]\nfilter = 'all()'"));
    line(&mut text, format!("retries = 0\nslow-timeout = {}", timeout(settings.test_timeout_ms)));
    text
}

/// One period and an end: what hangs is killed, and never passes for it.
pub(crate) fn timeout(ms: u64) -> String {
    let seconds = ms.div_ceil(SECOND_MS).max(1);
    format!("{{ period = \"{seconds}s\", terminate-after = 1, on-timeout = \"fail\" }}")
}

/// A basic string of TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => {
                let _ok = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The filterset of one test.
pub(crate) fn one(suite: &str, test: &str) -> String {
    format!("(binary_id(={}) & test(={}))", escaped(suite), escaped(test))
}

/// The filterset of one test binary.
pub(crate) fn suite(suite: &str) -> String {
    format!("binary_id(={})", escaped(suite))
}

/// The filterset of any of these, as a balanced tree: a long chain would nest as deep as it is long.
pub(crate) fn any(filters: &[String]) -> String {
    match filters {
        [] => "none()".to_owned(),
        [one] => one.clone(),
        several => {
            let (left, right) = several.split_at(several.len() / 2);
            format!("({} | {})", any(left), any(right))
        }
    }
}

/// A name within a matcher.
pub(crate) fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '\\' | '/' | ')' | ',' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if c.is_control() => {
                let _ok = write!(escaped, "\\u{{{:x}}}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_for_both_languages() {
        let table = [
            ("a plain name", "a::b", "a::b"),
            ("a parenthesis", "src/lib.rs - f (line 3)", "src\\/lib.rs - f (line 3\\)"),
            ("a comma", "a,b", "a\\,b"),
            ("a backslash", "a\\b", "a\\\\b"),
            ("a newline", "a\nb", "a\\u{a}b"),
        ];
        for (case, name, expected) in table {
            assert_eq!(escaped(name), expected, "{case}");
        }
        assert_eq!(quoted("a\"b\\c\n\u{7f}"), "\"a\\\"b\\\\c\\u000A\\u007F\"");
    }

    #[test]
    fn a_long_choice_does_not_nest_deep() {
        let filters: Vec<String> = (0..10_000).map(|n| format!("test(=t{n})")).collect();
        let text = any(&filters);
        let (mut depth, mut deepest) = (0_usize, 0);
        for c in text.replace("test(=", "").chars() {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        assert!(deepest <= 20, "{deepest}");
        assert_eq!(any(&[]), "none()");
    }

    #[test]
    fn no_hang_passes_and_only_quarantine_is_tried_again() {
        let run_id = RunId::parse("run-1").expect("an id");
        let text = render(&Settings {
            store: Path::new("/tmp/it's \"here\""),
            run_id: &run_id,
            filter: "all()",
            test_timeout_ms: 1_500,
            timeouts: &[("test(=g)".to_owned(), 60_000)],
            quarantined: &["test(=q)".to_owned()],
            retries: 1,
        });
        assert_eq!(text.matches("on-timeout = \"fail\"").count(), 4);
        assert_eq!(text.matches("count = 1").count(), 1);
        assert_eq!(text.matches("retries = 0").count(), 3);
        let all = text.find("filter = 'all()'").expect("the last word");
        assert!(text.find("test(=q)").expect("quarantine") < all);
        assert!(text.contains("period = \"2s\"") && text.contains("report-name = \"run-1\""));
    }
}
