//! What is linked: gates and kinds, sorted, each id once. Link order never shows.

use crate::{
    declare::{Declared, GateDecl, KindDecl, inventory},
    kernel::near::near,
    wire::{
        code::{CONFIG_UNKNOWN_KIND, DUPLICATE_GATE_ID, REGISTRY_EMPTY},
        fault::{Fault, Location},
        id::GateId,
        ordered,
    },
};

/// The linked gates and kinds, by id.
pub struct Registry {
    gates: Vec<&'static GateDecl>,
    kinds: Vec<&'static KindDecl>,
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
        let registry = Self {
            gates: sorted(gates, |gate| gate.id, |gate| gate.declared, &mut faults),
            kinds: sorted(kinds, |kind| kind.id, |kind| kind.declared, &mut faults),
        };
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
        self.gates.iter().copied()
    }

    /// One gate written in Rust.
    #[must_use]
    pub fn gate(&self, id: &str) -> Option<&'static GateDecl> {
        self.gates.binary_search_by(|gate| gate.id.cmp(id)).ok().map(|n| self.gates[n])
    }

    /// The linked kinds, by id.
    pub fn kinds(&self) -> impl Iterator<Item = &'static KindDecl> + '_ {
        self.kinds.iter().copied()
    }

    /// One kind.
    ///
    /// # Errors
    /// `config_unknown_kind` with the nearest names; the place is the caller's to add.
    pub fn kind(&self, id: &str, place: &Location) -> Result<&'static KindDecl, Fault> {
        if let Ok(n) = self.kinds.binary_search_by(|kind| kind.id.cmp(id)) {
            return Ok(self.kinds[n]);
        }
        let known: Vec<&str> = self.kinds.iter().map(|kind| kind.id).collect();
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

/// The declarations by id, each once. A sorted list, because linked declarations mostly come in one order already.
fn sorted<T: Copy>(
    declarations: impl IntoIterator<Item = T>,
    id: fn(T) -> &'static str,
    place: fn(T) -> Declared,
    faults: &mut Vec<Fault>,
) -> Vec<T> {
    let mut all: Vec<(&'static str, T)> = Vec::new();
    for declaration in declarations {
        let id = id(declaration);
        if let Err(error) = GateId::check(id) {
            let here = place(declaration);
            faults.push(
                Fault::new(DUPLICATE_GATE_ID, error.to_string(), "rename it")
                    .at(Location::at(here.file, here.line, 0)),
            );
        }
        all.push((id, declaration));
    }
    // Stable, so that of two with one id the one that is linked later is named first.
    let order = ordered::order(all.len(), &mut |a, b| all[a].0.cmp(all[b].0));
    for pair in order.windows(2) {
        let ((id, other), (next, here)) = (all[pair[0]], all[pair[1]]);
        if id == next {
            faults.push(twice(id, place(here), place(other)));
        }
    }
    order.into_iter().map(|n| all[n].1).collect()
}

fn twice(id: &str, here: Declared, other: Declared) -> Fault {
    Fault::new(DUPLICATE_GATE_ID, format!("`{id}` is declared twice"), "rename one of the two")
        .at(Location::at(here.file, here.line, 0))
        .found(format!(
            "{}:{} in {} and {}:{} in {}",
            other.file, other.line, other.module, here.file, here.line, here.module
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::Examined;

    const fn gate(id: &'static str, line: u32) -> GateDecl {
        GateDecl {
            id,
            page: &[],
            attributes: &[],
            check: |_, _| Ok(Examined::items(1)),
            declared: Declared { file: "gates.rs", line, module: "gates" },
        }
    }

    static LATE: GateDecl = gate("late", 1);
    static EARLY: GateDecl = gate("early", 2);
    static TWIN: GateDecl = gate("late", 3);
    static SHOUTED: GateDecl = gate("Late", 4);

    #[test]
    fn gates_are_found_and_listed_in_order_however_they_are_linked() {
        let registry =
            Registry::of([&LATE, &EARLY], []).unwrap_or_else(|faults| panic!("{faults:?}"));
        assert_eq!(registry.gates().map(|gate| gate.id).collect::<Vec<_>>(), ["early", "late"]);
        assert_eq!(registry.gate("late").map(|gate| gate.declared.line), Some(1));
        assert!(registry.gate("lat").is_none());
    }

    #[test]
    fn fg24_an_id_that_is_declared_twice_is_refused_with_both_places() {
        let refused = |gates: [&'static GateDecl; 3]| match Registry::of(gates, []) {
            Ok(_) => panic!("two gates share an id"),
            Err(faults) => faults,
        };
        let faults = refused([&LATE, &EARLY, &TWIN]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].code(), DUPLICATE_GATE_ID);
        let text = faults[0].to_string();
        assert!(text.contains("gates.rs:1") && text.contains("gates.rs:3"), "{text}");
        assert_eq!(refused([&SHOUTED, &EARLY, &LATE]).len(), 1, "an id that is none");
        assert_eq!(Registry::of([], []).err().map(|faults| faults[0].code()), Some(REGISTRY_EMPTY));
    }
}
