//! Surfaces that change on purpose only: what others rely on is written down, compared, and accepted by a person.
//! It does not judge whether a change is compatible.

mod config;
mod help;
mod public;
mod section;
mod snapshot;
mod teeth;
mod values;

use crate::lane::{ADMISSION_UNUSED, SELECTOR_MATCHES_NOTHING};
use crate::text_tokens::SECTION_MISSING;
use config::{Config, Growth, Provider, Surface};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location,
    wire::code::INPUT_UNREADABLE,
};
use snapshot::{Difference, Snapshot};
use std::collections::BTreeMap;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Freezes what others rely on: a change has to be made twice, in the source and in its snapshot.
    ///
    /// ### What it checks
    /// Each surface is built from its sources as a sorted list of items, and compared with its snapshot byte by byte.
    /// A difference is shown item by item, and as a unified diff in the output. Nothing is written unless
    /// `PORTCULLIS_BLESS=1` asks for it, and never where `CI` is set, to whatever value. A name that the snapshot
    /// does not have is growth: under `growth = "listed"` it needs an entry in `allow` whose decision record exists,
    /// and it is refused without one also when the snapshot is written.
    ///
    /// ### Why it gates
    /// A default, a limit or a field is changed in one line; who relies on it learns of it when something breaks.
    ///
    /// ### Example
    /// Refused: `fail_pct = 100.0` is removed from a file of limits while its snapshot still has it. Accepted: the
    /// comments of that file are rewritten.
    ///
    /// ### Configuration
    /// - `surface`: one table per surface, at least one. `id`: its name, unique in the gate.
    /// - `provider`: what it is built from. `config_values`: values of TOML or JSON files. `doc_section`: the text of
    ///   sections of Markdown files. `json_schema`: JSON Schema files, without their descriptions. `public_items`: the
    ///   public items of Rust sources, with fields, types, signatures and variants, without bodies. `cli_help`: what
    ///   the programs of the packages say when they are asked for help; `cargo run` builds them for that.
    /// - `source`: a path or a list of paths; for `cli_help` the manifests of the packages.
    /// - `select`: JSON Pointers (`config_values`, `json_schema`), headings (`doc_section`, required), names of items
    ///   (`public_items`), or subcommands (`cli_help`); default everything. Each must select something.
    /// - `snapshot`: the file that holds the accepted surface.
    /// - `growth`: `listed` (default), `free`, or `none` where no name may ever be added.
    /// - `allow`: list of `{ name, decision }`: a name that was added, as the finding spells it, and the path of the
    ///   record that says why. The entries stay as long as the names do.
    /// - `direction`: what to do about a difference, default "change the code to match the snapshot".
    ///
    /// ### Remediation
    /// - `contract_drift`: follow `direction`, or accept the change with `PORTCULLIS_BLESS=1` and commit the snapshot.
    /// - `snapshot_missing`: run the gate with `PORTCULLIS_BLESS=1` on your own machine, and commit what it writes.
    /// - `growth_not_listed`: write a decision record, and name it with the new name under `allow`.
    /// - `decision_missing`: write the record, or correct its path.
    /// - `section_missing`: restore the section under its exact heading, or correct `select`.
    /// - `section_duplicate`: rename one of the sections, so that the name says which one is frozen.
    /// - `selector_matches_nothing`: correct `select`, or restore what it named.
    /// - `admission_unused`: remove the entry of `allow`; its name is gone.
    /// - `surface_empty`: correct `source` and `select`; a surface without items freezes nothing.
    pub static CONTRACT_FREEZE: "contract_freeze", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const CONTRACT_DRIFT: Code =
    Code::new("PC1540", "contract_drift", "A frozen surface differs from its snapshot.");
const SNAPSHOT_MISSING: Code =
    Code::new("PC1541", "snapshot_missing", "A frozen surface has no snapshot.");
const GROWTH_NOT_LISTED: Code = Code::new(
    "PC1542",
    "growth_not_listed",
    "A frozen surface has a new name that no decision lists.",
);
const DECISION_MISSING: Code =
    Code::new("PC1543", "decision_missing", "The decision record of a new name does not exist.");
const SECTION_DUPLICATE: Code =
    Code::new("PC1544", "section_duplicate", "A frozen section has a heading that stands twice.");
const SURFACE_EMPTY: Code =
    Code::new("PC1545", "surface_empty", "A frozen surface has no items at all.");

const CODES: &[Code] = &[
    CONTRACT_DRIFT,
    SNAPSHOT_MISSING,
    GROWTH_NOT_LISTED,
    DECISION_MISSING,
    SECTION_MISSING,
    SECTION_DUPLICATE,
    SELECTOR_MATCHES_NOTHING,
    ADMISSION_UNUSED,
    SURFACE_EMPTY,
];

/// The items of a surface by name.
type Items = BTreeMap<String, Item>;

/// One item: what it is, and where.
#[derive(Clone, Debug)]
struct Item {
    text: String,
    at: Location,
}

/// Builds and compares every surface; returns how many items were looked at.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let is_blessing = cx.is_blessing()?;
    let mut examined = 0;
    for surface in &config.surface {
        examined += judge(cx, surface.get_ref(), is_blessing, out)?;
    }
    Ok(Examined::items(examined))
}

/// Judges one surface, and writes its snapshot when that is asked for and nothing stands against it.
fn judge(
    cx: &GateContext<'_>,
    surface: &Surface,
    is_blessing: bool,
    out: &mut Findings,
) -> Result<usize, GateError> {
    let before = out.total();
    let items = build(cx, surface, out)?;
    if items.is_empty() && out.total() == before {
        let headline = format!("the surface `{}` has no items", surface.id);
        let fault = Fault::new(SURFACE_EMPTY, headline, "correct `source` and `select`");
        return cx.watch(Err(fault.at(Location::file(surface.first_source()))));
    }
    let file = cx.file(&surface.snapshot);
    let committed = if file.exists()? {
        let text = file.text()?;
        let parsed = cx.watch(Snapshot::parse(&surface.snapshot, &text))?;
        Some((text, parsed))
    } else {
        None
    };
    let accepted = committed.as_ref().map(|(_, parsed)| parsed);
    decisions(cx, surface, &items, accepted, out)?;
    let fresh = Snapshot::of(surface, &items, accepted);
    let text = fresh.render();
    if is_blessing {
        // What the allowlist refuses is refused before anything is written.
        if out.total() == before && committed.as_ref().is_none_or(|(old, _)| *old != text) {
            cx.bless(&surface.snapshot, text.as_bytes())?;
        }
    } else {
        match &committed {
            None => out.push(missing(surface)),
            Some((old, parsed)) if *old != text => {
                drift(cx, surface, &items, (old, parsed), (&text, &fresh), out)
            }
            Some(_) => {}
        }
    }
    Ok(items.len())
}

fn build(cx: &GateContext<'_>, surface: &Surface, out: &mut Findings) -> Result<Items, GateError> {
    match surface.provider {
        Provider::ConfigValues => values::config(cx, surface, out),
        Provider::JsonSchema => values::schema(cx, surface, out),
        Provider::DocSection => section::read(cx, surface, out),
        Provider::PublicItems => public::read(cx, surface, out),
        Provider::CliHelp => help::read(cx, surface),
    }
}

/// Holds names that the accepted surface does not have against the allowlist.
fn decisions(
    cx: &GateContext<'_>,
    surface: &Surface,
    items: &Items,
    accepted: Option<&Snapshot>,
    out: &mut Findings,
) -> Result<(), GateError> {
    for (name, item) in items {
        // The first snapshot has nothing to grow from.
        let is_grown = accepted.is_some_and(|accepted| accepted.is_growth(name));
        if is_grown && surface.growth != Growth::Free && surface.allowed(name).is_none() {
            out.push(growth(surface, name, item));
        }
    }
    for allow in &surface.allow {
        let (allow, at) = (allow.get_ref(), cx.locate(allow.span().start));
        if !items.contains_key(&allow.name) {
            let message = format!("the surface `{}` has no `{}`", surface.id, allow.name);
            let subject = format!("{}: {}", surface.id, allow.name);
            out.push(Finding::new(ADMISSION_UNUSED, subject, message, "remove the entry").at(at));
        } else if !cx.file(&allow.decision).exists()? {
            let message = format!(
                "`{}` is allowed by `{}`, which does not exist",
                allow.name, allow.decision
            );
            let subject = format!("{}: {}", surface.id, allow.name);
            let remedy = format!("write `{}`, or correct the path", allow.decision);
            out.push(Finding::new(DECISION_MISSING, subject, message, remedy).at(at));
        }
    }
    Ok(())
}

fn growth(surface: &Surface, name: &str, item: &Item) -> Finding {
    let remedy = match surface.growth {
        Growth::None => "remove it; nothing may be added to this surface".to_owned(),
        Growth::Listed | Growth::Free => format!(
            "write a decision record such as `docs/decisions/{}.md`, and add `{{ name = \"{name}\", decision = \"..\" }}` to `allow`",
            slug(surface, name)
        ),
    };
    let message = format!("`{name}` is new in the surface `{}`", surface.id);
    Finding::new(GROWTH_NOT_LISTED, format!("{}: {name}", surface.id), message, remedy)
        .at(item.at.clone())
        .found(item.text.clone())
}

/// A file name for the decision about a name.
fn slug(surface: &Surface, name: &str) -> String {
    let last = name.rsplit(['#', '/', ':', '.']).find(|part| !part.is_empty()).unwrap_or("item");
    let plain: String = last
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    format!("{}_{plain}", surface.id)
}

fn missing(surface: &Surface) -> Finding {
    Finding::new(
        SNAPSHOT_MISSING,
        &surface.id,
        format!("the surface `{}` has no snapshot `{}`", surface.id, surface.snapshot),
        "run the gate with `PORTCULLIS_BLESS=1` on your own machine, and commit the file",
    )
    .at(Location::file(&surface.snapshot))
}

/// Reports every item that differs, and says the whole difference.
fn drift(
    cx: &GateContext<'_>,
    surface: &Surface,
    items: &Items,
    (old, accepted): (&str, &Snapshot),
    (new, fresh): (&str, &Snapshot),
    out: &mut Findings,
) {
    cx.note(snapshot::unified(surface.snapshot.as_str(), old, new));
    let remedy = format!(
        "{}; or accept it with `PORTCULLIS_BLESS=1` and commit `{}`",
        surface.direction, surface.snapshot
    );
    let finding = |subject: &str, message: String, at: Location| {
        let subject = format!("{}: {subject}", surface.id);
        Finding::new(CONTRACT_DRIFT, subject, message, remedy.clone()).at(at)
    };
    let differences = accepted.differences(fresh);
    for difference in &differences {
        let id = &surface.id;
        let place = |name: &str| {
            items
                .get(name)
                .map_or_else(|| Location::file(&surface.snapshot), |item| item.at.clone())
        };
        out.push(match difference {
            Difference::Added(name, text) => {
                finding(name, format!("`{name}` is not in the snapshot of `{id}`"), place(name))
                    .found(*text)
            }
            Difference::Changed(name, old, new) => {
                finding(name, format!("`{name}` of `{id}` has changed"), place(name))
                    .expected(*old)
                    .found(*new)
            }
            Difference::Removed(name, text) => {
                let at = accepted.place(name, &surface.snapshot);
                finding(name, format!("`{name}` of `{id}` is gone"), at).expected(*text)
            }
        });
    }
    if differences.is_empty() {
        let message = format!("`{}` is not as it is written by this version", surface.snapshot);
        out.push(finding("the snapshot", message, Location::file(&surface.snapshot)));
    }
}

/// Whether and where a selection came out empty; as a finding, so that what has drifted is shown as well.
fn unselected(surface: &Surface, selector: &str, at: Location) -> Finding {
    Finding::new(
        SELECTOR_MATCHES_NOTHING,
        format!("{}: {selector}", surface.id),
        format!("`{selector}` of the surface `{}` selects nothing", surface.id),
        "restore what it named, or correct `select`",
    )
    .at(at)
}

/// A fault about a source that is there and cannot be used.
fn unreadable(path: &portcullis::RelPath, why: impl Into<String>) -> Fault {
    Fault::new(INPUT_UNREADABLE, why, "mend the file, or take it out of `source`")
        .at(Location::file(path))
}

#[cfg(test)]
mod tests;
