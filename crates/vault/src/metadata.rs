//! What the system tells of files and of itself, as nodes record it.
//!
//! Linux only. Everything goes through open folders, so that neither long paths nor renamed parents
//! confuse it. Names of users and groups come from `/etc/passwd` and `/etc/group`, as in statically
//! linked restic.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use jiff::Timestamp;
use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, Stat, fgetxattr, flistxattr, lgetxattr, llistxattr, readlinkat};
use rustix::io::Errno;
use rustix::process::getuid;

use crate::node::{Node, NodeKind, Xattr};

/// Bits of Go's `FileMode` beyond the nine permission bits.
const GO_BITS: [(u32, u32); 3] = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];

/// Go's `FileMode` for a Unix mode.
pub(crate) fn go_mode(mode: u32, kind: NodeKind) -> u32 {
    let kind = match kind {
        NodeKind::Dir => 1 << 31,
        NodeKind::Symlink => 1 << 27,
        NodeKind::BlockDevice => 1 << 26,
        NodeKind::CharDevice => 1 << 26 | 1 << 21,
        NodeKind::Fifo => 1 << 25,
        NodeKind::Socket => 1 << 24,
        NodeKind::File | NodeKind::Other => 0,
    };
    let special = GO_BITS.iter().filter(|(unix, _)| mode & unix != 0).map(|(_, go)| go).sum::<u32>();
    kind | special | (mode & 0o777)
}

/// The twelve Unix permission bits of a Go `FileMode`.
pub(crate) fn unix_mode(mode: u32) -> u32 {
    let special = GO_BITS.iter().filter(|(_, go)| mode & go != 0).map(|(unix, _)| unix).sum::<u32>();
    special | (mode & 0o777)
}

/// Users and groups by number.
pub(crate) struct Owners {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

impl Owners {
    /// Reads the system's tables; where there are none, names stay empty.
    pub(crate) fn read() -> Self {
        Self { users: table("/etc/passwd"), groups: table("/etc/group") }
    }

    /// The names of a user and a group, empty if unknown.
    pub(crate) fn names(&self, user: u32, group: u32) -> (String, String) {
        let name_of = |names: &HashMap<u32, String>, id| names.get(&id).cloned().unwrap_or_default();
        (name_of(&self.users, user), name_of(&self.groups, group))
    }

    /// A node with everything a `stat` tells: no link target, attributes, content or subtree.
    pub(crate) fn node(&self, name: &[u8], stat: &Stat) -> Node {
        let kind = kind(stat);
        let (user, group) = self.names(stat.st_uid, stat.st_gid);
        let mtime = time(stat.st_mtime, stat.st_mtime_nsec);
        let counted = !matches!(kind, NodeKind::Dir | NodeKind::Fifo | NodeKind::Socket);
        let device = matches!(kind, NodeKind::BlockDevice | NodeKind::CharDevice);
        Node {
            name: name.to_vec(),
            kind,
            mode: go_mode(stat.st_mode, kind),
            mtime,
            atime: mtime,
            ctime: time(stat.st_ctime, stat.st_ctime_nsec),
            uid: stat.st_uid,
            gid: stat.st_gid,
            user,
            group,
            inode: stat.st_ino,
            // Only hard links need it; it changes when file systems are mounted in another order.
            device_id: if counted && stat.st_nlink > 1 { stat.st_dev } else { 0 },
            size: if kind == NodeKind::File { stat.st_size as u64 } else { 0 },
            links: if counted { stat.st_nlink } else { 0 },
            link_target: Vec::new(),
            xattrs: Vec::new(),
            device: if device { stat.st_rdev } else { 0 },
            content: Vec::new(),
            subtree: None,
        }
    }
}

/// Lines of `name:password:number:...`.
fn table(path: &str) -> HashMap<u32, String> {
    let text = std::fs::read(path).unwrap_or_default();
    let line = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((fields.nth(1)?.parse().ok()?, name))
    };
    // The first line of a number wins, as in the C library.
    let mut names = HashMap::new();
    for (number, name) in text.split(|b| *b == b'\n').filter_map(line) {
        names.entry(number).or_insert(name);
    }
    names
}

/// The name of the user this process runs as; empty if it has none.
pub(crate) fn user_name() -> String {
    table("/etc/passwd").remove(&getuid().as_raw()).unwrap_or_default()
}

/// The machine's name.
pub(crate) fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// What a `stat` is of.
pub(crate) fn kind(stat: &Stat) -> NodeKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => NodeKind::File,
        FileType::Directory => NodeKind::Dir,
        FileType::Symlink => NodeKind::Symlink,
        FileType::BlockDevice => NodeKind::BlockDevice,
        FileType::CharacterDevice => NodeKind::CharDevice,
        FileType::Fifo => NodeKind::Fifo,
        FileType::Socket => NodeKind::Socket,
        FileType::Unknown => NodeKind::Other,
    }
}

/// A time as recorded: kept within the years 0 to 9999, which is what JSON can carry.
pub(crate) fn time(seconds: i64, nanoseconds: impl TryInto<i32>) -> Timestamp {
    const YEAR_0: i64 = -62_167_219_200;
    let latest = Timestamp::MAX.as_second();
    Timestamp::new(seconds.clamp(YEAR_0, latest), nanoseconds.try_into().unwrap_or(0))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Where a symbolic link points.
pub(crate) fn link_target(dir: impl AsFd, name: &OsStr) -> Result<Vec<u8>, Errno> {
    readlinkat(dir, name, Vec::new()).map(|target| target.into_bytes())
}

/// The extended attributes of an open file or folder.
pub(crate) fn open_xattrs(file: impl AsFd) -> Result<Vec<Xattr>, Errno> {
    let list = |names: &mut Vec<u8>| flistxattr(&file, spare_capacity(names));
    let get = |name: &CStr, value: &mut Vec<u8>| fgetxattr(&file, name, spare_capacity(value));
    collect_xattrs(list, get)
}

/// The extended attributes of something that must not be opened: a link, pipe, socket or device.
pub(crate) fn link_xattrs(dir: impl AsFd, name: &OsStr) -> Result<Vec<Xattr>, Errno> {
    let path = proc_path(dir, name);
    let list = |names: &mut Vec<u8>| llistxattr(&path, spare_capacity(names));
    let get = |name: &CStr, value: &mut Vec<u8>| lgetxattr(&path, name, spare_capacity(value));
    collect_xattrs(list, get)
}

/// A path to an entry of an open folder, for calls that have no `at` form.
pub(crate) fn proc_path(dir: impl AsFd, name: &OsStr) -> PathBuf {
    let mut path = PathBuf::from(format!("/proc/self/fd/{}", dir.as_fd().as_raw_fd()));
    path.push(name);
    path
}

fn collect_xattrs(
    list: impl Fn(&mut Vec<u8>) -> Result<usize, Errno>,
    get: impl Fn(&CStr, &mut Vec<u8>) -> Result<usize, Errno>,
) -> Result<Vec<Xattr>, Errno> {
    // Linux bounds lists and values at 64 KiB; most files have none, so the first try is small.
    let mut names = Vec::with_capacity(256);
    match list(&mut names) {
        Err(Errno::RANGE) => {
            names.reserve(65_536);
            list(&mut names)?;
        }
        Err(Errno::NOTSUP | Errno::NODATA) => return Ok(Vec::new()),
        other => drop(other?),
    }
    let mut xattrs = Vec::new();
    for name in names.split_inclusive(|b| *b == 0).filter_map(|name| CStr::from_bytes_with_nul(name).ok()) {
        let mut value = Vec::with_capacity(65_536);
        match get(name, &mut value) {
            Ok(_) => {
                value.shrink_to_fit();
                xattrs.push(Xattr { name: name.to_string_lossy().into_owned(), value });
            }
            // Removed since it was listed.
            Err(Errno::NODATA) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(xattrs)
}

/// The name as the system wants it.
pub(crate) fn os(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}
