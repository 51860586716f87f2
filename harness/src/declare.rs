//! `gate!`, `gate_kind!` and `main!`: page, id, configuration, check and teeth become one static each.
//!
//! The macros only arrange what their caller wrote; every rule about it lives in the registry.

use crate::{
    evidence::context::{GateContext, GateError},
    kernel::policy::GateTable,
    wire::{code::Code, fault::Fault, finding::Findings, outcome::SkipReason},
};
use std::sync::Arc;

/// What a check says when it could look: how many things it looked at, or why it must not look here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examined {
    /// This many things were looked at. Zero is the error `nothing_examined`.
    Items(u64),
    /// Nothing was looked at, for a typed reason.
    Skipped {
        /// The reason; a blocking gate needs it in `allow_skip`.
        reason: SkipReason,
        /// One sentence more.
        detail: String,
    },
}

impl Examined {
    /// This many things were looked at.
    #[must_use]
    pub fn items(n: usize) -> Self {
        Self::Items(n as u64)
    }

    /// The check must not or cannot look here.
    #[must_use]
    pub fn skipped(reason: SkipReason, detail: impl Into<String>) -> Self {
        Self::Skipped { reason, detail: detail.into() }
    }
}

/// The function that looks.
pub type Check = fn(&GateContext<'_>, &mut Findings) -> Result<Examined, GateError>;

/// A check with its configuration bound.
pub type Prepared =
    Arc<dyn Fn(&GateContext<'_>, &mut Findings) -> Result<Examined, GateError> + Send + Sync>;

/// Where something is declared, for messages that name both places of a duplicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Source file as the compiler names it.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
    /// The crate.
    pub module: &'static str,
}

/// A gate written in Rust. Built by [`gate!`](crate::gate).
pub struct GateDecl {
    /// The id, as the trial is named.
    pub id: &'static str,
    /// The lines of its documentation, which are its page.
    pub page: &'static [&'static str],
    /// Other attributes that stand on it; `ignore` and `should_panic` are findings.
    pub attributes: &'static [&'static str],
    /// The check.
    pub check: Check,
    /// Where it is declared.
    pub declared: Declared,
}

inventory::collect!(&'static GateDecl);

/// A gate kind. Built by [`gate_kind!`](crate::gate_kind).
pub struct KindDecl {
    /// The name that `kind = "..."` uses.
    pub id: &'static str,
    /// The lines of its documentation, which are its page.
    pub page: &'static [&'static str],
    /// The first version that has it.
    pub since: &'static str,
    /// Every code it can raise by itself.
    pub codes: &'static [Code],
    /// Its known-good and known-bad fixtures.
    pub teeth: &'static [Tooth],
    /// Reads a `[[gate]]` table and binds it to the check.
    pub prepare: fn(&GateTable) -> Result<Prepared, Vec<Fault>>,
    /// Where it is declared.
    pub declared: Declared,
}

inventory::collect!(&'static KindDecl);

/// One fixture of a kind, inline so that it travels with the crate.
#[derive(Clone, Copy, Debug)]
pub struct Tooth {
    /// The case, as a sentence in `snake_case`.
    pub name: &'static str,
    /// The code that must appear, as a finding or as the error; `None` for a known-good.
    pub expect: Option<Code>,
    /// The body of the `[[gate]]` table.
    pub config: &'static str,
    /// Path and content of each file of the tree.
    pub files: &'static [(&'static str, &'static str)],
    /// `now`, RFC 3339.
    pub now: &'static str,
    /// The lane.
    pub lane: crate::wire::outcome::Lane,
    /// Whether the tree is committed to a fresh git repository first.
    pub git: bool,
    /// What is committed instead of `files`, which then stand in the work tree alone.
    pub base: Option<&'static [(&'static str, &'static str)]>,
    /// Whether the change over `base` is committed as well.
    pub committed: bool,
}

impl Tooth {
    const NOW: &'static str = "2026-05-31T12:00:00Z";

    /// A tree and a configuration that must pass.
    #[must_use]
    pub const fn known_good(
        name: &'static str,
        config: &'static str,
        files: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            name,
            expect: None,
            config,
            files,
            now: Self::NOW,
            lane: crate::wire::outcome::Lane::Main,
            git: false,
            base: None,
            committed: false,
        }
    }

    /// A tree and a configuration that must raise `code`.
    #[must_use]
    pub const fn known_bad(
        name: &'static str,
        code: Code,
        config: &'static str,
        files: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            name,
            expect: Some(code),
            config,
            files,
            now: Self::NOW,
            lane: crate::wire::outcome::Lane::Main,
            git: false,
            base: None,
            committed: false,
        }
    }

    /// The same on another day.
    #[must_use]
    pub const fn at(mut self, now: &'static str) -> Self {
        self.now = now;
        self
    }

    /// The same in another lane.
    #[must_use]
    pub const fn lane(mut self, lane: crate::wire::outcome::Lane) -> Self {
        self.lane = lane;
        self
    }

    /// The same in a git repository with one commit.
    #[must_use]
    pub const fn in_git(mut self) -> Self {
        self.git = true;
        self
    }

    /// The same as an uncommitted change of one commit that holds these files.
    #[must_use]
    pub const fn over(mut self, base: &'static [(&'static str, &'static str)]) -> Self {
        self.git = true;
        self.base = Some(base);
        self
    }

    /// The same with the change committed.
    #[must_use]
    pub const fn committed(mut self) -> Self {
        self.committed = true;
        self
    }
}

/// Binds a typed configuration to its check; the macro calls this, so that each kind stays one line.
///
/// # Errors
/// The faults of the configuration, with their lines.
pub fn prepare<C: serde::de::DeserializeOwned + Send + Sync + 'static>(
    table: &GateTable,
    validate: fn(&C, &GateTable) -> Vec<Fault>,
    check: fn(&GateContext<'_>, &C, &mut Findings) -> Result<Examined, GateError>,
) -> Result<Prepared, Vec<Fault>> {
    let config: C = table.config().map_err(|fault| vec![fault])?;
    let faults = validate(&config, table);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Arc::new(move |cx: &GateContext<'_>, out: &mut Findings| check(cx, &config, out)))
}

/// The validation of a kind whose types say everything.
#[must_use]
pub fn accept<C>(_config: &C, _table: &GateTable) -> Vec<Fault> {
    Vec::new()
}

/// Declares a gate written in Rust: its documentation is its page, its id names the trial.
///
/// ```text
/// portcullis::gate! {
///     /// What it checks, in one sentence.
///     /// ### Why it gates
///     /// ### Remediation
///     pub static NO_TODO: "no_todo", check = check;
/// }
/// ```
#[macro_export]
macro_rules! gate {
    (@split [$($doc:expr,)*] [$($cfg:meta,)*] [$($other:expr,)*] #[doc = $next:expr] $($rest:tt)*) => {
        $crate::gate!(@split [$($doc,)* $next,] [$($cfg,)*] [$($other,)*] $($rest)*);
    };
    (@split [$($doc:expr,)*] [$($cfg:meta,)*] [$($other:expr,)*] #[cfg($($on:tt)*)] $($rest:tt)*) => {
        $crate::gate!(@split [$($doc,)*] [$($cfg,)* cfg($($on)*),] [$($other,)*] $($rest)*);
    };
    (@split [$($doc:expr,)*] [$($cfg:meta,)*] [$($other:expr,)*] #[$next:meta] $($rest:tt)*) => {
        $crate::gate!(@split [$($doc,)*] [$($cfg,)*] [$($other,)* stringify!($next),] $($rest)*);
    };
    (@split [$($doc:expr,)*] [$($cfg:meta,)*] [$($other:expr,)*]
        $vis:vis static $name:ident : $id:literal, check = $check:path $(,)? ; $($rest:tt)*) => {
        $(#[$cfg])*
        $(#[doc = $doc])*
        $vis static $name: $crate::declare::GateDecl = $crate::declare::GateDecl {
            id: $id,
            page: &[$($doc),*],
            attributes: &[$($other),*],
            check: $check,
            declared: $crate::declare::Declared { file: file!(), line: line!(), module: module_path!() },
        };
        $(#[$cfg])*
        const _: () = {
            $crate::declare::inventory::submit! { &$name }
        };
        $crate::gate! { $($rest)* }
    };
    () => {};
    ($($tokens:tt)+) => {
        $crate::gate!(@split [] [] [] $($tokens)+);
    };
}

/// Declares a gate kind: a check with a typed configuration, its codes and its teeth.
///
/// `validate = path` is optional: `fn(&Config, &GateTable) -> Vec<Fault>`, run when the policy is read.
#[macro_export]
macro_rules! gate_kind {
    (
        $(#[doc = $doc:expr])*
        $vis:vis static $name:ident : $id:literal, since = $since:literal, config = $config:ty,
        $(validate = $validate:path,)? check = $check:path, codes = $codes:expr, teeth = $teeth:expr $(,)? ;
    ) => {
        $(#[doc = $doc])*
        $vis static $name: $crate::declare::KindDecl = $crate::declare::KindDecl {
            id: $id,
            page: &[$($doc),*],
            since: $since,
            codes: $codes,
            teeth: $teeth,
            prepare: |table| {
                #[allow(unused_mut, unused_assignments, reason = "the optional key below replaces the default")]
                let mut validate: fn(&$config, &$crate::GateTable) -> ::std::vec::Vec<$crate::Fault> =
                    $crate::declare::accept;
                $(validate = $validate;)?
                $crate::declare::prepare::<$config>(table, validate, $check)
            },
            declared: $crate::declare::Declared { file: file!(), line: line!(), module: module_path!() },
        };
        $crate::declare::inventory::submit! { &$name }
    };
}

/// The `main` of a gate binary. Naming a crate links it: one that is not named loses all its gates.
///
/// ```text
/// portcullis::main! { crates: [portcullis_gates] }
/// ```
#[macro_export]
macro_rules! main {
    (crates: [$($pack:ident),* $(,)?] $(,)?) => {
        $(use $pack as _;)*

        fn main() -> ::std::process::ExitCode {
            let package = $crate::runner::Package::built(
                ::std::path::Path::new(env!("CARGO_MANIFEST_DIR")),
                env!("CARGO_PKG_NAME"),
            );
            $crate::runner::main(package, env!("CARGO_CRATE_NAME"))
        }
    };
    () => { $crate::main! { crates: [] } };
}

#[doc(hidden)]
pub use inventory;
