//! T10: a path in a document leads out of the repository.

use super::sample::{Sample, ended};
use portcullis::{Examined, Findings, GateContext, GateError, testing::Bench};

const HOSTILE: &[&str] = &[
    "",
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "a/../b",
    "a/..",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "//host/share",
    "\\\\host\\share",
    "a\\b",
    "C:",
    "C:/x",
    "c:x",
    "a:b",
    "nul",
    "NUL.txt",
    "a/CON",
    "COM1",
    "com9.log",
    "LPT\u{b9}",
    "COM\u{b2}",
    "COM\u{b3}.x",
    "CONIN$",
    "a.",
    "a ",
    "a/b./c",
    "a\0b",
    "a\nb",
    "a\u{1b}[0m",
    "a\u{202e}b",
    "a\u{200b}b",
    "a\u{feff}",
    "a*b",
    "a?b",
    "a<b",
    "a|b",
    "\u{7f}",
    "aux .txt",
];

fn every_name(cx: &GateContext<'_>, _out: &mut Findings) -> Result<Examined, GateError> {
    for name in HOSTILE {
        if cx.file_at(name).is_ok() {
            cx.note(format!("{name:?} was taken"));
        }
    }
    Ok(Examined::items(HOSTILE.len()))
}

#[test]
fn t10_no_gate_gets_a_file_by_a_hostile_name() {
    assert!(HOSTILE.len() >= 40);
    let seen = Bench::rust(every_name).file("a", b"x").run();
    assert_eq!(seen.output, Vec::<String>::new(), "no name is taken");
    // The gate dropped forty refusals, which is no way out either.
    assert_eq!(seen.code.as_deref(), Some("gate_broken"));
}

#[test]
fn t10_no_hostile_name_in_a_list_of_requirements_is_opened() {
    let sample = Sample::new();
    for name in HOSTILE {
        let quoted = serde_json::to_string(name).expect("a text").replace('\u{7f}', "\\u007f");
        let row = format!(
            "version = 1\n[[requirement]]\nid = \"x\"\ntitle = \"x\"\nstatus = \"done\"\n\
             evidence = [{{ kind = \"file\", path = {quoted} }}]\n"
        );
        sample.put("completion_requirements.toml", &row);
        let (exit, said) = ended(&mut sample.portcullis(&["audit", "build"]));
        assert_eq!(exit, Some(2), "{name:?}: {said}");
        assert!(said.contains("requirements_invalid"), "{name:?}: {said}");
    }
}
