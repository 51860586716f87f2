//! One `[[gate]]` table: the common keys, the keys of its kind, and its digest.

use super::{
    CODES, Policy,
    common::{COMMON_KEYS, Common},
};
use crate::{
    kernel::{
        document::{self, Keys, Source, Table},
        near,
        promotion::Promotion,
    },
    wire::{
        code::{CONFIG_INVALID, CONFIG_UNKNOWN_KEY, DUPLICATE_KEY, FRESHNESS_UNSTATED},
        fault::{Fault, Location},
        id::{Digest, GateId},
    },
};
use serde::de::DeserializeOwned;
use std::{
    ops::Range,
    sync::{Arc, LazyLock, OnceLock},
};
use toml::Spanned;

const POLICY_FILE: &str = "portcullis.toml";

/// A gate as the policy describes it.
#[derive(Clone, Debug)]
pub struct GateTable {
    /// The keys that every gate has.
    pub common: Common,
    /// Where its table begins.
    pub location: Location,
    // A start that runs one gate of many never asks for the digests of the others.
    digest: OnceLock<Digest>,
    source: Source,
    span: Range<usize>,
    // All keys but the id, shared by every copy; absent for a gate written in Rust that has no table.
    keys: Option<Arc<Table>>,
}

impl GateTable {
    /// Reads a table; `None` when it has no usable id. Every fault goes to `faults`.
    pub(super) fn read(
        source: &Source,
        table: Table,
        span: Range<usize>,
        policy: &Policy,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let mut keys = Keys::new(source, &table, span.clone(), "the gate", CODES, faults);
        let id = keys.gate_id("id");
        let id = keys.required("id", id)?;
        let common = Common::read(&mut keys, id, policy);
        Some(Self::assemble(common, source, table, span))
    }

    fn assemble(common: Common, source: &Source, mut table: Table, span: Range<usize>) -> Self {
        // Without the id, so that the census can tell a renamed gate from one removed and one added.
        table.remove("id");
        Self {
            common,
            location: source.locate(span.start),
            digest: OnceLock::new(),
            source: source.clone(),
            keys: Some(Arc::new(table)),
            span,
        }
    }

    /// The table of `id` from its body, without a header, for the tests of kinds.
    ///
    /// # Errors
    /// The first fault of the text.
    pub fn from_toml(id: &str, toml: &str) -> Result<Self, Fault> {
        let (source, mut table, mut faults) = document::read(POLICY_FILE, toml, None);
        if let Some(fault) = faults.pop() {
            return Err(fault);
        }
        let id = GateId::parse(id).map_err(|error| {
            Fault::new(CONFIG_INVALID, error.to_string(), "give the gate another id")
        })?;
        let policy = Policy::bare();
        table.remove("id");
        let mut keys = Keys::new(&source, &table, 0..0, "the gate", CODES, &mut faults);
        let common = Common::read(&mut keys, id, &policy);
        if faults.is_empty() {
            Ok(Self::assemble(common, &source, table, 0..0))
        } else {
            Err(faults.remove(0))
        }
    }

    /// The policy of a gate written in Rust that has no table: blocking, in all lanes.
    #[must_use]
    pub fn for_rust(id: GateId, policy: &Policy, binary: &str) -> Self {
        let mut common = Common::defaults(id, policy);
        binary.clone_into(&mut common.binary);
        static NOWHERE: LazyLock<Source> = LazyLock::new(|| Source::new(POLICY_FILE, ""));
        Self {
            location: Location::file(POLICY_FILE),
            digest: OnceLock::new(),
            common,
            source: NOWHERE.clone(),
            span: 0..0,
            keys: None,
        }
    }

    /// Digest of the table without its id; order, comments and blank space do not change it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| {
            if let Some(keys) = &self.keys {
                return document::digest(keys);
            }
            // A gate written in Rust without a table. Owner and binary stand in the census beside the digest.
            let Common { id, timeout_ms, cost, .. } = &self.common;
            Digest::of(format!("rust gate without a table\0{id}\0{timeout_ms}\0{cost}").as_bytes())
        })
    }

    /// Reads the keys that are not common ones into the configuration of the gate's kind.
    ///
    /// Spans of `toml::Spanned` inside it are offsets for [`GateTable::locate`].
    ///
    /// # Errors
    /// `config_unknown_key` for a key that the type does not have, else `config_invalid`, with the place.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let keys = self.keys.iter().flat_map(|keys| keys.iter());
        let own = keys.filter(|(key, _)| !COMMON_KEYS.contains(&key.as_str()));
        let lent = Spanned::new(self.span.clone(), document::lend(own));
        T::deserialize(toml::de::Deserializer::from(lent)).map_err(|error| self.refused(&error))
    }

    /// The place of a byte of the policy file.
    #[must_use]
    pub fn locate(&self, offset: usize) -> Location {
        self.source.locate(offset)
    }

    /// The kind as the census names it: `rust` for a gate written in Rust.
    #[must_use]
    pub fn kind_name(&self) -> &str {
        self.common.kind.as_deref().unwrap_or("rust")
    }

    fn refused(&self, error: &toml::de::Error) -> Fault {
        let message = error.message().lines().next().unwrap_or("cannot be read");
        let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let (code, remedy) = if message.starts_with("unknown field") {
            let known = names.iter().skip(1).chain(COMMON_KEYS.iter()).copied();
            let hint = near::hint(names.first().copied().unwrap_or_default(), known);
            (CONFIG_UNKNOWN_KEY, hint.unwrap_or_else(|| "remove the key".to_owned()))
        } else if message.contains("freshness_unstated") || message == "missing field `freshness`" {
            (
                FRESHNESS_UNSTATED,
                "say how old it may be: `freshness = { max_age = \"7d\" }`".to_owned(),
            )
        } else if message.starts_with("duplicate field") {
            (DUPLICATE_KEY, "keep one of the two".to_owned())
        } else if message.starts_with("missing field") {
            (CONFIG_INVALID, format!("add `{} = ...`", names.first().copied().unwrap_or("it")))
        } else {
            (CONFIG_INVALID, "write the value as the kind's page says".to_owned())
        };
        let offset = error.span().map_or(self.span.start, |span| span.start);
        let headline = format!("gate `{}`: {message}", self.common.id);
        let fault = Fault::new(code, headline, remedy).at(self.locate(offset));
        let found =
            error.span().map(|span| self.source.excerpt(&span)).filter(|text| !text.is_empty());
        let fault = match found {
            Some(text) if offset != self.span.start => fault.found(format!("`{text}`")),
            Some(_) | None => fault,
        };
        match message.split_once(", expected ") {
            Some((_, expected)) => fault.expected(expected),
            None => fault,
        }
    }
}

impl Policy {
    /// The policy of a repository that states nothing, for the tests of kinds.
    pub(super) fn bare() -> Self {
        Self {
            version: super::POLICY_VERSION,
            owner: "nobody".to_owned(),
            binary: super::DEFAULT_BINARY.to_owned(),
            replay_prefix: Vec::new(),
            default_timeout_ms: super::DEFAULT_TIMEOUT_MS,
            promotion: Promotion::default(),
            views: None,
            env_allow: Vec::new(),
            profiles: std::collections::BTreeMap::new(),
            signatures: Vec::new(),
            gates: Vec::new(),
        }
    }
}
