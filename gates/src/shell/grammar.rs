//! Words into commands: lists, pipelines, compound commands. Characters are the scanner's affair.

use super::scan::Scanner;
use super::tree::{
    Assignment, Command, Connector, Item, Kind, List, Part, Pipeline, Redirect, Simple, Word,
};
use super::{Unparsed, is_name};
use std::rc::Rc;

/// Words that end a list where a command is expected.
const CLOSERS: &[&str] = &["then", "else", "elif", "fi", "do", "done", "esac", "}"];

/// Operators of redirections, longer ones first.
const REDIRECTIONS: &[&str] =
    &["&>>", "<<<", "<<-", "&>", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"];

/// Reads a whole text.
pub(super) fn whole(scanner: &mut Scanner<'_>) -> Result<List, Unparsed> {
    let list = list(scanner, &[])?;
    match scanner.peek() {
        None => Ok(list),
        Some(_) => Err(scanner.unparsed("a command was expected here")),
    }
}

/// Reads commands up to the end, a closing bracket, or one of these words.
pub(super) fn list(scanner: &mut Scanner<'_>, ends: &[&str]) -> Result<List, Unparsed> {
    let mut items = Vec::new();
    loop {
        scanner.skip_lines()?;
        if matches!(scanner.peek(), None | Some(')')) || scanner.rest().starts_with(";;") {
            break;
        }
        let before = scanner.position;
        let closer = keyword(scanner)?;
        scanner.position = before;
        if let Some(word) = closer.filter(|word| CLOSERS.contains(&word.as_str())) {
            if ends.contains(&word.as_str()) {
                break;
            }
            return Err(scanner.unparsed(&format!("`{word}` stands where a command belongs")));
        }
        items.push(item(scanner)?);
    }
    settle(scanner, &mut items);
    Ok(List { items })
}

/// Puts the bodies of here-documents that were read by now into their redirections.
fn settle(scanner: &mut Scanner<'_>, items: &mut [Item]) {
    for item in items {
        let others = item.rest.iter_mut().map(|(_connector, pipeline)| pipeline);
        for pipeline in std::iter::once(&mut item.first).chain(others) {
            for redirect in pipeline.commands.iter_mut().flat_map(|command| &mut command.redirects)
            {
                let number = redirect.operator.strip_prefix("<<#").and_then(|n| n.parse().ok());
                let body = number.and_then(|number: usize| scanner.bodies.get(number));
                if let Some(body) = body {
                    redirect.target = body.clone();
                    "<<".clone_into(&mut redirect.operator);
                }
            }
        }
    }
}

/// The bare word that stands here; nothing when it is quoted or expanded.
fn keyword(scanner: &mut Scanner<'_>) -> Result<Option<String>, Unparsed> {
    scanner.skip_blanks();
    // Only words of letters and braces are keywords; others are not read twice.
    if !scanner.peek().is_some_and(|next| next.is_ascii_lowercase() || "{}[!".contains(next)) {
        return Ok(None);
    }
    let rest = scanner.rest();
    let end = rest.find(|next: char| " \t\r\n;&|<>()".contains(next)).unwrap_or(rest.len());
    let word = rest.get(..end).unwrap_or_default().to_owned();
    scanner.position += end;
    Ok(Some(word))
}

fn item(scanner: &mut Scanner<'_>) -> Result<Item, Unparsed> {
    let first = pipeline(scanner)?;
    let mut rest = Vec::new();
    loop {
        scanner.skip_blanks();
        let connector = if scanner.eat("&&") {
            Connector::And
        } else if scanner.eat("||") {
            Connector::Or
        } else {
            break;
        };
        scanner.skip_lines()?;
        rest.push((connector, pipeline(scanner)?));
    }
    let is_background = !scanner.rest().starts_with("&>") && scanner.eat("&");
    if !is_background && !scanner.rest().starts_with(";;") {
        scanner.eat(";");
    }
    Ok(Item { first, rest, is_background })
}

fn pipeline(scanner: &mut Scanner<'_>) -> Result<Pipeline, Unparsed> {
    let mut is_negated = false;
    loop {
        scanner.skip_blanks();
        let rest = scanner.rest();
        if rest.starts_with('!') && rest.chars().nth(1).is_none_or(|next| " \t\n(".contains(next)) {
            scanner.bump();
            is_negated = !is_negated;
        } else {
            break;
        }
    }
    let mut commands = vec![command(scanner)?];
    loop {
        scanner.skip_blanks();
        if scanner.rest().starts_with("||") || !(scanner.eat("|&") || scanner.eat("|")) {
            return Ok(Pipeline { is_negated, commands });
        }
        scanner.skip_lines()?;
        commands.push(command(scanner)?);
    }
}

fn command(scanner: &mut Scanner<'_>) -> Result<Command, Unparsed> {
    scanner.deeper()?;
    scanner.skip_blanks();
    let at = scanner.at();
    let kind = match compound(scanner)? {
        Some(kind) => kind,
        None => return simple(scanner, at),
    };
    let mut redirects = Vec::new();
    while let Some(redirect) = redirection(scanner)? {
        redirects.push(redirect);
    }
    scanner.depth -= 1;
    Ok(Command { kind, redirects, at })
}

/// Reads a compound command; nothing, and nothing is passed over, when none begins here.
fn compound(scanner: &mut Scanner<'_>) -> Result<Option<Kind>, Unparsed> {
    if scanner.rest().starts_with("((")
        && let Some(text) = scanner.arithmetic("((")
    {
        return Ok(Some(Kind::Arithmetic(text)));
    }
    if scanner.eat("(") {
        let inner = list(scanner, &[])?;
        close(scanner, ")")?;
        return Ok(Some(Kind::Subshell(inner)));
    }
    let before = scanner.position;
    let word = keyword(scanner)?;
    let kind = match word.as_deref() {
        Some("{") => {
            let inner = list(scanner, &["}"])?;
            close(scanner, "}")?;
            Kind::Group(inner)
        }
        Some("if") => if_clause(scanner)?,
        Some(word @ ("while" | "until")) => {
            let until = word == "until";
            let condition = list(scanner, &["do"])?;
            Kind::Loop { until, condition, body: body(scanner)? }
        }
        Some("for" | "select") => for_clause(scanner)?,
        Some("case") => case_clause(scanner)?,
        Some("function") => {
            let name = expect_word(scanner)?.literal().unwrap_or_default();
            scanner.skip_blanks();
            if scanner.eat("(") {
                close(scanner, ")")?;
            }
            scanner.skip_lines()?;
            Kind::Function { name, body: Rc::new(command(scanner)?) }
        }
        Some("[[") => Kind::Test(test_words(scanner)?),
        Some(_) | None => {
            scanner.position = before;
            return function(scanner);
        }
    };
    Ok(Some(kind))
}

/// Reads `name () command`; nothing, and nothing is passed over, when it is something else.
fn function(scanner: &mut Scanner<'_>) -> Result<Option<Kind>, Unparsed> {
    let rest = scanner.rest();
    let end = rest.find(|next: char| " \t\r\n;&|<>()$'\"`=".contains(next)).unwrap_or(rest.len());
    let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let parens = after.trim_start_matches([' ', '\t']);
    let Some(inside) = parens.strip_prefix('(').filter(|_| !name.is_empty()) else {
        return Ok(None);
    };
    let Some(behind) = inside.trim_start_matches([' ', '\t']).strip_prefix(')') else {
        return Ok(None);
    };
    let name = name.to_owned();
    scanner.position += rest.len() - behind.len();
    scanner.skip_lines()?;
    Ok(Some(Kind::Function { name, body: Rc::new(command(scanner)?) }))
}

fn if_clause(scanner: &mut Scanner<'_>) -> Result<Kind, Unparsed> {
    let mut branches = Vec::new();
    loop {
        let condition = list(scanner, &["then"])?;
        close(scanner, "then")?;
        let then = list(scanner, &["elif", "else", "fi"])?;
        branches.push((condition, then));
        match keyword(scanner)?.as_deref() {
            Some("elif") => {}
            Some("else") => {
                let otherwise = Some(list(scanner, &["fi"])?);
                close(scanner, "fi")?;
                return Ok(Kind::If { branches, otherwise });
            }
            Some("fi") => return Ok(Kind::If { branches, otherwise: None }),
            Some(_) | None => return Err(scanner.unparsed("`fi` is missing")),
        }
    }
}

fn body(scanner: &mut Scanner<'_>) -> Result<List, Unparsed> {
    scanner.skip_lines()?;
    if scanner.peek() == Some('{') {
        close(scanner, "{")?;
        let body = list(scanner, &["}"])?;
        close(scanner, "}")?;
        return Ok(body);
    }
    close(scanner, "do")?;
    let body = list(scanner, &["done"])?;
    close(scanner, "done")?;
    Ok(body)
}

fn for_clause(scanner: &mut Scanner<'_>) -> Result<Kind, Unparsed> {
    scanner.skip_blanks();
    if scanner.rest().starts_with("((") {
        if scanner.arithmetic("((").is_none() {
            return Err(scanner.unparsed("`((` has no end"));
        }
        separator(scanner)?;
        return Ok(Kind::Counted { body: body(scanner)? });
    }
    let name = expect_word(scanner)?.literal().unwrap_or_default();
    scanner.skip_lines()?;
    let before = scanner.position;
    let mut words = None;
    if keyword(scanner)?.as_deref() == Some("in") {
        let mut named = Vec::new();
        while let Some(word) = scanner.word()? {
            named.push(word);
        }
        words = Some(named);
    } else {
        scanner.position = before;
    }
    separator(scanner)?;
    Ok(Kind::For { name, words, body: body(scanner)? })
}

fn separator(scanner: &mut Scanner<'_>) -> Result<(), Unparsed> {
    scanner.skip_blanks();
    scanner.eat(";");
    scanner.skip_lines()
}

fn case_clause(scanner: &mut Scanner<'_>) -> Result<Kind, Unparsed> {
    let word = expect_word(scanner)?;
    scanner.skip_lines()?;
    close(scanner, "in")?;
    let mut arms = Vec::new();
    loop {
        scanner.skip_lines()?;
        let before = scanner.position;
        if keyword(scanner)?.as_deref() == Some("esac") {
            return Ok(Kind::Case { word, arms });
        }
        scanner.position = before;
        scanner.eat("(");
        let mut patterns = vec![expect_word(scanner)?];
        scanner.skip_blanks();
        while scanner.eat("|") {
            patterns.push(expect_word(scanner)?);
            scanner.skip_blanks();
        }
        close(scanner, ")")?;
        arms.push((patterns, list(scanner, &["esac"])?));
        scanner.skip_lines()?;
        if !(scanner.eat(";;&") || scanner.eat(";;")) {
            scanner.eat(";&");
        }
    }
}

fn test_words(scanner: &mut Scanner<'_>) -> Result<Vec<Word>, Unparsed> {
    let mut words = Vec::new();
    loop {
        scanner.skip_lines()?;
        let at = scanner.at();
        if let Some(word) = scanner.word()? {
            if word.bare() == Some("]]") {
                return Ok(words);
            }
            words.push(word);
            continue;
        }
        let operator = ["&&", "||", "<", ">", "(", ")", "|", ";", "&"]
            .into_iter()
            .find(|operator| scanner.eat(operator));
        match operator {
            Some(operator) => words.push(Word {
                parts: vec![Part::Text { text: operator.to_owned(), is_quoted: false }],
                at,
            }),
            None => return Err(scanner.unparsed("`]]` is missing")),
        }
    }
}

fn expect_word(scanner: &mut Scanner<'_>) -> Result<Word, Unparsed> {
    match scanner.word()? {
        Some(word) => Ok(word),
        None => Err(scanner.unparsed("a word was expected here")),
    }
}

fn close(scanner: &mut Scanner<'_>, text: &str) -> Result<(), Unparsed> {
    scanner.skip_lines()?;
    if scanner.eat(text) { Ok(()) } else { Err(scanner.unparsed(&format!("`{text}` is missing"))) }
}

/// Reads a redirection, its descriptor included; nothing, and nothing is passed over, when none stands here.
fn redirection(scanner: &mut Scanner<'_>) -> Result<Option<Redirect>, Unparsed> {
    scanner.skip_blanks();
    let rest = scanner.rest();
    let digits = rest.find(|next: char| !next.is_ascii_digit()).unwrap_or(rest.len());
    let named = match rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        Some((name, _)) if is_name(name) => name.len() + 2,
        Some(_) | None => 0,
    };
    let head = digits.max(named);
    let behind = rest.get(head..).unwrap_or_default();
    let Some(operator) = REDIRECTIONS.iter().find(|operator| behind.starts_with(**operator)) else {
        return Ok(None);
    };
    // `<(` begins a word.
    if matches!(*operator, "<" | ">") && behind.get(1..).is_some_and(|next| next.starts_with('(')) {
        return Ok(None);
    }
    scanner.position += head + operator.len();
    let target = expect_word(scanner)?;
    if matches!(*operator, "<<" | "<<-") {
        let number = scanner.n_documents();
        scanner.here_document(&target, *operator == "<<-");
        return Ok(Some(Redirect { operator: format!("<<#{number}"), target }));
    }
    let descriptor = rest.get(..head).unwrap_or_default();
    Ok(Some(Redirect { operator: format!("{descriptor}{operator}"), target }))
}

fn simple(scanner: &mut Scanner<'_>, at: usize) -> Result<Command, Unparsed> {
    let mut simple = Simple::default();
    let mut redirects = Vec::new();
    loop {
        if let Some(redirect) = redirection(scanner)? {
            redirects.push(redirect);
            continue;
        }
        let Some(word) = scanner.word()? else { break };
        match assignment(&word).filter(|_| simple.words.is_empty()) {
            Some(assignment) => simple.assignments.push(assignment),
            None => simple.words.push(word),
        }
    }
    if simple.words.is_empty() && simple.assignments.is_empty() && redirects.is_empty() {
        return Err(scanner.unparsed("a command was expected here"));
    }
    if scanner.peek() == Some('(') {
        return Err(scanner.unparsed("`(` stands inside a command"));
    }
    // `time`, `coproc` and their like take a whole command; what follows is read as words of theirs.
    scanner.depth -= 1;
    Ok(Command { kind: Kind::Simple(simple), redirects, at })
}

/// A word as an assignment, where it is one.
pub(super) fn assignment(word: &Word) -> Option<Assignment> {
    let Part::Text { text, is_quoted: false } = word.parts.first()? else { return None };
    let (head, value) = text.split_once('=')?;
    let is_appended = head.ends_with('+');
    let name = head.strip_suffix('+').unwrap_or(head);
    let name = name.split_once('[').map_or(name, |(name, _index)| name);
    if !is_name(name) {
        return None;
    }
    let mut parts = Vec::new();
    if !value.is_empty() {
        parts.push(Part::Text { text: value.to_owned(), is_quoted: false });
    }
    parts.extend(word.parts.iter().skip(1).cloned());
    Some(Assignment { name: name.to_owned(), is_appended, value: Word { parts, at: word.at } })
}
