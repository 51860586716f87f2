//! Which suite a test target belongs to, as `suite_classification.toml` says. Leaves out whether every target is in one.

use crate::exit::{Exit, OrExit, Refused};
use portcullis::{
    kernel::{
        document::{self, Node, Table},
        policy::profile::Kind,
    },
    runner::session::CLASSIFICATION_FILE,
};
use std::collections::BTreeMap;

/// The suites by the labels of their targets: `target`, or `package/target`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suites {
    by_label: BTreeMap<String, Kind>,
}

impl Suites {
    /// Reads the tables `[suite.<name>]`. What is wrong with one of them is for the gate over this file to say.
    ///
    /// # Errors
    /// When the file is no TOML at all.
    pub(crate) fn parse(text: &str) -> Result<Self, Refused> {
        let (_source, root, faults) = document::read(CLASSIFICATION_FILE, text, None);
        if !faults.is_empty() {
            return Err(faults).or_exit(Exit::Usage);
        }
        let mut by_label = BTreeMap::new();
        for (name, entry) in table(&root, "suite").into_iter().flatten() {
            // A suite of another name is run where everything is run.
            let kind = Kind::parse(name).unwrap_or(Kind::E2e);
            let Some(targets) =
                entry.value.get_ref().as_table().and_then(|keys| keys.get("targets"))
            else {
                continue;
            };
            let Node::Array(targets) = targets.value.get_ref() else { continue };
            for target in targets {
                if let Node::Text(label) = target.get_ref() {
                    by_label.insert(label.clone(), kind);
                }
            }
        }
        Ok(Self { by_label })
    }

    /// The kind of a target of cargo's kind `cargo_kind`. One that nobody classified counts as the slowest.
    pub(crate) fn kind(&self, package: &str, target: &str, cargo_kind: &str) -> Kind {
        match cargo_kind {
            "test" => {}
            "doc" => return Kind::Doc,
            _ => return Kind::Unit,
        }
        let long = format!("{package}/{target}");
        self.by_label.get(&long).or_else(|| self.by_label.get(target)).copied().unwrap_or(Kind::E2e)
    }
}

fn table<'a>(root: &'a Table, key: &str) -> Option<&'a Table> {
    root.get(key).and_then(|entry| entry.value.get_ref().as_table())
}

/// The targets of a manifest that have no libtest around them: `harness = false`.
///
/// # Errors
/// When the manifest is no TOML, which cargo would have said before.
pub(crate) fn without_harness(
    path: &str,
    text: &str,
    package: &str,
) -> Result<Vec<String>, Refused> {
    let (_source, root, faults) = document::read(path, text, None);
    if !faults.is_empty() {
        return Err(faults).or_exit(Exit::Usage);
    }
    let bare = |table: &Table| {
        let harness = table.get("harness").map(|entry| entry.value.get_ref());
        matches!(harness, Some(Node::Boolean(false)))
    };
    let name = |table: &Table| match table.get("name").map(|entry| entry.value.get_ref()) {
        Some(Node::Text(name)) => Some(name.clone()),
        Some(_) | None => None,
    };
    let mut found = Vec::new();
    for section in ["test", "bin", "example", "bench"] {
        let Some(Node::Array(items)) = root.get(section).map(|entry| entry.value.get_ref()) else {
            continue;
        };
        let tables = items.iter().filter_map(|item| item.get_ref().as_table());
        found.extend(tables.filter(|table| bare(table)).filter_map(name));
    }
    if let Some(lib) = table(&root, "lib").filter(|lib| bare(lib)) {
        found.push(name(lib).unwrap_or_else(|| package.replace('-', "_")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_found_by_either_label_and_else_is_slow() {
        let text = "[suite.unit]\ntargets = [\"api\", \"b/cli\"]\n[suite.vcr]\ntargets = [\"net\"]\n[suite.slow]\ntargets = [\"nightly\"]\n";
        let suites = Suites::parse(text).expect("suites");
        let table = [
            ("a", "api", "test", Kind::Unit),
            ("a", "cli", "test", Kind::E2e),
            ("b", "cli", "test", Kind::Unit),
            ("a", "net", "test", Kind::Vcr),
            ("a", "nightly", "test", Kind::E2e),
            ("a", "unheard_of", "test", Kind::E2e),
            ("a", "a", "lib", Kind::Unit),
            ("a", "net", "bin", Kind::Unit),
            ("a", "net", "doc", Kind::Doc),
        ];
        for (package, target, cargo_kind, expected) in table {
            assert_eq!(suites.kind(package, target, cargo_kind), expected, "{package}/{target}");
        }
        assert!(Suites::parse("[suite").is_err());
    }

    #[test]
    fn targets_without_libtest_are_named() {
        let text = "[lib]\nharness = false\n[[test]]\nname = \"gates\"\nharness = false\n[[test]]\nname = \"api\"\n[[bin]]\nname = \"x\"\nharness = true\n";
        let found = without_harness("Cargo.toml", text, "my-lib").expect("targets");
        assert_eq!(found, ["gates", "my_lib"]);
    }
}
