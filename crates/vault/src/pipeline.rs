//! The way of a backup (skeleton: the stages follow).

mod options;

pub use options::{BackupOptions, BackupSummary, ParentChoice};

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::monitor::Monitor;
use crate::repository::Repository;

impl Repository {
    /// Backs up the paths of `options` and writes a snapshot.
    pub fn backup(&self, _: &BackupOptions, _: &dyn Monitor, _: &Cancel) -> Result<BackupSummary> {
        Err(Error::new(ErrorKind::Unsupported, "not written yet"))
    }
}
