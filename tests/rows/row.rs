//! One row: its command in every spelling passes, each of its breaks turns it red for the right reason, healing turns it green.

use super::product::{Answer, Product};
use serde_json::Value;
use std::collections::BTreeSet;

/// How the tree is broken: one edit of one file.
pub(super) enum Edit {
    /// Another text for each place where the first one stands.
    Swap(&'static str, &'static str),
    /// Another moment for that of `generated_at`.
    Aged(String),
    /// A text at the end of the file, which need not have existed.
    Add(String),
    /// No file.
    Delete,
}

/// What operators' scripts read after the run: a view, a pointer into it, and what must stand there.
pub(super) type Read = (&'static str, &'static str, Value);

/// One promise of a row, broken.
pub(super) struct Break {
    /// What is wrong then, for messages.
    pub(super) what: &'static str,
    /// The file that is edited.
    pub(super) file: &'static str,
    /// The edit.
    pub(super) edit: Edit,
    /// Exactly the codes that are reported.
    pub(super) codes: &'static [&'static str],
    /// What is said, subject, place and remedy among it.
    pub(super) says: &'static [&'static str],
    /// What the artifacts say.
    pub(super) reads: Vec<Read>,
}

/// A row of the table of gates.
pub(super) struct Row {
    /// The command as the row has it.
    pub(super) replay: &'static str,
    /// The same command as others type it.
    pub(super) spellings: &'static [&'static str],
    /// The gate whose own trial the printed replays name; none where an aggregate words its own findings.
    pub(super) gate: Option<&'static str>,
    /// Variables beside those of a desk.
    pub(super) env: &'static [(&'static str, &'static str)],
    /// What the artifacts say while all is well.
    pub(super) reads: Vec<Read>,
    /// How it is broken.
    pub(super) breaks: Vec<Break>,
}

impl Row {
    /// Shows all of it in the copy.
    pub(super) fn show(&self) {
        let product = Product::take();
        for line in [&self.replay].into_iter().chain(self.spellings) {
            self.passes(&product, line);
        }
        for (n, broken) in self.breaks.iter().enumerate() {
            let was = self.breaks_by(&product, broken);
            product.forget_views();
            let answer = product.types(self.replay, self.env);
            self.fails(&product, &answer, broken);
            if n == 0 {
                self.replays_fail(&product, &answer);
            }
            heal(&product, broken.file, was);
            self.passes(&product, self.replay);
        }
    }

    fn passes(&self, product: &Product, line: &str) {
        product.forget_views();
        let answer = product.types(line, self.env);
        answer.ends(0);
        assert!(answer.codes().is_empty(), "`{line}` passes and complains:\n{}", answer.text);
        let running = answer.text.contains("running ") && !answer.text.contains("running 0 tests");
        assert!(running, "`{line}` runs nothing:\n{}", answer.text);
        reads(product, &self.reads, line);
    }

    fn breaks_by(&self, product: &Product, broken: &Break) -> Option<String> {
        let exists = product.root().join(broken.file).exists();
        let was = exists.then(|| product.text(broken.file));
        let swap = |from: &str, to: &str| {
            let text = was.as_deref().unwrap_or_else(|| panic!("{} exists", broken.file));
            assert!(text.contains(from), "{}: no `{from}` in {}", broken.what, broken.file);
            product.write(broken.file, &text.replace(from, to));
        };
        match &broken.edit {
            Edit::Swap(from, to) => swap(from, to),
            Edit::Aged(moment) => {
                let text = was.as_deref().unwrap_or_else(|| panic!("{} exists", broken.file));
                let (before, rest) = text.split_once("\"generated_at\": \"").expect("a time");
                let (_, after) = rest.split_once('"').expect("its end");
                product
                    .write(broken.file, &format!("{before}\"generated_at\": \"{moment}\"{after}"));
            }
            Edit::Add(more) => {
                product.write(broken.file, &(was.clone().unwrap_or_default() + more));
            }
            Edit::Delete => product.delete(broken.file),
        }
        was
    }

    fn fails(&self, product: &Product, answer: &Answer, broken: &Break) {
        let text = &answer.text;
        assert_eq!(answer.code, Some(101), "{}: {text}", broken.what);
        let codes: BTreeSet<&str> = broken.codes.iter().copied().collect();
        assert_eq!(answer.codes(), codes, "{}: {text}", broken.what);
        for part in broken.says {
            assert!(text.contains(part), "{}: `{part}` is not said:\n{text}", broken.what);
        }
        if let Some(gate) = self.gate {
            assert!(text.contains("   = remedy: "), "{}: no way out:\n{text}", broken.what);
            let named = !self.own_replays(answer).is_empty();
            assert!(named, "{}: no replay of `{gate}`:\n{text}", broken.what);
        }
        reads(product, &broken.reads, broken.what);
    }

    fn own_replays<'a>(&self, answer: &'a Answer) -> Vec<&'a str> {
        let own = self.gate.map(|gate| format!(" -- {gate} ")).unwrap_or_default();
        let is_own = |line: &&str| self.gate.is_some() && line.contains(&own);
        answer.replays().into_iter().filter(is_own).collect()
    }

    /// What was printed, and what else people type, is as red as the row's own command.
    fn replays_fail(&self, product: &Product, answer: &Answer) {
        for line in self.own_replays(answer) {
            product.types(line, self.env).ends(101);
        }
        for line in self.spellings {
            product.types(line, self.env).ends(101);
        }
    }
}

fn heal(product: &Product, file: &str, was: Option<String>) {
    match was {
        Some(text) => product.write(file, &text),
        None => product.delete(file),
    }
}

/// Asserts what stands in the views; the name `pointer#length` asks for the length of a list or object.
fn reads(product: &Product, expected: &[Read], what: &str) {
    for (view, pointer, value) in expected {
        let text = product.view(view);
        let document: Value = if view.ends_with(".jsonl") {
            let lines = text.lines().map(|line| serde_json::from_str(line).expect("a record"));
            Value::Array(lines.collect())
        } else if view.ends_with(".md") {
            Value::String(text.clone())
        } else {
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{view}: {error}"))
        };
        holds(&document, pointer, value).unwrap_or_else(|found| {
            panic!("{what}: {view}{pointer} is {found}, not {value}:\n{text}")
        });
    }
}

/// Whether the pointer leads to the value. `*` stands for some element, `#` for how many there are; a text that is
/// held against a longer one need only be part of it.
fn holds(document: &Value, pointer: &str, value: &Value) -> Result<(), String> {
    let Some((part, rest)) =
        pointer.strip_prefix('/').map(|path| path.split_once('/').unwrap_or((path, "")))
    else {
        let same = match (document, value) {
            (Value::String(found), Value::String(part)) => found.contains(part.as_str()),
            (found, value) => found == value,
        };
        return if same { Ok(()) } else { Err(document.to_string()) };
    };
    let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
    match (part, document) {
        ("#", Value::Array(items)) => holds(&Value::from(items.len()), &rest, value),
        ("#", Value::Object(items)) => holds(&Value::from(items.len()), &rest, value),
        ("*", Value::Array(items)) => {
            let some = items.iter().any(|item| holds(item, &rest, value).is_ok());
            if some { Ok(()) } else { Err(document.to_string()) }
        }
        (name, Value::Array(items)) => {
            // An element by its id, role or gate, since positions are no promise.
            let names =
                |item: &&Value| ["id", "role", "gate_id"].iter().any(|key| item[*key] == name);
            let item = items.iter().find(names).ok_or_else(|| document.to_string())?;
            holds(item, &rest, value)
        }
        (name, document) => {
            let found = document.get(name).ok_or_else(|| document.to_string())?;
            holds(found, &rest, value)
        }
    }
}
