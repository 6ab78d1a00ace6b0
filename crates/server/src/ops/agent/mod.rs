//! Agents: listing, enabling, deleting, and what becomes of their vaults.

mod delete;
mod migrate;

use roadstead_api::{
    Endpoint, Page, PageQuery,
    agent::{Agent, AgentDisable, AgentEnable, AgentList, AgentShow},
    id::AgentId,
};

pub use delete::{delete, plan as plan_deletion};
pub use migrate::migrate;

use super::{Context, page};
use crate::{Error, Result, db, db::row::timestamp};

/// Lists the agents.
pub async fn list(context: &Context, query: PageQuery) -> Result<Page<Agent>> {
    context.authorize::<AgentList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let mut read = context.db.read().await?;
    let agents = db::agent::list(&mut read, context.account(), after, page::fetch(limit)).await?;
    let agents = agents.into_iter().map(|agent| as_of_now(context, agent)).collect::<Result<_>>()?;
    Ok(page::page(agents, limit, |agent: &Agent| agent.id.to_string()))
}

/// Shows one agent.
pub async fn show(context: &Context, id: AgentId) -> Result<Agent> {
    context.authorize::<AgentShow>()?;
    get(context, id).await
}

/// Lets an agent take work again.
pub async fn enable(context: &Context, id: AgentId) -> Result<Agent> {
    set_enabled::<AgentEnable>(context, id, true).await
}

/// Keeps an agent from new work.
pub async fn disable(context: &Context, id: AgentId) -> Result<Agent> {
    set_enabled::<AgentDisable>(context, id, false).await
}

/// An agent of the caller's account.
pub async fn get(context: &Context, id: AgentId) -> Result<Agent> {
    let agent = db::agent::get(&mut *context.db.read().await?, context.account(), id).await?;
    as_of_now(context, agent.ok_or_else(|| not_found(id))?)
}

fn not_found(id: AgentId) -> Error {
    Error::not_found(format!("There is no agent {id}."))
}

async fn set_enabled<E: Endpoint>(context: &Context, id: AgentId, enabled: bool) -> Result<Agent> {
    let mut change = context.change::<E>().await?;
    let was_enabled = db::agent::is_enabled(&mut change, id).await?;
    if !db::agent::set_enabled(&mut change, context.account(), id, enabled).await? {
        return Err(not_found(id));
    }
    if enabled && !was_enabled {
        db::schedule::agent_enabled(&mut change, id, context.now_ms()).await?;
    }
    change.commit(id).await?;
    context.live.dispatch.notify_one();
    get(context, id).await
}

/// Lays over the row what only memory knows.
fn as_of_now(context: &Context, mut agent: Agent) -> Result<Agent> {
    agent.connected = context.live.link_of(agent.id).is_some();
    if let Some(heard) = context.live.last_heard(agent.id) {
        agent.last_seen_at = Some(timestamp(heard)?);
    }
    Ok(agent)
}
