//! What `backups` and `restores` have in common: waiting with a progress bar, stopping, and the exit status.

use std::time::Duration;

use roadstead_client::{
    Run, Status,
    api::{
        backup::Backup,
        restore::Restore,
        run::{Progress, RunState},
    },
};
use serde::Serialize;

use crate::{
    error::{Exit, Result},
    progress::ProgressBar,
    session::Session,
};

/// How long `stop` waits for a run to end before it shows the run as it is. An agent that is away may take longer.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// A run that can be watched.
pub trait Watched: Run + Serialize {
    /// How far it has come.
    fn progress(&self) -> &Progress;
    /// Files and bytes that are dealt with.
    fn position(&self) -> (u64, u64);
}

impl Watched for Backup {
    fn progress(&self) -> &Progress {
        &self.progress
    }
    /// Unchanged files are not read, but they are dealt with.
    fn position(&self) -> (u64, u64) {
        (self.progress.files_searched, self.progress.bytes_searched)
    }
}

impl Watched for Restore {
    fn progress(&self) -> &Progress {
        &self.progress
    }
    fn position(&self) -> (u64, u64) {
        (self.progress.files_done, self.progress.bytes_done)
    }
}

/// Prints a run that was just started; with `wait`, once it has ended.
pub async fn started<R: Watched>(session: &Session, status: &Status<R>, wait: bool) -> Result<Exit> {
    if !wait {
        session.output.object(status.at_first())?;
        return Ok(Exit::Done);
    }
    let ended = watch(status).await?;
    session.output.object(&ended)?;
    Ok(exit_of(ended.state()))
}

/// Waits for a run's end, with a progress bar where there is a terminal.
pub async fn watch<R: Watched>(status: &Status<R>) -> Result<R> {
    let bar = ProgressBar::new();
    let ended = status.wait(|run| bar.show(run.state(), run.progress(), run.position())).await;
    bar.clear();
    Ok(ended?)
}

/// Stops a run, and prints it when it has ended, or as it is after a while.
pub async fn stop<R: Watched>(session: &Session, status: &Status<R>) -> Result<Exit> {
    match tokio::time::timeout(STOP_PATIENCE, status.stop()).await {
        Ok(stopped) => stopped.map(drop)?,
        Err(_) => session.output.say("It was told to stop, and has not ended yet."),
    }
    session.output.object(&status.read().await?)?;
    Ok(Exit::Done)
}

/// Prints the report of a run that ended by itself.
pub async fn report<R: Watched>(session: &Session, id: R::Id) -> Result<Exit>
where
    R::Report: Serialize,
{
    session.output.object(&session.client.call::<R::ShowReport>(&id, &(), &()).await?)?;
    Ok(Exit::Done)
}

/// The exit status that a run's state stands for.
pub fn exit_of(state: RunState) -> Exit {
    match state {
        RunState::Completed => Exit::Done,
        RunState::CompletedWithErrors => Exit::DoneWithErrors,
        _ => Exit::NotDone,
    }
}
