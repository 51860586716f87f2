//! How git is run: an absolute program, a fixed prefix, and no configured program of the repository (threat T33).

use super::repository::Repository;
use crate::{
    evidence::{
        environment::Environment,
        process::{self, Exit, Finished, Request},
        tool,
    },
    wire::{
        code::{GIT_FAILED, TOOL_MISSING},
        fault::Fault,
    },
};
use once_cell::sync::OnceCell;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

const TIMEOUT: Duration = Duration::from_secs(120);
/// Names of 200 000 files may be longer than a captured log; contents are capped by the caller's own limit.
const CAPTURE_BYTES: usize = 2 * 16 * 1024 * 1024;

/// What stands before every subcommand. Facts G1, G3 and G8 say why.
const PREFIX: &[&str] = &[
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.checkStat=default",
    "-c",
    "core.ignoreStat=false",
    "-c",
    "core.fileMode=true",
];

/// git, ready to run over one work tree.
pub(super) struct Program {
    path: String,
    top: PathBuf,
    env: BTreeMap<String, String>,
    without_filters: OnceCell<BTreeMap<String, String>>,
}

impl Program {
    pub(super) fn find(repository: &Repository, environment: &Environment) -> Result<Self, Fault> {
        let missing = || {
            Fault::new(
                TOOL_MISSING,
                "`git` is not on the search path",
                "install git, then run again",
            )
        };
        let path =
            tool::find("git", environment.search_path(), &repository.top)?.ok_or_else(missing)?;
        let path = path.to_str().ok_or_else(missing)?.to_owned();
        // The allow-list has no `GIT_*`, so nothing of fact G2 reaches git; these four only take abilities away.
        let mut env = environment.child_env::<&str>(&[])?;
        let ceiling = repository.top.parent().and_then(|parent| parent.to_str());
        env.extend(
            ceiling.map(|ceiling| ("GIT_CEILING_DIRECTORIES".to_owned(), ceiling.to_owned())),
        );
        for (name, value) in
            [("GIT_OPTIONAL_LOCKS", "0"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_NO_LAZY_FETCH", "1")]
        {
            env.insert(name.to_owned(), value.to_owned());
        }
        Ok(Self { path, top: repository.top.clone(), env, without_filters: OnceCell::new() })
    }

    /// Runs a subcommand, whatever its exit.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Finished, Fault> {
        self.run_with(arguments, &self.env)
    }

    fn run_with(
        &self,
        arguments: &[&str],
        env: &BTreeMap<String, String>,
    ) -> Result<Finished, Fault> {
        let mut argv = vec![self.path.clone()];
        argv.extend(PREFIX.iter().map(ToString::to_string));
        // `core.worktree` of a hostile configuration would make git look at another folder.
        argv.push(format!("--work-tree={}", self.top.display()));
        argv.extend(arguments.iter().map(ToString::to_string));
        process::run(&Request {
            argv,
            cwd: self.top.clone(),
            env: env.clone(),
            timeout: TIMEOUT,
            capture_bytes: CAPTURE_BYTES,
        })
    }

    /// Refuses everything but a whole answer with exit 0.
    pub(super) fn checked(&self, arguments: &[&str], seen: &Finished) -> Result<(), Fault> {
        if seen.is_success() && seen.stdout.cut == 0 {
            return Ok(());
        }
        let found = match (seen.timed_out, seen.exit) {
            (true, _) => format!("no answer within {} seconds", TIMEOUT.as_secs()),
            (false, Exit::Code(0)) => "an answer too long to keep".to_owned(),
            (false, Exit::Code(code)) => format!("exit {code}: {}", excerpt(&seen.stderr.text())),
            (false, Exit::Signal(signal)) => format!("signal {signal}"),
        };
        Err(Fault::new(
            GIT_FAILED,
            format!("`git {}` did not answer", arguments.first().copied().unwrap_or_default()),
            "run the same command by hand; a foreign owner of the folder or a broken clone are the usual causes",
        )
        .found(found))
    }

    pub(super) fn bytes(&self, arguments: &[&str]) -> Result<Vec<u8>, Fault> {
        let seen = self.run(arguments)?;
        self.checked(arguments, &seen)?;
        Ok(seen.stdout.bytes())
    }

    pub(super) fn text(&self, arguments: &[&str]) -> Result<String, Fault> {
        utf8(arguments, self.bytes(arguments)?)
    }

    /// The answer, or nothing where the subcommand says no by exit 1.
    pub(super) fn text_or_no(&self, arguments: &[&str]) -> Result<Option<String>, Fault> {
        let seen = self.run(arguments)?;
        if seen.exit == Exit::Code(1) && !seen.timed_out {
            return Ok(None);
        }
        self.checked(arguments, &seen)?;
        utf8(arguments, seen.stdout.bytes()).map(Some)
    }

    /// The records of a subcommand with `-z`.
    pub(super) fn records(&self, arguments: &[&str]) -> Result<Vec<String>, Fault> {
        split(arguments, &self.text(arguments)?)
    }

    /// Returns the paths that differ from `HEAD`, untracked ones included.
    pub(super) fn status(&self) -> Result<Vec<String>, Fault> {
        // Work inside submodules is not looked at: it would run git under their own configuration.
        let arguments = &[
            "status",
            "--porcelain=v2",
            "-z",
            "--untracked-files=all",
            "--no-renames",
            "--ignore-submodules=dirty",
        ];
        let env = self.without_filters.get_or_try_init(|| self.disarm())?;
        let seen = self.run_with(arguments, env)?;
        self.checked(arguments, &seen)?;
        let text = utf8(arguments, seen.stdout.bytes())?;
        let mut paths = Vec::new();
        for record in split(arguments, &text)? {
            // Fields before the path: 8 for a changed entry, 10 for an unmerged one, 1 for an untracked one.
            let fields = match record.as_bytes().first() {
                Some(b'1') => 9,
                Some(b'u') => 11,
                Some(b'?') => 2,
                Some(_) | None => return Err(unexpected("status", &record)),
            };
            let path = record
                .splitn(fields, ' ')
                .nth(fields - 1)
                .ok_or_else(|| unexpected("status", &record))?;
            paths.push(path.to_owned());
        }
        Ok(paths)
    }

    /// `status` runs clean filters (fact G1). Those that the repository's own configuration names are switched off;
    /// a file that needed one then counts as changed, which is the safe side.
    fn disarm(&self) -> Result<BTreeMap<String, String>, Fault> {
        let records = self.records(&["config", "--list", "--show-scope", "--name-only", "-z"])?;
        let mut env = self.env.clone();
        let mut n = 0;
        for pair in records.chunks(2) {
            let [scope, name] = pair else { return Err(unexpected("config", &pair.concat())) };
            let is_ours = scope == "system" || scope == "global" || scope == "command";
            let filter = name.strip_prefix("filter.").and_then(|rest| rest.rsplit_once('.'));
            let Some((filter, _)) = filter.filter(|_| !is_ours) else { continue };
            for (key, value) in
                [("clean", ""), ("smudge", ""), ("process", ""), ("required", "false")]
            {
                env.insert(format!("GIT_CONFIG_KEY_{n}"), format!("filter.{filter}.{key}"));
                env.insert(format!("GIT_CONFIG_VALUE_{n}"), value.to_owned());
                n += 1;
            }
        }
        env.insert("GIT_CONFIG_COUNT".to_owned(), n.to_string());
        Ok(env)
    }
}

fn utf8(arguments: &[&str], bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|source| {
        Fault::new(
            GIT_FAILED,
            format!(
                "the answer of `git {}` is not UTF-8",
                arguments.first().copied().unwrap_or_default()
            ),
            "rename files whose names are not UTF-8",
        )
        .because(&source)
    })
}

fn split(arguments: &[&str], text: &str) -> Result<Vec<String>, Fault> {
    match text.strip_suffix('\0') {
        Some(whole) => Ok(whole.split('\0').map(str::to_owned).collect()),
        None if text.is_empty() => Ok(Vec::new()),
        // A list without its last NUL was cut.
        None => Err(unexpected(arguments.first().copied().unwrap_or_default(), text)),
    }
}

fn excerpt(text: &str) -> String {
    let line: String = text.trim().chars().take(400).collect();
    line.escape_debug().to_string()
}

pub(super) fn unexpected(command: &str, answer: &str) -> Fault {
    Fault::new(
        GIT_FAILED,
        format!("the answer of `git {command}` is not understood"),
        "use git 2.30 or newer; report this as a defect of portcullis if it is",
    )
    .found(excerpt(answer))
}
