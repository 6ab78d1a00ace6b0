//! Backup configurations: what is backed up, and when.

use std::{fmt, path::Path};

use jiff::Timestamp;
use roadstead_api::{
    backup_configuration::{
        self, BackupConfigurationChange, BackupConfigurationCreate, BackupConfigurationDelete,
        BackupConfigurationDisable, BackupConfigurationEnable, BackupConfigurationList,
        BackupConfigurationQuery, BackupConfigurationShow, BackupConfigurationUpdate, NewBackupConfiguration,
    },
    id::BackupConfigurationId,
};
use serde::Serialize;

use crate::{Client, Handle, document, error::Result};

/// A backup configuration.
pub type BackupConfiguration = Handle<backup_configuration::BackupConfiguration>;

impl Client {
    /// Lists the backup configurations, oldest first. Talks to the server.
    pub async fn backup_configurations(&self) -> Result<Vec<BackupConfiguration>> {
        self.find_backup_configurations(BackupConfigurationQuery::default()).await
    }

    /// Lists those backup configurations that a query picks. Talks to the server.
    pub async fn find_backup_configurations(
        &self,
        query: BackupConfigurationQuery,
    ) -> Result<Vec<BackupConfiguration>> {
        Ok(Handle::all(self, self.list_all::<BackupConfigurationList, _>((), query).await?))
    }

    /// Reads one backup configuration. Talks to the server.
    pub async fn get_backup_configuration(&self, id: BackupConfigurationId) -> Result<BackupConfiguration> {
        Ok(Handle::new(self, self.call::<BackupConfigurationShow>(&id, &(), &()).await?))
    }

    /// Makes a backup configuration. Talks to the server.
    pub async fn create_backup_configuration(
        &self,
        new: NewBackupConfiguration,
    ) -> Result<BackupConfiguration> {
        Ok(Handle::new(self, self.call::<BackupConfigurationCreate>(&(), &(), &new).await?))
    }
}

impl BackupConfiguration {
    /// Whether it may be started. From memory.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// When it runs next by itself; `None` for a manual one, which never does, and a disabled one. From memory.
    pub fn next_runtime(&self) -> Option<Timestamp> {
        self.facts.next_runtime
    }

    /// Whether somebody is told when a run ends badly. From memory.
    pub fn notifies_on_failure(&self) -> bool {
        self.notify_failure
    }

    /// Whether somebody is told when a run ends well. From memory.
    pub fn notifies_on_success(&self) -> bool {
        self.notify_success
    }

    /// Who is told: mail addresses with commas between them. From memory.
    pub fn notification_email(&self) -> Option<&str> {
        self.facts.notification_email.as_deref()
    }

    /// Reads it again. Talks to the server.
    pub async fn refresh(&mut self) -> Result<()> {
        self.facts = self.client.call::<BackupConfigurationShow>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Lets it be started again. Talks to the server.
    pub async fn enable(&mut self) -> Result<()> {
        self.facts = self.client.call::<BackupConfigurationEnable>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Keeps it from being started. Talks to the server.
    pub async fn disable(&mut self) -> Result<()> {
        self.facts = self.client.call::<BackupConfigurationDisable>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Deletes it; its backups stay. Talks to the server.
    pub async fn delete(self) -> Result<()> {
        self.client.call::<BackupConfigurationDelete>(&self.id, &(), &()).await
    }

    /// Changes it; what the change leaves out stays as it is. Talks to the server.
    pub async fn update(&mut self, change: &BackupConfigurationChange) -> Result<()> {
        self.facts = self.client.call::<BackupConfigurationUpdate>(&self.id, &(), change).await?;
        Ok(())
    }

    /// Changes it by a map, or by anything else that serializes to the fields of [`BackupConfigurationChange`]. A
    /// field that is not one of them is an error, and nothing is changed. Talks to the server.
    pub async fn update_from_dict(&mut self, change: &(impl Serialize + Sync + ?Sized)) -> Result<()> {
        self.update(&document::convert(change)?).await
    }

    /// Changes it by a file, as [`Self::update_from_dict`] does: TOML where its name ends so, else JSON. Reads the
    /// file, then talks to the server.
    pub async fn update_from_file(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.update(&document::read(path.as_ref())?).await
    }
}

impl fmt::Display for BackupConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.id, self.name)
    }
}
