//! Documents say what they must, and what they point at exists. It asks no server whether a link on the web still works.

mod pointers;
mod scope;
mod teeth;

use crate::{documents, markdown::Document, pattern::Pattern, places::Places};
use portcullis::{
    Code, Examined, Fault, File, Finding, Findings, GateContext, GateError, GateTable, Globs,
    Location,
    wire::code::{CONFIG_INVALID, NOTHING_EXAMINED},
};
use scope::Scope;
use serde::Deserialize;
use teeth::TEETH;
use toml::Spanned;

portcullis::gate_kind! {
    /// Holds documents to the words, sections, links and paths that they must have or must not have.
    ///
    /// ### What it checks
    /// Every matched file has each required token and none of the forbidden ones, in its whole text or in the named
    /// sections. Every page has each required section, with something in it. Relative links of Markdown lead to files
    /// and anchors that exist, and references are defined. Paths in backticks exist, or are declared as produced. A
    /// check that finds nothing to look at, in all files together, is an error.
    ///
    /// ### Why it gates
    /// A runbook is opened when something burns. A page that lost its recovery steps, or a map that names what is
    /// gone, misleads exactly the reader who needs it.
    ///
    /// ### Example
    /// Refused under `links = true`: `[the map](docs/map.md#layers)` when `docs/map.md` has no heading "Layers".
    /// Accepted: a link to a heading, a file or a folder that exists, or to another host.
    ///
    /// ### Configuration
    /// - `files`: globs, required; one that matches nothing is an error. Files whose name ends in `.md` or `.markdown`
    ///   are read as CommonMark; of others only tokens can be checked.
    /// - `page_level`: 1 to 6: each section of this heading level is a page of its own; default, each file is one page.
    /// - `sections`: heading paths such as `Install > Linux`, outer headings may be left out; tokens are then looked
    ///   for in these sections of every page.
    /// - `required`, `forbidden`: tokens, each a text or `{ pattern = ".." }`, a regular expression tried on each line.
    /// - `required_sections`: headings that every page must have, each with text or headings below it.
    /// - `links`: `true` to follow relative links and images. `paths`: `true` to look for paths in backticks.
    /// - `path_roots`: beginnings of what counts as a path, such as `src/`; default, what has a `/` and ends in `/` or
    ///   in a name with a dot. `path_names`: globs of names without `/` that count, such as `*.toml`; default none.
    ///   A path is looked for from the root of the repository, then from the folder of its document.
    /// - `produced`: globs of paths that running something makes, and that a fresh clone lacks; they count for links too.
    ///
    /// ### Remediation
    /// - `token_missing`: write what the title of the gate asks for.
    /// - `token_forbidden`: remove it.
    /// - `section_missing`: add the section under its exact heading, or correct the name in the policy.
    /// - `section_empty`: write the section.
    /// - `link_broken`, `path_missing`: correct it, remove it, or declare it under `produced`.
    /// - `anchor_missing`: link to a heading that the target has.
    pub static TEXT_TOKENS: "text_tokens", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = CODES, teeth = TEETH;
}

const TOKEN_MISSING: Code =
    Code::new("PC1190", "token_missing", "A text lacks a token that it must have.");
const TOKEN_FORBIDDEN: Code =
    Code::new("PC1191", "token_forbidden", "A text has a token that it must not have.");
pub(crate) const SECTION_MISSING: Code =
    Code::new("PC1192", "section_missing", "A page lacks a section that it must have.");
const SECTION_EMPTY: Code =
    Code::new("PC1193", "section_empty", "A section that a page must have is empty.");
const LINK_BROKEN: Code =
    Code::new("PC1194", "link_broken", "A link leads to a file that does not exist.");
const ANCHOR_MISSING: Code = Code::new(
    "PC1195",
    "anchor_missing",
    "A link leads to a heading that its target does not have.",
);
const PATH_MISSING: Code =
    Code::new("PC1196", "path_missing", "A document names a path that does not exist.");

const CODES: &[Code] = &[
    TOKEN_MISSING,
    TOKEN_FORBIDDEN,
    SECTION_MISSING,
    SECTION_EMPTY,
    LINK_BROKEN,
    ANCHOR_MISSING,
    PATH_MISSING,
];

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    files: Globs,
    page_level: Option<Spanned<u8>>,
    #[serde(default)]
    sections: Vec<Spanned<String>>,
    #[serde(default)]
    required: Vec<Spanned<Token>>,
    #[serde(default)]
    forbidden: Vec<Spanned<Token>>,
    #[serde(default)]
    required_sections: Vec<Spanned<String>>,
    #[serde(default)]
    links: bool,
    #[serde(default)]
    paths: bool,
    #[serde(default)]
    path_roots: Vec<String>,
    path_names: Option<Globs>,
    produced: Option<Globs>,
}

/// What is looked for in a text.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, or `{ pattern = \"..\" }`")]
enum Token {
    Literal(String),
    Pattern(PatternTable),
}

/// `{ pattern = ".." }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternTable {
    pattern: Pattern,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Literal(text) => text,
            Self::Pattern(table) => table.pattern.text(),
        }
    }

    /// Where it stands in a part of a text, as offsets in that part; at most one place per line for a pattern.
    fn places(&self, part: &str) -> Result<Vec<usize>, Fault> {
        let mut places = Vec::new();
        match self {
            Self::Literal(text) => {
                places.extend(part.match_indices(text).map(|(offset, _)| offset))
            }
            Self::Pattern(table) => {
                let mut offset = 0;
                for line in part.split_inclusive('\n') {
                    if table.pattern.matches(line.trim_end_matches(['\n', '\r']))? {
                        places.push(offset);
                    }
                    offset += line.len();
                }
            }
        }
        Ok(places)
    }
}

impl Config {
    /// Whether a check needs to know the structure of a document.
    fn needs_markdown(&self) -> bool {
        self.page_level.is_some()
            || self.links
            || self.paths
            || !self.sections.is_empty()
            || !self.required_sections.is_empty()
    }
}

/// Refuses tables that check nothing, and names that no heading can have.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |at: Location, headline: String, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at));
    };
    let has_tokens = !config.required.is_empty() || !config.forbidden.is_empty();
    if !has_tokens && config.required_sections.is_empty() && !config.links && !config.paths {
        let remedy =
            "add `required`, `forbidden`, `required_sections`, `links = true` or `paths = true`";
        refuse(table.location.clone(), "the gate looks for nothing".to_owned(), remedy);
    }
    if !config.sections.is_empty() && !has_tokens {
        let remedy = "add `required` or `forbidden`, or use `required_sections`";
        refuse(table.location.clone(), "`sections` has no token to look for".to_owned(), remedy);
    }
    if !config.paths && (!config.path_roots.is_empty() || config.path_names.is_some()) {
        let remedy = "write `paths = true`, or remove `path_roots` and `path_names`";
        refuse(
            table.location.clone(),
            "`paths` is off, so nothing counts as a path".to_owned(),
            remedy,
        );
    }
    if config.produced.is_some() && !config.paths && !config.links {
        let remedy = "write `paths = true` or `links = true`, or remove `produced`";
        refuse(table.location.clone(), "`produced` excuses nothing".to_owned(), remedy);
    }
    if let Some(level) =
        config.page_level.as_ref().filter(|level| !(1..=6).contains(level.get_ref()))
    {
        let at = table.locate(level.span().start);
        refuse(at, "`page_level` is no heading level".to_owned(), "write a number from 1 to 6");
    }
    for token in config.required.iter().chain(&config.forbidden) {
        if token.get_ref().text().trim().is_empty() {
            let at = table.locate(token.span().start);
            refuse(at, "an empty token is in every text".to_owned(), "write what is looked for");
        }
    }
    for name in config.sections.iter().chain(&config.required_sections) {
        if name.get_ref().split('>').any(|part| part.trim().is_empty()) {
            let at = table.locate(name.span().start);
            let headline = format!("`{}` is no heading path", name.get_ref());
            refuse(at, headline, "write headings with `>` between them, such as `Install > Linux`");
        }
    }
    faults
}

/// How many things each check looked at, over all files.
#[derive(Default)]
struct Counts {
    pages: usize,
    tokens: usize,
    sections: usize,
    links: usize,
    paths: usize,
}

/// Looks at every file; a check that found nothing to look at in any of them is an error.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let mut counts = Counts::default();
    let mut targets = pointers::Targets::default();
    for file in documents::matched(cx, &config.files)? {
        if is_markdown(&file) {
            let document = cx.watch(Document::new(file.path(), file.text()?))?;
            examine_document(cx, config, &document, &mut targets, &mut counts, out)?;
        } else if config.needs_markdown() {
            let headline =
                format!("`{}` is not Markdown, so it has no sections, links or spans", file.path());
            let remedy = "leave it out of `files`, or look for tokens in a gate of its own";
            return Err(
                Fault::new(CONFIG_INVALID, headline, remedy).at(Location::file(file.path()))
            );
        } else {
            let text = file.text()?;
            let places = Places::new(&text);
            let scope = Scope::whole(&text);
            let locate = |offset| places.location(file.path(), &text, offset);
            cx.watch(tokens(config, &scope, &text, &locate, &mut counts, out))?;
            counts.pages += 1;
        }
    }
    let has_tokens = !config.required.is_empty() || !config.forbidden.is_empty();
    let looked = [
        (true, counts.pages, "page"),
        (has_tokens, counts.tokens, "text to search"),
        (!config.required_sections.is_empty(), counts.sections, "section"),
        (config.links, counts.links, "relative link"),
        (config.paths, counts.paths, "path in backticks"),
    ];
    if let Some((_, _, what)) = looked.iter().find(|(is_on, count, _)| *is_on && *count == 0) {
        // Several checks, one count: one that sees nothing must not hide behind another.
        let headline = format!("no {what} was found in {}", config.files);
        let remedy = "correct the configuration, or remove the check";
        return Err(Fault::new(NOTHING_EXAMINED, headline, remedy).at(cx.gate().location.clone()));
    }
    Ok(Examined::items(looked.iter().map(|(_, count, _)| count).sum()))
}

fn is_markdown(file: &File<'_>) -> bool {
    let name = file.path().as_str().to_lowercase();
    name.ends_with(".md") || name.ends_with(".markdown")
}

fn examine_document(
    cx: &GateContext<'_>,
    config: &Config,
    document: &Document,
    targets: &mut pointers::Targets,
    counts: &mut Counts,
    out: &mut Findings,
) -> Result<(), GateError> {
    let locate = |offset| document.location(offset);
    for page in scope::pages(config, document) {
        counts.pages += 1;
        for scope in scope::of_tokens(config, document, &page, out) {
            cx.watch(tokens(config, &scope, document.text(), &locate, counts, out))?;
        }
        counts.sections += scope::required_sections(config, document, &page, out);
    }
    if config.links {
        counts.links += pointers::links(cx, config, document, targets, out)?;
    }
    if config.paths {
        counts.paths += pointers::paths(cx, config, document, out)?;
    }
    Ok(())
}

/// Looks for every token in one part of a text.
fn tokens(
    config: &Config,
    scope: &Scope,
    text: &str,
    locate: &dyn Fn(usize) -> Location,
    counts: &mut Counts,
    out: &mut Findings,
) -> Result<(), Fault> {
    let Some(part) = text.get(scope.range.clone()) else { return Ok(()) };
    counts.tokens += 1;
    for token in &config.required {
        let token = token.get_ref().text_and_places(part, scope, locate)?;
        if token.1.is_empty() {
            out.push(
                Finding::new(
                    TOKEN_MISSING,
                    token.0,
                    format!("{} lacks `{}`", scope.name, token.0),
                    "write what the title of the gate asks for",
                )
                .at(locate(scope.range.start)),
            );
        }
    }
    for token in &config.forbidden {
        let (token, places) = token.get_ref().text_and_places(part, scope, locate)?;
        for place in places {
            let line = part[place..].lines().next().unwrap_or_default();
            out.push(
                Finding::new(
                    TOKEN_FORBIDDEN,
                    token,
                    format!("{} has `{token}`", scope.name),
                    "remove it",
                )
                .at(locate(scope.range.start + place))
                .found(line.chars().take(120).collect::<String>()),
            );
        }
    }
    Ok(())
}

impl Token {
    fn text_and_places(
        &self,
        part: &str,
        scope: &Scope,
        locate: &dyn Fn(usize) -> Location,
    ) -> Result<(&str, Vec<usize>), Fault> {
        let places = self.places(part).map_err(|fault| fault.at(locate(scope.range.start)))?;
        Ok((self.text(), places))
    }
}

#[cfg(test)]
mod tests;
