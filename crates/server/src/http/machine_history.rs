//! The route of what has happened to machines.

use roadstead_api::machine_history::MachineHistoryList;

use super::routes::{Call, Routes};
use crate::ops::machine_history;

/// Adds the route.
pub fn routes(routes: Routes) -> Routes {
    routes.user(|context, call: Call<MachineHistoryList>| async move {
        machine_history::list(&context, &call.path, call.query).await
    })
}
