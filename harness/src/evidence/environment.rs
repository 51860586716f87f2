//! The one reader of the environment: an allow-listed snapshot. Leaves out what the values decide.

use super::{home::Home, redaction::Redactor};
use crate::wire::{
    code::{ENV_REFUSED, LANE_INVALID, SUBJECT_MISMATCH},
    fault::Fault,
    ordered::{self, VecMap},
    outcome::Lane,
    text::joined,
};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
};

/// Names whose values may stand in a record (`security.md`, section 5).
const RECORDED: &[&str] = &[
    "CI",
    "CI_GATE_PROMOTION_MODE",
    "GITHUB_ACTIONS",
    "GITHUB_BASE_REF",
    "GITHUB_EVENT_NAME",
    "GITHUB_HEAD_REF",
    "GITHUB_JOB",
    "GITHUB_REF",
    "GITHUB_REF_NAME",
    "GITHUB_REF_PROTECTED",
    "GITHUB_REF_TYPE",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "GITHUB_SHA",
    "GITHUB_WORKFLOW",
    "RUNNER_ARCH",
    "RUNNER_ENVIRONMENT",
    "RUNNER_NAME",
    "RUNNER_OS",
    "RUSTUP_TOOLCHAIN",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "TZ",
];

/// Families of names whose values may stand in a record.
const RECORDED_PREFIXES: &[&str] = &["NEXTEST_", "PORTCULLIS_"];

/// Names that may be read, but say where this machine keeps things and so stay out of records.
const READABLE: &[&str] = &[
    "CARGO",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_HOME",
    "CARGO_MANIFEST_DIR",
    "CARGO_PKG_NAME",
    "CARGO_TARGET_DIR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKSPACE",
    "HOME",
    "NEXTEST",
    "NO_COLOR",
    "TERM",
    "USERPROFILE",
];

/// Names that a child process gets when they are set: where its tools, caches and temporary files are.
const CHILD: &[&str] = &[
    "APPDATA",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "COMSPEC",
    "HOME",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS",
    "PATH",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "ProgramData",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "SystemDrive",
    "SystemRoot",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USERPROFILE",
    "windir",
];

/// Parts of a name that make its value a secret, whatever list the name is on, by their first letter: every variable of
/// every process is looked at, and most letters begin none.
const fn secret_parts(first: u8) -> &'static [&'static str] {
    match first {
        b'A' => &["AUTH"],
        b'C' => &["COOKIE", "CRED"],
        b'J' => &["JWT"],
        b'K' => &["KEY"],
        b'P' => &["PASSW"],
        b'S' => &["SECRET"],
        b'T' => &["TOKEN"],
        _ => &[],
    }
}

/// A shorter value would be found in innocent text.
const SECRET_MIN_BYTES: usize = 8;

/// What was set when the process looked, split by what may be done with it.
///
/// Deliberately prints names only.
#[derive(Clone, Default)]
pub struct Environment {
    inherited: VecMap<String, OsString>,
    readable: BTreeMap<String, String>,
    recorded: BTreeMap<String, String>,
    secrets: Vec<String>,
    redactor: Redactor,
    home: Home,
}

/// The events whose results a forge shows beside the commit that it names. Others run for a branch.
const SHOWN_FOR: [&str; 3] = ["pull_request", "merge_group", "push"];

impl Environment {
    /// Says that a verdict about `commit` would be shown for another one, as where a head is checked out and its merge
    /// is what the forge asks about (FG-78).
    #[must_use]
    pub fn other_subject(&self, commit: Option<&str>) -> Option<Fault> {
        let event = self.get("GITHUB_EVENT_NAME").unwrap_or_default();
        if self.get("GITHUB_ACTIONS") != Some("true") || !SHOWN_FOR.contains(&event) {
            return None;
        }
        let asked = self.non_empty("GITHUB_SHA")?;
        let found = commit.unwrap_or("no commit");
        if asked == found {
            return None;
        }
        let headline = "the verdict is about another commit than the one it is shown for";
        let remedy = "check out what the forge asks about: leave `ref` out of the checkout step";
        Some(
            Fault::new(SUBJECT_MISMATCH, headline, remedy)
                .expected(format!("{asked}, as `GITHUB_SHA` says"))
                .found(found.to_owned()),
        )
    }

    /// Reads the environment of this process. `extra_allow` are further names that may be read and recorded.
    #[must_use]
    pub fn capture(extra_allow: &[String]) -> Self {
        // A name that is not UTF-8 is on no list, so nothing is lost by leaving it out.
        let named =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self::split(named.collect(), extra_allow)
    }

    /// An environment made of pairs, for tests and for trees other than this process's.
    #[must_use]
    pub fn from_pairs<K: Into<String>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self::from_pairs_allowing(pairs, &[])
    }

    /// The same under a policy that lets further names be read and recorded.
    #[must_use]
    pub fn from_pairs_allowing<K: Into<String>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (K, V)>,
        extra_allow: &[String],
    ) -> Self {
        Self::split(
            pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            extra_allow,
        )
    }

    fn split(inherited: VecMap<String, OsString>, extra_allow: &[String]) -> Self {
        let (mut readable, mut recorded, mut secrets) =
            (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        let home = inherited.get(home).and_then(|home| home.to_str()).unwrap_or_default();
        let home = Home::new(home);
        for (name, value) in &inherited {
            // A value that is not UTF-8 keeps a mark that no parser accepts, instead of looking unset.
            let text = value.to_string_lossy().into_owned();
            if is_secret_name(name) {
                if text.len() >= SECRET_MIN_BYTES {
                    secrets.push(text);
                }
                continue;
            }
            if is_recorded(name) || extra_allow.contains(name) {
                recorded.insert(name.clone(), home.shorten(&text).into_owned());
                readable.insert(name.clone(), text);
            } else if is_listed(READABLE, name) {
                readable.insert(name.clone(), text);
            }
        }
        // The longest goes first, so that a secret which contains another leaves no remainder.
        ordered::sort_by(&mut secrets, |a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        let redactor = Redactor::new(&secrets);
        Self { inherited, readable, recorded, secrets, redactor, home }
    }

    /// The value of an allow-listed variable that is set. Every other name looks unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.readable.get(name).map(String::as_str)
    }

    /// Like [`Environment::get`], where an empty value means unset.
    #[must_use]
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// What may stand in a record, by name; the home folder is `~` in it.
    #[must_use]
    pub fn recorded(&self) -> &BTreeMap<String, String> {
        &self.recorded
    }

    /// The search path, for [`tool::find`](super::tool::find).
    #[must_use]
    pub fn search_path(&self) -> Option<&OsStr> {
        let is_path = |name: &str| {
            if cfg!(windows) { name.eq_ignore_ascii_case("PATH") } else { name == "PATH" }
        };
        self.inherited.iter().find(|(name, _)| is_path(name)).map(|(_, value)| value.as_os_str())
    }

    /// The variable that decides the locale of this process, with its value: the first that is set and not empty.
    #[must_use]
    pub fn locale(&self) -> Option<(&'static str, &str)> {
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| {
            let value = self.inherited.get(name)?;
            // A value that is not UTF-8 is not the name of a locale that anybody could trust.
            let text = value.to_str().unwrap_or("not a text");
            (!text.is_empty()).then_some((name, text))
        })
    }

    /// Whether this is a CI machine: `CI` is set to anything but nothing, `0` or `false`.
    #[must_use]
    pub fn is_ci(&self) -> bool {
        self.non_empty("CI")
            .is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// Where the decision holds: `PORTCULLIS_LANE`, else what CI says about the event, else `local`.
    ///
    /// # Errors
    /// `lane_invalid` when `PORTCULLIS_LANE` is not a lane.
    pub fn lane(&self) -> Result<Lane, Fault> {
        if let Some(name) = self.non_empty("PORTCULLIS_LANE") {
            return Lane::parse(name).ok_or_else(|| {
                let names = joined(Lane::ALL.iter().map(|lane| lane.name()), ", ");
                Fault::new(
                    LANE_INVALID,
                    "`PORTCULLIS_LANE` is not the name of a lane",
                    "set `PORTCULLIS_LANE` to one of the names above, or unset it",
                )
                .expected(names)
                .found(format!("`{}`", name.escape_debug()))
            });
        }
        if !self.is_ci() {
            return Ok(Lane::Local);
        }
        match self.get("GITHUB_EVENT_NAME") {
            Some("pull_request" | "pull_request_target" | "merge_group") => Ok(Lane::Pr),
            Some(_) | None if self.get("GITHUB_REF_TYPE") == Some("tag") => Ok(Lane::Release),
            // A protected lane is the strict choice for an event nobody has thought of.
            Some(_) | None => Ok(Lane::Main),
        }
    }

    /// The revision that a person or the provider names as the base of this change. An id of zeros is how a provider
    /// says that there was nothing before, which names nothing.
    #[must_use]
    pub fn base(&self) -> Option<String> {
        let named = self.non_empty("PORTCULLIS_BASE");
        let named = named.filter(|rev| rev.bytes().any(|byte| byte != b'0')).map(str::to_owned);
        let provider = self.non_empty("GITHUB_BASE_REF");
        named.or_else(|| provider.map(|name| format!("origin/{name}")))
    }

    /// What a child process gets: where its tools and caches are, a fixed locale and zone, and the named variables.
    ///
    /// # Errors
    /// `env_refused` when a named variable is a secret by its name.
    pub fn child_env<S: AsRef<str>>(
        &self,
        extra_allow: &[S],
    ) -> Result<BTreeMap<String, String>, Fault> {
        let mut child = BTreeMap::new();
        for (name, value) in &self.inherited {
            let wanted = |list: &str| {
                if cfg!(windows) { list.eq_ignore_ascii_case(name) } else { list == name }
            };
            if CHILD.iter().any(|list| wanted(list)) {
                child.extend(value.to_str().map(|text| (name.clone(), text.to_owned())));
            }
        }
        for name in extra_allow.iter().map(AsRef::as_ref) {
            if is_secret_name(name) {
                return Err(Fault::new(
                    ENV_REFUSED,
                    format!("the variable `{}` is a secret by its name", name.escape_debug()),
                    "take it off the list; a gate that needs a secret cannot be replayed by anybody else",
                ));
            }
            let value = self.inherited.get(name).and_then(|value| value.to_str());
            child.extend(value.map(|text| (name.to_owned(), text.to_owned())));
        }
        for (name, value) in [("LANG", "C"), ("LC_ALL", "C"), ("TZ", "UTC")] {
            child.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        Ok(child)
    }

    /// Replaces the values of secret variables, however they are spelt, and texts with the shape of a token, by
    /// `[redacted:<length>]`.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.redactor.redact(text).into_owned()
    }

    /// The text as a record keeps it: without secrets, and with `~` for the home folder. Only for what people read:
    /// a name or a pattern that happens to begin like the folder has to stay what it is.
    #[must_use]
    pub fn recordable(&self, text: &str) -> String {
        self.home.shorten(&self.redactor.redact(text)).into_owned()
    }

    /// The home folder of whoever started this process.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// What [`Environment::redact`] searches for.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The values of at least 8 bytes of variables that are secret by their name, longest first.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.readable.keys()).finish()
    }
}

/// Whether a name says that its value is a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    if !name.is_ascii() {
        // Beyond ASCII there are letters whose upper case is an ASCII one, such as the long s.
        let upper = name.to_uppercase();
        return (b'A'..=b'Z')
            .any(|letter| secret_parts(letter).iter().any(|part| upper.contains(part)));
    }
    let bytes = name.as_bytes();
    let mut n = 0;
    // A plain loop: every process looks at every name, in builds without optimisation.
    while n < bytes.len() {
        // Both cases of a letter, and nothing that is no letter becomes one.
        let parts = secret_parts(bytes[n] & !0x20);
        if !parts.is_empty() && parts.iter().any(|part| begins_with(&bytes[n..], part)) {
            return true;
        }
        n += 1;
    }
    false
}

fn begins_with(bytes: &[u8], part: &str) -> bool {
    let here = bytes.get(..part.len());
    here.is_some_and(|here| here.eq_ignore_ascii_case(part.as_bytes()))
}

fn is_recorded(name: &str) -> bool {
    is_listed(RECORDED, name) || RECORDED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a list, which is in order, has this name.
fn is_listed(list: &[&str], name: &str) -> bool {
    list.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order() {
        for list in [RECORDED, READABLE] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }

    #[test]
    fn t15_only_listed_names_are_read_and_secrets_never() {
        let environment = Environment::from_pairs([
            ("CI", "true"),
            ("HOME", "/home/user"),
            ("PORTCULLIS_RUN_ID", "r1"),
            ("PORTCULLIS_SIGNING_KEY", "hunter2hunter2"),
            ("NEXTEST_RUN_ID", "n1"),
            ("EDITOR", "vi"),
            ("GITHUB_TOKEN", "ghs_0123456789"),
        ]);
        let table: &[(&str, &str, Option<&str>, bool)] = &[
            ("a listed name", "CI", Some("true"), true),
            ("a listed family", "PORTCULLIS_RUN_ID", Some("r1"), true),
            ("a place on this machine is read, not recorded", "HOME", Some("/home/user"), false),
            ("a name on no list", "EDITOR", None, false),
            ("a secret", "GITHUB_TOKEN", None, false),
            ("a secret of a listed family", "PORTCULLIS_SIGNING_KEY", None, false),
            ("a name that is not set", "RUST_LOG", None, false),
        ];
        for (case, name, value, recorded) in table {
            assert_eq!(environment.get(name), *value, "{case}");
            assert_eq!(environment.recorded().contains_key(*name), *recorded, "{case}");
        }
        let shown = format!("{environment:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("/home/user"), "{shown}");
        assert_eq!(
            environment.redact("a ghs_0123456789 b hunter2hunter2"),
            "a [redacted:14] b [redacted:14]"
        );
    }

    #[test]
    fn t15_a_secret_is_known_by_any_part_of_its_name() {
        for part in (b'A'..=b'Z').flat_map(secret_parts) {
            for name in [part.to_lowercase(), format!("A{part}"), format!("x_{part}_2")] {
                assert!(is_secret_name(&name), "{name}");
            }
            assert!(!is_secret_name(&part[1..]) && !is_secret_name(&part[..part.len() - 1]));
        }
        // The long s is an s in upper case.
        assert!(is_secret_name("\u{17f}ecret") && is_secret_name("PA\u{17f}\u{17f}W"));
        assert!(!is_secret_name("") && !is_secret_name("PATH") && !is_secret_name("\u{17f}"));
    }

    #[test]
    fn a_secret_within_a_secret_leaves_no_remainder() {
        let environment = Environment::from_pairs([
            ("A_TOKEN", "12345678"),
            ("B_TOKEN", "12345678abc"),
            ("C_KEY", "short"),
        ]);
        assert_eq!(
            environment.redact("12345678abc 12345678 short"),
            "[redacted:11] [redacted:8] short"
        );
    }

    #[test]
    fn the_lane_follows_the_event() {
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<Lane>);
        let table: &[Row<'_>] = &[
            ("a machine of a person", &[], Some(Lane::Local)),
            (
                "CI=false is no CI",
                &[("CI", "false"), ("GITHUB_EVENT_NAME", "push")],
                Some(Lane::Local),
            ),
            (
                "a pull request",
                &[("CI", "true"), ("GITHUB_EVENT_NAME", "pull_request")],
                Some(Lane::Pr),
            ),
            (
                "the merge queue",
                &[("CI", "true"), ("GITHUB_EVENT_NAME", "merge_group")],
                Some(Lane::Pr),
            ),
            (
                "a push",
                &[("CI", "true"), ("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF_TYPE", "branch")],
                Some(Lane::Main),
            ),
            (
                "a tag",
                &[("CI", "true"), ("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF_TYPE", "tag")],
                Some(Lane::Release),
            ),
            ("another CI system", &[("CI", "1")], Some(Lane::Main)),
            (
                "an unknown event is strict",
                &[("CI", "1"), ("GITHUB_EVENT_NAME", "moon")],
                Some(Lane::Main),
            ),
            ("said outright", &[("CI", "1"), ("PORTCULLIS_LANE", "release")], Some(Lane::Release)),
            ("said wrongly", &[("PORTCULLIS_LANE", "Main")], None),
            ("said with nothing", &[("PORTCULLIS_LANE", "")], Some(Lane::Local)),
        ];
        for (case, pairs, expected) in table {
            let seen = Environment::from_pairs(pairs.iter().copied()).lane();
            assert_eq!(seen.ok(), *expected, "{case}");
        }
    }

    #[test]
    fn the_base_is_what_somebody_named() {
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<&'a str>);
        let zeros = "0".repeat(40);
        let table: &[Row<'_>] = &[
            ("nobody", &[], None),
            ("the provider", &[("GITHUB_BASE_REF", "main")], Some("origin/main")),
            ("an empty name", &[("GITHUB_BASE_REF", ""), ("PORTCULLIS_BASE", "")], None),
            (
                "said outright",
                &[("GITHUB_BASE_REF", "main"), ("PORTCULLIS_BASE", "v1")],
                Some("v1"),
            ),
            ("a first push", &[("PORTCULLIS_BASE", &zeros)], None),
            (
                "a first push of a pull request",
                &[("PORTCULLIS_BASE", &zeros), ("GITHUB_BASE_REF", "main")],
                Some("origin/main"),
            ),
        ];
        for (case, pairs, expected) in table {
            let seen = Environment::from_pairs(pairs.iter().copied()).base();
            assert_eq!(seen.as_deref(), *expected, "{case}");
        }
    }

    #[test]
    fn t32_a_child_gets_its_tools_and_nothing_else() {
        let environment = Environment::from_pairs([
            ("PATH", "/usr/bin"),
            ("LANG", "de_DE.UTF-8"),
            ("GIT_DIR", "/elsewhere"),
            ("LD_PRELOAD", "/evil.so"),
            ("RUSTFLAGS", "-Cevil"),
            ("NPM_TOKEN", "0123456789"),
            ("EXTRA", "yes"),
        ]);
        let child = environment.child_env(&["EXTRA", "UNSET"]).expect("no secret is named");
        let seen: Vec<(&str, &str)> =
            child.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            seen,
            [("EXTRA", "yes"), ("LANG", "C"), ("LC_ALL", "C"), ("PATH", "/usr/bin"), ("TZ", "UTC")]
        );
        let refused = environment.child_env(&["NPM_TOKEN"]).map_err(|fault| fault.code());
        assert_eq!(refused, Err(ENV_REFUSED));
    }
}
