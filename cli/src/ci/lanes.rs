//! `[ci]` of the policy: the lanes and pins of generated workflows. It renders nothing.

use super::{
    pins::{PORTCULLIS, PinTable, Pins},
    roster::Roster,
};
use portcullis::{
    Fault,
    kernel::policy::{Policy, Section},
    wire::code::CI_LANE_INVALID,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// The lanes that the generator itself brings.
pub(crate) const RESERVED: [&str; 5] = ["aggregate", "archive", "fence", "gates", "shard"];
/// The first lane: every other waits for it.
pub(crate) const FENCE: &str = "fence";
/// The lane that measures.
pub(crate) const BENCH: &str = "bench";
/// The provider stops every job after six hours.
const TIMEOUT_MAX: u32 = 360;
const STABLE: &str = "stable";

/// `[ci]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    default_branch: Option<Spanned<String>>,
    prepare: Option<Spanned<Vec<Vec<String>>>>,
    #[serde(default)]
    job: Vec<JobTable>,
    #[serde(default)]
    pins: BTreeMap<String, Spanned<PinTable>>,
}

/// `[[ci.job]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobTable {
    id: Spanned<String>,
    run: Vec<Vec<String>>,
    timeout_minutes: u32,
    toolchains: Option<Vec<String>>,
    needs: Option<Vec<String>>,
    #[serde(default)]
    serial: bool,
    #[serde(default)]
    tools: Vec<String>,
}

/// A lane of the pull request workflow.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    /// The id of its job.
    pub(crate) id: String,
    /// What it runs: words, never a script.
    pub(crate) run: Vec<Vec<String>>,
    pub(crate) timeout_minutes: u32,
    /// Resolved toolchains, at least one.
    pub(crate) toolchains: Vec<String>,
    pub(crate) needs: Vec<String>,
    pub(crate) serial: bool,
    pub(crate) tools: Vec<String>,
}

/// Everything that is configured.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    pub(crate) lanes: Vec<Lane>,
    pub(crate) pins: Pins,
    pub(crate) default_branch: String,
    /// What runs before tests and gates where the generator itself runs them.
    pub(crate) prepare: Vec<Vec<String>>,
}

impl Lanes {
    /// Reads the lanes of a policy; where it states none, those that follow from gates and targets.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with its line.
    pub(crate) fn read(policy: &Policy, roster: &Roster) -> Result<Self, Vec<Fault>> {
        let section = policy.ci.as_ref();
        let table = match section {
            Some(section) => section.config::<Table>().map_err(|fault| vec![fault])?,
            None => Table::default(),
        };
        let pins = Pins::read(&table.pins, section)?;
        let mut reader = Reader { roster, pins: &pins, section, faults: Vec::new() };
        let branch = table.default_branch.as_ref();
        if let Some(branch) = branch.filter(|branch| !is_branch(branch.get_ref())) {
            let headline =
                format!("`{}` is not the name of a branch", branch.get_ref().escape_debug());
            reader.fault(branch.span().start, headline, "name the default branch, such as `main`");
        }
        if let Some(prepare) = &table.prepare {
            reader.commands(prepare.get_ref(), prepare.span().start, "`prepare`");
        }
        let lanes: Vec<Lane> = if table.job.is_empty() {
            roster.default_lanes()
        } else {
            let mut ids: BTreeSet<&str> = BTreeSet::from([FENCE]);
            // The rules that hold the lanes are named after them, in snake case.
            let mut rules: BTreeMap<String, &str> = BTreeMap::new();
            for job in &table.job {
                let id = job.id.get_ref().as_str();
                let other = rules.insert(rule_id(id), id).filter(|other| *other != id);
                if let Some(other) = other {
                    let headline = format!(
                        "the lanes `{}` and `{}` differ in `-` and `_` alone",
                        other.escape_debug(),
                        id.escape_debug()
                    );
                    reader.fault(job.id.span().start, headline, "rename one of the two");
                }
                if !ids.insert(job.id.get_ref()) {
                    let headline =
                        format!("two lanes are called `{}`", job.id.get_ref().escape_debug());
                    reader.fault(job.id.span().start, headline, "rename one of the two");
                }
            }
            table.job.iter().map(|job| reader.lane(job, &ids)).collect()
        };
        if reader.faults.is_empty()
            && let Some(cycle) = cycle(&lanes)
        {
            let at = table.job.iter().find(|job| *job.id.get_ref() == cycle);
            let headline = format!("lane `{cycle}` waits for itself");
            let start = at.map_or(0, |job| job.id.span().start);
            reader.fault(start, headline, "take one of the `needs` out of the circle");
        }
        if !reader.faults.is_empty() {
            return Err(reader.faults);
        }
        let default_branch =
            branch.map_or_else(|| "main".to_owned(), |name| name.get_ref().clone());
        let prepare = table.prepare.map(Spanned::into_inner).unwrap_or_default();
        Ok(Self { lanes, pins, default_branch, prepare })
    }
}

struct Reader<'a> {
    roster: &'a Roster,
    pins: &'a Pins,
    section: Option<&'a Section>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, offset: usize, headline: String, remedy: &str) {
        let fault = Fault::new(CI_LANE_INVALID, headline, remedy);
        self.faults.push(match self.section {
            Some(section) => fault.at(section.locate(offset)),
            None => fault,
        });
    }

    fn lane(&mut self, job: &JobTable, ids: &BTreeSet<&str>) -> Lane {
        let (id, start) = (job.id.get_ref().clone(), job.id.span().start);
        let shown = id.escape_debug().to_string();
        if RESERVED.contains(&id.as_str()) {
            let headline = format!("the generator itself makes the lane `{shown}`");
            self.fault(start, headline, "choose another id");
        }
        if !is_id(&id) {
            let headline = format!("`{shown}` is not the id of a job");
            self.fault(start, headline, "use letters, digits, `_` and `-`, a letter or `_` first");
        }
        self.commands(&job.run, start, &format!("lane `{shown}`"));
        if !(1..=TIMEOUT_MAX).contains(&job.timeout_minutes) {
            let headline = format!("lane `{shown}` may take {} minutes", job.timeout_minutes);
            self.fault(start, headline, "state 1 to 360 minutes");
        }
        for need in job.needs.iter().flatten().filter(|need| !ids.contains(need.as_str())) {
            let headline =
                format!("lane `{shown}` needs `{}`, which is no lane", need.escape_debug());
            self.fault(start, headline, "correct the name");
        }
        for tool in job.tools.iter().filter(|tool| !self.pins.has_tool(tool)) {
            let headline = format!(
                "lane `{shown}` needs the tool `{}`, which has no version",
                tool.escape_debug()
            );
            self.fault(start, headline, "state its exact version in `[ci.pins]`");
        }
        let toolchains = self.toolchains(job, &shown);
        let mut tools = job.tools.clone();
        let calls = |argv: &Vec<String>| argv.first().is_some_and(|program| program == PORTCULLIS);
        let measures = id == BENCH && !self.roster.advisory.is_empty();
        if (measures || job.run.iter().any(calls)) && !tools.iter().any(|tool| tool == PORTCULLIS) {
            tools.push(PORTCULLIS.to_owned());
        }
        Lane {
            id,
            run: job.run.clone(),
            timeout_minutes: job.timeout_minutes,
            toolchains,
            needs: job.needs.clone().unwrap_or_else(|| vec![FENCE.to_owned()]),
            serial: job.serial,
            tools,
        }
    }

    /// Commands are words that can be written into a script as they are.
    fn commands(&mut self, commands: &[Vec<String>], start: usize, who: &str) {
        let empty = |argv: &Vec<String>| argv.first().is_none_or(String::is_empty);
        if commands.is_empty() || commands.iter().any(empty) {
            let remedy = "write each command as a list of words: `[[\"cargo\", \"test\"]]`";
            self.fault(start, format!("{who} runs nothing"), remedy);
        }
        if let Some(word) = commands.iter().flatten().find(|word| !is_word(word)) {
            let headline =
                format!("{who}: `{}` cannot be written into a script", word.escape_debug());
            let remedy = "write words without control characters and without `${{`";
            self.fault(start, headline, remedy);
        }
    }

    fn toolchains(&mut self, job: &JobTable, shown: &str) -> Vec<String> {
        let start = job.id.span().start;
        let stated = job.toolchains.clone().unwrap_or_else(|| vec![STABLE.to_owned()]);
        let mut toolchains: Vec<String> = Vec::new();
        for name in stated {
            let name = if name == "@rust-version" {
                let Some(version) = self.roster.rust_version.clone() else {
                    let headline = format!(
                        "lane `{shown}` asks for `@rust-version`, and the root manifest has none"
                    );
                    self.fault(
                        start,
                        headline,
                        "state `rust-version` in the root `Cargo.toml`, or name the toolchain",
                    );
                    continue;
                };
                version
            } else {
                name
            };
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
            if name.is_empty() || name.starts_with('-') || !name.bytes().all(plain) {
                let headline = format!("lane `{shown}`: `{}` is no toolchain", name.escape_debug());
                self.fault(
                    start,
                    headline,
                    "name a toolchain of rustup, such as `stable` or `1.89`",
                );
            }
            if !toolchains.contains(&name) {
                toolchains.push(name);
            }
        }
        if toolchains.is_empty() {
            let headline = format!("lane `{shown}` has no toolchain");
            self.fault(start, headline, "name at least one, or leave `toolchains` out");
        }
        toolchains
    }
}

/// The id of the rule that holds a lane.
pub(crate) fn rule_id(lane: &str) -> String {
    format!("lane_{}", lane.replace('-', "_"))
}

/// Whether the provider takes it for the id of a job.
fn is_id(id: &str) -> bool {
    id.len() <= 100
        && id.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// A word that stays one word: the provider replaces `${{` even within quotes, and a line break would end the line.
fn is_word(word: &str) -> bool {
    !word.contains("${{") && !word.chars().any(char::is_control) && word.len() <= 8 * 1024
}

fn is_branch(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(['-', '/'])
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/'))
}

/// A lane that waits for itself.
fn cycle(lanes: &[Lane]) -> Option<String> {
    let mut ready: BTreeSet<&str> = BTreeSet::from([FENCE]);
    loop {
        let before = ready.len();
        for lane in lanes {
            if lane.needs.iter().all(|need| ready.contains(need.as_str())) {
                ready.insert(&lane.id);
            }
        }
        if ready.len() == before {
            break;
        }
    }
    lanes.iter().find(|lane| !ready.contains(lane.id.as_str())).map(|lane| lane.id.clone())
}
