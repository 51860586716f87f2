//! Phrases in a text: word by word, whatever the case, the spacing, the markup or the line break between.

use std::collections::BTreeMap;

/// A word of a text, folded, with its place in bytes.
struct Word {
    text: String,
    start: usize,
    end: usize,
}

/// A phrase to look for.
pub(super) struct Phrase<'p> {
    /// As written in the manifest.
    pub(super) text: &'p str,
    words: Vec<String>,
}

impl<'p> Phrase<'p> {
    /// Reads a phrase; nothing when it has no word.
    pub(super) fn new(text: &'p str) -> Option<Self> {
        let words: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
        (!words.is_empty()).then_some(Self { text, words })
    }

    /// Whether two phrases are found at the same places.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

/// Where a phrase stands in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// Which of the phrases it is.
    pub(super) phrase: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Finds every phrase in a text, in order. The cost grows with the text and with the matches.
pub(super) fn find(text: &str, phrases: &[Phrase<'_>]) -> Vec<Match> {
    let mut by_first: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, phrase) in phrases.iter().enumerate() {
        if let Some(first) = phrase.words.first() {
            by_first.entry(first).or_default().push(index);
        }
    }
    let words = words(text);
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        for phrase in by_first.get(word.text.as_str()).into_iter().flatten() {
            if let Some(end) = match_at(text, &words[index..], &phrases[*phrase].words) {
                found.push(Match { phrase: *phrase, start: word.start, end });
            }
        }
    }
    found
}

/// The end of a phrase that begins with the first of these words.
fn match_at(text: &str, words: &[Word], phrase: &[String]) -> Option<usize> {
    let mut end = None;
    for (index, expected) in phrase.iter().enumerate() {
        let word = words.get(index).filter(|word| word.text == *expected)?;
        if let Some(before) = end
            && is_a_break(text.get(before..word.start)?)
        {
            return None;
        }
        end = Some(word.end);
    }
    end
}

/// Whether what stands between two words ends a sentence, a table cell or a paragraph.
fn is_a_break(between: &str) -> bool {
    let ends = between.contains(['!', '?', ';', '|'])
        || between
            .split_once(['.', ':'])
            .is_some_and(|(_, rest)| rest.starts_with(char::is_whitespace));
    let mut newlines = 0;
    for c in between.chars() {
        newlines = match c {
            '\n' => newlines + 1,
            // A quote mark before a blank line makes it no less blank.
            c if c.is_whitespace() || c == '>' => newlines,
            _ => 0,
        };
        if newlines > 1 {
            return true;
        }
    }
    ends && between != "&nbsp;"
}

/// The words of a text. Invisible characters do not part a word, so they hide nothing; `&nbsp;` is a space.
fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (start, c) in text.char_indices() {
        if matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}') {
            continue;
        }
        // An apostrophe within a word belongs to it: `don't` is one word.
        let joins = matches!(c, '\'' | '\u{2019}')
            && open
            && text[start + c.len_utf8()..].chars().next().is_some_and(char::is_alphanumeric);
        if !c.is_alphanumeric() && !joins {
            open = false;
            continue;
        }
        let end = start + c.len_utf8();
        let folded = if joins { '\'' } else { c };
        match words.last_mut().filter(|_| open) {
            Some(word) => {
                word.text.extend(folded.to_lowercase());
                word.end = end;
            }
            None => {
                words.push(Word { text: folded.to_lowercase().collect(), start, end });
                open = true;
            }
        }
    }
    words.retain(|word| {
        let is_entity = word.text == "nbsp"
            && text[..word.start].ends_with('&')
            && text[word.end..].starts_with(';');
        !is_entity
    });
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(phrase: &str, text: &str) -> Vec<(usize, usize)> {
        let phrases: Vec<Phrase<'_>> = Phrase::new(phrase).into_iter().collect();
        find(text, &phrases).into_iter().map(|found| (found.start, found.end)).collect()
    }

    #[test]
    fn a_phrase_is_found_however_it_is_set() {
        let table: &[(&str, &str, &str, bool)] = &[
            ("as written", "production ready", "It is production ready.", true),
            ("in another case", "Production Ready", "PRODUCTION READY", true),
            ("over a line break", "production ready", "is production\n  ready", true),
            ("in a quote over a line break", "production ready", "> production\n> ready", true),
            ("with a hyphen", "production ready", "production-ready", true),
            ("with markup", "production ready", "**production** _ready_", true),
            ("with a hard space", "production ready", "production\u{a0}ready", true),
            ("with an entity", "production ready", "production&nbsp;ready", true),
            ("with an invisible character", "production", "produc\u{200b}tion", true),
            ("with a typographic apostrophe", "don't fail", "don\u{2019}t fail", true),
            ("a version", "v1.0 stable", "v1.0 stable", true),
            ("in another script", "БЕЗ ошибок", "без Ошибок", true),
            ("within a word", "ready", "already", false),
            ("the beginning of a word", "certified", "certifiedness", false),
            ("over the end of a sentence", "production ready", "in production. Ready to go", false),
            ("over a paragraph", "production ready", "production\n\nready", false),
            ("over a quoted paragraph", "production ready", "> production\n>\n> ready", false),
            ("over a table cell", "production ready", "| production | ready |", false),
            ("with a word between", "production ready", "production is ready", false),
            ("only the first word", "production ready", "production", false),
        ];
        for (case, phrase, text, expected) in table {
            assert_eq!(!seen(phrase, text).is_empty(), *expected, "{case}");
        }
        assert_eq!(seen("a b", "x a-b, a b"), [(2, 5), (7, 10)]);
        assert!(Phrase::new("* * *").is_none(), "a phrase without a word finds nothing");
    }

    #[test]
    fn t12_a_long_text_is_read_once() {
        let text = "production ".repeat(200_000);
        assert_eq!(seen("production ready", &text), []);
    }
}
