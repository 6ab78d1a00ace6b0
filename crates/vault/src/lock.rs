//! Lock files, as restic writes and honours them.
//!
//! Source: restic's design document, "Locks". Every operation of ours takes a *shared* lock: a file in
//! `locks/` rewritten every five minutes and removed at the end, also after an error. An exclusive lock of
//! someone else stops us, unless it is stale: older than 30 minutes, or of a dead process on this host.
//!
//! Invariant: the lock is written before the others are looked at, so that of two that come at the same
//! time at least one sees the other. That holds because stores list what was saved.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rustix::process::{Pid, getgid, getpid, getuid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::files::Files;
use crate::metadata::{host_name, user_name};
use crate::store::{FileKind, Name};

const REFRESH: Duration = Duration::from_secs(5 * 60);
const STALE: SignedDuration = SignedDuration::from_mins(30);
/// A lock that could not be refreshed for so long may be taken for stale: the run must end.
const LOST: Duration = Duration::from_secs(22 * 60);

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
    fn shared() -> Self {
        Self {
            time: Timestamp::now(),
            exclusive: false,
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
        let message =
            format!("the repository is locked exclusively by {username}@{hostname}, pid {pid}, since {time}");
        Error::new(ErrorKind::Locked, message)
    }
}

/// A shared lock held. Dropping it removes the file.
pub(crate) struct Lock {
    stop: Option<Sender<()>>,
    refresher: Option<JoinHandle<()>>,
    held: Arc<Held>,
}

struct Held {
    files: Arc<Files>,
    /// The file that stands for the lock now, and when it was written.
    current: Mutex<(Name, Instant)>,
}

impl Lock {
    /// Takes a shared lock, waiting up to `patience` for exclusive ones to go.
    pub(crate) fn shared(files: &Arc<Files>, patience: Duration, cancel: &Cancel) -> Result<Self> {
        let end = Instant::now() + patience;
        loop {
            match Self::try_shared(files) {
                Err(e) if e.kind() == ErrorKind::Locked && Instant::now() < end => {
                    cancel.sleep(Duration::from_secs(1));
                    cancel.check()?;
                }
                other => return other,
            }
        }
    }

    fn try_shared(files: &Arc<Files>) -> Result<Self> {
        refuse_exclusive(files)?;
        let name = save(files)?;
        let held = Arc::new(Held { files: Arc::clone(files), current: Mutex::new((name, Instant::now())) });
        let (stop, stopped) = channel();
        let thread_held = Arc::clone(&held);
        let refresher = thread::Builder::new().name("vault lock".to_owned()).spawn(move || {
            while stopped.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
                thread_held.refresh()
            }
        });
        // From here on dropping `lock` removes the file.
        let lock = Self { stop: Some(stop), refresher: refresher.ok(), held };
        refuse_exclusive(files)?;
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
        // A failure here is no news yet: it is tried again, and `verify` tells when it lasted too long.
        let Ok(name) = save(&self.files) else { return };
        let Ok(mut current) = self.current.lock() else { return };
        let old = std::mem::replace(&mut *current, (name, Instant::now()));
        let _ = self.files.store.remove(FileKind::Lock, &old.0);
    }

    fn age(&self) -> Duration {
        self.current.lock().map_or(Duration::MAX, |current| current.1.elapsed())
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

fn save(files: &Files) -> Result<Name> {
    let json = serde_json::to_vec(&LockFile::shared())
        .map_err(|e| Error::new(ErrorKind::Invalid, "writing a lock").with_source(e))?;
    files.save(FileKind::Lock, &json)
}

fn refuse_exclusive(files: &Files) -> Result<()> {
    for (name, size) in files.store.list(FileKind::Lock)? {
        // Other programs may leave empty files when they are interrupted; restic ignores them as well.
        if size == 0 {
            continue;
        }
        match files.load(FileKind::Lock, &name) {
            Ok(json) => {
                let lock = LockFile::parse(&json)?;
                if lock.exclusive && !lock.is_stale() {
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

    fn lock() -> LockFile {
        LockFile { exclusive: true, ..LockFile::shared() }
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
        let store = Arc::new(crate::store::LocalStore::new(folder.path()));
        let files = Arc::new(Files { store, key: crate::cipher::Key::generate().unwrap(), version: 2 });
        let name = files.save(FileKind::Lock, &serde_json::to_vec(&lock()).unwrap()).unwrap();
        let take = |patience| Lock::shared(&files, patience, &Cancel::new());
        assert_eq!(take(Duration::ZERO).err().unwrap().kind(), ErrorKind::Locked);
        assert_eq!(files.store.list(FileKind::Lock).unwrap().len(), 1, "our own did not stay behind");
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(200));
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
