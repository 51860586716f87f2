//! The trials of a target: gates and aggregates of a gate binary, functions of a libtest target. It runs no `--list`.

use super::program::Resolver;
use crate::rust_source::{module_files, tests};
use cargo_metadata::Target;
use portcullis::{
    Fault, GateError, RelPath, runner::roster::AGGREGATES, wire::code::INPUT_UNREADABLE,
};
use std::collections::BTreeMap;

/// Trials by the source of their target; sources are read once.
#[derive(Default)]
pub(super) struct Trials {
    by_source: BTreeMap<String, Vec<String>>,
}

impl Resolver<'_, '_> {
    /// The trials of a target, as its binary names them.
    ///
    /// # Errors
    /// When its sources cannot be read.
    pub(super) fn trials_of(&mut self, target: &Target) -> Result<Vec<String>, GateError> {
        if let Some(stated) = self.config.trials.get(&target.name) {
            return Ok(stated.clone());
        }
        let of_policy = self.of_policy(&target.name);
        if !of_policy.is_empty() {
            return Ok(of_policy);
        }
        let source = target.src_path.as_str();
        if let Some(known) = self.trials.by_source.get(source) {
            return Ok(known.clone());
        }
        let Some(root) = self.workspace.relative(source) else {
            let headline = format!("the source of `{}` lies outside the repository", target.name);
            return Err(Fault::new(
                INPUT_UNREADABLE,
                headline,
                "move the target into the repository",
            ));
        };
        let cx = self.cx;
        let read = |path: &RelPath| {
            let file = cx.file(path);
            if file.exists()? { file.text().map(Some) } else { Ok(None) }
        };
        let mut found = Vec::new();
        for (path, file) in cx.watch(module_files(&root, read))? {
            let tests = cx.watch(tests(&path, &file.tokens, &file.module))?;
            found.extend(tests.into_iter().map(|test| test.name));
        }
        self.trials.by_source.insert(source.to_owned(), found.clone());
        Ok(found)
    }

    /// The gates of a binary, with the aggregates where the policy puts them.
    fn of_policy(&self, binary: &str) -> Vec<String> {
        let gates = self.cx.gates().iter().filter(|gate| gate.common.binary == binary);
        let mut trials: Vec<String> = gates.map(|gate| gate.common.id.to_string()).collect();
        if self.cx.policy().binary == binary {
            trials.extend(AGGREGATES.iter().map(|name| (*name).to_owned()));
        }
        trials
    }
}
