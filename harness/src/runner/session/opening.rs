//! What every start reads first: root, environment and policy. It opens nothing that a list does not need.

use super::{POLICY_FILE, Session, files};
use crate::{
    evidence::{clock::Stopwatch, environment::Environment, tree::Tree},
    kernel::policy::{self, Policy},
    runner::{registry::Registry, roster::Roster},
    wire::{code::CONFIG_ABSENT, fault::Fault},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Finds the repository root: the nearest folder at or above the package that has a policy file.
///
/// # Errors
/// `config_absent`, with the way to begin.
pub fn find_root(package: &Path, environment: &Environment) -> Result<PathBuf, Fault> {
    // A binary unpacked from an archive runs on a machine that lacks the folder it was built in.
    let moved = || environment.get("NEXTEST_WORKSPACE_ROOT").map(PathBuf::from);
    let start = if package.is_dir() { Some(package.to_path_buf()) } else { moved() };
    // The folders above one that is gone belong to somebody else: their policy is not the one of this binary.
    let Some(start) = start.filter(|start| start.is_dir()) else {
        return Err(Fault::new(
            CONFIG_ABSENT,
            format!("the folder this gate binary was built in is gone: {}", package.display()),
            "build it again where the repository is now: `cargo clean`, then the same command",
        ));
    };
    start
        .ancestors()
        .find(|folder| folder.join(POLICY_FILE).is_file())
        .map(Path::to_path_buf)
        .ok_or_else(|| {
            Fault::new(
                CONFIG_ABSENT,
                format!("no `{POLICY_FILE}` at or above {}", start.display()),
                format!("write one; the least is `[policy]` with `version = 1` and `owner = \"...\"` in `{POLICY_FILE}`"),
            )
        })
}

/// What every start reads first: the repository's root, its environment and its policy.
pub struct Opening {
    /// The policy.
    pub policy: Arc<Policy>,
    policy_text: String,
    tree: Tree,
    environment: Environment,
    stopwatch: Stopwatch,
}

impl Opening {
    /// Reads the policy and nothing else.
    ///
    /// # Errors
    /// Every fault of the policy file.
    pub fn read(package: &Path) -> Result<Self, Vec<Fault>> {
        let stopwatch = Stopwatch::start();
        let ambient = Environment::capture(&[]);
        let root = find_root(package, &ambient).map_err(|fault| vec![fault])?;
        let tree = Tree::new(&root).map_err(|fault| vec![fault])?;
        let policy_text = files::read_config(&tree, POLICY_FILE).map_err(|fault| vec![fault])?;
        let policy = policy::parse(POLICY_FILE, &policy_text)?;
        let environment = if policy.env_allow.is_empty() {
            ambient
        } else {
            Environment::capture(&policy.env_allow)
        };
        Ok(Self { policy: Arc::new(policy), policy_text, tree, environment, stopwatch })
    }

    /// Reads census and waivers, and resolves clock, lane and run id. It writes nothing yet.
    ///
    /// # Errors
    /// Every fault of the configuration, before anything runs.
    pub fn session(self, binary: &str, registry: &Registry) -> Result<Session, Vec<Fault>> {
        let Self { policy, policy_text, tree, environment, stopwatch } = self;
        let roster = Roster::join(policy, registry, binary)?;
        Session::assemble(tree, environment, roster, binary, (policy_text, stopwatch))
            .map_err(|fault| vec![fault])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_gone_has_no_root() {
        let above = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(above.path().join("there")).expect("a folder");
        #[expect(clippy::disallowed_methods, reason = "a test writes its own tree")]
        std::fs::write(above.path().join(POLICY_FILE), "").expect("a policy");
        let none: [(String, std::ffi::OsString); 0] = [];
        let environment = Environment::from_pairs(none);
        let found = find_root(&above.path().join("there"), &environment).expect("a root");
        assert_eq!(found, above.path());
        // The policy above is somebody else's once the folder of the binary is gone.
        let fault = find_root(&above.path().join("gone"), &environment).expect_err("no root");
        assert_eq!(fault.code(), CONFIG_ABSENT);
        let moved = above.path().join("there").to_string_lossy().into_owned();
        let environment = Environment::from_pairs([(
            "NEXTEST_WORKSPACE_ROOT".to_owned(),
            std::ffi::OsString::from(moved),
        )]);
        let found = find_root(&above.path().join("gone"), &environment).expect("an archive");
        assert_eq!(found, above.path());
    }
}
