//! Which tests of a target really run: none that is ignored, and none under a `cfg` that does not hold here.

use super::{
    Token, after_group,
    attributes::{arguments, leading_path},
    items::{ItemKind, items, tests},
};
use portcullis::{Fault, RelPath};
use std::collections::BTreeSet;

/// The features that the tests are built with. Everything else a condition can ask is this machine's.
pub(crate) type Features = BTreeSet<String>;

/// A test, and whether it runs.
#[derive(Clone, Debug)]
pub(crate) struct RosterTest {
    /// As the runner names it within its target.
    pub(crate) name: String,
    pub(crate) is_active: bool,
}

/// The tests of one file of a target, and the modules that it declares under a condition that does not hold.
#[derive(Debug, Default)]
pub(crate) struct FileTests {
    pub(crate) tests: Vec<RosterTest>,
    pub(crate) inactive_modules: BTreeSet<String>,
}

/// Reads the tests of a file.
///
/// A condition on anything but the features, the system and `test` counts as not holding: nobody here sets it.
///
/// # Errors
/// As [`items`].
pub(crate) fn file_tests(
    path: &RelPath,
    tokens: &[Token],
    module: &[String],
    features: &Features,
) -> Result<FileTests, Fault> {
    let mut found = FileTests::default();
    let mut inactive: Vec<std::ops::Range<usize>> = Vec::new();
    if !inner_conditions_hold(tokens, features) {
        inactive.push(0..tokens.len());
    }
    let mut waiting = vec![(module.to_vec(), 0..tokens.len())];
    while let Some((module, range)) = waiting.pop() {
        for item in items(path, tokens, range)? {
            let is_inactive = !conditions_hold(&tokens[item.whole.clone()], features);
            if is_inactive {
                inactive.push(item.whole.clone());
            }
            if let (ItemKind::Mod, Some(name)) = (item.kind, &item.name) {
                let inner: Vec<String> = module.iter().cloned().chain([name.clone()]).collect();
                match item.body {
                    Some(body) => waiting.push((inner, body)),
                    None if is_inactive => {
                        found.inactive_modules.insert(inner.join("::"));
                    }
                    None => {}
                }
            }
        }
    }
    for test in tests(path, tokens, module)? {
        let is_out = inactive
            .iter()
            .any(|range| range.start <= test.whole.start && test.whole.end <= range.end);
        let own = &tokens[test.whole.clone()];
        let is_active = !is_out && conditions_hold(own, features) && !is_ignored(own);
        found.tests.push(RosterTest { name: test.name, is_active });
    }
    Ok(found)
}

/// Whether every `#![cfg(..)]` at the head of a file holds.
fn inner_conditions_hold(tokens: &[Token], features: &Features) -> bool {
    let mut index = 0;
    while tokens.get(index).is_some_and(|token| token.is("#"))
        && tokens.get(index + 1).is_some_and(|token| token.is("!"))
        && tokens.get(index + 2).is_some_and(|token| token.is("["))
    {
        let end = after_group(tokens, index + 2);
        if !condition_holds(&tokens[index + 3..end.saturating_sub(1).max(index + 3)], features) {
            return false;
        }
        index = end;
    }
    true
}

/// The contents of the attributes at the head of an item.
fn heads(tokens: &[Token]) -> Vec<&[Token]> {
    let mut contents = Vec::new();
    let mut index = 0;
    while tokens.get(index).is_some_and(|token| token.is("#"))
        && tokens.get(index + 1).is_some_and(|token| token.is("["))
    {
        let end = after_group(tokens, index + 1);
        contents.push(&tokens[index + 2..end.saturating_sub(1).max(index + 2)]);
        index = end;
    }
    contents
}

fn conditions_hold(item: &[Token], features: &Features) -> bool {
    heads(item).into_iter().all(|content| condition_holds(content, features))
}

/// Whether an attribute leaves its item in: `cfg` by its condition, `cfg_attr` by the `cfg` it would add.
fn condition_holds(content: &[Token], features: &Features) -> bool {
    let (path, next) = leading_path(content);
    let inside = list(content, next);
    match path.as_slice() {
        [name] if name == "cfg" => inside.iter().all(|part| evaluate(part, features)),
        [name] if name == "cfg_attr" => match inside.split_first() {
            Some((condition, added)) if evaluate(condition, features) => {
                added.iter().all(|attribute| condition_holds(attribute, features))
            }
            Some(_) | None => true,
        },
        _ => true,
    }
}

/// Whether `ignore` stands on a test, under any condition at all: a test that may be ignored is not counted on.
fn is_ignored(test: &[Token]) -> bool {
    let mut waiting = heads(test);
    while let Some(content) = waiting.pop() {
        let (path, next) = leading_path(content);
        match path.as_slice() {
            [name] if name == "ignore" => return true,
            [name] if name == "cfg_attr" => waiting.extend(list(content, next).into_iter().skip(1)),
            _ => {}
        }
    }
    false
}

fn list(content: &[Token], open: usize) -> Vec<&[Token]> {
    if !content.get(open).is_some_and(|token| token.is("(")) {
        return Vec::new();
    }
    let end = after_group(content, open).saturating_sub(1).max(open + 1);
    arguments(&content[open + 1..end]).into_iter().filter(|part| !part.is_empty()).collect()
}

fn evaluate(condition: &[Token], features: &Features) -> bool {
    let (path, next) = leading_path(condition);
    let [name] = path.as_slice() else { return false };
    let parts = || list(condition, next);
    let value = condition
        .get(next)
        .filter(|token| token.is("="))
        .and_then(|_| condition.get(next + 1))
        .map(|token| token.text.trim_matches('"'));
    match (name.as_str(), value) {
        ("all", None) => parts().into_iter().all(|part| evaluate(part, features)),
        ("any", None) => parts().into_iter().any(|part| evaluate(part, features)),
        // What nobody understands does not hold, and so does its opposite not.
        ("not", None) => {
            parts().into_iter().all(|part| is_known(part) && !evaluate(part, features))
        }
        ("test" | "debug_assertions" | "true", None) => true,
        ("unix", None) => cfg!(unix),
        ("windows", None) => cfg!(windows),
        ("feature", Some(value)) => features.contains(value),
        ("target_os", Some(value)) => std::env::consts::OS == value,
        ("target_family", Some(value)) => std::env::consts::FAMILY == value,
        ("target_arch", Some(value)) => std::env::consts::ARCH == value,
        ("panic", Some(value)) => value == "unwind",
        ("target_pointer_width", Some(value)) => value == usize::BITS.to_string(),
        _ => false,
    }
}

/// Whether a condition asks only for what is known here.
fn is_known(condition: &[Token]) -> bool {
    let (path, next) = leading_path(condition);
    let [name] = path.as_slice() else { return false };
    match name.as_str() {
        "all" | "any" | "not" => list(condition, next).into_iter().all(is_known),
        "test"
        | "debug_assertions"
        | "true"
        | "false"
        | "unix"
        | "windows"
        | "feature"
        | "target_os"
        | "target_family"
        | "target_arch"
        | "target_pointer_width"
        | "panic" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests_of_tests {
    use super::*;
    use crate::rust_source::tokens;

    #[test]
    fn a_test_counts_when_it_runs() {
        let table: &[(&str, &str, bool)] = &[
            ("a plain test", "#[test] fn a() {}", true),
            ("ignored", "#[test] #[ignore] fn a() {}", false),
            ("ignored first", "#[ignore = \"slow\"] #[test] fn a() {}", false),
            ("ignored under a condition", "#[test] #[cfg_attr(unix, ignore)] fn a() {}", false),
            (
                "ignored in a nest",
                "#[cfg_attr(any(), cfg_attr(unix, ignore))] #[test] fn a() {}",
                false,
            ),
            ("under any()", "#[cfg(any())] #[test] fn a() {}", false),
            ("under false", "#[test] #[cfg(false)] fn a() {}", false),
            ("under not(test)", "#[test] #[cfg(not(test))] fn a() {}", false),
            ("under test", "#[cfg(test)] mod m { #[test] fn a() {} }", true),
            ("under a feature of the build", "#[cfg(feature = \"on\")] #[test] fn a() {}", true),
            ("under another feature", "#[cfg(feature = \"off\")] #[test] fn a() {}", false),
            ("under its absence", "#[cfg(not(feature = \"off\"))] #[test] fn a() {}", true),
            ("under a name nobody sets", "#[cfg(slow_tests)] #[test] fn a() {}", false),
            ("under its opposite", "#[cfg(not(slow_tests))] #[test] fn a() {}", false),
            ("in a module that is out", "#[cfg(any())] mod m { #[test] fn a() {} }", false),
            ("in a file that is out", "#![cfg(any())]\n#[test] fn a() {}", false),
            (
                "in a module within one",
                "#[cfg(any())] mod m { mod n { #[test] fn a() {} } }",
                false,
            ),
            ("by cfg_attr", "#[cfg_attr(all(), cfg(any()))] #[test] fn a() {}", false),
            ("in a macro call", "m! { #[test] fn a() {} }", true),
            ("ignored in a macro call", "m! { #[test] #[ignore] fn a() {} }", false),
            ("ignored first in a macro call", "m! { #[ignore] #[test] fn a() {} }", false),
            ("in a macro call that is out", "#[cfg(any())] m! { #[test] fn a() {} }", false),
        ];
        let path = RelPath::parse("a.rs").expect("a path");
        let features = Features::from(["on".to_owned()]);
        for (case, text, expected) in table {
            let tokens = tokens(&path, text).expect(case);
            let seen = file_tests(&path, &tokens, &[], &features).expect(case);
            let active: Vec<bool> = seen.tests.iter().map(|test| test.is_active).collect();
            assert_eq!(active, [*expected], "{case}");
        }
        let tokens = tokens(&path, "#[cfg(any())] mod gone; mod here;").expect("tokens");
        let seen = file_tests(&path, &tokens, &["m".to_owned()], &features).expect("a file");
        assert_eq!(seen.inactive_modules, BTreeSet::from(["m::gone".to_owned()]));
    }
}
