//! Teeth: every kind proves on small trees of its own that it can pass and that it can fail.

use crate::{
    declare::{KindDecl, Tooth},
    testing::Bench,
    wire::{
        code::{GATE_BROKEN, GATE_WITHOUT_FIXTURES},
        fault::{Fault, Location},
        ordered::VecMap,
        outcome::{Outcome, SkipReason},
    },
};
use once_cell::sync::OnceCell;
use std::sync::{Arc, Mutex, PoisonError};

/// The proven kinds of one process.
#[derive(Default)]
pub struct Teeth {
    proven: Mutex<VecMap<&'static str, Arc<OnceCell<Option<Fault>>>>>,
}

impl Teeth {
    /// Proves a kind once, and returns why its instances cannot be trusted.
    pub fn prove(&self, kind: &'static KindDecl) -> Option<Fault> {
        let cell = {
            let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(proven.get_or_default(kind.id))
        };
        cell.get_or_init(|| fault(kind)).clone()
    }
}

fn fault(kind: &'static KindDecl) -> Option<Fault> {
    let place = Location::at(kind.declared.file, kind.declared.line, 0);
    let good = kind.teeth.iter().filter(|tooth| tooth.expect.is_none()).count();
    if good == 0 || good == kind.teeth.len() {
        return Some(
            Fault::new(
                GATE_WITHOUT_FIXTURES,
                format!(
                    "kind `{}` has no known-{} fixture",
                    kind.id,
                    if good == 0 { "good" } else { "bad" }
                ),
                "add one to its `teeth`",
            )
            .at(place),
        );
    }
    let faults = faults(kind);
    faults.first().map(|first| {
        Fault::new(
            GATE_BROKEN,
            format!("kind `{}` fails its own teeth: {first}", kind.id),
            "mend the kind",
        )
        .at(place)
        .found(format!("{} of {} teeth are wrong", faults.len(), kind.teeth.len()))
    })
}

/// What is wrong with the teeth of a kind, one line each.
pub fn faults(kind: &'static KindDecl) -> Vec<String> {
    kind.teeth.iter().filter_map(|tooth| bite(kind, tooth)).collect()
}

fn bite(kind: &'static KindDecl, tooth: &Tooth) -> Option<String> {
    let seen = Bench::tooth(kind, tooth).run();
    let absent = seen.skip().is_some_and(|skip| skip.reason == SkipReason::ToolMissing);
    if absent {
        // Without its tool a tooth proves nothing either way; the instance will skip as well.
        return None;
    }
    match tooth.expect {
        None => (seen.outcome != Outcome::Pass).then(|| {
            format!("known-good `{}` gave {} {:?}", tooth.name, seen.outcome, seen.messages)
        }),
        Some(code) => {
            let raised = seen.code.as_deref() == Some(code.name())
                || seen.codes.iter().any(|c| c == code.name());
            (seen.outcome == Outcome::Pass || !raised).then(|| {
                format!(
                    "known-bad `{}` gave {} {:?} instead of `{}`",
                    tooth.name,
                    seen.outcome,
                    seen.messages,
                    code.name()
                )
            })
        }
    }
}
