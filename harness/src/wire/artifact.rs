//! The one way documents become bytes: UTF-8, keys sorted, one trailing newline.

use serde::Serialize;

/// Renders a document: pretty, keys sorted at every depth, one trailing newline.
///
/// # Errors
/// When a map has a key that is not a string; documents of ours have none.
pub fn document(value: &impl Serialize) -> Result<String, serde_json::Error> {
    // Through `Value`, whose map is ordered by key: the order of struct fields is not part of the format.
    of_value(&serde_json::to_value(value)?)
}

/// The same of a tree that is there already; a run of thousands of gates has no room for a second one.
///
/// # Errors
/// Never for a tree of ours.
pub fn of_value(value: &serde_json::Value) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}

/// Renders a record of a JSON Lines file: one line, keys sorted, one trailing newline.
///
/// # Errors
/// As [`document`].
pub fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string(&serde_json::to_value(value)?)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_a_newline_ends_the_document() {
        #[derive(Serialize)]
        struct Unsorted {
            b: u8,
            a: u8,
        }
        let text = document(&Unsorted { b: 1, a: 2 }).expect("a document");
        assert_eq!(text, "{\n  \"a\": 2,\n  \"b\": 1\n}\n");
        assert_eq!(line(&Unsorted { b: 1, a: 2 }).expect("a line"), "{\"a\":2,\"b\":1}\n");
    }
}
