//! Planted faults: each is compiled under the workspace's levels, and again without its lint.

use super::{
    PLANT_NOT_GREEN, PLANT_NOT_RED,
    config::{Config, Level, Plant},
    groups::plain,
    manifests::{Entry, Levels},
};
use portcullis::{
    Fault, Finding, Findings, GateContext, GateError, Location, RelPath,
    evidence::context::Scratch,
    wire::code::{COMMAND_FAILED, COMMAND_TIMED_OUT, INPUT_UNREADABLE, TOOL_MISSING},
};
use serde_json::Value;
use std::{fmt::Write as _, time::Duration};

/// How long one plant may take to compile.
const TIMEOUT: Duration = Duration::from_secs(300);
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"portcullis-plant\"\nversion = \"0.0.0\"\n";

/// Compiles every plant twice; returns how many compilations were judged.
///
/// # Errors
/// When cargo or clippy is absent or does not answer: a plant that was not compiled proves nothing.
pub(super) fn judge(
    cx: &GateContext<'_>,
    config: &Config,
    levels: &Levels,
    out: &mut Findings,
) -> Result<usize, GateError> {
    let mut examined = 0;
    for plant in &config.plants {
        let plant = plant.get_ref();
        let floor = config.floor.get(&plant.lint).copied().unwrap_or(Level::Deny);
        let source = cx.file(&plant.source).text()?;
        let scratch = cx.scratch()?;
        // First with the lint, then without: the same sources, so that one setting is all that differs.
        let red = compile(cx, &scratch, levels, plant, &source, Control::On)?;
        examined += 1;
        if let Some(why) = red.why_not_red(&plant.lint, floor) {
            out.push(not_red(plant, why));
            continue;
        }
        let green = compile(cx, &scratch, levels, plant, &source, Control::Off)?;
        examined += 1;
        if let Some(why) = green.why_not_green(&plant.lint) {
            out.push(not_green(plant, why));
        }
    }
    Ok(examined)
}

/// Whether the lint is at its level, or taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    On,
    Off,
}

/// What the compiler said.
struct Compiled {
    is_success: bool,
    /// Level, code and message of each diagnostic.
    said: Vec<(String, Option<String>, String)>,
}

impl Compiled {
    fn why_not_red(&self, lint: &str, floor: Level) -> Option<String> {
        let is_floor =
            |code: &Option<String>| code.as_ref().is_some_and(|code| plain(code) == plain(lint));
        let errors = || self.said.iter().filter(|(level, _, _)| level.starts_with("error"));
        if let Some((_, code, message)) = errors()
            .find(|(_, code, message)| !is_floor(code) && !message.starts_with("aborting due to"))
        {
            let code = code.clone().unwrap_or_else(|| "an error without a code".to_owned());
            return Some(format!("{code}: {message}"));
        }
        let is_refused = if floor == Level::Warn {
            self.said.iter().any(|(_, code, _)| is_floor(code))
        } else {
            !self.is_success && errors().any(|(_, code, _)| is_floor(code))
        };
        (!is_refused).then(|| "it compiles".to_owned())
    }

    fn why_not_green(&self, lint: &str) -> Option<String> {
        let error = self.said.iter().find(|(level, _, _)| level.starts_with("error"));
        if let Some((_, code, message)) = error {
            return Some(format!("{}: {message}", code.as_deref().unwrap_or("error")));
        }
        let still = self
            .said
            .iter()
            .any(|(_, code, _)| code.as_ref().is_some_and(|code| plain(code) == plain(lint)));
        match (self.is_success, still) {
            (false, _) => Some("it does not compile".to_owned()),
            (true, true) => Some("its lint still speaks".to_owned()),
            (true, false) => None,
        }
    }
}

fn compile(
    cx: &GateContext<'_>,
    scratch: &Scratch,
    levels: &Levels,
    plant: &Plant,
    source: &str,
    control: Control,
) -> Result<Compiled, GateError> {
    let write = |name: &str, text: &str| -> Result<(), GateError> {
        let path = RelPath::parse(name).map_err(|refused| {
            Fault::new(INPUT_UNREADABLE, refused.to_string(), "report this as a bug")
        });
        cx.watch(cx.watch(path).and_then(|path| scratch.write(&path, text.as_bytes()).map(drop)))
    };
    write("Cargo.toml", &manifest(levels, &plant.lint, control))?;
    write("Cargo.lock", LOCK)?;
    write("src/lib.rs", source)?;
    let verb = if plant.lint.starts_with("clippy::") { "clippy" } else { "check" };
    if verb == "clippy" && cx.tool("cargo-clippy")?.is_none() {
        let headline = "`cargo clippy` is not installed, so a plant cannot be compiled";
        let fault = Fault::new(TOOL_MISSING, headline, "install the component `clippy`");
        return cx.watch(Err(fault));
    }
    let mut argv: Vec<String> =
        ["cargo", verb, "--locked", "--offline", "--quiet", "--message-format=json"]
            .map(str::to_owned)
            .to_vec();
    let configuration = cx.root().join(".cargo/config.toml");
    if !scratch.path().starts_with(cx.root()) && cx.file_at(".cargo/config.toml")?.exists()? {
        // cargo finds the configuration of the workspace by itself only from below it.
        argv.extend(["--config".to_owned(), configuration.display().to_string()]);
    }
    let target = scratch.path().join("target");
    let finished = cx
        .command(&argv)
        .in_scratch(scratch)
        .env("CARGO_TARGET_DIR", &target.display().to_string())
        .timeout(TIMEOUT)
        .quiet()
        .run()?;
    if finished.timed_out || finished.stdout.cut > 0 {
        let headline = format!("the plant `{}` did not compile in time", plant.source);
        let fault = Fault::new(COMMAND_TIMED_OUT, headline, "make the plant smaller");
        return cx.watch(Err(fault.at(Location::file(&plant.source))));
    }
    let said = diagnostics(&finished.stdout.text());
    if said.is_empty() && !finished.is_success() {
        let stderr = finished.stderr.text();
        let lines: Vec<&str> = stderr.lines().take(8).collect();
        let headline = format!("cargo said nothing about the plant `{}`", plant.source);
        let fault = Fault::new(COMMAND_FAILED, headline, "see what cargo says");
        return cx.watch(Err(fault.at(Location::file(&plant.source)).found(lines.join(" | "))));
    }
    Ok(Compiled { is_success: finished.is_success(), said })
}

/// A package under the levels of the workspace, with or without one of them.
fn manifest(levels: &Levels, lint: &str, control: Control) -> String {
    let mut text = format!(
        "[package]\nname = \"portcullis-plant\"\nversion = \"0.0.0\"\nedition = \"{}\"\n\n[workspace]\n\n[lints]\nworkspace = true\n",
        levels.edition
    );
    let mut tools: Vec<&str> = levels.entries.iter().map(|entry| entry.tool.as_str()).collect();
    tools.sort_unstable();
    tools.dedup();
    let own_tool = lint.split_once("::").map_or("rust", |(tool, _)| tool);
    if control == Control::Off && !tools.contains(&own_tool) {
        tools.push(own_tool);
    }
    let last = levels.entries.iter().map(|entry| entry.priority).max().unwrap_or(0);
    for tool in tools {
        // Writing to a text cannot fail.
        let _infallible = write!(text, "\n[workspace.lints.{tool}]\n");
        for entry in levels.entries.iter().filter(|entry| entry.tool == tool) {
            if control == Control::Off && is_lint(entry, lint) {
                continue;
            }
            let _infallible = writeln!(
                text,
                "{} = {{ level = \"{}\", priority = {} }}",
                entry.name,
                entry.level.name(),
                entry.priority
            );
        }
        if control == Control::Off && tool == own_tool {
            // Most lints warn by themselves, and a group may still hold this one: away means silent.
            let bare = lint.rsplit("::").next().unwrap_or(lint);
            let _infallible = writeln!(
                text,
                "{bare} = {{ level = \"allow\", priority = {} }}",
                last.saturating_add(1)
            );
        }
    }
    text
}

fn is_lint(entry: &Entry, lint: &str) -> bool {
    plain(&entry.full()) == plain(lint)
}

/// The diagnostics in the answer of cargo.
fn diagnostics(text: &str) -> Vec<(String, Option<String>, String)> {
    let of_line = |line: &str| {
        let value: Value = serde_json::from_str(line).ok()?;
        let message = value.get("message")?;
        let word = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let code = message.get("code").and_then(|code| code.get("code"));
        Some((word(message.get("level"))?, word(code), word(message.get("message"))?))
    };
    // Other lines than messages of the compiler are cargo's own.
    text.lines().filter_map(of_line).collect()
}

fn not_red(plant: &Plant, why: String) -> Finding {
    Finding::new(
        PLANT_NOT_RED,
        format!("{} in {}", plant.lint, plant.source),
        format!("`{}` is not refused by `{}` alone", plant.source, plant.lint),
        "see whether the level still holds; plant a fault that this lint refuses and nothing else",
    )
    .at(Location::file(&plant.source))
    .expected(format!("an error with the code `{}`", plant.lint))
    .found(why)
}

fn not_green(plant: &Plant, why: String) -> Finding {
    Finding::new(
        PLANT_NOT_GREEN,
        format!("{} in {}", plant.lint, plant.source),
        format!("`{}` is refused without `{}`, too", plant.source, plant.lint),
        "remove what else is wrong with the plant",
    )
    .at(Location::file(&plant.source))
    .found(why)
}
