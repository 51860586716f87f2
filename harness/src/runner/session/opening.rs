//! What every start reads first: root, environment and policy. It opens nothing that a list does not need.

use super::{POLICY_FILE, Session, files};
use crate::{
    evidence::{clock::Stopwatch, environment::Environment, tree::Tree},
    kernel::policy::{self, Policy},
    runner::{registry::Registry, roster::Roster},
    wire::{
        code::{BINARY_FOREIGN, CONFIG_ABSENT},
        fault::Fault,
    },
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The package that a gate binary belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Package<'a> {
    dir: &'a Path,
    name: Option<&'a str>,
}

impl<'a> Package<'a> {
    /// The package that a gate binary was built from: its folder then, and its name.
    #[must_use]
    pub const fn built(dir: &'a Path, name: &'a str) -> Self {
        Self { dir, name: Some(name) }
    }

    /// A folder that was asked for by itself, whatever this program was built from.
    #[must_use]
    pub const fn at(dir: &'a Path) -> Self {
        Self { dir, name: None }
    }

    /// The folder to look from. Cargo takes a binary from a shared target directory although another checkout built it,
    /// and the folder compiled into it is then that of the other checkout: a gate would look at a tree nobody asked about.
    ///
    /// # Errors
    /// `binary_foreign` where cargo started it for another folder; `config_absent` where its folder is gone.
    fn folder(self, environment: &Environment) -> Result<PathBuf, Fault> {
        let dir = |name: &str| environment.get(name).map(PathBuf::from).filter(|dir| dir.is_dir());
        // The variable of a cargo further up names the package that this cargo runs, which need not be this one.
        let is_ours = self.name.is_some() && environment.get("CARGO_PKG_NAME") == self.name;
        let asked = is_ours.then(|| dir("CARGO_MANIFEST_DIR")).flatten();
        let differs = asked.filter(|asked| asked != self.dir && !is_same(asked, self.dir));
        // Nextest starts what was unpacked from an archive, and says where the package is on this machine.
        let is_nextest = environment.get("NEXTEST").is_some();
        match (differs, self.dir.is_dir()) {
            (Some(asked), _) if is_nextest => Ok(asked),
            (Some(asked), true) => Err(foreign(self.dir, &asked)),
            (None, true) => Ok(self.dir.to_path_buf()),
            // The folders above one that is gone belong to somebody else: their policy is not the one of this binary.
            (_, false) => dir("NEXTEST_WORKSPACE_ROOT").ok_or_else(|| gone(self.dir)),
        }
    }
}

/// Whether two names are one folder. What cannot be resolved is another one.
fn is_same(one: &Path, other: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().ok();
    canonical(one).is_some_and(|one| Some(one) == canonical(other))
}

fn foreign(built: &Path, asked: &Path) -> Fault {
    let headline = "this gate binary was built in another checkout, and would look at that one";
    let remedy = "give each checkout a target directory of its own, then build again: `cargo clean`, and the same command";
    Fault::new(BINARY_FOREIGN, headline, remedy)
        .expected(format!("a binary built in {}", asked.display()))
        .found(format!("one built in {}", built.display()))
}

fn gone(package: &Path) -> Fault {
    Fault::new(
        CONFIG_ABSENT,
        format!("the folder this gate binary was built in is gone: {}", package.display()),
        "build it again where the repository is now: `cargo clean`, then the same command",
    )
}

/// Finds the repository root: the nearest folder at or above one that has a policy file.
///
/// # Errors
/// `config_absent`, with the way to begin.
pub fn find_root(start: &Path) -> Result<PathBuf, Fault> {
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
    /// Every fault of the policy file, and `binary_foreign`.
    pub fn read(package: Package<'_>) -> Result<Self, Vec<Fault>> {
        let stopwatch = Stopwatch::start();
        let ambient = Environment::capture(&[]);
        let root = package
            .folder(&ambient)
            .and_then(|folder| find_root(&folder))
            .map_err(|fault| vec![fault])?;
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
    use std::ffi::OsString;

    fn set(pairs: &[(&str, &Path)]) -> Environment {
        let owned = |(name, value): &(&str, &Path)| ((*name).to_owned(), OsString::from(value));
        Environment::from_pairs(pairs.iter().map(owned))
    }

    #[test]
    fn the_nearest_policy_at_or_above_is_the_root() {
        let above = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(above.path().join("a/b")).expect("a folder");
        assert_eq!(find_root(&above.path().join("a/b")).expect_err("none").code(), CONFIG_ABSENT);
        #[expect(clippy::disallowed_methods, reason = "a test writes its own tree")]
        std::fs::write(above.path().join(POLICY_FILE), "").expect("a policy");
        assert_eq!(find_root(&above.path().join("a/b")).expect("a root"), above.path());
    }

    #[test]
    fn a_binary_looks_at_the_tree_it_was_built_in_and_at_no_other_unless_asked_rightly() {
        let all = tempfile::tempdir().expect("a folder");
        let path = |name: &str| all.path().join(name);
        for name in ["own", "other"] {
            std::fs::create_dir_all(path(name)).expect("a folder");
        }
        let (own, other, absent) = (path("own"), path("other"), path("absent"));
        let dotted = all.path().join("other/../own");
        let (name, another) = (Path::new("gated"), Path::new("another"));
        let (dir, package, nextest) = ("CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "NEXTEST");
        let root = "NEXTEST_WORKSPACE_ROOT";
        let one = Path::new("1");
        type Set<'a> = Vec<(&'a str, &'a Path)>;
        let table: Vec<(&str, &Path, Set<'_>, Result<&Path, _>)> = vec![
            ("a bare start", &own, vec![], Ok(&own)),
            ("cargo, here", &own, vec![(dir, &own), (package, name)], Ok(&own)),
            ("cargo, here by another name", &own, vec![(dir, &dotted), (package, name)], Ok(&own)),
            (
                "cargo, another checkout",
                &own,
                vec![(dir, &other), (package, name)],
                Err(BINARY_FOREIGN),
            ),
            (
                "below the cargo of another package",
                &own,
                vec![(dir, &other), (package, another)],
                Ok(&own),
            ),
            ("below a cargo without a name", &own, vec![(dir, &other)], Ok(&own)),
            (
                "an archive beside the checkout it is of",
                &own,
                vec![(dir, &other), (package, name), (nextest, one)],
                Ok(&other),
            ),
            ("nextest, here", &own, vec![(dir, &own), (package, name), (nextest, one)], Ok(&own)),
            ("a checkout that is gone", &absent, vec![], Err(CONFIG_ABSENT)),
            (
                "a checkout that was moved",
                &absent,
                vec![(dir, &other), (package, name)],
                Err(CONFIG_ABSENT),
            ),
            ("an archive elsewhere", &absent, vec![(nextest, one), (root, &other)], Ok(&other)),
            (
                "an archive elsewhere, of a member",
                &absent,
                vec![(nextest, one), (root, &other), (dir, &own), (package, name)],
                Ok(&own),
            ),
        ];
        for (what, built, pairs, expected) in table {
            let found = Package::built(built, "gated").folder(&set(&pairs));
            let found = found.as_deref().map_err(Fault::code);
            assert_eq!(found, expected, "{what}");
        }
        // A program that says itself which tree it means is taken at its word.
        let asked = set(&[(dir, &other), (package, name)]);
        assert_eq!(Package::at(&own).folder(&asked).expect("a folder"), own);
    }
}
