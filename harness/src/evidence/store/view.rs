//! Views: documents under fixed names in a folder of the repository. Replaced whole, never written through a link.

use super::{
    disk::{self, Disk},
    unwritable,
};
use crate::wire::{
    code::LINK_REFUSED,
    fault::{Fault, Location},
    path::RelPath,
};
use std::{fs, io, path::Path};

/// Writes `name` below `dir` of a tree, in place of whatever stood there. Missing folders are created.
///
/// # Errors
/// `link_refused` when a folder on the way is a link, `path_refused`, `receipt_unwritable` when the disk refuses.
pub fn publish_view(
    tree_root: &Path,
    dir: &RelPath,
    name: &str,
    bytes: &[u8],
) -> Result<(), Fault> {
    let name = disk::rel(name)?;
    let mut path = tree_root.to_path_buf();
    let folders = name.as_str().rsplit_once('/').map(|(folders, _)| folders.split('/'));
    for part in dir.parts().chain(folders.into_iter().flatten()) {
        path.push(part);
        match fs::create_dir(&path) {
            Ok(()) => {}
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(unwritable(&path, &source)),
        }
        let metadata = fs::symlink_metadata(&path).map_err(|source| unwritable(&path, &source))?;
        if !metadata.is_dir() {
            return Err(Fault::new(
                LINK_REFUSED,
                format!("`{dir}` passes through a link or a file"),
                "name a real folder of the repository for the views",
            )
            .at(Location::file(dir)));
        }
    }
    path.push(name.file_name());
    Disk::default().replace(&path, bytes).map_err(|source| unwritable(&path, &source))
}
