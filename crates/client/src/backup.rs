//! Backups: runs of a configuration, their status and their reports.

use std::time::Duration;

use roadstead_api::{
    backup::{
        self, BackupCreate, BackupList, BackupQuery, BackupReportShow, BackupShow, BackupStop, NewBackup,
    },
    id::{BackupConfigurationId, BackupId},
    run::RunState,
};

use crate::{
    BackupConfiguration, Client, Handle,
    error::Result,
    run::{Run, Status},
};

/// The status of a backup.
pub type BackupStatus = Status<backup::Backup>;
/// The report of a backup.
pub type BackupReport = Handle<backup::BackupReport>;

impl Run for backup::Backup {
    type Id = BackupId;
    type Report = backup::BackupReport;
    type Show = BackupShow;
    type Stop = BackupStop;
    type ShowReport = BackupReportShow;

    fn id(&self) -> BackupId {
        self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn state(&self) -> RunState {
        self.state
    }
}

/// A configuration taken up to be run, once or several times. Its methods speak of the latest run.
#[derive(Clone, Debug)]
pub struct Backup {
    configuration: BackupConfiguration,
    status: Option<BackupStatus>,
}

impl Client {
    /// Lists the backups that have not ended. Talks to the server.
    pub async fn active_backups(&self) -> Result<Vec<BackupStatus>> {
        self.find_backups(BackupQuery { active: Some(true), ..BackupQuery::default() }).await
    }

    /// Lists those backups that a query picks, newest first. Talks to the server.
    pub async fn find_backups(&self, query: BackupQuery) -> Result<Vec<BackupStatus>> {
        Ok(Status::all(self, self.list_all::<BackupList, _>((), query).await?))
    }

    /// Reads one backup. Talks to the server.
    pub async fn get_backup(&self, id: BackupId) -> Result<BackupStatus> {
        Ok(Status::new(self, self.call::<BackupShow>(&id, &(), &()).await?))
    }

    /// Reads the report of a backup that ended by itself. Talks to the server.
    pub async fn get_backup_report(&self, id: BackupId) -> Result<BackupReport> {
        Ok(Handle::new(self, self.call::<BackupReportShow>(&id, &(), &()).await?))
    }

    /// Takes up a configuration to be run; [`Backup::start`] runs it. Talks to the server, to read the configuration.
    pub async fn create_backup(&self, configuration_id: BackupConfigurationId) -> Result<Backup> {
        Ok(Backup { configuration: self.get_backup_configuration(configuration_id).await?, status: None })
    }

    /// Starts a backup, and comes back before its agent has heard of it. Talks to the server.
    pub async fn start_backup(&self, configuration_id: BackupConfigurationId) -> Result<BackupStatus> {
        let new = NewBackup { configuration_id };
        Ok(Status::new(self, self.call::<BackupCreate>(&(), &(), &new).await?))
    }
}

impl Backup {
    /// What it backs up. From memory.
    pub fn inclusions(&self) -> &[String] {
        &self.configuration.facts.inclusions
    }

    /// What it leaves out. From memory.
    pub fn exclusions(&self) -> &[String] {
        &self.configuration.facts.exclusions
    }

    /// The latest run; `None` before the first. From memory.
    pub fn status(&self) -> Option<&BackupStatus> {
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
    pub async fn start(&mut self) -> Result<BackupStatus> {
        let status = self.configuration.client.start_backup(self.configuration.id).await?;
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
    pub async fn wait(&self, progress: impl FnMut(&backup::Backup) + Send) -> Result<Option<backup::Backup>> {
        match &self.status {
            Some(status) => Ok(Some(status.wait(progress).await?)),
            None => Ok(None),
        }
    }

    /// The report; `None` before the first run, while one goes on, and of one that was stopped. Talks to the server.
    pub async fn report(&self) -> Result<Option<BackupReport>> {
        match &self.status {
            Some(status) => status.report().await,
            None => Ok(None),
        }
    }
}

impl BackupReport {
    /// Whether files can be restored from the backup. From memory.
    pub fn is_restorable(&self) -> bool {
        self.restorable
    }

    /// How long it took. From memory.
    pub fn duration(&self) -> Duration {
        Duration::try_from_secs_f64(self.duration_seconds).unwrap_or_default()
    }

    /// Reads the configuration that it ran. Talks to the server.
    pub async fn get_configuration(&self) -> Result<BackupConfiguration> {
        self.client.get_backup_configuration(self.configuration_id).await
    }
}
