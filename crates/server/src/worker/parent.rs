//! The server's side: start a child, hand it its order, read its answer.

use std::{pin::pin, process::Stdio, time::Duration};

use bytes::Bytes;
use roadstead_api::run::Progress;
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdout, Command},
    sync::{Semaphore, SemaphorePermit},
};

use super::{Order, Reply, Task};
use crate::{Error, ErrorKind, Result, WorkerCommand};

/// How many children do work that takes long at once, such as checks; more wait.
static WORK: Semaphore = Semaphore::const_new(4);
/// How many look into vaults at once for somebody who waits. Work that goes on for hours is not to keep them waiting.
static LOOKS: Semaphore = Semaphore::const_new(4);
/// How many write out files at once. They take as long as whoever reads them.
static READERS: Semaphore = Semaphore::const_new(8);
/// How long the first line of an answer may be, in bytes.
const MAX_REPLY: u64 = 16 << 20;
/// How long a child that is to stop has for it; after that it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How much of a file is handed on at once, in bytes.
const CHUNK: usize = 256 << 10;

/// A child at work. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Working {
    pub(super) child: Child,
    pub(super) out: BufReader<ChildStdout>,
    _place: SemaphorePermit<'static>,
}

/// A file of a vault, as it comes.
pub struct Content(Working);

/// Has a child do something, and returns what it answers.
pub async fn call<T: DeserializeOwned>(command: &WorkerCommand, order: &Order) -> Result<T> {
    let mut working = start(command, order, places(&order.task)).await?;
    first_line(&mut working).await
}

/// Has a child do something that takes long. `progress` hears how far it has come. When `stop` returns, the child is to
/// end, and has seconds for it; the answer is `None` then, unless the work was done before.
pub async fn watched<T: DeserializeOwned>(
    command: &WorkerCommand,
    order: &Order,
    progress: impl Fn(Progress),
    stop: impl Future<Output = ()>,
) -> Result<Option<T>> {
    let (mut stop, mut line) = (pin!(stop), Vec::new());
    let mut working = tokio::select! {
        working = start(command, order, places(&order.task)) => working?,
        () = &mut stop => return Ok(None),
    };
    let reply = loop {
        tokio::select! {
            read = whole_line(&mut working, &mut line) => match read.and_then(|()| parsed(&line))? {
                Reply::Progress(far) => {
                    line.clear();
                    progress(far);
                }
                reply => return reply.into_result().map(Some),
            },
            () = &mut stop => break stopped(&mut working, line).await,
        }
    };
    Ok(reply)
}

/// Ends a child by closing its input. It may have done its work all the same.
async fn stopped<T: DeserializeOwned>(working: &mut Working, mut line: Vec<u8>) -> Option<T> {
    drop(working.child.stdin.take());
    let last = async {
        loop {
            whole_line(working, &mut line).await.ok()?;
            match parsed(&line).ok()? {
                Reply::Progress(_) => line.clear(),
                reply => return reply.into_result().ok(),
            }
        }
    };
    tokio::time::timeout(STOP_WITHIN, last).await.ok().flatten()
}

/// Has a child write out a file.
pub async fn content(command: &WorkerCommand, order: &Order) -> Result<Content> {
    let mut working = start(command, order, places(&order.task)).await?;
    first_line::<()>(&mut working).await?;
    Ok(Content(working))
}

impl Content {
    /// The next part; `None` at the end. An error says that the file is not whole.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let mut chunk = Vec::with_capacity(CHUNK);
        (&mut self.0.out).take(CHUNK as u64).read_to_end(&mut chunk).await?;
        if !chunk.is_empty() {
            return Ok(Some(chunk.into()));
        }
        if self.0.child.wait().await?.success() {
            return Ok(None);
        }
        Err(Error::internal("The file could not be read to its end; the server's log says why."))
    }
}

/// Where a child for this task has its place, so that no kind of task keeps another waiting.
fn places(task: &Task) -> &'static Semaphore {
    match task {
        Task::Content { .. } | Task::Archive { .. } => &READERS,
        Task::List { .. }
        | Task::Find { .. }
        | Task::Diff { .. }
        | Task::Count { .. }
        | Task::PlanCleanup { .. }
        | Task::RestoreTrash
        | Task::View { .. } => &LOOKS,
        Task::Check { .. }
        | Task::CheckNames
        | Task::Cleanup { .. }
        | Task::Drill { .. }
        | Task::Copy { .. }
        | Task::Repair { .. } => &WORK,
    }
}

/// Starts a child as soon as there is a place for it.
pub(super) async fn start(
    command: &WorkerCommand,
    order: &Order,
    places: &'static Semaphore,
) -> Result<Working> {
    let gone = |_| Error::new(ErrorKind::Unavailable, "The server is ending.");
    let place = places.acquire().await.map_err(gone)?;
    let mut child = Command::new(&command.program)
        .args(&command.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut line =
        serde_json::to_vec(order).map_err(|e| Error::internal("The order has no JSON.").caused_by(e))?;
    line.push(b'\n');
    let input = child.stdin.as_mut().ok_or_else(|| Error::internal("The child has no input."))?;
    input.write_all(&line).await?;
    input.flush().await?;
    let out = child.stdout.take().ok_or_else(|| Error::internal("The child has no output."))?;
    Ok(Working { child, out: BufReader::with_capacity(64 << 10, out), _place: place })
}

/// What a child answers in its first line, or in the next one.
pub(super) async fn first_line<T: DeserializeOwned>(working: &mut Working) -> Result<T> {
    let mut line = Vec::new();
    whole_line(working, &mut line).await?;
    parsed(&line)?.into_result()
}

/// Reads on to the end of a line. What was read stays in `line` if nobody waits for the rest.
async fn whole_line(working: &mut Working, line: &mut Vec<u8>) -> Result<()> {
    let room = MAX_REPLY.saturating_sub(line.len() as u64);
    (&mut working.out).take(room).read_until(b'\n', line).await?;
    if line.last() != Some(&b'\n') {
        let ended =
            working.child.try_wait()?.map_or_else(|| "too long an answer".to_owned(), |s| s.to_string());
        return Err(Error::internal(format!("The work on the vault ended without an answer ({ended}).")));
    }
    Ok(())
}

fn parsed<T: DeserializeOwned>(line: &[u8]) -> Result<Reply<T>> {
    serde_json::from_slice(line).map_err(|e| Error::internal("The answer is not of its form.").caused_by(e))
}
