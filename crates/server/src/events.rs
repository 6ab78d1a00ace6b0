//! What has changed of late, for whoever watches: a ring that forgets the oldest, and readers with a place in it.
//!
//! Nothing is kept for a single reader but that place, so a slow one costs nothing; when what it has not read yet is
//! forgotten, it is told that it lost something. The ring is this server's memory alone: what happens at a neighbour
//! is put into it by `jobs::neighbours`. Events come here when the change that they tell of is on disk
//! ([`crate::db::Write::tell`]), or, where nothing is written, by [`Events::tell`].

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use roadstead_api::{
    event::Event,
    id::{AccountId, UserId},
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{Clock, Error, ErrorKind, Result, random};

/// How many events are remembered.
const MAX_EVENTS: usize = 16_384;
/// How much text they may hold in sum, in bytes.
const MAX_BYTES: usize = 8 << 20;
/// How many streams are served at once.
const MAX_READERS: usize = 1000;
/// How many events a reader takes at once.
const BATCH: usize = 256;
/// How much of the path of the file in hand is told, in characters.
const MAX_PATH_CHARS: usize = 500;

/// An event, and whom it concerns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The account that it happened in.
    pub account: AccountId,
    /// The one user who may see it, where it is not for the account.
    pub only_for: Option<UserId>,
    /// The event.
    pub event: Event,
}

impl Told {
    /// An event for all of an account that may read its noun.
    pub fn new(account: AccountId, event: Event) -> Self {
        Self { account, only_for: None, event }
    }
}

/// An event in the ring.
#[derive(Debug)]
pub struct Entry {
    /// The event.
    pub told: Told,
    /// Its place.
    pub number: u64,
    /// Whether it happened at this server.
    pub here: bool,
    bytes: usize,
}

#[derive(Debug)]
struct Ring {
    entries: VecDeque<Arc<Entry>>,
    /// The number of the oldest entry, or of the next one where there is none.
    first: u64,
    /// The number of the newest entry that happened at this server and is forgotten.
    forgotten_here: u64,
    bytes: usize,
}

/// The events of late.
#[derive(Debug)]
pub struct Events {
    /// Names this server's life: places of another one mean nothing here.
    life: String,
    clock: Arc<dyn Clock>,
    ring: Mutex<Ring>,
    next: watch::Sender<u64>,
    readers: AtomicUsize,
}

/// Somebody who reads on as events come.
#[derive(Debug)]
pub struct Reader {
    events: Arc<Events>,
    next: u64,
    changed: watch::Receiver<u64>,
    client: bool,
}

/// What a reader gets.
#[derive(Debug)]
pub enum Batch {
    /// What has happened since, oldest first.
    Entries(Vec<Arc<Entry>>),
    /// Something was forgotten before it was read.
    Lost,
}

impl Events {
    /// No events yet; they are told with the time of this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self> {
        let ring = Ring { entries: VecDeque::new(), first: 1, forgotten_here: 0, bytes: 0 };
        Ok(Self {
            life: random::id()?,
            clock,
            ring: Mutex::new(ring),
            next: watch::Sender::new(1),
            readers: AtomicUsize::new(0),
        })
    }

    /// Tells an account's readers, here and at the neighbours, that something happened.
    pub fn tell(&self, account: AccountId, event: Event) {
        self.tell_all([Told::new(account, event)]);
    }

    /// Tells several things at once.
    pub fn tell_all(&self, told: impl IntoIterator<Item = Told>) {
        let now = jiff::Timestamp::from_millisecond(self.now_ms()).unwrap_or_default();
        self.add(
            told.into_iter().map(|mut told| {
                told.event.at = now;
                told
            }),
            true,
        );
    }

    /// What time it is, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Takes in what happened at a neighbour.
    pub fn heard(&self, told: Vec<Told>) {
        self.add(told, false);
    }

    /// What happened at a neighbour may have been missed: all clients are to know.
    pub fn lost(&self) {
        let mut ring = self.locked();
        while ring.forget_oldest() {}
        // A number that nobody has read, so that all are before it.
        ring.first += 1;
        self.next.send_replace(ring.first);
    }

    fn add(&self, told: impl IntoIterator<Item = Told>, here: bool) {
        let mut ring = self.locked();
        for told in told {
            ring.push(shortened(told), here);
        }
        self.next.send_replace(ring.next());
    }

    /// A reader of what comes from now on, for this server's own use: to it, what a neighbour did is no loss, or two
    /// servers would tell each other of one loss without end.
    pub fn reader(self: &Arc<Self>) -> Reader {
        let next = self.locked().next();
        Reader { events: self.clone(), next, changed: self.next.subscribe(), client: false }
    }

    /// A reader for a client, who goes on after `last` if given. There are only so many at once.
    pub fn client(self: &Arc<Self>, last: Option<&str>) -> Result<Reader> {
        if self.readers.fetch_add(1, Ordering::Relaxed) >= MAX_READERS {
            self.readers.fetch_sub(1, Ordering::Relaxed);
            let message = "The server has as many event streams open as it can; close some.";
            return Err(Error::new(ErrorKind::TooMany, message));
        }
        let mut reader = self.reader();
        reader.client = true;
        if let Some(last) = last {
            // A place of another life is before everything that is remembered here.
            reader.next = self.place(last).filter(|&next| next <= reader.next).unwrap_or(0);
        }
        Ok(reader)
    }

    /// The name of a place, for a client to come back with.
    pub fn name(&self, number: u64) -> String {
        format!("{}-{number}", self.life)
    }

    fn place(&self, name: &str) -> Option<u64> {
        let (life, number) = name.rsplit_once('-')?;
        if life != self.life {
            return None;
        }
        number.parse::<u64>().ok()?.checked_add(1)
    }

    /// A poisoned lock only means that some task panicked between two of these short changes.
    fn locked(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn push(&mut self, told: Told, here: bool) {
        let bytes = size(&told);
        self.entries.push_back(Arc::new(Entry { number: self.next(), told, here, bytes }));
        self.bytes += bytes;
        while self.entries.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) -> bool {
        let Some(oldest) = self.entries.pop_front() else { return false };
        self.first += 1;
        self.bytes -= oldest.bytes;
        if oldest.here {
            self.forgotten_here = oldest.number;
        }
        true
    }

    fn from(&self, number: u64) -> Option<Vec<Arc<Entry>>> {
        let skipped = usize::try_from(number.checked_sub(self.first)?).ok()?;
        Some(self.entries.iter().skip(skipped).take(BATCH).cloned().collect())
    }
}

impl Reader {
    /// Where this reader stands: the last place that it has read.
    pub fn place(&self) -> String {
        self.events.name(self.next.saturating_sub(1))
    }

    /// Whether what this reader wants to read next is forgotten; then it stands at the end from now on.
    pub fn has_lost(&mut self) -> bool {
        let ring = self.events.locked();
        if self.next >= ring.first {
            return false;
        }
        let lost = self.client || self.next <= ring.forgotten_here;
        self.next = if lost { ring.next() } else { ring.first };
        lost
    }

    /// Waits for the next events. Dropped while it waits, it has read nothing.
    pub async fn next(&mut self) -> Batch {
        loop {
            if self.has_lost() {
                return Batch::Lost;
            }
            self.changed.mark_unchanged();
            let found = self.events.locked().from(self.next);
            match found {
                Some(entries) if !entries.is_empty() => {
                    self.next += entries.len() as u64;
                    return Batch::Entries(entries);
                }
                // The sender lives as long as the events that this reader holds.
                Some(_) => drop(self.changed.changed().await),
                None => {}
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.client {
            self.events.readers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// What an event takes in memory, about.
fn size(told: &Told) -> usize {
    let event = &told.event;
    let path = event.progress.as_ref().and_then(|progress| progress.current_path.as_ref());
    let texts = [Some(&event.noun), Some(&event.id), Some(&event.what), event.state.as_ref(), path];
    size_of::<Entry>() + texts.into_iter().flatten().map(String::len).sum::<usize>()
}

/// Agents say which file they have in hand, and a path may be long.
fn shortened(mut told: Told) -> Told {
    if let Some(path) = told.event.progress.as_mut().and_then(|progress| progress.current_path.as_mut())
        && let Some((end, _)) = path.char_indices().nth(MAX_PATH_CHARS)
    {
        path.truncate(end);
    }
    told
}

#[cfg(test)]
mod tests;
