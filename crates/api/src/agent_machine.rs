//! Agents and machines: which machine of a backend an agent runs on.
//!
//! The server joins them by itself where that is sure: the machine's id in its cloud is one that the agent's host has,
//! or its public address is one of the host's, and only one machine is like that. All else is left to people.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page,
    agent::Agent,
    endpoint::endpoints,
    id::{AgentId, BackendId, MachineId},
};

/// A machine that an agent may run on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentMachine {
    /// The machine.
    pub machine_id: MachineId,
    /// Its name.
    pub machine_name: String,
    /// The backend that holds it.
    pub backend_id: BackendId,
    /// Whether the agent is attached to it.
    pub attached: bool,
    /// How they were joined.
    pub joined_by: Option<JoinedBy>,
    /// When they were joined.
    pub joined_at: Option<Timestamp>,
    /// What speaks for it, such as `its id in the cloud, i-0123456789abcdef0`.
    pub reasons: Vec<String>,
}

/// How an agent came to its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JoinedBy {
    /// The server found it by what the agent told of its host.
    Facts,
    /// The server put the agent there.
    Protect,
    /// A user said so.
    Hand,
}

impl JoinedBy {
    /// The word of JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Protect => "protect",
            Self::Hand => "hand",
        }
    }
}

impl std::fmt::Display for JoinedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for JoinedBy {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "facts" => Ok(Self::Facts),
            "protect" => Ok(Self::Protect),
            "hand" => Ok(Self::Hand),
            _ => Err(format!("{text:?} is no way to join an agent to its machine")),
        }
    }
}

/// The machine that an agent runs on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgentMachine {
    /// The machine.
    pub machine_id: MachineId,
}

endpoints! {
    /// Lists the machines that an agent may run on, the one that it is attached to first, with what speaks for each.
    AgentMachineList = "agent_machine_list": Get "/agents/{id}/machines", Observer, (AgentId) ? (), () => 200 Page<AgentMachine>;
    /// Says which machine an agent runs on, in place of what was thought before.
    AgentMachineAttach = "agent_machine_attach": Post "/agents/{id}/machine", Creator, (AgentId) ? (), NewAgentMachine => 200 Agent;
    /// Says that an agent runs on none of the machines; the server does not join it by itself any more.
    AgentMachineDetach = "agent_machine_detach": Delete "/agents/{id}/machine", Creator, (AgentId) ? (), () => 200 Agent;
}
