//! Tools that tests need: absent ones are loud, and a lane that may not skip does not. It installs nothing.

use crate::{
    artifact::refuse,
    lane::SKIPS_OVER_BUDGET,
    tool_identity::{TOOL_TOO_OLD, version::Version},
};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, Lane, RelPath,
    Tooth,
    evidence::{lines::TornTail, process::Exit},
    runner::tool_skip::{reason, skip_file},
    wire::code::{CONFIG_INVALID, PATH_REFUSED, TOOL_MISSING},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use toml::Spanned;

portcullis::gate_kind! {
    /// Makes absent tools loud, and keeps lanes that need them from going on without.
    ///
    /// ### What it checks
    /// Each tool is looked up on the search path and asked for its version; the receipt has one line for each, in
    /// order: `found: <name> <version>` or `MISSING: <name>`. Tests ask with `portcullis::requires_tool!("tmux")`, which
    /// skips them with the typed reason `tool_missing`, warns once per run and tool, and counts the test. The tests that
    /// this run skipped for a tool stay within the budget of the lane.
    ///
    /// ### Why it gates
    /// A test that returns early without its tool is green. Nobody sees that the lane has tested less since the image
    /// of its machine was renewed.
    ///
    /// ### Example
    /// With `tool = [{ name = "tmux", must_not_skip = ["main"] }]`, refused on `main`: a machine without tmux. On `pr`
    /// the same machine gives a warning, `tmux not on PATH — SKIPPED LOUD`.
    ///
    /// ### Configuration
    /// - `tool`: tables with `name`; `probe` (default the name and `--version`); `version`, a requirement such as
    ///   `">=3.2"`; `on_missing` (`skip_loud`, the default, or `fail`); `must_not_skip`, lanes or jobs of the provider
    ///   in which absence fails whatever `on_missing` says.
    /// - `skip_budget`: how many tests may be skipped for want of these tools, by lane; 0 where a lane is not named.
    ///
    /// ### Remediation
    /// - `tool_missing`: install the tool in the image or in a step of the lane.
    /// - `tool_too_old`: update it.
    /// - `skips_over_budget`: install the tool, or raise the budget of this lane in a change of its own.
    /// - `probe_failed`: state a `probe` that prints the version and exits with 0.
    pub static TOOL_REQUIREMENT: "tool_requirement", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = &[TOOL_MISSING, TOOL_TOO_OLD, SKIPS_OVER_BUDGET, PROBE_FAILED], teeth = TEETH;
}

const PROBE_FAILED: Code =
    Code::new("PC1585", "probe_failed", "A tool is there and does not say its version.");

/// How long a tool may think about its version.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    tool: Vec<Spanned<Requirement>>,
    #[serde(default)]
    skip_budget: BTreeMap<Spanned<String>, u64>,
}

/// One tool.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    name: String,
    probe: Option<Vec<String>>,
    version: Option<semver::VersionReq>,
    #[serde(default)]
    on_missing: OnMissing,
    #[serde(default)]
    must_not_skip: Vec<String>,
}

/// What absence means where a lane does not say.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnMissing {
    #[default]
    SkipLoud,
    Fail,
}

impl Requirement {
    fn probe(&self) -> Vec<String> {
        self.probe.clone().unwrap_or_else(|| vec![self.name.clone(), "--version".to_owned()])
    }

    /// Whether absence fails here.
    fn is_needed(&self, cx: &GateContext<'_>) -> bool {
        let job = cx.env("GITHUB_JOB");
        let here = |name: &String| name == cx.lane().name() || Some(name.as_str()) == job;
        self.on_missing == OnMissing::Fail || self.must_not_skip.iter().any(here)
    }
}

/// Refuses lists without a tool, names twice, probes of another program and budgets of no lane.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    if config.tool.is_empty() {
        faults.push(refuse(table, "`tool` names no tool", "name at least one"));
    }
    let mut names = BTreeSet::new();
    for tool in &config.tool {
        let at = table.locate(tool.span().start);
        let tool = tool.get_ref();
        let is_plain = !tool.name.is_empty() && !tool.name.contains(['/', '\\']);
        if !is_plain || !names.insert(&tool.name) {
            let headline = format!("`{}` is named twice, or is no name of a tool", tool.name);
            let remedy = "write the name as it stands on the search path, once";
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at.clone()));
        }
        if tool.probe().first() != Some(&tool.name) {
            let headline = format!("the probe of `{}` asks another program", tool.name);
            let remedy = "begin the probe with the name of the tool";
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at));
        }
    }
    for lane in config.skip_budget.keys() {
        if Lane::parse(lane.get_ref()).is_none() {
            let headline = format!("`{}` is no lane", lane.get_ref());
            let remedy = "write `local`, `pr`, `main` or `release`";
            let at = table.locate(lane.span().start);
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at));
        }
    }
    faults
}

/// Looks for every tool and counts what was skipped; returns how many tools were looked for.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let mut preflight = String::new();
    for tool in &config.tool {
        let line = judge(cx, tool, out)?;
        cx.note(&line);
        preflight.push_str(&line);
        preflight.push('\n');
    }
    cx.artifact("tool_preflight.txt", preflight.as_bytes())?;
    skips(cx, config, out)?;
    Ok(Examined::items(config.tool.len()))
}

/// Judges one tool, and returns its line of the preflight.
fn judge(
    cx: &GateContext<'_>,
    tool: &Spanned<Requirement>,
    out: &mut Findings,
) -> Result<String, GateError> {
    let at = cx.locate(tool.span().start);
    let tool = tool.get_ref();
    let name = &tool.name;
    if cx.tool(name)?.is_none() {
        let remedy = format!("install `{name}` in the image or in a step of this lane");
        let finding = Finding::new(TOOL_MISSING, name, reason(name), remedy).at(at);
        out.push(if tool.is_needed(cx) { finding } else { finding.advisory() });
        return Ok(format!("MISSING: {name}"));
    }
    let finished = cx.command(&tool.probe()).timeout(PROBE_TIMEOUT).run()?;
    let said = format!("{}\n{}", finished.stdout.text(), finished.stderr.text());
    let version = said.lines().find_map(version_in);
    let failed = |why: &str| {
        let headline = format!("`{name}` is there and does not say its version: {why}");
        let shown = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
        Fault::new(
            PROBE_FAILED,
            headline,
            "state a `probe` that prints the version and exits with 0",
        )
        .at(at.clone())
        .found(shown.to_owned())
    };
    if finished.timed_out || finished.exit != Exit::Code(0) {
        return cx.watch(Err(failed("the probe failed")));
    }
    let Some(version) = version else {
        return cx.watch(Err(failed("no number stands in its answer")));
    };
    if let Some(wanted) = &tool.version
        && !wanted.matches(&version)
    {
        let message = format!("`{name}` {version} is not the version that is needed");
        out.push(
            Finding::new(TOOL_TOO_OLD, name, message, format!("install {name} {wanted}"))
                .at(at)
                .expected(wanted.to_string())
                .found(version.to_string()),
        );
    }
    Ok(format!("found: {name} {version}"))
}

/// The first version in a line, as three numbers: `git version 2.47.3`, `tmux 3.4`, `jq-1.7.1`, `v20.1.0`.
fn version_in(line: &str) -> Option<semver::Version> {
    let words =
        line.split(|c: char| c.is_whitespace() || matches!(c, '-' | '(' | ')' | ',' | '/' | '@'));
    let number = |word: &str| {
        let word = word.strip_prefix('v').unwrap_or(word);
        let numbers = word.contains('.').then(|| Version::parse(word)).flatten()?;
        let shown = numbers.to_string();
        let mut parts = shown.split('.').map(str::parse::<u64>);
        let mut next = || parts.next().and_then(Result::ok).unwrap_or(0);
        Some(semver::Version::new(next(), next(), next()))
    };
    words.into_iter().find_map(number)
}

/// Counts the tests of this run that were skipped for want of a tool.
fn skips(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<(), GateError> {
    if !cx.has_run_folder()? {
        return Ok(());
    }
    let mut skipped = 0u64;
    for tool in &config.tool {
        let path = RelPath::parse(&skip_file(&tool.get_ref().name))
            .map_err(|source| Fault::new(PATH_REFUSED, source.to_string(), "rename the tool"));
        let file = cx.run_file(&cx.watch(path)?)?;
        if file.exists()? {
            file.each_line(TornTail::Refuse, |_number, _test| {
                skipped = skipped.saturating_add(1);
                Ok(())
            })?;
        }
    }
    let lane = cx.lane().name();
    let named = config.skip_budget.iter().find(|(name, _)| name.get_ref() == lane);
    let budget = named.map_or(0, |(_, budget)| *budget);
    if skipped > budget {
        let message = format!("{skipped} tests of this run were skipped for want of a tool");
        let remedy = "install the tool, or raise the budget of this lane in a change of its own";
        out.push(
            Finding::new(SKIPS_OVER_BUDGET, lane, message, remedy)
                .expected(format!("at most {budget} in the lane `{lane}`")),
        );
    }
    Ok(())
}

static TEETH: &[Tooth] = &[
    // git makes the tree of this tooth, so it is there.
    Tooth::known_good("a_tool_that_is_there", "tool = [{ name = 'git', version = '>=2.0' }]", &[])
        .in_git(),
    Tooth::known_bad(
        "a_lane_that_may_not_skip_and_would",
        TOOL_MISSING,
        "tool = [{ name = 'portcullis-no-such-tool', must_not_skip = ['main'] }]",
        &[],
    ),
    Tooth::known_bad(
        "a_tool_of_another_age",
        TOOL_TOO_OLD,
        "tool = [{ name = 'git', version = '>=1000' }]",
        &[],
    )
    .in_git(),
    Tooth::known_bad(
        "a_tool_that_does_not_answer",
        PROBE_FAILED,
        "tool = [{ name = 'git', probe = ['git', 'no-such-question'] }]",
        &[],
    )
    .in_git(),
    Tooth::known_bad(
        "a_test_was_skipped",
        SKIPS_OVER_BUDGET,
        "tool = [{ name = 'portcullis-no-such-tool' }]",
        &[("target/portcullis/runs/bench/skips/portcullis-no-such-tool.log", "acme::tests:7\n")],
    ),
];

#[cfg(test)]
mod tests;
