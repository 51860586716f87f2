//! `seal`: a folder of evidence that no run made gets a manifest and a seal. It runs nothing, and changes no file of it.

use crate::{
    args::Seal as Arguments,
    exit::{Exit, OrExit, Refused},
    record::asked_run_id,
    repository::Repository,
    seal::{
        self, Alike, Asked, Begun, Cache, From, MANIFEST, Read, SEAL, SEAL_SCHEMA, Terms,
        is_of_a_run, schema_at,
    },
    transport::Transport,
};
use portcullis::{
    Digest, Fault, Lane, Location, Mode, RelPath,
    cpu_budget::effective_cpu_count,
    evidence::{clock, environment::Environment, git::Git, store::MANIFEST_SCHEMA, tree::Tree},
    report::human::count,
    wire::{
        code::{INPUT_UNREADABLE, NOTHING_EXAMINED, RECEIPT_UNWRITABLE, SEAL_CONFLICT},
        receipt::{Clock, Envelope, Source, Tool},
    },
};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Runs `seal`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let folder = folder(&arguments.folder)?;
    // A folder is sealed wherever it lies; a repository around the working directory says what it is evidence of.
    let ground = Ground::here()?;
    let lane = ground.environment.lane().or_exit(Exit::Usage)?;
    let certify = arguments.certify || matches!(lane, Lane::Main | Lane::Release);
    no_run_around(&folder)?;
    let reseals = earlier(&folder, arguments.reseal)?;
    let begun = Begun::now(&folder).map_err(|source| {
        let fault = Fault::new(
            RECEIPT_UNWRITABLE,
            "the folder cannot be written",
            "make it writable, or copy it, then seal it",
        );
        Refused::new(Exit::Invalid, fault.at(Location::file(folder.display())).because(&source))
    })?;
    let tree = Tree::new(&folder).or_exit(Exit::Invalid)?;
    let files = seal::files(&tree, Alike::Refuse).or_exit(Exit::Invalid)?;
    if files.is_empty() {
        return Err(empty(&folder));
    }
    let place = ground.target_dir.as_ref().map(|target| Cache::path(target, &folder));
    let read = everything(&tree, &files, &ground, &begun, place.as_deref(), certify)?;
    let rows: Vec<_> = read.iter().map(|read| read.row.clone()).collect();
    let terms = Terms { certified: certify, reseals };
    let envelope = ground.envelope()?;
    let digest = seal::write(&folder, &envelope, terms, &rows).or_exit(Exit::Invalid)?;
    // What the next seal could have saved is not worth an error of this one.
    let kept = place.map(|place| Cache::keep(&place, &read));
    let note = kept.and_then(Result::err).map(|source| {
        format!("the digests are not kept, so the next seal reads every file again: {source}")
    });
    answer(&folder, &read, terms, digest, note, out);
    Ok(Exit::Pass)
}

/// Reads what has to be read; every fault of every file ends the command, and nothing was written by then.
fn everything(
    tree: &Tree,
    files: &[RelPath],
    ground: &Ground,
    begun: &Begun,
    place: Option<&Path>,
    certify: bool,
) -> Result<Vec<Read>, Refused> {
    let redactor = ground.environment.redactor();
    let conflicts = seal::refused(tree, files, redactor);
    if !conflicts.is_empty() {
        let request = conflicts.iter().any(|fault| fault.code() == SEAL_CONFLICT);
        return Err(Refused::all(if request { Exit::Nothing } else { Exit::Invalid }, conflicts));
    }
    // A file that was read when no secret was known may hold one that is known now.
    let may_know = !certify && redactor.is_empty();
    let cache = place.filter(|_| may_know).map(Cache::open);
    let threads =
        effective_cpu_count().map_err(|refused| Refused::new(Exit::Usage, refused.into()))?;
    let asked =
        Asked { redactor: Some(redactor), cache: cache.as_ref(), begun: Some(begun), threads };
    let (mut read, mut faults) = (Vec::with_capacity(files.len()), Vec::new());
    for one in seal::read(tree, files, &asked) {
        match one {
            Ok(one) => read.push(one),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(read) } else { Err(Refused::all(Exit::Invalid, faults)) }
}

/// What a seal is made in: the repository around the working directory, or none.
struct Ground {
    environment: Environment,
    target_dir: Option<PathBuf>,
    clock: Clock,
    source: Source,
}

impl Ground {
    fn here() -> Result<Self, Refused> {
        let Ok(repository) = Repository::discover() else {
            let environment = Environment::capture(&[]);
            let allow_past = environment.get("PORTCULLIS_ALLOW_PAST") == Some("1");
            let system = clock::system_now().or_exit(Exit::Usage)?;
            let clock = clock::resolve(system, None, environment.get("PORTCULLIS_NOW"), allow_past)
                .or_exit(Exit::Usage)?;
            return Ok(Self { environment, target_dir: None, clock, source: Source::default() });
        };
        let head = Git::new(repository.root(), None).head().or_exit(Exit::Invalid)?;
        let source = Source {
            commit: head.as_ref().map(|head| head.commit.clone()),
            tree: head.as_ref().map(|head| head.tree.clone()),
            dirty: None,
            base: None,
        };
        Ok(Self {
            target_dir: Some(repository.target_dir()),
            clock: repository.clock()?,
            environment: repository.environment,
            source,
        })
    }

    fn envelope(&self) -> Result<Envelope, Refused> {
        Ok(Envelope {
            schema: MANIFEST_SCHEMA.to_owned(),
            run_id: asked_run_id(&self.environment, self.clock.now)?,
            generated_at: self.clock.now,
            source: self.source.clone(),
            tool: Tool::this(),
            mode: Mode::Strict,
            clock: self.clock.clone(),
        })
    }
}

/// The folder without links on the way to it, so that two names of one folder are one.
fn folder(named: &Path) -> Result<PathBuf, Refused> {
    let fault = || {
        let headline = format!("`{}` is no folder", named.display());
        Fault::new(INPUT_UNREADABLE, headline, "name an existing folder")
    };
    let folder = named
        .canonicalize()
        .map_err(|source| Refused::new(Exit::Nothing, fault().because(&source)))?;
    if folder.is_dir() { Ok(folder) } else { Err(Refused::new(Exit::Nothing, fault())) }
}

/// Refuses a run and whatever lies in one, or in a folder that is sealed: a seal in there would break the one around it.
fn no_run_around(folder: &Path) -> Result<(), Refused> {
    for around in folder.ancestors() {
        let is_run = ["run.json", "inputs.json"].iter().any(|name| is_of_a_run(&around.join(name)));
        let stated = || schema_at(&around.join(SEAL));
        let is_sealed = around != folder && stated().is_some_and(|schema| schema == SEAL_SCHEMA);
        if !is_run && !is_sealed {
            continue;
        }
        let what = if is_run { "a run, which has a seal of its own" } else { "a sealed folder" };
        let headline = format!("`{}` is {what}", around.display());
        let remedy = "look at it with `cargo portcullis verify`, or seal a copy";
        let fault = Fault::new(SEAL_CONFLICT, headline, remedy);
        return Err(Refused::new(Exit::Nothing, fault.at(Location::file(around.display()))));
    }
    Ok(())
}

/// The seal that the folder has, where it may be replaced. Files of the same names that are not ours are never replaced.
fn earlier(folder: &Path, may_reseal: bool) -> Result<Option<Digest>, Refused> {
    let conflict = |headline: String, remedy: &str| {
        let fault = Fault::new(SEAL_CONFLICT, headline, remedy);
        Refused::new(Exit::Nothing, fault.at(Location::file(folder.display())))
    };
    let there = |name: &str| folder.join(name).symlink_metadata().is_ok();
    for (name, schema) in [(SEAL, SEAL_SCHEMA), (MANIFEST, MANIFEST_SCHEMA)] {
        let is_ours = || match name {
            SEAL => schema_at(&folder.join(name)).is_some_and(|stated| stated == schema),
            _ => seal::begins_as_manifest(&folder.join(name)),
        };
        if there(name) && !is_ours() {
            let headline = format!("`{name}` of the folder is no file of ours");
            return Err(conflict(
                headline,
                "rename the file, or seal the folder that holds this one",
            ));
        }
    }
    if !there(SEAL) {
        return Ok(None);
    }
    if !may_reseal {
        let remedy = "look at it with `cargo portcullis verify`, or seal it again with `--reseal`";
        return Err(conflict("the folder is sealed already".to_owned(), remedy));
    }
    Ok(seal::digest_of_manifest(folder))
}

fn empty(folder: &Path) -> Refused {
    let headline = "there is no file to seal";
    let remedy =
        "collect the evidence first, or correct the path; a seal over nothing proves nothing";
    let fault = Fault::new(NOTHING_EXAMINED, headline, remedy);
    Refused::new(Exit::Nothing, fault.at(Location::file(folder.display())))
}

fn answer(
    folder: &Path,
    read: &[Read],
    terms: Terms,
    digest: Digest,
    note: Option<String>,
    out: &mut Transport,
) {
    let cached = read.iter().filter(|read| read.row.digest_from == From::Cache).count();
    let bytes = read.iter().map(|read| read.row.bytes).fold(0, u64::saturating_add);
    let anew = read.len() - cached;
    out.document(&json!({
        "schema": "portcullis.sealed.v1",
        "folder": folder.display().to_string(),
        "seal": digest,
        "files": read.len(),
        "bytes": bytes,
        "read": anew,
        "cached": cached,
        "certified": terms.certified,
        "reseals": terms.reseals,
        "notes": note.iter().collect::<Vec<_>>(),
        "exit": Exit::Pass.code(),
    }));
    let mut parts: Vec<String> = note.iter().map(|note| format!("note: {note}")).collect();
    if let Some(old) = terms.reseals {
        parts.push(format!("note: the seal before was {old}"));
    }
    let how = if terms.certified { ", which certifies" } else { "" };
    parts.push(format!(
        "seal: {digest}{how}: {} and {bytes} bytes in {}; {anew} read, {cached} known from an earlier seal",
        count(read.len(), "file"),
        folder.display(),
    ));
    out.text(&parts.join("\n"));
}
