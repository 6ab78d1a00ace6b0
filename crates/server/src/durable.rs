//! Small files written so that after a crash either the old or the new content is there, whole.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use crate::Result;

/// Writes a file that only its owner may read: temporary file, `fsync`, rename, `fsync` of the folder.
pub fn write_private(file: &Path, content: &[u8]) -> Result<()> {
    let temporary = file.with_extension("new");
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    out.set_permissions(Permissions::from_mode(0o600))?;
    out.write_all(content)?;
    out.sync_all()?;
    std::fs::rename(&temporary, file)?;
    if let Some(folder) = file.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
