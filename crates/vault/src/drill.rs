//! Restore drills: a sample of a snapshot's files is restored to a scratch folder and read back from there, to prove
//! that a restore would work before somebody needs one.
//!
//! Each file is cut again as the backup cut it, and each part hashed: its name is the SHA-256 of what was read at the
//! time of the backup. Nothing that the restore itself says is believed. The sample is drawn anew each time.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::monitor::{FileError, FileErrorKind, Monitor, Progress};
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::random;
use crate::repository::{Blobs, Repository};
use crate::restore::{Overwrite, RestoreOptions};
use crate::snapshot::Snapshot;
use crate::stats::plain_length;
use crate::threads::unpoisoned;
use crate::walk::{Step, Visitor, walk};

/// How much to restore, and where.
#[derive(Debug, Clone)]
pub struct DrillOptions {
    /// A folder of its own for the drill: made anew for it, and removed at its end with all that is in it.
    pub scratch: PathBuf,
    /// How many files at the most.
    pub files: usize,
    /// How many bytes at the most; a single file may be larger where the sample has no smaller one.
    pub bytes: u64,
}

/// What a drill found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrillReport {
    /// Regular files that the snapshot holds.
    pub files_held: u64,
    /// Files that came back as they were backed up.
    pub files: u64,
    /// Their sizes in sum.
    pub bytes: u64,
    /// Files that did not, and folders that could not be looked into.
    pub problems: Vec<FileError>,
}

impl Repository {
    /// Restores a sample of a snapshot's files to the scratch folder, and compares them with what was backed up.
    /// `monitor` sees the restore's progress; problems are in the report alone.
    ///
    /// Fails when the scratch folder cannot be written ([`Full`](crate::ErrorKind::Full) where it has no
    /// room), when the store is out of reach, and with [`Cancelled`](crate::ErrorKind::Cancelled): that says nothing
    /// about the backup.
    pub fn drill(
        &self,
        snapshot: &Snapshot,
        options: &DrillOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<DrillReport> {
        remove_scratch(&options.scratch)?;
        let drilled = self.drill_in(snapshot, options, monitor, cancel);
        let removed = remove_scratch(&options.scratch);
        let report = drilled?;
        removed.map(|()| report)
    }

    fn drill_in(
        &self,
        snapshot: &Snapshot,
        options: &DrillOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<DrillReport> {
        let blobs = self.blobs()?;
        let mut sample = Sample::new(options.files);
        walk(&blobs, snapshot.tree, cancel, &mut sample)?;
        let Sample { drawn, seen, problems, .. } = sample;
        let mut report = DrillReport { files_held: seen, problems, ..DrillReport::default() };
        let drawn = within(drawn, options.bytes);
        if drawn.is_empty() {
            return Ok(report);
        }
        let told = self.restore_sample(snapshot, &drawn, options, monitor, cancel)?;
        for (path, node) in &drawn {
            cancel.check()?;
            let problem = match told.iter().find(|error| error.path == *path) {
                Some(error) => Some(error.clone()),
                None => compare(&blobs, &options.scratch, path, node)?,
            };
            match problem {
                Some(problem) => report.problems.push(problem),
                None => {
                    report.files += 1;
                    report.bytes += node.size;
                }
            }
        }
        Ok(report)
    }

    /// Restores the sample; gives the files that the restore says it lacks.
    fn restore_sample(
        &self,
        snapshot: &Snapshot,
        drawn: &[(PathBuf, Node)],
        options: &DrillOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<Vec<FileError>> {
        let scratch = &options.scratch;
        // What is restored may be nobody else's to read.
        DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(scratch)
            .map_err(|e| Error::io(format!("making {}", scratch.display()), e))?;
        let options = RestoreOptions {
            include: drawn.iter().filter_map(|(path, _)| pattern(path)).collect(),
            overwrite: Overwrite::Always,
            owner: false,
            ..RestoreOptions::to(scratch)
        };
        let watch = Watch { monitor, told: Mutex::default(), ours: Mutex::default() };
        self.restore(snapshot, &options, &watch, cancel)?;
        if let Some(error) = unpoisoned(&watch.ours).take() {
            let cause =
                error.code.map_or_else(|| io::Error::other(error.reason), io::Error::from_raw_os_error);
            return Err(Error::io(format!("writing to {}", scratch.display()), cause));
        }
        open_up(scratch)?;
        Ok(std::mem::take(&mut unpoisoned(&watch.told)))
    }
}

/// Removes a drill's folder, whatever the permissions of what was restored to it. One that is not there is no error.
pub fn remove_scratch(scratch: &Path) -> Result<()> {
    let error = |e| Error::io(format!("removing {}", scratch.display()), e);
    if !scratch.try_exists().map_err(error)? {
        return Ok(());
    }
    open_up(scratch)?;
    fs::remove_dir_all(scratch).map_err(error)
}

/// Lets us read and remove all folders and files beneath a folder.
fn open_up(top: &Path) -> Result<()> {
    let error = |e| Error::io(format!("opening {}", top.display()), e);
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).map_err(error)?;
        for entry in fs::read_dir(&folder).map_err(error)? {
            let entry = entry.map_err(error)?;
            let kind = entry.file_type().map_err(error)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                fs::set_permissions(entry.path(), Permissions::from_mode(0o600)).map_err(error)?;
            }
        }
    }
    Ok(())
}

/// A pattern that matches this path alone; `None` where it is no text.
fn pattern(path: &Path) -> Option<String> {
    let mut pattern = String::new();
    for c in path.to_str()?.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    Some(pattern)
}

/// As many of these files, in their order, as have so many bytes; the smallest, if none has.
fn within(drawn: Vec<(PathBuf, Node)>, bytes: u64) -> Vec<(PathBuf, Node)> {
    let mut left = bytes;
    let (mut taken, others): (Vec<_>, Vec<_>) = drawn.into_iter().partition(|(_, node)| {
        let fits = node.size <= left;
        left -= if fits { node.size } else { 0 };
        fits
    });
    if taken.is_empty() {
        taken.extend(others.into_iter().min_by_key(|(_, node)| node.size));
    }
    taken
}

/// Compares a restored file with what was backed up; gives what is wrong with it.
fn compare(blobs: &Blobs, scratch: &Path, path: &Path, node: &Node) -> Result<Option<FileError>> {
    let wrong = |reason: &str| Some(FileError::new(path, FileErrorKind::Damaged, reason));
    let restored = scratch.join(path.strip_prefix("/").unwrap_or(path));
    let mut file = match File::open(&restored) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(wrong("it was not restored")),
        Err(error) => return Err(Error::io(format!("opening {}", restored.display()), error)),
    };
    let read = |e| Error::io(format!("reading {}", restored.display()), e);
    for id in &node.content {
        let Some(location) = blobs.index.get(BlobKind::Data, id) else {
            return Ok(wrong("a part of it is in no index"));
        };
        if hash_of(&mut (&mut file).take(plain_length(&location.blob))).map_err(read)? != *id {
            return Ok(wrong("what was restored is not what was backed up"));
        }
    }
    match file.read(&mut [0]).map_err(read)? {
        0 => Ok(None),
        _ => Ok(wrong("what was restored is longer than what was backed up")),
    }
}

/// The hash of all that is left to read.
fn hash_of(from: &mut dyn Read) -> io::Result<Id> {
    let (mut hash, mut part) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match from.read(&mut part)? {
            0 => return Ok(Id(hash.finalize().into())),
            length => hash.update(&part[..length]),
        }
    }
}

/// Draws files, each with the same chance, in one walk and without holding more than it draws.
struct Sample {
    wanted: usize,
    drawn: Vec<(PathBuf, Node)>,
    seen: u64,
    problems: Vec<FileError>,
}

/// How long the path of a file is that can be drawn, in bytes.
const MAX_PATH: usize = 3000;
/// Folders that are told one by one that could not be looked into.
const MAX_TROUBLES: usize = 1000;

impl Sample {
    fn new(wanted: usize) -> Self {
        Self { wanted, drawn: Vec::new(), seen: 0, problems: Vec::new() }
    }

    /// Vitter's algorithm R.
    fn draw(&mut self, path: &Path, node: Node) -> Result<()> {
        if self.drawn.len() < self.wanted {
            self.drawn.push((path.to_owned(), node));
            return Ok(());
        }
        let place = u64::from_le_bytes(random::array()?) % self.seen;
        if let Some(slot) = usize::try_from(place).ok().and_then(|place| self.drawn.get_mut(place)) {
            *slot = (path.to_owned(), node);
        }
        Ok(())
    }
}

impl Visitor for Sample {
    fn entry(&mut self, path: &Path, node: Node) -> Result<Step> {
        if node.kind == NodeKind::File {
            self.seen += 1;
            // A restore takes its files by patterns, which are text; and beneath the scratch folder a path is longer.
            if path.to_str().is_some_and(|text| text.len() <= MAX_PATH) {
                self.draw(path, node)?;
            }
        }
        Ok(Step::Enter)
    }

    fn trouble(&mut self, error: &FileError) {
        if self.problems.len() < MAX_TROUBLES {
            self.problems.push(error.clone());
        }
    }
}

/// Tells what the backup lacks from what the scratch folder does.
struct Watch<'a> {
    monitor: &'a dyn Monitor,
    told: Mutex<Vec<FileError>>,
    ours: Mutex<Option<FileError>>,
}

impl Monitor for Watch<'_> {
    fn progress(&self, progress: &Progress) {
        self.monitor.progress(progress);
    }

    fn error(&self, error: &FileError) {
        match error.kind {
            FileErrorKind::Damaged | FileErrorKind::Refused => unpoisoned(&self.told).push(error.clone()),
            // Not every file system takes every attribute; a drill is about content.
            FileErrorKind::Metadata => {}
            _ => drop(unpoisoned(&self.ours).get_or_insert_with(|| error.clone())),
        }
    }
}
