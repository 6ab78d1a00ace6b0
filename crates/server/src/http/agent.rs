//! Routes of agents.

use roadstead_api::agent::{
    AgentDelete, AgentDeletionPlanShow, AgentDisable, AgentEnable, AgentEnroll, AgentList, AgentShow,
    EnrolmentTokenCreate,
};

use super::routes::{Call, Routes};
use crate::ops::{agent, enrolment};

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<EnrolmentTokenCreate>| async move {
            enrolment::create_token(&context, call.body).await
        })
        .public(|app, call: Call<AgentEnroll>| async move { enrolment::enroll(&app, call.body).await })
        .user(|context, call: Call<AgentList>| async move { agent::list(&context, call.query).await })
        .user(|context, call: Call<AgentShow>| async move { agent::show(&context, call.path).await })
        .user(|context, call: Call<AgentDeletionPlanShow>| async move {
            agent::plan_deletion(&context, call.path).await
        })
        .user(|context, call: Call<AgentDelete>| async move {
            agent::delete(&context, call.path, call.query).await
        })
        .user(|context, call: Call<AgentEnable>| async move { agent::enable(&context, call.path).await })
        .user(|context, call: Call<AgentDisable>| async move { agent::disable(&context, call.path).await })
}
