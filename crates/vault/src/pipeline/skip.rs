//! What a backup leaves out for what it is, not for its name. Nothing that the user named is left out.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, Stat, openat};
use rustix::io::read;

use crate::metadata;
use crate::node::NodeKind;

/// The file that marks a cache, and how it begins, by <https://bford.info/cachedir/>.
const TAG: &str = "CACHEDIR.TAG";
const SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// What to leave out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skip {
    /// Files larger than so many bytes.
    pub larger_than: Option<u64>,
    /// What is in folders that a `CACHEDIR.TAG` marks as caches, but for that file.
    pub caches: bool,
    /// What is on other file systems than the folders that hold them; where they are mounted, an empty
    /// folder is kept.
    pub other_file_systems: bool,
}

impl Skip {
    pub(super) fn leaves_out_file(self, stat: &Stat) -> bool {
        let too_large = |limit| stat.st_size as u64 > limit;
        metadata::kind(stat) == NodeKind::File && self.larger_than.is_some_and(too_large)
    }

    /// Whether just the name `name` of a folder is to be left out, since the folder is a cache.
    pub(super) fn leaves_out_entry(cache: bool, name: &OsStr) -> bool {
        cache && name != TAG
    }

    pub(super) fn is_cache(self, dir: &OwnedFd) -> bool {
        self.caches && has_tag(dir)
    }

    /// Whether an entry lies on another file system than its folder.
    pub(super) fn leaves_out_content(self, folder: &Stat, entry: &Stat) -> bool {
        self.other_file_systems && folder.st_dev != entry.st_dev
    }
}

fn has_tag(dir: &OwnedFd) -> bool {
    // Whatever has this name may be a pipe: opening it must not wait.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut begin = [0; SIGNATURE.len()];
    let length = openat(dir, TAG, flags, Mode::empty()).and_then(|file| read(&file, &mut begin));
    length.is_ok_and(|length| &begin[..length] == SIGNATURE)
}
