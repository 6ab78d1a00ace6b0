//! Folders being restored.
//!
//! Everything that still has to happen in a folder holds on to it. When the last one lets go, its times
//! and permissions are set: not earlier, since writing into it changes the one and needs the other.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use super::file::gives_way;
use super::{Overwrite, Run, metadata};
use crate::metadata::os;
use crate::monitor::FileErrorKind;
use crate::node::Node;

pub(super) const FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open folder of the target.
pub(super) struct Folder<'a> {
    pub(super) fd: OwnedFd,
    /// Where it is in the snapshot.
    pub(super) path: PathBuf,
    /// Whether this restore made it: then only we can look into it until it is finished.
    pub(super) private: bool,
    run: &'a Run<'a>,
    /// What it is to become; `None` for the target itself and for folders to be left as they are.
    node: Option<Node>,
    above: Option<Arc<Folder<'a>>>,
}

impl<'a> Folder<'a> {
    /// The target.
    pub(super) fn top(run: &'a Run<'a>, fd: OwnedFd) -> Arc<Self> {
        let path = PathBuf::from("/");
        Arc::new(Self { fd, path, private: false, run, node: None, above: None })
    }

    /// Makes or opens a folder in this one. A link or file in its place is removed, if the rule lets it go.
    pub(super) fn make(self: &Arc<Self>, node: Node) -> Result<Arc<Self>, Errno> {
        let run = self.run;
        let made = mkdirat(&self.fd, node.name.as_slice(), Mode::RWXU);
        let (fd, found) = match made {
            Ok(()) => (self.open(&node)?, false),
            Err(Errno::EXIST) => match self.open(&node) {
                Err(Errno::LOOP | Errno::NOTDIR) if gives_way(run, &self.fd, &node)? => {
                    unlinkat(&self.fd, node.name.as_slice(), AtFlags::empty())?;
                    mkdirat(&self.fd, node.name.as_slice(), Mode::RWXU)?;
                    (self.open(&node)?, false)
                }
                other => (other?, true),
            },
            Err(errno) => return Err(errno),
        };
        run.dirs.fetch_add(1, Relaxed);
        let path = self.path.join(os(&node.name));
        let keep = found && run.options.overwrite == Overwrite::Never;
        let (node, above) = ((!keep).then_some(node), Some(Arc::clone(self)));
        Ok(Arc::new(Self { fd, path, private: !found, run, node, above }))
    }

    fn open(&self, node: &Node) -> Result<OwnedFd, Errno> {
        openat(&self.fd, node.name.as_slice(), FLAGS, Mode::empty())
    }

    /// Opens a folder by its path from the target's top, without following links.
    pub(super) fn open_beneath(&self, names: &[Vec<u8>]) -> Result<OwnedFd, Errno> {
        let mut fd = openat(&self.fd, ".", FLAGS, Mode::empty())?;
        for name in names {
            fd = openat(&fd, name.as_slice(), FLAGS, Mode::empty())?;
        }
        Ok(fd)
    }

    fn finish(&mut self) {
        let Some(node) = self.node.take() else { return };
        // A cancelled restore leaves folders open to the next one.
        if self.run.cancel.is_cancelled() || fstat(&self.fd).is_err() {
            return;
        }
        if let Err(errno) = metadata::apply(&self.fd, &node, self.run.options.owner) {
            self.run.os_error(self.path.clone(), FileErrorKind::Metadata, errno);
        }
    }
}

impl Drop for Folder<'_> {
    /// Finishes this folder and, one after the other rather than recursively, those above that it was the
    /// last to hold.
    fn drop(&mut self) {
        self.finish();
        let mut above = self.above.take();
        while let Some(mut folder) = above.and_then(Arc::into_inner) {
            folder.finish();
            above = folder.above.take();
        }
    }
}
