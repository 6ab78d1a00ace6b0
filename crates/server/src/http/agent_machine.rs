//! Routes of agents and their machines.

use roadstead_api::agent_machine::{AgentMachineAttach, AgentMachineDetach, AgentMachineList};

use super::routes::{Call, Routes};
use crate::ops::agent_machine;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<AgentMachineList>| async move {
            agent_machine::list(&context, call.path).await
        })
        .user(|context, call: Call<AgentMachineAttach>| async move {
            agent_machine::attach(&context, call.path, call.body).await
        })
        .user(|context, call: Call<AgentMachineDetach>| async move {
            agent_machine::detach(&context, call.path).await
        })
}
