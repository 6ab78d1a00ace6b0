//! Routes of an agent's log, and of waking it.

use roadstead_api::agent_log::{AgentLogLevelSet, AgentLogShow, AgentWake};

use super::routes::{Call, Routes};
use crate::ops::agent_log;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<AgentLogShow>| async move {
            agent_log::show(&context, call.path, call.query).await
        })
        .user(|context, call: Call<AgentLogLevelSet>| async move {
            agent_log::set_level(&context, call.path, call.body).await
        })
        .user(|context, call: Call<AgentWake>| async move { agent_log::wake(&context, call.path).await })
}
