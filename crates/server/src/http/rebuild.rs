//! Routes of rebuilding machines.

use roadstead_api::rebuild::{MachineRebuild as Rebuild, MachineRebuildPlanShow as Plan};

use super::routes::{Call, Routes};
use crate::ops::rebuild as ops;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<Rebuild>| async move { ops::rebuild(&context, call.body).await })
        .user(|context, call: Call<Plan>| async move { ops::plan(&context, &call.body).await })
}
