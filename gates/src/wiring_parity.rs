//! Local entry points and CI run the same gates. It asks neither whether a failure counts nor whether the gates are the
//! right ones.

mod config;
mod teeth;

use crate::{
    admission::Admissions,
    lane::{ADMISSION_UNUSED, NOT_STATIC, OPAQUE, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING},
    nextest_profiles,
    selection::{TestCommand, Universe},
    shell::{
        argv::shown_all,
        follow::{Followed, Leaf, Mode, Place, Start, follow},
        open::Project,
        options::Options,
    },
    step_script::{self, Script, file_location, step_scripts},
    test_roster::{Resolve, Roster},
    workflow::{self, Scope},
};
use config::{Compare, Config, Entry};
use portcullis::{Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location};
use std::collections::{BTreeMap, BTreeSet};
use teeth::TEETH;

portcullis::gate_kind! {
    /// Holds local entry points and CI to the same gates.
    ///
    /// ### What it checks
    /// The local entries and the jobs are followed through recipes, aliases and scripts. Both sides select the same tests
    /// and run the same other commands that carry a verdict.
    ///
    /// ### Why it gates
    /// A gate that only CI runs surprises; one that only runs locally protects nothing.
    ///
    /// ### Example
    /// Refused: a job runs `cargo clippy` and `just ci` does not. Accepted: the same commands in another order, with
    /// `--locked` on one side.
    ///
    /// ### Configuration
    /// - `files`: globs of the workflows; default every file of `.github/workflows`.
    /// - `known_keys`: keys of the provider that are newer than this version; default none.
    /// - `local`: tables with `kind` (`just`, `make`, `alias` or `command`), `entry` (the recipe, target, alias or
    ///   command) and optionally `file`; required.
    /// - `ci`: tables with `file` and `job`, a list of ids; required.
    /// - `compare`: `selection` (the default) compares selected tests and other commands, `commands` compares commands.
    /// - `ignore`: tables with `command` (a pattern) and `reason`; default none.
    ///
    /// ### Remediation
    /// - `only_in_ci`: add the command to the local entry. `only_local`: run it in a job.
    /// - `entry_missing`: bring the recipe, target or alias back, or correct `entry`.
    /// - `entry_is_a_stub`: let the entry run something.
    /// - `not_static`, `opaque`, `script_unparsed`: write values out; use what can be looked into.
    /// - `admission_unused`: remove the entry of `ignore`.
    /// - `selector_matches_nothing`: correct the file or job that is named.
    pub static WIRING_PARITY: "wiring_parity", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const ONLY_IN_CI: Code =
    Code::new("PC1510", "only_in_ci", "CI runs a gate that the local entry points do not run.");
const ONLY_LOCAL: Code =
    Code::new("PC1511", "only_local", "A local entry point runs a gate that CI does not run.");
const ENTRY_MISSING: Code =
    Code::new("PC1512", "entry_missing", "A local entry point does not exist.");
const ENTRY_IS_A_STUB: Code = Code::new(
    "PC1513",
    "entry_is_a_stub",
    "A local entry point runs nothing but `true` or `echo`.",
);

const CODES: &[Code] = &[
    ONLY_IN_CI,
    ONLY_LOCAL,
    ENTRY_MISSING,
    ENTRY_IS_A_STUB,
    NOT_STATIC,
    OPAQUE,
    SCRIPT_UNPARSED,
    ADMISSION_UNUSED,
    SELECTOR_MATCHES_NOTHING,
];

/// What one side runs, each with a place.
type Side = BTreeMap<String, Location>;

/// Compares both sides, and returns how many gates they have together.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let scope = Scope { files: config.files.clone(), known_keys: config.known_keys.clone() };
    let workflows = workflow::load(cx, &scope, out)?;
    let reader = step_script::reader(cx);
    let project = Project::new(&reader);
    let mut universe = None;
    if config.compare == Compare::Selection {
        let profiles = nextest_profiles::read(cx, None)?;
        let Some(roster) = Roster::read(cx, Resolve::Static)? else {
            return Ok(Roster::skipped(Resolve::Static));
        };
        universe = Universe::new(cx, &roster, profiles)?;
    }
    let admissions = Admissions::new(cx, config.admissions());
    let mut judge = Judge { config, universe, admissions, out };
    let mut local = Side::new();
    for entry in &config.local {
        let at = cx.gate().location.clone();
        judge.local(entry.get_ref(), &project, &at, &mut local)?;
    }
    let mut ci = Side::new();
    for entry in &config.ci {
        for id in &entry.job {
            let found = workflows
                .iter()
                .filter(|one| entry.file == one.path.as_str() || entry.file == one.file_name())
                .find_map(|one| Some((one, one.job(id)?)));
            let Some((workflow, job)) = found else {
                let headline = format!("no job `{id}` in `{}`", entry.file);
                let fault =
                    Fault::new(SELECTOR_MATCHES_NOTHING, headline, "correct `file` or `job`");
                return cx.watch(Err(fault.at(cx.gate().location.clone())));
            };
            let (lanes, hidden) = workflow.lanes(job);
            for hidden in hidden {
                let uses = hidden.uses.as_str();
                let message = format!("the steps of `{uses}` cannot be looked into");
                let remedy = "copy the workflow into this repository";
                judge.push(OPAQUE, uses, message, remedy, hidden.uses.location());
            }
            for lane in &lanes {
                let never = |_: &[String]| false;
                for step in step_scripts(lane, None, &project, &never, Mode::Failures)? {
                    if let Script::Followed(followed) = &step.script {
                        judge.side(followed, &|place| step.location(place), &mut ci);
                    }
                }
            }
        }
    }
    Ok(Examined::items(judge.compare(&local, &ci)))
}

struct Judge<'j> {
    config: &'j Config,
    universe: Option<Universe>,
    admissions: Admissions<'j>,
    out: &'j mut Findings,
}

impl Judge<'_> {
    fn push(&mut self, code: Code, subject: &str, message: String, remedy: &str, at: Location) {
        self.out.push(Finding::new(code, subject, message, remedy).at(at));
    }

    /// Adds what a local entry point runs.
    fn local(
        &mut self,
        entry: &Entry,
        project: &Project<'_>,
        at: &Location,
        side: &mut Side,
    ) -> Result<(), Fault> {
        let (text, is_there) = entry.script(project)?;
        let name = format!("{} {}", entry.kind.name(), entry.entry);
        if !is_there {
            let message = format!("the entry point `{name}` does not exist");
            let remedy = "bring it back, or correct `entry`";
            self.push(ENTRY_MISSING, &name, message, remedy, at.clone());
            return Ok(());
        }
        let env = BTreeMap::new();
        let options = Options { errexit: true, ..Options::default() };
        let start = Start { text: &text, options, folder: "", env: &env };
        let followed = follow(&start, project, &|_: &[String]| false, Mode::Failures)?;
        let is_stub = followed.leaves.iter().all(|leaf| {
            matches!(
                leaf.argv.first().map(String::as_str),
                Some("true" | ":" | "echo" | "printf") | None
            )
        });
        if is_stub && followed.troubles.is_empty() {
            let message = format!("the entry point `{name}` runs nothing");
            self.push(ENTRY_IS_A_STUB, &name, message, "let it run the gates", at.clone());
        }
        let place = |place: &Place| match place {
            Place::File { path, line, column } => file_location(path, *line, *column),
            Place::Script(_) => at.clone(),
        };
        self.side(&followed, &place, side);
        Ok(())
    }

    /// Adds the gates among the commands of a script.
    fn side(&mut self, followed: &Followed, place: &dyn Fn(&Place) -> Location, side: &mut Side) {
        for trouble in &followed.troubles {
            let code = if trouble.is_unparsed { SCRIPT_UNPARSED } else { NOT_STATIC };
            let message = format!("a script cannot be judged: {}", trouble.why);
            let remedy = "write it so that it parses as bash, in smaller parts";
            self.push(code, &trouble.why, message, remedy, place(&trouble.place));
        }
        for leaf in followed.leaves.iter().filter(|leaf| is_gate(&leaf.argv)) {
            let ignored =
                self.config.ignore.iter().position(|one| one.get_ref().command.matches(&leaf.argv));
            if let Some(index) = ignored {
                self.admissions.cover(index);
                continue;
            }
            let at = place(&leaf.place);
            for gate in self.gates(leaf, &at) {
                side.entry(gate).or_insert_with(|| at.clone());
            }
        }
    }

    /// What a command contributes: tests that it selects, or itself.
    fn gates(&mut self, leaf: &Leaf, at: &Location) -> BTreeSet<String> {
        let itself = BTreeSet::from([format!("`{}`", normal(&leaf.argv))]);
        let Some(universe) = &self.universe else { return itself };
        let Some(command) = TestCommand::of(leaf) else { return itself };
        let selection = universe.select(&command, leaf);
        if let Some(why) = selection.unknown {
            let argv = shown_all(&leaf.argv);
            let message = format!("what `{argv}` selects is not known: {why}");
            self.push(NOT_STATIC, &argv, message, "write the values out", at.clone());
        }
        selection.tests.into_iter().map(|id| format!("test `{id}`")).collect()
    }

    /// Reports what one side lacks, and returns how many gates there are.
    fn compare(mut self, local: &Side, ci: &Side) -> usize {
        for (gate, at) in ci.iter().filter(|(gate, _)| !local.contains_key(*gate)) {
            let message = format!("CI runs {gate}, the local entry points do not");
            self.push(ONLY_IN_CI, gate, message, "add it to the local entry point", at.clone());
        }
        for (gate, at) in local.iter().filter(|(gate, _)| !ci.contains_key(*gate)) {
            let message = format!("a local entry point runs {gate}, CI does not");
            self.push(ONLY_LOCAL, gate, message, "run it in a job, or remove it", at.clone());
        }
        self.admissions.report(self.out);
        local.keys().chain(ci.keys()).collect::<BTreeSet<_>>().len()
    }
}

/// Whether the exit code of a command carries a verdict.
fn is_gate(argv: &[String]) -> bool {
    let own = argv.split(|word| word == "--").next().unwrap_or(argv);
    let verb = own.iter().skip(1).find(|word| !word.starts_with(['-', '+'])).map(String::as_str);
    let asks = own.iter().any(|word| matches!(word.as_str(), "--version" | "-V" | "--help"));
    let program = argv.first().map(String::as_str);
    match program {
        Some("cargo") => !asks && !matches!(verb, Some("install" | "fetch" | "binstall") | None),
        Some("cargo-nextest" | "just" | "make") => !asks,
        Some(_) | None => false,
    }
}

/// Flags that change neither what is selected nor what is judged.
const NEUTRAL: &[&str] = &[
    "--locked",
    "--offline",
    "--frozen",
    "-q",
    "--quiet",
    "-v",
    "-vv",
    "--verbose",
    "--no-fail-fast",
    "--keep-going",
    "--nocapture",
    "--no-capture",
];

/// A command without flags that say nothing, its other words before `--` in order of the alphabet.
fn normal(argv: &[String]) -> String {
    let split = argv.iter().position(|word| word == "--").unwrap_or(argv.len());
    let (own, rest) = argv.split_at_checked(split).unwrap_or((argv, &[]));
    let n_head = own.iter().take_while(|word| !word.starts_with('-')).count();
    let (head, flags) = own.split_at_checked(n_head).unwrap_or((own, &[]));
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for word in flags
        .iter()
        .filter(|word| !NEUTRAL.contains(&word.as_str()) && !word.starts_with("--color"))
    {
        match groups.last_mut() {
            Some(group) if !word.starts_with('-') => group.push(word),
            _ => groups.push(word.splitn(2, '=').collect()),
        }
    }
    groups.sort();
    let flags = groups.iter().flatten().copied();
    let head = head.iter().map(String::as_str);
    let rest = rest.iter().map(String::as_str).filter(|word| !NEUTRAL.contains(word));
    let words: Vec<String> = head.chain(flags).chain(rest).map(str::to_owned).collect();
    shown_all(&words)
}

#[cfg(test)]
mod tests;
