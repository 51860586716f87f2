//! Where flags come from: workflows with their scripts, cargo's configuration, recipes.

use super::{
    CAP_LINTS, COMMAND_LINE_LOWER, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING,
    config::Config,
    flags::{Hit, holds_flags, of_command, of_config, of_rustc, words_of},
    groups::Groups,
};
use crate::{
    shell::{
        argv::{self, OPAQUE},
        follow::{Mode, Place, Start, follow},
        open::Project,
        options::Options,
    },
    toml_file::TomlFile,
    workflow::{self, Interpreter, Scope, StepView, Text},
};
use portcullis::{Fault, Finding, Findings, GateContext, GateError, Location, RelPath};
use std::collections::{BTreeMap, BTreeSet};

/// Judges all of them; returns how many settings and commands were looked at.
///
/// # Errors
/// When a workflow or file cannot be read.
pub(super) fn judge(
    cx: &GateContext<'_>,
    config: &Config,
    groups: &Groups<'_, '_>,
    out: &mut Findings,
) -> Result<usize, GateError> {
    let mut judged = Judged { groups, out, seen: BTreeSet::new(), examined: 0 };
    for (path, is_named) in env_files(cx, config)? {
        if !cx.file(&path).exists()? {
            if is_named {
                let message = format!("`{path}` of `env_files` does not exist");
                let remedy = "correct the path, or remove it";
                judged.out.push(
                    Finding::new(SELECTOR_MATCHES_NOTHING, &path, message, remedy)
                        .at(cx.gate().location.clone()),
                );
            }
            continue;
        }
        let text = cx.file(&path).text()?;
        if path.as_str().ends_with(".toml") || path.as_str().ends_with(".cargo/config") {
            let file = cx.watch(TomlFile::new(&path, text))?;
            let document = cx.watch(file.parse())?;
            judged.examined += 1;
            for hit in of_config(&document, groups)? {
                let line = line_of(file.text(), &hit);
                judged.report(path.as_str(), hit, Location::at(&path, line, 0));
            }
        } else {
            lines(&path, &text, &mut judged)?;
        }
    }
    workflows(cx, &mut judged)?;
    Ok(judged.examined)
}

/// The files of the configuration, and whether they have to exist.
fn env_files(cx: &GateContext<'_>, config: &Config) -> Result<Vec<(RelPath, bool)>, GateError> {
    match &config.env_files {
        Some(files) => Ok(files.iter().map(|path| (path.clone(), true)).collect()),
        None => [".cargo/config.toml", ".cargo/config", "justfile", "Makefile"]
            .iter()
            .map(|path| Ok((cx.file_at(path)?.path().clone(), false)))
            .collect(),
    }
}

/// What was found so far.
struct Judged<'a, 'g, 'c> {
    groups: &'a Groups<'g, 'c>,
    out: &'a mut Findings,
    seen: BTreeSet<(String, u32, u32, Hit)>,
    examined: usize,
}

impl Judged<'_, '_, '_> {
    fn variable(
        &mut self,
        subject: &str,
        name: &str,
        value: &str,
        at: &Location,
    ) -> Result<(), GateError> {
        if holds_flags(name) {
            self.examined += 1;
            for hit in of_rustc(&words_of(value), self.groups)? {
                self.report(&format!("{subject} {name}"), hit, at.clone());
            }
        }
        Ok(())
    }

    fn command(&mut self, subject: &str, argv: &[String], at: &Location) -> Result<(), GateError> {
        self.examined += 1;
        for hit in of_command(argv, self.groups)? {
            self.report(subject, hit, at.clone());
        }
        Ok(())
    }

    fn report(&mut self, subject: &str, hit: Hit, at: Location) {
        if !self.seen.insert((at.path.clone(), at.line, at.column, hit.clone())) {
            return;
        }
        let remedy = "remove the flag; the levels of the workspace are the floor";
        self.out.push(match hit {
            Hit::Cap(flag) => Finding::new(
                CAP_LINTS,
                format!("{subject}: {flag}"),
                format!("`{flag}` caps every lint of the floor"),
                remedy,
            )
            .at(at)
            .found(flag),
            Hit::Lower(lint, flag) => Finding::new(
                COMMAND_LINE_LOWER,
                format!("{subject}: {flag}"),
                format!("`{flag}` lowers `{lint}`, which the floor holds"),
                remedy,
            )
            .at(at)
            .found(flag),
        });
    }
}

/// The first line that has what was found; a flag may stand apart from its lint, so its last word is looked for.
fn line_of(text: &str, hit: &Hit) -> u32 {
    let (Hit::Cap(flag) | Hit::Lower(_, flag)) = hit;
    let word = flag.split_whitespace().last().unwrap_or(flag);
    let found = (1u32..)
        .zip(text.lines())
        .find(|(_, line)| line.split('#').next().is_some_and(|code| code.contains(word)));
    found.map_or(0, |(number, _)| number)
}

/// Reads recipes and assignments line by line, with continued lines joined.
fn lines(path: &RelPath, text: &str, judged: &mut Judged<'_, '_, '_>) -> Result<(), GateError> {
    let mut joined = String::new();
    let mut start = 1;
    for (number, line) in (1u32..).zip(text.lines()) {
        if joined.is_empty() {
            start = number;
        }
        if let Some(head) = line.strip_suffix('\\') {
            joined.push_str(head);
            joined.push(' ');
            continue;
        }
        joined.push_str(line);
        let at = Location::at(path, start, 0);
        one_line(&joined, path.as_str(), &at, judged)?;
        joined.clear();
    }
    if joined.is_empty() {
        return Ok(());
    }
    one_line(&joined, path.as_str(), &Location::at(path, start, 0), judged)
}

fn one_line(
    line: &str,
    subject: &str,
    at: &Location,
    judged: &mut Judged<'_, '_, '_>,
) -> Result<(), GateError> {
    for command in split(line) {
        let mut words = command.as_slice();
        // `export NAME := "value"` and `NAME = value` of recipes, `NAME=value command` of shells.
        let assigned =
            words.iter().position(|word| matches!(word.as_str(), "=" | ":=" | "?=" | "+=" | "::="));
        if let Some(sign) = assigned
            && let Some(name) = sign.checked_sub(1).and_then(|index| words.get(index))
        {
            judged.variable(subject, name, &words[sign + 1..].join(" "), at)?;
            continue;
        }
        while let Some(word) = words.first() {
            let plain = word.trim_start_matches(['@', '-', '+']);
            match plain.split_once('=') {
                Some((name, value))
                    if crate::shell::is_name(name.trim_end_matches([':', '?', '+'])) =>
                {
                    judged.variable(subject, name.trim_end_matches([':', '?', '+']), value, at)?;
                }
                _ if word == "export" || word == "set" || word == "env" => {}
                _ => break,
            }
            words = &words[1..];
        }
        let mut argv = words.to_vec();
        if let Some(first) = argv.first_mut() {
            *first = first.trim_start_matches(['@', '-', '+']).to_owned();
        }
        let unwrapped = argv::unwrap(&argv);
        for (name, value) in &unwrapped.env {
            judged.variable(subject, name, value, at)?;
        }
        judged.command(subject, &unwrapped.argv, at)?;
    }
    Ok(())
}

/// The commands of a line as words: quotes are taken off, comments left out, `;`, `&&`, `||` and `|` end a command.
fn split(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let (mut quote, mut has_word) = (None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => word.push(c),
            (None, '"' | '\'') => (quote, has_word) = (Some(c), true),
            (None, '#') if word.is_empty() && !has_word => break,
            (None, ';' | '|' | '&') => {
                if !word.is_empty() || has_word {
                    words.push(std::mem::take(&mut word));
                }
                has_word = false;
                commands.push(std::mem::take(&mut words));
            }
            (None, _) if c.is_whitespace() => {
                if !word.is_empty() || has_word {
                    words.push(std::mem::take(&mut word));
                }
                has_word = false;
            }
            (None, _) => word.push(c),
        }
    }
    if !word.is_empty() || has_word {
        words.push(word);
    }
    commands.push(words);
    commands.retain(|command| !command.is_empty());
    commands
}

/// Reads every workflow, where there is one.
fn workflows(cx: &GateContext<'_>, judged: &mut Judged<'_, '_, '_>) -> Result<(), GateError> {
    let files = workflow::default_files();
    if cx.files(&files)?.is_empty() {
        return Ok(());
    }
    let scope = Scope { files, known_keys: BTreeSet::new() };
    // Files that mislead are the finding of the kinds over workflows.
    let mut elsewhere = Findings::new(&cx.gate().common.id);
    let workflows = cx.watch(workflow::load(cx, &scope, &mut elsewhere))?;
    let reader = |path: &str| -> Result<Option<String>, Fault> {
        // A script may name what is no path of this repository; then it opens nothing here.
        let Ok(path) = RelPath::parse(path) else { return Ok(None) };
        let file = cx.file(&path);
        if file.exists()? { file.text().map(Some) } else { Ok(None) }
    };
    let project = Project::new(&reader);
    for workflow in &workflows {
        for (name, value) in &workflow.env.entries {
            judged.variable(
                workflow.file_name(),
                name.as_str(),
                value.as_str(),
                &value.location(),
            )?;
        }
        for job in &workflow.jobs {
            for (name, value) in &job.env.entries {
                judged.variable(&job.id, name.as_str(), value.as_str(), &value.location())?;
            }
            let (lanes, _hidden) = workflow.lanes(job);
            for lane in &lanes {
                for (name, value) in lane.workflow.env.entries.iter().chain(&lane.job.env.entries) {
                    judged.variable(
                        &lane.id(),
                        name.as_str(),
                        value.as_str(),
                        &value.location(),
                    )?;
                }
                for step in lane.steps() {
                    of_step(&step, &project, judged)?;
                }
            }
        }
    }
    Ok(())
}

fn of_step(
    step: &StepView<'_>,
    project: &Project<'_>,
    judged: &mut Judged<'_, '_, '_>,
) -> Result<(), GateError> {
    let subject = step.subject();
    for env in step.levels() {
        for (name, value) in &env.entries {
            judged.variable(&subject, name.as_str(), value.as_str(), &value.location())?;
        }
    }
    let Some(script) = step.script() else { return Ok(()) };
    let Interpreter::Posix { errexit, pipefail } = step.interpreter() else {
        // Another shell is not followed; what its lines say in words is still read.
        for line in script.as_str().lines() {
            one_line(line, &subject, &script.location(), judged)?;
        }
        return Ok(());
    };
    let env: BTreeMap<String, String> = step
        .env()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), without_expressions(value)))
        .collect();
    let folder = step.working_directory().map_or("", Text::as_str);
    let options = Options { errexit, pipefail, ..Options::default() };
    let start = Start { text: script.as_str(), options, folder, env: &env };
    let followed = follow(&start, project, &|_| true, Mode::Green)?;
    let place = |place: &Place| match place {
        Place::Script(offset) => place_in(script, *offset),
        Place::File { path, line, column } => Location::at(path, *line, *column),
    };
    for trouble in &followed.troubles {
        judged.out.push(
            Finding::new(
                SCRIPT_UNPARSED,
                &subject,
                format!("a script cannot be read: {}", trouble.why),
                "write the script so that it can be read",
            )
            .at(place(&trouble.place)),
        );
    }
    for leaf in &followed.leaves {
        let at = place(&leaf.place);
        judged.command(&subject, &leaf.argv, &at)?;
        for (name, value) in leaf.env.iter().filter(|(name, value)| env.get(*name) != Some(*value))
        {
            judged.variable(&subject, name, value, &at)?;
        }
    }
    for (name, value, at) in &followed.later_env {
        judged.variable(&subject, name, value, &place(at))?;
    }
    Ok(())
}

/// A value in which what the provider puts in stands as what nobody knows.
fn without_expressions(value: &Text) -> String {
    let mut text = value.as_str().to_owned();
    while let Some(start) = text.find("${{") {
        let end = text[start..].find("}}").map_or(text.len(), |end| start + end + 2);
        text.replace_range(start..end, &OPAQUE.to_string());
    }
    text
}

/// The place of an offset in a script.
fn place_in(script: &Text, offset: usize) -> Location {
    let before = script.as_str().get(..offset).unwrap_or_default();
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().map_or(0, str::len);
    script.place_of(line, column).location()
}
