//! `roadstead agents log` and `log-level`: what an agent says of itself, and how much.

use clap::Args;
use roadstead_client::api::{agent_log::LogLevel, id::AgentId};

use crate::{
    error::{Exit, Result},
    name::Named,
    session::Session,
};

/// Which lines of which agent's log.
#[derive(Args, Debug)]
pub struct AgentLogArgs {
    /// The agent's id, or its name where no other has it.
    agent: Named<AgentId>,
    /// How many lines, the last ones; 2000 at the most.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
    lines: u32,
}

/// Prints the last lines of an agent's log, as they are or as an object.
pub async fn show(session: &Session, args: AgentLogArgs) -> Result<Exit> {
    let log = session.client.get_agent(args.agent.id(session).await?).await?.log(args.lines).await?;
    match session.output.is_for_people() {
        true => log.lines.iter().try_for_each(|line| session.output.text(&format!("{line}\n")))?,
        false => session.output.object(&log)?,
    }
    Ok(Exit::Done)
}

/// Sets how much an agent's log says.
pub async fn set_level(session: &Session, agent: AgentId, level: LogLevel) -> Result<Exit> {
    session.client.get_agent(agent).await?.set_log_level(level).await?;
    session.output.say(&format!("The log of agent {agent} says {level} until it starts anew."));
    Ok(Exit::Done)
}
