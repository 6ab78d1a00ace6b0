//! Routes of sealings.

use roadstead_api::sealing::{
    AgentEncrypt, AgentKeyShow, AgentPasswordChange, AgentVaultMigrate, SealingShow,
};

use super::routes::{Call, Routes};
use crate::ops::{agent, sealing};

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<AgentKeyShow>| async move { sealing::key(&context, call.path).await })
        .user(|context, call: Call<AgentEncrypt>| async move {
            sealing::encrypt(&context, call.path, call.body).await
        })
        .user(|context, call: Call<AgentPasswordChange>| async move {
            sealing::change_password(&context, call.path, call.body).await
        })
        .user(|context, call: Call<AgentVaultMigrate>| async move {
            agent::migrate(&context, call.path, call.body).await
        })
        .user(|context, call: Call<SealingShow>| async move { sealing::show(&context, call.path).await })
}
