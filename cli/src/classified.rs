//! Edits of `suite_classification.toml` that keep its comments and its order. Each result is judged before it is written.

use crate::{
    exit::{Exit, Refused},
    repository::Repository,
    written,
};
use portcullis::{
    Fault, Location,
    runner::session::CLASSIFICATION_FILE,
    wire::code::{NAME_UNKNOWN, TOML_INVALID, USAGE},
};
use toml_edit::{DocumentMut, Item, Table};

/// The file, ready to be edited.
pub(crate) struct Classified {
    document: DocumentMut,
}

impl Classified {
    /// Reads the file; one that does not exist is empty.
    pub(crate) fn read(repository: &Repository) -> Result<Self, Refused> {
        Self::parse(&repository.classification()?)
    }

    fn parse(text: &str) -> Result<Self, Refused> {
        let document = text.parse().map_err(|source: toml_edit::TomlError| {
            let headline = "the file cannot be edited: it is no TOML";
            let fault = Fault::new(TOML_INVALID, headline, "correct the line that is named");
            Refused::new(
                Exit::Usage,
                fault.at(Location::file(CLASSIFICATION_FILE)).found(source.to_string()),
            )
        })?;
        Ok(Self { document })
    }

    /// The table at this path, where there is one.
    pub(crate) fn table_mut(&mut self, path: &[&str]) -> Option<&mut dyn toml_edit::TableLike> {
        let mut item = self.document.as_item_mut();
        for part in path {
            item = item.as_table_like_mut()?.get_mut(part)?;
        }
        item.as_table_like_mut()
    }

    /// Adds a table at the end of its section; one of that name must not exist.
    pub(crate) fn add(&mut self, path: &[&str], fields: Table) -> Result<(), Refused> {
        let name = path.join(".");
        if self.table_mut(path).is_some() {
            let headline = format!("`[{}]` exists already", name.escape_debug());
            let fault = Fault::new(USAGE, headline, "renew or change the one that is there");
            return Err(Refused::new(Exit::Usage, fault.at(Location::file(CLASSIFICATION_FILE))));
        }
        let Some((last, parents)) = path.split_last() else { return Ok(()) };
        let mut table = self.document.as_table_mut();
        for parent in parents {
            let item = table.entry(parent).or_insert_with(|| {
                let mut section = Table::new();
                section.set_implicit(true);
                Item::Table(section)
            });
            table = item.as_table_mut().ok_or_else(|| {
                let headline = format!(
                    "`{}` is no section that a table can be added to",
                    parent.escape_debug()
                );
                let remedy = format!("write it as `[{name}]`");
                Refused::new(Exit::Usage, Fault::new(USAGE, headline, remedy))
            })?;
        }
        let mut fields = fields;
        fields.decor_mut().set_prefix("\n");
        table.insert(last, Item::Table(fields));
        Ok(())
    }

    /// Removes a table, and the comments that stand right above it with it; a section that is empty then goes as well.
    pub(crate) fn remove(&mut self, path: &[&str]) -> Result<(), Refused> {
        let Some((last, parents)) = path.split_last() else { return Ok(()) };
        if self.table_mut(parents).and_then(|parent| parent.remove(last)).is_none() {
            let headline = format!("there is no `[{}]`", path.join(".").escape_debug());
            let fault = Fault::new(NAME_UNKNOWN, headline, "`lint` shows what there is");
            return Err(Refused::new(Exit::Usage, fault.at(Location::file(CLASSIFICATION_FILE))));
        }
        for n in (1..path.len()).rev() {
            let Some((section, above)) = path.get(..n).and_then(<[&str]>::split_last) else {
                break;
            };
            let empty = self
                .table_mut(path.get(..n).unwrap_or_default())
                .is_some_and(|table| table.is_empty());
            if empty && let Some(above) = self.table_mut(above) {
                above.remove(section);
            }
        }
        Ok(())
    }

    /// The text as it would be written.
    pub(crate) fn text(&self) -> String {
        self.document.to_string()
    }

    /// Writes it, unless something is wrong with the result.
    pub(crate) fn write(&self, repository: &Repository, faults: Vec<Fault>) -> Result<(), Refused> {
        if !faults.is_empty() {
            return Err(Refused::all(Exit::Usage, faults));
        }
        written::write(repository, CLASSIFICATION_FILE, &self.text()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# the head\n\n[suite.unit] # said here\ntargets = [\"a\"]\n\n# why b\n[waiver.b]\nowner = 'x' # kept\nexpires = 2026-05-31\n\n[suite.e2e]\ntargets = []\n";

    fn fields() -> Table {
        let mut table = Table::new();
        table.insert("owner", toml_edit::value("y"));
        table
    }

    #[test]
    fn what_is_not_edited_stays_byte_for_byte() {
        let mut file = Classified::parse(FILE).expect("TOML");
        file.add(&["waiver", "c"], fields()).expect("added");
        let text = file.text();
        for line in FILE.lines() {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(text.contains("\n[waiver.c]\nowner = \"y\"\n"), "{text}");
        file.remove(&["waiver", "c"]).expect("removed");
        assert_eq!(file.text(), FILE);
    }

    #[test]
    fn the_last_table_takes_its_section_along() {
        let mut file = Classified::parse("# head\n[suite.unit]\ntargets = []\n").expect("TOML");
        file.add(&["quarantine", "api", "it's a::b"], fields()).expect("added");
        let text = file.text();
        assert!(text.ends_with("\n[quarantine.api.\"it's a::b\"]\nowner = \"y\"\n"), "{text}");
        file.remove(&["quarantine", "api", "it's a::b"]).expect("removed");
        assert_eq!(file.text(), "# head\n[suite.unit]\ntargets = []\n");
    }

    #[test]
    fn what_is_there_is_not_overwritten_and_what_is_not_cannot_go() {
        let mut file = Classified::parse(FILE).expect("TOML");
        assert_eq!(file.add(&["waiver", "b"], fields()).expect_err("exists").exit, Exit::Usage);
        assert_eq!(file.remove(&["waiver", "z"]).expect_err("absent").exit, Exit::Usage);
        assert_eq!(file.text(), FILE);
        assert!(Classified::parse("a = = b").is_err());
    }
}
