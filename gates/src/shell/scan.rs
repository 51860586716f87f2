//! Characters into words: quotes, escapes, expansions, here-documents. The grammar of commands is in `grammar.rs`.

use super::tree::{List, Part, Word};
use super::{Unparsed, grammar};

/// How deeply commands, groups and substitutions may nest (`security.md`, section 4).
const DEPTH_MAX: usize = 64;

/// Where the reading of a script stands.
pub(super) struct Scanner<'t> {
    text: &'t str,
    /// What is added to offsets: the place of this text in a larger one.
    base: usize,
    pub(super) position: usize,
    pub(super) depth: usize,
    /// Here-documents whose bodies begin on the next line.
    waiting: Vec<Waiting>,
    /// Bodies that were read, by the order of their operators.
    pub(super) bodies: Vec<Word>,
}

struct Waiting {
    delimiter: String,
    strips_tabs: bool,
    is_literal: bool,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str, base: usize, depth: usize) -> Self {
        Self { text, base, position: 0, depth, waiting: Vec::new(), bodies: Vec::new() }
    }

    pub(super) fn at(&self) -> usize {
        self.base + self.position
    }

    pub(super) fn unparsed(&self, why: &str) -> Unparsed {
        Unparsed { at: self.at(), why: why.to_owned() }
    }

    /// Goes one level down.
    pub(super) fn deeper(&mut self) -> Result<(), Unparsed> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.unparsed("it nests more than 64 levels deep"));
        }
        Ok(())
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += next.len_utf8();
        Some(next)
    }

    /// Passes over a text that stands here.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.position += text.len();
        }
        found
    }

    /// Passes over blanks, continuations and a comment; line breaks stay.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => {
                    self.bump();
                }
                Some('\\') if self.rest().starts_with("\\\n") => self.position += 2,
                Some('\\') if self.rest().starts_with("\\\r\n") => self.position += 3,
                Some('#') => {
                    while self.peek().is_some_and(|next| next != '\n') {
                        self.bump();
                    }
                }
                Some(_) | None => return,
            }
        }
    }

    /// Passes over blanks and line breaks.
    pub(super) fn skip_lines(&mut self) -> Result<(), Unparsed> {
        loop {
            self.skip_blanks();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.line_break()?;
        }
    }

    /// Passes over one line break, and reads the here-documents that wait for it.
    pub(super) fn line_break(&mut self) -> Result<(), Unparsed> {
        self.bump();
        for waiting in std::mem::take(&mut self.waiting) {
            let body = self.body(&waiting)?;
            self.bodies.push(body);
        }
        Ok(())
    }

    /// Remembers a here-document; its body follows the line.
    pub(super) fn here_document(&mut self, delimiter: &Word, strips_tabs: bool) {
        let quoted = |part: &Part| !matches!(part, Part::Text { is_quoted: false, .. });
        let is_literal = delimiter.parts.iter().any(quoted);
        let delimiter = delimiter.literal().unwrap_or_default();
        self.waiting.push(Waiting { delimiter, strips_tabs, is_literal });
    }

    /// How many here-documents were named so far.
    pub(super) fn n_documents(&self) -> usize {
        self.bodies.len() + self.waiting.len()
    }

    fn body(&mut self, waiting: &Waiting) -> Result<Word, Unparsed> {
        let start = self.position;
        loop {
            let line_start = self.position;
            let rest = self.rest();
            if rest.is_empty() {
                // Bash takes the end of the script for the end of the document, and so does this.
                return self.document(start, line_start, waiting);
            }
            let line = rest.split('\n').next().unwrap_or_default();
            self.position += (line.len() + 1).min(rest.len());
            let bare = line.strip_suffix('\r').unwrap_or(line);
            let bare = if waiting.strips_tabs { bare.trim_start_matches('\t') } else { bare };
            if bare == waiting.delimiter {
                return self.document(start, line_start, waiting);
            }
        }
    }

    fn document(&self, start: usize, end: usize, waiting: &Waiting) -> Result<Word, Unparsed> {
        let text = self.text.get(start..end).unwrap_or_default();
        let at = self.base + start;
        if waiting.is_literal {
            let text = text.to_owned();
            return Ok(Word { parts: vec![Part::Text { text, is_quoted: true }], at });
        }
        let mut inner = Scanner::new(text, at, self.depth);
        let mut parts = Vec::new();
        inner.double_quoted(&mut parts, None)?;
        Ok(Word { parts, at })
    }

    /// Whether a word ends here.
    fn is_end(next: char) -> bool {
        matches!(next, ' ' | '\t' | '\n' | '\r' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
    }

    /// Reads a word; nothing when none begins here.
    pub(super) fn word(&mut self) -> Result<Option<Word>, Unparsed> {
        self.skip_blanks();
        let at = self.at();
        let mut parts = Vec::new();
        let mut bare = String::new();
        while let Some(next) = self.peek() {
            match next {
                '<' | '>' if self.second() == Some('(') => {
                    self.position += 2;
                    flush(&mut bare, &mut parts, false);
                    parts.push(Part::Process(self.substituted()?));
                }
                // `@(a|b)` and its relatives are patterns, not subshells.
                '(' if bare.ends_with(['@', '?', '*', '+', '!']) => {
                    bare.push_str(&self.balanced('(', ')')?);
                }
                '(' if is_assignment_head(&bare) && parts.is_empty() => {
                    self.bump();
                    flush(&mut bare, &mut parts, false);
                    parts.push(Part::Array(self.array()?));
                }
                '\\' if self.rest().starts_with("\\\n") => self.position += 2,
                next if Self::is_end(next) => break,
                _ => self.piece(&mut bare, &mut parts)?,
            }
        }
        flush(&mut bare, &mut parts, false);
        Ok((!parts.is_empty()).then_some(Word { parts, at }))
    }

    fn array(&mut self) -> Result<Vec<Word>, Unparsed> {
        let mut words = Vec::new();
        loop {
            self.skip_lines()?;
            match self.word()? {
                Some(word) => words.push(word),
                None if self.eat(")") => return Ok(words),
                None => return Err(self.unparsed("an array has no end")),
            }
        }
    }

    /// Reads one character or one quoted or expanded piece of a word.
    fn piece(&mut self, bare: &mut String, parts: &mut Vec<Part>) -> Result<(), Unparsed> {
        match self.peek() {
            Some('\\') => {
                self.bump();
                flush(bare, parts, false);
                let text = self.bump().map_or_else(|| "\\".to_owned(), String::from);
                parts.push(Part::Text { text, is_quoted: true });
            }
            Some('\'') => {
                self.bump();
                flush(bare, parts, false);
                let Some((text, _rest)) = self.rest().split_once('\'') else {
                    return Err(self.unparsed("a quote has no end"));
                };
                self.position += text.len() + 1;
                parts.push(Part::Text { text: text.to_owned(), is_quoted: true });
            }
            Some('"') => {
                self.bump();
                flush(bare, parts, false);
                // An empty pair of quotes is a word, too.
                parts.push(Part::Text { text: String::new(), is_quoted: true });
                self.double_quoted(parts, Some('"'))?;
            }
            Some('`') => {
                flush(bare, parts, false);
                parts.push(self.backticks(false)?);
            }
            Some('$') => {
                flush(bare, parts, false);
                parts.push(self.dollar(false)?);
            }
            Some(_) => bare.extend(self.bump()),
            None => {}
        }
        Ok(())
    }

    /// Reads up to the closing quote, or to the end of a here-document.
    fn double_quoted(&mut self, parts: &mut Vec<Part>, end: Option<char>) -> Result<(), Unparsed> {
        let mut text = String::new();
        loop {
            match self.peek() {
                None if end.is_none() => break,
                None => return Err(self.unparsed("a quote has no end")),
                next if next == end => {
                    self.bump();
                    break;
                }
                Some('\\') => {
                    self.bump();
                    match self.bump() {
                        Some('\n') => {}
                        Some(next @ ('$' | '`' | '"' | '\\')) => text.push(next),
                        Some(next) => text.extend(['\\', next]),
                        None => text.push('\\'),
                    }
                }
                Some('`') => {
                    flush(&mut text, parts, true);
                    parts.push(self.backticks(true)?);
                }
                Some('$') => {
                    flush(&mut text, parts, true);
                    parts.push(self.dollar(true)?);
                }
                Some(_) => text.extend(self.bump()),
            }
        }
        flush(&mut text, parts, true);
        Ok(())
    }

    fn backticks(&mut self, is_quoted: bool) -> Result<Part, Unparsed> {
        self.bump();
        let at = self.at();
        let mut inner = String::new();
        loop {
            match self.bump() {
                Some('`') => break,
                Some('\\') => match self.bump() {
                    Some(next @ ('`' | '\\' | '$')) => inner.push(next),
                    Some(next) => inner.extend(['\\', next]),
                    None => {}
                },
                Some(next) => inner.push(next),
                None => return Err(self.unparsed("a backtick has no end")),
            }
        }
        let mut scanner = Scanner::new(&inner, at, self.depth);
        scanner.deeper()?;
        Ok(Part::Substitution { list: grammar::whole(&mut scanner)?, is_quoted })
    }

    fn substituted(&mut self) -> Result<List, Unparsed> {
        self.deeper()?;
        let list = grammar::list(self, &[])?;
        self.skip_blanks();
        if !self.eat(")") {
            return Err(self.unparsed("a substitution has no end"));
        }
        self.depth -= 1;
        Ok(list)
    }

    fn dollar(&mut self, is_quoted: bool) -> Result<Part, Unparsed> {
        if self.eat("${{") {
            return self.expression();
        }
        if self.rest().starts_with("$((")
            && let Some(text) = self.arithmetic("$((")
        {
            return Ok(Part::Arithmetic(text));
        }
        if self.eat("$(") {
            return Ok(Part::Substitution { list: self.substituted()?, is_quoted });
        }
        if self.eat("${") {
            return self.braced(is_quoted);
        }
        if !is_quoted && self.rest().starts_with("$'") {
            self.position += 2;
            return self.ansi_quoted();
        }
        self.bump();
        let rest = self.rest();
        let name_end = rest
            .find(|next: char| !next.is_ascii_alphanumeric() && next != '_')
            .unwrap_or(rest.len());
        let starts_with_digit = rest.starts_with(|next: char| next.is_ascii_digit());
        let length = match rest.chars().next() {
            Some(next) if "?#@*!$-".contains(next) => 1,
            Some(_) if starts_with_digit => 1,
            Some(_) | None => name_end,
        };
        if length == 0 {
            // A lone `$`, and the one before `"..."`, stand for themselves.
            let text = if !is_quoted && rest.starts_with('"') { "" } else { "$" };
            return Ok(Part::Text { text: text.to_owned(), is_quoted });
        }
        let name = rest.get(..length).unwrap_or_default().to_owned();
        self.position += length;
        Ok(Part::Variable { name, operation: String::new(), is_quoted })
    }

    /// The provider's expression, whose strings may hold braces.
    fn expression(&mut self) -> Result<Part, Unparsed> {
        let start = self.position;
        let mut in_string = false;
        while let Some(next) = self.peek() {
            if !in_string && self.rest().starts_with("}}") {
                let text = self.text.get(start..self.position).unwrap_or_default().to_owned();
                self.position += 2;
                return Ok(Part::Expression(text));
            }
            in_string ^= next == '\'';
            self.bump();
        }
        Err(self.unparsed("an expression has no end"))
    }

    fn braced(&mut self, is_quoted: bool) -> Result<Part, Unparsed> {
        let inner = self.until_close('{', '}')?;
        let named = |next: char| next.is_ascii_alphanumeric() || next == '_';
        let special = inner.starts_with(|next: char| "?#@*!$-".contains(next));
        let counts = special && inner.len() > 1 && inner.starts_with(['#', '!']);
        let head = usize::from(counts);
        let body = inner.get(head..).unwrap_or_default();
        let mut length = body.find(|next| !named(next)).unwrap_or(body.len());
        if length == 0 && !body.is_empty() {
            length = body.chars().next().map_or(0, char::len_utf8);
        }
        let (name, after) = body.split_at_checked(length).unwrap_or((body, ""));
        let prefix = inner.get(..head).unwrap_or_default();
        let operation = format!("{prefix}{after}");
        Ok(Part::Variable { name: name.to_owned(), operation, is_quoted })
    }

    fn ansi_quoted(&mut self) -> Result<Part, Unparsed> {
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('\'') => return Ok(Part::Text { text, is_quoted: true }),
                Some('\\') => match self.bump() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(next) => text.push(next),
                    None => {}
                },
                Some(next) => text.push(next),
                None => return Err(self.unparsed("a quote has no end")),
            }
        }
    }

    /// Reads `((..))` after `head`; nothing, and nothing is passed over, when it is no arithmetic.
    pub(super) fn arithmetic(&mut self, head: &str) -> Option<String> {
        let start = self.position;
        self.position += head.len();
        let mut depth = 0_usize;
        let from = self.position;
        while let Some(next) = self.peek() {
            match next {
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                ')' if self.rest().starts_with("))") => {
                    let text = self.text.get(from..self.position)?.to_owned();
                    self.position += 2;
                    return Some(text);
                }
                ')' => break,
                _ => {}
            }
            self.bump();
        }
        self.position = start;
        None
    }

    /// Reads a parenthesised piece of a pattern, with its parentheses.
    fn balanced(&mut self, open: char, close: char) -> Result<String, Unparsed> {
        self.bump();
        Ok(format!("{open}{}{close}", self.until_close(open, close)?))
    }

    /// Reads up to the bracket that closes what was opened before, quotes respected.
    fn until_close(&mut self, open: char, close: char) -> Result<String, Unparsed> {
        let start = self.position;
        let mut depth = 0_usize;
        let mut in_double = false;
        while let Some(next) = self.peek() {
            match next {
                '\\' => {
                    self.bump();
                }
                '"' => in_double = !in_double,
                '\'' if !in_double => {
                    self.bump();
                    while self.peek().is_some_and(|next| next != '\'') {
                        self.bump();
                    }
                }
                next if next == open && !in_double => depth += 1,
                next if next == close && depth > 0 && !in_double => depth -= 1,
                next if next == close && !in_double => {
                    let text = self.text.get(start..self.position).unwrap_or_default().to_owned();
                    self.bump();
                    return Ok(text);
                }
                _ => {}
            }
            self.bump();
        }
        Err(self.unparsed("a bracket has no end"))
    }
}

/// Moves what was read so far into the parts.
fn flush(text: &mut String, parts: &mut Vec<Part>, is_quoted: bool) {
    if !text.is_empty() {
        parts.push(Part::Text { text: std::mem::take(text), is_quoted });
    }
}

/// Whether a word so far is `name=` or `name+=`, which an array may follow.
fn is_assignment_head(text: &str) -> bool {
    let name = text.strip_suffix('=').map(|head| head.strip_suffix('+').unwrap_or(head));
    name.is_some_and(super::is_name)
}
