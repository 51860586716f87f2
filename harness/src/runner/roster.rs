//! The roster: policy tables joined with what is linked, every gate bound to its check.

use super::registry::Registry;
use crate::{
    declare::{GateDecl, KindDecl, Prepared},
    kernel::policy::{GateTable, Policy, unknown_needs},
    wire::{
        code::{CONFIG_UNKNOWN_KIND, DUPLICATE_GATE_ID},
        fault::{Fault, Location},
        id::GateId,
    },
};
use once_cell::sync::OnceCell;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The kind that gates written in Rust report.
pub const RUST_KIND: &str = "rust";
/// Trials that are not gates.
pub const AGGREGATES: &[&str] =
    &["full_certification", "full_suite_gate", "preflight_fast_fail", "waiver_lifecycle_audit"];

/// How a gate looks.
#[derive(Clone, Copy)]
pub enum Body {
    /// A check written in Rust.
    Rust(&'static GateDecl),
    /// An instance of a kind.
    Kind(&'static KindDecl),
}

/// One gate: its policy, its check.
pub struct Gate {
    /// The policy.
    pub table: Arc<GateTable>,
    /// How it looks.
    pub body: Body,
    prepared: OnceCell<Prepared>,
}

impl Gate {
    /// The id.
    #[must_use]
    pub fn id(&self) -> &GateId {
        &self.table.common.id
    }

    /// The kind, `rust` for a gate written in Rust.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.body {
            Body::Rust(_) => RUST_KIND,
            Body::Kind(kind) => kind.id,
        }
    }

    /// The lines of its page.
    #[must_use]
    pub fn page(&self) -> &'static [&'static str] {
        match self.body {
            Body::Rust(gate) => gate.page,
            Body::Kind(kind) => kind.page,
        }
    }

    /// Attributes a gate may not carry.
    #[must_use]
    pub fn attributes(&self) -> &'static [&'static str] {
        match self.body {
            Body::Rust(gate) => gate.attributes,
            Body::Kind(_) => &[],
        }
    }

    /// The check with its configuration, bound at most once.
    ///
    /// # Errors
    /// The faults of the configuration, with their lines.
    pub fn prepared(&self) -> Result<&Prepared, Vec<Fault>> {
        self.prepared.get_or_try_init(|| match self.body {
            Body::Rust(gate) => {
                let check = gate.check;
                let prepared: Prepared = Arc::new(check);
                Ok(prepared)
            }
            Body::Kind(kind) => (kind.prepare)(&self.table),
        })
    }
}

/// Every gate of the policy and every linked gate, by id.
pub struct Roster {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The gates, sorted by id.
    pub gates: Vec<Gate>,
    /// The same policy tables in the same order, for the decision and for gates that resolve ids.
    pub tables: Arc<Vec<GateTable>>,
    index: BTreeMap<GateId, usize>,
}

impl Roster {
    /// Joins policy and registry. `binary` is the gate binary that the Rust gates are linked into.
    ///
    /// # Errors
    /// Unknown kinds, tables without a gate behind them, reserved ids: every fault that can be found.
    pub fn join(policy: Policy, registry: &Registry, binary: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut gates: BTreeMap<GateId, Gate> = BTreeMap::new();
        for table in &policy.gates {
            match body(table, registry) {
                Ok(body) => {
                    let gate =
                        Gate { table: Arc::new(table.clone()), body, prepared: OnceCell::new() };
                    gates.insert(gate.id().clone(), gate);
                }
                Err(fault) => faults.push(fault),
            }
        }
        for declaration in registry.gates() {
            // Its shape was checked when the registry was built.
            let Ok(id) = GateId::parse(declaration.id) else { continue };
            gates.entry(id.clone()).or_insert_with(|| Gate {
                table: Arc::new(GateTable::for_rust(id, &policy, binary)),
                body: Body::Rust(declaration),
                prepared: OnceCell::new(),
            });
        }
        faults.extend(
            gates
                .values()
                .filter_map(|gate| reserved(gate.id().as_str(), gate.body, &gate.table.location)),
        );
        // Only here is it known which gates are written in Rust.
        let all: Vec<&GateTable> = gates.values().map(|gate| &*gate.table).collect();
        faults.extend(unknown_needs(&all));
        if !faults.is_empty() {
            return Err(faults);
        }
        let gates: Vec<Gate> = gates.into_values().collect();
        let tables = Arc::new(gates.iter().map(|gate| GateTable::clone(&gate.table)).collect());
        let index = gates.iter().enumerate().map(|(n, gate)| (gate.id().clone(), n)).collect();
        Ok(Self { policy: Arc::new(policy), gates, tables, index })
    }

    /// The position of a gate.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// The gates of one gate binary, by position.
    pub fn of_binary<'a>(&'a self, binary: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.gates
            .iter()
            .enumerate()
            .filter(move |(_, gate)| gate.table.common.binary == binary)
            .map(|(n, _)| n)
    }

    /// These gates and all that they need, by position, sorted.
    #[must_use]
    pub fn with_needs(&self, start: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut found = BTreeSet::new();
        let mut open: Vec<usize> = start.into_iter().collect();
        while let Some(n) = open.pop() {
            if found.insert(n) {
                open.extend(
                    self.gates[n]
                        .table
                        .common
                        .needs
                        .iter()
                        .filter_map(|id| self.position(id.as_str())),
                );
            }
        }
        found.into_iter().collect()
    }
}

fn body(table: &GateTable, registry: &Registry) -> Result<Body, Fault> {
    let id = table.common.id.as_str();
    if let Some(kind) = &table.common.kind {
        if let Some(declaration) = registry.gate(id) {
            let place = declaration.declared;
            return Err(Fault::new(
                DUPLICATE_GATE_ID,
                format!("`{id}` is both a table with a kind and a gate written in Rust"),
                "rename one of the two, or remove `kind` to give the Rust gate its policy",
            )
            .at(table.location.clone())
            .found(format!("{}:{}", place.file, place.line)));
        }
        return registry.kind(kind, &table.location).map(Body::Kind);
    }
    registry.gate(id).map(Body::Rust).ok_or_else(|| {
        Fault::new(
            CONFIG_UNKNOWN_KIND,
            format!("gate `{id}` has no `kind`, and no gate of that id is written in Rust"),
            "add `kind = \"...\"`, or link the crate that declares the gate",
        )
        .at(table.location.clone())
    })
}

fn reserved(id: &str, body: Body, table: &Location) -> Option<Fault> {
    AGGREGATES.contains(&id).then(|| {
        let place = match body {
            Body::Rust(declaration) => {
                Location::at(declaration.declared.file, declaration.declared.line, 0)
            }
            Body::Kind(_) => table.clone(),
        };
        Fault::new(
            DUPLICATE_GATE_ID,
            format!("`{id}` is the name of an aggregate"),
            "give the gate another id",
        )
        .at(place)
    })
}

/// The names of the trials of a gate binary: all that a list for people or nextest needs.
///
/// nextest asks twice before every run, so nothing is read or digested here that the names do not depend on.
///
/// # Errors
/// Unknown kinds, tables without a gate behind them, reserved ids. What a run refuses beyond that, it refuses itself.
pub fn names(
    policy: &Policy,
    registry: &Registry,
    binary: &str,
) -> Result<BTreeSet<String>, Vec<Fault>> {
    let (mut faults, mut names, mut tables) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for table in &policy.gates {
        let id = table.common.id.as_str();
        tables.insert(id);
        match body(table, registry) {
            Ok(body) => faults.extend(reserved(id, body, &table.location)),
            Err(fault) => faults.push(fault),
        }
        if table.common.binary == binary {
            names.insert(id.to_owned());
        }
    }
    for declaration in registry.gates().filter(|gate| !tables.contains(gate.id)) {
        let place = Location::at(declaration.declared.file, declaration.declared.line, 0);
        faults.extend(reserved(declaration.id, Body::Rust(declaration), &place));
        names.insert(declaration.id.to_owned());
    }
    if policy.binary == binary {
        names.extend(AGGREGATES.iter().map(|name| (*name).to_owned()));
    }
    if faults.is_empty() { Ok(names) } else { Err(faults) }
}
