//! `replay`: runs recorded failures again, without a shell, and says whether they came back. It changes no run.

use crate::{
    args::{CargoFlags, Replay as Arguments},
    engine::{
        cargo_test::Cargo,
        child::{self, Cut, Ended},
        doctest,
    },
    exit::{Exit, OrExit, Refused},
    history::Earlier,
    interrupt, locate,
    replays::{self, Rung},
    repository::Repository,
    transport::Transport,
};
use portcullis::{
    Fault,
    evidence::{git::Git, process, tool},
    kernel::{policy::profile::Kind, replay::Replay},
    report::human::count,
    wire::code::{REPLAY_SELECTS_WRONG_COUNT, TOOL_MISSING},
};
use serde::Serialize;
use serde_json::json;

const SCHEMA: &str = "portcullis.replay.v1";
/// How long building, listing and running one failure may take together.
const LIMIT_MS: u64 = 3_600_000;
const SHOWN_LINES: usize = 40;

/// What came of one replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Came {
    /// It was only printed.
    Printed,
    /// It failed again.
    Reproduced,
    /// It passed, and nothing that is known differs.
    NotReproduced,
    /// It passed, where something differs from the run.
    EnvironmentDiffers,
}

/// Runs `replay`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    interrupt::listen();
    let repository = Repository::discover()?;
    let dir = locate::run(&arguments.run, Some(&repository))?;
    let earlier = Earlier::read(&dir).or_exit(Exit::Nothing)?;
    let rungs = chosen(&earlier, arguments)?;
    let cargo = Cargo::find(&repository, CargoFlags::default())?;
    let differences = differences(&repository, &earlier)?;
    let mut exit = Exit::Pass;
    let mut rows = Vec::new();
    for rung in rungs {
        // An edited record must not be able to say what is run, or how.
        let replay = rung.targeted.clone().checked().or_exit(Exit::Nothing)?;
        let resolved = resolve(&repository, &cargo, &replay, rung, out)?;
        let steps = replays::ladder(earlier.run_id.as_str(), rung);
        let came = if arguments.ladder {
            resolve_suite(&repository, &cargo, rung, out)?;
            out.text(&format!("{} {}", rung.suite, rung.test));
            for step in &steps {
                out.text(&format!("  {:<10}  {}", step.rung, step.command));
            }
            Came::Printed
        } else if arguments.print {
            out.text(&replay.render());
            Came::Printed
        } else {
            again(&repository, &cargo, (&replay, rung), &differences, arguments.debug, out)?
        };
        exit = exit.worse(match (came, rung.kind) {
            (Came::Printed | Came::NotReproduced, _) => Exit::Pass,
            (Came::EnvironmentDiffers, _) => Exit::Nothing,
            (Came::Reproduced, Kind::Gate) => Exit::Blocked,
            (Came::Reproduced, Kind::Unit | Kind::Vcr | Kind::E2e | Kind::Doc) => Exit::TestsFailed,
        });
        rows.push(json!({
            "suite": rung.suite,
            "test": rung.test,
            "command": replay.render(),
            "ladder": steps,
            "resolved": resolved,
            "came": came,
        }));
    }
    out.document(&json!({
        "schema": SCHEMA,
        "run_id": earlier.run_id,
        "replays": rows,
        "differences": differences,
        "exit": exit.code(),
    }));
    Ok(exit)
}

/// The failures that were asked for; all of them where none is named.
fn chosen<'a>(earlier: &'a Earlier, arguments: &Arguments) -> Result<Vec<&'a Rung>, Refused> {
    let wanted = |rung: &&Rung| {
        let suite = arguments.suite.as_ref().is_none_or(|suite| *suite == rung.suite);
        let test = arguments.test.as_ref().is_none_or(|test| *test == rung.test);
        let gate = arguments
            .gate
            .as_ref()
            .is_none_or(|gate| rung.kind == Kind::Gate && *gate == rung.test);
        suite && test && gate
    };
    let found: Vec<&Rung> = earlier.rungs.iter().filter(wanted).collect();
    if found.is_empty() {
        let headline = format!("the run {} has no such failure", earlier.run_id);
        let names: Vec<String> =
            earlier.rungs.iter().map(|rung| format!("`{} {}`", rung.suite, rung.test)).collect();
        let shown = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let remedy = "name one of its failures by `--suite`, `--test` or `--gate`";
        let fault = Fault::new(REPLAY_SELECTS_WRONG_COUNT, headline, remedy);
        return Err(Refused::new(
            Exit::Nothing,
            fault.expected("one failure or more").found(shown),
        ));
    }
    Ok(found)
}

/// Asks the test binary what the command would run; exactly the one target, or the replay is refused.
pub(super) fn resolve(
    repository: &Repository,
    cargo: &Cargo,
    replay: &Replay,
    rung: &Rung,
    out: &mut Transport,
) -> Result<bool, Refused> {
    if rung.kind == Kind::Doc {
        // Its command runs all examples of the package, among which it has to be.
        resolve_suite(repository, cargo, rung, out)?;
        return Ok(true);
    }
    if replay.argv.last().is_none_or(|word| word != "--exact") {
        out.progress(&format!(
            "portcullis: `{}` is a replay of the policy; nobody can say beforehand what it selects",
            replay.render()
        ));
        return Ok(false);
    }
    let (ended, found) = listed(repository, cargo, replay)?;
    if ended.is_success() && found == [rung.test.as_str()] {
        return Ok(true);
    }
    let headline = format!("the replay of `{} {}` does not select it alone", rung.suite, rung.test);
    let remedy = "the target was renamed, removed or no longer builds; run the profile again";
    let found = if ended.is_success() {
        format!("{}: {}", count(found.len(), "test"), found.join(", "))
    } else {
        format!("the list failed{}", ended.tail(SHOWN_LINES))
    };
    let fault = Fault::new(REPLAY_SELECTS_WRONG_COUNT, headline, remedy);
    Err(Refused::new(
        Exit::Nothing,
        fault.expected(format!("exactly `{}`", rung.test)).found(found),
    ))
}

/// What a command would run, as its test binary lists it.
fn listed(
    repository: &Repository,
    cargo: &Cargo,
    replay: &Replay,
) -> Result<(Ended, Vec<String>), Refused> {
    let mut list = replay.clone();
    if !list.argv.iter().any(|word| word == "--") {
        list.argv.push("--".to_owned());
    }
    list.argv.extend(["--list", "--format", "terse"].map(str::to_owned));
    let folder = crate::command::scratch(&locate::target_dir(repository)?)?;
    let file = folder.path().join("list");
    let ended = start(repository, cargo, &list, Some(file.clone()), false, &mut |_line| {})?;
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    if replay.argv.last().is_some_and(|word| word == "--doc") {
        return Ok((ended, doctest::listed(&text)));
    }
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok((ended, names.map(str::to_owned).collect()))
}

/// Asks whether the rung of the whole suite still runs the failure.
fn resolve_suite(
    repository: &Repository,
    cargo: &Cargo,
    rung: &Rung,
    out: &mut Transport,
) -> Result<(), Refused> {
    let replay = rung.whole.clone().checked().or_exit(Exit::Nothing)?;
    out.progress(&format!("portcullis: asking what `{}` runs", replay.render()));
    let (ended, found) = listed(repository, cargo, &replay)?;
    if ended.is_success() && found.contains(&rung.test) {
        return Ok(());
    }
    let headline = format!("the suite `{}` does not have `{}` any more", rung.suite, rung.test);
    let remedy = "the target was renamed, removed or no longer builds; run the profile again";
    let found = count(found.len(), "test");
    let fault = Fault::new(REPLAY_SELECTS_WRONG_COUNT, headline, remedy);
    Err(Refused::new(Exit::Nothing, fault.expected(format!("`{}`", rung.test)).found(found)))
}

fn again(
    repository: &Repository,
    cargo: &Cargo,
    (replay, rung): (&Replay, &Rung),
    differences: &[String],
    debug: bool,
    out: &mut Transport,
) -> Result<Came, Refused> {
    out.progress(&format!("portcullis: {}", replay.render()));
    let folder = crate::command::scratch(&locate::target_dir(repository)?)?;
    let file = folder.path().join("stdout");
    let ended = start(repository, cargo, replay, Some(file.clone()), debug, &mut |_line| {})?;
    let said = std::fs::read_to_string(&file).unwrap_or_default();
    if ended.cut != Cut::Nothing {
        let headline = format!("the replay of `{} {}` was cut short", rung.suite, rung.test);
        let fault = Fault::new(REPLAY_SELECTS_WRONG_COUNT, headline, "run it again to its end");
        return Err(Refused::new(Exit::Nothing, fault));
    }
    // Other examples of the package run along; only the result of this one counts, and none is no pass.
    let failed = match rung.kind {
        Kind::Doc => doctest::came(&rung.suite, &rung.test, &said).unwrap_or(true),
        Kind::Unit | Kind::Vcr | Kind::E2e | Kind::Gate => ended.exit != process::Exit::Code(0),
    };
    let came = match (failed, differences) {
        (false, []) => Came::NotReproduced,
        (false, _) => Came::EnvironmentDiffers,
        (true, _) => Came::Reproduced,
    };
    if debug || came == Came::Reproduced {
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let skipped = lines.len().saturating_sub(SHOWN_LINES);
        out.text(&format!("{}{}", lines[skipped..].join("\n"), ended.tail(SHOWN_LINES)));
    }
    let word = match came {
        Came::Printed | Came::NotReproduced => "not reproduced".to_owned(),
        Came::Reproduced => format!("reproduced ({})", rung.root_cause_class),
        Came::EnvironmentDiffers => {
            format!("not reproduced, and the environment differs: {}", differences.join("; "))
        }
    };
    out.text(&format!("replay: {} {}: {word}", rung.suite, rung.test));
    Ok(came)
}

/// Starts the words of a replay as they are: no shell reads them.
pub(super) fn start(
    repository: &Repository,
    cargo: &Cargo,
    replay: &Replay,
    stdout: Option<std::path::PathBuf>,
    debug: bool,
    on_line: &mut dyn FnMut(&str),
) -> Result<Ended, Refused> {
    let (program, words) =
        replay.argv.split_first().map_or(("", &[][..]), |(p, w)| (p.as_str(), w));
    let mut job = cargo.job(Vec::new(), LIMIT_MS);
    if program != "cargo" {
        let path = tool::find(program, repository.environment.search_path(), repository.root());
        let path = path.or_exit(Exit::Nothing)?.ok_or_else(|| {
            let headline = format!("`{}` is not installed", program.escape_debug());
            let remedy = "install it, or correct `replay` and `replay_prefix` of the policy";
            Refused::new(Exit::Nothing, Fault::new(TOOL_MISSING, headline, remedy))
        })?;
        job.argv = vec![path.display().to_string()];
    }
    job.argv.truncate(1);
    job.argv.extend(words.iter().cloned());
    job.env.extend(replay.env.clone());
    // A replay is a run of its own and never writes into the one that it replays.
    job.env.remove("PORTCULLIS_RUN_ID");
    if debug {
        job.env.insert("RUST_BACKTRACE".to_owned(), "full".to_owned());
    }
    if let Some(folder) = &replay.cwd {
        job.cwd = job.cwd.join(folder.as_str());
    }
    job.stdout = stdout;
    child::run(&job, on_line)
}

/// What is known to differ between the run and here.
fn differences(repository: &Repository, earlier: &Earlier) -> Result<Vec<String>, Refused> {
    let mut differences = Vec::new();
    let head = Git::new(repository.root(), None).head().or_exit(Exit::Nothing)?;
    let commit = head.map(|head| head.commit);
    if commit != earlier.source.commit {
        let name = |commit: &Option<String>| commit.clone().unwrap_or_else(|| "none".to_owned());
        differences.push(format!(
            "commit {} instead of {}",
            name(&commit),
            name(&earlier.source.commit)
        ));
    }
    let host = [("os", std::env::consts::OS), ("arch", std::env::consts::ARCH)];
    for (name, here) in host {
        if let Some(there) = earlier.host.get(name).filter(|there| *there != here) {
            differences.push(format!("{name} {here} instead of {there}"));
        }
    }
    Ok(differences)
}
