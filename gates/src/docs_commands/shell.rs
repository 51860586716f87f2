//! Shell text as simple commands: words, operators and comments. It expands nothing and runs nothing; what it cannot
//! follow it says, so that nothing passes unread.

/// A word of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Whether a variable or substitution stands in it, so that its value is not known.
    pub(super) is_open: bool,
    /// Whether any of it was quoted; a quoted `if` is no keyword.
    pub(super) is_quoted: bool,
}

/// A simple command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Simple {
    /// The line its first word stands on.
    pub(super) line: u32,
    pub(super) words: Vec<Word>,
    /// What about it cannot be followed.
    pub(super) obscure: Option<&'static str>,
}

/// Words that make a list of commands into something else than a list.
const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac",
    "function", "select", "{", "}", "!", "[[", "((",
];

/// Reads numbered lines of shell.
pub(super) fn read(lines: &[(u32, String)]) -> Vec<Simple> {
    let mut reader = Reader::default();
    for (number, line) in lines {
        reader.line(*number, line);
    }
    reader.finish();
    reader.found
}

/// The lines of a block that are commands: those behind a prompt, with their continuations, or all if none has one.
pub(super) fn typed(lines: &[(u32, String)]) -> Vec<(u32, String)> {
    let prompted = |line: &str| line.trim_start().strip_prefix("$ ").map(str::to_owned);
    if !lines.iter().any(|(_, line)| prompted(line).is_some()) {
        return lines.to_vec();
    }
    let mut kept = Vec::new();
    let mut continues = false;
    for (number, line) in lines {
        let text = match (prompted(line), continues) {
            (Some(text), _) => text,
            (None, true) => line.strip_prefix("> ").unwrap_or(line).to_owned(),
            (None, false) => continue,
        };
        continues = text.ends_with('\\');
        kept.push((*number, text));
    }
    kept
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Quote {
    #[default]
    None,
    Single,
    Double,
}

#[derive(Default)]
struct Reader {
    found: Vec<Simple>,
    words: Vec<Word>,
    word: Option<Word>,
    line: u32,
    quote: Quote,
    obscure: Option<&'static str>,
    /// The next word is the target of a redirection.
    redirected: bool,
}

impl Reader {
    fn line(&mut self, number: u32, line: &str) {
        if self.words.is_empty() && self.word.is_none() {
            self.line = number;
        }
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match (self.quote, c) {
                (Quote::Single, '\'') | (Quote::Double, '"') => self.quote = Quote::None,
                (Quote::Single, c) => self.push(c, true),
                (_, '\\') => match chars.next() {
                    // A backslash at the end joins the next line.
                    None => return,
                    Some(escaped) => self.push(escaped, true),
                },
                (_, '$') => {
                    let expands = chars
                        .peek()
                        .is_some_and(|c| c.is_alphanumeric() || "_{(@*#?!$-'\"".contains(*c));
                    self.push('$', false);
                    if expands {
                        self.open();
                    }
                }
                (_, '`') => {
                    self.push('`', false);
                    self.open();
                }
                (Quote::Double, c) => self.push(c, true),
                (Quote::None, '\'') => self.begin_quote(Quote::Single),
                (Quote::None, '"') => self.begin_quote(Quote::Double),
                (Quote::None, '#') if self.word.is_none() => break,
                (Quote::None, c) if c.is_whitespace() => self.end_word(),
                (Quote::None, '|' | ';' | '&') => {
                    // `2>&1` and `&>` belong to a redirection.
                    if c == '&' && (self.redirected || chars.peek() == Some(&'>')) {
                        continue;
                    }
                    self.end_command();
                    self.line = number;
                }
                (Quote::None, '<' | '>') => {
                    if c == '<' && chars.peek() == Some(&'<') {
                        self.obscure = Some("a here-document");
                    }
                    let is_descriptor = self
                        .word
                        .as_ref()
                        .is_some_and(|word| word.text.bytes().all(|b| b.is_ascii_digit()));
                    if is_descriptor {
                        self.word = None;
                    }
                    self.end_word();
                    self.redirected = true;
                }
                (Quote::None, '(' | ')') => self.obscure = Some("a subshell or function"),
                (Quote::None, c) => self.push(c, false),
            }
        }
        if self.quote == Quote::None {
            self.end_command();
        } else {
            self.push('\n', true);
        }
    }

    fn begin_quote(&mut self, quote: Quote) {
        self.quote = quote;
        self.word.get_or_insert_default().is_quoted = true;
    }

    fn push(&mut self, c: char, is_quoted: bool) {
        let word = self.word.get_or_insert_default();
        word.text.push(c);
        word.is_quoted |= is_quoted;
    }

    fn open(&mut self) {
        if let Some(word) = &mut self.word {
            word.is_open = true;
        }
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take() {
            if self.redirected {
                self.redirected = false;
                return;
            }
            if self.words.is_empty() && !word.is_quoted && KEYWORDS.contains(&word.text.as_str()) {
                self.obscure = Some("a shell keyword");
            }
            self.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirected = false;
        let obscure = self.obscure.take();
        let words = std::mem::take(&mut self.words);
        if !words.is_empty() || obscure.is_some() {
            self.found.push(Simple { line: self.line, words, obscure });
        }
    }

    fn finish(&mut self) {
        if self.quote != Quote::None {
            self.obscure = Some("a quote that is not closed");
        }
        self.end_command();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(u32, String)> {
        (1..).zip(text.lines().map(str::to_owned)).collect()
    }

    #[test]
    fn commands_are_parted_as_a_shell_parts_them() {
        /// The case, the text, and line and words of each command.
        type Row = (&'static str, &'static str, &'static [(u32, &'static [&'static str])]);
        let table: &[Row] = &[
            ("one", "cargo test", &[(1, &["cargo", "test"])]),
            ("a comment", "cargo test # all\n# nothing\n", &[(1, &["cargo", "test"])]),
            ("no comment", "a#b '#c'", &[(1, &["a#b", "#c"])]),
            ("a continuation", "a \\\n  b \\\n  c\nd", &[(1, &["a", "b", "c"]), (4, &["d"])]),
            ("within a word", "a\\\nb", &[(1, &["ab"])]),
            (
                "operators",
                "a && b || c; d | e & f",
                &[(1, &["a"]), (1, &["b"]), (1, &["c"]), (1, &["d"]), (1, &["e"]), (1, &["f"])],
            ),
            ("operators without spaces", "a&&b;c", &[(1, &["a"]), (1, &["b"]), (1, &["c"])]),
            ("redirections", "a > b 2>&1 < c &> d >> e f", &[(1, &["a", "f"])]),
            ("quotes", "a 'b \"c' \"d 'e\" f\\ g", &[(1, &["a", "b \"c", "d 'e", "f g"])]),
            ("an operator in quotes", "a 'b && c'", &[(1, &["a", "b && c"])]),
            ("a quote over lines", "a 'b\nc' d\ne", &[(1, &["a", "b\nc", "d"]), (3, &["e"])]),
            ("an empty word", "a ''", &[(1, &["a", ""])]),
            ("an operator at the end", "a &&\nb", &[(1, &["a"]), (2, &["b"])]),
        ];
        for (case, text, expected) in table {
            let seen = read(&lines(text));
            assert!(seen.iter().all(|simple| simple.obscure.is_none()), "{case}: {seen:?}");
            let seen: Vec<(u32, Vec<&str>)> = seen
                .iter()
                .map(|simple| {
                    (simple.line, simple.words.iter().map(|word| word.text.as_str()).collect())
                })
                .collect();
            let expected: Vec<(u32, Vec<&str>)> =
                expected.iter().map(|(line, words)| (*line, words.to_vec())).collect();
            assert_eq!(seen, expected, "{case}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        let table: &[(&str, &str, bool, bool)] = &[
            ("a variable", "a $B", true, false),
            ("a variable in quotes", "a \"x${B}\"", true, false),
            ("a substitution", "a $(b)", true, true),
            ("a substitution by backticks", "a `b`", true, false),
            ("a dollar alone", "a '$B' \\$B 5$", false, false),
            ("a loop", "for x in y; do a; done", false, true),
            ("a quoted keyword", "'if' a", false, false),
            ("a here-document", "a <<EOF", false, true),
            ("a subshell", "(a)", false, true),
            ("an open quote", "a 'b", false, true),
        ];
        for (case, text, is_open, is_obscure) in table {
            let seen = read(&lines(text));
            let open = seen.iter().flat_map(|simple| &simple.words).any(|word| word.is_open);
            let obscure = seen.iter().any(|simple| simple.obscure.is_some());
            assert_eq!((open, obscure), (*is_open, *is_obscure), "{case}: {seen:?}");
        }
    }

    #[test]
    fn only_what_is_typed_is_a_command() {
        let text = "$ a \\\n  b\nprinted\n  $ c\n";
        let seen: Vec<String> = typed(&lines(text)).into_iter().map(|(_, line)| line).collect();
        assert_eq!(seen, ["a \\", "  b", "c"]);
        assert_eq!(typed(&lines("a\nb")).len(), 2, "without any prompt every line is typed");
    }

    #[test]
    fn t12_long_lines_are_read_once() {
        let text = "a;".repeat(200_000);
        assert_eq!(read(&lines(&text)).len(), 200_000);
        let deep = format!("a {}", "$(".repeat(200_000));
        assert_eq!(read(&lines(&deep)).len(), 1);
    }
}
