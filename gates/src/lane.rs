//! Codes that several kinds over CI lanes raise with one meaning. Leaves out what one kind alone raises.

use portcullis::Code;

pub(crate) const ADMISSION_UNUSED: Code =
    Code::new("PC1400", "admission_unused", "An admitted exception matches nothing.");
pub(crate) const SELECTOR_MATCHES_NOTHING: Code = Code::new(
    "PC1401",
    "selector_matches_nothing",
    "A selector of a file, job, step, member, tool or surface matches nothing.",
);
#[cfg(feature = "classification")]
pub(crate) const NOT_STATIC: Code = Code::new(
    "PC1402",
    "not_static",
    "A rule had to know a value that only the provider knows at run time.",
);
#[cfg(feature = "workflows")]
pub(crate) const SCRIPT_UNPARSED: Code =
    Code::new("PC1403", "script_unparsed", "A script that a rule had to read does not parse.");
#[cfg(feature = "workflows")]
pub(crate) const OPAQUE: Code = Code::new(
    "PC1404",
    "opaque",
    "A rule had to look into a remote job, a container or a foreign shell, and could not.",
);
#[cfg(feature = "classification")]
pub(crate) const SKIPS_OVER_BUDGET: Code = Code::new(
    "PC1405",
    "skips_over_budget",
    "More was skipped in this lane than its budget allows.",
);
pub(crate) const VALUES_CHANGED_HEADER_SAME: Code = Code::new(
    "PC1406",
    "values_changed_header_same",
    "Measured values changed under the header of an earlier measurement.",
);
pub(crate) const ADMISSION_EXPIRED: Code = Code::new(
    "PC1407",
    "admission_expired",
    "An admitted exception is past its last valid day, or within 14 days of it.",
);

pub(crate) const BASE_IS_HEAD: Code = Code::new(
    "PC1570",
    "base_is_head",
    "The commit that a change is compared with is the change itself.",
);
pub(crate) const METRIC_MISSING: Code =
    Code::new("PC1135", "metric_missing", "A metric that has to be measured was not.");
#[cfg(any(feature = "canary", feature = "workflows"))]
pub(crate) const UNKNOWN_KEY: Code =
    Code::new("PC1411", "unknown_key", "A document has a key that no field of its schema has.");
