//! Backup configurations.

use jiff::Timestamp;
use roadstead_api::{
    Endpoint, Page, Permission,
    backup_configuration::{
        BackupConfiguration, BackupConfigurationChange, BackupConfigurationCreate, BackupConfigurationDelete,
        BackupConfigurationDisable, BackupConfigurationEnable, BackupConfigurationList,
        BackupConfigurationQuery, BackupConfigurationShow, BackupConfigurationUpdate, NewBackupConfiguration,
    },
    backup_options::BackupOptions,
    id::{AccountId, BackupConfigurationId},
    retention::Retention,
};

use super::{Context, agent, backup_options, context::Change, page, selection, validate};
use crate::{
    Error, Result, db,
    schedule::{Timetable, zone},
};

/// How far runs may be spread, in minutes.
const MAX_SPREAD: u32 = 1440;
/// The largest number of a rule of retention.
const MAX_KEPT: u32 = 100_000;

/// Makes a configuration.
pub async fn create(context: &Context, new: NewBackupConfiguration) -> Result<BackupConfiguration> {
    let (change, id) = begin_create(context, &new, true).await?;
    change.commit(id).await?;
    get(context, id).await
}

/// Makes a configuration that may be disabled, for a caller who ends the change when all else is written.
pub async fn begin_create<'a>(
    context: &'a Context,
    new: &NewBackupConfiguration,
    enabled: bool,
) -> Result<(Change<'a>, BackupConfigurationId)> {
    context.authorize::<BackupConfigurationCreate>()?;
    if !new.options.hooks.is_usual() || new.options.dump_commands().next().is_some() {
        may_set_hooks(context)?;
    }
    agent::get(context, new.agent_id).await?;
    let mut change = context.change::<BackupConfigurationCreate>().await?;
    let made = insert(&mut change, context.account(), new, enabled, context.now_ms()).await?;
    Ok((change, made.id))
}

/// Writes a configuration down, if it is in order, and begins to follow its schedule where it is enabled.
pub async fn insert(
    db: &mut db::Connection,
    account: AccountId,
    new: &NewBackupConfiguration,
    enabled: bool,
    now_ms: i64,
) -> Result<BackupConfiguration> {
    let id = db::backup_configuration::insert(db, account, new, now_ms).await?;
    let made = db::backup_configuration::get(db, account, id).await?;
    let mut made = BackupConfiguration { enabled, ..made.ok_or_else(|| not_found(id))? };
    check(&mut made)?;
    db::backup_configuration::update(db, &made, now_ms).await?;
    schedule(db, &made, now_ms).await?;
    Ok(made)
}

/// Checks a configuration that is made later, when there is an agent for it.
pub fn check_new(new: &NewBackupConfiguration) -> Result<()> {
    let new = new.clone();
    check(&mut BackupConfiguration {
        id: BackupConfigurationId(0),
        name: new.name,
        agent_id: new.agent_id,
        enabled: true,
        inclusions: new.inclusions,
        exclusions: new.exclusions,
        schedule: new.schedule,
        timezone: new.timezone,
        spread_minutes: new.spread_minutes,
        missed: new.missed,
        next_runtime: None,
        retention: new.retention,
        options: new.options,
        notification_email: new.notification_email,
        notify_success: new.notify_success,
        notify_failure: new.notify_failure,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    })
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
    edit::<BackupConfigurationUpdate>(context, id, |old| {
        *old = BackupConfiguration {
            name: change.name.unwrap_or(old.name.clone()),
            inclusions: change.inclusions.unwrap_or(old.inclusions.clone()),
            exclusions: change.exclusions.unwrap_or(old.exclusions.clone()),
            schedule: change.schedule.unwrap_or(old.schedule.clone()),
            timezone: change.timezone.unwrap_or(old.timezone.clone()),
            spread_minutes: change.spread_minutes.unwrap_or(old.spread_minutes),
            missed: change.missed.unwrap_or(old.missed),
            retention: change.retention.unwrap_or(old.retention.clone()),
            options: match change.options {
                Some(change) => backup_options::changed(&old.options, change)?,
                None => old.options.clone(),
            },
            notification_email: change.notification_email.or(old.notification_email.clone()),
            notify_success: change.notify_success.unwrap_or(old.notify_success),
            notify_failure: change.notify_failure.unwrap_or(old.notify_failure),
            ..old.clone()
        };
        check(old)
    })
    .await
}

/// Checks every field that users fill, and brings those into one form that have several.
fn check(configuration: &mut BackupConfiguration) -> Result<()> {
    validate::name("name", &configuration.name)?;
    if configuration.options.dumps.is_empty() || !configuration.inclusions.is_empty() {
        validate::paths("inclusions", &configuration.inclusions)?;
    }
    validate::patterns("exclusions", &configuration.exclusions)?;
    backup_options::check(&configuration.options)?;
    backup_options::dumps_apart(&configuration.options, &configuration.inclusions)?;
    selection::exclusions(&configuration.inclusions, &configuration.exclusions)?;
    if configuration.spread_minutes > MAX_SPREAD {
        return Err(Error::invalid(format!("spread_minutes goes up to {MAX_SPREAD}, a day.")));
    }
    check_retention(&configuration.retention)?;
    let email = configuration.notification_email.take();
    configuration.notification_email =
        email.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if let Some(text) = &configuration.notification_email {
        validate::emails("notification_email", text)?;
    }
    let zone = zone(&configuration.timezone)?;
    configuration.timezone = zone.iana_name().unwrap_or(&configuration.timezone).to_owned();
    Timetable::of(configuration).map(drop)
}

/// Checks the numbers of rules of retention.
pub fn check_retention(retention: &Retention) -> Result<()> {
    match retention.rules().find(|(_, number)| !(1..=MAX_KEPT).contains(number)) {
        None => Ok(()),
        Some((rule, _)) => Err(Error::invalid(format!(
            "retention.{rule} goes from 1 to {MAX_KEPT}; leave it out for no such rule."
        ))),
    }
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

/// The same of one that may have been deleted since; says whether it was.
pub async fn show_any(context: &Context, id: BackupConfigurationId) -> Result<(BackupConfiguration, bool)> {
    context.authorize::<BackupConfigurationShow>()?;
    let found =
        db::backup_configuration::get_any(&mut *context.db.read().await?, context.account(), id).await?;
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
    let before = configuration.clone();
    change(&mut configuration)?;
    let commands = |options: &BackupOptions| options.dump_commands().cloned().collect::<Vec<_>>();
    if before.options.hooks != configuration.options.hooks
        || commands(&before.options) != commands(&configuration.options)
    {
        may_set_hooks(context)?;
    }
    let now = context.now_ms();
    db::backup_configuration::update(&mut write, &configuration, now).await?;
    let times =
        |c: &BackupConfiguration| (c.schedule.clone(), c.timezone.clone(), c.spread_minutes, c.enabled);
    if times(&before) != times(&configuration) {
        schedule(&mut write, &configuration, now).await?;
    }
    write.commit(id).await?;
    get(context, id).await
}

/// Commands, around a backup or in it, run as the agent does, often as root: only admins set them.
fn may_set_hooks(context: &Context) -> Result<()> {
    context.require(Permission::Admin)
}

/// Begins to follow a configuration's schedule: slots up to now are nobody's.
async fn schedule(db: &mut db::Connection, configuration: &BackupConfiguration, now_ms: i64) -> Result<()> {
    let next = if configuration.enabled { Timetable::of(configuration)?.next_due(now_ms) } else { None };
    db::schedule::begin(db, configuration.id, now_ms, next).await
}
