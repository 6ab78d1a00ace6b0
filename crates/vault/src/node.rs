//! Nodes: the entries of trees, one for each file, folder, link or device backed up.

use jiff::Timestamp;

use crate::id::Id;

/// What a node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A regular file.
    File,
    /// A folder.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A block device.
    BlockDevice,
    /// A character device.
    CharDevice,
    /// A named pipe.
    Fifo,
    /// A Unix socket.
    Socket,
    /// Something this engine does not know; kept out of restores.
    Other,
}

/// An extended attribute; POSIX ACLs and capabilities are such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xattr {
    /// The full name, such as `user.comment` or `system.posix_acl_access`.
    pub name: String,
    /// The raw value.
    pub value: Vec<u8>,
}

/// One entry of a tree, with all that is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The name within its folder, byte for byte.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: NodeKind,
    /// Go's `FileMode`: the nine permission bits, and from bit 20 upwards sticky, set-id and type bits.
    pub mode: u32,
    /// When the content last changed.
    pub mtime: Timestamp,
    /// When it was last read; equal to `mtime` in our own snapshots, or trees would differ every day.
    pub atime: Timestamp,
    /// When content or metadata last changed.
    pub ctime: Timestamp,
    /// Owner's number.
    pub uid: u32,
    /// Group's number.
    pub gid: u32,
    /// Owner's name, empty if unknown.
    pub user: String,
    /// Group's name, empty if unknown.
    pub group: String,
    /// Number of the inode.
    pub inode: u64,
    /// The file system's number; only for entries with several links.
    pub device_id: u64,
    /// Bytes, for files.
    pub size: u64,
    /// Number of hard links; 0 where not recorded.
    pub links: u64,
    /// Where a symbolic link points, byte for byte.
    pub link_target: Vec<u8>,
    /// Extended attributes in the order the system gave.
    pub xattrs: Vec<Xattr>,
    /// The device's number, for devices.
    pub device: u64,
    /// The data blobs of a file, in order.
    pub content: Vec<Id>,
    /// The tree of a folder.
    pub subtree: Option<Id>,
}

impl Node {
    /// Whether a file can have this name: one component of a path, and not a step to elsewhere.
    pub(crate) fn has_plain_name(&self) -> bool {
        let name = self.name.as_slice();
        !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/') && !name.contains(&0)
    }

    /// The tree of a folder; `None` for everything else.
    pub(crate) fn folder(&self) -> Option<Id> {
        self.subtree.filter(|_| self.kind == NodeKind::Dir)
    }
}
