//! A file or folder of a snapshot as one stream: tar or zip.
//!
//! For downloads: written as it is read, front to back, with memory for one blob of a large file or the
//! whole of a small one. Names in the archive begin with the name of what was asked for, are relative, and
//! never lead out of the folder it is unpacked in, whatever the repository holds.
//!
//! A file of which something is lost is told and left out; what is found damaged only in the middle of a
//! large file, whose length stands in the archive by then, ends the stream with an error, so that nobody
//! takes it for whole.

mod spool;
mod tar;
mod zip;

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::browse;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::monitor::{FileError, FileErrorKind, Monitor};
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::repository::{Blobs, Repository};
use crate::snapshot::Snapshot;
use crate::stats::plain_length;
use crate::walk::{Step, Visitor, lost, walk};

use tar::Tar;
use zip::Zip;

/// Files up to so many bytes are read wholly, and verified, before anything of them is written.
const SMALL: u64 = 4 << 20;

/// The format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// POSIX tar with pax headers: everything but sockets, with owners, exact times, attributes and hard
    /// links.
    Tar,
    /// Zip, with its 64-bit extensions where they are needed; nothing is compressed. Files, folders and
    /// symbolic links, with their modes and times.
    Zip,
}

/// What an archive holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArchiveSummary {
    /// Files, hard links counted.
    pub files: u64,
    /// Folders.
    pub dirs: u64,
    /// Links, devices and pipes.
    pub specials: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Files and folders left out because something of them is lost or cannot be kept in this format.
    pub errors: u64,
}

/// One entry of an archive.
struct Member<'a> {
    /// The path in the archive, relative, byte for byte as in the snapshot.
    path: &'a [u8],
    node: &'a Node,
    /// The length of the content that follows, in bytes.
    size: u64,
    /// The path in the archive of the file that this is another link of.
    link: Option<&'a [u8]>,
}

/// How archives are written. A member, then its content in parts, then the end of it.
trait Format {
    /// Whether this kind can be kept.
    fn holds(&self, kind: NodeKind) -> bool;
    /// Whether a second link of a file needs no content of its own.
    fn links(&self) -> bool;
    fn begin(&mut self, member: &Member<'_>) -> io::Result<()>;
    fn content(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn end(&mut self) -> io::Result<()>;
    fn finish(&mut self) -> io::Result<()>;
}

impl Repository {
    /// Writes the file or folder at an absolute path of a snapshot, with all that is beneath, to `out` as
    /// an archive. What is left out is told to `monitor`, with its path in the snapshot.
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such path,
    /// [`ErrorKind::Damaged`](crate::ErrorKind::Damaged) as told in the module; after any error what was written is no
    /// whole archive.
    pub fn archive(
        &self,
        snapshot: &Snapshot,
        path: &Path,
        format: ArchiveFormat,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<ArchiveSummary> {
        let blobs = self.blobs()?;
        let node = browse::find(&blobs, snapshot.tree, path)?;
        let mut format: Box<dyn Format + '_> = match format {
            ArchiveFormat::Tar => Box::new(Tar::new(out)),
            ArchiveFormat::Zip => Box::new(Zip::new(out)),
        };
        let mut archiver = Archiver {
            blobs: &blobs,
            format: &mut *format,
            monitor,
            cancel,
            above: path.parent().unwrap_or(Path::new("/")).to_owned(),
            prefix: node.as_ref().map(|node| node.name.clone()).unwrap_or_default(),
            links: HashMap::new(),
            summary: ArchiveSummary::default(),
        };
        let tree = match &node {
            None => Some(snapshot.tree),
            Some(node) => {
                archiver.add(Path::new("/"), node)?;
                node.folder()
            }
        };
        tree.map_or(Ok(()), |tree| walk(&blobs, tree, cancel, &mut archiver))?;
        let summary = archiver.summary;
        format.finish().map_err(failed)?;
        Ok(summary)
    }
}

struct Archiver<'a> {
    blobs: &'a Blobs,
    format: &'a mut dyn Format,
    monitor: &'a dyn Monitor,
    cancel: &'a Cancel,
    /// The folder above what was asked for, in the snapshot.
    above: PathBuf,
    /// The name of what was asked for; empty for the whole snapshot.
    prefix: Vec<u8>,
    /// Where the first link of each file with several was put.
    links: HashMap<Id, Vec<u8>>,
    summary: ArchiveSummary,
}

/// What is to follow a member's header.
enum Content {
    None,
    Small(Vec<u8>),
    Large(u64),
}

impl Archiver<'_> {
    /// Adds what lies at a path beneath what was asked for.
    fn add(&mut self, beneath: &Path, node: &Node) -> Result<()> {
        if !self.format.holds(node.kind) {
            self.trouble(&FileError::new(
                beneath,
                FileErrorKind::Refused,
                "the archive's format cannot hold this",
            ));
            return Ok(());
        }
        let path = self.inside(beneath);
        let key = link_key(node).filter(|_| self.format.links());
        let link = key.and_then(|key| self.links.get(&key).cloned());
        let content = match (&link, node.kind) {
            (None, NodeKind::File) => match self.open(beneath, node)? {
                Some(content) => content,
                None => return Ok(()),
            },
            _ => Content::None,
        };
        let size = match &content {
            Content::None => 0,
            Content::Small(bytes) => bytes.len() as u64,
            Content::Large(size) => *size,
        };
        self.format.begin(&Member { path: &path, node, size, link: link.as_deref() }).map_err(failed)?;
        match content {
            Content::None => {}
            Content::Small(bytes) => self.format.content(&bytes).map_err(failed)?,
            Content::Large(_) => self.stream(node)?,
        }
        self.format.end().map_err(failed)?;
        if let Some(key) = key {
            self.links.entry(key).or_insert(path);
        }
        self.count(node.kind, size);
        Ok(())
    }

    /// The path in the archive.
    fn inside(&self, beneath: &Path) -> Vec<u8> {
        let rest = beneath.as_os_str().as_bytes();
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        match (self.prefix.is_empty(), rest.is_empty()) {
            (true, _) => rest.to_vec(),
            (false, true) => self.prefix.clone(),
            (false, false) => [self.prefix.as_slice(), b"/", rest].concat(),
        }
    }

    /// Looks whether a file's content is there; reads and verifies it if it is small. `None` after telling
    /// that it is lost.
    fn open(&mut self, beneath: &Path, node: &Node) -> Result<Option<Content>> {
        let mut size = 0u64;
        for id in &node.content {
            let Some(location) = self.blobs.index.get(BlobKind::Data, id) else {
                let error = Error::damaged(format!("blob {} is in no index", id.short()));
                self.trouble(&lost(beneath, &error));
                return Ok(None);
            };
            size = size.saturating_add(plain_length(&location.blob));
        }
        if size > SMALL {
            return Ok(Some(Content::Large(size)));
        }
        let mut bytes = Vec::with_capacity(size as usize);
        for id in &node.content {
            self.cancel.check()?;
            match self.blobs.read(BlobKind::Data, id) {
                Ok(blob) => bytes.extend_from_slice(&blob),
                Err(error) if error.is_loss() => {
                    self.trouble(&lost(beneath, &error));
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(Content::Small(bytes)))
    }

    fn stream(&mut self, node: &Node) -> Result<()> {
        for id in &node.content {
            self.cancel.check()?;
            let blob = self.blobs.read(BlobKind::Data, id)?;
            self.format.content(&blob).map_err(failed)?;
        }
        Ok(())
    }

    fn count(&mut self, kind: NodeKind, size: u64) {
        let counter = match kind {
            NodeKind::File => &mut self.summary.files,
            NodeKind::Dir => &mut self.summary.dirs,
            _ => &mut self.summary.specials,
        };
        *counter += 1;
        self.summary.bytes += size;
    }
}

impl Visitor for Archiver<'_> {
    fn entry(&mut self, path: &Path, node: Node) -> Result<Step> {
        self.add(path, &node).map(|()| Step::Enter)
    }

    /// Tells of trouble with what lies at a path beneath what was asked for.
    fn trouble(&mut self, error: &FileError) {
        self.summary.errors += 1;
        let inside = self.inside(&error.path);
        let path = self.above.join(crate::metadata::os(&inside));
        self.monitor.error(&FileError { path, ..error.clone() });
    }
}

/// What all links of a file have in common; `None` for files with one.
fn link_key(node: &Node) -> Option<Id> {
    let linked = node.kind == NodeKind::File && node.links > 1 && node.inode != 0;
    linked.then(|| {
        // With the content: a file may have changed between the visits of two of its links.
        let mut key = [node.device_id.to_le_bytes(), node.inode.to_le_bytes()].concat();
        node.content.iter().for_each(|id| key.extend_from_slice(&id.0));
        Id::of(&key)
    })
}

fn failed(error: io::Error) -> Error {
    Error::io("writing an archive", error)
}
