//! How long the gate `workflow_policy` and zizmor take for 500 workflow files, each as a process of its own: pairs, one after
//! the other and in turns, and the median of their ratios.
//!
//! `cargo bench --profile dev --package cargo-portcullis --bench zizmor -- --write evidence/zizmor_time.json`, from the root of the
//! repository, also writes down what was measured.

use portcullis::{evidence::clock::Stopwatch, testing::Bench};
use portcullis_gates::workflow_policy::WORKFLOW_POLICY;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

const FILES: usize = 500;
const PAIRS: usize = 21;
/// The same three questions as in the comparison of findings.
const POLICY: &str = "
[[rule]]
id = 'triggers'
triggers_deny = ['issue_comment', 'pull_request_target', 'workflow_run']
[[rule]]
id = 'pins'
job = ['*']
uses_pinned = true
[[rule]]
id = 'rights'
permissions_max = { contents = 'read' }
[[rule]]
id = 'rights_of_jobs'
job = ['*']
permissions_max = { contents = 'read' }
";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench says what it measured")]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = words.iter().position(|word| word == "--judge") {
        let folder = words.get(at + 1).map(PathBuf::from).unwrap_or_default();
        let seen = Bench::new(&WORKFLOW_POLICY, POLICY).folder(&folder).run();
        println!("{} findings, {:?}", seen.looked.findings.len(), seen.outcome);
        return ExitCode::from(u8::from(seen.looked.error.is_some()));
    }
    if words.iter().any(|word| word == "--list") {
        println!("zizmor: benchmark");
        return ExitCode::SUCCESS;
    }
    match measured() {
        Ok(document) => {
            println!("{document:#}");
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
            let to =
                words.iter().position(|word| word == "--write").and_then(|at| words.get(at + 1));
            let written =
                to.map_or(Ok(()), |path| write(&root.join(path), &format!("{document:#}\n")));
            if let Err(error) = &written {
                eprintln!("{error}");
            }
            written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measured() -> Result<Value, Box<dyn std::error::Error>> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().find(|at| at.join("tools/zizmor/bin/zizmor").is_file());
    let zizmor =
        target.ok_or("run `bash .ci/install_tools` first")?.join("tools/zizmor/bin/zizmor");
    let folder = tempfile::tempdir()?;
    let workflows = folder.path().join(".github/workflows");
    fs::create_dir_all(&workflows)?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/lanes/workflows");
    let mut texts: Vec<(PathBuf, String)> = Vec::new();
    for entry in fs::read_dir(sources)? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        // What refers to files beside it has none here.
        if !text.contains("uses: ./") {
            texts.push((path, text));
        }
    }
    texts.sort();
    for n in 0..FILES {
        let (_, text) = &texts[n % texts.len()];
        write(&workflows.join(format!("w{n:03}.yml")), text)?;
    }
    let ours = |own: &Path| {
        let mut command = program(own);
        command.arg("--judge").arg(folder.path());
        command
    };
    let theirs = || {
        let mut command = program(&zizmor);
        command.args(["--offline", "--no-progress", "--no-exit-codes", "--format", "json"]);
        command.args(["--persona", "auditor"]).arg(folder.path());
        command
    };
    let (mut our_ns, mut their_ns) = (Vec::new(), Vec::new());
    for pair in 0..=PAIRS {
        let (mut us, mut peer) = (0, 0);
        for turn in [pair % 2, (pair + 1) % 2] {
            if turn == 0 {
                us = timed(&mut ours(&own))?;
            } else {
                peer = timed(&mut theirs())?;
            }
        }
        // The first pair warms the file cache.
        if pair > 0 {
            our_ns.push(us);
            their_ns.push(peer);
        }
    }
    let ratios = our_ns.iter().zip(&their_ns).map(|(us, peer)| us * 1_000 / (*peer).max(1));
    Ok(json!({
        "schema": "portcullis.zizmor_time.v1",
        "files": FILES,
        "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
        "ours_ns": our_ns,
        "zizmor_ns": their_ns,
        "median_ratio_permille": median(ratios.collect()),
    }))
}

#[expect(clippy::disallowed_methods, reason = "the bench measures processes")]
fn program(path: &Path) -> Command {
    Command::new(path)
}

fn timed(command: &mut Command) -> Result<u64, Box<dyn std::error::Error>> {
    let watch = Stopwatch::start();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let took = watch.elapsed_ns();
    if !status.success() {
        return Err(format!("{command:?} ended with {status}").into());
    }
    Ok(took)
}

fn median(mut all: Vec<u64>) -> u64 {
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    fs::File::create(path)?.write_all(text.as_bytes())
}
