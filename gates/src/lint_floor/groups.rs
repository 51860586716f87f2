//! Which groups contain a lint. What rustc has is known here; clippy is asked, once somebody has to know.

use super::config::{Config, Level};
use portcullis::{GateContext, GateError, evidence::process::Exit};
use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

/// The groups of rustc and lints that they contain, those of the compiler alone that anybody puts into a floor.
const RUSTC: &[(&str, &[&str])] = &[
    (
        "unused",
        &[
            "unused_imports",
            "unused_variables",
            "unused_visibilities",
            "unused_assignments",
            "dead_code",
            "unused_mut",
            "unreachable_code",
            "unreachable_patterns",
            "unused_must_use",
            "unused_unsafe",
            "path_statements",
            "unused_attributes",
            "unused_macros",
            "unused_macro_rules",
            "unused_allocation",
            "unused_doc_comments",
            "unused_extern_crates",
            "unused_features",
            "unused_labels",
            "unused_parens",
            "unused_braces",
            "redundant_semicolons",
            "map_unit_fn",
        ],
    ),
    ("nonstandard_style", &["non_camel_case_types", "non_snake_case", "non_upper_case_globals"]),
    ("bad_style", &["non_camel_case_types", "non_snake_case", "non_upper_case_globals"]),
    ("let_underscore", &["let_underscore_drop", "let_underscore_lock"]),
    ("refining_impl_trait", &["refining_impl_trait_reachable", "refining_impl_trait_internal"]),
    (
        "rust_2018_idioms",
        &[
            "bare_trait_objects",
            "unused_extern_crates",
            "ellipsis_inclusive_range_patterns",
            "elided_lifetimes_in_paths",
            "explicit_outlives_requirements",
        ],
    ),
    (
        "rust_2024_compatibility",
        &[
            "keyword_idents_2024",
            "edition_2024_expr_fragment_specifier",
            "boxed_slice_into_iter",
            "impl_trait_overcaptures",
            "if_let_rescope",
            "static_mut_refs",
            "dependency_on_unit_never_type_fallback",
            "deprecated_safe_2024",
            "missing_unsafe_on_extern",
            "never_type_fallback_flowing_into_unsafe",
            "rust_2024_guarded_string_incompatible_syntax",
            "rust_2024_incompatible_pat",
            "rust_2024_prelude_collisions",
            "tail_expr_drop_order",
            "unsafe_attr_outside_unsafe",
            "unsafe_op_in_unsafe_fn",
        ],
    ),
    ("keyword_idents", &["keyword_idents_2018", "keyword_idents_2024"]),
    ("unknown_or_malformed_diagnostic_attributes", &["unknown_diagnostic_attributes"]),
];

/// What contains what.
pub(super) struct Groups<'a, 'c> {
    cx: &'a GateContext<'c>,
    floor: &'a BTreeMap<String, Level>,
    clippy: OnceCell<Option<BTreeMap<String, BTreeSet<String>>>>,
}

impl<'a, 'c> Groups<'a, 'c> {
    pub(super) fn new(cx: &'a GateContext<'c>, config: &'a Config) -> Self {
        Self { cx, floor: &config.floor, clippy: OnceCell::new() }
    }

    /// The lints of the floor that a level for `name`, a lint or group, lowers.
    ///
    /// # Errors
    /// When clippy is there and does not say what its groups contain.
    pub(super) fn lowered(&self, name: &str, level: Level) -> Result<Vec<&'a str>, GateError> {
        let name = plain(name);
        let mut found = Vec::new();
        for (lint, least) in self.floor {
            if level < *least && (plain(lint) == name || self.contains(&name, lint, *least)?) {
                found.push(lint.as_str());
            }
        }
        Ok(found)
    }

    /// Whether a group contains a lint.
    ///
    /// # Errors
    /// As [`Groups::lowered`].
    pub(super) fn contains(
        &self,
        group: &str,
        lint: &str,
        least: Level,
    ) -> Result<bool, GateError> {
        let (group, lint) = (plain(group), plain(lint));
        if group == "warnings" {
            // `warnings` is about lints at the level `warn`; a denied one is none of them.
            return Ok(least == Level::Warn);
        }
        if lint.starts_with("clippy::") {
            if !group.starts_with("clippy::") {
                return Ok(false);
            }
            let clippy = match self.clippy.get() {
                Some(known) => known,
                None => {
                    let known = self.ask()?;
                    self.clippy.get_or_init(|| known)
                }
            };
            // Without clippy to ask, a group that might contain the lint is taken to.
            return Ok(clippy
                .as_ref()
                .is_none_or(|known| known.get(&group).is_some_and(|lints| lints.contains(&lint))));
        }
        let known = RUSTC.iter().filter(|(name, _)| *name == group);
        Ok(known.flat_map(|(_, lints)| *lints).any(|one| *one == lint))
    }

    fn ask(&self) -> Result<Option<BTreeMap<String, BTreeSet<String>>>, GateError> {
        if self.cx.tool("clippy-driver")?.is_none() {
            return Ok(None);
        }
        let argv = ["clippy-driver", "-W", "help"].map(str::to_owned);
        let finished = self.cx.command(&argv).quiet().run()?;
        if finished.exit != Exit::Code(0) {
            return Ok(None);
        }
        let text = finished.stdout.text();
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in text.lines() {
            let Some((name, members)) = line.trim().split_once("  ") else { continue };
            if name.starts_with("clippy::") && members.contains("clippy::") {
                let lints = members.split(',').map(|lint| plain(lint.trim()));
                groups
                    .entry(plain(name))
                    .or_default()
                    .extend(lints.filter(|lint| !lint.is_empty()));
            }
        }
        // A driver that lists no groups has told nothing.
        Ok((!groups.is_empty()).then_some(groups))
    }
}

/// A lint as comparisons want it: flags may be written with `-`.
pub(super) fn plain(lint: &str) -> String {
    lint.trim().replace('-', "_")
}
