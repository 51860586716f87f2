//! The levels of the workspace, and the members that inherit them.

use super::{
    FLOOR_LOWERED, FLOOR_MISSING, GROUP_OVERRIDES_FLOOR, MEMBER_NOT_INHERITING,
    SELECTOR_MATCHES_NOTHING,
    config::{Config, Level},
    groups::{Groups, plain},
};
use crate::{
    admission::Admissions,
    toml_file::{TomlFile, in_file_order},
};
use cargo_metadata::{Metadata, Package};
use portcullis::{Finding, Findings, GateContext, GateError, Location, RelPath};
use toml::{Spanned, de::DeValue};

/// One entry of the workspace's lint tables.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// `rust`, `clippy` or another tool.
    pub(super) tool: String,
    /// The lint without its tool.
    pub(super) name: String,
    pub(super) level: Level,
    pub(super) priority: i64,
    at: Location,
}

impl Entry {
    /// The lint as a floor names it.
    pub(super) fn full(&self) -> String {
        if self.tool == "rust" {
            self.name.clone()
        } else {
            format!("{}::{}", self.tool, self.name)
        }
    }
}

/// What plants are compiled under.
pub(super) struct Levels {
    pub(super) entries: Vec<Entry>,
    pub(super) edition: String,
}

/// Reads the workspace's levels, and judges them.
///
/// # Errors
/// When the manifest cannot be read.
pub(super) fn levels(
    cx: &GateContext<'_>,
    config: &Config,
    root: &RelPath,
    groups: &Groups<'_, '_>,
    out: &mut Findings,
) -> Result<Levels, GateError> {
    let file = cx.watch(TomlFile::new(root, cx.file(root).text()?))?;
    let document = cx.watch(file.parse())?;
    let mut entries = Vec::new();
    if let Some(tables) = cx.watch(file.table(&document, "workspace.lints"))? {
        for (tool, lints) in in_file_order(tables) {
            let lints = cx.watch(file.as_table(lints, tool.get_ref()))?;
            for (name, value) in in_file_order(lints) {
                entries.extend(entry(&file, tool.get_ref(), name.get_ref(), value));
            }
        }
    }
    for (lint, least) in &config.floor {
        let own = entries.iter().find(|entry| plain(&entry.full()) == plain(lint));
        match own {
            None => out.push(
                Finding::new(
                    FLOOR_MISSING,
                    lint,
                    format!("`[workspace.lints]` has no level for `{lint}`"),
                    format!("add `{lint}` with the level `{}` to `{root}`", least.name()),
                )
                .at(Location::file(root))
                .expected(least.name()),
            ),
            Some(own) if own.level < *least => out.push(
                Finding::new(
                    FLOOR_LOWERED,
                    lint,
                    format!("`{lint}` has a lower level than its floor"),
                    format!("write the level `{}`", least.name()),
                )
                .at(own.at.clone())
                .expected(least.name())
                .found(own.level.name()),
            ),
            Some(_) => {}
        }
        for group in &entries {
            let outranks = own.is_none_or(|own| comes_after(group, own));
            let is_lower = group.level < *least;
            if outranks && is_lower && groups.contains(&group.full(), lint, *least)? {
                let message =
                    format!("the group `{}` outranks `{lint}` with a lower level", group.full());
                let remedy = format!("give `{}` a lower `priority` than `{lint}`", group.full());
                out.push(
                    Finding::new(
                        GROUP_OVERRIDES_FLOOR,
                        format!("{} over {lint}", group.full()),
                        message,
                        remedy,
                    )
                    .at(group.at.clone())
                    .found(format!(
                        "level {}, priority {}",
                        group.level.name(),
                        group.priority
                    )),
                );
            }
        }
    }
    let edition = ["workspace.package", "package"].iter().find_map(|name| {
        let table = file.table(&document, name).ok().flatten()?;
        table.get("edition")?.get_ref().as_str().map(str::to_owned)
    });
    Ok(Levels { entries, edition: edition.unwrap_or_else(|| "2021".to_owned()) })
}

/// Whether cargo hands a level to the compiler after another one, so that it is the one that counts.
fn comes_after(group: &Entry, lint: &Entry) -> bool {
    // Within one priority cargo hands over names in falling order.
    group.priority > lint.priority
        || (group.priority == lint.priority && group.tool == lint.tool && group.name < lint.name)
}

/// An entry in its short or long form; what is no level is cargo's to refuse.
fn entry(file: &TomlFile, tool: &str, name: &str, value: &Spanned<DeValue<'_>>) -> Option<Entry> {
    let (level, priority) = if let DeValue::Table(table) = value.get_ref() {
        let level = table.get("level")?.get_ref().as_str().and_then(Level::parse)?;
        let priority = table.get("priority").and_then(|value| {
            let DeValue::Integer(number) = value.get_ref() else { return None };
            number.as_str().parse().ok()
        });
        (level, priority.unwrap_or(0))
    } else {
        (value.get_ref().as_str().and_then(Level::parse)?, 0)
    };
    let at = file.locate(value.span().start);
    Some(Entry { tool: tool.to_owned(), name: name.to_owned(), level, priority, at })
}

/// Holds every member against the table, and returns those that have the floor.
///
/// # Errors
/// When a manifest cannot be read.
pub(super) fn members<'m>(
    cx: &GateContext<'_>,
    config: &Config,
    metadata: &'m Metadata,
    exempt: &mut Admissions<'_>,
    out: &mut Findings,
) -> Result<Vec<&'m Package>, GateError> {
    let members: Vec<&Package> = metadata
        .packages
        .iter()
        .filter(|package| metadata.workspace_members.contains(&package.id))
        .collect();
    for entry in &config.exempt_members {
        let name = &entry.get_ref().name;
        if !members.iter().any(|member| member.name.as_str() == name) {
            let message = format!("the workspace has no member `{name}`");
            out.push(
                Finding::new(
                    SELECTOR_MATCHES_NOTHING,
                    name,
                    message,
                    "correct the name, or remove it",
                )
                .at(cx.locate(entry.span().start)),
            );
        }
    }
    let mut held = Vec::new();
    for member in members {
        let Some(path) = below(metadata, member.manifest_path.as_str()) else { continue };
        let index = config
            .exempt_members
            .iter()
            .position(|entry| entry.get_ref().name == member.name.as_str());
        let file = cx.watch(TomlFile::new(&path, cx.file(&path).text()?))?;
        let document = cx.watch(file.parse())?;
        let inherits = cx
            .watch(file.table(&document, "lints"))?
            .and_then(|lints| lints.get("workspace"))
            .is_some_and(|value| matches!(value.get_ref(), DeValue::Boolean(true)));
        if inherits {
            held.push(member);
            continue;
        }
        if index.is_some_and(|index| exempt.cover(index)) {
            continue;
        }
        held.push(member);
        out.push(
            Finding::new(
                MEMBER_NOT_INHERITING,
                &member.name,
                format!("`{}` does not inherit the lints of the workspace", member.name),
                "add `[lints]` with `workspace = true`",
            )
            .at(Location::file(&path)),
        );
    }
    Ok(held)
}

/// The path below the repository of a file that cargo names absolutely.
pub(super) fn below(metadata: &Metadata, absolute: &str) -> Option<RelPath> {
    let rest = absolute.strip_prefix(metadata.workspace_root.as_str())?;
    RelPath::parse(&rest.trim_start_matches(['/', '\\']).replace('\\', "/")).ok()
}
