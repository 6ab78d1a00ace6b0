//! [`Prepared`]: what a backup and a restore are before, between and after their runs.

use crate::{
    Client, Handle,
    error::Result,
    run::{Run, Status},
};

/// Something taken up to be run, once or several times: a [`crate::Backup`] or a [`crate::Restore`]. Its methods
/// speak of the latest run.
#[derive(Clone, Debug)]
pub struct Prepared<W, R> {
    pub(crate) client: Client,
    /// What is to be done.
    pub(crate) wanted: W,
    status: Option<Status<R>>,
}

impl<W, R: Run> Prepared<W, R> {
    pub(crate) fn new(client: &Client, wanted: W) -> Self {
        Self { client: client.clone(), wanted, status: None }
    }

    /// Takes a run just started as the latest, and waits until the agent has taken it or it has ended.
    pub(crate) async fn taken(&mut self, status: Status<R>) -> Result<Status<R>> {
        self.status = Some(status.clone());
        status.taken().await?;
        Ok(status)
    }

    /// The latest run; `None` before the first. From memory.
    pub fn status(&self) -> Option<&Status<R>> {
        self.status.as_ref()
    }

    /// Whether a run goes on. Talks to the server once there was one.
    pub async fn running(&self) -> Result<bool> {
        match &self.status {
            Some(status) => Ok(!status.state().await?.has_ended()),
            None => Ok(false),
        }
    }

    /// Stops the run, and waits until it has ended. Without a run there is nothing to do.
    pub async fn stop(&self) -> Result<()> {
        if let Some(status) = &self.status {
            status.stop().await?;
        }
        Ok(())
    }

    /// Waits until the run has ended, and hands `progress` each answer on the way. `None` when none was started.
    pub async fn wait(&self, progress: impl FnMut(&R) + Send) -> Result<Option<R>> {
        match &self.status {
            Some(status) => Ok(Some(status.wait(progress).await?)),
            None => Ok(None),
        }
    }

    /// The report; `None` before the first run, while one goes on, and of one that was stopped. Talks to the server.
    pub async fn report(&self) -> Result<Option<Handle<R::Report>>> {
        match &self.status {
            Some(status) => status.report().await,
            None => Ok(None),
        }
    }
}
