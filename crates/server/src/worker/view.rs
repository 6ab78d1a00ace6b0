//! A snapshot of a vault shown under another password, by a child that lives for as long as somebody restores from it.
//!
//! The child answers one [`Question`] after the other, a line each, with a line of JSON; after [`Question::Read`] follow
//! the bytes.

use std::io::{BufRead, Write};

use bytes::Bytes;
use roadstead_vault::{
    Cancel, Repository, View,
    store::{FileKind, Name, Store},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Mutex, Semaphore},
    time::{Duration, timeout},
};

use super::{
    Order,
    child::answer,
    parent::{Working, first_line, start},
};
use crate::{Error, Result, WorkerCommand};

/// How many views there are at once; more wait.
static PLACES: Semaphore = Semaphore::const_new(8);
/// The most that is read at once, in bytes.
pub const MAX_READ: u64 = 16 << 20;
/// How long a child that is not needed any more has to take its lock away.
const END_WITHIN: Duration = Duration::from_secs(10);

/// What is asked of a view.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The names and sizes of the files of a kind.
    List(String),
    /// The size of a file.
    Size(String, String),
    /// A part of a file: where it begins, and how long it is.
    Read(String, String, u64, u64),
}

/// A view, as the server has it.
#[derive(Debug)]
pub struct Shown {
    working: Mutex<Option<Working>>,
}

/// Has a child show a snapshot.
pub async fn open(command: &WorkerCommand, order: &Order) -> Result<Shown> {
    let mut working = start(command, order, &PLACES).await?;
    first_line::<()>(&mut working).await?;
    Ok(Shown { working: Mutex::new(Some(working)) })
}

impl Shown {
    /// The names and sizes of the files of a kind.
    pub async fn list(&self, kind: FileKind) -> Result<Vec<(String, u64)>> {
        Ok(self.ask(&Question::List(kind.dir().to_owned()), 0).await?.0)
    }

    /// The size of a file.
    pub async fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        Ok(self.ask(&Question::Size(kind.dir().to_owned(), name.to_string()), 0).await?.0)
    }

    /// A part of a file, of at most [`MAX_READ`] bytes.
    pub async fn read(&self, kind: FileKind, name: &Name, offset: u64, length: u64) -> Result<Bytes> {
        let question = Question::Read(kind.dir().to_owned(), name.to_string(), offset, length);
        let ((), bytes) = self.ask(&question, length).await?;
        Ok(bytes)
    }

    /// Whether there is no child any more: it was closed, or died.
    pub fn is_closed(&self) -> bool {
        self.working.try_lock().is_ok_and(|working| working.is_none())
    }

    /// One question and its answer. Must not be dropped in between, or the next answer would be another's.
    async fn ask<T: DeserializeOwned>(&self, question: &Question, length: u64) -> Result<(T, Bytes)> {
        let ended = || Error::new(crate::ErrorKind::Unavailable, "The view of the backup is being closed.");
        let mut place = self.working.lock().await;
        let working = place.as_mut().ok_or_else(ended)?;
        let answer = exchange(working, question, length).await;
        if answer.is_err() && working.child.try_wait().is_ok_and(|status| status.is_some()) {
            *place = None;
        }
        answer
    }

    /// Ends the child, which takes its lock away from the vault.
    pub async fn close(&self) {
        let Some(mut working) = self.working.lock().await.take() else { return };
        drop(working.child.stdin.take());
        // One that does not end is killed as it is dropped; its lock is stale then.
        let _ = timeout(END_WITHIN, working.child.wait()).await;
    }
}

async fn exchange<T: DeserializeOwned>(
    working: &mut Working,
    question: &Question,
    length: u64,
) -> Result<(T, Bytes)> {
    let mut line = serde_json::to_vec(question)
        .map_err(|e| Error::internal("A question to a view has no JSON.").caused_by(e))?;
    line.push(b'\n');
    let input = working.child.stdin.as_mut();
    let input = input.ok_or_else(|| Error::internal("The child of a view has no input."))?;
    input.write_all(&line).await?;
    input.flush().await?;
    let answer = first_line(working).await?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    working.out.read_exact(&mut bytes).await?;
    Ok((answer, bytes.into()))
}

/// The child's side: answers until its input ends.
pub fn show(repository: Result<Repository>, snapshot: &str, password: &str) -> Result<()> {
    let view = repository.and_then(|r| Ok(r.view(&r.snapshot(snapshot)?, password, &Cancel::new())?));
    let view = match view {
        Ok(view) => view,
        Err(error) => return answer::<()>(Err(error)),
    };
    answer(Ok(()))?;
    for line in std::io::stdin().lock().lines() {
        let question = serde_json::from_str(&line?)
            .map_err(|e| Error::invalid("A question to a view is not of its form.").caused_by(e))?;
        reply(&view, question)?;
    }
    Ok(())
}

fn reply(view: &View, question: Question) -> Result<()> {
    match question {
        Question::List(kind) => answer(kind_of(&kind).and_then(|kind| {
            let files = view.list(kind)?;
            Ok(files.into_iter().map(|(name, size)| (name.to_string(), size)).collect::<Vec<_>>())
        })),
        Question::Size(kind, name) => {
            answer(file_of(&kind, &name).and_then(|(kind, name)| Ok(view.size(kind, &name)?)))
        }
        Question::Read(kind, name, offset, length) => {
            let read = file_of(&kind, &name).and_then(|(kind, name)| {
                let length = usize::try_from(length.min(MAX_READ)).unwrap_or_default();
                Ok(view.read_range(kind, &name, offset, length)?)
            });
            match read {
                Ok(bytes) => {
                    answer(Ok(()))?;
                    let mut out = std::io::stdout().lock();
                    out.write_all(&bytes)?;
                    Ok(out.flush()?)
                }
                Err(error) => answer::<()>(Err(error)),
            }
        }
    }
}

fn file_of(kind: &str, name: &str) -> Result<(FileKind, Name)> {
    Ok((kind_of(kind)?, name.parse()?))
}

fn kind_of(word: &str) -> Result<FileKind> {
    let mut kinds = FileKind::FOLDERS.into_iter().chain([FileKind::Config]);
    kinds.find(|kind| kind.dir() == word).ok_or_else(|| Error::invalid("There is no such kind of file."))
}
