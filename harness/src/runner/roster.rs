//! The roster: policy tables joined with what is linked, every gate bound to its check.

use super::registry::Registry;
use crate::{
    declare::{GateDecl, KindDecl, Prepared},
    kernel::policy::{GateTable, Policy, unknown_needs},
    wire::{
        code::{CONFIG_UNKNOWN_KIND, DUPLICATE_GATE_ID},
        fault::{Fault, Location},
        id::GateId,
        ordered::{self, VecSet},
    },
};
use once_cell::sync::OnceCell;
use std::sync::Arc;

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

/// What every gate of a roster is resolved against.
struct Shared {
    policy: Arc<Policy>,
    binary: String,
}

/// Where the policy of a gate stands.
enum Origin {
    /// In the policy, at this position.
    Table(usize),
    /// Nowhere: written in Rust without a table. Its defaults are built when somebody asks.
    Bare(GateId, OnceCell<Box<GateTable>>),
}

/// One gate: its policy, its check.
pub struct Gate {
    /// How it looks.
    pub body: Body,
    shared: Arc<Shared>,
    origin: Origin,
    prepared: OnceCell<Prepared>,
}

impl Gate {
    fn new(shared: &Arc<Shared>, origin: Origin, body: Body) -> Self {
        Self { body, shared: Arc::clone(shared), origin, prepared: OnceCell::new() }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &GateId {
        match &self.origin {
            Origin::Table(n) => &self.shared.policy.gates[*n].common.id,
            Origin::Bare(id, _) => id,
        }
    }

    /// The policy. Only gates that are asked about have one: a process that runs one of a thousand gates written in
    /// Rust builds one.
    #[must_use]
    pub fn table(&self) -> &GateTable {
        match &self.origin {
            Origin::Table(n) => &self.shared.policy.gates[*n],
            Origin::Bare(id, table) => table.get_or_init(|| {
                let Shared { policy, binary } = &*self.shared;
                Box::new(GateTable::for_rust(id.clone(), policy, binary))
            }),
        }
    }

    /// The gate binary that holds it.
    #[must_use]
    pub fn binary(&self) -> &str {
        match &self.origin {
            Origin::Table(_) => &self.table().common.binary,
            Origin::Bare(..) => &self.shared.binary,
        }
    }

    /// The gates that must pass first.
    #[must_use]
    pub fn needs(&self) -> &[GateId] {
        match &self.origin {
            Origin::Table(_) => &self.table().common.needs,
            Origin::Bare(..) => &[],
        }
    }

    /// Whether the policy says nothing about it.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        match &self.origin {
            Origin::Table(_) => false,
            Origin::Bare(..) => true,
        }
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
            Body::Kind(kind) => (kind.prepare)(self.table()),
        })
    }
}

/// Every gate of the policy and every linked gate, by id.
pub struct Roster {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The gates, sorted by id.
    pub gates: Arc<Vec<Gate>>,
}

impl Roster {
    /// Joins policy and registry. `binary` is the gate binary that the Rust gates are linked into.
    ///
    /// # Errors
    /// Unknown kinds, tables without a gate behind them, reserved ids: every fault that can be found.
    pub fn join(
        policy: Arc<Policy>,
        registry: &Registry,
        binary: &str,
    ) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let shared = Arc::new(Shared { policy: Arc::clone(&policy), binary: binary.to_owned() });
        let mut gates: Vec<Gate> = Vec::new();
        let mut tables: VecSet<&str> = VecSet::new();
        for (n, table) in policy.gates.iter().enumerate() {
            match body(table, registry) {
                Ok(body) => {
                    gates.push(Gate::new(&shared, Origin::Table(n), body));
                    tables.insert(table.common.id.as_str());
                }
                Err(fault) => faults.push(fault),
            }
        }
        for declaration in registry.gates().filter(|gate| !tables.contains(gate.id)) {
            // Its shape was checked when the registry was built.
            let Ok(id) = GateId::parse(declaration.id) else { continue };
            let origin = Origin::Bare(id, OnceCell::new());
            gates.push(Gate::new(&shared, origin, Body::Rust(declaration)));
        }
        ordered::sort_by(&mut gates, |a, b| a.id().cmp(b.id()));
        for name in AGGREGATES {
            if let Ok(n) = gates.binary_search_by(|gate| gate.id().as_str().cmp(name)) {
                faults.push(reserved(name, gates[n].body, Some(&gates[n].table().location)));
            }
        }
        // Only here is it known which gates are written in Rust.
        if policy.gates.iter().any(|table| !table.common.needs.is_empty()) {
            let all: Vec<&GateTable> = gates.iter().map(Gate::table).collect();
            faults.extend(unknown_needs(&all));
        }
        if faults.is_empty() { Ok(Self { policy, gates: Arc::new(gates) }) } else { Err(faults) }
    }

    /// The position of a gate.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        self.gates.binary_search_by(|gate| gate.id().as_str().cmp(id)).ok()
    }

    /// The policies of all gates, by id.
    pub fn tables(&self) -> impl Iterator<Item = &GateTable> {
        self.gates.iter().map(Gate::table)
    }

    /// The gates of one gate binary, by position.
    pub fn of_binary<'a>(&'a self, binary: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.gates
            .iter()
            .enumerate()
            .filter(move |(_, gate)| gate.binary() == binary)
            .map(|(n, _)| n)
    }

    /// These gates and all that they need, by position, sorted.
    #[must_use]
    pub fn with_needs(&self, start: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut found = VecSet::new();
        let mut open: Vec<usize> = start.into_iter().collect();
        while let Some(n) = open.pop() {
            if found.insert(n) {
                let needs = self.gates[n].needs().iter();
                open.extend(needs.filter_map(|id| self.position(id.as_str())));
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

/// The fault of a gate with the name of an aggregate. `table` is where its policy stands, if it has one.
fn reserved(id: &str, body: Body, table: Option<&Location>) -> Fault {
    let fault = Fault::new(
        DUPLICATE_GATE_ID,
        format!("`{id}` is the name of an aggregate"),
        "give the gate another id",
    );
    match (body, table) {
        (Body::Kind(_), Some(table)) => fault.at(table.clone()),
        (Body::Rust(GateDecl { declared, .. }) | Body::Kind(KindDecl { declared, .. }), _) => {
            fault.at(Location::at(declared.file, declared.line, 0))
        }
    }
}

/// The names of the trials of a gate binary: all that a list for people or nextest needs.
///
/// nextest asks twice before every run, so nothing is read or digested here that the names do not depend on.
///
/// # Errors
/// Unknown kinds, tables without a gate behind them, reserved ids. What a run refuses beyond that, it refuses itself.
pub fn names<'a>(
    policy: &'a Policy,
    registry: &Registry,
    binary: &str,
) -> Result<VecSet<&'a str>, Vec<Fault>> {
    let (mut faults, mut names, mut tables) = (Vec::new(), Vec::new(), VecSet::new());
    for table in &policy.gates {
        let id = table.common.id.as_str();
        tables.insert(id);
        match body(table, registry) {
            Ok(body) if AGGREGATES.contains(&id) => {
                faults.push(reserved(id, body, Some(&table.location)));
            }
            Ok(_) => {}
            Err(fault) => faults.push(fault),
        }
        if table.common.binary == binary {
            names.push(id);
        }
    }
    for declaration in registry.gates() {
        if tables.is_empty() || !tables.contains(declaration.id) {
            names.push(declaration.id);
        }
    }
    for name in AGGREGATES.iter().filter(|name| !tables.contains(*name)) {
        if let Some(declaration) = registry.gate(name) {
            faults.push(reserved(name, Body::Rust(declaration), None));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    // The registry is in order, and so are the names of gates written in Rust: a list in order costs little.
    let mut names = VecSet::from(names);
    if policy.binary == binary {
        names.extend(AGGREGATES.iter().copied());
    }
    Ok(names)
}
