//! Streams beside paths: what commands give becomes files of the same snapshot as the files of the disk.
//!
//! The streams are stored first, one after the other, and their folders put into the topmost tree when the walk has made
//! it. A stream that fails is told and left out, like a file that cannot be read, and the rest is saved all the same.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Stages;
use super::blobs::{BlobSink, Sealer};
use super::run::Run;
use super::stream::{self, node};
use crate::command::Stream;
use crate::error::{Error, ErrorKind, Result};
use crate::monitor::{FileError, FileErrorKind};
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::tree;

/// How much of what a failed command said is told, in bytes and lines.
const MAX_SAID: usize = 4096;
const MAX_LINES: usize = 20;

/// What goes into a folder besides what the walk finds.
#[derive(Default)]
struct Beds(BTreeMap<Vec<u8>, Bed>);

enum Bed {
    File(Box<Node>),
    Folder(Beds),
}

/// The absolute paths of streams. [`ErrorKind::Invalid`] for one that is no path of a file, or beneath or above another.
pub(super) fn paths(streams: &[Stream]) -> Result<Vec<PathBuf>> {
    let paths = streams.iter().map(|stream| stream::absolute(&stream.path)).collect::<Result<Vec<_>>>()?;
    for (number, path) in paths.iter().enumerate() {
        if paths[..number].iter().any(|other| other.starts_with(path) || path.starts_with(other)) {
            let message = format!("{} is the path of several streams", path.display());
            return Err(Error::new(ErrorKind::Invalid, message));
        }
    }
    Ok(paths)
}

/// Stores what streams give; the nodes are entries of the topmost folder. `None` when the run has failed.
pub(super) fn store(
    stages: &Stages<'_>,
    run: &Run<'_>,
    sink: &BlobSink<'_>,
    streams: Vec<Stream>,
    time: Timestamp,
) -> Option<Vec<Node>> {
    let mut beds = Beds::default();
    for stream in streams {
        // They were looked at before.
        let path = stream::absolute(&stream.path).map_err(|error| run.guard(Err(error))).ok()?;
        run.counters.set_current(&path);
        match read(stages, run, sink, stream, &path) {
            Ok(file) => beds.put(&path, Node { mtime: time, ctime: time, atime: time, ..file }),
            Err(error) => {
                // Whatever a stream fails with once the run has, came of that.
                run.check().ok()?;
                run.counters.error(run.monitor, &error);
            }
        }
    }
    let saved = Sealer::new(stages.files, stages.options.compression)
        .and_then(|mut sealer| beds.save(run, sink, &mut sealer, time));
    saved.map_err(|error| run.guard(Err(error))).ok()
}

fn read(
    stages: &Stages<'_>,
    run: &Run<'_>,
    sink: &BlobSink<'_>,
    stream: Stream,
    path: &Path,
) -> Result<Node, FileError> {
    let failed = |error: &Error, said: Vec<String>| {
        let mut reason = match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        // The last line is in the error already.
        let earlier = said.len().saturating_sub(1);
        for line in &said[earlier.saturating_sub(MAX_LINES)..earlier] {
            reason.push('\n');
            reason.push_str(line);
        }
        reason.truncate(reason.floor_char_boundary(MAX_SAID));
        FileError::new(path, FileErrorKind::Command, reason)
    };
    let mut source = stream.start().map_err(|error| failed(&error, Vec::new()))?;
    let read = stream::read(stages, run, sink, &mut source);
    let said = source.said();
    match read {
        Ok(node) => {
            said.iter().for_each(|line| run.warn(path, FileErrorKind::Command, line));
            Ok(node)
        }
        Err(error) => Err(failed(&error, said)),
    }
}

impl Beds {
    fn put(&mut self, path: &Path, file: Node) {
        let names: Vec<&[u8]> = path.iter().skip(1).map(OsStrExt::as_bytes).collect();
        let Some((name, folders)) = names.split_last() else { return };
        let mut here = self;
        for folder in folders {
            let bed = here.0.entry(folder.to_vec()).or_insert_with(|| Bed::Folder(Self::default()));
            // No path of a stream is beneath another.
            let Bed::Folder(beneath) = bed else { return };
            here = beneath;
        }
        here.0.insert(name.to_vec(), Bed::File(Box::new(Node { name: name.to_vec(), ..file })));
    }

    /// Stores the folders; gives the nodes of what is in this one.
    fn save(
        self,
        run: &Run<'_>,
        sink: &BlobSink<'_>,
        sealer: &mut Sealer,
        time: Timestamp,
    ) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        for (name, bed) in self.0 {
            nodes.push(match bed {
                Bed::File(node) => *node,
                Bed::Folder(beds) => {
                    let within = beds.save(run, sink, sealer, time)?;
                    let json: Vec<_> = within.iter().map(tree::encode_node).collect();
                    let id =
                        sink.save(sealer, BlobKind::Tree, &tree::encode(json.iter().map(Vec::as_slice)))?;
                    run.dirs.count(false, false);
                    let folder = node(&name, NodeKind::Dir, 0o755);
                    Node { subtree: Some(id), mtime: time, atime: time, ctime: time, ..folder }
                }
            });
        }
        Ok(nodes)
    }
}

/// The topmost tree with these entries in it; they take the place of what the walk has found under their names.
pub(super) fn topmost(found: &[Vec<u8>], grafts: &[Node], run: &Run<'_>) -> Result<Vec<u8>> {
    let json = tree::encode(found.iter().map(Vec::as_slice).filter(|node| !node.is_empty()));
    let mut nodes = tree::decode(&json)?;
    nodes.retain(|found| {
        let is_taken = grafts.iter().any(|graft| graft.name == found.name);
        if is_taken {
            let path = Path::new("/").join(crate::metadata::os(&found.name));
            let why = "it is left out, since streams of this backup go there";
            run.counters.error(run.monitor, &FileError::new(path, FileErrorKind::Refused, why));
        }
        !is_taken
    });
    nodes.extend_from_slice(grafts);
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let json: Vec<_> = nodes.iter().map(tree::encode_node).collect();
    Ok(tree::encode(json.iter().map(Vec::as_slice)))
}
