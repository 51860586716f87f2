//! A tool is known by what it does, not by its name. It installs nothing, and reads no package database.

mod version;

use crate::pattern::Pattern;
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, SkipReason, Tooth,
    evidence::process::{Exit, Finished},
    wire::code::{COMMAND_TIMED_OUT, CONFIG_INVALID, INPUT_TOO_LARGE},
};
use std::time::Duration;
use toml::Spanned;
use version::Version;

portcullis::gate_kind! {
    /// Makes sure that a tool is the one its name promises.
    /// ### What it checks
    /// The first of the candidates that is on the search path, outside the work tree, is asked a question that only
    /// the real tool answers rightly. Each `must_match` pattern matches a line of its output, no `must_not_match`
    /// pattern does, it exits with 0, and its version is new enough. Other candidates are not asked: what a test
    /// would start is the first one.
    /// ### Why it gates
    /// Another runtime's `node` shim, a stub that always exits with 0, or a wrapper passes every check that looks at
    /// the name or the exit code only, and the tests then prove something about another program.
    /// ### Example
    /// A shim of another runtime answers `node --version` as Node does, but not this:
    /// `candidates = ["node"]`, `probe = ["-p", "process.versions.bun ? 'bun' : process.release.name"]`,
    /// `must_match = ["^node$"]`, `must_not_match = ["bun"]`.
    /// ### Configuration
    /// - `candidates`: names on the search path, in order, required.
    /// - `probe`: arguments of the question, required, not empty. `env`: variables to set.
    /// - `must_match`: patterns over the lines of both output streams, at least one, required.
    /// - `must_not_match`: patterns that no line may match.
    /// - `min_version`: such as `"2.30"`; with `version_pattern`, whose one group captures the version.
    /// - `on_absent`: `"skip"` (typed `tool_missing`) or `"fail"`, required.
    /// ### Remediation
    /// - `tool_identity_mismatch`: put the real tool first on the search path; the receipt names the one that was asked.
    /// - `tool_too_old`: update it.
    /// - `tool_absent`: install it.
    pub static TOOL_IDENTITY: "tool_identity", since = "0.1.0", config = Config, validate = validate, check = check,
        codes = &[TOOL_IDENTITY_MISMATCH, TOOL_TOO_OLD, TOOL_ABSENT], teeth = TEETH;
}

const TOOL_IDENTITY_MISMATCH: Code = Code::new(
    "PC1040",
    "tool_identity_mismatch",
    "A tool does not behave as the one its name promises.",
);
const TOOL_TOO_OLD: Code = Code::new("PC1041", "tool_too_old", "A tool is older than required.");
const TOOL_ABSENT: Code =
    Code::new("PC1042", "tool_absent", "A tool that must be there is not installed.");

/// How long a tool may think about one question.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// One `[[gate]]` table of this kind. Absence has no default: whether a tool is needed is a decision.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    candidates: Spanned<Vec<String>>,
    probe: Spanned<Vec<String>>,
    #[serde(default)]
    env: std::collections::BTreeMap<String, String>,
    must_match: Spanned<Vec<Spanned<Pattern>>>,
    #[serde(default)]
    must_not_match: Vec<Spanned<Pattern>>,
    min_version: Option<Spanned<Version>>,
    version_pattern: Option<Spanned<Pattern>>,
    on_absent: OnAbsent,
}

/// What absence means.
#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnAbsent {
    Skip,
    Fail,
}

/// Refuses questions that a stub would answer.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: usize, headline: String, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(table.locate(offset)));
    };
    let names = config.candidates.get_ref();
    if names.is_empty() {
        refuse(
            config.candidates.span().start,
            "there are no candidates".to_owned(),
            "name the tool",
        );
    }
    for name in names.iter().filter(|name| name.is_empty() || name.contains(['/', '\\'])) {
        refuse(
            config.candidates.span().start,
            format!("`{name}` is not a name on the search path"),
            "write a plain name",
        );
    }
    if config.probe.get_ref().is_empty() {
        refuse(
            config.probe.span().start,
            "the probe asks nothing".to_owned(),
            "write arguments, such as `--version`",
        );
    }
    if config.must_match.get_ref().is_empty() {
        let headline = "no answer is required, so a stub that exits with 0 would pass".to_owned();
        refuse(
            config.must_match.span().start,
            headline,
            "write a pattern that only the real tool's answer matches",
        );
    }
    match (&config.min_version, &config.version_pattern) {
        (Some(version), None) => {
            let headline = "`min_version` has no `version_pattern`".to_owned();
            refuse(
                version.span().start,
                headline,
                "write a pattern with one group around the version",
            );
        }
        (None, Some(pattern)) => {
            let headline = "`version_pattern` has no `min_version`".to_owned();
            refuse(pattern.span().start, headline, "write both, or neither");
        }
        (Some(_), Some(pattern)) if pattern.get_ref().groups() == 0 => {
            let headline = "`version_pattern` captures nothing".to_owned();
            refuse(pattern.span().start, headline, "put the version in parentheses");
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    faults
}

/// Asks the first tool that is there, and returns how many questions were asked.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    for name in config.candidates.get_ref() {
        let Some(tool) = cx.tool(name)? else { continue };
        let answer = ask(cx, config, name)?;
        judge(cx, config, name, &tool.path.display().to_string(), &answer, out)?;
        return Ok(Examined::items(1));
    }
    let names = config.candidates.get_ref().join("`, `");
    match config.on_absent {
        OnAbsent::Skip => Ok(Examined::skipped(
            SkipReason::ToolMissing,
            format!("none of `{names}` is on the search path"),
        )),
        OnAbsent::Fail => {
            out.push(
                Finding::new(
                    TOOL_ABSENT,
                    &names,
                    format!("none of `{names}` is on the search path"),
                    "install it",
                )
                .at(cx.locate(config.candidates.span().start)),
            );
            Ok(Examined::items(config.candidates.get_ref().len()))
        }
    }
}

fn ask(cx: &GateContext<'_>, config: &Config, name: &str) -> Result<Finished, GateError> {
    let argv: Vec<String> =
        std::iter::once(name.to_owned()).chain(config.probe.get_ref().iter().cloned()).collect();
    let mut command = cx.command(&argv).timeout(PROBE_TIMEOUT);
    for (name, value) in &config.env {
        command = command.env(name, value);
    }
    let finished = command.run()?;
    if finished.timed_out {
        let headline =
            format!("`{}` gave no answer in {} s", argv.join(" "), PROBE_TIMEOUT.as_secs());
        return cx.watch(Err(Fault::new(
            COMMAND_TIMED_OUT,
            headline,
            "ask something it answers at once",
        )));
    }
    if finished.stdout.cut > 0 || finished.stderr.cut > 0 {
        let headline = format!("the answer of `{}` is larger than what is kept", argv.join(" "));
        return cx.watch(Err(Fault::new(
            INPUT_TOO_LARGE,
            headline,
            "ask something with a short answer",
        )));
    }
    Ok(finished)
}

/// Holds the answer to the patterns and the version.
fn judge(
    cx: &GateContext<'_>,
    config: &Config,
    name: &str,
    path: &str,
    answer: &Finished,
    out: &mut Findings,
) -> Result<(), GateError> {
    let text = format!("{}\n{}", answer.stdout.text(), answer.stderr.text());
    let shown: String = text.trim().chars().take(200).collect();
    let mismatch = |message: String, offset: usize| {
        Finding::new(
            TOOL_IDENTITY_MISMATCH,
            name,
            message,
            "put the real tool first on the search path",
        )
        .at(cx.locate(offset))
        .found(format!("`{path}` answers: {shown}"))
    };
    if answer.exit != Exit::Code(0) {
        out.push(mismatch(
            format!("`{name}` fails when it is asked what it is"),
            config.probe.span().start,
        ));
    }
    for pattern in config.must_match.get_ref() {
        if !cx.watch(any_line(pattern.get_ref(), &text))? {
            let message =
                format!("no line of the answer of `{name}` matches `{}`", pattern.get_ref().text());
            out.push(mismatch(message, pattern.span().start));
        }
    }
    for pattern in &config.must_not_match {
        if cx.watch(any_line(pattern.get_ref(), &text))? {
            let message =
                format!("a line of the answer of `{name}` matches `{}`", pattern.get_ref().text());
            out.push(mismatch(message, pattern.span().start));
        }
    }
    let (Some(wanted), Some(pattern)) = (&config.min_version, &config.version_pattern) else {
        return Ok(());
    };
    match cx.watch(version_of(pattern.get_ref(), &text))? {
        None => out.push(mismatch(
            format!("the answer of `{name}` names no version"),
            pattern.span().start,
        )),
        Some(found) if found < *wanted.get_ref() => out.push(
            Finding::new(
                TOOL_TOO_OLD,
                name,
                format!("`{name}` is older than required"),
                "update it",
            )
            .at(cx.locate(wanted.span().start))
            .expected(format!("at least {}", wanted.get_ref()))
            .found(format!("{found} at `{path}`")),
        ),
        Some(_) => {}
    }
    Ok(())
}

fn any_line(pattern: &Pattern, text: &str) -> Result<bool, Fault> {
    for line in text.lines() {
        if pattern.matches(line)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn version_of(pattern: &Pattern, text: &str) -> Result<Option<Version>, Fault> {
    for line in text.lines() {
        if let Some(found) = pattern.capture(line)? {
            return Ok(Version::parse(found));
        }
    }
    Ok(None)
}

const GIT: &str = "candidates = ['git']\nprobe = ['--version']\nmust_match = ['^git version [0-9]']\non_absent = 'skip'";

static TEETH: &[Tooth] = &[
    Tooth::known_good("git_answers_as_git_does", GIT, &[]),
    Tooth::known_good(
        "a_version_that_is_new_enough",
        "candidates = ['git']\nprobe = ['--version']\nmust_match = ['^git version']\non_absent = 'fail'\n\
         min_version = '1.5'\nversion_pattern = 'version ([0-9.]+)'",
        &[],
    ),
    Tooth::known_bad(
        "fg53_a_tool_that_answers_as_another",
        TOOL_IDENTITY_MISMATCH,
        "candidates = ['git']\nprobe = ['--version']\nmust_match = ['^v[0-9]+']\non_absent = 'skip'",
        &[],
    ),
    Tooth::known_bad(
        "a_shim_that_gives_itself_away",
        TOOL_IDENTITY_MISMATCH,
        "candidates = ['git']\nprobe = ['--version']\nmust_match = ['[0-9]']\nmust_not_match = ['git']\non_absent = 'skip'",
        &[],
    ),
    Tooth::known_bad(
        "an_old_tool",
        TOOL_TOO_OLD,
        "candidates = ['git']\nprobe = ['--version']\nmust_match = ['^git']\non_absent = 'fail'\n\
         min_version = '9999.1'\nversion_pattern = 'version ([0-9.]+)'",
        &[],
    ),
    Tooth::known_bad(
        "a_tool_that_must_be_there",
        TOOL_ABSENT,
        "candidates = ['portcullis-no-such-tool']\nprobe = ['--version']\nmust_match = ['x']\non_absent = 'fail'",
        &[],
    ),
];

#[cfg(test)]
mod tests;
