//! Sets of globs over relative paths: a pattern includes, `!pattern` excludes. Leaves out the walk.

use crate::wire::{code::PATTERN_INVALID, fault::Fault, ordered, path::RelPath, text::joined};
use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// The longest pattern, in bytes (`security.md`, section 4).
const PATTERN_MAX_BYTES: usize = 4096;

/// Patterns in the order they were written. At least one includes; a path that any `!pattern` matches is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Globs {
    include: Vec<String>,
    exclude: Vec<String>,
}

impl Globs {
    /// Reads patterns.
    ///
    /// # Errors
    /// `pattern_invalid`: no including pattern, or one that is empty, absolute, too long, has `.`, `..` or empty
    /// parts, an unclosed bracket, or `**` beside other characters.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, Fault> {
        let mut globs = Self { include: Vec::new(), exclude: Vec::new() };
        for pattern in patterns.iter().map(AsRef::as_ref) {
            match pattern.strip_prefix('!') {
                Some(excluded) => {
                    validate(excluded)?;
                    globs.exclude.push(excluded.to_owned());
                }
                None => {
                    validate(pattern)?;
                    globs.include.push(pattern.to_owned());
                }
            }
        }
        if globs.include.is_empty() {
            return Err(refused(
                "",
                "a set of globs includes nothing",
                "add a pattern without a leading `!`",
            ));
        }
        Ok(globs)
    }

    /// Whether a relative path with `/` is in the set.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.include.iter().any(|pattern| fast_glob::glob_match(pattern, path))
            && !self.exclude.iter().any(|pattern| fast_glob::glob_match(pattern, path))
    }

    /// Whether every path below this directory is excluded, so that a walk need not enter it.
    #[must_use]
    pub fn prunes(&self, dir: &str) -> bool {
        let whole = |pattern: &String| {
            pattern.strip_suffix("/**").is_some_and(|stem| fast_glob::glob_match(stem, dir))
                || pattern == "**"
        };
        self.exclude.iter().any(whole)
    }

    /// Returns where a walk has to start: the literal parts before the first wildcard of each including pattern.
    ///
    /// An empty text is the root. A pattern without wildcards gives itself, the path of one file.
    #[must_use]
    pub fn starts(&self) -> Vec<String> {
        let mut starts: Vec<String> =
            self.include.iter().map(|pattern| literal_prefix(pattern)).collect();
        ordered::sort(&mut starts);
        starts.dedup();
        starts
    }

    /// Returns the patterns as they were written, includes first.
    pub fn patterns(&self) -> impl Iterator<Item = String> {
        let excluded = self.exclude.iter().map(|pattern| format!("!{pattern}"));
        self.include.iter().cloned().chain(excluded)
    }
}

impl fmt::Display for Globs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&joined(self.patterns().map(|pattern| format!("`{pattern}`")), ", "))
    }
}

impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GlobsVisitor)
    }
}

struct GlobsVisitor;

impl<'de> de::Visitor<'de> for GlobsVisitor {
    type Value = Globs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a glob or a list of globs, such as `[\"src/**/*.rs\", \"!src/gen/**\"]`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Globs, E> {
        Globs::new(&[text]).map_err(|fault| E::custom(one_line(&fault)))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Globs, A::Error> {
        let mut patterns: Vec<String> = Vec::new();
        while let Some(pattern) = list.next_element()? {
            patterns.push(pattern);
        }
        Globs::new(&patterns).map_err(|fault| de::Error::custom(one_line(&fault)))
    }
}

fn one_line(fault: &Fault) -> String {
    let found = fault.found_text().unwrap_or("no pattern");
    format!("{}: {found}; {}", fault.headline(), fault.remedy())
}

fn literal_prefix(pattern: &str) -> String {
    let literal = pattern
        .split('/')
        .take_while(|part| !part.contains(['*', '?', '[', ']', '{', '}', '\\', '!']));
    joined(literal, "/")
}

fn refused(pattern: &str, headline: &str, remedy: &str) -> Fault {
    let shown: String = pattern.chars().take(120).collect();
    Fault::new(PATTERN_INVALID, headline, remedy).found(format!("`{}`", shown.escape_debug()))
}

fn validate(pattern: &str) -> Result<(), Fault> {
    const RELATIVE: &str =
        "write the pattern relative to the repository root, such as `src/**/*.rs`";
    if pattern.len() > PATTERN_MAX_BYTES {
        return Err(refused(
            pattern,
            "a glob is longer than 4096 bytes",
            "split the glob into several patterns",
        ));
    }
    if pattern.starts_with('/') || pattern.starts_with('!') {
        return Err(refused(pattern, "a glob is absolute or doubly negated", RELATIVE));
    }
    if pattern.chars().any(char::is_control) {
        return Err(refused(pattern, "a glob has a control character", RELATIVE));
    }
    if pattern.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(refused(pattern, "a glob has an empty, `.` or `..` part", RELATIVE));
    }
    if !globstars_stand_alone(pattern) {
        // fast-glob reads `a**` as `a*`; elsewhere it crosses folders. Nobody should have to know.
        return Err(refused(
            pattern,
            "a glob has `**` beside other characters",
            "write `**` as a whole part: `src/**/*.rs`",
        ));
    }
    if let Err(source) = fast_glob::validate(pattern) {
        return Err(refused(
            pattern,
            "a glob cannot be read",
            "close or escape the character that the cause names",
        )
        .because(&source));
    }
    let prefix = literal_prefix(pattern);
    if !prefix.is_empty() {
        RelPath::parse(&prefix).map_err(|source| {
            refused(pattern, "a glob names a path that is refused", RELATIVE).because(&source)
        })?;
    }
    Ok(())
}

fn globstars_stand_alone(pattern: &str) -> bool {
    let parts = pattern.split(['/', '{', '}', ',']);
    parts.into_iter().all(|part| part == "**" || !part.contains("**"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_and_excludes_decide_together() {
        let table: &[(&str, &[&str], &str, bool)] = &[
            ("a literal", &["a/b.rs"], "a/b.rs", true),
            ("a star stays within a folder", &["src/*.rs"], "src/a/b.rs", false),
            ("a globstar crosses folders", &["src/**/*.rs"], "src/a/b/c.rs", true),
            ("a globstar matches no folder, too", &["src/**/*.rs"], "src/c.rs", true),
            ("everything", &["**"], "a/.hidden/b", true),
            ("braces", &["*.{toml,lock}"], "Cargo.lock", true),
            ("a class does not match a slash", &["a[/]b"], "a/b", false),
            (
                "an exclusion wins whatever the order",
                &["!src/gen/**", "src/**"],
                "src/gen/a.rs",
                false,
            ),
            (
                "an exclusion spares its siblings",
                &["src/**", "!src/gen/**"],
                "src/genuine.rs",
                true,
            ),
            ("case matters on every system", &["README.md"], "readme.md", false),
        ];
        for (case, patterns, path, expected) in table {
            assert_eq!(Globs::new(patterns).expect(case).matches(path), *expected, "{case}");
        }
    }

    #[test]
    fn patterns_that_could_never_mean_what_they_say_are_refused() {
        let long = "a".repeat(4097);
        let table: &[(&str, &[&str])] = &[
            ("no pattern", &[]),
            ("only exclusions", &["!a"]),
            ("an empty pattern", &[""]),
            ("an empty exclusion", &["a", "!"]),
            ("absolute", &["/etc/*"]),
            ("a drive", &["C:/x/*"]),
            ("out of the tree", &["../*.rs"]),
            ("out of the tree, later", &["a/../../*.rs"]),
            ("a dot part", &["./a"]),
            ("a trailing slash", &["src/"]),
            ("an unclosed brace", &["a.{rs,toml"]),
            ("an unclosed class", &["a[b"]),
            ("a trailing backslash", &["a\\"]),
            ("a globstar beside other characters", &["src/**.rs"]),
            ("a control character", &["a\nb"]),
            ("longer than 4 KiB", &[long.as_str()]),
        ];
        for (case, patterns) in table {
            let seen = Globs::new(patterns).map_err(|fault| fault.code());
            assert_eq!(seen, Err(PATTERN_INVALID), "{case}");
        }
    }

    #[test]
    fn a_walk_starts_at_the_literal_parts() {
        let globs = Globs::new(&["src/a/**/*.rs", "README.md", "src/a/*", "*.toml", "!x/**"])
            .expect("globs");
        assert_eq!(globs.starts(), ["", "README.md", "src/a"]);
        assert!(globs.prunes("x") && !globs.prunes("xy") && !globs.prunes("src"));
    }

    #[test]
    fn a_text_and_a_list_are_read() {
        #[derive(Deserialize)]
        struct Config {
            files: Globs,
        }
        let one: Config = toml::from_str("files = '*.rs'").expect("a text");
        let many: Config = toml::from_str("files = ['*.rs', '!b.rs']").expect("a list");
        assert!(one.files.matches("b.rs") && !many.files.matches("b.rs"));
        for bad in ["files = []", "files = 1", "files = ['/a']", "files = [1]"] {
            assert!(toml::from_str::<Config>(bad).is_err(), "{bad}");
        }
    }
}
