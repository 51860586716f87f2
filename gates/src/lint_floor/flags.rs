//! What flags of the compiler, cargo's configuration and single command lines do to the floor.

use super::{config::Level, groups::Groups};
use portcullis::GateError;
use toml::de::{DeTable, DeValue};

/// What lowers the floor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hit {
    /// `--cap-lints`, as written.
    Cap(String),
    /// A lint of the floor, and the flag that lowers it.
    Lower(String, String),
}

/// Variables that hold flags for the compiler, as cargo and clippy read them.
pub(super) fn holds_flags(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name == "CLIPPY_ARGS" || name.ends_with("RUSTFLAGS") || name == "RUSTDOCFLAGS"
}

/// The flags in the value of such a variable.
pub(super) fn words_of(value: &str) -> Vec<String> {
    // `CARGO_ENCODED_RUSTFLAGS` and `CLIPPY_ARGS` have separators of their own.
    let value = value.replace("__CLIPPY_HACKERY__", " ");
    value
        .split(|c: char| c.is_whitespace() || c == '\u{1f}')
        .map(|word| word.trim_matches(['"', '\'']).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Judges the flags of the compiler.
///
/// # Errors
/// As [`Groups::lowered`].
pub(super) fn of_rustc(words: &[String], groups: &Groups<'_, '_>) -> Result<Vec<Hit>, GateError> {
    let mut hits = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if word == "--cap-lints" {
            hits.push(Hit::Cap(format!(
                "{word} {}",
                words.peek().map_or("", |next| next.as_str())
            )));
            continue;
        }
        if word.starts_with("--cap-lints=") {
            hits.push(Hit::Cap(word.clone()));
            continue;
        }
        let long =
            [("--allow", Level::Allow), ("--warn", Level::Warn), ("--force-warn", Level::Warn)];
        let short = [("-A", Level::Allow), ("-W", Level::Warn)];
        let by_long = long.iter().find_map(|(flag, level)| {
            let rest = word.strip_prefix(flag)?;
            (rest.is_empty() || rest.starts_with('='))
                .then(|| (*level, rest.trim_start_matches('=')))
        });
        let by_short = short
            .iter()
            .find_map(|(flag, level)| word.strip_prefix(flag).map(|rest| (*level, rest)));
        let Some((level, attached)) = by_long.or(by_short) else { continue };
        let names =
            if attached.is_empty() { words.next().map_or("", String::as_str) } else { attached };
        for name in names.split(',') {
            for lint in groups.lowered(name, level)? {
                hits.push(Hit::Lower(lint.to_owned(), format!("{word} {name}").trim().to_owned()));
            }
        }
    }
    Ok(hits)
}

/// Judges a whole command: the compiler's own flags, what stands behind `--` of cargo, and its `--config`.
///
/// # Errors
/// As [`Groups::lowered`].
pub(super) fn of_command(argv: &[String], groups: &Groups<'_, '_>) -> Result<Vec<Hit>, GateError> {
    let Some(program) = argv.first() else { return Ok(Vec::new()) };
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program).trim_end_matches(".exe");
    match name {
        "rustc" | "clippy-driver" | "rustdoc" => of_rustc(&argv[1..], groups),
        "cargo" | "cargo-clippy" | "cross" => {
            let split = argv.iter().position(|word| word == "--").unwrap_or(argv.len());
            let (own, behind) = argv.split_at(split);
            let mut hits = Vec::new();
            for (index, word) in own.iter().enumerate() {
                let setting = match word.strip_prefix("--config") {
                    Some("") => own.get(index + 1).map(String::as_str),
                    Some(rest) => rest.strip_prefix('='),
                    None => None,
                };
                if let Some(setting) = setting
                    && let Ok(table) = DeTable::parse(setting.trim_matches(['"', '\'']))
                {
                    hits.extend(of_config(table.get_ref(), groups)?);
                }
            }
            let compiles =
                own.iter().any(|word| matches!(word.as_str(), "clippy" | "rustc" | "rustdoc"));
            if (compiles || name == "cargo-clippy") && !behind.is_empty() {
                hits.extend(of_rustc(&behind[1..], groups)?);
            }
            Ok(hits)
        }
        _ => Ok(Vec::new()),
    }
}

/// Judges cargo's configuration: every `rustflags`, variables that hold flags, and aliases.
///
/// # Errors
/// As [`Groups::lowered`].
pub(super) fn of_config(
    table: &DeTable<'_>,
    groups: &Groups<'_, '_>,
) -> Result<Vec<Hit>, GateError> {
    let mut hits = Vec::new();
    let mut waiting = vec![(table, false)];
    while let Some((table, is_alias)) = waiting.pop() {
        for (key, value) in table.iter() {
            let key = key.get_ref().as_ref();
            match value.get_ref() {
                DeValue::Table(inner) => {
                    // `[env]` has a table of its own for each variable.
                    if holds_flags(key)
                        && let Some(value) =
                            inner.get("value").and_then(|value| value.get_ref().as_str())
                    {
                        hits.extend(of_rustc(&words_of(value), groups)?);
                    }
                    waiting.push((inner, is_alias || key == "alias"));
                }
                DeValue::String(_) | DeValue::Array(_) => {
                    let words = texts(value.get_ref());
                    if holds_flags(key) {
                        hits.extend(of_rustc(&words, groups)?);
                    } else if is_alias {
                        let argv: Vec<String> =
                            ["cargo".to_owned()].into_iter().chain(words).collect();
                        hits.extend(of_command(&argv, groups)?);
                    }
                }
                DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_) => {}
            }
        }
    }
    Ok(hits)
}

/// The words of a text or of a list of texts.
fn texts(value: &DeValue<'_>) -> Vec<String> {
    match value {
        DeValue::String(text) => words_of(text),
        DeValue::Array(list) => {
            list.iter().filter_map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
        }
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => Vec::new(),
    }
}
