//! Restore configurations: restores that are kept, to be run again.

use std::{fmt, path::Path};

use jiff::Timestamp;
use roadstead_api::{
    id::RestoreConfigurationId,
    restore::NewRestore,
    restore_configuration::{
        self, NewRestoreConfiguration, RestoreConfigurationChange, RestoreConfigurationCreate,
        RestoreConfigurationDelete, RestoreConfigurationDisable, RestoreConfigurationEnable,
        RestoreConfigurationList, RestoreConfigurationQuery, RestoreConfigurationShow,
        RestoreConfigurationUpdate,
    },
    schedule::Schedule,
};
use serde::Serialize;

use crate::{Client, Handle, Restore, document, error::Result, prepared::Prepared};

/// A restore configuration.
pub type RestoreConfiguration = Handle<restore_configuration::RestoreConfiguration>;

impl Client {
    /// Lists the restore configurations, oldest first. Talks to the server.
    pub async fn restore_configurations(&self) -> Result<Vec<RestoreConfiguration>> {
        self.find_restore_configurations(RestoreConfigurationQuery::default()).await
    }

    /// Lists those restore configurations that a query picks. Talks to the server.
    pub async fn find_restore_configurations(
        &self,
        query: RestoreConfigurationQuery,
    ) -> Result<Vec<RestoreConfiguration>> {
        Ok(Handle::all(self, self.list_all::<RestoreConfigurationList, _>((), query).await?))
    }

    /// Reads one restore configuration. Talks to the server.
    pub async fn get_restore_configuration(
        &self,
        id: RestoreConfigurationId,
    ) -> Result<RestoreConfiguration> {
        Ok(Handle::new(self, self.call::<RestoreConfigurationShow>(&id, &(), &()).await?))
    }

    /// Makes a restore configuration. Talks to the server.
    pub async fn create_restore_configuration(
        &self,
        new: NewRestoreConfiguration,
    ) -> Result<RestoreConfiguration> {
        Ok(Handle::new(self, self.call::<RestoreConfigurationCreate>(&(), &(), &new).await?))
    }
}

impl RestoreConfiguration {
    /// Whether it may be started. From memory.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Always manual: restores have no clock of their own. From memory.
    pub fn schedule(&self) -> Schedule {
        Schedule::Manual
    }

    /// Always `None`: restores have no clock of their own. From memory.
    pub fn next_runtime(&self) -> Option<Timestamp> {
        None
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

    /// Takes it up to be run; [`Restore::start`] runs it. From memory.
    pub fn prepare(&self) -> Restore {
        Prepared::new(&self.client, NewRestore::by(self.id))
    }

    /// Reads it again. Talks to the server.
    pub async fn refresh(&mut self) -> Result<()> {
        self.facts = self.client.call::<RestoreConfigurationShow>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Lets it be started again. Talks to the server.
    pub async fn enable(&mut self) -> Result<()> {
        self.facts = self.client.call::<RestoreConfigurationEnable>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Keeps it from being started. Talks to the server.
    pub async fn disable(&mut self) -> Result<()> {
        self.facts = self.client.call::<RestoreConfigurationDisable>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Deletes it; its restores stay known. Talks to the server.
    pub async fn delete(self) -> Result<()> {
        self.client.call::<RestoreConfigurationDelete>(&self.id, &(), &()).await
    }

    /// Changes it; what the change leaves out stays as it is. Talks to the server.
    pub async fn update(&mut self, change: &RestoreConfigurationChange) -> Result<()> {
        self.facts = self.client.call::<RestoreConfigurationUpdate>(&self.id, &(), change).await?;
        Ok(())
    }

    /// Changes it by a map, or by anything else that serializes to the fields of [`RestoreConfigurationChange`]. A
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

impl fmt::Display for RestoreConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.id, self.name)
    }
}
