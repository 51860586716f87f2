//! What a receipt says, without secrets: every text of it goes through here before it is hashed or written. What people
//! read says `~` for the home folder; subjects and places are names that waivers and editors hold on to.

use crate::{
    evidence::environment::Environment,
    runner::attempt::Looked,
    wire::{
        code::SECRET_IN_EVIDENCE,
        fault::{Fault, Location},
        finding::Finding,
        path::RelPath,
        receipt::{ErrorRecord, Skip},
    },
};

/// The same findings, error and skip, with secrets replaced.
pub(super) fn looked(looked: Looked, environment: &Environment) -> Looked {
    let text = |text: String| environment.redact(&text);
    let prose = |text: String| environment.recordable(&text);
    let place = |place: Location| Location { path: text(place.path), ..place };
    let finding = |finding: Finding| Finding {
        subject: text(finding.subject),
        location: finding.location.map(place),
        message: prose(finding.message),
        expected: finding.expected.map(prose),
        found: finding.found.map(prose),
        remedy: prose(finding.remedy),
        ..finding
    };
    let error = |error: ErrorRecord| ErrorRecord {
        message: prose(error.message),
        location: error.location.map(place),
        chain: error.chain.into_iter().map(prose).collect(),
        expected: error.expected.map(prose),
        found: error.found.map(prose),
        remedy: prose(error.remedy),
        ..error
    };
    Looked {
        findings: looked.findings.into_iter().map(finding).collect(),
        error: looked.error.map(error),
        skip: looked.skip.map(|skip| Skip { detail: prose(skip.detail), ..skip }),
        ..looked
    }
}

/// Refuses a file that holds a secret: bundled files are evidence, so they are never edited.
pub(super) fn refuse(environment: &Environment, name: &RelPath, bytes: &[u8]) -> Result<(), Fault> {
    let Some(length) = environment.redactor().first_in(bytes) else { return Ok(()) };
    let headline = format!("`{name}` holds a secret of {length} bytes, so it was not written");
    let remedy = "keep the secret out of what the gate writes; where it is real, revoke it";
    Err(Fault::new(SECRET_IN_EVIDENCE, headline, remedy).at(Location::file(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{code::GATE_BROKEN, outcome::Outcome, outcome::SkipReason};

    const SECRET: &str = "hunter2hunter2";

    fn environment() -> Environment {
        Environment::from_pairs([("DEPLOY_TOKEN", SECRET)])
    }

    #[test]
    fn t15_no_text_of_a_receipt_keeps_a_secret() {
        let said = || format!("a {SECRET} b");
        let finding = Finding::new(GATE_BROKEN, said(), said(), said())
            .at(Location::at(said(), 3, 4))
            .expected(said())
            .found(said());
        let fault = Fault::new(GATE_BROKEN, said(), said())
            .at(Location::file(said()))
            .expected(said())
            .found(said())
            .because(&std::io::Error::other(said()));
        let dirty = Looked {
            outcome: Outcome::Fail,
            examined: 1,
            findings: vec![finding],
            findings_total: 1,
            skip: Some(Skip { reason: SkipReason::Ignored, detail: said() }),
            error: Looked::error(&fault).error,
        };
        let before = format!("{dirty:?}").matches(SECRET).count();
        assert_eq!(before, 13, "every text of a finding, an error and a skip");
        let clean = format!("{:?}", looked(dirty, &environment()));
        assert_eq!(
            (clean.matches(SECRET).count(), clean.matches("[redacted:14]").count()),
            (0, 13)
        );
        assert!(clean.contains("line: 3, column: 4"), "{clean}");
    }

    #[test]
    fn what_people_read_has_no_home_folder_and_what_names_something_keeps_its_name() {
        let home =
            if cfg!(windows) { ("USERPROFILE", "C:\\Users\\ann") } else { ("HOME", "/home/ann") };
        let said = || format!("{}/x", home.1);
        let finding = Finding::new(GATE_BROKEN, said(), said(), said())
            .at(Location::at(said(), 3, 4))
            .expected(said())
            .found(said());
        let fault = Fault::new(GATE_BROKEN, "x", "x");
        let dirty = Looked { findings: vec![finding], ..Looked::error(&fault) };
        let clean = looked(dirty, &Environment::from_pairs([home]));
        let finding = &clean.findings[0];
        let names = [Some(&finding.subject), finding.location.as_ref().map(|place| &place.path)];
        assert_eq!(names, [Some(&said()); 2]);
        let read = [Some(&finding.message), finding.expected.as_ref(), finding.found.as_ref()];
        assert_eq!(read, [Some(&"~/x".to_owned()); 3]);
        assert_eq!(finding.remedy, "~/x");
    }

    #[test]
    fn t15_an_artifact_with_a_secret_is_not_written() {
        let name = RelPath::parse("out.json").expect("a path");
        let base64 = b"{\"x\": \"aHVudGVyMmh1bnRlcjI=\"}";
        for bytes in [SECRET.as_bytes(), base64] {
            let fault = refuse(&environment(), &name, bytes).expect_err("a secret");
            assert_eq!(fault.code(), SECRET_IN_EVIDENCE);
            assert!(!fault.to_string().contains("hunter2"));
        }
        assert!(refuse(&environment(), &name, b"nothing of the kind").is_ok());
    }
}
