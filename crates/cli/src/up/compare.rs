//! Compares what was restored with its source: names, kinds, content, modes, owners, times, link targets.
//!
//! The source is a live machine. What differs and has changed there since the backup was asked for is told, and is
//! no failure of the backup; the kernel's own change time (ctime), which no program can set, says so.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fmt,
    fs::{self, File, Metadata},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::Serialize;

use crate::human;

/// The kernel's clock for files runs behind by up to a tick.
const TICK: Duration = Duration::from_millis(20);

/// What to compare.
#[derive(Debug)]
pub struct Task {
    /// The folders and files that were backed up.
    pub roots: Vec<PathBuf>,
    /// The folder that they were restored under, each with its full path.
    pub proof: PathBuf,
    /// The folder that was left out.
    pub except: PathBuf,
    /// When the backup was asked for.
    pub since: SystemTime,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub struct Comparison {
    /// Regular files read on both sides, and the same.
    pub files: u64,
    /// Their sizes in sum.
    pub bytes: u64,
    /// Folders, symbolic links and special files that are the same.
    pub others: u64,
    /// What has changed at the source since the backup was asked for.
    pub changed: Vec<String>,
    /// What the source does not let us read.
    pub unreadable: Vec<String>,
    /// What differs, and should not.
    pub differences: Vec<String>,
}

impl Comparison {
    /// Whether nothing differs that should not, and there was something to compare.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty() && self.files + self.others > 0
    }

    /// What is to be told of single files, up to so many of each kind.
    pub fn told(&self, limit: usize) -> Vec<String> {
        let kinds = [
            ("changed meanwhile", &self.changed),
            ("unreadable", &self.unreadable),
            ("DIFFERS", &self.differences),
        ];
        let mut lines = Vec::new();
        for (kind, paths) in kinds {
            lines.extend(paths.iter().take(limit).map(|path| format!("  {kind}: {path}")));
            if paths.len() > limit {
                lines.push(format!("  {kind}: and {} more", paths.len() - limit));
            }
        }
        lines
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} files, {}, byte by byte, and {} folders and links, with modes, owners and times: {} differ",
            human::count(self.files),
            human::size(self.bytes),
            human::count(self.others),
            human::count(self.differences.len() as u64),
        )?;
        match self.changed.len() {
            0 => Ok(()),
            changed => write!(f, "; {changed} changed meanwhile"),
        }
    }
}

/// Why two entries are not the same.
enum Verdict {
    Same,
    Differs(String),
    Unreadable(io::Error),
}

impl Task {
    /// Walks the source and the proof side by side.
    pub fn compare(&self) -> Comparison {
        let mut result = Comparison::default();
        let mut waiting = self.roots.clone();
        while let Some(source) = waiting.pop() {
            if source == self.except {
                continue;
            }
            let restored = self.restored(&source);
            match verdict(&source, &restored) {
                Verdict::Same => self.count(&source, &restored, &mut waiting, &mut result),
                Verdict::Unreadable(error) => {
                    result.unreadable.push(format!("{}: {error}", source.display()))
                }
                Verdict::Differs(why) if self.has_changed(&source) => {
                    result.changed.push(format!("{}: {why}", source.display()));
                    // What is in a folder that has changed is still to be compared.
                    self.descend(&source, &restored, &mut waiting, &mut result);
                }
                Verdict::Differs(why) => {
                    result.differences.push(format!("{}: {why}", source.display()));
                    self.descend(&source, &restored, &mut waiting, &mut result);
                }
            }
        }
        result
    }

    fn restored(&self, source: &Path) -> PathBuf {
        self.proof.join(source.strip_prefix("/").unwrap_or(source))
    }

    fn count(&self, source: &Path, restored: &Path, waiting: &mut Vec<PathBuf>, result: &mut Comparison) {
        match fs::symlink_metadata(restored) {
            Ok(metadata) if metadata.is_file() => {
                result.files += 1;
                result.bytes += metadata.len();
            }
            _ => result.others += 1,
        }
        self.descend(source, restored, waiting, result);
    }

    /// Queues what is in a folder, and tells what is in its copy alone.
    fn descend(&self, source: &Path, restored: &Path, waiting: &mut Vec<PathBuf>, result: &mut Comparison) {
        if !fs::symlink_metadata(source).is_ok_and(|metadata| metadata.is_dir()) {
            return;
        }
        let names = match names_in(source) {
            Ok(names) => names,
            Err(error) => return result.unreadable.push(format!("{}: {error}", source.display())),
        };
        for extra in names_in(restored).unwrap_or_default().difference(&names) {
            let path = source.join(extra);
            let told = format!("{}: only the copy has it", path.display());
            let list = if self.has_changed(source) { &mut result.changed } else { &mut result.differences };
            list.push(told);
        }
        waiting.extend(names.into_iter().rev().map(|name| source.join(name)));
    }

    /// Whether an entry, or the folder it is gone from, has changed since the backup was asked for.
    fn has_changed(&self, path: &Path) -> bool {
        let found =
            fs::symlink_metadata(path).or_else(|_| fs::symlink_metadata(path.parent().unwrap_or(path)));
        let Ok(metadata) = found else { return true };
        changed_at(&metadata) + TICK >= self.since
    }
}

fn changed_at(metadata: &Metadata) -> SystemTime {
    let seconds = Duration::from_secs(metadata.ctime().try_into().unwrap_or_default());
    let nanoseconds = Duration::from_nanos(metadata.ctime_nsec().try_into().unwrap_or_default());
    SystemTime::UNIX_EPOCH + seconds + nanoseconds
}

fn names_in(folder: &Path) -> io::Result<BTreeSet<OsString>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

fn verdict(source: &Path, restored: &Path) -> Verdict {
    let from = match fs::symlink_metadata(source) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Verdict::Differs("it is gone".into());
        }
        Err(error) => return Verdict::Unreadable(error),
    };
    // A socket is the address of a running program, which no backup holds.
    if from.file_type().is_socket() {
        return Verdict::Same;
    }
    let to = match fs::symlink_metadata(restored) {
        Ok(metadata) => metadata,
        Err(error) => {
            let differs = || Verdict::Differs(format!("not restored ({error})"));
            return unreadable(source, &from).map_or_else(differs, Verdict::Unreadable);
        }
    };
    if let Some(why) = differing_metadata(&from, &to) {
        return Verdict::Differs(why);
    }
    if from.is_symlink() {
        return same(
            fs::read_link(source).and_then(|from| Ok(from == fs::read_link(restored)?)),
            "link target",
        );
    }
    if from.is_file() {
        return same(same_content(source, restored), "content");
    }
    Verdict::Same
}

fn same(answer: io::Result<bool>, what: &str) -> Verdict {
    match answer {
        Ok(true) => Verdict::Same,
        Ok(false) => Verdict::Differs(format!("the {what} differs")),
        Err(error) => Verdict::Differs(format!("the {what} cannot be compared ({error})")),
    }
}

/// Why a file or folder cannot be read, if it cannot: then no backup of ours could.
fn unreadable(path: &Path, metadata: &Metadata) -> Option<io::Error> {
    match () {
        () if metadata.is_file() => File::open(path).err(),
        () if metadata.is_dir() => fs::read_dir(path).err(),
        () => None,
    }
}

fn differing_metadata(from: &Metadata, to: &Metadata) -> Option<String> {
    if kind(from) != kind(to) {
        return Some(format!("it is a {}, and was restored as a {}", kind(from), kind(to)));
    }
    let differs =
        |what: &str, from: String, to: String| (from != to).then(|| format!("{what} {from}, restored {to}"));
    let mode = |metadata: &Metadata| format!("{:04o}", metadata.mode() & 0o7777);
    let time = |metadata: &Metadata| format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec());
    let owner = |metadata: &Metadata| format!("{}:{}", metadata.uid(), metadata.gid());
    let found = differs("mode", mode(from), mode(to)).filter(|_| !from.is_symlink());
    let found = found.or_else(|| differs("time", time(from), time(to)));
    // Only root may give files away.
    found
        .or_else(|| differs("owner", owner(from), owner(to)).filter(|_| rustix::process::geteuid().is_root()))
}

fn kind(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    match () {
        () if kind.is_file() => "file",
        () if kind.is_dir() => "folder",
        () if kind.is_symlink() => "symbolic link",
        () if kind.is_fifo() => "fifo",
        () if kind.is_socket() => "socket",
        () => "device",
    }
}

fn same_content(left: &Path, right: &Path) -> io::Result<bool> {
    let (mut left, mut right) = (File::open(left)?, File::open(right)?);
    let (mut from_left, mut from_right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let count = left.read(&mut from_left)?;
        if count == 0 {
            return Ok(right.read(&mut from_right)? == 0);
        }
        match right.read_exact(&mut from_right[..count]) {
            Ok(()) if from_left[..count] == from_right[..count] => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
