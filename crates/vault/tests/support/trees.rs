//! Trees with every kind of file, and their description for comparison.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::buffer::spare_capacity;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, lgetxattr, llistxattr, lsetxattr,
    makedev, mknodat, utimensat,
};

use roadstead_vault::Id;

use super::is_root;

/// Bytes that look random but are the same in every run.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes.extend_from_slice(&x.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Makes one of everything in `root`.
pub fn build(root: &Path) {
    fs::create_dir_all(root).unwrap();
    sizes(&root.join("sizes"));
    names(&root.join("names"));
    links(&root.join("links"));
    specials(&root.join("specials"));
    modes(&root.join("modes"));
    attributes(&root.join("attributes"));
    many(&root.join("many"), 2000);
    deep(&root.join("deep"), 60);
    // Last, since making files changes the times of their folders.
    times(&root.join("times"));
}

pub fn sizes(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for size in [0, 1, 4095, 4096, 4097, 511 << 10, 512 << 10, (512 << 10) + 1, 1 << 20, 9 << 20, 20 << 20] {
        fs::write(folder.join(format!("random-{size}")), noise(size as u64, size)).unwrap();
        fs::write(
            folder.join(format!("text-{size}")),
            "all work and no play ".repeat(size / 21 + 1).split_at(size).0,
        )
        .unwrap();
    }
    let sparse = fs::File::create(folder.join("sparse")).unwrap();
    sparse.set_len(40 << 20).unwrap();
    sparse.write_all_at(b"in the middle", 20 << 20).unwrap();
    fs::File::create(folder.join("all-hole")).unwrap().set_len(3 << 20).unwrap();
}

pub fn names(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let long = "n".repeat(255);
    let odd: [&[u8]; 20] = [
        b" leading space",
        b"trailing ",
        b"new\nline",
        b"tab\t",
        b"quote\"s",
        b"back\\slash",
        b"-dash",
        b"*glob?[a]",
        b"\xff\xfe\xfd",
        b"half\xc3",
        b"\x01\x02\x7f",
        "ünïcödé".as_bytes(),
        "e\u{301} combining".as_bytes(),
        "\u{301}first".as_bytes(),
        "☃ \u{1f600}".as_bytes(),
        "\u{a0}nbsp\u{2028}\u{ad}\u{feff}".as_bytes(),
        b"<html>&amp;",
        b"$HOME `x`",
        b"...",
        long.as_bytes(),
    ];
    for name in odd {
        fs::write(folder.join(OsStr::from_bytes(name)), name).unwrap();
    }
    fs::create_dir(folder.join(OsStr::from_bytes(b"folder\xff"))).unwrap();
    fs::write(folder.join(OsStr::from_bytes(b"folder\xff/within")), "x").unwrap();
}

pub fn links(folder: &Path) {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("target"), "linked").unwrap();
    symlink("target", folder.join("relative")).unwrap();
    symlink("/no/such/thing", folder.join("dangling")).unwrap();
    symlink(OsStr::from_bytes(b"bytes\xff\xfe"), folder.join("bytes")).unwrap();
    symlink("<a&b>", folder.join("html")).unwrap();
    symlink(".", folder.join("loop")).unwrap();
    fs::create_dir(folder.join("other")).unwrap();
    fs::hard_link(folder.join("target"), folder.join("other/hard")).unwrap();
    fs::hard_link(folder.join("target"), folder.join("a-hard")).unwrap();
    fs::write(folder.join("large"), noise(7, 3 << 20)).unwrap();
    fs::hard_link(folder.join("large"), folder.join("other/large")).unwrap();
}

pub fn specials(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let make = |name: &str, kind, device| {
        mknodat(CWD, folder.join(name), kind, Mode::from_raw_mode(0o640), device).unwrap();
    };
    make("fifo", FileType::Fifo, 0);
    make("socket", FileType::Socket, 0);
    if is_root() {
        make("null", FileType::CharacterDevice, makedev(1, 3));
        make("block", FileType::BlockDevice, makedev(7, 300));
    }
}

pub fn modes(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for mode in [0o000, 0o400, 0o644, 0o755, 0o777, 0o4755, 0o2755, 0o1755, 0o7777] {
        if !is_root() && mode & 0o400 == 0 {
            continue;
        }
        let file = folder.join(format!("file-{mode:o}"));
        fs::write(&file, "x").unwrap();
        if is_root() {
            std::os::unix::fs::chown(&file, Some(1234), Some(54321)).unwrap();
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }
    for mode in [0o700, 0o1777, 0o2775, 0o500] {
        let sub = folder.join(format!("dir-{mode:o}"));
        fs::create_dir(&sub).unwrap();
        fs::write(sub.join("within"), "x").unwrap();
        fs::set_permissions(&sub, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::create_dir(folder.join("empty")).unwrap();
}

pub fn attributes(folder: &Path) {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("file"), "x").unwrap();
    fs::create_dir(folder.join("dir")).unwrap();
    let set = |path: &str, name: &str, value: &[u8]| {
        // File systems without them make this part of the test empty, not wrong.
        let _ = lsetxattr(folder.join(path), name, value, XattrFlags::empty());
    };
    set("file", "user.text", b"value");
    set("file", "user.binary", &[0, 255, 10, 13]);
    set("file", "user.empty", b"");
    set("file", "user.large", &noise(3, 1000));
    set("dir", "user.on-dir", b"yes");
    // POSIX ACLs in the kernel's own form: version 2, then entries of tag, permissions, id.
    let entry = |tag: u16, permissions: u16, id: u32| {
        [&tag.to_le_bytes()[..], &permissions.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    let none = u32::MAX;
    let entries =
        [entry(1, 6, none), entry(2, 4, 1234), entry(4, 4, none), entry(16, 6, none), entry(32, 4, none)];
    let acl = [&2u32.to_le_bytes()[..], &entries.concat()].concat();
    set("file", "system.posix_acl_access", &acl);
    set("dir", "system.posix_acl_default", &acl);
    if is_root() {
        symlink("x", folder.join("link")).unwrap();
        set("link", "trusted.on-link", b"seen");
        set("file", "security.capability", &[1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}

pub fn many(folder: &Path, count: usize) {
    fs::create_dir(folder).unwrap();
    for i in 0..count {
        fs::write(folder.join(format!("file-{i:05}")), format!("content {}", i % 100)).unwrap();
    }
}

pub fn deep(folder: &Path, depth: usize) {
    let mut path = folder.to_owned();
    for i in 0..depth {
        path.push(format!("level-{i:03}"));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("a"), "here").unwrap();
        fs::create_dir(path.join("zz-empty")).unwrap();
    }
}

pub fn times(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let stamps =
        [(0, 0), (-1, 500_000_000), (-2_000_000_000, 1), (1, 999_999_999), (4_000_000_000, 123_456_789)];
    for (seconds, nanoseconds) in stamps {
        for kind in ["file", "dir", "link"] {
            let path = folder.join(format!("{kind}{seconds}.{nanoseconds}"));
            match kind {
                "file" => fs::write(&path, "x").unwrap(),
                "dir" => fs::create_dir(&path).unwrap(),
                _ => symlink("x", &path).unwrap(),
            }
            let stamp = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
            let times = Timestamps { last_access: stamp, last_modification: stamp };
            utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
        }
    }
}

/// Everything about one file that a backup must keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub kind: &'static str,
    pub mode: u32,
    pub owner: (u32, u32),
    pub mtime: (i64, i64),
    /// The hash of a file's content, a link's target.
    pub content: Vec<u8>,
    pub size: u64,
    pub device: u64,
    pub xattrs: BTreeMap<OsString, Vec<u8>>,
    /// The first path of the same inode.
    pub linked_to: Option<PathBuf>,
}

/// Describes a whole tree by relative path, itself included.
pub fn describe(root: &Path) -> BTreeMap<PathBuf, Description> {
    let (mut found, mut inodes) = (BTreeMap::new(), HashMap::new());
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        if metadata.is_dir() {
            let mut entries: Vec<_> =
                fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
            entries.sort_by(|a, b| b.cmp(a));
            waiting.extend(entries);
        }
        let relative = path.strip_prefix(root).unwrap().to_owned();
        let linked_to = (metadata.nlink() > 1 && !metadata.is_dir()).then(|| {
            inodes.entry((metadata.dev(), metadata.ino())).or_insert_with(|| relative.clone()).clone()
        });
        found.insert(relative, describe_one(&path, &metadata, linked_to));
    }
    found
}

fn describe_one(path: &Path, metadata: &fs::Metadata, linked_to: Option<PathBuf>) -> Description {
    let kind = metadata.file_type();
    let (kind, content) = match () {
        () if kind.is_file() => ("file", Id::of(&fs::read(path).unwrap()).0.to_vec()),
        () if kind.is_symlink() => ("link", fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec()),
        () if kind.is_dir() => ("dir", Vec::new()),
        () if kind.is_fifo() => ("fifo", Vec::new()),
        () if kind.is_socket() => ("socket", Vec::new()),
        () if kind.is_char_device() => ("char", Vec::new()),
        () => ("block", Vec::new()),
    };
    Description {
        kind,
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
        mtime: (metadata.mtime(), metadata.mtime_nsec()),
        content,
        size: if kind == "dir" { 0 } else { metadata.len() },
        device: metadata.rdev(),
        xattrs: xattrs(path),
        linked_to,
    }
}

fn xattrs(path: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let mut names = Vec::with_capacity(65_536);
    if llistxattr(path, spare_capacity(&mut names)).is_err() {
        return BTreeMap::new();
    }
    let get = |name: &[u8]| {
        let mut value = Vec::with_capacity(65_536);
        lgetxattr(path, name, spare_capacity(&mut value)).unwrap();
        (OsStr::from_bytes(name).to_owned(), value)
    };
    names.split(|b| *b == 0).filter(|name| !name.is_empty()).map(get).collect()
}

/// Panics with the first few differences between two trees.
pub fn assert_same(expected: &Path, actual: &Path) {
    assert_same_but(expected, actual, &[]);
}

/// The same, but for some paths that a program is known to lose.
pub fn assert_same_but(expected: &Path, actual: &Path, lost: &[&str]) {
    let (mut expected, mut actual) = (describe(expected), describe(actual));
    for path in lost {
        expected.remove(Path::new(path));
        actual.remove(Path::new(path));
    }
    let mut differences = Vec::new();
    for (path, there) in &expected {
        match actual.get(path) {
            None => differences.push(format!("{}: missing", path.display())),
            Some(here) if here != there => differences.push(difference(path, there, here)),
            Some(_) => {}
        }
    }
    let surplus = actual.keys().filter(|path| !expected.contains_key(*path));
    differences.extend(surplus.map(|path| format!("{}: surplus", path.display())));
    differences.truncate(10);
    assert!(differences.is_empty(), "{differences:#?}");
}

fn difference(path: &Path, expected: &Description, actual: &Description) -> String {
    format!("{}:\n  {expected:?}\n  {actual:?}", path.display())
}
