//! The log of an agent, and whether it is awake.

use roadstead_api::agent_log::{
    AgentLog, AgentLogLevelSet, AgentLogQuery, AgentLogShow, AgentWake, LogLevel, LogLevelChange,
};

use crate::{Agent, error::Result};

impl Agent {
    /// Reads the last lines of its log, 1 to 2000. Talks to the server, which asks the agent.
    pub async fn log(&self, lines: u32) -> Result<AgentLog> {
        self.client.call::<AgentLogShow>(&self.id, &AgentLogQuery { lines: Some(lines) }, &()).await
    }

    /// Sets how much its log says, until it starts anew. Talks to the server, which tells the agent.
    pub async fn set_log_level(&self, level: LogLevel) -> Result<AgentLog> {
        self.client.call::<AgentLogLevelSet>(&self.id, &(), &LogLevelChange { level }).await
    }

    /// Asks it whether it is awake, and has what waits for it looked through. Talks to the server, which asks the agent.
    pub async fn wake(&mut self) -> Result<()> {
        self.facts = self.client.call::<AgentWake>(&self.id, &(), &()).await?;
        Ok(())
    }
}
