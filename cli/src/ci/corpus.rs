//! A corpus of edits over one small clean workspace, as written. It builds no tree and judges nothing.

use portcullis::{
    Fault, Location, RelPath,
    wire::code::{CONFIG_INVALID, INPUT_UNREADABLE, TOML_INVALID},
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

const SCHEMA: &str = "portcullis.lane_mutations.v1";
/// The text that is a roster of tests, not a file.
const ROSTER: &str = "base_tests_toml";
/// The text that is the policy.
const POLICY: &str = "base_policy_toml";

/// What a corpus file says.
#[derive(Deserialize)]
struct Document {
    schema: String,
    #[serde(default)]
    paths: BTreeMap<String, String>,
    #[serde(default)]
    stubs: BTreeMap<String, String>,
    #[serde(default)]
    mutation: Vec<Edit>,
    #[serde(default)]
    benign: Vec<Edit>,
    /// The `base_*` texts. Other keys are refused below.
    #[serde(flatten)]
    texts: BTreeMap<String, toml::Value>,
}

/// One edit of one text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "title, area, probes and note are for readers of the corpus, and checked to be texts"
)]
pub(crate) struct Edit {
    pub(crate) id: String,
    title: Option<String>,
    area: Option<String>,
    pub(crate) base: String,
    find: String,
    replace: String,
    pub(crate) expect_gate: Option<String>,
    pub(crate) expect_code: Option<String>,
    probes: Option<String>,
    note: Option<String>,
}

/// A corpus that can be used.
pub(crate) struct Corpus {
    /// Every file of the clean tree.
    pub(crate) files: BTreeMap<RelPath, String>,
    pub(crate) policy: String,
    pub(crate) mutations: Vec<Edit>,
    pub(crate) benign: Vec<Edit>,
    /// The path of each text that edits may name.
    paths: BTreeMap<String, RelPath>,
}

/// The roster of tests of the clean tree.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roster {
    #[serde(default)]
    binary: Vec<Binary>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the id and kind belong to the roster, and are checked to be texts")]
struct Binary {
    id: String,
    kind: String,
    path: String,
    tests: Vec<String>,
}

impl Corpus {
    /// Reads a corpus file.
    ///
    /// # Errors
    /// What makes it unusable, with its place as far as that is known.
    pub(crate) fn read(file: &Path) -> Result<Self, Fault> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|source| {
            Fault::new(
                INPUT_UNREADABLE,
                format!("`{name}` cannot be read"),
                "name a corpus that exists",
            )
            .at(Location::file(&name))
            .because(&source)
        })?;
        Self::parse(&name, &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, Fault> {
        let invalid = |what: String| {
            Fault::new(CONFIG_INVALID, what, "correct the corpus").at(Location::file(name))
        };
        let document: Document = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let first = error.message().lines().next().unwrap_or_default().to_owned();
            Fault::new(TOML_INVALID, first, "correct the corpus")
                .at(Location::of_offset(name, text, offset))
        })?;
        if document.schema != SCHEMA {
            return Err(invalid(format!("the schema is `{}`, not `{SCHEMA}`", document.schema)));
        }
        let mut texts = BTreeMap::new();
        for (key, value) in document.texts {
            match value.as_str().filter(|_| key.starts_with("base_")) {
                Some(text) => texts.insert(key, text.to_owned()),
                None => return Err(invalid(format!("`{key}` is not a `base_*` text"))),
            };
        }
        let path = |text: &str| {
            RelPath::parse(text).map_err(|source| invalid(format!("path `{text}`: {source}")))
        };
        let (mut files, mut paths) = (BTreeMap::new(), BTreeMap::new());
        for (key, text) in texts.iter().filter(|(key, _)| *key != ROSTER) {
            let Some(at) = document.paths.get(key) else {
                return Err(invalid(format!("`[paths]` does not say where `{key}` lives")));
            };
            let at = path(at)?;
            files.insert(at.clone(), text.clone());
            paths.insert(key.clone(), at);
        }
        if let Some(key) = document.paths.keys().find(|key| !texts.contains_key(*key)) {
            return Err(invalid(format!("`[paths]` names `{key}`, which is no text")));
        }
        for (at, text) in &document.stubs {
            files.insert(path(at)?, text.clone());
        }
        if let Some(roster) = texts.get(ROSTER) {
            let roster: Roster = toml::from_str(roster)
                .map_err(|error| invalid(format!("`{ROSTER}`: {}", error.message())))?;
            for binary in roster.binary {
                files.entry(path(&binary.path)?).or_insert_with(|| stub(&binary.tests));
            }
        }
        let Some(policy) = texts.get(POLICY).cloned() else {
            return Err(invalid(format!("there is no `{POLICY}`")));
        };
        let corpus =
            Self { files, policy, mutations: document.mutation, benign: document.benign, paths };
        corpus.check(&invalid)?;
        Ok(corpus)
    }

    fn check(&self, invalid: &dyn Fn(String) -> Fault) -> Result<(), Fault> {
        let mut ids = std::collections::BTreeSet::new();
        for edit in self.mutations.iter().chain(&self.benign) {
            if !ids.insert(&edit.id) {
                return Err(invalid(format!("two edits have the id `{}`", edit.id)));
            }
            self.edited(edit)?;
        }
        for edit in &self.mutations {
            if edit.expect_gate.is_none() || edit.expect_code.is_none() {
                let what = format!("mutation `{}` lacks `expect_gate` or `expect_code`", edit.id);
                return Err(invalid(what));
            }
        }
        if self.mutations.is_empty() && self.benign.is_empty() {
            return Err(invalid("the corpus has no edit".to_owned()));
        }
        Ok(())
    }

    /// The file that an edit changes, and its text afterwards.
    ///
    /// # Errors
    /// When it names no text, or what it replaces does not stand there exactly once.
    pub(crate) fn edited(&self, edit: &Edit) -> Result<(&RelPath, String), Fault> {
        let invalid = |what: String| Fault::new(CONFIG_INVALID, what, "correct the corpus");
        let found = self.paths.get(&edit.base).and_then(|path| self.files.get_key_value(path));
        let Some((path, text)) = found else {
            return Err(invalid(format!(
                "edit `{}` names `{}`, which is no text",
                edit.id, edit.base
            )));
        };
        match text.matches(&edit.find).count() {
            1 => Ok((path, text.replacen(&edit.find, &edit.replace, 1))),
            n => {
                let what =
                    format!("what edit `{}` replaces stands {n} times in `{}`", edit.id, edit.base);
                Err(invalid(what))
            }
        }
    }
}

/// A source file with these tests, modules included, and nothing in them.
fn stub(tests: &[String]) -> String {
    #[derive(Default)]
    struct Module<'t> {
        modules: BTreeMap<&'t str, Self>,
        tests: Vec<&'t str>,
    }
    fn write(module: &Module<'_>, text: &mut String) {
        for test in &module.tests {
            text.push_str(&format!("\n#[test]\nfn {test}() {{}}\n"));
        }
        for (name, inner) in &module.modules {
            text.push_str(&format!("\nmod {name} {{"));
            write(inner, text);
            text.push_str("}\n");
        }
    }
    let mut root = Module::default();
    for test in tests {
        let mut module = &mut root;
        let mut parts = test.split("::").peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                module.tests.push(part);
            } else {
                module = module.modules.entry(part).or_default();
            }
        }
    }
    let mut text = "//! Stub.\n".to_owned();
    write(&root, &mut text);
    text
}
