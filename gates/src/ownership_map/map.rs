//! The map: which domain owns which files and modules, and which pairs are banned. It looks at no source.

use crate::document::{self, Format};
use portcullis::{GateContext, GateError, Globs, RelPath, evidence::context::unreadable};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Who owns what, and who must not reach whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Map {
    pub(super) domains: BTreeMap<String, Domain>,
    #[serde(default)]
    pub(super) deferred: Vec<String>,
    #[serde(default)]
    pub(super) banned: Vec<Banned>,
    #[serde(default)]
    pub(super) required_checks: Vec<String>,
    pub(super) linkage: Option<Linkage>,
}

/// What a domain owns.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Domain {
    files: Option<Globs>,
    #[serde(default)]
    modules: Vec<String>,
}

/// A direction in which nothing may reach.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Banned {
    pub(super) from: String,
    pub(super) to: String,
}

/// Where the map has to be mentioned.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Linkage {
    pub(super) document: RelPath,
    pub(super) tokens: Vec<String>,
}

/// Who owns a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner<'m> {
    Domain(&'m str),
    Deferred,
}

impl Owner<'_> {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Domain(name) => name,
            Self::Deferred => "the deferred list",
        }
    }
}

/// Reads the map from a file.
///
/// # Errors
/// When it cannot be read, has members nobody knows, or contradicts itself.
pub(super) fn read(cx: &GateContext<'_>, path: &RelPath) -> Result<Map, GateError> {
    let format = match Format::of_name(path.as_str()) {
        Some(Format::Json) => Format::Json,
        Some(Format::Toml | Format::Jsonl | Format::Text) | None => Format::Toml,
    };
    let value = document::read(&cx.file(path), format)?;
    let map: Map = serde_json::from_value(value).map_err(|source| {
        unreadable(path, format!("`{path}` is no map: {source}"), "correct the member it names")
    })?;
    match map.contradictions().into_iter().next() {
        Some((headline, remedy)) => Err(unreadable(path, headline, remedy)),
        None => Ok(map),
    }
}

impl Map {
    /// What cannot be meant, with the way out.
    pub(super) fn contradictions(&self) -> Vec<(String, &'static str)> {
        let mut found = Vec::new();
        if self.domains.is_empty() {
            found.push(("the map has no domain".to_owned(), "name at least one domain"));
        }
        for (name, domain) in &self.domains {
            if domain.files.is_none() && domain.modules.is_empty() {
                found.push((
                    format!("the domain `{name}` has neither `files` nor `modules`"),
                    "say what it owns",
                ));
            }
        }
        for banned in &self.banned {
            for name in [&banned.from, &banned.to] {
                if !self.domains.contains_key(name) {
                    found.push((
                        format!("a banned pair names `{name}`, which is no domain"),
                        "name one of the domains",
                    ));
                }
            }
            if banned.from == banned.to {
                found
                    .push((format!("`{}` is banned from itself", banned.from), "name two domains"));
            }
        }
        for glob in &self.deferred {
            if glob.starts_with('!') || Globs::new(&[glob]).is_err() {
                found.push((
                    format!("the deferred entry `{glob}` is no glob"),
                    "write a glob such as `src/old/**`",
                ));
            }
        }
        if self
            .linkage
            .as_ref()
            .is_some_and(|linkage| linkage.tokens.iter().all(|token| token.trim().is_empty()))
        {
            found.push((
                "`linkage` has no token to look for".to_owned(),
                "write what the document must mention",
            ));
        }
        found
    }

    /// Everybody who owns a file; `modules` are the names that lead to it, its crate first.
    pub(super) fn owners<'m>(&'m self, path: &RelPath, modules: &[Vec<String>]) -> Vec<Owner<'m>> {
        let owns = |domain: &Domain| {
            domain.files.as_ref().is_some_and(|globs| globs.matches(path.as_str()))
                || domain.modules.iter().any(|name| {
                    let parts: Vec<&str> = name.split("::").collect();
                    modules.iter().any(|module| {
                        module.len() >= parts.len()
                            && module.iter().zip(&parts).all(|(a, b)| a == b)
                    })
                })
        };
        let mut owners: Vec<Owner<'m>> = self
            .domains
            .iter()
            .filter(|(_, domain)| owns(domain))
            .map(|(name, _)| Owner::Domain(name))
            .collect();
        let is_deferred = self
            .deferred
            .iter()
            .any(|glob| Globs::new(&[glob]).is_ok_and(|globs| globs.matches(path.as_str())));
        if is_deferred {
            owners.push(Owner::Deferred);
        }
        owners
    }
}
