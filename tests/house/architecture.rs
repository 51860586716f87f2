//! The documents name paths; every one of them has to exist.

use portcullis::{Code, Examined, Finding, Findings, GateContext, GateError, Location, RelPath};

portcullis::gate! {
    /// Keeps the paths that the documents name true.
    /// ### What it checks
    /// Every path in backticks in `README.md`, `ARCHITECTURE.md`, `CONTRIBUTING.md` and `docs/` exists.
    /// ### Why it gates
    /// A map that names what is gone misleads exactly the reader who needs it.
    /// ### Remediation
    /// Correct the path, or remove the sentence.
    pub static DOCUMENTED_PATHS: "documented_paths", check = check;
}

const PATH_MISSING: Code =
    Code::new("PC1911", "documented_path_missing", "A document names a path that does not exist.");

/// What is made by running something, and so is absent in a fresh clone.
const PRODUCED: &[&str] = &["target/"];
const ROOTS: &[&str] = &[
    "harness/",
    "gates/",
    "canary/",
    "cli/",
    "tests/",
    "benches/",
    "fixtures/",
    "docs/",
    ".ci/",
    ".cargo/",
    ".github/",
    "ledger/",
];
const FILES: &[&str] = &["md", "toml", "lock", "rs", "json", "jsonl", "yml"];

fn check(cx: &GateContext<'_>, out: &mut Findings) -> Result<Examined, GateError> {
    let mut examined = 0;
    let globs = portcullis::Globs::new(&[
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "GLOSSARY.md",
        "docs/**/*.md",
    ])?;
    for document in cx.files(&globs)? {
        let text = document.text()?;
        for (number, line) in (1u32..).zip(text.lines()) {
            for word in spans(line).filter(|word| names_a_path(word)) {
                examined += 1;
                // A path that no system should be given names nothing, so it is reported like an absent one.
                if let Ok(path) = RelPath::parse(word.trim_end_matches('/'))
                    && (cx.file(&path).exists()? || cx.is_folder(&path)?)
                {
                    continue;
                }
                out.push(
                    Finding::new(
                        PATH_MISSING,
                        word,
                        format!("`{word}` does not exist"),
                        "correct the path or remove it",
                    )
                    .at(Location::at(document.path(), number, 0)),
                );
            }
        }
    }
    Ok(Examined::items(examined))
}

fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn names_a_path(word: &str) -> bool {
    let plain = !word.contains([' ', '<', '*', '{', '$', '"', '(']);
    let produced = PRODUCED.iter().any(|prefix| word.starts_with(prefix));
    let rooted = ROOTS.iter().any(|root| word.starts_with(root));
    let at_the_top = !word.contains('/')
        && word
            .rsplit_once('.')
            .is_some_and(|(stem, ending)| !stem.is_empty() && FILES.contains(&ending))
        && (word.starts_with(|c: char| c.is_ascii_uppercase())
            || matches!(
                word,
                "portcullis.toml"
                    | "portcullis.lock"
                    | "suite_classification.toml"
                    | "clippy.toml"
                    | "deny.toml"
                    | "rustfmt.toml"
            ));
    plain && !produced && (rooted || at_the_top)
}
