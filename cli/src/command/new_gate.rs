//! `new_gate`: a file for a gate kind, with its sections and two teeth that fail until they are filled. It overwrites nothing.

use crate::{
    args::NewGate as Arguments,
    exit::{Exit, OrExit, Refused},
    repository::Repository,
    transport::Transport,
    written,
};
use portcullis::{
    Fault, GateId, Location, RelPath,
    runner::registry::Registry,
    wire::code::{DUPLICATE_GATE_ID, PATH_REFUSED, USAGE},
};
use serde_json::json;
use std::collections::BTreeSet;

const SCHEMA: &str = "portcullis.new_gate.v1";
/// Where gates usually live, the most telling place first.
const PLACES: [&str; 4] =
    ["gates/src/lib.rs", "tests/gates/lib.rs", "tests/house/lib.rs", "src/lib.rs"];
/// Numbers of users' own kinds (`harness/src/wire/code.rs` has the areas).
const NUMBERS: std::ops::Range<u32> = 1_900..2_000;

const TEMPLATE: &str = r#"//! FILL IN: one sentence of purpose. FILL IN: what it leaves out.

use portcullis::{Code, Examined, Finding, Findings, GateContext, GateError, Globs, Tooth};

portcullis::gate_kind! {
    /// FILL IN: one sentence that says what it keeps true.
    /// ### What it checks
    /// FILL IN: the rule, exactly.
    /// ### Why it gates
    /// FILL IN: what went wrong without it.
    /// ### Example
    /// Refused: FILL IN. Accepted: FILL IN.
    /// ### Configuration
    /// - `files`: globs, required; a set that matches nothing is an error.
    /// ### Remediation
    /// - `@ID@_broken`: FILL IN: what to do.
    pub static @STATIC@: "@ID@", since = "NEXT", config = Config, check = check,
        codes = &[BROKEN], teeth = TEETH;
}

const BROKEN: Code = Code::new("@NUMBER@", "@ID@_broken", "FILL IN: one sentence.");

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    files: Globs,
}

/// FILL IN: Reports each violation, and returns how many files were read.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let files = cx.files(&config.files)?;
    for file in &files {
        let text = file.text()?;
        if is_broken(&text) {
            out.push(Finding::new(BROKEN, file.path(), "FILL IN: what is wrong", "FILL IN: the way out"));
        }
    }
    Ok(Examined::items(files.len()))
}

/// FILL IN: the rule. Until then nothing is broken, and the first tooth fails for it.
fn is_broken(_text: &str) -> bool {
    false
}

const ALL: &str = "files = ['**/*.txt']";
// Both fail until they are filled: the first breaks no rule yet, the second has nothing to look at.
static TEETH: &[Tooth] = &[
    Tooth::known_bad("fill_in_what_is_wrong", BROKEN, ALL, &[("a.txt", "FILL IN\n")]),
    Tooth::known_good("fill_in_what_is_fine", ALL, &[]),
];
"#;

/// Runs `new_gate`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let policy = repository.policy()?;
    let id = GateId::parse(&arguments.id).map_err(|source| {
        let remedy = "write `a-z`, then `a-z`, `0-9` or `_`";
        usage(
            format!("`{}` is no gate id", arguments.id.escape_debug()),
            remedy,
            &source.to_string(),
        )
    })?;
    let registry = Registry::collect().or_exit(Exit::Internal)?;
    let taken = registry.kinds().any(|kind| kind.id == id.as_str())
        || policy
            .gates
            .iter()
            .any(|gate| gate.common.id == id || gate.common.kind.as_deref() == Some(id.as_str()));
    if taken {
        let headline = format!("there is a gate or kind `{id}` already");
        let fault = Fault::new(DUPLICATE_GATE_ID, headline, "choose another id");
        return Err(Refused::new(Exit::Usage, fault));
    }
    let root = root(&repository, arguments.into.as_deref())?;
    let file = beside(&root, id.as_str())?;
    if written::read(&repository, &file)?.is_some() {
        let fault = Fault::new(
            USAGE,
            format!("`{file}` exists already"),
            "choose another id; nothing is overwritten",
        );
        return Err(Refused::new(Exit::Usage, fault.at(Location::file(&file))));
    }
    let source = written::read(&repository, &root)?.unwrap_or_default();
    let number = free_number(&registry, &repository, &source, &root)?;
    let text = TEMPLATE
        .replace("@ID@", id.as_str())
        .replace("@STATIC@", &id.as_str().to_uppercase())
        .replace("@NUMBER@", &number);
    written::write(&repository, &file, &text)?;
    written::write(&repository, &root, &with_module(&source, id.as_str()))?;
    let table = format!(
        "[[gate]]\nid = \"{id}\"\nkind = \"{id}\"\ntitle = \"FILL IN\"\nfiles = [\"**/*.txt\"]\n"
    );
    out.document(&json!({
        "schema": SCHEMA,
        "id": id,
        "file": file,
        "module_of": root,
        "code": number,
        "table": table,
        "exit": Exit::Pass.code(),
    }));
    out.text(&format!(
        "new_gate: `{file}` is written, and `mod {id};` stands in `{root}`\n\n\
         1. fill in the first tooth: a small tree that breaks the rule\n\
         2. fill in the page, then `is_broken`; the teeth fail until both say something\n\
         3. add the table to `portcullis.toml`:\n\n{table}\n\
         4. `cargo portcullis census --bless`, and commit the census with it\n\n\
         The crate needs `serde` with its feature `derive`, and the gate binary has to name the crate."
    ));
    Ok(Exit::Pass)
}

fn usage(headline: String, remedy: &str, found: &str) -> Refused {
    Refused::new(Exit::Usage, Fault::new(USAGE, headline, remedy).found(found.to_owned()))
}

/// The source file that gets the module.
fn root(repository: &Repository, into: Option<&str>) -> Result<String, Refused> {
    let places: Vec<&str> = into.map_or_else(|| PLACES.to_vec(), |into| vec![into]);
    for place in &places {
        if written::read(repository, place)?.is_some() {
            return Ok((*place).to_owned());
        }
    }
    let remedy = "name the file that holds your gates: `--into <file.rs>`";
    Err(usage("nobody says where the gate belongs".to_owned(), remedy, &places.join(", ")))
}

/// Where a module of this file lies: beside a crate's root, below any other file.
fn beside(root: &str, id: &str) -> Result<String, Refused> {
    let (folder, name) = root.rsplit_once('/').map_or(("", root), |(folder, name)| (folder, name));
    let is_root = matches!(name, "lib.rs" | "main.rs" | "mod.rs")
        || folder == "tests"
        || folder.ends_with("/tests");
    let stem = name.strip_suffix(".rs").ok_or_else(|| {
        usage(
            format!("`{}` is no Rust source file", root.escape_debug()),
            "name a file that ends in `.rs`",
            root,
        )
    })?;
    let parts: Vec<&str> = [folder, if is_root { "" } else { stem }]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let path = [parts.join("/"), format!("{id}.rs")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/");
    RelPath::parse(&path).map(|path| path.to_string()).map_err(|source| {
        Refused::new(
            Exit::Usage,
            Fault::new(PATH_REFUSED, source.to_string(), "choose a shorter id"),
        )
    })
}

/// A number that neither a linked kind nor a file beside has.
fn free_number(
    registry: &Registry,
    repository: &Repository,
    source: &str,
    root: &str,
) -> Result<String, Refused> {
    let mut taken: BTreeSet<String> =
        super::list::all_codes(registry).into_keys().map(str::to_owned).collect();
    let folder = repository.root().join(root);
    let siblings = folder.parent().and_then(|folder| folder.read_dir().ok());
    let mut texts = vec![source.to_owned()];
    for entry in siblings.into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "rs") {
            texts.extend(std::fs::read_to_string(entry.path()).ok());
        }
    }
    for text in &texts {
        let numbers = text.match_indices("\"PC").filter_map(|(at, _)| text.get(at + 1..at + 7));
        taken.extend(numbers.map(str::to_owned));
    }
    let free = NUMBERS.map(|number| format!("PC{number}")).find(|number| !taken.contains(number));
    free.ok_or_else(|| {
        usage("every number of own kinds is taken".to_owned(), "free one", "PC1900 to PC1999")
    })
}

/// The source with one more module, in the order of its neighbours.
fn with_module(source: &str, id: &str) -> String {
    let module = |line: &str| -> Option<(bool, String)> {
        let (public, rest) = line.strip_prefix("pub ").map_or((false, line), |rest| (true, rest));
        let name = rest.strip_prefix("mod ")?.strip_suffix(';')?;
        Some((public, name.to_owned()))
    };
    let lines: Vec<&str> = source.lines().collect();
    let public = lines.iter().filter_map(|line| module(line)).any(|(public, _)| public);
    let new = if public { format!("pub mod {id};") } else { format!("mod {id};") };
    let known: Vec<(usize, String)> = lines
        .iter()
        .enumerate()
        .filter_map(|(n, line)| module(line).map(|(_, name)| (n, name)))
        .collect();
    let at = known
        .iter()
        .find(|(_, name)| name.as_str() > id)
        .map(|(n, _)| before_attributes(&lines, *n))
        .or_else(|| known.last().map(|(n, _)| n + 1))
        .unwrap_or_else(|| {
            lines
                .iter()
                .position(|line| !line.starts_with("//!") && !line.trim().is_empty())
                .unwrap_or(lines.len())
        });
    let mut out: Vec<&str> = lines;
    out.insert(at.min(out.len()), &new);
    if known.is_empty() {
        out.insert((at + 1).min(out.len()), "");
    }
    let mut text = out.join("\n");
    text.push('\n');
    text
}

/// The first line of the attributes and comments that belong to a line.
fn before_attributes(lines: &[&str], at: usize) -> usize {
    let belongs = |line: &&str| line.starts_with("#[") || line.starts_with("///");
    let above = lines.iter().take(at).rev().take_while(|line| belongs(line)).count();
    at - above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_stands_where_its_neighbours_would_put_it() {
        let table = [
            ("between two", "//! x\n\nmod a;\nmod c;\n", "//! x\n\nmod a;\nmod b;\nmod c;\n"),
            ("at the end", "mod a;\nuse x;\n", "mod a;\nmod b;\nuse x;\n"),
            (
                "public among public ones",
                "pub mod a;\n#[cfg(x)]\npub mod c;\n",
                "pub mod a;\npub mod b;\n#[cfg(x)]\npub mod c;\n",
            ),
            ("the first one", "//! x\n\nuse y;\n", "//! x\n\nmod b;\n\nuse y;\n"),
        ];
        for (case, source, expected) in table {
            assert_eq!(with_module(source, "b"), expected, "{case}");
        }
    }

    #[test]
    fn a_file_lies_where_rust_looks_for_it() {
        let table = [
            ("src/lib.rs", "src/b.rs"),
            ("tests/gates.rs", "tests/b.rs"),
            ("crates/x/tests/gates.rs", "crates/x/tests/b.rs"),
            ("src/gates.rs", "src/gates/b.rs"),
            ("lib.rs", "b.rs"),
        ];
        for (root, expected) in table {
            let Ok(path) = beside(root, "b") else { panic!("{root}") };
            assert_eq!(path, expected);
        }
        assert!(beside("src/lib", "b").is_err());
    }
}
