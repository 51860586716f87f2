//! Where cargo's target directory is, as seen from a running test binary. It asks no cargo.

use std::path::{Path, PathBuf};

/// cargo's target directory: of the running binary, else `CARGO_TARGET_DIR`, else `target` below `root`.
///
/// A binary in `<target>/<profile>/deps` lies below a folder that cargo marked with `CACHEDIR.TAG`, wherever
/// the configuration put it. A binary unpacked from an archive lies below none, and reports into `root`.
#[must_use]
pub fn find(root: &Path, exe: Option<&Path>, variable: Option<&str>) -> PathBuf {
    let marked = exe.and_then(|exe| {
        exe.ancestors().skip(1).find(|folder| folder.join("CACHEDIR.TAG").is_file())
    });
    match (marked, variable) {
        (Some(folder), _) => folder.to_path_buf(),
        (None, Some(text)) if !text.is_empty() => root.join(text),
        (None, Some(_) | None) => root.join("target"),
    }
}

/// The running binary, where the system tells.
#[must_use]
pub fn current_exe() -> Option<PathBuf> {
    std::env::current_exe().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marked_folder_wins() {
        let folder = tempfile::tempdir().expect("a folder");
        let deps = folder.path().join("elsewhere/debug/deps");
        std::fs::create_dir_all(&deps).expect("folders");
        let (root, exe) = (folder.path(), deps.join("gate"));
        assert_eq!(find(root, Some(&exe), None), root.join("target"), "an archive has no mark");
        assert_eq!(
            find(root, Some(&exe), Some("out")),
            root.join("out"),
            "then the variable counts"
        );
        let tag = root.join("elsewhere/CACHEDIR.TAG");
        tempfile::NamedTempFile::new_in(root)
            .and_then(|f| f.persist(&tag).map_err(Into::into))
            .expect("a tag");
        assert_eq!(find(root, Some(&exe), Some("out")), root.join("elsewhere"));
    }
}
