//! Names that are nearly the one that was written, for messages. Leaves out what the names stand for.

use crate::wire::{ordered, text::joined};

/// How many names are suggested.
const KEPT: usize = 3;
/// Longer words are not compared: nobody mistypes them by two letters, and the table grows with the square.
const WORD_MAX: usize = 128;

/// The nearest candidates, best first, at most three; none where nothing is near.
#[must_use]
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    nearest(word, &mut candidates.into_iter())
}

/// Not generic: every list of names has a type of its own.
fn nearest<'a>(word: &str, candidates: &mut dyn Iterator<Item = &'a str>) -> Vec<&'a str> {
    let limit = (word.chars().count() / 3).max(1) + 1;
    let mut found: Vec<(usize, &'a str)> = candidates
        .filter(|candidate| candidate.len() <= WORD_MAX && word.len() <= WORD_MAX)
        .filter_map(|candidate| {
            let distance = distance(word, candidate);
            let part =
                !word.is_empty() && (candidate.starts_with(word) || word.starts_with(candidate));
            (distance <= limit || (part && !candidate.is_empty())).then_some((distance, candidate))
        })
        .collect();
    ordered::sort(&mut found);
    found.dedup();
    found.truncate(KEPT);
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

/// `did you mean ...` over [`near`], or nothing.
#[must_use]
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    meant(&near(word, candidates))
}

fn meant(names: &[&str]) -> Option<String> {
    let quoted = names.iter().map(|name| format!("`{name}`"));
    (!names.is_empty()).then(|| format!("did you mean {}?", joined(quoted, " or ")))
}

/// Letters to insert, remove or replace; two swapped neighbours count as two.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["blocking", "lanes", "needs", "timeout"];
        let table: &[(&str, &str, &[&str])] = &[
            ("two letters swapped", "blokcing", &["blocking"]),
            ("one letter missing", "lane", &["lanes"]),
            ("the beginning of a name", "time", &["timeout"]),
            ("nothing near", "zzzzzz", &[]),
            ("nothing written", "", &[]),
        ];
        for (case, word, expected) in table {
            assert_eq!(near(word, names), *expected, "{case}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn at_most_three_are_suggested_best_first() {
        assert_eq!(
            near("gate_a", ["gate_d", "gate_b", "gate_a", "gate_c"]),
            ["gate_a", "gate_b", "gate_c"]
        );
    }
}
