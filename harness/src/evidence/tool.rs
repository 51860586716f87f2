//! Where a tool is: an absolute path outside the work tree, or a refusal. Leaves out whether it is the right tool.

use crate::wire::{code::TOOL_PATH_REFUSED, fault::Fault, path::RelPath};
use std::{
    ffi::OsStr,
    fs,
    path::{Component, Path, PathBuf},
};

/// Finds a tool by name on a search path, or checks an absolute path; nothing when it is not installed.
///
/// # Errors
/// `tool_path_refused` when the first hit comes from an empty or relative entry, or lies inside the work tree, or when
/// the name itself is a relative path (threat T34).
pub fn find(
    name: &str,
    path_var: Option<&OsStr>,
    work_tree: &Path,
) -> Result<Option<PathBuf>, Fault> {
    if name.is_empty() || name.contains('\0') {
        return Err(refused(name, Path::new(name), "the name is empty or has a NUL"));
    }
    if Path::new(name).is_absolute() {
        return executable_at(Path::new(name))
            .map_or(Ok(None), |hit| outside(name, hit, work_tree).map(Some));
    }
    if Path::new(name).components().count() != 1 || name.contains(['/', '\\']) {
        return Err(refused(name, Path::new(name), "the name is a relative path"));
    }
    for entry in path_var.map(std::env::split_paths).into_iter().flatten() {
        // An empty entry means the current directory (fact G7), which for a gate is the work tree.
        let hit = if entry.is_absolute() {
            executable_at(&entry.join(name))
        } else {
            executable_at(&work_tree.join(&entry).join(name))
                .or_else(|| executable_at(&entry.join(name)))
        };
        let Some(hit) = hit else { continue };
        if !entry.is_absolute() {
            return Err(refused(name, &hit, "the entry of `PATH` is empty or relative"));
        }
        return outside(name, hit, work_tree).map(Some);
    }
    Ok(None)
}

/// Finds a tool in a folder below cargo's target directory, where a lane installs what it needs and nothing is
/// committed; nothing when it is not there.
///
/// # Errors
/// `tool_path_refused` when the name is no plain name, or a link leads out of the target directory: a tool of the
/// work tree is one that the change under test can exchange (threat T34).
pub fn find_below(
    target_dir: &Path,
    folder: &RelPath,
    name: &str,
) -> Result<Option<PathBuf>, Fault> {
    let below = target_dir.join(folder.as_str());
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    if !plain || name.contains(['/', '\\', '\0']) {
        return Err(refused(name, &below, "the name is not a plain name"));
    }
    let Some(hit) = executable_at(&below.join(name)) else { return Ok(None) };
    let resolved = (fs::canonicalize(&hit), fs::canonicalize(target_dir));
    match resolved {
        (Ok(resolved), Ok(target)) if resolved.starts_with(&target) => Ok(Some(hit)),
        (Ok(resolved), Ok(_)) => {
            Err(refused(name, &resolved, "it is a link out of the target directory"))
        }
        (Err(source), _) | (_, Err(source)) => {
            Err(refused(name, &hit, "it cannot be resolved").because(&source))
        }
    }
}

fn outside(name: &str, hit: PathBuf, work_tree: &Path) -> Result<PathBuf, Fault> {
    // Both ends are resolved, so that neither a link into the tree nor one out of it hides where the tool lies.
    let resolve = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let tree = resolve(work_tree);
    if hit.starts_with(work_tree) || hit.starts_with(&tree) || resolve(&hit).starts_with(&tree) {
        return Err(refused(name, &hit, "it lies inside the work tree"));
    }
    Ok(hit)
}

fn refused(name: &str, hit: &Path, why: &str) -> Fault {
    Fault::new(
        TOOL_PATH_REFUSED,
        format!("the tool `{}` is refused: {why}", name.escape_debug()),
        "install the tool outside the repository and remove empty, relative and in-tree entries from `PATH`",
    )
    .expected("an absolute path outside the work tree")
    .found(hit.display().to_string())
}

#[cfg(unix)]
fn executable_at(path: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).ok()?;
    (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then(|| path.to_path_buf())
}

/// Windows starts files by their extension.
#[cfg(not(unix))]
fn executable_at(path: &Path) -> Option<PathBuf> {
    const EXTENSIONS: &[&str] = &["exe", "com", "bat", "cmd"];
    let known = path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    if known.is_some_and(|known| EXTENSIONS.contains(&known.as_str())) && path.is_file() {
        return Some(path.to_path_buf());
    }
    let with = |extension: &&str| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        PathBuf::from(name)
    };
    EXTENSIONS
        .iter()
        .map(with)
        .find(|candidate| fs::metadata(candidate).is_ok_and(|metadata| metadata.is_file()))
}

#[cfg(all(test, unix))]
#[expect(clippy::disallowed_methods, reason = "tests build their files in place")]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn install(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, "#!/bin/sh\n").expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    #[test]
    fn t34_a_tool_comes_from_outside_or_not_at_all() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (root, tree) = (dir.path(), dir.path().join("tree"));
        install(&root.join("bin/tool"), 0o755);
        install(&root.join("data/tool"), 0o644);
        install(&tree.join("tool"), 0o755);
        install(&tree.join("bin/tool"), 0o755);
        fs::create_dir(root.join("links")).expect("a folder");
        symlink(tree.join("tool"), root.join("links/tool")).expect("a link");
        let at = |name: &str| root.join(name).display().to_string();
        let (bin, tree_bin, links, data) = (at("bin"), at("tree/bin"), at("links"), at("data"));
        let (absolute, inside) = (at("bin/tool"), at("tree/tool"));
        type Row<'a> = (&'a str, &'a str, Option<String>, Result<bool, &'a str>);
        let refused = Err("tool_path_refused");
        let table: &[Row<'_>] = &[
            ("outside", "tool", Some(bin.clone()), Ok(true)),
            ("not installed", "other", Some(bin.clone()), Ok(false)),
            ("no search path", "tool", None, Ok(false)),
            (
                "a file nobody may execute is passed over",
                "tool",
                Some(format!("{data}:{bin}")),
                Ok(true),
            ),
            ("t34: an empty entry before it", "tool", Some(format!(":{bin}")), refused),
            ("a relative entry before it", "tool", Some(format!("bin:{bin}")), refused),
            (
                "a relative entry that leaves the work tree",
                "tool",
                Some(format!("../bin:{bin}")),
                refused,
            ),
            ("an empty entry after it is never reached", "tool", Some(format!("{bin}:")), Ok(true)),
            ("an entry inside the work tree", "tool", Some(tree_bin), refused),
            ("a link into the work tree", "tool", Some(links), refused),
            (
                "an empty entry that does not resolve",
                "sh",
                Some("/nowhere:/bin".to_owned()),
                Ok(true),
            ),
            ("an absolute name", &absolute, None, Ok(true)),
            ("an absolute name inside the work tree", &inside, None, refused),
            ("an absolute name of nothing", "/nowhere/tool", None, Ok(false)),
            ("a relative name", "./tool", Some(bin.clone()), refused),
            ("a relative name below", "bin/tool", Some(bin.clone()), refused),
            ("no name", "", Some(bin.clone()), refused),
        ];
        for (case, name, path, expected) in table {
            let seen = find(name, path.as_deref().map(OsStr::new), &tree);
            let seen = seen.map(|hit| hit.is_some()).map_err(|fault| fault.code().name());
            assert_eq!(seen, *expected, "{case}");
        }
        let hit = find("tool", Some(OsStr::new(&bin)), &tree).expect("a tool").expect("a path");
        assert_eq!(hit, root.join("bin/tool"));
    }

    #[test]
    fn t34_a_tool_of_a_lane_lies_below_the_target_directory() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (tree, target) = (dir.path().join("tree"), dir.path().join("tree/target"));
        install(&target.join("tools/bin/tool"), 0o755);
        install(&target.join("tools/bin/data"), 0o644);
        install(&tree.join("evil"), 0o755);
        symlink(target.join("tools/bin/tool"), target.join("tools/bin/link")).expect("a link");
        symlink(tree.join("evil"), target.join("tools/bin/out")).expect("a link");
        symlink(&tree, target.join("up")).expect("a link");
        let refused = Err("tool_path_refused");
        let table: &[(&str, &str, &str, Result<bool, &str>)] = &[
            ("installed", "tools/bin", "tool", Ok(true)),
            ("a link within", "tools/bin", "link", Ok(true)),
            ("not installed", "tools/bin", "other", Ok(false)),
            ("no such folder", "nothing", "tool", Ok(false)),
            ("a file nobody may execute", "tools/bin", "data", Ok(false)),
            ("a link into the work tree", "tools/bin", "out", refused),
            ("a folder that is a link out", "up", "evil", refused),
            ("a path instead of a name", "tools", "bin/tool", refused),
            ("a way up", "tools/bin", "..", refused),
            ("no name", "tools/bin", "", refused),
        ];
        for (case, folder, name, expected) in table {
            let folder = RelPath::parse(folder).expect("a path");
            let seen = find_below(&target, &folder, name).map(|hit| hit.is_some());
            assert_eq!(seen.map_err(|fault| fault.code().name()), *expected, "{case}");
        }
    }
}
