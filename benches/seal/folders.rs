//! The folders that are sealed: files of mixed sizes, half of them logs and half of them noise. It writes each once.

use super::Failure;
use std::{
    env, fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// What a job of CI knows: four secrets of the lengths that they have.
pub(crate) const SECRETS: &[(&str, &str)] = &[
    ("DEPLOY_TOKEN", "kJ3v9QmZ2xY7wL0pRt5uHs8bNc4dFg6e"),
    ("REGISTRY_PASSWORD", "tall.Bridge-over/quiet+water"),
    ("SIGNING_KEY", "0f3a9c77d1b24e58a6c0e9b8d7f61234a5b6c7d8e9f00112233445566778899"),
    ("API_AUTH", "Basic YmVuY2g6bWFyazpiZW5jaA"),
];

/// A folder, and the list of its files that the peer reads.
pub(crate) struct Folder {
    /// The folder of the repository around it.
    root: PathBuf,
    /// How many files it has.
    pub(crate) files: usize,
    /// How many bytes these have.
    pub(crate) bytes: u64,
}

/// Writes the folder, where it is not there yet.
pub(crate) fn prepare(root: &Path, files: usize) -> Result<Folder, Failure> {
    let folder = Folder { root: root.to_owned(), files, bytes: (0..files).map(size).sum() };
    let (evidence, whole) = (folder.evidence(), root.join(format!("whole-{files}")));
    if !whole.exists() {
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        let mut buffer = Vec::new();
        for n in 0..files {
            let path = evidence.join(format!("job-{}/suite-{}/{n}.log", n % 10, n / 200));
            fs::create_dir_all(path.parent().ok_or("a file has a folder")?)?;
            let mut file = BufWriter::new(fs::File::create(path)?);
            let mut left = size(n);
            while left > 0 {
                noise.fill(&mut buffer, n % 2 == 0);
                let piece = buffer.len().min(usize::try_from(left)?);
                file.write_all(&buffer[..piece])?;
                left -= piece as u64;
            }
            file.flush()?;
        }
        fs::write(root.join("portcullis.toml"), "[policy]\nversion = 1\nowner = \"bench\"\n")?;
        folder.write_halves()?;
        fs::write(whole, "")?;
    }
    Ok(folder)
}

/// Of every two thousand files one is large and twenty are middling; all of twenty thousand together are two gigabytes.
fn size(n: usize) -> u64 {
    match n % 2_000 {
        0 => 50_000_000,
        k if k % 100 == 1 => 2_000_000,
        k => (k as u64 % 109) * 1_000 + 77,
    }
}

impl Folder {
    fn evidence(&self) -> PathBuf {
        self.root.join("evidence")
    }

    /// Takes away every seal, and what earlier seals knew.
    pub(crate) fn unseal(&self) -> Result<(), Failure> {
        let evidence = self.evidence();
        for path in [evidence.join("seal.json"), evidence.join("manifest.json")] {
            if path.exists() {
                fs::remove_file(path)?;
            }
        }
        let kept = self.root.join("target/portcullis/seals");
        if kept.exists() {
            fs::remove_dir_all(kept)?;
        }
        Ok(())
    }

    /// The subcommand over this folder, for `env`.
    pub(crate) fn words(
        &self,
        program: &Path,
        words: &[&str],
        environment: &[(&str, &str)],
    ) -> Vec<String> {
        let mut all = self.bare();
        all.extend(environment.iter().map(|(name, value)| format!("{name}={value}")));
        all.push(program.to_string_lossy().into_owned());
        all.extend(words.iter().map(|word| (*word).to_owned()));
        all.push(self.evidence().to_string_lossy().into_owned());
        all
    }

    /// The peer: every file of the folder, hashed by two processes into one list.
    pub(crate) fn sums(&self) -> Vec<String> {
        let seals = "! -name manifest.json ! -name seal.json";
        self.shell(&format!(
            "find evidence -type f {seals} -print0 | xargs -0 -P2 sha256sum > sums"
        ))
    }

    /// The peer of `verify`: two lists, checked by a process each.
    pub(crate) fn check_sums(&self) -> Vec<String> {
        self.shell("sha256sum --quiet -c sums.0 & a=$!; sha256sum --quiet -c sums.1 && wait $a")
    }

    fn bare(&self) -> Vec<String> {
        let path = env::var("PATH").unwrap_or_default();
        let root = self.root.to_string_lossy();
        vec!["-i".into(), "-C".into(), root.into_owned(), format!("PATH={path}")]
    }

    fn shell(&self, script: &str) -> Vec<String> {
        let mut all = self.bare();
        all.extend(["sh".to_owned(), "-c".to_owned(), script.to_owned()]);
        all
    }

    /// Two lists of sums of about the same number of bytes, each written by one process, so that no line is torn.
    fn write_halves(&self) -> Result<(), Failure> {
        for half in 0..2 {
            let jobs: Vec<String> =
                (0..10).filter(|n| n % 2 == half).map(|n| format!("evidence/job-{n}")).collect();
            let script = format!(
                "find {} -type f -print0 | xargs -0 sha256sum > sums.{half}",
                jobs.join(" ")
            );
            if !Command::new("env").args(self.shell(&script)).status()?.success() {
                return Err("the peer `sha256sum` does not run".into());
            }
        }
        Ok(())
    }
}

/// Numbers that look like none, always the same.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// About 64 KiB: lines of a log with addresses in them, or bytes of any kind.
    fn fill(&mut self, buffer: &mut Vec<u8>, is_log: bool) {
        buffer.clear();
        while buffer.len() < 64 * 1024 {
            let n = self.next();
            if is_log {
                let line = format!(
                    "2026-05-31T12:00:00.{:03}Z INFO suite::case_{:04} ok in {} ms, see https://ci.example/jobs/{n:x}\n",
                    n % 1_000,
                    n >> 8 & 0xfff,
                    n >> 20 & 0x3ff,
                );
                buffer.extend_from_slice(line.as_bytes());
            } else {
                buffer.extend_from_slice(&n.to_le_bytes());
            }
        }
    }
}
