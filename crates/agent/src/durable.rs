//! Small files that are there whole or not at all, also after a power cut.
//!
//! Written beside their place, flushed, renamed, and the folder flushed. Readable by their owner only, since all
//! that an agent keeps is either secret or about the machine's files.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// What the names of unfinished files begin with.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// Writes a file of mode 0600, in place of one that may be there.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (folder, name) = match (path.parent(), path.file_name().and_then(|name| name.to_str())) {
        (Some(folder), Some(name)) => (folder, name),
        _ => return Err(io::ErrorKind::InvalidInput.into()),
    };
    // The process id keeps an agent and the last job of its predecessor apart.
    let unfinished = folder.join(format!("{UNFINISHED}{}-{name}", std::process::id()));
    let written = fill(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // What failed to be written is of no use; the first error is the one that matters.
        let _ = fs::remove_file(&unfinished);
    }
    written.and_then(|()| File::open(folder)?.sync_all())
}

fn fill(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder, and those above it, for their owner only. One that is there stays as it is.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
