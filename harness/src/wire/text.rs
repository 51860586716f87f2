//! Texts put together. Leaves out what they say.

/// Texts in their order, with something between each two of them.
pub fn joined<T: AsRef<str>>(texts: impl IntoIterator<Item = T>, between: &str) -> String {
    let mut whole = String::new();
    let mut lead = "";
    for text in texts {
        whole.push_str(lead);
        whole.push_str(text.as_ref());
        lead = between;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_is_neither_first_nor_last() {
        let table: &[(&[&str], &str)] =
            &[(&[], ""), (&["a"], "a"), (&["a", "b"], "a, b"), (&["", "", "c"], ", , c")];
        for (texts, expected) in table {
            assert_eq!(joined(*texts, ", "), *expected, "{texts:?}");
        }
    }
}
