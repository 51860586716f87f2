//! Which benches a CI lane runs: every `cargo bench` that its scripts reach, whatever stands in front of it.

use super::{BENCH_NOT_RUN_BY_LANE, BENCH_RUN_BY_WRONG_LANE, RunIn};
use crate::{
    lane::{NOT_STATIC, OPAQUE as OPAQUE_LANE, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING},
    shell::{
        argv::{OPAQUE, shown_all},
        follow::Mode,
        open::Project,
    },
    workflow::{
        self, Place, Scope, StepView, Workflow,
        expression::Scene,
        script::{self, NoScript, Script},
    },
};
use portcullis::{Fault, Finding, Findings, GateContext, GateError, Globs};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};
use toml::Spanned;

/// Options of `cargo bench` that take a value as their next word.
const WITH_VALUE: &[&str] = &[
    "-p",
    "--package",
    "--exclude",
    "--bin",
    "--example",
    "--test",
    "-j",
    "--jobs",
    "-F",
    "--features",
    "--target",
    "--target-dir",
    "--manifest-path",
    "--profile",
    "--message-format",
    "--color",
    "--config",
    "-Z",
    "--lockfile-path",
    "-C",
];

/// Judges every lane; returns how many commands and benches were looked at.
pub(super) fn judge(
    cx: &GateContext<'_>,
    scope: &Scope,
    run_in: &[Spanned<RunIn>],
    benches: &BTreeSet<&str>,
    out: &mut Findings,
) -> Result<usize, GateError> {
    let workflows = workflow::load(cx, scope, out)?;
    let reader = |path: &str| script::read(cx, path);
    let project = Project::new(&reader);
    let mut examined = 0;
    for wanted in run_in {
        let (workflow, job) = cx.watch(select(cx, wanted, &workflows))?;
        let mut ran: BTreeMap<String, Place> = BTreeMap::new();
        let (lanes, hidden) = workflow.lanes(job);
        if let Some(hidden) = hidden.first() {
            let what = format!("`{}` is elsewhere", hidden.uses.as_str());
            return cx.watch(Err(unknown(OPAQUE_LANE, &job.place, &what)));
        }
        for view in lanes.iter().flat_map(workflow::Lane::steps) {
            examined += step(cx, &view, &project, benches, &mut ran)?;
        }
        let wanted = wanted.get_ref();
        for name in wanted.targets.iter().filter(|name| !ran.contains_key(*name)) {
            out.push(
                Finding::new(
                    BENCH_NOT_RUN_BY_LANE,
                    format!("{}: {name}", job.id),
                    format!("the job `{}` does not run the bench `{name}`", job.id),
                    format!("add `--bench {name}` to its `cargo bench`"),
                )
                .at(job.place.location()),
            );
        }
        for (name, place) in ran.iter().filter(|(name, _)| !wanted.targets.contains(name)) {
            out.push(
                Finding::new(
                    BENCH_RUN_BY_WRONG_LANE,
                    format!("{}: {name}", job.id),
                    format!("the job `{}` runs the bench `{name}`, which is not its own", job.id),
                    "take it out of this lane, or name it in `run_in`",
                )
                .at(place.location())
                .expected(wanted.targets.join(", ")),
            );
        }
        examined += wanted.targets.len();
    }
    Ok(examined)
}

fn select<'w>(
    cx: &GateContext<'_>,
    wanted: &Spanned<RunIn>,
    workflows: &'w [Rc<Workflow>],
) -> Result<(&'w Workflow, &'w workflow::Job), Fault> {
    let at = cx.locate(wanted.span().start);
    let wanted = wanted.get_ref();
    let nothing = |headline: String| {
        Fault::new(SELECTOR_MATCHES_NOTHING, headline, "correct the name").at(at.clone())
    };
    let named = |workflow: &&Rc<Workflow>| {
        workflow.file_name() == wanted.file || workflow.path.as_str() == wanted.file
    };
    let workflow = workflows
        .iter()
        .find(named)
        .ok_or_else(|| nothing(format!("there is no workflow `{}`", wanted.file)))?;
    let job = workflow.jobs.iter().find(|job| job.id == wanted.job);
    let job =
        job.ok_or_else(|| nothing(format!("`{}` has no job `{}`", wanted.file, wanted.job)))?;
    Ok((workflow, job))
}

fn unknown(code: portcullis::Code, place: &Place, what: &str) -> Fault {
    let headline = format!("it is not known which benches run here: {what}");
    Fault::new(
        code,
        headline,
        "name the bench targets plainly, in a script that a POSIX shell reads",
    )
    .at(place.location())
}

/// Adds the benches that a step runs, and returns how many commands it has.
fn step(
    cx: &GateContext<'_>,
    view: &StepView<'_>,
    project: &Project<'_>,
    benches: &BTreeSet<&str>,
    ran: &mut BTreeMap<String, Place>,
) -> Result<usize, GateError> {
    let place = &view.step.place;
    let combinations = match view.lane.combinations() {
        Ok(combinations) => combinations,
        Err(unknown_axis) => {
            let what = "the matrix is made at run time";
            return cx.watch(Err(unknown(NOT_STATIC, &unknown_axis.place, what)));
        }
    };
    let mut scenes: Vec<Scene> =
        combinations.iter().map(|combination| Scene::default().with_matrix(combination)).collect();
    if scenes.is_empty() {
        scenes.push(Scene::default());
    }
    let mut examined = 0;
    for scene in scenes {
        let script = match Script::of(view, &scene) {
            Ok(script) => script,
            Err(NoScript::Action) => return Ok(0),
            Err(NoScript::Opaque(name)) => {
                let what = format!("a script of `{name}`");
                return cx.watch(Err(unknown(OPAQUE_LANE, place, &what)));
            }
        };
        let followed = cx.watch(script.follow(project, Mode::Failures))?;
        if let Some(trouble) = followed.troubles.first() {
            let code = if trouble.is_unparsed { SCRIPT_UNPARSED } else { OPAQUE_LANE };
            let place = script::place(view, &trouble.place);
            return cx.watch(Err(unknown(code, &place, &trouble.why)));
        }
        for leaf in &followed.leaves {
            examined += 1;
            let place = script::place(view, &leaf.place);
            match benches_of(&leaf.argv, benches) {
                Ok(names) => {
                    for name in names {
                        ran.entry(name).or_insert_with(|| place.clone());
                    }
                }
                Err(NotKnown) => {
                    let what = format!("`{}`", shown_all(&leaf.argv));
                    return cx.watch(Err(unknown(NOT_STATIC, &place, &what)));
                }
            }
        }
    }
    Ok(examined)
}

/// A word of the command is known at run time only.
#[derive(Debug)]
pub(super) struct NotKnown;

/// The benches that one command runs.
pub(super) fn benches_of(
    argv: &[String],
    benches: &BTreeSet<&str>,
) -> Result<Vec<String>, NotKnown> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    if let Some(measured) = measured(&words, benches) {
        return measured;
    }
    let rest = match words.as_slice() {
        [cargo, rest @ ..] if *cargo == "cargo" || cargo.ends_with("/cargo") => rest,
        _ => return Ok(Vec::new()),
    };
    let mut rest = rest.iter().copied();
    // Options of cargo itself stand before the subcommand.
    let subcommand = loop {
        match rest.next() {
            Some("--config" | "--color" | "-C" | "-Z") => drop(rest.next()),
            Some(word) if word.starts_with(['-', '+']) => {}
            other => break other,
        }
    };
    if !matches!(subcommand, Some("bench" | "criterion")) {
        return Ok(Vec::new());
    }
    let (mut named, mut others, mut all) = (Vec::new(), false, false);
    while let Some(word) = rest.next() {
        let (option, joined) = match word.split_once('=').filter(|_| word.starts_with("--")) {
            Some((option, value)) => (option, Some(value)),
            None => (word, None),
        };
        match option {
            "--" => break,
            "--no-run" | "--help" | "-h" | "--list" => return Ok(Vec::new()),
            "--bench" => named.push(joined.or_else(|| rest.next()).unwrap_or_default()),
            "--benches" | "--all-targets" => all = true,
            "--lib" | "--bins" | "--examples" | "--tests" => others = true,
            "--bin" | "--example" | "--test" => {
                others = true;
                if joined.is_none() {
                    rest.next();
                }
            }
            _ if joined.is_none() && WITH_VALUE.contains(&option) => drop(rest.next()),
            _ if option.contains(OPAQUE) => return Err(NotKnown),
            _ => {}
        }
    }
    if named.iter().any(|name| name.contains(OPAQUE)) {
        return Err(NotKnown);
    }
    let mut ran: BTreeSet<String> = BTreeSet::new();
    if all || (named.is_empty() && !others) {
        ran.extend(benches.iter().map(|name| (*name).to_owned()));
    }
    for name in named {
        // cargo takes a glob here.
        match Globs::new(&[name]) {
            Ok(globs) if name.contains(['*', '?', '[']) => {
                ran.extend(
                    benches.iter().filter(|bench| globs.matches(bench)).map(|b| (*b).to_owned()),
                );
            }
            Ok(_) | Err(_) => {
                ran.insert(name.to_owned());
            }
        }
    }
    Ok(ran.into_iter().collect())
}

/// The bench of `canary measure <id>`, however the program is started; nothing where the command does not measure.
///
/// A canary's run is the bench of its name, so whoever measures one runs the other.
fn measured(words: &[&str], benches: &BTreeSet<&str>) -> Option<Result<Vec<String>, NotKnown>> {
    let program = words.first()?.rsplit(['/', '\\']).next()?;
    if !matches!(program.strip_suffix(".exe").unwrap_or(program), "cargo" | "cargo-portcullis") {
        return None;
    }
    let at = words.windows(2).position(|pair| pair == ["canary", "measure"])?;
    let mut rest = words.iter().skip(at + 2);
    let id = loop {
        match rest.next() {
            Some(&("--base-ref" | "--pairs" | "--runs" | "--format")) => drop(rest.next()),
            Some(word) if word.starts_with('-') => {}
            other => break other,
        }
    };
    Some(match id {
        // Without an id the command ends with a usage error, and measures nothing.
        None => Ok(Vec::new()),
        Some(id) if id.contains(OPAQUE) => Err(NotKnown),
        // A canary with a program of its own runs no bench.
        Some(id) => {
            Ok(benches.iter().filter(|name| *name == id).map(|n| (*n).to_owned()).collect())
        }
    })
}
