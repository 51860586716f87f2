//! Which files a folder holds, and which of its names no seal may carry. It reads no file of evidence.

use super::{MANIFEST, SEAL, TEMPORARY, is_of_a_run};
use icu_normalizer::ComposingNormalizerBorrowed;
use portcullis::{
    Fault, Location, RelPath,
    evidence::{
        redaction::Redactor,
        tree::{EntryKind, HardLinks, Tree},
    },
    wire::code::{INPUT_TOO_LARGE, PATH_REFUSED, SEAL_CONFLICT, SECRET_IN_EVIDENCE},
};
use std::collections::BTreeMap;

/// Limits of a walk (`security.md`, section 4).
const DEPTH_MAX: usize = 64;
const FILES_MAX: usize = 200_000;
/// Names of files that hold credentials and nothing else, in lower case.
const CREDENTIALS: &[&str] = &[
    ".git-credentials",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    "_netrc",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
];
/// How the names of stores of private keys end.
const KEY_STORES: &[&str] = &[".jks", ".p12", ".pfx", ".ppk"];

/// Whether two names of one folder may be one name on other systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alike {
    /// They may: nobody unpacks this folder elsewhere by these names.
    Allow,
    /// They may not.
    Refuse,
}

/// Returns every file of a folder but its manifest and its seal, sorted.
///
/// # Errors
/// `link_refused`, `not_a_file`, `path_refused` for names that no record could carry or that are one name elsewhere,
/// `input_too_large`.
pub(crate) fn files(tree: &Tree, alike: Alike) -> Result<Vec<RelPath>, Fault> {
    let (mut files, mut stack) = (Vec::new(), vec![None::<RelPath>]);
    while let Some(dir) = stack.pop() {
        let depth = dir.as_ref().map_or(0, |dir| dir.parts().count());
        let mut names = Names::default();
        for entry in tree.list_dir(dir.as_ref())? {
            if alike == Alike::Refuse {
                names.add(&entry.path)?;
            }
            match entry.kind {
                EntryKind::Dir if depth < DEPTH_MAX => stack.push(Some(entry.path)),
                EntryKind::File if is_own(&entry.path) => {}
                EntryKind::File if files.len() < FILES_MAX => files.push(entry.path),
                EntryKind::Dir | EntryKind::File => return Err(too_many(&entry.path)),
                // Opening refuses it with the message that fits.
                EntryKind::Link | EntryKind::Other => {
                    tree.open(&entry.path, HardLinks::Refuse)?;
                }
            }
        }
    }
    files.sort();
    Ok(files)
}

fn is_own(path: &RelPath) -> bool {
    matches!(path.as_str(), MANIFEST | SEAL)
}

fn too_many(path: &RelPath) -> Fault {
    let remedy = "seal parts of the folder by themselves, or put many small files into an archive";
    Fault::new(INPUT_TOO_LARGE, "a folder has too many files or levels for a seal", remedy)
        .at(Location::file(path))
        .expected(format!("at most {FILES_MAX} files and {DEPTH_MAX} levels"))
}

/// The names of one folder, as systems see them that know neither case nor composition.
#[derive(Default)]
struct Names(BTreeMap<String, RelPath>);

impl Names {
    /// Adds a name.
    ///
    /// # Errors
    /// `path_refused` where another one is the same name on some system.
    fn add(&mut self, path: &RelPath) -> Result<(), Fault> {
        match self.0.insert(folded(path.file_name()), path.clone()) {
            Some(other) if other != *path => Err(Fault::new(
                PATH_REFUSED,
                format!("`{other}` and `{path}` are one name on some systems"),
                "rename one of the two",
            )
            .at(Location::file(path))
            .expected("names that differ by more than case and the composition of letters")),
            Some(_) | None => Ok(()),
        }
    }
}

fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    // Through upper case, so that letters with several small forms become one.
    ComposingNormalizerBorrowed::new_nfc().normalize(name).to_uppercase().to_lowercase()
}

/// What of these files may not be sealed, by their names alone.
pub(crate) fn refused(tree: &Tree, files: &[RelPath], redactor: &Redactor) -> Vec<Fault> {
    files.iter().filter_map(|path| refused_name(tree, path, redactor)).collect()
}

fn refused_name(tree: &Tree, path: &RelPath, redactor: &Redactor) -> Option<Fault> {
    if redactor.first_in(path.as_str().as_bytes()).is_some() {
        let shown = redactor.redact(path.as_str()).into_owned();
        let remedy = "rename the file, and replace the secret wherever it was used";
        return Some(
            Fault::new(SECRET_IN_EVIDENCE, "a secret stands in the name of a file", remedy)
                .at(Location::file(shown)),
        );
    }
    if holds_credentials(path) {
        let headline = format!("`{path}` is a file for credentials");
        let remedy = "leave it out of the folder; evidence is read by everybody";
        return Some(Fault::new(SECRET_IN_EVIDENCE, headline, remedy).at(Location::file(path)));
    }
    if is_of_a_run(&tree.root().join(path.as_str())) {
        let headline = format!("`{path}` is a document of a run, which has a seal of its own");
        let remedy = "leave the run out, or put it in as an archive; `cargo portcullis verify` holds it to its own seal";
        return Some(Fault::new(SEAL_CONFLICT, headline, remedy).at(Location::file(path)));
    }
    if path.as_str().starts_with(TEMPORARY) {
        let headline = format!("`{path}` is left of a seal that was interrupted");
        return Some(
            Fault::new(SEAL_CONFLICT, headline, "remove the file, then seal again")
                .at(Location::file(path)),
        );
    }
    None
}

/// Whether a name alone says that secrets are inside: version control, registries, keys (`security.md`, section 5).
fn holds_credentials(path: &RelPath) -> bool {
    let lower: Vec<String> = path.parts().map(str::to_ascii_lowercase).collect();
    let Some((name, folders)) = lower.split_last() else { return false };
    let within = |folder: &str| folders.last().is_some_and(|last| last == folder);
    lower.iter().any(|part| part == ".git")
        || (within(".cargo") && name.starts_with("credentials"))
        || (within(".docker") && name == "config.json")
        || CREDENTIALS.contains(&name.as_str())
        || KEY_STORES.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).expect("a path")
    }

    #[test]
    fn t30_names_that_are_one_elsewhere_are_refused() {
        let pairs = [
            ("a/Report.txt", "a/report.txt"),
            ("\u{e4}.log", "a\u{308}.log"),
            ("\u{c4}.log", "\u{e4}.log"),
            ("stra\u{df}e", "STRASSE"),
            ("\u{3c3}", "\u{3c2}"),
        ];
        for (a, b) in pairs {
            let mut names = Names::default();
            assert!(names.add(&path(a)).is_ok() && names.add(&path(a)).is_ok(), "{a}");
            let refused = names.add(&path(b)).map_err(|fault| fault.code());
            assert_eq!(refused, Err(PATH_REFUSED), "{a} and {b}");
        }
        let mut names = Names::default();
        for name in ["a", "b", "a.b", "\u{e4}", "a\u{308}\u{308}"] {
            assert!(names.add(&path(name)).is_ok(), "{name}");
        }
    }

    #[test]
    fn t15_files_for_credentials_are_known_by_name() {
        for name in [
            ".git/config",
            "a/.GIT/config",
            "sub/.git",
            ".cargo/credentials",
            "home/.cargo/credentials.toml",
            ".netrc",
            "a/.npmrc",
            "keys/ID_RSA",
            "release.p12",
            ".docker/config.json",
        ] {
            assert!(holds_credentials(&path(name)), "{name}");
        }
        for name in [
            ".gitignore",
            ".github/workflows/ci.yml",
            ".cargo/config.toml",
            "credentials.md",
            "id_rsa.pub",
            "config.json",
            "a.netrc",
        ] {
            assert!(!holds_credentials(&path(name)), "{name}");
        }
    }
}
