//! What is linked: gates and kinds, sorted, each id once. Link order never shows.

use crate::{
    declare::{Declared, GateDecl, KindDecl, inventory},
    kernel::near::near,
    wire::{
        code::{CONFIG_UNKNOWN_KIND, DUPLICATE_GATE_ID, REGISTRY_EMPTY},
        fault::{Fault, Location},
        id::GateId,
    },
};
use std::collections::BTreeMap;

/// The linked gates and kinds, by id.
pub struct Registry {
    gates: BTreeMap<&'static str, &'static GateDecl>,
    kinds: BTreeMap<&'static str, &'static KindDecl>,
}

impl Registry {
    /// Collects what the linker kept.
    ///
    /// # Errors
    /// Two declarations of one id, naming both places; an id that is not one; nothing at all.
    pub fn collect() -> Result<Self, Vec<Fault>> {
        let gates = inventory::iter::<&'static GateDecl>.into_iter().copied();
        let kinds = inventory::iter::<&'static KindDecl>.into_iter().copied();
        Self::of(gates, kinds)
    }

    /// The registry of these declarations, for tests and for platforms without constructors.
    ///
    /// # Errors
    /// As [`Registry::collect`].
    pub fn of(
        gates: impl IntoIterator<Item = &'static GateDecl>,
        kinds: impl IntoIterator<Item = &'static KindDecl>,
    ) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut registry = Self { gates: BTreeMap::new(), kinds: BTreeMap::new() };
        for gate in gates {
            insert(&mut registry.gates, gate.id, gate, |gate| gate.declared, &mut faults);
        }
        for kind in kinds {
            insert(&mut registry.kinds, kind.id, kind, |kind| kind.declared, &mut faults);
        }
        if registry.gates.is_empty() && registry.kinds.is_empty() {
            faults.push(Fault::new(
                REGISTRY_EMPTY,
                "no gate and no gate kind is linked into this gate binary",
                "name the crates that hold them: `portcullis::main! { crates: [portcullis_gates] }`",
            ));
        }
        if faults.is_empty() { Ok(registry) } else { Err(faults) }
    }

    /// The gates written in Rust, by id.
    pub fn gates(&self) -> impl Iterator<Item = &'static GateDecl> + '_ {
        self.gates.values().copied()
    }

    /// One gate written in Rust.
    #[must_use]
    pub fn gate(&self, id: &str) -> Option<&'static GateDecl> {
        self.gates.get(id).copied()
    }

    /// The linked kinds, by id.
    pub fn kinds(&self) -> impl Iterator<Item = &'static KindDecl> + '_ {
        self.kinds.values().copied()
    }

    /// One kind.
    ///
    /// # Errors
    /// `config_unknown_kind` with the nearest names; the place is the caller's to add.
    pub fn kind(&self, id: &str, place: &Location) -> Result<&'static KindDecl, Fault> {
        if let Some(kind) = self.kinds.get(id) {
            return Ok(kind);
        }
        let known: Vec<&str> = self.kinds.keys().copied().collect();
        let close = near(id, known.iter().copied());
        let remedy = match close.first() {
            Some(name) => format!("write `{name}`, or link the crate that has `{id}`"),
            None => format!(
                "link the crate that has `{id}` in `portcullis::main!`, or enable its feature"
            ),
        };
        Err(Fault::new(
            CONFIG_UNKNOWN_KIND,
            format!("no linked gate kind is called `{id}`"),
            remedy,
        )
        .at(place.clone())
        .expected(format!("one of {}", known.join(", "))))
    }
}

fn insert<T: Copy>(
    map: &mut BTreeMap<&'static str, T>,
    id: &'static str,
    declaration: T,
    place: fn(T) -> Declared,
    faults: &mut Vec<Fault>,
) {
    let here = place(declaration);
    if let Err(error) = GateId::parse(id) {
        faults.push(
            Fault::new(DUPLICATE_GATE_ID, error.to_string(), "rename it")
                .at(Location::at(here.file, here.line, 0)),
        );
    }
    if let Some(other) = map.insert(id, declaration) {
        let other = place(other);
        faults.push(
            Fault::new(
                DUPLICATE_GATE_ID,
                format!("`{id}` is declared twice"),
                "rename one of the two",
            )
            .at(Location::at(here.file, here.line, 0))
            .found(format!(
                "{}:{} in {} and {}:{} in {}",
                other.file, other.line, other.module, here.file, here.line, here.module
            )),
        );
    }
}
