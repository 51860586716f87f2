//! The directory that criterion keeps. Its names are cut and rewritten, so a name is read from `full_id` alone.

use super::{At, Input, Out, VERSION};
use crate::{
    Exit, FaultCode, Unit,
    json::{Node, Problem, text_of},
};
use std::collections::BTreeMap;

/// The files of one `new/` that are read; the others are left alone.
#[derive(Default)]
struct Bench {
    id: Option<String>,
    values: Option<Vec<u64>>,
    has_estimates: bool,
    is_refused: bool,
}

/// Reads every `new/` below the root, one file at a time; `base/`, `change/` and `report/` are of earlier runs.
pub(super) fn read(inputs: impl Iterator<Item = Input>, out: &mut Out<'_>) {
    let mut benches: BTreeMap<String, Bench> = BTreeMap::new();
    for input in inputs {
        let Some((folder, name)) = input.path.rsplit_once('/') else { continue };
        if folder != "new" && !folder.ends_with("/new") {
            continue;
        }
        if !matches!(name, "benchmark.json" | "sample.json" | "estimates.json") {
            continue;
        }
        let bench = benches.entry(folder.to_owned()).or_default();
        let read = out.fresh(&input).and_then(|()| {
            let node = Node::document(&input.path, "", text_of(&input.path, &input.bytes)?)?;
            read_file(name, node, bench)
        });
        bench.is_refused |= read.is_err();
        out.note(read);
    }
    for (folder, bench) in benches {
        if bench.is_refused {
            continue;
        }
        match (bench.id, bench.values, bench.has_estimates) {
            (Some(metric), Some(values), true) => {
                let file = format!("{folder}/sample.json");
                let at = At {
                    metric: &metric,
                    unit: Unit::Ns,
                    file: &file,
                    pointer: "/times",
                    version: VERSION,
                };
                out.samples(&at, out.settings.arm, values, Exit::Unknown);
            }
            (id, values, has_estimates) => {
                let absent = [
                    ("benchmark.json", id.is_none()),
                    ("sample.json", values.is_none()),
                    ("estimates.json", !has_estimates),
                ];
                let absent: Vec<&str> =
                    absent.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
                let detail = format!("there is no {}", absent.join(", no "));
                out.note(Err(Problem::new(FaultCode::UnknownShape, &folder, "", detail)));
            }
        }
    }
}

fn read_file(name: &str, node: Node<'_>, bench: &mut Bench) -> Result<(), Problem> {
    let object = node.object()?;
    match name {
        "benchmark.json" => bench.id = Some(object.member("full_id")?.text()?),
        "sample.json" => {
            let mode = object.member("sampling_mode")?;
            if !matches!(mode.text()?.as_str(), "Linear" | "Flat") {
                return Err(mode.problem(FaultCode::UnknownShape, "an unknown sampling mode"));
            }
            let (iters, times) = (object.member("iters")?, object.member("times")?);
            bench.values = Some(per_iteration(&iters, &times)?);
        }
        _ => {
            let median = object.member("median")?.object()?;
            median.member("point_estimate")?.number()?;
            let interval = median.member("confidence_interval")?.object()?;
            interval.member("lower_bound")?.number()?;
            interval.member("upper_bound")?.number()?;
            bench.has_estimates = true;
        }
    }
    Ok(())
}

/// The time of one iteration in every sample.
pub(super) fn per_iteration(iters: &Node<'_>, times: &Node<'_>) -> Result<Vec<u64>, Problem> {
    let (iters, nodes) = (iters.elements()?, times.elements()?);
    if iters.len() != nodes.len() {
        let detail = format!("{} times for {} iteration counts", nodes.len(), iters.len());
        return Err(times.problem(FaultCode::UnknownShape, detail));
    }
    iters
        .iter()
        .zip(&nodes)
        .map(|(iters, time)| time.number()?.over(iters.number()?).map_err(|why| time.no_value(why)))
        .collect()
}
