//! `needs` as a graph: unknown names and cycles. Leaves out what an unsatisfied need does to a verdict.

use super::GateTable;
use crate::{
    kernel::near,
    wire::{
        code::CONFIG_INVALID,
        fault::Fault,
        id::GateId,
        ordered::{self, VecMap, VecSet},
        text::joined,
    },
};

/// Needs that no gate answers to. Asked over the roster, because a gate written in Rust may have no table.
#[must_use]
pub fn unknown_needs(gates: &[&GateTable]) -> Vec<Fault> {
    let mut ids: Vec<&str> = gates.iter().map(|gate| gate.common.id.as_str()).collect();
    ordered::sort(&mut ids);
    let mut faults = Vec::new();
    for gate in gates {
        for need in &gate.common.needs {
            if ids.binary_search(&need.as_str()).is_ok() {
                continue;
            }
            let remedy = near::hint(need.as_str(), ids.iter().copied())
                .unwrap_or_else(|| "remove it from `needs`, or add the gate".to_owned());
            let headline =
                format!("gate `{}` needs `{need}`, which does not exist", gate.common.id);
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(gate.location.clone()));
        }
    }
    faults
}

/// Gates that need each other in a circle, one fault for each circle.
#[must_use]
pub fn cycles(gates: &[&GateTable]) -> Vec<Fault> {
    let by_id: VecMap<&GateId, &GateTable> =
        gates.iter().map(|gate| (&gate.common.id, *gate)).collect();
    // A gate that needs nothing that is left can be taken away; what cannot be taken away is a circle or hangs on one.
    let mut open: VecMap<&GateId, usize> = VecMap::new();
    let mut dependents: VecMap<&GateId, Vec<&GateId>> = VecMap::new();
    for (id, gate) in &by_id {
        let known = gate.common.needs.iter().filter(|need| by_id.contains_key(need) && need != id);
        for need in known.clone() {
            dependents.get_or_default(need).push(id);
        }
        open.insert(id, known.count());
    }
    let mut free: Vec<&GateId> = open.iter().filter(|(_, n)| *n == 0).map(|(id, _)| *id).collect();
    while let Some(id) = free.pop() {
        open.remove(id);
        for dependent in dependents.get(id).into_iter().flatten() {
            if let Some(count) = open.get_mut(*dependent) {
                *count -= 1;
                if *count == 0 {
                    free.push(dependent);
                }
            }
        }
    }
    circles(&by_id, &open)
}

fn circles(by_id: &VecMap<&GateId, &GateTable>, open: &VecMap<&GateId, usize>) -> Vec<Fault> {
    let mut reported: VecSet<&GateId> = VecSet::new();
    let mut faults = Vec::new();
    for start in open.keys() {
        let mut path: Vec<&GateId> = Vec::new();
        let mut at = *start;
        // Every open gate needs an open gate, so the walk ends in a circle or in one already reported.
        while !path.contains(&at) && !reported.contains(at) {
            path.push(at);
            let next = by_id.get(at).and_then(|gate| {
                gate.common.needs.iter().find(|n| *n != at && open.contains_key(n))
            });
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        let circle = path.iter().position(|id| *id == at).map(|from| path[from..].to_vec());
        reported.extend(path);
        if let (Some(circle), Some(gate)) = (circle, by_id.get(at)) {
            let names = joined(circle.iter().chain([&at]).map(|id| id.as_str()), " -> ");
            let headline = format!("gates need each other in a circle: {names}");
            faults.push(
                Fault::new(CONFIG_INVALID, headline, "remove one of these from `needs`")
                    .at(gate.location.clone()),
            );
        }
    }
    faults
}
