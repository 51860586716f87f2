//! `ci generate` and `ci check`: the workflows that follow from the policy, written down or compared with what is there.

use super::{
    lanes::Lanes,
    render::{self, FILES, PULL_REQUEST, Wish, is_generated},
    roster::Roster,
};
use crate::{
    args::{CargoFlags, CiCheck, CiGenerate, Switch},
    engine::cargo_test::Cargo,
    exit::{Exit, OrExit, Refused},
    repository::Repository,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{
    Fault, Location,
    wire::{
        code::{CI_FILE_FOREIGN, CI_WORKFLOW_DRIFT, INPUT_TOO_LARGE},
        receipt::ErrorRecord,
    },
};
use serde_json::json;
use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

const SCHEMA: &str = "portcullis.ci_workflows.v1";
const FOLDER: &str = ".github/workflows";
const BYTES_MAX: u64 = 1024 * 1024;

/// What is written and what stands there.
struct Plan {
    folder: PathBuf,
    files: Vec<(&'static str, String)>,
    policy: String,
}

/// Runs `ci generate`.
pub(crate) fn generate(arguments: &CiGenerate, out: &mut Transport) -> Result<Exit, Refused> {
    let wish = Wish { shards: arguments.shards, comments: arguments.comments == Switch::On };
    let plan = Plan::make(arguments.out.as_deref(), |_| Ok(wish))?;
    if arguments.policy {
        out.raw(&plan.policy);
        return Ok(Exit::Pass);
    }
    let (mut foreign, mut written, mut same, mut removed) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for name in FILES {
        let wanted = plan.text(name);
        match plan.found(name)? {
            Found::Foreign if wanted.is_some() => foreign.push(plan.foreign(name)),
            Found::Generated(_) if wanted.is_none() => removed.push(name),
            Found::Generated(text) if wanted.is_some_and(|wanted| wanted == text) => {
                same.push(name)
            }
            Found::Nothing | Found::Foreign if wanted.is_none() => {}
            Found::Nothing | Found::Foreign | Found::Generated(_) => written.push(name),
        }
    }
    // One foreign file keeps all of them from being written: half of a set is no set.
    if !foreign.is_empty() {
        return Err(Refused::all(Exit::Nothing, foreign));
    }
    if !arguments.dry_run {
        for name in &written {
            plan.write(name)?;
        }
        for name in &removed {
            std::fs::remove_file(plan.folder.join(name))
                .with_context(|| format!("`{name}` cannot be removed"))?;
        }
    }
    let texts: serde_json::Map<String, serde_json::Value> =
        plan.files.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
    out.document(&json!({
        "schema": SCHEMA,
        "command": "generate",
        "folder": plan.folder.display().to_string(),
        "dry_run": arguments.dry_run,
        "written": written,
        "unchanged": same,
        "removed": removed,
        "files": texts,
        "exit": Exit::Pass.code(),
    }));
    if arguments.dry_run && out.is_human() {
        for (name, text) in &plan.files {
            out.raw(&format!("--- {}\n{text}", plan.folder.join(name).display()));
        }
    }
    let would = if arguments.dry_run { "would be " } else { "" };
    let mut lines = Vec::new();
    for (names, word) in [(&written, "written"), (&removed, "removed"), (&same, "unchanged")] {
        let would = if word == "unchanged" { "" } else { would };
        lines.extend(names.iter().map(|name| format!("ci: `{name}` {would}{word}")));
    }
    out.text(&lines.join("\n"));
    Ok(Exit::Pass)
}

/// Runs `ci check`.
pub(crate) fn check(arguments: &CiCheck, out: &mut Transport) -> Result<Exit, Refused> {
    // What was asked for stands in the file itself; a wish that was changed by hand no longer fits the rest of it.
    let plan = Plan::make(arguments.out.as_deref(), |folder| {
        let known = match found(folder, PULL_REQUEST)? {
            Found::Generated(text) => Wish::of(&text),
            Found::Nothing | Found::Foreign => None,
        };
        let known = known.unwrap_or(Wish { shards: 1, comments: true });
        let comments = arguments.comments.map_or(known.comments, |switch| switch == Switch::On);
        Ok(Wish { shards: arguments.shards.unwrap_or(known.shards), comments })
    })?;
    let (mut faults, mut diff) = (Vec::new(), String::new());
    for name in FILES {
        let wanted = plan.text(name);
        let found = match plan.found(name)? {
            Found::Nothing if wanted.is_none() => continue,
            Found::Foreign if wanted.is_none() => continue,
            Found::Nothing => String::new(),
            Found::Generated(text) => text,
            Found::Foreign => read(&plan.folder.join(name))?.unwrap_or_default(),
        };
        let wanted = wanted.unwrap_or_default();
        if found == wanted {
            continue;
        }
        let (line, piece) = unified(name, &found, wanted);
        diff.push_str(&piece);
        let headline = format!("`{name}` is not the workflow that the policy gives");
        let remedy = "run `cargo-portcullis ci generate --provider github` with the words of its header, read the difference, and commit it";
        let place = plan.folder.join(name).display().to_string();
        faults.push(
            Fault::new(CI_WORKFLOW_DRIFT, headline, remedy).at(Location::at(&place, line, 0)),
        );
    }
    let exit = if faults.is_empty() { Exit::Pass } else { Exit::Blocked };
    out.document(&json!({
        "schema": SCHEMA,
        "command": "check",
        "folder": plan.folder.display().to_string(),
        "faults": faults.iter().map(ErrorRecord::from).collect::<Vec<_>>(),
        "diff": diff,
        "exit": exit.code(),
    }));
    let mut parts: Vec<String> = faults.iter().map(Fault::to_string).collect();
    parts.push(diff);
    if exit == Exit::Pass {
        parts.push(format!("ci: {} workflows are those of the policy", plan.files.len()));
    }
    out.text(parts.join("\n").trim());
    Ok(exit)
}

impl Plan {
    fn make(
        named: Option<&Path>,
        wish: impl FnOnce(&Path) -> Result<Wish, Refused>,
    ) -> Result<Self, Refused> {
        let repository = Repository::discover()?;
        let policy = repository.policy()?;
        // Gates that nobody blessed are those of the policy.
        let census = repository.census()?.ok();
        let metadata = Cargo::find(&repository, CargoFlags::default())?.metadata()?;
        let roster = Roster::read(&repository, &policy, census.as_ref(), &metadata)?;
        let lanes = Lanes::read(&policy, &roster).or_exit(Exit::Usage)?;
        let folder = match named {
            Some(path) => std::path::absolute(path).context("the folder cannot be resolved")?,
            None => repository.root().join(FOLDER),
        };
        let wish = wish(&folder)?;
        let files = render::files(&lanes, &roster, wish);
        let policy = render::lane_policy::text(&lanes, &roster, wish);
        Ok(Self { folder, files, policy })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|(other, _)| *other == name).map(|(_, text)| text.as_str())
    }

    fn found(&self, name: &str) -> Result<Found, Refused> {
        found(&self.folder, name)
    }

    fn foreign(&self, name: &str) -> Fault {
        let headline = format!("`{name}` was not generated, and is not overwritten");
        let remedy = "move it away, or write the workflows elsewhere with `--out`";
        let place = self.folder.join(name).display().to_string();
        Fault::new(CI_FILE_FOREIGN, headline, remedy)
            .at(Location::file(&place))
            .expected(format!("the first line `{}`", render::HEADER))
    }

    /// Replaces the file as a whole; a link of that name is never followed, since it is foreign.
    fn write(&self, name: &str) -> Result<(), Refused> {
        let text = self.text(name).unwrap_or_default();
        let shown = self.folder.display();
        std::fs::create_dir_all(&self.folder).with_context(|| format!("{shown} cannot be made"))?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)
            .with_context(|| format!("{shown} cannot be written"))?;
        file.write_all(text.as_bytes()).with_context(|| format!("`{name}` cannot be written"))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file()
                .set_permissions(std::fs::Permissions::from_mode(0o644))
                .with_context(|| format!("`{name}` cannot be written"))?;
        }
        file.as_file().sync_all().with_context(|| format!("`{name}` cannot be written"))?;
        file.persist(self.folder.join(name))
            .with_context(|| format!("`{name}` cannot be written"))?;
        Ok(())
    }
}

/// What stands where a workflow goes.
enum Found {
    Nothing,
    /// A link, a folder, or a file of somebody.
    Foreign,
    Generated(String),
}

fn found(folder: &Path, name: &str) -> Result<Found, Refused> {
    Ok(match read(&folder.join(name))? {
        None => Found::Nothing,
        Some(text) if is_generated(&text) => Found::Generated(text),
        Some(_) => Found::Foreign,
    })
}

/// The text of a file with the line ends of this program; nothing where there is none. What is no plain file, or no
/// text, is read as an empty one: it was not generated.
fn read(path: &Path) -> Result<Option<String>, Refused> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(anyhow::Error::from(error)
                .context(format!("{} cannot be looked at", path.display()))
                .into());
        }
        Ok(metadata) if !metadata.is_file() => return Ok(Some(String::new())),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
        .with_context(|| format!("{} cannot be read", path.display()))?;
    if bytes.len() as u64 > BYTES_MAX {
        let headline = format!("{} is larger than 1 MiB", path.display());
        let fault = Fault::new(INPUT_TOO_LARGE, headline, "move it away");
        return Err(Refused::new(Exit::Nothing, fault));
    }
    Ok(Some(
        String::from_utf8(bytes).map_or_else(|_| String::new(), |text| text.replace("\r\n", "\n")),
    ))
}

/// The first line that differs, and what stands between what is common before and after, as one hunk of a unified diff.
fn unified(name: &str, found: &str, wanted: &str) -> (u32, String) {
    let (old, new): (Vec<&str>, Vec<&str>) = (found.lines().collect(), wanted.lines().collect());
    let before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (rest_old, rest_new) = (&old[before..], &new[before..]);
    let after =
        rest_old.iter().rev().zip(rest_new.iter().rev()).take_while(|(a, b)| a == b).count();
    let removed = &rest_old[..rest_old.len() - after];
    let added = &rest_new[..rest_new.len() - after];
    let mut text = format!(
        "--- {name} (committed)\n+++ {name} (generated)\n@@ -{},{} +{},{} @@\n",
        before + 1,
        removed.len(),
        before + 1,
        added.len()
    );
    for (sign, lines) in [('-', removed), ('+', added)] {
        for line in lines {
            let _ok = writeln!(text, "{sign}{line}");
        }
    }
    (u32::try_from(before + 1).unwrap_or(u32::MAX), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diff_shows_what_differs_and_nothing_else() {
        let (line, text) = unified("a.yml", "one\ntwo\nthree\n", "one\n2\nthree\n");
        assert_eq!(line, 2);
        assert!(text.ends_with("@@ -2,1 +2,1 @@\n-two\n+2\n"), "{text}");
        let (line, text) = unified("a.yml", "one\none\n", "one\n");
        assert_eq!((line, text.lines().filter(|line| line.starts_with("-o")).count()), (2, 1));
    }

    #[test]
    fn the_wish_is_read_back_from_the_file() {
        for wish in [Wish { shards: 1, comments: true }, Wish { shards: 256, comments: false }] {
            let text = format!("{}\n# x\n{}{}\n", render::HEADER, render::COMMAND, wish.words());
            assert_eq!(Wish::of(&text), Some(wish));
            assert!(is_generated(&text) && !is_generated(&text[1..]));
        }
        for words in [
            "--provider github --shards 0 --comments on",
            "--shards 3",
            "--provider github --shards 3 --comments maybe",
        ] {
            assert_eq!(Wish::of(&format!("{}{words}\n", render::COMMAND)), None, "{words}");
        }
    }
}
