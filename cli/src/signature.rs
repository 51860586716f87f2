//! Signatures at work: their patterns over lines of a log, and which of them a failure has. Leaves out how a log is read.

use crate::exit::{Exit, Refused};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use anyhow::Context as _;
use portcullis::{
    Fault,
    kernel::policy::{
        Policy,
        signature::{Placed, Signature},
    },
    wire::code::CONFIG_INVALID,
};
use regex::{RegexSet, RegexSetBuilder};
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use serde::Serialize;

/// A pattern that compiles to more would be slow on every line.
const COMPILED_MAX_BYTES: usize = 1024 * 1024;
/// A text this short would make every other line worth a look.
const LITERAL_MIN_BYTES: usize = 3;
const LITERALS_MAX: usize = 64;

/// What a pattern stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Means {
    /// The signature of this number.
    Signature(usize),
    /// The gate of this id, whose table has a text of its own.
    Gate(String),
}

/// The patterns of a policy, compiled.
pub(crate) struct Patterns {
    set: RegexSet,
    means: Vec<Means>,
    every_line: bool,
    /// Texts, one of which stands on every line that any pattern matches.
    pub(crate) literals: Vec<String>,
    /// Finds any of them; nothing where a pattern matches lines that have none.
    needed: Option<AhoCorasick>,
    /// The length of the longest of them.
    longest: usize,
}

impl Patterns {
    /// No pattern at all, for a log outside of a repository.
    pub(crate) fn none() -> Self {
        Self {
            set: RegexSet::empty(),
            means: Vec::new(),
            every_line: false,
            literals: Vec::new(),
            needed: None,
            longest: 0,
        }
    }

    /// Compiles the patterns of a policy.
    ///
    /// # Errors
    /// Every pattern that is no regular expression, with its line.
    pub(crate) fn of(policy: &Policy) -> Result<Self, Refused> {
        let mut sources: Vec<String> = Vec::new();
        let mut patterns = Self::none();
        let mut faults = Vec::new();
        for (number, signature) in policy.signatures.iter().enumerate() {
            for pattern in &signature.matches.log {
                match patterns.literal_texts(&pattern.text) {
                    Ok(()) => {
                        sources.push(pattern.text.clone());
                        patterns.means.push(Means::Signature(number));
                    }
                    Err(why) => faults.push(refused(pattern, &why)),
                }
            }
        }
        for gate in &policy.gates {
            if let Some(text) =
                gate.common.signature.as_deref().filter(|text| text.len() >= LITERAL_MIN_BYTES)
            {
                patterns.literals.push(text.to_owned());
                sources.push(regex_syntax::escape(text));
                patterns.means.push(Means::Gate(gate.common.id.to_string()));
            }
        }
        if !faults.is_empty() {
            return Err(Refused::all(Exit::Usage, faults));
        }
        let size = COMPILED_MAX_BYTES.saturating_mul(sources.len().max(1));
        patterns.set =
            RegexSetBuilder::new(&sources).size_limit(size).build().map_err(|source| {
                let remedy = "shorten the patterns of `[[signature]]`";
                let headline = "the patterns of the signatures are too large together";
                Refused::new(
                    Exit::Usage,
                    Fault::new(CONFIG_INVALID, headline, remedy).because(&source),
                )
            })?;
        if !patterns.every_line {
            patterns.longest = patterns.literals.iter().map(String::len).max().unwrap_or(0);
            let mut finder = AhoCorasick::builder();
            let finder = finder.kind(Some(AhoCorasickKind::DFA)).build(&patterns.literals);
            patterns.needed = Some(finder.context("the texts of the signatures")?);
        }
        Ok(patterns)
    }

    /// Notes the texts that a line must have to match; without any, every line has to be looked at.
    fn literal_texts(&mut self, pattern: &str) -> Result<(), String> {
        regex::RegexBuilder::new(pattern)
            .size_limit(COMPILED_MAX_BYTES)
            .build()
            .map_err(|source| source.to_string())?;
        let hir = regex_syntax::parse(pattern).map_err(|source| source.to_string())?;
        let found = [ExtractKind::Prefix, ExtractKind::Suffix].into_iter().find_map(|kind| {
            let mut extractor = Extractor::new();
            extractor.kind(kind).limit_total(LITERALS_MAX);
            useful(&extractor.extract(&hir))
        });
        match found {
            Some(texts) => self.literals.extend(texts),
            None => self.every_line = true,
        }
        Ok(())
    }

    /// Whether a pattern begins and ends with nothing that could be looked for.
    pub(crate) fn needs_every_line(&self) -> bool {
        self.every_line
    }

    /// Whether any pattern may match a line of which nothing before `from` ends one of their texts. Most lines have none,
    /// and the set of all patterns is slow to say so.
    pub(crate) fn may_match(&self, line: &[u8], from: usize) -> bool {
        let from = from.saturating_sub(self.longest);
        let has = |needed: &AhoCorasick| needed.is_match(line.get(from..).unwrap_or_default());
        !self.means.is_empty() && self.needed.as_ref().is_none_or(has)
    }

    /// The patterns that a line matches.
    pub(crate) fn matches(&self, line: &str) -> Vec<usize> {
        self.set.matches(line).into_iter().collect()
    }
}

fn useful(texts: &Seq) -> Option<Vec<String>> {
    let texts = texts.literals()?;
    let texts: Option<Vec<String>> = texts
        .iter()
        .map(|text| std::str::from_utf8(text.as_bytes()).ok().map(str::to_owned))
        .map(|text| text.filter(|text| text.len() >= LITERAL_MIN_BYTES))
        .collect();
    texts.filter(|texts| !texts.is_empty())
}

fn refused(pattern: &Placed, why: &str) -> Fault {
    let why = why.lines().last().unwrap_or(why).trim().to_owned();
    Fault::new(
        CONFIG_INVALID,
        "a pattern of a signature is no regular expression",
        "write it as the crate `regex` reads it; quote it with single quotes",
    )
    .at(pattern.at.clone())
    .expected("a regular expression")
    .found(why)
}

/// Which part of a signature a failure has, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// Its gate.
    Gate,
    /// A code.
    Code,
    /// A line of the log within it.
    Log,
    /// Its test target.
    Target,
    /// Its class.
    Class,
}

/// A signature that a failure has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recognised<'p> {
    /// The signature.
    pub signature: &'p Signature,
    /// By what it was recognised.
    pub by: By,
}

/// What is known of a failure, wherever it comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traits<'a> {
    /// The test or gate.
    pub test: Option<&'a str>,
    /// Its test binary.
    pub suite: Option<&'a str>,
    /// Its class.
    pub class: &'a str,
    /// Its codes.
    pub codes: Vec<&'a str>,
    /// The patterns that matched within it.
    pub patterns: &'a [usize],
}

/// The signatures that a failure has, the most telling first; of equals, in the order of the policy.
pub(crate) fn recognise<'p>(
    policy: &'p Policy,
    patterns: &Patterns,
    traits: &Traits<'_>,
) -> Vec<Recognised<'p>> {
    let by_text: Vec<&Means> =
        traits.patterns.iter().filter_map(|pattern| patterns.means.get(*pattern)).collect();
    let mut found: Vec<Recognised<'p>> = policy
        .signatures
        .iter()
        .enumerate()
        .filter_map(|(number, signature)| {
            by(signature, number, traits, &by_text).map(|by| Recognised { signature, by })
        })
        .collect();
    found.sort_by_key(|one| one.by);
    found
}

fn by(signature: &Signature, number: usize, traits: &Traits<'_>, by_text: &[&Means]) -> Option<By> {
    let matches = &signature.matches;
    let gate = |id: &str| matches.gates.iter().any(|gate| gate.as_str() == id);
    let named = traits.test.is_some_and(gate)
        || by_text.iter().any(|means| matches!(means, Means::Gate(id) if gate(id)));
    if named {
        return Some(By::Gate);
    }
    if matches.codes.iter().any(|code| traits.codes.contains(&code.text.as_str())) {
        return Some(By::Code);
    }
    if by_text.contains(&&Means::Signature(number)) {
        return Some(By::Log);
    }
    if traits
        .suite
        .is_some_and(|suite| matches.targets.iter().any(|target| is_target(suite, target)))
    {
        return Some(By::Target);
    }
    matches.classes.iter().any(|class| class == traits.class).then_some(By::Class)
}

/// Whether a test binary is the one of this target: `package::target`, or as its crate is called.
fn is_target(suite: &str, target: &str) -> bool {
    let plain = |name: &str| name.replace('-', "_");
    let last = suite.rsplit("::").next().unwrap_or(suite);
    plain(suite) == plain(target) || plain(last) == plain(target)
}

/// The signatures whose patterns matched anywhere in a log.
pub(crate) fn by_pattern<'p>(
    policy: &'p Policy,
    patterns: &Patterns,
    pattern: usize,
) -> Option<&'p Signature> {
    match patterns.means.get(pattern)? {
        Means::Signature(number) => policy.signatures.get(*number),
        Means::Gate(id) => policy
            .signatures
            .iter()
            .find(|signature| signature.matches.gates.iter().any(|gate| gate.as_str() == id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::kernel::policy;

    fn read(matches: &[&str]) -> Policy {
        let mut text = "[policy]\nversion = 1\nowner = \"o\"\n[[gate]]\nid = \"g\"\nkind = \"command\"\nsignature = \"the moon (is) full\"\n".to_owned();
        for (n, one) in matches.iter().enumerate() {
            text.push_str(&format!(
                "[[signature]]\nid = \"s{n}\"\ntitle = \"t\"\nartifacts = [\"a\"]\nreplay = [\"r\"]\nremediation = [\"m\"]\nmatch = {{ {one} }}\n"
            ));
        }
        policy::parse("portcullis.toml", &text).unwrap_or_else(|faults| panic!("{faults:?}"))
    }

    fn ids(policy: &Policy, traits: &Traits<'_>) -> Vec<(String, By)> {
        let patterns = Patterns::of(policy).expect("patterns");
        recognise(policy, &patterns, traits)
            .iter()
            .map(|one| (one.signature.id.to_string(), one.by))
            .collect()
    }

    #[test]
    fn the_most_telling_part_comes_first() {
        let policy = read(&[
            "classes = ['panic']",
            "targets = ['my-api']",
            "log = ['^x y']",
            "codes = ['c']",
            "gates = ['g']",
        ]);
        let all = Traits {
            test: Some("g"),
            suite: Some("p::my_api"),
            class: "panic",
            codes: vec!["c"],
            patterns: &[0],
        };
        let expected = [
            ("s4", By::Gate),
            ("s3", By::Code),
            ("s2", By::Log),
            ("s1", By::Target),
            ("s0", By::Class),
        ];
        assert_eq!(ids(&policy, &all), expected.map(|(id, by)| (id.to_owned(), by)));
        assert_eq!(
            ids(&policy, &Traits { test: Some("gg"), suite: Some("p::api"), ..Traits::default() }),
            []
        );
    }

    #[test]
    fn the_text_of_a_gate_stands_for_the_gate() {
        let policy = read(&["gates = ['g']"]);
        let patterns = Patterns::of(&policy).expect("patterns");
        let hit = patterns.matches("today the moon (is) full");
        assert_eq!(hit, [0]);
        let traits = Traits { patterns: &hit, ..Traits::default() };
        assert_eq!(ids(&policy, &traits), [("s0".to_owned(), By::Gate)]);
        assert!(patterns.matches("the moon is full").is_empty(), "it is a text and no pattern");
    }

    #[test]
    fn every_match_has_a_text_to_look_for_or_every_line_is_looked_at() {
        let table = [
            ("a beginning", "^disk (is )?full", false, Some("disk ")),
            ("an end alone", "[0-9]+ waivers expired$", false, Some(" waivers expired")),
            ("a choice", "no space|read-only", false, Some("read-only")),
            ("neither", "[a-z]+[0-9]+", true, None),
            ("too short a text", "ab", true, None),
        ];
        for (case, pattern, every, text) in table {
            let patterns =
                Patterns::of(&read(&[&format!("log = ['{pattern}']")])).expect("patterns");
            assert_eq!(patterns.needs_every_line(), every, "{case}");
            if let Some(text) = text {
                assert!(
                    patterns.literals.iter().any(|found| found.contains(text)),
                    "{case}: {:?}",
                    patterns.literals
                );
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_line() {
        for pattern in ["a(b", "(?<n>x", "\\p{nonsense}", "(a{1000}){1000}"] {
            let Err(refused) = Patterns::of(&read(&[&format!("log = ['fine', '{pattern}']")]))
            else {
                panic!("{pattern}: it was accepted");
            };
            assert_eq!(refused.exit, Exit::Usage);
            let fault = &refused.faults[0];
            let at = fault.location().expect("a place");
            assert_eq!((fault.code().name(), at.line), ("config_invalid", 14), "{pattern}");
        }
    }
}
