//! `report`: the page of a sealed run, for people. It judges nothing, and exits 0 whatever the verdict was.

use super::export::{is_subject, outside};
use crate::{
    args::Report as Arguments,
    engine::{
        cargo_test::inherited,
        child::{self, Cut, Job},
    },
    exit::{Exit, OrExit, Refused},
    export::{self, Account, Format},
    locate,
    repository::Repository,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{
    Fault,
    evidence::tool,
    wire::code::{COMMAND_FAILED, TOOL_MISSING, USAGE},
};
use serde_json::json;
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

const SCHEMA: &str = "portcullis.report.v1";
/// What opens a page with the program that its owner chose for pages.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else if cfg!(windows) {
    "explorer"
} else {
    "xdg-open"
};
/// An opener hands the page over and ends; one that becomes the browser is left alone after this time.
const OPEN_LIMIT_MS: u64 = 10_000;

/// Runs `report`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover().ok();
    let dir = locate::run(&arguments.run, repository.as_ref())?;
    let account = Account::read(&dir).or_exit(Exit::Invalid)?;
    is_subject(&account)?;
    let page = export::render(Format::Html, &account)?;
    let path = match (&arguments.out, &repository) {
        (Some(path), _) => path.clone(),
        (None, Some(repository)) => {
            let folder = locate::target_dir(repository)?.join("portcullis/reports");
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
            folder.join(format!("{}.html", account.envelope.run_id))
        }
        (None, None) => {
            let headline = "there is no repository here whose target directory could hold the page";
            let fault = Fault::new(USAGE, headline, "name a file: `--out page.html`");
            return Err(Refused::new(Exit::Usage, fault));
        }
    };
    outside(&path, &dir)?;
    write(&path, &page)?;
    let path = path.canonicalize().with_context(|| format!("{} is gone", path.display()))?;
    out.document(&json!({
        "schema": SCHEMA,
        "run_id": account.envelope.run_id,
        "path": path.display().to_string(),
        "opened": arguments.open,
        "exit": Exit::Pass.code(),
    }));
    out.text(&path.display().to_string());
    if arguments.open {
        open(&path, repository.as_ref())?;
    }
    Ok(Exit::Pass)
}

/// Writes the page whole, or not at all.
fn write(path: &Path, page: &str) -> Result<(), Refused> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        Some(_) | None => PathBuf::from("."),
    };
    tempfile::NamedTempFile::new_in(&folder)
        .and_then(|mut file| {
            file.write_all(page.as_bytes())?;
            file.persist(path).map_err(|refused| refused.error)
        })
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(())
}

fn open(path: &Path, repository: Option<&Repository>) -> Result<(), Refused> {
    let env = inherited();
    let search = env.get("PATH").cloned().unwrap_or_default();
    // A program of that name within the work tree is nobody's choice.
    let root = match repository {
        Some(repository) => repository.root().to_path_buf(),
        None => path.with_extension("no-tree"),
    };
    let found = tool::find(OPENER, Some(search.as_ref()), &root).or_exit(Exit::Nothing)?;
    let unopened = |headline: String| {
        let remedy = format!("open it by hand: {}", path.display());
        Refused::new(Exit::Nothing, Fault::new(TOOL_MISSING, headline, remedy))
    };
    let program = found.ok_or_else(|| unopened(format!("there is no `{OPENER}` here")))?;
    let job = Job {
        argv: vec![program.display().to_string(), path.display().to_string()],
        cwd: path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf),
        env,
        stdout: None,
        limit_ms: OPEN_LIMIT_MS,
    };
    let ended = child::run(&job, &mut |_line| {})?;
    if ended.is_success() || ended.cut == Cut::Deadline || cfg!(windows) {
        return Ok(());
    }
    let headline = format!("`{OPENER}` did not open the page");
    let remedy = format!("open it by hand: {}", path.display());
    let fault = Fault::new(COMMAND_FAILED, headline, remedy).found(ended.tail(5));
    Err(Refused::new(Exit::Nothing, fault))
}
