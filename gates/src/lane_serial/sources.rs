//! Files that lanes use: aliases and variables of cargo, profiles of nextest, recipes.

use super::config::{Config, SOURCES, Veto};
use super::threads::{flags, one_variable};
use super::{PARALLEL_CONFIG, Report};
use crate::{
    lane::SELECTOR_MATCHES_NOTHING,
    nextest_profiles::{Count, Profiles},
    shell::{
        follow::{Leaf, Mode, Place, Start, follow},
        open::Project,
        options::Options,
    },
    step_script::file_location,
    toml_file::TomlFile,
};
use portcullis::{Fault, GateContext, Location, RelPath};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeValue;

/// Looks into every source that exists; one that is named and does not exist is an error.
pub(super) fn judge(
    cx: &GateContext<'_>,
    config: &Config,
    project: &Project<'_>,
    _used: &BTreeSet<String>,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    let usual: Result<Vec<RelPath>, Fault> =
        SOURCES.iter().map(|path| Ok(cx.file_at(path)?.path().clone())).collect();
    let paths = match &config.sources {
        Some(paths) => paths.clone(),
        None => usual?,
    };
    for path in &paths {
        let file = cx.file(path);
        if !file.exists()? {
            if config.sources.is_some() {
                let headline = format!("the source `{path}` does not exist");
                let fault = Fault::new(SELECTOR_MATCHES_NOTHING, headline, "correct `sources`");
                return cx.watch(Err(fault.at(cx.gate().location.clone())));
            }
            cx.note(format!("source `{path}` does not exist"));
            continue;
        }
        report.examined += 1;
        match path.as_str().rsplit('/').next().unwrap_or_default() {
            "config.toml" | "config" => cargo_config(cx, path, report)?,
            "justfile" | "Justfile" | ".justfile" if config.veto == Veto::Everywhere => {
                recipes(path, "just", project, report)?;
            }
            "Makefile" | "makefile" | "GNUmakefile" if config.veto == Veto::Everywhere => {
                recipes(path, "make", project, report)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Aliases and variables of cargo's configuration.
fn cargo_config(
    cx: &GateContext<'_>,
    path: &RelPath,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    let file = TomlFile::new(path, cx.file(path).text()?)?;
    let root = cx.watch(file.parse())?;
    if let Some(table) = cx.watch(file.table(&root, "alias"))? {
        for (name, value) in table {
            let words: Vec<String> = match value.get_ref() {
                DeValue::String(text) => text.split_whitespace().map(str::to_owned).collect(),
                DeValue::Array(list) => list
                    .iter()
                    .filter_map(|item| item.get_ref().as_str())
                    .map(str::to_owned)
                    .collect(),
                DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Table(_) => Vec::new(),
            };
            let at = file.locate(value.span().start);
            let leaf = leaf(std::iter::once("cargo".to_owned()).chain(words).collect(), path, &at);
            flags(&leaf, &format!("{path}: alias {}", name.get_ref()), at, report);
        }
    }
    if let Some(table) = cx.watch(file.table(&root, "env"))? {
        for (name, value) in table {
            let text = match value.get_ref().as_table() {
                Some(inner) => inner.get("value").and_then(|one| one.get_ref().as_str()),
                None => value.get_ref().as_str(),
            };
            let at = file.locate(value.span().start);
            one_variable(name.get_ref(), text.unwrap_or_default(), path.as_str(), at, report);
        }
    }
    Ok(())
}

fn leaf(argv: Vec<String>, path: &RelPath, at: &Location) -> Leaf {
    Leaf {
        argv,
        place: Place::File { path: path.as_str().into(), line: at.line, column: at.column },
        env: BTreeMap::new(),
        folder: String::new(),
        is_conditional: false,
        is_verification: false,
    }
}

/// Every recipe of a justfile or makefile.
fn recipes(
    path: &RelPath,
    program: &str,
    project: &Project<'_>,
    report: &mut Report<'_>,
) -> Result<(), Fault> {
    let (names, variables) = match program {
        "just" => match project.justfile(path.as_str())? {
            Some(file) => (file.recipes().cloned().collect::<Vec<_>>(), file.variables()),
            None => return Ok(()),
        },
        _ => match project.makefile(path.as_str())? {
            Some(file) => (file.targets().cloned().collect::<Vec<_>>(), file.variables()),
            None => return Ok(()),
        },
    };
    for (name, value) in &variables {
        one_variable(name, value, path.as_str(), Location::file(path), report);
    }
    let env = BTreeMap::new();
    for name in names.iter().filter(|name| !name.contains(['%', '$', '\'', '"', ' '])) {
        let text = format!("{program} -f {path} {name}");
        let start = Start { text: &text, options: Options::default(), folder: "", env: &env };
        let followed = follow(&start, project, &|_: &[String]| false, Mode::Failures)?;
        for one in &followed.leaves {
            let at = match &one.place {
                Place::File { path, line, column } => file_location(path, *line, *column),
                Place::Script(_) => Location::file(path),
            };
            flags(one, &format!("{path}: {name}"), at.clone(), report);
            for (variable, value) in &one.env {
                one_variable(variable, value, &format!("{path}: {name}"), at.clone(), report);
            }
        }
    }
    Ok(())
}

/// Profiles, overrides and groups of nextest.
pub(super) fn profiles(
    config: &Config,
    profiles: &Profiles,
    used: &BTreeSet<String>,
    report: &mut Report<'_>,
) {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for profile in used {
        names.extend(profiles.chain(profile).iter().map(|one| one.name.as_str()));
    }
    let mut groups: BTreeSet<&str> = BTreeSet::new();
    for profile in profiles.all() {
        let is_used = names.contains(profile.name.as_str());
        if !is_used && config.veto == Veto::Serial {
            continue;
        }
        let whose = format!("{}: profile {}", profiles.path(), profile.name);
        // A profile that a nearer one overrides still stands there for the next who uses it.
        threads(profile.test_threads.as_ref(), "test-threads", &whose, profiles, report);
        extra(profile.run_extra_args.as_ref(), &whose, profiles, report);
        for one in &profile.overrides {
            threads(one.test_threads.as_ref(), "test-threads", &whose, profiles, report);
            extra(one.run_extra_args.as_ref(), &whose, profiles, report);
            if is_used {
                groups.extend(one.test_group.as_deref());
            }
        }
    }
    for group in groups {
        let whose = format!("{}: group {group}", profiles.path());
        threads(profiles.groups.get(group), "max-threads", &whose, profiles, report);
    }
}

fn threads(
    count: Option<&Count>,
    key: &str,
    whose: &str,
    profiles: &Profiles,
    report: &mut Report<'_>,
) {
    let Some((number, offset)) = count.filter(|(number, _)| *number != Some(1)) else { return };
    let shown = number.map_or_else(|| "no number".to_owned(), |number| number.to_string());
    let message = format!("`{key}` of {whose} is {shown}");
    let at = profiles.place(*offset);
    report.push(
        PARALLEL_CONFIG,
        &format!("{whose}: {key}"),
        message,
        "set it to 1, or remove it",
        at,
    );
}

fn extra(
    words: Option<&(Vec<String>, usize)>,
    whose: &str,
    profiles: &Profiles,
    report: &mut Report<'_>,
) {
    let Some((words, offset)) = words else { return };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let value = match word.strip_prefix("--test-threads") {
            Some("") => rest.clone().next().map(String::as_str),
            Some(attached) => attached.strip_prefix('='),
            None => None,
        };
        if value.is_some_and(|value| value != "1") {
            let message = format!("`run-extra-args` of {whose} asks for other threads");
            let at = profiles.place(*offset);
            report.push(
                PARALLEL_CONFIG,
                &format!("{whose}: run-extra-args"),
                message,
                "remove the flag",
                at,
            );
        }
    }
}
