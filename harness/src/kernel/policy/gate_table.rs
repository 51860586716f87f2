//! One `[[gate]]` table: the common keys, the keys of its kind, and its digest.

use super::{
    CODES, Policy,
    common::{COMMON_KEYS, Common},
    section::{self, Section},
};
use crate::{
    kernel::{
        document::{self, Keys, Source, Table},
        promotion::Promotion,
    },
    wire::{
        code::CONFIG_INVALID,
        fault::{Fault, Location},
        id::{Digest, GateId},
        ordered::VecMap,
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
        let name = format!("gate `{}`", self.common.id);
        section::refused(&self.source, &self.span, &name, &COMMON_KEYS, error)
    }

    /// Whether the text that it stands in is a policy; the table of a tooth stands alone.
    #[must_use]
    pub fn is_in_policy(&self) -> bool {
        let (_source, root, _faults) = document::read(self.source.path(), self.source.text(), None);
        root.contains_key("policy")
    }

    /// A table `[<name>.<id>]` of the file that the gate stands in, for kinds whose gates name one.
    ///
    /// # Errors
    /// The faults of the file; there are none in a policy that was read.
    pub fn beside(&self, name: &str, id: &str) -> Result<Option<Section>, Vec<Fault>> {
        let (source, root, faults) = document::read(self.source.path(), self.source.text(), None);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut faults = Vec::new();
        let mut found = Section::each(&source, root.get(name), name, &mut faults);
        if faults.is_empty() { Ok(found.remove(id)) } else { Err(faults) }
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
            profiles: VecMap::new(),
            canaries: VecMap::new(),
            ci: None,
            signatures: Vec::new(),
            gates: Vec::new(),
        }
    }
}
