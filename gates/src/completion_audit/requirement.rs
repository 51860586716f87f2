//! The list of requirements that a closeout is held to, and what each of them names as evidence. It looks at nothing.

use super::REQUIREMENTS_INVALID;
use portcullis::{Digest, Fault, Location, RelPath};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// The longest list; a longer one is no list that a person has read.
const REQUIREMENTS_MAX: usize = 10_000;

/// Whether whoever owns a requirement says that it is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// It is said to be met.
    Done,
    /// It is said not to be met.
    Open,
}

/// What a requirement names as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Wanted {
    /// A commit that exists, belongs to `HEAD` and was pushed.
    Commit {
        /// The revision.
        rev: String,
    },
    /// A command whose transcript on this commit ends with 0.
    Command {
        /// The command, word by word.
        argv: Vec<String>,
        /// Where it runs, from the repository root; the root itself when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cwd: Option<RelPath>,
    },
    /// A file that says what it is: by its schema and its commit, or by its digest.
    Artifact {
        /// Where it lies, from the repository root.
        path: RelPath,
        /// The exact value of its field `schema`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        schema: Option<String>,
        /// Its digest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// JSON Pointers and the text each must have there.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        expect: BTreeMap<String, String>,
    },
    /// An entry of a JSON Lines ledger with a terminal status.
    Ledger {
        /// Where it lies, from the repository root.
        path: RelPath,
        /// The entry.
        id: String,
        /// The statuses of finished entries.
        terminal: BTreeSet<String>,
    },
    /// Words.
    Prose {
        /// The words.
        text: String,
    },
    /// A picture.
    Screenshot {
        /// Where it lies, from the repository root.
        path: RelPath,
    },
    /// A file of which nothing but its existence is asked.
    File {
        /// Where it lies, from the repository root.
        path: RelPath,
    },
}

/// One requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its name.
    pub id: String,
    /// What is required.
    pub title: String,
    /// Whether it is said to be met.
    pub claim: Claim,
    /// What is known to be missing.
    pub gap: Option<String>,
    /// What shows it.
    pub evidence: Vec<Wanted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    version: Spanned<u32>,
    #[serde(default)]
    requirement: Vec<Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    title: String,
    status: Claim,
    gap: Option<String>,
    #[serde(default)]
    evidence: Vec<Wanted>,
}

/// Reads the list of requirements.
///
/// # Errors
/// `requirements_invalid` with the line: no TOML of this shape, no requirement, one name twice, evidence that names nothing.
pub fn parse(path: &RelPath, text: &str) -> Result<Vec<Requirement>, Fault> {
    let refuse = |offset: usize, what: String, remedy: &str| {
        Fault::new(REQUIREMENTS_INVALID, what, remedy).at(Location::of_offset(path, text, offset))
    };
    let list: List = toml::from_str(text).map_err(|source| {
        let offset = source.span().map_or(0, |span| span.start);
        let what = source.message().lines().next().unwrap_or("the text is no TOML").to_owned();
        refuse(
            offset,
            what,
            "correct the line; `cargo portcullis explain completion_audit` shows the shape",
        )
    })?;
    if *list.version.get_ref() != 1 {
        let what = format!("version {} is not known", list.version.get_ref());
        return Err(refuse(list.version.span().start, what, "write `version = 1`"));
    }
    if list.requirement.len() > REQUIREMENTS_MAX {
        let what = format!("more than {REQUIREMENTS_MAX} requirements");
        return Err(refuse(0, what, "split the list"));
    }
    let mut names = BTreeSet::new();
    let mut requirements = Vec::with_capacity(list.requirement.len());
    for row in list.requirement {
        let offset = row.span().start;
        let row = row.into_inner();
        if let Some((what, remedy)) = wrong(&row) {
            return Err(refuse(offset, format!("requirement `{}`: {what}", row.id), remedy));
        }
        if !names.insert(row.id.clone()) {
            let what = format!("the requirement `{}` stands twice", row.id);
            return Err(refuse(offset, what, "give each requirement a name of its own"));
        }
        let Row { id, title, status, gap, evidence } = row;
        requirements.push(Requirement { id, title, claim: status, gap, evidence });
    }
    Ok(requirements)
}

/// What can only be a mistake.
fn wrong(row: &Row) -> Option<(String, &'static str)> {
    let blank = |text: &str| text.trim().is_empty();
    if blank(&row.id) || blank(&row.title) {
        return Some((
            "it has no name or no title".to_owned(),
            "name it, and say what is required",
        ));
    }
    if row.gap.as_deref().is_some_and(blank) {
        return Some(("its gap says nothing".to_owned(), "say what is missing, or remove `gap`"));
    }
    row.evidence.iter().find_map(|wanted| match wanted {
        Wanted::Commit { rev } if blank(rev) => {
            Some(("a commit without a name".to_owned(), "name a revision, such as `HEAD`"))
        }
        Wanted::Command { argv, .. } if argv.first().is_none_or(|word| blank(word)) => {
            Some(("a command without words".to_owned(), "write the command word by word"))
        }
        Wanted::Artifact { sha256: Some(text), .. } if Digest::parse(text).is_err() => {
            Some((format!("`{text}` is no digest"), "write 64 lower-case hex digits"))
        }
        Wanted::Artifact { expect, .. } if expect.keys().any(|key| !key.starts_with('/')) => {
            Some(("a key of `expect` is no JSON Pointer".to_owned(), "begin it with `/`"))
        }
        Wanted::Ledger { terminal, id, .. } if terminal.is_empty() || blank(id) => {
            Some(("a ledger entry without name or terminal status".to_owned(), "name both"))
        }
        Wanted::Commit { .. }
        | Wanted::Command { .. }
        | Wanted::Artifact { .. }
        | Wanted::Ledger { .. }
        | Wanted::Prose { .. }
        | Wanted::Screenshot { .. }
        | Wanted::File { .. } => None,
    })
}
