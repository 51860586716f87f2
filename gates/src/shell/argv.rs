//! Words of a command as patterns see them: what is known of each, and what a program in front hands on. Files are not
//! opened here.

use serde::{Deserialize, de};

/// Stands in a word for what is not known: `$(..)`, `${{ }}`, a variable nobody set. Equal to no pattern.
pub(crate) const OPAQUE: char = '\u{fffc}';

/// Stands in a word for the status of a verification command that failed: a number that is not 0.
pub(super) const FAILED: char = '\u{fff9}';

/// Stands in a word for the process of a background command.
pub(super) const JOB: char = '\u{fffa}';

/// A word as people read it.
pub(crate) fn shown(word: &str) -> String {
    word.replace([OPAQUE, FAILED, JOB], "..")
}

/// An argv as people read it.
pub(crate) fn shown_all(argv: &[String]) -> String {
    argv.iter().map(|word| shown(word)).collect::<Vec<_>>().join(" ")
}

/// An argv pattern: words match literally, `*` is one word, `**` any number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArgvPattern {
    text: String,
    words: Vec<String>,
}

impl ArgvPattern {
    /// Reads a pattern; nothing when it has no word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        (!words.is_empty()).then(|| Self { text: text.to_owned(), words })
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a whole argv matches. Takes time in the product of both lengths, whatever the pattern.
    pub(crate) fn matches(&self, argv: &[String]) -> bool {
        // One row per word of the pattern: which lengths of the argv are matched so far.
        let mut reached = vec![false; argv.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        for pattern in &self.words {
            if pattern == "**" {
                let mut seen = false;
                for place in &mut reached {
                    seen |= *place;
                    *place = seen;
                }
                continue;
            }
            let fits = |word: &String| pattern == "*" || word == pattern;
            let next = reached.iter().zip(argv).map(|(before, word)| *before && fits(word));
            reached = std::iter::once(false).chain(next).collect();
        }
        reached.last().copied().unwrap_or(false)
    }
}

impl<'de> Deserialize<'de> for ArgvPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("an argv pattern needs at least a word"))
    }
}

/// Programs that run another command, with the options that take a word of their own.
const WRAPPERS: &[(&str, &[&str])] = &[
    ("time", &["-f", "-o", "--format", "--output"]),
    ("timeout", &["-k", "-s", "--kill-after", "--signal"]),
    ("gtimeout", &["-k", "-s", "--kill-after", "--signal"]),
    ("nice", &["-n", "--adjustment"]),
    ("ionice", &["-c", "-n", "--class", "--classdata"]),
    ("chrt", &[]),
    ("taskset", &[]),
    ("nohup", &[]),
    ("setsid", &[]),
    ("unbuffer", &[]),
    ("stdbuf", &["-i", "-o", "-e", "--input", "--output", "--error"]),
    ("sudo", &["-u", "-g", "-h", "-p", "-C", "-D", "-U", "--user", "--group", "--chdir"]),
    ("doas", &["-u", "-C"]),
    ("exec", &["-a"]),
    ("command", &[]),
    ("builtin", &[]),
    ("xvfb-run", &["-n", "-s", "-e", "-f", "-w", "--server-num", "--server-args"]),
    ("xargs", &["-I", "-n", "-P", "-L", "-d", "-a", "-s", "-E", "--max-args", "--max-procs"]),
    ("dbus-run-session", &[]),
];

/// What is left of an argv without the programs in front of the one that carries the verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unwrapped {
    pub(crate) argv: Vec<String>,
    /// Variables that the wrappers set.
    pub(crate) env: Vec<(String, String)>,
}

/// Drops `env`, `time`, `timeout`, `nice`, `sudo`, `exec`, `command`, `rustup run X`, `cargo +X` and their like.
pub(crate) fn unwrap(argv: &[String]) -> Unwrapped {
    let mut left = Unwrapped { argv: argv.to_vec(), env: Vec::new() };
    // Each round drops at least a word, so this ends.
    while let Some(inner) = inner(&mut left) {
        left.argv = inner;
    }
    if let [program, toolchain, ..] = left.argv.as_slice()
        && base(program) == "cargo"
        && toolchain.starts_with('+')
    {
        left.argv.remove(1);
    }
    if let Some(program) = left.argv.first_mut() {
        // `$HOME/.cargo/bin/cargo` is cargo. A path inside the repository is a script of its own.
        if program.starts_with(['/', '~', OPAQUE]) || program.ends_with(".exe") {
            *program = base(program).trim_end_matches(".exe").to_owned();
        }
    }
    left
}

/// The last part of a path.
fn base(program: &str) -> &str {
    program.rsplit(['/', '\\']).next().unwrap_or(program)
}

fn inner(left: &mut Unwrapped) -> Option<Vec<String>> {
    let (program, rest) = left.argv.split_first()?;
    let program = base(program).to_owned();
    let rest = rest.to_vec();
    match program.as_str() {
        "env" => Some(behind_env(left, &rest)),
        "rustup" if rest.first().is_some_and(|word| word == "run") => {
            let skip = 1 + rest.iter().skip(1).take_while(|word| word.starts_with('-')).count();
            Some(rest.into_iter().skip(skip + 1).collect())
        }
        // `command -v x` asks where a program is, and runs none.
        "command" if rest.first().is_some_and(|word| matches!(word.as_str(), "-v" | "-V")) => None,
        name => {
            let (_, with_value) = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == name)?;
            let mut skip = options(&rest, with_value);
            // The first word of these is a duration, a mask or a priority.
            if matches!(name, "timeout" | "gtimeout" | "taskset" | "chrt") {
                skip += 1;
            }
            let inner: Vec<String> = rest.into_iter().skip(skip).collect();
            // `exec > log` and a bare `time` run nothing.
            (!inner.is_empty()).then_some(inner)
        }
    }
}

/// How many words at the front are options and their values.
fn options(words: &[String], with_value: &[&str]) -> usize {
    let mut n = 0;
    while let Some(word) = words.get(n) {
        if word == "--" {
            return n + 1;
        }
        if !word.starts_with('-') || word == "-" {
            return n;
        }
        n += if with_value.contains(&word.as_str()) { 2 } else { 1 };
    }
    n
}

fn behind_env(left: &mut Unwrapped, rest: &[String]) -> Vec<String> {
    let mut words = rest.iter().peekable();
    while let Some(word) = words.peek() {
        if matches!(word.as_str(), "-u" | "--unset" | "-C" | "--chdir") {
            words.next();
            words.next();
        } else if matches!(word.as_str(), "-S" | "--split-string") {
            words.next();
            let split = words.next().map_or("", String::as_str).split_whitespace();
            return split.map(str::to_owned).chain(words.cloned()).collect();
        } else if word.starts_with('-') {
            words.next();
        } else if let Some((name, value)) = word.split_once('=') {
            left.env.push((name.to_owned(), value.to_owned()));
            words.next();
        } else {
            break;
        }
    }
    words.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(text: &str) -> Vec<String> {
        text.split_whitespace().map(|word| word.replace('?', &OPAQUE.to_string())).collect()
    }

    #[test]
    fn patterns_match_whole_argvs() {
        let table: &[(&str, &str, bool)] = &[
            ("cargo **", "cargo test", true),
            ("cargo **", "cargo", true),
            ("cargo *", "cargo", false),
            ("cargo *", "cargo a b", false),
            ("cargo test", "cargo test --all", false),
            ("cargo bench ** --bench x **", "cargo bench --locked --bench x", true),
            ("cargo bench ** --bench x **", "cargo bench --bench x --bench y", true),
            ("cargo bench ** --bench x **", "cargo bench --bench xy", false),
            ("** --bless", "cargo run -- --bless", true),
            ("** --bless", "cargo run -- --bless now", false),
            ("a ?", "a ?", false),
            ("a * b", "a ? b", true),
            ("** ** a", "a", true),
        ];
        for (pattern, text, expected) in table {
            let pattern = ArgvPattern::parse(pattern).expect("a pattern");
            assert_eq!(pattern.matches(&argv(text)), *expected, "{} on {text}", pattern.text());
        }
        assert_eq!(ArgvPattern::parse("  "), None);
    }

    #[test]
    fn what_runs_another_command_is_dropped() {
        let table: &[(&str, &str, &str)] = &[
            ("env A=b -u C cargo test", "cargo test", "A=b"),
            ("env -S cargo test", "cargo test", ""),
            ("sudo -E -u me env A=b timeout -k 5 60 cargo test", "cargo test", "A=b"),
            ("time -p nice -n 5 cargo +nightly test", "cargo test", ""),
            ("timeout 5m cargo test", "cargo test", ""),
            ("exec cargo test", "cargo test", ""),
            ("command cargo test", "cargo test", ""),
            ("command -v cargo", "command -v cargo", ""),
            ("rustup run --install stable cargo test", "cargo test", ""),
            ("xargs -n 1 cargo test", "cargo test", ""),
            ("?/.cargo/bin/cargo test", "cargo test", ""),
            ("/usr/bin/cargo test", "cargo test", ""),
            ("./ci/cargo test", "./ci/cargo test", ""),
            ("cargo.exe test", "cargo test", ""),
            ("echo cargo test", "echo cargo test", ""),
            ("time", "time", ""),
        ];
        for (text, expected, env) in table {
            let seen = unwrap(&argv(text));
            assert_eq!(seen.argv, argv(expected), "{text}");
            let set: Vec<String> = seen.env.iter().map(|(a, b)| format!("{a}={b}")).collect();
            assert_eq!(set.join(" "), *env, "{text}");
        }
    }
}
