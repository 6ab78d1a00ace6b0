//! Lists a folder of this machine, a page at a time.
//!
//! However many entries a folder has, no more of them than a page are held; a page ends early where its names are so
//! long that a message would not hold them.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs::{self, Metadata},
    io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::MetadataExt,
    },
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use roadstead_api::{
    Page,
    file::{File, FileType},
    link::MAX_MESSAGE_BYTES,
    page::MAX_LIMIT,
    question::{Answer, Refusal},
};

use crate::policy::Policy;

/// What the entries of a page may take of a message, in bytes of JSON.
const MAX_PAGE_BYTES: usize = MAX_MESSAGE_BYTES / 2;

/// Lists the entries of a folder after those that `cursor` stands for.
pub(crate) fn files(policy: &Path, path: &str, cursor: Option<&str>, limit: u32) -> Answer {
    let refused = |why, reason: String| Answer::Refused { why, reason };
    let path = PathBuf::from(path);
    if !path.is_absolute() || path.components().any(|part| part == std::path::Component::ParentDir) {
        return refused(Refusal::Invalid, "the path is not absolute, or holds `..`".to_owned());
    }
    let Some(after) = cursor.map_or(Some(OsString::new()), name_of) else {
        return refused(Refusal::Invalid, "the cursor is not one of this list".to_owned());
    };
    match Policy::read(policy) {
        Err(wrong) => return refused(Refusal::Forbidden, wrong),
        Ok(policy) if !policy.allows_browsing(&path) => {
            let reason = format!("the policy.toml of the machine does not let {} be listed", path.display());
            return refused(Refusal::Forbidden, reason);
        }
        Ok(_) => {}
    }
    let limit = limit.clamp(1, MAX_LIMIT) as usize;
    match page(&path, &after, limit) {
        Ok(page) => Answer::Files { page },
        Err(e) => refused(refusal(&e), format!("{} cannot be listed: {e}", path.display())),
    }
}

fn refusal(error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::NotFound => Refusal::NotFound,
        io::ErrorKind::PermissionDenied => Refusal::Forbidden,
        io::ErrorKind::NotADirectory => Refusal::Invalid,
        _ => Refusal::Failed,
    }
}

fn page(folder: &Path, after: &OsStr, limit: usize) -> io::Result<Page<File>> {
    let mut names = names(folder, after, limit + 1)?;
    let mut more = names.len() > limit;
    if more {
        names.pop_last();
    }
    let (mut items, mut bytes, mut last) = (Vec::new(), 0, None);
    for name in names {
        // What has vanished in between is not there any more.
        if let Ok(file) = file(folder, &name) {
            bytes += serde_json::to_vec(&file).map_or(MAX_PAGE_BYTES, |json| json.len());
            if bytes > MAX_PAGE_BYTES && !items.is_empty() {
                more = true;
                break;
            }
            items.push(file);
        }
        last = Some(name);
    }
    Ok(Page { items, next: last.filter(|_| more).map(|name| hex::encode(name.as_bytes())) })
}

/// The first names after this one, in the order of their bytes.
fn names(folder: &Path, after: &OsStr, count: usize) -> io::Result<BTreeSet<OsString>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let is_in = names.len() < count || names.last().is_some_and(|last| name < *last);
        if name.as_os_str() > after && is_in {
            names.insert(name);
            if names.len() > count {
                names.pop_last();
            }
        }
    }
    Ok(names)
}

/// What a cursor stands for.
fn name_of(cursor: &str) -> Option<OsString> {
    hex::decode(cursor).ok().map(OsString::from_vec)
}

fn file(folder: &Path, name: &OsStr) -> io::Result<File> {
    let path = folder.join(name);
    let found = fs::symlink_metadata(&path)?;
    let link_target = match found.is_symlink() {
        true => Some(fs::read_link(&path)?.to_string_lossy().into_owned()),
        false => None,
    };
    Ok(File {
        name: name.to_string_lossy().into_owned(),
        kind: kind(&found),
        size_bytes: if found.is_file() { found.len() } else { 0 },
        mode: found.mode() & 0o7777,
        uid: found.uid(),
        gid: found.gid(),
        modified_at: Timestamp::new(found.mtime(), i32::try_from(found.mtime_nsec()).unwrap_or(0)).ok(),
        link_target,
    })
}

fn kind(found: &Metadata) -> FileType {
    if found.is_file() {
        FileType::File
    } else if found.is_dir() {
        FileType::Dir
    } else if found.is_symlink() {
        FileType::Symlink
    } else {
        FileType::Special
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::ffi::OsStrExt, path::Path};

    use roadstead_api::{
        file::{File, FileType},
        question::{Answer, Refusal},
    };

    use super::files;

    fn all(policy: &Path, path: &Path, limit: u32) -> Vec<File> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let answer = files(policy, path.to_str().unwrap(), cursor.as_deref(), limit);
            let Answer::Files { page } = answer else { panic!("{answer:?}") };
            assert!(page.items.len() <= limit as usize);
            assert!(serde_json::to_vec(&page).unwrap().len() < roadstead_api::link::MAX_MESSAGE_BYTES);
            found.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return found,
            }
        }
    }

    #[test]
    fn pages_hold_each_entry_once_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy.toml");
        let listed = folder.path().join("listed");
        fs::create_dir_all(listed.join("sub")).unwrap();
        for n in 0..25 {
            fs::write(listed.join(format!("f{n:02}")), vec![0; n]).unwrap();
        }
        std::os::unix::fs::symlink("sub", listed.join("link")).unwrap();
        fs::write(listed.join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "").unwrap();
        for limit in [1, 7, 28, 1000] {
            let found = all(&policy, &listed, limit);
            assert_eq!(found.len(), 28, "{limit}");
            assert_eq!((found[3].name.as_str(), found[3].size_bytes), ("f03", 3));
            assert_eq!((found[25].kind, found[25].link_target.as_deref()), (FileType::Symlink, Some("sub")));
            assert_eq!((found[26].name.as_str(), found[26].kind), ("sub", FileType::Dir));
            assert_eq!(found[27].name, "\u{fffd}\u{fffd}");
        }
    }

    #[test]
    fn the_longest_names_still_fit_into_messages() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..900 {
            let target = "\u{1}".repeat(4000);
            std::os::unix::fs::symlink(target, folder.path().join(format!("{n:03}"))).unwrap();
        }
        assert_eq!(all(&folder.path().join("none"), folder.path(), 1000).len(), 900);
    }

    #[test]
    fn what_cannot_be_listed_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy.toml");
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let why = |path: &Path, cursor: Option<&str>| match files(&policy, path.to_str().unwrap(), cursor, 10)
        {
            Answer::Refused { why, .. } => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why(&folder.path().join("gone"), None), Refusal::NotFound);
        assert_eq!(why(&file, None), Refusal::Invalid);
        assert_eq!(why(Path::new("relative"), None), Refusal::Invalid);
        assert_eq!(why(&folder.path().join("../etc"), None), Refusal::Invalid);
        assert_eq!(why(folder.path(), Some("not hex")), Refusal::Invalid);
        fs::write(&policy, "browse = \"none\"").unwrap();
        assert_eq!(why(folder.path(), None), Refusal::Forbidden);
        fs::write(&policy, "browse = 7").unwrap();
        assert_eq!(why(folder.path(), None), Refusal::Forbidden);
    }
}
