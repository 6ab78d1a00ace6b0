//! `roadstead agents machines, attach, detach`: which machine an agent runs on.

use roadstead_client::api::{
    Page,
    agent_machine::{
        AgentMachine, AgentMachineAttach, AgentMachineDetach, AgentMachineList, NewAgentMachine,
    },
    id::AgentId,
};

use crate::{
    error::{Exit, Result},
    machine::Which,
    session::Session,
    table::{self, Row},
};

impl Row for AgentMachine {
    const COLUMNS: &'static [&'static str] = &["machine", "name", "backend", "attached", "by", "shared"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.machine_id.to_string(),
            self.machine_name.clone(),
            self.backend_id.to_string(),
            table::yes(self.attached),
            self.joined_by.map_or_else(|| "-".to_owned(), |by| by.to_string()),
            self.reasons.join("; "),
        ]
    }
}

/// Lists the machines that an agent may run on.
pub async fn list(session: &Session, agent: AgentId) -> Result<Exit> {
    let found: Page<AgentMachine> = session.client.call::<AgentMachineList>(&agent, &(), &()).await?;
    session.output.page(&found)?;
    Ok(Exit::Done)
}

/// Says which machine an agent runs on.
pub async fn attach(session: &Session, agent: AgentId, machine: &Which) -> Result<Exit> {
    let new = NewAgentMachine { machine_id: machine.find(session).await?.id.clone() };
    session.output.object(&session.client.call::<AgentMachineAttach>(&agent, &(), &new).await?)?;
    Ok(Exit::Done)
}

/// Says that an agent runs on none of the machines.
pub async fn detach(session: &Session, agent: AgentId) -> Result<Exit> {
    session.output.object(&session.client.call::<AgentMachineDetach>(&agent, &(), &()).await?)?;
    Ok(Exit::Done)
}
