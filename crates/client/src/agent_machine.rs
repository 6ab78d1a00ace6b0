//! Agents and machines: which machine an agent runs on.

use roadstead_api::{
    agent_machine::{
        AgentMachine, AgentMachineAttach, AgentMachineDetach, AgentMachineList, NewAgentMachine,
    },
    id::MachineId,
};

use crate::{Agent, error::Result};

impl Agent {
    /// The machines that it may run on, the one that it is attached to first, with what speaks for each. Talks to the
    /// server.
    pub async fn machines(&self) -> Result<Vec<AgentMachine>> {
        Ok(self.client.call::<AgentMachineList>(&self.id, &(), &()).await?.items)
    }

    /// Says which machine it runs on. Talks to the server.
    pub async fn attach(&mut self, machine: &MachineId) -> Result<()> {
        let new = NewAgentMachine { machine_id: machine.clone() };
        self.facts = self.client.call::<AgentMachineAttach>(&self.id, &(), &new).await?;
        Ok(())
    }

    /// Says that it runs on none of the machines. Talks to the server.
    pub async fn detach(&mut self) -> Result<()> {
        self.facts = self.client.call::<AgentMachineDetach>(&self.id, &(), &()).await?;
        Ok(())
    }
}
