//! Routes of alarms.

use roadstead_api::alarm::{AlarmAcknowledge, AlarmList, AlarmShow};

use super::routes::{Call, Routes};
use crate::ops::alarm;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<AlarmList>| async move { alarm::list(&context, call.query).await })
        .user(|context, call: Call<AlarmShow>| async move { alarm::show(&context, call.path).await })
        .user(|context, call: Call<AlarmAcknowledge>| async move { alarm::acknowledge(&context, call.path).await })
}
