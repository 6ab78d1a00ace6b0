//! Lock files, as restic writes and honours them.
//!
//! Source: restic's design document, "Locks". An operation takes a *shared* lock, or an *exclusive* one: a
//! file in `locks/` rewritten every five minutes and removed at the end, also after an error. A lock of
//! someone else stops us if one of the two is exclusive, unless it is stale: older than 30 minutes, or of
//! a dead process on this host.
//!
//! Whether a process lives, restic's `unlock` asks by sending it a hangup, which ends whoever does not
//! ignore it: a process that has held a lock ignores hangups from then on.
//!
//! Invariant: the lock is written before the others are looked at, so that of two that come at the same
//! time at least one sees the other. That holds because stores list what was saved.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, Once};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rustix::process::{Pid, getgid, getpid, getuid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::files::Files;
use crate::metadata::{host_name, user_name};
use crate::random;
use crate::store::{FileKind, Name};

const REFRESH: Duration = Duration::from_secs(5 * 60);
const STALE: SignedDuration = SignedDuration::from_mins(30);
/// A lock that could not be refreshed for so long may be taken for stale: the run must end.
const LOST: Duration = Duration::from_secs(22 * 60);

/// Whom a lock suffers beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All that are shared as well.
    Shared,
    /// Nobody.
    Exclusive,
}

/// The JSON of a lock file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LockFile {
    #[serde(deserialize_with = "crate::go_text::timestamp")]
    time: Timestamp,
    exclusive: bool,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    pid: i64,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
}

impl LockFile {
    fn new(mode: Mode) -> Self {
        Self {
            time: Timestamp::now(),
            exclusive: mode == Mode::Exclusive,
            hostname: host_name(),
            username: user_name(),
            pid: getpid().as_raw_nonzero().get().into(),
            uid: getuid().as_raw(),
            gid: getgid().as_raw(),
        }
    }

    /// Reads a lock file's JSON.
    pub(crate) fn parse(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).map_err(|e| Error::damaged("a lock is malformed").with_source(e))
    }

    fn is_stale(&self) -> bool {
        if Timestamp::now().duration_since(self.time) > STALE {
            return true;
        }
        let pid = i32::try_from(self.pid).ok().filter(|pid| *pid > 0).and_then(Pid::from_raw);
        let dead = |pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
        self.hostname == host_name() && pid.is_some_and(dead)
    }

    fn refusal(&self) -> Error {
        let Self { username, hostname, pid, time, .. } = self;
        let how = if self.exclusive { "exclusively " } else { "" };
        let message =
            format!("the repository is locked {how}by {username}@{hostname}, pid {pid}, since {time}");
        Error::new(ErrorKind::Locked, message)
    }
}

/// A lock held. Dropping it removes the file.
pub(crate) struct Lock {
    stop: Option<Sender<()>>,
    refresher: Option<JoinHandle<()>>,
    held: Arc<Held>,
}

struct Held {
    files: Arc<Files>,
    mode: Mode,
    /// The file that stands for the lock now, and when it was written. By both clocks: one stands still
    /// while a machine sleeps, the other can be set.
    current: Mutex<(Name, Instant, Timestamp)>,
}

impl Lock {
    /// Takes a lock, waiting up to `patience` for those in its way to go.
    pub(crate) fn take(files: &Arc<Files>, mode: Mode, patience: Duration, cancel: &Cancel) -> Result<Self> {
        let end = Instant::now() + patience;
        loop {
            match Self::attempt(files, mode) {
                Err(e) if e.kind() == ErrorKind::Locked && Instant::now() < end => {
                    // Two that saw each other must not come back at the same time for ever.
                    let wait = Duration::from_millis(700 + u64::from(random::array::<1>()?[0]) * 2);
                    cancel.sleep(wait);
                    cancel.check()?;
                }
                other => return other,
            }
        }
    }

    fn attempt(files: &Arc<Files>, mode: Mode) -> Result<Self> {
        ignore_hangups();
        refuse_others(files, mode, None)?;
        let current = save(files, mode)?;
        let held = Arc::new(Held { files: Arc::clone(files), mode, current: Mutex::new(current) });
        let (stop, stopped) = channel();
        let thread_held = Arc::clone(&held);
        let refresher = thread::Builder::new().name("vault lock".to_owned()).spawn(move || {
            while stopped.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
                thread_held.refresh()
            }
        });
        // From here on dropping `lock` removes the file.
        let lock = Self { stop: Some(stop), refresher: refresher.ok(), held };
        refuse_others(files, mode, Some(current.0))?;
        Ok(lock)
    }

    /// Fails when the lock could not be refreshed for so long that others may take it for stale.
    pub(crate) fn verify(&self) -> Result<()> {
        match self.held.age() {
            age if age > LOST => {
                Err(Error::new(ErrorKind::Locked, "the lock could not be refreshed in time"))
            }
            _ => Ok(()),
        }
    }
}

impl Held {
    fn refresh(&self) {
        // Others may have taken the lock for stale and worked without us: it must not come to life again.
        if self.age() > LOST {
            return;
        }
        // A failure here is no news yet: it is tried again, and `verify` tells when it lasted too long.
        let Ok(new) = save(&self.files, self.mode) else { return };
        let Ok(mut current) = self.current.lock() else { return };
        let old = std::mem::replace(&mut *current, new);
        let _ = self.files.store.remove(FileKind::Lock, &old.0);
    }

    fn age(&self) -> Duration {
        self.current.lock().map_or(Duration::MAX, |current| {
            let by_wall_clock = Timestamp::now().duration_since(current.2);
            current.1.elapsed().max(by_wall_clock.try_into().unwrap_or_default())
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(refresher) = self.refresher.take() {
            let _ = refresher.join();
        }
        if let Ok(current) = self.held.current.lock() {
            // A lock that stays behind is stale as soon as this process has ended.
            let _ = self.held.files.store.remove(FileKind::Lock, &current.0);
        }
    }
}

fn ignore_hangups() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Any handler takes the place of the default, which is to end; nobody looks at the flag. Where this
        // fails there is only restic's question to fear.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::new(AtomicBool::new(false)));
    });
}

fn save(files: &Files, mode: Mode) -> Result<(Name, Instant, Timestamp)> {
    let (lock, written) = (LockFile::new(mode), Instant::now());
    let json = serde_json::to_vec(&lock)
        .map_err(|e| Error::new(ErrorKind::Invalid, "writing a lock").with_source(e))?;
    Ok((files.save(FileKind::Lock, &json)?, written, lock.time))
}

/// Fails when another lock forbids one of ours in this mode.
fn refuse_others(files: &Files, mode: Mode, ours: Option<Name>) -> Result<()> {
    for (name, size) in files.store.list(FileKind::Lock)? {
        // Other programs may leave empty files when they are interrupted; restic ignores them as well.
        if size == 0 || Some(name) == ours {
            continue;
        }
        match files.load(FileKind::Lock, &name) {
            Ok(json) => {
                let lock = LockFile::parse(&json)?;
                if (lock.exclusive || mode == Mode::Exclusive) && !lock.is_stale() {
                    return Err(lock.refusal());
                }
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Operation, RecordingStore, Verb};

    fn lock() -> LockFile {
        LockFile::new(Mode::Exclusive)
    }

    #[test]
    fn locks_grow_stale_as_restic_has_it() {
        assert!(!lock().is_stale());
        assert!(LockFile { time: Timestamp::now() - SignedDuration::from_mins(31), ..lock() }.is_stale());
        // No process has this number: it is beyond what Linux gives out.
        assert!(LockFile { pid: 2_000_000_000, ..lock() }.is_stale());
        assert!(!LockFile { pid: 2_000_000_000, hostname: "elsewhere".to_owned(), ..lock() }.is_stale());
        assert!(!LockFile { pid: -1, ..lock() }.is_stale());
    }

    #[test]
    fn a_living_exclusive_lock_stops_us_until_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(RecordingStore::new(Arc::new(crate::store::LocalStore::new(folder.path()))));
        let key = crate::cipher::Key::generate().unwrap();
        let files = Arc::new(Files { store: store.clone(), key, version: 2 });
        let name = files.save(FileKind::Lock, &serde_json::to_vec(&lock()).unwrap()).unwrap();
        let take = |patience| Lock::take(&files, Mode::Shared, patience, &Cancel::new());
        assert_eq!(take(Duration::ZERO).err().unwrap().kind(), ErrorKind::Locked);
        assert_eq!(files.store.list(FileKind::Lock).unwrap().len(), 1, "our own did not stay behind");
        store.take();
        thread::scope(|scope| {
            scope.spawn(|| {
                let was_read = |operation: &Operation| operation.verb == Verb::Read;
                while !store.take().iter().any(was_read) {
                    thread::yield_now();
                }
                files.store.remove(FileKind::Lock, &name).unwrap();
            });
            let lock = take(Duration::from_secs(30)).unwrap();
            assert_eq!(files.store.list(FileKind::Lock).unwrap().len(), 1);
            lock.held.refresh();
            assert_eq!(files.store.list(FileKind::Lock).unwrap().len(), 1);
        });
        assert!(files.store.list(FileKind::Lock).unwrap().is_empty());
    }

    #[test]
    fn an_exclusive_lock_suffers_nobody_and_leaves_nothing_behind_when_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(crate::store::LocalStore::new(folder.path()));
        let files = Arc::new(Files { store, key: crate::cipher::Key::generate().unwrap(), version: 2 });
        let take = |mode| Lock::take(&files, mode, Duration::ZERO, &Cancel::new());
        let refused = |mode| take(mode).err().map(|error| error.kind());
        let left = || files.store.list(FileKind::Lock).unwrap().len();
        let shared = take(Mode::Shared).unwrap();
        assert_eq!((refused(Mode::Exclusive), left()), (Some(ErrorKind::Locked), 1));
        drop(shared);
        let exclusive = take(Mode::Exclusive).unwrap();
        exclusive.held.refresh();
        exclusive.verify().unwrap();
        assert_eq!((refused(Mode::Exclusive), left()), (Some(ErrorKind::Locked), 1));
        assert_eq!((refused(Mode::Shared), left()), (Some(ErrorKind::Locked), 1));
        drop(exclusive);
        assert_eq!((refused(Mode::Exclusive), left()), (None, 0));
    }

    #[test]
    fn of_two_that_come_together_at_most_one_works_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(crate::store::LocalStore::new(folder.path()));
        let files = Arc::new(Files { store, key: crate::cipher::Key::generate().unwrap(), version: 2 });
        let inside = std::sync::atomic::AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let lock = Lock::take(&files, Mode::Exclusive, Duration::from_secs(60), &Cancel::new());
                    let lock = lock.unwrap();
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    thread::yield_now();
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    drop(lock);
                });
            }
        });
    }

    #[test]
    fn a_refusal_says_who_and_since_when() {
        let lock = LockFile { username: "ann".to_owned(), hostname: "box".to_owned(), pid: 42, ..lock() };
        let message = lock.refusal().to_string();
        assert!(message.contains("ann@box") && message.contains("42") && message.contains("20"), "{message}");
    }

    proptest::proptest! {
        #[test]
        fn mutated_locks_never_panic(at in 0usize..180, byte: u8) {
            let mut json = serde_json::to_vec(&lock()).unwrap();
            let at = at % json.len();
            json[at] = byte;
            if let Ok(lock) = LockFile::parse(&json) {
                lock.is_stale();
            }
        }
    }
}
