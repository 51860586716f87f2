//! A program and what it must say. It interprets no output beyond lines, and knows no build tool.

mod outcome;

use crate::pattern::Pattern;
use portcullis::{
    Code, Examined, Fault, Findings, GateContext, GateError, GateTable, Globs, RelPath, SkipReason,
    Tooth,
    wire::code::{COMMAND_TIMED_OUT, CONFIG_INVALID},
};
use std::{collections::BTreeMap, time::Duration};
use toml::Spanned;

portcullis::gate_kind! {
    /// Runs a command, and holds it to its exit code, its output and its side effects.
    /// ### What it checks
    /// The program is found on the search path, outside the work tree, and started without a shell, with a cleared
    /// environment. It must end in time, with one of the expected exit codes; each pattern of the output contract
    /// is tried on each line; and no file of the work tree may change that is not declared. What git ignores, the
    /// target directory and the folder of views are not watched; without git every other file is.
    /// ### Why it gates
    /// A step that a shell runs can fail in silence: an `|| true`, a pipe, a tool that prints `error` and exits 0. A
    /// step that writes into the work tree makes the next gate judge something nobody committed.
    /// ### Example
    /// `argv = ["cargo", "fmt", "--all", "--check"]`: red when a file is not formatted, and red when the command
    /// formats it. `argv = ["sh", "-c", "make || true"]` is refused when the policy is read.
    /// ### Configuration
    /// - `argv`: the program and its arguments, required. A shell with a command string is refused.
    /// - `cwd`: folder of the repository to run in; default its root.
    /// - `env`: variables to set. `pass_env`: names of variables to let through from the caller.
    /// - `expected_exit`: accepted exit codes, default `[0]`.
    /// - `stdout_matches`, `stderr_matches`: patterns; each must match some line.
    /// - `stdout_forbids`, `stderr_forbids`: patterns; none may match any line.
    /// - `side_effects`: globs of files that the command may add, change or remove; default none.
    /// - `watch`: globs that narrow which files are compared, for large trees; default all.
    /// - The gate's `timeout` is the command's, less a tenth for the gate itself, two seconds at most.
    /// ### Remediation
    /// - `unexpected_exit`: read the output in the receipt, run the replay, and mend what it reports.
    /// - `output_contract_broken`: the line says what is wrong; if the tool has changed its words, change the pattern.
    /// - `undeclared_side_effect`: let the command check instead of write, or declare the files in `side_effects`.
    /// - `command_timed_out`, an error: find what hangs, or raise the gate's `timeout`.
    pub static COMMAND: "command", since = "0.1.0", config = Config, validate = validate, check = check,
        codes = &[UNEXPECTED_EXIT, OUTPUT_CONTRACT_BROKEN, UNDECLARED_SIDE_EFFECT], teeth = TEETH;
}

const UNEXPECTED_EXIT: Code = Code::new(
    "PC1020",
    "unexpected_exit",
    "A command ended with an exit code that its gate does not expect.",
);
const OUTPUT_CONTRACT_BROKEN: Code = Code::new(
    "PC1021",
    "output_contract_broken",
    "A command's output lacks a required line, or has a forbidden one.",
);
const UNDECLARED_SIDE_EFFECT: Code = Code::new(
    "PC1022",
    "undeclared_side_effect",
    "A command changed a file that its gate does not declare.",
);

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    argv: Spanned<Vec<String>>,
    cwd: Option<RelPath>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    pass_env: Vec<Spanned<String>>,
    #[serde(default = "success")]
    expected_exit: Spanned<Vec<i32>>,
    #[serde(default)]
    stdout_matches: Vec<Spanned<Pattern>>,
    #[serde(default)]
    stdout_forbids: Vec<Spanned<Pattern>>,
    #[serde(default)]
    stderr_matches: Vec<Spanned<Pattern>>,
    #[serde(default)]
    stderr_forbids: Vec<Spanned<Pattern>>,
    side_effects: Option<Globs>,
    watch: Option<Globs>,
}

/// The exit code that means success everywhere.
fn success() -> Spanned<Vec<i32>> {
    Spanned::new(0..0, vec![0])
}

/// Programs whose command string would be a second, unchecked program.
const SHELLS: &[&str] = &[
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "fish",
    "cmd",
    "cmd.exe",
    "powershell",
    "pwsh",
    "powershell.exe",
    "pwsh.exe",
];

/// Whether a word announces a command string: `-c`, `-euc`, `/C`, `-Command`.
fn is_string_flag(word: &str) -> bool {
    let short =
        |flags: &str| flags.ends_with('c') && flags.bytes().all(|byte| byte.is_ascii_alphabetic());
    let lower = word.to_ascii_lowercase();
    word.strip_prefix('-').is_some_and(short)
        || matches!(lower.as_str(), "/c" | "/k" | "-command" | "-encodedcommand" | "--command")
}

/// Refuses what could never hold, or would hide what it runs.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: usize, headline: String, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(table.locate(offset)));
    };
    let (argv, at) = (config.argv.get_ref(), config.argv.span().start);
    match argv.first().map(String::as_str) {
        None | Some("") => {
            refuse(at, "`argv` has no program".to_owned(), "write the program and its arguments")
        }
        Some(program) if program.contains(['/', '\\']) => refuse(
            at,
            format!("the program `{program}` is a path"),
            "name a program of the search path, and pass a script of the repository as its argument",
        ),
        Some(program)
            if SHELLS.contains(&program) && argv.iter().any(|word| is_string_flag(word)) =>
        {
            refuse(
                at,
                format!("`{program}` is given a command string"),
                "write the program and its arguments as a list; a shell line can swallow a failure",
            );
        }
        Some(_) => {}
    }
    if argv.iter().any(|word| word.contains('\0')) {
        refuse(at, "a word of `argv` has a NUL".to_owned(), "remove it");
    }
    if config.expected_exit.get_ref().is_empty() {
        let at = config.expected_exit.span().start;
        refuse(
            at,
            "`expected_exit` is empty, so no exit could be right".to_owned(),
            "write `expected_exit = [0]`",
        );
    }
    for name in config.env.keys().chain(config.pass_env.iter().map(Spanned::get_ref)) {
        if !is_variable(name) {
            refuse(
                at,
                format!("`{name}` is not the name of a variable"),
                "use letters, digits and `_`",
            );
        }
    }
    for name in config.pass_env.iter().filter(|name| config.env.contains_key(name.get_ref())) {
        let headline =
            format!("`{}` is both set by `env` and let through by `pass_env`", name.get_ref());
        refuse(name.span().start, headline, "keep one of the two");
    }
    faults
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Runs the command, and returns how many assertions were checked about it.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let argv = config.argv.get_ref();
    let program = argv.first().map_or("", String::as_str);
    if cx.tool(program)?.is_none() {
        return Ok(Examined::skipped(
            SkipReason::ToolMissing,
            format!("`{program}` is not on the search path"),
        ));
    }
    let limit_ms = command_timeout_ms(cx.gate().common.timeout_ms);
    let passed: Vec<String> = config.pass_env.iter().map(|name| name.get_ref().clone()).collect();
    let mut command = cx.command(argv).timeout(Duration::from_millis(limit_ms)).pass(&passed);
    for (name, value) in &config.env {
        command = command.env(name, value);
    }
    if let Some(cwd) = &config.cwd {
        command = command.cwd(cwd.clone());
    }
    let before = cx.snapshot(config.watch.as_ref())?;
    let finished = command.run()?;
    if finished.timed_out {
        let headline = format!("`{}` ran longer than {limit_ms} ms and was killed", argv.join(" "));
        return cx.watch(Err(Fault::new(
            COMMAND_TIMED_OUT,
            headline,
            "find what hangs, or raise the gate's `timeout`",
        )
        .at(cx.gate().location.clone())));
    }
    let after = cx.snapshot(config.watch.as_ref())?;
    let mut checked = 2;
    outcome::exit(cx, config, &finished, out);
    checked += outcome::output(cx, config, &finished, out)?;
    outcome::side_effects(cx, config, &before, &after, out);
    Ok(Examined::items(checked))
}

/// The command's share of the gate's time: it is killed, and reported, before the gate itself is.
fn command_timeout_ms(gate_ms: u64) -> u64 {
    gate_ms - (gate_ms / 10).min(2_000)
}

const VERSION: &str = "argv = ['git', '--version']";
const TREE: &[(&str, &str)] = &[("README.md", "# a\n")];

static TEETH: &[Tooth] = &[
    Tooth::known_good("a_command_that_succeeds", VERSION, TREE),
    Tooth::known_good(
        "a_command_that_keeps_its_contract",
        "argv = ['git', '--version']\nstdout_matches = ['^git version [0-9]']\nstderr_forbids = ['(?i)warning']",
        TREE,
    ),
    Tooth::known_good(
        "an_exit_code_that_is_expected",
        "argv = ['git', 'no-such-verb']\nexpected_exit = [1]\nstderr_matches = ['no-such-verb']",
        TREE,
    ),
    Tooth::known_good(
        "a_declared_side_effect",
        "argv = ['git', 'config', '--file', 'made.txt', 'a.b', 'c']\nside_effects = ['made.txt']",
        TREE,
    )
    .in_git(),
    Tooth::known_bad(
        "a_command_that_fails",
        UNEXPECTED_EXIT,
        "argv = ['git', 'no-such-verb']",
        TREE,
    ),
    Tooth::known_bad(
        "a_success_where_a_failure_is_expected",
        UNEXPECTED_EXIT,
        "argv = ['git', '--version']\nexpected_exit = [1]",
        TREE,
    ),
    Tooth::known_bad(
        "a_required_line_is_absent",
        OUTPUT_CONTRACT_BROKEN,
        "argv = ['git', '--version']\nstdout_matches = ['^[0-9]+ tests passed$']",
        TREE,
    ),
    Tooth::known_bad(
        "a_forbidden_line_is_printed",
        OUTPUT_CONTRACT_BROKEN,
        "argv = ['git', '--version']\nstdout_forbids = ['version']",
        TREE,
    ),
    Tooth::known_bad(
        "a_file_is_added",
        UNDECLARED_SIDE_EFFECT,
        "argv = ['git', 'config', '--file', 'made.txt', 'a.b', 'c']",
        TREE,
    ),
    Tooth::known_bad(
        "a_tracked_file_is_changed",
        UNDECLARED_SIDE_EFFECT,
        "argv = ['git', 'config', '--file', 'kept.ini', 'a.b', 'c']",
        &[("kept.ini", "[a]\n\tb = d\n")],
    )
    .in_git(),
];

#[cfg(test)]
mod tests;
