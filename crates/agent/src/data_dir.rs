//! The folder that an agent keeps everything in, and the locks that make it one agent's, and one job's.
//!
//! | file | what |
//! |---|---|
//! | `agent.json` | who the agent is, and its credential |
//! | `key.pem` | its private key |
//! | `ca.pem` | the CA that alone vouches for the server, where there is one |
//! | `policy.toml` | what its machine lets the server have done, where there is one |
//! | `agent.lock` | held by `enroll` and `run` |
//! | `run.lock` | held by a job's process |
//! | `passwords/` | those of sealed vaults |
//! | `scratch` | the copy of a database, while it is made |
//! | `results/` | how jobs ended, until the server knows |
//! | `cache/` | what backups would otherwise fetch from the server again; may be removed at any time |
//!
//! Locks are `flock`s: the kernel drops them with the process that holds them, however it ends.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{FlockOperation, flock};

use crate::{
    durable,
    error::{Error, ErrorKind, Result},
};

/// How long a job waits for one before it that is still ending.
const PREDECESSOR: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

/// An agent's folder.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

/// A lock; dropped with the value or the process.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl DataDir {
    /// The folder at a path, which need not be there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Makes the folder where it is missing.
    pub fn create(&self) -> Result<()> {
        durable::make_folder(&self.0)
            .map_err(|e| Error::io(format!("cannot make the folder {}", self.0.display()), e))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn policy(&self) -> PathBuf {
        self.0.join("policy.toml")
    }

    pub fn identity(&self) -> PathBuf {
        self.0.join("agent.json")
    }

    pub fn key(&self) -> PathBuf {
        self.0.join("key.pem")
    }

    pub fn ca(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    pub fn scratch(&self) -> PathBuf {
        self.0.join("scratch")
    }

    pub fn passwords(&self) -> PathBuf {
        self.0.join("passwords")
    }

    pub fn results(&self) -> PathBuf {
        self.0.join("results")
    }

    pub fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    /// Makes the folder this process's own.
    pub fn lock_agent(&self) -> Result<Lock> {
        self.try_lock("agent.lock")?.ok_or_else(|| {
            Error::new(ErrorKind::Busy, format!("another agent is at work in {}", self.0.display()))
        })
    }

    /// Makes this process the folder's only job; waits a while for one that is ending. `go_on` is asked in between.
    pub fn lock_run(&self, go_on: impl Fn() -> bool) -> Result<Lock> {
        let until = Instant::now() + PREDECESSOR;
        while go_on() && Instant::now() < until {
            if let Some(lock) = self.try_lock_run()? {
                return Ok(lock);
            }
            thread::sleep(POLL);
        }
        Err(Error::new(ErrorKind::Busy, "another job of this agent is still running"))
    }

    /// Makes this process the folder's only job, unless there is one.
    pub fn try_lock_run(&self) -> Result<Option<Lock>> {
        self.try_lock("run.lock")
    }

    fn try_lock(&self, name: &str) -> Result<Option<Lock>> {
        let path = self.0.join(name);
        let failed = |e: std::io::Error| Error::io(format!("cannot lock {}", path.display()), e);
        let mut open = OpenOptions::new();
        let file = open.create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(failed(e.into())),
        }
    }
}
