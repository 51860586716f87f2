//! The YAML of a cassette: one document that says that it ends, without anchors, aliases and merge keys.
//! What its values mean is read elsewhere.

use super::recording::invalid;
use portcullis::Fault;
use serde_json::Value;

/// Reads a document strictly.
///
/// # Errors
/// `duplicate_key`, `input_too_large` and `cassette_invalid`, with the line where there is one.
#[cfg(feature = "yaml")]
pub(super) fn parse(text: &str, path: &str) -> Result<Value, Fault> {
    use portcullis::{
        Location,
        wire::code::{DUPLICATE_KEY, INPUT_TOO_LARGE},
    };
    use serde_saphyr::{Budget, DuplicateKeyPolicy, Error, MergeKeyPolicy, Options};

    // Without an end that is written down, a file that was cut between two lines would be a shorter recording.
    let text_end = text.trim_end_matches(['\r', '\n']);
    if text_end.len() == text.len() || text_end.lines().next_back() != Some("...") {
        let why = "a YAML cassette does not end with the line `...`, so it may have been cut";
        return Err(invalid(why, path));
    }
    let mut budget = Budget::default();
    budget.max_documents = 1;
    budget.max_depth = 64;
    budget.max_nodes = 250_000;
    // One meaning per text, and no bomb: what stands in the recording stands there once, in full.
    budget.max_aliases = 0;
    budget.max_anchors = 0;
    budget.max_merge_keys = 0;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    options.merge_keys = MergeKeyPolicy::Error;
    options.with_snippet = false;
    serde_saphyr::from_str_with_options::<Value>(text, options).map_err(|error| {
        let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let place = match error.location() {
            Some(at) => Location::at(path, narrow(at.line()), narrow(at.column())),
            None => Location::file(path),
        };
        let error = error.without_snippet();
        let fault = if matches!(error, Error::DuplicateMappingKey { .. }) {
            Fault::new(
                DUPLICATE_KEY,
                "a key stands twice in one mapping",
                "keep one of the two, whichever is true",
            )
        } else if matches!(error, Error::Budget { .. }) {
            Fault::new(
                INPUT_TOO_LARGE,
                "a YAML cassette has anchors or aliases, several documents, or is too large or too deep",
                "write every value in full, in one document of at most 250000 values and 64 levels",
            )
        } else {
            invalid("a text is not the YAML it should be", path).found(error.to_string())
        };
        fault.at(place)
    })
}

/// Without the feature a YAML cassette is not passed over.
#[cfg(not(feature = "yaml"))]
pub(super) fn parse(_text: &str, path: &str) -> Result<Value, Fault> {
    Err(invalid("a YAML cassette cannot be read without the feature `yaml`", path))
}
