//! The messages of `cargo criterion --message-format json`. What a group lists has to have been measured.

use super::{At, Out, VERSION, criterion_dir::per_iteration};
use crate::{
    Exit, FaultCode, Unit,
    json::{Node, Problem},
};
use std::collections::BTreeSet;

pub(super) fn read(file: &str, text: &str, out: &mut Out<'_>) -> Result<(), Problem> {
    let mut measured: BTreeSet<String> = BTreeSet::new();
    let mut listed: Vec<(String, String)> = Vec::new();
    for (number, line) in (1_u32..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("line {number}");
        let read = Node::document(file, &place, line)
            .and_then(|node| read_line(file, node, &mut measured, &mut listed, out));
        out.note(read);
    }
    for (metric, pointer) in listed {
        if !measured.contains(&metric) {
            let detail = "its group lists it, and it was not measured";
            out.note(Err(
                Problem::new(FaultCode::MetricMissing, file, &pointer, detail).of(&metric)
            ));
        }
    }
    Ok(())
}

fn read_line(
    file: &str,
    node: Node<'_>,
    measured: &mut BTreeSet<String>,
    listed: &mut Vec<(String, String)>,
    out: &mut Out<'_>,
) -> Result<(), Problem> {
    let message = node.object()?;
    let reason = message.member("reason")?;
    match reason.text()?.as_str() {
        "benchmark-complete" => {
            let id = message.member("id")?;
            let metric = whole_id(&id)?;
            // It was run, whatever is wrong with it: the complaint below is about it, not about its absence.
            measured.insert(metric.clone());
            let unit = message.member("unit")?;
            if unit.text()? != "ns" {
                return Err(unit
                    .problem(FaultCode::UnitMismatch, "times are read in ns")
                    .of(&metric));
            }
            let times = message.member("measured_values")?;
            let values = per_iteration(&message.member("iteration_count")?, &times)
                .map_err(|problem| problem.of(&metric))?;
            let pointer = times.pointer();
            let at = At { metric: &metric, unit: Unit::Ns, file, pointer, version: VERSION };
            out.samples(&at, out.settings.arm, values, Exit::Unknown);
        }
        "group-complete" => {
            message.member("group_name")?.text()?;
            for bench in message.member("benchmarks")?.elements()? {
                listed.push((whole_id(&bench)?, bench.pointer().to_owned()));
            }
        }
        _ => return Err(reason.problem(FaultCode::UnknownShape, "an unknown reason")),
    }
    Ok(())
}

/// An id that was cut could be that of two benches.
fn whole_id(node: &Node<'_>) -> Result<String, Problem> {
    let id = node.text()?;
    if id.ends_with("...") || id.ends_with('\u{2026}') {
        return Err(node.problem(FaultCode::UnknownShape, format!("the id `{id}` is cut")));
    }
    Ok(id)
}
