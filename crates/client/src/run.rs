//! What backups and restores have in common: a live status, waiting, stopping, and a report at the end.

use std::fmt;

use roadstead_api::{Endpoint, PathParams, run::RunState};

use crate::{
    Client, Handle,
    error::{ErrorKind, Result},
    poll,
};

/// One run, as the API shows it: a backup or a restore.
pub trait Run: Clone + fmt::Debug + Send + Sync + Sized + 'static {
    /// What its events call it.
    const NOUN: &'static str;
    /// Its id.
    type Id: PathParams + Copy + Sync + fmt::Display;
    /// Its report.
    type Report: Send;
    /// The endpoint that shows it.
    type Show: Endpoint<Path = Self::Id, Query = (), Body = (), Reply = Self>;
    /// The endpoint that stops it.
    type Stop: Endpoint<Path = Self::Id, Query = (), Body = (), Reply = Self>;
    /// The endpoint that shows its report.
    type ShowReport: Endpoint<Path = Self::Id, Query = (), Body = (), Reply = Self::Report>;

    /// The run's id.
    fn id(&self) -> Self::Id;
    /// The run's name.
    fn name(&self) -> &str;
    /// Where it stands.
    fn state(&self) -> RunState;
}

/// The status of one run. Live: its `async` methods ask the server each time.
#[derive(Clone, Debug)]
pub struct Status<R> {
    client: Client,
    first: R,
}

impl<R: Run> Status<R> {
    pub(crate) fn new(client: &Client, first: R) -> Self {
        Self { client: client.clone(), first }
    }

    pub(crate) fn all(client: &Client, runs: Vec<R>) -> Vec<Self> {
        runs.into_iter().map(|run| Self::new(client, run)).collect()
    }

    /// The run's id. From memory.
    pub fn id(&self) -> R::Id {
        self.first.id()
    }

    /// The run as it was when this status was made. From memory.
    pub fn at_first(&self) -> &R {
        &self.first
    }

    /// The run as it is now. Talks to the server.
    pub async fn read(&self) -> Result<R> {
        self.client.call::<R::Show>(&self.id(), &(), &()).await
    }

    /// The run's state as it is now. Talks to the server.
    pub async fn state(&self) -> Result<RunState> {
        Ok(self.read().await?.state())
    }

    /// Waits until the agent has taken the run in hand, or the run has ended, as long as the agent is away. Listens to the
    /// server's events; asks again and again where there are none.
    pub async fn taken(&self) -> Result<R> {
        let waits = |state| matches!(state, RunState::Queued | RunState::StartRequested);
        self.until(|run| !waits(run.state())).await
    }

    /// Waits until the run has ended, and hands `progress` each answer on the way. Listens to the server's events,
    /// and asks again and again where there are none; a server that is away for less than a minute is waited for.
    pub async fn wait(&self, mut progress: impl FnMut(&R) + Send) -> Result<R> {
        self.until(|run| {
            progress(run);
            run.state().has_ended()
        })
        .await
    }

    /// Stops the run, and waits until it has ended. One that has ended already is left as it is.
    pub async fn stop(&self) -> Result<RunState> {
        match self.client.call::<R::Stop>(&self.id(), &(), &()).await {
            Ok(run) if run.state().has_ended() => return Ok(run.state()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Conflict && self.state().await?.has_ended() => {}
            Err(error) => return Err(error),
        }
        Ok(self.wait(|_| {}).await?.state())
    }

    /// The report; `None` while the run goes on, and of a run that was stopped. Talks to the server.
    pub async fn report(&self) -> Result<Option<Handle<R::Report>>> {
        if !self.state().await?.has_report() {
            return Ok(None);
        }
        let report = self.client.call::<R::ShowReport>(&self.id(), &(), &()).await?;
        Ok(Some(Handle::new(&self.client, report)))
    }

    async fn until(&self, done: impl FnMut(&R) -> bool + Send) -> Result<R> {
        let ask = || self.client.call::<R::Show>(&self.id(), &(), &());
        poll::told(&self.client, R::NOUN, self.id(), ask, done).await
    }
}

impl<R: Run> fmt::Display for Status<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.id(), self.first.name())
    }
}
