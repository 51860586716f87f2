//! Aliases of cargo, from the configuration of the folder that it runs in and of every folder above.

use super::{Leaf, Opening, Project};
use portcullis::Fault;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Aliases that cargo has of its own.
const BUILT_IN: &[(&str, &str)] =
    &[("b", "build"), ("c", "check"), ("d", "doc"), ("t", "test"), ("r", "run"), ("rm", "remove")];

/// Subcommands of cargo, which no alias can take the place of.
const RESERVED: &[&str] = &[
    "add",
    "bench",
    "build",
    "check",
    "clean",
    "config",
    "doc",
    "fetch",
    "fix",
    "generate-lockfile",
    "help",
    "info",
    "init",
    "install",
    "locate-project",
    "login",
    "logout",
    "metadata",
    "new",
    "owner",
    "package",
    "pkgid",
    "publish",
    "remove",
    "report",
    "run",
    "rustc",
    "rustdoc",
    "search",
    "test",
    "tree",
    "uninstall",
    "update",
    "vendor",
    "verify-project",
    "version",
    "yank",
];

impl Project<'_> {
    /// What `cargo <alias>` stands for.
    pub(super) fn alias(&self, leaf: &Leaf, rest: &[String]) -> Result<Opening, Fault> {
        let Some(at) = subcommand(rest) else { return Ok(Opening::None) };
        let Some(name) = rest.get(at).filter(|name| !RESERVED.contains(&name.as_str())) else {
            return Ok(Opening::None);
        };
        let mut aliases = self.aliases_of(&leaf.folder)?.get(name.as_str()).cloned();
        // What the command line itself configures comes first.
        for pair in rest.windows(2).take(at) {
            if let [flag, text] = pair
                && flag == "--config"
                && let Some((key, value)) = text.split_once('=')
                && key.trim() == format!("alias.{name}")
            {
                let value = value.trim().trim_matches(['"', '\'']);
                aliases = Some(value.split_whitespace().map(str::to_owned).collect());
            }
        }
        if aliases.is_none() {
            let built_in = BUILT_IN.iter().find(|(short, _)| short == name);
            aliases = built_in.map(|(_, long)| vec![(*long).to_owned()]);
        }
        let Some(words) = aliases else { return Ok(Opening::None) };
        let mut argv = vec!["cargo".to_owned()];
        argv.extend(rest.iter().take(at).cloned());
        argv.extend(words);
        argv.extend(rest.iter().skip(at + 1).cloned());
        Ok(Opening::Argv(argv))
    }

    /// Whether cargo has an alias of this name at the root.
    pub(crate) fn has_alias(&self, name: &str) -> Result<bool, Fault> {
        Ok(self.aliases_of("")?.contains_key(name))
    }

    fn aliases_of(&self, folder: &str) -> Result<Rc<BTreeMap<String, Vec<String>>>, Fault> {
        if let Some(known) = self.aliases.borrow().get(folder) {
            return Ok(Rc::clone(known));
        }
        let mut found = BTreeMap::new();
        let mut below = folder;
        loop {
            for name in ["config.toml", "config"] {
                let path = match below {
                    "" => format!(".cargo/{name}"),
                    below => format!("{below}/.cargo/{name}"),
                };
                if let Some(text) = self.read(&path)? {
                    for (alias, words) in read(&text) {
                        // The folder nearest to the command wins.
                        found.entry(alias).or_insert(words);
                    }
                    break;
                }
            }
            if below.is_empty() {
                break;
            }
            below = below.rsplit_once('/').map_or("", |(above, _)| above);
        }
        let found = Rc::new(found);
        self.aliases.borrow_mut().insert(folder.to_owned(), Rc::clone(&found));
        Ok(found)
    }
}

/// The place of the subcommand behind options of cargo.
pub(crate) fn subcommand(rest: &[String]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        if !word.starts_with(['-', '+']) {
            return Some(at);
        }
        let takes_value =
            matches!(word.as_str(), "--config" | "-Z" | "-C" | "--color" | "--explain");
        at += if takes_value { 2 } else { 1 };
    }
    None
}

/// The aliases of a configuration. One that does not parse has none: the fence over cargo's configuration reports it.
fn read(text: &str) -> Vec<(String, Vec<String>)> {
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let Some(aliases) = table.get("alias").and_then(toml::Value::as_table) else {
        return Vec::new();
    };
    let words = |value: &toml::Value| match value {
        toml::Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        toml::Value::Array(list) => {
            list.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect()
        }
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Table(_) => Vec::new(),
    };
    aliases.iter().map(|(name, value)| (name.clone(), words(value))).collect()
}
