//! Backup configurations.

use roadstead_api::{
    Endpoint, Page,
    backup_configuration::{
        BackupConfiguration, BackupConfigurationChange, BackupConfigurationCreate, BackupConfigurationDelete,
        BackupConfigurationDisable, BackupConfigurationEnable, BackupConfigurationList,
        BackupConfigurationQuery, BackupConfigurationShow, BackupConfigurationUpdate, NewBackupConfiguration,
    },
    id::BackupConfigurationId,
};

use super::{Context, agent, page, validate};
use crate::{Error, Result, db};

/// Makes a configuration.
pub async fn create(context: &Context, new: NewBackupConfiguration) -> Result<BackupConfiguration> {
    context.authorize::<BackupConfigurationCreate>()?;
    validate::name("name", &new.name)?;
    validate::paths("inclusions", &new.inclusions)?;
    validate::patterns("exclusions", &new.exclusions)?;
    agent::get(context, new.agent_id).await?;
    let mut change = context.change::<BackupConfigurationCreate>().await?;
    let id = db::backup_configuration::insert(&mut change, context.account(), &new, context.now_ms()).await?;
    change.commit(id).await?;
    get(context, id).await
}

/// Lists configurations.
pub async fn list(context: &Context, query: BackupConfigurationQuery) -> Result<Page<BackupConfiguration>> {
    context.authorize::<BackupConfigurationList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let mut read = context.db.read().await?;
    let fetch = page::fetch(limit);
    let found = db::backup_configuration::list(&mut read, context.account(), &query, after, fetch).await?;
    Ok(page::page(found, limit, |configuration| configuration.id.to_string()))
}

/// Shows one configuration.
pub async fn show(context: &Context, id: BackupConfigurationId) -> Result<BackupConfiguration> {
    context.authorize::<BackupConfigurationShow>()?;
    get(context, id).await
}

/// Changes a configuration; what the change leaves out stays.
pub async fn update(
    context: &Context,
    id: BackupConfigurationId,
    change: BackupConfigurationChange,
) -> Result<BackupConfiguration> {
    edit::<BackupConfigurationUpdate>(context, id, |configuration| {
        configuration.name = change.name.unwrap_or_else(|| configuration.name.clone());
        configuration.inclusions = change.inclusions.unwrap_or_else(|| configuration.inclusions.clone());
        configuration.exclusions = change.exclusions.unwrap_or_else(|| configuration.exclusions.clone());
        configuration.schedule = change.schedule.unwrap_or_else(|| configuration.schedule.clone());
        validate::name("name", &configuration.name)?;
        validate::paths("inclusions", &configuration.inclusions)?;
        validate::patterns("exclusions", &configuration.exclusions)
    })
    .await
}

/// Lets a configuration be started again.
pub async fn enable(context: &Context, id: BackupConfigurationId) -> Result<BackupConfiguration> {
    set_enabled::<BackupConfigurationEnable>(context, id, true).await
}

/// Keeps a configuration from being started.
pub async fn disable(context: &Context, id: BackupConfigurationId) -> Result<BackupConfiguration> {
    set_enabled::<BackupConfigurationDisable>(context, id, false).await
}

/// Deletes a configuration. Its backups stay.
pub async fn delete(context: &Context, id: BackupConfigurationId) -> Result<()> {
    let mut change = context.change::<BackupConfigurationDelete>().await?;
    if !db::backup_configuration::delete(&mut change, context.account(), id, context.now_ms()).await? {
        return Err(not_found(id));
    }
    change.commit(id).await
}

/// A configuration of the caller's account.
pub async fn get(context: &Context, id: BackupConfigurationId) -> Result<BackupConfiguration> {
    let found = db::backup_configuration::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| not_found(id))
}

fn not_found(id: BackupConfigurationId) -> Error {
    Error::not_found(format!("There is no backup configuration {id}."))
}

async fn set_enabled<E: Endpoint>(
    context: &Context,
    id: BackupConfigurationId,
    enabled: bool,
) -> Result<BackupConfiguration> {
    edit::<E>(context, id, |configuration| {
        configuration.enabled = enabled;
        Ok(())
    })
    .await
}

/// Reads, changes and writes in one turn, so that two changes at once cannot undo each other.
async fn edit<E: Endpoint>(
    context: &Context,
    id: BackupConfigurationId,
    change: impl FnOnce(&mut BackupConfiguration) -> Result<()>,
) -> Result<BackupConfiguration> {
    let mut write = context.change::<E>().await?;
    let found = db::backup_configuration::get(&mut write, context.account(), id).await?;
    let mut configuration = found.ok_or_else(|| not_found(id))?;
    change(&mut configuration)?;
    db::backup_configuration::update(&mut write, &configuration, context.now_ms()).await?;
    write.commit(id).await?;
    get(context, id).await
}
