//! What leaves the process: text or JSON on standard output, faults on standard error. Leaves out every judgement.

use crate::{
    annotation::defused,
    args::Format,
    exit::{Exit, Refused},
};
use portcullis::{
    Fault, evidence::redaction::Redactor, report::human::plain, wire::receipt::ErrorRecord,
};
use serde_json::{Value, json};
use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::{self, Write},
    process::ExitCode,
};

/// The way out of the process, which no secret takes: whatever is said is redacted last. A reader that closes its end early
/// is no error; a full disk is.
pub(crate) struct Transport {
    format: Format,
    redactor: Redactor,
    failed: Option<io::Error>,
}

impl Transport {
    /// Answers in this format, without what this redactor finds.
    pub(crate) fn new(format: Format, redactor: Redactor) -> Self {
        Self { format, redactor, failed: None }
    }

    /// Whether people read the answer, on a terminal or in the log of a forge.
    pub(crate) fn is_human(&self) -> bool {
        self.format != Format::Json
    }

    /// Whether the forge reads commands among the lines.
    pub(crate) fn is_github(&self) -> bool {
        self.format == Format::Github
    }

    /// Writes for people; nothing under `--format json`. What a terminal would obey is stripped.
    pub(crate) fn text(&mut self, text: &str) {
        let text = self.said(text);
        match self.format {
            Format::Json => {}
            Format::Human => {
                let text = defused(text.trim_end());
                self.write(&mut io::stdout().lock(), &format!("{text}\n"));
            }
            Format::Github => {
                // Between the two lines the runner obeys nothing, and nobody can guess the word that ends it.
                let word = random_word();
                let text = format!("::stop-commands::{word}\n{}\n::{word}::\n", text.trim_end());
                self.write(&mut io::stdout().lock(), &text);
            }
        }
    }

    /// Writes workflow commands, which are escaped already; nothing in another format.
    pub(crate) fn commands(&mut self, lines: &[String]) {
        if self.is_github() && !lines.is_empty() {
            self.write(&mut io::stdout().lock(), &format!("{}\n", lines.join("\n")));
        }
    }

    /// Writes one line of a stream for programs.
    pub(crate) fn line(&mut self, line: &str) {
        self.write(&mut io::stdout().lock(), line);
    }

    /// Writes a document for programs; nothing for people.
    pub(crate) fn document(&mut self, document: &Value) {
        if self.is_human() {
            return;
        }
        match portcullis::wire::artifact::document(document) {
            Ok(text) => self.write(&mut io::stdout().lock(), &text),
            Err(source) => self.failed = Some(source.into()),
        }
    }

    /// Writes a text of our own that another program reads, in every format.
    pub(crate) fn raw(&mut self, text: &str) {
        self.write(&mut io::stdout().lock(), text);
    }

    /// Says on standard error what goes on.
    pub(crate) fn progress(&mut self, line: &str) {
        if self.is_human() {
            self.warn(&defused(&self.said(line)));
        }
    }

    /// Says why a command ended early, and returns its exit code.
    pub(crate) fn refuse(&mut self, refused: &Refused) -> Exit {
        let faults: Vec<ErrorRecord> = refused.faults.iter().map(ErrorRecord::from).collect();
        let cause = refused.cause.as_ref().map(|cause| format!("{cause:#}"));
        self.document(&json!({
            "schema": "portcullis.refused.v1",
            "exit": refused.exit.code(),
            "errors": faults,
            "cause": cause,
        }));
        if self.is_human() {
            let mut parts: Vec<String> = refused.faults.iter().map(Fault::to_string).collect();
            parts.extend(
                cause.map(|cause| format!("error: {cause}\n   = remedy:   report this as a bug")),
            );
            self.warn(&defused(&self.said(&parts.join("\n\n"))));
        }
        refused.exit
    }

    /// Ends the process; an answer that could not be written is never a pass.
    pub(crate) fn close(self, exit: Exit) -> ExitCode {
        let Some(source) = self.failed else { return ExitCode::from(exit.code()) };
        drop(writeln!(io::stderr().lock(), "error: the answer could not be written: {source}"));
        ExitCode::from(exit.worse(Exit::Internal).code())
    }

    /// What people may be told: without what a terminal would obey, and redacted while it is as it was said.
    fn said(&self, text: &str) -> String {
        self.redactor.redact(&plain(text)).into_owned()
    }

    /// Says something on standard error; that nobody can read it changes nothing.
    fn warn(&self, text: &str) {
        drop(writeln!(io::stderr().lock(), "{}", self.redactor.redact(text)));
    }

    fn write(&mut self, stream: &mut dyn Write, text: &str) {
        let text = self.redactor.redact(text);
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Ok(()) => {}
            Err(source) if source.kind() == io::ErrorKind::BrokenPipe => {}
            Err(source) => self.failed = Some(source),
        }
    }
}

/// A word that nothing in this process or outside could know before.
fn random_word() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

/// Prints help, version or a usage error, each on its own stream.
pub(crate) fn usage(shown: &clap::Error) -> ExitCode {
    // A closed pipe is no reason for another exit code.
    drop(shown.print());
    ExitCode::from(if shown.use_stderr() { Exit::Usage } else { Exit::Pass }.code())
}
