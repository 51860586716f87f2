//! How long each test binary takes: a committed file that balances shards. Leaves out how it is measured.

use crate::{
    exit::{Exit, OrExit, Refused},
    repository::Repository,
    shard::Weights,
};
use portcullis::{
    Fault, Location,
    evidence::json,
    wire::{artifact, code::SCHEMA_UNSUPPORTED},
};
use serde::{Deserialize, Serialize};

/// The committed file, at the root of the repository.
pub(crate) const DURATIONS_FILE: &str = "suite_durations.json";
const DURATIONS_SCHEMA: &str = "portcullis.suite_durations.v1";
const DURATIONS_MAX_BYTES: u64 = 1024 * 1024;

/// `suite_durations.json`. It has no header: it is written by people's choice, and a date in it would only make noise.
#[derive(Debug, Deserialize, Serialize)]
struct Document {
    schema: String,
    /// Milliseconds by the id of the test binary.
    suite_ms: Weights,
}

/// What the committed file says; nothing where there is none.
pub(crate) fn recorded(repository: &Repository) -> Result<Weights, Refused> {
    let text = repository.read(DURATIONS_FILE, DURATIONS_MAX_BYTES)?;
    text.map_or_else(|| Ok(Weights::new()), |text| parse(&text).or_exit(Exit::Usage))
}

fn parse(text: &str) -> Result<Weights, Fault> {
    let document: Document = json::parse_as(text.as_bytes(), DURATIONS_FILE)?;
    if document.schema == DURATIONS_SCHEMA {
        return Ok(document.suite_ms);
    }
    let headline = format!("`{DURATIONS_FILE}` has another schema than this reader knows");
    let remedy = "write it anew: `cargo portcullis history --bless-durations`";
    let fault = Fault::new(SCHEMA_UNSUPPORTED, headline, remedy).at(Location::file(DURATIONS_FILE));
    Err(fault.expected(DURATIONS_SCHEMA).found(document.schema))
}

/// The text of the file.
pub(crate) fn render(weights: &Weights) -> Result<String, serde_json::Error> {
    artifact::document(&Document { schema: DURATIONS_SCHEMA.to_owned(), suite_ms: weights.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_anything_else_is_refused() {
        let weights = Weights::from([("p::a".to_owned(), 7), ("p".to_owned(), 0)]);
        let text = render(&weights).expect("a text");
        assert_eq!(parse(&text), Ok(weights));
        let table = [
            ("no json", "x", "json_invalid"),
            ("another schema", &text.replace(".v1", ".v2"), "schema_unsupported"),
            ("a name twice", &text.replace("\"p\"", "\"p::a\""), "duplicate_key"),
            ("a time that is none", &text.replace('7', "-7"), "json_invalid"),
        ];
        for (case, text, code) in table {
            let fault = parse(text).expect_err(case);
            assert_eq!(fault.code().name(), code, "{case}: {fault}");
        }
    }
}
