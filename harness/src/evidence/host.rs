//! What this machine is and can do: the probes that no other port answers. Leaves out which answers are good.
//!
//! Whatever a probe makes, it makes in a fresh temporary folder that is gone when the probe returns.

use crate::{cpu_budget, evidence::environment::Environment};
use std::{fs, io, path::Path};

/// What a probe found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether the machine can do it.
    pub is_able: bool,
    /// What was seen, in one line.
    pub detail: String,
}

impl Answer {
    fn new(is_able: bool, detail: impl Into<String>) -> Self {
        Self { is_able, detail: detail.into() }
    }
}

/// Something about a host that can be tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// A file can be written to the temporary folder, and read back.
    TempDir,
    /// Paths are joined and split with the separator of the system.
    PathSeparators,
    /// Two names that differ by case are two files.
    CaseSensitivity,
    /// A symbolic link can be made and followed.
    Symlinks,
    /// A file that was made read-only cannot be written, and one without the bit cannot be executed.
    Permissions,
    /// The locale of this process is one of UTF-8, or none at all.
    Locale,
    /// How many processors may be used can be told.
    CpuCount,
    /// A text is read back with the line ends it was written with.
    LineEndings,
}

impl Probe {
    /// Every probe, in the order of reports.
    pub const ALL: &'static [Self] = &[
        Self::TempDir,
        Self::PathSeparators,
        Self::CaseSensitivity,
        Self::Symlinks,
        Self::Permissions,
        Self::Locale,
        Self::CpuCount,
        Self::LineEndings,
    ];

    /// Its id in reports and configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TempDir => "temp_dir",
            Self::PathSeparators => "path_separators",
            Self::CaseSensitivity => "case_sensitivity",
            Self::Symlinks => "symlinks",
            Self::Permissions => "permissions",
            Self::Locale => "locale",
            Self::CpuCount => "cpu_count",
            Self::LineEndings => "line_endings",
        }
    }
}

/// This machine.
pub struct Host<'a> {
    environment: &'a Environment,
}

impl<'a> Host<'a> {
    /// The machine, with the environment that its locale is read from.
    #[must_use]
    pub fn new(environment: &'a Environment) -> Self {
        Self { environment }
    }

    /// The name of the system in reports: `linux`, `macos`, `windows`, or what Rust calls it.
    #[must_use]
    pub fn platform(&self) -> &'static str {
        std::env::consts::OS
    }

    /// The name of the processor family.
    #[must_use]
    pub fn architecture(&self) -> &'static str {
        std::env::consts::ARCH
    }

    /// Tries something out. That the machine refuses is an answer; so is every error on the way, with its text.
    #[must_use]
    pub fn ask(&self, probe: Probe) -> Answer {
        let answer = match probe {
            Probe::TempDir => in_temp(temp_dir),
            Probe::PathSeparators => Ok(path_separators()),
            Probe::CaseSensitivity => in_temp(case_sensitivity),
            Probe::Symlinks => in_temp(symlinks),
            Probe::Permissions => in_temp(permissions),
            Probe::Locale => Ok(locale(self.environment.locale())),
            Probe::CpuCount => Ok(cpu_count()),
            Probe::LineEndings => in_temp(line_endings),
        };
        answer.unwrap_or_else(|error| Answer::new(false, format!("the system refused: {error}")))
    }
}

fn in_temp(probe: impl Fn(&Path) -> io::Result<Answer>) -> io::Result<Answer> {
    let folder = tempfile::Builder::new().prefix("portcullis-host-").tempdir()?;
    let answer = probe(folder.path());
    folder.close()?;
    answer
}

/// Writes a new file, never over an existing one.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write as _;
    fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}

fn temp_dir(folder: &Path) -> io::Result<Answer> {
    let bytes = [0, 10, 13, 255];
    let path = folder.join("a");
    put(&path, &bytes)?;
    let same = fs::read(&path)? == bytes;
    Ok(Answer::new(same, if same { "written and read back" } else { "read back other bytes" }))
}

fn path_separators() -> Answer {
    let joined = Path::new("a").join("b");
    let parts = joined.components().count();
    let separator = std::path::MAIN_SEPARATOR;
    let same = parts == 2 && joined.to_str() == Some(format!("a{separator}b").as_str());
    Answer::new(
        same,
        format!("`{separator}`, and `/` is {}", if cfg!(windows) { "too" } else { "the one" }),
    )
}

fn case_sensitivity(folder: &Path) -> io::Result<Answer> {
    put(&folder.join("case"), b"lower")?;
    match put(&folder.join("CASE"), b"upper") {
        Ok(()) => {
            let apart = fs::read(folder.join("case"))? == b"lower";
            Ok(Answer::new(apart, "`case` and `CASE` are two files"))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(Answer::new(false, "`case` and `CASE` are one file"))
        }
        Err(error) => Err(error),
    }
}

fn symlinks(folder: &Path) -> io::Result<Answer> {
    let (target, link) = (folder.join("target"), folder.join("link"));
    put(&target, b"text")?;
    link_to(&target, &link)?;
    let followed = fs::read(&link)? == b"text" && fs::symlink_metadata(&link)?.is_symlink();
    Ok(Answer::new(followed, if followed { "made and followed" } else { "made, but not followed" }))
}

#[cfg(unix)]
fn link_to(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn link_to(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, link)
}

#[cfg(not(any(unix, windows)))]
fn link_to(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

fn permissions(folder: &Path) -> io::Result<Answer> {
    let path = folder.join("a");
    put(&path, b"#!/bin/sh\n")?;
    let mut wanted = fs::metadata(&path)?.permissions();
    wanted.set_readonly(true);
    fs::set_permissions(&path, wanted.clone())?;
    let kept = fs::metadata(&path)?.permissions().readonly();
    let executable = is_executable(&path)?;
    // A superuser may write what nobody may, so what is asked is whether the mark is kept.
    #[expect(
        clippy::permissions_set_readonly_false,
        reason = "the folder must be removable on Windows"
    )]
    wanted.set_readonly(false);
    fs::set_permissions(&path, wanted)?;
    let detail = format!(
        "the read-only mark is {}; a new file is {}",
        if kept { "kept" } else { "lost" },
        if executable { "executable" } else { "not executable" }
    );
    Ok(Answer::new(kept && !executable, detail))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(path)?.permissions().mode() & 0o111 != 0)
}

/// Elsewhere no bit says so.
#[cfg(not(unix))]
fn is_executable(_path: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Programs that no locale is set for speak plain bytes, which is what a child of ours gets as well.
fn locale(set: Option<(&str, &str)>) -> Answer {
    match set {
        None => Answer::new(true, "none is set"),
        Some((name, value)) => {
            let upper = value.to_ascii_uppercase();
            let good = upper.contains("UTF-8")
                || upper.contains("UTF8")
                || upper == "C"
                || upper == "POSIX";
            let shown: String = value.chars().take(40).collect();
            Answer::new(good, format!("`{name}` is `{}`", shown.escape_debug()))
        }
    }
}

fn cpu_count() -> Answer {
    match cpu_budget::effective_cpu_count() {
        Ok(count) => Answer::new(true, count.to_string()),
        Err(error) => Answer::new(false, error.to_string()),
    }
}

fn line_endings(folder: &Path) -> io::Result<Answer> {
    for (n, text) in ["a\nb\n", "a\r\nb\r\n"].into_iter().enumerate() {
        let path = folder.join(n.to_string());
        put(&path, text.as_bytes())?;
        if fs::read_to_string(&path)? != text {
            return Ok(Answer::new(false, "line ends are changed on the way"));
        }
    }
    Ok(Answer::new(true, "LF and CRLF are kept"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ordered::VecSet;

    fn host(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn every_probe_has_an_answer_and_a_name_of_its_own() {
        let environment = host(&[]);
        let names: VecSet<&str> = Probe::ALL.iter().map(|probe| probe.name()).collect();
        assert_eq!(names.len(), Probe::ALL.len());
        for probe in Probe::ALL {
            let answer = Host::new(&environment).ask(*probe);
            assert!(!answer.detail.is_empty() && !answer.detail.contains('\n'), "{probe:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_linux_machine_can_do_all_of_it() {
        let environment = host(&[("LANG", "en_US.UTF-8")]);
        let host = Host::new(&environment);
        assert_eq!(host.platform(), "linux");
        for probe in Probe::ALL {
            let answer = host.ask(*probe);
            assert!(answer.is_able, "{probe:?}: {}", answer.detail);
        }
    }

    #[test]
    fn the_locale_that_counts_is_the_strongest_one() {
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], bool);
        let table: &[Row<'_>] = &[
            ("none", &[], true),
            ("UTF-8", &[("LANG", "en_US.UTF-8")], true),
            ("UTF-8 in another spelling", &[("LC_ALL", "C.utf8")], true),
            ("plain", &[("LANG", "C")], true),
            ("another encoding", &[("LANG", "de_DE.ISO-8859-1")], false),
            ("the stronger one is wrong", &[("LANG", "C.UTF-8"), ("LC_ALL", "ja_JP.eucJP")], false),
            ("the weaker one is wrong", &[("LANG", "ja_JP.eucJP"), ("LC_ALL", "C.UTF-8")], true),
            ("an empty one does not count", &[("LANG", "C"), ("LC_ALL", "")], true),
        ];
        for (case, pairs, expected) in table {
            let environment = host(pairs);
            assert_eq!(Host::new(&environment).ask(Probe::Locale).is_able, *expected, "{case}");
        }
    }

    #[test]
    fn t07_what_the_system_refuses_is_an_answer_with_its_reason() {
        let gone = Path::new("/nonexistent-portcullis/folder");
        type Look = fn(&Path) -> io::Result<Answer>;
        let looks: &[Look] = &[temp_dir, case_sensitivity, symlinks, permissions, line_endings];
        for look in looks {
            assert!(look(gone).is_err());
        }
    }

    #[test]
    fn a_probe_leaves_nothing_behind() {
        let seen = std::cell::RefCell::new(None);
        let answer = in_temp(|folder| {
            *seen.borrow_mut() = Some(folder.to_path_buf());
            permissions(folder)
        });
        assert!(answer.is_ok());
        let folder = seen.into_inner().expect("the probe ran");
        assert!(!folder.exists(), "{}", folder.display());
    }
}
