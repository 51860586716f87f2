//! `audit build`: what git, transcripts, artifacts and ledgers show for each requirement. It runs git and nothing else.

use super::{AUDIT_FILE, CLOSEOUT_FILE, Disk, FILE_MAX, answer, folder, render, write};
use crate::{
    args::AuditBuild,
    exit::{Exit, OrExit, Refused},
    repository::Repository,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{
    Digest, Fault, Location, Mode, RelPath, RunId,
    evidence::{git::Git, git::Upstream, json},
    wire::{
        artifact,
        code::PATH_REFUSED,
        receipt::{Envelope, Source, Tool},
    },
};
use portcullis_gates::completion_audit::{
    AUDIT_SCHEMA, Audit, Digested, REQUIREMENTS_INVALID, Repository as Standing, Transcripts,
    check_audit, collect, parse_requirements,
};

/// How many changed paths an audit names; all of them are counted.
const CHANGED_SHOWN: usize = 20;

/// Runs `audit build`.
pub(super) fn run(arguments: &AuditBuild, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    let folder = folder(&repository, arguments.dir.as_ref());
    let (path, bytes) = list(&repository, &arguments.requirements)?;
    let text = json::text_of(&bytes, path.as_str()).or_exit(Exit::Usage)?;
    let requirements = parse_requirements(&path, text).or_exit(Exit::Usage)?;
    let files = Disk::new(&repository.tree, &folder).or_exit(Exit::Invalid)?;
    let git = Git::new(repository.root(), None);
    let (source, standing, upstream) = standing(&git).or_exit(Exit::Invalid)?;
    let transcripts = Transcripts::read(&files).or_exit(Exit::Invalid)?;
    let of_commit = |rev: &str| of_commit(&git, rev, &source, upstream.as_ref());
    let examined =
        collect(&requirements, &files, &transcripts, &of_commit).or_exit(Exit::Invalid)?;
    let clock = repository.clock()?;
    let now = clock.now;
    let run_id = format!("audit-{}", now.unix_ms());
    let audit = Audit {
        envelope: Envelope {
            schema: AUDIT_SCHEMA.to_owned(),
            run_id: RunId::parse(&run_id).context("the name of an audit is refused")?,
            generated_at: now,
            source,
            tool: Tool::this(),
            mode: Mode::Strict,
            clock,
        },
        requirements_source: Digested { path, sha256: Digest::of(&bytes) },
        repository: standing,
        transcripts: transcripts.files,
        requirements: examined,
    };
    let text = artifact::document(&audit).context("an audit cannot be rendered")?;
    // An audit that changed in redaction would no longer say what its requirements say.
    refuse_secrets(&repository, &text)?;
    let head = audit.envelope.source.commit.as_deref();
    let closeout =
        check_audit((AUDIT_FILE, text.as_bytes()), head, &files, now).or_exit(Exit::Invalid)?;
    write(&folder, AUDIT_FILE, &text)?;
    write(&folder, CLOSEOUT_FILE, &render(&closeout)?)?;
    out.progress(&format!("portcullis: {} written", folder.join(AUDIT_FILE).display()));
    answer(&closeout, out)
}

fn refuse_secrets(repository: &Repository, text: &str) -> Result<(), Refused> {
    let Some(length) = repository.environment.redactor().first_in(text.as_bytes()) else {
        return Ok(());
    };
    let headline = format!("the audit would hold a secret of {length} bytes");
    let remedy = "take the secret out of the list of requirements and of what it names";
    let fault = Fault::new(portcullis::wire::code::SECRET_IN_EVIDENCE, headline, remedy);
    Err(Refused::new(Exit::Invalid, fault))
}

/// The list of requirements.
fn list(repository: &Repository, path: &str) -> Result<(RelPath, Vec<u8>), Refused> {
    let path = RelPath::parse(path).map_err(|source| {
        let remedy = "name a plain path below the repository root";
        Refused::new(Exit::Usage, Fault::new(PATH_REFUSED, source.to_string(), remedy))
    })?;
    if !repository.tree.exists(&path).or_exit(Exit::Usage)? {
        let headline = format!("there is no list of requirements at `{path}`");
        let remedy = "write it, or name it with `--requirements`; `cargo portcullis explain completion_audit` says how";
        let fault = Fault::new(REQUIREMENTS_INVALID, headline, remedy).at(Location::file(&path));
        return Err(Refused::new(Exit::Usage, fault));
    }
    let bytes = repository.tree.read(&path, FILE_MAX).or_exit(Exit::Usage)?;
    Ok((path, bytes))
}

/// What git says of the work tree: the commit, what differs from it, and whether it left this clone.
fn standing(git: &Git) -> Result<(Source, Standing, Option<Upstream>), Fault> {
    let head = git.head()?;
    let Some(head) = head else {
        return Ok((Source::default(), Standing::default(), None));
    };
    let changed = git.changes()?;
    let upstream = git.upstream()?;
    let pushed = match &upstream {
        Some(upstream) => git.contains(&upstream.commit, &head.commit)?,
        None => false,
    };
    let standing = Standing {
        upstream: upstream.as_ref().map(|upstream| upstream.name.clone()),
        pushed,
        changed_total: u64::try_from(changed.len()).unwrap_or(u64::MAX),
        changed: changed.iter().take(CHANGED_SHOWN).cloned().collect(),
    };
    let source = Source {
        commit: Some(head.commit),
        tree: Some(head.tree),
        dirty: Some(!changed.is_empty()),
        base: None,
    };
    Ok((source, standing, upstream))
}

/// The commit that a revision names, whether `HEAD` contains it, and whether the upstream does.
fn of_commit(
    git: &Git,
    rev: &str,
    source: &Source,
    upstream: Option<&Upstream>,
) -> Result<(Option<String>, bool, bool), Fault> {
    let Some(head) = &source.commit else { return Ok((None, false, false)) };
    let Some(commit) = git.commit_of(rev)? else { return Ok((None, false, false)) };
    let in_head = git.contains(head, &commit)?;
    let pushed = match upstream {
        Some(upstream) => git.contains(&upstream.commit, &commit)?,
        None => false,
    };
    Ok((Some(commit), in_head, pushed))
}
