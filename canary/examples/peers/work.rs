//! The work that is timed, how one binary does more of it than the other, and the two ways in which it is run.

use crate::{Failure, RUNS, program, said};
use criterion::Criterion;
use std::{
    fs,
    hint::black_box,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

/// Tells this program that it is one side of a pair.
pub(crate) const MODE: &str = "PEERS_MODE";

/// The last two bytes say how many percent of work are added. They are replaced in the file of the second binary, so that
/// a pair differs in nothing else, the layout of its code included.
static ADDED: [u8; 26] = *b"portcullis peers added: 00";
/// A millisecond or two.
const STEPS: u64 = 1_500_000;

/// A pair of binaries, and a repository whose base commit has the first and whose head has the second.
pub(crate) struct Pair {
    pub(crate) base: PathBuf,
    pub(crate) candidate: PathBuf,
    pub(crate) repository: PathBuf,
    pub(crate) scratch: PathBuf,
}

/// Runs the work once, or as a criterion bench.
pub(crate) fn as_peer(mode: &str) -> ExitCode {
    if mode == "criterion" {
        let mut criterion = Criterion::default()
            .sample_size(RUNS)
            .warm_up_time(Duration::from_millis(50))
            .measurement_time(Duration::from_millis(100))
            .without_plots()
            .configure_from_args();
        let steps = steps();
        criterion.bench_function("work", |bencher| bencher.iter(|| mixed(black_box(steps))));
        criterion.final_summary();
        return ExitCode::SUCCESS;
    }
    black_box(mixed(steps()));
    match std::io::stdout().write_all(b"done\n") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn steps() -> u64 {
    let added = black_box(&ADDED);
    let percent = added
        .iter()
        .rev()
        .take(2)
        .rev()
        .fold(0, |sum, digit| sum * 10 + u64::from(digit.saturating_sub(b'0')));
    STEPS + STEPS * percent / 100
}

fn mixed(steps: u64) -> u64 {
    (0..steps).fold(0x9e37_79b9_7f4a_7c15, |state: u64, step| {
        (state ^ step).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(29)
    })
}

/// Makes the pair of an amount of added work.
pub(crate) fn pair(own: &[u8], added_pct: u8, folder: &Path) -> Result<Pair, Failure> {
    let digits = ADDED.len() - 2;
    let marker = ADDED.get(..digits).unwrap_or_default();
    let mut places = own.windows(digits).enumerate().filter(|(_, window)| *window == marker);
    let (Some((at, _)), None) = (places.next(), places.next()) else {
        return Err("the number of this program is not found once in its file".into());
    };
    let mut changed = own.to_vec();
    let digits = changed.get_mut(at + digits..at + ADDED.len()).ok_or("the file is too short")?;
    digits.copy_from_slice(format!("{added_pct:02}").as_bytes());
    let pair = Pair {
        base: folder.join("base"),
        candidate: folder.join("candidate"),
        repository: folder.join("repository"),
        scratch: folder.join("scratch"),
    };
    fs::create_dir_all(&pair.scratch)?;
    program(&pair.base, own)?;
    program(&pair.candidate, &changed)?;
    pair.commit(own, &changed)?;
    Ok(pair)
}

impl Pair {
    fn commit(&self, base: &[u8], candidate: &[u8]) -> Result<(), Failure> {
        let git = |words: &[&str]| {
            let mut git = Command::new("git");
            git.arg("-C").arg(&self.repository);
            git.args(["-c", "user.name=peers", "-c", "user.email=peers@example.org"]);
            said(git.args(words)).map(drop)
        };
        fs::create_dir_all(&self.repository)?;
        let policy = format!(
            "[policy]\nversion = 1\nowner = 'peers'\n[canary.work]\nlane = 'gating'\nmethod = 'paired'\n\
             adapter = 'process'\nargv = ['./work']\nroster = ['work']\ncomment_pct = {}\nfail_pct = 100\n\
             max_mde_pct = 5\npairs = {RUNS}\nproof = {{ stdout = 'done' }}\n",
            crate::COMMENT_PCT
        );
        fs::write(self.repository.join("portcullis.toml"), policy)?;
        fs::write(self.repository.join(".gitignore"), "/target\n")?;
        git(&["init", "-q", "-b", "main"])?;
        for (name, bytes) in [("base", base), ("candidate", candidate)] {
            program(&self.repository.join("work"), bytes)?;
            fs::write(self.repository.join("note"), name)?;
            git(&["add", "-A"])?;
            git(&["commit", "-q", "-m", name])?;
            if name == "base" {
                git(&["checkout", "-q", "-b", "candidate"])?;
            }
        }
        Ok(())
    }
}
