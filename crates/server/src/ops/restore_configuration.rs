//! Restore configurations.

use roadstead_api::{
    Endpoint, Page,
    id::{AgentId, RestoreConfigurationId},
    restore::OverwriteRule,
    restore_configuration::{
        NewRestoreConfiguration, RestoreConfiguration, RestoreConfigurationChange,
        RestoreConfigurationCreate, RestoreConfigurationDelete, RestoreConfigurationDisable,
        RestoreConfigurationEnable, RestoreConfigurationList, RestoreConfigurationQuery,
        RestoreConfigurationShow, RestoreConfigurationUpdate,
    },
};

use super::{Context, agent, backup, page, validate, vault};
use crate::{Error, Result, db, db::row::timestamp};

/// Makes a configuration.
pub async fn create(context: &Context, new: NewRestoreConfiguration) -> Result<RestoreConfiguration> {
    context.authorize::<RestoreConfigurationCreate>()?;
    let backup = backup::get(context, new.backup_id).await?;
    let now = timestamp(context.now_ms())?;
    let mut wanted = RestoreConfiguration {
        id: RestoreConfigurationId(0),
        name: new.name,
        backup_id: new.backup_id,
        agent_id: new.agent_id.unwrap_or(backup.agent_id),
        enabled: true,
        path: new.path.unwrap_or_else(|| "/".to_owned()),
        inclusions: new.inclusions,
        exclusions: new.exclusions,
        overwrite: false,
        overwrite_rule: new.overwrite_rule.unwrap_or_else(|| OverwriteRule::of(new.overwrite)),
        notification_email: new.notification_email,
        notify_success: new.notify_success,
        notify_failure: new.notify_failure,
        latest_restore_id: None,
        created_at: now,
        updated_at: now,
    };
    check(context, &mut wanted).await?;
    let mut change = context.change::<RestoreConfigurationCreate>().await?;
    let id =
        db::restore_configuration::insert(&mut change, context.account(), &wanted, context.now_ms()).await?;
    change.commit(id).await?;
    get(context, id).await
}

/// Lists configurations.
pub async fn list(context: &Context, query: RestoreConfigurationQuery) -> Result<Page<RestoreConfiguration>> {
    context.authorize::<RestoreConfigurationList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let mut read = context.db.read().await?;
    let fetch = page::fetch(limit);
    let found = db::restore_configuration::list(&mut read, context.account(), &query, after, fetch).await?;
    Ok(page::page(found, limit, |configuration| configuration.id.to_string()))
}

/// Shows one configuration.
pub async fn show(context: &Context, id: RestoreConfigurationId) -> Result<RestoreConfiguration> {
    context.authorize::<RestoreConfigurationShow>()?;
    get(context, id).await
}

/// Changes a configuration; what the change leaves out stays.
pub async fn update(
    context: &Context,
    id: RestoreConfigurationId,
    change: RestoreConfigurationChange,
) -> Result<RestoreConfiguration> {
    context.authorize::<RestoreConfigurationUpdate>()?;
    let old = get(context, id).await?;
    let mut wanted = RestoreConfiguration {
        name: change.name.unwrap_or(old.name),
        backup_id: change.backup_id.unwrap_or(old.backup_id),
        agent_id: change.agent_id.unwrap_or(old.agent_id),
        path: change.path.unwrap_or(old.path),
        inclusions: change.inclusions.unwrap_or(old.inclusions),
        exclusions: change.exclusions.unwrap_or(old.exclusions),
        overwrite_rule: change
            .overwrite_rule
            .or(change.overwrite.map(OverwriteRule::of))
            .unwrap_or(old.overwrite_rule),
        notification_email: change.notification_email.or(old.notification_email),
        notify_success: change.notify_success.unwrap_or(old.notify_success),
        notify_failure: change.notify_failure.unwrap_or(old.notify_failure),
        ..old
    };
    check(context, &mut wanted).await?;
    write::<RestoreConfigurationUpdate>(context, &wanted).await
}

/// Lets a configuration be started again.
pub async fn enable(context: &Context, id: RestoreConfigurationId) -> Result<RestoreConfiguration> {
    context.authorize::<RestoreConfigurationEnable>()?;
    let old = get(context, id).await?;
    write::<RestoreConfigurationEnable>(context, &RestoreConfiguration { enabled: true, ..old }).await
}

/// Keeps a configuration from being started.
pub async fn disable(context: &Context, id: RestoreConfigurationId) -> Result<RestoreConfiguration> {
    context.authorize::<RestoreConfigurationDisable>()?;
    let old = get(context, id).await?;
    write::<RestoreConfigurationDisable>(context, &RestoreConfiguration { enabled: false, ..old }).await
}

/// Deletes a configuration. Its restores stay known.
pub async fn delete(context: &Context, id: RestoreConfigurationId) -> Result<()> {
    let mut change = context.change::<RestoreConfigurationDelete>().await?;
    let now = context.now_ms();
    if !db::restore_configuration::delete(&mut change, context.account(), id, now).await? {
        return Err(not_found(id));
    }
    change.commit(id).await
}

/// Deletes a configuration that was never started, as whoever may make one; one that was is an admin's to delete.
pub async fn abandon(context: &Context, id: RestoreConfigurationId) -> Result<()> {
    context.authorize::<RestoreConfigurationUpdate>()?;
    if get(context, id).await?.latest_restore_id.is_some() {
        return delete(context, id).await;
    }
    let mut change = context.change::<RestoreConfigurationUpdate>().await?;
    if !db::restore_configuration::delete(&mut change, context.account(), id, context.now_ms()).await? {
        return Err(not_found(id));
    }
    change.commit(id).await
}

/// A configuration of the caller's account.
pub async fn get(context: &Context, id: RestoreConfigurationId) -> Result<RestoreConfiguration> {
    let found = db::restore_configuration::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| not_found(id))
}

fn not_found(id: RestoreConfigurationId) -> Error {
    Error::not_found(format!("There is no restore configuration {id}."))
}

/// Checks every field that users fill.
async fn check(context: &Context, wanted: &mut RestoreConfiguration) -> Result<()> {
    validate::name("name", &wanted.name)?;
    validate::path("path", &wanted.path)?;
    validate::patterns("inclusions", &wanted.inclusions)?;
    validate::patterns("exclusions", &wanted.exclusions)?;
    let email = wanted.notification_email.take();
    wanted.notification_email = email.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if let Some(text) = &wanted.notification_email {
        validate::emails("notification_email", text)?;
    }
    let backup = backup::get(context, wanted.backup_id).await?;
    destination(context, &backup, wanted.agent_id).await
}

/// Refuses an agent that a backup cannot be restored to.
pub async fn destination(
    context: &Context,
    backup: &roadstead_api::backup::Backup,
    agent: AgentId,
) -> Result<()> {
    agent::get(context, agent).await?;
    vault::get(context, &backup.vault_id).await.map(drop)
}

async fn write<E: Endpoint>(
    context: &Context,
    wanted: &RestoreConfiguration,
) -> Result<RestoreConfiguration> {
    let mut change = context.change::<E>().await?;
    db::restore_configuration::update(&mut change, wanted, context.now_ms()).await?;
    change.commit(wanted.id).await?;
    get(context, wanted.id).await
}
