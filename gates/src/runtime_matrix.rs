//! Several runtimes promise the same behaviour: the same probes run on each, and every difference is declared.
//! It knows no runtime by itself, and it judges no single answer, only whether answers agree.

mod config;
mod matrix;

use config::{Config, Expectation, OnAbsent, Runtime};
use matrix::{Cell, Row, Status};
use portcullis::{
    Code, Digest, Examined, Fault, File, Finding, Findings, GateContext, GateError, Location,
    SkipReason, Tooth,
    evidence::process::{Exit, Finished},
    wire::code::INPUT_TOO_LARGE,
};

portcullis::gate_kind! {
    /// Runs the same probes on several runtimes and keeps what differs declared.
    ///
    /// ### What it checks
    /// Every file of `probes` is started once on every runtime. A probe agrees when it exits with 0 everywhere and
    /// writes the same to standard output. Writes the view `compatibility_matrix.json`: a row for each probe, and in it
    /// for each runtime the status (`ok`, `failed`, `timed_out`), the exit, the digest of the output and its beginning.
    ///
    /// ### Why it gates
    /// A suite that passes on one runtime says nothing about another that calls itself compatible.
    ///
    /// ### Example
    /// Refused: `timers.mjs` writes `a,b` on Node and `b,a` on Bun, and no `known` says why. Accepted: both write `a,b`.
    ///
    /// ### Configuration
    /// - `probes`: globs of scripts, required.
    /// - `runtimes`: two or more tables with `name`, `argv` (the path of the probe is added at its end) and `version`
    ///   (arguments that make it say its version), and `tool_dirs`, folders below cargo's target directory to search first.
    /// - `known`: differences that are expected, tables with `probe` (a path), `reason` (20 characters or more) and
    ///   `expires` (a calendar day). An expected difference that is none any more is reported. Default none.
    /// - `on_absent`: what the absence of a runtime means: `"skip"` (typed `tool_missing`), `"fail"` or `"fail_in_ci"`
    ///   (skip where `CI` is not set), required.
    /// - `probe_timeout`: of one probe, default `30s`.
    ///
    /// ### Remediation
    /// - `runtime_difference`: mend the probe or the product, or declare the difference with a reason and an end.
    /// - `runtime_difference_expired`: look again, then renew the entry or mend the difference.
    /// - `runtime_difference_gone`: remove the entry from `known`.
    /// - `runtime_probe_failed`: correct the probe; it fails everywhere, so it compares nothing.
    /// - `runtime_absent`: install the runtime.
    pub static RUNTIME_MATRIX: "runtime_matrix", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const RUNTIME_DIFFERENCE: Code = Code::new(
    "PC1265",
    "runtime_difference",
    "A probe does not do the same on every runtime, and nobody declared why.",
);
const RUNTIME_DIFFERENCE_EXPIRED: Code = Code::new(
    "PC1266",
    "runtime_difference_expired",
    "A declared difference between runtimes is past its end.",
);
const RUNTIME_DIFFERENCE_GONE: Code = Code::new(
    "PC1267",
    "runtime_difference_gone",
    "A declared difference between runtimes is none, or its probe does not exist.",
);
const RUNTIME_PROBE_FAILED: Code =
    Code::new("PC1268", "runtime_probe_failed", "A probe fails on every runtime.");
const RUNTIME_ABSENT: Code =
    Code::new("PC1269", "runtime_absent", "A runtime that must be there is not installed.");

const CODES: &[Code] = &[
    RUNTIME_DIFFERENCE,
    RUNTIME_DIFFERENCE_EXPIRED,
    RUNTIME_DIFFERENCE_GONE,
    RUNTIME_PROBE_FAILED,
    RUNTIME_ABSENT,
];

/// Runs every probe everywhere, writes the matrix, and returns how many times a probe was run.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    if let Some(absent) = absent(cx, config, out)? {
        return Ok(absent);
    }
    let mut versions = Vec::new();
    for runtime in &config.runtimes {
        versions.push(version(cx, runtime)?);
    }
    let probes = cx.files(&config.probes)?;
    let mut rows = Vec::new();
    for probe in &probes {
        // Read before it runs, so that the receipt has the digest of what ran.
        probe.digest()?;
        let mut cells = Vec::new();
        for runtime in &config.runtimes {
            cells.push(run(cx, config, runtime, probe)?);
        }
        let row = Row::new(probe.path().to_string(), cells);
        hold(cx, config, &row, out);
        rows.push(row);
    }
    for known in &config.known {
        let path = known.get_ref().probe.as_str();
        if !probes.is_empty() && !rows.iter().any(|row| row.probe == path) {
            let message = format!("the probe `{path}` of a declared difference does not exist");
            let place = cx.locate(known.span().start);
            out.push(
                Finding::new(RUNTIME_DIFFERENCE_GONE, path, message, "remove the entry").at(place),
            );
        }
    }
    matrix::write(cx, &config.runtimes, &versions, &rows)?;
    Ok(Examined::items(rows.len() * config.runtimes.len()))
}

/// What the absence of a runtime means, when one is absent.
fn absent(
    cx: &GateContext<'_>,
    config: &Config,
    out: &mut Findings,
) -> Result<Option<Examined>, GateError> {
    let mut absent = Vec::new();
    for runtime in &config.runtimes {
        let word = runtime.argv.first().map_or("", String::as_str);
        match cx.tool_in(&runtime.tool_dirs, word)? {
            Some(tool) => {
                let digest = cx.tool_digest(&tool)?;
                cx.note(format!("runtime `{}` has sha256 {digest}", runtime.name));
            }
            None => absent.push(runtime.name.as_str()),
        }
    }
    if absent.is_empty() {
        return Ok(None);
    }
    let names = absent.join("`, `");
    let message = format!("no runtime `{names}` is installed, so nothing was compared");
    let ci = cx.is_ci();
    match config.on_absent {
        OnAbsent::FailInCi if !ci => Ok(Some(Examined::skipped(SkipReason::ToolMissing, message))),
        OnAbsent::Skip => Ok(Some(Examined::skipped(SkipReason::ToolMissing, message))),
        OnAbsent::Fail | OnAbsent::FailInCi => {
            let place = cx.gate().location.clone();
            out.push(Finding::new(RUNTIME_ABSENT, &names, message, "install it").at(place));
            Ok(Some(Examined::items(config.runtimes.len())))
        }
    }
}

/// The first line that a runtime says about its version.
fn version(cx: &GateContext<'_>, runtime: &Runtime) -> Result<String, GateError> {
    let word = runtime.argv.first().cloned().unwrap_or_default();
    let argv: Vec<String> = std::iter::once(word).chain(runtime.version.iter().cloned()).collect();
    let answer = cx.command(&argv).tool_dirs(&runtime.tool_dirs).run()?;
    let text = answer.stdout.text();
    let line = text.lines().next().unwrap_or_default().trim();
    if !answer.is_success() || line.is_empty() {
        let headline = format!("the runtime `{}` does not say its version", runtime.name);
        let remedy = "correct `version`, or install the runtime anew";
        let fault = Fault::new(portcullis::wire::code::COMMAND_FAILED, headline, remedy);
        return cx.watch(Err(fault.at(cx.gate().location.clone())));
    }
    Ok(line.chars().take(80).collect())
}

fn run(
    cx: &GateContext<'_>,
    config: &Config,
    runtime: &Runtime,
    probe: &File<'_>,
) -> Result<Cell, GateError> {
    let path = probe.path().to_string();
    let argv: Vec<String> =
        runtime.argv.iter().cloned().chain(std::iter::once(path.clone())).collect();
    let finished =
        cx.command(&argv).tool_dirs(&runtime.tool_dirs).timeout(config.timeout()).quiet().run()?;
    if finished.stdout.cut > 0 {
        // Two outputs of which only the ends were kept might differ where nobody sees it.
        let headline =
            format!("the output of `{path}` on `{}` is larger than what is kept", runtime.name);
        let fault = Fault::new(INPUT_TOO_LARGE, headline, "let the probe write less");
        return cx.watch(Err(fault.at(Location::file(&path))));
    }
    Ok(cell(&runtime.name, &finished))
}

fn cell(runtime: &str, finished: &Finished) -> Cell {
    let status = match (finished.timed_out, finished.exit) {
        (true, _) => Status::TimedOut,
        (false, Exit::Code(0)) => Status::Ok,
        (false, Exit::Code(_) | Exit::Signal(_)) => Status::Failed,
    };
    // Line ends are the system's, not the runtime's.
    let output = finished.stdout.text().replace("\r\n", "\n");
    let shown = if status == Status::Ok { output.clone() } else { finished.stderr.text() };
    Cell {
        runtime: runtime.to_owned(),
        status,
        exit: match finished.exit {
            Exit::Code(code) => Some(code),
            Exit::Signal(_) => None,
        },
        output_sha256: Digest::of(output.as_bytes()),
        detail: shown.trim().chars().take(200).collect(),
    }
}

/// Holds one probe to what was declared about it.
fn hold(cx: &GateContext<'_>, config: &Config, row: &Row, out: &mut Findings) {
    let path = row.probe.as_str();
    let known = config.known.iter().find(|known| known.get_ref().probe.as_str() == path);
    let seen: Vec<String> = row.runtimes.iter().map(Cell::shown).collect();
    let mut add = |code: Code, message: String, place: Location, remedy: &str| {
        let finding = Finding::new(code, path, message, remedy).at(place);
        out.push(finding.expected("the same everywhere").found(seen.join(" | ")));
    };
    if row.runtimes.iter().all(|cell| cell.status != Status::Ok) {
        let message = format!("the probe `{path}` fails on every runtime");
        add(RUNTIME_PROBE_FAILED, message, Location::file(path), "correct the probe");
        return;
    }
    match (row.agrees, known) {
        (true, None) => {}
        (false, None) => {
            let message = format!("the probe `{path}` does not do the same on every runtime");
            let remedy =
                "mend it, or declare the difference under `known` with a reason and an end";
            add(RUNTIME_DIFFERENCE, message, Location::file(path), remedy);
        }
        (true, Some(known)) => {
            let message = format!("the declared difference of `{path}` is none any more");
            add(
                RUNTIME_DIFFERENCE_GONE,
                message,
                cx.locate(known.span().start),
                "remove the entry",
            );
        }
        (false, Some(known)) => match known.get_ref().expectation(cx.today(), cx.lane()) {
            Expectation::Holds => {
                cx.note(format!("`{path}` differs as declared: {}", known.get_ref().reason))
            }
            Expectation::Ends(message) | Expectation::Grace(message) => {
                let place = cx.locate(known.span().start);
                out.push(
                    Finding::new(
                        RUNTIME_DIFFERENCE_EXPIRED,
                        path,
                        message,
                        "look again, then renew or mend it",
                    )
                    .at(place)
                    .advisory(),
                );
            }
            Expectation::Ended(message) => {
                let place = cx.locate(known.span().start);
                add(
                    RUNTIME_DIFFERENCE_EXPIRED,
                    message,
                    place,
                    "look again, then renew or mend it",
                );
            }
        },
    }
}

// git stands for two runtimes, for it reads what a file of a tree says. Without git these prove nothing, and skip.
macro_rules! config {
    ($second:literal, $rest:literal) => {
        concat!(
            "probes = ['p/*.cfg']\non_absent = 'skip'\n",
            "runtimes = [{ name = 'a', argv = ['git', 'config', '--list', '--name-only', '--file'], version = ['--version'] }, ",
            "{ name = 'b', argv = ['git', ",
            $second,
            "], version = ['--version'] }]\n",
            $rest
        )
    };
}

const SAME: &str = config!("'config', '--list', '--name-only', '--file'", "");
const OTHER: &str = config!("'config', '--list', '--file'", "");
const KNOWN: &str = config!(
    "'config', '--list', '--file'",
    "known = [{ probe = 'p/a.cfg', reason = 'the second one writes values as well', expires = 2026-06-30 }]"
);
const A: (&str, &str) = ("p/a.cfg", "[portcullis]\nx = 1\n");
/// A key without a value, which both write as its name.
const AGREED: &str = "[portcullis]\nx\n";

static TEETH: &[Tooth] = &[
    Tooth::known_good("two_runtimes_that_agree", SAME, &[A]),
    Tooth::known_good("a_declared_difference", KNOWN, &[A]),
    Tooth::known_bad("a_difference", RUNTIME_DIFFERENCE, OTHER, &[A]),
    Tooth::known_bad(
        "one_that_fails_where_the_other_does_not",
        RUNTIME_DIFFERENCE,
        config!("'no-such-verb'", ""),
        &[A],
    ),
    Tooth::known_bad("a_declared_difference_past_its_end", RUNTIME_DIFFERENCE_EXPIRED, KNOWN, &[A])
        .at("2026-07-01T00:00:00Z"),
    Tooth::known_bad(
        "a_declared_difference_that_is_gone",
        RUNTIME_DIFFERENCE_GONE,
        KNOWN,
        &[("p/a.cfg", AGREED)],
    ),
    Tooth::known_bad(
        "a_probe_that_fails_everywhere",
        RUNTIME_PROBE_FAILED,
        SAME,
        &[("p/a.cfg", "[\n")],
    ),
    Tooth::known_bad(
        "a_runtime_that_is_not_installed",
        RUNTIME_ABSENT,
        "probes = ['p/*']\non_absent = 'fail'\nruntimes = [{ name = 'a', argv = ['git'], version = ['--version'] }, \
         { name = 'b', argv = ['portcullis-no-such-tool'], version = ['--version'] }]",
        &[A],
    ),
];

#[cfg(test)]
mod tests;
