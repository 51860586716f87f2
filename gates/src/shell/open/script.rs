//! `bash -c`, local scripts and sourced files.

use super::{Leaf, Opened, Opening, Origin, Project, Unit, located};
use crate::shell::options::Options;
use crate::shell::state::{State, join};
use crate::shell::tree::Command;
use portcullis::Fault;
use std::rc::Rc;

impl Project<'_> {
    /// A shell with a command string, a script, or a here-document.
    pub(super) fn shell(
        &self,
        leaf: &Leaf,
        is_bash: bool,
        rest: &[String],
        command: &Command,
        origin: &Origin,
    ) -> Result<Opening, Fault> {
        let mut options = Options { is_posix: !is_bash, ..Options::default() };
        let mut words = rest.iter();
        let mut takes_text = false;
        let mut reads_input = true;
        while let Some(word) = words.clone().next() {
            if word == "--" || word == "-" {
                words.next();
                break;
            }
            if !word.starts_with(['-', '+']) {
                break;
            }
            words.next();
            if word.starts_with("--") {
                if matches!(word.as_str(), "--rcfile" | "--init-file") {
                    words.next();
                }
                continue;
            }
            takes_text |= word.starts_with('-') && word.contains('c');
            if word.contains(['o', 'O']) {
                let name = words.next().cloned().unwrap_or_default();
                options.set(&[word.clone(), name]);
            } else {
                options.set(std::slice::from_ref(word));
            }
        }
        let mut words = words.cloned();
        if takes_text {
            let Some(text) = words.next() else { return Ok(Opening::None) };
            return Ok(text_unit(&text, options, leaf, words.skip(1).collect()));
        }
        if let Some(path) = words.next() {
            reads_input = false;
            let path = located(leaf, &path);
            if let Some(text) = self.read(&path)? {
                return Ok(file_unit(&path, &text, options, leaf, words.collect()));
            }
        }
        let document =
            command.redirects.iter().find(|redirect| redirect.operator.starts_with("<<"));
        if let Some(document) = document.filter(|_| reads_input) {
            // Whatever is expanded in the document is expanded before the shell reads it.
            let text = State::new(options, &leaf.folder, &leaf.env).single(&document.target);
            let mut opened = text_unit(&text, options, leaf, Vec::new());
            if let Opening::Opened(Opened { units, .. }) = &mut opened
                && let Some(unit) = units.first_mut()
            {
                unit.origin = Origin::Inside(origin.place(document.target.at));
            }
            return Ok(opened);
        }
        Ok(Opening::None)
    }

    /// A path of the repository that is run as a program.
    pub(super) fn script(
        &self,
        leaf: &Leaf,
        path: &str,
        rest: &[String],
    ) -> Result<Opening, Fault> {
        let path = join(&leaf.folder, path);
        let Some(text) = self.read(&path)? else { return Ok(Opening::None) };
        let first = text.lines().next().unwrap_or_default();
        let Some(interpreter) = first.strip_prefix("#!") else {
            // Without an interpreter line the calling shell runs it, unless it is no text of a script at all.
            let is_script = path.ends_with(".sh") || path.ends_with(".bash");
            return Ok(match is_script {
                true => file_unit(&path, &text, Options::default(), leaf, rest.to_vec()),
                false => Opening::None,
            });
        };
        match interpreter_options(interpreter) {
            Some(options) => Ok(file_unit(&path, &text, options, leaf, rest.to_vec())),
            None => Ok(Opening::None),
        }
    }

    pub(super) fn sourced(
        &self,
        leaf: &Leaf,
        rest: &[String],
        options: &Options,
    ) -> Result<Opening, Fault> {
        let Some(path) = rest.first() else { return Ok(Opening::None) };
        let path = located(leaf, path);
        let Some(text) = self.read(&path)? else { return Ok(Opening::None) };
        Ok(match file_unit(&path, &text, *options, leaf, Vec::new()) {
            Opening::Opened(opened) => Opening::Opened(Opened { is_same_shell: true, ..opened }),
            other @ (Opening::None | Opening::Argv(_) | Opening::Unparsed(_)) => other,
        })
    }
}

/// The options of an interpreter line; nothing when it names no shell that is read here.
pub(super) fn interpreter_options(line: &str) -> Option<Options> {
    let mut words = line.split_whitespace().map(str::to_owned).peekable();
    let mut name = words.next()?;
    if name.ends_with("/env") {
        while words.peek().is_some_and(|word| word.starts_with('-')) {
            words.next();
        }
        name = words.next()?;
    }
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    let known = matches!(name.as_str(), "sh" | "bash" | "dash" | "zsh" | "ksh");
    let mut options = Options { is_posix: name != "bash", ..Options::default() };
    options.set(&words.collect::<Vec<_>>());
    known.then_some(options)
}

/// A text that stands in the command itself.
fn text_unit(text: &str, options: Options, leaf: &Leaf, arguments: Vec<String>) -> Opening {
    match crate::shell::parse(text) {
        Ok(list) => Opening::Opened(Opened {
            units: vec![Unit {
                list: Rc::new(list),
                options,
                origin: Origin::Inside(leaf.place.clone()),
                folder: leaf.folder.clone(),
                arguments,
                ignores_failure: false,
            }],
            is_same_shell: false,
        }),
        Err(unparsed) => Opening::Unparsed(unparsed.why),
    }
}

fn file_unit(
    path: &str,
    text: &str,
    options: Options,
    leaf: &Leaf,
    arguments: Vec<String>,
) -> Opening {
    match crate::shell::parse(text) {
        Ok(list) => Opening::Opened(Opened {
            units: vec![Unit {
                list: Rc::new(list),
                options,
                origin: Origin::file(path, text),
                folder: leaf.folder.clone(),
                arguments,
                ignores_failure: false,
            }],
            is_same_shell: false,
        }),
        Err(unparsed) => Opening::Unparsed(format!("`{path}`: {}", unparsed.why)),
    }
}
