//! Routes of schedules.

use roadstead_api::schedule::SchedulePreview;

use super::routes::{Call, Routes};
use crate::ops::schedule;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<SchedulePreview>| async move { schedule::preview(&context, &call.query) })
}
