//! Routes of what agents measure.

use roadstead_api::metric::{AgentMetricsShow, MachineMetricsShow};

use super::routes::{Call, Routes};
use crate::ops::metric;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<AgentMetricsShow>| async move {
            metric::of_agent(&context, call.path, call.query).await
        })
        .user(|context, call: Call<MachineMetricsShow>| async move {
            metric::of_machine(&context, &call.path, call.query).await
        })
}
