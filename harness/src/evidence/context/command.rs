//! Commands and tools as a gate sees them: argv without a shell, a cleared environment, captured output.

use super::{Scratch, Trace, World};
use crate::{
    evidence::{
        digest,
        process::{self, Finished, Request},
        tool,
    },
    wire::{
        code::{COMMAND_FAILED, INPUT_UNREADABLE, TOOL_MISSING},
        fault::Fault,
        id::Digest,
        path::RelPath,
    },
};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// How much output of one command is kept (`security.md`, section 4).
const CAPTURE_BYTES: usize = 8 * 1024 * 1024;
/// How many lines of a command's output go into the receipt.
const TAIL_LINES: usize = 200;

/// A tool, resolved once to an absolute path outside the work tree.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Where it is.
    pub path: PathBuf,
}

pub(super) fn find(world: &World, trace: &Trace, name: &str) -> Result<Option<Tool>, Fault> {
    let found = tool::find(name, world.environment.search_path(), world.tree.root())?;
    if let Some(path) = &found {
        trace.say(&format!("tool `{name}` is {}", path.display()));
    }
    Ok(found.map(|path| Tool { path }))
}

/// As [`find`], after the named folders below cargo's target directory.
pub(super) fn find_in(
    world: &World,
    trace: &Trace,
    folders: &[RelPath],
    name: &str,
) -> Result<Option<Tool>, Fault> {
    for folder in folders {
        if let Some(path) = tool::find_below(&world.target_dir, folder, name)? {
            trace.say(&format!("tool `{name}` is {}", path.display()));
            return Ok(Some(Tool { path }));
        }
    }
    find(world, trace, name)
}

/// The digest of a tool as it is installed.
pub(super) fn digest(tool: &Tool) -> Result<Digest, Fault> {
    let hashed = std::fs::File::open(&tool.path).and_then(digest::of_reader);
    hashed.map(|(digest, _bytes)| digest).map_err(|source| {
        let headline = format!("the tool `{}` cannot be read", tool.path.display());
        Fault::new(INPUT_UNREADABLE, headline, "let this user read it").because(&source)
    })
}

/// A command to run. Nothing of the caller's environment reaches it but the allow-list.
pub struct Command<'a> {
    world: &'a World,
    trace: &'a Trace,
    argv: Vec<String>,
    cwd: Option<RelPath>,
    scratch: Option<PathBuf>,
    env: BTreeMap<String, String>,
    pass: Vec<String>,
    timeout: Duration,
    is_quiet: bool,
    tool_dirs: Vec<RelPath>,
}

impl<'a> Command<'a> {
    pub(super) fn new(world: &'a World, trace: &'a Trace, argv: &[String]) -> Self {
        Self {
            world,
            trace,
            argv: argv.to_vec(),
            cwd: None,
            scratch: None,
            env: BTreeMap::new(),
            pass: Vec::new(),
            timeout: Duration::from_secs(600),
            is_quiet: false,
            tool_dirs: Vec::new(),
        }
    }

    /// Runs it in a folder of the repository instead of its root.
    #[must_use]
    pub fn cwd(mut self, path: RelPath) -> Self {
        self.cwd = Some(path);
        self
    }

    /// Runs it in a folder made for this attempt.
    #[must_use]
    pub fn in_scratch(mut self, scratch: &Scratch) -> Self {
        self.scratch = Some(scratch.path().to_path_buf());
        self
    }

    /// Sets a variable of the child.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Lets a variable of the caller through.
    #[must_use]
    pub fn pass(mut self, names: &[String]) -> Self {
        self.pass.extend_from_slice(names);
        self
    }

    /// Kills it, with all its children, after this long.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Looks its first word up in these folders below cargo's target directory first.
    #[must_use]
    pub fn tool_dirs(mut self, folders: &[RelPath]) -> Self {
        self.tool_dirs.extend_from_slice(folders);
        self
    }

    /// Keeps its standard output out of the receipt. For data that a check parses, not for what people read.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.is_quiet = true;
        self
    }

    /// Runs it to its end and records command, exit and the tail of its output.
    ///
    /// # Errors
    /// `tool_missing` when the first word is not on the search path, `command_failed` when it does not start.
    /// A non-zero exit or a timeout is in the result, not an error.
    pub fn run(self) -> Result<Finished, Fault> {
        let trace = self.trace;
        trace.watch(self.start())
    }

    fn start(self) -> Result<Finished, Fault> {
        let Some(name) = self.argv.first().cloned() else {
            return Err(Fault::new(
                COMMAND_FAILED,
                "a command has no words",
                "write the program and its arguments",
            ));
        };
        let Some(tool) = find_in(self.world, self.trace, &self.tool_dirs, &name)? else {
            return Err(Fault::new(
                TOOL_MISSING,
                format!("`{name}` is not on the search path"),
                format!(
                    "install `{name}`, or let the gate skip with `allow_skip = [\"tool_missing\"]`"
                ),
            ));
        };
        let mut argv = self.argv.clone();
        argv[0] = tool.path.to_str().map(str::to_owned).ok_or_else(|| {
            Fault::new(
                COMMAND_FAILED,
                format!("the path of `{name}` is not UTF-8"),
                "install it under a plain path",
            )
        })?;
        let mut env = self.world.environment.child_env(&self.pass)?;
        env.extend(self.env.clone());
        let cwd = match (&self.scratch, &self.cwd) {
            (Some(path), _) => path.clone(),
            (None, Some(path)) => self.world.tree.root().join(path.as_str()),
            (None, None) => self.world.tree.root().to_path_buf(),
        };
        let request =
            Request { argv, cwd, env, timeout: self.timeout, capture_bytes: CAPTURE_BYTES };
        let finished = process::run(&request)?;
        self.trace.say(&format!("$ {}", self.argv.join(" ")));
        let shown: &[_] =
            if self.is_quiet { &[&finished.stderr] } else { &[&finished.stdout, &finished.stderr] };
        for captured in shown {
            let text = self.world.environment.redact(&captured.text());
            let lines: Vec<&str> = text.lines().collect();
            let skipped = lines.len().saturating_sub(TAIL_LINES);
            if skipped > 0 {
                self.trace.say(&format!("[{skipped} lines before these]"));
            }
            for line in &lines[skipped..] {
                self.trace.say(line);
            }
        }
        Ok(finished)
    }
}
