//! The summaries of gungraun, one document or one per line. Differences are not read: they are rounded already.

use super::{At, Out};
use crate::{
    Arm, FaultCode, Summary, Unit,
    json::{Node, Object, Problem},
};

/// The layout of a version.
#[derive(Clone, Copy)]
enum Layout {
    /// Versions 1 to 6: `summaries.total.summary.<Tool>.<Metric>.metrics`.
    Variants,
    /// Version 7: `data.total.metrics.<Metric>.values`.
    Values,
}

pub(super) fn read(file: &str, text: &str, out: &mut Out<'_>) -> Result<(), Problem> {
    let mut lines = (1_u32..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let is_per_line = lines.next().is_some_and(|(_, first)| {
        lines.next().is_some() && serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok()
    });
    if !is_per_line {
        return read_summary(file, Node::document(file, "", text)?, out);
    }
    for (number, line) in (1_u32..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("line {number}");
        let read =
            Node::document(file, &place, line).and_then(|node| read_summary(file, node, out));
        out.note(read);
    }
    Ok(())
}

fn read_summary(file: &str, node: Node<'_>, out: &mut Out<'_>) -> Result<(), Problem> {
    let summary = node.object()?;
    let version_node = summary.member("version")?;
    let version = version_node.text()?;
    let layout = match version.as_str() {
        "1" | "2" | "3" | "4" | "5" | "6" => Layout::Variants,
        "7" => Layout::Values,
        _ => {
            let detail = format!("version `{version}` is not known");
            return Err(version_node.problem(FaultCode::UnknownShape, detail));
        }
    };
    let bench = name(&summary)?;
    for profile in summary.member("profiles")?.elements()? {
        let profile = profile.object()?;
        let tool = profile.member("tool")?.text()?;
        for (event, node) in events(&profile, &tool, layout)? {
            if !is_asked_for(&tool, &event, out) {
                continue;
            }
            let metric = format!("{bench}#{tool}.{event}");
            let read = read_event(layout, &event, &node);
            match read.map_err(|problem| problem.of(&metric)) {
                Ok((unit, new, old)) => {
                    let pointer = node.pointer();
                    let version = version.as_str();
                    let at = At { metric: &metric, unit, file, pointer, version };
                    out.summary(&at, Arm::Candidate, Summary::of(new));
                    if let Some(old) = old {
                        out.summary(&at, Arm::Base, Summary::of(old));
                    }
                }
                Err(problem) => out.note(Err(problem)),
            }
        }
    }
    Ok(())
}

/// `module_path`, and the id of the case where there is one.
fn name(summary: &Object<'_>) -> Result<String, Problem> {
    let path = summary.member("module_path")?.text()?;
    match summary.optional("id").filter(|id| !id.is_null()) {
        Some(id) => Ok(format!("{path}::{}", id.text()?)),
        None => Ok(path),
    }
}

/// The events of a profile in total, with the node that holds both sides.
fn events<'a>(
    profile: &Object<'a>,
    tool: &str,
    layout: Layout,
) -> Result<Vec<(String, Node<'a>)>, Problem> {
    let metrics = match layout {
        Layout::Values => {
            let data = profile.member("data")?.object()?;
            data.member("total")?.object()?.member("metrics")?.object()?
        }
        Layout::Variants => {
            let total = profile.member("summaries")?.object()?.member("total")?.object()?;
            let summary = total.member("summary")?;
            if summary.text().is_ok_and(|text| text == "None") {
                return Ok(Vec::new());
            }
            let summary = summary.object()?;
            let mut variants = summary.members();
            match (variants.next(), variants.next()) {
                (Some((name, node)), None)
                    if name.eq_ignore_ascii_case(tool) || name == "ErrorTool" =>
                {
                    node.object()?
                }
                (Some(_) | None, Some(_) | None) => {
                    let detail = format!("expected the one member `{tool}`");
                    return Err(summary.node().problem(FaultCode::UnknownShape, detail));
                }
            }
        }
    };
    let mut events = Vec::new();
    for (event, node) in metrics.members() {
        let member = match layout {
            Layout::Values => "values",
            Layout::Variants => "metrics",
        };
        events.push((event.to_owned(), node.object()?.member(member)?));
    }
    Ok(events)
}

fn is_asked_for(tool: &str, event: &str, out: &Out<'_>) -> bool {
    if !out.settings.events.is_empty() {
        return out.settings.events.contains(event);
    }
    match event {
        "Ir" => true,
        "TotalBytes" | "TotalBlocks" => tool.eq_ignore_ascii_case("dhat"),
        _ => false,
    }
}

/// The unit of an event; hits and rates are better when higher, and a rate is no unit of ours.
fn unit(event: &str, node: &Node<'_>) -> Result<Unit, Problem> {
    if event.ends_with("hits")
        || event.ends_with("Hits") && event != "RamHits"
        || event.ends_with("Rate")
    {
        let detail = format!("`{event}` is no count that is better when lower");
        return Err(node.problem(FaultCode::UnitMismatch, detail));
    }
    Ok(if event.ends_with("Bytes") { Unit::Bytes } else { Unit::Count })
}

fn read_event(
    layout: Layout,
    event: &str,
    node: &Node<'_>,
) -> Result<(Unit, u64, Option<u64>), Problem> {
    let unit = unit(event, node)?;
    let sides = node.clone().object()?;
    let gone = || node.problem(FaultCode::MetricMissing, "only the old side was measured");
    match layout {
        Layout::Values => {
            let old = sides.optional("old").map(|old| old.value(0)).transpose()?;
            match (sides.optional("new"), old) {
                (Some(new), old) => Ok((unit, new.value(0)?, old)),
                (None, Some(_)) => Err(gone()),
                (None, None) => {
                    Err(node.problem(FaultCode::UnknownShape, "neither `new` nor `old`"))
                }
            }
        }
        Layout::Variants => {
            let mut variants = sides.members();
            match (variants.next(), variants.next()) {
                (Some(("Both", both)), None) => match both.elements()?.as_slice() {
                    [new, old] => Ok((unit, number(new)?, Some(number(old)?))),
                    _ => Err(both.problem(FaultCode::UnknownShape, "expected `[new, old]`")),
                },
                (Some(("Left", new)), None) => Ok((unit, number(&new)?, None)),
                (Some(("Right", old)), None) => number(&old).and_then(|_old| Err(gone())),
                (Some(_) | None, Some(_) | None) => {
                    Err(node.problem(FaultCode::UnknownShape, "expected `Both`, `Left` or `Right`"))
                }
            }
        }
    }
}

/// `{"Int": n}` or `{"Float": x}`.
fn number(node: &Node<'_>) -> Result<u64, Problem> {
    let object = node.clone().object()?;
    let mut variants = object.members();
    match (variants.next(), variants.next()) {
        (Some(("Int" | "Float", value)), None) => value.value(0),
        (Some(_) | None, Some(_) | None) => {
            Err(node.problem(FaultCode::UnknownShape, "expected `Int` or `Float`"))
        }
    }
}
