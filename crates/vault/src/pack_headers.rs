//! The headers of all packs in a store, which are the truth about what lies where: index files can be
//! lost, stale or lies, while a pack's name vouches for its header.
//!
//! Packs are taken in the order in which they arrived, so that of several copies of a blob the index
//! built here gives the oldest first. That is the one to trust: whoever came later may have known the id
//! and stored junk under it.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::thread;

use crossbeam_channel::{Receiver, unbounded};
use jiff::Timestamp;

use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::files::Files;
use crate::id::Id;
use crate::index::Index;
use crate::pack::{self, PackedBlob};
use crate::store::{FileKind, Name};
use crate::threads::threads;
use crate::threads::unpoisoned;

/// How much of a pack's end is read at first: enough for the headers of most packs of large files.
const END: u64 = 64 << 10;

/// What is known of the packs in a store.
#[derive(Default)]
pub(crate) struct PackHeaders {
    /// Every blob of every pack whose header can be read, copies in order of arrival.
    pub(crate) index: Index,
    /// Packs whose header can be read, with their sizes in bytes.
    pub(crate) sizes: HashMap<Id, u64>,
    /// Packs whose header cannot be read, with their sizes in bytes.
    pub(crate) unreadable: HashMap<Id, u64>,
}

type Header = (Id, u64, Option<Vec<PackedBlob>>);

impl PackHeaders {
    /// Reads the headers of all packs. Those that `arrivals` does not know count as the latest.
    pub(crate) fn read(
        files: &Files,
        arrivals: &HashMap<Id, Timestamp>,
        asked_threads: usize,
        cancel: &Cancel,
    ) -> Result<Self> {
        let mut headers = Self::default();
        let packs = files.store.list(FileKind::Pack)?;
        headers.add(files, packs, arrivals, asked_threads, cancel)?;
        Ok(headers)
    }

    /// Brings this up to date with the store: the same as reading all again, but for the reading.
    pub(crate) fn refresh(
        self,
        files: &Files,
        arrivals: &HashMap<Id, Timestamp>,
        asked_threads: usize,
        cancel: &Cancel,
    ) -> Result<Self> {
        let listed = files.store.list(FileKind::Pack)?;
        let names: HashSet<Id> = listed.iter().map(|(name, _)| name.0).collect();
        if self.sizes.keys().chain(self.unreadable.keys()).any(|pack| !names.contains(pack)) {
            return Self::read(files, arrivals, asked_threads, cancel);
        }
        let mut headers = self;
        let is_new = |pack: &Id| !headers.sizes.contains_key(pack) && !headers.unreadable.contains_key(pack);
        let new = listed.into_iter().filter(|(name, _)| is_new(&name.0)).collect();
        headers.add(files, new, arrivals, asked_threads, cancel)?;
        Ok(headers)
    }

    /// Adds what the headers of more packs say.
    pub(crate) fn add(
        &mut self,
        files: &Files,
        mut packs: Vec<(Name, u64)>,
        arrivals: &HashMap<Id, Timestamp>,
        asked_threads: usize,
        cancel: &Cancel,
    ) -> Result<()> {
        packs.sort_by_key(|(name, _)| (arrivals.get(&name.0).copied().unwrap_or(Timestamp::MAX), *name));
        let order: HashMap<Id, usize> = packs.iter().enumerate().map(|(i, (name, _))| (name.0, i)).collect();
        let mut read = read_all(files, packs, asked_threads, cancel)?;
        read.sort_by_key(|(pack, ..)| order.get(pack).copied());
        for (pack, size, header) in read {
            match header {
                Some(blobs) => {
                    self.index.extend(&[(pack, blobs)])?;
                    self.sizes.insert(pack, size);
                }
                None => {
                    self.unreadable.insert(pack, size);
                }
            }
        }
        self.index.finish();
        Ok(())
    }
}

fn read_all(
    files: &Files,
    packs: Vec<(Name, u64)>,
    asked_threads: usize,
    cancel: &Cancel,
) -> Result<Vec<Header>> {
    let (queue, waiting) = unbounded();
    for pack in packs {
        // There is a receiver, so this cannot fail.
        let _ = queue.send(pack);
    }
    drop(queue);
    let headers = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let work = || read_some(files, &waiting, &headers, cancel);
        let workers: Vec<_> = (0..threads(asked_threads)).map(|_| scope.spawn(work)).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(join).fold(Ok(()), Result::and)
    })?;
    Ok(std::mem::take(&mut *unpoisoned(&headers)))
}

fn read_some(
    files: &Files,
    waiting: &Receiver<(Name, u64)>,
    headers: &Mutex<Vec<Header>>,
    cancel: &Cancel,
) -> Result<()> {
    for (name, size) in waiting {
        cancel.check()?;
        let header = match read_header(files, &name, size) {
            Ok(blobs) => Some(blobs),
            Err(e) if e.kind() == ErrorKind::Damaged => None,
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        unpoisoned(headers).push((name.0, size, header));
    }
    Ok(())
}

/// The blobs of a stored pack, as its header lists them.
fn read_header(files: &Files, name: &Name, size: u64) -> Result<Vec<PackedBlob>> {
    let read = |length: u64| files.store.read_range(FileKind::Pack, name, size - length, length as usize);
    let end = read(size.min(END))?;
    let needed = pack::header_end(&end, size)?;
    let end = if needed > end.len() as u64 { read(needed)? } else { end };
    pack::parse_end(&end, size, &files.key)
}
