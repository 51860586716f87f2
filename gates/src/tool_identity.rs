//! A tool is known by what it does, not by its name. It installs nothing, and reads no package database.

mod identity;
mod preset;
pub(crate) mod version;

use crate::pattern::Pattern;
use identity::{Identity, Question};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, RelPath,
    SkipReason, Tooth,
    evidence::process::{Exit, Finished},
    wire::code::{COMMAND_TIMED_OUT, CONFIG_INVALID, INPUT_TOO_LARGE, NOTHING_EXAMINED},
};
use preset::Preset;
use std::time::Duration;
use toml::Spanned;
use version::Version;

portcullis::gate_kind! {
    /// Makes sure that a tool is the one its name promises.
    /// ### What it checks
    /// The first of the candidates that is on the search path, outside the work tree, is asked questions that only
    /// the real tool answers rightly. Each `must_match` pattern matches a line of its output, no `must_not_match`
    /// pattern does, it exits as the real one does, and its version is new enough. Other candidates are not asked:
    /// what a test would start is the first one. Path and digest of what was asked stand in the receipt. With
    /// `impostor` it is the other way round: the gate proves that the questions find an imitator out.
    /// ### Why it gates
    /// Another runtime's `node` shim, a stub that always exits with 0, or a wrapper passes every check that looks at
    /// the name or the exit code only, and the tests then prove something about another program.
    /// ### Example
    /// `preset = "node"` asks for the version, for the marks of other runtimes, for the exit code of an unknown
    /// option and for the options of V8. The shim that `bun --bun run` puts on the search path fails all four.
    /// ### Configuration
    /// - `preset`: `node` or `bun` instead of `candidates`, `probe`, the patterns and `version_pattern`.
    /// - `candidates`: names on the search path, in order, required without preset.
    /// - `probe`: arguments of the question, required without preset, not empty. `env`: variables to set.
    /// - `must_match`: patterns over the lines of both output streams, at least one, required without preset.
    /// - `must_not_match`: patterns that no line may match.
    /// - `min_version`: such as `"2.30"`; with `version_pattern`, whose one group captures the version.
    /// - `tool_dirs`: folders below cargo's target directory that are searched first; a lane installs tools there.
    /// - `through`: a command that is put before the tool, such as `["bun", "--bun", "run"]`: what it starts under
    ///   this name is asked. Absence is then that of its first word.
    /// - `impostor`: a pattern that a line of the answers must match, to prove that the imitator was asked. The gate
    ///   then passes when the questions reject what was asked.
    /// - `on_absent`: `"skip"` (typed `tool_missing`), `"fail"`, or `"fail_in_ci"` (skip where `CI` is not set), required.
    /// ### Remediation
    /// - `tool_identity_mismatch`: put the real tool first on the search path; the receipt names the one that was asked.
    /// - `node_runtime_unavailable_or_shimmed`: install Node.js and put it first; run the tests without `bun --bun`.
    /// - `tool_too_old`: update it.
    /// - `tool_absent`: install it.
    /// - `impostor_accepted`: add a question that the imitator answers in another way.
    pub static TOOL_IDENTITY: "tool_identity", since = "0.1.0", config = Config, validate = validate, check = check,
        codes = CODES, teeth = TEETH;
}

const TOOL_IDENTITY_MISMATCH: Code = Code::new(
    "PC1040",
    "tool_identity_mismatch",
    "A tool does not behave as the one its name promises.",
);
pub(crate) const TOOL_TOO_OLD: Code =
    Code::new("PC1041", "tool_too_old", "A tool is older than required.");
const TOOL_ABSENT: Code =
    Code::new("PC1042", "tool_absent", "A tool that must be there is not installed.");
const NODE_UNAVAILABLE_OR_SHIMMED: Code = Code::new(
    "PC1275",
    "node_runtime_unavailable_or_shimmed",
    "What is started as `node` is not Node.js, or nothing is.",
);
const IMPOSTOR_ACCEPTED: Code = Code::new(
    "PC1276",
    "impostor_accepted",
    "An imitator of a tool answered every question as the real one does.",
);

const CODES: &[Code] = &[
    TOOL_IDENTITY_MISMATCH,
    TOOL_TOO_OLD,
    TOOL_ABSENT,
    NODE_UNAVAILABLE_OR_SHIMMED,
    IMPOSTOR_ACCEPTED,
];

/// How long a tool may think about one question.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// One `[[gate]]` table of this kind. Absence has no default: whether a tool is needed is a decision.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    preset: Option<Spanned<Preset>>,
    candidates: Option<Spanned<Vec<String>>>,
    probe: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    env: std::collections::BTreeMap<String, String>,
    must_match: Option<Spanned<Vec<Spanned<Pattern>>>>,
    #[serde(default)]
    must_not_match: Vec<Spanned<Pattern>>,
    min_version: Option<Spanned<Version>>,
    version_pattern: Option<Spanned<Pattern>>,
    #[serde(default)]
    tool_dirs: Vec<RelPath>,
    #[serde(default)]
    through: Vec<String>,
    impostor: Option<Spanned<Pattern>>,
    on_absent: OnAbsent,
}

/// What absence means.
#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnAbsent {
    Skip,
    Fail,
    FailInCi,
}

/// Refuses questions that a stub would answer.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    config.identity(table).err().unwrap_or_default()
}

/// Asks the first tool that is there, and returns how many questions were asked.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let identity = config.identity(cx.gate()).map_err(first)?;
    for name in &identity.candidates {
        let word = config.through.first().unwrap_or(name);
        let Some(tool) = cx.tool_in(&config.tool_dirs, word)? else { continue };
        let digest = cx.tool_digest(&tool)?;
        cx.note(format!("sha256 of `{word}` is {digest}"));
        let mut answers = Vec::new();
        for question in &identity.questions {
            answers.push(ask(cx, config, name, question)?);
        }
        let asked = Asked { cx, name, path: tool.path.display().to_string() };
        match &config.impostor {
            None => asked.judge(&identity, config.min_version.as_ref(), &answers, out)?,
            Some(pattern) => asked.judge_impostor(&identity, pattern, &answers, out)?,
        }
        return Ok(Examined::items(answers.len()));
    }
    absent(cx, config, &identity, out)
}

fn absent(
    cx: &GateContext<'_>,
    config: &Config,
    identity: &Identity,
    out: &mut Findings,
) -> Result<Examined, GateError> {
    let names = match config.through.first() {
        Some(word) => word.clone(),
        None => identity.candidates.join("`, `"),
    };
    let ci = cx.is_ci();
    let message = format!("none of `{names}` is on the search path");
    match config.on_absent {
        OnAbsent::FailInCi if !ci => Ok(Examined::skipped(SkipReason::ToolMissing, message)),
        OnAbsent::Skip => Ok(Examined::skipped(SkipReason::ToolMissing, message)),
        OnAbsent::Fail | OnAbsent::FailInCi => {
            let place = match &config.candidates {
                Some(candidates) => cx.locate(candidates.span().start),
                None => cx.gate().location.clone(),
            };
            out.push(Finding::new(identity.absent, &names, message, "install it").at(place));
            Ok(Examined::items(identity.candidates.len()))
        }
    }
}

fn ask(
    cx: &GateContext<'_>,
    config: &Config,
    name: &str,
    question: &Question,
) -> Result<Finished, GateError> {
    let words = config.through.iter().map(String::as_str).chain(std::iter::once(name));
    let words = words.chain(question.arguments.iter().map(String::as_str));
    let argv: Vec<String> = words.map(str::to_owned).collect();
    let mut command = cx.command(&argv).tool_dirs(&config.tool_dirs).quiet().timeout(PROBE_TIMEOUT);
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

/// The tool that was asked.
struct Asked<'a> {
    cx: &'a GateContext<'a>,
    name: &'a str,
    path: String,
}

impl Asked<'_> {
    /// Holds the answers to the patterns and the version.
    fn judge(
        &self,
        identity: &Identity,
        min_version: Option<&Spanned<Version>>,
        answers: &[Finished],
        out: &mut Findings,
    ) -> Result<(), GateError> {
        let name = self.name;
        for (question, answer) in identity.questions.iter().zip(answers) {
            let text = text_of(answer);
            let asked = question.arguments.first().map_or("", String::as_str);
            if answer.exit != Exit::Code(question.exit) {
                let message = format!(
                    "`{name}` does not exit with {} when it is asked `{asked}`",
                    question.exit
                );
                out.push(self.mismatch(identity, message, None, &text));
            }
            for (pattern, place) in &question.must_match {
                if !self.cx.watch(any_line(pattern, &text))? {
                    let message =
                        format!("no line of the answer of `{name}` matches `{}`", pattern.text());
                    out.push(self.mismatch(identity, message, *place, &text));
                }
            }
            for (pattern, place) in &question.must_not_match {
                if self.cx.watch(any_line(pattern, &text))? {
                    let message =
                        format!("a line of the answer of `{name}` matches `{}`", pattern.text());
                    out.push(self.mismatch(identity, message, *place, &text));
                }
            }
        }
        let (Some(wanted), Some(pattern)) = (min_version, &identity.version_pattern) else {
            return Ok(());
        };
        // The version stands in the answer to the first question.
        let text = answers.first().map(text_of).unwrap_or_default();
        match self.cx.watch(version_of(pattern, &text))? {
            None => {
                let message = format!("the answer of `{name}` names no version");
                out.push(self.mismatch(identity, message, None, &text));
            }
            Some(found) if found < *wanted.get_ref() => out.push(
                Finding::new(
                    TOOL_TOO_OLD,
                    name,
                    format!("`{name}` is older than required"),
                    "update it",
                )
                .at(self.cx.locate(wanted.span().start))
                .expected(format!("at least {}", wanted.get_ref()))
                .found(format!("{found} at `{}`", self.path)),
            ),
            Some(_) => {}
        }
        Ok(())
    }

    /// Holds the questions to an imitator: it must have been asked, and it must have been found out.
    fn judge_impostor(
        &self,
        identity: &Identity,
        pattern: &Spanned<Pattern>,
        answers: &[Finished],
        out: &mut Findings,
    ) -> Result<(), GateError> {
        let mut seen = false;
        for answer in answers {
            seen = seen || self.cx.watch(any_line(pattern.get_ref(), &text_of(answer)))?;
        }
        if !seen {
            // A broken imitator fails every question as well, and would prove nothing.
            let headline =
                format!("what was asked as `{}` did not show that it is the imitator", self.name);
            let fault = Fault::new(
                NOTHING_EXAMINED,
                headline,
                "correct `impostor`, or install the imitator anew",
            )
            .at(self.cx.locate(pattern.span().start))
            .found(format!("`{}`", self.path));
            return self.cx.watch(Err(fault));
        }
        let mut rejected = Findings::new(&self.cx.gate().common.id);
        self.judge(identity, None, answers, &mut rejected)?;
        for finding in rejected.kept() {
            self.cx.note(format!("rejected as it should be: {}", finding.message));
        }
        if rejected.total() == 0 {
            let message = format!("an imitator of `{}` answers every question rightly", self.name);
            let remedy = "add a question that it answers in another way";
            out.push(
                Finding::new(IMPOSTOR_ACCEPTED, self.name, message, remedy)
                    .at(self.cx.locate(pattern.span().start))
                    .found(format!("`{}`", self.path)),
            );
        }
        Ok(())
    }

    fn mismatch(
        &self,
        identity: &Identity,
        message: String,
        place: Option<usize>,
        text: &str,
    ) -> Finding {
        let shown: String = text.trim().chars().take(200).collect();
        let place = match place {
            Some(offset) => self.cx.locate(offset),
            None => self.cx.gate().location.clone(),
        };
        Finding::new(
            identity.mismatch,
            self.name,
            message,
            "put the real tool first on the search path",
        )
        .at(place)
        .found(format!("`{}` answers: {shown}", self.path))
    }
}

fn text_of(answer: &Finished) -> String {
    format!("{}\n{}", answer.stdout.text(), answer.stderr.text())
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

/// The one fault that an attempt can carry; the others were shown when the policy was read.
fn first(faults: Vec<Fault>) -> Fault {
    faults.into_iter().next().unwrap_or_else(|| {
        Fault::new(CONFIG_INVALID, "the table was refused without a reason", "report this as a bug")
    })
}

const GIT: &str = "candidates = ['git']\nprobe = ['--version']\nmust_match = ['^git version [0-9]']\non_absent = 'skip'";

static TEETH: &[Tooth] = &[
    Tooth::known_good("git_answers_as_git_does", GIT, &[]),
    Tooth::known_good(
        "a_version_that_is_new_enough",
        "candidates = ['git']\nprobe = ['--version']\nmust_match = ['^git version']\non_absent = 'skip'\n\
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
        "candidates = ['git']\nprobe = ['--version']\nmust_match = ['^git']\non_absent = 'skip'\n\
         min_version = '9999.1'\nversion_pattern = 'version ([0-9.]+)'",
        &[],
    ),
    Tooth::known_bad(
        "a_tool_that_must_be_there",
        TOOL_ABSENT,
        "candidates = ['portcullis-no-such-tool']\nprobe = ['--version']\nmust_match = ['x']\non_absent = 'fail'",
        &[],
    ),
    Tooth::known_bad(
        "fg53_another_tool_behind_the_name_of_node",
        NODE_UNAVAILABLE_OR_SHIMMED,
        "preset = 'node'\ncandidates = ['git']\non_absent = 'skip'",
        &[],
    ),
    Tooth::known_bad(
        "no_node_at_all",
        NODE_UNAVAILABLE_OR_SHIMMED,
        "preset = 'node'\ncandidates = ['portcullis-no-such-tool']\non_absent = 'fail'",
        &[],
    ),
    Tooth::known_good(
        "an_imitator_is_found_out",
        "preset = 'node'\ncandidates = ['git']\nimpostor = '^git version'\non_absent = 'skip'",
        &[],
    ),
    Tooth::known_bad(
        "an_imitator_that_answers_rightly",
        IMPOSTOR_ACCEPTED,
        "candidates = ['git']\nprobe = ['--version']\nmust_match = ['version']\nimpostor = '^git'\non_absent = 'skip'",
        &[],
    ),
    Tooth::known_bad(
        "an_imitator_that_was_not_asked",
        NOTHING_EXAMINED,
        "preset = 'node'\ncandidates = ['git']\nimpostor = '^foreign=bun'\non_absent = 'skip'",
        &[],
    ),
];

#[cfg(test)]
mod tests;
