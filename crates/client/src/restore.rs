//! Restores: files of a backup written to a path on an agent's machine.

use std::time::Duration;

use roadstead_api::{
    id::RestoreId,
    restore::{
        self, NewRestore, RestoreCreate, RestoreList, RestoreQuery, RestoreReportShow, RestoreShow,
        RestoreStop,
    },
    run::RunState,
};

use crate::{
    Client, Handle,
    error::Result,
    run::{Run, Status},
};

/// The status of a restore.
pub type RestoreStatus = Status<restore::Restore>;
/// The report of a restore.
pub type RestoreReport = Handle<restore::RestoreReport>;

impl Run for restore::Restore {
    type Id = RestoreId;
    type Report = restore::RestoreReport;
    type Show = RestoreShow;
    type Stop = RestoreStop;
    type ShowReport = RestoreReportShow;

    fn id(&self) -> RestoreId {
        self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn state(&self) -> RunState {
        self.state
    }
}

/// A restore taken up to be run, once or several times. Its methods speak of the latest run.
#[derive(Clone, Debug)]
pub struct Restore {
    client: Client,
    wanted: NewRestore,
    status: Option<RestoreStatus>,
}

impl Client {
    /// Lists the restores that have not ended. Talks to the server.
    pub async fn active_restores(&self) -> Result<Vec<RestoreStatus>> {
        self.find_restores(RestoreQuery { active: Some(true), ..RestoreQuery::default() }).await
    }

    /// Lists those restores that a query picks, newest first. Talks to the server.
    pub async fn find_restores(&self, query: RestoreQuery) -> Result<Vec<RestoreStatus>> {
        Ok(Status::all(self, self.list_all::<RestoreList, _>((), query).await?))
    }

    /// Reads one restore. Talks to the server.
    pub async fn get_restore(&self, id: RestoreId) -> Result<RestoreStatus> {
        Ok(Status::new(self, self.call::<RestoreShow>(&id, &(), &()).await?))
    }

    /// Reads the report of a restore that ended by itself. Talks to the server.
    pub async fn get_restore_report(&self, id: RestoreId) -> Result<RestoreReport> {
        Ok(Handle::new(self, self.call::<RestoreReportShow>(&id, &(), &()).await?))
    }

    /// Takes up a restore to be run; [`Restore::start`] runs it. Talks to the server, to see that the backup is there.
    pub async fn create_restore(&self, wanted: NewRestore) -> Result<Restore> {
        self.get_backup(wanted.backup_id).await?;
        Ok(Restore { client: self.clone(), wanted, status: None })
    }

    /// Starts a restore, and comes back before its agent has heard of it. Talks to the server.
    pub async fn start_restore(&self, wanted: &NewRestore) -> Result<RestoreStatus> {
        Ok(Status::new(self, self.call::<RestoreCreate>(&(), &(), wanted).await?))
    }
}

impl Restore {
    /// The patterns that it restores; all files where there is none. From memory.
    pub fn inclusions(&self) -> &[String] {
        &self.wanted.inclusions
    }

    /// The latest run; `None` before the first. From memory.
    pub fn status(&self) -> Option<&RestoreStatus> {
        self.status.as_ref()
    }

    /// Whether a run goes on. Talks to the server once there was one.
    pub async fn running(&self) -> Result<bool> {
        match &self.status {
            Some(status) => Ok(!status.state().await?.has_ended()),
            None => Ok(false),
        }
    }

    /// Starts a run, and waits until the agent has taken it or it has ended. Starting again is a new run.
    pub async fn start(&mut self) -> Result<RestoreStatus> {
        let status = self.client.start_restore(&self.wanted).await?;
        self.status = Some(status.clone());
        status.taken().await?;
        Ok(status)
    }

    /// Stops the run, and waits until it has ended. Without a run there is nothing to do.
    pub async fn stop(&self) -> Result<()> {
        if let Some(status) = &self.status {
            status.stop().await?;
        }
        Ok(())
    }

    /// Waits until the run has ended, and hands `progress` each answer on the way. `None` when none was started.
    pub async fn wait(
        &self,
        progress: impl FnMut(&restore::Restore) + Send,
    ) -> Result<Option<restore::Restore>> {
        match &self.status {
            Some(status) => Ok(Some(status.wait(progress).await?)),
            None => Ok(None),
        }
    }

    /// The report; `None` before the first run, while one goes on, and of one that was stopped. Talks to the server.
    pub async fn report(&self) -> Result<Option<RestoreReport>> {
        match &self.status {
            Some(status) => status.report().await,
            None => Ok(None),
        }
    }
}

impl RestoreReport {
    /// How long it took. From memory.
    pub fn duration(&self) -> Duration {
        Duration::try_from_secs_f64(self.duration_seconds).unwrap_or_default()
    }
}
