//! Alarms: what is open, and who knows.

use roadstead_api::{
    Page,
    alarm::{Alarm, AlarmAcknowledge, AlarmKind, AlarmList, AlarmQuery, AlarmShow},
    id::{AgentId, AlarmId, VaultId},
};

use super::{Context, page};
use crate::{
    Error, Result,
    app::App,
    arrivals::TooMany,
    db::{self, alarm::Condition},
};

/// Lists alarms.
pub async fn list(context: &Context, query: AlarmQuery) -> Result<Page<Alarm>> {
    context.authorize::<AlarmList>()?;
    let limit = page::limit(query.limit)?;
    let before = page::number(query.cursor.as_deref(), i64::MAX)?;
    let mut read = context.db.read().await?;
    let found = db::alarm::list(&mut read, context.account(), query.open, before, page::fetch(limit)).await?;
    Ok(page::page(found, limit, |alarm| alarm.id.to_string()))
}

/// Shows one alarm.
pub async fn show(context: &Context, id: AlarmId) -> Result<Alarm> {
    context.authorize::<AlarmShow>()?;
    get(context, id).await
}

/// Notes that the caller knows of an alarm.
pub async fn acknowledge(context: &Context, id: AlarmId) -> Result<Alarm> {
    context.authorize::<AlarmAcknowledge>()?;
    let closes = get(context, id).await?.kind.is_over_when_seen();
    let mut change = context.change::<AlarmAcknowledge>().await?;
    let by = (context.user.username.as_str(), closes);
    if !db::alarm::acknowledge(&mut change, context.account(), id, by, context.now_ms()).await? {
        return Err(not_found(id));
    }
    change.commit(id).await?;
    get(context, id).await
}

/// A second process wanted to be this agent.
pub async fn cloned_agent(app: &App, agent: AgentId, hostname: &str) -> Result<()> {
    let mut write = app.db.write().await?;
    let Some((account_id, name)) = db::agent::owner(&mut write, agent).await? else { return Ok(()) };
    let id = agent.to_string();
    let what = Condition { account_id, kind: AlarmKind::ClonedAgent, noun: "agent", noun_id: &id };
    let message = format!(
        "A second process with the identity of agent {name} wanted to connect, from the host {hostname:.100}. If the \
         machine was cloned, enrol the clone as an agent of its own."
    );
    db::alarm::open(&mut write, what, &message, app.now_ms()).await?;
    write.commit().await
}

/// More came into a vault than backups leave.
pub async fn flood(app: &App, vault: &VaultId, too_many: TooMany) -> Result<()> {
    let mut write = app.db.write().await?;
    let Some(row) = db::vault::get(&mut write, vault).await? else { return Ok(()) };
    let what =
        Condition { account_id: row.account_id, kind: AlarmKind::Flood, noun: "vault", noun_id: &vault.0 };
    let TooMany { kind, count } = too_many;
    let message = format!(
        "More than {count} files came into {kind} of this vault within an hour. Look at what runs on agent {}, and \
         disable it if that is none of yours.",
        row.agent_id
    );
    db::alarm::open(&mut write, what, &message, app.now_ms()).await?;
    write.commit().await
}

async fn get(context: &Context, id: AlarmId) -> Result<Alarm> {
    let found = db::alarm::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| not_found(id))
}

fn not_found(id: AlarmId) -> Error {
    Error::not_found(format!("There is no alarm {id}."))
}
