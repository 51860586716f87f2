//! Tests that need a tool: where it is absent they are skipped loudly, once per run and tool, and counted.
//!
//! It decides nothing: whether a lane may skip is what the kind `tool_requirement` says.

use crate::{
    declare::Examined,
    evidence::{environment::Environment, target_dir, tool},
    wire::{id::RunId, ordered::VecSet, outcome::SkipReason},
};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The variables that name a run which several processes share.
const RUN_IDS: &[&str] = &["PORTCULLIS_RUN_ID", "NEXTEST_RUN_ID"];

/// What this process has warned of where no run is shared.
static WARNED: Mutex<VecSet<String>> = Mutex::new(VecSet::new());

/// A tool that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// Why the test is skipped, in the words that scripts look for.
    pub reason: String,
}

/// What a test returns when it is skipped.
pub trait Skipped {
    /// The value that stands for it.
    fn skipped(absent: Absent) -> Self;
}

impl Skipped for () {
    fn skipped(_absent: Absent) {}
}

impl Skipped for Examined {
    fn skipped(absent: Absent) -> Self {
        Self::skipped(SkipReason::ToolMissing, absent.reason)
    }
}

impl<T: Skipped, E> Skipped for Result<T, E> {
    fn skipped(absent: Absent) -> Self {
        Ok(T::skipped(absent))
    }
}

/// The reason of a skip: its wording is fixed, because people and scripts look for it.
#[must_use]
pub fn reason(name: &str) -> String {
    format!("{name} not on PATH — SKIPPED LOUD")
}

/// The file that counts the tests which a tool's absence skipped, below the run directory.
#[must_use]
pub fn skip_file(name: &str) -> String {
    format!("skips/{}.log", file_name(name))
}

/// Whether a tool is absent. Then it has been warned of, once per run, and the test has been counted.
#[must_use]
pub fn absent(name: &str, package: &str, test: &str) -> Option<Absent> {
    let environment = Environment::capture(&[]);
    // A tool that resolves into the work tree is refused, which for a test is the same as absence.
    if let Ok(Some(_found)) = tool::find(name, environment.search_path(), Path::new(package)) {
        return None;
    }
    let run = run_folder(&environment, Path::new(package));
    let is_github = environment.get("GITHUB_ACTIONS") == Some("true");
    let mut stderr = io::stderr();
    if is_first(run.as_deref(), name) {
        // Where nobody reads, nobody can be warned; the count below still stands.
        let _unread = writeln!(
            stderr,
            "{}{}",
            if is_github { "::warning::" } else { "warning: " },
            reason(name)
        );
    }
    if let Some(run) = &run
        && let Err(source) = count(run, name, test)
    {
        let _unread =
            writeln!(stderr, "warning: the skip of `{test}` could not be counted: {source}");
    }
    Some(Absent { reason: reason(name) })
}

fn run_folder(environment: &Environment, package: &Path) -> Option<PathBuf> {
    let id = RUN_IDS.iter().find_map(|name| environment.non_empty(name))?;
    let id = RunId::parse(id).ok()?;
    let variable = environment.get("CARGO_TARGET_DIR");
    let target = target_dir::find(package, target_dir::current_exe().as_deref(), variable);
    Some(target.join("portcullis/runs").join(id.as_str()))
}

/// Whether this process is the first of the run to miss a tool: who creates the mark warns. Where it cannot be
/// created, everybody does.
fn is_first(run: Option<&Path>, name: &str) -> bool {
    let Some(run) = run else {
        return WARNED.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    };
    let once = run.join("once");
    let made = fs::create_dir_all(&once).and_then(|()| {
        OpenOptions::new().write(true).create_new(true).open(once.join(file_name(name)))
    });
    !matches!(made, Err(source) if source.kind() == io::ErrorKind::AlreadyExists)
}

/// Adds one line in one write, which systems do not tear apart.
fn count(run: &Path, name: &str, test: &str) -> io::Result<()> {
    let path = run.join(skip_file(name));
    fs::create_dir_all(path.parent().unwrap_or(run))?;
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(format!("{}\n", test.escape_debug()).as_bytes())
}

/// A name that every system takes.
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+');
    name.chars().take(64).map(|c| if plain(c) { c } else { '_' }).collect()
}

/// Skips a test, or a gate written in Rust, where a tool is not on the search path: loudly, and counted.
///
/// ```text
/// #[test]
/// fn a_pane_is_split() {
///     portcullis::requires_tool!("tmux");
///     // ...
/// }
/// ```
#[macro_export]
macro_rules! requires_tool {
    ($name:expr $(,)?) => {
        if let ::std::option::Option::Some(absent) = $crate::runner::tool_skip::absent(
            $name,
            env!("CARGO_MANIFEST_DIR"),
            concat!(module_path!(), ":", line!()),
        ) {
            return $crate::runner::tool_skip::Skipped::skipped(absent);
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::process::{self, Request};
    use std::{collections::BTreeMap, time::Duration};

    const TOOL: &str = "portcullis-no-such-tool";

    fn of_a_check() -> Result<Examined, crate::Fault> {
        crate::requires_tool!(TOOL);
        Ok(Examined::items(1))
    }

    #[test]
    fn a_skip_is_typed_and_says_its_fixed_words() {
        let expected = Examined::Skipped {
            reason: SkipReason::ToolMissing,
            detail: "portcullis-no-such-tool not on PATH — SKIPPED LOUD".to_owned(),
        };
        assert_eq!(of_a_check(), Ok(expected));
    }

    /// What the eight processes below run. Alone it does the same, and nobody counts.
    #[test]
    fn one_of_eight() {
        crate::requires_tool!(TOOL);
        unreachable!("the tool does not exist");
    }

    #[test]
    fn eight_processes_warn_once_and_count_eight() {
        let folder = tempfile::tempdir().expect("a folder");
        let exe = target_dir::current_exe().expect("this test");
        // A copy elsewhere has the given target directory; a test below a marked one would find that.
        let copy = folder.path().join("copy");
        fs::copy(exe, &copy).expect("a copy");
        let request = |n: usize| Request {
            argv: ["copy", "one_of_eight", "--nocapture"]
                .map(
                    |word| {
                        if word == "copy" { copy.display().to_string() } else { word.to_owned() }
                    },
                )
                .to_vec(),
            cwd: folder.path().to_path_buf(),
            env: BTreeMap::from([
                ("PORTCULLIS_RUN_ID".to_owned(), "eight".to_owned()),
                ("CARGO_TARGET_DIR".to_owned(), folder.path().display().to_string()),
                ("PATH".to_owned(), folder.path().display().to_string()),
                ("GITHUB_ACTIONS".to_owned(), n.is_multiple_of(2).to_string()),
            ]),
            timeout: Duration::from_secs(120),
            capture_bytes: 1 << 20,
        };
        let running: Vec<_> = (0..8)
            .map(request)
            .map(|request| std::thread::spawn(move || process::run(&request)))
            .collect();
        let mut warnings = 0;
        for thread in running {
            let seen = thread.join().expect("no panic").expect("a process");
            assert!(seen.is_success(), "{}", seen.stderr.text());
            warnings += seen.stderr.text().matches("SKIPPED LOUD").count();
        }
        assert_eq!(warnings, 1, "one warning per run and tool");
        let run = folder.path().join("portcullis/runs/eight");
        let counted = fs::read_to_string(run.join(skip_file(TOOL))).expect("a count");
        assert_eq!(counted.lines().count(), 8);
        assert!(counted.lines().all(|line| line.contains("tool_skip::tests")), "{counted}");
    }
}
