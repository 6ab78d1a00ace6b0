//! Streams: what a command or a pipe gives becomes one file of a snapshot, without ever lying on a disk.
//!
//! One thread reads, one cuts, the workers hash and store; between them wait a few chunks. The outcome of a
//! command decides: nobody should take half a dump for a whole one, so unless it ends with status 0 there is
//! no snapshot.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use jiff::Timestamp;
use rustix::process::{getgid, getuid};

use super::blobs::{BlobCounts, BlobSink, Sealer};
use super::options::{BackupOptions, BackupSummary};
use super::run::Run;
use super::{Stages, parent, threads};
use crate::cancel::Cancel;
use crate::command::{Source, Stream};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Filter;
use crate::id::Id;
use crate::metadata::{Owners, go_mode, host_name};
use crate::monitor::{FileErrorKind, Monitor};
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::progress::Counters;
use crate::repository::Repository;
use crate::threads::unpoisoned;
use crate::tree;

impl Repository {
    /// Backs up what a stream gives, as the file at the stream's path, and writes a snapshot of just that.
    /// The paths and patterns of `options` mean nothing here.
    ///
    /// Fails as [`Repository::backup`] does; also with [`ErrorKind::Command`] when a command cannot be
    /// started or does not end well, and [`ErrorKind::Invalid`] when the path is no path of a file. What a
    /// command says on its standard error is told to `monitor` as warnings.
    pub fn backup_stream(
        &self,
        stream: Stream,
        options: &BackupOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<BackupSummary> {
        let started = Timestamp::now();
        let path = absolute(&stream.path)?;
        let lock = self.lock(cancel)?;
        let blobs = self.blobs()?;
        blobs.warn(monitor);
        let (run, counts) = (Run::new(monitor, cancel, Counters::default()), BlobCounts::default());
        let stages = Stages {
            options,
            excludes: Filter::default(),
            includes: Filter::default(),
            files: &self.files,
            chunker: self.chunker(),
            blobs,
            counts: &counts,
        };
        let mut source = stream.start()?;
        let time = options.time.unwrap_or(started);
        let stored = stages.store(&run, |sink| {
            let node = read(&stages, &run, sink, &mut source).map_err(|error| run.guard(Err(error))).ok();
            node.and_then(|node| {
                wrap(&stages, &run, sink, &path, Node { mtime: time, ctime: time, atime: time, ..node })
            })
        });
        source.said().iter().for_each(|line| run.warn(&path, FileErrorKind::Command, line));
        let tree = stored?;
        lock.verify()?;
        let host = options.hostname.clone().unwrap_or_else(host_name);
        let paths = parent::path_strings(&[path]);
        let mut summary = super::summarize(&run, &counts, None, started);
        summary.snapshot = self.save_snapshot(options, tree, paths, host, &summary, cancel)?;
        Ok(summary)
    }
}

/// The absolute path of a file in the snapshot.
pub(super) fn absolute(given: &Path) -> Result<PathBuf> {
    let plain = |component: &Component<'_>| matches!(component, Component::Normal(_));
    let beneath = given.strip_prefix("/").unwrap_or(given);
    let mut components = beneath.components().peekable();
    if components.peek().is_none() || !components.all(|component| plain(&component)) {
        let message = format!("{} is no path of a file", given.display());
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    Ok(Path::new("/").join(beneath))
}

/// Reads and stores the whole stream. Fails with what the stream failed with, or with an echo of what the run did.
pub(super) fn read(
    stages: &Stages<'_>,
    run: &Run<'_>,
    sink: &BlobSink<'_>,
    source: &mut Source,
) -> Result<Node> {
    run.counters.files_total.fetch_add(1, Relaxed);
    let workers = threads(stages.options.threads);
    let (chunks, waiting) = bounded(workers);
    let content = Mutex::new(Vec::new());
    let size = thread::scope(|scope| {
        for _ in 0..workers {
            let (waiting, content) = (waiting.clone(), &content);
            scope.spawn(move || run.guard(store(stages, run, sink, &waiting, content)));
        }
        drop(waiting);
        // The workers end early only when the run has failed.
        let give = |chunk| chunks.send(chunk).map_err(|_| Error::cancelled());
        let size =
            cut(stages, run, source, give).and_then(|size| source.finish(|| run.check()).map(|()| size));
        drop(chunks);
        size
    })?;
    run.check()?;
    run.counters.files_searched.fetch_add(1, Relaxed);
    run.counters.files_done.fetch_add(1, Relaxed);
    run.counters.totals_final.store(true, Relaxed);
    run.files.count(false, false);
    Ok(Node { content: content.into_inner().unwrap_or_default(), size, ..node(b"", NodeKind::File, 0o644) })
}

/// Cuts the stream into numbered chunks; gives its length in bytes.
fn cut(
    stages: &Stages<'_>,
    run: &Run<'_>,
    source: &Source,
    give: impl Fn((usize, Vec<u8>)) -> Result<()>,
) -> Result<u64> {
    let (mut scan, mut buffer, mut number, mut length) = (stages.chunker.scan(), Vec::new(), 0, 0);
    while let Some(bytes) = source.next(|| run.check())? {
        length += bytes.len() as u64;
        for counter in [&run.counters.bytes_total, &run.counters.bytes_searched, &run.counters.bytes_done] {
            counter.fetch_add(bytes.len() as u64, Relaxed);
        }
        buffer.extend_from_slice(&bytes);
        while buffer.len() > stages.chunker.min_size() {
            let Some(cut) = scan.cut(&buffer) else { break };
            let rest = buffer.split_off(cut);
            give((number, std::mem::replace(&mut buffer, rest)))?;
            number += 1;
        }
    }
    if !buffer.is_empty() {
        give((number, buffer))?;
    }
    Ok(length)
}

/// Stores chunks until no more come.
fn store(
    stages: &Stages<'_>,
    run: &Run<'_>,
    sink: &BlobSink<'_>,
    waiting: &Receiver<(usize, Vec<u8>)>,
    content: &Mutex<Vec<Id>>,
) -> Result<()> {
    let mut sealer = Sealer::new(stages.files, stages.options.compression)?;
    for (number, chunk) in waiting {
        run.check()?;
        let id = sink.save(&mut sealer, BlobKind::Data, &chunk)?;
        let mut content = unpoisoned(content);
        if content.len() <= number {
            content.resize(number + 1, Id([0; 32]));
        }
        content[number] = id;
    }
    Ok(())
}

/// Stores the folders that lead to the file; gives the topmost tree.
fn wrap(stages: &Stages<'_>, run: &Run<'_>, sink: &BlobSink<'_>, path: &Path, file: Node) -> Option<Id> {
    let wrapped = Sealer::new(stages.files, stages.options.compression).and_then(|mut sealer| {
        let mut names: Vec<&OsStr> = path.iter().skip(1).collect();
        let name = names.pop().unwrap_or_default();
        let time = file.mtime;
        let mut node = Node { name: name.as_bytes().to_vec(), ..file };
        loop {
            let json = tree::encode(std::iter::once(tree::encode_node(&node).as_slice()));
            let id = sink.save(&mut sealer, BlobKind::Tree, &json)?;
            let Some(name) = names.pop() else { return Ok(id) };
            run.dirs.count(false, false);
            let folder = self::node(name.as_bytes(), NodeKind::Dir, 0o755);
            node = Node { subtree: Some(id), mtime: time, atime: time, ctime: time, ..folder };
        }
    });
    wrapped.map_err(|error| run.guard(Err(error))).ok()
}

/// A node of whoever runs this.
pub(super) fn node(name: &[u8], kind: NodeKind, mode: u32) -> Node {
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    let (user, group) = Owners::read().names(uid, gid);
    Node {
        name: name.to_vec(),
        kind,
        mode: go_mode(mode, kind),
        mtime: Timestamp::UNIX_EPOCH,
        atime: Timestamp::UNIX_EPOCH,
        ctime: Timestamp::UNIX_EPOCH,
        uid,
        gid,
        user,
        group,
        inode: 0,
        device_id: 0,
        size: 0,
        links: 0,
        link_target: Vec::new(),
        xattrs: Vec::new(),
        device: 0,
        content: Vec::new(),
        subtree: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_needs_a_path_of_a_file() {
        for (given, expected) in [("dump.sql", "/dump.sql"), ("/a/./b", "/a/b"), ("a//b", "/a/b")] {
            assert_eq!(absolute(Path::new(given)).unwrap(), Path::new(expected));
        }
        for given in ["", "/", "../x", "a/../b"] {
            assert_eq!(absolute(Path::new(given)).unwrap_err().kind(), ErrorKind::Invalid, "{given}");
        }
    }
}
