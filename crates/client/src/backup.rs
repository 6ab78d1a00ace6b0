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
    prepared::Prepared,
    run::{Run, Status},
};

/// The status of a backup.
pub type BackupStatus = Status<backup::Backup>;
/// The report of a backup.
pub type BackupReport = Handle<backup::BackupReport>;

impl Run for backup::Backup {
    const NOUN: &'static str = "backup";
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

/// A configuration taken up to be run.
pub type Backup = Prepared<BackupConfiguration, backup::Backup>;

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
        Ok(Prepared::new(self, self.get_backup_configuration(configuration_id).await?))
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
        &self.wanted.facts.inclusions
    }

    /// What it leaves out. From memory.
    pub fn exclusions(&self) -> &[String] {
        &self.wanted.facts.exclusions
    }

    /// Starts a run, and waits until the agent has taken it or it has ended. Starting again is a new run.
    pub async fn start(&mut self) -> Result<BackupStatus> {
        let status = self.client.start_backup(self.wanted.id).await?;
        self.taken(status).await
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
