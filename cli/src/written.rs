//! Generated files of the repository: written where they changed, or compared with what is committed.

use crate::{
    exit::{Exit, OrExit, Refused},
    repository::Repository,
};
use anyhow::Context as _;
use portcullis::{
    Code, Fault, Location, RelPath,
    wire::code::{BLESS_REFUSED, PATH_REFUSED},
};
use std::io::Write as _;

const BYTES_MAX: u64 = 16 * 1024 * 1024;
const SHOWN: usize = 120;

/// Where a file differs from what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drift {
    path: String,
    line: u32,
    expected: String,
    found: String,
}

impl Drift {
    /// The fault about it.
    pub(crate) fn fault(&self, code: Code, headline: String, remedy: &str) -> Fault {
        let place = if self.line == 0 {
            Location::file(&self.path)
        } else {
            Location::at(&self.path, self.line, 0)
        };
        Fault::new(code, headline, remedy)
            .at(place)
            .expected(self.expected.clone())
            .found(self.found.clone())
    }
}

/// The first line in which the committed file differs; nothing when it does not. Line ends of other systems are no difference.
pub(crate) fn compare(
    repository: &Repository,
    path: &str,
    text: &str,
) -> Result<Option<Drift>, Refused> {
    let Some(found) = read(repository, path)? else {
        let drift = Drift {
            path: path.to_owned(),
            line: 0,
            expected: "a generated file".to_owned(),
            found: "no such file".to_owned(),
        };
        return Ok(Some(drift));
    };
    Ok(first_difference(path, &found, text))
}

fn first_difference(path: &str, found: &str, text: &str) -> Option<Drift> {
    let found = found.replace("\r\n", "\n");
    if found == text {
        return None;
    }
    let (mut theirs, mut ours, mut line) = (found.split('\n'), text.split('\n'), 0);
    loop {
        line += 1;
        let (their, our) = (theirs.next(), ours.next());
        if their != our || their.is_none() {
            let shown = |line: Option<&str>| {
                line.map_or_else(|| "the end".to_owned(), |line| line.chars().take(SHOWN).collect())
            };
            let drift =
                Drift { path: path.to_owned(), line, expected: shown(our), found: shown(their) };
            return Some(drift);
        }
    }
}

/// Writes a file as a whole, where it changes; returns whether it did. Never in CI.
pub(crate) fn write(repository: &Repository, path: &str, text: &str) -> Result<bool, Refused> {
    if read(repository, path)?.is_some_and(|found| found == text) {
        return Ok(false);
    }
    if repository.environment.is_ci() {
        let headline = format!("`{path}` is not written in CI");
        let remedy = "write it on a developer's machine, and commit it with its cause";
        return Err(Refused::new(Exit::Nothing, Fault::new(BLESS_REFUSED, headline, remedy)));
    }
    replace(repository, path, text)?;
    Ok(true)
}

/// Writes a file as a whole, wherever this runs; a link of that name is replaced, not followed.
pub(crate) fn replace(repository: &Repository, path: &str, text: &str) -> Result<(), Refused> {
    let target = repository.root().join(rel(path)?.as_str());
    let folder = target.parent().unwrap_or(repository.root());
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let mut file = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("{} cannot be written", folder.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("`{path}` cannot be written"))?;
    readable(file.as_file()).with_context(|| format!("`{path}` cannot be written"))?;
    file.persist(&target).with_context(|| format!("`{path}` cannot be written"))?;
    Ok(())
}

/// A temporary file is its owner's alone; one that is committed is everybody's to read.
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.sync_all()
}

/// The text of a file of the repository; nothing where there is none.
pub(crate) fn read(repository: &Repository, path: &str) -> Result<Option<String>, Refused> {
    let path = rel(path)?;
    if !repository.tree.exists(&path).or_exit(Exit::Usage)? {
        return Ok(None);
    }
    repository.tree.read_text(&path, BYTES_MAX).or_exit(Exit::Usage).map(Some)
}

fn rel(path: &str) -> Result<RelPath, Refused> {
    RelPath::parse(path).map_err(|source| {
        let remedy = "name a plain path below the repository root";
        Refused::new(Exit::Usage, Fault::new(PATH_REFUSED, source.to_string(), remedy))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        let table = [
            ("equal", "a\nb\n", "a\nb\n", None),
            ("other line ends", "a\r\nb\r\n", "a\nb\n", None),
            ("a changed line", "a\nx\n", "a\nb\n", Some((2, "b", "x"))),
            ("a line too few", "a\n", "a\nb\n", Some((2, "b", ""))),
            ("a line too many", "a\nb\nc\n", "a\nb\n", Some((3, "", "c"))),
            ("no newline at the end", "a\nb", "a\nb\n", Some((3, "", "the end"))),
        ];
        for (case, found, text, expected) in table {
            let drift = first_difference("f", found, text);
            let seen =
                drift.as_ref().map(|one| (one.line, one.expected.as_str(), one.found.as_str()));
            assert_eq!(seen, expected, "{case}");
        }
    }
}
