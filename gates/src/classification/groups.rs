//! The `[suite.<name>]` tables of the groups file, with the place of every entry.

use crate::toml_file::{TomlFile, in_file_order};
use portcullis::{
    Fault, GateContext, GateError, Location, RelPath, wire::code::CONFIG_UNKNOWN_KEY,
};
use std::collections::BTreeMap;

/// An entry of a suite.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) suite: String,
    pub(crate) name: String,
    pub(crate) at: Location,
}

/// All suites of a file.
#[derive(Debug)]
pub(crate) struct Groups {
    pub(crate) path: RelPath,
    /// Name and place of each suite that has a table.
    pub(crate) suites: BTreeMap<String, Location>,
    /// All entries in the order of the file.
    pub(crate) entries: Vec<Entry>,
}

impl Groups {
    /// Reads the file; `list` is the key that holds the entries.
    ///
    /// # Errors
    /// When the file is absent, is not TOML, or has a key in a suite that nothing reads.
    pub(crate) fn read(cx: &GateContext<'_>, path: &str, list: &str) -> Result<Self, GateError> {
        let source = cx.file_at(path)?;
        let file = TomlFile::new(source.path(), source.text()?)?;
        let root = file.parse()?;
        let mut groups =
            Self { path: file.path().clone(), suites: BTreeMap::new(), entries: Vec::new() };
        let Some(suites) = file.table(&root, "suite")? else { return Ok(groups) };
        for (suite, value) in in_file_order(suites) {
            let suite_name = suite.get_ref().to_string();
            groups.suites.insert(suite_name.clone(), file.locate(suite.span().start));
            for (key, value) in in_file_order(file.as_table(value, &suite_name)?) {
                let key_name: &str = key.get_ref();
                if key_name == list {
                    for (name, offset) in file.strings(value, list)? {
                        groups.entries.push(Entry {
                            suite: suite_name.clone(),
                            name,
                            at: file.locate(offset),
                        });
                    }
                } else if key_name != "description" {
                    return Err(unknown_key(&file, key_name, key.span().start, &suite_name, list));
                }
            }
        }
        Ok(groups)
    }
}

fn unknown_key(file: &TomlFile, key: &str, offset: usize, suite: &str, list: &str) -> Fault {
    Fault::new(
        CONFIG_UNKNOWN_KEY,
        format!("`[suite.{suite}]` has the key `{key}`, which nothing reads"),
        format!("write the entries as `{list} = [\"...\"]`"),
    )
    .at(file.locate(offset))
    .expected(format!("`{list}` or `description`"))
}
