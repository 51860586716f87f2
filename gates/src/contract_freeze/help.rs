//! What a program says when it is asked for help, option by option.

use super::{Item, Items, config::Surface, unreadable};
use portcullis::{GateContext, GateError, Location, RelPath, evidence::process::Exit};
use std::time::Duration;

/// How long building and asking may take.
const TIMEOUT: Duration = Duration::from_secs(600);

/// One item per usage, option and subcommand, of the programs and of the selected subcommands.
pub(super) fn read(cx: &GateContext<'_>, surface: &Surface) -> Result<Items, GateError> {
    let mut items = Items::new();
    let whole = [String::new()];
    for manifest in surface.sources() {
        for subcommand in whole.iter().chain(&surface.select) {
            let text = ask(cx, manifest, subcommand)?;
            let prefix = format!("{manifest}#{}", subcommand.trim());
            for (name, text) in entries(&text) {
                let name = format!("{} {name}", prefix.trim_end());
                items.insert(name, Item { text, at: Location::file(manifest) });
            }
        }
    }
    Ok(items)
}

fn ask(cx: &GateContext<'_>, manifest: &RelPath, subcommand: &str) -> Result<String, GateError> {
    let mut argv: Vec<String> = [
        "cargo",
        "run",
        "--quiet",
        "--locked",
        "--offline",
        "--manifest-path",
        manifest.as_str(),
        "--",
    ]
    .map(str::to_owned)
    .to_vec();
    argv.extend(subcommand.split_whitespace().map(str::to_owned));
    argv.push("--help".to_owned());
    let finished = cx.command(&argv).env("COLUMNS", "100").timeout(TIMEOUT).quiet().run()?;
    if finished.timed_out || finished.exit != Exit::Code(0) || finished.stdout.cut > 0 {
        let headline = format!("`{}` did not answer", argv.join(" "));
        let stderr = finished.stderr.text();
        let lines: Vec<&str> = stderr.lines().take(8).collect();
        return cx.watch(Err(unreadable(manifest, headline).found(lines.join(" | "))));
    }
    Ok(finished.stdout.text())
}

/// The entries of a help text by name. An entry begins at an indented option or word, or at `Usage:`, and what stands
/// below it belongs to it.
fn entries(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut entry_indent = usize::MAX;
    let mut heading = String::new();
    for line in text.lines() {
        let words = line.trim();
        let indent = line.len() - line.trim_start().len();
        if words.is_empty() {
            continue;
        }
        if indent == 0 {
            entry_indent = usize::MAX;
            heading = words.trim_end_matches(':').to_owned();
            if let Some(usage) = words.strip_prefix("Usage:") {
                found.push(("usage".to_owned(), collapsed(usage)));
            }
            continue;
        }
        // Options without a short form are indented further, and still begin an entry.
        let is_option = words.starts_with('-');
        if is_option || indent <= entry_indent {
            entry_indent = entry_indent.min(indent);
            let name = words.split("  ").next().unwrap_or(words);
            let name = if is_option {
                option_name(name)
            } else {
                format!("{heading}: {}", first_word(name))
            };
            found.push((name, collapsed(words)));
        } else if let Some((_, text)) = found.last_mut() {
            text.push(' ');
            text.push_str(&collapsed(words));
        }
    }
    found
}

/// The long form of an option, or the short one where there is no other.
fn option_name(spelt: &str) -> String {
    let forms: Vec<&str> =
        spelt.split([',', ' ', '=', '[']).filter(|form| form.starts_with('-')).collect();
    let long = forms.iter().find(|form| form.starts_with("--"));
    long.or(forms.first()).map_or_else(|| spelt.to_owned(), |form| (*form).to_owned())
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or(text)
}

fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_text_is_read_entry_by_entry() {
        let text = "Does things\n\nUsage: tool [OPTIONS] <COMMAND>\n\nCommands:\n  run   Runs it\n  help  Says it\n\n\
            Options:\n  -j, --jobs <N>\n          How many [default: 1]\n      --json  As JSON\n  -h      Help\n";
        let seen: Vec<String> =
            entries(text).iter().map(|(name, text)| format!("{name} = {text}")).collect();
        assert_eq!(
            seen,
            [
                "usage = tool [OPTIONS] <COMMAND>",
                "Commands: run = run Runs it",
                "Commands: help = help Says it",
                "--jobs = -j, --jobs <N> How many [default: 1]",
                "--json = --json As JSON",
                "-h = -h Help",
            ]
        );
    }
}
