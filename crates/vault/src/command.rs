//! Streams to be saved: from a reader, or from a command whose end tells whether it is whole.
//!
//! A read cannot be interrupted, so a thread of its own does it, which nobody waits for. A command is the
//! leader of a process group: what it started ends with it.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{Error, ErrorKind, Result};
use crate::threads::unpoisoned;

/// Bytes read at once.
const STEP: usize = 1 << 20;
/// How often to look whether the run goes on.
const TICK: Duration = Duration::from_millis(100);
/// How long a command may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(1);
/// Lines kept of what a command says on its standard error: the last ones, each cut to so many bytes.
const LINES: usize = 100;
const LINE: u64 = 1000;

/// A stream to be saved as one file.
pub struct Stream {
    pub(crate) path: PathBuf,
    input: Input,
}

enum Input {
    Reader(Box<dyn Read + Send>),
    Command(Command),
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Stream {
    /// What a reader gives, until its end. `path` is the file's in the snapshot: `dump.sql` means
    /// `/dump.sql`.
    pub fn reader(path: impl Into<PathBuf>, reader: impl Read + Send + 'static) -> Self {
        Self { path: path.into(), input: Input::Reader(Box::new(reader)) }
    }

    /// What this process is given on its standard input.
    pub fn stdin(path: impl Into<PathBuf>) -> Self {
        Self::reader(path, io::stdin())
    }

    /// What a command writes on its standard output. Its standard input is empty.
    pub fn command(path: impl Into<PathBuf>, command: Command) -> Self {
        Self { path: path.into(), input: Input::Command(command) }
    }

    /// Begins to read. Dropping what this gives ends the command.
    pub(crate) fn start(self) -> Result<Source> {
        let (reader, process): (Box<dyn Read + Send>, _) = match self.input {
            Input::Reader(reader) => (reader, None),
            Input::Command(command) => {
                let (output, process) = Process::start(command)?;
                (output, Some(process))
            }
        };
        let (parts, source) = bounded(2);
        let read = move || read(reader, |part| parts.send(part).is_ok());
        let spawned = thread::Builder::new().name("vault stream".to_owned()).spawn(read);
        spawned.map_err(|e| Error::io("starting to read a stream", e))?;
        Ok(Source { parts: source, process })
    }
}

/// Hands on parts of a stream until it ends, fails, or nobody takes them any more.
fn read(mut reader: impl Read, give: impl Fn(io::Result<Vec<u8>>) -> bool) {
    loop {
        let mut part = Vec::with_capacity(STEP);
        let read = reader.by_ref().take(STEP as u64).read_to_end(&mut part);
        let more = match read {
            Ok(0) => false,
            Ok(_) => give(Ok(part)),
            Err(error) => {
                give(Err(error));
                false
            }
        };
        if !more {
            return;
        }
    }
}

/// A stream under way.
pub(crate) struct Source {
    parts: Receiver<io::Result<Vec<u8>>>,
    process: Option<Process>,
}

impl Source {
    /// The next bytes; `None` at the end. Ends early when `check` fails.
    pub(crate) fn next(&self, check: impl Fn() -> Result<()>) -> Result<Option<Vec<u8>>> {
        loop {
            check()?;
            match self.parts.recv_timeout(TICK) {
                Ok(part) => return part.map(Some).map_err(|e| Error::io("reading the stream", e)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Waits for the command's end, and fails unless it was a good one.
    pub(crate) fn finish(&mut self, check: impl Fn() -> Result<()>) -> Result<()> {
        self.process.as_mut().map_or(Ok(()), |process| process.finish(check))
    }

    /// The last lines that the command said on its standard error.
    pub(crate) fn said(&self) -> Vec<String> {
        self.process.as_ref().map(Process::said).unwrap_or_default()
    }
}

struct Process {
    program: String,
    child: Child,
    ended: bool,
    lines: Arc<Mutex<VecDeque<String>>>,
    listener: Option<JoinHandle<()>>,
}

impl Process {
    fn start(mut command: Command) -> Result<(Box<dyn Read + Send>, Self)> {
        // Arguments may hold secrets, so messages name the program alone.
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let failed =
            |e| Error::new(ErrorKind::Command, format!("{program} cannot be started")).with_source(e);
        let mut child = command.spawn().map_err(failed)?;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&lines);
        let listen = move || errors.map_or((), |errors| listen(errors, &kept));
        let listener = thread::Builder::new().name("vault command".to_owned()).spawn(listen).ok();
        let output: Box<dyn Read + Send> = match output {
            Some(output) => Box::new(output),
            None => Box::new(io::empty()),
        };
        Ok((output, Self { program, child, ended: false, lines, listener }))
    }

    fn finish(&mut self, check: impl Fn() -> Result<()>) -> Result<()> {
        loop {
            check()?;
            if let Some(status) = self.status()? {
                return self.judge(status);
            }
            thread::sleep(TICK / 10);
        }
    }

    fn status(&mut self) -> Result<Option<ExitStatus>> {
        let status =
            self.child.try_wait().map_err(|e| Error::io(format!("waiting for {}", self.program), e))?;
        self.ended = status.is_some();
        Ok(status)
    }

    fn judge(&self, status: ExitStatus) -> Result<()> {
        if status.success() {
            return Ok(());
        }
        let last = self.said().pop().map(|line| format!(": {line}")).unwrap_or_default();
        Err(Error::new(ErrorKind::Command, format!("{} ended with {status}{last}", self.program)))
    }

    fn said(&self) -> Vec<String> {
        // What it started may live on and hold its standard error open: that is not waited for.
        let end = Instant::now() + GRACE;
        while self.ended && self.listener.as_ref().is_some_and(|listener| !listener.is_finished()) {
            if Instant::now() > end {
                break;
            }
            thread::sleep(TICK / 10);
        }
        unpoisoned(&self.lines).iter().cloned().collect()
    }

    /// Sends a signal to the command and all it started.
    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.signal(Signal::TERM);
        let end = Instant::now() + GRACE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            thread::sleep(TICK / 10);
        }
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Keeps the last lines of a stream.
fn listen(errors: impl Read, lines: &Mutex<VecDeque<String>>) {
    let mut errors = BufReader::new(errors);
    loop {
        let mut line = Vec::new();
        match errors.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        let mut lines = unpoisoned(lines);
        if lines.len() == LINES {
            lines.pop_front();
        }
        if !text.is_empty() {
            lines.push_back(text);
        }
    }
}
