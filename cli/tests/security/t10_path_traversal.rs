//! T10: a path in a document leads out of the repository.

use super::sample::{Sample, ended};
use portcullis::{Examined, Findings, GateContext, GateError, testing::Bench};

/// The table of `harness/src/wire/path.rs`, which is tested there name by name.
fn hostile() -> Vec<String> {
    serde_json::from_str(include_str!("../../../fixtures/paths/hostile.json")).expect("names")
}

fn every_name(cx: &GateContext<'_>, _out: &mut Findings) -> Result<Examined, GateError> {
    let names = hostile();
    for name in &names {
        if cx.file_at(name).is_ok() {
            cx.note(format!("{name:?} was taken"));
        }
    }
    Ok(Examined::items(names.len()))
}

#[test]
fn t10_no_gate_gets_a_file_by_a_hostile_name() {
    assert!(hostile().len() >= 40);
    let seen = Bench::rust(every_name).file("a", b"x").run();
    assert_eq!(seen.output, Vec::<String>::new(), "no name is taken");
    // The gate dropped forty refusals, which is no way out either.
    assert_eq!(seen.code.as_deref(), Some("gate_broken"));
}

#[test]
fn t10_no_hostile_name_in_a_list_of_requirements_is_opened() {
    let sample = Sample::new();
    for name in hostile() {
        let quoted = serde_json::to_string(&name).expect("a text").replace('\u{7f}', "\\u007f");
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
