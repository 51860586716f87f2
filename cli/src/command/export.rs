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

    #[cfg(unix)]
    #[test]
    fn openssl_verifies_what_openssl_signed() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let openssl = |words: &[&str]| {
            #[expect(clippy::disallowed_methods, reason = "a test runs the real signer")]
            let output =
                Command::new("openssl").args(words).output().expect("openssl is installed");
            assert!(
                output.status.success(),
                "{words:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        let (key, public) = (at("key.pem"), at("public.pem"));
        openssl(&["genpkey", "-algorithm", "ed25519", "-out", &key]);
        openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]);
        // openssl wants the size of what it signs, so it reads a file.
        let script =
            format!("cat > {0} && openssl pkeyutl -sign -rawin -inkey {key} -in {0}", at("in"));
        let text = "{\"_type\":\"x\"}\n";
        let command = format!("sh -c '{script}'");
        let envelope = signed(Format::Intoto, text, &command).expect("signed");
        let envelope: serde_json::Value = serde_json::from_str(&envelope).expect("JSON");
        let put = |name: &str, bytes: &[u8]| {
            File::create(folder.path().join(name))
                .expect("a file")
                .write_all(bytes)
                .expect("bytes");
        };
        let field = |value: &serde_json::Value| format!("{}\n", value.as_str().expect("a text"));
        put("payload.b64", field(&envelope["payload"]).as_bytes());
        put("sig.b64", field(&envelope["signatures"][0]["sig"]).as_bytes());
        openssl(&["base64", "-d", "-A", "-in", &at("payload.b64"), "-out", &at("payload")]);
        openssl(&["base64", "-d", "-A", "-in", &at("sig.b64"), "-out", &at("sig")]);
        let payload = std::fs::read(folder.path().join("payload")).expect("a payload");
        assert_eq!(payload, text.as_bytes());
        let mut pae =
            format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len()).into_bytes();
        pae.extend(payload);
        put("pae", &pae);
        let verify = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", &public];
        let (pae, sig) = (at("pae"), at("sig"));
        openssl(&[&verify[..], &["-in", &pae, "-sigfile", &sig]].concat());
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
