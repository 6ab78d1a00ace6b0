//! Backup configurations: what is backed up, and when.

use std::{fmt, path::Path};

use jiff::Timestamp;
use roadstead_api::{
    backup_configuration::{
        self, BackupConfigurationChange, BackupConfigurationCreate, BackupConfigurationDelete,
        BackupConfigurationDisable, BackupConfigurationEnable, BackupConfigurationList,
        BackupConfigurationQuery, BackupConfigurationShow, BackupConfigurationUpdate, NewBackupConfiguration,
        Schedule,
    },
    id::BackupConfigurationId,
};
use serde::Serialize;

use crate::{
    Client, Handle,
    error::{Error, ErrorKind, Result},
};

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

    /// When it runs next by itself; `None` for a manual one, which never does. From memory.
    pub fn next_runtime(&self) -> Option<Timestamp> {
        match self.schedule {
            Schedule::Manual => None,
        }
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
        let change =
            serde_json::to_value(change).and_then(serde_json::from_value::<BackupConfigurationChange>);
        let change = change
            .map_err(|e| Error::new(ErrorKind::Invalid, "this does not describe a change").caused_by(e))?;
        self.update(&change).await
    }

    /// Changes it by a JSON file, as [`Self::update_from_dict`] does. Reads the file, then talks to the server.
    pub async fn update_from_file(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let text = std::fs::read(path).map_err(|e| {
            Error::new(ErrorKind::Local, format!("cannot read {}", path.display())).caused_by(e)
        })?;
        let change: serde_json::Value = serde_json::from_slice(&text).map_err(|e| {
            Error::new(ErrorKind::Invalid, format!("{} is not JSON", path.display())).caused_by(e)
        })?;
        self.update_from_dict(&change).await
    }
}

impl fmt::Display for BackupConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.id, self.name)
    }
}
