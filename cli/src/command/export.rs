//! `export`: a sealed run in a format of another program. It judges nothing, and exits 0 whatever the verdict was.

use crate::{
    args::Export as Arguments,
    exit::{Exit, OrExit, Refused},
    export::{self, Account, Format, dsse},
    locate,
    repository::Repository,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{
    Fault,
    evidence::environment::Environment,
    wire::code::{TOOL_MISSING, USAGE},
};
use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
};

/// No signature is longer, certificates included.
const SIGNATURE_MAX: u64 = 64 * 1024;

/// Runs `export`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover().ok();
    let dir = locate::run(&arguments.run, repository.as_ref())?;
    let account = Account::read(&dir).or_exit(Exit::Invalid)?;
    is_subject(&account)?;
    let mut text = export::render(arguments.target, &account)?;
    if let Some(command) = &arguments.sign_with {
        text = signed(arguments.target, &text, command)?;
    }
    let Some(path) = &arguments.out else {
        out.raw(&text);
        return Ok(Exit::Pass);
    };
    outside(path, &dir)?;
    let written = File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Exit::Pass)
}

/// Refuses to show a run where the forge asks about another commit.
pub(super) fn is_subject(account: &Account) -> Result<(), Refused> {
    let commit = account.envelope.source.commit.as_deref();
    match Environment::capture(&[]).other_subject(commit) {
        Some(fault) => Err(Refused::new(Exit::Invalid, fault)),
        None => Ok(()),
    }
}

/// The envelope around a statement, signed by a program of the user.
fn signed(format: Format, text: &str, command: &str) -> Result<String, Refused> {
    let Some(kind) = format.payload_type() else {
        let remedy = "sign `intoto`, `vsa` or `cyclonedx`; sign any other file beside it";
        let fault = Fault::new(USAGE, "this format carries no signature", remedy);
        return Err(Refused::new(Exit::Usage, fault));
    };
    let Some(argv) = words(command).filter(|argv| !argv.is_empty()) else {
        let remedy = "name a program and its arguments, with quotes around blanks";
        let fault = Fault::new(USAGE, "`--sign-with` names no command", remedy);
        return Err(Refused::new(Exit::Usage, fault));
    };
    let signature = sign(&argv, &dsse::pre_authentication(kind, text.as_bytes()))
        .map_err(|why| unsigned(&argv, &why))?;
    let envelope = dsse::envelope(kind, text.as_bytes(), &signature);
    let mut text = serde_json::to_string_pretty(&envelope).context("an envelope")?;
    text.push('\n');
    Ok(text)
}

fn unsigned(argv: &[String], why: &str) -> Refused {
    let headline = format!("`{}` signed nothing: {why}", argv.join(" "));
    let remedy = "run the signer by hand; it reads standard input and prints a signature";
    Refused::new(Exit::Nothing, Fault::new(TOOL_MISSING, headline, remedy))
}

/// The words of a command line, with quotes and nothing else of a shell; nothing where a quote has no end.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (Some(_) | None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Runs the signer. It is the user's own and needs the user's environment: keys, agents, tokens.
#[expect(
    clippy::disallowed_methods,
    reason = "a signer is no check: it runs with the environment of whoever signs"
)]
fn sign(argv: &[String], bytes: &[u8]) -> Result<Vec<u8>, String> {
    let (program, rest) = argv.split_first().ok_or("no program")?;
    let mut child = Command::new(program)
        .args(rest)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|source| source.to_string())?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let (mut input, output) = input.zip(output).ok_or("it has no pipes")?;
    let mut signature = Vec::new();
    // Read and written at once: a signer may answer before it has read everything.
    let (written, read) = std::thread::scope(|scope| {
        let writer = scope.spawn(move || input.write_all(bytes));
        let read = output.take(SIGNATURE_MAX + 1).read_to_end(&mut signature);
        (writer.join(), read)
    });
    let status = child.wait().map_err(|source| source.to_string())?;
    read.map_err(|source| source.to_string())?;
    if !status.success() {
        return Err(format!("it ended with {status}"));
    }
    // A signer that did not read everything has signed something else.
    if !matches!(written, Ok(Ok(()))) {
        return Err("it did not read what it was to sign".to_owned());
    }
    match u64::try_from(signature.len()) {
        Ok(1..=SIGNATURE_MAX) => Ok(signature),
        Ok(0) => Err("it printed no signature".to_owned()),
        Ok(_) | Err(_) => Err("what it printed is no signature: too long".to_owned()),
    }
}

/// A file that is added to a sealed run would break its seal.
pub(super) fn outside(path: &Path, dir: &Path) -> Result<(), Refused> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    let inside = match (folder, dir.canonicalize()) {
        (Ok(folder), Ok(dir)) => folder.starts_with(dir),
        _ => false,
    };
    if !inside {
        return Ok(());
    }
    let headline = format!("{} lies within the sealed run", path.display());
    let remedy = "name a file outside of the run directory";
    Err(Refused::new(Exit::Usage, Fault::new(USAGE, headline, remedy)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_blanks_outside_of_quotes() {
        let table: &[(&str, Option<&[&str]>)] = &[
            ("a  b", Some(&["a", "b"])),
            ("'a b' \"c'd\" ''", Some(&["a b", "c'd", ""])),
            ("x$(y);z", Some(&["x$(y);z"])),
            ("  ", Some(&[])),
            ("'a", None),
        ];
        for (line, expected) in table {
            let found = words(line);
            let found: Option<Vec<&str>> =
                found.as_ref().map(|words| words.iter().map(String::as_str).collect());
            assert_eq!(found.as_deref(), *expected, "{line}");
        }
    }

    /// A signer from outside, and the folder in which it works.
    #[cfg(unix)]
    struct Bench(tempfile::TempDir);

    #[cfg(unix)]
    impl Bench {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn at(&self, name: &str) -> String {
            self.0.path().join(name).display().to_string()
        }

        fn put(&self, name: &str, bytes: &[u8]) {
            File::create(self.0.path().join(name))
                .expect("a file")
                .write_all(bytes)
                .expect("bytes");
        }

        fn read(&self, name: &str) -> Vec<u8> {
            std::fs::read(self.0.path().join(name)).expect("a file")
        }

        /// Whether a program ends well.
        fn ends_well(program: &str, words: &[&str]) -> bool {
            #[expect(clippy::disallowed_methods, reason = "a test runs the real signer")]
            let output = Command::new(program).args(words).stdin(Stdio::null()).output();
            output.expect("it is installed").status.success()
        }

        fn openssl(words: &[&str]) {
            assert!(Self::ends_well("openssl", words), "{words:?}");
        }

        /// Signs a text by a script, and lays what was signed and the signature beside it: `pae` and `sig`.
        fn sign(&self, text: &str, script: &str) {
            let envelope = signed(Format::Intoto, text, &format!("sh -c '{script}'"));
            let envelope: serde_json::Value =
                serde_json::from_str(&envelope.expect("signed")).expect("JSON");
            let field =
                |value: &serde_json::Value| format!("{}\n", value.as_str().expect("a text"));
            self.put("payload.b64", field(&envelope["payload"]).as_bytes());
            self.put("sig.b64", field(&envelope["signatures"][0]["sig"]).as_bytes());
            for name in ["payload", "sig"] {
                let from = self.at(&format!("{name}.b64"));
                Self::openssl(&["base64", "-d", "-A", "-in", &from, "-out", &self.at(name)]);
            }
            assert_eq!(self.read("payload"), text.as_bytes());
            let payload = self.read("payload");
            self.put("pae", &pae(&payload));
            self.put("edited", &pae(&[&payload[..], b" "].concat()));
        }
    }

    /// The encoding that is signed, written from the protocol and not by our own function.
    #[cfg(unix)]
    fn pae(payload: &[u8]) -> Vec<u8> {
        let head = format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len());
        [head.as_bytes(), payload].concat()
    }

    #[cfg(unix)]
    #[test]
    fn openssl_verifies_what_openssl_signed_and_nothing_else() {
        let bench = Bench::new();
        for name in ["", "other-"] {
            let key = bench.at(&format!("{name}key.pem"));
            let public = bench.at(&format!("{name}public.pem"));
            Bench::openssl(&["genpkey", "-algorithm", "ed25519", "-out", &key]);
            Bench::openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]);
        }
        // openssl wants the size of what it signs, so it reads a file.
        let (input, key) = (bench.at("in"), bench.at("key.pem"));
        let sign =
            format!("cat > {input} && openssl pkeyutl -sign -rawin -inkey {key} -in {input}");
        bench.sign("{\"_type\":\"x\"}\n", &sign);
        let verifies = |public: &str, text: &str| {
            let (public, text, sig) = (bench.at(public), bench.at(text), bench.at("sig"));
            let words = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", &public];
            Bench::ends_well("openssl", &[&words[..], &["-in", &text, "-sigfile", &sig]].concat())
        };
        assert!(verifies("public.pem", "pae"));
        assert!(!verifies("other-public.pem", "pae"), "another key");
        assert!(!verifies("public.pem", "edited"), "another payload");
        assert!(!verifies("public.pem", "payload"), "the payload without its type");
    }

    #[cfg(unix)]
    #[expect(clippy::disallowed_methods, reason = "a test asks where its own tools are")]
    #[expect(clippy::print_stderr, reason = "what is not proven must not pass in silence")]
    #[test]
    fn minisign_verifies_what_minisign_signed_and_nothing_else() {
        let found = Command::new("minisign").arg("-v").stdin(Stdio::null()).output().is_ok();
        let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        assert!(found || !ci, "CI must prove this: run `.ci/install_tools`");
        if !found {
            eprintln!("minisign is not installed: SKIPPED LOUD");
            return;
        }
        let bench = Bench::new();
        for name in ["", "other-"] {
            let (key, public) =
                (bench.at(&format!("{name}key")), bench.at(&format!("{name}public")));
            assert!(Bench::ends_well("minisign", &["-G", "-W", "-p", &public, "-s", &key]));
        }
        let (input, key, out) = (bench.at("in"), bench.at("key"), bench.at("out"));
        let sign = format!(
            "cat > {input} && minisign -S -W -s {key} -m {input} -x {out} >/dev/null && cat {out}"
        );
        bench.sign("{\"_type\":\"x\"}\n", &sign);
        let verifies = |public: &str, text: &str| {
            let (public, text, sig) = (bench.at(public), bench.at(text), bench.at("sig"));
            Bench::ends_well("minisign", &["-V", "-q", "-p", &public, "-m", &text, "-x", &sig])
        };
        assert!(verifies("public", "pae"));
        assert!(!verifies("other-public", "pae"), "another key");
        assert!(!verifies("public", "edited"), "another payload");
        assert!(!verifies("public", "payload"), "the payload without its type");
    }

    #[cfg(unix)]
    #[test]
    fn a_signer_that_fails_or_says_nothing_signs_nothing() {
        let long = "x".repeat(1 << 20);
        for (command, text, why) in [
            ("false", "x", "ended with"),
            ("sh -c 'cat >/dev/null'", "x", "no signature"),
            ("sh -c 'echo early'", long.as_str(), "did not read"),
            ("/no/such/signer", "x", "signed nothing"),
        ] {
            let refused = signed(Format::Vsa, text, command).expect_err(command);
            assert_eq!(refused.exit, Exit::Nothing, "{command}");
            assert!(refused.faults[0].to_string().contains(why), "{}", refused.faults[0]);
        }
        let refused = signed(Format::Junit, "x", "cat").expect_err("no signature in JUnit");
        assert_eq!(refused.exit, Exit::Usage);
    }
}
