//! Which paths a backup was asked for, as a tree of what to take from each folder.
//!
//! A snapshot holds absolute paths: backing up `/home/me` makes the folders `/` and `/home`, each with
//! just the one entry.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// What to take from a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selection {
    /// Everything in it.
    All,
    /// Nothing: the folder itself is enough.
    Nothing,
    /// Just these entries, named by the user: excludes do not apply to them.
    Only(BTreeMap<OsString, Selection>),
}

/// The absolute paths of a backup, without `.` and `..`, and the selection from `/` they make.
pub(super) struct Roots {
    pub(super) paths: Vec<PathBuf>,
    pub(super) selection: Selection,
}

impl Roots {
    /// Nothing, for a backup that takes no paths.
    pub(super) fn none() -> Self {
        Self { paths: Vec::new(), selection: Selection::Only(BTreeMap::new()) }
    }

    /// Resolves paths as given. [`ErrorKind::NotFound`] when none of them exists.
    pub(super) fn resolve(given: &[PathBuf]) -> Result<Self> {
        let mut paths = given.iter().map(|path| absolute(path)).collect::<Result<Vec<_>>>()?;
        paths.sort();
        paths.dedup();
        if !paths.iter().any(|path| path.symlink_metadata().is_ok()) {
            return Err(Error::new(ErrorKind::NotFound, "none of the paths to back up exists"));
        }
        let mut selection = Selection::Only(BTreeMap::new());
        for path in &paths {
            selection.add(path);
        }
        Ok(Self { paths, selection })
    }
}

impl Selection {
    fn add(&mut self, path: &Path) {
        let mut here = self;
        for name in path.components().filter_map(normal) {
            // A folder taken whole holds whatever is asked for beneath it.
            let Self::Only(entries) = here else { return };
            here = entries.entry(name.to_owned()).or_insert_with(|| Self::Only(BTreeMap::new()));
        }
        *here = Self::All;
    }
}

fn normal(component: Component<'_>) -> Option<&OsStr> {
    match component {
        Component::Normal(name) => Some(name),
        _ => None,
    }
}

/// The path from the root, with `..` taken back textually as shells and restic do.
fn absolute(path: &Path) -> Result<PathBuf> {
    let full =
        std::path::absolute(path).map_err(|e| Error::io(format!("resolving {}", path.display()), e))?;
    let mut clean = PathBuf::from("/");
    for component in full.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => drop(clean.pop()),
            _ => {}
        }
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_roots_fold_into_the_outer_one() {
        let roots = Roots::resolve(&["/usr/bin".into(), "/usr".into(), "/tmp/../etc/.".into()]).unwrap();
        let Selection::Only(top) = &roots.selection else { panic!() };
        assert_eq!(top.keys().collect::<Vec<_>>(), ["etc", "usr"]);
        assert_eq!(top[OsStr::new("usr")], Selection::All);
        assert_eq!(Roots::resolve(&["/".into()]).unwrap().selection, Selection::All);
    }

    #[test]
    fn something_must_exist() {
        assert_eq!(Roots::resolve(&["/no/such".into()]).err().unwrap().kind(), ErrorKind::NotFound);
        assert!(Roots::resolve(&["/no/such".into(), "/tmp".into()]).is_ok());
    }
}
