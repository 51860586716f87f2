//! Commands that documents tell people to type exist. It reads them; it runs none.

mod cargo;
mod program;
mod shell;
mod teeth;
mod trials;

use crate::{documents, markdown::Document, workspace::Workspace};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, Globs, Location,
    RelPath, wire::code::CONFIG_INVALID,
};
use program::Resolver;
use std::collections::{BTreeMap, BTreeSet};
use teeth::TEETH;

portcullis::gate_kind! {
    /// Keeps every command in the documents one that exists.
    ///
    /// ### What it checks
    /// Each command in a fenced shell block names something real: a test, bench, binary or example target, a package
    /// and a feature of the workspace; a trial that its filter selects, of a gate binary or of a libtest target; an
    /// alias of `.cargo/config.toml`; a listed verb of a subcommand; a script that exists; or a listed program.
    /// Prompts, comments, continuations, redirections and `NAME=value` before a command are understood, and pipes,
    /// `&&`, `||` and `;` part commands. `cd` is not followed: what comes after it is read from the root.
    ///
    /// ### Why it gates
    /// A renamed test leaves its replay command behind, and that command is green: it selects nothing.
    ///
    /// ### Example
    /// Refused: `cargo test --test ci_full_suite_gate -- crate_budgte --exact`, which matches no trial.
    /// Accepted: the same with `crate_budget`, while the policy has a gate of that name.
    ///
    /// ### Configuration
    /// - `documents`: globs of Markdown files, required; one that matches nothing is an error, and so is no command.
    /// - `languages`: the first words of info strings that mean shell, default `["bash", "console", "sh", "shell"]`.
    /// - `inline`: beginnings of code spans that are commands too, such as `cargo `; default none.
    /// - `manifest`: the workspace manifest, default `Cargo.toml`.
    /// - `subcommands`: verbs by command, such as `{ "cargo gate" = ["list", "explain"] }`; `-` options may stand before.
    /// - `programs`: other programs that may be named, such as `git`, or `cargo deny` for a plugin of cargo.
    /// - `trials`: trials by target, for test targets with a harness of their own that are no gate binaries.
    /// - `expansions`: `refuse` (default) or `allow` variables and substitutions as arguments.
    ///
    /// ### Remediation
    /// - `command_unresolved`: correct the command; the name that it may mean is shown.
    /// - `command_obscure`: write it as a plain command, with the value it stands for; move control flow to a script.
    pub static DOCS_COMMANDS: "docs_commands", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = &[COMMAND_UNRESOLVED, COMMAND_OBSCURE], teeth = TEETH;
}

const COMMAND_UNRESOLVED: Code = Code::new(
    "PC1200",
    "command_unresolved",
    "A document names a command whose parts do not all exist.",
);
const COMMAND_OBSCURE: Code = Code::new(
    "PC1201",
    "command_obscure",
    "A document has a command that cannot be followed without running it.",
);

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    documents: Globs,
    #[serde(default = "languages")]
    languages: BTreeSet<String>,
    #[serde(default)]
    inline: Vec<String>,
    manifest: Option<RelPath>,
    #[serde(default)]
    subcommands: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    programs: BTreeSet<String>,
    #[serde(default)]
    trials: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    expansions: Expansions,
}

/// What a variable or substitution among the arguments means.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expansions {
    #[default]
    Refuse,
    Allow,
}

fn languages() -> BTreeSet<String> {
    ["bash", "console", "sh", "shell"].map(str::to_owned).into()
}

impl Config {
    fn manifest(&self) -> &str {
        self.manifest.as_ref().map_or("Cargo.toml", RelPath::as_str)
    }
}

/// Refuses lists that can match nothing.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |headline: String, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(table.location.clone()));
    };
    if config.languages.is_empty() && config.inline.is_empty() {
        refuse(
            "`languages` is empty, so no block is read".to_owned(),
            "name at least one, such as `sh`",
        );
    }
    if config.inline.iter().any(|beginning| beginning.trim().is_empty()) {
        refuse(
            "an empty beginning makes every code span a command".to_owned(),
            "write a program, such as `cargo `",
        );
    }
    for (command, verbs) in &config.subcommands {
        if command.trim().is_empty() || verbs.is_empty() {
            refuse(
                format!("`subcommands` lists no verb of `{command}`"),
                "write `\"cargo gate\" = [\"list\"]`",
            );
        }
    }
    faults
}

/// Reads every document and resolves every command; returns how many commands there were.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let files = documents::matched(cx, &config.documents)?;
    let Some(workspace) = Workspace::read(cx, config.manifest())? else {
        return Ok(Workspace::skipped());
    };
    let mut resolver = Resolver::new(cx, config, &workspace)?;
    let mut commands = 0;
    for file in files {
        let document = cx.watch(Document::new(file.path(), file.text()?))?;
        for simple in commands_of(config, &document) {
            commands += 1;
            if let Some(finding) = judge(&mut resolver, config, document.path(), &simple)? {
                out.push(finding);
            }
        }
    }
    Ok(Examined::items(commands))
}

/// The commands of a document, by line.
fn commands_of(config: &Config, document: &Document) -> Vec<shell::Simple> {
    let mut found = Vec::new();
    for block in &document.blocks {
        let info = block.info.as_deref().unwrap_or_default();
        let language = info.split([' ', ',', '{', '\t']).next().unwrap_or_default();
        if config.languages.contains(language) {
            found.extend(shell::read(&shell::typed(&block.lines)));
        }
    }
    for span in &document.spans {
        if config.inline.iter().any(|beginning| span.text.starts_with(beginning.as_str())) {
            let line = document.location(span.offset).line;
            found.extend(shell::read(&[(line, span.text.clone())]));
        }
    }
    found.sort_by_key(|simple| simple.line);
    found
}

fn judge(
    resolver: &mut Resolver<'_, '_>,
    config: &Config,
    path: &RelPath,
    simple: &shell::Simple,
) -> Result<Option<Finding>, GateError> {
    let texts: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
    let command = texts.join(" ");
    let at = Location::at(path, simple.line, 0);
    let open = simple.words.iter().find(|word| word.is_open);
    let obscure = match (simple.obscure, open) {
        (Some(what), _) => Some(what.to_owned()),
        (None, Some(word)) if config.expansions == Expansions::Refuse => {
            Some(format!("`{}`, whose value is not known", word.text))
        }
        (None, Some(_) | None) => None,
    };
    if let Some(what) = obscure {
        let message = format!("`{command}` has {what}");
        let remedy = "write it as a plain command, or move it to a script";
        return Ok(Some(Finding::new(COMMAND_OBSCURE, &command, message, remedy).at(at)));
    }
    let Some(problem) = resolver.resolve(&simple.words)? else { return Ok(None) };
    let message = format!("`{command}`: {}", problem.what);
    let finding = Finding::new(COMMAND_UNRESOLVED, &command, message, "correct the command").at(at);
    Ok(Some(match problem.hint {
        Some(hint) => finding.expected(hint),
        None => finding,
    }))
}

#[cfg(test)]
mod tests;
