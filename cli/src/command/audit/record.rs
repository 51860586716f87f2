//! `audit record`: runs a command as it is typed, shows what it writes with secrets replaced, and seals a transcript.

use super::{folder, write};
use crate::{
    args::AuditRecord,
    exit::{Exit, OrExit, Refused},
    interrupt,
    repository::Repository,
    transport::Transport,
};
use anyhow::{Context as _, anyhow};
use portcullis::{
    Digest, Fault, Instant,
    evidence::{
        clock::{self, Stopwatch},
        digest::Hasher,
        git::Git,
        home::Home,
        redaction::Redactor,
    },
    wire::{
        code::{COMMAND_FAILED, USAGE},
        receipt::{Source, Tool},
    },
};
use portcullis_gates::completion_audit::{
    Exit as End, Output, TRANSCRIPT_SCHEMA, TRANSCRIPTS, Transcript,
};
use serde_json::json;
use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    path::Path,
    process::{Command, ExitStatus, Stdio},
};

/// How much of a stream a transcript keeps at each end; rendered as JSON it may grow sixfold, and 16 MiB are read.
const KEPT_BYTES: usize = 512 * 1024;
/// A line without end is shown in pieces of this size.
const PIECE_BYTES: usize = 64 * 1024;

/// Runs `audit record`.
pub(super) fn run(arguments: &AuditRecord, out: &mut Transport) -> Result<Exit, Refused> {
    interrupt::listen();
    let repository = Repository::discover()?;
    let redactor = repository.environment.redactor();
    let cwd = std::env::current_dir().context("the working directory cannot be read")?;
    let before = source(repository.root()).or_exit(Exit::Invalid)?;
    let started_at = clock::system_now().or_exit(Exit::Usage)?;
    let watch = Stopwatch::start();
    let hidden = Hidden { redactor, home: repository.environment.home() };
    let ran = stream(&arguments.argv, hidden, out.is_human())?;
    let duration_ms = watch.elapsed_ms();
    let ended_at = clock::system_now().or_exit(Exit::Usage)?;
    let after = source(repository.root()).or_exit(Exit::Invalid)?;
    let argv: Vec<String> =
        arguments.argv.iter().map(|word| redactor.redact(word).into_owned()).collect();
    let transcript = Transcript {
        schema: TRANSCRIPT_SCHEMA.to_owned(),
        id: id(started_at, &argv),
        tool: Tool::this(),
        cwd: redactor.redact(&below(repository.root(), &cwd)?).into_owned(),
        argv,
        started_at,
        ended_at,
        duration_ms,
        exit: ran.end,
        before,
        after,
        stdout: ran.stdout,
        stderr: ran.stderr,
        seal: String::new(),
    };
    let folder = folder(&repository, arguments.dir.as_ref()).join(TRANSCRIPTS);
    let text = transcript.render().context("a transcript cannot be rendered")?;
    let name = format!("{}.json", transcript.id);
    if folder.join(&name).exists() {
        // Nobody overwrites what happened.
        return Err(anyhow!("{} exists already", folder.join(&name).display()).into());
    }
    write(&folder, &name, &text)?;
    say(&transcript, &folder.join(&name), out);
    Ok(if transcript.exit == End::Code(0) { Exit::Pass } else { Exit::TestsFailed })
}

fn say(transcript: &Transcript, path: &Path, out: &mut Transport) {
    let clean = transcript.clean_commit();
    out.document(&json!({
        "schema": "portcullis.audit_record.v1",
        "transcript": path.display().to_string(),
        "exit": transcript.exit,
        "proves": transcript.exit == End::Code(0) && clean.is_some(),
        "commit": clean,
    }));
    let end = match transcript.exit {
        End::Code(code) => format!("exit {code}"),
        End::Signal(signal) => format!("signal {signal}"),
    };
    out.progress(&format!("portcullis: {end}, recorded in {}", path.display()));
    if clean.is_none() {
        out.progress(
            "portcullis: the tree is no commit, so this stands in for proof only; commit, then record again",
        );
    }
}

/// The commit of `HEAD` and whether the work tree differs from it.
fn source(root: &Path) -> Result<Source, Fault> {
    let git = Git::new(root, None);
    let Some(head) = git.head()? else { return Ok(Source::default()) };
    let dirty = Some(!git.changes()?.is_empty());
    Ok(Source { commit: Some(head.commit), tree: Some(head.tree), dirty, base: None })
}

/// A name that sorts by time and tells commands apart.
fn id(started_at: Instant, argv: &[String]) -> String {
    let digest = Digest::of(argv.join("\0").as_bytes());
    format!("{}-{}", started_at.unix_ms(), digest.short())
}

/// The working directory relative to the repository root, `.` for the root itself.
fn below(root: &Path, cwd: &Path) -> Result<String, Refused> {
    let resolved = (root.canonicalize(), cwd.canonicalize());
    let (Ok(root), Ok(cwd)) = resolved else {
        return Err(anyhow!("the working directory cannot be resolved").into());
    };
    let rest = cwd.strip_prefix(root).map_err(|source| {
        let remedy = "record commands within the repository";
        let fault = Fault::new(USAGE, "the working directory lies outside", remedy);
        Refused::new(Exit::Usage, fault.because(&source))
    })?;
    let text = rest.to_string_lossy().replace('\\', "/");
    Ok(if text.is_empty() { ".".to_owned() } else { text })
}

/// What a command left.
struct Ran {
    end: End,
    stdout: Output,
    stderr: Output,
}

/// What no transcript may show.
#[derive(Clone, Copy)]
struct Hidden<'a> {
    redactor: &'a Redactor,
    home: &'a Home,
}

/// Runs the command with the environment of whoever types it, and hands its output on while it runs: all of it on standard
/// error where standard output is for one document.
#[expect(
    clippy::disallowed_methods,
    reason = "what is recorded is the command of a person, with that person's environment"
)]
fn stream(argv: &[String], hidden: Hidden<'_>, for_people: bool) -> Result<Ran, Refused> {
    let failed = |source: &io::Error| {
        let remedy = "install the program, or correct the command; a script needs its interpreter";
        let fault = Fault::new(COMMAND_FAILED, "the command could not be run", remedy);
        Refused::new(Exit::Nothing, fault.because(source))
    };
    let (program, words) = argv.split_first().ok_or_else(|| anyhow!("no command"))?;
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| failed(&source))?;
    let pipes = child.stdout.take().zip(child.stderr.take());
    let (stdout, stderr) = pipes.ok_or_else(|| anyhow!("a child without pipes"))?;
    let (stdout, stderr) = std::thread::scope(|scope| {
        let errors = scope.spawn(|| heard(stderr, &mut io::stderr(), hidden));
        let mut shown: Box<dyn Write> =
            if for_people { Box::new(io::stdout()) } else { Box::new(io::stderr()) };
        let output = heard(stdout, &mut *shown, hidden);
        (output, errors.join())
    });
    let status = child.wait().map_err(|source| failed(&source))?;
    let stderr = stderr.map_err(|_panic| anyhow!("the reader of standard error panicked"))?;
    let broken = |source| anyhow!("the output of the command could not be read: {source}");
    Ok(Ran { end: end(status), stdout: stdout.map_err(broken)?, stderr: stderr.map_err(broken)? })
}

#[cfg(unix)]
fn end(status: ExitStatus) -> End {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Code(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

#[cfg(not(unix))]
fn end(status: ExitStatus) -> End {
    status.code().map_or(End::Signal(0), End::Code)
}

/// Reads a stream to its end. Nothing of it is kept, hashed or shown before it was redacted.
fn heard(mut pipe: impl Read, shown: &mut dyn Write, hidden: Hidden<'_>) -> io::Result<Output> {
    let mut kept = Kept::default();
    let mut waiting = Vec::new();
    let mut buffer = vec![0u8; PIECE_BYTES];
    let mut is_key = false;
    loop {
        let n = match pipe.read(&mut buffer) {
            Ok(n) => n,
            Err(source) if source.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(source),
        };
        waiting.extend_from_slice(&buffer[..n]);
        let whole =
            if n == 0 { waiting.len() } else { ready(&waiting, n, hidden.redactor.longest()) };
        let piece: Vec<u8> = waiting.drain(..whole).collect();
        let text = String::from_utf8_lossy(&piece);
        let text = without_keys(&text, &mut is_key);
        let text = hidden.redactor.redact(&text);
        kept.add(hidden.home.shorten(&text).as_bytes());
        // A terminal that is gone takes nothing away from the transcript.
        drop(shown.write_all(text.as_bytes()).and_then(|()| shown.flush()));
        if n == 0 {
            return Ok(kept.output());
        }
    }
}

/// How much of what waits can be shown, of which `new` bytes just came: whole lines; of a line without end what no secret
/// can reach across.
fn ready(waiting: &[u8], new: usize, longest: usize) -> usize {
    // What waited before has no end of a line, so a line that comes byte by byte is not searched again and again.
    let before = waiting.len().saturating_sub(new);
    let ends = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if let Some(end) = waiting[before..].iter().rposition(ends) {
        return before + end + 1;
    }
    if waiting.len() / PIECE_BYTES == before / PIECE_BYTES {
        return 0;
    }
    let most = waiting.len().saturating_sub(longest);
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b';' | b'"' | b'\'');
    match waiting[..most].iter().rposition(ends) {
        Some(end) => end + 1,
        // A word of this length is no secret that anybody types, and memory has an end.
        None if waiting.len() >= 16 * PIECE_BYTES => most,
        None => 0,
    }
}

/// The lines of private keys, whose beginning and end stand on lines of their own, become one mark each.
fn without_keys(text: &str, is_key: &mut bool) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let begins = line.contains("-----BEGIN ") && line.contains("PRIVATE KEY");
        if begins || *is_key {
            *is_key = !line.contains("-----END ");
            out.push_str(&format!("[redacted:{}]", line.trim_end().len()));
            out.push_str(&line[line.trim_end().len()..]);
        } else {
            out.push_str(line);
        }
    }
    out
}

/// A stream, hashed whole and kept at both ends.
#[derive(Default)]
struct Kept {
    hasher: Hasher,
    bytes: u64,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    cut: u64,
}

impl Kept {
    fn add(&mut self, mut bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        let room = KEPT_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        bytes = &bytes[room..];
        self.tail.extend(bytes);
        let excess = self.tail.len().saturating_sub(KEPT_BYTES);
        self.tail.drain(..excess);
        self.cut += excess as u64;
    }

    fn output(self) -> Output {
        let (head, tail) = (self.head, Vec::from(self.tail));
        let text = if self.cut == 0 {
            String::from_utf8_lossy(&[head, tail].concat()).into_owned()
        } else {
            let (head, tail) = (String::from_utf8_lossy(&head), String::from_utf8_lossy(&tail));
            format!("{head}\n[{} bytes cut]\n{tail}", self.cut)
        };
        Output { sha256: self.hasher.finish(), bytes: self.bytes, text, cut_bytes: self.cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out its bytes in pieces of a size, as a pipe does.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn t15_no_cut_of_a_stream_lets_a_secret_through() {
        let (redactor, home) = (Redactor::new(&["hunter2hunter2"]), Home::default());
        let hidden = Hidden { redactor: &redactor, home: &home };
        let long = "x ".repeat(PIECE_BYTES / 2 - 4);
        let key = "-----BEGIN PRIVATE KEY-----\nAAAABBBB\n-----END PRIVATE KEY-----\n";
        for text in [
            "a hunter2hunter2 b\n".to_owned(),
            format!("{long}hunter2hunter2 {long}hunter2hunter2"),
            format!("{key}fine\n"),
            format!("ghp_{}\r", "a1B2".repeat(9)),
        ] {
            for size in [1, 7, 4096, PIECE_BYTES] {
                let mut shown = Vec::new();
                let output =
                    heard(Pieces(text.as_bytes(), size), &mut shown, hidden).expect("read");
                let shown = String::from_utf8(shown).expect("a text");
                assert_eq!(output.sha256, Digest::of(shown.as_bytes()), "hashed as shown");
                for secret in ["hunter2", "BBBB", "a1B2"] {
                    assert!(
                        !shown.contains(secret) && !output.text.contains(secret),
                        "{size}: {secret}"
                    );
                }
                assert!(shown.contains("[redacted:"));
            }
        }
    }

    #[test]
    fn a_transcript_keeps_no_home_folder_and_the_terminal_shows_it() {
        let home = Home::new("/home/ann");
        let hidden = Hidden { redactor: &Redactor::default(), home: &home };
        let mut shown = Vec::new();
        let text = "built /home/ann/repo\n";
        let output = heard(text.as_bytes(), &mut shown, hidden).expect("read");
        assert_eq!((output.text.as_str(), &*shown), ("built ~/repo\n", text.as_bytes()));
        assert_eq!(output.sha256, Digest::of(b"built ~/repo\n"));
    }

    #[test]
    fn a_long_stream_is_kept_at_both_ends_and_hashed_whole() {
        let text = format!("begin\n{}end\n", "0123456789\n".repeat(200_000));
        let mut shown = Vec::new();
        let hidden = Hidden { redactor: &Redactor::default(), home: &Home::default() };
        let output = heard(text.as_bytes(), &mut shown, hidden).expect("read");
        assert_eq!((output.sha256, output.bytes), (Digest::of(text.as_bytes()), text.len() as u64));
        assert_eq!(shown, text.as_bytes());
        assert!(output.text.starts_with("begin\n") && output.text.ends_with("end\n"));
        assert_eq!(output.cut_bytes, text.len() as u64 - 2 * KEPT_BYTES as u64);
    }
}
