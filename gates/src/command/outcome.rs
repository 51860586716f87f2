//! What a finished command is held to: its exit, its lines, and the files it left. It runs nothing.

use super::{Config, OUTPUT_CONTRACT_BROKEN, UNDECLARED_SIDE_EFFECT, UNEXPECTED_EXIT};
use crate::pattern::Pattern;
use portcullis::{
    Fault, Finding, Findings, GateContext, GateError,
    evidence::{
        context::Snapshot,
        process::{Captured, Exit, Finished},
    },
    wire::code::INPUT_TOO_LARGE,
};
use toml::Spanned;

/// Reports an exit that is not one of the expected ones; a signal never is.
pub(super) fn exit(cx: &GateContext<'_>, config: &Config, finished: &Finished, out: &mut Findings) {
    let found = match finished.exit {
        Exit::Code(code) if config.expected_exit.get_ref().contains(&code) => return,
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("killed by signal {signal}"),
    };
    let expected: Vec<String> = config.expected_exit.get_ref().iter().map(i32::to_string).collect();
    let line = config.argv.get_ref().join(" ");
    out.push(
        Finding::new(
            UNEXPECTED_EXIT,
            &line,
            format!("`{line}` ended with {found}"),
            "read its output in the receipt, and mend what it reports",
        )
        .at(cx.locate(config.argv.span().start))
        .expected(format!("exit code {}", expected.join(" or ")))
        .found(
            last_line(finished)
                .map_or(found.clone(), |line| format!("{found}; its last line: {line}")),
        ),
    );
}

fn last_line(finished: &Finished) -> Option<String> {
    let texts = [finished.stderr.text(), finished.stdout.text()];
    texts
        .iter()
        .find_map(|text| text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned))
}

/// Tries every pattern of the contract, and returns how many there are.
pub(super) fn output(
    cx: &GateContext<'_>,
    config: &Config,
    finished: &Finished,
    out: &mut Findings,
) -> Result<usize, GateError> {
    let streams = [
        ("stdout", &finished.stdout, &config.stdout_matches, &config.stdout_forbids),
        ("stderr", &finished.stderr, &config.stderr_matches, &config.stderr_forbids),
    ];
    let mut tried = 0;
    for (name, captured, required, forbidden) in streams {
        if required.is_empty() && forbidden.is_empty() {
            continue;
        }
        let text = cx.watch(whole(name, captured))?;
        for pattern in required {
            if cx.watch(first_match(pattern.get_ref(), &text))?.is_none() {
                out.push(absent(cx, config, name, pattern));
            }
        }
        for pattern in forbidden {
            if let Some((number, line)) = cx.watch(first_match(pattern.get_ref(), &text))? {
                out.push(
                    present(cx, config, name, pattern).found(format!("line {number}: {line}")),
                );
            }
        }
        tried += required.len() + forbidden.len();
    }
    Ok(tried)
}

/// The whole of a stream: a contract over a part of it would prove nothing.
fn whole(name: &str, captured: &Captured) -> Result<String, Fault> {
    if captured.cut == 0 {
        return Ok(captured.text());
    }
    let headline = format!("{} bytes of the command's {name} were not kept", captured.cut);
    Err(Fault::new(
        INPUT_TOO_LARGE,
        headline,
        "make the command less verbose, or write its output to an artifact",
    ))
}

fn first_match<'t>(pattern: &Pattern, text: &'t str) -> Result<Option<(usize, &'t str)>, Fault> {
    for (index, line) in text.lines().enumerate() {
        if pattern.matches(line)? {
            return Ok(Some((index + 1, line)));
        }
    }
    Ok(None)
}

fn absent(
    cx: &GateContext<'_>,
    config: &Config,
    stream: &str,
    pattern: &Spanned<Pattern>,
) -> Finding {
    let text = pattern.get_ref().text();
    let message =
        format!("no line of {stream} of `{}` matches `{text}`", config.argv.get_ref().join(" "));
    Finding::new(
        OUTPUT_CONTRACT_BROKEN,
        text,
        message,
        "make the command do what the line would prove",
    )
    .at(cx.locate(pattern.span().start))
}

fn present(
    cx: &GateContext<'_>,
    config: &Config,
    stream: &str,
    pattern: &Spanned<Pattern>,
) -> Finding {
    let text = pattern.get_ref().text();
    let message =
        format!("a line of {stream} of `{}` matches `{text}`", config.argv.get_ref().join(" "));
    Finding::new(OUTPUT_CONTRACT_BROKEN, text, message, "mend what the line reports")
        .at(cx.locate(pattern.span().start))
}

/// Reports every file that differs between the two snapshots and is not declared.
pub(super) fn side_effects(
    cx: &GateContext<'_>,
    config: &Config,
    before: &Snapshot,
    after: &Snapshot,
    out: &mut Findings,
) {
    for (path, change) in before.changes(after) {
        if config.side_effects.as_ref().is_some_and(|declared| declared.matches(&path)) {
            continue;
        }
        let line = config.argv.get_ref().join(" ");
        out.push(
            Finding::new(
                UNDECLARED_SIDE_EFFECT,
                &path,
                format!("`{line}` {change} `{path}`"),
                "let the command check instead of write, or declare the file in `side_effects`",
            )
            .at(cx.locate(config.argv.span().start)),
        );
    }
}
