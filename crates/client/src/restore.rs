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
    error::{Error, ErrorKind, Result},
    prepared::Prepared,
    run::{Run, Status},
};

/// The status of a restore.
pub type RestoreStatus = Status<restore::Restore>;
/// The report of a restore.
pub type RestoreReport = Handle<restore::RestoreReport>;

impl Run for restore::Restore {
    const NOUN: &'static str = "restore";
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

/// A restore taken up to be run.
pub type Restore = Prepared<NewRestore, restore::Restore>;

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

    /// Takes up a restore to be run; [`Restore::start`] runs it. Talks to the server, to see that what is named is there.
    pub async fn create_restore(&self, wanted: NewRestore) -> Result<Restore> {
        match (wanted.backup_id, wanted.restore_configuration_id) {
            (Some(backup), _) => drop(self.get_backup(backup).await?),
            (None, Some(configuration)) => drop(self.get_restore_configuration(configuration).await?),
            (None, None) => {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    "neither a backup nor a restore configuration is named",
                ));
            }
        }
        Ok(Prepared::new(self, wanted))
    }

    /// Asks what a restore would do, and waits for the agent's answer: the plan is in the report. Nothing is changed. Talks
    /// to the server, again and again as long as the agent looks.
    ///
    /// Errors: [`ErrorKind::Conflict`] where somebody stopped it.
    pub async fn plan_restore(&self, wanted: &NewRestore) -> Result<RestoreReport> {
        let status = self.start_restore(&NewRestore { dry_run: true, ..wanted.clone() }).await?;
        status.wait(|_| {}).await?;
        let stopped = || Error::new(ErrorKind::Conflict, "the plan was stopped before it was made");
        status.report().await?.ok_or_else(stopped)
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

    /// The patterns that it leaves out. From memory.
    pub fn exclusions(&self) -> &[String] {
        &self.wanted.exclusions
    }

    /// Starts a run, and waits until the agent has taken it or it has ended. Starting again is a new run.
    pub async fn start(&mut self) -> Result<RestoreStatus> {
        let status = self.client.start_restore(&self.wanted).await?;
        self.taken(status).await
    }
}

impl RestoreReport {
    /// How long it took. From memory.
    pub fn duration(&self) -> Duration {
        Duration::try_from_secs_f64(self.duration_seconds).unwrap_or_default()
    }
}
