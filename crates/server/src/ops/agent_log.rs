//! The log of an agent, and whether it is awake: asked of it over its link.

use roadstead_api::{
    agent::Agent,
    agent_log::{
        AgentLog, AgentLogLevelSet, AgentLogQuery, AgentLogShow, AgentWake, LogLevelChange, MAX_LINES,
    },
    id::AgentId,
    question::{Answer, Question},
};

use super::{Context, agent, question};
use crate::{Error, Result};

/// How many lines are shown when nobody says.
const USUAL_LINES: u32 = 200;

/// Shows the last lines of an agent's log.
pub async fn show(context: &Context, id: AgentId, query: AgentLogQuery) -> Result<AgentLog> {
    context.authorize::<AgentLogShow>()?;
    let agent = agent::get(context, id).await?;
    let lines = query.lines.unwrap_or(USUAL_LINES);
    if !(1..=MAX_LINES).contains(&lines) {
        return Err(Error::invalid(format!("lines is {lines}; it goes from 1 to {MAX_LINES}.")));
    }
    log(context, &agent, Question::Log { lines }).await
}

/// Sets how much an agent's log says.
pub async fn set_level(context: &Context, id: AgentId, new: LogLevelChange) -> Result<AgentLog> {
    context.authorize::<AgentLogLevelSet>()?;
    let agent = agent::get(context, id).await?;
    let shown = log(context, &agent, Question::SetLogLevel { level: new.level }).await?;
    let change = context.change::<AgentLogLevelSet>().await?;
    change.commit(format!("{id} to {}", new.level)).await?;
    Ok(shown)
}

/// Asks an agent whether it is awake.
pub async fn wake(context: &Context, id: AgentId) -> Result<Agent> {
    context.authorize::<AgentWake>()?;
    let agent = agent::get(context, id).await?;
    match question::ask(context, &agent, Question::Awake).await? {
        Answer::Awake => {}
        _ => return Err(question::beside_the_point(&agent)),
    }
    let change = context.change::<AgentWake>().await?;
    change.commit(id).await?;
    context.live.dispatch.notify_one();
    context.live.schedules.notify_one();
    agent::get(context, id).await
}

async fn log(context: &Context, agent: &Agent, what: Question) -> Result<AgentLog> {
    match question::ask(context, agent, what).await? {
        Answer::Log { log } if log.lines.len() <= MAX_LINES as usize => Ok(log),
        _ => Err(question::beside_the_point(agent)),
    }
}
