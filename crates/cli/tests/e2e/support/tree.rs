//! Trees of files: made, and compared with all their metadata.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};

use super::is_root;

/// Bytes that do not compress, the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(length);
    bytes
}

/// Files of noise: `count` of `size` bytes each.
pub fn fill(root: &Path, count: u64, size: usize) {
    fs::create_dir_all(root).unwrap();
    for number in 0..count {
        fs::write(root.join(format!("noise-{number}")), noise(number + 1, size)).unwrap();
    }
}

/// One of everything that a file system holds.
pub fn build(root: &Path) {
    fs::create_dir_all(root.join("deep/er/and/deeper")).unwrap();
    fs::create_dir(root.join("empty folder")).unwrap();
    for (name, size) in [("empty", 0), ("one", 1), ("small", 5000), ("large", 9 << 20)] {
        fs::write(root.join(name), noise(size as u64, size)).unwrap();
    }
    fs::write(root.join("deep/er/and/deeper/copy of small"), noise(5000, 5000)).unwrap();
    fs::write(root.join(OsStr::from_bytes(b"not \xff UTF-8")), "odd").unwrap();
    fs::write(root.join("quote\" back\\slash new\nline ☂"), "odd too").unwrap();
    symlink("../nowhere at all", root.join("dangling link")).unwrap();
    symlink("small", root.join("link")).unwrap();
    fs::hard_link(root.join("small"), root.join("deep/hard link")).unwrap();
    make_sparse(&root.join("sparse"));
    assert!(Command::new("mkfifo").arg(root.join("fifo")).status().unwrap().success());
    fs::set_permissions(root.join("one"), fs::Permissions::from_mode(0o4751)).unwrap();
    fs::set_permissions(root.join("empty folder"), fs::Permissions::from_mode(0o1777)).unwrap();
    if is_root() {
        assert!(
            Command::new("mknod").arg(root.join("null")).args(["c", "1", "3"]).status().unwrap().success()
        );
        std::os::unix::fs::chown(root.join("small"), Some(1234), Some(4321)).unwrap();
    }
    attribute(&root.join("small"), "user.colour", "blue \u{0} red");
    set_time(&root.join("small"), 1_000_000_000, 123_456_789);
    set_time(&root.join("deep/er"), 4_000_000_000, 1);
}

fn make_sparse(path: &Path) {
    use std::os::unix::fs::FileExt;
    let file = fs::File::create(path).unwrap();
    file.set_len(40 << 20).unwrap();
    file.write_all_at(b"an island", 20 << 20).unwrap();
}

fn attribute(path: &Path, name: &str, value: &str) {
    rustix::fs::setxattr(path, name, value.as_bytes(), rustix::fs::XattrFlags::empty()).unwrap();
}

fn set_time(path: &Path, seconds: u64, nanoseconds: u32) {
    let time = UNIX_EPOCH + Duration::new(seconds, nanoseconds);
    fs::File::open(path).unwrap().set_modified(time).unwrap();
}

/// All that is to be the same of a file: type and mode, owner, time, links, content, attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    mode: u32,
    owner: (u32, u32),
    modified: (i64, i64),
    links: u64,
    device: u64,
    size: u64,
    content: String,
    attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Every file below a folder, the folder itself included.
pub fn read(root: &Path) -> BTreeMap<PathBuf, Facts> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let facts = facts(&path);
        if path.symlink_metadata().unwrap().is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        found.insert(path.strip_prefix(root).unwrap().to_owned(), facts);
    }
    found
}

fn facts(path: &Path) -> Facts {
    let metadata = path.symlink_metadata().unwrap();
    let kind = metadata.file_type();
    let is_device = kind.is_char_device() || kind.is_block_device();
    let content = if kind.is_file() {
        hex::encode(Sha256::digest(fs::read(path).unwrap()))
    } else if kind.is_symlink() {
        format!("{:?}", fs::read_link(path).unwrap())
    } else {
        String::new()
    };
    Facts {
        mode: metadata.mode(),
        owner: (metadata.uid(), metadata.gid()),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        links: if kind.is_dir() { 0 } else { metadata.nlink() },
        device: if is_device { metadata.rdev() } else { 0 },
        size: if kind.is_file() { metadata.len() } else { 0 },
        content,
        attributes: if kind.is_symlink() { Vec::new() } else { attributes(path) },
    }
}

fn attributes(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = vec![0_u8; 64 << 10];
    let length = rustix::fs::llistxattr(path, &mut names).unwrap();
    let names = names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty());
    let mut attributes: Vec<_> = names
        .map(|name| {
            let mut value = vec![0_u8; 64 << 10];
            let length = rustix::fs::lgetxattr(path, OsStr::from_bytes(name), &mut value).unwrap();
            (name.to_owned(), value[..length].to_owned())
        })
        .collect();
    attributes.sort();
    attributes
}

/// Two trees are the same, with all metadata.
pub fn assert_same(expected: &Path, found: &Path) {
    let (expected, found) = (read(expected), read(found));
    let differing: Vec<_> = expected
        .keys()
        .chain(found.keys())
        .filter(|path| expected.get(*path) != found.get(*path))
        .map(|path| {
            format!("{path:?}\n  expected {:?}\n  found    {:?}", expected.get(path), found.get(path))
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(!expected.is_empty());
}
