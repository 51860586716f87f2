//! Names that must not stand in Rust sources, and texts in others. It reads tokens; it does not type-check.

pub(crate) mod allowance;
mod scan;

use crate::{calendar::LocalDate, pattern::Pattern};
use allowance::Allowances;
use portcullis::{
    Code, Examined, Fault, Findings, GateContext, GateError, GateTable, Globs, RelPath, Tooth,
    wire::code::CONFIG_INVALID,
};
use toml::Spanned;

portcullis::gate_kind! {
    /// Forbids names, paths, macros and attributes in Rust sources, outside comments, documentation and texts.
    /// ### What it checks
    /// Each matched file is read as tokens. A path is found as it is written, through the imports of its file,
    /// renamed, by a glob import, and inside macro calls; an attribute also inside `cfg_attr`. Each allowance names
    /// one file and one token, and is reported when it has expired and when it no longer allows anything.
    /// ### Why it gates
    /// What a review forbids once, the next change brings back. A search for text finds comments and misses imports;
    /// `#[ignore]` and `#[should_panic]` make tests that are green without having been right.
    /// ### Example
    /// Refused under `forbidden = ["std::process::exit"]`: `use std::process; fn a() { process::exit(0) }`.
    /// Accepted: `// std::process::exit(0)`.
    /// ### Configuration
    /// - `files`: globs of Rust sources, required.
    /// - `forbidden`: names and paths; a part may begin or end with `*`, as in `Mock*`.
    /// - `forbidden_macros`: macro names or paths without `!`. `forbidden_attributes`: attribute names or paths.
    /// - `forbidden_text`: patterns, tried on each line of the files that `text_files` matches, whatever they are.
    /// - `allow`: list of `{ path, token, reason, owner, expires }`: one file, one entry of the lists above as written
    ///   there, a reason of at least 20 characters, and the last valid day (UTC).
    /// ### Remediation
    /// - `forbidden_identifier`, `forbidden_macro`, `forbidden_text`: use what the gate's title asks for instead.
    /// - `forbidden_attribute`: remove the attribute; assert the one panic that is meant, or delete the test.
    /// - `allow_entry_expired`: remove the use, or renew the allowance in a change of its own.
    /// - `allow_entry_expiring`, advisory: plan it.
    /// - `allow_entry_stale`: remove the allowance.
    pub static SOURCE_SCAN: "source_scan", since = "0.1.0", config = Config, validate = validate, check = check,
        codes = &[
            FORBIDDEN_IDENTIFIER, FORBIDDEN_MACRO, FORBIDDEN_ATTRIBUTE, FORBIDDEN_TEXT,
            ALLOW_ENTRY_EXPIRED, ALLOW_ENTRY_EXPIRING, ALLOW_ENTRY_STALE,
        ],
        teeth = TEETH;
}

const FORBIDDEN_IDENTIFIER: Code = Code::new(
    "PC1030",
    "forbidden_identifier",
    "A source uses a name or path that its gate forbids.",
);
pub(crate) const FORBIDDEN_MACRO: Code =
    Code::new("PC1031", "forbidden_macro", "A source calls a macro that its gate forbids.");
pub(crate) const FORBIDDEN_ATTRIBUTE: Code =
    Code::new("PC1032", "forbidden_attribute", "A source has an attribute that its gate forbids.");
pub(crate) const FORBIDDEN_TEXT: Code =
    Code::new("PC1033", "forbidden_text", "A file has a line that its gate forbids.");
pub(crate) const ALLOW_ENTRY_EXPIRED: Code =
    Code::new("PC1034", "allow_entry_expired", "An allowance is past its last valid day.");
pub(crate) const ALLOW_ENTRY_EXPIRING: Code =
    Code::new("PC1035", "allow_entry_expiring", "An allowance expires within 14 days.");
pub(crate) const ALLOW_ENTRY_STALE: Code =
    Code::new("PC1036", "allow_entry_stale", "An allowance allows nothing any more.");

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    files: Option<Globs>,
    #[serde(default)]
    forbidden: Vec<Spanned<String>>,
    #[serde(default)]
    forbidden_macros: Vec<Spanned<String>>,
    #[serde(default)]
    forbidden_attributes: Vec<Spanned<String>>,
    text_files: Option<Globs>,
    #[serde(default)]
    forbidden_text: Vec<Spanned<Pattern>>,
    #[serde(default)]
    allow: Vec<Spanned<Allow>>,
}

/// An exception: one file, one token, for a while.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allow {
    pub(crate) path: String,
    pub(crate) token: String,
    pub(crate) reason: String,
    pub(crate) owner: String,
    pub(crate) expires: LocalDate,
}

impl Config {
    /// Every forbidden entry that is a name or path.
    fn names(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.forbidden.iter().chain(&self.forbidden_macros).chain(&self.forbidden_attributes)
    }
}

/// The shortest reason for an allowance, in characters.
pub(crate) const REASON_MIN: usize = 20;

/// Refuses rules that look at nothing, and allowances that allow more or less than they say.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |offset: Option<usize>, headline: String, remedy: &str| {
        let at = offset.map_or_else(|| table.location.clone(), |offset| table.locate(offset));
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at));
    };
    let has_names = config.names().next().is_some();
    if !has_names && config.forbidden_text.is_empty() {
        refuse(
            None,
            "the gate forbids nothing".to_owned(),
            "add `forbidden`, or another list of what is forbidden",
        );
    }
    if has_names != config.files.is_some() {
        refuse(
            None,
            "`files` and the forbidden names need each other".to_owned(),
            "write both, or neither",
        );
    }
    if config.forbidden_text.is_empty() == config.text_files.is_some() {
        refuse(
            None,
            "`text_files` and `forbidden_text` need each other".to_owned(),
            "write both, or neither",
        );
    }
    for name in config.names().filter(|name| !crate::rust_source::is_name(name.get_ref())) {
        let headline = format!("`{}` is not a name or path of Rust", name.get_ref());
        refuse(Some(name.span().start), headline, "write `name`, `Prefix*` or `a::b`");
    }
    for allow in &config.allow {
        let (entry, at) = (allow.get_ref(), Some(allow.span().start));
        if let Err(source) = RelPath::parse(&entry.path) {
            refuse(at, source.to_string(), "name one file of the repository");
        }
        let texts = config.forbidden_text.iter().map(|pattern| pattern.get_ref().text());
        if !config
            .names()
            .map(|name| name.get_ref().as_str())
            .chain(texts)
            .any(|token| token == entry.token)
        {
            refuse(
                at,
                format!("nothing forbids `{}`", entry.token),
                "write the token as the forbidden list does",
            );
        }
        if entry.reason.trim().chars().count() < REASON_MIN || entry.owner.trim().is_empty() {
            refuse(
                at,
                "an allowance has no owner, or no real reason".to_owned(),
                "state both; 20 characters at least",
            );
        }
    }
    faults
}

/// Scans every file, then the allowances; returns how many files were read.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let mut allowances = Allowances::new(cx, &config.allow);
    let mut files = 0;
    if let Some(globs) = &config.files {
        let rules = scan::Rules::new(config);
        for file in cx.files(globs)? {
            let text = file.text()?;
            cx.watch(scan::rust(&rules, file.path(), &text, &mut allowances, out))?;
            files += 1;
        }
    }
    if let Some(globs) = &config.text_files {
        let matched = cx.files(globs)?;
        if matched.is_empty() {
            // Two sets, one count: an empty second set must not hide behind the first.
            return Ok(Examined::items(0));
        }
        for file in matched {
            cx.watch(scan::text(config, file.path(), &file.text()?, &mut allowances, out))?;
            files += 1;
        }
    }
    allowances.report(out);
    Ok(Examined::items(files))
}

const NAMES: &str = "files = ['**/*.rs']\nforbidden = ['std::process::exit', 'Mock*']";
const ATTRIBUTES: &str = "files = ['**/*.rs']\nforbidden_attributes = ['ignore', 'should_panic']";
const ALLOWED: &str = "files = ['**/*.rs']\nforbidden = ['unwrap']\n\
    allow = [{ path = 'a.rs', token = 'unwrap', reason = 'the parser cannot fail here', owner = 'o', expires = 2026-06-30 }]";
const UNWRAP: &[(&str, &str)] = &[("a.rs", "fn a() { b().unwrap() }\n")];

static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "clean_sources",
        NAMES,
        &[("a.rs", "// Mock, exit\nfn a() { std::process::id(); \"MockX\"; }\n")],
    ),
    Tooth::known_good("an_allowed_use", ALLOWED, UNWRAP),
    Tooth::known_bad(
        "an_imported_path",
        FORBIDDEN_IDENTIFIER,
        NAMES,
        &[("a.rs", "use std::process;\nfn a() { process::exit(0) }\n")],
    ),
    Tooth::known_bad(
        "a_macro_call",
        FORBIDDEN_MACRO,
        "files = ['**/*.rs']\nforbidden_macros = ['dbg']",
        &[("a.rs", "fn a() { dbg!(1); }\n")],
    ),
    Tooth::known_bad(
        "fg09_should_panic",
        FORBIDDEN_ATTRIBUTE,
        ATTRIBUTES,
        &[("a.rs", "#[test]\n#[should_panic]\nfn a() {}\n")],
    ),
    Tooth::known_bad(
        "an_ignore_behind_a_condition",
        FORBIDDEN_ATTRIBUTE,
        ATTRIBUTES,
        &[("a.rs", "#[cfg_attr(unix, ignore)]\nfn a() {}\n")],
    ),
    Tooth::known_bad(
        "a_line_of_a_text",
        FORBIDDEN_TEXT,
        "text_files = ['*.sh']\nforbidden_text = ['\\|\\| true']",
        &[("a.sh", "make || true\n")],
    ),
    Tooth::known_bad("an_allowance_past_its_day", ALLOW_ENTRY_EXPIRED, ALLOWED, UNWRAP)
        .at("2026-07-01T00:00:00Z"),
    Tooth::known_bad("an_allowance_in_its_last_days", ALLOW_ENTRY_EXPIRING, ALLOWED, UNWRAP)
        .at("2026-06-30T00:00:00Z"),
    Tooth::known_bad(
        "an_allowance_of_nothing",
        ALLOW_ENTRY_STALE,
        ALLOWED,
        &[("a.rs", "fn a() {}\n")],
    ),
];

#[cfg(test)]
mod tests;
