//! The harness binary: arguments in, trials run, receipts left, one exit code out.
//!
//! Exit codes: 0 pass, 2 usage or configuration, 3 nothing matched or nothing linked, 101 a gate failed.

pub mod aggregate;
pub mod argv;
pub mod attempt;
pub mod collect;
pub mod events;
pub mod panics;
pub mod pool;
pub mod recording;
pub mod registry;
pub mod roster;
pub mod session;
pub mod spans;
pub mod teeth;
pub mod tool_skip;
pub mod trial;

mod list;

use crate::{
    kernel::near::near,
    report::human,
    wire::{
        code::{FILTER_MATCHED_NOTHING, REGISTRY_EMPTY},
        fault::Fault,
        ordered::{VecMap, VecSet},
    },
};
use argv::{Format, Invocation};
use registry::Registry;
pub use session::Package;
use session::{Opening, Session};
use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};
use trial::Subject;

const EXIT_USAGE: u8 = 2;
const EXIT_NOTHING: u8 = 3;
const EXIT_FAILED: u8 = 101;

/// The `main` of a gate binary; called by [`main!`](crate::main).
#[must_use]
pub fn main(package: Package<'_>, binary: &str) -> ExitCode {
    match start(package, binary) {
        Ok(code) => ExitCode::from(code),
        Err(faults) => {
            let nothing = faults.iter().any(|fault| {
                fault.code() == REGISTRY_EMPTY || fault.code() == FILTER_MATCHED_NOTHING
            });
            for fault in &faults {
                say(&mut io::stderr(), &format!("{}\n", human::plain(&fault.to_string())));
            }
            ExitCode::from(if nothing { EXIT_NOTHING } else { EXIT_USAGE })
        }
    }
}

fn start(package: Package<'_>, binary: &str) -> Result<u8, Vec<Fault>> {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let invocation = Invocation::parse(words).map_err(|fault| vec![fault])?;
    if invocation.help {
        say(&mut io::stdout(), argv::HELP);
        return Ok(0);
    }
    panics::install();
    let registry = Registry::collect()?;
    let opening = Opening::read(package)?;
    let policy = Arc::clone(&opening.policy);
    let names = roster::names(&policy, &registry, binary)?;
    if names.is_empty() {
        return Err(vec![Fault::new(
            REGISTRY_EMPTY,
            format!("no gate belongs to the gate binary `{binary}`"),
            format!("give a `[[gate]]` table `binary = \"{binary}\"`, or remove the binary"),
        )]);
    }
    let mut selected: VecSet<&str> =
        names.iter().copied().filter(|name| invocation.selects(name)).collect();
    if invocation.list {
        if invocation.ignored {
            // No gate is ever ignored, so the list of ignored gates is empty, as nextest expects.
            selected.clear();
        }
        let text = listing(opening, &registry, binary, (&selected, invocation.format))?;
        say(&mut io::stdout(), &text);
        return Ok(0);
    }
    if selected.is_empty() || invocation.ignored || invocation.bench {
        return Err(vec![nothing_matched(&invocation, &names, binary)]);
    }
    let session = opening.session(binary, &registry)?;
    let subjects = subjects(&session, &selected);
    validate(&session, &invocation, &subjects)?;
    Ok(run(Arc::new(session), &invocation, &subjects))
}

fn subjects(session: &Session, selected: &VecSet<&str>) -> VecMap<String, Subject> {
    let named = selected
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), trial::subject(session, name)?)));
    named.collect()
}

fn listing(
    opening: Opening,
    registry: &Registry,
    binary: &str,
    (selected, format): (&VecSet<&str>, Format),
) -> Result<String, Vec<Fault>> {
    match format {
        Format::Pretty | Format::Terse => Ok(list::names(selected, format)),
        Format::Json => {
            let session = opening.session(binary, registry)?;
            list::machine(&session, &subjects(&session, selected)).map_err(|fault| vec![fault])
        }
    }
}

/// Binds the configuration of every gate that is about to run, so that nothing runs under a broken policy.
fn validate(
    session: &Session,
    invocation: &Invocation,
    selected: &VecMap<String, Subject>,
) -> Result<(), Vec<Fault>> {
    let mut positions = Vec::new();
    for subject in selected.values() {
        match subject {
            Subject::Gate(n) => positions.push(*n),
            Subject::Aggregate(_) => positions.extend(0..session.roster.gates.len()),
        }
    }
    if invocation.is_unfiltered() {
        positions.extend(0..session.roster.gates.len());
    }
    let faults: Vec<Fault> = session
        .roster
        .with_needs(positions)
        .into_iter()
        .filter_map(|n| session.roster.gates[n].prepared().err())
        .flatten()
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// The gates that these subjects evaluate; `None` for all.
fn planned(
    session: &Session,
    selected: &VecMap<String, Subject>,
) -> Option<VecSet<crate::wire::id::GateId>> {
    let mut positions = Vec::new();
    for subject in selected.values() {
        match subject {
            Subject::Gate(n) => positions.push(*n),
            Subject::Aggregate(_) => return None,
        }
    }
    let positions = session.roster.with_needs(positions);
    let gates = &session.roster.gates;
    let whole = positions.len() == gates.len();
    (!whole).then(|| positions.into_iter().map(|n| gates[n].id().clone()).collect())
}

fn run(session: Arc<Session>, invocation: &Invocation, selected: &VecMap<String, Subject>) -> u8 {
    session.plan(planned(&session, selected));
    let trials = trial::trials(&session, selected, invocation.test_threads);
    let conclusion = libtest_mimic::run(&trial::arguments(invocation, trials.len()), trials);
    let failed = conclusion.has_failed();
    let sealed = human::close(&session, invocation, selected, failed);
    let mut code = if failed { EXIT_FAILED } else { 0 };
    for line in &sealed.problems {
        say(&mut io::stderr(), &format!("{}\n", human::plain(line)));
        code = EXIT_FAILED;
    }
    if invocation.format != Format::Json {
        say(&mut io::stdout(), &human::plain(&sealed.summary));
    }
    // The process ends here, and the system takes back memory at once; thousands of gates take their time.
    std::mem::forget(session);
    code
}

fn nothing_matched(invocation: &Invocation, names: &VecSet<&str>, binary: &str) -> Fault {
    let asked = invocation.filters.join("`, `");
    let close: Vec<&str> =
        invocation.filters.iter().flat_map(|filter| near(filter, names.iter().copied())).collect();
    let remedy = if invocation.ignored || invocation.bench {
        "run it without `--ignored` and `--bench`".to_owned()
    } else if close.is_empty() {
        format!("list the gates: `cargo test --test {binary} -- --list`")
    } else {
        format!("did you mean `{}`?", close.join("`, `"))
    };
    let headline = match (invocation.ignored || invocation.bench, invocation.filters.is_empty()) {
        (true, _) => format!("`{binary}` has no ignored gates and no benchmarks"),
        (false, true) => format!("every gate of `{binary}` was skipped"),
        (false, false) => format!("no gate of `{binary}` matches `{asked}`"),
    };
    Fault::new(FILTER_MATCHED_NOTHING, headline, remedy)
}

/// Prints without panicking on a closed pipe, as `--list | head` makes one.
fn say(stream: &mut dyn Write, text: &str) {
    drop(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()));
}
