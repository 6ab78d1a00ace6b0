//! Setting metadata: owner, extended attributes, permissions, times, in this order, since a new owner
//! drops set-uid bits and capabilities, and an ACL rewrites permissions.

use std::os::fd::AsFd;

use jiff::Timestamp;
use rustix::fs::{
    AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags, chmodat, chownat, fchmod, fchown, fsetxattr,
    fstat, futimens, lsetxattr, utimensat,
};
use rustix::io::Errno;

use crate::metadata::{os, proc_path, unix_mode};
use crate::node::{Node, NodeKind};

/// Gives an open file or folder the metadata of its node. Does all it can; tells the first failure.
pub(super) fn apply(file: impl AsFd, node: &Node, owner: bool) -> Result<(), Errno> {
    // Whatever is right already is left alone: telling costs a tenth of setting.
    let found = fstat(&file).ok();
    let (user, group, mode) = (node.uid, node.gid, unix_mode(node.mode));
    let is_owned = found.is_some_and(|found| (found.st_uid, found.st_gid) == (user, group));
    let owned = match owner && !is_owned {
        true => fchown(&file, Some(uid(node)), Some(gid(node))),
        false => Ok(()),
    };
    let set =
        |xattr: &crate::node::Xattr| fsetxattr(&file, xattr.name.as_str(), &xattr.value, XattrFlags::empty());
    let attributes = node.xattrs.iter().map(set).fold(Ok(()), Result::and);
    let is_allowed = found.is_some_and(|found| found.st_mode & 0o7777 == mode);
    let mode = match is_allowed && (is_owned || !owner) && node.xattrs.is_empty() {
        true => Ok(()),
        false => fchmod(&file, Mode::from_raw_mode(mode)),
    };
    let times = futimens(&file, &timestamps(node));
    owned.and(attributes).and(mode).and(times)
}

/// The same for something that must not be opened: a link, pipe, socket or device.
pub(super) fn apply_at(dir: impl AsFd, node: &Node, owner: bool) -> Result<(), Errno> {
    let name = node.name.as_slice();
    let owned = match owner {
        true => chownat(&dir, name, Some(uid(node)), Some(gid(node)), AtFlags::SYMLINK_NOFOLLOW),
        false => Ok(()),
    };
    let path = proc_path(&dir, os(name));
    let set =
        |xattr: &crate::node::Xattr| lsetxattr(&path, xattr.name.as_str(), &xattr.value, XattrFlags::empty());
    let attributes = node.xattrs.iter().map(set).fold(Ok(()), Result::and);
    let mode = match node.kind {
        // Links have no permissions of their own.
        NodeKind::Symlink => Ok(()),
        _ => chmodat(&dir, name, Mode::from_raw_mode(unix_mode(node.mode)), AtFlags::empty()),
    };
    let times = utimensat(&dir, name, &timestamps(node), AtFlags::SYMLINK_NOFOLLOW);
    owned.and(attributes).and(mode).and(times)
}

fn uid(node: &Node) -> Uid {
    Uid::from_raw(node.uid)
}

fn gid(node: &Node) -> Gid {
    Gid::from_raw(node.gid)
}

fn timestamps(node: &Node) -> Timestamps {
    Timestamps { last_access: timespec(node.atime), last_modification: timespec(node.mtime) }
}

/// Before 1970 nanoseconds still count forwards.
fn timespec(time: Timestamp) -> Timespec {
    let (seconds, nanoseconds) = (time.as_second(), i64::from(time.subsec_nanosecond()));
    match nanoseconds < 0 {
        true => Timespec { tv_sec: seconds - 1, tv_nsec: nanoseconds + 1_000_000_000 },
        false => Timespec { tv_sec: seconds, tv_nsec: nanoseconds },
    }
}
