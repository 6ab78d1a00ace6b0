//! Routes of files of an agent's machine.

use roadstead_api::agent_file::AgentFileList;

use super::routes::{Call, Routes};
use crate::ops::agent_file;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes.user(|context, call: Call<AgentFileList>| async move {
        agent_file::list(&context, call.path, call.query).await
    })
}
