//! Looking into snapshots (skeleton).

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use jiff::Timestamp;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::node::NodeKind;
use crate::repository::Repository;
use crate::snapshot::Snapshot;

/// One entry of a folder in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, byte for byte.
    pub name: OsString,
    /// What it is.
    pub kind: NodeKind,
    /// Bytes, for files.
    pub size: u64,
    /// The Unix permission bits with set-uid, set-gid and sticky: 0o7777.
    pub mode: u32,
    /// When its content last changed.
    pub modified: Timestamp,
    /// Owner's number.
    pub uid: u32,
    /// Group's number.
    pub gid: u32,
    /// Owner's name, if known.
    pub user: String,
    /// Group's name, if known.
    pub group: String,
    /// Where a symbolic link points.
    pub link_target: Option<OsString>,
}

/// Which part of a folder to give.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Entries to skip.
    pub offset: usize,
    /// Entries to give at most.
    pub limit: usize,
}

impl Repository {
    /// The entries of the folder `path` of a snapshot in order of name; the page `page` of them.
    pub fn list(&self, _: &Snapshot, _: &Path, _: Page) -> Result<Vec<Entry>> {
        Err(Error::new(ErrorKind::Unsupported, "not written yet"))
    }

    /// Copies the content of the file `path` of a snapshot; returns its length in bytes.
    pub fn cat(&self, _: &Snapshot, _: &Path, _: &mut dyn Write, _: &Cancel) -> Result<u64> {
        Err(Error::new(ErrorKind::Unsupported, "not written yet"))
    }
}
