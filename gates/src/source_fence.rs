//! Names that may appear in some places only: paths, macros and attributes of Rust sources, patterns in other files.
//! It resolves names within one file; what another file re-exports under another name is that file's finding.

mod names;
mod reach;
mod teeth;

use crate::{
    admission::{self, Admission, Admissions},
    calendar::LocalDate,
    lane::{ADMISSION_EXPIRED, ADMISSION_UNUSED, SELECTOR_MATCHES_NOTHING},
    pattern::Pattern,
    rust_source::{Token, attributes, ends_with, is_name, path_uses},
    source_scan::{FORBIDDEN_ATTRIBUTE, FORBIDDEN_MACRO, FORBIDDEN_TEXT},
};
use names::Names;
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, Globs, Location,
    RelPath, wire::code::CONFIG_INVALID,
};
use std::collections::BTreeSet;
use teeth::TEETH;
use toml::Spanned;

portcullis::gate_kind! {
    /// Keeps names out of the files in which they may not appear.
    ///
    /// ### What it checks
    /// Every rule reads its files. Rust files are read as tokens, so that comments, documentation and every form of
    /// text are left out; `use` trees, renames, globs, `self`, type aliases and the bodies of macro calls are resolved
    /// to paths. A file that a matched one brings in by `#[path]` or `include!` belongs to the rule as well. Other
    /// files are read line by line. `std`, `core` and `alloc` name one library.
    ///
    /// ### Why it gates
    /// Some calls undo what a gate proves: `std::process::exit(0)` ends a test run green. What one review kept out,
    /// the next change brings back under another name.
    ///
    /// ### Example
    /// Refused under `paths = ["std::process::exit"]`: `use std::process as p; fn a() { p::exit(0) }`.
    /// Accepted: `// std::process::exit(0)`.
    ///
    /// ### Configuration
    /// - `rule`: one table per rule, at least one.
    /// - `id`: the name of the rule, unique in the gate.
    /// - `files`: globs, required; each must match a file.
    /// - `except`: list of `{ path, reason, expires }`: one file or glob, a reason of at least 20 characters, and the
    ///   last valid day (UTC).
    /// - `paths`: Rust paths, as `std::process::exit`; what lies below a path is forbidden with it. A part may begin or
    ///   end with `*`. `macros`: names or paths without `!`. `attributes`: names or paths.
    /// - `text`: regular expressions, tried on each line of the files that are not Rust.
    /// - `tests`: `include` (default), or `exclude` for rules that do not hold in items and modules that only test
    ///   builds have.
    /// - `advice`: what to write instead; it becomes the remedy of each finding.
    ///
    /// ### Remediation
    /// - `forbidden_path`, `forbidden_macro`, `forbidden_attribute`, `forbidden_text`: write what the rule advises, or
    ///   except the file with a reason and a day.
    /// - `file_unparsed`: mend the file, or name it in no rule; what cannot be read cannot be cleared.
    /// - `selector_matches_nothing`: correct the glob, or remove it.
    /// - `admission_unused`: remove the exception.
    /// - `admission_expired`: end the use, or renew the exception in a change of its own.
    pub static SOURCE_FENCE: "source_fence", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = CODES, teeth = TEETH;
}

const FORBIDDEN_PATH: Code = Code::new(
    "PC1530",
    "forbidden_path",
    "A source uses a path that a rule keeps out of its file.",
);
const FILE_UNPARSED: Code =
    Code::new("PC1531", "file_unparsed", "A file that a rule had to read cannot be read as Rust.");

const CODES: &[Code] = &[
    FORBIDDEN_PATH,
    FORBIDDEN_MACRO,
    FORBIDDEN_ATTRIBUTE,
    FORBIDDEN_TEXT,
    FILE_UNPARSED,
    SELECTOR_MATCHES_NOTHING,
    ADMISSION_UNUSED,
    ADMISSION_EXPIRED,
];

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    rule: Vec<Spanned<Rule>>,
}

/// One rule.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    files: Spanned<Globs>,
    #[serde(default)]
    except: Vec<Spanned<Except>>,
    #[serde(default)]
    paths: Vec<Spanned<String>>,
    #[serde(default)]
    macros: Vec<Spanned<String>>,
    #[serde(default)]
    attributes: Vec<Spanned<String>>,
    #[serde(default)]
    text: Vec<Pattern>,
    #[serde(default)]
    tests: TestCode,
    advice: String,
}

/// A file in which a rule does not hold, for a while.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Except {
    path: String,
    reason: String,
    expires: LocalDate,
}

/// Whether a rule holds in what only test builds have.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum TestCode {
    #[default]
    Include,
    Exclude,
}

impl Rule {
    fn wants_rust(&self) -> bool {
        !(self.paths.is_empty() && self.macros.is_empty() && self.attributes.is_empty())
    }

    fn admissions(&self) -> impl Iterator<Item = Admission<'_>> {
        self.except.iter().map(|except| Admission {
            what: format!("`{}` in rule `{}`", except.get_ref().path, self.id),
            reason: &except.get_ref().reason,
            expires: Some(except.get_ref().expires),
            offset: except.span().start,
        })
    }
}

/// Refuses rules that keep nothing out, two rules of one name, names that are none, and exceptions without a reason.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    if config.rule.is_empty() {
        let headline = "the gate has no rule";
        faults.push(
            Fault::new(CONFIG_INVALID, headline, "add a `[[gate.rule]]`")
                .at(table.location.clone()),
        );
    }
    let mut ids = BTreeSet::new();
    for rule in &config.rule {
        let (at, rule) = (table.locate(rule.span().start), rule.get_ref());
        let mut refuse = |at: &Location, headline: String, remedy: &str| {
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at.clone()));
        };
        if !ids.insert(rule.id.as_str()) {
            refuse(&at, format!("two rules have the id `{}`", rule.id), "rename one of them");
        }
        if !rule.wants_rust() && rule.text.is_empty() {
            let remedy = "add `paths`, `macros`, `attributes` or `text`";
            refuse(&at, format!("the rule `{}` keeps nothing out", rule.id), remedy);
        }
        if rule.advice.trim().is_empty() {
            let remedy = "say what to write instead";
            refuse(&at, format!("the rule `{}` has an empty `advice`", rule.id), remedy);
        }
        for name in rule.paths.iter().chain(&rule.macros).chain(&rule.attributes) {
            let at = table.locate(name.span().start);
            if !is_name(name.get_ref().trim_start_matches("::")) {
                let headline = format!("`{}` is not a name or path of Rust", name.get_ref());
                refuse(&at, headline, "write `name`, `Prefix*` or `a::b`");
            }
        }
        for except in &rule.except {
            if let Err(fault) = Globs::new(&[&except.get_ref().path]) {
                faults.push(fault.at(table.locate(except.span().start)));
            }
        }
        faults.extend(rule.admissions().filter_map(|one| admission::fault(&one, table)));
    }
    faults
}

/// Holds every rule against its files; returns how many tokens and lines were looked at.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let mut examined = 0;
    for rule in &config.rule {
        let seen = hold(cx, rule.get_ref(), out)?;
        cx.note(format!("rule `{}`: {seen} tokens and lines", rule.get_ref().id));
        if seen == 0 {
            // One rule that looked at nothing must not hide behind the others.
            return Ok(Examined::items(0));
        }
        examined += seen;
    }
    Ok(Examined::items(examined))
}

/// One rule at work.
struct Held<'a> {
    rule: &'a Rule,
    names: Names<'a>,
    except: Vec<Globs>,
    admissions: Admissions<'a>,
}

fn hold(cx: &GateContext<'_>, rule: &Rule, out: &mut Findings) -> Result<usize, GateError> {
    let mut held = Held {
        rule,
        names: Names::new(rule),
        except: rule
            .except
            .iter()
            .map(|except| cx.watch(Globs::new(&[&except.get_ref().path])))
            .collect::<Result<_, _>>()?,
        admissions: Admissions::new(cx, rule.admissions()),
    };
    let matched = matched(cx, rule)?;
    let (mut rust, mut lines) = (0, 0);
    for (path, text) in reach::rust_files(cx, rule, &matched, out)? {
        match text {
            Ok(tokens) => rust += held.rust(&path, &tokens, out),
            Err(fault) => out.push(unparsed(&path, &fault)),
        }
    }
    for path in matched.iter().filter(|path| !is_rust(path) && !rule.text.is_empty()) {
        let text = cx.file(path).text()?;
        lines += cx.watch(held.text(path, &text, out))?;
    }
    held.admissions.report(out);
    let is_blind = (rule.wants_rust() && rust == 0) || (!rule.text.is_empty() && lines == 0);
    // A file that cannot be read is a finding, and a rule with findings has looked.
    Ok(if is_blind && out.total() == 0 { 0 } else { rust + lines })
}

fn is_rust(path: &RelPath) -> bool {
    path.as_str().ends_with(".rs")
}

/// The files of a rule; every glob has to match one.
fn matched(cx: &GateContext<'_>, rule: &Rule) -> Result<Vec<RelPath>, GateError> {
    let globs = rule.files.get_ref();
    let files: Vec<RelPath> = cx.files(globs)?.iter().map(|file| file.path().clone()).collect();
    for pattern in globs.patterns().filter(|pattern| !pattern.starts_with('!')) {
        let one = cx.watch(Globs::new(&[&pattern]))?;
        if !files.iter().any(|path| one.matches(path.as_str())) {
            let headline = format!("`{pattern}` of rule `{}` matches no file", rule.id);
            let fault = Fault::new(SELECTOR_MATCHES_NOTHING, headline, "correct it, or remove it");
            return cx.watch(Err(fault.at(cx.locate(rule.files.span().start))));
        }
    }
    Ok(files)
}

impl Held<'_> {
    /// Reports what the rule keeps out of one Rust source, and returns how many tokens it has.
    fn rust(&mut self, path: &RelPath, tokens: &[Token], out: &mut Findings) -> usize {
        let mut hits: Vec<(Code, &str, Location, String)> = Vec::new();
        for found in self.names.paths_in(tokens) {
            hits.push((FORBIDDEN_PATH, found.name, found.at.location(path), found.meaning));
        }
        for found in path_uses(tokens).iter().filter(|found| found.is_macro) {
            for name in self.names.macros.iter().filter(|name| found.ends_with(&name.parts)) {
                hits.push((
                    FORBIDDEN_MACRO,
                    name.text,
                    found.at.location(path),
                    name.text.to_owned(),
                ));
            }
        }
        for found in attributes(tokens) {
            for name in
                self.names.attributes.iter().filter(|name| ends_with(&found.path, &name.parts))
            {
                let meaning = found.path.join("::");
                hits.push((FORBIDDEN_ATTRIBUTE, name.text, found.at.location(path), meaning));
            }
        }
        for (code, name, at, meaning) in hits {
            if !self.is_excepted(path) {
                out.push(finding(self.rule, code, name, path, at).found(format!("`{meaning}`")));
            }
        }
        tokens.len()
    }

    /// Reports the lines of another file that the rule keeps out, and returns how many lines it has.
    fn text(&mut self, path: &RelPath, text: &str, out: &mut Findings) -> Result<usize, Fault> {
        let mut lines = 0;
        for (number, line) in (1u32..).zip(text.lines()) {
            lines += 1;
            for pattern in &self.rule.text {
                let at = Location::at(path, number, 0);
                let hit = pattern.matches(line).map_err(|fault| fault.at(at.clone()))?;
                if hit && !self.is_excepted(path) {
                    let shown: String = line.trim().chars().take(120).collect();
                    out.push(
                        finding(self.rule, FORBIDDEN_TEXT, pattern.text(), path, at).found(shown),
                    );
                }
            }
        }
        Ok(lines)
    }

    /// Whether an exception covers this file; every one that matches is needed.
    fn is_excepted(&mut self, path: &RelPath) -> bool {
        let mut is_covered = false;
        for (index, glob) in self.except.iter().enumerate() {
            if glob.matches(path.as_str()) {
                is_covered |= self.admissions.cover(index);
            }
        }
        is_covered
    }
}

fn unparsed(path: &RelPath, fault: &Fault) -> Finding {
    let finding = Finding::new(FILE_UNPARSED, path, fault.headline(), fault.remedy());
    finding.at(fault.location().cloned().unwrap_or_else(|| Location::file(path)))
}

fn finding(rule: &Rule, code: Code, name: &str, path: &RelPath, at: Location) -> Finding {
    let message = format!("`{path}` must not have `{name}` (rule `{}`)", rule.id);
    Finding::new(code, format!("{}: {name}", rule.id), message, &rule.advice).at(at)
}

#[cfg(test)]
mod tests;
