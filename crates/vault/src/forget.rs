//! Forgetting: snapshots go, what only they held stays until a prune.
//!
//! Which ones go is worked out first, as a plain value ([`retention`]); carrying it out takes a shared
//! lock, since a snapshot that goes harms no reader: its blobs stay, and a backup that compares with it
//! has read it already.

mod retention;

use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::id::Id;
use crate::repository::Repository;
use crate::store::{Disposal, FileKind, Name};

pub use retention::{ForgetGroup, ForgetPlan, GroupBy, Reason, Retention, Verdict};

impl Repository {
    /// Forgets these snapshots; returns how many there were. One that is gone already is no error, so a
    /// run that was interrupted can be repeated. [`ErrorKind::Unsupported`] before anything is touched
    /// when the store has no trash and `disposal` asks for it.
    pub fn forget(&self, snapshots: &[Id], disposal: Disposal, cancel: &Cancel) -> Result<usize> {
        disposal.require(&*self.files.store)?;
        let lock = self.lock(cancel)?;
        let mut forgotten = 0;
        for id in snapshots {
            cancel.check()?;
            lock.verify()?;
            match disposal.dispose(&*self.files.store, FileKind::Snapshot, &Name(*id)) {
                Ok(()) => forgotten += 1,
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(forgotten)
    }
}
