//! Holds canaries beside other tools that compare durations: the same pairs of binaries, in one run, session by session.
//!
//! `cargo run --release -p portcullis-canary --example peers -- --portcullis FILE --hyperfine FILE --pyperf FOLDER
//! [--sessions N] [--evidence FILE]`. The binaries of a pair are this program and a copy of it in which one number differs:
//! how much work it does. Linux only: it asks the system for its load.
#![expect(clippy::disallowed_methods, reason = "a measurement times and starts other programs")]

mod tool;
mod work;

use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};
use tool::{Answer, Tool};

/// Whatever keeps a measurement from being made.
pub(crate) type Failure = Box<dyn Error>;

/// How many runs of each binary a session has, for every tool.
pub(crate) const RUNS: usize = 40;
/// What is told, in percent: ours takes it from its table, the others as an option or by their means.
pub(crate) const COMMENT_PCT: u64 = 2;
/// How much work the second binary of a pair has more, in percent.
const ADDED_PCT: [u8; 3] = [0, 5, 10];

struct Plan {
    sessions: u32,
    tools: Vec<Tool>,
    evidence: Option<PathBuf>,
}

fn main() -> ExitCode {
    if let Ok(mode) = std::env::var(work::MODE) {
        return work::as_peer(&mode);
    }
    match Plan::read(std::env::args().skip(1)).and_then(|plan| measured(&plan)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("not measured: {failure}\n"));
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn say(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
}

impl Plan {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut plan = Self { sessions: 40, tools: vec![Tool::Criterion], evidence: None };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("`{word}` needs a value"))?;
            match word.as_str() {
                "--sessions" => plan.sessions = value.parse()?,
                "--evidence" => plan.evidence = Some(value.into()),
                "--portcullis" => plan.tools.insert(0, Tool::Portcullis(value.into())),
                "--hyperfine" => plan.tools.push(Tool::Hyperfine(value.into())),
                "--pyperf" => plan.tools.push(Tool::Pyperf(value.into())),
                other => return Err(format!("`{other}` is unknown").into()),
            }
        }
        Ok(plan)
    }
}

/// What a tool said over all sessions of one amount of work.
#[derive(Default)]
struct Found {
    slower: u32,
    silent: u32,
    no_answer: u32,
}

fn measured(plan: &Plan) -> Result<(), Failure> {
    let scratch = tempfile::tempdir()?;
    let own = fs::read(std::env::current_exe()?)?;
    let mut pairs = Vec::new();
    for added_pct in ADDED_PCT {
        let folder = scratch.path().join(format!("added_{added_pct}"));
        fs::create_dir_all(&folder)?;
        pairs.push((added_pct, work::pair(&own, added_pct, &folder)?));
    }
    let versions = plan.tools.iter().map(|tool| Ok((tool.name(), tool.version()?)));
    let versions: BTreeMap<&str, String> = versions.collect::<Result<_, Failure>>()?;
    let load_before = load()?;
    let commit = said(Command::new("git").args(["rev-parse", "HEAD"]))?;
    let mut found: BTreeMap<(&str, u8), Found> = BTreeMap::new();
    for session in 0..plan.sessions {
        for (added_pct, pair) in &pairs {
            for index in 0..plan.tools.len() {
                // Each tool is once the first: what it leaves behind in the machine meets all of the others.
                let turn = (index + usize::try_from(session)?) % plan.tools.len();
                let Some(tool) = plan.tools.get(turn) else { continue };
                let answer = tool.compare(pair, &format!("s{session}")).map_err(|failure| {
                    format!("{} in session {session}, +{added_pct} %: {failure}", tool.name())
                })?;
                found.entry((tool.name(), *added_pct)).or_default().add(&answer);
            }
        }
        // Written after each: hours of measuring are not lost with the last one.
        let document = json!({
            "schema": "portcullis.canary_peers.v1",
            "command": "cargo run --release -p portcullis-canary --example peers -- --portcullis FILE --hyperfine FILE --pyperf FOLDER",
            "commit": commit,
            "load": format!("before {load_before}, after {}", load()?),
            "versions": versions, "comment_pct": COMMENT_PCT,
            "rows": found.iter().map(|((tool, added_pct), found)| found.row(tool, *added_pct)).collect::<Vec<_>>(),
        });
        let text = serde_json::to_string_pretty(&document)? + "\n";
        match &plan.evidence {
            Some(path) => fs::write(path, text)?,
            None => say(&text),
        }
        say(&format!("session {session}\n"));
    }
    Ok(())
}

impl Found {
    fn add(&mut self, answer: &Answer) {
        match answer {
            Answer::Slower => self.slower += 1,
            Answer::Silent => self.silent += 1,
            Answer::None => self.no_answer += 1,
        }
    }

    fn row(&self, tool: &str, added_pct: u8) -> Value {
        json!({
            "tool": tool, "added_pct": added_pct, "runs_of_each": RUNS,
            "sessions": self.slower + self.silent + self.no_answer,
            "called_slower": self.slower, "silent": self.silent, "no_answer": self.no_answer,
        })
    }
}

fn load() -> Result<String, Failure> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

/// What a program that has to succeed says.
pub(crate) fn said(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|source| format!("{command:?}: {source}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{command:?} ended with {}: {errors}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Writes a program.
pub(crate) fn program(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
