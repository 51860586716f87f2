//! `completions` and `man`: what a shell and a reader of manuals need, from the same declaration as `--help`.

use crate::{
    args::{Arguments, Completions, Man},
    exit::{Exit, Refused},
    transport::Transport,
};
use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use std::io::Write as _;

const NAME: &str = "cargo-portcullis";

/// Runs `completions`.
pub(crate) fn completions(arguments: &Completions, out: &mut Transport) -> Result<Exit, Refused> {
    let mut command = Arguments::command().bin_name(NAME);
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, NAME, &mut script);
    out.raw(&String::from_utf8_lossy(&script));
    Ok(Exit::Pass)
}

/// Runs `man`: the page of the program, or one page for each command into a folder.
pub(crate) fn man(arguments: &Man, out: &mut Transport) -> Result<Exit, Refused> {
    let command = Arguments::command().bin_name(NAME).name(NAME);
    let Some(folder) = &arguments.out else {
        out.raw(&page(command)?);
        return Ok(Exit::Pass);
    };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let verbs: Vec<Command> = command.get_subcommands().cloned().collect();
    let mut pages = vec![(NAME.to_owned(), page(command)?)];
    for verb in verbs {
        let name = format!("{NAME}-{}", verb.get_name());
        pages.push((name.clone(), page(verb.display_name(name))?));
    }
    for (name, text) in &pages {
        let path = folder.join(format!("{name}.1"));
        std::fs::File::create(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    out.text(&format!("man: {} pages in {}", pages.len(), folder.display()));
    Ok(Exit::Pass)
}

fn page(command: Command) -> Result<String, Refused> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).context("a manual page cannot be rendered")?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
